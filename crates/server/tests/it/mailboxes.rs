//! Mailboxes that people connect, without one: who may, what is taken and what is shown, how many there may be, which server watches, and what
//! happens to their credentials when a master key goes, a person leaves or a copy is restored.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use doorcode::ops::mailboxes::{self, CREDENTIALS_REFUSED};
use doorcode::ops::{backups, credentials, hooks, inbound, master_keys, users};
use doorcode_core::relay::Named as _;
use doorcode_core::{Error, MailboxId};
use serde_json::{Value, json};

use crate::agentotp_cast::*;
use crate::app::{Folder, HERE, TestApp, minutes, seconds, settings};
use crate::approvals::{self, HOME};
use crate::postgres;

pub(crate) const PATH: &str = "/v1/mailboxes";
const SECRET: &str = "a-password-of-hers";

pub(crate) fn mailbox() -> Value {
    json!({ "host": "IMAP.example.com", "user": ADA, "password": SECRET })
}

fn with(members: Value) -> Value {
    let mut body = mailbox();
    let Value::Object(members) = members else { panic!("{members}") };
    body.as_object_mut().unwrap().extend(members);
    body
}

pub(crate) async fn made(cast: &Cast) -> String {
    let answer = cast.by(&cast.ada).post(PATH, mailbox()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["mailbox"]["id"].as_str().unwrap().to_owned()
}

fn id(text: &str) -> MailboxId {
    MailboxId::read(text).unwrap()
}

#[tokio::test]
async fn whoever_may_not_connect_one_hears_what_is_true_of_that() {
    let cast = Cast::new().await;
    for (key, why) in [
        (&cast.key, "An agent may not do that: only its owner may"),
        (&cast.collector, "A device may not do that: sign in"),
    ] {
        let answer = cast.by(key).post(PATH, json!({})).await;
        assert_eq!((answer.status, &answer.json()["message"]), (403, &json!(why)));
    }
    let id = cast.ask().await;
    for word in ["approve", "deny"] {
        let answer = cast.by(&cast.key).post(&format!("/v1/otp/{id}/{word}"), json!({})).await;
        assert_eq!((answer.status, &answer.json()["message"]), (403, &json!("An agent can not decide for its owner")));
    }
}

#[tokio::test]
async fn a_mailbox_is_connected_shown_given_another_password_and_removed() {
    let cast = Cast::new().await;
    let answer = cast.by(&cast.ada).post(PATH, mailbox()).await;
    let body = answer.json();
    let shown = &body["mailbox"];
    for (member, value) in [
        ("host", json!("imap.example.com")),
        ("port", json!(993)),
        ("security", json!("tls")),
        ("user", json!(ADA)),
        ("addresses", json!([ADA])),
        ("folder", json!("INBOX")),
        ("credentials", json!("password")),
        ("state", json!("connecting")),
        ("error", Value::Null),
        ("readableByServer", json!(true)),
    ] {
        assert_eq!(shown[member], value, "{member}");
    }
    let path = format!("{PATH}/{}", shown["id"].as_str().unwrap());
    let listed = cast.by(&cast.ada).get(PATH).await;
    let one = cast.by(&cast.ada).get(&path).await;
    assert_eq!((&listed.json()["mailboxes"][0], &one.json()["mailbox"]), (shown, shown));
    let credentials = format!("{path}/credentials");
    let token = json!({ "refresh_token": "r", "token_endpoint": "https://id.example.com/token", "client_id": "c" });
    let replaced = cast.by(&cast.ada).send(Method::PUT, &credentials, token.to_string()).await;
    assert_eq!(replaced.json()["mailbox"]["credentials"], "refresh_token", "{}", replaced.text());
    for answer in [answer, listed, one, replaced] {
        assert!(!answer.text().contains(SECRET) && !answer.text().contains("v1."), "{}", answer.text());
    }
    assert_eq!(cast.by(&cast.ada).send(Method::DELETE, &path, "").await.status, 200);
    let gone = refused(404, "NOT_FOUND", "NOT_FOUND");
    assert_eq!(codes(&cast.by(&cast.ada).get(&path).await), gone);
    assert_eq!(codes(&cast.by(&cast.ada).send(Method::DELETE, &path, "").await), gone);
    let again = cast.by(&cast.ada).send(Method::PUT, &credentials, json!({ "password": "x" }).to_string()).await;
    assert_eq!(codes(&again), gone);
    let record = cast.by(&cast.ada).get("/v1/audit").await;
    let kinds = ["mailbox_create", "mailbox_update", "mailbox_remove"];
    assert!(kinds.iter().all(|kind| record.text().contains(kind)) && !record.text().contains(SECRET));
    let found = cast.by(&cast.ada).get("/v1/audit?eventType=mailbox_create").await;
    assert_eq!((found.status, found.json().to_string().matches("\"number\"").count()), (200, 1));
}

#[tokio::test]
async fn what_can_not_be_is_said_by_its_name() {
    let cast = Cast::new().await;
    for (body, field) in [
        (json!({}), "host"),
        (with(json!({ "host": "127.0.0.1" })), "host"),
        (with(json!({ "host": "192.168.1.1" })), "host"),
        (with(json!({ "host": 5 })), "host"),
        (with(json!({ "port": 25 })), "host"),
        (with(json!({ "port": 0 })), "port"),
        (with(json!({ "port": 70_000 })), "port"),
        (with(json!({ "security": "ssl" })), "security"),
        (with(json!({ "security": "none", "port": 143 })), "security"),
        (with(json!({ "user": "" })), "user"),
        (with(json!({ "user": "ada\r\nA1 LOGOUT" })), "user"),
        (with(json!({ "user": "ada" })), "addresses"),
        (with(json!({ "addresses": ["no"] })), "addresses"),
        (with(json!({ "addresses": "a@b.example" })), "addresses"),
        (with(json!({ "folder": "[Gmail]/Spam" })), "folder"),
        (with(json!({ "folder": "INBOX\r\n" })), "folder"),
        (with(json!({ "password": null })), "password"),
        (with(json!({ "password": "" })), "password"),
        (with(json!({ "password": "a\nb" })), "password"),
        (with(json!({ "password": "x".repeat(4097) })), "password"),
        (with(json!({ "accessToken": "t" })), "password"),
        (with(json!({ "password": null, "refreshToken": "r" })), "tokenEndpoint"),
        (
            with(
                json!({ "password": null, "refreshToken": "r", "clientId": "c", "tokenEndpoint": "https://10.0.0.1/t" }),
            ),
            "tokenEndpoint",
        ),
        (
            with(
                json!({ "password": null, "refreshToken": "r", "clientId": "c", "tokenEndpoint": "http://id.example.com" }),
            ),
            "tokenEndpoint",
        ),
    ] {
        let answer = cast.by(&cast.ada).post(PATH, body.clone()).await;
        assert_eq!(codes(&answer), refused(422, "VALIDATION_ERROR", "VALIDATION_ERROR"), "{body}");
        assert!(answer.json()["message"].as_str().unwrap().starts_with(field), "{body}: {}", answer.text());
    }
    assert_eq!(cast.app.number("SELECT count(*) FROM mailboxes"), 0);
    for nowhere in ["x", "mailbox_x", &format!("mailbox_{}", "A".repeat(22)), "%00"] {
        let path = format!("{PATH}/{nowhere}");
        assert_eq!(codes(&cast.by(&cast.ada).get(&path).await), refused(404, "NOT_FOUND", "NOT_FOUND"), "{nowhere}");
    }
}

/// To connect one, or to give it other credentials, takes what a yes takes.
#[tokio::test]
async fn only_a_person_who_signed_in_just_now_connects_a_mailbox() {
    let cast = Cast::with(&[("DOORCODE_RELAY__APPROVE_WITH_KEY", "no"), ("DOORCODE_RELAY__FRESH", "1m")]).await;
    let (_, phone) = device(&cast.app, cast.whose, "phone").await;
    let fresh = cast.session(None).await;
    let made = cast.by(&fresh).post(PATH, mailbox()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let one = format!("{PATH}/{}", made.json()["mailbox"]["id"].as_str().unwrap());
    let replace = format!("{one}/credentials");
    cast.app.advance(seconds(61));
    for key in [&cast.key, &cast.collector, &phone, &cast.ada, &fresh] {
        assert_eq!(codes(&cast.by(key).post(PATH, mailbox()).await), forbidden());
        let other = json!({ "password": "another" }).to_string();
        assert_eq!(codes(&cast.by(key).send(Method::PUT, &replace, other).await), forbidden());
    }
    for key in [&cast.key, &cast.collector, &phone] {
        assert_eq!(codes(&cast.by(key).get(PATH).await), forbidden());
        assert_eq!(codes(&cast.by(key).get(&one).await), forbidden());
        assert_eq!(codes(&cast.by(key).send(Method::DELETE, &one, "").await), forbidden());
    }
    assert_eq!(cast.app.from(HERE).get(PATH).await.status, 401);
    let (eve, _) = person(&cast.app, EVE).await;
    assert_eq!(cast.by(&eve).get(PATH).await.json()["mailboxes"], json!([]));
    for (method, path) in [(Method::GET, &one), (Method::DELETE, &one)] {
        assert_eq!(cast.by(&eve).send(method, path, "").await.status, 404, "another's is none");
    }
    assert_eq!(cast.by(&fresh).get(&one).await.status, 200, "an older session looks");
    assert_eq!(cast.by(&fresh).send(Method::DELETE, &one, "").await.status, 200, "and takes away");
}

#[tokio::test]
async fn a_mailbox_goes_to_one_server_and_to_another_when_its_time_is_over() {
    let cast = Cast::new().await;
    let one = id(&made(&cast).await);
    let app = &cast.app.app;
    let claimed = mailboxes::claim(app, 100).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].held.id), (1, one));
    assert!(mailboxes::claim(app, 100).await.unwrap().is_empty(), "it is taken");
    let held = claimed[0].held.clone();
    let lease = app.config.capture.mailboxes.lease;
    cast.app.advance(lease / 2);
    assert_eq!(mailboxes::renew(app).await.unwrap(), [(one, 0)]);
    cast.app.advance(lease / 2);
    assert!(mailboxes::claim(app, 100).await.unwrap().is_empty(), "it was renewed");
    assert!(mailboxes::is_held(app, &held).await.unwrap() && mailboxes::keep(app, &held, "1 2").await.unwrap());
    cast.app.advance(lease / 2);
    let other = doorcode::store::mailboxes::Held { node: "another".to_owned(), ..held.clone() };
    assert!(!mailboxes::keep(app, &other, "9 9").await.unwrap(), "who has it not says nothing of it");
    assert!(!mailboxes::goes(app, &other, Some("x")).await.unwrap());
    let again = mailboxes::claim(app, 100).await.unwrap();
    assert_eq!(again[0].mailbox.reached.as_deref(), Some("1 2"), "it goes on where the other one was");
    // Other credentials: what was told of those before counts no more.
    mailboxes::replace(app, cast.whose, one, crate::watched::password("new")).await.unwrap();
    assert!(!mailboxes::is_held(app, &held).await.unwrap() && !mailboxes::keep(app, &held, "9 9").await.unwrap());
    let newest = mailboxes::claim(app, 100).await.unwrap();
    assert_eq!((newest[0].held.version, newest[0].mailbox.reached.as_deref()), (1, Some("1 2")));
    mailboxes::release(app).await.unwrap();
    assert_eq!(mailboxes::claim(app, 100).await.unwrap().len(), 1, "left at once");
}

