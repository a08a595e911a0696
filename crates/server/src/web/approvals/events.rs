//! `GET /approvals/events`: that something is new on the page, as it happens (server-sent events). Says only that, by a mark: what it
//! is stands on the page. Refuses to go on when the session is over, and to keep anything for a browser that does not read.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use doorcode_core::{Result, UserId};
use futures_util::stream;

use super::cards::mark;
use crate::app::App;
use crate::ops::feed::Listener;
use crate::ops::relays;
use crate::web::browser;

/// A sign of life, for whatever stands between and ends what is silent. No longer, so that an ended session is soon seen.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) async fn events(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let Some(live) = browser::session(&app, &headers).await else { return StatusCode::UNAUTHORIZED.into_response() };
    let (org, owner) = (live.session.org, live.session.user);
    let Some(listener) = app.feed.listen((org, Some(*owner.as_bytes())), *owner.as_bytes()) else {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    };
    let watch = Watch { app, headers, owner, listener, said: String::new() };
    let kind = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (kind, Body::from_stream(stream::unfold(watch, Watch::next))).into_response()
}

/// A stream that is open.
struct Watch {
    app: Arc<App>,
    headers: HeaderMap,
    owner: UserId,
    listener: Listener,
    said: String,
}

impl Watch {
    /// The next piece of it: a mark that was not said, or a sign of life.
    async fn next(mut self) -> Option<(std::result::Result<Bytes, Infallible>, Self)> {
        let notify = self.listener.notify();
        loop {
            // Before the look, so that what happens meanwhile is not missed.
            let called = notify.notified();
            if self.app.feed.is_closed() || browser::session(&self.app, &self.headers).await.is_none() {
                return None;
            }
            let (mark, wait) = self.look().await.ok()?;
            if mark != self.said {
                let text = format!("event: mark\ndata: {mark}\n\n");
                self.said = mark;
                return Some((Ok(Bytes::from(text)), self));
            }
            let waited = tokio::time::timeout(wait.clamp(Duration::from_millis(20), HEARTBEAT), called).await;
            if waited.is_err() && wait > HEARTBEAT {
                return Some((Ok(Bytes::from_static(b":\n\n")), self));
            }
        }
    }

    /// The mark of what waits, and how long until it changes by itself.
    async fn look(&self) -> Result<(String, Duration)> {
        let now = self.app.clock.now();
        let waiting = relays::live(&self.app, self.owner).await?;
        let ends = waiting.iter().filter_map(|shown| shown.relay.standing.ends_at()).min();
        Ok((mark(&waiting, now), ends.map_or(2 * HEARTBEAT, |end| end.since(now))))
    }
}
