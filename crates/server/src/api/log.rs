//! One line and one count per request: method, route template, status, time, id. Refuses what could name a person or
//! open a door: addresses, queries, paths as they came, headers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::form::Form;
use crate::app::App;
use crate::clock::Stopwatch;
use crate::metrics::RequestLabels;
use crate::web;

/// The header that names a request, for whoever asks about it later.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Around every request.
pub(super) async fn request(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    let method = word(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let id = request_id(&app);
    let form = Form::of(request.uri().path());
    let mut response = if app.config.dev && !web::dev::host_is_local(&request) {
        form.misdirected()
    } else {
        match tokio::time::timeout(app.config.server.answer_timeout, next.run(request)).await {
            Ok(response) if response.extensions().get::<Panicked>().is_some() => form.internal(),
            Ok(response) => response,
            Err(_) => form.unavailable(),
        }
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let (status, took) = (response.status().as_u16(), watch.elapsed());
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    app.steady.hold(watch, route).await;
    let ms = took.as_secs_f64() * 1e3;
    tracing::info!(method, route, status, ms = format_args!("{ms:.2}"), id, "request");
    let labels = RequestLabels { method, route: route.to_owned(), status };
    app.metrics.requests.get_or_create(&labels).observe(took.as_secs_f64());
    response
}

/// Marks the answer after a panic, which has no form yet.
#[derive(Clone, Copy)]
struct Panicked;

/// After a panic: the client hears nothing of it, the log does.
pub(super) fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response<Body> {
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(Panicked);
    response
}

fn request_id(app: &App) -> String {
    match app.entropy.bytes::<8>() {
        Ok(bytes) => format!("{:016x}", u64::from_be_bytes(bytes)),
        Err(_) => String::new(),
    }
}

/// The usual methods by name; any text would make a label that grows without end.
fn word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
