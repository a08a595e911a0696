//! `/v1/webhooks`: who is told of events, and what became of each message (docs/webhooks.md).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use doorcode_core::Secret;
use serde::Serialize;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::caller::{Admin, Caller, IdempotencyKey, IdempotencyName, Read};
use super::fields::{Fields, shown};
use super::page::{Listed, Page, PageQuery};
use super::problem::{Answer, BodyProblems, KeyProblems, NotFound, Problem, Unavailable};
use super::{created, id};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::webhooks;
use crate::store::events::Kind;
use crate::store::webhook_messages::{Message as MessageRow, State as Stage};
use crate::store::webhooks::Webhook as Row;

/// A webhook.
#[derive(Serialize, ToSchema)]
pub(crate) struct Webhook {
    #[schema(format = "uuid")]
    id: String,
    #[schema(example = "https://app.example.com/hooks/doorcode")]
    url: String,
    /// The kinds of events that it is told of; `*`: all.
    #[schema(example = json!(["verification.verified"]))]
    events: Vec<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was disabled: by you, by its own 410, or after five days of failures.
    #[schema(format = DateTime)]
    disabled_at: Option<String>,
    /// Since when every try has failed.
    #[schema(format = DateTime)]
    failing_since: Option<String>,
}

impl From<&Row> for Webhook {
    fn from(row: &Row) -> Self {
        Self {
            id: row.id.to_string(),
            url: row.url.clone(),
            events: row.events.split_whitespace().map(str::to_owned).collect(),
            created_at: row.id.made_at().to_string(),
            disabled_at: row.disabled_at.map(|at| at.to_string()),
            failing_since: row.failing_since.map(|at| at.to_string()),
        }
    }
}

/// A webhook that was just made, or has a new secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: Webhook,
    /// What its messages are signed with (Standard Webhooks). It is shown here and nowhere else.
    #[schema(example = "whsec_…")]
    secret: String,
}

impl WebhookWithSecret {
    fn of(row: &Row, secret: &Secret<String>) -> Self {
        Self { webhook: Webhook::from(row), secret: secret.expose().clone() }
    }
}

/// The webhook that is wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct NewWebhook {
    /// Where messages go: `https://` on the ports that the operator allows, to a host of the public network.
    #[schema(example = "https://app.example.com/hooks/doorcode")]
    url: String,
    /// The kinds of events, or `*`. Without it: all.
    #[schema(value_type = Option<Vec<EventKind>>, example = json!(["verification.verified"]))]
    events: Option<Vec<String>>,
}

/// A kind of events, or `*`.
struct EventKind;

impl PartialSchema for EventKind {
    fn schema() -> RefOr<Schema> {
        let names = Kind::ALL.iter().map(|kind| kind.as_str()).chain([webhooks::ALL]);
        let about = Some("What happened, or `*` for whatever happens.");
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).description(about).into()
    }
}

impl ToSchema for EventKind {}

/// What is changed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct WebhookChange {
    /// Whether it is sent to.
    enabled: bool,
}

/// A message to a webhook.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message {
    /// The same in every try: `webhook-id`.
    #[schema(format = "uuid")]
    id: String,
    #[schema(format = "uuid")]
    event_id: String,
    /// The kind of the event; null once that is gone.
    #[serde(rename = "type")]
    type_: Option<String>,
    /// `due`, `delivered`, `gave_up` or `dropped`.
    #[schema(example = "delivered", pattern = "^(due|delivered|gave_up|dropped)$")]
    state: &'static str,
    attempts: i64,
    /// When the next try may begin, or when it ended.
    #[schema(format = DateTime)]
    at: String,
    /// The status of the last answer.
    status: Option<i64>,
    /// Why the last try failed.
    failure: Option<String>,
}

