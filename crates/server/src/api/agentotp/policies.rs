//! `/v1/policies`: a person's rules for their agents, one policy an agent, under its agent's id. What may make a code go out without them
//! takes what a yes takes. Refuses agents, devices, and a session or key that may not approve.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use doorcode_core::AgentId;
use doorcode_core::relay::Named as _;
use doorcode_core::relay::rules::Rules;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::agents::named;
use super::answers::{BodyProblems, NoApprover, NoKey, NoPerson, NotFound, TooManyChanges, Unavailable};
use super::caller::{ByPerson, ByRuler};
use super::error::{self, Answer, ErrorBody, Refused, about};
use super::fields::{Fields, wrong};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::agents::{self, AGENTS_MOST, Step};
use crate::ops::audit::Whose;
use crate::store::agents::Agent;

/// The rules for an agent. Every member may also be spelt in the other way.
#[derive(ToSchema)]
#[schema(as = OtpPolicy)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct Policy {
    /// Which agent; where the path does not say.
    #[schema(pattern = "^agent_[A-Za-z0-9_-]{22}$")]
    agent_id: Option<String>,
    /// `sources`, `senders`, `hours`, `auto_approve`: see docs/agentotp.md.
    #[schema(value_type = Object, example = json!({"sources": ["email"]}))]
    rules: String,
}

fn view(agent: &Agent) -> Option<Value> {
    let rules: Value = serde_json::from_str(agent.rules.as_deref()?).ok()?;
    let id = agent.id.shown();
    Some(json!({ "id": id, "object": "policy", "agent_id": id, "agentId": id, "name": agent.name, "rules": rules }))
}

async fn of(app: &App, whose: Whose, id: AgentId) -> Result<Value, Refused> {
    let agent = agents::show(app, whose, id).await.map_err(about("policy"))?;
    view(&agent).ok_or_else(|| Refused::from(error::absent("policy")))
}

/// The rules of all of the caller's agents that have some.
#[utoipa::path(get, path = "/v1/policies", tag = "agentotp", operation_id = "list_policies",
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "They: `data`, `has_more`, `next_cursor`", body = Object),
        NoKey,
        NoPerson,
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, ByPerson(whose): ByPerson) -> Answer {
    let found = agents::list(&app, whose.owner, AgentId::from_bytes([0; 16]), AGENTS_MOST).await?;
    let data: Vec<_> = found.iter().filter_map(view).collect();
    Ok(Json(json!({ "data": data, "has_more": false, "hasMore": false, "next_cursor": null, "nextCursor": null }))
        .into_response())
}

/// The rules for one agent.
#[utoipa::path(get, path = "/v1/policies/{id}", tag = "agentotp", operation_id = "show_policy",
    params(("id" = String, Path, description = "The agent", pattern = "^agent_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "They", body = Object),
        NoKey,
        NoPerson,
        (status = 404, description = "There are none, or the caller has no such agent", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn show(State(app): State<Arc<App>>, ByPerson(whose): ByPerson, Segment(text): Segment) -> Answer {
    Ok(Json(of(&app, whose, named(&text)?).await?).into_response())
}

/// Rules for an agent that has none.
#[utoipa::path(post, path = "/v1/policies", tag = "agentotp", operation_id = "create_policy", request_body = Policy,
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 201, description = "They hold from now on", body = Object),
        NoKey,
        NoApprover,
        NotFound,
        BodyProblems,
        (status = 409, description = "It has rules: change those", body = ErrorBody),
        TooManyChanges,
        Unavailable,
    ))]
pub(super) async fn create(State(app): State<Arc<App>>, ByRuler(whose): ByRuler, mut fields: Fields) -> Answer {
    let id = named(&fields.needed("agentId")?)?;
    let rules = rules(&mut fields)?;
    let agent = agents::show(&app, whose, id).await.map_err(about("agent"))?;
    if agent.rules.is_some() {
        return Err(doorcode_core::Error::Conflict("this agent has rules already: change those").into());
    }
    agents::change(&app, whose, id, Step::Rules(Some(rules))).await.map_err(about("agent"))?;
    Ok((StatusCode::CREATED, Json(of(&app, whose, id).await?)).into_response())
}

/// Other rules for an agent, in the place of those that it has.
#[utoipa::path(put, path = "/v1/policies/{id}", tag = "agentotp", operation_id = "replace_policy", request_body = Policy,
    params(("id" = String, Path, description = "The agent", pattern = "^agent_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "They hold from now on", body = Object),
        NoKey,
        NoApprover,
        NotFound,
        BodyProblems,
        TooManyChanges,
        Unavailable,
    ))]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    ByRuler(whose): ByRuler,
    Segment(text): Segment,
    mut fields: Fields,
) -> Answer {
    let id = named(&text)?;
    let rules = rules(&mut fields)?;
    agents::change(&app, whose, id, Step::Rules(Some(rules))).await.map_err(about("policy"))?;
    Ok(Json(of(&app, whose, id).await?).into_response())
}

/// No rules for an agent any more: its owner is asked each time.
#[utoipa::path(delete, path = "/v1/policies/{id}", tag = "agentotp", operation_id = "remove_policy",
    params(("id" = String, Path, description = "The agent", pattern = "^agent_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "They hold no more", body = Object),
        NoKey,
        NoApprover,
        (status = 404, description = "There are none, or the caller has no such agent", body = ErrorBody),
        TooManyChanges,
        Unavailable,
    ))]
pub(super) async fn remove(State(app): State<Arc<App>>, ByRuler(whose): ByRuler, Segment(text): Segment) -> Answer {
    let id = named(&text)?;
    of(&app, whose, id).await?;
    agents::change(&app, whose, id, Step::Rules(None)).await.map_err(about("policy"))?;
    Ok(Json(json!({ "success": true, "id": id.shown(), "deleted": true })).into_response())
}

/// The rules of a body, as they are kept.
fn rules(fields: &mut Fields) -> Result<String, Refused> {
    let sent = fields.take("rules").ok_or_else(|| wrong("rules", "is required"))?;
    Ok(Rules::parse(&sent.to_string())?.to_json()?)
}
