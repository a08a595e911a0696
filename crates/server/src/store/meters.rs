//! `meters`: counters over many addresses, each with a window that starts at its first use. For limits where a burst at
//! the edge of two windows does no harm: networks and orgs. What bounds guesses at one address is in `targets`, exact.

use std::time::Duration;

use doorcode_core::{Result, Timestamp};

use super::db::Tx;
use super::sql::{Value, statements};

statements! {
    // All of one request's meters at once. $1 now, $2 how many; then id, end of a new window and limit of each. A row
    // comes back for each that had room.
    SPEND_TWO = "INSERT INTO meters (id, until, used) VALUES ($3, $4, $2), ($6, $7, $2) ON CONFLICT (id) DO UPDATE SET \
        until = CASE WHEN meters.until <= $1 THEN excluded.until ELSE meters.until END, \
        used = CASE WHEN meters.until <= $1 THEN excluded.used ELSE meters.used + excluded.used END \
        WHERE meters.until <= $1 OR meters.used + excluded.used <= CASE meters.id WHEN $3 THEN $5 ELSE $8 END \
        RETURNING id";
    SPEND_THREE = "INSERT INTO meters (id, until, used) VALUES ($3, $4, $2), ($6, $7, $2), ($9, $10, $2) \
        ON CONFLICT (id) DO UPDATE SET \
        until = CASE WHEN meters.until <= $1 THEN excluded.until ELSE meters.until END, \
        used = CASE WHEN meters.until <= $1 THEN excluded.used ELSE meters.used + excluded.used END \
        WHERE meters.until <= $1 \
        OR meters.used + excluded.used <= CASE meters.id WHEN $3 THEN $5 WHEN $6 THEN $8 ELSE $11 END \
        RETURNING id";
    GIVE_BACK = "UPDATE meters SET used = used - 1 WHERE id IN ($1, $2) AND used > 0";
    UNTIL = "SELECT until FROM meters WHERE id = $1";
    SWEEP = "DELETE FROM meters WHERE id IN (SELECT id FROM meters WHERE until < $1 LIMIT $2) AND until < $1";
}

/// What is counted, by a digest of its kind and value.
pub type MeterId = [u8; 16];

/// A meter and how much of it a window holds.
#[derive(Clone, Copy)]
pub struct Meter {
    /// Which one.
    pub id: MeterId,
    /// The window.
    pub span: Duration,
    /// How much fits.
    pub limit: u32,
}

/// Spends `amount` (0 writes only) from both meters, or from none. Gives the place of one that was full.
pub async fn spend_two(tx: &mut Tx<'_>, pair: &[Meter; 2], amount: i64, now: Timestamp) -> Result<Option<usize>> {
    let [a, b] = pair;
    let values: [Value<'_>; 8] = [
        now.into(),
        amount.into(),
        (&a.id).into(),
        now.plus(a.span).into(),
        i64::from(a.limit).into(),
        (&b.id).into(),
        now.plus(b.span).into(),
        i64::from(b.limit).into(),
    ];
    let open = tx.all(&SPEND_TWO, &values, |row| row.bytes(0)).await?;
    let full = full(pair, &open);
    if let (Some(_), Some(paid), 1) = (full, open.first(), amount) {
        give_back(tx, paid, paid).await?;
    }
    Ok(full)
}

/// Spends one from each of three meters. Gives the place of one that was full: the caller must let the unit fail, which
/// takes the others back.
pub async fn spend_three(tx: &mut Tx<'_>, meters: &[Meter; 3], now: Timestamp) -> Result<Option<usize>> {
    let [a, b, c] = meters;
    let values: [Value<'_>; 11] = [
        now.into(),
        1.into(),
        (&a.id).into(),
        now.plus(a.span).into(),
        i64::from(a.limit).into(),
        (&b.id).into(),
        now.plus(b.span).into(),
        i64::from(b.limit).into(),
        (&c.id).into(),
        now.plus(c.span).into(),
        i64::from(c.limit).into(),
    ];
    let open = tx.all(&SPEND_THREE, &values, |row| row.bytes(0)).await?;
    Ok(full(meters, &open))
}

fn full(meters: &[Meter], open: &[MeterId]) -> Option<usize> {
    if open.len() == meters.len() { None } else { meters.iter().position(|meter| !open.contains(&meter.id)) }
}

/// Gives one back to each of two meters (or to one, named twice).
pub async fn give_back(tx: &mut Tx<'_>, a: &MeterId, b: &MeterId) -> Result<()> {
    tx.execute(&GIVE_BACK, &[a.into(), b.into()]).await.map(drop)
}

/// How long until the window of a meter is over.
pub async fn retry_after(tx: &mut Tx<'_>, meter: &Meter, now: Timestamp) -> Result<Duration> {
    let until = tx.one(&UNTIL, &[(&meter.id).into()], |row| row.time(0)).await?;
    Ok(until.map_or(Duration::ZERO, |until| until.since(now)))
}

/// Removes up to `most` meters whose window is over.
pub async fn sweep(tx: &mut Tx<'_>, most: i64, now: Timestamp) -> Result<usize> {
    tx.execute(&SWEEP, &[now.into(), most.into()]).await
}
