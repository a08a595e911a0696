//! The door's one table of errors. What the published pages leave open (405, 413, 503) keeps their form.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorcode_core::Error;
use serde::Serialize;
use utoipa::ToSchema;

/// Every error of this door.
#[derive(Serialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong, in the published words.
    #[schema(example = "Invalid or expired OTP")]
    error: &'static str,
}

/// An error answer.
pub fn error(status: StatusCode, error: &'static str) -> Response {
    (status, Json(ErrorBody { error })).into_response()
}

/// The database does not answer in time, or at all. Nothing was promised.
pub fn unavailable() -> Response {
    let answer = error(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable. Please try again later.");
    retry_after(answer, Duration::from_secs(1))
}

/// A wrong code, an expired one, a used one, one that was never sent: one answer.
pub(super) fn wrong_otp() -> Response {
    error(StatusCode::UNAUTHORIZED, "Invalid or expired OTP")
}

/// A member that is absent, of another type, or not what it should be.
pub(super) fn bad(member: &str) -> Response {
    match member {
        "otp" => error(StatusCode::BAD_REQUEST, "Missing or invalid 'otp'"),
        _ => error(StatusCode::BAD_REQUEST, "Missing or invalid 'email'"),
    }
}

/// What `ops` refused, as this door says it. The chain is logged here and nowhere else.
pub(super) fn refusal(refused: &Error) -> Response {
    match refused {
        Error::Invalid { field, .. } => bad(field),
        Error::Unauthenticated => error(StatusCode::UNAUTHORIZED, "Unauthorized"),
        Error::Forbidden => error(StatusCode::FORBIDDEN, "Forbidden"),
        Error::NotFound => error(StatusCode::NOT_FOUND, "Not found"),
        Error::Gone => wrong_otp(),
        Error::Conflict(_) => error(StatusCode::CONFLICT, "Conflict"),
        Error::Limited { retry_after: after, .. } => {
            let answer = error(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded. Please try again later.");
            retry_after(answer, *after)
        }
        Error::Unavailable(_) => {
            tracing::error!(error = %crate::chain(refused), "unavailable");
            unavailable()
        }
        Error::Internal(_) => {
            tracing::error!(error = %crate::chain(refused), "internal error");
            error(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
        }
    }
}

fn retry_after(mut answer: Response, after: Duration) -> Response {
    // Rounded up: whoever comes back then must not be early.
    let seconds = after.as_millis().div_ceil(1000).max(1);
    if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
        answer.headers_mut().insert(header::RETRY_AFTER, value);
    }
    answer
}
