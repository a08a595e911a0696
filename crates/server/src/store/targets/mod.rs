//! `targets`: what may still be guessed at and sent to one address in one realm. Every rule here is one conditional
//! statement over one row; the numbers come from `core::budget`, whose pure functions say what the statements must
//! answer (a property test holds the two against each other). Refuses to be reset by resends, deletion or retention.

use doorcode_core::budget::{Class, GuessPolicy, Ring};
use doorcode_core::fingerprint::fingerprint;
use doorcode_core::time::DAY;
use doorcode_core::{ChallengeId, KNOWN_FOR, Result, Timestamp};

use super::db::Tx;
use super::sql::{Row, Sql, Value, statements};

#[macro_use]
mod text;
mod guesses;
mod sends;

pub use guesses::{TriesTag, debit_guess, refund, succeed, touch};
pub use sends::{Candidate, ask, debit_send, escalate, latest, leave, note_sent, place_challenge, sends, take_trickle};

/// The digest of a realm and an address: one row, the same length for all, and nothing to read in it but which rows are one address's.
pub type TargetId = [u8; 16];

/// With so many bytes begin the rows of one address, in whichever realm: its rows are found without a list of realms, and no start pays for
/// an index. Enough to tell addresses apart for a look; what is left tells a million realms of one address apart.
pub const SHARED: usize = 6;

/// Between these stand an address's rows of all realms. Another address's may be among them.
pub fn everywhere(address: &str) -> [TargetId; 2] {
    let digest = fingerprint("address", &[address.as_bytes()]);
    let end = |fill: u8| std::array::from_fn(|at| if at < SHARED { digest[at] } else { fill });
    [end(0), end(0xff)]
}

/// Behind every digest.
const LAST: TargetId = [0xff; 16];

/// Where servers share a database, so many rows are there to be written where there is nothing to write. Behind every digest too, but
/// for one in 2^118.
const STAND_INS: u16 = 1024;

/// One of them.
const fn stand_in(n: u16) -> TargetId {
    let mut id = LAST;
    [id[14], id[15]] = (u16::MAX - n % STAND_INS).to_be_bytes();
    id
}

/// The one for a row, as good as any.
fn stand_in_of(row: &TargetId) -> TargetId {
    let [.., a, b] = fingerprint("stand-in", &[row]);
    stand_in(u16::from_be_bytes([a, b]))
}

/// Every statement of this table.
pub(super) static EVERY: [&[&Sql]; 3] = [ALL, guesses::ALL, sends::ALL];

/// What `Standing::read` reads.
macro_rules! columns {
    () => {
        "known, misses, known_misses, streak, known_streak, short_id, short_until, long_id, long_until, \
        repeat_until, tries, sent_at"
    };
}

