//! Secrets that other people gave into our keeping (a provider's token, a password of a mailbox), as they are stored: AES-256-GCM under a
//! key that is derived for the one row they belong to. Refuses to open what was moved to another row, kept under another key, or changed,
//! and to draw randomness: the nonce is handed in, and used up.
//!
//! A stored text is `v1.` and base64url of nonce (12 bytes), ciphertext and tag (16 bytes).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::root::Root;
use crate::secret::Secret;

/// Begins every stored text: a later cipher has another.
const MARK: &str = "v1.";
/// What GCM takes.
const NONCE: usize = 12;

/// Seals a secret for a place: what it is, and the ids of its row. Under the root of [`crate::Use::Vault`].
///
/// # Errors
/// `Internal` if the cipher can't be set up.
pub fn seal(root: &Root, place: &[&[u8]], nonce: [u8; NONCE], secret: &Secret<String>) -> Result<String> {
    let mut sealed = secret.expose().as_bytes().to_vec();
    key(root, place)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound(place)), &mut sealed)
        .map_err(|_| Error::internal("a secret could not be sealed"))?;
    let mut stored = nonce.to_vec();
    stored.append(&mut sealed);
    Ok(format!("{MARK}{}", URL_SAFE_NO_PAD.encode(stored)))
}

/// Opens what was sealed for that place. None: it was not, or not so.
pub fn open(root: &Root, place: &[&[u8]], stored: &str) -> Option<Secret<String>> {
    let mut bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(stored.strip_prefix(MARK)?).ok()?);
    let (nonce, sealed) = bytes.split_at_mut_checked(NONCE)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let plain = key(root, place).ok()?.open_in_place(nonce, Aad::from(bound(place)), sealed).ok()?;
    str::from_utf8(plain).ok().map(|text| Secret::new(text.to_owned()))
}

/// A key for each place: two rows never share one, so that no nonce can meet another under it.
fn key(root: &Root, place: &[&[u8]]) -> Result<LessSafeKey> {
    let mut parts: Vec<&[u8]> = vec![b"key"];
    parts.extend(place);
    let bytes = Zeroizing::new(root.mac(&parts));
    let key = UnboundKey::new(&AES_256_GCM, bytes.as_slice());
    key.map(LessSafeKey::new).map_err(|_| Error::internal("a cipher could not be set up"))
}

/// The place as associated data: each part after its length.
fn bound(place: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in place {
        bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(byte: u8) -> Root {
        Root::of_seed(&[byte; 32])
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_and_under_its_key_only() {
        let secret = Secret::new("a token of theirs".to_owned());
        let place: &[&[u8]] = &[b"hook", &[1; 16], &[2; 16]];
        let stored = seal(&root(1), place, [7; 12], &secret).unwrap();
        assert!(stored.starts_with("v1.") && !stored.contains("token"), "{stored}");
        assert_eq!(open(&root(1), place, &stored).unwrap().expose(), secret.expose());
        assert!(open(&root(2), place, &stored).is_none(), "another key");
        for other in [&[&b"hook"[..], &[1; 16], &[3; 16]][..], &[b"mailbox", &[1; 16], &[2; 16]], &[b"hook", &[1; 32]]]
        {
            assert!(open(&root(1), other, &stored).is_none(), "another place");
        }
    }

    #[test]
    fn nothing_of_it_can_be_changed() {
        let secret = Secret::new("secret".to_owned());
        let stored = seal(&root(1), &[b"x"], [7; 12], &secret).unwrap();
        for at in MARK.len()..stored.len() {
            let mut changed = stored.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(open(&root(1), &[b"x"], &changed).is_none(), "{at}");
        }
        for nonsense in ["", "v1.", "v1.AAAA", "v2.AAAA", "ü", &stored[3..]] {
            assert!(open(&root(1), &[b"x"], nonsense).is_none(), "{nonsense}");
        }
    }
}
