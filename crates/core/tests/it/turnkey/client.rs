//! Client signatures: who spends a verification token says for what, and nobody spends it for anything else.

use doorcode_core::activity::{Kind, Parameters};
use doorcode_core::seal::turnkey::{ClientSignature, Proof, Usage, Verification};
use doorcode_core::stamp::Refusal;
use doorcode_core::{ChallengeId, OrgId, hex};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use serde_json::{Map, Value, json};

use super::{ORG, START, key, text, verification};
use crate::random;
use crate::stamp::{P256, P256_WHOLE};

/// Signed by the key 0x33….
fn signed(message: &str, form: &'static EcdsaSigningAlgorithm) -> String {
    let public = hex::decode(P256_WHOLE, 65).unwrap();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(form, &[0x33; 32], &public, &random()).unwrap();
    hex::encode(pair.sign(&random(), message.as_bytes()).unwrap().as_ref())
}

fn signature(message: &str) -> Value {
    json!({ "publicKey": P256, "scheme": "CLIENT_SIGNATURE_SCHEME_API_P256", "message": message,
        "signature": signed(message, &ECDSA_P256_SHA256_FIXED_SIGNING) })
}

fn token() -> Verification {
    verification(Proof::Bound, Some(key(P256)))
}

fn login() -> Value {
    json!({ "verificationToken": "t", "publicKey": P256, "expirationSeconds": "900", "invalidateExisting": true,
        "clientSignature": signature("{}"), "sessionProfileId": null })
}

fn judge(usage: &Usage, signature: &Value, token: &Verification) -> Result<(), Refusal> {
    ClientSignature::of(signature.as_object().unwrap()).verify(token, usage)
}

fn login_usage(parameters: &Map<String, Value>) -> Usage {
    Usage::login(&Parameters::check(Kind::OtpLoginV2, parameters).unwrap(), ORG)
}

fn says(usage: &Usage, message: &Value) -> bool {
    judge(usage, &signature(&message.to_string()), &token()) == Ok(())
}

#[test]
fn a_login_says_its_token_and_its_key() {
    let parameters = login();
    let usage = login_usage(parameters.as_object().unwrap());
    let message = json!({ "login": { "publicKey": P256 }, "tokenId": START.to_string(), "type": "USAGE_TYPE_LOGIN" });
    assert!(says(&usage, &message));
    let mut der = signature(&message.to_string());
    der["signature"] = json!(signed(&message.to_string(), &ECDSA_P256_SHA256_ASN1_SIGNING));
    assert_eq!(judge(&usage, &der, &token()), Ok(()), "in DER too");
    let whole = json!({ "loginV2": { "organizationId": ORG.to_string(), "publicKey": P256, "invalidateExisting": true,
        "expirationSeconds": "900" }, "tokenId": START.to_string(), "type": "USAGE_TYPE_LOGIN" });
    assert!(says(&usage, &whole));

    let with = |name: &str, value: Value| {
        let mut other = message.clone();
        other[name] = value;
        other
    };
    for other in [
        with("tokenId", json!(ChallengeId::from_bytes([9; 16]).to_string())),
        with("tokenId", json!(null)),
        with("type", json!("USAGE_TYPE_SIGNUP")),
        with("login", json!({ "publicKey": P256_WHOLE })),
        with("login", json!({})),
        with("login", json!([P256])),
        with("login", json!({ "publicKey": P256, "organizationId": ORG.to_string() })),
        with("signupV2", json!({})),
        with("loginV2", whole["loginV2"].clone()),
        with("note", json!("hello")),
        json!([message]),
    ] {
        assert!(!says(&usage, &other), "{other}");
    }
    for (name, value) in [
        ("organizationId", json!(OrgId::from_bytes([9; 16]).to_string())),
        ("invalidateExisting", json!(false)),
        ("invalidateExisting", json!(null)),
        ("expirationSeconds", json!("901")),
        ("sessionProfileId", json!("x")),
    ] {
        let mut other = whole.clone();
        other["loginV2"][name] = value;
        assert!(!says(&usage, &other), "{name}");
    }
    let twice = message.to_string().replacen('{', "{\"tokenId\":\"x\",", 1);
    assert!(judge(&usage, &signature(&twice), &token()).is_err(), "two readers would read two ids");
}

