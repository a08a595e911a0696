//! What stands behind the question mark of a path. Parameters that nobody knows are passed over, as members of bodies are. Refuses in
//! the door's form what can't be read.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use doorcode_core::Timestamp;

use super::error::Refused;
use super::fields::{snake, wrong};
use crate::app::App;

/// What a page holds if nobody says.
const USUAL: u64 = 20;
/// What one holds at the most.
pub(super) const MOST: u64 = 100;

/// The parameters of a request.
pub(super) struct Parameters(Vec<(String, String)>);

impl FromRequestParts<Arc<App>> for Parameters {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let found = Query::<Vec<(String, String)>>::from_request_parts(parts, app).await;
        found.map(|Query(pairs)| Self(pairs)).map_err(|_| wrong("query", "can't be read"))
    }
}

impl Parameters {
    /// A parameter by its documented name, in either spelling. An empty one is none.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let snake = snake(name);
        let found = self.0.iter().find(|(own, text)| (own == name || *own == snake) && !text.is_empty());
        found.map(|(_, text)| text.as_str())
    }

    /// A whole number between two.
    pub(super) fn number(&self, name: &str, (least, most): (u64, u64)) -> Result<Option<u64>, Refused> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.map(Some).ok_or_else(|| wrong(name, &format!("must be a whole number from {least} to {most}")))
    }

    /// How many a page is to hold.
    pub(super) fn limit(&self) -> Result<i64, Refused> {
        Ok(self.number("limit", (1, MOST))?.unwrap_or(USUAL) as i64)
    }

    /// A moment: RFC 3339, or a day.
    pub(super) fn moment(&self, name: &str) -> Result<Option<Timestamp>, Refused> {
        self.text(name).map(|text| moment(name, text)).transpose()
    }
}

/// A moment: RFC 3339, or a day, which is its beginning.
pub(super) fn moment(name: &str, text: &str) -> Result<Timestamp, Refused> {
    let found = text.parse().or_else(|_| format!("{text}T00:00:00Z").parse());
    found.map_err(|_| wrong(name, "must be a time as 2026-11-26T12:00:00Z, or a day"))
}
