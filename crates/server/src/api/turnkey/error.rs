//! The door's one table of errors: the number of a gRPC status, a message whose beginning is published, and a name. Every one has the same
//! members. Refuses to repeat anything that a caller sent.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorcode_core::Error;
use doorcode_core::stamp::Refusal;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::body::Trouble;
use crate::ops::signed::Refused;

/// Every error of this door.
#[derive(Serialize, ToSchema)]
#[schema(as = TurnkeyError)]
pub(crate) struct ErrorBody {
    /// The number of a gRPC status.
    #[schema(example = 3)]
    code: u8,
    /// What went wrong.
    #[schema(example = "Invalid OTP code")]
    message: String,
    details: [Detail; 1],
    /// Its name.
    #[serde(rename = "turnkeyErrorCode")]
    #[schema(example = "INVALID_OTP_CODE")]
    name: &'static str,
}

/// The name once more, as some clients look for it.
#[derive(Serialize, ToSchema)]
#[schema(as = TurnkeyErrorDetail)]
pub(crate) struct Detail {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "turnkeyErrorCode")]
    name: &'static str,
}

/// Refusals of every signed call, as the document names them.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) enum StampProblems {
    /// A member is missing or wrong, the code or the token is not right, or the time is not of now.
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// The stamp is missing or wrong, or its key is unknown or over.
    #[response(status = 401)]
    Unsigned(ErrorBody),
    /// The key may not do that, or the feature is off.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// There is no such organization, or no such call.
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// The body did not come in time.
    #[response(status = 408)]
    Late(ErrorBody),
    /// Something like it is being done.
    #[response(status = 409)]
    Conflict(ErrorBody),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// Too many.
    #[response(status = 429)]
    Limited(ErrorBody),
    /// The database does not answer; try again.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// Refusals of the auth proxy, as the document names them.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) enum ProxyProblems {
    /// A member is missing or wrong, or the code or the token is not right.
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// There is no such configuration, or the page's origin is not on its list.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// There is no such organization.
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// The body did not come in time.
    #[response(status = 408)]
    Late(ErrorBody),
    /// Something like it is being done.
    #[response(status = 409)]
    Conflict(ErrorBody),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// Too many.
    #[response(status = 429)]
    Limited(ErrorBody),
    /// The database does not answer; try again.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// An answer that is a refusal.
pub(super) struct Answered(Response);

/// An answer of this door.
pub(super) type Answer = Result<Response, Answered>;

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        self.0
    }
}

impl From<Refusal> for Answered {
    fn from(refusal: Refusal) -> Self {
        Self(refused(refusal))
    }
}

impl From<Refused> for Answered {
    fn from(why: Refused) -> Self {
        Self(match why {
            Refused::Refusal(refusal) => refused(refusal),
            Refused::Error(error) => failed(&error),
        })
    }
}

impl From<Trouble> for Answered {
    fn from(trouble: Trouble) -> Self {
        Self(match trouble {
            Trouble::TooLarge => {
                say(StatusCode::PAYLOAD_TOO_LARGE, 3, "bad request body: is too large", "REQUEST_INVALID")
            }
            Trouble::Unreadable => {
                say(StatusCode::BAD_REQUEST, 3, "bad request body: could not be read", "REQUEST_INVALID")
            }
            Trouble::Late => say(StatusCode::REQUEST_TIMEOUT, 4, "the body did not come in time", "REQUEST_INVALID"),
        })
    }
}

fn say(status: StatusCode, code: u8, message: &str, name: &'static str) -> Response {
    let details = [Detail { kind: "type.googleapis.com/errors.v1.TurnkeyErrorDetail", name }];
    (status, Json(ErrorBody { code, message: message.to_owned(), details, name })).into_response()
}

/// The status of HTTP that goes with the number of gRPC's.
const fn status(code: u8) -> StatusCode {
    match code {
        3 => StatusCode::BAD_REQUEST,
        5 => StatusCode::NOT_FOUND,
        7 => StatusCode::FORBIDDEN,
        8 => StatusCode::TOO_MANY_REQUESTS,
        16 => StatusCode::UNAUTHORIZED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn refused(refusal: Refusal) -> Response {
    say(status(refusal.code()), refusal.code(), &refusal.to_string(), refusal.name())
}

/// What `ops` refused, as this door says it. The chain is logged here and nowhere else.
fn failed(error: &Error) -> Response {
    match error {
        Error::Invalid { field, why } => refused(Refusal::Request { field, why }),
        Error::Unauthenticated => refused(Refusal::UnknownKey),
        Error::Forbidden => refused(Refusal::NotAuthorized),
        Error::NotFound | Error::Gone => refused(Refusal::UnknownOrganization),
        Error::Conflict(_) => say(StatusCode::CONFLICT, 10, "conflict, try again", "REQUEST_INVALID"),
        // The contract's own refusals of a start.
        Error::Limited { rule: "signed.starts" | "send.target", .. } => refused(Refusal::TooManyStarts),
        Error::Limited { retry_after, .. } => later(refused(Refusal::Limited), *retry_after),
        Error::Unavailable(_) => {
            tracing::error!(error = %crate::chain(error), "unavailable");
            unavailable()
        }
        Error::Internal(_) => {
            tracing::error!(error = %crate::chain(error), "internal error");
            internal()
        }
    }
}

fn later(mut answer: Response, after: Duration) -> Response {
    let seconds = after.as_millis().div_ceil(1000).max(1).to_string();
    if let Ok(value) = HeaderValue::from_str(&seconds) {
        answer.headers_mut().insert(header::RETRY_AFTER, value);
    }
    answer
}

/// There is nothing at this path.
pub(in crate::api) fn not_found() -> Response {
    say(StatusCode::NOT_FOUND, 5, "not found", "NOT_FOUND")
}

/// There is, for another method.
pub(in crate::api) fn wrong_method() -> Response {
    say(StatusCode::METHOD_NOT_ALLOWED, 12, "method not allowed", "METHOD_NOT_ALLOWED")
}

/// Under `--dev`, a host that is not this machine.
pub(in crate::api) fn misdirected() -> Response {
    say(StatusCode::MISDIRECTED_REQUEST, 9, "--dev answers to localhost only", "MISDIRECTED")
}

/// The database does not answer in time, or at all.
pub(in crate::api) fn unavailable() -> Response {
    let answer = say(StatusCode::SERVICE_UNAVAILABLE, 14, "unavailable for the moment, try again", "UNAVAILABLE");
    later(answer, Duration::from_secs(1))
}

/// A defect of ours.
pub(in crate::api) fn internal() -> Response {
    say(StatusCode::INTERNAL_SERVER_ERROR, 13, "internal server error", "INTERNAL")
}

/// Such a call is not here, whoever asks.
pub(super) fn no_such_call() -> Answered {
    Answered(not_found())
}
