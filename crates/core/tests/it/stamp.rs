//! Stamps: those of real signers verify, and nothing else does. The signatures here were made with Python's integers; RFC 8032 has that of
//! Ed25519.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use doorcode_core::stamp::{
    BodyPrint, Curve, Presented, PublicKey, Refusal, RelyingParty, Scheme, Stamp, WebauthnStamp,
};
use doorcode_core::{OrgId, Use, hex};
use proptest::prelude::*;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{master, vectors};

pub const P256: &str = "0351a7580833898ea1b183cbd7350a4099078c6ef1c1e18e970cd7683035f25e7d";
pub const P256_WHOLE: &str = "0451a7580833898ea1b183cbd7350a4099078c6ef1c1e18e970cd7683035f25e7d\
                              0110522712b0b5a7cff081685486984a94e6831edac46e7360fa9d834a7a81a1";
const K256: &str = "023c72addb4fdf09af94f0c94d7fe92a386a7e70cf8a1d85916386bb2535c7b1b1";
const K256_WHOLE: &str = "043c72addb4fdf09af94f0c94d7fe92a386a7e70cf8a1d85916386bb2535c7b1b1\
                          3b306b0fe085665d8fc1b28ae1676cd3ad6e08eaeda225fe38d0da4de55703e0";
const ED25519: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

/// Over `hello world`, with the lower `s` and with the higher.
const P256_SIGNED: [&str; 2] = [
    "30440220471c3e758c4904285bba7e53118ed0f524adeb0757d25bd2f8e7b0d76dfa714c\
     02204ec1c43466e8b24d94114317ef628e81ab710f8c949024a01a195d3dc772b618",
    "30450220471c3e758c4904285bba7e53118ed0f524adeb0757d25bd2f8e7b0d76dfa714c\
     022100b13e3bca99174db36beebce8109d717e1175eb21128779e4d9a06d8534f06f39",
];
const K256_SIGNED: [&str; 2] = [
    "3045022100bb50e2d89a4ed70663d080659fe0ad4b9bc3e06c17a227433966cb59ceee020d\
     0220460c62da279954d7c3dcf193a7d5776a1c6364209a2717af879a88fd56b3aa35",
    "3046022100bb50e2d89a4ed70663d080659fe0ad4b9bc3e06c17a227433966cb59ceee020d\
     022100b9f39d25d866ab283c230e6c582a88949e4b78c61521888c3837d58f7982970c",
];
const WALLET_SIGNED: [&str; 2] = [
    "3045022100bb50e2d89a4ed70663d080659fe0ad4b9bc3e06c17a227433966cb59ceee020d\
     0220793c7ea826a65f960b09b349cf1a69fd16cafc0db846049d58339f7d2fec7f03",
    "3046022100bb50e2d89a4ed70663d080659fe0ad4b9bc3e06c17a227433966cb59ceee020d\
     02210086c38157d959a069f4f64cb630e59601a3e3e0d8f7029b9e679ebf0fa049c23e",
];
/// RFC 8032 section 7.1, test 2: over the one byte 0x72.
const ED25519_SIGNED: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                              085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

fn object(key: &str, scheme: &str, signature: &str) -> Value {
    json!({ "publicKey": key, "scheme": format!("SIGNATURE_SCHEME_TK_API_{scheme}"), "signature": signature })
}

fn header(object: &Value) -> String {
    URL_SAFE_NO_PAD.encode(object.to_string())
}

fn judge(header: &str, body: &[u8]) -> Result<(), Refusal> {
    Stamp::parse(header)?.verify(body)
}

#[test]
fn every_scheme_verifies_with_either_s() {
    for signature in P256_SIGNED {
        for key in [P256, P256_WHOLE, &P256.to_uppercase()] {
            assert_eq!(judge(&header(&object(key, "P256", signature)), b"hello world"), Ok(()), "{key}");
        }
        assert_eq!(judge(&header(&object(P256, "P256", signature)), b"hello world "), Err(Refusal::NotVerified));
    }
    for (signed, scheme) in [(K256_SIGNED, "SECP256K1"), (WALLET_SIGNED, "SECP256K1_EIP191")] {
        for signature in signed {
            for key in [K256, K256_WHOLE] {
                assert_eq!(judge(&header(&object(key, scheme, signature)), b"hello world"), Ok(()), "{scheme}");
            }
            assert_eq!(judge(&header(&object(K256, scheme, signature)), b"hello"), Err(Refusal::NotVerified));
        }
    }
    let other = header(&object(K256, "SECP256K1", WALLET_SIGNED[0]));
    assert_eq!(judge(&other, b"hello world"), Err(Refusal::NotVerified), "a wallet's message is another one");
    assert_eq!(judge(&header(&object(ED25519, "ED25519", ED25519_SIGNED)), b"r"), Ok(()));
    assert_eq!(judge(&header(&object(ED25519, "ED25519", ED25519_SIGNED)), b""), Err(Refusal::NotVerified));
}