#[tokio::test]
async fn credentials_come_under_the_next_master_key_and_end_with_the_last_that_has_them() {
    let cast = Cast::new().await;
    let app = &cast.app.app;
    let first = made(&cast).await;
    let hook = cast.by(&cast.ada).post("/v1/hooks", json!({ "kind": "sms" })).await;
    assert_eq!(hook.status, 201, "{}", hook.text());
    let old = app.keys.ring().active().kid;
    let new = master_keys::add(app).await.unwrap();
    app.keys.refresh(&app.db, app.clock.now()).await.unwrap();
    master_keys::activate(app, new).await.unwrap();
    app.keys.refresh(&app.db, app.clock.now()).await.unwrap();
    let under = async |kid| {
        let keys = master_keys::list(app).await.unwrap();
        let key = keys.into_iter().find(|key| key.row.kid == kid).unwrap();
        (key.mailboxes, key.hooks, key.inbound)
    };
    assert_eq!((under(old).await, under(new).await), ((1, 1, 0), (0, 0, 0)));
    assert_eq!(mailboxes::reseal(app).await.unwrap(), 1);
    assert_eq!(mailboxes::reseal(app).await.unwrap(), 0, "once");
    assert_eq!((under(old).await, under(new).await), ((0, 1, 0), (1, 0, 0)));
    let claimed = mailboxes::claim(app, 9).await.unwrap();
    assert_eq!(
        claimed[0].credentials.as_ref().unwrap().write().unwrap().expose(),
        &format!(r#"{{"password":"{SECRET}"}}"#)
    );
    // One that nobody sealed anew in time: it says so, and asks for its credentials again.
    cast.app.tamper(&format!("UPDATE mailboxes SET kid = '{old}', lease_until = 0"));
    let keys = master_keys::list(app).await.unwrap();
    let ending = keys.iter().find(|key| key.row.kid == old).unwrap().ending();
    let what: Vec<_> = ending.iter().map(|(count, what, _)| (*count, *what)).collect();
    assert_eq!(what, [(1, "connected mailboxes"), (1, "hooks")]);
    master_keys::retire(app, old, minutes(0)).await.unwrap();
    cast.app.advance(minutes(61));
    app.keys.refresh(&app.db, app.clock.now()).await.unwrap();
    let claimed = mailboxes::claim(app, 9).await.unwrap();
    assert!(claimed[0].credentials.is_none());
    assert!(!mailboxes::give_up(app, &claimed[0]).await.unwrap());
    let shown = mailboxes::show(app, cast.whose.owner, id(&first)).await.unwrap();
    assert_eq!(shown.state, CREDENTIALS_REFUSED);
    mailboxes::replace(app, cast.whose, id(&first), crate::watched::password("new")).await.unwrap();
    assert!(mailboxes::claim(app, 9).await.unwrap()[0].credentials.is_some());
}

#[tokio::test]
async fn who_leaves_takes_their_mailboxes_along() {
    let cast = Cast::with(&crate::inbound::TAKEN_IN).await;
    let mailbox = made(&cast).await;
    let app = &cast.app;
    hooks::create(&app.app, cast.whose, hooks::Kind::Sms, "phone", None).await.unwrap();
    inbound::make(&app.app, cast.whose).await.unwrap();
    let bob = doorcode_core::Email::parse("bob@example.com").unwrap();
    users::create(&app.app, cast.whose.org, "Bob", Some(bob), None).await.unwrap();
    let ways = ["mailboxes", "hooks", "inbound_addresses"];
    let count = |app: &TestApp| ways.map(|table| app.number(&format!("SELECT count(*) FROM {table}")));
    assert_eq!(count(app), [1, 1, 1]);
    let copy = app.folder.path().join("copy.db");
    if !postgres::is_wanted() {
        backups::create(&app.app, &copy).await.unwrap();
    }
    users::remove(&app.app, cast.whose.org, cast.whose.owner).await.unwrap();
    assert_eq!(count(app), [0, 0, 0]);
    let noted = std::fs::read_to_string(app.app.config.keys.join("revocations.log")).unwrap();
    assert!(noted.contains(&format!("mailbox {} {}", cast.whose.owner, id(&mailbox))), "{noted}");
    for way in ["hook", "inbound"] {
        assert!(noted.lines().any(|line| line.starts_with(&format!("{way} "))), "{noted}");
    }
    if postgres::is_wanted() {
        return; // Copies of a file.
    }
    // With a mark, as the first start on it does it, and without one, as every start.
    for which in [credentials::Replay::Restored, credentials::Replay::Ended] {
        let folder = Folder::new();
        std::fs::create_dir_all(folder.path()).unwrap();
        std::fs::copy(&copy, folder.path().join("doorcode.db")).unwrap();
        let mut config = settings(&folder, &crate::inbound::TAKEN_IN);
        config.keys.clone_from(&app.app.config.keys);
        let restored = TestApp::open(folder, config, app.now()).await.unwrap();
        assert_eq!(count(&restored), [1, 1, 1]);
        assert!(credentials::replay_revocations(&restored.app, which).await.unwrap() > 0);
        assert_eq!(count(&restored), [0, 0, 0]);
        assert_eq!(restored.number("SELECT count(*) FROM users"), 1, "Bob");
        assert_eq!(restored.number("SELECT count(*) FROM identities"), 0, "and nobody signs in as who went");
    }
}

#[tokio::test]
async fn a_removed_mailbox_does_not_come_back_with_a_copy() {
    if postgres::is_wanted() {
        return; // Copies of a file.
    }
    let cast = Cast::new().await;
    let (removed, kept) = (made(&cast).await, made(&cast).await);
    let copy = cast.app.folder.path().join("copy.db");
    backups::create(&cast.app.app, &copy).await.unwrap();
    mailboxes::remove(&cast.app.app, cast.whose, id(&removed)).await.unwrap();
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    std::fs::copy(copy, folder.path().join("doorcode.db")).unwrap();
    let mut config = settings(&folder, &[]);
    config.keys.clone_from(&cast.app.app.config.keys);
    let restored = TestApp::open(folder, config, cast.app.now()).await.unwrap();
    backups::recover_if_copy(&restored.app).await.unwrap().unwrap();
    let left = mailboxes::list(&restored.app, cast.whose.owner).await.unwrap();
    assert_eq!(left.iter().map(|mailbox| mailbox.id).collect::<Vec<_>>(), [id(&kept)]);
    assert_eq!(credentials::replay_revocations(&restored.app, credentials::Replay::Ended).await.unwrap(), 0, "once");
}

#[tokio::test]
async fn a_person_connects_and_removes_a_mailbox_on_the_page() {
    let app = TestApp::new().await;
    let mut browser = approvals::person(&app, HOME, ADA, "/approvals/settings").await;
    assert!(browser.sees("it can read every message in it, and so can whoever runs it"), "{}", browser.page.text());
    let add = "/approvals/mailboxes/add";
    browser.send(add, &[("host", "10.0.0.1"), ("user", "typed@acme.com"), ("password", SECRET)]).await;
    assert!(browser.page.status == 422 && browser.sees("host") && browser.sees("value=\"typed@acme.com\""));
    assert!(!browser.sees(SECRET), "a password is not shown again");
    let fields = [("host", "imap.example.com"), ("user", ADA), ("password", SECRET), ("security", "tls"), ("port", "")];
    browser.send(add, &fields).await;
    assert!(
        browser.page.status == 200 && browser.sees("Saved.") && browser.sees("Connecting"),
        "{}",
        browser.page.text()
    );
    assert!(browser.sees("ada@example.com · imap.example.com") && !browser.sees(SECRET));
    // Its server refuses it: the page says so.
    app.tamper("UPDATE mailboxes SET state = 'credentials_refused', trouble = 'user or password are refused'");
    browser.go("/approvals/settings").await;
    assert!(browser.sees("It is not tried again until you give another one."));
    browser.send("/approvals/mailboxes/password", &[("password", "another")]).await;
    assert!(browser.sees("Saved.") && browser.sees("Connecting") && !browser.sees("another"));
    // A sign-in of long ago gives nothing away, and takes away all the same.
    app.advance(minutes(16));
    for (action, field) in [(add, ("host", "imap.example.com")), ("/approvals/mailboxes/password", ("password", "x"))] {
        browser.go("/approvals/settings").await;
        browser.send(action, &[field]).await;
        assert_eq!(browser.page.status, 403, "{action}");
    }
    browser.go("/approvals/settings").await;
    browser.send("/approvals/mailboxes/remove", &[]).await;
    assert!(browser.sees("Removed."));
    assert_eq!(app.number("SELECT count(*) FROM mailboxes"), 0);
    assert_eq!(app.number("SELECT count(*) FROM audit WHERE kind LIKE 'mailbox%'"), 3);
    let (_, other) = person(&app, EVE).await;
    let refused = mailboxes::show(&app.app, other.owner, MailboxId::from_bytes([1; 16])).await;
    assert!(matches!(refused, Err(Error::NotFound)));
}

#[tokio::test]
async fn where_none_are_connected_the_page_has_no_form() {
    let app = TestApp::with(&[("DOORCODE_CAPTURE__MAILBOXES__MOST", "0")]).await;
    let browser = approvals::person(&app, HOME, ADA, "/approvals/settings").await;
    assert!(browser.forms().iter().all(|form| !form.action.contains("mailboxes")));
}
