//! `POST /v1/verifications/{id}/resend`: the same code again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use utoipa::ToSchema;

use super::{Verification, with_limits};
use crate::api::native::caller::{Caller, IdempotencyKey, IdempotencyName, Verify, person};
use crate::api::native::fields::Fields;
use crate::api::native::id;
use crate::api::native::problem::{Answer, BodyProblems, KeyProblems, NotFound, Problem, Unavailable};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::verifications::{self, Ask};

/// For whom it is sent again.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Resend)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct Resend {
    /// The address of the person's own device, as your server sees it.
    #[schema(example = "203.0.113.7")]
    user_ip: Option<String>,
}

/// Sends the code of a pending verification again: the same one, unless nothing is left to guess at it with; then a long one.
#[utoipa::path(post, path = "/v1/verifications/{id}/resend", tag = "verifications", operation_id = "resend_verification", request_body = Option<Resend>,
    params(("id" = String, Path, format = "uuid"), IdempotencyName), security(("key" = ["verify"])),
    responses(
        (status = 200, description = "It is on its way", body = Verification),
        BodyProblems,
        KeyProblems,
        NotFound,
        (status = 409, description = "It is not pending any more", body = Problem),
        (status = 429, description = "Too many messages; `Retry-After` says when", body = Problem),
        Unavailable,
    ))]
pub(in crate::api::native) async fn resend(
    State(app): State<Arc<App>>,
    caller: Caller<Verify>,
    key: IdempotencyKey,
    Segment(text): Segment,
    mut body: Fields,
) -> Answer {
    let id = id(&text)?;
    let once = key.once(caller.org(), &format!("resend {id}"), body.bytes());
    let who = body.text("user_ip");
    let who = body.meaning("user_ip", who, person);
    body.end()?;
    let started = verifications::resend(&app, Ask { backend: caller.backend(), person: who, once }, id).await?;
    let limits = (started.left, started.verification.next_send_at);
    Ok(with_limits(&app, limits, Json(Verification::from(started.verification)).into_response()))
}
