//! The door `agentotp`: an agent asks for a person's code, they say yes, it is sealed to the agent's key and read once (facts:
//! docs/agentotp.md). Both published dialects at once: camelCase and snake_case in, the union out. Refuses an agent its owner's word.

mod caller;
mod capture;
mod consume;
mod decide;
pub(in crate::api) mod error;
mod fields;
mod hooks;
mod request;
mod status;
mod view;

use std::sync::Arc;

use doorcode_core::RelayId;
use doorcode_core::relay::Named as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use error::Refused;

/// The door's routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(request::request))
        .routes(routes!(capture::pending))
        .routes(routes!(status::status, consume::cancel))
        .routes(routes!(consume::consume))
        .routes(routes!(capture::public_key))
        .routes(routes!(capture::receive))
        .routes(routes!(decide::approve))
        .routes(routes!(decide::deny))
        .routes(routes!(hooks::create, hooks::list))
        .routes(routes!(hooks::remove))
        .routes(routes!(hooks::make_inbound, hooks::get_inbound, hooks::delete_inbound))
}

/// The request that a path names. What is no id is the id of nothing.
fn relay(text: &str) -> Result<RelayId, Refused> {
    RelayId::read(text).ok_or_else(|| Refused(error::no_request()))
}
