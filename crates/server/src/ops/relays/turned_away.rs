//! Mail that would have fitted a request and was not passed on, since its sender is not verified or it is forged: noted for its owner, who
//! may want to say otherwise, or to know that somebody tries. Refuses to tell the agent, to keep more of it than what is wrong, and to write
//! for more than the first of a kind.

use std::sync::Arc;

use doorcode_core::relay::fit::{Fit, fit};
use doorcode_core::{RelayId, Result, Timestamp};
use serde_json::json;

use super::take::Incoming;
use super::{happened, wanted};
use crate::app::App;
use crate::ops::audit;
use crate::store::relays::{self as rows, Relay};

/// Every reason, with its bit and its name.
pub const TURNED_AWAY: [(i64, &str); 2] = [(UNVERIFIED, "unverified"), (FORGED, "forged")];
/// Nobody says who sent it.
pub const UNVERIFIED: i64 = 1;
/// It says that its sender signed it, and that is not so.
pub const FORGED: i64 = 2;

/// Why mail was not passed on for a request, by name.
pub fn turned_away(relay: &Relay) -> Vec<&'static str> {
    TURNED_AWAY.iter().filter(|(bit, _)| relay.turned_away & bit != 0).map(|(_, name)| *name).collect()
}

/// Notes a message that nobody was given, for each request that it would have fitted. `why`: what is wrong with it, in our words.
pub async fn note_turned_away(app: &Arc<App>, incoming: &Incoming<'_>, why: &'static str) -> Result<()> {
    let (now, owner) = (app.clock.now(), incoming.whose.owner);
    let look = app.db.read(move |tx| Box::pin(async move { rows::live(tx, &owner, now, super::LIVE_MOST).await }));
    let mut new = Vec::new();
    for relay in look.await? {
        let bit = bit(&relay, incoming, now)?;
        if bit & !relay.turned_away != 0 {
            new.push((relay.id, bit));
        }
    }
    for (id, bit) in new {
        note(app, incoming, (id, bit), why, now).await?;
    }
    Ok(())
}

/// The reason for which this request had nothing of it; 0: it was not meant for it.
fn bit(relay: &Relay, incoming: &Incoming<'_>, now: Timestamp) -> Result<i64> {
    if !relay.waits(now) {
        return Ok(0);
    }
    Ok(match fit(&wanted(relay)?, &incoming.came) {
        Fit::Unverified => UNVERIFIED,
        Fit::Forged => FORGED,
        Fit::Yes | Fit::No => 0,
    })
}

async fn note(
    app: &Arc<App>,
    incoming: &Incoming<'_>,
    (id, bit): (RelayId, i64),
    why: &'static str,
    now: Timestamp,
) -> Result<()> {
    let (unit_app, whose, way) = (Arc::clone(app), incoming.whose, incoming.way);
    let verdict = TURNED_AWAY.iter().find(|(known, _)| *known == bit).map_or("", |(_, name)| name);
    let spf = incoming.spf.map(str::to_owned);
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            if !rows::turn_away(tx, &id, bit, now).await? {
                return Ok(false);
            }
            let Some(relay) = rows::get(tx, &id).await? else { return Ok(false) };
            let said =
                json!({ "source": "email", "capture": way.as_str(), "verdict": verdict, "why": why, "spf": spf });
            audit::note(tx, &unit_app, whose, happened("otp_turn_away", "server", &relay, said), now).await?;
            Ok(true)
        })
    });
    if unit.await? {
        // Its owner only: that there was such a message is not for the agent.
        app.call(whose.owner);
    }
    Ok(())
}
