//! `agents`: programs that ask for codes in a person's name. Refuses to forget one: what is removed keeps its row, for the record.

use doorcode_core::{AgentId, OrgId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

/// What `Agent::read` reads.
macro_rules! columns {
    () => {
        "org_id, id, owner_id, name, description, identity, rules, paused_at, blocked_at, removed_at"
    };
}

statements! {
    INSERT = "INSERT INTO agents (org_id, id, owner_id, name, description, identity) VALUES ($1, $2, $3, $4, $5, $6)";
    GET = concat!("SELECT ", columns!(), " FROM agents WHERE org_id = $1 AND id = $2");
    // Those of a person that are there, in the order in which they were made.
    OF_OWNER = concat!("SELECT ", columns!(), " FROM agents WHERE owner_id = $1 AND id > $2 AND removed_at IS NULL ORDER BY id LIMIT $3");
    CHANGE = "UPDATE agents SET name = $4, description = $5 WHERE org_id = $1 AND id = $2 AND owner_id = $3 AND removed_at IS NULL";
    RULE = "UPDATE agents SET rules = $4 WHERE org_id = $1 AND id = $2 AND owner_id = $3 AND removed_at IS NULL";
    PAUSE = "UPDATE agents SET paused_at = $4 WHERE org_id = $1 AND id = $2 AND owner_id = $3 AND removed_at IS NULL";
    BLOCK = "UPDATE agents SET blocked_at = $4 WHERE org_id = $1 AND id = $2 AND owner_id = $3 AND removed_at IS NULL";
    PAUSE_AGAIN = "UPDATE agents SET paused_at = $4 WHERE org_id = $1 AND id = $2 AND owner_id = $3 AND paused_at IS NULL AND removed_at IS NULL";
    BLOCK_AGAIN = "UPDATE agents SET blocked_at = $4 WHERE org_id = $1 AND id = $2 AND owner_id = $3 AND blocked_at IS NULL AND removed_at IS NULL";
    PIN = "UPDATE agents SET identity = $4 WHERE org_id = $1 AND id = $2 AND owner_id = $3 AND removed_at IS NULL";
    REMOVE = "UPDATE agents SET removed_at = $4 WHERE org_id = $1 AND id = $2 AND owner_id = $3 AND removed_at IS NULL";
}

/// A row of `agents`.
#[derive(Clone)]
pub struct Agent {
    /// In which org.
    pub org: OrgId,
    /// Its id.
    pub id: AgentId,
    /// Whose codes it may ask for.
    pub owner: UserId,
    /// What its owner calls it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The public key that signs the keys of its requests.
    pub identity: Option<String>,
    /// Its owner's rules for it, as JSON.
    pub rules: Option<String>,
    /// Since when it may not ask, for a while.
    pub paused_at: Option<Timestamp>,
    /// Since when it may not ask.
    pub blocked_at: Option<Timestamp>,
    /// When it was removed.
    pub removed_at: Option<Timestamp>,
}

impl Agent {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            org: row.id(0)?,
            id: row.id(1)?,
            owner: row.id(2)?,
            name: row.text(3)?,
            description: row.maybe_text(4)?,
            identity: row.maybe_text(5)?,
            rules: row.maybe_text(6)?,
            paused_at: row.maybe_time(7)?,
            blocked_at: row.maybe_time(8)?,
            removed_at: row.maybe_time(9)?,
        })
    }
}

impl Agent {
    /// Whether it is stopped so.
    pub fn is_stopped(&self, stop: Stop) -> bool {
        match stop {
            Stop::Paused => self.paused_at.is_some(),
            Stop::Blocked => self.blocked_at.is_some(),
        }
    }
}

/// Writes a new one.
pub async fn insert(tx: &mut Tx<'_>, new: &Agent) -> Result<()> {
    let values: [Value<'_>; 6] = [
        (&new.org).into(),
        (&new.id).into(),
        (&new.owner).into(),
        (&new.name).into(),
        new.description.as_ref().into(),
        new.identity.as_ref().into(),
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// The agent of that id in an org, removed or not.
pub async fn get(tx: &mut Tx<'_>, org: &OrgId, id: &AgentId) -> Result<Option<Agent>> {
    tx.one(&GET, &[org.into(), id.into()], Agent::read).await
}

/// A person's agents behind `after`, at most `most`.
pub async fn of_owner(tx: &mut Tx<'_>, owner: &UserId, after: &AgentId, most: i64) -> Result<Vec<Agent>> {
    tx.all(&OF_OWNER, &[owner.into(), after.into(), most.into()], Agent::read).await
}

/// What its owner may change of an agent.
pub enum Change<'a> {
    /// Its name and what it is for.
    Named(&'a str, Option<&'a str>),
    /// The rules for it, as JSON.
    Rules(Option<&'a str>),
    /// It may not ask from then on; or it may again.
    Paused(Option<Timestamp>),
    /// The same, for good.
    Blocked(Option<Timestamp>),
    /// The key that signs its requests' keys.
    Identity(Option<&'a str>),
    /// It is no more.
    Removed(Timestamp),
}

/// Changes a person's agent. False: they have none such.
pub async fn change(tx: &mut Tx<'_>, org: &OrgId, id: &AgentId, owner: &UserId, change: &Change<'_>) -> Result<bool> {
    let (org, id, owner): (Value<'_>, Value<'_>, Value<'_>) = (org.into(), id.into(), owner.into());
    let changed = match change {
        Change::Named(name, description) => {
            tx.execute(&CHANGE, &[org, id, owner, (*name).into(), (*description).into()]).await?
        }
        Change::Rules(rules) => tx.execute(&RULE, &[org, id, owner, (*rules).into()]).await?,
        Change::Paused(at) => tx.execute(&PAUSE, &[org, id, owner, (*at).into()]).await?,
        Change::Blocked(at) => tx.execute(&BLOCK, &[org, id, owner, (*at).into()]).await?,
        Change::Identity(key) => tx.execute(&PIN, &[org, id, owner, (*key).into()]).await?,
        Change::Removed(at) => tx.execute(&REMOVE, &[org, id, owner, (*at).into()]).await?,
    };
    Ok(changed == 1)
}

/// How an agent is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stop {
    /// For a while.
    Paused,
    /// For good.
    Blocked,
}

/// Every stop, as it is written down.
const STOPS: [(Stop, &str); 2] = [(Stop::Paused, "paused"), (Stop::Blocked, "blocked")];

impl Stop {
    /// As it is written down.
    pub fn as_str(self) -> &'static str {
        STOPS.iter().find(|(stop, _)| *stop == self).map_or("", |(_, name)| name)
    }

    /// The stop of that name.
    pub fn read(name: &str) -> Option<Self> {
        STOPS.iter().find(|(_, known)| *known == name).map(|(stop, _)| *stop)
    }
}

/// Stops an agent that a restored copy has as going. False: it is stopped, or there is none such.
pub async fn stop_again(
    tx: &mut Tx<'_>,
    (org, id, owner): (&OrgId, &AgentId, &UserId),
    stop: Stop,
    at: Timestamp,
) -> Result<bool> {
    let again = match stop {
        Stop::Paused => &PAUSE_AGAIN,
        Stop::Blocked => &BLOCK_AGAIN,
    };
    Ok(tx.execute(again, &[org.into(), id.into(), owner.into(), at.into()]).await? == 1)
}