impl From<&MessageRow> for Message {
    fn from(row: &MessageRow) -> Self {
        Self {
            id: row.id.to_string(),
            event_id: row.event.to_string(),
            type_: row.kind.clone(),
            state: match row.state {
                Stage::Due => "due",
                Stage::Delivered => "delivered",
                Stage::GaveUp => "gave_up",
                Stage::Dropped => "dropped",
            },
            attempts: row.attempts,
            at: row.due_at.to_string(),
            status: row.status,
            failure: row.failure.clone(),
        }
    }
}

/// The id of a message that was put on its way.
#[derive(Serialize, ToSchema)]
pub(crate) struct Queued {
    #[schema(format = "uuid")]
    message_id: String,
}

/// Lists the org's webhooks, oldest first.
#[utoipa::path(get, operation_id = "list_webhooks", path = "/v1/webhooks", tag = "webhooks", params(PageQuery), security(("key" = ["read"])),
    responses(
        (status = 200, description = "A page of webhooks", body = Listed<Webhook>),
        KeyProblems,
        (status = 422, description = "A parameter is wrong, or unknown", body = Problem),
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller<Read>, page: Page) -> Answer {
    let org = caller.org();
    let found = webhooks::list(&app, org, page.behind("webhooks", org)?, page.most()).await?;
    Ok(Json(page.of("webhooks", org, found, |row| (*row.id.as_bytes(), Webhook::from(row)))).into_response())
}

/// Makes a webhook: at most 16 of an org. Its secret is shown once.
#[utoipa::path(post, operation_id = "create_webhook", path = "/v1/webhooks", tag = "webhooks", request_body = NewWebhook, params(IdempotencyName),
    security(("key" = ["admin"])),
    responses(
        (status = 201, description = "The webhook and its secret", body = WebhookWithSecret),
        BodyProblems,
        KeyProblems,
        (status = 409, description = "There are 16 already", body = Problem),
        Unavailable,
    ))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Admin>,
    key: IdempotencyKey,
    mut body: Fields,
) -> Answer {
    let once = key.once(caller.org(), "webhooks", body.bytes());
    let url = body.needed("url");
    let events = body.texts("events").unwrap_or_else(|| vec![webhooks::ALL.to_owned()]);
    for unknown in webhooks::unknown_kinds(&events) {
        body.complain("events", format!("names {}, which is no kind of event", shown(unknown)));
    }
    body.end()?;
    let (row, secret) = webhooks::create(&app, caller.org(), &url.unwrap_or_default(), &events, once).await?;
    Ok(created(&format!("/v1/webhooks/{}", row.id), WebhookWithSecret::of(&row, &secret)))
}

