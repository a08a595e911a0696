//! `GET /v1/verifications/{id}`: where it stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};

use super::Verification;
use crate::api::native::caller::{Caller, Verify};
use crate::api::native::id;
use crate::api::native::problem::{Problem, refusal};
use crate::app::App;
use crate::ops::verifications;

/// Where a verification stands. The token of a verified one is handed out by the check alone.
#[utoipa::path(get, path = "/v1/verifications/{id}", tag = "verifications",
    params(("id" = String, Path, format = "uuid")), security(("key" = ["verify"])),
    responses(
        (status = 200, description = "It", body = Verification),
        (status = 401, description = "No key, or none that is good", body = Problem),
        (status = 403, description = "The key lacks the scope", body = Problem),
        (status = 404, description = "There is none", body = Problem),
        (status = 503, description = "Nothing was done; try again", body = Problem),
    ))]
pub(in crate::api::native) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller<Verify>,
    Path(text): Path<String>,
) -> Response {
    let id = match id(&text) {
        Ok(id) => id,
        Err(response) => return response,
    };
    match verifications::show(&app, caller.org(), id).await {
        Ok(found) => Json(Verification::from(found)).into_response(),
        Err(error) => refusal(&error),
    }
}
