//! `targets`: what may still be guessed at and sent to one address in one realm. Every rule here is one conditional
//! statement over one row; the numbers come from `core::budget`, whose pure functions say what the statements must
//! answer (a property test holds the two against each other). Refuses to be reset by resends, deletion or retention.

use doorcode_core::budget::{Class, GuessPolicy, Ring, SendPolicy};
use doorcode_core::{ChallengeId, KNOWN_FOR, Result, Timestamp};

use super::db::Tx;
use super::sql::{Row, Value, statements};

/// The digest of a realm and an address: one row, the same length for all, and nothing to read in it.
pub type TargetId = [u8; 16];

/// Behind every digest.
const LAST: TargetId = [0xff; 16];

/// A client's network as `tries` holds it: six characters of 64, and a comma.
pub type TriesTag = [u8; 7];

/// What strangers may have an address sent: six an hour and twenty a day, then one an hour, never none. $2 is the new
/// entry, $3 the characters of the ring to keep, $4 and $6 where the hour's and the day's oldest that counts stands, $5 and
/// $7 an hour and a day ago, $8 the trickle's time ago.
macro_rules! may_be_sent {
    () => {
        "((substr(targets.sends, $4, 13) <= $5 AND substr(targets.sends, $6, 13) <= $7) \
        OR substr(targets.sends, 1, 13) <= $8)"
    };
}

/// A ring with one more entry ($2) in front. What no longer counts, being from before a time, makes room for it; else the
/// ring grows until one more than $3 characters of it are kept. So a row keeps its size: one that grows in a full page moves
/// its neighbours.
macro_rules! pushed {
    ($ring:expr, $before:literal) => {
        concat!(
            "$2 || substr(",
            $ring,
            ", 1, CASE WHEN ",
            $ring,
            " <> '' AND substr(",
            $ring,
            ", length(",
            $ring,
            ") - 12, 13) <= ",
            $before,
            " THEN length(",
            $ring,
            ") - 13 ELSE $3 END)"
        )
    };
}

/// A ring without its newest entry, if there is a 1 and not a 0. An entry of no time takes its room.
macro_rules! refunded {
    ($ring:literal, $one:literal) => {
        concat!("substr(", $ring, ", 1 + 13 * ", $one, ") || substr('0000000000000', 1, 13 * ", $one, ")")
    };
}

