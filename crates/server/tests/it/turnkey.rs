//! Signed calls as their clients make them: a code becomes a key on a person's device, and the key signs.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use doorcode_core::Secret;
use doorcode_core::activity::Kind;
use doorcode_core::seal::turnkey::{Entry, open_target, seal_code};
use doorcode_core::stamp::{Curve, PublicKey};
use serde_json::{Value, json};

use crate::app::{HERE, minutes, seconds};
use crate::turnkey_cast::*;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn a_code_becomes_a_key_that_signs() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let start = cast.start(&sub.org, ADA).await;
    assert_eq!(start.1.len(), 9, "nine characters, unless it is said otherwise");
    let device = Key::new(9);
    // People type in small letters.
    let typed = (start.0.clone(), start.1.to_lowercase());
    let answer = cast.redeem(&sub.org, &typed, &device).await;
    let got = result(&answer, Kind::OtpAuth);
    assert_eq!(got["userId"], sub.user.as_str());
    let key = device.open(got["credentialBundle"].as_str().unwrap());
    let who = cast.whoami(&key, &sub.org).await;
    let expected = json!({ "organizationId": sub.org, "organizationName": ADA, "userId": sub.user, "username": ADA });
    assert_eq!((who.status, who.json()), (200, expected.clone()));
    assert_eq!(cast.whoami(&key, &cast.org).await.json(), expected, "through the parent");
    let keys = cast.query(&key, "get_api_keys", json!({ "organizationId": sub.org, "userId": sub.user })).await.json();
    assert_eq!(keys["apiKeys"][0]["credential"]["publicKey"], key.public().as_str());
    assert_eq!(keys["apiKeys"][0]["credential"]["type"], "CREDENTIAL_TYPE_OTP_AUTH_KEY_P256");
    assert_eq!(keys["apiKeys"][0]["expirationSeconds"], "900");
    assert_eq!(keys["apiKeys"][0]["apiKeyId"], got["apiKeyId"]);

    // It ends by itself.
    cast.app.advance(seconds(899));
    assert_eq!(cast.whoami(&key, &sub.org).await.status, 200);
    cast.app.advance(seconds(1));
    assert_eq!(refusal(&cast.whoami(&key, &sub.org).await), (401, 16, "API_KEY_EXPIRED".to_owned()));
}

/// What real clients were seen to need of an activity, and of the answer around it.
#[tokio::test]
async fn an_activity_has_every_member_that_some_client_needs() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let start = cast.start(&sub.org, ADA).await;
    let text = body(
        &cast.app,
        Kind::OtpAuth,
        &sub.org,
        json!({ "otpId": start.0, "otpCode": start.1, "targetPublicKey": Key::new(9).target(), "apiKeyName": null,
            "expirationSeconds": null, "invalidateExisting": null }),
    );
    let stamp = cast.backend.0.stamp(text.as_bytes(), &cast.app.app.entropy.signing()).unwrap();
    // No Content-Type that means anything, as some clients have it.
    let by = cast.app.from(HERE).saying("x-stamp", &stamp);
    let answer = by.send_as("text/plain;charset=UTF-8", "/public/v1/submit/otp_auth", text.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"), "without a charset");
    let activity = &answer.json()["activity"];
    for member in ["id", "organizationId", "status", "type", "fingerprint"] {
        assert!(activity[member].is_string(), "{member}");
    }
    assert_eq!(activity["intent"]["otpAuthIntent"]["otpCode"], "********", "masked, and there");
    assert_eq!(activity["fingerprint"], doorcode_core::stamp::BodyPrint::of(text.as_bytes()).to_string());
    for member in ["createdAt", "updatedAt"] {
        assert!(activity[member]["seconds"].is_string() && activity[member]["nanos"].is_string());
    }
    assert!(activity["canApprove"].is_boolean() && activity["canReject"].is_boolean() && activity["failure"].is_null());
    let vote = &activity["votes"][0];
    assert_eq!(vote["selection"], "VOTE_SELECTION_APPROVED");
    assert_eq!((&vote["publicKey"], &vote["userId"]), (&json!(cast.backend.public()), &json!(cast.user)));
    assert!(!vote["message"].as_str().unwrap().contains(&start.1) && vote["user"]["apiKeys"].is_array());
    let members: Vec<_> = activity["result"]["otpAuthResult"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["apiKeyId", "credentialBundle", "userId"]);
    // Whoever reads it afterwards is told nothing by which the code could be found.
    let seen = cast
        .query(&cast.backend, "get_activity", json!({ "organizationId": sub.org, "activityId": activity["id"] }))
        .await
        .json();
    assert!(seen["activity"]["fingerprint"].as_str().unwrap().starts_with("keyed:"));
    assert_eq!(seen["activity"]["votes"][0]["signature"], "********");
    let shown = &seen["activity"]["result"]["otpAuthResult"];
    assert_eq!((&shown["credentialBundle"], &shown["userId"]), (&json!("********"), &json!(sub.user)));
}

