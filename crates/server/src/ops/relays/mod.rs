//! An agent's request for a person's code: asked, said yes or no to, found, read once. Refuses an agent the word of its owner, a
//! device the requests of anybody else, and everybody a code in the clear.

mod approver;
mod decide;
mod expire;
mod identity;
mod known;
mod own;
mod owner;
mod read;
mod receive;
mod request;
mod rooms;
pub mod senders;
mod take;
mod tickets;
mod turned_away;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use doorcode_core::relay::Candidate;
use doorcode_core::relay::fit::Wanted;
use doorcode_core::sender::Specificity;
use doorcode_core::ticket::Eye;
use doorcode_core::{AgentId, Error, RelayId, Result, Timestamp, UserId};

use super::audit::{Happened, Whose};
use crate::app::App;
use crate::store::agents::{self, Agent};
use crate::store::devices::Device;
use crate::store::relays::{self as rows, Relay};

pub use approver::{Approver, By, in_person, only_member, signed_in};
pub(super) use decide::{CHANGES, spend};
pub use decide::{Decided, Word, choose, decide, let_unverified};
pub use doorcode_core::relay::{SOURCES, Yes};
pub use expire::{expire, expire_all};
pub use identity::Identity;
pub use known::{all_new, any_known, names};
pub use owner::{pause, set_senders, settings};
pub use read::{Consumed, cancel, consume};
pub use receive::{Handed, receive};
pub use request::{Ask, request};
pub use rooms::{Room, Rooms, Seen, Topic};
pub use take::{Incoming, Taken, about, take};
pub use tickets::{LIFE as TICKET_LIFE, issue, redeem};
pub use turned_away::{FORGED, TURNED_AWAY, UNVERIFIED, note_turned_away, turned_away};

/// Requests of one person that are looked at together.
const LIVE_MOST: i64 = 500;

/// What a message may be about so that its owner is asked once more before an agent has the code of it.
pub const ABOUT: [&str; 3] = ["reset", "payment", "device"];

/// An agent that calls.
#[derive(Clone)]
pub struct Asking {
    /// It.
    pub agent: Agent,
    /// It tries things out.
    pub test: bool,
}

impl Asking {
    /// Whose codes it may ask for.
    pub fn whose(&self) -> Whose {
        Whose { org: self.agent.org, owner: self.agent.owner }
    }
}

/// A request with the name of whoever asked.
pub struct Shown {
    /// It.
    pub relay: Relay,
    /// What its owner calls the agent.
    pub agent_name: String,
}

/// Who looks.
pub enum Viewer<'a> {
    /// The agent that asked.
    Agent(&'a AgentId),
    /// The person whose code it is, or a device of theirs.
    Owner(&'a UserId),
    /// This server itself, on behalf of its owner.
    Server,
}

impl<'a> From<&'a Eye> for Viewer<'a> {
    fn from(eye: &'a Eye) -> Self {
        match eye {
            Eye::Agent(id) => Self::Agent(id),
            Eye::Owner(id) => Self::Owner(id),
        }
    }
}

impl Viewer<'_> {
    fn sees(&self, relay: &Relay) -> bool {
        match self {
            Self::Agent(agent) => relay.agent == **agent,
            Self::Owner(owner) => relay.owner == **owner,
            Self::Server => true,
        }
    }
}

/// A request, to whoever may see it.
pub async fn show(app: &App, viewer: Viewer<'_>, id: RelayId) -> Result<Shown> {
    let found = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                let Some(relay) = rows::get(tx, &id).await? else { return Ok(None) };
                let agent = agents::get(tx, &relay.org, &relay.agent).await?;
                Ok(agent.map(|agent| Shown { relay, agent_name: agent.name }))
            })
        })
        .await?;
    found.filter(|shown| viewer.sees(&shown.relay)).ok_or(Error::NotFound)
}

/// A person's requests that wait for something, oldest first.
pub async fn live(app: &App, owner: UserId) -> Result<Vec<Shown>> {
    let now = app.clock.now();
    let look = app.db.read(move |tx| {
        Box::pin(async move {
            let found = rows::live(tx, &owner, now, LIVE_MOST).await?;
            named(tx, found).await
        })
    });
    look.await
}

