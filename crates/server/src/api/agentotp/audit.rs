//! `/v1/audit`: a person's record, newest first, and what it comes to. Two dialects: `eventType` has the names of the code (`otp_approve`),
//! `event_type` those of the documentation (`approve`). Refuses everybody the record of somebody else.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::relay::Named as _;
use doorcode_core::{AgentId, RelayId, Timestamp, UserId, hex};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::answers::{BodyProblems, NoKey, NoPerson, NotFound, Unavailable};
use super::caller::ByPerson;
use super::error::{self, Answer, ErrorBody, Refused, about};
use super::fields::{Fields, wrong};
use super::query::{Parameters, moment};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::audit::{self, Flaw};
use crate::store::audit::{Entry, Search};

/// The last page that is counted to: behind it, cursors go on.
const PAGES_MOST: u64 = 1000;
/// The documentation's names of what happened, and the code's.
const NAMES: [(&str, &str); 6] = [
    ("request", "otp_request"),
    ("approve", "otp_approve"),
    ("deny", "otp_deny"),
    ("use", "otp_consume"),
    ("expire", "otp_expire"),
    ("revoke", "otp_cancel"),
];
/// Everything that can have happened.
const KINDS: [&str; 24] = [
    "otp_request",
    "otp_approve",
    "otp_ask_again",
    "otp_unverified",
    "otp_deny",
    "otp_receive",
    "otp_turn_away",
    "otp_consume",
    "otp_expire",
    "otp_cancel",
    "agent_create",
    "agent_update",
    "agent_delete",
    "device_register",
    "device_remove",
    "hook_create",
    "hook_remove",
    "inbound_create",
    "inbound_remove",
    "mailbox_create",
    "mailbox_update",
    "mailbox_remove",
    "mailbox_refused",
    "owner_update",
];

/// What a report is to be about.
#[derive(ToSchema)]
#[schema(as = OtpReport)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct Report {
    /// From this moment on.
    #[schema(format = "date-time")]
    start_date: Option<String>,
    /// Until before this one.
    #[schema(format = "date-time")]
    end_date: Option<String>,
}

/// The code's name of what is looked for, by either name.
pub(super) fn kind(text: &str) -> Result<String, Refused> {
    let full = NAMES.iter().find(|(short, _)| *short == text).map_or(text, |(_, full)| full);
    if KINDS.contains(&full) { Ok(full.to_owned()) } else { Err(wrong("eventType", "is no kind of event")) }
}

/// The agent and the request that are looked for.
pub(super) fn agent(text: &str) -> Result<AgentId, Refused> {
    AgentId::read(text).ok_or_else(|| wrong("agentId", "is no agent's id"))
}

fn request(text: &str) -> Result<RelayId, Refused> {
    RelayId::read(text).ok_or_else(|| wrong("requestId", "is no request's id"))
}

/// An entry.
pub(super) fn view(owner: &UserId, entry: &Entry) -> Value {
    let short = NAMES.iter().find(|(_, full)| *full == entry.kind).map_or(entry.kind.as_str(), |(short, _)| short);
    let (agent, relay) = (entry.agent.map(|id| id.shown()), entry.relay.map(|id| id.shown()));
    let (id, at) = (entry.number.to_string(), entry.at.to_string());
    let details: Value = serde_json::from_str(&entry.details).unwrap_or_default();
    let origin = details.get("origin").cloned().unwrap_or_default();
    json!({
        "id": id, "number": entry.number,
        "eventType": entry.kind, "event_type": short,
        "actor": entry.actor, "userId": owner.to_string(), "user_id": owner.to_string(),
        "agentId": agent, "agent_id": agent,
        "permissionRequestId": relay, "permission_request_id": relay, "requestId": relay, "request_id": relay,
        "details": details, "ipAddress": origin, "ip_address": origin, "userAgent": null, "user_agent": null,
        "createdAt": at, "created_at": at, "chain": hex::encode(&entry.chain), "kid": entry.kid.as_str(),
    })
}

