//! The door's one table of errors. Its clients read two forms: the SDK decides by the `code` of the whole (`OTP_NOT_FOUND`), the
//! documentation has an `error` with a `code` of its own (`NOT_FOUND`) and a text. Every answer has both.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorcode_core::relay::{Named as _, State};
use doorcode_core::{Error, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::Trouble;
use crate::store::relays::Relay;

/// Every error of this door.
#[derive(Serialize, ToSchema, Default)]
#[schema(as = AgentotpError)]
pub(crate) struct ErrorBody {
    /// What the SDK decides by.
    #[schema(example = "OTP_NOT_FOUND")]
    code: &'static str,
    /// For people.
    message: String,
    /// The documented form of the same.
    error: Inner,
    /// Why the person said no, or the agent may not ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Which request.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// What it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// What the code that is held is about, for its owner and their devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// When it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_at: Option<String>,
    /// When its time was up.
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_at: Option<String>,
}

/// The documented form.
#[derive(Serialize, ToSchema, Default)]
#[schema(as = AgentotpErrorDetail)]
struct Inner {
    /// The documented code.
    #[schema(example = "NOT_FOUND")]
    code: &'static str,
    /// For people.
    message: String,
}

/// An answer that is a refusal.
pub(super) struct Refused(Box<Response>);

impl Refused {
    /// The status of its answer.
    pub(super) fn status(&self) -> StatusCode {
        self.0.status()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl From<Response> for Refused {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        refusal(&error).into()
    }
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Self {
        Self::from(match trouble {
            Trouble::TooLarge => {
                let message = "The body is too large: 64 KiB at most";
                plain(StatusCode::PAYLOAD_TOO_LARGE, ("VALIDATION_ERROR", "VALIDATION_ERROR"), message)
            }
            Trouble::Unreadable => invalid("The body could not be read"),
            Trouble::Late => {
                plain(StatusCode::REQUEST_TIMEOUT, ("TIMEOUT", "TIMEOUT"), "The body did not come in time")
            }
        })
    }
}

/// An answer of this door.
pub(super) type Answer = Result<Response, Refused>;

fn body((code, documented): (&'static str, &'static str), message: &str) -> ErrorBody {
    let error = Inner { code: documented, message: message.to_owned() };
    ErrorBody { code, message: message.to_owned(), error, ..ErrorBody::default() }
}

fn plain(status: StatusCode, codes: (&'static str, &'static str), message: &str) -> Response {
    (status, Json(body(codes, message))).into_response()
}

/// Something that was sent can't be taken. 422, by which the SDK knows it; the documentation has 400 as well as 422.
pub(super) fn invalid(message: &str) -> Response {
    plain(StatusCode::UNPROCESSABLE_ENTITY, ("VALIDATION_ERROR", "VALIDATION_ERROR"), message)
}

/// Nobody, or somebody whom we do not know.
pub(super) fn unauthenticated() -> Response {
    plain(StatusCode::UNAUTHORIZED, ("UNAUTHORIZED", "UNAUTHORIZED"), "The key is missing, wrong, expired or revoked")
}

/// Somebody who may not do this.
pub(super) fn forbidden(message: &str) -> Response {
    plain(StatusCode::FORBIDDEN, ("FORBIDDEN", "FORBIDDEN"), message)
}

/// The agent may not ask: it or everything was stopped by its owner.
pub(super) fn stopped() -> Response {
    let message = "The owner has stopped this agent's requests";
    let mut body = body(("OTP_APPROVAL_DENIED", "FORBIDDEN"), message);
    (body.reason, body.status) = (Some(message.to_owned()), Some("denied"));
    (StatusCode::FORBIDDEN, Json(body)).into_response()
}

/// There is no such request, or none that the caller may know of.
pub(super) fn no_request() -> Response {
    plain(StatusCode::NOT_FOUND, ("OTP_NOT_FOUND", "NOT_FOUND"), "The request was not found")
}

/// There is nothing at this path.
pub(in crate::api) fn not_found() -> Response {
    plain(StatusCode::NOT_FOUND, ("NOT_FOUND", "NOT_FOUND"), "Not found")
}

/// What is there is a WebSocket.
pub(super) fn upgrade_required() -> Response {
    let message = "This is a WebSocket: ask for an upgrade (RFC 6455, version 13)";
    plain(StatusCode::UPGRADE_REQUIRED, ("UPGRADE_REQUIRED", "UPGRADE_REQUIRED"), message)
}

/// There is, for another method.
pub(in crate::api) fn wrong_method() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED, ("METHOD_NOT_ALLOWED", "METHOD_NOT_ALLOWED"), "Method not allowed")
}

