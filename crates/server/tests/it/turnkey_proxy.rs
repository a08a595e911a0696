//! The auth proxy: apps whose people have no key yet.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use doorcode::ops::{backups, signed};
use doorcode_core::Secret;
use doorcode_core::seal::turnkey::{Entry, open_target, seal_code};
use doorcode_core::stamp::{Curve, PublicKey};
use serde_json::{Value, json};

use crate::app::{Answer, Client, HERE, seconds};
use crate::turnkey::{client_signature, id_of};
use crate::turnkey_cast::*;

const ADA: &str = "ada@example.com";
const APP: &str = "https://app.example.com";

pub(crate) async fn cast() -> Cast {
    let cast = Cast::new().await;
    signed::set_origins(&cast.app.app, cast.org.parse().unwrap(), &[APP.to_owned()]).await.unwrap();
    cast
}

fn page<'a>(cast: &'a Cast, origin: &str) -> Client<'a> {
    cast.app.from(HERE).saying("x-auth-proxy-config-id", &cast.org).saying("origin", origin)
}

pub(crate) async fn call(cast: &Cast, name: &str, body: Value) -> Answer {
    page(cast, APP).post(&format!("/v1/{name}"), body).await
}

pub(crate) async fn good(cast: &Cast, name: &str, body: Value) -> Value {
    let answer = call(cast, name, body).await;
    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    assert_eq!(answer.header("access-control-allow-origin"), Some(APP));
    answer.json()
}

/// A token for a contact, in the clear, for a key if there is one.
pub(crate) async fn token(cast: &Cast, email: &str, key: Option<&Key>) -> String {
    cast.app.advance(seconds(1));
    let started = good(cast, "otp_init", json!({ "otpType": "OTP_TYPE_EMAIL", "contact": email })).await;
    assert_eq!(started.as_object().unwrap().len(), 1);
    cast.app.deliver_due().await;
    let code = cast.app.last_code(email);
    let body = json!({ "otpId": started["otpId"], "otpCode": code, "publicKey": key.map(Key::public) });
    good(cast, "otp_verify", body).await["verificationToken"].as_str().unwrap().to_owned()
}

/// In the order of a wallet kit that is in use.
#[tokio::test]
async fn somebody_signs_up_and_logs_in() {
    let cast = cast().await;
    let key = Key::new(11);
    let first = token(&cast, ADA, Some(&key)).await;
    let ask = json!({ "filterType": "EMAIL", "filterValue": ADA, "verificationToken": first });
    assert_eq!(good(&cast, "account", ask).await, json!({}));
    let given = json!([{ "apiKeyName": "k", "publicKey": key.public(), "curveType": "API_KEY_CURVE_P256" }]);
    let message =
        json!({ "signup": { "email": ADA, "apiKeys": given }, "tokenId": id_of(&first), "type": "USAGE_TYPE_SIGNUP" });
    let signature = client_signature(&cast, &key, &message.to_string());
    let body = json!({ "userEmail": ADA, "userName": "Ada", "organizationName": "Ada's", "verificationToken": first,
        "apiKeys": given, "authenticators": [], "oauthProviders": [], "clientSignature": signature });
    let made = good(&cast, "signup", body.clone()).await;
    let sub = made["organizationId"].as_str().unwrap();
    assert_eq!(cast.whoami(&key, sub).await.json()["userId"], made["userId"], "the key that it proved to have");
    assert_eq!(call(&cast, "signup", body).await.status, 400, "once");

    let (second, session) = (token(&cast, ADA, Some(&key)).await, Key::new(12));
    let ask = json!({ "filterType": "EMAIL", "filterValue": ADA, "verificationToken": second });
    assert_eq!(good(&cast, "account", ask).await, json!({ "organizationId": sub }));
    let message =
        json!({ "login": { "publicKey": session.public() }, "tokenId": id_of(&second), "type": "USAGE_TYPE_LOGIN" });
    let body = json!({ "verificationToken": second, "publicKey": session.public(),
        "clientSignature": client_signature(&cast, &key, &message.to_string()) });
    assert!(good(&cast, "otp_login", body).await["session"].is_string());
    assert_eq!(cast.whoami(&session, sub).await.json()["organizationId"], sub);
    let config = good(&cast, "wallet_kit_config", json!({})).await;
    assert_eq!(config["organizationId"], cast.org.as_str());
}

