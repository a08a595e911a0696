//! Who sends to a push service, as the service checks it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorcode_core::push::Vapid;
use doorcode_core::token::SigningKey;
use doorcode_core::{MasterKey, Timestamp, Use};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::json;

use crate::random;

#[expect(clippy::unwrap_used, reason = "what helps a test may fail it")]
fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

#[test]
fn a_service_can_check_who_sends() {
    let master = MasterKey::from_parts("abcdefgh".parse().unwrap(), [9; 32]);
    let random = random();
    let vapid = Vapid::derive(master.kid(), &master.root(Use::Push), &random).unwrap();
    let until = Timestamp::from_millis(1_800_000_000_999);
    let said = vapid.authorization("https://push.example", "https://door.example", until, &random).unwrap();
    let (token, key) = said.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decoded(key));
    assert!(public.verify(signed.as_bytes(), &decoded(signature)).is_ok());
    let claims: serde_json::Value = serde_json::from_slice(&decoded(signed.split_once('.').unwrap().1)).unwrap();
    assert_eq!(claims, json!({ "aud": "https://push.example", "exp": 1_800_000_000, "sub": "https://door.example" }));
    let token_key = SigningKey::derive(master.kid(), &master.root(Use::Token), &random).unwrap();
    let x = |key: &SigningKey| serde_json::to_value(key.jwk()).unwrap()["x"].as_str().unwrap().to_owned();
    let ours = URL_SAFE_NO_PAD.encode(&decoded(key)[1..33]);
    assert_ne!(x(&token_key), ours, "a root of its own");
    assert_eq!(x(&SigningKey::derive(master.kid(), &master.root(Use::Push), &random).unwrap()), ours);
}
