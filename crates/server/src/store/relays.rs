//! `relays`: an agent's requests for a person's code; `relay_messages`: what was handed in before. Each step of a request is one
//! conditional statement: of two that come at once, one has it. Refuses to keep a sealed code for longer than it may be read.

use doorcode_core::relay::{Past, Standing, State, Step, steps};
use doorcode_core::{AgentId, Error, OrgId, RelayId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

/// What `Relay::read` reads.
macro_rules! columns {
    () => {
        "id, org_id, agent_id, owner_id, state, approve_until, expires_at, kept_until, reason, public_key, key_signature, \
        sources, sender, sender_pattern, content_pattern, received_after, origin, test, chosen, decided_by, decided_at, denial, \
        source, capture, readable, sender_domain, verdict, received_at, ended_at, unverified, held, forwarder, spf, turned_away"
    };
}

/// What is live at $2.
macro_rules! live {
    () => {
        "state < 3 AND ends_at > $2"
    };
}

statements! {
    INSERT = "INSERT INTO relays (id, org_id, agent_id, owner_id, state, ends_at, approve_until, expires_at, reason, public_key, \
        key_signature, sources, sender, sender_pattern, content_pattern, received_after, origin, test, decided_by, decided_at, \
        denial, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";
    GET = concat!("SELECT ", columns!(), " FROM relays WHERE id = $1");
    // For a step: nobody else takes one meanwhile.
    HOLD = concat!("SELECT ", columns!(), " FROM relays WHERE id = $1 FOR UPDATE");
    PAYLOAD = "SELECT payload, repeat_key FROM relays WHERE id = $1";
    LIVE_OF_OWNER = concat!("SELECT ", columns!(), " FROM relays WHERE owner_id = $1 AND ", live!(), " ORDER BY id LIMIT $3");
    COUNT_PENDING = concat!("SELECT count(*) FROM relays WHERE owner_id = $1 AND state = 0 AND ", live!(), " AND agent_id = $3");
    // Newest first.
    OF_OWNER = concat!("SELECT ", columns!(), " FROM relays WHERE owner_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    OF_AGENT = concat!("SELECT ", columns!(), " FROM relays WHERE agent_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    NEWEST_OF_OWNER = concat!("SELECT ", columns!(), " FROM relays WHERE owner_id = $1 AND id > $2 ORDER BY id DESC LIMIT $3");
    NEWEST_OF_AGENT = concat!("SELECT ", columns!(), " FROM relays WHERE agent_id = $1 AND id > $2 ORDER BY id DESC LIMIT $3");
    STATES = "SELECT state, count(*) FROM relays WHERE agent_id = $1 GROUP BY state";
    // $2 now, $3 the next state, $4 who says so, $5 when it ends then, $6 a reason to say no.
    DECIDE = "UPDATE relays SET state = $3, decided_by = $4, decided_at = $2, ends_at = $5, denial = $6, \
        ended_at = $7 WHERE id = $1 AND state = 0 AND ends_at > $2";
    CHOOSE = "UPDATE relays SET chosen = $3 WHERE id = $1 AND state = 1 AND ends_at > $2";
    // $2 now, $3 until when it may be read, then what was received.
    // The same for a message that its owner must be asked about once more: $9 what it is about. One at a time.
    HOLD_BACK = "UPDATE relays SET received_at = $2, payload = $3, source = $4, capture = $5, readable = $6, sender_domain = $7, \
        verdict = $8, held = $9, forwarder = $10, spf = $11 WHERE id = $1 AND state = 1 AND held IS NULL AND ends_at > $2";
    // Yes: it may be read until $3. No: the code goes, and the request is denied.
    LET_GO = "UPDATE relays SET state = 2, held = NULL, kept_until = $3, ends_at = $3 WHERE id = $1 AND state = 1 AND held IS NOT NULL \
        AND ends_at > $2";
    DENY_HELD = "UPDATE relays SET state = 4, denial = $3, decided_by = 'user', decided_at = $2, ended_at = $2, payload = NULL, \
        held = NULL WHERE id = $1 AND state = 1 AND held IS NOT NULL AND ends_at > $2";
    LET_UNVERIFIED = "UPDATE relays SET unverified = $3 WHERE id = $1 AND state < 2 AND ends_at > $2";
    RECEIVE = "UPDATE relays SET state = 2, received_at = $2, kept_until = $3, ends_at = $3, payload = $4, source = $5, capture = $6, \
        readable = $7, sender_domain = $8, verdict = $9, forwarder = $10, spf = $11 WHERE id = $1 AND state = 1 AND held IS NULL \
        AND ends_at > $2";
    // $3 one bit; of many such messages the first changes something.
    TURN_AWAY = "UPDATE relays SET turned_away = turned_away | $3 WHERE id = $1 AND state = 1 AND held IS NULL AND ends_at > $2 \
        AND (turned_away & $3) = 0";
    // $4: the sealed text stays for as long as who names its request may ask again.
    CONSUME = "UPDATE relays SET state = 3, ended_at = $2, repeat_key = $4, \
        payload = CASE WHEN $4::bytea IS NULL THEN NULL ELSE payload END WHERE id = $1 AND agent_id = $3 AND state = 2 AND ends_at > $2";
    CANCEL = "UPDATE relays SET state = 6, ended_at = $2, payload = NULL WHERE id = $1 AND agent_id = $3 AND state < 2 AND ends_at > $2";
    EXPIRE = "UPDATE relays SET state = 5, ended_at = ends_at, payload = NULL WHERE id = $1 AND state < 3 AND ends_at <= $2";
    ENDING = concat!("SELECT ", columns!(), " FROM relays WHERE state < 3 AND ends_at <= $1 ORDER BY ends_at LIMIT $2 FOR UPDATE SKIP LOCKED");
    ANY_ENDING = "SELECT id FROM relays WHERE state < 3 AND ends_at <= $1 LIMIT 1";
    FORGET = "UPDATE relays SET payload = NULL, repeat_key = NULL WHERE id = $1";
    READ_BEFORE = "SELECT id FROM relays WHERE state = 3 AND payload IS NOT NULL AND ended_at <= $1 ORDER BY ended_at LIMIT $2";
    SWEEP = "DELETE FROM relays WHERE id IN (SELECT id FROM relays WHERE id < $1 ORDER BY id LIMIT $2) AND state > 2";
    SEEN = "INSERT INTO relay_messages (digest, until) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
    SWEEP_SEEN = "DELETE FROM relay_messages WHERE digest IN (SELECT digest FROM relay_messages WHERE until < $1 LIMIT $2)";
    // After a restore nothing is waited for, and no sealed text is there.
    END_ALL = "UPDATE relays SET state = 5, ended_at = $1, payload = NULL WHERE state < 3 OR payload IS NOT NULL";
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
    pub capture: Option<String>,
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
    /// The forwarder on whose word the sender is verified.
    pub forwarder: Option<String>,
    /// What SPF says of the host that brought the message, and of which domain: `pass forwarder.example`.
    pub spf: Option<String>,
    /// A set of bits: mail that would have fitted came and was not passed on, 1 unverified, 2 forged.
    pub turned_away: i64,
}

impl Relay {
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
            capture: row.maybe_text(23)?,
            readable: row.maybe_int(24)?.map(|readable| readable == 1),
            sender_domain: row.maybe_text(25)?,
            verdict: row.maybe_text(26)?,
            received_at: row.maybe_time(27)?,
            ended_at: row.maybe_time(28)?,
            unverified: row.int(29)? == 1,
            held: row.maybe_text(30)?,
            forwarder: row.maybe_text(31)?,
            spf: row.maybe_text(32)?,
            turned_away: row.int(33)?,
        })
    }
}