#[test]
fn every_shared_vector_verifies_and_those_that_must_not_do_not() {
    let Some(vectors) = vectors("turnkey-stamps.json") else { return };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let stamps = vectors["stamps"].as_array().unwrap();
    assert!(stamps.iter().filter(|stamp| stamp["high_s"] == true).count() >= 2);
    for stamp in stamps {
        let (body, value) = (text(&stamp["body"]), text(&stamp["header_value"]));
        let read = Stamp::parse(&value).unwrap();
        assert_eq!(read.verify(body.as_bytes()), Ok(()), "{}", stamp["made_by"]);
        assert_eq!(read.key().to_hex(), text(&stamp["decoded"]["publicKey"]));
        assert_eq!(read.scheme().name(), text(&stamp["decoded"]["scheme"]));
        assert_eq!(read.signature(), text(&stamp["decoded"]["signature"]));
        assert_eq!(hex::encode(BodyPrint::of(body.as_bytes()).as_bytes()), text(&stamp["body_sha256"]));
        for at in [0, body.len() / 2, body.len() - 1] {
            let mut changed = body.clone().into_bytes();
            changed[at] ^= 1;
            assert_eq!(read.verify(&changed), Err(Refusal::NotVerified));
        }
    }
    for bad in vectors["must_be_rejected"].as_array().unwrap() {
        let judged = judge(&text(&bad["header_value"]), text(&bad["body"]).as_bytes());
        assert_eq!(judged, Err(Refusal::NotVerified), "{}", bad["why"]);
    }
    let sample = &vectors["production_sample"];
    let body = text(&sample["body"]);
    assert_eq!(BodyPrint::of(body.as_bytes()).to_string(), text(&sample["fingerprint"]));
    let key = PublicKey::parse(Curve::P256, &text(&sample["public_key"])).unwrap();
    assert!(key.verify(body.as_bytes(), &hex::decode(&text(&sample["signature_der_hex"]), 72).unwrap()));
}

#[test]
fn a_header_may_be_padded_spaced_and_in_any_order() {
    let key = format!(
        "{{ \"signature\" : \"{}\",\n\"scheme\":\"SIGNATURE_SCHEME_TK_API_P256\", \"publicKey\": \"{P256}\"}}",
        P256_SIGNED[0]
    );
    for length in 0..3 {
        let spaced = format!("{key}{}", " ".repeat(length));
        for value in
            [URL_SAFE_NO_PAD.encode(&spaced), URL_SAFE.encode(&spaced), format!(" {} ", URL_SAFE.encode(&spaced))]
        {
            assert_eq!(judge(&value, b"hello world"), Ok(()));
        }
    }
    let mut more = object(P256, "P256", P256_SIGNED[0]);
    more["version"] = json!(2);
    assert_eq!(judge(&header(&more), b"hello world"), Ok(()), "what nobody reads changes nothing");
}

#[test]
fn our_own_stamp_is_read() {
    let key = PublicKey::parse(Curve::P256, P256_WHOLE).unwrap();
    let signature = hex::decode(P256_SIGNED[1], 72).unwrap();
    let value = Stamp::encode(&key, Scheme::P256, &signature);
    let read = Stamp::parse(&value).unwrap();
    assert_eq!(read.verify(b"hello world"), Ok(()));
    assert_eq!((read.key(), read.scheme(), read.signature().as_str()), (&key, Scheme::P256, P256_SIGNED[1]));
    assert!(!value.contains('=') && !value.contains('+') && !value.contains('/'));
}

