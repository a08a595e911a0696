//! `meters`: counters over many addresses, each with a window that starts at its first use. For limits where a burst at
//! the edge of two windows does no harm: networks and orgs. What bounds guesses at one address is in `targets`, exact.

use std::time::Duration;

use doorcode_core::{Result, Timestamp};

use super::db::Tx;
use super::sql::statements;

statements! {
    // $3 how many, $4 windows that began by then are over, $5 the limit.
    SPEND = "INSERT INTO meters (id, since, used) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET \
        since = CASE WHEN meters.since <= $4 THEN excluded.since ELSE meters.since END, \
        used = CASE WHEN meters.since <= $4 THEN excluded.used ELSE meters.used + excluded.used END \
        WHERE meters.since <= $4 OR meters.used + excluded.used <= $5";
    // $3 and $5: the limits of $1 and $2. $4 windows that began by then are over.
    FULL = "SELECT count(*) FROM meters WHERE since > $4 \
        AND ((id = $1 AND used >= $3) OR (id = $2 AND used >= $5)) AND id IN ($1, $2)";
    SINCE = "SELECT since FROM meters WHERE id = $1";
    SWEEP = "DELETE FROM meters WHERE id IN (SELECT id FROM meters WHERE since < $1 LIMIT $2) AND since < $1";
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

/// Spends `amount` if it fits; 0 looks (and writes) only, a negative amount gives back.
pub async fn spend(tx: &mut Tx<'_>, meter: &Meter, amount: i64, now: Timestamp) -> Result<bool> {
    let over = now.minus(meter.span);
    let values = [(&meter.id).into(), now.into(), amount.into(), over.into(), i64::from(meter.limit).into()];
    Ok(tx.execute(&SPEND, &values).await? == 1)
}

/// Whether one more fits into both, without spending it.
pub async fn open(tx: &mut Tx<'_>, [a, b]: &[Meter; 2], now: Timestamp) -> Result<bool> {
    let over = now.minus(a.span.min(b.span));
    let values = [(&a.id).into(), (&b.id).into(), i64::from(a.limit).into(), over.into(), i64::from(b.limit).into()];
    Ok(tx.one(&FULL, &values, |row| row.int(0)).await? == Some(0))
}

/// How long until the window of a meter is over.
pub async fn retry_after(tx: &mut Tx<'_>, meter: &Meter, now: Timestamp) -> Result<Duration> {
    let since = tx.one(&SINCE, &[(&meter.id).into()], |row| row.time(0)).await?;
    Ok(since.map_or(Duration::ZERO, |since| since.plus(meter.span).since(now)))
}

/// Removes up to `most` meters whose longest window is over.
pub async fn sweep(tx: &mut Tx<'_>, most: i64, now: Timestamp) -> Result<usize> {
    let over = now.minus(Duration::from_secs(86_400));
    tx.execute(&SWEEP, &[over.into(), most.into()]).await
}
