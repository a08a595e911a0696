//! What a person has set for all of their agents: that nothing may be asked for a while, and whose messages are never passed on.
//! Refuses nobody their pause.

use std::sync::Arc;

use doorcode_core::relay_deny::Senders;
use doorcode_core::{Result, UserId};
use serde_json::json;

use super::{CHANGES, spend};
use crate::app::App;
use crate::ops::audit::{self, Happened, Whose};
use crate::ops::credentials::note_pause;
use crate::store::audit::{self as rows, Owner};

/// A person's settings.
pub async fn settings(app: &App, owner: UserId) -> Result<Owner> {
    app.db.read(move |tx| Box::pin(async move { rows::owner(tx, &owner).await })).await
}

/// Nothing may be asked of them from now on, or it may again. To go on is counted and a pause is not: there are no more pauses than goings on,
/// and one that is said twice is said once. That everything is stopped is written down beside the keys first, and that it goes on again
/// afterwards: whatever fails in between, no restored database lets go on what was stopped.
pub async fn pause(app: &Arc<App>, whose: Whose, on: bool) -> Result<()> {
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let was_on = settings(app, whose.owner).await?.paused_at.is_some();
    if on && !was_on {
        note_pause(app, whose, true, now)?;
    }
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            if !on {
                spend(tx, &unit_app, &whose.owner, CHANGES, now).await?;
            } else if rows::owner(tx, &whose.owner).await?.paused_at.is_some() {
                return Ok(());
            }
            audit::note(tx, &unit_app, whose, happened(json!({ "paused": on })), now).await?;
            rows::pause(tx, &whose.owner, on.then_some(now)).await
        })
    });
    unit.await?;
    app.call(whose.owner);
    if !on && was_on {
        note_pause(app, whose, false, now)?;
    }
    Ok(())
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
