//! What signed calls must not allow (docs/threat-model.md): each rule by the attack that it stands against.

use std::collections::BTreeSet;

use doorcode::ops::{audit, backups, master_keys, signed};
use doorcode_core::UserId;
use doorcode_core::activity::Kind;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::app::{MOMENT, TestApp, hours, minutes, not, seconds};
use crate::turnkey::{client_signature, encrypted_token, id_of};
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

/// The attack: somebody makes an account with another's address, keeps a key of it, and waits for its owner to come.
#[tokio::test]
async fn an_address_that_its_owner_did_not_prove_opens_no_account_with_keys() {
    let cast = Cast::new().await;
    let mallory = Key::new(30);
    let sub = cast.sub(MALLORY, &[&mallory]).await;
    let steal = json!({ "userId": sub.user, "userEmail": ADA });
    result(&cast.submit(&mallory, Kind::UpdateUserEmail, &sub.org, steal).await, Kind::UpdateUserEmail);
    let start = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA, "appName": "Acme" });
    let answer = cast.submit(&cast.backend, Kind::InitOtpAuthV3, &sub.org, start).await;
    assert_eq!(refused(&answer), "REQUEST_NOT_AUTHORIZED");
    let (token_key, session) = (Key::new(11), Key::new(12));
    let token = encrypted_token(&cast, &cast.org, ADA, &token_key).await;
    let message =
        json!({ "login": { "publicKey": session.public() }, "tokenId": id_of(&token), "type": "USAGE_TYPE_LOGIN" });
    let login = json!({ "verificationToken": token, "publicKey": session.public(),
        "clientSignature": client_signature(&cast, &token_key, &message.to_string()) });
    let answer = cast.submit(&cast.backend, Kind::OtpLoginV2, &sub.org, login).await;
    assert_eq!(refused(&answer), "REQUEST_INVALID");
    let verified = json!({ "organizationId": cast.org, "filterType": "EMAIL", "filterValue": ADA });
    assert_eq!(cast.query(&cast.backend, "list_verified_suborgs", verified).await.json()["organizationIds"], json!([]));
}

/// The attack: somebody on the way changes what a token is spent on.
#[tokio::test]
async fn a_token_is_spent_on_exactly_what_its_key_signed() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let (token_key, session, thief) = (Key::new(11), Key::new(12), Key::new(30));
    let token = encrypted_token(&cast, &cast.org, ADA, &token_key).await;
    let say = |id: &str, key: &Key, use_: &str| {
        json!({ "login": { "publicKey": key.public() }, "tokenId": id, "type": use_ }).to_string()
    };
    let right = say(&id_of(&token), &session, "USAGE_TYPE_LOGIN");
    let mut bad = vec![
        (thief.public(), client_signature(&cast, &token_key, &right)),
        (session.public(), client_signature(&cast, &thief, &right)),
        (session.public(), client_signature(&cast, &token_key, &say(&sub.org, &session, "USAGE_TYPE_LOGIN"))),
        (session.public(), client_signature(&cast, &token_key, &say(&id_of(&token), &session, "USAGE_TYPE_SIGNUP"))),
    ];
    let mut altered = client_signature(&cast, &token_key, &right);
    altered["message"] = json!(right.replace("login", "loginV2"));
    bad.push((session.public(), altered));
    for (key, signature) in bad {
        let login = json!({ "verificationToken": token, "publicKey": key, "clientSignature": signature });
        assert_eq!(refused(&cast.submit(&cast.backend, Kind::OtpLoginV2, &sub.org, login).await), "REQUEST_INVALID");
    }
    let bare = json!({ "verificationToken": token, "publicKey": session.public() });
    assert_eq!(
        refused(&cast.submit(&cast.backend, Kind::OtpLogin, &sub.org, bare).await),
        "REQUEST_INVALID",
        "unsigned"
    );
    let good = json!({ "verificationToken": token, "publicKey": session.public(),
        "clientSignature": client_signature(&cast, &token_key, &right) });
    result(&cast.submit(&cast.backend, Kind::OtpLoginV2, &sub.org, good.clone()).await, Kind::OtpLoginV2);
    cast.app.advance(seconds(1));
    assert_eq!(refused(&cast.submit(&cast.backend, Kind::OtpLoginV2, &sub.org, good).await), "REQUEST_INVALID", "once");
}

