//! The agent's half: what opens. Lives with whoever asked (`doorcode` on a command line, a collector, a test), never with
//! the server that seals. Refuses to print, and to say why something can't be opened.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::drawn::Drawn;
use super::public::{Kind, PublicKey, check_rsa};
use super::{Context, suite};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// What our own private keys begin with.
const HPKE: &str = "hpke-x25519-private:";
/// Characters. An RSA key of 8,192 bits has some 6,200.
const LONGEST: usize = 8192;

/// A private key. Wiped when dropped.
///
/// ```compile_fail,E0277
/// println!("{:?}", doorcode_core::seal::PrivateKey::from_seed(doorcode_core::Secret::new([1; 32])));
/// ```
pub struct PrivateKey(Half);

enum Half {
    Rsa(Box<rsa::PrivateKey>),
    Hpke(Secret<[u8; 32]>),
}

impl PrivateKey {
    /// A new HPKE key out of 32 bytes of a cryptographic source.
    pub fn from_seed(seed: Secret<[u8; 32]>) -> Self {
        let key = suite::derive(seed.expose());
        drop(seed);
        Self(Half::Hpke(key))
    }

    /// Reads a key: `hpke-x25519-private:` and 32 bytes, or the base64 of an RSA key's PKCS#8 DER.
    ///
    /// # Errors
    /// `Invalid` with the field `private key`, also for RSA keys that nothing would be sealed to.
    pub fn parse(text: &Secret<String>) -> Result<Self> {
        let bad = || Error::Invalid { field: "private key", why: "must be hpke-x25519-private: or base64 of PKCS#8" };
        let text = text.expose().trim_ascii();
        if text.len() > LONGEST {
            return Err(bad());
        }
        if let Some(base64) = text.strip_prefix(HPKE) {
            return suite::decode_key(base64).map(|key| Self(Half::Hpke(Secret::new(key)))).ok_or_else(bad);
        }
        let der = Zeroizing::new(STANDARD.decode(text).map_err(|_| bad())?);
        let key = rsa::PrivateKey::from_pkcs8_der(&der).map_err(|_| bad())?;
        check_rsa(key.to_public_key())?;
        Ok(Self(Half::Rsa(Box::new(key))))
    }

    /// The text of an HPKE key, to be kept where only its owner reads. None for RSA keys, which came from elsewhere.
    pub fn encode(&self) -> Option<Secret<String>> {
        let Half::Hpke(key) = &self.0 else { return None };
        let base64 = Zeroizing::new(URL_SAFE_NO_PAD.encode(key.expose()));
        Some(Secret::new(format!("{HPKE}{}", *base64)))
    }

    /// The key to hand over.
    ///
    /// # Errors
    /// `Internal` if there is none, which does not happen.
    pub fn public(&self) -> Result<PublicKey> {
        let kind = match &self.0 {
            Half::Rsa(key) => Kind::Rsa(Box::new(key.to_public_key())),
            Half::Hpke(key) => {
                Kind::Hpke(suite::public(key).ok_or_else(|| Error::internal("a key has no public half"))?)
            }
        };
        Ok(PublicKey(kind))
    }

    /// Opens what was sealed to this key, in this context; with RSA any context opens. `seed` is 32 bytes of a
    /// cryptographic source, for this one time: RSA hides behind them what its time would tell.
    ///
    /// # Errors
    /// `Invalid` for whatever can't be opened: another key, another context, another spelling, a changed bit, a text that is
    /// not UTF-8. Which of these it was is not said.
    pub fn open(&self, text: &str, context: &Context<'_>, seed: Secret<[u8; 32]>) -> Result<Secret<String>> {
        let mut random = Drawn::of(seed);
        let opened = match &self.0 {
            Half::Rsa(key) => decode_rsa(text, key.size())
                .and_then(|bytes| key.oaep_decrypt_with_rng::<Sha256, _>(&mut random, &bytes).ok())
                .map(Zeroizing::new),
            Half::Hpke(key) => suite::Message::parse(text).and_then(|it| suite::open(key, &context.info(), &it)),
        };
        let read = opened.and_then(|bytes| str::from_utf8(&bytes).ok().map(|text| Secret::new(text.to_owned())));
        read.ok_or(Error::Invalid { field: "encryptedPayload", why: "can't be opened with this key" })
    }
}

/// The bytes of an RSA ciphertext: as many as the modulus has, in padded base64.
pub(super) fn decode_rsa(text: &str, size: usize) -> Option<Vec<u8>> {
    (text.len() == size.div_ceil(3) * 4).then(|| STANDARD.decode(text).ok())?.filter(|bytes| bytes.len() == size)
}
