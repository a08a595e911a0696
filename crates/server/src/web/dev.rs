//! What exists under `--dev` only: the inbox that shows codes, and the floor that the bench measures against. Refuses to
//! answer to any host but this machine's own names, since a page from elsewhere could be pointed here.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use doorcode_core::Email;
use serde::Deserialize;

use super::headers::{mail_headers, page_headers};
use super::pages::{self, Failure, InboxView, MessageView, Shown};
use crate::app::App;
use crate::deliver::inbox::Entry;
use crate::deliver::mime;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/dev/inbox", get(inbox_page))
        .route("/dev/inbox.json", get(inbox_json))
        .route("/dev/inbox/{number}", get(message))
        .route("/dev/inbox/{number}/body", get(body))
        .route("/dev/floor", get(idle).post(floor))
}

/// Whether a request names this machine as its host.
pub(crate) fn host_is_local(request: &Request) -> bool {
    let Some(host) = request.headers().get(header::HOST) else {
        // HTTP/1.0 and test clients name none; a browser always does.
        return true;
    };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let loopback = name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    loopback || name.eq_ignore_ascii_case("localhost")
}

/// Whose messages.
#[derive(Deserialize)]
struct Whose {
    to: Option<String>,
}

impl Whose {
    /// The messages to the address, however it is written; all without one.
    fn entries(&self, app: &App) -> Vec<Entry> {
        let Some(inbox) = &app.inbox else { return Vec::new() };
        match self.to.as_deref().filter(|to| !to.trim().is_empty()) {
            None => inbox.list(None),
            Some(to) => match Email::parse(to) {
                Ok(email) => inbox.list(Some(email.as_str())),
                Err(_) => Vec::new(),
            },
        }
    }
}

type Asked = Result<Query<Whose>, QueryRejection>;

/// Which messages, on the page: besides the address, words to search for, and a number to look before.
#[derive(Deserialize)]
struct Looked {
    q: Option<String>,
    before: Option<u64>,
}

async fn inbox_page(
    State(app): State<Arc<App>>,
    whose: Asked,
    looked: Result<Query<Looked>, QueryRejection>,
) -> Response {
    let (Ok(Query(whose)), Ok(Query(looked))) = (whose, looked) else {
        let hint = "Name one address, one search or one number, as in /dev/inbox?to=ada@example.com.";
        let page = Failure { status: 400, what: "This address can't be read", hint };
        return (StatusCode::BAD_REQUEST, page_headers(), pages::failure(&page)).into_response();
    };
    let (mut entries, base_url) = (whose.entries(&app), app.base_url());
    let search = looked.q.as_deref();
    entries.retain(|entry| search.is_none_or(|search| InboxView::finds(entry, search)));
    let view =
        InboxView { entries: &entries, to: whose.to.as_deref(), search, before: looked.before, base_url: &base_url };
    (page_headers(), pages::inbox(&view)).into_response()
}

async fn inbox_json(State(app): State<Arc<App>>, whose: Asked) -> Response {
    let Ok(Query(whose)) = whose else {
        let why = serde_json::json!({ "error": "name one address, as in ?to=ada@example.com" });
        return (StatusCode::BAD_REQUEST, Json(why)).into_response();
    };
    Json(whose.entries(&app)).into_response()
}

type Numbered = Result<Path<String>, PathRejection>;

/// The message of the number in a path.
fn entry(app: &App, number: Numbered) -> Option<Entry> {
    let Path(number) = number.ok()?;
    app.inbox.as_ref()?.get(number.parse().ok()?)
}

fn no_such_message() -> Response {
    let page = Failure { status: 404, what: "There is no such message", hint: "The inbox keeps the newest." };
    (StatusCode::NOT_FOUND, page_headers(), pages::failure(&page)).into_response()
}

/// What of a message.
#[derive(Deserialize)]
struct View {
    view: Option<String>,
}

async fn message(State(app): State<Arc<App>>, number: Numbered, view: Result<Query<View>, QueryRejection>) -> Response {
    let Some(entry) = entry(&app, number) else { return no_such_message() };
    let view = view.ok().and_then(|Query(view)| view.view);
    let shown = view.as_deref().map_or(Shown::default(), Shown::read);
    let mail = &app.config.mail;
    let headers = mime::head(entry.message(), &mail.from, mail.reply_to.as_deref(), entry.at_ms());
    let headers = headers.unwrap_or_else(|failure| failure.why);
    (page_headers(), pages::message(&MessageView { entry: &entry, shown, headers: &headers })).into_response()
}

async fn body(State(app): State<Arc<App>>, number: Numbered) -> Response {
    match entry(&app, number) {
        Some(entry) => (mail_headers(), pages::mail(&entry)).into_response(),
        None => no_such_message(),
    }
}

/// The same body and the same answer as a start, with nothing in between.
#[derive(Deserialize)]
struct Floor {
    email: String,
}

/// The same for a request without a body.
async fn idle() -> Response {
    Json(serde_json::json!({ "success": true, "email": "nobody@example.com" })).into_response()
}

async fn floor(Json(ask): Json<Floor>) -> Response {
    Json(serde_json::json!({ "success": true, "email": ask.email })).into_response()
}
