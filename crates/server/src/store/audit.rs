//! `audit`: everything that was done in a person's name or asked of them, a chain for each person; and `relay_owners`, where its head
//! stands with their settings. Refuses gaps: a number is given with the head's own row held.

use doorcode_core::{AgentId, Kid, OrgId, RelayId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

statements! {
    BEGIN = "INSERT INTO relay_owners (owner_id, org_id) VALUES ($1, $2) ON CONFLICT (owner_id) DO NOTHING";
    OWNER = "SELECT paused_at, senders, head, chain FROM relay_owners WHERE owner_id = $1";
    HEAD = "SELECT paused_at, senders, head, chain FROM relay_owners WHERE owner_id = $1 FOR UPDATE";
    ADVANCE = "UPDATE relay_owners SET head = $2, chain = $3 WHERE owner_id = $1";
    PAUSE = "UPDATE relay_owners SET paused_at = $2 WHERE owner_id = $1";
    SENDERS = "UPDATE relay_owners SET senders = $2 WHERE owner_id = $1";
    APPEND = "INSERT INTO audit (owner_id, number, org_id, at, kind, actor, agent_id, relay_id, details, kid, chain) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    AFTER = "SELECT number, org_id, at, kind, actor, agent_id, relay_id, details, kid, chain FROM audit \
        WHERE owner_id = $1 AND number > $2 ORDER BY number LIMIT $3";
    BEFORE = "SELECT number, org_id, at, kind, actor, agent_id, relay_id, details, kid, chain FROM audit \
        WHERE owner_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
    OWNERS = "SELECT owner_id, head, chain FROM relay_owners WHERE owner_id > $1 ORDER BY owner_id LIMIT $2";
}

/// A row of `audit`.
#[derive(Clone)]
pub struct Entry {
    /// Its place in the chain, from 1.
    pub number: i64,
    /// In which org.
    pub org: OrgId,
    /// When.
    pub at: Timestamp,
    /// What, as `otp_approve`.
    pub kind: String,
    /// Who: `agent`, `user`, `device`, `server`.
    pub actor: String,
    /// Which agent it was about.
    pub agent: Option<AgentId>,
    /// Which request.
    pub relay: Option<RelayId>,
    /// What else is to be known, as JSON. No secret, no text of a message.
    pub details: String,
    /// Under which master key the chain was made.
    pub kid: Kid,
    /// The MAC over this and the chain before.
    pub chain: [u8; 32],
}

impl Entry {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            number: row.int(0)?,
            org: row.id(1)?,
            at: row.time(2)?,
            kind: row.text(3)?,
            actor: row.text(4)?,
            agent: row.maybe_id(5)?,
            relay: row.maybe_id(6)?,
            details: row.text(7)?,
            kid: row.text(8)?.parse()?,
            chain: row.bytes(9)?,
        })
    }
}

/// A person's settings of the relay, and the head of their record.
#[derive(Default, Clone)]
pub struct Owner {
    /// Since when nothing may be asked of them.
    pub paused_at: Option<Timestamp>,
    /// Senders that they refuse or excuse, as JSON.
    pub senders: Option<String>,
    /// The number of the newest entry.
    pub head: i64,
    /// Its chain.
    pub chain: Option<[u8; 32]>,
}

impl Owner {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            paused_at: row.maybe_time(0)?,
            senders: row.maybe_text(1)?,
            head: row.int(2)?,
            chain: row.maybe_bytes(3)?,
        })
    }
}

/// A person's settings.
pub async fn owner(tx: &mut Tx<'_>, owner: &UserId) -> Result<Owner> {
    Ok(tx.one(&OWNER, &[owner.into()], Owner::read).await?.unwrap_or_default())
}

/// The same, held until the end of the unit.
pub async fn hold(tx: &mut Tx<'_>, org: &OrgId, owner: &UserId) -> Result<Owner> {
    tx.execute(&BEGIN, &[owner.into(), org.into()]).await?;
    Ok(tx.one(&HEAD, &[owner.into()], Owner::read).await?.unwrap_or_default())
}

/// Writes an entry behind the head, which was held.
pub async fn append(tx: &mut Tx<'_>, owner: &UserId, entry: &Entry) -> Result<()> {
    let values: [Value<'_>; 11] = [
        owner.into(),
        entry.number.into(),
        (&entry.org).into(),
        entry.at.into(),
        (&entry.kind).into(),
        (&entry.actor).into(),
        entry.agent.as_ref().into(),
        entry.relay.as_ref().into(),
        (&entry.details).into(),
        entry.kid.as_str().into(),
        (&entry.chain).into(),
    ];
    tx.execute(&APPEND, &values).await?;
    tx.execute(&ADVANCE, &[owner.into(), entry.number.into(), (&entry.chain).into()]).await.map(drop)
}

/// Nothing may be asked of a person from then on, or again.
pub async fn pause(tx: &mut Tx<'_>, owner: &UserId, at: Option<Timestamp>) -> Result<()> {
    tx.execute(&PAUSE, &[owner.into(), at.into()]).await.map(drop)
}

/// Which senders a person refuses or excuses.
pub async fn set_senders(tx: &mut Tx<'_>, owner: &UserId, senders: &str) -> Result<()> {
    tx.execute(&SENDERS, &[owner.into(), senders.into()]).await.map(drop)
}

/// A person's record behind a number, oldest first.
pub async fn after(tx: &mut Tx<'_>, owner: &UserId, number: i64, most: i64) -> Result<Vec<Entry>> {
    tx.all(&AFTER, &[owner.into(), number.into(), most.into()], Entry::read).await
}

/// A person's record before a number, newest first.
pub async fn before(tx: &mut Tx<'_>, owner: &UserId, number: i64, most: i64) -> Result<Vec<Entry>> {
    tx.all(&BEFORE, &[owner.into(), number.into(), most.into()], Entry::read).await
}

/// People with a record behind one, each with its head.
pub async fn owners(tx: &mut Tx<'_>, from: &UserId, most: i64) -> Result<Vec<(UserId, i64, Option<[u8; 32]>)>> {
    tx.all(&OWNERS, &[from.into(), most.into()], |row| Ok((row.id(0)?, row.int(1)?, row.maybe_bytes(2)?))).await
}