/// The attack: the token leaks, and somebody signs for it with a key of their own, or shows a signature of the right key over something else.
#[test]
fn only_the_tokens_key_spends_it() {
    let parameters = login();
    let usage = login_usage(parameters.as_object().unwrap());
    let message = json!({ "login": { "publicKey": P256 }, "tokenId": START.to_string(), "type": "USAGE_TYPE_LOGIN" });
    let good = signature(&message.to_string());
    assert_eq!(judge(&usage, &good, &token()), Ok(()));
    let other = key("02515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f");
    assert_eq!(judge(&usage, &good, &verification(Proof::Bound, Some(other))), Err(Refusal::Token));
    assert_eq!(judge(&usage, &good, &verification(Proof::Old, None)), Err(Refusal::Token));
    for (name, value) in [
        ("publicKey", json!(other.to_hex())),
        ("publicKey", json!(null)),
        ("scheme", json!("SIGNATURE_SCHEME_TK_API_P256")),
        ("message", json!(message.to_string() + " ")),
        ("signature", json!("00".repeat(64))),
        ("signature", json!("")),
        ("signature", json!("zz")),
        ("signature", json!(signed("{}", &ECDSA_P256_SHA256_FIXED_SIGNING))),
    ] {
        let mut forged = good.clone();
        forged[name] = value;
        assert_eq!(judge(&usage, &forged, &token()), Err(Refusal::Token), "{name}");
    }
}

fn organisation() -> Value {
    json!({ "subOrganizationName": "Alice", "rootQuorumThreshold": 1, "verificationToken": "t", "wallet": null,
        "disableSmsAuth": true, "clientSignature": signature("{}"),
        "rootUsers": [{ "userName": "Alice", "userEmail": "alice@example.com", "userPhoneNumber": null, "authenticators": [],
            "oauthProviders": [], "apiKeys": [{ "apiKeyName": "k", "publicKey": P256, "curveType": "API_KEY_CURVE_P256" }] }] })
}

fn signup_usage(parameters: &Value) -> Option<Usage> {
    Usage::signup(&Parameters::check(Kind::CreateSubOrganizationV8, parameters.as_object().unwrap()).unwrap(), ORG)
}

#[test]
fn a_sign_up_says_every_key_and_contact_that_comes_of_it() {
    let parameters = organisation();
    let usage = signup_usage(&parameters).unwrap();
    let keys = &parameters["rootUsers"][0]["apiKeys"];
    let said = |form: &str, members: Value| json!({ form: members, "tokenId": START.to_string(), "type": "USAGE_TYPE_SIGNUP" });
    let full = json!({ "apiKeys": keys, "authenticators": [], "oauthProviders": [], "email": "alice@example.com" });
    let short = json!({ "email": "alice@example.com", "apiKeys": keys, "phoneNumber": null });
    for form in ["signup", "signupV2"] {
        assert!(says(&usage, &said(form, full.clone())) && says(&usage, &said(form, short.clone())));
    }
    let strict = json!({ "parentOrganizationId": ORG.to_string(), "subOrganizationName": "Alice", "disableSmsAuth": true,
        "rootUsers": parameters["rootUsers"], "rootQuorumThreshold": 1 });
    assert!(says(&usage, &said("signupV3", strict.clone())));

    let mut added = keys.clone();
    added.as_array_mut().unwrap().push(keys[0].clone());
    let mut renamed = keys.clone();
    renamed[0]["publicKey"] = json!(P256_WHOLE);
    for (name, value) in [
        ("apiKeys", added),
        ("apiKeys", renamed),
        ("apiKeys", json!([])),
        ("apiKeys", json!(null)),
        ("email", json!("eve@example.com")),
        ("email", json!(null)),
        ("phoneNumber", json!("+491701234567")),
        ("authenticators", json!([{}])),
        ("wallet", json!({})),
    ] {
        let mut other = full.clone();
        other[name] = value;
        assert!(!says(&usage, &said("signupV2", other)), "{name}");
    }
    let mut other = strict;
    other["subOrganizationName"] = json!("Eve");
    assert!(!says(&usage, &said("signupV3", other)));
    assert!(!says(&usage, &said("login", json!({ "publicKey": P256 }))));
}

/// The attack: a second root user rides along on a signature that can only speak of one.
#[test]
fn a_signature_of_one_user_brings_no_second() {
    let mut two = organisation();
    let user = two["rootUsers"][0].clone();
    two["rootUsers"].as_array_mut().unwrap().push(user);
    assert!(signup_usage(&two).is_none());
}

#[test]
fn a_shared_signature_is_taken() {
    let Some(vectors) = crate::vectors("turnkey-tokens.json") else { return };
    let theirs = &vectors["client_signature_login"];
    let claims = &vectors["verification_claims"];
    let token = Verification { id: text(&claims["id"]).parse().unwrap(), ..token() };
    let mut parameters = login();
    parameters["clientSignature"] = theirs.clone();
    let usage = login_usage(parameters.as_object().unwrap());
    assert_eq!(judge(&usage, theirs, &token), Ok(()));
    assert_eq!(judge(&usage, theirs, &super::verification(Proof::Bound, Some(key(P256)))), Err(Refusal::Token));
}