/// Tries of nobody, in the room of four: three that are wrong, and the right one. As in migrations/0001_house.sql.
macro_rules! no_tries {
    () => {
        "'......,......,......,......,'"
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

/// A time long ago that takes the room of one to come.
macro_rules! over {
    () => {
        "1099511627776"
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
            $may
        )
    };
}

statements! {
    STANDING = "SELECT known, misses, known_misses, streak, known_streak, short_id, short_until, long_id, long_until, \
        repeat_until, tries, sent_at FROM targets WHERE id = $1";
    // The address's row, or the one behind it: found in the same steps, whether there is one or not.
    NEAREST = "SELECT known, misses, known_misses, streak, known_streak, short_id, short_until, long_id, long_until, \
        repeat_until, tries, sent_at, id FROM targets WHERE id >= $1 ORDER BY id LIMIT 1";
    LAST_ROW = "INSERT INTO targets (id, sent_at, short_until) VALUES ($1, $2, $2) ON CONFLICT (id) DO NOTHING";
    WRITE = "INSERT INTO targets (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET sent_at = targets.sent_at";
    // The usual start whole, for strangers and for known clients: see ask!. $4 to $8 as in may_be_sent!.
    ASK_STRANGER = ask!("sends", "$7", ["$9", "$10", "$11", "$12"], may_be_sent!());
    // $4 where the oldest of the day that counts stands, $5 a day ago.
    ASK_KNOWN = ask!("known_sends", "$5", ["$6", "$7", "$8", "$9"], "substr(targets.known_sends, $4, 13) <= $5");
    // $2 the new entry, $3 characters of the ring to keep, $4 the tries tag, $5 where the oldest that counts stands,
    // $6 a window ago, $7 longest streak, $8 most tries of one network on one code, $9 now. T and P, all or nothing, and
    // only where a short code is live or may be repeated: elsewhere there is nothing to guess at.
    DEBIT_STRANGER = concat!("UPDATE targets SET misses = ", pushed!("misses", "$6"), ", streak = streak + 1, \
        tries = ", tried!(), " WHERE id = $1 AND ", guessable!(), " AND ", misses_allow!("misses", "streak"), " AND ", tries_allow!());
    DEBIT_KNOWN = concat!("UPDATE targets SET known_misses = ", pushed!("known_misses", "$6"), ", \
        known_streak = known_streak + 1, tries = ", tried!(), " \
        WHERE id = $1 AND ", guessable!(), " AND ", misses_allow!("known_misses", "known_streak"), " AND ", tries_allow!());
    // The same work as a debit, and nothing changes: no ring is ever empty, and no condition NULL.
    TOUCH = concat!("UPDATE targets SET misses = CASE WHEN ", pushed!("misses", "$6"), " = '' THEN '' ELSE misses END, \
        streak = CASE WHEN streak + 1 < 0 THEN 0 ELSE streak END, \
        tries = CASE WHEN ", tried!(), " = '' THEN '' ELSE tries END \
        WHERE id = $1 AND (", guessable!(), ") IS NOT NULL AND (", misses_allow!("misses", "streak"), ") IS NOT NULL AND (",
        tries_allow!(), ") IS NOT NULL");
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
    LATEST = "SELECT short_id, long_id FROM targets WHERE id = $1";
    // After a restore: no code is live, no repeat is possible. Counters stay.
    FORGET_CODES = concat!("UPDATE targets SET short_id = NULL, short_until = ", over!(), ", long_id = NULL, long_until = 0, \
        repeat_until = ", over!(), " WHERE short_id IS NOT NULL OR long_id IS NOT NULL");
    // A row may leave only when a fresh one would say the same: every pool empty of what counts, and nobody known any
    // more (the newest stands first, its time behind its tag).
    SWEEP = "DELETE FROM targets WHERE id IN (SELECT id FROM targets WHERE id > $1 ORDER BY id LIMIT $2) \
        AND sent_at < $3 AND streak = 0 AND known_streak = 0 AND substr(known, 17, 13) < $6 \
        AND short_until < $4 AND long_until < $4 \
        AND substr(misses, 1, 13) < $5 AND substr(known_misses, 1, 13) < $5 \
        AND substr(sends, 1, 13) < $5 AND substr(known_sends, 1, 13) < $5";
    SWEEP_END = "SELECT max(id) FROM (SELECT id FROM targets WHERE id > $1 ORDER BY id LIMIT $2) AS slice";
}

/// What a target's row says.
pub struct Standing {
    /// The networks that succeeded here, as `core::known` keeps them.
    pub known: String,
    /// Strangers' wrong guesses and their streak.
    pub misses: (String, u32),
    /// Known clients' wrong guesses and their streak.
    pub known_misses: (String, u32),
    /// The challenge whose short code went out last, and until when it lives.
    pub short: Slot,
    /// The same for a long code.
    pub long: Slot,
    /// Until when the client that was right may say it again.
    pub repeat_until: Timestamp,
    /// The networks that tried the present short code, a tag for each try.
    pub tries: String,
    /// When a message went to exactly this address.
    pub sent_at: Timestamp,
}

/// An address's row, or a stand-in.
pub struct Nearest {
    /// The row to [`touch`] where there is nothing to change in it.
    pub row: TargetId,
    /// Whether it is the address's own. Another's says nothing about the address, and only stands in for the work.
    pub own: bool,
    /// What it says.
    pub standing: Standing,
}

/// The latest challenge of a kind, live or over.
#[derive(Clone, Copy)]
pub struct Slot {
    /// Its id.
    pub id: Option<ChallengeId>,
    /// The end of its life, in the past once it has been used.
    pub until: Timestamp,
}

impl Default for Standing {
    /// What an address's row says before there is one.
    fn default() -> Self {
        let never = Timestamp::from_millis(0);
        let slot = Slot { id: None, until: never };
        Self {
            known: String::new(),
            misses: (String::new(), 0),
            known_misses: (String::new(), 0),
            short: slot,
            long: slot,
            repeat_until: never,
            tries: String::new(),
            sent_at: never,
        }
    }
}

impl Standing {
    fn read(row: &Row<'_>) -> Result<Self> {
        let count = |at| row.int(at).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        Ok(Self {
            known: row.text(0)?,
            misses: (row.text(1)?, count(3)?),
            known_misses: (row.text(2)?, count(4)?),
            short: Slot { id: row.maybe_id(5)?, until: row.time(6)? },
            long: Slot { id: row.maybe_id(7)?, until: row.time(8)? },
            repeat_until: row.time(9)?,
            tries: row.text(10)?,
            sent_at: row.time(11)?,
        })
    }

    /// Whether a short entry could be right: its code is live, or was used so recently that its user may repeat it.
    pub fn short_is_live(&self, now: Timestamp) -> bool {
        self.short.until > now || self.repeat_until > now
    }

    /// Whether the pools of a class, and the tries of a network on the code that lives, let one more guess through.
    pub fn may_guess(&self, policy: &GuessPolicy, class: Class, tag: &TriesTag, now: Timestamp) -> bool {
        let (ring, streak) = match class {
            Class::Stranger => &self.misses,
            Class::Known => &self.known_misses,
        };
        let tries = self.tries.as_bytes().chunks(tag.len()).filter(|tried| tried == tag).count();
        let tried_out = self.short.until > now && tries >= policy.per_code as usize;
        !tried_out && doorcode_core::budget::may_guess(ring, *streak, policy, class, now)
    }
}

/// What stands in the row, or would.
pub async fn standing(tx: &mut Tx<'_>, id: &TargetId) -> Result<Standing> {
    Ok(tx.one(&STANDING, &[id.into()], Standing::read).await?.unwrap_or_default())
}

/// The address's row, or, where there is none, the next one: found in the same steps.
pub async fn nearest(tx: &mut Tx<'_>, id: &TargetId) -> Result<Nearest> {
    let found = tx.one(&NEAREST, &[id.into()], |row| Ok((row.bytes(12)?, Standing::read(row)?))).await?;
    let (row, standing) = found.ok_or_else(|| doorcode_core::Error::internal("the last row of the targets is gone"))?;
    Ok(Nearest { row, own: row == *id, standing })
}

/// Makes the last row, which is no address's and stays for ever, so that every address has a nearest one.
pub async fn keep_last(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute(&LAST_ROW, &[(&LAST).into(), i64::MAX.into()]).await.map(drop)
}

/// Makes the row if there is none, and writes it if there is one: either takes its time.
pub async fn write(tx: &mut Tx<'_>, id: &TargetId) -> Result<()> {
    tx.execute(&WRITE, &[id.into()]).await.map(drop)
}

/// What a guess is compared with.
struct Guess<'a> {
    policy: &'a GuessPolicy,
    class: Class,
    tag: &'a TriesTag,
    entry: String,
    cut: String,
    now: Timestamp,
}