/// Under `--dev`, a host that is not this machine.
pub(in crate::api) fn misdirected() -> Response {
    plain(StatusCode::MISDIRECTED_REQUEST, ("MISDIRECTED", "MISDIRECTED"), "--dev answers to localhost only")
}

/// The database does not answer in time, or at all. Nothing was promised.
pub(in crate::api) fn unavailable() -> Response {
    let answer = plain(
        StatusCode::SERVICE_UNAVAILABLE,
        ("UNAVAILABLE", "UNAVAILABLE"),
        "Unavailable for the moment. Please try again.",
    );
    retry_after(answer, Duration::from_secs(1))
}

/// A defect of ours.
pub(in crate::api) fn internal() -> Response {
    plain(StatusCode::INTERNAL_SERVER_ERROR, ("INTERNAL_ERROR", "INTERNAL_ERROR"), "Internal error")
}

/// What a request is that there is nothing to read of, as both kinds of clients know it.
pub(super) fn of_state(relay: &Relay, state: State) -> Response {
    let (status, codes, message) = match state {
        State::Consumed => {
            (StatusCode::CONFLICT, ("OTP_ALREADY_CONSUMED", "ALREADY_CONSUMED"), "The code was already consumed")
        }
        State::Expired => (StatusCode::GONE, ("OTP_EXPIRED", "EXPIRED"), "The request has expired"),
        State::Denied => (StatusCode::FORBIDDEN, ("OTP_APPROVAL_DENIED", "FORBIDDEN"), "The request was denied"),
        State::Cancelled => (StatusCode::CONFLICT, ("OTP_CANCELLED", "CANCELLED"), "The request was cancelled"),
        _ => (StatusCode::CONFLICT, ("OTP_NOT_READY", "NOT_READY"), "The code is not there yet"),
    };
    let mut body = body(codes, message);
    (body.id, body.status) = (Some(relay.id.shown()), Some(state.as_str()));
    body.reason = relay.denial.clone().filter(|_| state == State::Denied);
    let ended = relay.ended_at.or(relay.standing.ends_at()).map(|at| at.to_string());
    match state {
        State::Consumed => body.consumed_at = ended,
        State::Expired => body.expired_at = ended,
        _ => {}
    }
    (status, Json(body)).into_response()
}

/// A yes that was not enough: the first to a request that takes any message, or one to a held code that did not name what it is about. Its
/// owner has to say another. No success, so that no client takes it for one.
pub(super) fn say_again(relay: &Relay) -> Response {
    let codes = ("CONFIRMATION_REQUIRED", "CONFIRMATION_REQUIRED");
    let mut body = match relay.held.as_deref() {
        Some(_) => body(
            codes,
            "The message is about more than a sign-in: approve it naming what `about` says if that is meant",
        ),
        None => body(codes, "This request takes any message of anybody: approve it once more if that is meant"),
    };
    body.about = relay.held.clone();
    (body.id, body.status) = (Some(relay.id.shown()), Some(relay.standing.state.as_str()));
    (StatusCode::CONFLICT, Json(body)).into_response()
}

/// There is no such thing as `noun`, or none that the caller may know of.
pub(super) fn absent(noun: &str) -> Response {
    plain(StatusCode::NOT_FOUND, ("NOT_FOUND", "NOT_FOUND"), &format!("The {noun} was not found"))
}

/// What was refused about something that is no request.
pub(super) fn about(noun: &'static str) -> impl Fn(Error) -> Refused {
    move |error| match error {
        Error::NotFound => Refused::from(absent(noun)),
        other => other.into(),
    }
}

/// What `ops` refused, as this door says it. The chain is logged here and nowhere else.
fn refusal(refused: &Error) -> Response {
    match refused {
        Error::Invalid { field, why } => invalid(&format!("{field} {why}")),
        Error::Unauthenticated => unauthenticated(),
        Error::Forbidden => forbidden("This key may not do that"),
        Error::NotFound => no_request(),
        Error::Gone => plain(StatusCode::GONE, ("OTP_EXPIRED", "EXPIRED"), "The request has expired"),
        Error::Conflict(why) => plain(StatusCode::CONFLICT, ("CONFLICT", "CONFLICT"), why),
        Error::Limited { rule, retry_after: after } => {
            let message = format!("Too many {rule}. Please try again later.");
            retry_after(plain(StatusCode::TOO_MANY_REQUESTS, ("RATE_LIMITED", "RATE_LIMITED"), &message), *after)
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

fn retry_after(mut answer: Response, after: Duration) -> Response {
    // Rounded up: whoever comes back then must not be early.
    let seconds = after.as_millis().div_ceil(1000).max(1);
    if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
        answer.headers_mut().insert(header::RETRY_AFTER, value);
    }
    answer
}

/// A moment, as this door writes it.
pub(super) fn moment(at: Timestamp) -> String {
    at.to_string()
}
