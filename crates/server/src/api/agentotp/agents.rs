//! `/v1/agents`: a person's agents and their keys. Refuses agents, devices, and to pin an identity or to let a stopped agent go on by less than
//! it takes to say yes to a request.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use doorcode_core::AgentId;
use doorcode_core::relay::{Named as _, State as RelayState};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::answers::{BodyProblems, NoKey, NoMaker, NoPerson, NotFound, TooManyChanges, Unavailable};
use super::caller::{ByMaker, ByPerson, ByRuler};
use super::error::{self, Answer, ErrorBody, Refused, about, moment};
use super::fields::{Fields, wrong};
use super::name::RequestName;
use super::query::Parameters;
use crate::api::request_name::IdempotencyName;
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::agents::{self, NewAgent, Step, Wanted};
use crate::store::agents::Agent;

/// How long the old key lives on if nobody says (AgentOTP, documentation).
const GRACE: u64 = 86_400;
/// The longest that it does.
const GRACE_MOST: u64 = 7 * 86_400;

/// The agent that is wanted. Every member may also be spelt in the other way.
#[derive(ToSchema)]
#[schema(as = OtpAgentWanted)]
#[expect(dead_code, reason = "the document is made of it; the members are read in both spellings")]
pub(crate) struct AgentWanted {
    /// What its owner calls it.
    #[schema(min_length = 1, max_length = 200, example = "Shopping helper")]
    name: String,
    /// What it is for.
    #[schema(max_length = 500)]
    description: Option<String>,
    /// Its key only tries things out: every request is approved, with a made-up code.
    test: Option<bool>,
    /// The key that signs its requests, `ed25519:…`; empty: none. Takes a fresh session.
    #[schema(example = "")]
    identity: Option<String>,
}

/// What is to be changed of an agent.
#[derive(ToSchema)]
#[schema(as = OtpAgentChange)]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct AgentChange {
    /// What its owner calls it.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// What it is for.
    #[schema(max_length = 500)]
    description: Option<String>,
    /// It may not ask for a while; or it may again, which takes a fresh session.
    paused: Option<bool>,
    /// It may not ask; or it may again, which takes a fresh session.
    blocked: Option<bool>,
    /// The key that signs its requests, `ed25519:…`; empty: none. Takes a fresh session.
    #[schema(example = "")]
    identity: Option<String>,
}

/// How a key is to be followed by another.
#[derive(ToSchema)]
#[schema(as = OtpAgentRotation)]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct Rotation {
    /// For how many seconds the old key lives on.
    #[schema(minimum = 0, maximum = 604_800, example = 86_400)]
    grace_period: Option<u32>,
    /// It ends at once.
    revoke_immediately: Option<bool>,
}

/// The agent that a path names.
pub(super) fn named(text: &str) -> Result<AgentId, Refused> {
    AgentId::read(text).ok_or_else(|| Refused::from(error::absent("agent")))
}

/// What is told of an agent.
fn view(agent: &Agent) -> Map<String, Value> {
    let status = match (agent.blocked_at, agent.paused_at) {
        (Some(_), _) => "blocked",
        (None, Some(_)) => "paused",
        _ => "active",
    };
    let mut body = Map::new();
    let mut put = |names: &[&str], value: Value| {
        for name in names {
            body.insert((*name).to_owned(), value.clone());
        }
    };
    put(&["id"], agent.id.shown().into());
    put(&["object"], "agent".into());
    put(&["name"], agent.name.as_str().into());
    put(&["description"], agent.description.as_deref().into());
    put(&["status"], status.into());
    put(&["is_active", "isActive"], (status == "active").into());
    put(&["identity"], agent.identity.as_deref().into());
    put(&["created_at", "createdAt"], agent.id.made_at().to_string().into());
    body
}

/// The same, with its key, which is shown once.
fn with_key(new: &NewAgent) -> Map<String, Value> {
    let mut body = view(&new.agent);
    for name in ["api_key", "apiKey"] {
        body.insert(name.to_owned(), new.key.expose().as_str().into());
    }
    body.insert("key_id".to_owned(), new.key_id.to_string().into());
    body
}

/// The caller's agents, in the order in which they were made.
#[utoipa::path(get, path = "/v1/agents", tag = "agentotp", operation_id = "list_agents",
    params(("limit" = Option<u8>, Query, description = "How many; usually 20", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before", pattern = "^agent_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "They: `data`, `has_more`, `next_cursor`", body = Object),
        NoKey,
        NoPerson,
        (status = 422, description = "Something is wrong with a parameter", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, ByPerson(whose): ByPerson, asked: Parameters) -> Answer {
    let limit = asked.limit()?;
    let cursor = asked
        .text("cursor")
        .map(|text| AgentId::read(text).ok_or_else(|| wrong("cursor", "must be a next_cursor of this list")));
    let after = cursor.transpose()?.unwrap_or(AgentId::from_bytes([0; 16]));
    let mut found = agents::list(&app, whose.owner, after, limit + 1).await?;
    let more = found.len() as i64 > limit;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|agent| agent.id.shown());
    let data: Vec<_> = found.iter().map(view).collect();
    Ok(Json(json!({ "data": data, "has_more": more, "hasMore": more, "next_cursor": next, "nextCursor": next }))
        .into_response())
}