#[tokio::test]
async fn a_sub_organisations_token_serves_there_alone() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    cast.app.advance(seconds(1));
    let other = cast.sub(ADA, &[]).await;
    let (token_key, session) = (Key::new(11), Key::new(12));
    let token = encrypted_token(&cast, &sub.org, ADA, &token_key).await;
    let message =
        json!({ "login": { "publicKey": session.public() }, "tokenId": id_of(&token), "type": "USAGE_TYPE_LOGIN" });
    let login = json!({ "verificationToken": token, "publicKey": session.public(),
        "clientSignature": client_signature(&cast, &token_key, &message.to_string()) });
    assert_eq!(
        refused(&cast.submit(&cast.backend, Kind::OtpLoginV2, &other.org, login.clone()).await),
        "REQUEST_INVALID"
    );
    cast.app.advance(hours(1));
    assert_eq!(
        refused(&cast.submit(&cast.backend, Kind::OtpLoginV2, &sub.org, login).await),
        "REQUEST_INVALID",
        "an hour"
    );
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

/// The attack: a restore brings back a token that was spent, a key that was ended, a call that was made.
#[tokio::test]
async fn a_restore_brings_nothing_back() {
    let cast = Cast::new().await;
    if crate::postgres::is_wanted() {
        return; // Copies are the database's own there.
    }
    let owner = Key::new(20);
    let sub = cast.sub(ADA, &[&owner]).await;
    let bob = cast.sub("bob@example.com", &[]).await;
    let (token_key, session) = (Key::new(11), Key::new(12));
    let token = encrypted_token(&cast, &cast.org, "bob@example.com", &token_key).await;
    let text = body(
        &cast.app,
        Kind::CreateApiKeysV2,
        &sub.org,
        json!({ "userId": sub.user, "apiKeys": [Key::new(40).given(None)] }),
    );
    let keys = cast.query(&owner, "get_api_keys", json!({ "organizationId": sub.org })).await.json();
    let copy = cast.app.folder.path().join("copy.db");
    backups::create(&cast.app.app, &copy).await.unwrap();
    // Meanwhile: a key is given and ended, and so is the first one.
    result(&send(&cast.app, &owner, "/public/v1/submit/create_api_keys", &text).await, Kind::CreateApiKeysV2);
    let end = json!({ "userId": sub.user, "apiKeyIds": [keys["apiKeys"][0]["apiKeyId"]] });
    result(&cast.submit(&Key::new(40), Kind::DeleteApiKeys, &sub.org, end).await, Kind::DeleteApiKeys);

    let folder = crate::app::Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    std::fs::copy(&copy, folder.path().join("doorcode.db")).unwrap();
    let mut config = crate::app::settings(&folder, &[]);
    config.keys.clone_from(&cast.app.app.config.keys);
    let restored = TestApp::open(folder, config, cast.app.now()).await.unwrap();
    backups::recover_if_copy(&restored.app).await.unwrap().unwrap();
    let restored = Cast { app: restored, org: cast.org.clone(), user: cast.user.clone(), backend: Key::new(1) };
    assert_eq!(
        refused(&restored.whoami(&owner, &sub.org).await),
        "PUBLIC_KEY_NOT_FOUND",
        "the file beside the keys said so"
    );
    let again = send(&restored.app, &restored.backend, "/public/v1/submit/create_api_keys", &text).await;
    assert_ne!(again.status, 200);
    let message =
        json!({ "login": { "publicKey": session.public() }, "tokenId": id_of(&token), "type": "USAGE_TYPE_LOGIN" });
    restored.app.advance(minutes(5) + seconds(1));
    let login = json!({ "verificationToken": token, "publicKey": session.public(),
        "clientSignature": client_signature(&cast, &token_key, &message.to_string()) });
    let login = restored.submit(&restored.backend, Kind::OtpLoginV2, &bob.org, login).await;
    assert_eq!(
        (refused(&login), &login.json()["message"]),
        ("REQUEST_INVALID".into(), &json!("invalid verification token"))
    );
    let start = body(&cast.app, Kind::InitOtp, &cast.org, json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA }));
    let old = send(&restored.app, &restored.backend, "/public/v1/submit/init_otp", &start).await;
    assert!(old.json()["message"].as_str().unwrap().contains("recovered"), "signed before: {}", old.text());
}

