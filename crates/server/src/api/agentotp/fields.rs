//! The members of a body in either spelling: `publicKey` as the documentation has it, `public_key` as the SDK sends it. No body, and an
//! empty one, has no members. Members that nobody knows are passed over: the clients send some.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use doorcode_core::Timestamp;
use serde_json::{Map, Value};

use super::error::{self, Refused};
use crate::app::App;
use crate::body;

/// A body.
pub(super) struct Fields {
    members: Map<String, Value>,
    bytes: Bytes,
}

impl FromRequest<Arc<App>> for Fields {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refused> {
        let bytes = body::read(request.into_body(), app).await?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self { members: Map::new(), bytes });
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(members)) => Ok(Self { members, bytes }),
            Ok(Value::Null) => Ok(Self { members: Map::new(), bytes }),
            _ => Err(Refused::from(error::invalid("The body must be a JSON object"))),
        }
    }
}

impl Fields {
    /// The bytes as they came.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A member by its documented name, in either spelling. Null is as good as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let found = self.members.remove(name).or_else(|| self.members.remove(&snake(name)));
        found.filter(|value| !value.is_null())
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "must be a text")),
        }
    }

    /// A text that must be there.
    pub(super) fn needed(&mut self, name: &str) -> Result<String, Refused> {
        self.text(name)?.ok_or_else(|| wrong(name, "is required"))
    }

    /// A whole number between two.
    pub(super) fn number(&mut self, name: &str, (least, most): (u64, u64)) -> Result<Option<u64>, Refused> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let whole = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..1e15).contains(number));
        let number = value.as_u64().or(whole.map(|number| number as u64));
        let number = number.filter(|number| (least..=most).contains(number));
        number.map(Some).ok_or_else(|| wrong(name, &format!("must be a whole number from {least} to {most}")))
    }

    /// True or false.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(wrong(name, "must be true or false")),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Refused> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let texts = value.as_array().and_then(|values| {
            values.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
        });
        texts.map(Some).ok_or_else(|| wrong(name, "must be a list of texts"))
    }

    /// The members of an object.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self { members, bytes: Bytes::new() })),
            Some(_) => Err(wrong(name, "must be an object")),
        }
    }

    /// A moment: RFC 3339.
    pub(super) fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, Refused> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| wrong(name, "must be a time as 2026-11-26T12:00:00Z"))
    }
}

/// What is wrong with a member, by its documented name.
pub(super) fn wrong(name: &str, why: &str) -> Refused {
    Refused::from(error::invalid(&format!("{name} {why}")))
}

/// `publicKey` as `public_key`.
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_in_either_spelling() {
        let body = serde_json::json!({"publicKey": "a", "expected_sender": "b", "ttl": null});
        let Value::Object(members) = body else { panic!() };
        let mut fields = Fields { members, bytes: Bytes::new() };
        assert_eq!(fields.take("publicKey"), Some("a".into()));
        assert_eq!(fields.take("expectedSender"), Some("b".into()));
        assert_eq!((fields.take("ttl"), fields.take("reason")), (None, None));
    }
}
