//! What may still be sent, and whose code is told: a message and a challenge's place, taken together by the usual start.
//! Refuses to leave an address without its trickle.

use doorcode_core::budget::{Class, Ring, SendPolicy};
use doorcode_core::time::{DAY, HOUR};
use doorcode_core::{ChallengeId, Result, Timestamp};

use super::{TargetId, before, place};
use crate::store::db::Tx;
use crate::store::sql::{Row, Value, statements};

/// What strangers may have an address sent: six an hour and twenty a day, then one an hour, never none. $2 is the new
/// entry, $3 the characters of the ring to keep, $4 and $6 where the hour's and the day's oldest that counts stands, $5 and
/// $7 an hour and a day ago, $8 the trickle's time ago.
macro_rules! may_be_sent {
    () => {
        "((substr(targets.sends, $4, 13) <= $5 AND substr(targets.sends, $6, 13) <= $7) \
        OR substr(targets.sends, 1, 13) <= $8)"
    };
}

/// The usual start whole: the row, the message and the candidate's place, as PLACE_SHORT has it. One statement whether there
/// is a row or not, since a start must not tell by its time. $2 the new entry, $3 the characters of the ring to keep; then
/// now, the candidate and the end of its life, and, as there $3, the time that a code must outlive to keep its place.
macro_rules! ask {
    ($ring:literal, $before:literal, [$now:literal, $id:literal, $until:literal, $unless:literal], $may:expr) => {
        concat!(
            "INSERT INTO targets (id, ",
            $ring,
            ", sent_at, short_id, short_until) \
            VALUES ($1, $2 || '0000000000000', ",
            $now,
            ", ",
            $id,
            ", ",
            $until,
            ") ON CONFLICT (id) DO UPDATE SET ",
            $ring,
            " = ",
            pushed!(concat!("targets.", $ring), $before),
            ", sent_at = excluded.sent_at, \
            tries = CASE WHEN targets.short_until <= ",
            $unless,
            " THEN ",
            no_tries!(),
            " ELSE targets.tries END, \
            short_id = CASE WHEN targets.short_until <= ",
            $unless,
            " THEN excluded.short_id ELSE targets.short_id END, \
            short_until = CASE WHEN targets.short_until <= ",
            $unless,
            " THEN excluded.short_until ELSE targets.short_until END \
            WHERE ",
            $may,
            " RETURNING short_id"
        )
    };
}

statements! {
    // The usual start whole, for strangers and for known clients: see ask!. $4 to $8 as in may_be_sent!.
    ASK_STRANGER = ask!("sends", "$7", ["$9", "$10", "$11", "$12"], may_be_sent!());
    // $4 where the oldest of the day that counts stands, $5 a day ago.
    ASK_KNOWN = ask!("known_sends", "$5", ["$6", "$7", "$8", "$9"], "substr(targets.known_sends, $4, 13) <= $5");
    DEBIT_SEND_STRANGER =
        concat!("UPDATE targets SET sends = ", pushed!("sends", "$7"), " WHERE id = $1 AND ", may_be_sent!());
    DEBIT_SEND_KNOWN = concat!("UPDATE targets SET known_sends = ", pushed!("known_sends", "$5"), " \
        WHERE id = $1 AND substr(known_sends, $4, 13) <= $5");
    SENDS = "SELECT sends, known_sends FROM targets WHERE id = $1";
    SENT = "UPDATE targets SET sent_at = $2 WHERE id = $1";
    // An address's own trickle, which messages to its +tags and other spellings can't use up.
    TRICKLE = "UPDATE targets SET sent_at = $2 WHERE id = $1 AND sent_at <= $3";
    // The candidate ($2) takes the place of a code that is over, or will be before $3; the tries of every network start
    // anew with the new code's life. Of two that come at once, one has the place.
    PLACE_SHORT = concat!("UPDATE targets SET tries = ", no_tries!(), ", short_id = $2, short_until = $4 \
        WHERE id = $1 AND short_until <= $3");
    PLACE_LONG = "UPDATE targets SET long_id = $2, long_until = $4 WHERE id = $1 AND long_until <= $3";
    // A challenge that gets a long code moves; whoever has the long place gives way.
    ESCALATE = concat!("UPDATE targets SET long_id = $2, long_until = short_until, short_id = NULL, short_until = ", over!(), " \
        WHERE id = $1 AND short_id = $2");
    // The counters stay.
    LEAVE = concat!("UPDATE targets SET \
        short_until = CASE WHEN short_id = $2 THEN ", over!(), " ELSE short_until END, \
        long_until = CASE WHEN long_id = $2 THEN 0 ELSE long_until END WHERE id = $1");
    LATEST = "SELECT short_id, long_id FROM targets WHERE id = $1";
}

/// A challenge that wants the place of the one whose code an address is told.
#[derive(Clone, Copy)]
pub struct Candidate {
    /// Its id, if it gets the place.
    pub id: ChallengeId,
    /// How long it would live.
    pub until: Timestamp,
    /// The present one stays if it lives longer than this.
    pub unless_after: Timestamp,
}