/// The attack: a call that was dated ahead, and made, is made once more where a recovery took what was known of it. Its neighbours: one that was
/// signed as early after the recovery, and what was dated later than any call before can have been.
#[tokio::test]
async fn a_call_that_may_have_been_made_before_a_recovery_is_not_made_again() {
    let cast = Cast::new().await;
    let app = &cast.app;
    let started = || app.number("SELECT count(*) FROM challenges");
    let start = |ahead| {
        let asked = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA });
        dated(app.now().plus(ahead), Kind::InitOtp, &cast.org, asked)
    };
    let make = async |body: &str| send(app, &cast.backend, "/public/v1/submit/init_otp", body).await;
    let ahead = start(minutes(5));
    result(&make(&ahead).await, Kind::InitOtp);
    result(&make(&start(minutes(0))).await, Kind::InitOtp);
    // As a copy that was made before it.
    app.tamper("DELETE FROM activities");
    backups::recover(&app.app).await.unwrap();
    let before = started();
    let refuses = async |body: &str| {
        let answer = make(body).await;
        assert_eq!(refusal(&answer), (400, 3, "REQUEST_INVALID".to_owned()));
        let why = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(why.contains("timestampMs") && why.contains("recovered"), "{why}");
    };
    refuses(&ahead).await;
    app.advance(MOMENT);
    refuses(&start(minutes(0))).await;
    result(&make(&start(minutes(5))).await, Kind::InitOtp);
    app.advance(minutes(5) - MOMENT);
    refuses(&ahead).await;
    refuses(&start(minutes(0))).await;
    assert_eq!(started(), before + 1, "nothing came of what was refused");
    app.advance(MOMENT);
    result(&make(&start(minutes(0))).await, Kind::InitOtp);
}

/// The attack: whoever has the database, or a copy of it, reads codes, tokens and keys out of it.
#[tokio::test]
async fn neither_code_nor_token_nor_key_is_in_the_database() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let start = cast.start(&sub.org, ADA).await;
    let device = Key::new(9);
    let got = result(&cast.redeem(&sub.org, &start, &device).await, Kind::OtpAuth);
    let key = device.open(got["credentialBundle"].as_str().unwrap());
    let token = encrypted_token(&cast, &cast.org, "bob@example.com", &Key::new(11)).await;
    let other = cast.app.last_code("bob@example.com");
    let wrong = not(&start.1);
    cast.redeem(&sub.org, &(start.0.clone(), wrong.clone()), &device).await;
    let everything = cast.app.folder.text(
        "SELECT coalesce(string_agg(body || coalesce(result, '') || coalesce(plain, '') || coalesce(signature, ''), ' '), '') FROM activities",
    );
    let (signature, private) = (token.rsplit_once('.').unwrap().1, key.0.encode());
    let files: Vec<Vec<u8>> = if crate::postgres::is_wanted() {
        Vec::new()
    } else {
        let read = |file: &str| std::fs::read(cast.app.folder.path().join(file)).unwrap();
        ["doorcode.db", "doorcode.db-wal"].map(read).into()
    };
    let is_in = |bytes: &Vec<u8>, text: &str| {
        bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
    };
    for secret in [start.1.as_str(), other.as_str(), wrong.as_str(), signature, private.expose().as_str()] {
        assert!(!everything.to_lowercase().contains(&secret.to_lowercase()));
        assert!(!files.iter().any(|bytes| is_in(bytes, secret)));
    }
    let bundle = got["credentialBundle"].as_str().unwrap();
    assert!(everything.contains(bundle), "what is sealed is there, so the look would find the rest");
    assert!(files.is_empty() || files.iter().any(|bytes| is_in(bytes, bundle)), "in the files too");
    // Neither the plain digest nor the signature of a body with a code: either would give it away to whoever tries a million.
    let with_code = "kind IN ('ACTIVITY_TYPE_OTP_AUTH', 'ACTIVITY_TYPE_VERIFY_OTP_V2')";
    assert_eq!(cast.app.number(&format!("SELECT count(*) FROM activities WHERE {with_code}")), 3);
    let kept =
        format!("SELECT count(*) FROM activities WHERE {with_code} AND (plain IS NOT NULL OR signature IS NOT NULL)");
    assert_eq!(cast.app.number(&kept), 0);
    assert!(cast.app.number("SELECT count(*) FROM activities WHERE plain IS NOT NULL AND signature IS NOT NULL") > 0);
}

