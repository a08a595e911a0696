//! The fingerprint of a body: what makes two calls the same call. Refuses to be kept in its plain form where the body carries a code: a
//! plain digest of a body with one unknown code in it gives the code away to whoever tries a million.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::hex;
use crate::id::OrgId;
use crate::root::Root;

/// SHA-256 of the bytes of a body. `Display` is its form on the wire: `sha256:` and 64 digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BodyPrint([u8; 32]);

impl BodyPrint {
    /// Of these bytes.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    /// The digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What is kept to find the activity again, and says nothing about the body to whoever has not the key: HMAC under the root of
    /// [`crate::Use::Activity`], bound to the organisation.
    pub fn keyed(&self, root: &Root, org: OrgId) -> [u8; 32] {
        root.mac(&[b"fingerprint", org.as_bytes(), &self.0])
    }
}

impl fmt::Display for BodyPrint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(&self.0))
    }
}

impl fmt::Debug for BodyPrint {
    /// Nothing of it: see above.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyPrint")
    }
}
