//! Attacks on mailboxes that this server watches, and its word with their providers: this house's own mail, a host that somebody puts into
//! the database, a name that leads inside, a grant that is renewed or refused.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorcode::ops::mailboxes::{self, Wanted};
use doorcode_core::mailbox::{Credentials, Refresh, Security};
use doorcode_core::relay::State;
use doorcode_core::{Error, Secret};

use crate::imap::{Imap, Provider};
use crate::mailbox::{ADA, CODE, PASSWORD, Scene, unmarked};
use crate::postgres;
use crate::process::until;
use crate::watched::{QUICK, connect, connect_with, now, password, reaches, wanted};

/// This installation's own sign-in mail gets nothing here either: known by its mark, by where it is from, and by its code alone.
#[tokio::test]
async fn our_own_sign_in_mail_gets_nothing() {
    let Some(scene) = Scene::with(&QUICK).await else { return };
    let mailbox = connect(&scene).await;
    reaches(&scene, mailbox.id, "watching").await;
    let (raw, own) = scene.own_mail(ADA).await;
    let agent = scene.agent(1).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    // As it was sent, but signed by somebody whose mail would be taken.
    scene.dovecot.deliver(&scene.signed(&raw, "acme.com"));
    scene.dovecot.deliver(&scene.signed(&unmarked(&raw).replace("Message-ID: <", "Message-ID: <x"), "acme.com"));
    // Its code alone, in words of others.
    scene.dovecot.deliver(&scene.acme(1, &own));
    scene.dovecot.deliver(&scene.signed(&scene.mail("no-reply@codes.house.example", 2, &own), "house.example"));
    until("they were looked at", async || {
        let reached = now(&scene, mailbox.id).await.reached.unwrap();
        reached.split(' ').nth(1).filter(|next| *next == "5").map(drop)
    })
    .await;
    assert_eq!(scene.state(id).await, State::Approved);
    // It waited all the time.
    scene.dovecot.deliver(&scene.acme(3, CODE));
    assert_eq!(scene.code(&agent, id).await, CODE);
}

#[tokio::test]
async fn forged_and_foreign_mail_gets_nothing() {
    let Some(scene) = Scene::with(&QUICK).await else { return };
    let mailbox = connect(&scene).await;
    reaches(&scene, mailbox.id, "watching").await;
    let agent = scene.agent(1).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.mail("no-reply@acme.com", 1, "111111"));
    scene.dovecot.deliver(&scene.signed(&scene.mail("no-reply@acme.com", 2, "222222"), "evil.com"));
    scene.dovecot.deliver(&scene.acme(3, "333333").replace("333333", "444444"));
    let elsewhere = scene.mail("no-reply@acme.com", 4, "555555").replace(ADA, "eve@else.example");
    scene.dovecot.deliver(&scene.signed(&elsewhere, "acme.com"));
    scene.dovecot.deliver(&scene.acme(5, CODE));
    assert_eq!(scene.code(&agent, id).await, CODE);
}

/// Whoever can write the database has the password sent to themselves? The seal is for one server.
#[tokio::test]
async fn credentials_are_not_sent_to_a_host_that_was_put_into_the_row() {
    let evil = Imap::start(Arc::default()).await;
    let allow = format!("127.0.0.1:{}", evil.port);
    let mut settings = QUICK.to_vec();
    settings.push(("DOORCODE_EGRESS__ALLOW", &allow));
    let Some(mut scene) = Scene::with(&settings).await else { return };
    let honest = connect_with(&scene, wanted(evil.port, password(PASSWORD))).await;
    reaches(&scene, honest.id, "watching").await;
    assert_eq!(evil.told.all().len(), 1, "what it is told is seen");
    scene.end().await;
    let change = format!("UPDATE mailboxes SET login = 'eve', port = {}", evil.port);
    match scene.folder.database() {
        Some(url) => drop(postgres::query(&url, &change).unwrap()),
        None => {
            let file = rusqlite::Connection::open(scene.folder.path().join("doorcode.db")).unwrap();
            file.execute(&change, []).unwrap();
        }
    }
    scene.again().await;
    let refused = reaches(&scene, honest.id, "credentials_refused").await;
    assert!(refused.trouble.unwrap().contains("sealed"));
    assert_eq!(evil.told.all().len(), 1, "nobody was told anything");
}

#[tokio::test]
async fn mailboxes_do_not_lead_inside() {
    let Some(mut scene) = Scene::with(&QUICK).await else { return };
    let at = |host: &str, port: u16| Wanted {
        host: host.to_owned(),
        security: Security::Tls,
        ..wanted(port, password(PASSWORD))
    };
    for (host, port) in [
        ("127.0.0.1", 993),
        ("[::1]", 993),
        ("10.0.0.5", 993),
        ("169.254.169.254", 993),
        ("0x7f000001", 993),
        ("localhost", 993),
        ("imap.internal", 143),
        ("imap.example.com", 25),
        ("imap.example.com", 80),
        ("imap.example.com/x", 993),
        ("ada@imap.example.com", 993),
        ("imap.example.com:993#", 993),
        ("", 993),
    ] {
        let made = mailboxes::create(&scene.app, scene.whose, at(host, port)).await;
        assert!(matches!(made, Err(Error::Invalid { field: "host", .. })), "{host} {port}");
    }
    // In the clear to another machine.
    let clear = Wanted { security: Security::None, ..at("imap.example.com", 143) };
    let made = mailboxes::create(&scene.app, scene.whose, clear).await;
    assert!(matches!(made, Err(Error::Invalid { field: "security", .. })));
    // A name that is public, and leads inside.
    scene.end().await;
    let mut config = scene.app.config.clone();
    config.egress.resolver = doorcode::egress::Resolver::table();
    config.egress.resolver.set("imap.example.com", &["127.0.0.1".parse::<IpAddr>().unwrap()]);
    scene.again_with(config).await;
    let mailbox = connect_with(&scene, at("imap.example.com", 993)).await;
    let away = reaches(&scene, mailbox.id, "away").await;
    assert_eq!(away.trouble.as_deref(), Some("the name leads to an address that is not public"));
}

