//! The envelope of an activity as it comes. Refuses more than a body has use for, members that stand twice, a type of another path, and an
//! organisation that is no id. The stamp is verified before, over the same bytes; whether the time is right is asked last.

use serde_json::{Map, Value};

use super::field;
use super::kind::Kind;
use super::parameters::Parameters;
use crate::id::OrgId;
use crate::json;
use crate::stamp::{Refusal, moment};
use crate::time::Timestamp;

/// Bytes of a body: the most that any table allows is some tens of thousands.
pub const BODY_MOST: usize = 65_536;
/// Objects and lists in each other; the deepest table has six.
const DEPTH: u8 = 12;

/// An activity that somebody asks for.
pub struct Request {
    /// Its kind.
    pub kind: Kind,
    /// In which organisation.
    pub org: OrgId,
    /// When it was asked for, as the caller says.
    pub at: Timestamp,
    body: Map<String, Value>,
}

impl Request {
    /// Reads a body that came to this path (its last part, as in `init_otp`).
    ///
    /// # Errors
    /// What is wrong with the envelope. The parameters are asked for with [`Request::parameters`].
    pub fn read(path: &str, body: &[u8]) -> Result<Self, Refusal> {
        let whole = "must be an object in JSON, with each member once";
        let body = json::object(body, BODY_MOST, DEPTH).ok_or(Refusal::Request { field: "body", why: whole })?;
        let text = |name| field::present(&body, name).and_then(Value::as_str);
        let org = text("organizationId").and_then(|id| id.parse().ok()).ok_or(Refusal::MalformedOrganization)?;
        let kind = text("type").and_then(|name| Kind::of(path, name));
        let kind = kind.ok_or(Refusal::Request { field: "type", why: "is none of this path's" })?;
        let at = moment(text("timestampMs").unwrap_or_default())?;
        Ok(Self { kind, org, at, body })
    }

    /// The parameters.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parameters(&self) -> Result<Parameters<'_>, Refusal> {
        let missing = Refusal::Request { field: "parameters", why: "is required" };
        let members = field::present(&self.body, "parameters").and_then(Value::as_object).ok_or(missing)?;
        Parameters::check(self.kind, members)
    }

    /// The body with every code and token masked, as it is kept and shown in a vote: what was signed was the body itself.
    ///
    /// # Errors
    /// As [`Request::parameters`].
    pub fn masked(&self) -> Result<String, Refusal> {
        let mut kept = Map::new();
        for name in ["type", "timestampMs", "organizationId"] {
            kept.extend(self.body.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        kept.insert("parameters".to_owned(), Value::Object(self.parameters()?.masked()));
        Ok(Value::Object(kept).to_string())
    }
}