#[tokio::test]
async fn codes_have_the_shape_and_the_life_that_is_asked_for() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    for (kind, length, alphanumeric, digits) in [
        (Kind::InitOtpAuthV2, 6, false, true),
        (Kind::InitOtpAuthV3, 8, true, false),
        (Kind::InitOtpAuthV2, 9, false, true),
    ] {
        let parameters = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA, "otpLength": length,
            "alphanumeric": alphanumeric, "appName": "Acme" });
        result(&cast.submit(&cast.backend, kind, &sub.org, parameters).await, kind);
        cast.app.deliver_due().await;
        let code = cast.app.last_code(ADA);
        assert_eq!((code.len(), code.bytes().all(|byte| byte.is_ascii_digit())), (length, digits), "{code}");
        cast.app.advance(minutes(20));
    }
    let start = cast.start(&sub.org, ADA).await;
    cast.app.advance(minutes(5));
    assert_eq!(refusal(&cast.redeem(&sub.org, &start, &Key::new(9)).await), wrong_code(), "five minutes");
}

#[tokio::test]
async fn the_sandbox_sends_nothing_and_takes_zeros() {
    let cast = Cast::new().await;
    for (kind, contact) in [("OTP_TYPE_EMAIL", "user@example.com"), ("OTP_TYPE_SMS", "+1 999-999-9999")] {
        let parameters = json!({ "otpType": kind, "contact": contact, "otpLength": 6, "alphanumeric": false });
        let made = result(&cast.submit(&cast.backend, Kind::InitOtp, &cast.org, parameters).await, Kind::InitOtp);
        assert_eq!(cast.app.deliver_due().await, 0, "nothing goes out");
        let verify = |code: &str| {
            let parameters = json!({ "otpId": made["otpId"], "otpCode": code });
            cast.submit(&cast.backend, Kind::VerifyOtp, &cast.org, parameters)
        };
        assert_eq!(refusal(&verify("000001").await), wrong_code());
        assert_eq!(verify("000000").await.status, 200);
    }
    // Of any other shape it is an address like others.
    let parameters =
        json!({ "otpType": "OTP_TYPE_EMAIL", "contact": "user@example.com", "otpLength": 7, "alphanumeric": false });
    result(&cast.submit(&cast.backend, Kind::InitOtp, &cast.org, parameters).await, Kind::InitOtp);
    assert_eq!(cast.app.messages("user@example.com"), 0);
    cast.app.deliver_due().await;
    assert_eq!(cast.app.messages("user@example.com"), 1);
    let sms = json!({ "otpType": "OTP_TYPE_SMS", "contact": "+4930123456" });
    assert_eq!(
        refusal(&cast.submit(&cast.backend, Kind::InitOtp, &cast.org, sms).await),
        (400, 3, "REQUEST_INVALID".to_owned())
    );
}

