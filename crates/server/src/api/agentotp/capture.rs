//! What devices and collectors call: `GET /v1/otp/pending`, `GET /v1/otp/{id}/public-key`, `POST /v1/otp/{id}/receive`. Of the metadata
//! that they send, subject, preview and the message's id are dropped here: an agent is told the verified domain and nothing else.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::relay::Named as _;
use serde_json::{Value, json};

use super::caller::{ByDevice, Caller};
use super::error::{Answer, ErrorBody};
use super::fields::{Fields, wrong};
use super::query::{Parameters, Segment};
use super::relay as read;
use super::status::look;
use super::view::for_device;
use crate::app::App;
use crate::ops::relays::{self, Handed, SOURCES};

/// The approved requests of the device's owner: what to look for, and what to seal to.
#[utoipa::path(get, path = "/v1/otp/pending", tag = "agentotp", operation_id = "pending_otps",
    params(("source" = Option<String>, Query, description = "`sms`, `email` or `whatsapp`", pattern = "^(sms|email|whatsapp)$")), security(("key" = [])),
    responses(
        (status = 200, description = "They", body = Object),
        (status = 401, description = "No device's key", body = ErrorBody),
        (status = 403, description = "No device's key", body = ErrorBody),
        (status = 422, description = "There is no such source", body = ErrorBody),
        (status = 503, description = "Try again", body = ErrorBody),
    ))]
pub(super) async fn pending(State(app): State<Arc<App>>, ByDevice(device): ByDevice, asked: Parameters) -> Answer {
    let source = match asked.text("source") {
        None => None,
        Some(name) => {
            let known = SOURCES.iter().find(|(_, source)| *source == name);
            Some(known.ok_or_else(|| wrong("source", "must be sms, email or whatsapp"))?.0)
        }
    };
    let now = app.clock.now();
    let found = relays::awaited(&app, &device, source).await?;
    let requests: Vec<Value> = found.iter().map(|shown| for_device(&app, shown, now)).collect();
    Ok(Json(json!({ "requests": requests })).into_response())
}

/// What a request's code is to be sealed to.
#[utoipa::path(get, path = "/v1/otp/{id}/public-key", tag = "agentotp", operation_id = "otp_public_key",
    params(("id" = String, Path, description = "The request", pattern = "^otp_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "The key", body = Object),
        (status = 401, description = "No key", body = ErrorBody),
        (status = 403, description = "The key of a team with several members", body = ErrorBody),
        (status = 404, description = "There is none such, or it is not the caller's", body = ErrorBody),
        (status = 503, description = "Try again", body = ErrorBody),
    ))]
pub(super) async fn public_key(State(app): State<Arc<App>>, caller: Caller, Segment(text): Segment) -> Answer {
    let shown = look(&app, &caller, read(&text)?).await?;
    Ok(Json(json!({ "publicKey": shown.relay.public_key, "public_key": shown.relay.public_key })).into_response())
}

/// Hands a code in that was found and sealed beside the person's messages.
#[utoipa::path(post, path = "/v1/otp/{id}/receive", tag = "agentotp", operation_id = "receive_otp",
    params(("id" = String, Path, description = "The request", pattern = "^otp_[A-Za-z0-9_-]{22}$")), request_body = Object, security(("key" = [])),
    responses(
        (status = 200, description = "It is there", body = Object),
        (status = 401, description = "No device's key", body = ErrorBody),
        (status = 403, description = "No device's key", body = ErrorBody),
        (status = 404, description = "There is none such of this device's owner", body = ErrorBody),
        (status = 408, description = "The body did not come in time", body = ErrorBody),
        (status = 409, description = "It is not approved, has a code, or another agent waits for the same message", body = ErrorBody),
        (status = 410, description = "Its time was up", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 422, description = "What was sent is not sealed to the agent's key", body = ErrorBody),
        (status = 429, description = "Too many of this person today", body = ErrorBody),
        (status = 503, description = "Try again", body = ErrorBody),
    ))]
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    ByDevice(device): ByDevice,
    Segment(text): Segment,
    mut fields: Fields,
) -> Answer {
    let id = read(&text)?;
    let payload = fields.needed("encryptedPayload")?;
    let source = fields.needed("source")?;
    let known = SOURCES.iter().find(|(_, name)| *name == source);
    let source = known.ok_or_else(|| wrong("source", "must be sms, email or whatsapp"))?.1;
    let mut metadata = fields.object("metadata")?;
    let (mut message, mut verified, mut about) = (None, None, None);
    if let Some(metadata) = &mut metadata {
        message = metadata.text("emailId")?.or(metadata.text("messageId")?).filter(|id| !id.is_empty());
        verified = metadata.text("verifiedDomain")?.filter(|domain| !domain.is_empty());
        about = match metadata.text("about")? {
            None => None,
            Some(text) => Some(
                relays::ABOUT
                    .into_iter()
                    .find(|known| *known == text)
                    .ok_or_else(|| wrong("metadata.about", "must be reset, payment or device"))?,
            ),
        };
    }
    relays::receive(&app, &device, id, Handed { payload, source, message, verified, about }).await?;
    Ok(Json(json!({ "success": true, "message": "The code was received", "requestId": id.shown() })).into_response())
}
