//! The steps of a request. Each is one conditional statement: of two that come at once, one has it. Refuses to keep a sealed code for
//! longer than it may be read, and a yes to any message at all that is the first.

use doorcode_core::relay::{State, Way};
use doorcode_core::{AgentId, RelayId, Result, Timestamp};

use super::Relay;
use crate::store::db::Tx;
use crate::store::sql::{Sql, Value, statements};

/// A sealed code comes: at $2, then what was received.
macro_rules! receive {
    () => {
        "UPDATE relays SET received_at = $2, payload = $3, source = $4, capture = $5, readable = $6, sender_domain = $7, verdict = $8, \
        forwarder = $9, spf = $10"
    };
}

/// To a request that waits for one.
macro_rules! awaited {
    () => {
        concat!(" WHERE id = $1 AND state = 1 AND held IS NULL AND ends_at > $2 AND NOT ", stopped!())
    };
}

statements! {
    // $2 now, $3 the next state, $4 who says so, $5 when it ends then, $6 a reason to say no. Yes to one that names no sender only where
    // its owner was asked once more, at $8 or before.
    DECIDE = "UPDATE relays SET state = $3, decided_by = $4, decided_at = $2, ends_at = $5, denial = $6, \
        ended_at = $7 WHERE id = $1 AND state = 0 AND ends_at > $2 \
        AND ($3 <> 1 OR sender IS NOT NULL OR sender_pattern IS NOT NULL OR asked_again_at <= $8)";
    ASK_AGAIN = "UPDATE relays SET asked_again_at = $2 WHERE id = $1 AND state = 0 AND ends_at > $2 AND asked_again_at IS NULL";
    CHOOSE = "UPDATE relays SET chosen = $3 WHERE id = $1 AND state = 1 AND ends_at > $2";
    // $11 what a message is about that its owner must be asked about once more. One at a time.
    HOLD_BACK = concat!(receive!(), ", held = $11", awaited!());
    // Yes, by who names what it is about, $4: it may be read until $3. No: the code goes, and the request is denied.
    LET_GO = "UPDATE relays SET state = 2, held = NULL, kept_until = $3, ends_at = $3 WHERE id = $1 AND state = 1 AND held = $4 \
        AND ends_at > $2";
    DENY_HELD = "UPDATE relays SET state = 4, denial = $3, decided_by = 'user', decided_at = $2, ended_at = $2, payload = NULL, \
        held = NULL WHERE id = $1 AND state = 1 AND held IS NOT NULL AND ends_at > $2";
    LET_UNVERIFIED = "UPDATE relays SET unverified = $3 WHERE id = $1 AND state < 2 AND ends_at > $2";
    // $11 until when it may be read.
    RECEIVE = concat!(receive!(), ", state = 2, kept_until = $11, ends_at = $11", awaited!());
    // $3 one bit; of many such messages the first changes something.
    TURN_AWAY = "UPDATE relays SET turned_away = turned_away | $3 WHERE id = $1 AND state = 1 AND held IS NULL AND ends_at > $2 \
        AND (turned_away & $3) = 0";
    // $4: the sealed text stays for as long as who names its request may ask again.
    CONSUME = concat!("UPDATE relays SET state = 3, ended_at = $2, repeat_key = $4, \
        payload = CASE WHEN $4::bytea IS NULL THEN NULL ELSE payload END WHERE id = $1 AND agent_id = $3 AND state = 2 AND ends_at > $2 \
        AND NOT ", stopped!());
    CANCEL = "UPDATE relays SET state = 6, ended_at = $2, payload = NULL WHERE id = $1 AND agent_id = $3 AND state < 2 AND ends_at > $2";
    EXPIRE = "UPDATE relays SET state = 5, ended_at = ends_at, payload = NULL WHERE id = $1 AND state < 3 AND ends_at <= $2";
    ENDING = concat!("SELECT ", columns!(), " FROM relays WHERE state < 3 AND ends_at <= $1 ORDER BY ends_at LIMIT $2 FOR UPDATE SKIP LOCKED");
    ANY_ENDING = "SELECT id FROM relays WHERE state < 3 AND ends_at <= $1 LIMIT 1";
    FORGET = "UPDATE relays SET payload = NULL, repeat_key = NULL WHERE id = $1";
    READ_BEFORE = "SELECT id FROM relays WHERE state = 3 AND payload IS NOT NULL AND ended_at <= $1 ORDER BY ended_at LIMIT $2";
    // After a restore nothing is waited for, and no sealed text is there.
    END_ALL = "UPDATE relays SET state = 5, ended_at = $1, payload = NULL WHERE state < 3 OR payload IS NOT NULL";
}

