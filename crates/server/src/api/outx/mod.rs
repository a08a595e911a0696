//! The door `outx`: an e-mail code becomes a user, a team and an API key (facts: docs/outx.md). Every error is one JSON
//! object with one text, `error`, in the published words.

mod body;
mod error;
mod send_otp;
mod team;
mod verify_otp;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub use error::{error, unavailable};

/// The door's routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(send_otp::send_otp))
        .routes(routes!(verify_otp::verify_otp))
        .routes(routes!(team::team))
}
