//! The envelopes of signed calls, from both sides: what other implementations made is opened here, what is made here opens, and nothing else
//! does. Byte by byte, with fixed keys, they are compared in the modules themselves.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorcode_core::seal::turnkey::{
    BundleKey, Entry, Proof, Session, Signer, Verification, grant, open_code, open_grant, open_target, seal_code,
    target_bundle,
};
use doorcode_core::stamp::{AttestedStamp, Curve, PublicKey, Refusal, Stamp};
use doorcode_core::{Address, ChallengeId, Email, Kid, MasterKey, OrgId, Phone, Secret, Timestamp, Use, UserId, hex};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::stamp::P256;
use crate::{random, vectors};

mod client;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const ORG: OrgId = OrgId::from_bytes([0x11; 16]);
const START: ChallengeId = ChallengeId::from_bytes([0x22; 16]);

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn private(text: &str) -> BundleKey {
    BundleKey::parse(&secret(text)).unwrap()
}

fn key(text: &str) -> PublicKey {
    PublicKey::parse(Curve::P256, text).unwrap()
}

fn seed(byte: u8) -> Secret<[u8; 32]> {
    Secret::new([byte; 32])
}

fn signer(of: Use) -> Signer {
    let kid = Kid::pick([1; 8]);
    Signer::derive(kid, &MasterKey::from_parts(kid, [7; 32]).root(of), &random()).unwrap()
}

#[test]
fn every_shared_bundle_opens_and_those_that_must_not_do_not() {
    let Some(vectors) = vectors("turnkey-credential-bundle.json") else { return };
    for vector in vectors["vectors"].as_array().unwrap() {
        let target = private(&text(&vector["target_private_key"]));
        assert_eq!(target.public(), key(&text(&vector["target_public_key_uncompressed"])), "{}", vector["name"]);
        let opened = open_grant(&text(&vector["credential_bundle"]), &target).unwrap();
        assert_eq!(hex::encode(opened.expose()), text(&vector["plaintext_api_private_key"]), "{}", vector["name"]);
        if let Some(ikm) = vector["target_ikm"].as_str() {
            let derived = BundleKey::from_seed(Secret::new(hex::decode_exact(ikm).unwrap())).unwrap();
            assert_eq!(derived.public(), target.public());
        }
    }
    let target = private(&text(&vectors["vectors"][0]["target_private_key"]));
    for bad in vectors["must_fail_with_target_of_fixed_1"].as_array().unwrap() {
        assert!(open_grant(&text(&bad["credential_bundle"]), &target).is_err(), "{}", bad["name"]);
    }
}

#[test]
fn a_new_key_reaches_its_owner_and_nobody_else() {
    let target = BundleKey::from_seed(seed(1)).unwrap();
    let made = grant(&target.public(), || Ok(seed(2))).unwrap();
    assert!((115..=117).contains(&made.bundle.len()), "{}", made.bundle);
    let opened = open_grant(&format!(" {}\n", made.bundle), &target).unwrap();
    assert_eq!(private(&hex::encode(opened.expose())).public(), made.key, "the private half of what is kept");
    assert!(open_grant(&made.bundle, &BundleKey::from_seed(seed(3)).unwrap()).is_err());
    // The same seed for another target gives another bundle, and another seed another key.
    let other = grant(&BundleKey::from_seed(seed(3)).unwrap().public(), || Ok(seed(2))).unwrap();
    assert_ne!(other.bundle, made.bundle);
    let again = grant(&target.public(), || Ok(seed(4))).unwrap();
    assert!(again.key != made.key && again.bundle != made.bundle);
    // Neither the key nor the sender's is the seed, and the sender is not the credential.
    assert_ne!(made.key, private(&hex::encode(&[2; 32])).public());
    let shown = format!("{made:?}");
    assert!(!shown.contains(&hex::encode(opened.expose())));
}

