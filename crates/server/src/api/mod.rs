//! The doors, and the one table of routes. A door parses its own shapes, calls `ops` and dresses the answer. Refuses
//! rules: those are in `core` and `ops`. Doors do not know each other.

mod agentotp;
mod bearer;
mod client;
mod document;
mod exact;
mod form;
mod hooks;
mod log;
mod native;
mod operate;
pub mod outx;
mod request_name;
mod segment;
mod turnkey;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::Uri;
use axum::middleware::Next;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::{body, web};

use form::Form;

pub use client::{Peer, Place};
pub use document::openapi_text;

/// Every route of the house, documented: one line a door.
fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(document::opening())
        .merge(native::routes())
        .merge(outx::routes())
        .merge(agentotp::routes())
        .merge(hooks::routes())
        .merge(turnkey::routes())
        .merge(operate::routes())
        .merge(document::routes())
}

/// The house as a service.
pub fn router(app: &Arc<App>) -> Router {
    let (doors, _) = routes().split_for_parts();
    doors
        .merge(web::routes(app.config.dev))
        .merge(document::page())
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(app), around))
        .with_state(Arc::clone(app))
}

/// Around every request: its line in the log, outermost; what a browser of another origin hears; who signed it. One layer for all three: each
/// layer boxes the service below it and its answer anew for every request.
async fn around(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    // Bodies are read by `body::read`. Whoever takes axum's own way in its place has the same limit.
    DefaultBodyLimit::max(body::MOST).apply(&mut request);
    let answer = |request: Request| {
        let app = Arc::clone(&app);
        turnkey::cors::around(request, move |request| native::stamped::around(app, request, next))
    };
    log::request(&app, request, answer).await
}

/// Every path that is no route, in the form of the door that it would belong to.
async fn not_found(uri: Uri) -> Response {
    Form::of(uri.path()).not_found()
}

/// A path that is a route, asked in another way.
async fn wrong_method(uri: Uri) -> Response {
    Form::of(uri.path()).wrong_method()
}
