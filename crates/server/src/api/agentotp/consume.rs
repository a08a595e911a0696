//! `POST /v1/otp/{id}/consume`: the agent reads the sealed code, once. `DELETE /v1/otp/{id}`: it takes its request back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::Error;
use doorcode_core::fingerprint::fingerprint;
use doorcode_core::relay::{Named as _, State as RelayState};
use serde_json::json;

use super::answers::Unavailable;
use super::caller::ByAgent;
use super::error::{self, Answer, ErrorBody, moment};
use super::name::RequestName;
use super::relay as read;
use super::view::{metadata, way};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::relays::{self, Consumed};

/// Reads the sealed code. It is gone then; the same agent's request under the same `Idempotency-Key` is given it again for half a minute.
#[utoipa::path(post, path = "/v1/otp/{id}/consume", tag = "agentotp", operation_id = "consume_otp",
    params(("id" = String, Path, description = "The request", pattern = "^otp_[A-Za-z0-9_-]{22}$"),
        ("Idempotency-Key" = Option<String>, Header, description = "A name for this request: under it the same is answered for 30 seconds",
            min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    security(("key" = [])),
    responses(
        (status = 200, description = "The sealed code", body = Object),
        (status = 401, description = "No agent's key", body = ErrorBody),
        (status = 403, description = "The owner said no or has stopped the agent, or this is no agent's key", body = ErrorBody),
        (status = 404, description = "There is none such of this agent", body = ErrorBody),
        (status = 409, description = "It was read, cancelled, or is not there yet: `code` says which", body = ErrorBody),
        (status = 410, description = "Its time was up", body = ErrorBody),
        (status = 422, description = "The name of the request is none", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn consume(
    State(app): State<Arc<App>>,
    ByAgent(asking): ByAgent,
    Segment(text): Segment,
    name: RequestName,
) -> Answer {
    let (id, name) = (read(&text)?, name.read()?);
    let name = name.map(|name| fingerprint("consume", &[asking.agent.id.as_bytes(), name.as_bytes()]));
    let consumed = match relays::consume(&app, &asking, id, name).await {
        Err(Error::Forbidden) => return Ok(error::stopped()),
        other => other?,
    };
    Ok(match consumed {
        Consumed::Read(relay, payload) => {
            let mut body = json!({
                "id": id.shown(),
                "status": "consumed",
                "encryptedPayload": payload,
                "encrypted_payload": payload,
                "source": relay.source,
                "sender": relay.sender_domain,
                "consumedAt": relay.ended_at.map(moment),
                "consumed_at": relay.ended_at.map(moment),
                "metadata": metadata(&relay),
            });
            for (name, value) in way(&relay) {
                body[name] = value;
            }
            Json(body).into_response()
        }
        Consumed::Already(relay) => error::of_state(&relay, RelayState::Consumed),
        Consumed::Not(relay, state) => error::of_state(&relay, state),
    })
}

/// Takes a request back, while its code is not there. Said twice, it is as good.
#[utoipa::path(delete, path = "/v1/otp/{id}", tag = "agentotp", operation_id = "cancel_otp",
    params(("id" = String, Path, description = "The request", pattern = "^otp_[A-Za-z0-9_-]{22}$")), security(("key" = [])),
    responses(
        (status = 200, description = "It is cancelled", body = Object),
        (status = 401, description = "No agent's key", body = ErrorBody),
        (status = 403, description = "No agent's key", body = ErrorBody),
        (status = 404, description = "There is none such of this agent", body = ErrorBody),
        (status = 409, description = "Its code is there, or was read", body = ErrorBody),
        (status = 410, description = "Its time was up", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn cancel(State(app): State<Arc<App>>, ByAgent(asking): ByAgent, Segment(text): Segment) -> Answer {
    let relay = relays::cancel(&app, &asking, read(&text)?).await?;
    let at = relay.ended_at.map(moment);
    let body = json!({ "success": true, "id": relay.id.shown(), "status": "cancelled", "cancelledAt": at, "cancelled_at": at });
    Ok(Json(body).into_response())
}
