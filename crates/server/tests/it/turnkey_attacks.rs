//! What signed calls must not allow (docs/threat-model.md): each rule by the attack that it stands against.

use std::collections::BTreeSet;

use doorcode::ops::signed;
use doorcode_core::activity::Kind;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::app::{TestApp, hours, minutes, not, seconds};
use crate::turnkey_cast::*;

const ADA: &str = "ada@example.com";
const MALLORY: &str = "mallory@example.com";

fn refused(answer: &crate::app::Answer) -> String {
    refusal(answer).2
}

/// The attack: a call is sent again, by a proxy, a retry, or whoever recorded it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_body_a_thousand_times_is_one_activity_and_one_key() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let start = cast.start(&sub.org, ADA).await;
    let text = body(
        &cast.app,
        Kind::OtpAuth,
        &sub.org,
        json!({ "otpId": start.0, "otpCode": start.1, "targetPublicKey": Key::new(9).target() }),
    );
    let answers =
        join_all((0..1000).map(|_| send(&cast.app, &cast.backend, "/public/v1/submit/otp_auth", &text))).await;
    one_of(&answers);
    assert_eq!(
        cast.app.number("SELECT count(*) FROM credentials WHERE key_type = 'CREDENTIAL_TYPE_OTP_AUTH_KEY_P256'"),
        1
    );
    assert_eq!(cast.app.number("SELECT count(*) FROM activities WHERE kind = 'ACTIVITY_TYPE_OTP_AUTH'"), 1);
    assert_eq!(cast.app.counted("checks", "right"), 1, "and the code was looked at once");
}

/// All of them are the same activity with the same bundle.
pub(crate) fn one_of(answers: &[crate::app::Answer]) {
    let mut seen = BTreeSet::new();
    for answer in answers {
        let got = result(answer, Kind::OtpAuth);
        seen.insert((answer.json()["activity"]["id"].to_string(), got.to_string()));
    }
    assert_eq!(seen.len(), 1);
}

/// The attack: a wrong code is sent again and again for what it may bring.
#[tokio::test]
async fn a_wrong_code_is_wrong_for_good_and_the_fourth_try_is_not_looked_at() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let (id, code) = cast.start(&sub.org, ADA).await;
    let device = Key::new(9);
    let text = body(
        &cast.app,
        Kind::OtpAuth,
        &sub.org,
        json!({ "otpId": id, "otpCode": not(&code), "targetPublicKey": device.target() }),
    );
    for _ in 0..5 {
        let answer = send(&cast.app, &cast.backend, "/public/v1/submit/otp_auth", &text).await;
        assert_eq!(refusal(&answer), wrong_code());
        assert_eq!(answer.json()["message"], "Invalid OTP code");
    }
    assert_eq!(cast.app.counted("checks", "wrong"), 1, "one body, one judgement");
    for _ in 0..2 {
        cast.app.advance(seconds(1));
        assert_eq!(refusal(&cast.redeem(&sub.org, &(id.clone(), not(&code)), &device).await), wrong_code());
    }
    assert_eq!(cast.app.counted("checks", "wrong"), 3);
    cast.app.advance(seconds(1));
    assert_eq!(
        refusal(&cast.redeem(&sub.org, &(id, code), &device).await),
        wrong_code(),
        "the right one comes too late"
    );
    let failed = json!({ "organizationId": sub.org, "filterByStatus": ["ACTIVITY_STATUS_FAILED"] });
    let failed = cast.query(&cast.backend, "list_activities", failed).await.json();
    assert_eq!(failed["activities"].as_array().unwrap().len(), 4);
    assert_eq!(failed["activities"][0]["failure"]["message"], "Invalid OTP code");
}