#[test]
fn what_was_opened_signs_calls() {
    let target = BundleKey::from_seed(seed(1)).unwrap();
    let made = grant(&target.public(), || Ok(seed(2))).unwrap();
    let opened = private(&hex::encode(open_grant(&made.bundle, &target).unwrap().expose()));
    let stamp = Stamp::parse(&opened.stamp(b"body", &random()).unwrap()).unwrap();
    assert_eq!((stamp.key(), stamp.verify(b"body")), (&made.key, Ok(())));
    assert_eq!(stamp.verify(b"bodY"), Err(Refusal::NotVerified));
    assert_eq!(private(opened.encode().expose()).public(), made.key);
}

#[test]
fn only_a_point_of_p256_is_sealed_to() {
    let ed25519 = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    let k256 = "023c72addb4fdf09af94f0c94d7fe92a386a7e70cf8a1d85916386bb2535c7b1b1";
    for (curve, text) in [(Curve::Ed25519, ed25519), (Curve::Secp256k1, k256)] {
        assert!(grant(&PublicKey::parse(curve, text).unwrap(), || Ok(seed(1))).is_err());
    }
}

#[test]
fn what_is_no_bundle_or_no_key_is_refused() {
    let target = BundleKey::from_seed(seed(1)).unwrap();
    let made = grant(&target.public(), || Ok(seed(2))).unwrap().bundle;
    for at in 0..made.len() {
        let mut changed = made.clone().into_bytes();
        changed[at] = if changed[at] == b'2' { b'3' } else { b'2' };
        assert!(open_grant(&String::from_utf8(changed).unwrap(), &target).is_err());
        assert!(open_grant(&made[..at], &target).is_err());
    }
    for bad in ["", "1", &format!("{made}{made}"), &"1".repeat(10_000_000), "é"] {
        assert!(open_grant(bad, &target).is_err());
    }
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    for bad in ["", &"00".repeat(32), order, &"ff".repeat(32), &"11".repeat(31), &"11".repeat(33), &"zz".repeat(32)] {
        assert!(BundleKey::parse(&secret(bad)).is_err(), "{bad}");
    }
}

#[test]
fn shared_codes_open_with_the_key_of_their_start() {
    let Some(vectors) = vectors("turnkey-otp-encryption.json") else { return };
    let target = private(&text(&vectors["target"]["target_private_key"]));
    let signer = key(&text(&vectors["target"]["signer_public_key"]));
    let bundle = text(&vectors["target"]["otp_encryption_target_bundle"]);
    assert_eq!(open_target(&bundle, &signer).unwrap(), target.public());
    for vector in vectors["encrypted"].as_array().unwrap() {
        let bundle = text(&vector["encrypted_otp_bundle"]);
        let entry = open_code(&bundle, &target).unwrap();
        assert_eq!(entry.code.expose(), &text(&vector["otp_code"]));
        assert_eq!(entry.key.to_hex(), text(&vector["client_public_key"]));
        assert!(open_code(&bundle, &BundleKey::from_seed(seed(1)).unwrap()).is_err());
    }
}

#[test]
fn a_code_comes_back_sealed_to_its_own_start() {
    let root = MasterKey::from_parts(Kid::pick([1; 8]), [7; 32]).root(Use::OtpTarget);
    let start = |org, id| BundleKey::of_start(&root, org, id).unwrap();
    let signer = signer(Use::Verification);
    let bundle = target_bundle(&start(ORG, START), ORG, START, &signer, &random()).unwrap();
    let target = open_target(&bundle, signer.public()).unwrap();
    assert_eq!(target, start(ORG, START).public(), "derived again, never stored");
    let entry = Entry { code: secret("K7V2M9QXZ"), key: key(P256) };
    let sealed = seal_code(&target, &entry, seed(1)).unwrap();
    let opened = open_code(&sealed, &start(ORG, START)).unwrap();
    assert_eq!((opened.code.expose(), opened.key), (entry.code.expose(), entry.key));
    assert!(!sealed.contains("K7V2M9QXZ") && sealed != seal_code(&target, &entry, seed(2)).unwrap());
    let others = [(OrgId::from_bytes([9; 16]), START), (ORG, ChallengeId::from_bytes([9; 16]))];
    for (org, id) in others {
        assert!(matches!(
            open_code(&sealed, &start(org, id)),
            Err(Refusal::Request { field: "encryptedOtpBundle", .. })
        ));
    }
}