#[test]
fn what_is_no_stamp_is_malformed() {
    let good = object(P256, "P256", P256_SIGNED[0]);
    let text = good.to_string();
    let twice = text.replacen('{', &format!("{{\"publicKey\":\"{P256}\","), 1);
    let deep = format!("{}{}", text.trim_end_matches('}'), ",\"x\":[]}");
    for bad in [
        String::new(),
        text.clone(),
        "{".repeat(900),
        STANDARD.encode(format!("{text}???>>>")),
        format!("{}=A", URL_SAFE_NO_PAD.encode(&text)),
        format!("{}\u{0}", URL_SAFE_NO_PAD.encode(&text)),
        format!("{},{}", URL_SAFE_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)),
        URL_SAFE_NO_PAD.encode(format!("[{text}]")),
        URL_SAFE_NO_PAD.encode(format!("{text}{text}")),
        URL_SAFE_NO_PAD.encode("null"),
        URL_SAFE_NO_PAD.encode([0xff, 0xfe]),
        URL_SAFE_NO_PAD.encode(&twice),
        URL_SAFE_NO_PAD.encode(&deep),
        URL_SAFE_NO_PAD.encode(format!("{}{text}", " ".repeat(1000))),
        "A".repeat(10_000_000),
        "é".to_owned(),
    ] {
        assert_eq!(Stamp::parse(&bad), Err(Refusal::Malformed), "{}", &bad[..bad.len().min(60)]);
    }
}

#[test]
fn what_has_no_key_scheme_or_signature_is_unreadable() {
    let zero = "00".repeat(33);
    let good = object(P256, "P256", P256_SIGNED[0]);
    let refused = |object: &Value| assert_eq!(Stamp::parse(&header(object)), Err(Refusal::Unreadable), "{object}");
    for name in ["publicKey", "scheme", "signature"] {
        for value in [json!(null), json!(1), json!(""), json!(true), json!("0x00"), json!("zz")] {
            let mut other = good.clone();
            other[name] = value;
            refused(&other);
        }
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(name);
        refused(&without);
    }
    let off_curve = P256_WHOLE.replace("a81a1", "a81a2");
    let (compact, hybrid) = (format!("05{}", &P256[2..]), format!("07{}", &P256_WHOLE[2..]));
    for key in [&zero, "00", "02", &P256[..64], &format!("{P256}00"), &off_curve, &compact, &hybrid, &P256_WHOLE[..128]]
    {
        refused(&object(key, "P256", P256_SIGNED[0]));
    }
    let beyond = format!("02{}", "ff".repeat(32));
    refused(&object(&beyond, "P256", P256_SIGNED[0]));
    refused(&object(&beyond, "SECP256K1", K256_SIGNED[0]));
    refused(&object(&format!("04{}", "00".repeat(64)), "P256", P256_SIGNED[0]));
    refused(&object(ED25519, "P256", P256_SIGNED[0]));
    refused(&object(P256, "ED25519", ED25519_SIGNED));
    refused(&object(P256, "P384", P256_SIGNED[0]));
    refused(&object(P256, "P256", &"00".repeat(73)));
    refused(&object(P256, "P256", "303"));
}

/// The attack: a key of small order with which a signature over one message is one over every message.
#[test]
fn weak_points_of_ed25519_are_no_keys() {
    let order_four = "00".repeat(32);
    let identity = format!("01{}", "00".repeat(31));
    let minus_one = format!("ec{}7f", "ff".repeat(30));
    let spelled_twice = format!("ee{}7f", "ff".repeat(30));
    let order_eight = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    for key in [&order_four, &identity, &minus_one, &spelled_twice, order_eight] {
        assert!(PublicKey::parse(Curve::Ed25519, key).is_none(), "{key}");
        assert_eq!(Stamp::parse(&header(&object(key, "ED25519", ED25519_SIGNED))), Err(Refusal::Unreadable));
    }
    assert!(PublicKey::parse(Curve::Ed25519, ED25519).is_some());
}

/// The attack: numbers that a careless verifier takes for anybody's signature.
#[test]
fn signatures_of_zeros_and_of_the_order_are_none() {
    let order = "00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    for signature in [
        "3006020100020100".to_owned(),
        "3006020101020100".to_owned(),
        "3006020100020101".to_owned(),
        format!("30460221{order}0221{order}"),
        P256_SIGNED[0].replacen("3044", "3045", 1),
        format!("{}00", P256_SIGNED[0]),
        "00".repeat(64),
        ED25519_SIGNED.to_owned(),
    ] {
        for (key, scheme) in [(P256, "P256"), (K256, "SECP256K1"), (K256, "SECP256K1_EIP191"), (ED25519, "ED25519")] {
            let judged = judge(&header(&object(key, scheme, &signature)), b"hello world");
            assert_eq!(judged, Err(Refusal::NotVerified), "{scheme} {signature}");
        }
    }
    let negative = P256_SIGNED[1].replacen("022100b1", "0220b1", 1).replacen("3045", "3044", 1);
    assert_eq!(judge(&header(&object(P256, "P256", &negative)), b"hello world"), Err(Refusal::NotVerified));
}

