//! A page on its way out: status, headers, cookies; or the way to another one. Refuses nothing by itself.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use doorcode_core::Error;

use super::headers::{page_headers, policy_live, policy_towards};
use super::pages::{Frame, Kind, failure_of};
use super::texts;
use crate::app::App;

/// The language and the product of a page, for whoever sent these headers.
pub(super) fn frame<'a>(app: &'a App, headers: &HeaderMap) -> Frame<'a> {
    let languages = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Frame { texts: texts::choose(languages), product: &app.config.mail.product }
}

/// A page.
pub(super) struct Page {
    status: StatusCode,
    html: Html<String>,
    cookies: Vec<String>,
    policy: Option<String>,
}

impl Page {
    /// A page that is well.
    pub(super) fn new(html: Html<String>) -> Self {
        Self { status: StatusCode::OK, html, cookies: Vec::new(), policy: None }
    }

    /// The same with another status.
    pub(super) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The same with a cookie.
    pub(super) fn cookie(mut self, cookie: impl IntoIterator<Item = String>) -> Self {
        self.cookies.extend(cookie);
        self
    }

    /// The same, with a form that ends at an app's own address.
    pub(super) fn towards(self, uri: Option<&str>) -> Self {
        Self { policy: uri.map(policy_towards), ..self }
    }

    /// The same, which hears what is new while it is open.
    pub(super) fn live(self) -> Self {
        Self { policy: Some(policy_live()), ..self }
    }

    /// The answer.
    pub(super) fn answer(self) -> Response {
        let mut response = (self.status, page_headers(), self.html).into_response();
        if let Some(policy) = self.policy.and_then(|policy| HeaderValue::from_str(&policy).ok()) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        append(&mut response, self.cookies);
        response
    }

    /// The page for what is not taken.
    pub(super) fn refused(app: &App, headers: &HeaderMap) -> Response {
        failed(app, headers, Kind::Refused)
    }
}

/// The page for a failure.
pub(super) fn failed(app: &App, headers: &HeaderMap, kind: Kind) -> Response {
    let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Page::new(failure_of(frame(app, headers), kind)).status(status).answer()
}

/// What `ops` refused, as a page says it. The chain is logged here and nowhere else.
pub(super) fn refusal(app: &App, headers: &HeaderMap, error: &Error) -> Response {
    let kind = match error {
        Error::Limited { retry_after, .. } => Kind::Limited(minutes(*retry_after)),
        Error::NotFound => Kind::NotFound,
        Error::Unavailable(_) | Error::Internal(_) => {
            tracing::error!(error = %crate::chain(error), "a page failed");
            Kind::Unavailable
        }
        _ => Kind::Refused,
    };
    failed(app, headers, kind)
}

/// Whole minutes, rounded up.
pub(super) fn minutes(wait: std::time::Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(60_000)).unwrap_or(u32::MAX).max(1)
}

/// To another page, by GET (RFC 9110 section 15.4.4), with cookies.
pub(super) fn go(to: &str, cookies: impl IntoIterator<Item = String>) -> Response {
    let mut response = (StatusCode::SEE_OTHER, page_headers()).into_response();
    if let Ok(value) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    append(&mut response, cookies);
    response
}

fn append(response: &mut Response, cookies: impl IntoIterator<Item = String>) {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}