/// What clients compare and verify, in the words of their check.
#[test]
fn a_target_bundle_is_what_clients_check() {
    let (signer, start) = (signer(Use::Verification), BundleKey::from_seed(seed(1)).unwrap());
    let bundle: Value = serde_json::from_str(&target_bundle(&start, ORG, START, &signer, &random()).unwrap()).unwrap();
    let members: Vec<_> = bundle.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["data", "dataSignature", "enclaveQuorumPublic", "version"]);
    assert_eq!((text(&bundle["version"]).as_str(), text(&bundle["enclaveQuorumPublic"])), ("v1.0.0", signer.pinned()));
    assert!(signer.pinned().starts_with("04") && signer.pinned().len() == 130);
    let data = hex::decode(&text(&bundle["data"]), 999).unwrap();
    assert!(signer.public().verify(&data, &hex::decode(&text(&bundle["dataSignature"]), 72).unwrap()));
    let data: Value = serde_json::from_slice(&data).unwrap();
    assert_eq!(text(&data["targetPublic"]), hex::encode(start.public().uncompressed().unwrap()));
    assert_eq!((text(&data["organizationId"]), text(&data["otpId"])), (ORG.to_string(), START.to_string()));
}

/// The attack: somebody on the way puts a target of their own into the bundle, and reads the code.
#[test]
fn a_target_that_somebody_else_signed_is_none() {
    let (ours, theirs) = (signer(Use::Verification), signer(Use::Notary));
    let start = BundleKey::from_seed(seed(1)).unwrap();
    let bundle = |by| target_bundle(&start, ORG, START, by, &random()).unwrap();
    assert!(open_target(&bundle(&theirs), ours.public()).is_err());
    let renamed = bundle(&theirs).replace(&theirs.pinned(), &ours.pinned());
    assert!(open_target(&renamed, ours.public()).is_err());
    let mut good: Value = serde_json::from_str(&bundle(&ours)).unwrap();
    good["data"] = json!(hex::encode(br#"{"targetPublic":"04"}"#));
    assert!(open_target(&good.to_string(), ours.public()).is_err());
    for bad in ["", "{}", "[]", &bundle(&ours).replace("v1.0.0", "v2.0.0"), &"{".repeat(10_000_000)] {
        assert!(open_target(bad, ours.public()).is_err());
    }
}

#[test]
fn what_is_no_encrypted_code_is_refused() {
    let start = BundleKey::from_seed(seed(1)).unwrap();
    let good = seal_code(&start.public(), &Entry { code: secret("123456"), key: key(P256) }, seed(2)).unwrap();
    let twice = good.replacen('{', "{\"ciphertext\":\"\",", 1);
    let infinity = json!({ "encappedPublic": "00", "ciphertext": "00".repeat(40) }).to_string();
    let off_curve =
        json!({ "encappedPublic": format!("04{}", "11".repeat(64)), "ciphertext": "00".repeat(40) }).to_string();
    let long = json!({ "encappedPublic": P256, "ciphertext": "00".repeat(5000) }).to_string();
    for bad in ["", "{}", "null", &good[1..], &twice, &infinity, &off_curve, &long, &"9".repeat(10_000_000)] {
        assert!(open_code(bad, &start).is_err(), "{}", &bad[..bad.len().min(60)]);
    }
    let mut changed: Value = serde_json::from_str(&good).unwrap();
    changed["encappedPublic"] = json!(P256);
    assert!(open_code(&changed.to_string(), &start).is_err());
    assert!(seal_code(&start.public(), &Entry { code: secret(&"1".repeat(999)), key: key(P256) }, seed(2)).is_err());
}

fn verification(proof: Proof, key: Option<PublicKey>) -> Verification {
    let contact = Address::Email(Email::parse("alice@example.com").unwrap());
    Verification { id: START, org: ORG, contact, key, expires_at: Timestamp::from_millis(NOW.millis() + 5000), proof }
}

#[test]
fn shared_tokens_are_read() {
    let Some(vectors) = vectors("turnkey-tokens.json") else { return };
    let signer = key(&text(&vectors["signer_public_key"]));
    let token = text(&vectors["verification_token"]);
    let said = Verification::read(&token, &[&signer], &[], NOW).unwrap();
    let claims = &vectors["verification_claims"];
    assert_eq!(said.id.to_string(), text(&claims["id"]));
    assert_eq!(said.org.to_string(), text(&claims["organization_id"]));
    assert_eq!(said.contact.as_str(), text(&claims["contact"]));
    assert_eq!(said.key.unwrap().to_hex(), text(&claims["public_key"]));
    assert_eq!(said.expires_at.millis().to_string(), text(&claims["exp"]));
    assert!(Verification::read(&token, &[&key(&text(&vectors["notarizer_public_key"]))], &[], NOW).is_none());
    assert!(Verification::read(&token, &[&signer], &[], said.expires_at).is_none(), "over");

    // A session is signed over a digest, so it is no token, and a token is no session.
    let session = text(&vectors["session_jwt"]);
    let notary = key(&text(&vectors["notarizer_public_key"]));
    assert!(is_session_of(&session, &notary) && !is_session_of(&token, &signer));
    assert!(Verification::read(&session, &[&notary], &[&notary], NOW).is_none());

    let attested = &vectors["attested_stamp"];
    for value in [text(&attested["header_value"]), attested["decoded"].to_string()] {
        let stamp = AttestedStamp::parse(&value).unwrap();
        assert_eq!(stamp.verify(text(&attested["body"]).as_bytes()), Ok(()));
        assert_eq!(stamp.verify(b"{}"), Err(Refusal::NotVerified));
        let said = Verification::read(stamp.token(), &[&signer], &[], NOW).unwrap();
        assert_eq!(said.key.as_ref(), Some(stamp.key()));
        assert!(!format!("{stamp:?}").contains(stamp.token()));
    }
}

fn is_session_of(session: &str, notary: &PublicKey) -> bool {
    let (signed, signature) = session.rsplit_once('.').unwrap();
    notary.verify_fixed(&Sha256::digest(signed), &URL_SAFE_NO_PAD.decode(signature).unwrap())
}

#[test]
fn a_session_says_who_and_until_when() {
    let notary = signer(Use::Notary);
    let user = UserId::from_bytes([0x33; 16]);
    let session = Session { org: ORG, user, key: &key(P256), expires_at: Timestamp::from_millis(NOW.millis() + 999) };
    let token = session.sign(&notary, &random()).unwrap();
    assert!(is_session_of(&token, notary.public()));
    let parts: Vec<_> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    assert_eq!(parts[0], br#"{"alg":"ES256","typ":"JWT"}"#);
    let expected = json!({ "exp": 1_800_000_000, "public_key": P256, "session_type": "SESSION_TYPE_READ_WRITE",
        "user_id": user.to_string(), "organization_id": ORG.to_string() });
    assert_eq!(serde_json::from_slice::<Value>(&parts[1]).unwrap(), expected);
    assert_eq!(parts[2].len(), 64);
}

#[test]
fn what_was_signed_is_read_until_it_is_over() {
    let (ours, old) = (signer(Use::Verification), signer(Use::OldVerification));
    for (said, by) in [
        (verification(Proof::Bound, Some(key(P256))), &ours),
        (verification(Proof::Old, Some(key(P256))), &old),
        (verification(Proof::Old, None), &old),
    ] {
        let token = said.sign(by, &random()).unwrap();
        let read = |now| Verification::read(&token, &[ours.public()], &[old.public()], Timestamp::from_millis(now));
        assert_eq!(read(NOW.millis()).as_ref(), Some(&said));
        assert!(read(said.expires_at.millis() - 1).is_some() && read(said.expires_at.millis()).is_none());
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        if said.proof == Proof::Bound {
            assert!(claims.as_object().unwrap().values().all(Value::is_string), "{claims}");
        } else {
            assert_eq!(claims["exp"], 1_800_000_005);
        }
        // A key of one form signs nothing of the other.
        assert!(Verification::read(&token, &[old.public()], &[ours.public()], NOW).is_none());
        assert!(Verification::read(&token, &[], &[], NOW).is_none());
    }
    assert!(verification(Proof::Bound, None).sign(&ours, &random()).is_err());
    let mut called = verification(Proof::Bound, Some(key(P256)));
    called.contact = Address::Phone(Phone::parse("+491701234567").unwrap());
    let token = called.sign(&ours, &random()).unwrap();
    assert_eq!(Verification::read(&token, &[ours.public()], &[], NOW), Some(called));
}

/// The attacks: another algorithm, another header, claims that were changed, a signature that was cut.
#[test]
fn nothing_that_was_changed_is_read() {
    let ours = signer(Use::Verification);
    let token = verification(Proof::Bound, Some(key(P256))).sign(&ours, &random()).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let refused =
        |token: &str| assert!(Verification::read(token, &[ours.public()], &[ours.public()], NOW).is_none(), "{token}");
    refused(&format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.replace("alice", "eve")), parts[2]));
    for header in [
        r#"{"typ":"JWT","alg":"none"}"#,
        r#"{"alg":"ES256","typ":"JWT"}"#,
        r#"{"typ":"JWT","alg":"ES256","kid":"x"}"#,
        "{}",
    ] {
        refused(&format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(header), parts[1], parts[2]));
        refused(&format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), parts[1]));
    }
    for bad in
        ["", ".", "..", "é.é.é", &token[1..], &token[..token.len() - 2], &format!("{token}."), &"a".repeat(10_000_000)]
    {
        refused(bad);
    }
}