/// A webhook of the org.
#[utoipa::path(get, operation_id = "show_webhook", path = "/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path, format = "uuid")),
    security(("key" = ["read"])),
    responses(
        (status = 200, description = "It", body = Webhook),
        KeyProblems,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn show(State(app): State<Arc<App>>, caller: Caller<Read>, Segment(text): Segment) -> Answer {
    let row = webhooks::get(&app, caller.org(), id(&text)?).await?;
    Ok(Json(Webhook::from(&row)).into_response())
}

/// Enables or disables a webhook.
#[utoipa::path(patch, operation_id = "change_webhook", path = "/v1/webhooks/{id}", tag = "webhooks", request_body = WebhookChange,
    params(("id" = String, Path, format = "uuid")), security(("key" = ["admin"])),
    responses(
        (status = 200, description = "As it is now", body = Webhook),
        BodyProblems,
        KeyProblems,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller<Admin>,
    Segment(text): Segment,
    mut body: Fields,
) -> Answer {
    let id = id(&text)?;
    let enabled = body.needed_flag("enabled");
    body.end()?;
    let row = webhooks::set_enabled(&app, caller.org(), id, enabled.unwrap_or_default()).await?;
    Ok(Json(Webhook::from(&row)).into_response())
}

/// Removes a webhook. What waits for it is not sent.
#[utoipa::path(delete, operation_id = "delete_webhook", path = "/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path, format = "uuid")),
    security(("key" = ["admin"])),
    responses(
        (status = 204, description = "It is gone"),
        KeyProblems,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn remove(State(app): State<Arc<App>>, caller: Caller<Admin>, Segment(text): Segment) -> Answer {
    webhooks::delete(&app, caller.org(), id(&text)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Gives a webhook a new secret. For a day messages are signed with the old one as well.
#[utoipa::path(post, operation_id = "rotate_webhook_secret", path = "/v1/webhooks/{id}/rotate", tag = "webhooks", params(("id" = String, Path, format = "uuid")),
    security(("key" = ["admin"])),
    responses(
        (status = 200, description = "The webhook and its new secret", body = WebhookWithSecret),
        KeyProblems,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn rotate(State(app): State<Arc<App>>, caller: Caller<Admin>, Segment(text): Segment) -> Answer {
    let id = id(&text)?;
    let secret = webhooks::rotate(&app, caller.org(), id).await?;
    let row = webhooks::get(&app, caller.org(), id).await?;
    Ok(Json(WebhookWithSecret::of(&row, &secret)).into_response())
}

/// Sends an event of the kind `webhook.test` to this webhook alone.
#[utoipa::path(post, operation_id = "test_webhook", path = "/v1/webhooks/{id}/test", tag = "webhooks", params(("id" = String, Path, format = "uuid")),
    security(("key" = ["admin"])),
    responses(
        (status = 202, description = "It is on its way", body = Queued),
        KeyProblems,
        NotFound,
        (status = 409, description = "It is disabled", body = Problem),
        Unavailable,
    ))]
pub(super) async fn test(State(app): State<Arc<App>>, caller: Caller<Admin>, Segment(text): Segment) -> Answer {
    let message = webhooks::test(&app, caller.org(), id(&text)?).await?;
    Ok((StatusCode::ACCEPTED, Json(Queued { message_id: message.to_string() })).into_response())
}

/// Lists the messages to a webhook, oldest first.
#[utoipa::path(get, operation_id = "list_webhook_messages", path = "/v1/webhooks/{id}/messages", tag = "webhooks",
    params(("id" = String, Path, format = "uuid"), PageQuery), security(("key" = ["read"])),
    responses(
        (status = 200, description = "A page of messages", body = Listed<Message>),
        KeyProblems,
        NotFound,
        (status = 422, description = "A parameter is wrong, or unknown", body = Problem),
        Unavailable,
    ))]
pub(super) async fn messages(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    Segment(text): Segment,
    page: Page,
) -> Answer {
    let (org, webhook) = (caller.org(), id(&text)?);
    let list = format!("messages of {webhook}");
    let found = webhooks::messages(&app, org, webhook, page.behind(&list, org)?, page.most()).await?;
    Ok(Json(page.of(&list, org, found, |row| (*row.id.as_bytes(), Message::from(row)))).into_response())
}

/// Sends a message that ended once more, under the same id.
#[utoipa::path(post, operation_id = "replay_webhook_message", path = "/v1/webhooks/{id}/messages/{message_id}/replay", tag = "webhooks",
    params(("id" = String, Path, format = "uuid"), ("message_id" = String, Path, format = "uuid")),
    security(("key" = ["admin"])),
    responses(
        (status = 202, description = "It is on its way", body = Message),
        KeyProblems,
        NotFound,
        (status = 409, description = "It is on its way already, or the webhook is disabled", body = Problem),
        Unavailable,
    ))]
pub(super) async fn replay(
    State(app): State<Arc<App>>,
    caller: Caller<Admin>,
    Segment((webhook, message)): Segment<(String, String)>,
) -> Answer {
    let row = webhooks::replay(&app, caller.org(), id(&webhook)?, id(&message)?).await?;
    Ok((StatusCode::ACCEPTED, Json(Message::from(&row))).into_response())
}
