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
    PAUSE_AGAIN = "UPDATE relay_owners SET paused_at = $2 WHERE owner_id = $1 AND paused_at IS NULL";
    SENDERS = "UPDATE relay_owners SET senders = $2 WHERE owner_id = $1";
    APPEND = "INSERT INTO audit (owner_id, number, org_id, at, kind, actor, agent_id, relay_id, details, kid, chain) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    AFTER = "SELECT number, org_id, at, kind, actor, agent_id, relay_id, details, kid, chain FROM audit \
        WHERE owner_id = $1 AND number > $2 ORDER BY number LIMIT $3";
    BEFORE = "SELECT number, org_id, at, kind, actor, agent_id, relay_id, details, kid, chain FROM audit \
        WHERE owner_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
    // $2 before which number; then what is looked for, where null is anything; $8 how many are passed over.
    SEARCH = "SELECT number, org_id, at, kind, actor, agent_id, relay_id, details, kid, chain FROM audit \
        WHERE owner_id = $1 AND number < $2 AND ($3::text IS NULL OR kind = $3) AND ($4::bytea IS NULL OR agent_id = $4) \
        AND ($5::bytea IS NULL OR relay_id = $5) AND at >= $6 AND at < $7 ORDER BY number DESC LIMIT $9 OFFSET $8";
    KINDS = "SELECT kind, actor, agent_id, count(*) FROM audit WHERE owner_id = $1 AND at >= $2 AND at < $3 GROUP BY kind, actor, agent_id \
        ORDER BY kind, actor, agent_id LIMIT $4";
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

/// Stops everything of a person that a restored copy has as going. False: it is stopped.
pub async fn pause_again(tx: &mut Tx<'_>, org: &OrgId, owner: &UserId, at: Timestamp) -> Result<bool> {
    tx.execute(&BEGIN, &[owner.into(), org.into()]).await?;
    Ok(tx.execute(&PAUSE_AGAIN, &[owner.into(), at.into()]).await? == 1)
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

/// What is looked for in a record.
#[derive(Clone)]
pub struct Search {
    /// Entries before this number.
    pub before: i64,
    /// Of this kind.
    pub kind: Option<String>,
    /// About this agent.
    pub agent: Option<AgentId>,
    /// About this request.
    pub relay: Option<RelayId>,
    /// From this moment on.
    pub from: Timestamp,
    /// Until before this one.
    pub to: Timestamp,
    /// So many are passed over.
    pub skip: i64,
    /// So many are given.
    pub most: i64,
}

/// What is found in a person's record, newest first.
pub async fn search(tx: &mut Tx<'_>, owner: &UserId, wanted: &Search) -> Result<Vec<Entry>> {
    let values: [Value<'_>; 9] = [
        owner.into(),
        wanted.before.into(),
        wanted.kind.as_ref().into(),
        wanted.agent.as_ref().into(),
        wanted.relay.as_ref().into(),
        wanted.from.into(),
        wanted.to.into(),
        wanted.skip.into(),
        wanted.most.into(),
    ];
    tx.all(&SEARCH, &values, Entry::read).await
}

/// How often what happened in a span of time, by whom and about which agent, at most `most` sorts of it.
pub async fn counts(
    tx: &mut Tx<'_>,
    owner: &UserId,
    (from, to): (Timestamp, Timestamp),
    most: i64,
) -> Result<Vec<Count>> {
    let values = [owner.into(), from.into(), to.into(), most.into()];
    let read = |row: &Row<'_>| {
        Ok(Count { kind: row.text(0)?, actor: row.text(1)?, agent: row.maybe_id(2)?, times: row.int(3)? })
    };
    tx.all(&KINDS, &values, read).await
}

/// How often something happened.
pub struct Count {
    /// What.
    pub kind: String,
    /// By whom.
    pub actor: String,
    /// About which agent.
    pub agent: Option<AgentId>,
    /// So often.
    pub times: i64,
}

/// People with a record behind one, each with its head.
pub async fn owners(tx: &mut Tx<'_>, from: &UserId, most: i64) -> Result<Vec<(UserId, i64, Option<[u8; 32]>)>> {
    tx.all(&OWNERS, &[from.into(), most.into()], |row| Ok((row.id(0)?, row.int(1)?, row.maybe_bytes(2)?))).await
}
