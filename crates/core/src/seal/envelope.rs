//! What a capture client hands in for an agent: a ciphertext, or the JSON that AgentOTP's e-mail service puts around one.
//! Refuses what is no ciphertext for the agent's key: its mobile app sends the clear code under the name of one, and a
//! server that kept it would have read it. No error repeats what came.

use rsa::BoxedUint;
use rsa::traits::PublicKeyParts as _;
use serde::Deserialize;

use super::private::decode_rsa;
use super::public::{Kind, PublicKey};
use super::{Ciphertext, suite};
use crate::error::{Error, Result};

/// Characters. The ciphertext of an RSA key of 8,192 bits has 1,368, and the envelope some 120 more.
const LONGEST: usize = 4096;
/// The mobile app's placeholder for encryption.
const PLACEHOLDER: &[u8] = b"mock_encrypted:";
/// Different values among at least 256 bytes. Of random ones there are 162, give or take 5; text and padding have fewer.
const LEAST_VARIED: usize = 100;

/// The envelope, and nothing beside it: another member might be the code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    version: u32,
    algorithm: String,
    encrypted: String,
    #[serde(rename = "timestamp")]
    _timestamp: String,
}

impl PublicKey {
    /// The ciphertext in what a capture client handed in, as the agent will read it.
    ///
    /// # Errors
    /// `Invalid` with the field `encryptedPayload` for everything that is not plausibly sealed to this key.
    pub fn unwrap_envelope(&self, payload: &str) -> Result<Ciphertext> {
        if payload.len() > LONGEST {
            return Err(invalid("must have at most 4096 characters"));
        }
        let payload = payload.trim_ascii();
        if !payload.starts_with('{') {
            return self.plausible(payload);
        }
        let envelope: Envelope =
            serde_json::from_str(payload).map_err(|_| invalid("must be a ciphertext, or an envelope of version 1"))?;
        if envelope.version != 1 || envelope.algorithm != "RSA-OAEP-SHA256" || self.binds_context() {
            return Err(invalid("must be an envelope of version 1 for a key of the same algorithm"));
        }
        self.plausible(&envelope.encrypted)
    }

    fn plausible(&self, text: &str) -> Result<Ciphertext> {
        match &self.0 {
            Kind::Rsa(key) => {
                let bytes = decode_rsa(text, key.size())
                    .ok_or(invalid("must be base64 of as many bytes as the agent's key has"))?;
                let precision = key.n().bits_precision();
                let below = BoxedUint::from_be_slice(&bytes, precision).is_ok_and(|number| number < *key.n().as_ref());
                if !below || looks_clear(&bytes) {
                    return Err(invalid("is not encrypted with the agent's key"));
                }
            }
            Kind::Hpke(_) => {
                let message =
                    suite::Message::parse(text).ok_or(invalid("must be hpke1. and two parts in base64url"))?;
                if message.sealed().starts_with(PLACEHOLDER) {
                    return Err(invalid("is not encrypted with the agent's key"));
                }
            }
        }
        Ok(Ciphertext(text.to_owned()))
    }
}

/// Whether bytes, at least 256 of them, are what encryption would not give: text in any common encoding, or the same few
/// values over and over. Of random bytes less than one in 2^90 looks so.
fn looks_clear(bytes: &[u8]) -> bool {
    let mut seen = [false; 256];
    bytes.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    let varied = seen.iter().filter(|seen| **seen).count();
    bytes.starts_with(PLACEHOLDER) || str::from_utf8(bytes).is_ok() || varied < LEAST_VARIED
}

const fn invalid(why: &'static str) -> Error {
    Error::Invalid { field: "encryptedPayload", why }
}