/// A contact is verified with the parent, signs up with its token, and logs in later with another one.
#[tokio::test]
async fn a_verified_contact_signs_up_and_logs_in() {
    let cast = Cast::new().await;
    let (token_key, session_key) = (Key::new(11), Key::new(12));
    let token = encrypted_token(&cast, &cast.org, ADA, &token_key).await;
    let user =
        json!({ "userName": "Ada", "userEmail": ADA, "apiKeys": [], "authenticators": [], "oauthProviders": [] });
    let message = json!({ "signupV2": { "email": ADA }, "tokenId": id_of(&token), "type": "USAGE_TYPE_SIGNUP" });
    let parameters = json!({ "subOrganizationName": "Ada", "rootUsers": [user], "rootQuorumThreshold": 1,
        "verificationToken": token, "clientSignature": client_signature(&cast, &token_key, &message.to_string()) });
    let kind = Kind::CreateSubOrganizationV8;
    let made = result(&cast.submit(&cast.backend, kind, &cast.org, parameters.clone()).await, kind);
    let sub = made["subOrganizationId"].as_str().unwrap().to_owned();
    let by_mail = json!({ "organizationId": cast.org, "filterType": "EMAIL", "filterValue": ADA });
    for query in ["list_suborgs", "list_verified_suborgs"] {
        assert_eq!(
            cast.query(&cast.backend, query, by_mail.clone()).await.json(),
            json!({ "organizationIds": [sub] }),
            "{query}"
        );
    }
    cast.app.advance(seconds(1));
    let again = cast.submit(&cast.backend, kind, &cast.org, parameters).await;
    assert_eq!(refusal(&again), (400, 3, "REQUEST_INVALID".to_owned()), "a token is spent once");

    let token = encrypted_token(&cast, &cast.org, ADA, &token_key).await;
    let login =
        json!({ "login": { "publicKey": session_key.public() }, "tokenId": id_of(&token), "type": "USAGE_TYPE_LOGIN" });
    let parameters = json!({ "verificationToken": token, "publicKey": session_key.public(),
        "clientSignature": client_signature(&cast, &token_key, &login.to_string()) });
    let answer = cast.submit(&cast.backend, Kind::OtpLoginV2, &sub, parameters).await;
    let session = result(&answer, Kind::OtpLoginV2)["session"].as_str().unwrap().to_owned();
    let claims = claims(&session);
    assert_eq!(claims["public_key"], session_key.public().as_str());
    assert_eq!((&claims["organization_id"], &claims["session_type"]), (&json!(sub), &json!("SESSION_TYPE_READ_WRITE")));
    assert_eq!(cast.whoami(&session_key, &sub).await.json()["organizationId"], sub.as_str());

    // Its own stamp is enough for another session.
    let next = Key::new(13);
    let parameters = json!({ "publicKey": next.public(), "invalidateExisting": true });
    result(&cast.submit(&session_key, Kind::StampLogin, &sub, parameters).await, Kind::StampLogin);
    assert_eq!(cast.whoami(&next, &sub).await.status, 200);
    assert_eq!(refusal(&cast.whoami(&session_key, &sub).await).2, "PUBLIC_KEY_NOT_FOUND", "it was told to go");
}

/// The flow of older clients: the code in the clear, a token of the old form.
#[tokio::test]
async fn a_code_in_the_clear_becomes_a_token_of_the_old_form() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let session = Key::new(12);
    let parameters = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA, "otpLength": 6 });
    let made = result(&cast.submit(&cast.backend, Kind::InitOtp, &cast.org, parameters).await, Kind::InitOtp);
    cast.app.deliver_due().await;
    let code = cast.app.last_code(ADA);
    let parameters = json!({ "otpId": made["otpId"], "otpCode": code });
    let verified = result(&cast.submit(&cast.backend, Kind::VerifyOtp, &cast.org, parameters).await, Kind::VerifyOtp);
    let token = verified["verificationToken"].as_str().unwrap();
    let said = claims(token);
    assert_eq!(said["exp"].as_i64().unwrap(), cast.app.now().millis() / 1000 + 600, "ten minutes without a key");
    let parameters = json!({ "verificationToken": token, "publicKey": session.public() });
    let answer = cast.submit(&cast.backend, Kind::OtpLogin, &sub.org, parameters).await;
    assert!(result(&answer, Kind::OtpLogin)["session"].is_string());
    assert_eq!(cast.whoami(&session, &sub.org).await.json()["userId"], sub.user.as_str());
}

