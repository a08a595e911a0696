//! What devices and collectors call: `GET /v1/otp/pending`, `GET /v1/otp/{id}/public-key`, `POST /v1/otp/{id}/receive`. Of the metadata
//! that they send, subject, preview and the message's id are dropped here: an agent is told the verified domain and nothing else.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::fingerprint::fingerprint;
use doorcode_core::hex;
use doorcode_core::relay::Named as _;
use doorcode_core::sender::canonical_domain;
use serde_json::{Value, json};

use super::answers::{NoDevice, NoKey, Unavailable, ViewerProblems};
use super::caller::{ByDevice, Caller};
use super::error::{Answer, ErrorBody, Refused};
use super::fields::{Fields, wrong};
use super::query::Parameters;
use super::relay as read;
use super::status::{look, span, too_many_wait};
use super::view::for_device;
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::feed::Listener;
use crate::ops::relays::{self, Handed, SOURCES};
use crate::store::devices::Device;

/// Things that a device knows one message by, besides its id.
const DIGESTS_MOST: usize = 4;

/// The approved requests of the device's owner: what to look for, and what to seal to.
#[utoipa::path(get, path = "/v1/otp/pending", tag = "agentotp", operation_id = "pending_otps",
    params(("source" = Option<String>, Query, description = "`sms`, `email` or `whatsapp`", pattern = "^(sms|email|whatsapp)$"),
        ("known" = Option<String>, Query, description = "The `version` of the last answer: what it says is waited over", max_length = 64),
        ("wait" = Option<u8>, Query, description = "Seconds to wait for another version than the known one, 60 at most")),
    security(("key" = [])),
    responses(
        (status = 200, description = "They", body = Object),
        NoKey,
        NoDevice,
        (status = 422, description = "There is no such source", body = ErrorBody),
        (status = 429, description = "Too many wait", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn pending(State(app): State<Arc<App>>, ByDevice(device): ByDevice, asked: Parameters) -> Answer {
    let source = match asked.text("source") {
        None => None,
        Some(name) => {
            let known = SOURCES.iter().find(|(_, source)| *source == name);
            Some(known.ok_or_else(|| wrong("source", "must be sms, email or whatsapp"))?.0)
        }
    };
    let end = app.clock.now().plus(span(&asked));
    let mut listener = None;
    loop {
        // Before the look, so that what happens meanwhile is not missed.
        let called = listener.as_ref().map(|listener: &Listener| listener.notify().notified_owned());
        let listed = list(&app, &device, source).await?;
        let now = app.clock.now();
        if asked.text("known") != Some(&listed.version) || now >= end || app.feed.is_closed() {
            return Ok(Json(listed.body).into_response());
        }
        match called {
            None => listener = Some(hold(&app, &device)?),
            // What ends by its time is looked for every second.
            Some(called) => {
                let rest = end.since(now).clamp(Duration::from_millis(1), Duration::from_secs(1));
                drop(tokio::time::timeout(rest, called).await);
            }
        }
    }
}

fn hold(app: &App, device: &Device) -> Result<Listener, Refused> {
    let listener = app.feed.listen((device.org, Some(*device.id.as_bytes())), *device.owner.as_bytes());
    listener.ok_or_else(|| too_many_wait().into())
}

/// The list as a device reads it, and what tells it from another one.
struct Listed {
    version: String,
    body: Value,
}

async fn list(app: &App, device: &Device, source: Option<i64>) -> Result<Listed, Refused> {
    let found = relays::awaited(app, device, source).await?;
    let denied = relays::senders::denied(app, device.owner).await?;
    let now = app.clock.now();
    let requests: Vec<Value> = found.iter().map(|shown| for_device(app, shown, now)).collect();
    let mut body = json!({ "requests": requests, "ownDomains": own_domains(app), "denied": denied });
    let version = hex::encode(&fingerprint("awaited", &[body.to_string().as_bytes()]));
    body["version"] = version.as_str().into();
    Ok(Listed { version, body })
}

/// The domains that this installation writes from: nothing from there is ever relayed.
fn own_domains(app: &App) -> Vec<&str> {
    app.config.capture.own_domains.iter().map(String::as_str).chain([app.config.mail.domain()]).collect()
}

/// What a request's code is to be sealed to.
#[utoipa::path(get, path = "/v1/otp/{id}/public-key", tag = "agentotp", operation_id = "otp_public_key",
    params(("id" = String, Path, description = "The request", pattern = "^otp_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "The key", body = Object),
        NoKey,
        ViewerProblems,
        Unavailable,
    ))]
pub(super) async fn public_key(State(app): State<Arc<App>>, caller: Caller, Segment(text): Segment) -> Answer {
    let shown = look(&app, &caller, read(&text)?).await?;
    Ok(Json(json!({ "publicKey": shown.relay.public_key, "public_key": shown.relay.public_key })).into_response())
}

/// A domain that a device has verified a sender for, in its one spelling: it is shown as a fact, to the person and to their agent.
fn domain(name: &str) -> Result<String, Refused> {
    canonical_domain(name).ok_or_else(|| wrong("metadata.verifiedDomain", "must be a domain, as acme.com"))
}

/// Hands a code in that was found and sealed beside the person's messages.
#[utoipa::path(post, path = "/v1/otp/{id}/receive", tag = "agentotp", operation_id = "receive_otp",
    params(("id" = String, Path, description = "The request", pattern = "^otp_[A-Za-z0-9_-]{22}$")), request_body = Object, security(("key" = [])),
    responses(
        (status = 200, description = "It is there", body = Object),
        NoKey,
        NoDevice,
        (status = 404, description = "There is none such of this device's owner", body = ErrorBody),
        (status = 408, description = "The body did not come in time", body = ErrorBody),
        (status = 409, description = "It is not approved, has a code, or another agent waits for the same message", body = ErrorBody),
        (status = 410, description = "Its time was up", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 422, description = "What was sent is not sealed to the agent's key, or something else is wrong with it", body = ErrorBody),
        (status = 429, description = "Too many of this person today", body = ErrorBody),
        Unavailable,
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
    let (mut messages, mut verified, mut forwarder, mut about) = (Vec::new(), None, None, None);
    if let Some(metadata) = &mut metadata {
        let id = metadata.text("emailId")?.or(metadata.text("messageId")?);
        let others = metadata.texts("digests")?.unwrap_or_default().into_iter().take(DIGESTS_MOST);
        messages.extend(id.into_iter().chain(others).filter(|id| !id.is_empty()));
        messages.sort_unstable();
        messages.dedup();
        verified =
            metadata.text("verifiedDomain")?.filter(|name| !name.is_empty()).map(|name| domain(&name)).transpose()?;
        forwarder = metadata.text("forwarder")?.filter(|_| verified.is_some()).and_then(|name| canonical_domain(&name));
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
    relays::receive(&app, &device, id, Handed { payload, source, messages, verified, forwarder, about }).await?;
    Ok(Json(json!({ "success": true, "message": "The code was received", "requestId": id.shown() })).into_response())
}
