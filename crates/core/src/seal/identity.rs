//! Who an agent is, to those who don't take the server's word: an Ed25519 key that its owner has compared out of band, and
//! its signature over what each request asks. A server that puts another key in the place of an agent's has no such
//! signature. Refuses keys with which anybody could sign, and to sign less than the whole request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use zeroize::Zeroizing;

use super::print::Fingerprint;
use super::public::PublicKey;
use super::{prefixed, suite};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::stamp::whole_edwards;
use crate::time::Timestamp;

/// What a public key begins with.
const PUBLIC: &str = "ed25519:";
/// What a private key begins with.
const PRIVATE: &str = "ed25519-private:";

/// What an agent says with its signature: this key, for this request. The id of a request is not in it, since the server
/// gives that after the agent has signed; whoever checks takes a statement once while it lives.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// The agent's id, as its door shows it.
    pub agent: &'a str,
    /// The sender that it names, as sent; empty if none. So for the next two.
    pub expected_sender: &'a str,
    /// The pattern of senders.
    pub sender_pattern: &'a str,
    /// The pattern of the message.
    pub content_pattern: &'a str,
    /// Its words for the person, as sent.
    pub reason: &'a str,
    /// When it signed.
    pub signed_at: Timestamp,
    /// Seconds from then on for which the request is to live.
    pub ttl: u32,
}

impl Statement<'_> {
    /// The label, then who signs, the key that is to be sealed to, and the members in their order, each after its length as
    /// four big-endian bytes; the time is eight big-endian bytes of milliseconds since 1970, the life four of seconds.
    fn bytes(&self, identity: &IdentityKey, key: &PublicKey) -> Result<Vec<u8>> {
        let (at, ttl) = (self.signed_at.millis().to_be_bytes(), self.ttl.to_be_bytes());
        let texts = [self.agent, self.expected_sender, self.sender_pattern, self.content_pattern, self.reason];
        let key = key.encode()?;
        let mut parts: Vec<&[u8]> = vec![&identity.0, key.as_bytes()];
        parts.extend(texts.iter().map(|text| text.as_bytes()));
        parts.extend([at.as_slice(), &ttl]);
        Ok(prefixed("doorcode/v1/agent-request", &parts))
    }
}

/// The public half of an agent's identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdentityKey([u8; 32]);

impl IdentityKey {
    /// Reads `ed25519:` and 32 bytes in base64url.
    ///
    /// # Errors
    /// `Invalid` with the field `identityKey` for anything else, and for points of small order.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = Error::Invalid { field: "identityKey", why: "must be ed25519: and 32 bytes in base64url" };
        let Some(key) = text.trim_ascii().strip_prefix(PUBLIC).and_then(suite::decode_key) else { return Err(bad) };
        let weak = Error::Invalid { field: "identityKey", why: "is a weak key" };
        whole_edwards(key).map(Self).ok_or(weak)
    }

    /// The form on the wire.
    pub fn encode(&self) -> String {
        format!("{PUBLIC}{}", URL_SAFE_NO_PAD.encode(self.0))
    }

    /// What people compare, out of band.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_ed25519(&self.0)
    }

    /// Whether this identity signed that statement about that key.
    ///
    /// # Errors
    /// `Invalid` with the field `identitySignature` if it did not.
    pub fn verify(&self, statement: &Statement<'_>, key: &PublicKey, signature: &str) -> Result<()> {
        const CHARACTERS: usize = 86;
        let bad = Error::Invalid { field: "identitySignature", why: "is not this identity's for this request" };
        let bytes = Some(signature).filter(|text| text.len() == CHARACTERS).map(|text| URL_SAFE_NO_PAD.decode(text));
        let Some(Ok(bytes)) = bytes else { return Err(bad) };
        let message = statement.bytes(self, key)?;
        UnparsedPublicKey::new(&ED25519, &self.0).verify(&message, &bytes).map_err(|_| bad)
    }
}

/// The private half, with the agent.
///
/// ```compile_fail,E0277
/// println!("{:?}", doorcode_core::seal::IdentitySigner::from_seed(doorcode_core::Secret::new([1; 32])));
/// ```
pub struct IdentitySigner(Secret<[u8; 32]>);

impl IdentitySigner {
    /// A new identity out of 32 bytes of a cryptographic source.
    pub const fn from_seed(seed: Secret<[u8; 32]>) -> Self {
        Self(seed)
    }

    /// Reads `ed25519-private:` and 32 bytes in base64url.
    ///
    /// # Errors
    /// `Invalid` with the field `identity` for anything else.
    pub fn parse(text: &Secret<String>) -> Result<Self> {
        let bad = Error::Invalid { field: "identity", why: "must be ed25519-private: and 32 bytes in base64url" };
        let key = text.expose().trim_ascii().strip_prefix(PRIVATE).and_then(suite::decode_key);
        key.map(|key| Self(Secret::new(key))).ok_or(bad)
    }

    /// The text, to be kept where only its owner reads.
    pub fn encode(&self) -> Secret<String> {
        let base64 = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.expose()));
        Secret::new(format!("{PRIVATE}{}", *base64))
    }

    /// The public half.
    ///
    /// # Errors
    /// `Internal` if there is none, which does not happen.
    pub fn public(&self) -> Result<IdentityKey> {
        let pair = self.pair()?;
        Ok(IdentityKey(pair.public_key().as_ref().try_into().map_err(Error::internal)?))
    }

    /// The signature: 64 bytes in base64url, 86 characters.
    ///
    /// # Errors
    /// As [`IdentitySigner::public`].
    pub fn sign(&self, statement: &Statement<'_>, key: &PublicKey) -> Result<String> {
        let message = statement.bytes(&self.public()?, key)?;
        Ok(URL_SAFE_NO_PAD.encode(self.pair()?.sign(&message)))
    }

    fn pair(&self) -> Result<Ed25519KeyPair> {
        Ed25519KeyPair::from_seed_unchecked(self.0.expose()).map_err(|error| Error::internal(error.to_string()))
    }
}
