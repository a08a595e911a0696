//! Messages that a push service carries to a browser: sealed to the browser (RFC 8291, `aes128gcm` of RFC 8188), and signed so that the
//! service knows who sends (VAPID, RFC 8292). Randomness is handed in. Refuses keys that are no points of the curve, and messages
//! that services need not carry (4096 bytes in all).

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::SecureRandom;
use ring::signature::{EcdsaKeyPair, KeyPair as _};
use serde_json::json;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::root::{Kid, Root};
use crate::secret::Secret;
use crate::time::Timestamp;

/// The only size of record, and so the most that one has with its head (RFC 8291 section 4).
const RECORD: usize = 4096;
/// What stands before the sealed text: salt, size of record, length of the key, key (RFC 8188 section 2.1).
const HEAD: usize = 16 + 4 + 1 + 65;
/// The longest text: the record without its head, the mark of its end, and its tag.
pub const TEXT_MOST: usize = RECORD - HEAD - 1 - 16;

/// The key by which push services know a server, of one master key.
pub struct Vapid {
    kid: Kid,
    pair: EcdsaKeyPair,
}

impl Vapid {
    /// The key of a master key, from its root of [`crate::Use::Push`].
    ///
    /// # Errors
    /// `Internal` if none can be derived, which does not happen.
    pub fn derive(kid: Kid, root: &Root, random: &dyn SecureRandom) -> Result<Self> {
        Ok(Self { kid, pair: crate::token::pair(root, random)? })
    }

    /// Whose it is.
    pub fn kid(&self) -> Kid {
        self.kid
    }

    /// The public half, as browsers want it: the uncompressed point in base64url.
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref())
    }

    /// The value of `Authorization` for one service (RFC 8292 section 3): `audience` is its origin, `subject` is where to complain.
    ///
    /// # Errors
    /// `Unavailable` if there is no randomness.
    pub fn authorization(
        &self,
        audience: &str,
        subject: &str,
        until: Timestamp,
        random: &dyn SecureRandom,
    ) -> Result<String> {
        let claims = json!({ "aud": audience, "exp": until.millis() / 1000, "sub": subject });
        let mut token = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","typ":"JWT"}"#);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let signed = self.pair.sign(random, token.as_bytes()).map_err(|_| Error::unavailable("no randomness"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signed.as_ref(), &mut token);
        Ok(format!("vapid t={token}, k={}", self.public()))
    }
}

/// A browser that can be told: its public key, and what it shares with us.
pub struct Recipient {
    key: p256::PublicKey,
    auth: [u8; 16],
}

impl Recipient {
    /// Of what a browser gives: `p256dh` and `auth`, in base64url.
    ///
    /// # Errors
    /// `Invalid` for what is neither.
    pub fn parse(p256dh: &str, auth: &str) -> Result<Self> {
        let key = decode(p256dh).filter(|bytes| bytes.len() == 65);
        let key = key.and_then(|bytes| p256::PublicKey::from_sec1_bytes(&bytes).ok());
        let auth = decode(auth).and_then(|bytes| bytes.try_into().ok());
        Ok(Self {
            key: key.ok_or(Error::Invalid { field: "p256dh", why: "must be a point of P-256 in base64url" })?,
            auth: auth.ok_or(Error::Invalid { field: "auth", why: "must be 16 bytes in base64url" })?,
        })
    }

    /// Seals a text: the body of the request. `seed` and `salt` are drawn for this one message.
    ///
    /// # Errors
    /// `Invalid` for a text that is too long; `Internal` if no key comes of the seed, which does not happen.
    pub fn seal(&self, text: &[u8], seed: &Secret<[u8; 32]>, salt: [u8; 16]) -> Result<Vec<u8>> {
        let root = Root::of_seed(seed.expose());
        self.seal_from(text, &root.p256_key(b"push")?, salt)
    }

    fn seal_from(&self, text: &[u8], sender: &p256::SecretKey, salt: [u8; 16]) -> Result<Vec<u8>> {
        if text.len() > TEXT_MOST {
            return Err(Error::Invalid { field: "text", why: "is too long for a push message" });
        }
        let public = sender.public_key().to_sec1_point(false);
        let shared = p256::ecdh::diffie_hellman(sender.to_nonzero_scalar(), self.key.as_affine());
        let theirs = self.key.to_sec1_point(false);
        let about = [b"WebPush: info\0".as_slice(), theirs.as_bytes(), public.as_bytes()];
        let secret: Zeroizing<[u8; 32]> = expand(&self.auth, shared.raw_secret_bytes(), &about)?;
        let key: Zeroizing<[u8; 16]> = expand(&salt, secret.as_slice(), &[b"Content-Encoding: aes128gcm\0"])?;
        let nonce: Zeroizing<[u8; 12]> = expand(&salt, secret.as_slice(), &[b"Content-Encoding: nonce\0"])?;
        let fault = |_| Error::internal("a push message could not be sealed");
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key.as_slice()).map_err(fault)?);
        // The mark of the last record, and no filling.
        let mut sealed = [text, &[2]].concat();
        cipher
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut sealed)
            .map_err(fault)?;
        let size = (RECORD as u32).to_be_bytes();
        Ok([salt.as_slice(), &size, &[65], public.as_bytes(), &sealed].concat())
    }
}

fn expand<const N: usize>(salt: &[u8], secret: &[u8], about: &[&[u8]]) -> Result<Zeroizing<[u8; N]>> {
    let mut out = Zeroizing::new([0; N]);
    let expanded = Hkdf::<Sha256>::new(Some(salt), secret).expand_multi_info(about, out.as_mut_slice());
    expanded.map_err(|_| Error::internal("HKDF gives so much"))?;
    Ok(out)
}

/// Browsers leave the filling out; some libraries do not.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEIRS: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    #[test]
    fn the_published_example_is_sealed_as_published() {
        // RFC 8291 section 5 and appendix A.
        let ours = decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw").unwrap();
        let salt: [u8; 16] = decode("DGv6ra1nlYgDCS1FRnbzlw").unwrap().try_into().unwrap();
        let recipient = Recipient::parse(THEIRS, AUTH).unwrap();
        let sender = p256::SecretKey::from_slice(&ours).unwrap();
        let sealed = recipient.seal_from(b"When I grow up, I want to be a watermelon", &sender, salt).unwrap();
        let published = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(sealed), published);
    }

    #[test]
    fn a_message_has_a_length_and_every_seed_seals_anew() {
        let recipient = Recipient::parse(THEIRS, AUTH).unwrap();
        let seal = |length, seed| recipient.seal(&vec![7; length], &Secret::new([seed; 32]), [1; 16]);
        assert_eq!(seal(TEXT_MOST, 1).unwrap().len(), RECORD);
        assert!(seal(TEXT_MOST + 1, 1).is_err());
        assert_ne!(seal(9, 1).unwrap(), seal(9, 2).unwrap());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let zeros = URL_SAFE_NO_PAD.encode([0; 65]);
        let short = &THEIRS[..86];
        for (key, auth) in [("", AUTH), (&*zeros, AUTH), (short, AUTH), ("x y", AUTH), (THEIRS, ""), (THEIRS, THEIRS)] {
            assert!(Recipient::parse(key, auth).is_err(), "{key} {auth}");
        }
    }
}
