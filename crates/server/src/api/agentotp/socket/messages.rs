//! What a socket says and hears. Three published forms name the same thing differently, and a message has one `type`: so each change
//! is said once for each reader, with the members of both in every message. Refuses to say more of a code than its agent may know.

use axum::http::StatusCode;
use doorcode_core::relay::{Named as _, State, Step};
use serde_json::{Value, json};

use super::line::Ending;
use crate::api::agentotp::error::Refused;
use crate::api::agentotp::view::{metadata, way};
use crate::store::relays::Relay;

/// The answer to `ping`.
pub(super) const PONG: &str = r#"{"type":"pong"}"#;

/// What somebody says.
pub(super) enum Said {
    /// Who they are.
    Auth(String),
    /// A ping of JSON: browsers have no other.
    Ping,
    /// The answer to one.
    Pong,
    /// Something else.
    Other,
}

impl Said {
    /// What a text says.
    pub(super) fn read(text: &str) -> Self {
        let Ok(value) = serde_json::from_str::<Value>(text) else { return Self::Other };
        match value["type"].as_str() {
            Some("auth") => value["token"].as_str().map_or(Self::Other, |token| Self::Auth(token.to_owned())),
            Some("ping") => Self::Ping,
            Some("pong") => Self::Pong,
            _ => Self::Other,
        }
    }
}

/// A change, for each of its readers: `status_change` (the documentation), `otp_status_change` (the shared types), and `otp_received` or
/// `expired` where that is what it came to.
pub(super) fn of_step(relay: &Relay, step: &Step) -> Vec<String> {
    let id = relay.id.shown();
    let mut payload = json!({ "otpRequestId": id, "status": step.state.as_str() });
    let denial = relay.denial.as_deref().filter(|_| step.state == State::Denied);
    if let Some(reason) = denial {
        payload["reason"] = reason.into();
    }
    let mut message = json!({
        "type": "status_change", "id": id, "status": step.state.as_str(), "seq": step.number(), "at": step.at.to_string(),
        "agentId": relay.agent.shown(), "payload": payload,
    });
    if let Some(reason) = denial {
        message["reason"] = reason.into();
    }
    if step.state == State::OtpReceived {
        for (name, value) in way(relay) {
            message[name] = value;
        }
    }
    let mut texts = Vec::with_capacity(3);
    for name in ["status_change", "otp_status_change"] {
        message["type"] = name.into();
        texts.push(message.to_string());
    }
    match step.state {
        State::OtpReceived => {
            message["type"] = "otp_received".into();
            message["payload"]["metadata"] = metadata(relay);
            texts.push(message.to_string());
        }
        State::Expired => {
            message["type"] = "expired".into();
            texts.push(message.to_string());
        }
        _ => {}
    }
    texts
}

/// Something that is wrong.
pub(super) fn of_error(code: &str, text: &str) -> String {
    json!({ "type": "error", "code": code, "message": text, "payload": { "code": code, "message": text } }).to_string()
}

/// Why somebody may not watch, as it is said before the socket ends: by the codes of the door's other answers.
pub(super) fn of_refusal(refused: &Refused) -> (String, Ending) {
    match refused.status() {
        StatusCode::UNAUTHORIZED => {
            let text = of_error("UNAUTHORIZED", "The token is wrong, expired, used or revoked");
            (text, Ending::policy("unauthorized"))
        }
        StatusCode::FORBIDDEN => (of_error("FORBIDDEN", "This key may not do that"), Ending::policy("forbidden")),
        StatusCode::NOT_FOUND => (of_error("OTP_NOT_FOUND", "The request was not found"), Ending::policy("not found")),
        StatusCode::TOO_MANY_REQUESTS => (of_error("RATE_LIMITED", "Too many sockets are open"), Ending::FULL),
        _ => (of_error("UNAVAILABLE", "Unavailable for the moment. Please try again."), Ending::FULL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_something_else() {
        assert!(
            matches!(Said::read(r#"{"type":"auth","token":"ak_live_x"}"#), Said::Auth(token) if token == "ak_live_x")
        );
        assert!(matches!(Said::read(r#"{"type":"ping","id":1}"#), Said::Ping));
        for text in
            ["", "ping", "[]", "7", "null", "{}", r#"{"type":7}"#, r#"{"type":"auth"}"#, r#"{"type":"auth","token":7}"#]
        {
            assert!(matches!(Said::read(text), Said::Other), "{text}");
        }
    }
}
