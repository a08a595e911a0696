//! Public keys that callers sign with, and what each verifies. A key has one form in which it is stored and compared, whatever it came as.
//! Refuses points that are not on their curve, the point at infinity, points of small order, and every encoding but the two of SEC 1 (compressed
//! and uncompressed).

use std::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use k256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use super::points;
use crate::hex;

/// Bytes of a point with both coordinates (SEC 1 section 2.3.3).
pub(super) const UNCOMPRESSED: usize = 65;

/// The curve of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// secp256k1.
    Secp256k1,
    /// Ed25519.
    Ed25519,
}

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::Secp256k1, Self::Ed25519];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "API_KEY_CURVE_P256",
            Self::Secp256k1 => "API_KEY_CURVE_SECP256K1",
            Self::Ed25519 => "API_KEY_CURVE_ED25519",
        }
    }

    /// The curve of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.name() == name)
    }

    /// The type of a credential with a long-lived key of it.
    pub const fn credential_type(self) -> &'static str {
        match self {
            Self::P256 => "CREDENTIAL_TYPE_API_KEY_P256",
            Self::Secp256k1 => "CREDENTIAL_TYPE_API_KEY_SECP256K1",
            Self::Ed25519 => "CREDENTIAL_TYPE_API_KEY_ED25519",
        }
    }
}

/// A public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(Point);

/// A point that is one: each was decoded once, and is kept as its verifier wants it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Point {
    P256([u8; UNCOMPRESSED]),
    Secp256k1(k256::ecdsa::VerifyingKey),
    Ed25519([u8; 32]),
}

impl PublicKey {
    /// Reads a key in hexadecimal, of whichever case: a point of 33 or 65 bytes, or 32 bytes of Ed25519.
    pub fn parse(curve: Curve, text: &str) -> Option<Self> {
        Self::from_bytes(curve, &hex::decode(text, UNCOMPRESSED)?)
    }

    /// The key of these bytes.
    pub fn from_bytes(curve: Curve, bytes: &[u8]) -> Option<Self> {
        let point = match curve {
            Curve::Ed25519 => Point::Ed25519(whole_edwards(bytes.try_into().ok()?)?),
            Curve::P256 | Curve::Secp256k1 if !is_sec1(bytes) => return None,
            Curve::P256 => Point::P256(match bytes.try_into() {
                Ok(compressed) => points::decompressed(compressed, || whole_p256(bytes))?,
                Err(_) => whole_p256(bytes)?,
            }),
            Curve::Secp256k1 => Point::Secp256k1(k256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).ok()?),
        };
        Some(Self(point))
    }

    /// The key of a point of P-256.
    pub(crate) fn of_p256(point: &p256::PublicKey) -> Self {
        Self(Point::P256(uncompressed(point)))
    }

    /// Its curve.
    pub const fn curve(&self) -> Curve {
        match self.0 {
            Point::P256(_) => Curve::P256,
            Point::Secp256k1(_) => Curve::Secp256k1,
            Point::Ed25519(_) => Curve::Ed25519,
        }
    }

    /// The form in which a key is stored and compared: a compressed point of 33 bytes, or 32 bytes of Ed25519. The same bytes can be
    /// points of two curves, so the curve belongs to it.
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.0 {
            Point::P256(point) => compressed(point).to_vec(),
            Point::Secp256k1(key) => key.to_sec1_point(true).as_bytes().to_vec(),
            Point::Ed25519(bytes) => bytes.to_vec(),
        }
    }

    /// The same in hexadecimal: 66 or 64 digits.
    pub fn to_hex(&self) -> String {
        hex::encode(&self.to_bytes())
    }

    /// The uncompressed point of a key of P-256: 65 bytes.
    pub const fn uncompressed(&self) -> Option<&[u8; UNCOMPRESSED]> {
        match &self.0 {
            Point::P256(point) => Some(point),
            Point::Secp256k1(_) | Point::Ed25519(_) => None,
        }
    }

    /// Whether it signed this message. ECDSA signs the SHA-256 of it and is in DER, with either of its two `s`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Point::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok()
            }
            Point::Secp256k1(_) => self.verify_digest(&Sha256::digest(message).into(), signature),
            Point::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
        }
    }

    /// Whether it signed this message, where the signature is `r` and `s`, 32 bytes each: only of P-256.
    pub fn verify_fixed(&self, message: &[u8], signature: &[u8]) -> bool {
        let Point::P256(point) = &self.0 else { return false };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
    }

    /// Whether it signed this digest: only of secp256k1, whose signers use more than one.
    pub(super) fn verify_digest(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        let Point::Secp256k1(key) = &self.0 else { return false };
        // The library takes the lower `s` only.
        let signature = k256::ecdsa::Signature::from_der(signature).map(|signature| signature.normalize_s());
        signature.is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// Whether bytes are of one of the two usual forms. The library would read a third.
const fn is_sec1(bytes: &[u8]) -> bool {
    matches!((bytes.first(), bytes.len()), (Some(2 | 3), 33) | (Some(4), UNCOMPRESSED))
}

/// The point of these bytes, if it is one.
fn whole_p256(bytes: &[u8]) -> Option<[u8; UNCOMPRESSED]> {
    Some(uncompressed(&p256::PublicKey::from_sec1_bytes(bytes).ok()?))
}

/// 4, then x and y.
fn uncompressed(point: &p256::PublicKey) -> [u8; UNCOMPRESSED] {
    let mut bytes = [0; UNCOMPRESSED];
    bytes.copy_from_slice(point.to_sec1_point(false).as_bytes());
    bytes
}

/// The parity of y, then x.
pub(super) fn compressed(point: &[u8; UNCOMPRESSED]) -> [u8; 33] {
    let mut bytes = [0; 33];
    bytes.copy_from_slice(&point[..33]);
    bytes[0] = 2 | point[UNCOMPRESSED - 1] & 1;
    bytes
}

/// Bytes that are a key of Ed25519: a point with one spelling, and not of small order, with which anybody could sign.
pub(crate) fn whole_edwards(bytes: [u8; 32]) -> Option<[u8; 32]> {
    let point = CompressedEdwardsY(bytes).decompress()?;
    // Compressed again it is the same, or it had a second spelling.
    (!point.is_small_order() && point.compress().0 == bytes).then_some(bytes)
}
