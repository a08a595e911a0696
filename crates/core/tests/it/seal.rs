//! Sealing, from both sides, and what is refused. The values in `seal.json` come from a second implementation: Python's
//! `cryptography`, by the tables in the module's documentation.

mod envelope;
mod identity;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use doorcode_core::seal::{Context, Fingerprint, IdentityKey, PrivateKey, PublicKey};
use doorcode_core::{Error, Result, Secret, Timestamp};
use proptest::prelude::*;
use serde_json::Value;

use envelope::envelope;

const CONTEXT: Context<'static> = Context {
    request: "otp_Zk3v9QpLx2Tn8RbW",
    agent: "agent_1",
    sender: "münchen.example",
    expires_at: Timestamp::from_millis(1_800_000_000_123),
};

fn known(kind: &str, name: &str) -> String {
    let all: Value = serde_json::from_str(include_str!("seal.json")).unwrap();
    all[kind][name].as_str().unwrap().to_owned()
}

fn public(kind: &str) -> PublicKey {
    PublicKey::parse(&known(kind, "public")).unwrap()
}

fn private(kind: &str) -> PrivateKey {
    PrivateKey::parse(&Secret::new(known(kind, "private"))).unwrap()
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn seed(byte: u8) -> Secret<[u8; 32]> {
    Secret::new([byte; 32])
}

fn open(key: &PrivateKey, text: &str, context: &Context<'_>) -> Option<String> {
    key.open(text, context, seed(9)).ok().map(|text| text.expose().clone())
}

/// What `Invalid` says, which must name the field and nothing of the input.
fn why<T>(result: Result<T>, field: &str) -> &'static str {
    match result {
        Err(Error::Invalid { field: named, why }) => {
            assert_eq!(named, field);
            why
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("was taken"),
    }
}

/// An SPKI of RSA around any numbers.
fn spki(modulus: &[u8], exponent: &[u8]) -> String {
    fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
        let mut all = vec![tag];
        match body.len() {
            short @ 0..128 => all.push(short as u8),
            medium @ 128..256 => all.extend([0x81, medium as u8]),
            long => all.extend([0x82, (long >> 8) as u8, long as u8]),
        }
        all.extend(body);
        all
    }
    let number = |bytes: &[u8]| {
        let sign = bytes.first().is_some_and(|byte| *byte >= 0x80);
        tlv(2, &[if sign { vec![0] } else { vec![] }, bytes.to_vec()].concat())
    };
    let key = tlv(0x30, &[number(modulus), number(exponent)].concat());
    let algorithm = tlv(0x30, &[tlv(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]), vec![5, 0]].concat());
    STANDARD.encode(tlv(0x30, &[algorithm, tlv(3, &[vec![0], key].concat())].concat()))
}

fn modulus(bytes: usize) -> Vec<u8> {
    let mut modulus: Vec<u8> = (0..bytes).map(|at| (at * 151 + 7) as u8).collect();
    modulus[0] |= 0x80;
    modulus[bytes - 1] |= 1;
    modulus
}

#[test]
fn what_another_implementation_sealed_opens() {
    for kind in ["rsa", "hpke"] {
        let sealed = known(kind, "sealed");
        assert_eq!(open(&private(kind), &sealed, &CONTEXT).as_deref(), Some("847291"), "{kind}");
        assert_eq!(public(kind).unwrap_envelope(&sealed).unwrap().as_str(), sealed);
        assert_eq!(public(kind).encode().unwrap(), known(kind, "public"));
        assert!(private(kind).public().unwrap() == public(kind));
    }
    assert_eq!(private("hpke").encode().unwrap().expose(), &known("hpke", "private"));
}

