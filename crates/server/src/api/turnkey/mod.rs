//! The door `turnkey`: calls that their caller signed, and codes that become keys sealed to a person's device (facts: docs/turnkey.md). Looks
//! at no Content-Type and answers exactly `application/json`: there are clients that send none, and one that takes no other. Refuses to parse
//! a body before its stamp is verified over the bytes that came.

pub(super) mod cors;
pub(in crate::api) mod error;
mod keys;
pub(in crate::api) mod proxy;
mod query;
mod shapes;
mod submit;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use doorcode_core::stamp::{Presented, Refusal};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body;
use error::Answered;

/// The door's routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(submit::submit))
        .routes(routes!(query::query))
        .routes(routes!(keys::keys))
        .routes(routes!(proxy::start))
        .routes(routes!(proxy::start_v2))
        .routes(routes!(proxy::verify))
        .routes(routes!(proxy::verify_v2))
        .routes(routes!(proxy::login))
        .routes(routes!(proxy::login_v2))
        .routes(routes!(proxy::account))
        .routes(routes!(proxy::sign_up))
        .routes(routes!(proxy::sign_up_v2))
        .routes(routes!(proxy::config))
}

/// A body, exactly as it came: that is what was signed. And the headers, one of which is its stamp.
struct Raw {
    headers: HeaderMap,
    body: Bytes,
}

impl FromRequest<Arc<App>> for Raw {
    type Rejection = Answered;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Answered> {
        let (parts, body) = request.into_parts();
        Ok(Self { headers: parts.headers, body: body::read(body, app).await? })
    }
}

/// The one stamp of a request.
fn presented(headers: &HeaderMap, activity: bool) -> Result<Presented<'_>, Refusal> {
    let all = |name| -> Result<Vec<&str>, Refusal> {
        headers.get_all(name).iter().map(|value| value.to_str().map_err(|_| Refusal::Malformed)).collect()
    };
    Presented::of(&all("x-stamp")?, &all("x-stamp-webauthn")?, &all("x-stamp-attested")?, activity)
}