/// The caller's record, newest first.
#[utoipa::path(get, path = "/v1/audit", tag = "agentotp", operation_id = "list_audit",
    params(("limit" = Option<u8>, Query, description = "How many; usually 20", minimum = 1, maximum = 100),
        ("page" = Option<u16>, Query, description = "Which page, from 1", minimum = 1, maximum = 1000),
        ("cursor" = Option<u64>, Query, description = "The `next_cursor` of the page before", minimum = 1),
        ("agentId" = Option<String>, Query, description = "About this agent", pattern = "^agent_[A-Za-z0-9_-]{22}$"),
        ("requestId" = Option<String>, Query, description = "About this request; or `permissionRequestId`", pattern = "^otp_[A-Za-z0-9_-]{22}$"),
        ("eventType" = Option<String>, Query, description = "Of this kind, as `otp_approve` or `approve`", pattern = "^[a-z_]+$"),
        ("startDate" = Option<String>, Query, description = "From this moment on", format = DateTime),
        ("endDate" = Option<String>, Query, description = "Until before this one", format = DateTime)),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It: `data`, `page`, `limit`, `has_more`, `next_cursor`", body = Object),
        NoKey,
        NoPerson,
        (status = 422, description = "Something is wrong with a parameter", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, ByPerson(whose): ByPerson, asked: Parameters) -> Answer {
    let limit = asked.limit()?;
    let cursor = asked.number("cursor", (1, i64::MAX as u64))?;
    let page = asked.number("page", (1, PAGES_MOST))?.unwrap_or(1);
    let relay = asked.text("requestId").or(asked.text("permissionRequestId")).map(request).transpose()?;
    let wanted = Search {
        before: cursor.map_or(i64::MAX, |number| number as i64),
        kind: asked.text("eventType").map(kind).transpose()?,
        agent: asked.text("agentId").map(agent).transpose()?,
        relay,
        from: asked.moment("startDate")?.unwrap_or(Timestamp::from_millis(i64::MIN)),
        to: asked.moment("endDate")?.unwrap_or(Timestamp::from_millis(i64::MAX)),
        skip: if cursor.is_some() { 0 } else { (page as i64 - 1) * limit },
        most: limit + 1,
    };
    let mut found = audit::search(&app, whose.owner, wanted).await?;
    let more = found.len() as i64 > limit;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|entry| entry.number.to_string());
    let data: Vec<_> = found.iter().map(|entry| view(&whose.owner, entry)).collect();
    Ok(Json(json!({
        "data": data, "page": page, "limit": limit, "has_more": more, "hasMore": more, "next_cursor": next,
        "nextCursor": next,
    }))
    .into_response())
}

/// One entry of the caller's record.
#[utoipa::path(get, path = "/v1/audit/{id}", tag = "agentotp", operation_id = "show_audit",
    params(("id" = String, Path, description = "Its number", pattern = "^[1-9][0-9]{0,17}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It", body = Object),
        NoKey,
        NoPerson,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn show(State(app): State<Arc<App>>, ByPerson(whose): ByPerson, Segment(text): Segment) -> Answer {
    let number = text.parse::<i64>().ok().filter(|number| (1..i64::MAX).contains(number));
    let number = number.ok_or_else(|| Refused::from(error::absent("entry")))?;
    let entry = audit::show(&app, whose.owner, number).await.map_err(about("entry"))?;
    Ok(Json(view(&whose.owner, &entry)).into_response())
}

/// The span that a body names.
pub(super) fn span(fields: &mut Fields) -> Result<(Timestamp, Timestamp), Refused> {
    let mut at = |name: &str| fields.text(name)?.map(|text| moment(name, &text)).transpose();
    let (from, to) = (at("startDate")?, at("endDate")?);
    Ok((from.unwrap_or(Timestamp::from_millis(i64::MIN)), to.unwrap_or(Timestamp::from_millis(i64::MAX))))
}

/// What the caller's record comes to: how often what happened, by agent, and whether it is as it was written.
#[utoipa::path(post, path = "/v1/audit/reports/compliance", tag = "agentotp", operation_id = "report_audit", request_body = Report,
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "The report", body = Object),
        NoKey,
        NoPerson,
        BodyProblems,
        Unavailable,
    ))]
pub(super) async fn report(State(app): State<Arc<App>>, ByPerson(whose): ByPerson, mut fields: Fields) -> Answer {
    let counts = audit::counts(&app, whose.owner, span(&mut fields)?).await?;
    let verified = audit::verify_one(&app, whose.owner).await?;
    let (mut totals, mut agents) = (Map::new(), Map::new());
    for count in &counts {
        add(&mut totals, &count.kind, count.times);
        if let Some(agent) = count.agent {
            let own = agents.entry(agent.shown()).or_insert_with(|| Map::new().into());
            own.as_object_mut().into_iter().for_each(|own| add(own, &count.kind, count.times));
        }
    }
    let auto = counts.iter().filter(|count| count.kind == "otp_approve" && count.actor == "server");
    Ok(Json(json!({
        "generated_at": app.clock.now().to_string(), "generatedAt": app.clock.now().to_string(),
        "totals": totals, "agents": agents,
        "approved_without_asking": auto.map(|count| count.times).sum::<i64>(),
        "record": {
            "entries": verified.entries, "head": verified.head.map(|head| hex::encode(&head)),
            "unchanged": verified.flaw.is_none(), "flaw": verified.flaw.as_ref().map(told),
        },
    }))
    .into_response())
}

fn add(counts: &mut Map<String, Value>, kind: &str, times: i64) {
    let before = counts.get(kind).and_then(Value::as_i64).unwrap_or(0);
    counts.insert(kind.to_owned(), (before + times).into());
}

fn told(flaw: &Flaw) -> String {
    match flaw {
        Flaw::Missing { number } => format!("entry {number} is missing"),
        Flaw::Changed { number } => format!("entry {number} was changed"),
        Flaw::Unknown { number } => format!("entry {number} was made under a key that is gone"),
        Flaw::Cut { newest } => format!("entries before {newest}, the newest, are gone"),
    }
}
