//! Tokens: what is signed here is read here, and nothing else is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorcode_core::token::{Claims, SigningKey, Typ, kid_of};
use doorcode_core::{Kid, MasterKey, Timestamp, Use};
use serde_json::{Value, json};

use crate::random;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn key(name: u8) -> SigningKey {
    let kid = Kid::pick([name; 8]);
    let root = MasterKey::from_parts(kid, [name + 1; 32]).root(Use::Token);
    SigningKey::derive(kid, &root, &random()).unwrap()
}

fn claims() -> Claims {
    Claims {
        iss: "https://codes.example.com".to_owned(),
        aud: "01890000-0000-7000-8000-000000000000".to_owned(),
        sub: "ada@example.com".to_owned(),
        jti: "01890000-0000-7000-8000-000000000001".to_owned(),
        iat: NOW.millis() / 1000,
        exp: NOW.millis() / 1000 + 300,
        amr: vec!["otp".to_owned()],
        challenge_id: Some("01890000-0000-7000-8000-000000000001".to_owned()),
        email: Some("ada@example.com".to_owned()),
        email_verified: Some(true),
        org_id: None,
        sid: None,
        nonce: None,
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[test]
fn what_was_signed_is_read_until_it_is_over() {
    let (key, claims) = (key(1), claims());
    let token = key.sign(Typ::Verification, &claims, &random()).unwrap();
    assert_eq!(kid_of(&token), Some(key.kid()));
    assert_eq!(key.verify(&token, NOW).as_ref(), Some(&claims));
    let end = Timestamp::from_millis(claims.exp * 1000);
    assert!(key.verify(&token, Timestamp::from_millis(end.millis() - 1)).is_some());
    assert!(key.verify(&token, end).is_none(), "RFC 7519 section 4.1.4: on or after");
}

#[test]
fn the_same_master_key_gives_the_same_signing_key_and_another_one_another() {
    assert_eq!(key(1).jwk(), key(1).jwk());
    assert_ne!(key(1).jwk(), key(2).jwk());
    let token = key(1).sign(Typ::Verification, &claims(), &random()).unwrap();
    assert!(key(1).verify(&token, NOW).is_some() && key(2).verify(&token, NOW).is_none());
    // Worked out from the same bytes with Python's hmac and integers: HKDF, HMAC, and the point by RFC 6090.
    let jwk = serde_json::to_value(key(1).jwk()).unwrap();
    let expected = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "11111111",
        "x": "BbHw_Y-N8Q42Gep3y4wPfbHdQD9PGQFXR2-WrZK9PfI", "y": "jsRibolaOJA2NDlq612uKAvt8YMKKGHITJtVGwFKVqo" });
    assert_eq!(jwk, expected);
}

#[test]
fn nothing_that_was_changed_is_read() {
    let key = key(1);
    let token = key.sign(Typ::Verification, &claims(), &random()).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let mut other = serde_json::to_value(claims()).unwrap();
    other["sub"] = json!("eve@example.com");
    let forged = format!("{}.{}.{}", parts[0], part(&other), parts[2]);
    assert!(key.verify(&forged, NOW).is_none());
    let mut longer = token.clone();
    longer.push('A');
    let upto = &token[..token.len() - 2];
    for wrong in [longer.as_str(), upto, &format!("{}.{}.", parts[0], parts[1]), "", ".", "..", "a.b.c", "é.é.é"] {
        assert!(key.verify(wrong, NOW).is_none(), "{wrong}");
    }
}

#[test]
fn no_other_algorithm_and_no_other_header_is_taken() {
    let kid = key(1).kid().to_string();
    let body = part(&serde_json::to_value(claims()).unwrap());
    for header in [
        json!({ "alg": "none", "kid": kid, "typ": "JWT" }),
        json!({ "alg": "None", "kid": kid, "typ": "JWT" }),
        json!({ "alg": "HS256", "kid": kid, "typ": "JWT" }),
        json!({ "alg": "es256", "kid": kid, "typ": "JWT" }),
        json!({ "alg": "ES256", "kid": kid, "typ": "JWT", "jku": "https://evil.example" }),
        json!({ "alg": "ES256", "kid": kid, "typ": "JWT", "crit": ["b64"], "b64": false }),
        json!({ "alg": "ES256", "kid": "../../etc/passwd", "typ": "JWT" }),
        json!({ "alg": "ES256", "typ": "JWT" }),
        json!({ "alg": "ES256", "kid": kid, "typ": "at+jwt" }),
        json!(["ES256", kid, "JWT"]),
    ] {
        let token = format!("{}.{body}.AAAA", part(&header));
        assert_eq!(kid_of(&token), None, "{header}");
    }
    let unsigned = format!("{}.{body}.", part(&json!({ "alg": "ES256", "kid": kid, "typ": "JWT" })));
    assert!(kid_of(&unsigned).is_some() && key(1).verify(&unsigned, NOW).is_none());
    assert_eq!(kid_of(&"a".repeat(5000)), None);
}
