//! The door `native`: Doorcode's own API under `/v1` (docs/native.md). Errors are problems (RFC 9457), lists are paged by cursor,
//! what is made is made once for each `Idempotency-Key`, and unknown members are refused by name.

mod caller;
mod events;
mod fields;
mod keys;
mod orgs;
mod page;
pub(in crate::api) mod problem;
mod redirects;
mod sessions;
pub(in crate::api) mod stamped;
mod tokens;
mod users;
mod verifications;
mod webhooks;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, http::HeaderValue, http::header};
use doorcode_core::Timestamp;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use problem::Refused;

/// The door's routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(verifications::routes())
        .routes(routes!(orgs::list, orgs::create))
        .routes(routes!(orgs::show))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::show, users::remove))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::show, keys::revoke))
        .routes(routes!(keys::rotate))
        .routes(routes!(events::list))
        .routes(routes!(tokens::introspect))
        .routes(routes!(tokens::jwks))
        .routes(routes!(redirects::list, redirects::create))
        .routes(routes!(redirects::remove))
        .routes(routes!(sessions::token))
        .routes(routes!(sessions::show, sessions::end))
        .routes(routes!(sessions::list, sessions::end_all))
        .routes(routes!(sessions::end_one))
        .routes(routes!(sessions::metadata))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::show, webhooks::change, webhooks::remove))
        .routes(routes!(webhooks::rotate))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::messages))
        .routes(routes!(webhooks::replay))
}

/// A moment, as this door writes it: RFC 3339 in UTC.
fn moment(millis: i64) -> String {
    Timestamp::from_millis(millis).to_string()
}

/// An id in a path. What is no id is the id of nothing.
fn id<K>(text: &str) -> Result<doorcode_core::Id<K>, Refused> {
    text.parse().map_err(|_| problem::not_found().into())
}

/// Something was made, and is found there.
fn created(location: &str, body: impl Serialize) -> Response {
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    if let Ok(value) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