#[tokio::test]
async fn a_code_is_good_once_and_only_for_what_it_was_sent_for() {
    let cast = Cast::new().await;
    let (sub, other) = (cast.sub(ADA, &[]).await, cast.sub("bob@example.com", &[]).await);
    let start = cast.start(&sub.org, ADA).await;
    let device = Key::new(9);
    let verify = json!({ "otpId": start.0, "otpCode": start.1 });
    assert_eq!(refusal(&cast.submit(&cast.backend, Kind::VerifyOtp, &sub.org, verify).await), wrong_code(), "no token");
    assert_eq!(refusal(&cast.redeem(&other.org, &start, &device).await), wrong_code(), "not elsewhere");
    let nobody = (sub.user.clone(), start.1.clone());
    assert_eq!(refusal(&cast.redeem(&sub.org, &nobody, &device).await), wrong_code(), "no such start");
    result(&cast.redeem(&sub.org, &start, &device).await, Kind::OtpAuth);
    cast.app.advance(seconds(1));
    assert_eq!(refusal(&cast.redeem(&sub.org, &start, &device).await), wrong_code(), "used up");
}

/// The attack: a customer's backend, or whoever stole its key, takes over a person's sub-organisation. And its neighbours.
#[tokio::test]
async fn a_parents_key_sends_and_takes_codes_and_no_more() {
    let cast = Cast::new().await;
    let (ada, bob) = (Key::new(20), Key::new(21));
    let (sub, other) = (cast.sub(ADA, &[&ada]).await, cast.sub("bob@example.com", &[&bob]).await);
    let thief = Key::new(30);
    let give = json!({ "userId": sub.user, "apiKeys": [thief.given(None)] });
    let keys = cast.query(&ada, "get_api_keys", json!({ "organizationId": sub.org })).await.json();
    let end = json!({ "userId": sub.user, "apiKeyIds": [keys["apiKeys"][0]["apiKeyId"]] });
    let login = json!({ "publicKey": thief.public() });
    let session = json!({ "userId": sub.user, "targetPublicKey": thief.target() });
    let mail = json!({ "userId": sub.user, "userEmail": MALLORY });
    let feature = json!({ "name": "FEATURE_NAME_EMAIL_AUTH" });
    let below = json!({ "subOrganizationName": "x", "rootUsers": [{ "userName": "x" }], "rootQuorumThreshold": 1 });
    for (kind, parameters) in [
        (Kind::CreateApiKeysV2, give),
        (Kind::DeleteApiKeys, end),
        (Kind::StampLogin, login),
        (Kind::CreateReadWriteSessionV2, session),
        (Kind::UpdateUserEmail, mail),
        (Kind::SetOrganizationFeature, feature),
        (Kind::CreateSubOrganizationV7, below.clone()),
    ] {
        let answer = cast.submit(&cast.backend, kind, &sub.org, parameters.clone()).await;
        assert_eq!(refused(&answer), "REQUEST_NOT_AUTHORIZED", "{}", kind.name());
        let sideways = cast.submit(&bob, kind, &sub.org, parameters).await;
        assert_eq!(refused(&sideways), "PUBLIC_KEY_NOT_FOUND", "{}", kind.name());
    }
    assert_eq!(
        refused(&cast.submit(&ada, Kind::CreateSubOrganizationV7, &sub.org, below.clone()).await),
        "REQUEST_NOT_AUTHORIZED",
        "one level"
    );
    assert_eq!(
        refused(&cast.submit(&ada, Kind::CreateSubOrganizationV7, &cast.org, below).await),
        "PUBLIC_KEY_NOT_FOUND",
        "never up"
    );
    for query in ["get_user", "get_api_keys"] {
        let sideways = cast.query(&ada, query, json!({ "organizationId": other.org, "userId": other.user })).await;
        assert_eq!(refused(&sideways), "PUBLIC_KEY_NOT_FOUND", "{query}");
    }
    let foreign = json!({ "organizationId": sub.org, "userId": other.user });
    assert_eq!(cast.query(&ada, "get_user", foreign).await.status, 400);
}

