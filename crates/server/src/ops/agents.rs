//! Agents: made, named, ruled, given keys and removed by the person whose codes they may ask for. Refuses an owner who is not the one that
//! asks, and to show a key twice.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::relay::State;
use doorcode_core::seal::IdentityKey;
use doorcode_core::{AgentId, CredentialId, Email, Error, OrgId, RelayId, Result, Secret, Timestamp, UserId};
use serde_json::json;

use super::audit::{self, Happened, Whose};
use super::credentials::{self, mint};
use super::idempotency::{self, Once};
use super::relays::{CHANGES, spend};
use super::sign_in::clean_name;
use crate::app::{App, target_of};
use crate::store::agents::{self as rows, Agent, Change, Stop};
use crate::store::credentials::{self as credential_rows, Credential, Kind};
use crate::store::{Tx, events, identities, relays, users};

/// What an agent's key may do.
pub const SCOPE: &str = "relay";
/// The longest description, in characters.
const DESCRIPTION_MOST: usize = 500;
/// Agents of one person.
pub const AGENTS_MOST: i64 = 100;
/// Living keys of one agent: a rotation with grace has two.
const KEYS_MOST: usize = 10;

/// An agent that is to be.
pub struct Wanted {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether its key only tries things out.
    pub test: bool,
    /// The key that signs its requests' keys.
    pub identity: Option<IdentityKey>,
}

/// An agent with a key that is shown once.
pub struct NewAgent {
    /// It.
    pub agent: Agent,
    /// Its key's id.
    pub key_id: CredentialId,
    /// Its key.
    pub key: Secret<String>,
}

/// Makes an agent of a person.
pub async fn create(app: &Arc<App>, whose: Whose, wanted: Wanted, once: Option<Once>) -> Result<NewAgent> {
    let now = app.clock.now();
    let agent = Agent {
        org: whose.org,
        id: app.entropy.id(now)?,
        owner: whose.owner,
        name: clean_name(&wanted.name).ok_or(Error::Invalid { field: "name", why: "must not be empty" })?,
        description: described(wanted.description.as_deref())?,
        identity: wanted.identity.map(|key| key.encode()),
        rules: None,
        paused_at: None,
        blocked_at: None,
        removed_at: None,
    };
    let kind = if wanted.test { Kind::TestAgentKey } else { Kind::AgentKey };
    let minted = mint(app, kind, SCOPE, (app.entropy.id(now)?, app.entropy.bytes()?));
    let (event, unit_app) = (app.entropy.id(now)?, Arc::clone(app));
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            if let Some((id, key)) = idempotency::replay::<(String, String)>(tx, once.as_ref(), now).await? {
                let agent = own(tx, whose, &id.parse()?).await.map_err(gone)?;
                let key = credential_rows::get(tx, &whose.org, &key.parse()?).await?;
                let key = key.ok_or(Error::NotFound).map_err(gone)?;
                return Ok((agent, key));
            }
            users::get(tx, &whose.org, &whose.owner).await?.ok_or(Error::NotFound)?;
            spend(tx, &unit_app, &whose.owner, CHANGES, now).await?;
            let there = rows::of_owner(tx, &whose.owner, &AgentId::from_bytes([0; 16]), AGENTS_MOST).await?;
            if there.len() as i64 >= AGENTS_MOST {
                return Err(Error::Conflict("a person has a hundred agents at most; remove one"));
            }
            rows::insert(tx, &agent).await?;
            let minted = minted.named(Some(agent.name.clone()), None).of(Some(whose.owner));
            let key = minted.acting_as(*agent.id.as_bytes()).put(tx, whose.org).await?;
            events::append(tx, &event, &whose.org, events::Kind::AgentCreated, agent.id.as_bytes()).await?;
            let mut said = json!({ "name": agent.name, "test": wanted.test });
            if let Some(identity) = &agent.identity {
                said["identity"] = identity.as_str().into();
            }
            let what = happened("agent_create", agent.id, said);
            audit::note(tx, &unit_app, whose, what, now).await?;
            idempotency::keep(tx, once.as_ref(), &(agent.id.to_string(), key.id.to_string())).await?;
            Ok((agent, key))
        })
    });
    let (agent, key) = unit.await?;
    Ok(NewAgent { agent, key_id: key.id, key: credentials::reveal(app, &key)? })
}

/// What a named request made before, and somebody has removed since.
fn gone(error: Error) -> Error {
    match error {
        Error::NotFound => Error::Conflict("the agent that this request made is gone"),
        other => other,
    }
}