#[tokio::test]
async fn an_attested_stamp_logs_in() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let (token_key, session) = (Key::new(11), Key::new(12));
    let token = encrypted_token(&cast, &cast.org, ADA, &token_key).await;
    let text = body(&cast.app, Kind::StampLogin, &sub.org, json!({ "publicKey": session.public() }));
    let send = |text: String, path: &'static str| {
        let stamp = attested(&cast, &token_key, &token, &text);
        let by = cast.app.from(HERE).saying("x-stamp-attested", &stamp);
        async move { by.send(Method::POST, path, text).await }
    };
    let first = send(text.clone(), "/public/v1/submit/stamp_login").await;
    result(&first, Kind::StampLogin);
    let again = send(text, "/public/v1/submit/stamp_login").await;
    assert_eq!(again.json()["activity"]["id"], first.json()["activity"]["id"], "the same body, the same activity");
    assert_eq!(cast.whoami(&session, &sub.org).await.json()["userId"], sub.user.as_str());
    cast.app.advance(seconds(1));
    let other = body(&cast.app, Kind::StampLogin, &sub.org, json!({ "publicKey": Key::new(14).public() }));
    assert_eq!(send(other, "/public/v1/submit/stamp_login").await.status, 400, "its token is spent");
    // It serves nothing else.
    let list = body(&cast.app, Kind::DeleteApiKeys, &sub.org, json!({ "userId": sub.user, "apiKeyIds": [sub.user] }));
    assert_eq!(send(list, "/public/v1/submit/delete_api_keys").await.status, 403);
    assert_eq!(send(json!({ "organizationId": sub.org }).to_string(), "/public/v1/query/whoami").await.status, 403);
}

#[tokio::test]
async fn keys_are_given_listed_and_ended() {
    let cast = Cast::new().await;
    let owner = Key::new(20);
    let sub = cast.sub(ADA, &[&owner]).await;
    let (second, short) = (Key::new(21), Key::new(22));
    let parameters = json!({ "userId": sub.user, "apiKeys": [second.given(None), short.given(Some("60"))] });
    let made = result(&cast.submit(&owner, Kind::CreateApiKeysV2, &sub.org, parameters).await, Kind::CreateApiKeysV2);
    let ids = made["apiKeyIds"].as_array().unwrap().clone();
    assert_eq!(cast.whoami(&second, &sub.org).await.status, 200);
    let one = cast.query(&second, "get_api_key", json!({ "organizationId": sub.org, "apiKeyId": ids[0] })).await.json();
    assert_eq!(
        one["apiKey"]["credential"],
        json!({ "publicKey": second.public(), "type": "CREDENTIAL_TYPE_API_KEY_P256" })
    );
    let user = cast.query(&owner, "get_user", json!({ "organizationId": sub.org, "userId": sub.user })).await.json();
    assert_eq!(user["user"]["apiKeys"].as_array().unwrap().len(), 3);
    assert_eq!(user["user"]["userEmail"], ADA);
    let users = cast.query(&cast.backend, "list_users", json!({ "organizationId": sub.org })).await.json();
    assert_eq!(users["users"][0], user["user"], "its parent may look");
    cast.app.advance(seconds(60));
    assert_eq!(refusal(&cast.whoami(&short, &sub.org).await).2, "API_KEY_EXPIRED");
    let parameters = json!({ "userId": sub.user, "apiKeyIds": [ids[0]] });
    result(&cast.submit(&second, Kind::DeleteApiKeys, &sub.org, parameters).await, Kind::DeleteApiKeys);
    assert_eq!(refusal(&cast.whoami(&second, &sub.org).await).2, "PUBLIC_KEY_NOT_FOUND");
    // It may be given again: as another credential.
    let parameters = json!({ "userId": sub.user, "apiKeys": [second.given(None)] });
    let made = result(&cast.submit(&owner, Kind::CreateApiKeysV2, &sub.org, parameters).await, Kind::CreateApiKeysV2);
    assert_ne!(made["apiKeyIds"][0], ids[0]);
    assert_eq!(cast.whoami(&second, &sub.org).await.status, 200);
}