/// Makes an agent of the caller's. Its key is shown once; the same request under the same `Idempotency-Key` shows the same one.
#[utoipa::path(post, path = "/v1/agents", tag = "agentotp", operation_id = "create_agent", request_body = AgentWanted,
    params(IdempotencyName),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 201, description = "It, with `api_key`", body = Object),
        NoKey,
        (status = 403, description = "No person's key, or not enough for this member", body = ErrorBody),
        (status = 404, description = "The caller is no member any more", body = ErrorBody),
        BodyProblems,
        (status = 409, description = "A person has a hundred agents at most; or what this request made before is gone", body = ErrorBody),
        TooManyChanges,
        Unavailable,
    ))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    ByMaker(whose): ByMaker,
    ruler: Result<ByRuler, Refused>,
    name: RequestName,
    mut fields: Fields,
) -> Answer {
    let once = name.once(whose, "agents", fields.bytes())?;
    let identity = fields.text("identity")?.map(|text| agents::identity(&text)).transpose()?.flatten();
    if identity.is_some() {
        ruler?;
    }
    let wanted = Wanted {
        name: fields.needed("name")?,
        description: fields.text("description")?,
        test: fields.flag("test")?.unwrap_or_default(),
        identity,
    };
    let new = agents::create(&app, whose, wanted, once).await.map_err(about("owner"))?;
    Ok((StatusCode::CREATED, Json(with_key(&new))).into_response())
}

/// One of the caller's agents, and what is known of its keys.
#[utoipa::path(get, path = "/v1/agents/{id}", tag = "agentotp", operation_id = "show_agent",
    params(("id" = String, Path, description = "The agent", pattern = "^agent_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It", body = Object),
        NoKey,
        NoPerson,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn show(State(app): State<Arc<App>>, ByPerson(whose): ByPerson, Segment(text): Segment) -> Answer {
    let id = named(&text)?;
    let agent = agents::show(&app, whose, id).await.map_err(about("agent"))?;
    let keys = agents::keys(&app, whose, id).await?;
    let keys: Vec<Value> = keys
        .iter()
        .map(|key| {
            let at = |at: Option<doorcode_core::Timestamp>| at.map(|at| at.to_string());
            let test = key.kind == crate::store::credentials::Kind::TestAgentKey;
            json!({ "id": key.id.to_string(), "test": test, "created_at": key.id.made_at().to_string(),
                "expires_at": at(key.expires_at), "last_used_at": at(key.last_used_at) })
        })
        .collect();
    let mut body = view(&agent);
    body.insert("keys".to_owned(), keys.into());
    Ok(Json(body).into_response())
}

/// Changes one of the caller's agents: whatever is named.
#[utoipa::path(patch, path = "/v1/agents/{id}", tag = "agentotp", operation_id = "change_agent", request_body = AgentChange,
    params(("id" = String, Path, description = "The agent", pattern = "^agent_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It, as it is then", body = Object),
        NoKey,
        (status = 403, description = "No person's key, or not enough for this member", body = ErrorBody),
        NotFound,
        BodyProblems,
        TooManyChanges,
        Unavailable,
    ))]
pub(super) async fn patch(
    State(app): State<Arc<App>>,
    ByPerson(whose): ByPerson,
    maker: Result<ByMaker, Refused>,
    ruler: Result<ByRuler, Refused>,
    Segment(text): Segment,
    mut fields: Fields,
) -> Answer {
    let id = named(&text)?;
    let (name, description) = (fields.text("name")?, fields.text("description")?);
    let steps = steps(&mut fields)?;
    agents::show(&app, whose, id).await.map_err(about("agent"))?;
    if steps.iter().any(needs_ruler) {
        ruler?;
    }
    if name.is_some() || description.is_some() {
        // It is what the card calls it.
        maker?;
        agents::rename(&app, whose, id, name, description).await.map_err(about("agent"))?;
    }
    for step in steps {
        agents::change(&app, whose, id, step).await.map_err(about("agent"))?;
    }
    let agent = agents::show(&app, whose, id).await.map_err(about("agent"))?;
    Ok(Json(view(&agent)).into_response())
}

