//! What exists under `--dev` only: the inbox that shows codes, and the floor that the bench measures against. Refuses to
//! answer to any host but this machine's own names, since a page from elsewhere could be pointed here.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use doorcode_core::Email;
use serde::Deserialize;

use super::headers::{mail_headers, page_headers};
use super::pages::{self, Failure, InboxView};
use crate::app::App;
use crate::deliver::inbox::Entry;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/dev/inbox", get(inbox_page))
        .route("/dev/inbox.json", get(inbox_json))
        .route("/dev/inbox/{number}/body", get(body))
        .route("/dev/floor", post(floor))
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

async fn inbox_page(State(app): State<Arc<App>>, whose: Asked) -> Response {
    let Ok(Query(whose)) = whose else {
        let hint = "Name one address, as in /dev/inbox?to=ada@example.com.";
        let page = Failure { status: 400, what: "This address can't be read", hint };
        return (StatusCode::BAD_REQUEST, page_headers(), pages::failure(&page)).into_response();
    };
    let (entries, base_url) = (whose.entries(&app), app.base_url());
    let view = InboxView { entries: &entries, to: whose.to.as_deref(), base_url: &base_url };
    (page_headers(), pages::inbox(&view)).into_response()
}

async fn inbox_json(State(app): State<Arc<App>>, whose: Asked) -> Response {
    let Ok(Query(whose)) = whose else {
        let why = serde_json::json!({ "error": "name one address, as in ?to=ada@example.com" });
        return (StatusCode::BAD_REQUEST, Json(why)).into_response();
    };
    Json(whose.entries(&app)).into_response()
}

async fn body(State(app): State<Arc<App>>, number: Result<Path<String>, PathRejection>) -> Response {
    let number = number.ok().and_then(|Path(number)| number.parse().ok());
    let entry = number.and_then(|number| app.inbox.as_ref()?.get(number));
    match entry {
        Some(entry) => (mail_headers(), pages::mail(&entry)).into_response(),
        None => {
            let page = Failure { status: 404, what: "There is no such message", hint: "The inbox keeps the newest." };
            (StatusCode::NOT_FOUND, page_headers(), pages::failure(&page)).into_response()
        }
    }
}

/// The same body and the same answer as a start, with nothing in between.
#[derive(Deserialize)]
struct Floor {
    email: String,
}

async fn floor(Json(ask): Json<Floor>) -> Response {
    Json(serde_json::json!({ "success": true, "email": ask.email })).into_response()
}
