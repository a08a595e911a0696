//! `POST /public/v1/submit/{activity}`: something is done, once for each body.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::activity::Kind;
use serde_json::json;

use super::error::{Answer, StampProblems, no_such_call};
use super::{Raw, presented, shapes};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::client::Client;
use crate::ops::signed;

/// Does what a signed body asks: `{type, timestampMs, organizationId, parameters}`. The same bytes again are the same activity.
#[utoipa::path(post, path = "/public/v1/submit/{activity}", tag = "turnkey", operation_id = "submit_activity", request_body = Object,
    params(("activity" = String, Path, description = "As `otp_auth`; the type in the body says which version"),
        ("X-Stamp" = String, Header, description = "base64url of `{publicKey, scheme, signature}`: the signature of the body")),
    responses(
        (status = 200, description = "The activity, with its result", body = Object),
        StampProblems,
    ))]
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Segment(path): Segment,
    client: Client,
    Raw { headers, body }: Raw,
) -> Answer {
    if !Kind::all().any(|kind| kind.path() == path) {
        return Err(no_such_call());
    }
    let view = signed::submit(&app, &path, &presented(&headers, true)?, &body, client).await?;
    Ok(Json(json!({ "activity": shapes::activity(view) })).into_response())
}
