//! `GET /v1/auth/verify`: whether a key is alive, and what it is. Says nothing that its holder could not find out by using it.

use axum::Json;
use axum::response::IntoResponse as _;
use doorcode_core::relay::Named as _;
use serde_json::json;

use super::answers::Unavailable;
use super::caller::Caller;
use super::error::{Answer, ErrorBody};

/// What the key is that was shown.
#[utoipa::path(get, path = "/v1/auth/verify", tag = "agentotp", operation_id = "verify_auth",
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It is alive: `type` is agent, device, session or key", body = Object),
        (status = 401, description = "It is not", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn verify(caller: Caller) -> Answer {
    let said = match caller {
        Caller::Agent(asking) => json!({
            "type": "agent", "id": asking.agent.id.shown(), "agentId": asking.agent.id.shown(),
            "name": asking.agent.name, "test": asking.test,
        }),
        Caller::Device(device) => json!({
            "type": "device", "id": device.id.shown(), "deviceId": device.reference, "name": device.name,
            "kind": device.kind, "isLinked": device.linked_at.is_some(),
        }),
        Caller::Session(live) => json!({ "type": "session", "userId": live.session.user.to_string() }),
        Caller::Key(key) => json!({
            "type": "key", "id": key.id.to_string(), "userId": key.user.map(|user| user.to_string()),
        }),
    };
    let mut body = json!({ "success": true, "valid": true });
    if let (Some(body), Some(said)) = (body.as_object_mut(), said.as_object()) {
        body.extend(said.clone());
    }
    Ok(Json(body).into_response())
}