#[test]
fn what_is_sealed_opens_and_never_looks_the_same() {
    for kind in ["rsa", "hpke"] {
        let longest = "é".repeat(public(kind).most_text() / 2);
        for text in ["", "847291", "Ünïcode ✓", &longest] {
            let sealed = public(kind).seal(&secret(text), &CONTEXT, seed(1)).unwrap();
            assert_eq!(open(&private(kind), sealed.as_str(), &CONTEXT).as_deref(), Some(text));
            let again = public(kind).seal(&secret(text), &CONTEXT, seed(2)).unwrap();
            assert_ne!(sealed, again);
            assert_eq!(public(kind).unwrap_envelope(sealed.as_str()).unwrap(), sealed);
        }
        let same = |byte| public(kind).seal(&secret("1"), &CONTEXT, seed(byte)).unwrap();
        assert_eq!(same(3), same(3), "nothing but the seed is random");
    }
}

#[test]
fn a_text_that_does_not_fit_is_refused_not_cut() {
    assert_eq!(public("rsa").most_text(), 190);
    assert!(public("rsa").seal(&secret(&"1".repeat(190)), &CONTEXT, seed(1)).is_ok());
    for (kind, length) in [("rsa", 191), ("rsa", 100_000), ("hpke", 1025)] {
        why(public(kind).seal(&secret(&"1".repeat(length)), &CONTEXT, seed(1)), "text");
    }
}

#[test]
fn only_hpke_is_bound_to_its_context() {
    assert!(public("hpke").binds_context() && !public("rsa").binds_context());
    let others = [
        Context { request: "otp_Zk3v9QpLx2Tn8RbX", ..CONTEXT },
        Context { agent: "agent_2", ..CONTEXT },
        Context { sender: "munchen.example", ..CONTEXT },
        Context { sender: "", ..CONTEXT },
        Context { expires_at: Timestamp::from_millis(1_800_000_000_124), ..CONTEXT },
        // The same letters, cut elsewhere.
        Context { request: "otp_Zk3v9QpLx2Tn8RbWa", agent: "gent_1", ..CONTEXT },
        Context { agent: "agent_1m", sender: "ünchen.example", ..CONTEXT },
    ];
    for other in others {
        assert_eq!(open(&private("hpke"), &known("hpke", "sealed"), &other), None, "{other:?}");
        assert!(open(&private("rsa"), &known("rsa", "sealed"), &other).is_some());
    }
}

#[test]
fn what_was_changed_or_is_somebody_elses_does_not_open() {
    let stranger = PrivateKey::from_seed(seed(7));
    assert_eq!(open(&stranger, &known("hpke", "sealed"), &CONTEXT), None);
    for kind in ["rsa", "hpke"] {
        let sealed = known(kind, "sealed");
        let other = if kind == "rsa" { "hpke" } else { "rsa" };
        assert_eq!(open(&private(other), &sealed, &CONTEXT), None);
        for (at, old) in sealed.char_indices().filter(|(at, _)| at % 7 == 0 || *at > sealed.len() - 4) {
            let mut changed = sealed.clone();
            changed.replace_range(at..=at, if old == 'B' { "C" } else { "B" });
            assert_eq!(open(&private(kind), &changed, &CONTEXT), None, "{at}");
        }
        for changed in
            ["", " ", &sealed[1..], &sealed[..sealed.len() - 1], &format!("{sealed}A"), &format!("{sealed}\n")]
        {
            assert_eq!(open(&private(kind), changed, &CONTEXT), None);
        }
    }
    for padding in ["sha1", "labelled", "pkcs1", "raw"] {
        assert_eq!(open(&private("rsa"), &known("rsa", padding), &CONTEXT), None, "{padding}");
    }
}

#[test]
fn weak_and_odd_keys_are_refused() {
    let refuse = |text: &str| why(PublicKey::parse(text), "publicKey");
    let e = [1, 0, 1];
    assert!(PublicKey::parse(&spki(&modulus(256), &e)).is_ok());
    assert!(PublicKey::parse(&spki(&modulus(1024), &e)).is_ok());
    assert!(PublicKey::parse(&spki(&modulus(256), &[1, 0, 3])).is_ok());
    let shorter = [&[0x7f], &modulus(256)[1..]].concat();
    for weak in [modulus(128), modulus(255), shorter, modulus(1025), modulus(2048), vec![1]] {
        refuse(&spki(&weak, &e));
    }
    for exponent in
        [&[3][..], &[17], &[1], &[0], &[1, 0, 0], &[1, 0, 2], &[0xff, 0xff], &[2, 0, 0, 0, 1], &modulus(200)]
    {
        refuse(&spki(&modulus(256), exponent));
    }
    let mut even = modulus(256);
    even[255] &= 0xfe;
    refuse(&spki(&even, &e));
    // Numbers and lengths that are spelled otherwise.
    refuse(&spki(&[&[0, 0], &modulus(256)[..]].concat(), &e));
    refuse(&spki(&modulus(256), &[0, 1, 0, 1]));
}

