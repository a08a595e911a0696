//! `GET /v1/events`: what the org did, newest first.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::ChallengeId;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Read};
use super::moment;
use super::page::{Listed, Page, PageQuery};
use super::problem::{Answer, KeyProblems, Problem, Unavailable};
use crate::app::App;
use crate::ops::events;

/// Something that happened.
#[derive(Serialize, ToSchema)]
pub(crate) struct Event {
    #[schema(format = "uuid")]
    id: String,
    /// What: a noun and a verb.
    #[serde(rename = "type")]
    #[schema(example = "key.created")]
    type_: String,
    /// To what: the id of the verification, key, user, org, session, redirect or webhook.
    #[schema(format = "uuid")]
    subject_id: String,
    #[schema(format = DateTime)]
    created_at: String,
}

/// What the org did, newest first. `user.signed_in` is not in it.
#[utoipa::path(get, path = "/v1/events", tag = "events", operation_id = "list_events", params(PageQuery), security(("key" = ["read"])),
    responses(
        (status = 200, description = "A page of events", body = Listed<Event>),
        KeyProblems,
        (status = 422, description = "A parameter is wrong, or unknown", body = Problem),
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller<Read>, page: Page) -> Answer {
    let org = caller.org();
    let before = page.behind("events", org)?;
    let found = events::list(&app, org, before, page.most()).await?;
    Ok(Json(page.of("events", org, found, |event| {
        let shown = Event {
            id: event.id.to_string(),
            type_: event.kind.clone(),
            // Whatever kind of id it is, it is written like any other.
            subject_id: ChallengeId::from_bytes(event.subject).to_string(),
            created_at: moment(event.id.made_at().millis()),
        };
        (*event.id.as_bytes(), shown)
    }))
    .into_response())
}