impl Relay {
    /// The states that it came through until now, oldest first.
    pub fn steps(&self, now: Timestamp) -> Vec<Step> {
        let past = Past {
            made_at: self.id.made_at(),
            decided_at: self.decided_at,
            by_rule: self.decided_by.as_deref() == Some("auto"),
            received_at: self.received_at,
            ended_at: self.ended_at,
        };
        steps(&self.standing, &past, now)
    }
}

/// What was received for a request.
pub struct Received<'a> {
    /// The code, sealed.
    pub payload: &'a str,
    /// `sms`, `email` or `whatsapp`.
    pub source: &'a str,
    /// By which way.
    pub capture: &'a str,
    /// Whether this server could read the message.
    pub readable: bool,
    /// The domain that the sender was verified for.
    pub sender_domain: Option<&'a str>,
    /// `verified`, `unverified`.
    pub verdict: &'a str,
    /// The forwarder on whose word the sender is verified.
    pub forwarder: Option<&'a str>,
    /// What SPF says, as [`Relay::spf`].
    pub spf: Option<&'a str>,
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

/// How many of an agent's wait for its owner's word.
pub async fn pending(tx: &mut Tx<'_>, owner: &UserId, agent: &AgentId, now: Timestamp) -> Result<i64> {
    let values = [owner.into(), now.into(), agent.into()];
    Ok(tx.one(&COUNT_PENDING, &values, |row| row.int(0)).await?.unwrap_or(0))
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

/// The owner's word: yes, or no with what they say. False: it does not wait for it any more.
pub async fn decide(
    tx: &mut Tx<'_>,
    relay: &Relay,
    yes: bool,
    (by, denial): (&str, Option<&str>),
    now: Timestamp,
) -> Result<bool> {
    let state = if yes { State::Approved } else { State::Denied };
    let ends_at = relay.standing.expires_at;
    let ended_at = (!yes).then_some(now);
    let values = [
        (&relay.id).into(),
        now.into(),
        state.to_i64().into(),
        by.into(),
        ends_at.into(),
        denial.into(),
        ended_at.into(),
    ];
    Ok(tx.execute(&DECIDE, &values).await? == 1)
}

/// The owner chooses it over another agent's, or does not any more.
pub async fn choose(tx: &mut Tx<'_>, id: &RelayId, chosen: bool, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&CHOOSE, &[id.into(), now.into(), i64::from(chosen).into()]).await? == 1)
}

/// A sealed code is there. False: none is waited for any more.
pub async fn receive(
    tx: &mut Tx<'_>,
    id: &RelayId,
    received: &Received<'_>,
    kept_until: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let values: [Value<'_>; 11] = [
        id.into(),
        now.into(),
        kept_until.into(),
        received.payload.into(),
        received.source.into(),
        received.capture.into(),
        i64::from(received.readable).into(),
        received.sender_domain.into(),
        received.verdict.into(),
        received.forwarder.into(),
        received.spf.into(),
    ];
    Ok(tx.execute(&RECEIVE, &values).await? == 1)
}

/// A sealed code is there, of a message that its owner must be asked about once more. False: none is waited for.
pub async fn hold_back(
    tx: &mut Tx<'_>,
    id: &RelayId,
    received: &Received<'_>,
    about: &str,
    now: Timestamp,
) -> Result<bool> {
    let values: [Value<'_>; 11] = [
        id.into(),
        now.into(),
        received.payload.into(),
        received.source.into(),
        received.capture.into(),
        i64::from(received.readable).into(),
        received.sender_domain.into(),
        received.verdict.into(),
        about.into(),
        received.forwarder.into(),
        received.spf.into(),
    ];
    Ok(tx.execute(&HOLD_BACK, &values).await? == 1)
}

/// Mail that would have fitted was not passed on, for a reason that is one of the bits of [`Relay::turned_away`]. False: such mail came
/// before, or nothing is waited for.
pub async fn turn_away(tx: &mut Tx<'_>, id: &RelayId, bit: i64, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&TURN_AWAY, &[id.into(), now.into(), bit.into()]).await? == 1)
}

/// The owner says yes to a code that is held: it may be read until then. False: none is held any more.
pub async fn let_go(tx: &mut Tx<'_>, id: &RelayId, kept_until: Timestamp, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&LET_GO, &[id.into(), now.into(), kept_until.into()]).await? == 1)
}

/// The owner says no to a code that is held. False: none is held any more.
pub async fn deny_held(tx: &mut Tx<'_>, id: &RelayId, denial: &str, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&DENY_HELD, &[id.into(), now.into(), denial.into()]).await? == 1)
}

/// The owner takes unverified mail for it, or does not.
pub async fn let_unverified(tx: &mut Tx<'_>, id: &RelayId, unverified: bool, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&LET_UNVERIFIED, &[id.into(), now.into(), i64::from(unverified).into()]).await? == 1)
}

/// The agent reads it. `name` is that of its request: under it, it may ask again. False: there is nothing to read, or no more.
pub async fn consume(
    tx: &mut Tx<'_>,
    id: &RelayId,
    agent: &AgentId,
    name: Option<&[u8; 16]>,
    now: Timestamp,
) -> Result<bool> {
    Ok(tx.execute(&CONSUME, &[id.into(), now.into(), agent.into(), name.into()]).await? == 1)
}

/// The agent takes it back. False: it is over, or its code is there.
pub async fn cancel(tx: &mut Tx<'_>, id: &RelayId, agent: &AgentId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&CANCEL, &[id.into(), now.into(), agent.into()]).await? == 1)
}

/// Up to `most` whose time is up and who were not told yet.
pub async fn ending(tx: &mut Tx<'_>, now: Timestamp, most: i64) -> Result<Vec<Relay>> {
    tx.all(&ENDING, &[now.into(), most.into()], Relay::read).await
}

/// Writes down that its time is up. False: it was.
pub async fn expire(tx: &mut Tx<'_>, id: &RelayId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&EXPIRE, &[id.into(), now.into()]).await? == 1)
}

/// Whether anything has run out that [`ending`] or [`forget_read`] would find.
pub async fn any_over(tx: &mut Tx<'_>, now: Timestamp, read_before: Timestamp) -> Result<bool> {
    let ending = tx.one(&ANY_ENDING, &[now.into()], |_| Ok(())).await?;
    let read = tx.one(&READ_BEFORE, &[read_before.into(), 1.into()], |_| Ok(())).await?;
    Ok(ending.is_some() || read.is_some())
}

/// Removes the sealed texts that were kept for who might ask again, up to `most`.
pub async fn forget_read(tx: &mut Tx<'_>, before: Timestamp, most: i64) -> Result<usize> {
    let read: Vec<RelayId> = tx.all(&READ_BEFORE, &[before.into(), most.into()], |row| row.id(0)).await?;
    for id in &read {
        tx.execute(&FORGET, &[id.into()]).await?;
    }
    Ok(read.len())
}

/// Removes up to `most` that are over and were made before a time.
pub async fn sweep(tx: &mut Tx<'_>, before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[(&RelayId::floor(before)).into(), most.into()]).await
}

/// Takes a message, once until then. False: it was here before.
pub async fn take_message(tx: &mut Tx<'_>, digest: &[u8; 16], until: Timestamp) -> Result<bool> {
    Ok(tx.execute(&SEEN, &[digest.into(), until.into()]).await? == 1)
}

/// Forgets up to `most` messages that were taken long ago.
pub async fn sweep_messages(tx: &mut Tx<'_>, now: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP_SEEN, &[now.into(), most.into()]).await
}

/// After a restore: ends what was live.
pub async fn end_all(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    tx.execute(&END_ALL, &[now.into()]).await
}
