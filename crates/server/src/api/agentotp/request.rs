//! `POST /v1/otp/request`: an agent asks for the next code.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use doorcode_core::Error;
use doorcode_core::relay::{LIFE, State as RelayState};
use utoipa::ToSchema;

use super::answers::{BodyProblems, Unavailable};
use super::caller::ByAgent;
use super::error::{self, Answer, ErrorBody, Refused};
use super::fields::{Fields, wrong};
use super::view::view;
use crate::app::App;
use crate::ops::client::Client;
use crate::ops::relays::{Ask, Identity, SOURCES, Shown, request as ask};

/// What is asked for. Every member may also be spelt with underscores.
#[derive(ToSchema)]
#[schema(as = OtpRequest)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the document is made of it; the members are read in both spellings")]
pub(crate) struct OtpRequest {
    /// Why, for the person.
    #[schema(example = "Sign up at Acme", min_length = 1, max_length = 500)]
    reason: String,
    /// What the code is to be sealed to: the base64 of an RSA key (SPKI, 2048 bits and more), or `hpke-x25519:` and 32 bytes in base64url.
    public_key: String,
    /// What the sender is called.
    #[schema(example = "Acme", max_length = 255)]
    expected_sender: Option<String>,
    /// Which messages may hold it.
    filter: Option<OtpFilter>,
    /// How many seconds it lives.
    #[schema(minimum = 1, maximum = 3600, example = 300)]
    ttl: Option<u16>,
    /// The agent's identity over the key: `identityKey`, `signature`, `signedAt`.
    #[schema(value_type = Option<Object>)]
    identity: Option<String>,
}

/// Which messages may hold a code.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the document is made of it")]
struct OtpFilter {
    /// `sms`, `email`, `whatsapp`; without it any.
    #[schema(example = json!(["email"]))]
    sources: Option<Vec<String>>,
    /// Whose: `*@acme.com` is everybody there.
    #[schema(example = "*@acme.com", max_length = 255)]
    sender_pattern: Option<String>,
    /// A regular expression that the message has to match.
    #[schema(max_length = 500)]
    content_pattern: Option<String>,
    /// Not from before.
    #[schema(format = "date-time")]
    received_after: Option<String>,
}

/// Asks the agent's owner for the code of the next message that fits. They have two minutes to say yes.
#[utoipa::path(post, path = "/v1/otp/request", tag = "agentotp", operation_id = "request_otp", request_body = OtpRequest,
    security(("key" = [])),
    responses(
        (status = 200, description = "A test key asked: approved, and a made-up code is there", body = Object),
        (status = 202, description = "The owner is asked", body = Object),
        (status = 401, description = "No agent's key", body = ErrorBody),
        (status = 403, description = "The owner has stopped this agent, or this is no agent's key", body = ErrorBody),
        BodyProblems,
        (status = 429, description = "Too many; `Retry-After` says when", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn request(
    State(app): State<Arc<App>>,
    ByAgent(asking): ByAgent,
    client: Client,
    mut fields: Fields,
) -> Answer {
    let asked = read(&mut fields, client.shown())?;
    let relay = match ask(&app, &asking, asked).await {
        Ok(relay) => relay,
        Err(Error::Forbidden) => return Ok(error::stopped()),
        Err(other) => return Err(other.into()),
    };
    let status = match relay.standing.state {
        RelayState::Denied => return Ok(error::of_state(&relay, RelayState::Denied)),
        RelayState::PendingApproval => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    let now = app.clock.now();
    let shown = Shown { relay, agent_name: asking.agent.name };
    Ok((status, Json(view(&app, &shown, now))).into_response())
}

fn identity(mut fields: Fields) -> Result<Identity, Refused> {
    Ok(Identity {
        key: fields.needed("identityKey")?,
        signature: fields.needed("signature")?,
        signed_at: fields.moment("signedAt")?.ok_or_else(|| wrong("identity.signedAt", "is required"))?,
    })
}

fn read(fields: &mut Fields, origin: String) -> Result<Ask, Refused> {
    let (reason, public_key) = (fields.needed("reason")?, fields.needed("publicKey")?);
    let sender = fields.text("expectedSender")?;
    let life = fields.number("ttl", (1, 3600))?.map_or(LIFE, Duration::from_secs);
    let identity = fields.object("identity")?.map(identity).transpose()?;
    let mut filter = fields.object("filter")?;
    let mut ask = Ask {
        reason,
        public_key,
        identity,
        sources: 0,
        sender: sender.filter(|text| !text.is_empty()),
        sender_pattern: None,
        content_pattern: None,
        received_after: None,
        life,
        origin,
    };
    if let Some(filter) = &mut filter {
        for source in filter.texts("sources")?.unwrap_or_default() {
            let known = SOURCES.iter().find(|(_, name)| *name == source);
            ask.sources |= known.ok_or_else(|| wrong("filter.sources", "may hold sms, email and whatsapp"))?.0;
        }
        ask.sender_pattern = filter.text("senderPattern")?.filter(|text| !text.is_empty());
        ask.content_pattern = filter.text("contentPattern")?.filter(|text| !text.is_empty());
        ask.received_after = filter.moment("receivedAfter")?;
    }
    Ok(ask)
}
