//! The door's one table of errors: problems (RFC 9457), each with a type that never changes and that the docs explain
//! (docs/native.md). A type is a URN, so that a client compares the same text at every installation.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorcode_core::Error;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::body::Trouble;
use crate::ops::idempotency;

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Which kind of problem. Stable: compare this.
    #[serde(rename = "type")]
    #[schema(example = "urn:doorcode:problem:invalid")]
    type_: &'static str,
    /// The kind in words. The same for every problem of the type.
    #[schema(example = "The request is not valid")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// What is wrong with this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Every member that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Wrong>,
    /// At `/v1/token` only: the same for OAuth libraries.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "invalid_grant")]
    error: Option<&'static str>,
}

impl Problem {
    fn of(type_: &'static str, title: &'static str, status: StatusCode) -> Self {
        Self { type_, title, status: status.as_u16(), detail: None, errors: Vec::new(), error: None }
    }
}

/// A member that is wrong.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wrong {
    /// Its name, as it was sent.
    #[schema(example = "to")]
    pub(crate) field: String,
    /// Why: a half sentence.
    #[schema(example = "must have one @")]
    pub(crate) detail: String,
}

/// What may be wrong with a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) enum BodyProblems {
    /// The body is no JSON object.
    #[response(status = 400)]
    Malformed(Problem),
    /// The body did not come in time.
    #[response(status = 408)]
    Late(Problem),
    /// The body is over 64 KiB.
    #[response(status = 413)]
    TooLarge(Problem),
    /// A member or a header is wrong, or unknown: `errors` names each.
    #[response(status = 422)]
    Invalid(Problem),
}

/// What may be wrong with a key.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) enum KeyProblems {
    /// No key, or none that is good.
    #[response(status = 401)]
    Unauthenticated(Problem),
    /// The key lacks the scope.
    #[response(status = 403)]
    Forbidden(Problem),
}

/// There is none, or it is another org's.
#[derive(IntoResponses)]
#[response(status = 404)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct NotFound(Problem);

/// Nothing was done; try again.
#[derive(IntoResponses)]
#[response(status = 503)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct Unavailable(Problem);

/// What a handler gives: an answer, or the problem that it met.
pub(super) type Answer = Result<Response, Refused>;

/// A problem on its way to the client. Boxed, since most requests have none.
pub(super) struct Refused(Box<Response>);

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

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// A kind of problem: type, title, status.
type Kind = (&'static str, &'static str, StatusCode);

const MALFORMED: Kind = ("urn:doorcode:problem:malformed", "The body is not a JSON object", StatusCode::BAD_REQUEST);
const INVALID: Kind = ("urn:doorcode:problem:invalid", "The request is not valid", StatusCode::UNPROCESSABLE_ENTITY);
const UNAUTHENTICATED: Kind = ("urn:doorcode:problem:unauthenticated", "A key is needed", StatusCode::UNAUTHORIZED);
const NO_SESSION: Kind = ("urn:doorcode:problem:no-session", "A session is needed", StatusCode::UNAUTHORIZED);
const GRANT: Kind = ("urn:doorcode:problem:not-granted", "The token request is not granted", StatusCode::BAD_REQUEST);
const FORBIDDEN: Kind = ("urn:doorcode:problem:forbidden", "The key may not do this", StatusCode::FORBIDDEN);
const NOT_FOUND: Kind = ("urn:doorcode:problem:not-found", "There is no such thing", StatusCode::NOT_FOUND);
const WRONG_METHOD: Kind =
    ("urn:doorcode:problem:method-not-allowed", "Not with this method", StatusCode::METHOD_NOT_ALLOWED);
const TOO_LARGE: Kind = ("urn:doorcode:problem:too-large", "The body is over 64 KiB", StatusCode::PAYLOAD_TOO_LARGE);
const LATE: Kind = ("urn:doorcode:problem:late", "The body did not come in time", StatusCode::REQUEST_TIMEOUT);
const CONFLICT: Kind = ("urn:doorcode:problem:conflict", "Its state forbids it", StatusCode::CONFLICT);
const GONE: Kind = ("urn:doorcode:problem:not-pending", "It is not pending any more", StatusCode::CONFLICT);
const KEY_REUSED: Kind = (
    "urn:doorcode:problem:idempotency-key-reused",
    "This Idempotency-Key came with another request",
    StatusCode::UNPROCESSABLE_ENTITY,
);
const LIMITED: Kind = ("urn:doorcode:problem:limited", "Too many requests", StatusCode::TOO_MANY_REQUESTS);
const MISDIRECTED: Kind =
    ("urn:doorcode:problem:misdirected", "--dev answers to localhost only", StatusCode::MISDIRECTED_REQUEST);
const UNAVAILABLE: Kind =
    ("urn:doorcode:problem:unavailable", "Try again in a moment", StatusCode::SERVICE_UNAVAILABLE);
const INTERNAL: Kind = ("urn:doorcode:problem:internal", "A defect of ours", StatusCode::INTERNAL_SERVER_ERROR);

fn answer(kind: Kind, detail: Option<String>, errors: Vec<Wrong>) -> Response {
    let (type_, title, status) = kind;
    dressed(status, &Problem { detail, errors, ..Problem::of(type_, title, status) })
}

