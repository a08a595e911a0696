//! Tokens: the keys that check them, and, for who can't check one alone, whether one is good (RFC 7662).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use doorcode_core::token::Claims;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Verify};
use super::fields::Fields;
use super::problem::{Answer, BodyProblems, KeyProblems, Unavailable};
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
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "tokens", operation_id = "jwks",
    responses((status = 200, description = "The keys", body = Jwks)))]
pub(super) async fn jwks(State(app): State<Arc<App>>) -> Answer {
    let keys = Jwks { keys: tokens::jwks(&app) };
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], Json(keys)).into_response())
}

/// The token in question.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct Introspect {
    /// As it was handed over.
    #[schema(example = "eyJ…")]
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
#[utoipa::path(post, path = "/v1/tokens/introspect", tag = "tokens", operation_id = "introspect_token", request_body = Introspect, security(("key" = ["verify"])),
    responses(
        (status = 200, description = "Good or not: see `active`", body = Introspected),
        BodyProblems,
        KeyProblems,
        Unavailable,
    ))]
pub(super) async fn introspect(State(app): State<Arc<App>>, caller: Caller<Verify>, mut body: Fields) -> Answer {
    let token = body.needed("token");
    body.end()?;
    let claims = tokens::read(&app, &token.unwrap_or_default()).ok();
    // What another org earned is no business of this one.
    let claims = claims.filter(|claims| claims.aud == caller.org().to_string());
    Ok(Json(Introspected { active: claims.is_some(), claims }).into_response())
}
