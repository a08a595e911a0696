//! One line and one count per request: method, route template, status, time, id. Refuses what could name a person or
//! open a door: addresses, queries, paths as they came, headers.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::Response;
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;

use super::form::Form;
use crate::app::App;
use crate::clock::Stopwatch;
use crate::metrics::RequestLabels;
use crate::{steady, web};

/// The header that names a request, for whoever asks about it later.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Around every request. A panic ends the request and not the house: the client hears nothing of it, the log does.
pub(super) async fn request<A>(app: &App, request: Request, answer: impl FnOnce(Request) -> A) -> Response
where
    A: Future<Output = Response>,
{
    let watch = Stopwatch::start();
    let method = word(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let id = request_id(app);
    let form = Form::of(request.uri().path());
    let template = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    // Whoever sends the last byte late would else be told by the answer what the work took.
    let came = Arc::new(Mutex::new(watch));
    let request = if steady::is_held(template) { request.map(|body| timed(body, Arc::clone(&came))) } else { request };
    let mut response = if app.config.dev && !web::dev::host_is_local(&request) {
        form.misdirected()
    } else {
        within(app.config.server.answer_timeout, form, async { answer(request).await }).await
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

/// The answer, if it comes in time and does not panic. What a panic leaves half done is this request's own: what is shared is changed in one
/// piece, or behind locks that survive it.
async fn within(most: Duration, form: Form, answer: impl Future<Output = Response>) -> Response {
    match tokio::time::timeout(most, AssertUnwindSafe(answer).catch_unwind()).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => form.internal(),
        Err(_) => form.unavailable(),
    }
}

/// The body, of which it is noted when the last piece of it came.
fn timed(body: Body, came: Arc<Mutex<Stopwatch>>) -> Body {
    Body::new(body.map_frame(move |frame| {
        *came.lock().unwrap_or_else(PoisonError::into_inner) = Stopwatch::start();
        frame
    }))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Both in the form of the door, and without a word of why.
    #[tokio::test]
    async fn a_panic_and_an_answer_that_does_not_come_end_the_request_alone() {
        for path in ["/v1/users", "/public/v1/query/whoami", "/linkedin-agent/auth-verify-otp", "/signin"] {
            let form = Form::of(path);
            let panicking = within(Duration::from_secs(1), form, async { panic!("where the code is 123456") }).await;
            let expected = form.internal();
            assert_eq!((panicking.status(), panicking.headers()), (expected.status(), expected.headers()));
            let said = panicking.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(said, expected.into_body().collect().await.unwrap().to_bytes());
            assert!(!said.windows(6).any(|part| part == b"123456"));
            let silent = within(Duration::from_millis(5), form, std::future::pending()).await;
            assert_eq!(silent.status(), form.unavailable().status());
        }
    }
}
