//! An agent asks. Refuses more questions than a person can be asked, weak keys, and a wish for messages from before the question.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::relay::{LIFE_MOST, Named as _, REASON_MOST, Standing, State};
use doorcode_core::seal::{Context, PublicKey};
use doorcode_core::{Error, Result, Secret, Timestamp};
use serde_json::json;

use super::{Asking, happened, tell};
use crate::app::App;
use crate::ops::audit;
use crate::ops::sign_in::clean_name;
use crate::store::meters::{self, Meter};
use crate::store::relays::{self as rows, Received, Relay};
use crate::store::{Tx, agents, audit as records, events};

/// The longest sender and pattern of senders, in characters.
const SENDER_MOST: usize = 255;
/// The longest pattern of a message, in characters.
const PATTERN_MOST: usize = 500;
/// Digits of a made-up code.
const TEST_DIGITS: u64 = 1_000_000;

/// What is asked for.
#[derive(Clone)]
pub struct Ask {
    /// Why, in the agent's words.
    pub reason: String,
    /// What the code is to be sealed to.
    pub public_key: String,
    /// The agent's identity over it, as JSON.
    pub key_signature: Option<String>,
    /// Where the code may come from.
    pub sources: i64,
    /// What the sender is called.
    pub sender: Option<String>,
    /// Whose messages may hold it.
    pub sender_pattern: Option<String>,
    /// What the message must look like.
    pub content_pattern: Option<String>,
    /// Messages from before are not meant.
    pub received_after: Option<Timestamp>,
    /// How long it lives.
    pub life: Duration,
    /// From where it is asked.
    pub origin: String,
}

impl Ask {
    fn judge(&self) -> Result<PublicKey> {
        let long = |text: &Option<String>, most| text.as_ref().is_some_and(|text| text.chars().count() > most);
        let length = self.reason.chars().count();
        if !(1..=REASON_MOST).contains(&length) || clean_name(&self.reason).is_none() {
            return Err(Error::Invalid { field: "reason", why: "must have 1 to 500 characters" });
        }
        if long(&self.sender, SENDER_MOST) {
            return Err(Error::Invalid { field: "expectedSender", why: "must have at most 255 characters" });
        }
        if long(&self.sender_pattern, SENDER_MOST) {
            return Err(Error::Invalid { field: "filter.senderPattern", why: "must have at most 255 characters" });
        }
        if long(&self.content_pattern, PATTERN_MOST) {
            return Err(Error::Invalid { field: "filter.contentPattern", why: "must have at most 500 characters" });
        }
        if self.life < Duration::from_secs(1) || self.life > LIFE_MOST {
            return Err(Error::Invalid { field: "ttl", why: "must be from 1 to 3600 seconds" });
        }
        PublicKey::parse(&self.public_key)
    }
}

/// Asks a person, through their page, for the next code.
pub async fn request(app: &Arc<App>, asking: &Asking, ask: Ask) -> Result<Relay> {
    let key = ask.judge()?;
    let now = app.clock.now();
    let whose = asking.whose();
    let expires_at = now.plus(ask.life);
    let relay = Relay {
        id: app.entropy.id(now)?,
        org: whose.org,
        agent: asking.agent.id,
        owner: whose.owner,
        standing: Standing {
            state: if asking.test { State::Approved } else { State::PendingApproval },
            approve_until: now.plus(app.config.relay.approve_within),
            expires_at,
            kept_until: None,
        },
        reason: ask.reason,
        public_key: key.encode()?,
        key_signature: ask.key_signature,
        sources: if ask.sources == 0 { super::SOURCES.iter().map(|(bit, _)| bit).sum() } else { ask.sources },
        sender: ask.sender,
        sender_pattern: ask.sender_pattern,
        content_pattern: ask.content_pattern,
        received_after: Some(ask.received_after.map_or(now, |after| after.max(now))),
        origin: ask.origin,
        test: asking.test,
        chosen: false,
        decided_by: asking.test.then(|| "auto".to_owned()),
        decided_at: asking.test.then_some(now),
        denial: None,
        source: None,
        capture: None,
        readable: None,
        sender_domain: None,
        verdict: None,
        received_at: None,
        ended_at: None,
    };
    let made_up = if asking.test { Some(made_up(app, &relay, &key)?) } else { None };
    let (event, unit_app, unit_relay) = (app.entropy.id(now)?, Arc::clone(app), relay.clone());
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            allow(tx, &unit_app, &unit_relay, now).await?;
            rows::insert(tx, &unit_relay).await?;
            events::append(tx, &event, &unit_relay.org, "relay.requested", unit_relay.id.as_bytes()).await?;
            let said = json!({
                "reason": unit_relay.reason, "sender": unit_relay.sender, "senderPattern": unit_relay.sender_pattern,
                "origin": unit_relay.origin, "test": unit_relay.test,
            });
            audit::note(tx, &unit_app, whose, happened("otp_request", "agent", &unit_relay, said), now).await?;
            if let Some(payload) = &made_up {
                let received = Received {
                    payload,
                    source: "email",
                    capture: "test",
                    readable: true,
                    sender_domain: None,
                    verdict: "unverified",
                };
                let kept = now.plus(unit_app.config.relay.keep);
                rows::receive(tx, &unit_relay.id, &received, kept, now).await?;
            }
            Ok(())
        })
    });
    unit.await?;
    tell(app, &relay);
    if !relay.test {
        // Nobody may listen: then no browser is told, and the page says it all the same.
        drop(app.asked.send(relay.id));
    }
    super::show(app, super::Viewer::Agent(&relay.agent), relay.id).await.map(|shown| shown.relay)
}

/// Whether the agent may ask now: it was not stopped, nor was everything, and it does not ask too much.
async fn allow(tx: &mut Tx<'_>, app: &App, relay: &Relay, now: Timestamp) -> Result<()> {
    let agent = agents::get(tx, &relay.org, &relay.agent).await?.filter(|agent| agent.removed_at.is_none());
    let agent = agent.ok_or(Error::Unauthenticated)?;
    let owner = records::owner(tx, &relay.owner).await?;
    if agent.blocked_at.is_some() || agent.paused_at.is_some() || owner.paused_at.is_some() {
        return Err(Error::Forbidden);
    }
    let settings = &app.config.relay;
    let minute = Meter {
        id: fingerprint("relay requests", &[relay.agent.as_bytes()]),
        span: Duration::from_secs(60),
        limit: settings.agent_minute,
    };
    if meters::spend(tx, &[minute], now).await?.is_some() {
        let retry_after = meters::retry_after(tx, &minute, now).await?;
        return Err(Error::Limited { rule: "requests of an agent", retry_after });
    }
    let pending = rows::pending(tx, &relay.owner, &relay.agent, now).await?;
    if !relay.test && pending >= i64::from(settings.prompts) {
        return Err(Error::Limited {
            rule: "questions that wait for their owner",
            retry_after: settings.approve_within,
        });
    }
    Ok(())
}

/// A code that nobody was sent, for who tries things out.
fn made_up(app: &App, relay: &Relay, key: &PublicKey) -> Result<String> {
    let number = u64::from_be_bytes(app.entropy.bytes()?) % TEST_DIGITS;
    let code = Secret::new(format!("{number:06}"));
    let (request, agent) = (relay.id.shown(), relay.agent.shown());
    let context = Context { request: &request, agent: &agent, sender: "", expires_at: relay.standing.expires_at };
    let sealed = key.seal(&code, &context, Secret::new(app.entropy.bytes()?))?;
    Ok(sealed.into_string())
}