#[test]
fn a_key_has_one_spelling() {
    let refuse = |text: &str| why(PublicKey::parse(text), "publicKey");
    let key = known("rsa", "public");
    let der = STANDARD.decode(&key).unwrap();
    let unpadded = spki(&modulus(257), &[1, 0, 1]);
    assert!(unpadded.ends_with('='));
    for harmless in [format!(" {key}\n"), key.clone()] {
        assert_eq!(PublicKey::parse(&harmless).unwrap().encode().unwrap(), key);
    }
    assert_eq!(PublicKey::parse(unpadded.trim_end_matches('=')).unwrap().encode().unwrap(), unpadded);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----");
    assert!(refuse(&pem).contains("PEM"));
    let pss = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
    let mut other = der.clone();
    let oid = other.windows(9).position(|window| window == [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]).unwrap();
    other[oid..oid + 9].copy_from_slice(&pss);
    // RSA-PSS with parameters, and without.
    let mut bare = other.clone();
    bare.drain(oid + 9..oid + 11);
    bare[oid - 3] -= 2;
    bare[3] -= 2;
    for bad in [
        String::new(),
        "publicKey".to_owned(),
        "pk_test".to_owned(),
        URL_SAFE_NO_PAD.encode(&der),
        format!("{}\n{}", &key[..64], &key[64..]),
        STANDARD.encode([&der[..], &[0]].concat()),
        STANDARD.encode(&der[..der.len() - 1]),
        STANDARD.encode(&der[24..]),
        STANDARD.encode(&other),
        STANDARD.encode(&bare),
        STANDARD.encode(key.as_bytes()),
        known("rsa", "private"),
    ] {
        refuse(&bad);
    }
}

/// Before anything is decoded: a key of a mebibyte is refused in no time, whatever it is made of.
#[test]
fn a_huge_key_is_not_looked_at() {
    for piece in ["A", " ", "=", "hpke-x25519:", "é", "\0"] {
        assert!(why(PublicKey::parse(&piece.repeat(1 << 20)), "publicKey").contains("1500"));
    }
    why(PrivateKey::parse(&secret(&"A".repeat(1 << 20))), "private key");
    why(public("rsa").unwrap_envelope(&"{".repeat(1 << 20)), "encryptedPayload");
    assert_eq!(open(&private("hpke"), &format!("hpke1.{}", "A".repeat(1 << 20)), &CONTEXT), None);
}

#[test]
fn hpke_keys_are_whole() {
    let refuse = |text: &str| why(PublicKey::parse(text), "publicKey");
    let spell = |bytes: &[u8]| format!("hpke-x25519:{}", URL_SAFE_NO_PAD.encode(bytes));
    refuse(&spell(&[0; 32]));
    refuse(&spell(&[0xff; 32]));
    refuse(&spell(&[9; 31]));
    refuse(&spell(&[9; 33]));
    refuse("hpke-x25519:");
    let key = known("hpke", "public");
    refuse(&format!("{key}="));
    refuse(&key.to_uppercase());
    refuse(&key.replace("x25519", "p256"));
    refuse(&known("hpke", "private"));
    // The last of 43 characters has four bits that count.
    let last = key.chars().next_back().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet.chars().nth(alphabet.find(last).unwrap() ^ 1).unwrap();
    refuse(&format!("{}{next}", &key[..key.len() - 1]));
    // A message with a point of low order opens for nobody.
    let low = format!("hpke1.{}.{}", URL_SAFE_NO_PAD.encode([0; 32]), URL_SAFE_NO_PAD.encode([7; 22]));
    why(public("hpke").unwrap_envelope(&low), "encryptedPayload");
    assert_eq!(open(&private("hpke"), &low, &CONTEXT), None);
}

