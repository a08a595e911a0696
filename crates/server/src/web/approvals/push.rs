//! The browsers that are told when an agent asks, and the worker that tells them, `/sw.js`. Refuses a form that is not ours, and to keep
//! the worker in any cache: an old one would be asked for ever.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use doorcode_core::{Result, UserId};

use super::settings::{after, sender};
use super::whose;
use crate::app::App;
use crate::ops::push::{self, Offered};
use crate::store::push_subscriptions::Subscription;
use crate::web::assets::WORKER;
use crate::web::forms::Sent;
use crate::web::pages::{Browser, ID_FIELD, Note};
use crate::web::reply::frame;

/// The key that browsers are told by.
pub(super) fn public_key(app: &App) -> String {
    app.keys.ring().active().push.public()
}

/// A person's browsers, for the list.
pub(super) async fn browsers(app: &App, owner: UserId) -> Result<Vec<Browser>> {
    Ok(push::list(app, owner).await?.iter().map(row).collect())
}

fn row(browser: &Subscription) -> Browser {
    let host = url::Url::parse(&browser.endpoint).ok().and_then(|url| url.host_str().map(str::to_owned));
    Browser { id: browser.id.to_string(), host: host.unwrap_or_default(), made: browser.created_at }
}

pub(super) async fn add(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form, false).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let text = |name| form.field(name).to_owned();
    let language = frame(&app, &form.headers).texts.language;
    let offered = Offered { endpoint: text("endpoint"), p256dh: text("p256dh"), auth: text("auth"), language };
    let done = push::subscribe(&app, whose(&live), offered).await;
    after(&app, &form, &live, done.map(|()| Note::Saved)).await
}

pub(super) async fn remove(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form, false).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let done = match form.field(ID_FIELD).parse() {
        Ok(id) => push::unsubscribe(&app, whose(&live), id).await,
        Err(_) => Err(doorcode_core::Error::NotFound),
    };
    after(&app, &form, &live, done.map(|()| Note::Removed)).await
}

pub(super) async fn worker() -> Response {
    let headers = [
        (header::CONTENT_TYPE, WORKER.kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A worker has the policy of its own file: it loads nothing.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ];
    (headers, WORKER.text).into_response()
}