#[tokio::test]
async fn a_session_is_sealed_to_whoever_asks() {
    let cast = Cast::new().await;
    let (owner, device) = (Key::new(20), Key::new(9));
    let sub = cast.sub(ADA, &[&owner]).await;
    let kind = Kind::CreateReadWriteSessionV2;
    let made = result(&cast.submit(&owner, kind, &sub.org, json!({ "targetPublicKey": device.target() })).await, kind);
    assert_eq!((&made["userId"], &made["organizationName"]), (&json!(sub.user), &json!(ADA)));
    let key = device.open(made["credentialBundle"].as_str().unwrap());
    assert_eq!(cast.whoami(&key, &sub.org).await.status, 200);
}

#[tokio::test]
async fn contacts_and_features_are_changed() {
    let cast = Cast::new().await;
    let owner = Key::new(20);
    let sub = cast.sub(ADA, &[&owner]).await;
    let kind = Kind::UpdateUserEmail;
    let parameters = json!({ "userId": sub.user, "userEmail": "countess@example.com" });
    assert_eq!(result(&cast.submit(&owner, kind, &sub.org, parameters).await, kind)["userId"], sub.user.as_str());
    let kind = Kind::UpdateUserPhoneNumber;
    result(
        &cast.submit(&owner, kind, &sub.org, json!({ "userId": sub.user, "userPhoneNumber": "+4930123456" })).await,
        kind,
    );
    let user = cast.query(&owner, "get_user", json!({ "organizationId": sub.org, "userId": sub.user })).await.json();
    assert_eq!(
        (&user["user"]["userEmail"], &user["user"]["userPhoneNumber"]),
        (&json!("countess@example.com"), &json!("+4930123456"))
    );

    let off = json!({ "name": "FEATURE_NAME_OTP_EMAIL_AUTH" });
    // Whoever was looked up a moment ago is looked up again.
    cast.whoami(&cast.backend, &sub.org).await;
    let kind = Kind::RemoveOrganizationFeature;
    let left = result(&cast.submit(&owner, kind, &sub.org, off.clone()).await, kind);
    assert_eq!(left["features"], json!([{ "name": "FEATURE_NAME_EMAIL_AUTH" }, { "name": "FEATURE_NAME_SMS_AUTH" }]));
    let ask = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": "countess@example.com", "appName": "Acme" });
    let refused = cast.submit(&cast.backend, Kind::InitOtpAuthV3, &sub.org, ask).await;
    assert_eq!(refusal(&refused), (403, 7, "API_OPERATIONS_DISABLED".to_owned()));
    let kind = Kind::SetOrganizationFeature;
    assert_eq!(result(&cast.submit(&owner, kind, &sub.org, off).await, kind)["features"].as_array().unwrap().len(), 3);
    // In an organisation of the top level it is off until somebody switches it on.
    let top = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA, "appName": "Acme" });
    assert_eq!(refusal(&cast.submit(&cast.backend, Kind::InitOtpAuthV3, &cast.org, top).await).0, 403);
}

#[tokio::test]
async fn lists_have_pages_and_filters() {
    let cast = Cast::new().await;
    let mut subs = Vec::new();
    for n in 0..5 {
        subs.push(cast.sub(&format!("somebody.{n}@example.com"), &[&Key::new(40 + n)]).await.org);
        cast.app.advance(seconds(1));
    }
    let list = |options: Value| {
        let body = json!({ "organizationId": cast.org, "paginationOptions": options });
        async { cast.query(&cast.backend, "list_suborgs", body).await.json()["organizationIds"].clone() }
    };
    assert_eq!(list(Value::Null).await, json!(subs));
    assert_eq!(list(json!({ "limit": "2" })).await, json!(subs[..2]));
    assert_eq!(list(json!({ "limit": "2", "after": subs[1] })).await, json!(subs[2..4]));
    assert_eq!(list(json!({ "before": subs[1] })).await, json!(subs[..1]));
    for (kind, value) in [
        ("NAME", "somebody.3@example.com".to_owned()),
        ("USERNAME", "somebody.3@example.com".to_owned()),
        ("EMAIL", "SOMEBODY.3@example.com".to_owned()),
        ("PUBLIC_KEY", Key::new(43).public()),
    ] {
        let body = json!({ "organizationId": cast.org, "filterType": kind, "filterValue": value });
        let found = cast.query(&cast.backend, "list_suborgs", body).await.json();
        assert_eq!(found, json!({ "organizationIds": [subs[3]] }), "{kind}");
    }
    let verified =
        json!({ "organizationId": cast.org, "filterType": "EMAIL", "filterValue": "somebody.3@example.com" });
    assert_eq!(
        cast.query(&cast.backend, "list_verified_suborgs", verified).await.json(),
        json!({ "organizationIds": [] })
    );

    let activities = |more: Value| {
        let mut body = json!({ "organizationId": cast.org });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        async {
            cast.query(&cast.backend, "list_activities", body).await.json()["activities"].as_array().unwrap().clone()
        }
    };
    let all = activities(json!({})).await;
    assert_eq!(all.len(), 5);
    assert!(all.is_sorted_by(|a, b| a["id"].as_str() > b["id"].as_str()), "the newest first");
    let page = activities(json!({ "paginationOptions": { "limit": "2", "before": all[1]["id"] } })).await;
    assert_eq!(page, all[2..4]);
    assert!(activities(json!({ "filterByType": ["ACTIVITY_TYPE_OTP_AUTH"] })).await.is_empty());
    assert_eq!(activities(json!({ "filterByStatus": ["ACTIVITY_STATUS_COMPLETED"] })).await.len(), 5);
}

