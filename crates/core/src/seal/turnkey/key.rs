//! Private keys that envelopes are opened with: a person's, on their device and on a command line, and a start's, which is derived again
//! when the code comes back. The same key signs its owner's calls. Refuses to print and to be compared.

use p256::elliptic_curve::sec1::ToSec1Point as _;
use ring::rand::SecureRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use zeroize::Zeroizing;

use super::{fault, suite};
use crate::error::{Error, Result};
use crate::hex;
use crate::id::{ChallengeId, OrgId};
use crate::root::Root;
use crate::secret::Secret;
use crate::stamp::{PublicKey, Scheme, Stamp};

/// A private key of P-256. Wiped when dropped.
///
/// ```compile_fail,E0277
/// let seed = doorcode_core::Secret::new([1; 32]);
/// println!("{:?}", doorcode_core::seal::turnkey::BundleKey::from_seed(seed).unwrap());
/// ```
pub struct BundleKey(p256::SecretKey);

impl BundleKey {
    /// Reads 32 bytes in hexadecimal.
    ///
    /// # Errors
    /// `Invalid` with the field `private key` for anything else.
    pub fn parse(text: &Secret<String>) -> Result<Self> {
        let bytes = hex::decode_exact::<32>(text.expose().trim_ascii()).map(Secret::new);
        let key = bytes.and_then(|bytes| p256::SecretKey::from_slice(bytes.expose()).ok());
        let why = "must be a private key of P-256 as 64 hexadecimal digits";
        key.map(Self).ok_or(Error::Invalid { field: "private key", why })
    }

    /// A key out of 32 bytes of a cryptographic source (RFC 9180 section 7.1.3).
    ///
    /// # Errors
    /// `Internal` if none comes of them, which does not happen.
    pub fn from_seed(seed: Secret<[u8; 32]>) -> Result<Self> {
        let key = suite::derive(seed.expose());
        drop(seed);
        key.map(Self).ok_or_else(|| fault("no private key could be derived"))
    }

    /// The key that the code of one start is sealed to, under the root of [`crate::Use::OtpTarget`]. Never stored: the start's row and the
    /// root give it again.
    ///
    /// # Errors
    /// As [`BundleKey::from_seed`].
    pub fn of_start(root: &Root, org: OrgId, start: ChallengeId) -> Result<Self> {
        Self::from_seed(Secret::new(root.mac(&[b"start", org.as_bytes(), start.as_bytes()])))
    }

    /// The text, to be kept where only its owner reads: 64 hexadecimal digits.
    pub fn encode(&self) -> Secret<String> {
        Secret::new(hex::encode(&Zeroizing::new(self.0.to_bytes())))
    }

    /// The stamp of a body: the value of `X-Stamp`.
    ///
    /// # Errors
    /// `Unavailable` if there is no randomness.
    pub fn stamp(&self, body: &[u8], random: &dyn SecureRandom) -> Result<String> {
        let (scalar, public) = (Zeroizing::new(self.0.to_bytes()), suite::point(&self.0.public_key()));
        let form = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(form, &scalar, &public, random);
        let pair = pair.map_err(|error| Error::internal(error.to_string()))?;
        let signature = pair.sign(random, body).map_err(|_| Error::unavailable("no randomness"))?;
        Ok(Stamp::encode(&self.public(), Scheme::P256, signature.as_ref()))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey::of_p256(&self.0.public_key())
    }

    pub(super) const fn secret(&self) -> &p256::SecretKey {
        &self.0
    }
}

/// The point of a public key.
pub(super) fn point_of(key: &PublicKey) -> Option<p256::PublicKey> {
    p256::PublicKey::from_sec1_bytes(key.uncompressed()?).ok()
}

/// The compressed form of a point.
pub(super) fn compressed(key: &p256::PublicKey) -> [u8; 33] {
    let mut bytes = [0; 33];
    bytes.copy_from_slice(key.to_sec1_point(true).as_bytes());
    bytes
}
