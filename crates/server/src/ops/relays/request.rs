//! An agent asks. Refuses more questions than a person can be asked, weak keys, a wish for messages from before the question, and what the
//! person's rules for the agent do not let it ask; that is kept as a request that was denied.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::content::{self, ContentPattern};
use doorcode_core::fingerprint::fingerprint;
use doorcode_core::reason::Reason;
use doorcode_core::relay::fit::Wanted;
use doorcode_core::relay::rules::{Asked, Rules, Ruling};
use doorcode_core::relay::{LIFE_MOST, Named as _, Standing, State, Way};
use doorcode_core::seal::{Context, PublicKey};
use doorcode_core::time::DAY;
use doorcode_core::{Error, Result, Secret, Timestamp, line};
use serde_json::json;

use super::identity::{Identity, Proved};
use super::{Asking, happened, tell};
use crate::app::App;
use crate::ops::audit;
use crate::store::agents::Agent;
use crate::store::meters::{self, Meter};
use crate::store::relays::{self as rows, Received, Relay};
use crate::store::{Tx, agents, audit as records, events};

/// The longest sender and pattern of senders, in characters.
const SENDER_MOST: usize = 255;
/// The longest pattern of a message, in characters.
const PATTERN_MOST: usize = 500;
/// What is counted, as whoever asks too much is told.
const PROMPTS: &str = "questions that wait for their owner";
const LIVE: &str = "requests to this person that are not over";
/// Digits of a made-up code.
const TEST_DIGITS: u64 = 1_000_000;

/// What is asked for.
#[derive(Clone)]
pub struct Ask {
    /// Why, in the agent's words.
    pub reason: String,
    /// What the code is to be sealed to.
    pub public_key: String,
    /// What the agent's identity says of it.
    pub identity: Option<Identity>,
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
        if long(&self.sender, SENDER_MOST) {
            return Err(Error::Invalid { field: "expectedSender", why: "must have at most 255 characters" });
        }
        if self.sender.as_deref().is_some_and(is_disguised) {
            return Err(Error::Invalid { field: "expectedSender", why: "must have no characters that nobody sees" });
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
        let (pattern, any_time) = (self.sender_pattern.as_deref(), (Timestamp::from_millis(0), false));
        Wanted::read(self.sources, pattern, self.sender.as_deref(), None, any_time)?;
        self.content_pattern.as_deref().map(ContentPattern::parse).transpose()?;
        PublicKey::parse(&self.public_key)
    }
}

/// Whether a name would not be read as it stands there: it is shown as the sender, beside what the server knows.
fn is_disguised(name: &str) -> bool {
    let words = name.split_whitespace().collect::<Vec<_>>().join(" ");
    line::clean(name, SENDER_MOST).unwrap_or_default() != words
}

/// Asks a person, through their page, for the next code.
pub async fn request(app: &Arc<App>, asking: &Asking, ask: Ask) -> Result<Relay> {
    let key = ask.judge()?;
    let now = app.clock.now();
    let proved = Proved::of(&ask, &asking.agent.id, &key, now)?;
    let asked_of = ask.sources;
    let mut relay = draft(app, asking, ask, &key, now)?;
    relay.key_signature = proved.as_ref().map(|proved| proved.kept.clone());
    let made_up = if asking.test { Some(made_up(app, &relay, &key)?) } else { None };
    let (events, unit_app) = ([app.entropy.id(now)?, app.entropy.id(now)?], Arc::clone(app));
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let agent = may_ask(tx, &unit_app, &relay, now).await?;
            let too_many = |rule| Ok(Err(Error::Limited { rule, retry_after: unit_app.config.relay.approve_within }));
            if rows::count_live(tx, &relay.owner, now).await? >= i64::from(unit_app.config.relay.live) {
                return too_many(LIVE);
            }
            if !relay.test {
                let pinned = match Proved::judge(agent.identity.as_deref(), proved.as_ref()) {
                    Ok(pinned) => pinned,
                    Err(refused) => return Ok(Err(refused)),
                };
                if let Some(proved) = &proved
                    && let Err(refused) = proved.is_fresh(tx).await?
                {
                    return Ok(Err(refused));
                }
                if !rule(tx, &unit_app, &agent, &mut relay, (asked_of, pinned), now).await? {
                    return too_many(PROMPTS);
                }
                if let Some(proved) = &proved {
                    proved.take(tx).await?;
                }
            }
            rows::insert(tx, &relay).await?;
            for (event, what) in events.iter().zip(told(&relay)) {
                events::append(tx, event, &relay.org, what, relay.id.as_bytes()).await?;
            }
            record(tx, &unit_app, &relay, now).await?;
            if let Some(payload) = &made_up {
                put_made_up(tx, &unit_app, &relay, payload, now).await?;
            }
            rows::get(tx, &relay.id).await?.ok_or(Error::NotFound).map(Ok)
        })
    });
    // What was refused for being too much, or for its statement, is an outcome of the unit and no error of it: so that it stays counted.
    let relay = unit.await??;
    tell(app, &relay);
    if relay.standing.state == State::PendingApproval {
        // Nobody may listen: then no browser is told, and the page says it all the same.
        drop(app.asked.send((relay.owner, relay.id)));
    }
    Ok(relay)
}