/// A person's requests before one, the newest first.
pub async fn history(app: &App, owner: UserId, before: Option<RelayId>, most: i64) -> Result<Vec<Shown>> {
    let before = before.unwrap_or(RelayId::from_bytes([0xff; 16]));
    let look = app.db.read(move |tx| {
        Box::pin(async move {
            let found = rows::of_owner(tx, &owner, &before, most).await?;
            named(tx, found).await
        })
    });
    look.await
}

/// An agent's requests before one, the newest first.
pub async fn of_agent(app: &App, agent: AgentId, before: Option<RelayId>, most: i64) -> Result<Vec<Relay>> {
    let before = before.unwrap_or(RelayId::from_bytes([0xff; 16]));
    app.db.read(move |tx| Box::pin(async move { rows::of_agent(tx, &agent, &before, most).await })).await
}

async fn named(tx: &mut crate::store::Tx<'_>, relays: Vec<Relay>) -> Result<Vec<Shown>> {
    let mut names: HashMap<AgentId, String> = HashMap::new();
    let mut shown = Vec::with_capacity(relays.len());
    for relay in relays {
        let agent_name = match names.entry(relay.agent) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => {
                let agent = agents::get(tx, &relay.org, &relay.agent).await?;
                place.insert(agent.map_or_else(String::new, |agent| agent.name)).clone()
            }
        };
        shown.push(Shown { relay, agent_name });
    }
    Ok(shown)
}

/// What a device hands messages in for: its owner's approved requests.
pub async fn awaited(app: &App, device: &Device, source: Option<i64>) -> Result<Vec<Shown>> {
    let now = app.clock.now();
    let mut live = live(app, device.owner).await?;
    live.retain(|shown| shown.relay.waits(now) && source.is_none_or(|source| shown.relay.sources & source != 0));
    Ok(live)
}

/// An approved request as one that a message may go to.
fn candidate(relay: &Relay) -> Candidate {
    Candidate {
        relay: relay.id,
        agent: relay.agent,
        specificity: wanted(relay).map_or(Specificity::ANY, |wanted| wanted.specificity()),
        approved_at: relay.decided_at.unwrap_or(Timestamp::from_millis(0)),
        chosen: relay.chosen,
    }
}

/// A request as messages are matched with it. Its patterns were judged when it was made.
fn wanted(relay: &Relay) -> Result<Wanted> {
    let after = relay.received_after.unwrap_or(relay.id.made_at());
    let (pattern, content) = (relay.sender_pattern.as_deref(), relay.content_pattern.as_deref());
    Wanted::read(relay.sources, pattern, relay.sender.as_deref(), content, (after, relay.unverified))
}

/// Whether one message could be meant by both.
fn overlap(one: &Relay, other: &Relay) -> bool {
    match (wanted(one), wanted(other)) {
        (Ok(one), Ok(other)) => one.overlaps(&other),
        // Nobody knows: their owner is asked.
        _ => true,
    }
}

/// Whether two requests that wait are of two agents and one message could be meant by both.
pub fn contest(one: &Relay, other: &Relay) -> bool {
    one.agent != other.agent && overlap(one, other)
}

/// Of a person's requests those of other agents that wait for a message which could be meant by this one.
fn rivals<'a>(relay: &'a Relay, live: &'a [Relay], now: Timestamp) -> impl Iterator<Item = &'a Relay> {
    live.iter().filter(move |other| other.waits(now) && contest(relay, other))
}

/// Whoever waits for news of a request hears that there is some: its watchers, its agent's, its owner's.
fn tell(app: &Arc<App>, relay: &Relay) {
    app.call(relay.id);
    app.call(relay.agent);
    app.call(relay.owner);
}

fn happened(kind: &'static str, actor: &'static str, relay: &Relay, details: serde_json::Value) -> Happened {
    Happened { kind, actor, agent: Some(relay.agent), relay: Some(relay.id), details }
}

fn whose(relay: &Relay) -> Whose {
    Whose { org: relay.org, owner: relay.owner }
}
