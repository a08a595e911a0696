//! Refusals that many operations share, as the document names them. What an operation refuses besides stands with it.

use utoipa::IntoResponses;

use super::error::ErrorBody;

/// What may be wrong with a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) enum BodyProblems {
    /// The body did not come in time.
    #[response(status = 408)]
    Late(ErrorBody),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// Something is wrong with it: `message` names the first member.
    #[response(status = 422)]
    Invalid(ErrorBody),
}

/// No key, or none that is good.
#[derive(IntoResponses)]
#[response(status = 401)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct NoKey(ErrorBody);

/// No person's key.
#[derive(IntoResponses)]
#[response(status = 403)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct NoPerson(ErrorBody);

/// No person's key, or the session of an app.
#[derive(IntoResponses)]
#[response(status = 403)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct NoMaker(ErrorBody);

/// No device's key.
#[derive(IntoResponses)]
#[response(status = 403)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct NoDevice(ErrorBody);

/// An agent, a device that is not linked, a key or an app that may not approve, or a sign-in of long ago.
#[derive(IntoResponses)]
#[response(status = 403)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct NoApprover(ErrorBody);

/// Who may not look at a request, besides those without a key.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) enum ViewerProblems {
    /// The key of a team with several members.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// There is none such, or it is not the caller's.
    #[response(status = 404)]
    NotFound(ErrorBody),
}

/// The caller has none such.
#[derive(IntoResponses)]
#[response(status = 404)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct NotFound(ErrorBody);

/// Too many changes of this person; `Retry-After` says when there may be another.
#[derive(IntoResponses)]
#[response(status = 429)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct TooManyChanges(ErrorBody);

/// The database did not take it, or not in time; try again.
#[derive(IntoResponses)]
#[response(status = 503)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct Unavailable(ErrorBody);
