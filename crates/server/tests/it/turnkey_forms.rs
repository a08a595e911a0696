//! The forms of calls that few clients send: keys of the other curves, a target in its short form, older versions, and the second version of the
//! proxy's calls.

use axum::http::Method;
use doorcode_core::activity::Kind;
use doorcode_core::stamp::{Curve, PublicKey, Scheme, Stamp};
use k256::ecdsa::signature::Signer as _;
use k256::ecdsa::signature::hazmat::PrehashSigner as _;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::app::{HERE, seconds};
use crate::turnkey::{client_signature, encrypted_token, id_of};
use crate::turnkey_cast::*;
use crate::turnkey_proxy as proxy;

const ADA: &str = "ada@example.com";

/// Who somebody is, by a stamp that was made elsewhere.
async fn whoami(cast: &Cast, org: &str, key: &PublicKey, scheme: Scheme, sign: impl Fn(&[u8]) -> Vec<u8>) -> Value {
    let body = json!({ "organizationId": org }).to_string();
    let stamp = Stamp::encode(key, scheme, &sign(body.as_bytes()));
    let by = cast.app.from(HERE).saying("x-stamp", &stamp);
    by.send(Method::POST, "/public/v1/query/whoami", body).await.json()["userId"].clone()
}

#[tokio::test]
async fn keys_of_every_curve_are_given_and_sign() {
    let cast = Cast::new().await;
    let owner = Key::new(20);
    let sub = cast.sub(ADA, &[&owner]).await;
    let edwards = Ed25519KeyPair::from_seed_unchecked(&[21; 32]).unwrap();
    let edwards_key = PublicKey::from_bytes(Curve::Ed25519, edwards.public_key().as_ref()).unwrap();
    let koblitz = k256::ecdsa::SigningKey::from_slice(&[22; 32]).unwrap();
    let koblitz_key =
        PublicKey::from_bytes(Curve::Secp256k1, koblitz.verifying_key().to_sec1_point(true).as_bytes()).unwrap();
    let given =
        |key: &PublicKey| json!({ "apiKeyName": "given", "publicKey": key.to_hex(), "curveType": key.curve().name() });
    let keys = json!({ "userId": sub.user, "apiKeys": [given(&edwards_key), given(&koblitz_key)] });
    result(&cast.submit(&owner, Kind::CreateApiKeysV2, &sub.org, keys).await, Kind::CreateApiKeysV2);

    let by_edwards = |body: &[u8]| edwards.sign(body).as_ref().to_vec();
    assert_eq!(whoami(&cast, &sub.org, &edwards_key, Scheme::Ed25519, by_edwards).await, sub.user.as_str());
    let by_koblitz = |body: &[u8]| {
        let signature: k256::ecdsa::Signature = koblitz.sign(body);
        signature.to_der().as_bytes().to_vec()
    };
    assert_eq!(whoami(&cast, &sub.org, &koblitz_key, Scheme::Secp256k1, by_koblitz).await, sub.user.as_str());
    let by_wallet = |body: &[u8]| {
        use sha3::Digest as _;
        let head = format!("\x19Ethereum Signed Message:\n{}", body.len());
        let digest = sha3::Keccak256::digest([head.as_bytes(), body].concat());
        let signature: k256::ecdsa::Signature = koblitz.sign_prehash(&digest).unwrap();
        signature.to_der().as_bytes().to_vec()
    };
    assert_eq!(whoami(&cast, &sub.org, &koblitz_key, Scheme::Secp256k1Eip191, by_wallet).await, sub.user.as_str());
    assert_eq!(
        whoami(&cast, &sub.org, &koblitz_key, Scheme::Secp256k1, by_wallet).await,
        Value::Null,
        "by another rule"
    );

    let listed = cast.query(&owner, "get_api_keys", json!({ "organizationId": sub.org })).await.json();
    let listed: Vec<_> = listed["apiKeys"].as_array().unwrap().iter().map(|key| key["credential"].clone()).collect();
    for (key, kind) in
        [(&edwards_key, "CREDENTIAL_TYPE_API_KEY_ED25519"), (&koblitz_key, "CREDENTIAL_TYPE_API_KEY_SECP256K1")]
    {
        assert!(listed.contains(&json!({ "publicKey": key.to_hex(), "type": kind })), "{listed:?}");
    }
}

