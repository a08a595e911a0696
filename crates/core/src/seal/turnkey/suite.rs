//! The one HPKE suite of these envelopes (RFC 9180), made of its parts: the library of the other suite has this one only together with two
//! curves that nobody here uses, and binds the associated data before the sender's point is known. Refuses every other suite, mode and
//! `info`, and to seal more than one text under a key.

use hkdf::{Hkdf, HkdfExtract};
use p256::elliptic_curve::sec1::ToSec1Point as _;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use super::fault;
use crate::error::Result;

/// Bytes of a point with both coordinates.
pub(super) const POINT: usize = 65;
/// Of the tag of AES-GCM.
pub(super) const TAG: usize = 16;

/// The `info` of every envelope.
const INFO: &[u8] = b"turnkey_hpke";
/// DHKEM(P-256, HKDF-SHA256) (section 7.1).
const KEM: &[u8] = b"KEM\x00\x10";
/// It, HKDF-SHA256 and AES-256-GCM (section 5.1).
const SUITE: &[u8] = b"HPKE\x00\x10\x00\x01\x00\x02";
/// Begins every label (section 4).
const VERSION: &[u8] = b"HPKE-v1";

/// Seals one text to a point, with a private key that is used for this and nothing else. Gives the sender's point and the ciphertext.
pub(super) fn seal(
    target: &p256::PublicKey,
    ephemeral: &p256::SecretKey,
    text: &[u8],
) -> Result<([u8; POINT], Vec<u8>)> {
    let (enc, recipient) = (point(&ephemeral.public_key()), point(target));
    let shared = p256::ecdh::diffie_hellman(ephemeral.to_nonzero_scalar(), target.as_affine());
    let (key, nonce) = schedule(shared.raw_secret_bytes(), &enc, &recipient)?;
    let mut sealed = Vec::with_capacity(text.len() + TAG);
    sealed.extend_from_slice(text);
    let done = key.seal_in_place_append_tag(nonce, Aad::from([enc, recipient].concat()), &mut sealed);
    if done.is_err() {
        sealed.zeroize();
        return Err(fault("a text could not be sealed"));
    }
    Ok((enc, sealed))
}