/// The same: nothing that is left out is taken away.
#[utoipa::path(put, path = "/v1/agents/{id}", tag = "agentotp", operation_id = "update_agent", request_body = AgentChange,
    params(("id" = String, Path, description = "The agent", pattern = "^agent_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It, as it is then", body = Object),
        NoKey,
        (status = 403, description = "No person's key, or not enough for this member", body = ErrorBody),
        NotFound,
        BodyProblems,
        TooManyChanges,
        Unavailable,
    ))]
pub(super) async fn put(
    app: State<Arc<App>>,
    person: ByPerson,
    maker: Result<ByMaker, Refused>,
    ruler: Result<ByRuler, Refused>,
    id: Segment,
    fields: Fields,
) -> Answer {
    patch(app, person, maker, ruler, id, fields).await
}

fn steps(fields: &mut Fields) -> Result<Vec<Step>, Refused> {
    let mut steps = Vec::new();
    steps.extend(fields.flag("paused")?.map(Step::Pause));
    steps.extend(fields.flag("blocked")?.map(Step::Block));
    steps.extend(fields.text("identity")?.map(|text| Step::identity(&text)).transpose()?);
    Ok(steps)
}

/// Whether a step may make a code go out that would not have.
fn needs_ruler(step: &Step) -> bool {
    !matches!(step, Step::Pause(true) | Step::Block(true))
}

/// Removes one of the caller's agents. Its keys are dead at once.
#[utoipa::path(delete, path = "/v1/agents/{id}", tag = "agentotp", operation_id = "remove_agent",
    params(("id" = String, Path, description = "The agent", pattern = "^agent_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It is removed", body = Object),
        NoKey,
        NoPerson,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn remove(State(app): State<Arc<App>>, ByPerson(whose): ByPerson, Segment(text): Segment) -> Answer {
    let id = named(&text)?;
    agents::remove(&app, whose, id).await.map_err(about("agent"))?;
    Ok(Json(json!({ "success": true, "id": id.shown(), "deleted": true })).into_response())
}

/// Gives one of the caller's agents its next key, which is shown once. The old ones live on for the grace. The same request under the same
/// `Idempotency-Key` shows the same one.
#[utoipa::path(post, path = "/v1/agents/{id}/rotate-key", tag = "agentotp", operation_id = "rotate_agent_key", request_body = Rotation,
    params(("id" = String, Path, description = "The agent", pattern = "^agent_[A-Za-z0-9_-]{22}$"), IdempotencyName),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "The agent, with `api_key`", body = Object),
        NoKey,
        NoMaker,
        NotFound,
        BodyProblems,
        (status = 409, description = "It has ten living keys; or what this request made before is gone", body = ErrorBody),
        TooManyChanges,
        Unavailable,
    ))]
pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    ByMaker(whose): ByMaker,
    Segment(text): Segment,
    name: RequestName,
    mut fields: Fields,
) -> Answer {
    let id = named(&text)?;
    let once = name.once(whose, &format!("rotate {id}"), fields.bytes())?;
    let grace = fields.number("gracePeriod", (0, GRACE_MOST))?.unwrap_or(GRACE);
    let at_once = fields.flag("revokeImmediately")?.unwrap_or_default();
    let grace = Duration::from_secs(if at_once { 0 } else { grace });
    let rotated = agents::rotate(&app, whose, id, grace, once).await.map_err(about("agent"))?;
    let mut body = with_key(&rotated.new);
    for name in ["old_key_expires_at", "oldKeyExpiresAt"] {
        body.insert(name.to_owned(), moment(rotated.ends).into());
    }
    body.insert("grace_period".to_owned(), grace.as_secs().into());
    Ok(Json(body).into_response())
}

/// What came of the requests of one of the caller's agents that are still kept.
#[utoipa::path(get, path = "/v1/agents/{id}/stats", tag = "agentotp", operation_id = "agent_stats",
    params(("id" = String, Path, description = "The agent", pattern = "^agent_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "They, by state", body = Object),
        NoKey,
        NoPerson,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn stats(State(app): State<Arc<App>>, ByPerson(whose): ByPerson, Segment(text): Segment) -> Answer {
    let id = named(&text)?;
    let found = agents::stats(&app, whose, id).await.map_err(about("agent"))?;
    let all = (0..).map_while(RelayState::from_i64);
    let count = |state| found.iter().find(|(own, _)| *own == state).map_or(0, |(_, count)| *count);
    let by_state: Map<String, Value> = all.map(|state| (state.as_str().to_owned(), count(state).into())).collect();
    let total: i64 = found.iter().map(|(_, count)| count).sum();
    Ok(Json(json!({
        "agent_id": id.shown(), "agentId": id.shown(), "total_requests": total, "totalRequests": total,
        "by_status": by_state, "byStatus": by_state
    }))
    .into_response())
}