/// What an agent is for, as it is kept.
fn described(text: Option<&str>) -> Result<Option<String>> {
    if text.is_some_and(|text| text.chars().count() > DESCRIPTION_MOST) {
        return Err(Error::Invalid { field: "description", why: "must have at most 500 characters" });
    }
    Ok(text.and_then(clean_name))
}

fn happened(kind: &'static str, agent: AgentId, details: serde_json::Value) -> Happened {
    Happened { kind, actor: "user", agent: Some(agent), relay: None, details }
}

/// A person's agent, if it is theirs and there.
async fn own(tx: &mut Tx<'_>, whose: Whose, id: &AgentId) -> Result<Agent> {
    let found = rows::get(tx, &whose.org, id).await?;
    found.filter(|agent| agent.owner == whose.owner && agent.removed_at.is_none()).ok_or(Error::NotFound)
}

/// A person's agents behind one, in the order in which they were made.
pub async fn list(app: &App, owner: UserId, after: AgentId, most: i64) -> Result<Vec<Agent>> {
    app.db.read(move |tx| Box::pin(async move { rows::of_owner(tx, &owner, &after, most).await })).await
}

/// A person's agent.
pub async fn show(app: &App, whose: Whose, id: AgentId) -> Result<Agent> {
    app.db.read(move |tx| Box::pin(async move { own(tx, whose, &id).await })).await
}

/// How an agent's keys begin, end and when they were last presented, without the keys.
pub async fn keys(app: &App, whose: Whose, id: AgentId) -> Result<Vec<Credential>> {
    let now = app.clock.now();
    app.db
        .read(move |tx| Box::pin(async move { credential_rows::of_subject(tx, &whose.org, id.as_bytes(), now).await }))
        .await
}

/// Gives an agent another name, and says what it is for.
pub async fn rename(
    app: &Arc<App>,
    whose: Whose,
    id: AgentId,
    name: Option<String>,
    description: Option<String>,
) -> Result<Agent> {
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let named = name.map(|name| clean_name(&name).ok_or(Error::Invalid { field: "name", why: "must not be empty" }));
    let (named, described) = (named.transpose()?, described(description.as_deref())?);
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let mut agent = own(tx, whose, &id).await?;
            spend(tx, &unit_app, &whose.owner, CHANGES, now).await?;
            agent.name = named.unwrap_or(agent.name);
            agent.description = described.or(agent.description);
            let change = Change::Named(&agent.name, agent.description.as_deref());
            rows::change(tx, &whose.org, &id, &whose.owner, &change).await?;
            let what = happened("agent_update", id, json!({ "name": agent.name }));
            audit::note(tx, &unit_app, whose, what, now).await?;
            Ok(agent)
        })
    });
    unit.await
}

/// What its owner does to an agent besides naming it.
#[derive(Clone)]
pub enum Step {
    /// It may not ask for a while, or may again.
    Pause(bool),
    /// It may not ask, or may again.
    Block(bool),
    /// The rules for it, as JSON that was read before.
    Rules(Option<String>),
    /// The key that signs its requests' keys.
    Identity(Option<IdentityKey>),
}

/// An identity as somebody writes it; nothing is none.
pub fn identity(text: &str) -> Result<Option<IdentityKey>> {
    let text = Some(text.trim()).filter(|text| !text.is_empty());
    text.map(IdentityKey::parse).transpose()
}

impl Step {
    /// An identity as somebody writes it, as a step.
    pub fn identity(text: &str) -> Result<Self> {
        identity(text).map(Self::Identity)
    }

    /// Which stop it sets or takes away.
    fn stop(&self) -> Option<(Stop, bool)> {
        match self {
            Self::Pause(on) => Some((Stop::Paused, *on)),
            Self::Block(on) => Some((Stop::Blocked, *on)),
            Self::Rules(_) | Self::Identity(_) => None,
        }
    }
}

/// How the unit of a step ended.
enum Came {
    /// It is done. Whether the agent was stopped so before, and what was taken back.
    Done(bool, Vec<RelayId>),
    /// It was stopped so already.
    Already,
    /// It would be stopped now, and that is not written down beside the keys.
    Unnoted,
}

