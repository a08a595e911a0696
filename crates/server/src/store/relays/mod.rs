//! `relays`: an agent's requests for a person's code: written, found, listed. What happens to one later is a step. Refuses to show a
//! sealed code with the rest of its row.

use doorcode_core::relay::fit::is_any;
use doorcode_core::relay::{MAIL, Past, Standing, State, Step as Passed, Way, source_bits, steps as passed};
use doorcode_core::{AgentId, Error, OrgId, RelayId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, Sql, Value, statements};

/// Whether its agent, or everything of its owner, is stopped at this moment: what was said yes to before is held up with all else.
macro_rules! stopped {
    () => {
        "(EXISTS (SELECT 1 FROM agents WHERE agents.org_id = relays.org_id AND agents.id = relays.agent_id \
        AND (agents.paused_at IS NOT NULL OR agents.blocked_at IS NOT NULL)) \
        OR EXISTS (SELECT 1 FROM relay_owners WHERE relay_owners.owner_id = relays.owner_id AND relay_owners.paused_at IS NOT NULL))"
    };
}

/// What `Relay::read` reads.
macro_rules! columns {
    () => {
        concat!("id, org_id, agent_id, owner_id, state, approve_until, expires_at, kept_until, reason, public_key, key_signature, \
        sources, sender, sender_pattern, content_pattern, received_after, origin, test, chosen, decided_by, decided_at, denial, \
        source, capture, readable, sender_domain, verdict, received_at, ended_at, unverified, held, asked_again_at, forwarder, spf, \
        turned_away, ", stopped!())
    };
}

/// What is live at $2.
macro_rules! live {
    () => {
        "state < 3 AND ends_at > $2"
    };
}

mod steps;

pub use steps::{
    Received, any_over, ask_again, cancel, choose, consume, decide, deny_held, end_all, ending, expire, forget_read,
    hold_back, let_go, let_unverified, receive, turn_away,
};

/// Every statement of this table.
pub(super) static EVERY: [&[&Sql]; 2] = [ALL, steps::ALL];