/// What was received for a request.
pub struct Received<'a> {
    /// The code, sealed.
    pub payload: &'a str,
    /// `sms`, `email` or `whatsapp`.
    pub source: &'a str,
    /// By which way.
    pub capture: Way,
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

/// The owner's word: yes, or no with what they say. To one that takes any message, yes counts where its owner was asked once more by
/// then. False: it does not wait for it any more, or not for this word.
pub async fn decide(
    tx: &mut Tx<'_>,
    relay: &Relay,
    yes: bool,
    (by, denial): (&str, Option<&str>),
    (asked_by, now): (Timestamp, Timestamp),
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
        asked_by.into(),
    ];
    Ok(tx.execute(&DECIDE, &values).await? == 1)
}

/// Its owner said yes to any message, and is asked once more from now on. False: they were before, or it waits for nothing.
pub async fn ask_again(tx: &mut Tx<'_>, id: &RelayId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&ASK_AGAIN, &[id.into(), now.into()]).await? == 1)
}

/// The owner chooses it over another agent's, or does not any more.
pub async fn choose(tx: &mut Tx<'_>, id: &RelayId, chosen: bool, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&CHOOSE, &[id.into(), now.into(), i64::from(chosen).into()]).await? == 1)
}

/// A sealed code is there. False: none is waited for any more, or its owner has stopped that.
pub async fn receive(
    tx: &mut Tx<'_>,
    id: &RelayId,
    received: &Received<'_>,
    kept_until: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    put(tx, &RECEIVE, (id, now), received, kept_until.into()).await
}

/// A sealed code is there, of a message that its owner must be asked about once more. False: as [`receive`].
pub async fn hold_back(
    tx: &mut Tx<'_>,
    id: &RelayId,
    received: &Received<'_>,
    about: &str,
    now: Timestamp,
) -> Result<bool> {
    put(tx, &HOLD_BACK, (id, now), received, about.into()).await
}

async fn put(
    tx: &mut Tx<'_>,
    step: &'static Sql,
    (id, now): (&RelayId, Timestamp),
    received: &Received<'_>,
    last: Value<'_>,
) -> Result<bool> {
    let values = [
        id.into(),
        now.into(),
        received.payload.into(),
        received.source.into(),
        received.capture.as_str().into(),
        i64::from(received.readable).into(),
        received.sender_domain.into(),
        received.verdict.into(),
        received.forwarder.into(),
        received.spf.into(),
        last,
    ];
    Ok(tx.execute(step, &values).await? == 1)
}

/// Mail that would have fitted was not passed on, for a reason that is one of the bits of [`Relay::turned_away`]. False: such mail came
/// before, or nothing is waited for.
pub async fn turn_away(tx: &mut Tx<'_>, id: &RelayId, bit: i64, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&TURN_AWAY, &[id.into(), now.into(), bit.into()]).await? == 1)
}

/// The owner says yes to a code that is held for being about this: it may be read until then. False: none is held, or for something else.
pub async fn let_go(tx: &mut Tx<'_>, id: &RelayId, about: &str, kept_until: Timestamp, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&LET_GO, &[id.into(), now.into(), kept_until.into(), about.into()]).await? == 1)
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

/// After a restore: ends what was live.
pub async fn end_all(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    tx.execute(&END_ALL, &[now.into()]).await
}
