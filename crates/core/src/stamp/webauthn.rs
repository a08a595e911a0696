//! The stamp of a passkey: an authenticator signs what a browser says of the page that asked, and the browser says the digest of
//! the body. Refuses a page of another origin, another kind of ceremony, an authenticator whose person did not touch it, and a frame of
//! a page of somebody else's. Verifies with a key of P-256 that the caller registered; nothing here registers one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::LENIENT;
use super::key::PublicKey;
use super::refusal::Refusal;
use crate::{hex, json};

/// Characters of the header.
const LONGEST: usize = 4096;
/// Digest of the party's id, flags, counter (Web Authentication level 3, section 6.1); extensions follow.
const LEAST_DATA: usize = 32 + 1 + 4;
/// The flag that says that a person was there.
const PRESENT: u8 = 1;

/// Whom authenticators of an organisation sign for.
#[derive(Clone, Copy, Debug)]
pub struct RelyingParty<'a> {
    /// The domain.
    pub id: &'a str,
    /// The origins of its pages, as browsers write them.
    pub origins: &'a [&'a str],
}

/// What stands in `X-Stamp-Webauthn`, read and not yet verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebauthnStamp {
    credential: Vec<u8>,
    data: Vec<u8>,
    client: Vec<u8>,
    signature: Vec<u8>,
}

impl WebauthnStamp {
    /// Reads the header's value: JSON whose members are base64url.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] for what is too long or no flat JSON object; [`Refusal::Unreadable`] for one that lacks a member.
    pub fn parse(header: &str) -> Result<Self, Refusal> {
        let members = json::object(header.as_bytes(), LONGEST, 1).ok_or(Refusal::Malformed)?;
        let bytes = |name| part(&members, name).ok_or(Refusal::Unreadable);
        Ok(Self {
            credential: bytes("credentialId")?,
            data: bytes("authenticatorData")?,
            client: bytes("clientDataJson")?,
            signature: bytes("signature")?,
        })
    }

    /// The credential by which its key is found.
    pub fn credential(&self) -> &[u8] {
        &self.credential
    }

    /// Whether this key, on a page of this party, signed these bytes.
    ///
    /// # Errors
    /// [`Refusal::NotVerified`] if it did not. Which part was wrong is not said.
    pub fn verify(&self, key: &PublicKey, body: &[u8], party: &RelyingParty<'_>) -> Result<(), Refusal> {
        let signed = [self.data.as_slice(), &Sha256::digest(&self.client)].concat();
        let whole = self.is_of(party) && self.asks_for(body, party) && key.verify(&signed, &self.signature);
        if whole { Ok(()) } else { Err(Refusal::NotVerified) }
    }

    /// What the authenticator says: for whom, and that somebody was there.
    fn is_of(&self, party: &RelyingParty<'_>) -> bool {
        let right = self.data.get(..32).is_some_and(|id| id.ct_eq(&Sha256::digest(party.id)).into());
        right && self.data.len() >= LEAST_DATA && self.data[32] & PRESENT != 0
    }

    /// What the browser says: where, and about which bytes. The challenge is the text of the digest's digits.
    fn asks_for(&self, body: &[u8], party: &RelyingParty<'_>) -> bool {
        let Some(client) = json::object(&self.client, LONGEST, 2) else { return false };
        let challenge = URL_SAFE_NO_PAD.encode(hex::encode(&Sha256::digest(body)));
        let origin = json::text(&client, "origin").is_some_and(|origin| party.origins.contains(&origin));
        origin
            && json::text(&client, "type") == Some("webauthn.get")
            && json::text(&client, "challenge") == Some(&challenge)
            && client.get("crossOrigin").is_none_or(|crossed| crossed == &Value::Bool(false))
    }
}

fn part(members: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    LENIENT.decode(json::text(members, name)?).ok().filter(|bytes| !bytes.is_empty())
}
