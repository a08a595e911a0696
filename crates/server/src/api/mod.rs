//! The doors, and the one table of routes. A door parses its own shapes, calls `ops` and dresses the answer. Refuses
//! rules: those are in `core` and `ops`. Doors do not know each other.

mod client;
mod log;
mod operate;
pub mod outx;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::web;

pub use client::Peer;

/// The most bytes of a body.
pub const BODY_MOST: usize = 64 * 1024;

/// What the document says of the whole.
#[derive(OpenApi)]
#[openapi(info(
    title = "Doorcode",
    description = "One-time codes: sent, checked, and exchanged for what they earn.",
    license(name = "MIT OR Apache-2.0")
))]
struct Document;

/// Every route of the house, documented: one line a door.
fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(outx::routes()).merge(operate::routes())
}

/// The house as a service.
pub fn router(app: &Arc<App>) -> Router {
    let (doors, _) = routes().split_for_parts();
    doors
        .merge(web::routes(app.config.dev))
        .fallback(outx::not_found)
        .method_not_allowed_fallback(outx::wrong_method)
        .layer(DefaultBodyLimit::max(BODY_MOST))
        .layer(CatchPanicLayer::custom(log::panicked))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(app), log::request))
        .with_state(Arc::clone(app))
}

/// The OpenAPI document, as it is committed.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes().split_for_parts().1
}
