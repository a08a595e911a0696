//! Pages for people. They work without JavaScript and better with it, load nothing from elsewhere and change nothing by
//! being looked at.

mod account;
mod approvals;
mod asked;
pub mod assets;
mod browser;
mod cookies;
pub mod dev;
pub mod docs;
mod forms;
pub mod headers;
mod link;
mod onward;
pub mod pages;
mod reply;
mod sealed;
mod sign_in;
pub mod texts;

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
    let pages = Router::new()
        .route("/", get(landing))
        .route(assets::STYLE.path, get(style))
        .route(assets::SCRIPT.path, get(script))
        .route(assets::APPROVALS.path, get(approvals_script))
        .merge(sign_in::routes())
        .merge(link::routes())
        .merge(account::routes())
        .merge(approvals::routes());
    if dev { pages.merge(dev::routes()) } else { pages }
}

async fn landing(State(app): State<Arc<App>>) -> Response {
    let base_url = app.base_url();
    let page = pages::Landing { base_url: &base_url, dev: app.inbox.is_some(), version: env!("CARGO_PKG_VERSION") };
    (headers::page_headers(), pages::landing(&page)).into_response()
}

/// The version of a file that a page links to.
#[derive(Deserialize)]
struct Version {
    v: Option<String>,
}

type Asked = Result<Query<Version>, QueryRejection>;

async fn style(version: Asked) -> Response {
    asset(&assets::STYLE, version)
}

async fn script(version: Asked) -> Response {
    asset(&assets::SCRIPT, version)
}

async fn approvals_script(version: Asked) -> Response {
    asset(&assets::APPROVALS, version)
}

fn asset(asset: &assets::Asset, version: Asked) -> Response {
    // Whatever else it is asked with, it is the file.
    let version = version.ok().and_then(|Query(version)| version.v);
    asset.answer(version.as_deref()).into_response()
}