#[tokio::test]
async fn the_public_halves_are_published() {
    let cast = Cast::new().await;
    let keys = cast.app.get("/public/v1/keys").await.json();
    let uses: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| key["use"].as_str().unwrap()).collect();
    assert_eq!(uses, ["verification", "old_verification", "session"]);
    let mut distinct: Vec<_> =
        keys["keys"].as_array().unwrap().iter().map(|key| key["public_key"].to_string()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 3, "each use has a key of its own");
}

/// A verification token for a contact, bound to a key, by way of a sealed code.
pub(crate) async fn encrypted_token(cast: &Cast, org: &str, email: &str, key: &Key) -> String {
    let parameters = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": email, "appName": "Acme" });
    let made = result(&cast.submit(&cast.backend, Kind::InitOtpV3, org, parameters).await, Kind::InitOtpV3);
    cast.app.deliver_due().await;
    let pinned = cast.app.get("/public/v1/keys").await.json()["keys"][0]["public_key"].as_str().unwrap().to_owned();
    let signer = PublicKey::parse(Curve::P256, &pinned).unwrap();
    let target = open_target(made["otpEncryptionTargetBundle"].as_str().unwrap(), &signer).unwrap();
    let entry = Entry { code: Secret::new(cast.app.last_code(email)), key: key.0.public() };
    let sealed = seal_code(&target, &entry, Secret::new([5; 32])).unwrap();
    let parameters = json!({ "otpId": made["otpId"], "encryptedOtpBundle": sealed });
    let answer = cast.submit(&cast.backend, Kind::VerifyOtpV2, org, parameters).await;
    cast.app.advance(seconds(1));
    result(&answer, Kind::VerifyOtpV2)["verificationToken"].as_str().unwrap().to_owned()
}

/// What a token says.
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

pub(crate) fn id_of(token: &str) -> String {
    claims(token)["id"].as_str().unwrap().to_owned()
}

/// The signature of a text by a key, in hexadecimal of DER: what stands in a stamp.
pub(crate) fn signature(cast: &Cast, key: &Key, text: &str) -> String {
    use base64::Engine as _;
    let stamp = key.0.stamp(text.as_bytes(), &cast.app.app.entropy.signing()).unwrap();
    let stamp = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(stamp).unwrap();
    serde_json::from_slice::<Value>(&stamp).unwrap()["signature"].as_str().unwrap().to_owned()
}

pub(crate) fn client_signature(cast: &Cast, key: &Key, message: &str) -> Value {
    json!({ "publicKey": key.public(), "scheme": "CLIENT_SIGNATURE_SCHEME_API_P256", "message": message,
        "signature": signature(cast, key, message) })
}

pub(crate) fn attested(cast: &Cast, key: &Key, token: &str, body: &str) -> String {
    json!({ "publicKeyAttestation": token, "scheme": "STAMP_ATTESTED_SCHEME_P256_VERIFICATION_TOKEN",
        "publicKey": key.public(), "signature": signature(cast, key, body) })
    .to_string()
}