#[tokio::test]
async fn every_activity_stands_in_the_record_and_among_the_events() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let start = cast.start(&sub.org, ADA).await;
    cast.redeem(&sub.org, &(start.0.clone(), not(&start.1)), &Key::new(9)).await;
    cast.redeem(&sub.org, &start, &Key::new(9)).await;
    let record = |user: &str| {
        let user: UserId = user.parse().unwrap();
        let app = &cast.app.app;
        async move { audit::list(app, user, None, 100).await.unwrap() }
    };
    let mut entries = record(&cast.user).await;
    entries.extend(record(&sub.user).await);
    assert_eq!(entries.len() as i64, cast.app.number("SELECT count(*) FROM activities"));
    for kind in ["CREATE_SUB_ORGANIZATION_V7", "INIT_OTP_AUTH_V3", "OTP_AUTH"] {
        assert!(entries.iter().any(|entry| entry.details.contains(kind)), "{kind}");
    }
    assert!(entries.iter().any(|entry| entry.details.contains("STATUS_FAILED")));
    assert_eq!(cast.app.number("SELECT count(*) FROM events WHERE kind = 'activity.completed'"), 3);
    assert_eq!(cast.app.number("SELECT count(*) FROM events WHERE kind = 'activity.failed'"), 1);
}

#[tokio::test]
async fn fingerprints_tokens_and_keys_leave_in_time() {
    let mut cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    cast.sign_in(&sub.org, ADA, &Key::new(9)).await;
    let printed = "SELECT count(*) FROM activities WHERE print IS NOT NULL";
    cast.app.advance(hours(1) + minutes(50));
    cast.app.retain().await;
    assert_eq!(cast.app.number(printed), 3, "as long as the same body may come");
    cast.app.advance(minutes(11));
    cast.app.retain().await;
    assert_eq!((cast.app.number(printed), cast.app.number("SELECT count(*) FROM activities")), (0, 3));
    let keys = "SELECT count(*) FROM credentials WHERE key_type = 'CREDENTIAL_TYPE_OTP_AUTH_KEY_P256'";
    assert_eq!(cast.app.number(keys), 1, "that it is over is said for a day");
    cast.app.advance(hours(25));
    cast.app.retain().await;
    assert_eq!(cast.app.number(keys), 0);
    assert_eq!(
        cast.app.number("SELECT count(*) FROM credentials WHERE public_key IS NOT NULL"),
        1,
        "those without an end stay"
    );
    cast.app.advance(hours(400 * 24));
    cast.app.retain().await;
    assert_eq!(cast.app.number("SELECT count(*) FROM activities"), 0);
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

/// A new master key comes while codes and tokens are on their way.
#[tokio::test]
async fn what_was_begun_under_one_master_key_ends_under_the_next() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let (token_key, session) = (Key::new(11), Key::new(12));
    let token = encrypted_token(&cast, &cast.org, ADA, &token_key).await;
    let text =
        body(&cast.app, Kind::InitOtp, &cast.org, json!({ "otpType": "OTP_TYPE_EMAIL", "contact": "bob@example.com" }));
    let first = send(&cast.app, &cast.backend, "/public/v1/submit/init_otp", &text).await;
    let pinned = cast.app.get("/public/v1/keys").await.json();
    let app = &cast.app.app;
    let new = master_keys::add(app).await.unwrap();
    app.keys.refresh(&app.db, cast.app.now()).await.unwrap();
    app.keys.note_seen(&app.db, cast.app.now()).await.unwrap();
    if !app.db.sole_owner() {
        doorcode::ops::jobs::tick(app, &mut doorcode::ops::jobs::Sweep::default()).await.unwrap();
    }
    master_keys::activate(app, new).await.unwrap();
    app.keys.refresh(&app.db, cast.app.now()).await.unwrap();
    let again = send(&cast.app, &cast.backend, "/public/v1/submit/init_otp", &text).await;
    assert_eq!(again.json()["activity"]["id"], first.json()["activity"]["id"], "found under the old one");
    let both = cast.app.get("/public/v1/keys").await.json();
    assert_eq!(both["keys"].as_array().unwrap().len(), 6);
    assert_eq!(both["keys"][3], pinned["keys"][0], "the old ones stand behind");
    let message =
        json!({ "login": { "publicKey": session.public() }, "tokenId": id_of(&token), "type": "USAGE_TYPE_LOGIN" });
    let login = json!({ "verificationToken": token, "publicKey": session.public(),
        "clientSignature": client_signature(&cast, &token_key, &message.to_string()) });
    result(&cast.submit(&cast.backend, Kind::OtpLoginV2, &sub.org, login).await, Kind::OtpLoginV2);
    assert_eq!(encrypted_token(&cast, &cast.org, ADA, &token_key).await.split('.').count(), 3);
}