#[test]
fn a_key_has_one_form_on_its_curve() {
    for (curve, short, long) in [(Curve::P256, P256, P256_WHOLE), (Curve::Secp256k1, K256, K256_WHOLE)] {
        let (one, other) = (PublicKey::parse(curve, short).unwrap(), PublicKey::parse(curve, long).unwrap());
        assert!(one == other && one.to_hex() == short && one.to_bytes().len() == 33 && one.curve() == curve);
        assert_eq!(PublicKey::from_bytes(curve, &one.to_bytes()), Some(one));
        assert_eq!(format!("{one:?}"), short);
    }
    let ours = PublicKey::parse(Curve::P256, P256).unwrap();
    assert_eq!(hex::encode(ours.uncompressed().unwrap()), P256_WHOLE);
    assert!(!ours.verify_fixed(b"hello world", &[0; 64]));
    for curve in [Curve::P256, Curve::Secp256k1, Curve::Ed25519] {
        assert_eq!(Curve::of_name(curve.name()), Some(curve));
        assert!(curve.credential_type().ends_with(curve.name().trim_start_matches("API_KEY_CURVE_")));
    }
}

#[test]
fn a_fingerprint_says_nothing_of_the_body_where_it_is_kept() {
    let print = BodyPrint::of(b"{\"otpCode\":\"123456\"}");
    let root = master().root(Use::Activity);
    let (org, other) = (OrgId::from_bytes([1; 16]), OrgId::from_bytes([2; 16]));
    assert_ne!(&print.keyed(&root, org), print.as_bytes());
    assert_ne!(print.keyed(&root, org), print.keyed(&root, other), "nothing is found in another organisation");
    assert_eq!(print.keyed(&root, org), print.keyed(&root, org));
    assert!(!format!("{print:?}").contains(&hex::encode(print.as_bytes())));
    assert_eq!(print.to_string().len(), 7 + 64);
}

#[test]
fn refusals_say_what_clients_look_for() {
    let all = [
        (
            Refusal::Missing { activity: true },
            16,
            "SIGNATURE_MISSING",
            "cannot authenticate public API activity request without a stamp",
        ),
        (Refusal::Missing { activity: false }, 16, "SIGNATURE_MISSING", "no valid authentication signature found"),
        (Refusal::NotVerified, 16, "SIGNATURE_INVALID", "could not verify api key signature"),
        (Refusal::Malformed, 16, "SIGNATURE_INVALID", "malformed activity stamp"),
        (Refusal::Unreadable, 16, "SIGNATURE_INVALID", "could not extract api key stamp"),
        (Refusal::UnknownKey, 16, "PUBLIC_KEY_NOT_FOUND", "could not find public key in organization or its parent"),
        (Refusal::ExpiredKey, 16, "API_KEY_EXPIRED", "expired api key"),
        (Refusal::MalformedOrganization, 3, "INVALID_ORGANIZATION_ID", "malformed organization ID provided"),
        (Refusal::UnknownOrganization, 5, "ORGANIZATION_NOT_FOUND", "no organization found with the given ID"),
        (Refusal::Request { field: "x", why: "is y" }, 3, "REQUEST_INVALID", "bad request body: x is y"),
        (Refusal::WrongCode, 3, "INVALID_OTP_CODE", "Invalid OTP code"),
        (Refusal::TooManyStarts, 3, "MAX_OTP_INITIATED", "Max number of OTPs have been initiated please wait"),
        (Refusal::TooManyKeys, 8, "RATE_LIMIT_EXCEEDED", "user has exceeded maximum long-lived api keys"),
        (Refusal::NotAuthorized, 7, "REQUEST_NOT_AUTHORIZED", "request not authorized"),
    ];
    for (refusal, code, name, text) in all {
        assert!(refusal.to_string().starts_with(text), "{refusal}");
        assert_eq!((refusal.code(), refusal.name()), (code, name), "{refusal}");
    }
}

