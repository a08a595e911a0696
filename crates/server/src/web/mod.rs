//! Pages for people. They work without JavaScript, load nothing from elsewhere and change nothing by being looked at.

pub mod assets;
pub mod dev;
pub mod docs;
pub mod headers;
pub mod pages;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::app::App;

/// The pages; with the inbox and the bench's floor under `--dev` only.
pub fn routes(dev: bool) -> Router<Arc<App>> {
    let pages = Router::new().route("/", get(landing)).route("/assets/style.css", get(style));
    if dev { pages.merge(dev::routes()) } else { pages }
}

async fn landing(State(app): State<Arc<App>>) -> Response {
    let base_url = app.base_url();
    let page = pages::Landing { base_url: &base_url, dev: app.inbox.is_some(), version: env!("CARGO_PKG_VERSION") };
    (headers::page_headers(), pages::landing(&page)).into_response()
}

/// The version of the stylesheet that a page links to.
#[derive(Deserialize)]
struct Version {
    v: Option<String>,
}

async fn style(version: Result<Query<Version>, QueryRejection>) -> Response {
    // Whatever else it is asked with, it is the stylesheet.
    let version = version.ok().and_then(|Query(version)| version.v);
    assets::stylesheet(version.as_deref()).into_response()
}