/// The usual start: takes one message from the pool of the asker's class and gives the candidate the short code's place if
/// that is free, making the row if there is none. Gives whose code goes out: the candidate's, or that of the one that has the
/// place. None: no message is left, and nothing has changed.
pub async fn ask(
    tx: &mut Tx<'_>,
    id: &TargetId,
    (class, policy): (Class, &SendPolicy),
    candidate: &Candidate,
    now: Timestamp,
) -> Result<Option<ChallengeId>> {
    let [i, j, k, l]: [Value<'_>; 4] =
        [now.into(), (&candidate.id).into(), candidate.until.into(), candidate.unless_after.into()];
    let placed = |row: &Row<'_>| row.id(0);
    match class {
        Class::Stranger => {
            let ring = StrangerRing::new(policy, now);
            let [a, b, c, d, e, f, g, h] = ring.values(id);
            tx.one(&ASK_STRANGER, &[a, b, c, d, e, f, g, h, i, j, k, l], placed).await
        }
        Class::Known => {
            let ring = KnownRing::new(policy, now);
            let [a, b, c, d, e] = ring.values(id);
            tx.one(&ASK_KNOWN, &[a, b, c, d, e, i, j, k, l], placed).await
        }
    }
}

/// Takes one message from a class's send pool.
pub async fn debit_send(
    tx: &mut Tx<'_>,
    id: &TargetId,
    class: Class,
    policy: &SendPolicy,
    now: Timestamp,
) -> Result<bool> {
    let changed = match class {
        Class::Stranger => {
            let ring = StrangerRing::new(policy, now);
            tx.execute(&DEBIT_SEND_STRANGER, &ring.values(id)).await?
        }
        Class::Known => {
            let ring = KnownRing::new(policy, now);
            tx.execute(&DEBIT_SEND_KNOWN, &ring.values(id)).await?
        }
    };
    Ok(changed == 1)
}

/// The entries that `may_be_sent!` compares.
struct StrangerRing<'a> {
    policy: &'a SendPolicy,
    entry: String,
    cuts: [String; 3],
}

impl<'a> StrangerRing<'a> {
    fn new(policy: &'a SendPolicy, now: Timestamp) -> Self {
        let cuts = [HOUR, DAY, policy.trickle].map(|span| Ring::entry(now.minus(span)));
        Self { policy, entry: Ring::entry(now), cuts }
    }

    /// $1 to $8.
    fn values<'b>(&'b self, id: &'b TargetId) -> [Value<'b>; 8] {
        let [hour, day, trickle] = &self.cuts;
        [
            id.into(),
            (&self.entry).into(),
            before(self.policy.kept(Class::Stranger)).into(),
            place(self.policy.stranger_hour).into(),
            hour.into(),
            place(self.policy.stranger_day).into(),
            day.into(),
            trickle.into(),
        ]
    }
}

/// What is compared for a known client.
struct KnownRing<'a> {
    policy: &'a SendPolicy,
    entry: String,
    day: String,
}

impl<'a> KnownRing<'a> {
    fn new(policy: &'a SendPolicy, now: Timestamp) -> Self {
        Self { policy, entry: Ring::entry(now), day: Ring::entry(now.minus(DAY)) }
    }

    /// $1 to $5.
    fn values<'b>(&'b self, id: &'b TargetId) -> [Value<'b>; 5] {
        let (keep, oldest) = (before(self.policy.kept(Class::Known)), place(self.policy.known_day));
        [id.into(), (&self.entry).into(), keep.into(), oldest.into(), (&self.day).into()]
    }
}

/// Notes that a message goes to exactly this address.
pub async fn note_sent(tx: &mut Tx<'_>, id: &TargetId, now: Timestamp) -> Result<()> {
    tx.execute(&SENT, &[id.into(), now.into()]).await.map(drop)
}

/// Takes the one message that an address has left when its pools are empty: one since `last`.
pub async fn take_trickle(tx: &mut Tx<'_>, id: &TargetId, last: Timestamp, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&TRICKLE, &[id.into(), now.into(), last.into()]).await? == 1)
}

/// The send rings of strangers and of known clients.
pub async fn sends(tx: &mut Tx<'_>, id: &TargetId) -> Result<(String, String)> {
    let rings = tx.one(&SENDS, &[id.into()], |row| Ok((row.text(0)?, row.text(1)?))).await?;
    Ok(rings.unwrap_or_default())
}

/// Gives the candidate the place of a code that is over, or will be soon.
pub async fn place_challenge(tx: &mut Tx<'_>, id: &TargetId, candidate: &Candidate, long: bool) -> Result<()> {
    let sql = if long { &PLACE_LONG } else { &PLACE_SHORT };
    let values: [Value<'_>; 4] =
        [id.into(), (&candidate.id).into(), candidate.unless_after.into(), candidate.until.into()];
    tx.execute(sql, &values).await.map(drop)
}

/// Moves a challenge from the short code's place to the long one's.
pub async fn escalate(tx: &mut Tx<'_>, id: &TargetId, challenge: &ChallengeId) -> Result<bool> {
    Ok(tx.execute(&ESCALATE, &[id.into(), challenge.into()]).await? == 1)
}

/// Frees the place of a challenge that was withdrawn. What was counted stays counted.
pub async fn leave(tx: &mut Tx<'_>, id: &TargetId, challenge: &ChallengeId) -> Result<()> {
    tx.execute(&LEAVE, &[id.into(), challenge.into()]).await.map(drop)
}

/// Which challenge's code goes out, once a candidate has asked for its place: itself, or the one that has it.
pub async fn latest(tx: &mut Tx<'_>, id: &TargetId, long: bool) -> Result<ChallengeId> {
    let column = usize::from(long);
    let latest = tx.one(&LATEST, &[id.into()], |row| row.maybe_id(column)).await?.flatten();
    latest.ok_or_else(|| doorcode_core::Error::internal("a target has neither a live code nor room for one"))
}
