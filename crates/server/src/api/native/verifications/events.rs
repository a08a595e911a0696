//! `GET /v1/verifications/{id}/events`: what happens to it, as it happens (server-sent events), from behind `Last-Event-ID` on.
//! Refuses to keep anything for a listener that does not read: what it missed it asks for again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse as _;
use doorcode_core::{ChallengeId, EventId};
use futures_util::stream;
use utoipa::ToSchema;

use crate::api::native::caller::{Caller, Verify};
use crate::api::native::problem::{Answer, KeyProblems, NotFound, Problem, Refused, Unavailable, wrong};
use crate::api::native::{id, moment};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::verifications::{Seen, Watch, watch};
use crate::store::events::Event;

/// A sign of life, for whatever stands between and ends what is silent.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// An event of a stream, as the protocol (server-sent events) has it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document is made of it; the protocol is no JSON")]
pub(crate) struct StreamEvent {
    /// What to reconnect behind: `Last-Event-ID`. `verification.expired` has none, for it is nothing that happened.
    #[schema(format = "uuid")]
    id: Option<String>,
    /// What happened.
    #[schema(example = "verification.sent")]
    event: String,
    /// A JSON object with `id`, `type`, `verification_id` and `created_at`.
    data: String,
}

/// Streams a verification's events until it is verified, withdrawn or expired. Reconnect with `Last-Event-ID` to miss none.
#[utoipa::path(get, path = "/v1/verifications/{id}/events", tag = "verifications", operation_id = "watch_verification",
    params(("id" = String, Path, format = "uuid"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received", format = "uuid")),
    security(("key" = ["verify"])),
    responses(
        (status = 200, description = "Events: `verification.started`, `.resent`, `.sent`, `.undelivered`, `.verified`, `.canceled`, `.expired`",
            body = StreamEvent, content_type = "text/event-stream"),
        KeyProblems,
        NotFound,
        (status = 422, description = "`Last-Event-ID` is none of ours", body = Problem),
        (status = 429, description = "Too many streams are open", body = Problem),
        Unavailable,
    ))]
pub(in crate::api::native) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller<Verify>,
    Segment(text): Segment,
    headers: HeaderMap,
) -> Answer {
    let id = id(&text)?;
    let after = last_event(&headers)?;
    let watch = watch(&app, caller.org(), id, after).await?;
    let kind = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((kind, Body::from_stream(stream::unfold(Stream { app, watch, id, ended: false }, Stream::next))).into_response())
}

fn last_event(headers: &HeaderMap) -> Result<Option<EventId>, Refused> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.map(Some).ok_or_else(|| wrong("Last-Event-ID", "must be the id of an event"))
}

/// A stream that is open.
struct Stream {
    app: Arc<App>,
    watch: Watch,
    id: ChallengeId,
    ended: bool,
}

impl Stream {
    /// The next piece of it: events, or a sign of life.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let notify = self.watch.listener.notify();
        loop {
            if self.ended || self.app.feed.is_closed() {
                return None;
            }
            // Before the look, so that what happens meanwhile is not missed.
            let called = notify.notified();
            let Ok(seen) = self.watch.look(&self.app).await else { return None };
            let text = self.say(&seen);
            if !text.is_empty() {
                return Some((Ok(Bytes::from(text)), self));
            }
            let left = seen.pending_until.map_or(HEARTBEAT, |until| until.since(self.app.clock.now()));
            let waited = tokio::time::timeout(left.clamp(Duration::from_millis(1), HEARTBEAT), called).await;
            if waited.is_err() && left > HEARTBEAT {
                return Some((Ok(Bytes::from_static(b":\n\n")), self));
            }
        }
    }

    /// What was seen, as the protocol writes it; notes when there will be no more.
    fn say(&mut self, seen: &Seen) -> String {
        let mut text: String = seen.events.iter().map(|event| self.frame(event)).collect();
        match seen.pending_until {
            Some(until) if until > self.app.clock.now() => {}
            Some(until) => {
                let data = serde_json::json!({ "type": "verification.expired", "verification_id": self.id.to_string(),
                    "created_at": until.to_string() });
                text.push_str(&format!("event: verification.expired\ndata: {data}\n\n"));
                self.ended = true;
            }
            None => self.ended = true,
        }
        text
    }

    fn frame(&self, event: &Event) -> String {
        let (id, kind) = (event.id.to_string(), &event.kind);
        let data = serde_json::json!({ "id": id, "type": kind, "verification_id": self.id.to_string(),
            "created_at": moment(event.id.made_at().millis()) });
        format!("id: {id}\nevent: {kind}\ndata: {data}\n\n")
    }
}
