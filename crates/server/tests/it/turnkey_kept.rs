//! What is kept of signed calls, and for how long: no secret in the database, everything in the record, nothing that a restore brings back, and
//! what was begun goes on under the next master key.

use doorcode::ops::{audit, backups, master_keys};
use doorcode_core::UserId;
use doorcode_core::activity::Kind;
use serde_json::json;

use crate::app::{MOMENT, TestApp, hours, minutes, not, seconds};
use crate::turnkey::{client_signature, encrypted_token, id_of};
use crate::turnkey_cast::*;

const ADA: &str = "ada@example.com";

fn refused(answer: &crate::app::Answer) -> String {
    refusal(answer).2
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
