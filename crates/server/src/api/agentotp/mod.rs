//! The door `agentotp`: an agent asks for a person's code, they say yes, it is sealed to the agent's key and read once (facts:
//! docs/agentotp.md). Both published dialects at once: camelCase and snake_case in, the union out. Refuses an agent its owner's word.

mod agents;
mod answers;
mod audit;
mod caller;
mod capture;
mod consume;
mod decide;
mod devices;
pub(in crate::api) mod error;
mod export;
mod fields;
mod hooks;
mod inbound;
mod mailboxes;
mod name;
mod policies;
mod query;
mod request;
mod socket;
mod status;
mod verify;
mod view;

use std::sync::Arc;

use axum::routing::get;
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
        .routes(routes!(decide::unverified))
        .routes(routes!(socket::ticket_of_one))
        .routes(routes!(socket::ticket_of_all))
        // No part of the document, which knows requests and answers.
        .route("/ws", get(socket::all))
        .route("/ws/{id}", get(socket::one))
        .routes(routes!(devices::list))
        .routes(routes!(devices::register))
        .routes(routes!(devices::link))
        .routes(routes!(devices::remove))
        .routes(routes!(devices::status))
        .routes(routes!(verify::verify))
        .routes(routes!(agents::list, agents::create))
        .routes(routes!(agents::show, agents::put, agents::patch, agents::remove))
        .routes(routes!(agents::rotate))
        .routes(routes!(agents::stats))
        .routes(routes!(policies::list, policies::create))
        .routes(routes!(policies::show, policies::replace, policies::remove))
        .routes(routes!(audit::list))
        .routes(routes!(audit::show))
        .routes(routes!(audit::report))
        .routes(routes!(export::begin))
        .routes(routes!(export::fetch))
        .routes(routes!(hooks::create, hooks::list))
        .routes(routes!(hooks::remove))
        .routes(routes!(mailboxes::create, mailboxes::list))
        .routes(routes!(mailboxes::show, mailboxes::remove))
        .routes(routes!(mailboxes::replace))
        .routes(routes!(inbound::make, inbound::show, inbound::remove))
}

/// The request that a path names. What is no id is the id of nothing.
fn relay(text: &str) -> Result<RelayId, Refused> {
    RelayId::read(text).ok_or_else(|| Refused::from(error::no_request()))
}
