//! `POST /v1/otp/{id}/approve` and `…/deny`: the owner's word, by a fresh session, a device that they linked, or, where that is let, the
//! sign-in key of a team of one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::relay::Named as _;
use serde_json::json;

use super::caller::ByApprover;
use super::error::{Answer, ErrorBody};
use super::fields::Fields;
use super::query::Segment;
use super::relay as read;
use crate::app::App;
use crate::ops::relays::{self, Approver, Decided};

/// Says yes.
#[utoipa::path(post, path = "/v1/otp/{id}/approve", tag = "agentotp", operation_id = "approve_otp",
    params(("id" = String, Path, description = "The request", pattern = "^otp_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It is approved. `contested` names other agents that wait for the same message", body = Object),
        (status = 401, description = "No key", body = ErrorBody),
        (status = 403, description = "An agent, a device that is not linked, or a sign-in of long ago", body = ErrorBody),
        (status = 404, description = "There is none such of this person", body = ErrorBody),
        (status = 409, description = "It was decided, or cancelled", body = ErrorBody),
        (status = 410, description = "Its time was up", body = ErrorBody),
        (status = 408, description = "The body did not come in time", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 422, description = "Something is wrong with the body", body = ErrorBody),
        (status = 429, description = "Too many", body = ErrorBody),
        (status = 503, description = "Try again", body = ErrorBody),
    ))]
pub(super) async fn approve(
    State(app): State<Arc<App>>,
    ByApprover(approver): ByApprover,
    Segment(text): Segment,
    _: Fields,
) -> Answer {
    say(&app, approver, &text, Decided { yes: true, denial: None }).await
}

/// Says no, with or without a `reason` for the agent.
#[utoipa::path(post, path = "/v1/otp/{id}/deny", tag = "agentotp", operation_id = "deny_otp",
    params(("id" = String, Path, description = "The request", pattern = "^otp_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It is denied", body = Object),
        (status = 401, description = "No key", body = ErrorBody),
        (status = 403, description = "An agent, a device that is not linked, or a sign-in of long ago", body = ErrorBody),
        (status = 404, description = "There is none such of this person", body = ErrorBody),
        (status = 409, description = "It was decided, or cancelled", body = ErrorBody),
        (status = 410, description = "Its time was up", body = ErrorBody),
        (status = 408, description = "The body did not come in time", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 422, description = "Something is wrong with the body", body = ErrorBody),
        (status = 429, description = "Too many", body = ErrorBody),
        (status = 503, description = "Try again", body = ErrorBody),
    ))]
pub(super) async fn deny(
    State(app): State<Arc<App>>,
    ByApprover(approver): ByApprover,
    Segment(text): Segment,
    mut fields: Fields,
) -> Answer {
    let denial = fields.text("reason")?;
    say(&app, approver, &text, Decided { yes: false, denial }).await
}

async fn say(app: &Arc<App>, approver: Approver, text: &str, decided: Decided) -> Answer {
    let (relay, rivals) = relays::decide(app, approver, read(text)?, decided).await?;
    let status = relay.standing.state.as_str();
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