/// What an authenticator gives for a body, on a page.
fn passkey(body: &[u8], change: impl Fn(&mut Value, &mut Vec<u8>)) -> (WebauthnStamp, PublicKey) {
    let random = crate::random();
    let key = EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &[0x33; 32],
        &hex::decode(P256_WHOLE, 65).unwrap(),
        &random,
    );
    let challenge = URL_SAFE_NO_PAD.encode(hex::encode(&Sha256::digest(body)));
    let mut client =
        json!({ "type": "webauthn.get", "challenge": challenge, "origin": "https://a.example", "crossOrigin": false });
    let mut data = [Sha256::digest("a.example").as_slice(), &[5, 0, 0, 0, 1]].concat();
    change(&mut client, &mut data);
    let client = client.to_string();
    let signature = key.unwrap().sign(&random, &[data.as_slice(), &Sha256::digest(&client)].concat()).unwrap();
    let stamp = json!({
        "credentialId": URL_SAFE_NO_PAD.encode("id"), "authenticatorData": URL_SAFE_NO_PAD.encode(data),
        "clientDataJson": URL_SAFE.encode(client), "signature": URL_SAFE_NO_PAD.encode(signature.as_ref()),
    });
    (WebauthnStamp::parse(&stamp.to_string()).unwrap(), PublicKey::parse(Curve::P256, P256).unwrap())
}

#[test]
fn a_passkey_signs_for_its_own_page_and_body_only() {
    const PARTY: RelyingParty<'static> = RelyingParty { id: "a.example", origins: &["https://a.example"] };
    let judge = |change: fn(&mut Value, &mut Vec<u8>)| {
        let (stamp, key) = passkey(b"body", change);
        stamp.verify(&key, b"body", &PARTY)
    };
    let (stamp, key) = passkey(b"body", |_, _| {});
    assert_eq!((stamp.verify(&key, b"body", &PARTY), stamp.credential()), (Ok(()), b"id".as_slice()));
    assert_eq!(stamp.verify(&key, b"bodY", &PARTY), Err(Refusal::NotVerified));
    let other = PublicKey::parse(Curve::P256, "02515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f");
    assert!(stamp.verify(&other.unwrap(), b"body", &PARTY).is_err());
    assert!(stamp.verify(&key, b"body", &RelyingParty { id: "b.example", ..PARTY }).is_err());
    assert!(stamp.verify(&key, b"body", &RelyingParty { origins: &["https://b.example"], ..PARTY }).is_err());
    assert_eq!(judge(|client, _| drop(client.as_object_mut().unwrap().remove("crossOrigin"))), Ok(()));
    let attacks: [fn(&mut Value, &mut Vec<u8>); 6] = [
        |client, _| client["type"] = json!("webauthn.create"),
        |client, _| client["origin"] = json!("https://a.example.evil.example"),
        |client, _| client["crossOrigin"] = json!(true),
        |client, _| client["challenge"] = json!(""),
        |_, data| data[32] = 4,
        |_, data| data.truncate(36),
    ];
    for attack in attacks {
        assert_eq!(judge(attack), Err(Refusal::NotVerified));
    }
    assert_eq!(WebauthnStamp::parse("{}"), Err(Refusal::Unreadable));
    assert_eq!(WebauthnStamp::parse("e30"), Err(Refusal::Malformed));
    assert_eq!(WebauthnStamp::parse(&"x".repeat(10_000_000)), Err(Refusal::Malformed));
}

proptest! {
    #[test]
    fn no_header_makes_it_panic_or_verify(text in "\\PC{0,60}|[A-Za-z0-9_=-]{0,400}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(judge(&text, b"hello world").is_err());
        prop_assert!(judge(&URL_SAFE_NO_PAD.encode(&bytes), b"hello world").is_err());
        prop_assert!(WebauthnStamp::parse(&text).is_err());
        prop_assert!(Presented::of(&[&text], &[&text], &[], true).is_err());
    }

    #[test]
    fn no_signature_but_the_right_ones_verifies(signature in prop::collection::vec(any::<u8>(), 1..73)) {
        for (key, scheme) in [(P256, "P256"), (K256, "SECP256K1"), (ED25519, "ED25519")] {
            prop_assert!(judge(&header(&object(key, scheme, &hex::encode(&signature))), b"hello world").is_err());
        }
    }

    #[test]
    fn whatever_is_a_key_has_one_form(bytes in prop::collection::vec(any::<u8>(), 65), tag in 0_u8..8) {
        for curve in [Curve::P256, Curve::Secp256k1, Curve::Ed25519] {
            let mut tagged = bytes.clone();
            tagged[0] = tag;
            for bytes in [&bytes[..], &tagged, &tagged[..33], &bytes[..32], &bytes[..31]] {
                if let Some(key) = PublicKey::from_bytes(curve, bytes) {
                    prop_assert_eq!(PublicKey::from_bytes(curve, &key.to_bytes()), Some(key));
                }
            }
        }
    }
}
