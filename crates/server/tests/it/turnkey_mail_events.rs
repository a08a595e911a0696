//! What became of mails: who may look, at which, and what is told. No event is known of what another organisation had sent.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;

use doorcode::config::Transport;
use doorcode_core::activity::Kind;
use serde_json::{Value, json};

use crate::app::{Answer, Folder, START, TestApp, hours, minutes, seconds, settings};
use crate::post_office::PostOffice;
use crate::turnkey_cast::*;

const ADA: &str = "ada@example.com";

/// The events of an address, with whatever else is asked.
async fn ask(cast: &Cast, by: &Key, org: &str, email: &str, more: Value) -> Answer {
    let mut body = json!({ "organizationId": org, "email": email });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    cast.query(by, "list_email_events", body).await
}

/// The same, where they may be had.
async fn events(cast: &Cast, org: &str, email: &str, more: Value) -> Vec<Value> {
    let answer = ask(cast, &cast.backend, org, email, more).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["emailEvents"].as_array().unwrap().clone()
}

fn each<'e>(events: &'e [Value], member: &str) -> Vec<&'e str> {
    events.iter().map(|event| event[member].as_str().unwrap()).collect()
}

/// A house whose mails go to a mail server.
async fn by_mail(office: &PostOffice) -> Cast {
    let folder = Folder::new();
    let mut config = settings(&folder, &[]);
    config.mail.transport = Transport::Smtp(Arc::new(office.settings()));
    Cast::of(TestApp::open(folder, config, START).await.unwrap()).await
}

/// Has a code of digits sent to a user of an organisation, which may not arrive.
async fn start(cast: &Cast, org: &str, email: &str) {
    let ask = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": email, "appName": "Acme", "alphanumeric": false });
    result(&cast.submit(&cast.backend, Kind::InitOtpAuthV3, org, ask).await, Kind::InitOtpAuthV3);
    cast.app.deliver_due().await;
}

#[tokio::test]
async fn an_organisation_and_its_parent_see_what_became_of_a_mail() {
    let cast = Cast::new().await;
    let own = Key::new(20);
    let sub = cast.sub(ADA, &[&own]).await;
    cast.start(&sub.org, ADA).await;
    let sent = cast.app.now().millis().to_string();
    cast.app.advance(minutes(1));
    let found = events(&cast, &sub.org, ADA, json!({})).await;
    let mails = cast.app.app.inbox.as_ref().unwrap().list(Some(ADA));
    let header = &mails[0].message().message_id;
    assert_eq!(*header, format!("<{}@{}>", found[0]["messageId"].as_str().unwrap(), cast.app.app.config.mail.domain()));
    let expected = json!({
        "id": found[0]["id"], "organizationId": sub.org, "messageId": found[0]["messageId"], "eventType": "Send",
        "fromAddress": cast.app.app.config.mail.address(), "toAddress": ADA, "timestamp": sent, "createdAt": sent,
        "details": {},
    });
    assert_eq!(found, [expected]);
    let same = ask(&cast, &own, &sub.org, ADA, json!({})).await;
    assert_eq!(same.json()["emailEvents"], json!(found), "with a key of its own as well");
    let spelled = ask(&cast, &own, &sub.org, " ADA@Example.COM", json!({})).await;
    assert_eq!(spelled.text(), same.text(), "however it is spelled");
    assert_eq!(
        events(&cast, &sub.org, "a.da+x@example.com", json!({})).await,
        [] as [Value; 0],
        "which is another one"
    );
}