impl<'a> Guess<'a> {
    fn new(class: Class, policy: &'a GuessPolicy, tag: &'a TriesTag, now: Timestamp) -> Self {
        let (entry, cut) = (Ring::entry(now), Ring::entry(now.minus(policy.day(class).span)));
        Self { policy, class, tag, entry, cut, now }
    }

    /// $1 to $9.
    fn values<'b>(&'b self, id: &'b TargetId) -> [Value<'b>; 9] {
        let limit = self.policy.day(self.class).limit;
        [
            id.into(),
            (&self.entry).into(),
            before(limit).into(),
            text(self.tag).into(),
            place(limit).into(),
            (&self.cut).into(),
            i64::from(self.policy.streak(self.class)).into(),
            i64::from(self.policy.per_code).into(),
            self.now.into(),
        ]
    }
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
    if policy.day(class).limit == 0 {
        return Ok(false);
    }
    Ok(tx.execute(sql, &Guess::new(class, policy, tag, now).values(id)).await? == 1)
}

/// Does the work of a debit on a row, and changes nothing.
pub async fn touch(
    tx: &mut Tx<'_>,
    row: &TargetId,
    policy: &GuessPolicy,
    tag: &TriesTag,
    now: Timestamp,
) -> Result<()> {
    tx.execute(&TOUCH, &Guess::new(Class::Stranger, policy, tag, now).values(row)).await.map(drop)
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
/// that is free, making the row if there is none. False: no message is left, and nothing has changed.
pub async fn ask(
    tx: &mut Tx<'_>,
    id: &TargetId,
    (class, policy): (Class, &SendPolicy),
    candidate: &Candidate,
    now: Timestamp,
) -> Result<bool> {
    let [i, j, k, l]: [Value<'_>; 4] =
        [now.into(), (&candidate.id).into(), candidate.until.into(), candidate.unless_after.into()];
    let changed = match class {
        Class::Stranger => {
            let ring = StrangerRing::new(policy, now);
            let [a, b, c, d, e, f, g, h] = ring.values(id);
            tx.execute(&ASK_STRANGER, &[a, b, c, d, e, f, g, h, i, j, k, l]).await?
        }
        Class::Known => {
            let ring = KnownRing::new(policy, now);
            let [a, b, c, d, e] = ring.values(id);
            tx.execute(&ASK_KNOWN, &[a, b, c, d, e, i, j, k, l]).await?
        }
    };
    Ok(changed == 1)
}

/// Gives the candidate the place of a code that is over, or will be soon.
pub async fn place_challenge(tx: &mut Tx<'_>, id: &TargetId, candidate: &Candidate, long: bool) -> Result<()> {
    let sql = if long { &PLACE_LONG } else { &PLACE_SHORT };
    let values: [Value<'_>; 4] =
        [id.into(), (&candidate.id).into(), candidate.unless_after.into(), candidate.until.into()];
    tx.execute(sql, &values).await.map(drop)
}

/// Which challenge's code goes out, once a candidate has asked for its place: itself, or the one that has it.
pub async fn latest(tx: &mut Tx<'_>, id: &TargetId, long: bool) -> Result<ChallengeId> {
    let column = usize::from(long);
    let latest = tx.one(&LATEST, &[id.into()], |row| row.maybe_id(column)).await?.flatten();
    latest.ok_or_else(|| doorcode_core::Error::internal("a target has neither a live code nor room for one"))
}

/// After a restore: no code is live.
pub async fn forget_codes(tx: &mut Tx<'_>) -> Result<usize> {
    tx.execute(&FORGET_CODES, &[]).await
}

/// Looks at up to `most` rows after `from` and removes those that say what a fresh row would. Gives the last id looked
/// at, or none at the end of the table.
pub async fn sweep(tx: &mut Tx<'_>, from: &TargetId, most: i64, now: Timestamp) -> Result<Option<TargetId>> {
    let end = tx.one(&SWEEP_END, &[from.into(), most.into()], |row| row.maybe_bytes(0)).await?.flatten();
    let day = Ring::entry(now.minus(DAY));
    let forgotten = Ring::entry(now.minus(KNOWN_FOR));
    let values: [Value<'_>; 6] =
        [from.into(), most.into(), now.minus(DAY).into(), now.into(), (&day).into(), (&forgotten).into()];
    tx.execute(&SWEEP, &values).await?;
    Ok(end)
}

const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);
const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// Characters of a ring to keep in front of which one more entry makes `n`.
fn before(n: u32) -> i64 {
    13 * (i64::from(n) - 1).max(0)
}

/// Where the n-th newest entry begins, as `substr` counts.
fn place(n: u32) -> i64 {
    before(n) + 1
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
