//! `POST /v1/verifications/{id}/resend`: the same code again.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use utoipa::ToSchema;

use super::{Verification, with_limits};
use crate::api::native::caller::{Caller, IdempotencyKey, Verify, person};
use crate::api::native::fields::Fields;
use crate::api::native::id;
use crate::api::native::problem::{Problem, refusal};
use crate::app::App;
use crate::ops::verifications::{self, Ask};

/// For whom it is sent again.
#[derive(ToSchema)]
#[schema(as = Resend)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct Resend {
    /// The address of the person's own device, as your server sees it.
    #[schema(example = "203.0.113.7")]
    user_ip: Option<String>,
}

/// Sends the code of a pending verification again: the same one, unless nothing is left to guess at it with; then a long one.
#[utoipa::path(post, path = "/v1/verifications/{id}/resend", tag = "verifications", request_body = Option<Resend>,
    params(("id" = String, Path, format = "uuid"), ("Idempotency-Key" = Option<String>, Header, description = "A name for this request: however often it comes within a day, it is done once and answered the same", min_length = 1, max_length = 255, pattern = "^[!-~]+$")), security(("key" = ["verify"])),
    responses(
        (status = 200, description = "It is on its way", body = Verification),
        (status = 400, description = "The body is no JSON object", body = Problem),
        (status = 408, description = "The body did not come in time", body = Problem),
        (status = 413, description = "The body is over 64 KiB", body = Problem),
        (status = 422, description = "A member is wrong, or unknown", body = Problem),
        (status = 401, description = "No key, or none that is good", body = Problem),
        (status = 403, description = "The key lacks the scope", body = Problem),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "It is not pending any more", body = Problem),
        (status = 429, description = "Too many messages; `Retry-After` says when", body = Problem),
        (status = 503, description = "Nothing was done; try again", body = Problem),
    ))]
pub(in crate::api::native) async fn resend(
    State(app): State<Arc<App>>,
    caller: Caller<Verify>,
    key: IdempotencyKey,
    Path(text): Path<String>,
    mut body: Fields,
) -> Response {
    let id = match id(&text) {
        Ok(id) => id,
        Err(response) => return response,
    };
    let once = key.once(caller.org(), &format!("resend {id}"), body.bytes());
    let who = body.text("user_ip");
    let who = body.meaning("user_ip", who, person);
    if let Err(response) = body.end() {
        return response;
    }
    match verifications::resend(&app, Ask { backend: caller.backend(), person: who, once }, id).await {
        Ok(started) => {
            let response = Json(Verification::from(started.verification.clone())).into_response();
            with_limits(&app, &started, response)
        }
        Err(error) => refusal(&error),
    }
}