statements! {
    STANDING = concat!("SELECT ", columns!(), " FROM targets WHERE id = $1");
    CODES = "SELECT short_id, short_until, long_id, long_until FROM targets \
        WHERE id >= $1 AND id <= $2 AND (short_until > $3 OR long_until > $3)";
    // The address's row, or the one behind it: found in the same steps, whether there is one or not.
    NEAREST = concat!("SELECT ", columns!(), ", id FROM targets WHERE id >= $1 ORDER BY id LIMIT 1");
    STAND_IN = "INSERT INTO targets (id, sent_at, short_until) VALUES ($1, $2, $2) ON CONFLICT (id) DO NOTHING";
    WRITE = "INSERT INTO targets (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET turn = 1 - targets.turn";
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
    SWEEP_END = "SELECT id FROM (SELECT id FROM targets WHERE id > $1 ORDER BY id LIMIT $2) AS slice ORDER BY id DESC LIMIT 1";
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

    /// The place that a challenge has, while it lives, and whether it is the long code's.
    pub fn place_of(&self, challenge: &ChallengeId, now: Timestamp) -> Option<(Slot, bool)> {
        let places = [(self.short, false), (self.long, true)];
        places.into_iter().find(|(slot, _)| slot.id.as_ref() == Some(challenge) && slot.until > now)
    }

    /// How many guesses are left on the short code that lives: of its tries, and of the pools of a class.
    pub fn guesses_left(&self, policy: &GuessPolicy, class: Class, tag: &TriesTag, now: Timestamp) -> u32 {
        let (ring, streak) = match class {
            Class::Stranger => &self.misses,
            Class::Known => &self.known_misses,
        };
        let tries = self.tries.as_bytes().chunks(tag.len()).filter(|tried| tried == tag).count();
        let of_code = policy.per_code.saturating_sub(u32::try_from(tries).unwrap_or(u32::MAX));
        let window = policy.day(class);
        let counted = |n: &u32| Ring::nth(ring, *n as usize).is_some_and(|at| at > now.minus(window.span));
        let of_day = window.limit - u32::try_from((1..=window.limit).filter(counted).count()).unwrap_or(0);
        of_code.min(of_day).min(policy.streak(class).saturating_sub(*streak))
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
    if let Tx::Pg(statements) = tx {
        statements.lock(&[*id]).await?;
    }
    Ok(tx.one(&STANDING, &[id.into()], Standing::read).await?.unwrap_or_default())
}

/// The challenges whose codes live at an address, in whichever realm, and maybe some of another's, for a look.
pub async fn live_codes(tx: &mut Tx<'_>, address: &str, now: Timestamp) -> Result<Vec<ChallengeId>> {
    let [first, last] = everywhere(address);
    let slot =
        |row: &Row<'_>, at| Ok::<_, doorcode_core::Error>(Slot { id: row.maybe_id(at)?, until: row.time(at + 1)? });
    let values = [(&first).into(), (&last).into(), now.into()];
    let found = tx.all(&CODES, &values, |row| Ok([slot(row, 0)?, slot(row, 2)?])).await?;
    Ok(found.into_iter().flatten().filter(|slot| slot.until > now).filter_map(|slot| slot.id).collect())
}

/// The address's row, or, where there is none, the next one: found in the same steps.
///
/// Where others write at the same time, the address is locked, whether it has a row or not, and no other is: whoever waits learns nothing.
pub async fn nearest(tx: &mut Tx<'_>, id: &TargetId) -> Result<Nearest> {
    if let Tx::Pg(statements) = tx {
        statements.lock(&[*id]).await?;
    }
    let found = tx.one(&NEAREST, &[id.into()], |row| Ok((row.bytes(12)?, Standing::read(row)?))).await?;
    let (row, standing) = found.ok_or_else(|| doorcode_core::Error::internal("the last row of the targets is gone"))?;
    Ok(Nearest { row, own: row == *id, standing })
}

/// Before a unit that writes two rows reads either: where others write at the same time, all of them take the two in one order.
pub async fn hold(tx: &mut Tx<'_>, ids: [TargetId; 2]) -> Result<()> {
    match tx {
        Tx::Pg(statements) => statements.lock(&ids).await,
        Tx::Lite(_) => Ok(()),
    }
}

/// Makes the last row, which is no address's and stays for ever, so that every address has a nearest one; and, where servers share the
/// database, those before it that stand in for rows to write.
pub async fn keep_stand_ins(tx: &mut Tx<'_>) -> Result<()> {
    let ids: Vec<TargetId> = stand_ins(tx).collect();
    let values: Vec<_> = ids.iter().map(|id| vec![id.into(), i64::MAX.into()]).collect();
    tx.execute_each(&STAND_IN, &values).await.map(drop)
}

/// Whether they are there.
pub async fn has_stand_ins(tx: &mut Tx<'_>) -> Result<bool> {
    let (first, last) = (stand_ins(tx).last().unwrap_or(LAST), LAST);
    for id in [first, last] {
        if tx.one(&STANDING, &[(&id).into()], |_| Ok(())).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn stand_ins(tx: &Tx<'_>) -> impl Iterator<Item = TargetId> + use<> {
    let count = if matches!(tx, Tx::Pg(_)) { STAND_INS } else { 1 };
    (0..count).map(stand_in)
}

/// Makes the row if there is none, and writes it if there is one: either takes its time.
pub async fn write(tx: &mut Tx<'_>, id: &TargetId) -> Result<()> {
    tx.execute(&WRITE, &[id.into()]).await.map(drop)
}

/// After a restore: no code is live.
pub async fn forget_codes(tx: &mut Tx<'_>) -> Result<usize> {
    tx.execute(&FORGET_CODES, &[]).await
}

/// Looks at up to `most` rows after `from` and removes those that say what a fresh row would. Gives the last id looked
/// at, or none at the end of the table.
pub async fn sweep(tx: &mut Tx<'_>, from: &TargetId, most: i64, now: Timestamp) -> Result<Option<TargetId>> {
    let end = tx.one(&SWEEP_END, &[from.into(), most.into()], |row| row.bytes(0)).await?;
    let day = Ring::entry(now.minus(DAY));
    let forgotten = Ring::entry(now.minus(KNOWN_FOR));
    let values: [Value<'_>; 6] =
        [from.into(), most.into(), now.minus(DAY).into(), now.into(), (&day).into(), (&forgotten).into()];
    tx.execute(&SWEEP, &values).await?;
    Ok(end)
}

/// Characters of a ring to keep in front of which one more entry makes `n`.
fn before(n: u32) -> i64 {
    13 * (i64::from(n) - 1).max(0)
}

/// Where the n-th newest entry begins, as `substr` counts.
fn place(n: u32) -> i64 {
    before(n) + 1
}
