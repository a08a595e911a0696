//! What a program shows to say who it is, for every door that takes keys so.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// What stands behind `Bearer` (RFC 6750 section 2.1; the word in any case, RFC 9110 section 11.1).
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