/// Does it. That an agent is stopped is written down beside the keys first, and that it goes on again afterwards: whatever fails in between, no
/// restored database lets one go that was stopped. To stop one always goes, and one that is stopped twice is stopped once, which only the unit
/// can say: who lets it go at the same moment may be between any look and the unit. The rest is counted with the owner's words.
pub async fn change(app: &Arc<App>, whose: Whose, id: AgentId, step: Step) -> Result<()> {
    let (stop, before) = (step.stop(), show(app, whose, id).await?);
    let mut noted = false;
    let (was_stopped, ended, now) = loop {
        // The last word beside the keys is the one of the latest time.
        let now = app.clock.now();
        // Nothing is written for one that is stopped already: to say so again is not counted.
        if let Some((stop, true)) = stop
            && (noted || !before.is_stopped(stop))
        {
            credentials::note_stop(app, whose, id, (stop, true), now)?;
            noted = true;
        }
        let (unit_app, step) = (Arc::clone(app), step.clone());
        let unit = app
            .db
            .write(move |tx| Box::pin(async move { take_step(tx, &unit_app, (whose, id), &step, noted, now).await }));
        match unit.await? {
            Came::Done(was_stopped, ended) => break (was_stopped, ended, now),
            Came::Already => return Ok(()),
            Came::Unnoted => noted = true,
        }
    };
    ended.into_iter().for_each(|relay| app.call(relay));
    app.call(id);
    app.call(whose.owner);
    match stop {
        Some((stop, false)) if was_stopped => credentials::note_stop(app, whose, id, (stop, false), now),
        _ => Ok(()),
    }
}

async fn take_step(
    tx: &mut Tx<'_>,
    app: &App,
    (whose, id): (Whose, AgentId),
    step: &Step,
    noted: bool,
    now: Timestamp,
) -> Result<Came> {
    let (stop, before) = (step.stop(), own(tx, whose, &id).await?);
    let was_stopped = stop.is_some_and(|(stop, _)| before.is_stopped(stop));
    match stop {
        Some((_, true)) if was_stopped => return Ok(Came::Already),
        Some((_, true)) if !noted => return Ok(Came::Unnoted),
        Some((_, true)) => {}
        _ => spend(tx, app, &whose.owner, CHANGES, now).await?,
    }
    let identity = if let Step::Identity(key) = step { key.as_ref().map(IdentityKey::encode) } else { None };
    let (change, said) = match step {
        Step::Pause(on) => (Change::Paused(on.then_some(now)), json!({ "paused": on })),
        Step::Block(on) => (Change::Blocked(on.then_some(now)), json!({ "blocked": on })),
        Step::Rules(rules) => (Change::Rules(rules.as_deref()), json!({ "rules": rules })),
        Step::Identity(_) => (Change::Identity(identity.as_deref()), json!({ "identity": identity })),
    };
    if !rows::change(tx, &whose.org, &id, &whose.owner, &change).await? {
        return Err(Error::NotFound);
    }
    let ended = if matches!(step, Step::Block(true)) { take_back(tx, whose, &id, now).await? } else { Vec::new() };
    audit::note(tx, app, whose, happened("agent_update", id, said), now).await?;
    Ok(Came::Done(was_stopped, ended))
}

/// Ends what an agent has asked for and has no code of yet. Gives which those were.
async fn take_back(tx: &mut Tx<'_>, whose: Whose, id: &AgentId, now: Timestamp) -> Result<Vec<RelayId>> {
    let mut ended = Vec::new();
    for relay in relays::live(tx, &whose.owner, now, 1000).await? {
        if relay.agent == *id && relays::cancel(tx, &relay.id, id, now).await? {
            ended.push(relay.id);
        }
    }
    Ok(ended)
}

/// Removes an agent: its keys are dead at once.
pub async fn remove(app: &Arc<App>, whose: Whose, id: AgentId) -> Result<()> {
    let (now, event, unit_app) = (app.clock.now(), app.entropy.id(app.clock.now())?, Arc::clone(app));
    let agent = show(app, whose, id).await?;
    // Beside the master keys first, so that no restore brings one back.
    for key in keys(app, whose, id).await? {
        credentials::note_revocation(app, whose.org, key.id)?;
    }
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            if !rows::change(tx, &whose.org, &id, &whose.owner, &Change::Removed(now)).await? {
                return Err(Error::NotFound);
            }
            for key in credential_rows::of_subject(tx, &whose.org, id.as_bytes(), now).await? {
                credential_rows::revoke(tx, &whose.org, &key.id, now).await?;
            }
            // What it has asked for is nobody's any more.
            let ended = take_back(tx, whose, &id, now).await?;
            events::append(tx, &event, &whose.org, events::Kind::AgentRemoved, id.as_bytes()).await?;
            let what = happened("agent_delete", id, json!({ "name": agent.name }));
            audit::note(tx, &unit_app, whose, what, now).await?;
            Ok(ended)
        })
    });
    let ended = unit.await?;
    app.recent_keys.forget();
    ended.into_iter().for_each(|relay| app.call(relay));
    app.call(id);
    app.call(whose.owner);
    Ok(())
}

