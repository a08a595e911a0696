//! Fingerprints of keys: what two people read to each other to know that they mean one key. SHA-256 of the key's SPKI
//! DER, the same that `openssl pkey -pubin -outform DER | sha256sum` gives. Refuses to compare less than what is shown.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::glyph::{is_blank, is_dash};
use crate::hex;

/// What SPKI DER has before the 32 bytes of an X25519 key (RFC 8410 section 4).
const X25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00];
/// The same of an Ed25519 key.
const ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// 32 bytes that stand for a key. `Display` shows the first half of them, eight groups of four hex digits: another key with
/// the same 128 bits is not found.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of_spki(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    pub(super) fn of_x25519(key: &[u8; 32]) -> Self {
        Self::of_spki(&[X25519.as_slice(), key].concat())
    }

    pub(super) fn of_ed25519(key: &[u8; 32]) -> Self {
        Self::of_spki(&[ED25519.as_slice(), key].concat())
    }

    /// One that was kept.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// All of it, to be kept.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether somebody's text is this fingerprint: what is shown, or all 64 digits; case, spaces, hyphens and colons don't
    /// count.
    pub fn agrees(&self, text: &str) -> bool {
        const LONGEST: usize = 200;
        if text.len() > LONGEST {
            return false;
        }
        let typed: String = text.chars().filter(|c| !is_blank(*c) && !is_dash(*c) && *c != ':').collect();
        let whole = hex::encode(&self.0);
        let typed = typed.to_ascii_lowercase();
        typed == whole || typed == whole[..32]
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, pair) in self.0.chunks_exact(2).take(8).enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{:02x}{:02x}", pair[0], pair[1])?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
