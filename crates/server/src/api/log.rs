//! One line and one count per request: method, route template, status, time, id. Refuses what could name a person or
//! open a door: addresses, queries, paths as they came, headers.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;

use super::form::Form;
use crate::app::App;
use crate::clock::Stopwatch;
use crate::metrics::RequestLabels;
use crate::{steady, web};

/// The header that names a request, for whoever asks about it later.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Around every request.
pub(super) async fn request(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    let method = word(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let id = request_id(&app);
    let form = Form::of(request.uri().path());
    let template = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    // Whoever sends the last byte late would else be told by the answer what the work took.
    let came = Arc::new(Mutex::new(watch));
    let request = if steady::is_held(template) { request.map(|body| timed(body, Arc::clone(&came))) } else { request };
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
    let came = *came.lock().unwrap_or_else(PoisonError::into_inner);
    app.steady.hold(came, template).await;
    let ms = took.as_secs_f64() * 1e3;
    tracing::info!(method, route = template, status, ms = format_args!("{ms:.2}"), id, "request");
    let labels = RequestLabels { method, route: template.to_owned(), status };
    app.metrics.requests.get_or_create(&labels).observe(took.as_secs_f64());
    response
}

/// The body, of which it is noted when the last piece of it came.
fn timed(body: Body, came: Arc<Mutex<Stopwatch>>) -> Body {
    Body::new(body.map_frame(move |frame| {
        *came.lock().unwrap_or_else(PoisonError::into_inner) = Stopwatch::start();
        frame
    }))
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