/// An agent's next key, and when those before it end.
pub struct Rotated {
    /// The agent with it.
    pub new: NewAgent,
    /// Until then they live.
    pub ends: Timestamp,
}

/// Makes an agent's next key. The old ones live on for `grace`. The same named request makes no further one, and ends none.
pub async fn rotate(app: &Arc<App>, whose: Whose, id: AgentId, grace: Duration, once: Option<Once>) -> Result<Rotated> {
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let agent = show(app, whose, id).await?;
    let old = keys(app, whose, id).await?;
    let asked = once.clone();
    let look = app.db.read(move |tx| Box::pin(async move { idempotency::is_known(tx, asked.as_ref(), now).await }));
    let ends = now.plus(grace);
    if !look.await? {
        if old.len() >= KEYS_MOST {
            return Err(Error::Conflict("this agent has ten living keys; let some end first"));
        }
        // Counted first: what is refused must not write down that the old ones end.
        let counted = Arc::clone(app);
        let count =
            app.db.write(move |tx| Box::pin(async move { spend(tx, &counted, &whose.owner, CHANGES, now).await }));
        count.await?;
        for key in old.iter().filter(|key| key.expires_at.is_none_or(|at| at > ends)) {
            credentials::note_end(app, whose.org, key.id, ends)?;
        }
    }
    let test = old.iter().any(|key| key.kind == Kind::TestAgentKey);
    let kind = if test { Kind::TestAgentKey } else { Kind::AgentKey };
    let minted = mint(app, kind, SCOPE, (app.entropy.id(now)?, app.entropy.bytes()?));
    let minted = minted.named(Some(agent.name.clone()), None).of(Some(whose.owner)).acting_as(*id.as_bytes());
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            own(tx, whose, &id).await?;
            if let Some((key, ends)) = idempotency::replay::<(String, i64)>(tx, once.as_ref(), now).await? {
                let key = credential_rows::get(tx, &whose.org, &key.parse()?).await?;
                return Ok((key.ok_or(Error::NotFound).map_err(gone)?, Timestamp::from_millis(ends)));
            }
            for key in credential_rows::of_subject(tx, &whose.org, id.as_bytes(), now).await? {
                credential_rows::end_at(tx, &whose.org, &key.id, ends).await?;
            }
            let key = minted.put(tx, whose.org).await?;
            let what = happened("agent_update", id, json!({ "rotated": true, "grace": grace.as_secs() }));
            audit::note(tx, &unit_app, whose, what, now).await?;
            idempotency::keep(tx, once.as_ref(), &(key.id.to_string(), ends.millis())).await?;
            Ok((key, ends))
        })
    });
    let (key, ends) = unit.await?;
    app.recent_keys.forget();
    Ok(Rotated { new: NewAgent { agent, key_id: key.id, key: credentials::reveal(app, &key)? }, ends })
}

/// How many of an agent's requests came to what.
pub async fn stats(app: &App, whose: Whose, id: AgentId) -> Result<Vec<(State, i64)>> {
    app.db
        .read(move |tx| {
            Box::pin(async move {
                own(tx, whose, &id).await?;
                relays::states(tx, &id).await
            })
        })
        .await
}

/// The agent that a key acts as, if it may ask. Whose agent it is comes from its row and from nowhere else.
pub async fn of_key(app: &App, key: &Credential) -> Result<Agent> {
    let (org, id) = (key.org, AgentId::from_bytes(key.subject.ok_or(Error::Unauthenticated)?));
    let found = app.db.read(move |tx| Box::pin(async move { rows::get(tx, &org, &id).await })).await?;
    found.filter(|agent| agent.removed_at.is_none()).ok_or(Error::Unauthenticated)
}

/// The person whose verified address it is, and their org: nobody else may be named as an owner.
pub async fn member(app: &App, email: &Email) -> Result<Option<Whose>> {
    let target = target_of(OrgId::HOUSE, email.as_str());
    let look = app.db.read(move |tx| {
        Box::pin(async move {
            let found = identities::verified(tx, &target).await?;
            Ok(found.map(|(org, owner)| Whose { org, owner }))
        })
    });
    look.await
}
