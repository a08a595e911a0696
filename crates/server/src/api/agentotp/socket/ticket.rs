//! `POST /v1/otp/{id}/ticket`, `POST /v1/otp/ticket`: what an agent's server hands a browser so that it can open a socket. Good for a
//! minute, once, and for that alone: a URL may be logged. Refuses nobody's.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use doorcode_core::RelayId;
use doorcode_core::relay::Named as _;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::agentotp::answers::{NoKey, Unavailable, ViewerProblems};
use crate::api::agentotp::caller::{Caller, shown};
use crate::api::agentotp::error::{self, Answer, ErrorBody, Refused, moment};
use crate::api::agentotp::relay as read;
use crate::api::agentotp::view::sockets_url;
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::relays::{TICKET_LIFE, issue, show};

/// A ticket.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AgentotpTicket)]
pub(crate) struct Ticket {
    /// It.
    #[schema(example = "wst_…")]
    ticket: String,
    /// What to open.
    #[schema(example = "wss://codes.example.com/ws/otp_…?ticket=wst_…")]
    url: String,
    /// Its end.
    expires_at: String,
    /// The same in seconds from now.
    expires_in: u64,
}

/// A ticket for the socket of one request.
#[utoipa::path(post, path = "/v1/otp/{id}/ticket", tag = "agentotp", operation_id = "otp_ticket",
    params(("id" = String, Path, description = "The request", pattern = "^otp_")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 201, description = "Good for a minute, once", body = Ticket),
        ViewerProblems,
        Unavailable,
    ))]
pub(in crate::api) async fn ticket_of_one(
    State(app): State<Arc<App>>,
    Segment(text): Segment,
    headers: HeaderMap,
) -> Answer {
    make(&app, &headers, Some(&text)).await
}

/// A ticket for the socket of all requests of the agent, or for the person's codes.
#[utoipa::path(post, path = "/v1/otp/ticket", tag = "agentotp", operation_id = "otps_ticket",
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 201, description = "Good for a minute, once", body = Ticket),
        NoKey,
        (status = 403, description = "The key of a team with several members", body = ErrorBody),
        Unavailable,
    ))]
pub(in crate::api) async fn ticket_of_all(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    make(&app, &headers, None).await
}

async fn make(app: &Arc<App>, headers: &HeaderMap, id: Option<&str>) -> Answer {
    let text = shown(headers).ok_or_else(|| Refused::from(error::unauthenticated()))?;
    let watcher = Caller::watcher(app, text).await?;
    let relay: Option<RelayId> = id.map(read).transpose()?;
    if let Some(id) = relay {
        show(app, (&watcher.eye).into(), id).await?;
    }
    let (ticket, until) = issue(app, watcher, relay)?;
    let path = relay.map_or_else(String::new, |id| format!("/{}", id.shown()));
    let url = format!("{}{path}?ticket={}", sockets_url(app), ticket.expose());
    let ticket =
        Ticket { ticket: ticket.expose().clone(), url, expires_at: moment(until), expires_in: TICKET_LIFE.as_secs() };
    Ok((StatusCode::CREATED, Json(ticket)).into_response())
}