/// The flow without a key: who has just signed up logs in with the same token.
#[tokio::test]
async fn a_token_without_a_key_signs_up_and_logs_in_once_each() {
    let cast = cast().await;
    let (token, session) = (token(&cast, ADA, None).await, Key::new(12));
    let body = json!({ "userEmail": ADA, "verificationToken": token, "apiKeys": [], "authenticators": [], "oauthProviders": [] });
    let made = good(&cast, "signup", body).await;
    let login = json!({ "verificationToken": token, "publicKey": session.public() });
    good(&cast, "otp_login", login.clone()).await;
    assert_eq!(cast.whoami(&session, made["organizationId"].as_str().unwrap()).await.status, 200);
    cast.app.advance(seconds(1));
    assert_eq!(call(&cast, "otp_login", login).await.status, 400);
}

/// What nobody dates is of now: only what callers date has to wait.
#[tokio::test]
async fn it_serves_right_after_a_recovery() {
    let cast = cast().await;
    let old = token(&cast, ADA, None).await;
    backups::recover(&cast.app.app).await.unwrap();
    let sign_up = |token| json!({ "userEmail": ADA, "verificationToken": token, "apiKeys": [], "authenticators": [], "oauthProviders": [] });
    let refused = call(&cast, "signup", sign_up(old)).await;
    assert_eq!(refusal(&refused).2, "REQUEST_INVALID", "it was earned before");
    let fresh = token(&cast, ADA, None).await;
    assert!(good(&cast, "signup", sign_up(fresh)).await["organizationId"].is_string());
}

#[tokio::test]
async fn a_sealed_code_becomes_a_token() {
    let cast = cast().await;
    let key = Key::new(11);
    let started = good(&cast, "otp_init_v2", json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA })).await;
    cast.app.deliver_due().await;
    let pinned = cast.app.get("/public/v1/keys").await.json()["keys"][0]["public_key"].as_str().unwrap().to_owned();
    let signer = PublicKey::parse(Curve::P256, &pinned).unwrap();
    let target = open_target(started["otpEncryptionTargetBundle"].as_str().unwrap(), &signer).unwrap();
    let entry = Entry { code: Secret::new(cast.app.last_code(ADA)), key: key.0.public() };
    let sealed = seal_code(&target, &entry, Secret::new([5; 32])).unwrap();
    let verified =
        good(&cast, "otp_verify_v2", json!({ "otpId": started["otpId"], "encryptedOtpBundle": sealed })).await;
    let token = verified["verificationToken"].as_str().unwrap();
    let given = json!([{ "apiKeyName": "k", "publicKey": key.public(), "curveType": "API_KEY_CURVE_P256" }]);
    let message =
        json!({ "signupV2": { "email": ADA, "apiKeys": given }, "tokenId": id_of(token), "type": "USAGE_TYPE_SIGNUP" });
    let body = json!({ "userEmail": ADA, "verificationToken": token, "apiKeys": given,
        "clientSignature": client_signature(&cast, &key, &message.to_string()) });
    assert!(good(&cast, "signup_v2", body).await["organizationId"].is_string());
}

#[tokio::test]
async fn only_pages_of_the_list_and_only_for_whoever_let_them() {
    let cast = cast().await;
    let body = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA });
    let foreign = page(&cast, "https://evil.example.com").post("/v1/otp_init", body.clone()).await;
    assert_eq!((foreign.status, foreign.header("access-control-allow-origin")), (403, None));
    let (other, _) = organization(&cast.app, "Other", &Key::new(2)).await;
    for config in [other.as_str(), "nonsense", ""] {
        let by = cast.app.from(HERE).saying("x-auth-proxy-config-id", config).saying("origin", APP);
        assert_eq!(refusal(&by.post("/v1/otp_init", body.clone()).await).2, "REQUEST_NOT_AUTHORIZED", "{config}");
    }
    assert_eq!(cast.app.deliver_due().await, 0);
    let asked = page(&cast, APP)
        .saying("access-control-request-method", "POST")
        .send(Method::OPTIONS, "/v1/otp_init", "")
        .await;
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, Some(APP)));
    assert!(asked.header("access-control-allow-headers").unwrap().contains("X-Auth-Proxy-Config-ID"));
    let open = cast.app.from(HERE).saying("origin", APP).saying("access-control-request-method", "POST");
    assert_eq!(cast.app.from(HERE).send(Method::OPTIONS, "/v1/otp_init", "").await.status, 405, "only before a call");
    let open = open.send(Method::OPTIONS, "/public/v1/submit/otp_auth", "").await;
    assert_eq!((open.status, open.header("access-control-allow-origin")), (204, Some("*")));
    assert_eq!(cast.whoami(&cast.backend, &cast.org).await.header("access-control-allow-origin"), Some("*"));
    signed::set_origins(&cast.app.app, cast.org.parse().unwrap(), &[]).await.unwrap();
    assert_eq!(call(&cast, "otp_init", body).await.status, 403, "no longer");
    for bad in ["app.example.com", "https://app.example.com/", "https://a b", "javascript://x", "https://"] {
        assert!(
            signed::set_origins(&cast.app.app, cast.org.parse().unwrap(), &[bad.to_owned()]).await.is_err(),
            "{bad}"
        );
    }
}

