//! Holes that were found in the door of signed calls, each by its attack: whose share is spent, keys that are over, rows that anybody writes,
//! revocations that the file does not hear of, and words that no database takes.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use doorcode::ops::credentials::{self, Replay};
use doorcode::ops::{backups, orgs, signed};
use doorcode_core::activity::Kind;
use serde_json::{Value, json};

use crate::app::{Answer, HERE, TestApp, not, seconds};
use crate::nodes::two;
use crate::turnkey_cast::*;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
/// Where somebody else's people are.
const THERE: &str = "203.0.113.9";
const ROWS: [&str; 3] =
    ["SELECT count(*) FROM activities", "SELECT count(*) FROM events", "SELECT count(*) FROM audit"];

fn refused(answer: &Answer) -> String {
    refusal(answer).2
}

fn rows(cast: &Cast) -> Vec<i64> {
    ROWS.iter().map(|sql| cast.app.number(sql)).collect()
}

/// A call of somebody who says that they forward it.
async fn forwarded(cast: &Cast, by: &Key, kind: Kind, org: &str, parameters: Value) -> Answer {
    let text = body(&cast.app, kind, org, parameters);
    let stamp = by.0.stamp(text.as_bytes(), &cast.app.app.entropy.signing()).unwrap();
    let from = cast.app.from(HERE).saying("x-stamp", &stamp).saying("x-forwarded-for", THERE);
    from.send(Method::POST, &submit_path(kind), text).await
}

/// Ends a key as another server does, of whose ending this one has not heard.
fn end_elsewhere(cast: &Cast, key: &Key) {
    let public = key.public();
    cast.app.tamper(&format!("UPDATE credentials SET revoked_at = 1, digest = id WHERE public_key = 'p{public}'"));
}

async fn only_key(cast: &Cast, owner: &Key, org: &str) -> Value {
    let keys = cast.query(owner, "get_api_keys", json!({ "organizationId": org })).await.json();
    keys["apiKeys"][0]["apiKeyId"].clone()
}

fn revocations(cast: &Cast) -> std::path::PathBuf {
    cast.app.app.config.keys.join("revocations.log")
}

fn heard(cast: &Cast, id: &Value) -> usize {
    let text = std::fs::read_to_string(revocations(cast)).unwrap_or_default();
    text.lines().filter(|line| line.ends_with(id.as_str().unwrap())).count()
}

/// The attack: one person, with the key of their own device, guesses until nobody of the whole tenant may.
#[tokio::test]
async fn a_persons_guesses_leave_the_tenant_its_own() {
    let limits = [("DOORCODE_LIMITS__GUESS__ORG_HOUR", "3"), ("DOORCODE_LIMITS__GUESS__NETWORK_HOUR", "50")];
    let cast = Cast::of(TestApp::with(&limits).await).await;
    let mallory = Key::new(30);
    let (sub, bob) = (cast.sub(ADA, &[&mallory]).await, cast.sub(BOB, &[]).await);
    let start = cast.start(&bob.org, BOB).await;
    let guess = json!({ "otpId": sub.user, "otpCode": "AAAAAAAAA", "targetPublicKey": Key::new(9).target() });
    for _ in 0..6 {
        cast.app.advance(seconds(1));
        let answer = cast.submit(&mallory, Kind::OtpAuth, &sub.org, guess.clone()).await;
        assert_eq!(refusal(&answer), wrong_code());
        let answer = forwarded(&cast, &mallory, Kind::OtpAuth, &sub.org, guess.clone()).await;
        assert_eq!(refusal(&answer), wrong_code(), "and saying that they forward it for somebody");
    }
    result(&cast.redeem(&bob.org, &start, &Key::new(9)).await, Kind::OtpAuth);
}

/// The attack: a person names somebody's address as their `userIdentifier`, or says that they forward it, and asks until nobody there may.
#[tokio::test]
async fn a_persons_starts_are_counted_where_they_are() {
    let cast = Cast::of(TestApp::with(&[("DOORCODE_LIMITS__SEND__NETWORK_HOUR", "2")]).await).await;
    let mallory = Key::new(30);
    let (sub, bob) = (cast.sub(ADA, &[&mallory]).await, cast.sub(BOB, &[]).await);
    let ask = |contact: &str| json!({ "otpType": "OTP_TYPE_EMAIL", "contact": contact, "appName": "Acme", "userIdentifier": THERE });
    let kind = Kind::InitOtpAuthV3;
    for _ in 0..2 {
        cast.app.advance(seconds(1));
        result(&cast.submit(&mallory, kind, &sub.org, ask(ADA)).await, kind);
    }
    cast.app.advance(seconds(1));
    let third = forwarded(
        &cast,
        &mallory,
        kind,
        &sub.org,
        json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA, "appName": "Acme" }),
    );
    assert_ne!(third.await.status, 200, "their own network has nothing left, whatever they say of it");
    result(&cast.submit(&cast.backend, kind, &bob.org, ask(BOB)).await, kind);
}

