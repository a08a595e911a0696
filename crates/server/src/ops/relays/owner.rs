//! What a person has set for all of their agents: that nothing may be asked for a while, and whose messages are never passed on.
//! Refuses nobody their pause.

use std::sync::Arc;

use doorcode_core::relay_deny::Senders;
use doorcode_core::{Result, Timestamp, UserId};
use serde_json::json;

use super::{CHANGES, spend};
use crate::app::App;
use crate::ops::audit::{self, Happened, Whose};
use crate::ops::credentials::note_pause;
use crate::store::Tx;
use crate::store::audit::{self as rows, Owner};

/// A person's settings.
pub async fn settings(app: &App, owner: UserId) -> Result<Owner> {
    app.db.read(move |tx| Box::pin(async move { rows::owner(tx, &owner).await })).await
}

/// How the unit of a pause ended.
enum Came {
    /// It is so. Whether it was paused before.
    Done(bool),
    /// It was paused already.
    Already,
    /// It would be paused now, and that is not written down beside the keys.
    Unnoted,
}

/// Nothing may be asked of them from now on, or it may again. To go on is counted and a pause is not: there are no more pauses than goings on,
/// and one that is said twice is said once. That everything is stopped is written down beside the keys first, and that it goes on again
/// afterwards: whatever fails in between, no restored database lets go on what was stopped. Whether it was is what the unit finds: who goes on
/// at the same moment may be between any look and the unit.
pub async fn pause(app: &Arc<App>, whose: Whose, on: bool) -> Result<()> {
    let mut noted = on && settings(app, whose.owner).await?.paused_at.is_none();
    let (was_on, now) = loop {
        // The last word beside the keys is the one of the latest time.
        let now = app.clock.now();
        if noted {
            note_pause(app, whose, true, now)?;
        }
        let unit_app = Arc::clone(app);
        let unit = app.db.write(move |tx| Box::pin(async move { set(tx, &unit_app, whose, (on, noted), now).await }));
        match unit.await? {
            Came::Done(was_on) => break (was_on, now),
            Came::Already => break (true, now),
            Came::Unnoted => noted = true,
        }
    };
    app.call(whose.owner);
    if !on && was_on {
        note_pause(app, whose, false, now)?;
    }
    Ok(())
}

async fn set(tx: &mut Tx<'_>, app: &App, whose: Whose, (on, noted): (bool, bool), now: Timestamp) -> Result<Came> {
    let was_on = rows::owner(tx, &whose.owner).await?.paused_at.is_some();
    match on {
        false => spend(tx, app, &whose.owner, CHANGES, now).await?,
        true if was_on => return Ok(Came::Already),
        true if !noted => return Ok(Came::Unnoted),
        true => {}
    }
    audit::note(tx, app, whose, happened(json!({ "paused": on })), now).await?;
    rows::pause(tx, &whose.owner, on.then_some(now)).await?;
    Ok(Came::Done(was_on))
}

/// Whose messages are never passed on.
pub async fn set_senders(app: &Arc<App>, whose: Whose, senders: Senders) -> Result<()> {
    let (now, unit_app, kept) = (app.clock.now(), Arc::clone(app), senders.to_json()?);
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            spend(tx, &unit_app, &whose.owner, CHANGES, now).await?;
            audit::note(tx, &unit_app, whose, happened(json!({ "senders": senders })), now).await?;
            rows::set_senders(tx, &whose.owner, &kept).await
        })
    });
    unit.await
}

fn happened(details: serde_json::Value) -> Happened {
    Happened { kind: "owner_update", actor: "user", agent: None, relay: None, details }
}