/// The attack: whoever may ask for one organisation learns whom others write to.
#[tokio::test]
async fn nobody_elses_mails_are_seen() {
    let cast = Cast::new().await;
    let (own, mallory) = (Key::new(20), Key::new(30));
    let sub = cast.sub(ADA, &[&own]).await;
    let theirs = cast.sub("mallory@example.com", &[&mallory]).await;
    cast.start(&sub.org, ADA).await;
    let bare = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": "bob@example.com" });
    result(&cast.submit(&cast.backend, Kind::InitOtp, &cast.org, bare).await, Kind::InitOtp);
    cast.app.deliver_due().await;
    // Mallory's own organisation has sent her nothing, and the answer says no more than of an address that nobody has.
    let known = ask(&cast, &mallory, &theirs.org, ADA, json!({})).await;
    let unknown = ask(&cast, &mallory, &theirs.org, "nobody@example.com", json!({})).await;
    assert_eq!((known.status, known.text()), (200, r#"{"emailEvents":[]}"#.to_owned()));
    assert_eq!(unknown.both(), known.both());
    for org in [&sub.org, &cast.org] {
        let refused = refusal(&ask(&cast, &mallory, org, ADA, json!({})).await).2;
        assert_eq!(refused, "PUBLIC_KEY_NOT_FOUND");
    }
    let other = Key::new(31);
    let (foreign, _) = organization(&cast.app, "Other", &other).await;
    assert_eq!(refusal(&ask(&cast, &other, &sub.org, ADA, json!({})).await).2, "PUBLIC_KEY_NOT_FOUND");
    assert_eq!(ask(&cast, &other, &foreign, ADA, json!({})).await.text(), known.text());
    // What a parent sends itself is not an organisation's below, and the other way round.
    assert_eq!(events(&cast, &cast.org, ADA, json!({})).await.len(), 0);
    assert_eq!(events(&cast, &cast.org, "bob@example.com", json!({})).await.len(), 1);
    assert_eq!(events(&cast, &sub.org, "bob@example.com", json!({})).await.len(), 0);
    // Who is not a root user looks at themselves, and not at what an address was sent.
    cast.app.tamper("UPDATE users SET root = 0 WHERE email = 'ada@example.com'");
    cast.app.advance(seconds(2));
    assert_eq!(refusal(&ask(&cast, &own, &sub.org, ADA, json!({})).await).2, "REQUEST_NOT_AUTHORIZED");
}

#[tokio::test]
async fn what_is_not_read_is_refused() {
    let cast = Cast::new().await;
    for (email, more, name) in [
        ("nobody", json!({}), "INVALID_EMAIL"),
        ("", json!({}), "INVALID_EMAIL"),
        (ADA, json!({ "email": 1 }), "REQUEST_INVALID"),
        (ADA, json!({ "eventType": ["Send"] }), "REQUEST_INVALID"),
        (ADA, json!({ "paginationOptions": { "limit": "101" } }), "REQUEST_INVALID"),
    ] {
        assert_eq!(refusal(&ask(&cast, &cast.backend, &cast.org, email, more.clone()).await).2, name, "{email} {more}");
    }
}

#[tokio::test]
async fn a_delay_and_an_end_are_told_once_and_filtered_by() {
    let office = PostOffice::open().await;
    let cast = by_mail(&office).await;
    let sub = cast.sub(ADA, &[]).await;
    office.answer(ADA, "451 4.7.1 <ada@example.com>: greylisted, 482913");
    start(&cast, &sub.org, ADA).await;
    // Until the code is dead, and its message with it.
    for _ in 0..20 {
        cast.app.advance(minutes(1));
        cast.app.deliver_due().await;
    }
    assert!(office.asked(ADA) > 2, "it was tried again");
    office.answer(ADA, "550 5.1.1 <ada@example.com>: no such user, 482913");
    start(&cast, &sub.org, ADA).await;
    office.welcome(ADA);
    cast.app.advance(minutes(10));
    start(&cast, &sub.org, ADA).await;

    let found = events(&cast, &sub.org, ADA, json!({})).await;
    assert_eq!(each(&found, "eventType"), ["Send", "Bounce", "Bounce", "DeliveryDelay"], "the newest first");
    let details: Vec<_> = found.iter().map(|event| event["details"].clone()).collect();
    let nothing_of_the_servers_words = [
        json!({}),
        json!({ "bounceType": "Permanent", "diagnosticCode": "550 5.1.1" }),
        json!({ "bounceType": "Transient", "diagnosticCode": "451 4.7.1" }),
        json!({ "diagnosticCode": "451 4.7.1" }),
    ];
    assert_eq!(details, nothing_of_the_servers_words);
    let mails = each(&found, "messageId");
    assert!(mails[2] == mails[3] && mails[1] != mails[2] && mails[0] != mails[1], "{mails:?}");
    for (kind, some) in [
        ("Send", &found[..1]),
        ("Bounce", &found[1..3]),
        ("DeliveryDelay", &found[3..]),
        ("Delivery", &[]),
        ("", &found),
    ] {
        assert_eq!(events(&cast, &sub.org, ADA, json!({ "eventType": kind })).await, some, "{kind}");
    }
    let first = json!({ "eventType": "Bounce", "paginationOptions": { "limit": "1" } });
    assert_eq!(events(&cast, &sub.org, ADA, first).await, found[1..2]);
}

#[tokio::test]
async fn a_list_has_pages() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    for _ in 0..5 {
        cast.start(&sub.org, ADA).await;
        cast.app.advance(hours(1));
    }
    let all = events(&cast, &sub.org, ADA, json!({})).await;
    assert_eq!(all.len(), 5);
    assert!(each(&all, "id").is_sorted_by(|a, b| a > b), "the newest first");
    let page = async |options: Value| events(&cast, &sub.org, ADA, json!({ "paginationOptions": options })).await;
    assert_eq!(page(json!({ "limit": "2" })).await, all[..2]);
    assert_eq!(page(json!({ "limit": "2", "before": all[1]["id"] })).await, all[2..4]);
    assert_eq!(page(json!({ "limit": "2", "before": all[3]["id"] })).await, all[4..]);
    assert_eq!(page(json!({ "limit": "2", "after": all[4]["id"] })).await, all[2..4], "those that come next behind it");
    assert_eq!(page(json!({ "after": all[3]["id"], "before": all[0]["id"] })).await, all[1..3]);
}

/// The attack: the table grows with what nobody looks up, or keeps addresses.
#[tokio::test]
async fn only_mails_of_signed_calls_leave_events_and_no_address() {
    let mut cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    cast.app.code(ADA).await;
    assert_eq!(cast.app.number("SELECT count(*) FROM mail_events"), 0, "a sign-in at another door has none");
    let sandbox =
        json!({ "otpType": "OTP_TYPE_EMAIL", "contact": "user@example.com", "otpLength": 6, "alphanumeric": false });
    result(&cast.submit(&cast.backend, Kind::InitOtp, &cast.org, sandbox).await, Kind::InitOtp);
    cast.app.deliver_due().await;
    assert_eq!(cast.app.number("SELECT count(*) FROM mail_events"), 0, "nor has what was never sent");
    cast.start(&sub.org, ADA).await;
    let device = Key::new(9);
    let mailed =
        json!({ "email": ADA, "targetPublicKey": device.target(), "emailCustomization": { "appName": "Acme" } });
    result(&cast.submit(&cast.backend, Kind::EmailAuthV3, &sub.org, mailed).await, Kind::EmailAuthV3);
    cast.app.deliver_due().await;
    assert_eq!(events(&cast, &sub.org, ADA, json!({})).await.len(), 2, "a code and a key");
    cast.app.advance(hours(24 * 31));
    cast.app.retain().await;
    assert_eq!(cast.app.number("SELECT count(*) FROM mail_events"), 0);
}
