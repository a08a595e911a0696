//! `GET /v1/verifications/{id}`: where it stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;

use super::Verification;
use crate::api::native::caller::{Caller, Verify};
use crate::api::native::id;
use crate::api::native::problem::{Answer, KeyProblems, NotFound, Unavailable};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::verifications;

/// Where a verification stands. The token of a verified one is handed out by the check alone.
#[utoipa::path(get, path = "/v1/verifications/{id}", tag = "verifications", operation_id = "show_verification",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["verify"])),
    responses(
        (status = 200, description = "It", body = Verification),
        KeyProblems,
        NotFound,
        Unavailable,
    ))]
pub(in crate::api::native) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller<Verify>,
    Segment(text): Segment,
) -> Answer {
    let id = id(&text)?;
    let found = verifications::show(&app, caller.org(), id).await?;
    Ok(Json(Verification::from(found)).into_response())
}
