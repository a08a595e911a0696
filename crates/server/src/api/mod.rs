//! The doors, and the one table of routes. A door parses its own shapes, calls `ops` and dresses the answer. Refuses
//! rules: those are in `core` and `ops`. Doors do not know each other.

mod client;
mod form;
mod log;
mod native;
mod operate;
pub mod outx;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::response::Response;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::{body, web};

use form::Form;

pub use client::Peer;

/// What the document says of the whole.
#[derive(OpenApi)]
#[openapi(info(
    title = "Doorcode",
    description = "One-time codes: sent, checked, and exchanged for what they earn.",
    license(name = "MIT OR Apache-2.0")
), modifiers(&KeyScheme))]
struct Document;

/// How the routes under `/v1` are opened.
struct KeyScheme;

impl utoipa::Modify for KeyScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("A key of the org")).build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
        let token = "An access token from /v1/token";
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(token)).build();
        components.add_security_scheme("access_token", SecurityScheme::Http(scheme));
    }
}

/// Every route of the house, documented: one line a door.
fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(native::routes())
        .merge(outx::routes())
        .merge(operate::routes())
}

/// The house as a service.
pub fn router(app: &Arc<App>) -> Router {
    let (doors, _) = routes().split_for_parts();
    doors
        .merge(web::routes(app.config.dev))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(body::MOST))
        .layer(CatchPanicLayer::custom(log::panicked))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(app), log::request))
        .with_state(Arc::clone(app))
}

/// Every path that is no route, in the form of the door that it would belong to.
async fn not_found(uri: Uri) -> Response {
    Form::of(uri.path()).not_found()
}

/// A path that is a route, asked in another way.
async fn wrong_method(uri: Uri) -> Response {
    Form::of(uri.path()).wrong_method()
}

/// The OpenAPI document, as it is committed.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes().split_for_parts().1
}