statements! {
    INSERT = "INSERT INTO relays (id, org_id, agent_id, owner_id, state, ends_at, approve_until, expires_at, reason, public_key, \
        key_signature, sources, sender, sender_pattern, content_pattern, received_after, origin, test, decided_by, decided_at, \
        denial, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";
    GET = concat!("SELECT ", columns!(), " FROM relays WHERE id = $1");
    // For a step: nobody else takes one meanwhile.
    HOLD = concat!("SELECT ", columns!(), " FROM relays WHERE id = $1 FOR UPDATE");
    PAYLOAD = "SELECT payload, repeat_key FROM relays WHERE id = $1";
    LIVE_OF_OWNER = concat!("SELECT ", columns!(), " FROM relays WHERE owner_id = $1 AND ", live!(), " ORDER BY id LIMIT $3");
    // The same, and none of them takes a step meanwhile: always in this order, so that two who do this wait for one another.
    HOLD_LIVE = concat!("SELECT ", columns!(), " FROM relays WHERE owner_id = $1 AND ", live!(), " ORDER BY id LIMIT $3 FOR UPDATE");
    COUNT_PENDING = concat!("SELECT count(*) FROM relays WHERE owner_id = $1 AND state = 0 AND ", live!(), " AND agent_id = $3");
    COUNT_LIVE = concat!("SELECT count(*) FROM relays WHERE owner_id = $1 AND ", live!());
    // Newest first.
    OF_OWNER = concat!("SELECT ", columns!(), " FROM relays WHERE owner_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    OF_AGENT = concat!("SELECT ", columns!(), " FROM relays WHERE agent_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    NEWEST_OF_OWNER = concat!("SELECT ", columns!(), " FROM relays WHERE owner_id = $1 AND id > $2 ORDER BY id DESC LIMIT $3");
    NEWEST_OF_AGENT = concat!("SELECT ", columns!(), " FROM relays WHERE agent_id = $1 AND id > $2 ORDER BY id DESC LIMIT $3");
    STATES = "SELECT state, count(*) FROM relays WHERE agent_id = $1 GROUP BY state";
    SWEEP = "DELETE FROM relays WHERE id IN (SELECT id FROM relays WHERE id < $1 ORDER BY id LIMIT $2) AND state > 2";
}

/// A row of `relays`, without the sealed code.
#[derive(Clone)]
pub struct Relay {
    /// Its id.
    pub id: RelayId,
    /// In which org.
    pub org: OrgId,
    /// Who asks.
    pub agent: AgentId,
    /// Whose code.
    pub owner: UserId,
    /// Its state and clocks.
    pub standing: Standing,
    /// Why, in the agent's words.
    pub reason: String,
    /// What the code is sealed to.
    pub public_key: String,
    /// The agent's identity over that key.
    pub key_signature: Option<String>,
    /// Where the code may come from: 1 SMS, 2 mail, 4 `WhatsApp`.
    pub sources: i64,
    /// What the sender is called.
    pub sender: Option<String>,
    /// Whose messages may hold it.
    pub sender_pattern: Option<String>,
    /// What the message must look like.
    pub content_pattern: Option<String>,
    /// Messages from before are not meant.
    pub received_after: Option<Timestamp>,
    /// From where it was asked: a network, shown to the owner.
    pub origin: String,
    /// A test key asked: the code is made up.
    pub test: bool,
    /// The owner chose it over another agent's.
    pub chosen: bool,
    /// `user`, `timeout` or `auto`.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why not.
    pub denial: Option<String>,
    /// `sms`, `email` or `whatsapp`.
    pub source: Option<String>,
    /// By which way it came in.
    pub capture: Option<Way>,
    /// Whether this server could read the message.
    pub readable: Option<bool>,
    /// The domain that the sender was verified for.
    pub sender_domain: Option<String>,
    /// `verified`, `unverified`.
    pub verdict: Option<String>,
    /// When the code was there.
    pub received_at: Option<Timestamp>,
    /// When it was read, refused, over or taken back.
    pub ended_at: Option<Timestamp>,
    /// Its owner takes unverified mail for this one.
    pub unverified: bool,
    /// A code of a message about this is there, and its owner is asked once more.
    pub held: Option<String>,
    /// When its owner first said yes to any message at all, and was asked once more.
    pub asked_again_at: Option<Timestamp>,
    /// The forwarder on whose word the sender is verified.
    pub forwarder: Option<String>,
    /// What SPF says of the host that brought the message, and of which domain: `pass forwarder.example`.
    pub spf: Option<String>,
    /// A set of bits: mail that would have fitted came and was not passed on, 1 unverified, 2 forged.
    pub turned_away: i64,
    /// Its agent, or everything of its owner, is stopped: nothing is taken for it, and nothing is read of it. No column of its own.
    pub stopped: bool,
}

impl Relay {
    /// One that was asked just now and has nothing besides: whose, when it ends, why, and what its code is sealed to.
    pub fn new(
        id: RelayId,
        (org, agent, owner): (OrgId, AgentId, UserId),
        standing: Standing,
        (reason, public_key): (String, String),
    ) -> Self {
        Self {
            id,
            org,
            agent,
            owner,
            standing,
            reason,
            public_key,
            key_signature: None,
            sources: source_bits(),
            sender: None,
            sender_pattern: None,
            content_pattern: None,
            received_after: Some(id.made_at()),
            origin: String::new(),
            test: false,
            chosen: false,
            decided_by: None,
            decided_at: None,
            denial: None,
            source: None,
            capture: None,
            readable: None,
            sender_domain: None,
            verdict: None,
            received_at: None,
            ended_at: None,
            unverified: false,
            held: None,
            asked_again_at: None,
            forwarder: None,
            spf: None,
            turned_away: 0,
            stopped: false,
        }
    }

    fn read(row: &Row<'_>) -> Result<Self> {
        let state = State::from_i64(row.int(4)?).ok_or_else(|| Error::internal("a relay has an unknown state"))?;
        let [approve_until, expires_at] = [row.time(5)?, row.time(6)?];
        Ok(Self {
            id: row.id(0)?,
            org: row.id(1)?,
            agent: row.id(2)?,
            owner: row.id(3)?,
            standing: Standing { state, approve_until, expires_at, kept_until: row.maybe_time(7)? },
            reason: row.text(8)?,
            public_key: row.text(9)?,
            key_signature: row.maybe_text(10)?,
            sources: row.int(11)?,
            sender: row.maybe_text(12)?,
            sender_pattern: row.maybe_text(13)?,
            content_pattern: row.maybe_text(14)?,
            received_after: row.maybe_time(15)?,
            origin: row.text(16)?,
            test: row.int(17)? == 1,
            chosen: row.int(18)? == 1,
            decided_by: row.maybe_text(19)?,
            decided_at: row.maybe_time(20)?,
            denial: row.maybe_text(21)?,
            source: row.maybe_text(22)?,
            capture: way(row.maybe_text(23)?)?,
            readable: row.maybe_int(24)?.map(|readable| readable == 1),
            sender_domain: row.maybe_text(25)?,
            verdict: row.maybe_text(26)?,
            received_at: row.maybe_time(27)?,
            ended_at: row.maybe_time(28)?,
            unverified: row.int(29)? == 1,
            held: row.maybe_text(30)?,
            asked_again_at: row.maybe_time(31)?,
            forwarder: row.maybe_text(32)?,
            spf: row.maybe_text(33)?,
            turned_away: row.int(34)?,
            stopped: row.int(35)? == 1,
        })
    }
}

impl Relay {
    /// Whether any message of anybody would do for it.
    pub fn is_any(&self) -> bool {
        is_any(self.sender_pattern.as_deref(), self.sender.as_deref())
    }

    /// Whether it waits for a message.
    pub fn waits(&self, now: Timestamp) -> bool {
        self.standing.at(now) == State::Approved && self.held.is_none() && !self.stopped
    }

    /// Whether mail may serve it.
    pub fn is_by_mail(&self) -> bool {
        self.sources & MAIL != 0
    }

    /// The states that it came through until now, oldest first.
    pub fn steps(&self, now: Timestamp) -> Vec<Passed> {
        let past = Past {
            made_at: self.id.made_at(),
            decided_at: self.decided_at,
            by_rule: self.decided_by.as_deref() == Some("auto"),
            // One that is held is no code yet: to whoever watches there is none until its owner has said yes once more.
            received_at: self.received_at.filter(|_| self.held.is_none()),
            ended_at: self.ended_at,
        };
        passed(&self.standing, &past, now)
    }
}

fn way(word: Option<String>) -> Result<Option<Way>> {
    let unknown = || Error::internal("a relay came by an unknown way");
    word.map(|word| Way::read(&word).ok_or_else(unknown)).transpose()
}

/// Writes a new one.
pub async fn insert(tx: &mut Tx<'_>, new: &Relay) -> Result<()> {
    let ends_at = new.standing.ends_at().unwrap_or(new.standing.expires_at);
    let values: [Value<'_>; 22] = [
        (&new.id).into(),
        (&new.org).into(),
        (&new.agent).into(),
        (&new.owner).into(),
        new.standing.state.to_i64().into(),
        ends_at.into(),
        new.standing.approve_until.into(),
        new.standing.expires_at.into(),
        (&new.reason).into(),
        (&new.public_key).into(),
        new.key_signature.as_ref().into(),
        new.sources.into(),
        new.sender.as_ref().into(),
        new.sender_pattern.as_ref().into(),
        new.content_pattern.as_ref().into(),
        new.received_after.into(),
        (&new.origin).into(),
        i64::from(new.test).into(),
        new.decided_by.as_ref().into(),
        new.decided_at.into(),
        new.denial.as_ref().into(),
        new.ended_at.into(),
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// The request of that id.
pub async fn get(tx: &mut Tx<'_>, id: &RelayId) -> Result<Option<Relay>> {
    tx.one(&GET, &[id.into()], Relay::read).await
}

/// The same, for a step.
pub async fn hold(tx: &mut Tx<'_>, id: &RelayId) -> Result<Option<Relay>> {
    tx.one(&HOLD, &[id.into()], Relay::read).await
}

/// The sealed code, while it is there, and the name of the request that read it.
pub async fn payload(tx: &mut Tx<'_>, id: &RelayId) -> Result<Option<(String, Option<[u8; 16]>)>> {
    let found = tx.one(&PAYLOAD, &[id.into()], |row| Ok((row.maybe_text(0)?, row.maybe_bytes(1)?))).await?;
    Ok(found.and_then(|(payload, key)| payload.map(|payload| (payload, key))))
}

/// A person's requests that wait for something, oldest first, at most `most`.
pub async fn live(tx: &mut Tx<'_>, owner: &UserId, now: Timestamp, most: i64) -> Result<Vec<Relay>> {
    tx.all(&LIVE_OF_OWNER, &[owner.into(), now.into(), most.into()], Relay::read).await
}

/// The same, for a step of one of them that depends on how the others stand: nobody takes one meanwhile.
pub async fn hold_live(tx: &mut Tx<'_>, owner: &UserId, now: Timestamp, most: i64) -> Result<Vec<Relay>> {
    tx.all(&HOLD_LIVE, &[owner.into(), now.into(), most.into()], Relay::read).await
}

/// How many of an agent's wait for its owner's word.
pub async fn pending(tx: &mut Tx<'_>, owner: &UserId, agent: &AgentId, now: Timestamp) -> Result<i64> {
    let values = [owner.into(), now.into(), agent.into()];
    Ok(tx.one(&COUNT_PENDING, &values, |row| row.int(0)).await?.unwrap_or(0))
}

/// How many of a person's are not over.
pub async fn count_live(tx: &mut Tx<'_>, owner: &UserId, now: Timestamp) -> Result<i64> {
    Ok(tx.one(&COUNT_LIVE, &[owner.into(), now.into()], |row| row.int(0)).await?.unwrap_or(0))
}

/// A person's requests before one, the newest first.
pub async fn of_owner(tx: &mut Tx<'_>, owner: &UserId, before: &RelayId, most: i64) -> Result<Vec<Relay>> {
    tx.all(&OF_OWNER, &[owner.into(), before.into(), most.into()], Relay::read).await
}

/// An agent's requests before one, the newest first.
pub async fn of_agent(tx: &mut Tx<'_>, agent: &AgentId, before: &RelayId, most: i64) -> Result<Vec<Relay>> {
    tx.all(&OF_AGENT, &[agent.into(), before.into(), most.into()], Relay::read).await
}

/// A person's requests since one, the newest first.
pub async fn newest_of_owner(tx: &mut Tx<'_>, owner: &UserId, after: &RelayId, most: i64) -> Result<Vec<Relay>> {
    tx.all(&NEWEST_OF_OWNER, &[owner.into(), after.into(), most.into()], Relay::read).await
}

/// An agent's requests since one, the newest first.
pub async fn newest_of_agent(tx: &mut Tx<'_>, agent: &AgentId, after: &RelayId, most: i64) -> Result<Vec<Relay>> {
    tx.all(&NEWEST_OF_AGENT, &[agent.into(), after.into(), most.into()], Relay::read).await
}

/// How many of an agent's requests are in which state.
pub async fn states(tx: &mut Tx<'_>, agent: &AgentId) -> Result<Vec<(State, i64)>> {
    let unknown = || Error::internal("a relay has an unknown state");
    tx.all(&STATES, &[agent.into()], |row| Ok((State::from_i64(row.int(0)?).ok_or_else(unknown)?, row.int(1)?))).await
}

/// Removes up to `most` that are over and were made before a time.
pub async fn sweep(tx: &mut Tx<'_>, before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[(&RelayId::floor(before)).into(), most.into()]).await
}
