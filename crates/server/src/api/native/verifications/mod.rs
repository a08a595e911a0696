//! Verifications: whether somebody has an address. One file an operation; what one looks like stands here.

mod cancel;
mod check;
mod create;
mod events;
mod resend;
mod show;

use std::sync::Arc;

use axum::response::Response;
use doorcode_core::Timestamp;
use doorcode_core::time::HOUR;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{moment, problem};
use crate::app::App;
use crate::ops::verifications::Verification as Found;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create::create))
        .routes(routes!(show::show, cancel::cancel))
        .routes(routes!(check::check))
        .routes(routes!(resend::resend))
        .routes(routes!(events::events))
}

/// A verification.
#[derive(Serialize, ToSchema)]
pub(crate) struct Verification {
    #[schema(format = "uuid")]
    id: String,
    #[schema(example = "pending", pattern = "^(pending|verified|canceled|expired)$")]
    status: &'static str,
    /// The address in its canonical form.
    #[schema(example = "ada@example.com")]
    to: String,
    #[schema(example = "email")]
    channel: String,
    /// The language of its messages (BCP 47).
    #[schema(example = "en")]
    language: String,
    /// What its code is made of.
    #[schema(example = "digits")]
    alphabet: String,
    /// How many symbols its code has: 13 once nothing is left to guess at a shorter one with.
    #[schema(example = 6)]
    length: u8,
    #[schema(format = DateTime)]
    created_at: String,
    /// The end of its code; null once it was verified.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    verified_at: Option<String>,
    /// When the next message may go to this address; null where nothing was sent by this request.
    #[schema(format = DateTime)]
    next_send_at: Option<String>,
    /// What was attached to it.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Box<RawValue>>,
    /// Where the browser that opens the link goes afterwards.
    redirect: Option<String>,
}

impl From<Found> for Verification {
    fn from(found: Found) -> Self {
        Self {
            id: found.id,
            status: found.status.as_str(),
            to: found.to,
            channel: found.channel,
            language: found.language,
            alphabet: found.alphabet,
            length: found.length,
            created_at: moment(found.created_at),
            expires_at: found.expires_at.map(moment),
            verified_at: found.verified_at.map(moment),
            next_send_at: found.next_send_at.map(moment),
            metadata: found.metadata.and_then(|text| RawValue::from_string(text).ok()),
            redirect: found.redirect,
        }
    }
}

/// Says in headers how many messages to the address are left, and when there will be more: the next one at that time, in
/// milliseconds.
fn with_limits(app: &App, (left, next): (u32, Option<i64>), response: Response) -> Response {
    let next = next.map_or(app.clock.now(), Timestamp::from_millis);
    let policy = &app.config.sends;
    let response = problem::rate_policy(response, "send.target", policy.stranger_hour, HOUR);
    let wait = if left == 0 { next.since(app.clock.now()) } else { HOUR };
    problem::rate_limit(response, "send.target", left, wait)
}