/// The attack: whoever may look at an activity takes what it earned.
#[tokio::test]
async fn bundles_and_tokens_go_to_the_stamper_alone() {
    let cast = Cast::new().await;
    let ada = Key::new(20);
    let sub = cast.sub(ADA, &[&ada]).await;
    let start = cast.start(&sub.org, ADA).await;
    let device = json!({ "otpId": start.0, "otpCode": start.1, "targetPublicKey": Key::new(9).target() });
    let text = body(&cast.app, Kind::OtpAuth, &sub.org, device);
    let path = submit_path(Kind::OtpAuth);
    let made = send(&cast.app, &cast.backend, &path, &text).await.json();
    let ask = json!({ "organizationId": sub.org, "activityId": made["activity"]["id"] });
    let seen = cast.query(&ada, "get_activity", ask.clone()).await.json();
    assert_eq!(seen["activity"]["result"]["otpAuthResult"]["credentialBundle"], "********");
    let own = cast.query(&cast.backend, "get_activity", ask).await.json();
    assert_eq!(own, seen, "whoever recorded the question asks it again");
    let again = send(&cast.app, &cast.backend, &path, &text).await.json();
    assert_eq!(again["activity"]["result"], made["activity"]["result"], "who signs the body hears it again");
    let other = send(&cast.app, &ada, &path, &text).await.json();
    assert_eq!(other["activity"]["result"], seen["activity"]["result"], "and nobody else");
    let elsewhere = json!({ "organizationId": cast.org, "activityId": made["activity"]["id"] });
    assert_eq!(cast.query(&cast.backend, "get_activity", elsewhere).await.status, 400, "it is the sub-organisation's");
}

#[tokio::test]
async fn starts_of_one_identifier_and_messages_to_one_address_have_limits() {
    let cast = Cast::new().await;
    let ask = |n: u32, identifier: &str| json!({ "otpType": "OTP_TYPE_EMAIL", "contact": format!("somebody.{n}@example.com"), "userIdentifier": identifier });
    for n in 0..3 {
        result(&cast.submit(&cast.backend, Kind::InitOtp, &cast.org, ask(n, "somebody")).await, Kind::InitOtp);
    }
    let fourth = cast.submit(&cast.backend, Kind::InitOtp, &cast.org, ask(4, "somebody")).await;
    assert_eq!(refusal(&fourth), (400, 3, "MAX_OTP_INITIATED".to_owned()));
    assert!(fourth.json()["message"].as_str().unwrap().starts_with("Max number of OTPs have been initiated"));
    result(&cast.submit(&cast.backend, Kind::InitOtp, &cast.org, ask(4, "another")).await, Kind::InitOtp);
    cast.app.advance(minutes(3));
    result(&cast.submit(&cast.backend, Kind::InitOtp, &cast.org, ask(5, "somebody")).await, Kind::InitOtp);
    let mut last = None;
    for _ in 0..7 {
        cast.app.advance(seconds(1));
        let ask = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA });
        last = Some(cast.submit(&cast.backend, Kind::InitOtp, &cast.org, ask).await);
    }
    assert_eq!(refused(&last.unwrap()), "MAX_OTP_INITIATED", "six an hour to one address");
}

#[tokio::test]
async fn keys_have_limits_and_make_room() {
    let cast = Cast::new().await;
    let owner = Key::new(20);
    let sub = cast.sub(ADA, &[&owner]).await;
    let give = |keys: Vec<Value>| json!({ "userId": sub.user, "apiKeys": keys });
    let kind = Kind::CreateApiKeysV2;
    let many: Vec<Value> = (40..49).map(|n| Key::new(n).given(None)).collect();
    result(&cast.submit(&owner, kind, &sub.org, give(many)).await, kind);
    let eleventh = cast.submit(&owner, kind, &sub.org, give(vec![Key::new(50).given(None)])).await;
    assert_eq!(refusal(&eleventh), (429, 8, "RATE_LIMIT_EXCEEDED".to_owned()));
    assert!(eleventh.json()["message"].as_str().unwrap().starts_with("user has exceeded maximum long-lived api keys"));
    let again = cast.submit(&owner, kind, &sub.org, give(vec![Key::new(40).given(Some("60"))])).await;
    assert_eq!(refused(&again), "REQUEST_INVALID", "it is there already");
    for n in 60..71 {
        cast.app.advance(seconds(1));
        result(&cast.submit(&owner, kind, &sub.org, give(vec![Key::new(n).given(Some("3600"))])).await, kind);
    }
    assert_eq!(refused(&cast.whoami(&Key::new(60), &sub.org).await), "PUBLIC_KEY_NOT_FOUND", "the oldest made room");
    for n in 61..71 {
        assert_eq!(cast.whoami(&Key::new(n), &sub.org).await.status, 200);
    }
    // A code's key may end the others of its kind, and no given one.
    let first = cast.sign_in(&sub.org, ADA, &Key::new(9)).await;
    cast.app.advance(seconds(1));
    let start = cast.start(&sub.org, ADA).await;
    let parameters = json!({ "otpId": start.0, "otpCode": start.1, "targetPublicKey": Key::new(9).target(), "invalidateExisting": true });
    result(&cast.submit(&cast.backend, Kind::OtpAuth, &sub.org, parameters).await, Kind::OtpAuth);
    assert_eq!(refused(&cast.whoami(&first, &sub.org).await), "PUBLIC_KEY_NOT_FOUND");
    assert_eq!(cast.whoami(&Key::new(70), &sub.org).await.status, 200);
}

