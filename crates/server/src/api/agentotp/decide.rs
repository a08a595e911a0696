//! `POST /v1/otp/{id}/approve` and `…/deny`: the owner's word, by a fresh session, a device that they linked, or, where that is let, the
//! sign-in key of a team of one. `…/unverified`: whether mail that nobody vouches for may serve this request, which is no device's to say.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::relay::{Named as _, State as RelayState};
use serde_json::json;
use utoipa::{IntoResponses, ToSchema};

use super::answers::{BodyProblems, NoApprover, NoKey, NotFound, Unavailable};
use super::caller::ByApprover;
use super::error::{Answer, ErrorBody, say_again};
use super::fields::{Fields, wrong};
use super::relay as read;
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::relays::{self, Approver, Decided, Word, Yes};

/// What an approval may say besides.
#[derive(ToSchema)]
#[schema(as = OtpApproval)]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct Approval {
    /// The person was asked whether any message of anybody is meant, and says yes once more. It counts only after a first yes.
    confirm: Option<bool>,
    /// What the held code is about: `reset`, `payment` or `device`, as `held` and the 409 name it. Only this lets it go.
    about: Option<String>,
}

/// What a denial may say besides.
#[derive(ToSchema)]
#[schema(as = OtpDenial)]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct Denial {
    /// Why, for the agent.
    #[schema(example = "I am not signing up there")]
    reason: Option<String>,
}

/// Whether unverified mail is taken.
#[derive(ToSchema)]
#[schema(as = OtpUnverified)]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct Unverified {
    /// It is, for this request alone.
    accept: bool,
}

/// Why nothing is said to a request.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the document is made of it")]
enum WordProblems {
    /// `CONFLICT`: it was decided or cancelled, or is none of those that this can be said to. `CONFIRMATION_REQUIRED`: any message would do
    /// for it, and this was the first yes; or its code is held, and this did not name what it is about, which `about` says.
    #[response(status = 409)]
    Conflict(ErrorBody),
    /// Its time was up.
    #[response(status = 410)]
    Gone(ErrorBody),
    /// Too many.
    #[response(status = 429)]
    Limited(ErrorBody),
}

/// Says yes. A request that names no sender takes two: the second with `confirm`, or as the first was said and a second later. A code that is
/// held is let go by naming what it is about, in `about`.
#[utoipa::path(post, path = "/v1/otp/{id}/approve", tag = "agentotp", operation_id = "approve_otp", request_body = Option<Approval>,
    params(("id" = String, Path, description = "The request", pattern = "^otp_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It is approved. `contested` names other agents that wait for the same message", body = Object),
        NoKey,
        NoApprover,
        NotFound,
        WordProblems,
        BodyProblems,
        Unavailable,
    ))]
pub(super) async fn approve(
    State(app): State<Arc<App>>,
    ByApprover(approver): ByApprover,
    Segment(text): Segment,
    mut fields: Fields,
) -> Answer {
    let (sure, about) = (fields.flag("confirm")?.unwrap_or_default(), fields.text("about")?);
    let yes = if sure { Yes::Sure } else { Yes::Plain };
    say(&app, approver, &text, about.map_or(Word::Yes(yes), Word::About)).await
}

/// Says no, with or without a `reason` for the agent.
#[utoipa::path(post, path = "/v1/otp/{id}/deny", tag = "agentotp", operation_id = "deny_otp", request_body = Option<Denial>,
    params(("id" = String, Path, description = "The request", pattern = "^otp_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It is denied", body = Object),
        NoKey,
        NoApprover,
        NotFound,
        WordProblems,
        BodyProblems,
        Unavailable,
    ))]
pub(super) async fn deny(
    State(app): State<Arc<App>>,
    ByApprover(approver): ByApprover,
    Segment(text): Segment,
    mut fields: Fields,
) -> Answer {
    let denial = fields.text("reason")?;
    say(&app, approver, &text, Word::No(denial)).await
}

async fn say(app: &Arc<App>, approver: Approver, text: &str, word: Word) -> Answer {
    // The contract has two words for what came of it, whatever the request goes on to: a held code that is let go is there at once.
    let status = if matches!(word, Word::No(_)) { RelayState::Denied } else { RelayState::Approved }.as_str();
    let (relay, rivals) = match relays::decide(app, approver, read(text)?, word).await? {
        Decided::Done(relay, rivals) => (relay, rivals),
        Decided::AskedAgain(relay) => return Ok(say_again(&relay)),
    };
    let contested: Vec<&str> = rivals.iter().map(|rival| rival.agent_name.as_str()).collect();
    let body = json!({
        "success": true,
        "message": format!("The request is {status}"),
        "requestId": relay.id.shown(),
        "status": status,
        "contested": contested,
    });
    Ok(Json(body).into_response())
}

/// Lets one request have mail whose sender nobody vouches for, or not any more. Forged mail is never taken.
#[utoipa::path(post, path = "/v1/otp/{id}/unverified", tag = "agentotp", operation_id = "let_otp_unverified", request_body = Unverified,
    params(("id" = String, Path, description = "The request", pattern = "^otp_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "So it is: `unverified`", body = Object),
        NoKey,
        NoApprover,
        NotFound,
        WordProblems,
        BodyProblems,
        Unavailable,
    ))]
pub(super) async fn unverified(
    State(app): State<Arc<App>>,
    ByApprover(approver): ByApprover,
    Segment(text): Segment,
    mut fields: Fields,
) -> Answer {
    let accept = fields.flag("accept")?.ok_or_else(|| wrong("accept", "is required"))?;
    let relay = relays::let_unverified(&app, approver, read(&text)?, accept).await?;
    let status = relay.standing.state.as_str();
    let body =
        json!({ "success": true, "requestId": relay.id.shown(), "status": status, "unverified": relay.unverified });
    Ok(Json(body).into_response())
}