#[test]
fn fingerprints_are_those_of_openssl() {
    for kind in ["rsa", "hpke"] {
        let whole = known(kind, "fingerprint");
        let print = public(kind).fingerprint().unwrap();
        assert_eq!(print.to_string().replace(' ', ""), whole[..32]);
        assert_eq!((print.to_string().len(), print.to_string().split(' ').count()), (39, 8));
        let mut other = *print.as_bytes();
        for agreed in [print.to_string(), whole.to_uppercase(), print.to_string().replace(' ', "-")] {
            assert!(print.agrees(&agreed), "{agreed}");
        }
        for not in ["", &whole[..31], &whole[..30], &whole[..63], &whole[32..], &"0".repeat(1000)] {
            assert!(!print.agrees(not), "{not}");
        }
        other[15] ^= 1;
        assert!(!Fingerprint::from_bytes(other).agrees(&print.to_string()));
        assert_eq!(format!("{:?}", public(kind)), print.to_string());
    }
    let identity = IdentityKey::parse(&known("identity", "public")).unwrap();
    assert!(identity.fingerprint().agrees(&known("identity", "fingerprint")));
}

#[test]
fn private_keys_that_nothing_is_sealed_to() {
    for bad in [
        "",
        "hpke-x25519-private:",
        "hpke-x25519-private:AAAA",
        "AAAA",
        &known("rsa", "public"),
        &known("hpke", "public"),
    ] {
        why(PrivateKey::parse(&secret(bad)), "private key");
    }
    why(PrivateKey::parse(&secret(&known("weak", "private"))), "publicKey");
    assert!(private("rsa").encode().is_none());
    let made = PrivateKey::from_seed(seed(1));
    let again = PrivateKey::parse(&made.encode().unwrap()).unwrap();
    assert!(made.public().unwrap() == again.public().unwrap());
    assert!(made.public().unwrap() != PrivateKey::from_seed(seed(2)).public().unwrap());
}

/// Payloads that AgentOTP's own SDK made and read; they lie beside the repository where it is worked on.
#[test]
fn payloads_of_the_sdk() {
    let Some(vectors) = crate::vectors("agentotp-rsa-oaep.json") else { return };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let key = PublicKey::parse(&text(&vectors["public_key_spki_base64"])).unwrap();
    let private = PrivateKey::parse(&Secret::new(text(&vectors["private_key_pkcs8_base64"]))).unwrap();
    assert!(private.public().unwrap() == key);
    assert_eq!(key.most_text() as u64, vectors["max_plaintext_bytes"].as_u64().unwrap());
    for vector in vectors["vectors"].as_array().unwrap() {
        let payload = text(&vector["encrypted_payload"]);
        assert_eq!(open(&private, &payload, &CONTEXT), Some(text(&vector["plaintext"])));
        assert_eq!(key.unwrap_envelope(&payload).unwrap().as_str(), payload);
        assert_eq!(key.unwrap_envelope(&envelope(&payload)).unwrap().as_str(), payload);
    }
    for vector in vectors["must_fail"].as_array().unwrap() {
        assert_eq!(open(&private, &text(&vector["encrypted_payload"]), &CONTEXT), None);
    }
}

proptest! {
    #[test]
    fn whatever_is_handed_over_is_refused_or_a_key(text in "\\PC{0,80}|[A-Za-z0-9+/=]{0,400}|hpke-x25519:[A-Za-z0-9_-]{42,44}") {
        if let Ok(key) = PublicKey::parse(&text) {
            prop_assert_eq!(key.encode().unwrap(), text);
        }
    }

    #[test]
    fn any_text_comes_back(text in "\\PC{0,60}", random: [u8; 32], key: [u8; 32]) {
        let private = PrivateKey::from_seed(Secret::new(key));
        let sealed = private.public().unwrap().seal(&secret(&text), &CONTEXT, Secret::new(random)).unwrap();
        prop_assert_eq!(open(&private, sealed.as_str(), &CONTEXT), Some(text));
    }
}