/// The attack: everybody knows the sandbox's code.
#[tokio::test]
async fn outside_of_dev_the_sandbox_is_where_the_operator_opened_it() {
    let cast = Cast::of(TestApp::in_earnest(|_| {}).await).await;
    let org: doorcode_core::OrgId = cast.org.parse().unwrap();
    doorcode::ops::orgs::raise(&cast.app.app, org, true).await.unwrap();
    let contact =
        json!({ "otpType": "OTP_TYPE_EMAIL", "contact": "user@example.com", "otpLength": 6, "alphanumeric": false });
    let verify = async || {
        cast.app.advance(hours(1));
        let started =
            result(&cast.submit(&cast.backend, Kind::InitOtp, &cast.org, contact.clone()).await, Kind::InitOtp);
        let parameters = json!({ "otpId": started["otpId"], "otpCode": "000000" });
        cast.submit(&cast.backend, Kind::VerifyOtp, &cast.org, parameters).await
    };
    assert_eq!(refusal(&verify().await), wrong_code());
    signed::set_sandbox(&cast.app.app, org, true).await.unwrap();
    assert_eq!(verify().await.status, 200);
    signed::set_sandbox(&cast.app.app, org, false).await.unwrap();
    assert_eq!(refusal(&verify().await), wrong_code());
}

/// The attack: an org that anybody may have sends mail to strangers.
#[tokio::test]
async fn an_org_that_was_not_raised_sends_to_nobody() {
    let cast = Cast::of(TestApp::in_earnest(|_| {}).await).await;
    let sub = cast.sub(ADA, &[]).await;
    let ask = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA, "appName": "Acme" });
    for (kind, org) in [(Kind::InitOtpV3, &cast.org), (Kind::InitOtpAuthV3, &sub.org)] {
        let answer = cast.submit(&cast.backend, kind, org, ask.clone()).await;
        assert_eq!((answer.status, refused(&answer).as_str()), (400, "REQUEST_INVALID"), "{}", answer.text());
    }
    assert_eq!(cast.app.deliver_due().await, 0);
}

/// The attack: whoever read a code that was used already, from a screen or a log, brings it back for a key of their own.
#[tokio::test]
async fn a_code_that_was_used_earns_nobody_another_key() {
    let cast = Cast::new().await;
    let (sub, device, thief) = (cast.sub("ada@example.com", &[]).await, Key::new(9), Key::new(30));
    let start = cast.start(&sub.org, "ada@example.com").await;
    result(&cast.redeem(&sub.org, &start, &device).await, Kind::OtpAuth);
    let keys = cast.app.number("SELECT count(*) FROM credentials");
    for key in [&thief, &device] {
        cast.app.advance(seconds(1));
        assert_eq!(refusal(&cast.redeem(&sub.org, &start, key).await), wrong_code());
    }
    assert_eq!(cast.app.number("SELECT count(*) FROM credentials"), keys);
}
