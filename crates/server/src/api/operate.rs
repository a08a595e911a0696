//! For whoever runs the server: is it alive, is it ready, what has it counted.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::client::{Peer, is_forwarded};
use crate::app::App;

/// A clock that is off by more makes lives and windows wrong.
const SKEW_MOST: Duration = Duration::from_secs(2);
/// How long a write may take for the server to be called ready.
const WRITE_MOST: Duration = Duration::from_secs(2);

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "operate", responses((status = 200, description = "Alive", body = String)))]
async fn healthz() -> &'static str {
    "ok\n"
}

/// The server can do its work: the clock runs, its keys are there, and a write is durable in time.
#[utoipa::path(get, path = "/readyz", tag = "operate", responses(
    (status = 200, description = "Ready", body = String),
    (status = 503, description = "Not ready; the body says why", body = String),
))]
async fn readyz(State(app): State<Arc<App>>) -> Response {
    if app.clock.behind() > SKEW_MOST {
        return (StatusCode::SERVICE_UNAVAILABLE, "the clock was set back\n").into_response();
    }
    if app.keys.is_lost() {
        return (StatusCode::SERVICE_UNAVAILABLE, "a master key is missing\n").into_response();
    }
    match tokio::time::timeout(WRITE_MOST, app.mark_time()).await {
        Ok(Ok(())) => "ready\n".into_response(),
        Ok(Err(error)) => {
            tracing::warn!(error = %crate::chain(&error), "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not take writes\n").into_response()
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database is slow\n").into_response(),
    }
}

/// Counters, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operate", responses(
    (status = 200, description = "Counters", body = String, content_type = "application/openmetrics-text"),
    (status = 404, description = "Not for this address: see server.metrics_from"),
))]
async fn metrics(State(app): State<Arc<App>>, Extension(Peer(peer)): Extension<Peer>, headers: HeaderMap) -> Response {
    // Counters tell whoever may watch them what became of a guess. They are for the operator's own machines, and not for
    // what a proxy passes on.
    let known = app.config.server.metrics_from.iter().any(|range| range.holds(peer.ip()));
    if !known || is_forwarded(&app.config.proxy, &headers) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.text()).into_response()
}
