//! `DELETE /v1/verifications/{id}`: it is withdrawn.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::api::native::caller::{Caller, Verify};
use crate::api::native::id;
use crate::api::native::problem::{Problem, refusal};
use crate::app::App;
use crate::ops::verifications;

/// Withdraws a pending verification: its code is no use any more. What it cost of the limits stays spent.
#[utoipa::path(delete, path = "/v1/verifications/{id}", tag = "verifications",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["verify"])),
    responses(
        (status = 204, description = "It is not pending any more"),
        (status = 401, description = "No key, or none that is good", body = Problem),
        (status = 403, description = "The key lacks the scope", body = Problem),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "It is verified already", body = Problem),
        (status = 503, description = "Nothing was done; try again", body = Problem),
    ))]
pub(in crate::api::native) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller<Verify>,
    Path(text): Path<String>,
) -> Response {
    let id = match id(&text) {
        Ok(id) => id,
        Err(response) => return response,
    };
    match verifications::cancel(&app, caller.org(), id).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refusal(&error),
    }
}
