//! Sealing: a short secret (a code that was found) to the public key of the agent that asked for it, so that whoever
//! carries or keeps it can't read it. Two kinds of key. RSA-OAEP is what AgentOTP's clients send, and binds nothing: who
//! holds the ciphertext can pass it off as the answer to another request for the same key. HPKE (RFC 9180) is ours, and
//! opens only for the request, agent, sender and expiry that it was sealed for. Refuses weak keys, texts that don't fit
//! (nothing is cut), what is no ciphertext, and to draw randomness: 32 bytes are handed in, and used up.
//!
//! What is on the wire:
//!
//! | what | form |
//! | --- | --- |
//! | RSA public key | base64 of SPKI DER, one line, no PEM |
//! | RSA ciphertext | padded base64, as many bytes as the modulus; OAEP with SHA-256, MGF1 with SHA-256, no label |
//! | RSA private key | base64 of PKCS#8 DER |
//! | HPKE public key | `hpke-x25519:` + base64url of 32 bytes |
//! | HPKE ciphertext | `hpke1.` + base64url(enc) + `.` + base64url(ct) |
//! | HPKE private key | `hpke-x25519-private:` + base64url of 32 bytes |
//! | identity | `ed25519:` + base64url of 32 bytes; private: `ed25519-private:` |
//!
//! The HPKE suite is DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, no `aad`: what Web Crypto has, so that
//! an agent in a browser or in Node needs no cipher of its own. base64url is without padding.
//!
//! What signed calls seal has forms of its own: [`turnkey`].

mod drawn;
mod envelope;
mod identity;
mod print;
mod private;
mod public;
mod suite;
pub mod turnkey;

pub use identity::{IdentityKey, IdentitySigner, Statement};
pub use print::Fingerprint;
pub use private::PrivateKey;
pub use public::PublicKey;

use crate::time::Timestamp;

/// What a ciphertext belongs to. Both sides must know all of it: an agent reads it in the answers to its request.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The request's id, as its door shows it.
    pub request: &'a str,
    /// The agent's id, as its door shows it.
    pub agent: &'a str,
    /// The verified domain, number or name that the message came from, as the agent is told; empty if none was verified.
    pub sender: &'a str,
    /// When the request is over.
    pub expires_at: Timestamp,
}

impl Context<'_> {
    /// HPKE's `info`: the label and each part after its length as four big-endian bytes; the expiry is eight
    /// big-endian bytes of milliseconds since 1970.
    fn info(&self) -> Vec<u8> {
        let expiry = self.expires_at.millis().to_be_bytes();
        prefixed("doorcode/v1/seal", &[self.request.as_bytes(), self.agent.as_bytes(), self.sender.as_bytes(), &expiry])
    }
}

/// A sealed text in its form on the wire. Not secret, and nothing but ciphertext gets in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ciphertext(String);

impl Ciphertext {
    /// The text, as the agent reads it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, to be stored.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// The label and the parts, each after its length as four big-endian bytes: no two lists read the same.
fn prefixed(label: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum::<usize>() + 4 + label.len());
    for part in std::iter::once(&label.as_bytes()).chain(parts) {
        // Nothing near four gigabytes gets here; saturating keeps the function total.
        bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::prefixed;

    #[test]
    fn parts_do_not_run_together() {
        assert_eq!(prefixed("l", &[b"ab", b""]), b"\0\0\0\x01l\0\0\0\x02ab\0\0\0\0");
        assert_ne!(prefixed("l", &[b"ab", b"c"]), prefixed("l", &[b"a", b"bc"]));
        assert_ne!(prefixed("l", &[b"", b"a"]), prefixed("l", &[b"a", b""]));
        assert_ne!(prefixed("la", &[b"b"]), prefixed("l", &[b"ab"]));
    }
}
