//! A code on its way back, sealed: the key to seal it to goes out with the start, signed, and the client puts its own public key beside the
//! code, so that what is earned is earned for that key. Refuses bundles that are long, ambiguous or to another key, and to print a code.

use ring::rand::SecureRandom;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use super::key::{BundleKey, point_of};
use super::signer::Signer;
use super::{fault, suite};
use crate::error::{Error, Result};
use crate::id::{ChallengeId, OrgId};
use crate::root::Root;
use crate::secret::Secret;
use crate::stamp::{Curve, PublicKey, Refusal};
use crate::{hex, json};

/// Bytes of an encrypted code: the point, and a text of some hundred bytes, in hexadecimal.
const LONGEST: usize = 2048;
/// Bytes of the text in it.
const TEXT_MOST: usize = 512;
/// Bytes of a target bundle.
const TARGET_MOST: usize = 4096;
/// The only version there is.
const VERSION: &str = "v1.0.0";

/// What a client sealed.
pub struct Entry {
    /// The code, as it was typed.
    pub code: Secret<String>,
    /// The key that success is for.
    pub key: PublicKey,
}

/// The text that is sealed.
#[derive(Serialize, Deserialize)]
struct Plain {
    otp_code: String,
    public_key: String,
}

/// The target bundle of a start: its public key, in which organisation and of which start, signed.
///
/// # Errors
/// `Unavailable` if there is no randomness.
pub fn target_bundle(
    key: &BundleKey,
    org: OrgId,
    start: ChallengeId,
    signer: &Signer,
    random: &dyn SecureRandom,
) -> Result<String> {
    let public = key.public().uncompressed().map(|point| hex::encode(point));
    let data = json!({ "targetPublic": public, "organizationId": org.to_string(), "otpId": start.to_string() });
    let data = data.to_string();
    let signature = signer.sign_der(data.as_bytes(), random)?;
    let bundle = json!({
        "version": VERSION,
        "data": hex::encode(data.as_bytes()),
        "dataSignature": hex::encode(&signature),
        "enclaveQuorumPublic": signer.pinned(),
    });
    Ok(bundle.to_string())
}

/// The client's half: the key in a target bundle that this signer signed.
///
/// # Errors
/// `Invalid` with the field `otpEncryptionTargetBundle` for anything else, also for what another one signed.
pub fn open_target(bundle: &str, signer: &PublicKey) -> Result<PublicKey> {
    let bad = Error::Invalid { field: "otpEncryptionTargetBundle", why: "is not signed by this server" };
    let opened = json::object(bundle.as_bytes(), TARGET_MOST, 1).and_then(|bundle| {
        let text = |name| json::text(&bundle, name);
        let data = hex::decode(text("data")?, TARGET_MOST)?;
        let signature = hex::decode(text("dataSignature")?, 72)?;
        let named = PublicKey::parse(Curve::P256, text("enclaveQuorumPublic")?)?;
        let signed = text("version")? == VERSION && named == *signer && signer.verify(&data, &signature);
        let data = json::object(&data, TARGET_MOST, 4).filter(|_| signed)?;
        PublicKey::parse(Curve::P256, json::text(&data, "targetPublic")?)
    });
    opened.ok_or(bad)
}

/// The client's half: a code and a public key sealed to a target. `seed` is 32 bytes of a cryptographic source, for this one time.
///
/// # Errors
/// `Invalid` for a target of another curve, and for a code that is too long.
pub fn seal_code(target: &PublicKey, entry: &Entry, seed: Secret<[u8; 32]>) -> Result<String> {
    let target =
        point_of(target).ok_or(Error::Invalid { field: "targetPublic", why: "must be a public key of P-256" })?;
    let plain = Plain { otp_code: entry.code.expose().clone(), public_key: entry.key.to_hex() };
    let text = serde_json::to_vec(&plain).map(Zeroizing::new).map_err(Error::internal)?;
    drop(Zeroizing::new(plain.otp_code));
    if text.len() > TEXT_MOST {
        return Err(Error::Invalid { field: "code", why: "is too long" });
    }
    let sender = Root::of_seed(seed.expose()).p256_key(b"sender")?;
    drop(seed);
    let (enc, sealed) = suite::seal(&target, &sender, &text)?;
    serde_json::to_string(&json!({ "encappedPublic": hex::encode(&enc), "ciphertext": hex::encode(&sealed) }))
        .map_err(|_| fault("a bundle could not be written"))
}

/// The server's half: what a client sealed to the key of its start.
///
/// # Errors
/// `Request` for whatever can't be opened; why is not said, and no code was compared.
pub fn open_code(bundle: &str, key: &BundleKey) -> Result<Entry, Refusal> {
    let opened = json::object(bundle.as_bytes(), LONGEST, 1).and_then(|bundle| {
        let sender = PublicKey::parse(Curve::P256, json::text(&bundle, "encappedPublic")?);
        let sealed = hex::decode(json::text(&bundle, "ciphertext")?, TEXT_MOST + suite::TAG)?;
        let text = suite::open(key.secret(), &point_of(&sender?)?, &sealed)?;
        // A list would be read as the members in their order.
        let plain: Plain = Some(&text)
            .filter(|text| text.first() == Some(&b'{'))
            .and_then(|text| serde_json::from_slice(text).ok())?;
        let code = Secret::new(plain.otp_code);
        Some(Entry { code, key: PublicKey::parse(Curve::P256, &plain.public_key)? })
    });
    opened.ok_or(Refusal::Request { field: "encryptedOtpBundle", why: "can't be opened" })
}