/// The attack: whoever signed up has the tenant's mail sent to strangers.
#[tokio::test]
async fn a_persons_key_sends_codes_to_themselves_alone() {
    let cast = Cast::new().await;
    let ada = Key::new(20);
    let sub = cast.sub(ADA, &[&ada]).await;
    let ask = |contact: &str| json!({ "otpType": "OTP_TYPE_EMAIL", "contact": contact, "appName": "Acme" });
    for kind in [Kind::InitOtp, Kind::InitOtpV3] {
        assert_eq!(refused(&cast.submit(&ada, kind, &sub.org, ask(BOB)).await), "REQUEST_NOT_AUTHORIZED");
    }
    assert_eq!(cast.app.deliver_due().await, 0);
    result(&cast.submit(&ada, Kind::InitOtpV3, &sub.org, ask(ADA)).await, Kind::InitOtpV3);
    // The parent's key sends to whom its people say.
    result(&cast.submit(&cast.backend, Kind::InitOtpV3, &sub.org, ask(BOB)).await, Kind::InitOtpV3);
}

/// The attack: a key was deleted on another server, and makes itself a successor while this one has not heard.
#[tokio::test]
async fn a_key_that_was_ended_elsewhere_does_nothing_more() {
    let cast = Cast::new().await;
    let (owner, next) = (Key::new(20), Key::new(21));
    let sub = cast.sub(ADA, &[&owner, &Key::new(22)]).await;
    let id = only_key(&cast, &owner, &sub.org).await;
    assert_eq!(cast.whoami(&owner, &sub.org).await.status, 200, "and is remembered for a moment");
    end_elsewhere(&cast, &owner);
    assert_eq!(cast.whoami(&owner, &sub.org).await.status, 200, "or nothing is shown here");
    let keys = cast.app.number("SELECT count(*) FROM credentials");
    for (kind, parameters) in [
        (Kind::CreateApiKeysV2, json!({ "userId": sub.user, "apiKeys": [next.given(None)] })),
        (Kind::CreateReadWriteSessionV2, json!({ "targetPublicKey": next.target() })),
        (Kind::StampLogin, json!({ "publicKey": next.public() })),
        (Kind::UpdateUserEmail, json!({ "userId": sub.user, "userEmail": BOB })),
        (Kind::SetOrganizationFeature, json!({ "name": "FEATURE_NAME_EMAIL_AUTH" })),
        (Kind::DeleteApiKeys, json!({ "userId": sub.user, "apiKeyIds": [id] })),
    ] {
        let answer = cast.submit(&owner, kind, &sub.org, parameters).await;
        assert_eq!(refused(&answer), "PUBLIC_KEY_NOT_FOUND", "{}", kind.name());
    }
    assert_eq!(cast.app.number("SELECT count(*) FROM credentials"), keys);
    assert_eq!(heard(&cast, &id), 0, "and the file hears of nothing that it asked for");
}

#[tokio::test]
async fn a_key_that_one_node_ended_makes_no_successor_on_the_other() {
    let Some((a, b)) = two().await else { return };
    let cast = Cast::of(a).await;
    let owner = Key::new(20);
    let sub = cast.sub(ADA, &[&owner]).await;
    let id = only_key(&cast, &owner, &sub.org).await;
    let whoami = json!({ "organizationId": sub.org }).to_string();
    assert_eq!(send(&b, &owner, "/public/v1/query/whoami", &whoami).await.status, 200);
    let end = json!({ "userId": sub.user, "apiKeyIds": [id] });
    result(&cast.submit(&owner, Kind::DeleteApiKeys, &sub.org, end).await, Kind::DeleteApiKeys);
    let give = json!({ "userId": sub.user, "apiKeys": [Key::new(21).given(None)] });
    let text = body(&b, Kind::CreateApiKeysV2, &sub.org, give);
    assert_eq!(refused(&send(&b, &owner, &submit_path(Kind::CreateApiKeysV2), &text).await), "PUBLIC_KEY_NOT_FOUND");
}

