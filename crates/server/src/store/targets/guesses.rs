//! What may still be guessed at: one debit for one guess, all or nothing. Refuses to give back more than was taken.

use doorcode_core::budget::{Class, GuessPolicy, Ring};
use doorcode_core::{Result, Timestamp};

use super::{TargetId, before, place, stand_in_of};
use crate::store::db::Tx;
use crate::store::sql::{Value, statements};

/// A client's network as `tries` holds it: six characters of 64, and a comma.
pub type TriesTag = [u8; 7];

/// A ring without its newest entry, if there is a 1 and not a 0. An entry of no time takes its room.
macro_rules! refunded {
    ($ring:literal, $one:literal) => {
        concat!("substr(", $ring, ", 1 + 13 * ", $one, ") || substr('0000000000000', 1, 13 * ", $one, ")")
    };
}

/// The tries with one more ($4) in front, in the room of nobody's, if there is some left.
macro_rules! tried {
    () => {
        "$4 || substr(tries, 1, length(tries) - CASE WHEN substr(tries, length(tries) - 6, 7) = '......,' THEN 7 ELSE 0 END)"
    };
}

/// The tries without the newest, if there is a 1 and not a 0.
macro_rules! untried {
    ($one:literal) => {
        concat!("substr(tries, 1 + 7 * ", $one, ") || substr('......,', 1, 7 * ", $one, ")")
    };
}

/// Whether a short code is live, or may be said again ($9 now).
macro_rules! guessable {
    () => {
        "(short_until > $9 OR repeat_until > $9)"
    };
}

/// Whether a ring and a streak let one more guess through. $5 where the oldest that counts stands, $6 a window ago, $7 the
/// longest streak.
macro_rules! misses_allow {
    ($ring:literal, $streak:literal) => {
        concat!("substr(", $ring, ", $5, 13) <= $6 AND ", $streak, " < $7")
    };
}

/// Whether a network ($4) has tries left on the code ($8 the most).
macro_rules! tries_allow {
    () => {
        "length(tries) - length(replace(tries, $4, '')) < 7 * $8"
    };
}

statements! {
    // $2 the new entry, $3 characters of the ring to keep, $4 the tries tag, $5 where the oldest that counts stands,
    // $6 a window ago, $7 longest streak, $8 most tries of one network on one code, $9 now. T and P, all or nothing, and
    // only where a short code is live or may be repeated: elsewhere there is nothing to guess at.
    DEBIT_STRANGER = concat!("UPDATE targets SET misses = ", pushed!("misses", "$6"), ", streak = streak + 1, \
        tries = ", tried!(), " WHERE id = $1 AND ", guessable!(), " AND ", misses_allow!("misses", "streak"), " AND ", tries_allow!());
    DEBIT_KNOWN = concat!("UPDATE targets SET known_misses = ", pushed!("known_misses", "$6"), ", \
        known_streak = known_streak + 1, tries = ", tried!(), " \
        WHERE id = $1 AND ", guessable!(), " AND ", misses_allow!("known_misses", "known_streak"), " AND ", tries_allow!());
    // For the work: to write the row's page is what a debit costs most.
    TOUCH = "UPDATE targets SET turn = 1 - turn WHERE id = $1";
    // Where others write at the same time: a stand-in that nobody is busy with, so that nobody waits, and nobody's row keeps its owner
    // waiting. Not always the same one: what a long look of somebody else's keeps alive of it would have to be passed over each time.
    TOUCH_FREE = "UPDATE targets SET turn = 1 - turn WHERE id = \
        (SELECT id FROM targets WHERE id >= $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)";
    // $2, $3: give back the newest debit of strangers or of known clients (1), or not (0).
    REFUND = concat!("UPDATE targets SET \
        misses = ", refunded!("misses", "$2"), ", streak = streak - $2, \
        known_misses = ", refunded!("known_misses", "$3"), ", known_streak = known_streak - $3, \
        tries = ", untried!("($2 + $3)"), " WHERE id = $1");
    // Success refunds its own debit and clears both streaks, never the pools. Both codes are over; their ids stay, so
    // that the repeat of a right answer finds its challenge.
    SUCCEED = concat!("UPDATE targets SET \
        misses = ", refunded!("misses", "$2"), ", known_misses = ", refunded!("known_misses", "$3"), ", \
        tries = ", untried!("($2 + $3)"), ", streak = 0, known_streak = 0, \
        short_until = ", over!(), ", long_until = 0, repeat_until = $5, known = $4 WHERE id = $1");
}

/// Takes one guess from a class's pools and from the network's tries on this code, all or nothing.
pub async fn debit_guess(
    tx: &mut Tx<'_>,
    id: &TargetId,
    class: Class,
    policy: &GuessPolicy,
    tag: &TriesTag,
    now: Timestamp,
) -> Result<bool> {
    let sql = match class {
        Class::Stranger => &DEBIT_STRANGER,
        Class::Known => &DEBIT_KNOWN,
    };
    let window = policy.day(class);
    if window.limit == 0 {
        return Ok(false);
    }
    let (entry, cut) = (Ring::entry(now), Ring::entry(now.minus(window.span)));
    let values: [Value<'_>; 9] = [
        id.into(),
        (&entry).into(),
        before(window.limit).into(),
        text(tag).into(),
        place(window.limit).into(),
        (&cut).into(),
        i64::from(policy.streak(class)).into(),
        i64::from(policy.per_code).into(),
        now.into(),
    ];
    Ok(tx.execute(sql, &values).await? == 1)
}

/// Writes a row, as a debit does, and changes nothing that counts.
pub async fn touch(tx: &mut Tx<'_>, row: &TargetId) -> Result<()> {
    let (sql, row) = if matches!(tx, Tx::Pg(_)) { (&TOUCH_FREE, &stand_in_of(row)) } else { (&TOUCH, row) };
    tx.execute(sql, &[row.into()]).await.map(drop)
}

/// Gives a debit back: for a guess that was not compared, and for the repeat of a right answer.
pub async fn refund(tx: &mut Tx<'_>, id: &TargetId, class: Class) -> Result<()> {
    let [stranger, known] = refunds(class, true);
    tx.execute(&REFUND, &[id.into(), stranger.into(), known.into()]).await.map(drop)
}

/// Ends a guess that was right. `known` is the list with this client in it.
pub async fn succeed(
    tx: &mut Tx<'_>,
    id: &TargetId,
    class: Class,
    refund: bool,
    known: &str,
    repeat_until: Timestamp,
) -> Result<()> {
    let [stranger, known_client] = refunds(class, refund);
    let values = [id.into(), stranger.into(), known_client.into(), known.into(), repeat_until.into()];
    tx.execute(&SUCCEED, &values).await.map(drop)
}

fn refunds(class: Class, refund: bool) -> [i64; 2] {
    match class {
        Class::Stranger => [i64::from(refund), 0],
        Class::Known => [0, i64::from(refund)],
    }
}

fn text(tag: &TriesTag) -> &str {
    // ASCII: see [`TriesTag`].
    str::from_utf8(tag).unwrap_or_default()
}
