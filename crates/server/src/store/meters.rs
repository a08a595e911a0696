//! `meters`: counters over many addresses, each with a window that starts at its first use. For limits where a burst at
//! the edge of two windows does no harm: networks and orgs. What bounds guesses at one address is in `targets`, exact. On
//! PostgreSQL they are spent at a desk (`store::pg::desk`): a row that every request wants must not be held by any.

use std::time::Duration;

use doorcode_core::{Result, Timestamp};

use super::db::Tx;
use super::sql::statements;

statements! {
    // $2 now, $3 the limit. The usual case, and the cheapest statement for it.
    SPEND = "UPDATE meters SET used = used + 1 WHERE id = $1 AND until > $2 AND used < $3";
    // A meter's first use, or the first of a new window, which ends at $3.
    BEGIN = "INSERT INTO meters (id, used, until) VALUES ($1, 1, $3) ON CONFLICT (id) DO UPDATE SET \
        used = excluded.used, until = excluded.until WHERE meters.until <= $2";
    GIVE_BACK = "UPDATE meters SET used = used - 1 WHERE id = $1 AND used > 0";
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

/// Spends one from each meter, or from none. Gives the place of one that was full.
pub async fn spend(tx: &mut Tx<'_>, meters: &[Meter], now: Timestamp) -> Result<Option<usize>> {
    if let Tx::Pg(statements) = tx {
        return statements.spend(meters, now).await;
    }
    for (place, meter) in meters.iter().enumerate() {
        if !take(tx, meter, now).await? {
            give_back(tx, &meters[..place]).await?;
            return Ok(Some(place));
        }
    }
    Ok(None)
}

async fn take(tx: &mut Tx<'_>, meter: &Meter, now: Timestamp) -> Result<bool> {
    let limit = i64::from(meter.limit);
    let spend = [(&meter.id).into(), now.into(), limit.into()];
    if tx.execute(&SPEND, &spend).await? == 1 {
        return Ok(true);
    }
    if limit == 0 {
        return Ok(false);
    }
    let until = now.plus(meter.span);
    Ok(tx.execute(&BEGIN, &[(&meter.id).into(), now.into(), until.into()]).await? == 1)
}

/// Gives one back to each meter.
pub async fn give_back(tx: &mut Tx<'_>, meters: &[Meter]) -> Result<()> {
    if let Tx::Pg(statements) = tx {
        statements.give_back(meters);
        return Ok(());
    }
    for meter in meters {
        tx.execute(&GIVE_BACK, &[(&meter.id).into()]).await?;
    }
    Ok(())
}

/// Does the work of spending, and spends nothing. Not by a statement that changes nothing: SQLite would not write the page.
pub async fn touch(tx: &mut Tx<'_>, meter: &Meter, now: Timestamp) -> Result<()> {
    let meter = std::slice::from_ref(meter);
    if spend(tx, meter, now).await?.is_none() {
        give_back(tx, meter).await?;
    }
    Ok(())
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