/// Opens what was sealed to this key by the sender of that point. None: it was not, or a bit is another.
pub(super) fn open(key: &p256::SecretKey, sender: &p256::PublicKey, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (enc, recipient) = (point(sender), point(&key.public_key()));
    let shared = p256::ecdh::diffie_hellman(key.to_nonzero_scalar(), sender.as_affine());
    let (key, nonce) = schedule(shared.raw_secret_bytes(), &enc, &recipient).ok()?;
    let mut text = Zeroizing::new(sealed.to_vec());
    let length = key.open_in_place(nonce, Aad::from([enc, recipient].concat()), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

/// A private key out of 32 bytes (section 7.1.3, `DeriveKeyPair`).
pub(super) fn derive(seed: &[u8; 32]) -> Option<p256::SecretKey> {
    let from = extract(KEM, &[], b"dkp_prk", seed);
    (0..=u8::MAX).find_map(|counter| {
        let mut candidate = Zeroizing::new([0; 32]);
        expand(&from, KEM, b"candidate", &[&[counter]], candidate.as_mut_slice()).ok()?;
        p256::SecretKey::from_slice(candidate.as_slice()).ok()
    })
}

/// The uncompressed form.
pub(super) fn point(key: &p256::PublicKey) -> [u8; POINT] {
    let mut bytes = [0; POINT];
    bytes.copy_from_slice(key.to_sec1_point(false).as_bytes());
    bytes
}

/// From the shared point to the cipher and the nonce of its first and only text (sections 4.1 and 5.1).
fn schedule(shared: &[u8], enc: &[u8; POINT], recipient: &[u8; POINT]) -> Result<(LessSafeKey, Nonce)> {
    let mut secret = Zeroizing::new([0; 32]);
    expand(&extract(KEM, &[], b"eae_prk", shared), KEM, b"shared_secret", &[enc, recipient], secret.as_mut_slice())?;
    let from = extract(SUITE, secret.as_slice(), b"secret", b"");
    let context = context();
    let (mut key, mut nonce) = (Zeroizing::new([0; 32]), [0; 12]);
    expand(&from, SUITE, b"key", &[&context], key.as_mut_slice())?;
    expand(&from, SUITE, b"base_nonce", &[&context], &mut nonce)?;
    let cipher = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| fault("a cipher could not be set up"))?;
    Ok((LessSafeKey::new(cipher), Nonce::assume_unique_for_key(nonce)))
}

/// Base mode, no key that was shared before, and the digests of its empty name and of the `info`.
fn context() -> [u8; 65] {
    let mut context = [0; 65];
    for (at, label, text) in [(1, b"psk_id_hash".as_slice(), b"".as_slice()), (33, b"info_hash", INFO)] {
        let (digest, _) = labelled(SUITE, &[], label, text);
        context[at..at + 32].copy_from_slice(&digest);
    }
    context
}

/// `LabeledExtract` (section 4).
fn extract(suite: &[u8], salt: &[u8], label: &[u8], from: &[u8]) -> Hkdf<Sha256> {
    let (mut bytes, extracted) = labelled(suite, salt, label, from);
    bytes.zeroize();
    extracted
}

fn labelled(suite: &[u8], salt: &[u8], label: &[u8], from: &[u8]) -> ([u8; 32], Hkdf<Sha256>) {
    let mut extract = HkdfExtract::<Sha256>::new(Some(salt));
    for part in [VERSION, suite, label, from] {
        extract.input_ikm(part);
    }
    let (bytes, extracted) = extract.finalize();
    (bytes.into(), extracted)
}

/// `LabeledExpand` (section 4).
fn expand(from: &Hkdf<Sha256>, suite: &[u8], label: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<()> {
    let length = u16::try_from(out.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut parts: Vec<&[u8]> = vec![&length, VERSION, suite, label];
    parts.extend(info);
    from.expand_multi_info(&parts, out).map_err(|_| fault("a key could not be derived"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text, 200).unwrap()
    }

    /// The vector of RFC 9180 appendix A.3.1, whose suite has another cipher: `DeriveKeyPair` does not depend on it.
    #[test]
    fn a_private_key_is_derived_as_published() {
        let seed = hex::decode_exact("4270e54ffd08d79d5928020af4686d8f6b7d35dbe470265f1f5aa22816ce860e").unwrap();
        let key = derive(&seed).unwrap();
        assert_eq!(hex::encode(&key.to_bytes()), "4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb");
    }

    /// Another implementation's values, for fixed keys on both sides.
    #[test]
    fn a_fixed_sender_seals_the_known_bytes() {
        assert_eq!(
            hex::encode(&context()),
            "008fc3aeb832490a4b5ab3e42023287db29a1f4bc7c222c0df228727b70a402112\
             2f3f04e9206cd12413503529b47ac6a630b92ec4cf7d234508d0af9771c99e50"
        );
        let secret = |text| p256::SecretKey::from_slice(&bytes(text)).unwrap();
        let target = secret("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20");
        let sender = secret("a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0");
        let text = bytes("67ee05fc3bdf4161bc70701c221d8d77180294cefcfcea64ba83c4d4c732fcb9");
        let (enc, sealed) = seal(&target.public_key(), &sender, &text).unwrap();
        assert_eq!(
            hex::encode(&sealed),
            "795f864aa51d384d347aa349d6dd897009aa393308e25ed291cf2499482141eaa3b461b05dcd4a7706cc9e588080d7fe"
        );
        assert_eq!(enc, point(&sender.public_key()));
        assert_eq!(open(&target, &sender.public_key(), &sealed).unwrap().as_slice(), text);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&target, &sender.public_key(), &changed).is_none());
        }
        assert!(open(&sender, &target.public_key(), &sealed).is_none(), "the same shared point, the other way round");
        assert!(open(&target, &sender.public_key(), b"").is_none());
    }
}
