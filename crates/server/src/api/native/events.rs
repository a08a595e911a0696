//! `GET /v1/events`: what the org did, newest first.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use doorcode_core::ChallengeId;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Read};
use super::moment;
use super::page::{Listed, Page};
use super::problem::{Problem, refusal};
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
    /// To what: the id of the key, user, org or verification.
    #[schema(format = "uuid")]
    subject_id: String,
    #[schema(format = DateTime)]
    created_at: String,
}

/// What the org did, newest first: keys, users, orgs, verifications. Sign-ins at the OutX door are not in it.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(("limit" = Option<u32>, Query, description = "How many, 1 to 100; usually 20", minimum = 1, maximum = 100), ("cursor" = Option<String>, Query, description = "The next_cursor of the page before")), security(("key" = ["read"])),
    responses(
        (status = 200, description = "A page of events", body = Listed<Event>),
        (status = 401, description = "No key, or none that is good", body = Problem),
        (status = 403, description = "The key lacks the scope", body = Problem),
        (status = 422, description = "A parameter is wrong, or unknown", body = Problem),
        (status = 503, description = "Nothing was done; try again", body = Problem),
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller<Read>, page: Page) -> Response {
    let org = caller.org();
    let before = match page.behind("events", org) {
        Ok(before) => before,
        Err(response) => return response,
    };
    match events::list(&app, org, before, page.most()).await {
        Ok(found) => Json(page.of("events", org, found, |event| {
            let shown = Event {
                id: event.id.to_string(),
                type_: event.kind.clone(),
                // Whatever kind of id it is, it is written like any other.
                subject_id: ChallengeId::from_bytes(event.subject).to_string(),
                created_at: moment(event.id.made_at().millis()),
            };
            (*event.id.as_bytes(), shown)
        }))
        .into_response(),
        Err(error) => refusal(&error),
    }
}
