//! What is done from time to time: the time mark, the keys, retention. Each step is short, can die at any line, and can
//! be run again. Refuses long transactions: what is old leaves in small batches.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::stamp::FINGERPRINTS_KEPT;
use doorcode_core::time::{DAY, HOUR};
use doorcode_core::{Result, Timestamp};

use crate::app::App;
use crate::store::meta::{self, Fact};
use crate::store::{
    activities, challenges, deliveries, events, idempotency, mail_events, meters, nodes, redirects, relay_messages,
    relays, sessions, spent_tokens, stamp_keys, targets, webhook_messages,
};

/// Rows of one batch.
const BATCH: i64 = 200;
/// For how long the retention is one server's. Longer than it rests when nothing is to be removed.
const LEASE: Duration = Duration::from_secs(150);

/// How often a server says that it is there, and for how long that is believed.
const SAY_EVERY: Duration = Duration::from_secs(10);
const SAID_FOR: Duration = Duration::from_secs(30);

/// Where the walk through the targets stands.
#[derive(Default)]
pub struct Sweep {
    from: [u8; 16],
    marked: u64,
    /// When it was last said that this server is there.
    said: Option<Timestamp>,
}

/// Every second: writes the time down if anything was written since, and looks at the keys.
pub async fn tick(app: &Arc<App>, sweep: &mut Sweep) -> Result<()> {
    if let Some(time) = app.db.time().await? {
        app.clock.follow(time);
    }
    let units = app.db.units();
    if units != sweep.marked {
        app.mark_time().await?;
        sweep.marked = units + 1;
    }
    let changed = app.keys.refresh(&app.db, app.clock.now()).await?;
    if changed {
        tracing::info!(kid = %app.keys.ring().active().kid, "keys changed");
    }
    let now = app.clock.now();
    if !app.db.sole_owner() && (changed || sweep.said.is_none_or(|said| said.plus(SAY_EVERY) <= now)) {
        say_here(app, now).await?;
        // That alone is nothing to mark the time for.
        sweep.marked += 1;
        sweep.said = Some(now);
    }
    Ok(())
}

/// Says that this server is there, and which keys it has.
async fn say_here(app: &Arc<App>, now: Timestamp) -> Result<()> {
    let (node, kids) = (app.node.clone(), app.keys.ring().iter().map(|roots| roots.kid).collect::<Vec<_>>());
    app.db.write(move |tx| Box::pin(async move { nodes::here(tx, &node, now.plus(SAID_FOR), &kids).await })).await
}

/// Says that this server is not there any more, where others would wait for it.
pub async fn say_gone(app: &Arc<App>) -> Result<()> {
    if app.db.sole_owner() {
        return Ok(());
    }
    let (node, now) = (app.node.clone(), app.clock.now());
    app.db.write(move |tx| Box::pin(async move { nodes::gone(tx, &node, now).await })).await
}

/// How much is left to remove.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// As much as a batch has gone, so there is more of it.
    Much,
    /// There may be some.
    Some,
    /// Nothing was found.
    Nothing,
}

/// One batch of everything that is over.
pub async fn sweep(app: &Arc<App>, sweep: &mut Sweep) -> Result<Left> {
    let now = app.clock.now();
    let keep = app.config.retention;
    // However little is configured: a challenge is over at most an hour after it was made, and its delivery with it.
    let least = 3 * HOUR;
    let from = sweep.from;
    // Of several servers one does it, and another once that one is gone.
    let who = (!app.db.sole_owner()).then(|| app.node.clone());
    let (removed, next) = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                if let Some(who) = &who
                    && !meta::lease(tx, Fact::Sweeper, who, now, now.plus(LEASE)).await?
                {
                    return Ok((0, None));
                }
                let mut removed = challenges::sweep(tx, now.minus(keep.challenges.max(least)), BATCH, now).await?;
                removed += deliveries::sweep(tx, now.minus(keep.deliveries.max(least)), BATCH).await?;
                removed += webhook_messages::sweep(tx, now.minus(keep.deliveries.max(least)), BATCH).await?;
                removed += mail_events::sweep(tx, now.minus(keep.deliveries.max(least)), BATCH).await?;
                removed += events::sweep(tx, now.minus(keep.events.max(least)), BATCH).await?;
                removed += sessions::sweep(tx, now.minus(keep.deliveries.max(least)), BATCH, now).await?;
                removed += redirects::sweep(tx, now.minus(least), BATCH, now).await?;
                removed += idempotency::sweep(tx, BATCH, now).await?;
                removed += relays::sweep(tx, now.minus(keep.events.max(least)), BATCH).await?;
                removed += relay_messages::sweep(tx, now, BATCH).await?;
                removed += activities::forget(tx, now.minus(FINGERPRINTS_KEPT), BATCH).await?;
                removed += activities::sweep(tx, now.minus(keep.events.max(least)), BATCH).await?;
                removed += spent_tokens::sweep(tx, now.minus(spent_tokens::KEPT), BATCH).await?;
                removed += stamp_keys::sweep(tx, now.minus(DAY), BATCH).await?;
                Ok((removed, targets::sweep(tx, &from, BATCH, now).await?))
            })
        })
        .await?;
    // Apart: whoever waits for a meter may hold an address that the unit above waits for.
    let removed =
        removed + app.db.write(move |tx| Box::pin(async move { meters::sweep(tx, BATCH, now).await })).await?;
    sweep.from = next.unwrap_or([0; 16]);
    Ok(match removed {
        many if many >= usize::try_from(BATCH).unwrap_or(usize::MAX) => Left::Much,
        0 if next.is_none() => Left::Nothing,
        _ => Left::Some,
    })
}
