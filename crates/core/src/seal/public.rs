//! The key that an agent hands over. Refuses what is long before it looks, what is weak, and every spelling but one, so that
//! a key is the same key wherever it is compared.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rsa::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};
use rsa::traits::PublicKeyParts as _;
use sha2::Sha256;

use super::drawn::Drawn;
use super::print::Fingerprint;
use super::{Ciphertext, Context, suite};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// What our own keys begin with.
const HPKE: &str = "hpke-x25519:";
/// Characters. An RSA key of 8,192 bits has 1,414.
const LONGEST: usize = 1500;
/// Bits of an RSA modulus: below, it is no longer safe (NIST SP 800-57 part 1); above, it is only slow.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;
/// The public exponent that everybody uses; smaller ones have been the matter of many an attack.
const RSA_LEAST_EXPONENT: u64 = 65_537;
/// What OAEP with SHA-256 adds to a text (RFC 8017 section 7.1.1).
const OAEP: usize = 2 * 32 + 2;

/// Standard base64, with its padding or without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A public key that a code can be sealed to.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(pub(super) Kind);

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa(Box<rsa::PublicKey>),
    Hpke([u8; 32]),
}

impl PublicKey {
    /// Reads a key: `hpke-x25519:` and 32 bytes, or the base64 of an RSA key's SPKI DER, whose padding may be missing.
    ///
    /// # Errors
    /// `Invalid` with the field `publicKey` and what is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(invalid("must have at most 1500 characters"));
        }
        let text = text.trim_ascii();
        if let Some(base64) = text.strip_prefix(HPKE) {
            let key =
                suite::decode_key(base64).ok_or(invalid("must have 32 bytes in base64url behind hpke-x25519:"))?;
            return if suite::is_whole(&key) { Ok(Self(Kind::Hpke(key))) } else { Err(invalid("is a weak key")) };
        }
        if text.starts_with("-----") {
            return Err(invalid("must be one line of base64, without the lines of PEM"));
        }
        let der = LENIENT.decode(text).map_err(|_| invalid("must be base64 of a key, or begin with hpke-x25519:"))?;
        let key = rsa::PublicKey::from_public_key_der(&der)
            .map_err(|_| invalid("must be an RSA key of 2048 to 8192 bits in SPKI DER"))?;
        let key = Self(Kind::Rsa(Box::new(check_rsa(key)?)));
        // What is read leniently (RSA-PSS, absent parameters) would have a second spelling.
        if key.spki()? == der { Ok(key) } else { Err(invalid("must be an RSA key for encryption in SPKI DER")) }
    }

    /// The form on the wire, of which a key has one.
    ///
    /// # Errors
    /// `Internal` if the key can't be encoded, which does not happen.
    pub fn encode(&self) -> Result<String> {
        match &self.0 {
            Kind::Rsa(_) => Ok(STANDARD.encode(self.spki()?)),
            Kind::Hpke(key) => Ok(format!("{HPKE}{}", URL_SAFE_NO_PAD.encode(key))),
        }
    }

    /// Whether what is sealed to it opens in its context only.
    pub const fn binds_context(&self) -> bool {
        matches!(self.0, Kind::Hpke(_))
    }

    /// The longest text that can be sealed to it, in bytes: 190 for an RSA key of 2048 bits.
    pub fn most_text(&self) -> usize {
        match &self.0 {
            Kind::Rsa(key) => key.size() - OAEP,
            Kind::Hpke(_) => suite::MOST_TEXT,
        }
    }

    /// What people compare keys by.
    ///
    /// # Errors
    /// As [`PublicKey::encode`].
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        match &self.0 {
            Kind::Rsa(_) => Ok(Fingerprint::of_spki(&self.spki()?)),
            Kind::Hpke(key) => Ok(Fingerprint::of_x25519(key)),
        }
    }

    /// Seals a text to the key. `seed` is 32 bytes of a cryptographic source, for this one time.
    ///
    /// # Errors
    /// `Invalid` for a text that does not fit.
    pub fn seal(&self, text: &Secret<String>, context: &Context<'_>, seed: Secret<[u8; 32]>) -> Result<Ciphertext> {
        let text = text.expose().as_bytes();
        if text.len() > self.most_text() {
            return Err(Error::Invalid { field: "text", why: "is too long to be sealed to this key" });
        }
        let mut random = Drawn::of(seed);
        let failed = || Error::internal("a text could not be sealed");
        let sealed = match &self.0 {
            Kind::Rsa(key) => {
                STANDARD.encode(key.oaep_encrypt_with_rng::<Sha256, _>(&mut random, text).map_err(|_| failed())?)
            }
            Kind::Hpke(key) => suite::seal(key, &context.info(), text, &mut random).ok_or_else(failed)?.encode(),
        };
        Ok(Ciphertext(sealed))
    }

    fn spki(&self) -> Result<Vec<u8>> {
        match &self.0 {
            Kind::Rsa(key) => Ok(key.to_public_key_der().map_err(Error::internal)?.into_vec()),
            Kind::Hpke(_) => Err(Error::internal("only RSA keys are kept as SPKI")),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fingerprint() {
            Ok(fingerprint) => fmt::Display::fmt(&fingerprint, f),
            Err(_) => f.write_str("PublicKey"),
        }
    }
}

/// Whether an RSA key is one to seal to.
pub(super) fn check_rsa(key: rsa::PublicKey) -> Result<rsa::PublicKey> {
    if !RSA_BITS.contains(&key.n().bit_width_vartime()) {
        return Err(invalid("must be an RSA key of 2048 to 8192 bits"));
    }
    // Odd it is already, and below 2^33: the decoder asks for both.
    if *key.e() < rsa::BoxedUint::from(RSA_LEAST_EXPONENT) {
        return Err(invalid("must be an RSA key with the exponent 65537"));
    }
    Ok(key)
}

const fn invalid(why: &'static str) -> Error {
    Error::Invalid { field: "publicKey", why }
}
