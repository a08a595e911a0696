//! Tokens: the keys that check them, and, for who can't check one alone, whether one is good (RFC 7662).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use doorcode_core::token::Claims;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Verify};
use super::fields::Fields;
use super::problem::Problem;
use crate::app::App;
use crate::ops::tokens;

/// The public keys.
#[derive(Serialize, ToSchema)]
pub(crate) struct Jwks {
    /// One for each master key that is not retired.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<doorcode_core::token::Jwk>,
}

/// The keys that check tokens (RFC 7517). A key is here before it signs, and for as long as anything that it signed may live.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "tokens",
    responses((status = 200, description = "The keys", body = Jwks)))]
pub(super) async fn jwks(State(app): State<Arc<App>>) -> Response {
    let keys = Jwks { keys: tokens::jwks(&app) };
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(keys)).into_response()
}

/// The token in question.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct Introspect {
    token: String,
}

/// Whether it is good, and what it says.
#[derive(Serialize, ToSchema)]
pub(crate) struct Introspected {
    /// Whether it was signed here, for this org, is not over, and its key is not retired.
    active: bool,
    /// What it says.
    #[serde(flatten)]
    #[schema(value_type = Option<Object>)]
    claims: Option<Claims>,
}

/// Whether a token is good. A service that has a JWT library needs only the keys, and asks nobody.
#[utoipa::path(post, path = "/v1/tokens/introspect", tag = "tokens", request_body = Introspect, security(("key" = ["verify"])),
    responses(
        (status = 200, description = "Good or not: see `active`", body = Introspected),
        (status = 400, description = "The body is no JSON object", body = Problem),
        (status = 408, description = "The body did not come in time", body = Problem),
        (status = 413, description = "The body is over 64 KiB", body = Problem),
        (status = 422, description = "A member is wrong, or unknown", body = Problem),
        (status = 401, description = "No key, or none that is good", body = Problem),
        (status = 403, description = "The key lacks the scope", body = Problem),
        (status = 503, description = "Nothing was done; try again", body = Problem),
    ))]
pub(super) async fn introspect(State(app): State<Arc<App>>, caller: Caller<Verify>, mut body: Fields) -> Response {
    let token = body.needed("token");
    if let Err(response) = body.end() {
        return response;
    }
    let claims = tokens::read(&app, &token.unwrap_or_default()).ok();
    // What another org earned is no business of this one.
    let claims = claims.filter(|claims| claims.aud == caller.org().to_string());
    Json(Introspected { active: claims.is_some(), claims }).into_response()
}
