//! `GET /v1/otp/{id}`: where a request stands; with `?wait=` it is answered when that changes.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::{Error, RelayId};

use super::answers::{NoKey, Unavailable, ViewerProblems};
use super::caller::Caller;
use super::error::{Answer, ErrorBody, Refused};
use super::query::Parameters;
use super::relay as read;
use super::view::{owners_view, view};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::relays::{self, Shown, Viewer};

/// The longest wait.
const WAIT_MOST: Duration = Duration::from_secs(60);

/// How long to wait. Whatever is no number is no wait: clients send what they like.
pub(super) fn span(asked: &Parameters) -> Duration {
    let seconds = asked.text("wait").and_then(|text| text.parse::<f64>().ok()).filter(|seconds| *seconds > 0.0);
    seconds.map_or(Duration::ZERO, |seconds| Duration::from_secs_f64(seconds.min(WAIT_MOST.as_secs_f64())))
}

/// Where a request stands. Its agent, its owner and their devices may look.
#[utoipa::path(get, path = "/v1/otp/{id}", tag = "agentotp", operation_id = "otp_status",
    params(("id" = String, Path, description = "The request", pattern = "^otp_[A-Za-z0-9_-]{22}$"),
        ("wait" = Option<u8>, Query, description = "Seconds to wait for a change, 60 at most")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "Where it stands", body = Object),
        NoKey,
        ViewerProblems,
        (status = 422, description = "The parameters can't be read", body = ErrorBody),
        (status = 429, description = "Too many wait", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn status(
    State(app): State<Arc<App>>,
    caller: Caller,
    Segment(text): Segment,
    asked: Parameters,
) -> Answer {
    let id = read(&text)?;
    let mut shown = look(&app, &caller, id).await?;
    let end = app.clock.now().plus(span(&asked));
    let before = shown.relay.standing.at(app.clock.now());
    if end > app.clock.now() && !before.is_final() {
        let who = match &caller {
            Caller::Agent(asking) => *asking.agent.id.as_bytes(),
            Caller::Device(device) => *device.id.as_bytes(),
            Caller::Session(_) | Caller::Key(_) => *shown.relay.owner.as_bytes(),
        };
        let listener = app.feed.listen((shown.relay.org, Some(who)), *id.as_bytes()).ok_or_else(too_many_wait)?;
        let notify = listener.notify();
        loop {
            // Before the look, so that what happens meanwhile is not missed.
            let called = notify.notified();
            shown = look(&app, &caller, id).await?;
            let now = app.clock.now();
            if shown.relay.standing.at(now) != before || now >= end || app.feed.is_closed() {
                break;
            }
            let over = shown.relay.standing.ends_at().map_or(end, |over| over.min(end));
            // Whatever the clock does: no sleep is longer than a second without a look at it.
            let rest = over.since(now).clamp(Duration::from_millis(1), Duration::from_secs(1));
            drop(tokio::time::timeout(rest, called).await);
        }
    }
    let now = app.clock.now();
    let body = match caller {
        Caller::Agent(_) => view(&app, &shown, now),
        _ => owners_view(&app, &shown, now),
    };
    Ok(Json(body).into_response())
}

/// There is no place for another one.
pub(super) fn too_many_wait() -> Error {
    Error::Limited { rule: "requests that wait", retry_after: Duration::from_secs(5) }
}

/// The request, if the caller may see it.
pub(super) async fn look(app: &App, caller: &Caller, id: RelayId) -> Result<Shown, Refused> {
    let owner;
    let viewer = match caller {
        Caller::Agent(asking) => Viewer::Agent(&asking.agent.id),
        other => {
            owner = other.owner(app).await?;
            Viewer::Owner(&owner)
        }
    };
    Ok(relays::show(app, viewer, id).await?)
}
