//! The door's one table of errors: a text in a JSON object. A path that is nobody's, and a hook of another kind, are the same 404.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorcode_core::Error;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::body::Trouble;

/// Every error of this door.
#[derive(Serialize, ToSchema)]
#[schema(as = HookError)]
pub(crate) struct ErrorBody {
    /// For people.
    error: String,
}

/// Refusals that every push shares, as the document names them.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) enum PushProblems {
    /// The body can't be read.
    #[response(status = 400)]
    Unreadable(ErrorBody),
    /// The signature is missing, wrong or, where it has a time, too old.
    #[response(status = 401)]
    Unsigned(ErrorBody),
    /// There is no such hook.
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// The body did not come in time.
    #[response(status = 408)]
    Late(ErrorBody),
    /// The body is too large, or has too many messages.
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// It is not what this hook takes: a member is missing or wrong.
    #[response(status = 422)]
    Invalid(ErrorBody),
    /// Too many.
    #[response(status = 429)]
    Limited(ErrorBody),
    /// The database does not answer; try again.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// An answer that is a refusal.
pub(super) struct Refused(Response);

/// An answer of this door.
pub(super) type Answer = Result<Response, Refused>;

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(refusal(&error))
    }
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Self {
        Self(match trouble {
            Trouble::TooLarge => plain(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large: 64 KiB at most"),
            Trouble::Unreadable => plain(StatusCode::BAD_REQUEST, "The body could not be read"),
            Trouble::Late => plain(StatusCode::REQUEST_TIMEOUT, "The body did not come in time"),
        })
    }
}

fn plain(status: StatusCode, why: &str) -> Response {
    (status, Json(ErrorBody { error: why.to_owned() })).into_response()
}

/// Something that was signed can't be taken.
pub(super) fn invalid(why: &str) -> Refused {
    Refused(plain(StatusCode::UNPROCESSABLE_ENTITY, why))
}

/// There is more in it than is looked at.
pub(super) fn too_many(why: &str) -> Refused {
    Refused(plain(StatusCode::PAYLOAD_TOO_LARGE, why))
}

/// It was not signed, or wrongly, or too long ago.
pub(super) fn unsigned() -> Refused {
    Refused(plain(StatusCode::UNAUTHORIZED, "The signature is missing, wrong or too old"))
}

/// There is nothing at this path.
pub(in crate::api) fn not_found() -> Response {
    plain(StatusCode::NOT_FOUND, "Not found")
}

/// There is, for another method.
pub(in crate::api) fn wrong_method() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
}

/// Under `--dev`, a host that is not this machine.
pub(in crate::api) fn misdirected() -> Response {
    plain(StatusCode::MISDIRECTED_REQUEST, "--dev answers to localhost only")
}

/// The database does not answer in time, or at all.
pub(in crate::api) fn unavailable() -> Response {
    let mut answer = plain(StatusCode::SERVICE_UNAVAILABLE, "Unavailable for the moment. Please try again.");
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// A defect of ours.
pub(in crate::api) fn internal() -> Response {
    plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal error")
}

/// What `ops` refused, as this door says it. The chain is logged here and nowhere else.
fn refusal(refused: &Error) -> Response {
    match refused {
        Error::Invalid { field, why } => plain(StatusCode::UNPROCESSABLE_ENTITY, &format!("{field} {why}")),
        Error::Unauthenticated => unsigned().0,
        Error::Forbidden | Error::NotFound | Error::Gone => not_found(),
        Error::Conflict(why) => plain(StatusCode::CONFLICT, why),
        Error::Limited { rule, retry_after } => {
            let mut answer = plain(StatusCode::TOO_MANY_REQUESTS, &format!("Too many {rule}. Please try again later."));
            let seconds = retry_after.as_millis().div_ceil(1000).max(1).to_string();
            if let Ok(value) = HeaderValue::from_str(&seconds) {
                answer.headers_mut().insert(header::RETRY_AFTER, value);
            }
            answer
        }
        Error::Unavailable(_) => {
            tracing::error!(error = %crate::chain(refused), "unavailable");
            unavailable()
        }
        Error::Internal(_) => {
            tracing::error!(error = %crate::chain(refused), "internal error");
            internal()
        }
    }
}