/// The attack: codes are tried on starts that nobody made, until the disk is full.
#[tokio::test]
async fn a_guess_at_nothing_is_paid_for_and_leaves_nothing() {
    let limits = [("DOORCODE_LIMITS__GUESS__ORG_HOUR", "4"), ("DOORCODE_LIMITS__GUESS__NETWORK_HOUR", "4")];
    let cast = Cast::of(TestApp::with(&limits).await).await;
    signed::set_origins(&cast.app.app, cast.org.parse().unwrap(), &["https://a.example.com".to_owned()]).await.unwrap();
    let page = cast.app.from(HERE).saying("x-auth-proxy-config-id", &cast.org);
    let sub = cast.sub(ADA, &[]).await;
    let (of_backend, device) = (cast.start(&sub.org, ADA).await, Key::new(9));
    let asked = page.post("/v1/otp_init", json!({ "otpType": "OTP_TYPE_EMAIL", "contact": BOB })).await.json();
    cast.app.deliver_due().await;
    let code = cast.app.last_code(BOB);
    let verify = |id: &Value, code: &str| page.post("/v1/otp_verify", json!({ "otpId": id, "otpCode": code }));
    let before = rows(&cast);
    for _ in 0..3 {
        cast.app.advance(seconds(1));
        let nothing = (sub.user.clone(), of_backend.1.clone());
        assert_eq!(refusal(&cast.redeem(&sub.org, &nothing, &device).await), wrong_code());
        assert_eq!(refusal(&verify(&json!(sub.user), &code).await), wrong_code());
    }
    assert_eq!(rows(&cast), before, "nothing is kept of it");
    // What nobody signed leaves nothing even where the code was compared.
    assert_eq!(refusal(&verify(&asked["otpId"], &not(&code)).await), wrong_code());
    assert_eq!((rows(&cast), cast.app.counted("checks", "wrong")), (before.clone(), 1));
    // It is the fourth for either now; the fifth is not looked at, and leaves nothing.
    assert_eq!(refusal(&verify(&asked["otpId"], &code).await), wrong_code());
    cast.redeem(&sub.org, &(of_backend.0.clone(), not(&of_backend.1)), &device).await;
    let kept = rows(&cast);
    assert_ne!(kept, before, "a judgement of a signed call is kept");
    cast.app.advance(seconds(1));
    assert_eq!(refusal(&cast.redeem(&sub.org, &of_backend, &device).await), wrong_code());
    assert_eq!(rows(&cast), kept);
    assert_eq!(cast.app.counted("checks", "right"), 0);
}

/// The attack: the server can't write down that a key is over, or dies before it has; a restore brings the key back.
#[tokio::test]
async fn the_file_hears_of_a_key_that_is_over_whatever_happens() {
    let cast = Cast::new().await;
    let (owner, first, second) = (Key::new(20), Key::new(21), Key::new(22));
    let sub = cast.sub(ADA, &[&owner]).await;
    let id = only_key(&cast, &owner, &sub.org).await;
    let path = submit_path(Kind::StampLogin);
    let login = |key: &Key| {
        let parameters = json!({ "publicKey": key.public(), "invalidateExisting": true });
        body(&cast.app, Kind::StampLogin, &sub.org, parameters)
    };
    result(&send(&cast.app, &owner, &path, &login(&first)).await, Kind::StampLogin);
    assert_eq!(cast.whoami(&first, &sub.org).await.status, 200);
    let keys = json!({ "organizationId": sub.org });
    let keys = cast.query(&owner, "get_api_keys", keys).await.json();
    let gone = keys["apiKeys"][1]["apiKeyId"].clone();

    std::fs::create_dir_all(revocations(&cast)).unwrap();
    let end = json!({ "userId": sub.user, "apiKeyIds": [id] });
    let end = body(&cast.app, Kind::DeleteApiKeys, &sub.org, end);
    let delete = submit_path(Kind::DeleteApiKeys);
    assert!(send(&cast.app, &owner, &delete, &end).await.status >= 500);
    assert_eq!(cast.whoami(&owner, &sub.org).await.status, 200, "not ended before it is written down");
    let text = login(&second);
    assert!(send(&cast.app, &owner, &path, &text).await.status >= 500, "who made room is not written down");
    assert_eq!(refused(&cast.whoami(&first, &sub.org).await), "PUBLIC_KEY_NOT_FOUND", "and is over all the same");
    std::fs::remove_dir(revocations(&cast)).unwrap();
    for _ in 0..3 {
        result(&send(&cast.app, &owner, &path, &text).await, Kind::StampLogin);
    }
    assert_eq!(heard(&cast, &gone), 1, "with the next call, and once");
    result(&send(&cast.app, &owner, &delete, &end).await, Kind::DeleteApiKeys);
    assert_eq!(heard(&cast, &id), 1);
}

/// The attack: whoever may end their own keys has others' written down, which are over at the next start.
#[tokio::test]
async fn the_file_hears_of_no_key_that_its_caller_may_not_end() {
    let cast = Cast::new().await;
    let (ada, bob) = (Key::new(20), Key::new(21));
    let (sub, other) = (cast.sub(ADA, &[&ada]).await, cast.sub(BOB, &[&bob]).await);
    let (own, foreign) = (only_key(&cast, &ada, &sub.org).await, only_key(&cast, &bob, &other.org).await);
    let end = json!({ "userId": sub.user, "apiKeyIds": [own, foreign] });
    assert_eq!(refused(&cast.submit(&ada, Kind::DeleteApiKeys, &sub.org, end).await), "REQUEST_INVALID");
    assert_eq!((heard(&cast, &own), heard(&cast, &foreign)), (0, 0));
}

