//! A code that was found and sealed somewhere else is handed in. Refuses what is not plausibly sealed to the agent's key, one message
//! twice, and a request that another agent's stands beside until its owner has chosen. Whoever hands the same sealed text in again, since
//! no answer came, hears that it is there.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::relay::{Choice, State, Way, choose};
use doorcode_core::seal::PublicKey;
use doorcode_core::time::DAY;
use doorcode_core::{Error, RelayId, Result, Timestamp, hex};
use serde_json::json;

use super::known::{Name, all_new};
use super::{candidate, happened, rivals, tell, whose};
use crate::app::App;
use crate::ops::audit;
use crate::ops::devices::COLLECTOR;
use crate::store::devices::Device;
use crate::store::meters::{self, Meter};
use crate::store::relays::{self as rows, Received, Relay};
use crate::store::{Tx, events};

/// For how long a message is known, so that it is taken once.
pub(super) const KNOWN: Duration = Duration::from_secs(30 * 86_400);

/// What a device hands in.
pub struct Handed {
    /// The code, sealed to the agent's key: the bare text, or in the envelope of AgentOTP's clients.
    pub payload: String,
    /// `sms`, `email` or `whatsapp`.
    pub source: &'static str,
    /// What tells the message from others, as the device knows it: its id, its body.
    pub messages: Vec<String>,
    /// The domain that the device has verified the sender for.
    pub verified: Option<String>,
    /// The forwarder on whose word it has.
    pub forwarder: Option<String>,
    /// What the message is about, where its owner must be asked once more: `reset`, `payment` or `device`.
    pub about: Option<&'static str>,
}

/// Takes it.
pub async fn receive(app: &Arc<App>, device: &Device, id: RelayId, handed: Handed) -> Result<()> {
    let (now, event, unit_app) = (app.clock.now(), app.entropy.id(app.clock.now())?, Arc::clone(app));
    let (owner, device_id) = (device.owner, device.id);
    let capture = if device.kind == COLLECTOR { Way::Collector } else { Way::Device };
    let ring = app.keys.ring();
    // A collector sends the digest that this server makes of a mail's id, as digits; other devices whatever they have.
    let name = |message: &String| match hex::decode_exact::<16>(message) {
        Some(digest) => Name::new(&ring, &owner, &digest),
        None => Name::new(&ring, &owner, message.as_bytes()),
    };
    let names: Vec<Name> = handed.messages.iter().map(name).collect();
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            // All of them, so that none that could take the same message is said yes to meanwhile.
            let live = rows::hold_live(tx, &owner, now, super::LIVE_MOST).await?;
            let relay = rows::hold(tx, &id).await?.filter(|relay| relay.owner == owner).ok_or(Error::NotFound)?;
            let payload = PublicKey::parse(&relay.public_key)?.unwrap_envelope(&handed.payload)?;
            if is_there(tx, &relay, payload.as_str(), now).await? {
                return Ok(None);
            }
            may_take(tx, &unit_app, &relay, &live, now).await?;
            if !all_new(tx, &names, now).await? {
                return Err(Error::Conflict("this message was handed in before"));
            }
            let received = Received {
                payload: payload.as_str(),
                source: handed.source,
                capture,
                readable: false,
                sender_domain: handed.verified.as_deref(),
                verdict: if handed.verified.is_some() { "verified" } else { "unverified" },
                forwarder: handed.forwarder.as_deref(),
                spf: None,
            };
            if !put(tx, &unit_app, &id, &received, handed.about, now).await? {
                return Err(closed(&relay, now));
            }
            let told = if handed.about.is_some() { events::Kind::RelayHeld } else { events::Kind::RelayReceived };
            events::append(tx, &event, &relay.org, told, id.as_bytes()).await?;
            let said = json!({
                "device": device_id.to_string(), "source": handed.source, "capture": capture.as_str(), "readable": false,
                "verdict": received.verdict, "forwarder": handed.forwarder, "about": handed.about,
            });
            audit::note(tx, &unit_app, whose(&relay), happened("otp_receive", "device", &relay, said), now).await?;
            Ok(Some(relay))
        })
    });
    if let Some(relay) = unit.await? {
        tell(app, &relay);
    }
    Ok(())
}

/// Whether this very sealed text waits there. Nobody seals two alike, so it is the same once more.
async fn is_there(tx: &mut Tx<'_>, relay: &Relay, payload: &str, now: Timestamp) -> Result<bool> {
    let waits = match relay.standing.at(now) {
        State::OtpReceived => true,
        State::Approved => relay.held.is_some(),
        _ => false,
    };
    if !waits {
        return Ok(false);
    }
    Ok(rows::payload(tx, &relay.id).await?.is_some_and(|(there, _)| there == payload))
}

/// Puts a sealed code where the agent reads it, or, for some kinds of messages, where its owner is asked once more.
pub(super) async fn put(
    tx: &mut Tx<'_>,
    app: &App,
    id: &RelayId,
    received: &Received<'_>,
    about: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    match about {
        Some(about) => rows::hold_back(tx, id, received, about, now).await,
        None => rows::receive(tx, id, received, now.plus(app.config.relay.keep), now).await,
    }
}

/// Whether a message that fits it would go to this request, and not too many were handed in today.
async fn may_take(tx: &mut Tx<'_>, app: &App, relay: &Relay, live: &[Relay], now: Timestamp) -> Result<()> {
    if relay.standing.at(now) != State::Approved {
        return Err(closed(relay, now));
    }
    if relay.stopped {
        return Err(Error::Conflict("its owner has stopped this agent's requests"));
    }
    let mut candidates = vec![candidate(relay)];
    candidates.extend(rivals(relay, live, now).map(candidate));
    match choose(&candidates) {
        Choice::One(_) if candidates.len() == 1 || relay.chosen => {}
        _ => return Err(Error::Conflict("another agent waits for the same message: its owner has to choose first")),
    }
    spend(tx, app, relay, now).await
}

/// One of the codes that a person may be handed in a day.
pub(super) async fn spend(tx: &mut Tx<'_>, app: &App, relay: &Relay, now: Timestamp) -> Result<()> {
    let day = Meter {
        id: fingerprint("relay captures", &[relay.owner.as_bytes()]),
        span: DAY,
        limit: app.config.relay.captures_day,
    };
    if meters::spend(tx, &[day], now).await?.is_some() {
        let retry_after = meters::retry_after(tx, &day, now).await?;
        return Err(Error::Limited { rule: "codes of a person", retry_after });
    }
    Ok(())
}

/// Why it takes nothing.
fn closed(relay: &Relay, now: Timestamp) -> Error {
    match relay.standing.at(now) {
        State::Expired => Error::Gone,
        State::PendingApproval => Error::Conflict("the request is not approved"),
        State::OtpReceived | State::Consumed => Error::Conflict("a code was already received"),
        _ => Error::Conflict("the request is over"),
    }
}