/// The attacks: accounts are looked for, and made with others' keys and addresses.
#[tokio::test]
async fn nothing_is_said_or_made_without_proof() {
    let cast = cast().await;
    cast.sub(ADA, &[]).await;
    let (key, thief) = (Key::new(11), Key::new(30));
    for value in [ADA, "nobody@example.com"] {
        let ask = json!({ "filterType": "EMAIL", "filterValue": value });
        assert_eq!(good(&cast, "account", ask).await, json!({}), "{value}");
    }
    let mine = token(&cast, "mallory@example.com", Some(&key)).await;
    let ask = json!({ "filterType": "EMAIL", "filterValue": ADA, "verificationToken": mine });
    assert_eq!(good(&cast, "account", ask).await, json!({}), "a token for another contact");
    let given =
        |key: &Key| json!([{ "apiKeyName": "k", "publicKey": key.public(), "curveType": "API_KEY_CURVE_P256" }]);
    let body = |email: &str, keys: Value| {
        let message = json!({ "signup": { "email": email, "apiKeys": keys }, "tokenId": id_of(&mine), "type": "USAGE_TYPE_SIGNUP" });
        json!({ "userEmail": email, "verificationToken": mine, "apiKeys": keys,
            "clientSignature": client_signature(&cast, &key, &message.to_string()) })
    };
    assert_eq!(call(&cast, "signup", body(ADA, given(&key))).await.status, 400, "another's address");
    assert_eq!(
        call(&cast, "signup", body("mallory@example.com", given(&thief))).await.status,
        400,
        "a key that nobody proved to have"
    );
    let mut more = body("mallory@example.com", given(&key));
    more["userPhoneNumber"] = json!("+4930123456");
    assert_eq!(call(&cast, "signup", more).await.status, 400, "another contact besides");
    let bare = json!({ "userEmail": "mallory@example.com", "apiKeys": given(&key) });
    assert_eq!(call(&cast, "signup", bare).await.status, 400, "without a token");
    assert_eq!(cast.app.number("SELECT count(*) FROM orgs WHERE parent_id IS NOT NULL"), 1);
}

/// The attack: a stranger has their own text mailed to anybody, in the house's name.
#[tokio::test]
async fn a_strangers_words_are_not_mailed() {
    let cast = cast().await;
    let body = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA, "appName": "Evil Corp", "sendFromEmailSenderName": "Evil Corp",
        "emailCustomization": { "appName": "Evil Corp", "logoUrl": "https://evil.example.com", "templateVariables": "Evil Corp",
            "magicLinkTemplate": "https://evil.example.com/%s", "templateId": "evil" } });
    good(&cast, "otp_init", body).await;
    assert_eq!(cast.app.deliver_due().await, 1);
    let mails = cast.app.app.inbox.as_ref().unwrap().list(Some(ADA));
    let mail = mails[0].message();
    for text in [&mail.subject, mail.text.expose(), mail.html.expose()] {
        assert!(!text.is_empty() && !text.to_lowercase().contains("evil"), "{text}");
    }
    assert!(mail.link.is_none());
    assert!(mail.text.expose().contains(&cast.app.last_code(ADA)), "the code is in it");
}

/// Three tries a code, wherever they come from.
#[tokio::test]
async fn tries_are_of_the_code_whoever_tries() {
    let cast = cast().await;
    let started = good(&cast, "otp_init", json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA })).await;
    cast.app.deliver_due().await;
    let code = cast.app.last_code(ADA);
    let verify = |from: &'static str, code: String| {
        let by = cast.app.from(from).saying("x-auth-proxy-config-id", &cast.org);
        let body = json!({ "otpId": started["otpId"], "otpCode": code });
        async move { by.post("/v1/otp_verify", body).await }
    };
    for from in ["192.0.2.1", "198.51.100.1", "203.0.113.1"] {
        assert_eq!(refusal(&verify(from, crate::app::not(&code)).await), wrong_code());
    }
    assert_eq!(cast.app.counted("checks", "wrong"), 3);
    assert_eq!(refusal(&verify("192.0.2.99", code).await), wrong_code());
    assert_eq!(cast.app.counted("checks", "wrong"), 3, "it is not looked at");
}