#[test]
fn an_attested_stamp_is_of_one_scheme_and_short() {
    let good = json!({ "publicKeyAttestation": "a.b.c", "scheme": "STAMP_ATTESTED_SCHEME_P256_VERIFICATION_TOKEN",
        "publicKey": P256, "signature": "3006020101020101" });
    assert_eq!(AttestedStamp::parse(&good.to_string()).unwrap().token(), "a.b.c");
    for (name, value) in [
        ("scheme", json!("STAMP_ATTESTED_SCHEME_P256_OIDC")),
        ("publicKeyAttestation", json!("")),
        ("publicKeyAttestation", json!(null)),
        ("publicKey", json!("00")),
        ("signature", json!(7)),
    ] {
        let mut other = good.clone();
        other[name] = value;
        assert_eq!(AttestedStamp::parse(&other.to_string()), Err(Refusal::Unreadable), "{name}");
        assert_eq!(AttestedStamp::parse(&URL_SAFE_NO_PAD.encode(other.to_string())), Err(Refusal::Unreadable));
    }
    for bad in ["", "{", "{}{}", "e30", &"A".repeat(10_000_000), &"{".repeat(10_000_000)] {
        assert!(AttestedStamp::parse(bad).is_err());
    }
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_them_panic(text in "\\PC{0,60}|[1-9A-HJ-NP-Za-km-z]{100,128}|[A-Za-z0-9_.-]{0,200}") {
        let (key, signer) = (BundleKey::parse(&secret(&"11".repeat(32))).unwrap(), key(P256));
        prop_assert!(open_grant(&text, &key).is_err());
        prop_assert!(open_code(&text, &key).is_err());
        prop_assert!(open_target(&text, &signer).is_err());
        prop_assert!(AttestedStamp::parse(&text).is_err());
        prop_assert!(Verification::read(&text, &[&signer], &[&signer], NOW).is_none());
    }
}
