//! Plain digests of things that are looked up and not secret: an address in a realm, a network. All the same length, so
//! that a key of the database says nothing by its size. Refuses to be used where a secret would be found by it: API keys
//! have a keyed digest ([`crate::apikey`]).

use sha2::{Digest as _, Sha256};

/// 16 bytes that stand for `parts` in their `kind`; each part is length-prefixed, so no two lists run together.
pub fn fingerprint(kind: &str, parts: &[&[u8]]) -> [u8; 16] {
    let mut digest = Sha256::new();
    digest.update(b"doorcode/v1/");
    for part in std::iter::once(&kind.as_bytes()).chain(parts) {
        digest.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        digest.update(part);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&digest.finalize()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(fingerprint("a", &[b"bc", b"d"]), fingerprint("a", &[b"b", b"cd"]));
        assert_ne!(fingerprint("ab", &[b"c"]), fingerprint("a", &[b"bc"]));
        assert_eq!(fingerprint("a", &[b"b"]), fingerprint("a", &[b"b"]));
    }
}
