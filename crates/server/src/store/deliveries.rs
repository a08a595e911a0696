//! `deliveries`: the outbox. A row is committed with its challenge; whoever takes it moves `due_at` ahead by the lease,
//! so that a crash anywhere lets somebody else take it again. Refuses to hold what is sent: that is derived again.

use doorcode_core::{ChallengeId, DeliveryId, Result, Timestamp};

use super::challenges::{self, Challenge};
use super::db::Tx;
use super::sql::{Value, statements};

statements! {
    INSERT = "INSERT INTO deliveries (id, challenge_id, channel, state, due_at, attempts) VALUES ($1, $2, $3, $4, $5, 0)";
    CLAIM = "UPDATE deliveries SET due_at = $2 WHERE id IN ( \
        SELECT id FROM deliveries WHERE state = 0 AND due_at <= $1 ORDER BY due_at LIMIT $3) \
        AND state = 0 AND due_at <= $1 RETURNING id, challenge_id, attempts, channel";
    SENT = "UPDATE deliveries SET state = 1, attempts = attempts + 1, due_at = $2, failure = NULL \
        WHERE id = $1 AND state = 0";
    RETRY = "UPDATE deliveries SET attempts = attempts + 1, due_at = $2, failure = $3 WHERE id = $1 AND state = 0";
    END = "UPDATE deliveries SET state = $2, attempts = attempts + $3, due_at = $4, failure = $5 \
        WHERE id = $1 AND state = 0";
    FREE = "UPDATE deliveries SET due_at = $1 WHERE state = 0 AND due_at > $1";
    DROP_ALL = "UPDATE deliveries SET state = 3, due_at = $1, failure = 'restored' WHERE state = 0";
    WAITING = "SELECT count(*) FROM deliveries WHERE state = 0";
    NEXT = "SELECT min(due_at) FROM deliveries WHERE state = 0";
    SWEEP = "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE id < $1 ORDER BY id LIMIT $2) \
        AND state <> 0";
}

/// A mail with a code.
pub const EMAIL: &str = "email";
/// A mail with a code and a link.
pub const EMAIL_WITH_LINK: &str = "email+link";

/// A message that somebody has taken, with the challenge that it belongs to.
pub struct Taken {
    /// The delivery.
    pub id: DeliveryId,
    /// How often it has been tried.
    pub attempts: u32,
    /// Whether it carries a link beside the code.
    pub link: bool,
    /// What it carries; none if it is gone.
    pub challenge: Option<Challenge>,
}

/// How one try ended.
#[derive(Clone)]
pub enum Outcome {
    /// The provider took it.
    Sent,
    /// Not now: again at that time.
    Retry {
        /// When.
        due_at: Timestamp,
        /// Why, in our words.
        why: String,
    },
    /// Never: the provider refused it for good, or time ran out.
    GaveUp {
        /// Why, in our words.
        why: String,
        /// Whether it is the address that was refused.
        refused: bool,
    },
    /// Nobody waits for it any more; it was not tried.
    Dropped,
}

/// How a delivery begins.
#[derive(Clone, Copy)]
pub enum Birth {
    /// Taken: whoever commits it sends it, and this frees it if they die.
    Leased(Timestamp),
    /// Dropped, at this time: it is written like any other and never goes out.
    Withheld(Timestamp),
}

/// Writes a new delivery.
pub async fn insert(
    tx: &mut Tx<'_>,
    id: &DeliveryId,
    challenge: &ChallengeId,
    channel: &str,
    birth: Birth,
) -> Result<()> {
    let (state, due_at): (i64, Timestamp) = match birth {
        Birth::Leased(until) => (0, until),
        Birth::Withheld(now) => (3, now),
    };
    let values = [id.into(), challenge.into(), channel.into(), state.into(), due_at.into()];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// Takes up to `most` due messages until `lease_until`. No row goes to two takers.
pub async fn claim(tx: &mut Tx<'_>, now: Timestamp, lease_until: Timestamp, most: i64) -> Result<Vec<Taken>> {
    let rows = tx
        .all(&CLAIM, &[now.into(), lease_until.into(), most.into()], |row| {
            Ok((row.id(0)?, row.id(1)?, u32::try_from(row.int(2)?).unwrap_or(u32::MAX), row.text(3)?))
        })
        .await?;
    let mut taken = Vec::with_capacity(rows.len());
    for (id, challenge, attempts, channel) in rows {
        let link = channel == EMAIL_WITH_LINK;
        taken.push(Taken { id, attempts, link, challenge: challenges::get(tx, &challenge).await? });
    }
    Ok(taken)
}

/// Records how tries ended.
pub async fn record<'e>(
    tx: &mut Tx<'_>,
    ended: impl Iterator<Item = (&'e DeliveryId, &'e Outcome)>,
    now: Timestamp,
) -> Result<()> {
    let (sent, others): (Vec<_>, Vec<_>) = ended.partition(|(_, outcome)| matches!(outcome, Outcome::Sent));
    let sent: Vec<Vec<Value<'_>>> = sent.iter().map(|(id, _)| vec![(*id).into(), now.into()]).collect();
    if !sent.is_empty() {
        tx.execute_each(&SENT, &sent).await?;
    }
    for (id, outcome) in others {
        record_other(tx, id, outcome, now).await?;
    }
    Ok(())
}

async fn record_other(tx: &mut Tx<'_>, id: &DeliveryId, outcome: &Outcome, now: Timestamp) -> Result<()> {
    match outcome {
        Outcome::Sent => Ok(0),
        Outcome::Retry { due_at, why } => tx.execute(&RETRY, &[id.into(), (*due_at).into(), why.into()]).await,
        Outcome::GaveUp { why, .. } => end(tx, id, 2, 1, now, why).await,
        Outcome::Dropped => end(tx, id, 3, 0, now, "nobody waits for it").await,
    }
    .map(drop)
}

async fn end(tx: &mut Tx<'_>, id: &DeliveryId, state: i64, tries: i64, now: Timestamp, why: &str) -> Result<usize> {
    let values: [Value<'_>; 5] = [id.into(), state.into(), tries.into(), now.into(), why.into()];
    tx.execute(&END, &values).await
}

/// Ends every lease: at the start of the only server there is, each belongs to a dead one.
pub async fn free_leases(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    tx.execute(&FREE, &[now.into()]).await
}

/// After a restore: nothing that waited goes out.
pub async fn drop_all(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    tx.execute(&DROP_ALL, &[now.into()]).await
}

/// How many messages wait.
pub async fn waiting(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(tx.one(&WAITING, &[], |row| row.int(0)).await?.unwrap_or(0))
}

/// When the next message is due, taken ones by the end of their lease.
pub async fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    Ok(tx.one(&NEXT, &[], |row| row.maybe_time(0)).await?.flatten())
}

/// Removes up to `most` ended deliveries that were made before a time.
pub async fn sweep(tx: &mut Tx<'_>, made_before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[(&DeliveryId::floor(made_before)).into(), most.into()]).await
}
