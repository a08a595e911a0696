//! Requests whose time is up: written down, told, and their sealed codes gone. Every look judges a request by the clock anyway, so
//! that nothing hangs on when this runs; it can die at any line and be run again.

use std::sync::Arc;

use doorcode_core::Result;
use doorcode_core::relay::{REPEAT, State};
use serde_json::json;

use super::{happened, tell, whose};
use crate::app::App;
use crate::ops::audit;
use crate::store::events;
use crate::store::relays as rows;

/// How many are written down in one unit.
const ENDING_MOST: usize = 100;

/// Writes down all of them.
pub async fn expire_all(app: &Arc<App>) -> Result<()> {
    while expire(app).await? == ENDING_MOST {}
    Ok(())
}

/// Writes down some of them. Gives how many there were.
pub async fn expire(app: &Arc<App>) -> Result<usize> {
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let there = app.db.read(move |tx| Box::pin(async move { rows::any_over(tx, now, now.minus(REPEAT)).await }));
    if !there.await? {
        return Ok(0);
    }
    let mut ids = Vec::new();
    for _ in 0..ENDING_MOST {
        ids.push(app.entropy.id(now)?);
    }
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let mut ended = Vec::new();
            for (relay, event) in rows::ending(tx, now, ids.len() as i64).await?.into_iter().zip(&ids) {
                if !rows::expire(tx, &relay.id, now).await? {
                    continue;
                }
                events::append(tx, event, &relay.org, events::Kind::RelayExpired, relay.id.as_bytes()).await?;
                let said = json!({ "waited_for": waited_for(relay.standing.state) });
                audit::note(tx, &unit_app, whose(&relay), happened("otp_expire", "server", &relay, said), now).await?;
                ended.push(relay);
            }
            rows::forget_read(tx, now.minus(REPEAT), ids.len() as i64).await?;
            Ok(ended)
        })
    });
    let ended = unit.await?;
    ended.iter().for_each(|relay| tell(app, relay));
    Ok(ended.len())
}

fn waited_for(state: State) -> &'static str {
    match state {
        State::PendingApproval => "approval",
        State::Approved => "message",
        _ => "agent",
    }
}
