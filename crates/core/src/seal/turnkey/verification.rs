//! Verification tokens: that somebody had a code for a contact, in an organisation, and for which key. Refuses a token of another key, of another
//! form than its key signs, of another header, and one that is over. That it is spent once, and only where it may be, is the server's to see to,
//! by its id.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SecureRandom;
use serde_json::{Map, Value, json};

use super::signer::Signer;
use crate::address::{Address, Email, Phone};
use crate::error::{Error, Result};
use crate::id::{ChallengeId, OrgId};
use crate::json;
use crate::stamp::{Curve, PublicKey};
use crate::time::Timestamp;

/// Characters. Ours have some 600; a contact has at most 254.
const LONGEST: usize = 2048;
/// The one header. Compared as text: another spelling is a token that was not made here.
const HEADER: &str = r#"{"typ":"JWT","alg":"ES256"}"#;

/// Whether a token is of today's form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// It names a key, which signs for each use of it.
    Bound,
    /// The old form. Where it names no key, whoever holds it can spend it.
    Old,
}

/// What a token says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verification {
    /// Its own id, and that of the challenge that was passed: what is spent.
    pub id: ChallengeId,
    /// Where it was passed.
    pub org: OrgId,
    /// Who was asked.
    pub contact: Address,
    /// The key that it is for.
    pub key: Option<PublicKey>,
    /// When it is over. The old form says whole seconds.
    pub expires_at: Timestamp,
    /// Its form.
    pub proof: Proof,
}

impl Verification {
    /// A token that says this. The old form has a signer of its own.
    ///
    /// # Errors
    /// `Internal` for today's form without a key; `Unavailable` if there is no randomness.
    pub fn sign(&self, signer: &Signer, random: &dyn SecureRandom) -> Result<String> {
        let mut token = URL_SAFE_NO_PAD.encode(HEADER);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(self.claims()?.to_string(), &mut token);
        let signature = signer.sign_fixed(token.as_bytes(), random)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn claims(&self) -> Result<Value> {
        let kind = match self.contact {
            Address::Email(_) => "OTP_TYPE_EMAIL",
            Address::Phone(_) => "OTP_TYPE_SMS",
        };
        let mut claims = json!({
            "exp": self.expires_at.millis().to_string(),
            "id": self.id.to_string(),
            "organization_id": self.org.to_string(),
            "verification_type": kind,
            "contact": self.contact.as_str(),
        });
        match (self.proof, &self.key) {
            (Proof::Bound, None) => return Err(Error::internal("a token without a key is of the old form")),
            (_, Some(key)) => claims["public_key"] = key.to_hex().into(),
            (Proof::Old, None) => {}
        }
        if self.proof == Proof::Old {
            claims["exp"] = self.expires_at.millis().div_euclid(1000).into();
        }
        Ok(claims)
    }

    /// What a token says that one of these keys signed and that is not over: `bound` are the keys of today's form, `old` those of the old.
    pub fn read(token: &str, bound: &[&PublicKey], old: &[&PublicKey], now: Timestamp) -> Option<Self> {
        let (signed, signature) = Some(token).filter(|token| token.len() <= LONGEST)?.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        if URL_SAFE_NO_PAD.decode(header).ok()? != HEADER.as_bytes() {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let by = |keys: &[&PublicKey]| keys.iter().any(|key| key.verify_fixed(signed.as_bytes(), &signature));
        let proof = if by(bound) {
            Proof::Bound
        } else if by(old) {
            Proof::Old
        } else {
            return None;
        };
        let claims = json::object(&URL_SAFE_NO_PAD.decode(claims).ok()?, LONGEST, 1)?;
        Self::of_claims(&claims, proof).filter(|said| now < said.expires_at)
    }

    fn of_claims(claims: &Map<String, Value>, proof: Proof) -> Option<Self> {
        let text = |name| json::text(claims, name);
        let millis = match proof {
            Proof::Bound => text("exp")?.parse().ok()?,
            Proof::Old => claims.get("exp")?.as_i64()?.checked_mul(1000)?,
        };
        let contact = match text("verification_type")? {
            "OTP_TYPE_EMAIL" => Address::Email(Email::parse(text("contact")?).ok()?),
            "OTP_TYPE_SMS" => Address::Phone(Phone::parse(text("contact")?).ok()?),
            _ => return None,
        };
        let key = match text("public_key") {
            Some(key) => Some(PublicKey::parse(Curve::P256, key)?),
            None if proof == Proof::Bound => return None,
            None => None,
        };
        let (id, org) = (text("id")?.parse().ok()?, text("organization_id")?.parse().ok()?);
        Some(Self { id, org, contact, key, expires_at: Timestamp::from_millis(millis), proof })
    }
}
