//! Sessions: a text that says to a client until when which key is good, and for whom. It opens nothing: a call is what the key signs. Refuses to
//! be a token of any other kind: what is signed is a digest of what a JWS signs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SecureRandom;
use serde_json::json;

use super::signer::Signer;
use crate::error::Result;
use crate::id::{OrgId, UserId};
use crate::stamp::PublicKey;
use crate::time::Timestamp;

/// What a session says.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// The organisation that the user lives in.
    pub org: OrgId,
    /// The user.
    pub user: UserId,
    /// The key that signs its calls.
    pub key: &'a PublicKey,
    /// When the key is over; said in whole seconds, rounded down.
    pub expires_at: Timestamp,
}

impl Session<'_> {
    /// The text.
    ///
    /// # Errors
    /// `Unavailable` if there is no randomness.
    pub fn sign(&self, signer: &Signer, random: &dyn SecureRandom) -> Result<String> {
        let claims = json!({
            "exp": self.expires_at.millis().div_euclid(1000),
            "public_key": self.key.to_hex(),
            "session_type": "SESSION_TYPE_READ_WRITE",
            "user_id": self.user.to_string(),
            "organization_id": self.org.to_string(),
        });
        let mut token = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","typ":"JWT"}"#);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let signature = signer.sign_twice_hashed(token.as_bytes(), random)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}
