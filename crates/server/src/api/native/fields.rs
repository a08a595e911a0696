//! The members of a JSON body, taken one by one, with everything that is wrong collected and said at once. Refuses members that
//! nobody took, by name: a misspelt option that is ignored is a fault that shows up later.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use doorcode_core::Error;
use serde_json::{Map, Value};

use super::problem::{self, Refused, Wrong};
use crate::app::App;
use crate::body;

/// The most characters of what a caller calls something that are said back.
const NAME_SHOWN: usize = 64;

/// The body of a request, as an object.
pub(super) struct Fields {
    members: Map<String, Value>,
    wrong: Vec<Wrong>,
    bytes: Bytes,
}

impl FromRequest<Arc<App>> for Fields {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refused> {
        let bytes =
            body::read(request.into_body(), app).await.map_err(|trouble| Refused::from(problem::unread(trouble)))?;
        Self::of(bytes)
    }
}

impl Fields {
    /// Reads an object. No body at all is one without members.
    fn of(bytes: Bytes) -> Result<Self, Refused> {
        let members = if bytes.trim_ascii().is_empty() {
            Map::new()
        } else {
            // The parser stops at 128 levels by itself.
            match serde_json::from_slice(&bytes) {
                Ok(Value::Object(members)) => members,
                Ok(_) => return Err(problem::malformed("the body must be an object").into()),
                Err(error) => {
                    let (line, column) = (error.line(), error.column());
                    let why = format!("the body is no JSON: line {line}, column {column}");
                    return Err(problem::malformed(&why).into());
                }
            }
        };
        Ok(Self { members, wrong: Vec::new(), bytes })
    }

    /// The bytes as they came.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Notes that a member is wrong.
    pub(super) fn complain(&mut self, field: &str, detail: impl Into<String>) {
        self.wrong.push(Wrong { field: field.to_owned(), detail: detail.into() });
    }

    /// A member. Null is as good as absent.
    fn take(&mut self, field: &str) -> Option<Value> {
        self.members.remove(field).filter(|value| !value.is_null())
    }

    /// A text.
    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        match self.take(field)? {
            Value::String(text) => Some(text),
            _ => {
                self.complain(field, "must be a text");
                None
            }
        }
    }

    /// A text that must be there.
    pub(super) fn needed(&mut self, field: &str) -> Option<String> {
        let before = self.wrong.len();
        let text = self.text(field);
        if text.is_none() && self.wrong.len() == before {
            self.complain(field, "must be given");
        }
        text
    }

    /// A whole number between two.
    pub(super) fn number(&mut self, field: &str, (least, most): (u64, u64)) -> Option<u64> {
        let value = self.take(field)?;
        // 60.0 is a whole number too (JSON Schema 2020-12 section 4.2.3).
        let whole = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..1e15).contains(number));
        let number = value.as_u64().or(whole.map(|number| number as u64));
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.complain(field, format!("must be a whole number from {least} to {most}"));
        }
        number
    }

    /// True or false, which must be there.
    pub(super) fn needed_flag(&mut self, field: &str) -> Option<bool> {
        let flag = self.take(field).and_then(|value| value.as_bool());
        if flag.is_none() {
            self.complain(field, "must be true or false");
        }
        flag
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, field: &str) -> Option<Vec<String>> {
        let texts = match self.take(field)? {
            Value::Array(values) => values
                .into_iter()
                .map(|value| if let Value::String(text) = value { Some(text) } else { None })
                .collect(),
            _ => None,
        };
        if texts.is_none() {
            self.complain(field, "must be a list of texts");
        }
        texts
    }

    /// An object of the caller's own, as JSON of at most `most` bytes.
    pub(super) fn object(&mut self, field: &str, most: usize) -> Option<String> {
        match self.take(field)? {
            value @ Value::Object(_) => {
                let text = value.to_string();
                if text.len() > most {
                    self.complain(field, format!("must have at most {most} bytes"));
                }
                Some(text)
            }
            _ => {
                self.complain(field, "must be an object");
                None
            }
        }
    }

    /// What a text means, or why it means nothing.
    pub(super) fn meaning<T>(
        &mut self,
        field: &str,
        text: Option<String>,
        parse: impl FnOnce(&str) -> Result<T, Error>,
    ) -> Option<T> {
        match parse(&text?) {
            Ok(meaning) => Some(meaning),
            Err(Error::Invalid { why, .. }) => {
                self.complain(field, why);
                None
            }
            Err(error) => {
                self.complain(field, error.to_string());
                None
            }
        }
    }

    /// Ends the reading: everything that was wrong, and whatever nobody took.
    pub(super) fn end(mut self) -> Result<(), Refused> {
        let unknown: Vec<String> = self.members.keys().cloned().collect();
        for name in unknown {
            self.complain(&shown(&name), "is not known here");
        }
        if self.wrong.is_empty() { Ok(()) } else { Err(problem::invalid(self.wrong).into()) }
    }
}

/// As much of a name as is said back.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(NAME_SHOWN).collect()
}
