//! `GET /public/v1/keys`: the public halves of what this server signs with, for clients that pin them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::ops::signed;

/// The public halves.
#[derive(Serialize, ToSchema)]
#[schema(as = PinnedKeys)]
pub(crate) struct Keys {
    /// The active ones first; then those that still sign for a while, or will.
    keys: Vec<Key>,
}

/// One of them.
#[derive(Serialize, ToSchema)]
#[schema(as = PinnedKey)]
pub(crate) struct Key {
    /// Of which master key.
    #[schema(example = "k3v9x0a1")]
    kid: String,
    /// What it signs: `verification` the bundles to seal codes to and verification tokens, `old_verification` those of the old form,
    /// `session` sessions.
    #[schema(example = "verification")]
    #[serde(rename = "use")]
    use_: &'static str,
    /// The uncompressed point of P-256, in lower-case hexadecimal: as clients compare it.
    public_key: String,
}

/// The keys that this server signs with: bundles, verification tokens and sessions each have their own.
#[utoipa::path(get, path = "/public/v1/keys", tag = "turnkey", operation_id = "pinned_keys",
    responses((status = 200, description = "The keys", body = Keys)))]
pub(super) async fn keys(State(app): State<Arc<App>>) -> Response {
    let all = signed::pinned(&app).into_iter();
    let keys = all.map(|key| Key { kid: key.kid, use_: key.use_, public_key: key.key }).collect();
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(Keys { keys })).into_response()
}
