//! The attested stamp: somebody who has no key here yet signs with the key that their verification token names, and brings the token.
//! Refuses a token that names another key; and serves one activity only, signing in, whose write also spends the token.
//! Whether the token was signed here is [`crate::seal::turnkey`]'s to say.

use super::key::{Curve, PublicKey};
use super::refusal::Refusal;
use super::{signed_by, wrapped};
use crate::{hex, json};

/// Characters: a token has some 600, and each base64url around it makes a third more of it.
const LONGEST: usize = 4096;
/// The only scheme that is taken; the other one attests by a sign-in at somebody else's.
const SCHEME: &str = "STAMP_ATTESTED_SCHEME_P256_VERIFICATION_TOKEN";

/// What stands in `X-Stamp-Attested`, read and not yet verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttestedStamp {
    key: PublicKey,
    token: Token,
    signature: Vec<u8>,
}

/// A token while nobody has looked at it: it opens a session, so it does not print.
#[derive(Clone, PartialEq, Eq)]
struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl AttestedStamp {
    /// The name of its scheme in a vote.
    pub const VOTE_SCHEME: &'static str = "SIGNATURE_SCHEME_TK_ATTESTED_P256";

    /// Reads the header's value: base64url of JSON, or the JSON itself.
    ///
    /// # Errors
    /// As [`super::Stamp::parse`].
    pub fn parse(header: &str) -> Result<Self, Refusal> {
        let plain = header.trim_ascii().starts_with('{');
        let members = if plain { json::object(header.as_bytes(), LONGEST, 1) } else { wrapped(header, LONGEST) };
        let members = members.ok_or(Refusal::Malformed)?;
        let token = json::text(&members, "publicKeyAttestation").filter(|token| !token.is_empty());
        let (Some(SCHEME), Some(token)) = (json::text(&members, "scheme"), token) else {
            return Err(Refusal::Unreadable);
        };
        let token = Token(token.to_owned());
        let (key, signature) = signed_by(&members, Curve::P256)?;
        Ok(Self { key, token, signature })
    }

    /// Whether the key that it names signed these bytes. It says nothing about whose key that is.
    ///
    /// # Errors
    /// [`Refusal::NotVerified`] if it did not.
    pub fn verify(&self, body: &[u8]) -> Result<(), Refusal> {
        if self.key.verify(body, &self.signature) { Ok(()) } else { Err(Refusal::NotVerified) }
    }

    /// The key that it names. Nothing until a token's claim says the same.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The signature as a vote shows it: hexadecimal.
    pub fn signature(&self) -> String {
        hex::encode(&self.signature)
    }

    /// The verification token, to be verified.
    pub fn token(&self) -> &str {
        &self.token.0
    }
}
