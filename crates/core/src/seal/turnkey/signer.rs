//! The keys by which clients know this server: each derived from a master key, so that it rotates with it and is stored nowhere, and each for
//! one use, so that nothing that one signs is taken for another's. Refuses to be made without randomness for its signatures.

use ring::rand::SecureRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use sha2::{Digest as _, Sha256};

use super::fault;
use crate::error::{Error, Result};
use crate::root::{Kid, Root};
use crate::stamp::{Curve, PublicKey};
use crate::token;

/// A signing key of one master key and one use: [`crate::Use::Verification`] for target bundles and verification tokens,
/// [`crate::Use::OldVerification`] for tokens of the old form, [`crate::Use::Notary`] for sessions.
pub struct Signer {
    kid: Kid,
    fixed: EcdsaKeyPair,
    der: EcdsaKeyPair,
    public: PublicKey,
}

impl Signer {
    /// The key that comes of a root.
    ///
    /// # Errors
    /// `Internal` if none does, which does not happen.
    pub fn derive(kid: Kid, root: &Root, random: &dyn SecureRandom) -> Result<Self> {
        let fixed = token::pair_of(root, &ECDSA_P256_SHA256_FIXED_SIGNING, random)?;
        let der = token::pair_of(root, &ECDSA_P256_SHA256_ASN1_SIGNING, random)?;
        let public = PublicKey::from_bytes(Curve::P256, fixed.public_key().as_ref());
        Ok(Self { kid, fixed, der, public: public.ok_or_else(|| fault("a key has no public half"))? })
    }

    /// Of which master key.
    pub const fn kid(&self) -> Kid {
        self.kid
    }

    /// The public half, for clients that pin it.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// It as clients compare it, as a string: the uncompressed point in lower-case hexadecimal.
    pub fn pinned(&self) -> String {
        crate::hex::encode(self.public.uncompressed().map_or(&[], <[u8; 65]>::as_slice))
    }

    /// ECDSA over SHA-256 of a message, in DER.
    pub(super) fn sign_der(&self, message: &[u8], random: &dyn SecureRandom) -> Result<Vec<u8>> {
        signed(&self.der, message, random)
    }

    /// The same as `r` and `s`.
    pub(super) fn sign_fixed(&self, message: &[u8], random: &dyn SecureRandom) -> Result<Vec<u8>> {
        signed(&self.fixed, message, random)
    }

    /// The same over SHA-256 of SHA-256 of it.
    pub(super) fn sign_twice_hashed(&self, message: &[u8], random: &dyn SecureRandom) -> Result<Vec<u8>> {
        self.sign_fixed(&Sha256::digest(message), random)
    }
}

fn signed(pair: &EcdsaKeyPair, message: &[u8], random: &dyn SecureRandom) -> Result<Vec<u8>> {
    let signature = pair.sign(random, message).map_err(|_| Error::unavailable("no randomness"))?;
    Ok(signature.as_ref().to_vec())
}