#[tokio::test]
async fn a_target_may_come_in_its_short_form() {
    let cast = Cast::new().await;
    let (sub, device) = (cast.sub(ADA, &[]).await, Key::new(9));
    let start = cast.start(&sub.org, ADA).await;
    let parameters = json!({ "otpId": start.0, "otpCode": start.1, "targetPublicKey": device.public() });
    let got = result(&cast.submit(&cast.backend, Kind::OtpAuth, &sub.org, parameters).await, Kind::OtpAuth);
    let key = device.open(got["credentialBundle"].as_str().unwrap());
    assert_eq!(cast.whoami(&key, &sub.org).await.json()["userId"], sub.user.as_str());
}

#[tokio::test]
async fn older_versions_mail_a_key_too() {
    let cast = Cast::new().await;
    let (sub, device) = (cast.sub(ADA, &[]).await, Key::new(9));
    for kind in [Kind::EmailAuth, Kind::EmailAuthV2] {
        let parameters = json!({ "email": ADA, "targetPublicKey": device.target() });
        let answer = cast.submit(&cast.backend, kind, &sub.org, parameters).await;
        assert_eq!(result(&answer, kind)["userId"], sub.user.as_str());
        assert!(!answer.text().contains("credentialBundle"));
        cast.app.deliver_due().await;
        let key = device.open(&cast.app.last_code(ADA));
        assert_eq!(cast.whoami(&key, &sub.org).await.json()["userId"], sub.user.as_str());
        cast.app.advance(seconds(1));
    }
}

/// The attack: a token whose code went through other hands makes an account by the call that demands one whose code was sealed.
#[tokio::test]
async fn the_newest_sign_up_takes_no_token_of_a_code_in_the_clear() {
    let cast = proxy::cast().await;
    let key = Key::new(11);
    let old = proxy::token(&cast, ADA, Some(&key)).await;
    let sealed = encrypted_token(&cast, &cast.org, ADA, &key).await;
    let sign_up = async |kind: Kind, token: &str| {
        let user = json!({ "userName": "Ada", "userEmail": ADA, "apiKeys": [key.given(None)], "authenticators": [], "oauthProviders": [] });
        let message = json!({ "signupV2": { "email": ADA, "apiKeys": [key.given(None)] }, "tokenId": id_of(token), "type": "USAGE_TYPE_SIGNUP" });
        let parameters = json!({ "subOrganizationName": "Ada's", "rootUsers": [user], "rootQuorumThreshold": 1, "verificationToken": token,
            "clientSignature": client_signature(&cast, &key, &message.to_string()) });
        cast.submit(&cast.backend, kind, &cast.org, parameters).await
    };
    let refused = sign_up(Kind::CreateSubOrganizationV8, &old).await;
    assert_eq!((refused.status, refusal(&refused).2.as_str()), (400, "REQUEST_INVALID"));
    let kind = Kind::CreateSubOrganizationV8;
    assert!(result(&sign_up(kind, &sealed).await, kind)["subOrganizationId"].is_string());
    let kind = Kind::CreateSubOrganizationV7;
    assert!(result(&sign_up(kind, &old).await, kind)["subOrganizationId"].is_string(), "an older one takes it");
}

#[tokio::test]
async fn the_proxys_second_login_says_all_that_was_signed() {
    let cast = proxy::cast().await;
    let (key, session) = (Key::new(11), Key::new(12));
    let sub = cast.sub(ADA, &[]).await;
    let start = cast.start(&sub.org, ADA).await;
    result(&cast.redeem(&sub.org, &start, &Key::new(9)).await, Kind::OtpAuth);
    let token = encrypted_token(&cast, &cast.org, ADA, &key).await;
    let login = async |signed: bool, asked: bool| {
        let said = json!({ "organizationId": sub.org, "publicKey": session.public(), "invalidateExisting": signed });
        let message = json!({ "loginV2": said, "tokenId": id_of(&token), "type": "USAGE_TYPE_LOGIN" });
        let body = json!({ "verificationToken": token, "organizationId": sub.org, "publicKey": session.public(),
            "invalidateExisting": asked, "clientSignature": client_signature(&cast, &key, &message.to_string()) });
        proxy::call(&cast, "otp_login_v2", body).await
    };
    assert_eq!(login(false, true).await.status, 400, "it would end what its user did not sign away");
    let bare = json!({ "verificationToken": token, "publicKey": session.public() });
    assert_eq!(proxy::call(&cast, "otp_login_v2", bare).await.status, 400, "nothing was signed");
    let answer = login(true, true).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["session"].is_string());
    assert_eq!(cast.whoami(&session, &sub.org).await.json()["userId"], sub.user.as_str());
    cast.app.advance(seconds(1));
    assert_eq!(login(true, true).await.status, 400, "once");
}
