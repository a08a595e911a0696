//! The envelopes of signed calls, byte by byte as their clients want them. A private key that a code earned, sealed to a key made on the
//! person's device; a key to seal a code to, signed; the code that comes back; the tokens that say what was earned; and what a client
//! signs when it spends one. Refuses to hand out a private key: that of a new credential is made, sealed and wiped within
//! [`grant`], that of a start is derived and never stored.
//!
//! | what | form |
//! | --- | --- |
//! | credential bundle | base58 of: compressed point, ciphertext of the 32 bytes of the key, tag; then four bytes of SHA-256 twice over all that |
//! | target bundle | JSON `version`, `data`, `dataSignature`, `enclaveQuorumPublic`; `data` is hexadecimal of JSON with `targetPublic` |
//! | encrypted code | JSON `encappedPublic`, `ciphertext`, both hexadecimal; inside JSON `otp_code`, `public_key` |
//! | verification token | JWS with `{"typ":"JWT","alg":"ES256"}`; all claims are strings, `exp` in milliseconds. Of the old form: `exp` a number of seconds |
//! | session | the same with `{"alg":"ES256","typ":"JWT"}`, signed over the SHA-256 of what a JWS signs: no library's ES256 verifies it |
//! | client signature | over a text that names token, use and what is to be done; `r` and `s` in hexadecimal, or DER |
//!
//! Both bundles are HPKE (RFC 9180) in base mode with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, `info` the twelve bytes
//! `turnkey_hpke`, `aad` both points uncompressed, the sender's first. Points on the wire are hexadecimal.

mod base58;
mod client;
mod code;
mod credential;
mod key;
mod session;
mod signer;
mod suite;
mod verification;

pub use client::{ClientSignature, Usage};
pub use code::{Entry, open_code, open_target, seal_code, target_bundle};
pub use credential::{Grant, grant, open_grant};
pub use key::BundleKey;
pub use session::Session;
pub use signer::Signer;
pub use verification::{Proof, Verification};

/// Why what should always work did not.
fn fault(what: &'static str) -> crate::error::Error {
    crate::error::Error::internal(what)
}
