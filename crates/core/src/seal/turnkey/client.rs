//! Client signatures: whoever spends a verification token signs, with the key that the token names, a text that says which token and what
//! for. Refuses a text that leaves out or changes any of what is then done: a signature over something else, or over less, is a token that
//! somebody on the way can spend for themselves.

use serde_json::{Map, Value};

use crate::activity::Parameters;
use crate::id::OrgId;
use crate::seal::turnkey::Verification;
use crate::stamp::{Curve, PublicKey, Refusal};
use crate::{hex, json};

/// Bytes of the text: as much as the rest of a body may be asked to repeat.
const LONGEST: usize = 16_384;
const DEPTH: u8 = 8;

/// What is said for a log in, and which members of the request it has to repeat. The second is a newer one that says all.
const LOGIN: [(&str, &[&str]); 2] = [
    ("login", &["publicKey"]),
    ("loginV2", &["organizationId", "publicKey", "invalidateExisting", "expirationSeconds", "sessionProfileId"]),
];
/// The same for a sign-up. The first two differ in name only.
const SIGNUP: [(&str, &[&str]); 3] = [
    ("signup", &["apiKeys", "authenticators", "oauthProviders", "email", "phoneNumber"]),
    ("signupV2", &["apiKeys", "authenticators", "oauthProviders", "email", "phoneNumber"]),
    (
        "signupV3",
        &[
            "parentOrganizationId",
            "subOrganizationName",
            "rootUsers",
            "rootQuorumThreshold",
            "wallet",
            "disableEmailRecovery",
            "disableEmailAuth",
            "disableSmsAuth",
            "disableOtpEmailAuth",
        ],
    ),
];

/// A signature as it comes: an object `publicKey`, `scheme`, `message`, `signature`.
#[derive(Clone, Copy)]
pub struct ClientSignature<'a>(&'a Map<String, Value>);

/// What a token is spent on: a form of it, and the members by which a signature may say so.
pub struct Usage {
    name: &'static str,
    forms: &'static [(&'static str, &'static [&'static str])],
    members: Map<String, Value>,
}

impl Usage {
    /// A log in with these parameters.
    pub fn login(parameters: &Parameters<'_>, org: OrgId) -> Self {
        let mut members = named(parameters, LOGIN[1].1);
        members.insert("organizationId".to_owned(), org.to_string().into());
        Self { name: "USAGE_TYPE_LOGIN", forms: &LOGIN, members }
    }

    /// A sub-organisation with these parameters, under that parent. None if it has other than one user: the older forms could not say so.
    pub fn signup(parameters: &Parameters<'_>, parent: OrgId) -> Option<Self> {
        let [Value::Object(user)] = parameters.get("rootUsers")?.as_array()?.as_slice() else { return None };
        let mut members = named(parameters, SIGNUP[2].1);
        members.insert("parentOrganizationId".to_owned(), parent.to_string().into());
        let theirs = [("email", "userEmail"), ("phoneNumber", "userPhoneNumber")];
        let lists = ["apiKeys", "authenticators", "oauthProviders"].map(|name| (name, name));
        for (said, asked) in theirs.into_iter().chain(lists) {
            members.extend(user.get(asked).map(|value| (said.to_owned(), value.clone())));
        }
        Some(Self { name: "USAGE_TYPE_SIGNUP", forms: &SIGNUP, members })
    }

    /// Whether a text says exactly this, of that token.
    fn is_said_by(&self, text: &[u8], token: &str) -> bool {
        let Some(mut said) = json::object(text, LONGEST, DEPTH) else { return false };
        said.retain(|_, value| !value.is_null());
        if json::text(&said, "tokenId") != Some(token) || json::text(&said, "type") != Some(self.name) {
            return false;
        }
        let form = self.forms.iter().find_map(|(name, members)| Some((said.get(*name)?.as_object()?, *members)));
        // The two above, and the form: a second one would be another story.
        said.len() == 3 && form.is_some_and(|(said, members)| self.repeats(said, members))
    }

    /// Whether all of these members, and no others, are said as they were asked.
    fn repeats(&self, said: &Map<String, Value>, members: &[&str]) -> bool {
        let known = said.iter().all(|(name, value)| members.contains(&name.as_str()) || is_nothing(value));
        known && members.iter().all(|name| alike(said.get(*name), self.members.get(*name)))
    }
}

impl<'a> ClientSignature<'a> {
    /// Of the member `clientSignature`.
    pub const fn of(members: &'a Map<String, Value>) -> Self {
        Self(members)
    }

    /// Whether the key of this token signed that the token is spent on this.
    ///
    /// # Errors
    /// `Token` for everything else, of whichever kind: there is nothing to be learned by trying.
    pub fn verify(&self, token: &Verification, usage: &Usage) -> Result<(), Refusal> {
        let text = |name| json::text(self.0, name);
        let key = text("publicKey").and_then(|key| PublicKey::parse(Curve::P256, key));
        let Some(key) = key.filter(|key| token.key == Some(*key)) else { return Err(Refusal::Token) };
        let (Some(message), Some(signature)) = (text("message"), text("signature")) else { return Err(Refusal::Token) };
        let scheme = text("scheme") == Some("CLIENT_SIGNATURE_SCHEME_API_P256");
        let signed = scheme && is_signed(&key, message.as_bytes(), signature);
        let said = signed && usage.is_said_by(message.as_bytes(), &token.id.to_string());
        if said { Ok(()) } else { Err(Refusal::Token) }
    }
}

/// Clients send `r` and `s`, which are 128 digits; DER of that length does not occur.
fn is_signed(key: &PublicKey, message: &[u8], signature: &str) -> bool {
    const FIXED: usize = 64;
    match hex::decode(signature, 72) {
        Some(signature) if signature.len() == FIXED => key.verify_fixed(message, &signature),
        Some(signature) => key.verify(message, &signature),
        None => false,
    }
}

/// The members of these names.
fn named(parameters: &Parameters<'_>, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), parameters.get(name)?.clone()))).collect()
}

/// Whether two values say the same, where null, an empty list and no member at all are alike, at any depth.
fn alike(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one.filter(|value| !is_nothing(value)), other.filter(|value| !is_nothing(value))) {
        (None, None) => true,
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            one.keys().chain(other.keys()).all(|name| alike(one.get(name), other.get(name)))
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(Some(one), Some(other)))
        }
        (one, other) => one == other,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}
