//! The door's one table of errors: problems (RFC 9457), each with a type that never changes and that the docs explain
//! (docs/native.md, and the page at `/docs`, from the same table). A type is a URN, so that a client compares the same text at
//! every installation. Refuses kinds that are not in the table.

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
    fn of(kind: Kind) -> Self {
        let Kind { type_, title, status, .. } = kind;
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

/// The database did not take it, or not in time; try again.
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

/// A kind of problem.
#[derive(Clone, Copy)]
pub(in crate::api) struct Kind {
    /// What a client compares: it never changes.
    pub(in crate::api) type_: &'static str,
    /// The HTTP status.
    pub(in crate::api) status: StatusCode,
    /// The kind in words.
    pub(in crate::api) title: &'static str,
    /// What whoever meets it does.
    pub(in crate::api) remedy: &'static str,
}

/// Names the kinds and lists them: what is answered is in the list, and so on the page at `/docs`.
macro_rules! kinds {
    ($($name:ident: $status:ident $type_:literal $title:literal $remedy:literal;)*) => {
        $(const $name: Kind = Kind {
            type_: concat!("urn:doorcode:problem:", $type_),
            status: StatusCode::$status,
            title: $title,
            remedy: $remedy,
        };)*

        /// Every kind there is.
        pub(in crate::api) const KINDS: &[Kind] = &[$($name),*];
    };
}

kinds! {
    MALFORMED: BAD_REQUEST "malformed" "The body is not a JSON object"
        "Send one JSON object. `detail` says where the text stops being JSON.";
    UNAUTHENTICATED: UNAUTHORIZED "unauthenticated" "A key is needed"
        "Send `Authorization: Bearer` and a key that is neither revoked nor over, once; or, in its place, a stamp of the very request.";
    NO_SESSION: UNAUTHORIZED "no-session" "A session is needed"
        "Send `Authorization: Bearer` and an access token; exchange the refresh token for the next one, or have the person sign in again.";
    GRANT: BAD_REQUEST "not-granted" "The token request is not granted"
        "`error` says why, in the words of RFC 6749. After `invalid_grant` the person has to sign in again.";
    FORBIDDEN: FORBIDDEN "forbidden" "The key may not do this"
        "Use a key with the scope that `detail` names.";
    NOT_FOUND: NOT_FOUND "not-found" "There is no such thing"
        "Compare id and path. What belongs to another org is not found either.";
    WRONG_METHOD: METHOD_NOT_ALLOWED "method-not-allowed" "Not with this method"
        "The header `Allow` names the methods of this path.";
    LATE: REQUEST_TIMEOUT "late" "The body did not come in time"
        "Send it again, in one piece. Nothing was done.";
    CONFLICT: CONFLICT "conflict" "Its state forbids it"
        "`detail` says what stands against it. Look at it again before you go on.";
    GONE: CONFLICT "not-pending" "It is not pending any more"
        "Start another verification.";
    TOO_LARGE: PAYLOAD_TOO_LARGE "too-large" "The body is over 64 KiB"
        "Send less: `metadata` has room for 4096 bytes.";
    MISDIRECTED: MISDIRECTED_REQUEST "misdirected" "--dev answers to localhost only"
        "Ask by 127.0.0.1 or localhost, or run the server without `--dev`.";
    INVALID: UNPROCESSABLE_ENTITY "invalid" "The request is not valid"
        "`errors` names every member, parameter and header that is wrong, and why. An org that the operator has not raised sends to its own members only.";
    KEY_REUSED: UNPROCESSABLE_ENTITY "idempotency-key-reused" "This Idempotency-Key came with another request"
        "Take a new `Idempotency-Key` for every new request, and keep it for its repeats only.";
    LIMITED: TOO_MANY_REQUESTS "limited" "Too many requests"
        "Wait as many seconds as `Retry-After` says. `detail` names the limit.";
    INTERNAL: INTERNAL_SERVER_ERROR "internal" "A defect of ours"
        "Tell whoever runs the server the `x-request-id` of the answer.";
    UNAVAILABLE: SERVICE_UNAVAILABLE "unavailable" "Try again in a moment"
        "Send it again after `Retry-After`, with the same `Idempotency-Key`: it may have been done.";
}

fn answer(kind: Kind, detail: Option<String>, errors: Vec<Wrong>) -> Response {
    dressed(kind.status, &Problem { detail, errors, ..Problem::of(kind) })
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

/// A stamp that is not good, for whatever reason: who has none of the org's keys is not told which of them there are.
pub(super) fn unstamped() -> Response {
    let detail = "the stamp is not of a living key of that organization, for this very request, of now and sent once";
    let says = "Bearer realm=\"doorcode\"".to_owned();
    challenged(answer(UNAUTHENTICATED, Some(detail.to_owned()), Vec::new()), says)
}

/// No access token, or none that is good any more.
pub(super) fn no_session() -> Response {
    let detail = "send an access token as `Authorization: Bearer …`".to_owned();
    let says = "Bearer realm=\"doorcode\", error=\"invalid_token\"".to_owned();
    challenged(answer(NO_SESSION, Some(detail), Vec::new()), says)
}

/// A token request that is not granted, also in the words that OAuth libraries read (RFC 6749 section 5.2).
pub(super) fn oauth(error: &'static str) -> Response {
    dressed(GRANT.status, &Problem { error: Some(error), ..Problem::of(GRANT) })
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
