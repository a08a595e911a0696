//! `DELETE /v1/verifications/{id}`: it is withdrawn.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;

use crate::api::native::caller::{Caller, Verify};
use crate::api::native::id;
use crate::api::native::problem::{Answer, KeyProblems, NotFound, Problem, Unavailable};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::verifications;

/// Withdraws a pending verification: its code is no use any more. What it cost of the limits stays spent.
#[utoipa::path(delete, path = "/v1/verifications/{id}", tag = "verifications", operation_id = "cancel_verification",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["verify"])),
    responses(
        (status = 204, description = "It is not pending any more"),
        KeyProblems,
        NotFound,
        (status = 409, description = "It is verified already", body = Problem),
        Unavailable,
    ))]
pub(in crate::api::native) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller<Verify>,
    Segment(text): Segment,
) -> Answer {
    let id = id(&text)?;
    verifications::cancel(&app, caller.backend(), id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