/// A key that the file says is over can be given again, and signs nothing more the moment it is replayed.
#[tokio::test]
async fn a_key_that_a_restore_revoked_can_be_given_again() {
    let cast = Cast::new().await;
    let (owner, phone) = (Key::new(20), Key::new(21));
    let sub = cast.sub(ADA, &[&owner]).await;
    let give = json!({ "userId": sub.user, "apiKeys": [phone.given(None)] });
    let kind = Kind::CreateApiKeysV2;
    for recovers in [false, true] {
        cast.app.advance(seconds(1));
        let made = result(&cast.submit(&owner, kind, &sub.org, give.clone()).await, kind);
        assert_eq!(cast.whoami(&phone, &sub.org).await.status, 200);
        std::fs::write(revocations(&cast), format!("\n{} {}\n", sub.org, made["apiKeyIds"][0].as_str().unwrap()))
            .unwrap();
        if recovers {
            assert_eq!(backups::recover(&cast.app.app).await.unwrap().credentials, 1);
        } else {
            assert_eq!(credentials::replay_revocations(&cast.app.app, Replay::Ended).await.unwrap(), 1);
        }
        assert_eq!(refused(&cast.whoami(&phone, &sub.org).await), "PUBLIC_KEY_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_name_that_none_can_be_is_nobodys() {
    let cast = Cast::new().await;
    cast.sub(ADA, &[]).await;
    for (filter, value) in [("NAME", "\u{0}"), ("USERNAME", "\u{0}"), ("USERNAME", "a\u{7}")] {
        let ask = json!({ "organizationId": cast.org, "filterType": filter, "filterValue": value });
        let answer = cast.query(&cast.backend, "list_suborgs", ask).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "organizationIds": [] })), "{filter}");
    }
    let ask = json!({ "organizationId": cast.org, "filterType": "NAME", "filterValue": ADA });
    let found = cast.query(&cast.backend, "list_suborgs", ask).await.json();
    assert_eq!(found["organizationIds"].as_array().unwrap().len(), 1);
}

/// The attack: people below read the addresses of whoever answers for them above.
#[tokio::test]
async fn a_vote_names_no_address_across_organizations() {
    let cast = Cast::new().await;
    let named = json!({ "userId": cast.user, "userEmail": "ops@example.com" });
    let kind = Kind::UpdateUserEmail;
    let own = cast.submit(&cast.backend, kind, &cast.org, named).await;
    result(&own, kind);
    let ada = Key::new(20);
    let sub = cast.sub(ADA, &[&ada]).await;
    cast.start(&sub.org, ADA).await;
    let seen = cast.query(&ada, "list_activities", json!({ "organizationId": sub.org })).await;
    assert_eq!(seen.json()["activities"][0]["votes"][0]["user"]["userName"], "Acme");
    assert!(!seen.text().contains("ops@example.com"));
    let above = cast.query(&cast.backend, "list_activities", json!({ "organizationId": cast.org })).await;
    assert!(above.text().contains("ops@example.com"), "where they are, it is theirs");
}

/// The attack: everybody knows the code of a start that was made while the sandbox was open.
#[tokio::test]
async fn a_sandbox_that_is_closed_takes_no_code() {
    let cast = Cast::of(TestApp::in_earnest(|_| {}).await).await;
    let org: doorcode_core::OrgId = cast.org.parse().unwrap();
    orgs::raise(&cast.app.app, org, true).await.unwrap();
    signed::set_sandbox(&cast.app.app, org, true).await.unwrap();
    let ask =
        json!({ "otpType": "OTP_TYPE_EMAIL", "contact": "user@example.com", "otpLength": 6, "alphanumeric": false });
    let started = result(&cast.submit(&cast.backend, Kind::InitOtp, &cast.org, ask).await, Kind::InitOtp);
    let verify = async || {
        cast.app.advance(seconds(1));
        let parameters = json!({ "otpId": started["otpId"], "otpCode": "000000" });
        cast.submit(&cast.backend, Kind::VerifyOtp, &cast.org, parameters).await
    };
    signed::set_sandbox(&cast.app.app, org, false).await.unwrap();
    assert_eq!(refusal(&verify().await), wrong_code());
    signed::set_sandbox(&cast.app.app, org, true).await.unwrap();
    assert_eq!(verify().await.status, 200, "or it would have been wrong for another reason");
}
