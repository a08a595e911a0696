//! The one HPKE suite, and the form of its messages. Refuses every other suite, mode and spelling, and points of low order,
//! with which the shared secret would be one that everybody knows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::traits::IsIdentity as _;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use zeroize::Zeroizing;

use super::drawn::Drawn;
use crate::secret::Secret;

type Aead = hpke::aead::AesGcm128;
type Kdf = hpke::kdf::HkdfSha256;
type Kem = hpke::kem::X25519HkdfSha256;

/// What a message begins with: the suite, and the version of the `info`.
pub(super) const HEAD: &str = "hpke1.";
/// The longest text that is sealed, in bytes. Codes have less than fifty.
pub(super) const MOST_TEXT: usize = 1024;
/// Of the tag of AES-GCM.
const TAG: usize = 16;
/// The longest message in characters: base64url has four for three bytes.
pub(super) const LONGEST: usize = HEAD.len() + 43 + 1 + (MOST_TEXT + TAG).div_ceil(3) * 4;

/// A message: the sender's key of this one time, and what was sealed.
pub(super) struct Message {
    enc: [u8; 32],
    sealed: Vec<u8>,
}

impl Message {
    /// Reads the form on the wire.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (enc, sealed) = text.strip_prefix(HEAD)?.split_once('.')?;
        let message = Self { enc: decode_key(enc)?, sealed: URL_SAFE_NO_PAD.decode(sealed).ok()? };
        ((TAG..=MOST_TEXT + TAG).contains(&message.sealed.len()) && is_whole(&message.enc)).then_some(message)
    }

    /// The form on the wire.
    pub(super) fn encode(&self) -> String {
        format!("{HEAD}{}.{}", URL_SAFE_NO_PAD.encode(self.enc), URL_SAFE_NO_PAD.encode(&self.sealed))
    }

    /// What was sealed, before it is opened.
    pub(super) fn sealed(&self) -> &[u8] {
        &self.sealed
    }
}

/// 32 bytes out of their base64url, which has one spelling.
pub(super) fn decode_key(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|_| text.len() == 43)?.try_into().ok()
}

/// Whether these bytes are a public key of one spelling (below the prime, no bit beside it) and not of low order.
pub(super) fn is_whole(key: &[u8; 32]) -> bool {
    let below = key[31] < 0x7f || key[31] == 0x7f && (key[1..31].iter().any(|byte| *byte != 0xff) || key[0] < 0xed);
    // A clamped scalar is a multiple of eight, which takes a point of low order, and no other, to zero.
    below && !MontgomeryPoint(*key).mul_clamped([0; 32]).is_identity()
}

/// Seals; none if the key can't be sealed to.
pub(super) fn seal(key: &[u8; 32], info: &[u8], text: &[u8], random: &mut Drawn) -> Option<Message> {
    let key = <Kem as hpke::Kem>::PublicKey::from_bytes(key).ok()?;
    let (enc, sealed) =
        hpke::single_shot_seal_with_rng::<Aead, Kdf, Kem>(&OpModeS::Base, &key, info, text, b"", random).ok()?;
    Some(Message { enc: enc.to_bytes().into(), sealed })
}

/// Opens; none if the key, the `info` or a bit of the message is another.
pub(super) fn open(key: &Secret<[u8; 32]>, info: &[u8], message: &Message) -> Option<Zeroizing<Vec<u8>>> {
    let key = <Kem as hpke::Kem>::PrivateKey::from_bytes(key.expose()).ok()?;
    let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(&message.enc).ok()?;
    hpke::single_shot_open::<Aead, Kdf, Kem>(&OpModeR::Base, &key, &enc, info, &message.sealed, b"")
        .ok()
        .map(Zeroizing::new)
}

/// A private key out of a seed (RFC 9180 section 7.1.3).
pub(super) fn derive(seed: &[u8; 32]) -> Secret<[u8; 32]> {
    let (private, _) = Kem::derive_keypair(seed);
    let mut bytes = Secret::new([0; 32]);
    private.write_exact(bytes.expose_mut());
    bytes
}

/// The public half.
pub(super) fn public(key: &Secret<[u8; 32]>) -> Option<[u8; 32]> {
    let key = <Kem as hpke::Kem>::PrivateKey::from_bytes(key.expose()).ok()?;
    Some(Kem::sk_to_pk(&key).to_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn key(hex: &str) -> [u8; 32] {
        bytes(hex).try_into().unwrap()
    }

    /// RFC 9180 appendix A.1.1: the suite is the one that it says.
    #[test]
    fn published_vector() {
        let private = derive(&key("6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037"));
        assert_eq!(
            private.expose(),
            &curve25519_dalek::scalar::clamp_integer(key(
                "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"
            ))
        );
        let public = public(&private).unwrap();
        assert_eq!(public, key("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"));
        assert!(is_whole(&public));
        let enc = bytes("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
        let sealed =
            bytes("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a");
        let text = hpke::single_shot_open::<Aead, Kdf, Kem>(
            &OpModeR::Base,
            &<Kem as hpke::Kem>::PrivateKey::from_bytes(private.expose()).unwrap(),
            &<Kem as hpke::Kem>::EncappedKey::from_bytes(&enc).unwrap(),
            b"Ode on a Grecian Urn",
            &sealed,
            b"Count-0",
        );
        assert_eq!(text.unwrap(), b"Beauty is truth, truth beauty");
    }

    /// Every encoding of a point of small order, and those that stand for another number.
    #[test]
    fn points_of_low_order_are_none() {
        let mut bad = vec![
            [0; 32],
            key("0100000000000000000000000000000000000000000000000000000000000000"),
            key("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
            key("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
            key("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            key("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            key("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            [0xff; 32],
        ];
        for at in 0..bad.len() {
            let mut high = bad[at];
            high[31] |= 0x80;
            bad.push(high);
        }
        for key in bad {
            assert!(!is_whole(&key), "{key:02x?}");
        }
        let mut nine = [0; 32];
        nine[0] = 9;
        assert!(is_whole(&nine));
        nine[31] = 0x80;
        assert!(!is_whole(&nine), "the same point, spelled otherwise");
    }
}