/// The request as it is before anybody has judged it.
fn draft(app: &App, asking: &Asking, ask: Ask, key: &PublicKey, now: Timestamp) -> Result<Relay> {
    let whose = asking.whose();
    let standing = Standing {
        state: if asking.test { State::Approved } else { State::PendingApproval },
        approve_until: now.plus(app.config.relay.approve_within),
        expires_at: now.plus(ask.life),
        kept_until: None,
    };
    let words = (Reason::parse(&ask.reason)?.as_str().to_owned(), key.encode()?);
    Ok(Relay {
        sources: Rules::default().sources(ask.sources),
        sender: ask.sender,
        sender_pattern: ask.sender_pattern,
        content_pattern: ask.content_pattern,
        received_after: Some(ask.received_after.map_or(now, |after| after.max(now))),
        origin: ask.origin,
        test: asking.test,
        decided_by: asking.test.then(|| "auto".to_owned()),
        decided_at: asking.test.then_some(now),
        ..Relay::new(app.entropy.id(now)?, (whose.org, asking.agent.id, whose.owner), standing, words)
    })
}

/// Holds a request against its owner's rules for the agent: it is denied or approved at once, or they are asked. False: they are asked as
/// much as they may be.
async fn rule(
    tx: &mut Tx<'_>,
    app: &App,
    agent: &Agent,
    relay: &mut Relay,
    (asked_of, proved): (i64, bool),
    now: Timestamp,
) -> Result<bool> {
    let rules = agent.rules.as_deref().map(Rules::parse).transpose()?.unwrap_or_default();
    relay.sources = rules.sources(asked_of);
    let content = relay.content_pattern.is_some();
    let asked = Asked { sources: asked_of, sender: relay.sender_pattern.as_deref(), content, proved };
    let ruling = rules.judge(&asked, now);
    let state = match ruling {
        Ruling::Refuse(why) => {
            (relay.denial, relay.ended_at) = (Some(why.to_owned()), Some(now));
            State::Denied
        }
        Ruling::Approve(per_day) if spend_auto(tx, agent, per_day, now).await? => State::Approved,
        _ => {
            let pending = rows::pending(tx, &relay.owner, &relay.agent, now).await?;
            return Ok(pending < i64::from(app.config.relay.prompts));
        }
    };
    relay.standing.state = state;
    (relay.decided_by, relay.decided_at) = (Some("auto".to_owned()), Some(now));
    Ok(true)
}

/// Takes one of the day's approvals without the owner. False: there are none left.
async fn spend_auto(tx: &mut Tx<'_>, agent: &Agent, per_day: u32, now: Timestamp) -> Result<bool> {
    let day = Meter { id: fingerprint("relay auto", &[agent.id.as_bytes()]), span: DAY, limit: per_day };
    Ok(meters::spend(tx, &[day], now).await?.is_none())
}

/// The kinds of events that a new request is.
fn told(relay: &Relay) -> impl Iterator<Item = events::Kind> {
    let decided = match relay.standing.state {
        State::Denied => Some(events::Kind::RelayDenied),
        State::Approved => Some(events::Kind::RelayApproved),
        _ => None,
    };
    [events::Kind::RelayRequested].into_iter().chain(decided)
}

/// Notes the request in its owner's record, and what was said to it at once.
async fn record(tx: &mut Tx<'_>, app: &App, relay: &Relay, now: Timestamp) -> Result<()> {
    let said = json!({
        "reason": relay.reason, "sender": relay.sender, "senderPattern": relay.sender_pattern,
        "contentPattern": relay.content_pattern.as_deref().map(content::shown), "origin": relay.origin, "test": relay.test,
    });
    audit::note(tx, app, super::whose(relay), happened("otp_request", "agent", relay, said), now).await?;
    let (kind, said) = match relay.standing.state {
        State::Denied => ("otp_deny", json!({ "by": "rules", "reason": relay.denial })),
        State::Approved => ("otp_approve", json!({ "by": if relay.test { "test key" } else { "rules" } })),
        _ => return Ok(()),
    };
    audit::note(tx, app, super::whose(relay), happened(kind, "server", relay, said), now).await
}

/// Whether the agent may ask now: it was not stopped, nor was everything, and it does not ask too often.
async fn may_ask(tx: &mut Tx<'_>, app: &App, relay: &Relay, now: Timestamp) -> Result<Agent> {
    let agent = agents::get(tx, &relay.org, &relay.agent).await?.filter(|agent| agent.removed_at.is_none());
    let agent = agent.ok_or(Error::Unauthenticated)?;
    // Held: of two that come at once the second counts the first.
    let owner = records::hold(tx, &relay.org, &relay.owner).await?;
    if agent.blocked_at.is_some() || agent.paused_at.is_some() || owner.paused_at.is_some() {
        return Err(Error::Forbidden);
    }
    let minute = Meter {
        id: fingerprint("relay requests", &[relay.agent.as_bytes()]),
        span: Duration::from_secs(60),
        limit: app.config.relay.agent_minute,
    };
    if meters::spend(tx, &[minute], now).await?.is_some() {
        let retry_after = meters::retry_after(tx, &minute, now).await?;
        return Err(Error::Limited { rule: "requests of an agent", retry_after });
    }
    Ok(agent)
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

/// It is there at once.
async fn put_made_up(tx: &mut Tx<'_>, app: &App, relay: &Relay, payload: &str, now: Timestamp) -> Result<()> {
    let received = Received {
        payload,
        source: "email",
        capture: Way::Test,
        readable: true,
        sender_domain: None,
        verdict: "unverified",
        forwarder: None,
        spf: None,
    };
    rows::receive(tx, &relay.id, &received, now.plus(app.config.relay.keep), now).await.map(drop)
}