fn dressed(status: StatusCode, problem: &Problem) -> Response {
    let body = serde_json::to_string(problem).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
}

/// Members that are wrong, all of them.
pub(super) fn invalid(errors: Vec<Wrong>) -> Response {
    let names: Vec<&str> = errors.iter().map(|wrong| wrong.field.as_str()).collect();
    let detail = format!("see errors: {}", names.join(", "));
    answer(INVALID, Some(detail), errors)
}

/// One member, parameter or header that is wrong.
pub(super) fn wrong(field: &str, detail: &str) -> Refused {
    invalid(vec![Wrong { field: field.to_owned(), detail: detail.to_owned() }]).into()
}

/// A body that is no JSON object.
pub(super) fn malformed(why: &str) -> Response {
    answer(MALFORMED, Some(why.to_owned()), Vec::new())
}

/// A body that could not be read.
pub(super) fn unread(trouble: Trouble) -> Response {
    match trouble {
        Trouble::TooLarge => answer(TOO_LARGE, None, Vec::new()),
        Trouble::Unreadable => malformed("the body could not be read"),
        Trouble::Late => answer(LATE, None, Vec::new()),
    }
}

pub(in crate::api) fn not_found() -> Response {
    answer(NOT_FOUND, None, Vec::new())
}

pub(in crate::api) fn wrong_method() -> Response {
    answer(WRONG_METHOD, None, Vec::new())
}

pub(in crate::api) fn misdirected() -> Response {
    answer(MISDIRECTED, None, Vec::new())
}

pub(in crate::api) fn unavailable() -> Response {
    retry_after(answer(UNAVAILABLE, None, Vec::new()), Duration::from_secs(1))
}

pub(in crate::api) fn internal() -> Response {
    answer(INTERNAL, None, Vec::new())
}

/// No key, or none that is good (RFC 6750 section 3).
pub(super) fn unauthenticated() -> Response {
    let detail = "send a key as `Authorization: Bearer …`".to_owned();
    challenged(answer(UNAUTHENTICATED, Some(detail), Vec::new()), "Bearer realm=\"doorcode\"".to_owned())
}

/// No access token, or none that is good any more.
pub(super) fn no_session() -> Response {
    let detail = "send an access token as `Authorization: Bearer …`".to_owned();
    let says = "Bearer realm=\"doorcode\", error=\"invalid_token\"".to_owned();
    challenged(answer(NO_SESSION, Some(detail), Vec::new()), says)
}

/// A token request that is not granted, also in the words that OAuth libraries read (RFC 6749 section 5.2).
pub(super) fn oauth(error: &'static str) -> Response {
    let (type_, title, status) = GRANT;
    let problem = Problem { error: Some(error), ..Problem::of(type_, title, status) };
    dressed(status, &problem)
}

/// A key without the scope that is needed.
pub(super) fn lacks(scope: &str) -> Response {
    let detail = format!("the key needs the scope `{scope}`");
    let says = format!("Bearer realm=\"doorcode\", error=\"insufficient_scope\", scope=\"{scope}\"");
    challenged(answer(FORBIDDEN, Some(detail), Vec::new()), says)
}

fn challenged(mut response: Response, says: String) -> Response {
    if let Ok(value) = HeaderValue::try_from(says) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// What `ops` refused, as this door says it. The chain is logged here and nowhere else.
fn refusal(refused: &Error) -> Response {
    match refused {
        Error::Invalid { field: idempotency::HEADER, .. } => answer(KEY_REUSED, None, Vec::new()),
        Error::Invalid { field, why } => invalid(vec![Wrong { field: (*field).to_owned(), detail: (*why).to_owned() }]),
        Error::Unauthenticated => unauthenticated(),
        Error::Forbidden => answer(FORBIDDEN, None, Vec::new()),
        Error::NotFound => not_found(),
        Error::Conflict(why) => answer(CONFLICT, Some((*why).to_owned()), Vec::new()),
        Error::Gone => answer(GONE, None, Vec::new()),
        Error::Limited { rule, retry_after: after } => {
            let detail = format!("the limit `{rule}` is reached");
            let response = retry_after(answer(LIMITED, Some(detail), Vec::new()), *after);
            rate_limit(response, rule, 0, *after)
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

/// Rounded up: whoever comes back then must not be early.
fn seconds(after: Duration) -> u128 {
    after.as_millis().div_ceil(1000).max(1)
}

fn retry_after(mut response: Response, after: Duration) -> Response {
    if let Ok(value) = HeaderValue::from_str(&seconds(after).to_string()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// Says what is left of a limit, and in how long there will be more (the IETF's `RateLimit`).
pub(super) fn rate_limit(mut response: Response, rule: &str, left: u32, after: Duration) -> Response {
    let says = format!("\"{rule}\";r={left};t={}", seconds(after));
    if let Ok(value) = HeaderValue::from_str(&says) {
        response.headers_mut().insert("ratelimit", value);
    }
    response
}

/// Says how much a limit holds, in which time.
pub(super) fn rate_policy(mut response: Response, rule: &str, most: u32, window: Duration) -> Response {
    let says = format!("\"{rule}\";q={most};w={}", window.as_secs());
    if let Ok(value) = HeaderValue::from_str(&says) {
        response.headers_mut().insert("ratelimit-policy", value);
    }
    response
}