fn grant(provider: &Provider, token: &str) -> Credentials {
    Credentials::RefreshToken(Refresh {
        endpoint: provider.url(),
        client_id: "doorcode".to_owned(),
        client_secret: Some(Secret::new("client-secret".to_owned())),
        token: Secret::new(token.to_owned()),
    })
}

/// A house whose mailbox's server takes this access token, and its provider.
async fn with_provider(token: &str) -> Option<(Scene, Imap, Provider, Arc<Mutex<String>>)> {
    let good = Arc::new(Mutex::new(token.to_owned()));
    let (imap, provider) = (Imap::start(Arc::clone(&good)).await, Provider::start().await);
    let allow = format!("127.0.0.1:{},127.0.0.1:{}", imap.port, provider.port);
    let mut settings = QUICK.to_vec();
    settings.push(("DOORCODE_EGRESS__ALLOW", &allow));
    Some((Scene::with(&settings).await?, imap, provider, good))
}

#[tokio::test]
async fn an_access_token_is_asked_for_and_a_renewed_grant_is_kept() {
    let Some((mut scene, imap, provider, good)) = with_provider("access-1").await else { return };
    provider.answer(200, r#"{"access_token":"access-1","refresh_token":"grant-2","expires_in":3599}"#);
    provider.answer(200, r#"{"access_token":"access-2","expires_in":3599}"#);
    let mailbox = connect_with(&scene, wanted(imap.port, grant(&provider, "grant-1"))).await;
    reaches(&scene, mailbox.id, "watching").await;
    let form = |token: &str| {
        format!("grant_type=refresh_token&refresh_token={token}&client_id=doorcode&client_secret=client-secret")
    };
    assert_eq!(provider.told.all(), [form("grant-1")]);
    assert_eq!(imap.told.all(), ["user=ada\u{1}auth=Bearer access-1\u{1}\u{1}"]);
    // After a restart it asks with what it was given, and not with what is used up.
    scene.end().await;
    *good.lock().unwrap() = "access-2".to_owned();
    scene.again().await;
    until("it asks again", async || (imap.told.all().len() == 2).then_some(())).await;
    assert_eq!(provider.told.all()[1], form("grant-2"));
    assert!(imap.told.all()[1].contains("access-2"));
    let kept = scene.folder.text("SELECT credentials FROM mailboxes");
    assert!(kept.starts_with("v1.") && !kept.contains("grant"));
}

#[tokio::test]
async fn a_grant_that_was_taken_back_is_no_more_tried_and_a_provider_that_rests_is() {
    let Some((scene, imap, provider, _)) = with_provider("access-1").await else { return };
    provider.answer(503, "{}");
    provider.answer(200, "<html>");
    provider.answer(200, r#"{"access_token":"access-1"}"#);
    let mailbox = connect_with(&scene, wanted(imap.port, grant(&provider, "grant-1"))).await;
    reaches(&scene, mailbox.id, "watching").await;
    assert_eq!(provider.told.all().len(), 3);
    // Taken back: three tries, and no more.
    let (gone, before) = (Provider::start().await, provider.told.all().len());
    gone.answer(400, r#"{"error":"invalid_grant","error_description":"grant-1 was revoked"}"#);
    let refused = mailboxes::replace(&scene.app, scene.whose, mailbox.id, grant(&gone, "grant-1")).await;
    assert!(matches!(refused, Err(Error::Invalid { field: "tokenEndpoint", .. })), "a port that is not let");
    provider.forget();
    provider.answer(400, r#"{"error":"invalid_grant","error_description":"grant-1 was revoked"}"#);
    mailboxes::replace(&scene.app, scene.whose, mailbox.id, grant(&provider, "grant-1")).await.unwrap();
    let refused = reaches(&scene, mailbox.id, "credentials_refused").await;
    assert!(!refused.trouble.unwrap().contains("grant"), "no word of the provider's is repeated");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(provider.told.all().len(), before + 3);
}

#[tokio::test]
async fn a_token_that_is_given_is_shown_as_it_is() {
    let Some((scene, imap, ..)) = with_provider("given").await else { return };
    let token = Credentials::AccessToken(Secret::new("given".to_owned()));
    let mailbox = connect_with(&scene, wanted(imap.port, token)).await;
    reaches(&scene, mailbox.id, "watching").await;
    assert_eq!(imap.told.all(), ["user=ada\u{1}auth=Bearer given\u{1}\u{1}"]);
}
