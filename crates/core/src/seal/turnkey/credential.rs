//! The credential bundle: a new private key, sealed to the person's device in the same breath in which it is made. Refuses to return it, to
//! make one without a target, and to say why a bundle does not open.

use zeroize::{Zeroize as _, Zeroizing};

use super::key::{BundleKey, compressed, point_of};
use super::{base58, suite};
use crate::error::{Error, Result};
use crate::root::Root;
use crate::secret::Secret;
use crate::stamp::{Curve, PublicKey};

/// Bytes of a private key.
const KEY: usize = 32;
/// Bytes of a compressed point.
const HEAD: usize = 33;

/// A new credential: what is kept of it, and what its owner gets. Neither is secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The public half, to be kept as the credential.
    pub key: PublicKey,
    /// The private half, sealed: 115 to 117 characters.
    pub bundle: String,
}

/// Makes a key and seals it to a point of P-256. `draw` gives 32 bytes of a cryptographic source, for this one time: the new key
/// and the sender's come out of them. They are drawn in here since everything but the [`Grant`] is wiped before this returns, copies that
/// the compiler left on the stack too.
///
/// # Errors
/// `Invalid` with the field `targetPublicKey` for a key of another curve; `Internal` if nothing comes of the seed, which does not happen; and what
/// `draw` says.
pub fn grant(target: &PublicKey, draw: impl FnOnce() -> Result<Secret<[u8; 32]>>) -> Result<Grant> {
    let made = make(target, draw);
    wipe_below();
    made
}

/// In a frame of its own, which is below that of whoever wipes.
#[inline(never)]
fn make(target: &PublicKey, draw: impl FnOnce() -> Result<Secret<[u8; 32]>>) -> Result<Grant> {
    let target = point_of(target);
    let target = target.ok_or(Error::Invalid { field: "targetPublicKey", why: "must be a public key of P-256" })?;
    let seed = draw()?;
    let root = Root::of_seed(seed.expose());
    drop(seed);
    seal(&target, &root.p256_key(b"credential")?, &root.p256_key(b"sender")?)
}

/// Writes zeros over as much of the stack as what was called before from the same place can have used: where a number is computed with, copies
/// of it are left that nobody has a name for.
#[inline(never)]
fn wipe_below() {
    /// 64 KiB.
    const WORDS: usize = 8192;
    let mut words = [1_u64; WORDS];
    words.zeroize();
}

fn seal(target: &p256::PublicKey, new: &p256::SecretKey, sender: &p256::SecretKey) -> Result<Grant> {
    let mut private = Zeroizing::new([0; KEY]);
    let bytes = Zeroizing::new(new.to_bytes());
    private.copy_from_slice(bytes.as_slice());
    let (_, sealed) = suite::seal(target, sender, private.as_slice())?;
    let payload = [compressed(&sender.public_key()).as_slice(), &sealed].concat();
    Ok(Grant { key: PublicKey::of_p256(&new.public_key()), bundle: base58::encode(&payload) })
}

/// Opens a bundle: the private key in it, 32 bytes. For its owner's side.
///
/// # Errors
/// `Invalid` with the field `bundle` for whatever can't be opened; why is not said.
pub fn open_grant(bundle: &str, key: &BundleKey) -> Result<Secret<[u8; KEY]>> {
    let bad = Error::Invalid { field: "bundle", why: "can't be opened with this key" };
    let opened = base58::decode(bundle.trim_ascii()).and_then(|payload| {
        let (head, sealed) = payload.split_at_checked(HEAD)?;
        let sender = PublicKey::from_bytes(Curve::P256, head).and_then(|head| point_of(&head))?;
        suite::open(key.secret(), &sender, sealed)
    });
    let Some(opened) = opened else { return Err(bad) };
    let mut private = Secret::new([0; KEY]);
    if opened.len() != KEY {
        return Err(bad);
    }
    private.expose_mut().copy_from_slice(&opened);
    // What is no private key is not handed on as one.
    if p256::SecretKey::from_slice(private.expose()).is_err() { Err(bad) } else { Ok(private) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    fn secret(text: &str) -> p256::SecretKey {
        p256::SecretKey::from_slice(&hex::decode(text, KEY).unwrap()).unwrap()
    }

    /// A private key that begins with zeros, from fixed keys: the text that another implementation made of it, and real clients opened.
    #[test]
    fn a_bundle_is_the_known_one_byte_by_byte() {
        let target = secret("20fa65df11f24833790ae283fc9a0c215eecbbc589549767977994dc69d05a56");
        let sender = secret("0fedcba9876543210fedcba9876543210fedcba9876543210fedcba987654321");
        let new = secret("0000000000000000000000000000000000000000000000000000000000000007");
        let made = seal(&target.public_key(), &new, &sender).unwrap();
        assert_eq!(
            made.bundle,
            "kK6ueBJ6PgQ3v2TzBhAbamcjJhgUfx8viHMqELz9UH8YdDwD4DJypzPuT5Lh1RtXF9bneTcgK2JunpMNoLuDu5ZRqTfy8YhhSWdeWv9PPbwPgEuiGCK"
        );
        assert_eq!(made.key.to_hex(), "028e533b6fa0bf7b4625bb30667c01fb607ef9f8b8a80fef5b300628703187b2a3");
    }
}
