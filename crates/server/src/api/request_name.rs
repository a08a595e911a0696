//! The name that a request gives itself (the IETF's `Idempotency-Key`), for every door that takes one: with its quotes (RFC 8941) or, as
//! most send it, without. Refuses two names, and one that no log could show.

use axum::http::HeaderMap;
use utoipa::IntoParams;

/// The longest name.
const LONGEST: usize = 255;

/// What is wrong with a name, for people.
pub(super) const WRONG: &str = "must be one name of 1 to 255 visible ASCII characters";

/// The header, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct IdempotencyName {
    /// A name for this request: however often it comes within a day, it is done once, and answered the same.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    idempotency_key: Option<String>,
}

/// A header that is no name.
pub(super) struct NoName;

/// The name of a request, if it has one.
pub(super) fn request_name(headers: &HeaderMap) -> Result<Option<String>, NoName> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| values.next().is_none()).map(str::trim);
    let text = text.map(|text| text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text));
    let good = |text: &&str| (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    text.filter(good).map(|text| Some(text.to_owned())).ok_or(NoName)
}
