//! Sealed keys by mail: they go to the person's address, and count from their first stamp.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use doorcode_core::activity::Kind;
use serde_json::{Value, json};

use crate::app::{minutes, seconds};
use crate::turnkey_cast::*;

const ADA: &str = "ada@example.com";

/// Has a key mailed to Ada, for a device.
async fn mail(cast: &Cast, sub: &Sub, device: &Key, more: Value) -> Value {
    let mut parameters =
        json!({ "email": ADA, "targetPublicKey": device.target(), "emailCustomization": { "appName": "Acme" } });
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = cast.submit(&cast.backend, Kind::EmailAuthV3, &sub.org, parameters).await;
    let made = result(&answer, Kind::EmailAuthV3);
    assert!(!answer.text().contains("credentialBundle"), "the bundle is mailed, never answered");
    cast.app.deliver_due().await;
    made
}

#[tokio::test]
async fn a_bundle_comes_by_mail_and_signs() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let device = Key::new(9);
    let made = mail(&cast, &sub, &device, json!({})).await;
    assert_eq!(made["userId"], sub.user.as_str());
    let key = device.open(&cast.app.last_code(ADA));
    assert_eq!(cast.whoami(&key, &cast.org).await.status, 401, "through the parent it is found once it has signed");
    assert_eq!(cast.whoami(&key, &sub.org).await.json()["userId"], sub.user.as_str());
    let keys = cast.query(&key, "get_api_keys", json!({ "organizationId": sub.org })).await.json();
    assert_eq!(keys["apiKeys"][0]["credential"]["type"], "CREDENTIAL_TYPE_EMAIL_AUTH_KEY_P256");
    cast.app.advance(minutes(15));
    assert_eq!(refusal(&cast.whoami(&key, &sub.org).await).2, "API_KEY_EXPIRED");
}

#[tokio::test]
async fn a_link_of_the_callers_goes_with_it() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let custom =
        json!({ "emailCustomization": { "appName": "Acme", "magicLinkTemplate": "https://acme.example.com/in#%s" } });
    mail(&cast, &sub, &Key::new(9), custom).await;
    let link = format!("https://acme.example.com/in#{}", cast.app.last_code(ADA));
    let mails = cast.app.app.inbox.as_ref().unwrap().list(Some(ADA));
    assert_eq!(mails[0].message().link.as_ref().unwrap().expose(), &link);
    let script = json!({ "email": ADA, "targetPublicKey": Key::new(9).target(),
        "emailCustomization": { "appName": "Acme", "magicLinkTemplate": "javascript:alert(%s)" } });
    let answer = cast.submit(&cast.backend, Kind::EmailAuthV3, &sub.org, script).await;
    assert!(answer.json()["message"].as_str().unwrap().starts_with("invalid magic link template"));
}

/// The attack: ten calls that nobody proved sign the person out.
#[tokio::test]
async fn a_mailed_key_is_inert_until_its_first_stamp() {
    let cast = Cast::new().await;
    let sub = cast.sub(ADA, &[]).await;
    let device = Key::new(9);
    let first = cast.sign_in(&sub.org, ADA, &device).await;
    mail(&cast, &sub, &device, json!({})).await;
    let old = device.open(&cast.app.last_code(ADA));
    assert_eq!(cast.whoami(&old, &sub.org).await.status, 200);
    mail(&cast, &sub, &device, json!({ "invalidateExisting": true })).await;
    let bundle = cast.app.last_code(ADA);
    assert_eq!(cast.whoami(&old, &sub.org).await.status, 200, "nobody has proved anything yet");
    let next = device.open(&bundle);
    assert_eq!(cast.whoami(&next, &sub.org).await.status, 200);
    assert_eq!(refusal(&cast.whoami(&old, &sub.org).await).2, "PUBLIC_KEY_NOT_FOUND", "now it is");
    assert_eq!(cast.whoami(&first, &sub.org).await.status, 200, "of its own kind only");
    cast.app.advance(seconds(1));
    let stranger = json!({ "email": "nobody@example.com", "targetPublicKey": device.target(), "emailCustomization": { "appName": "A" } });
    assert_eq!(cast.submit(&cast.backend, Kind::EmailAuthV3, &sub.org, stranger).await.status, 400);
    // A code that lives keeps its place.
    let start = cast.start(&sub.org, ADA).await;
    mail(&cast, &sub, &device, json!({})).await;
    result(&cast.redeem(&sub.org, &start, &device).await, Kind::OtpAuth);
}
