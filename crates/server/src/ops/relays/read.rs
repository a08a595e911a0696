//! The agent reads the sealed code, once, or takes its request back. Refuses one that was stopped, and a second read; but for the same named
//! request within half a minute, so that an answer that was lost on the way is not lost for good.

use std::sync::Arc;

use doorcode_core::relay::{REPEAT, State};
use doorcode_core::{Error, RelayId, Result, Timestamp};
use serde_json::json;

use super::{Asking, happened, tell, whose};
use crate::app::App;
use crate::ops::audit;
use crate::store::relays::{self as rows, Relay};
use crate::store::{Tx, events};

/// What reading came to.
pub enum Consumed {
    /// The sealed code, and the request as it stands then.
    Read(Box<Relay>, String),
    /// It was read before.
    Already(Box<Relay>),
    /// There is nothing to read: in the state that the request has now.
    Not(Box<Relay>, State),
}

/// Reads it. `name` is the digest of the request's own name, if it has one.
pub async fn consume(app: &Arc<App>, asking: &Asking, id: RelayId, name: Option<[u8; 16]>) -> Result<Consumed> {
    let (now, event, unit_app) = (app.clock.now(), app.entropy.id(app.clock.now())?, Arc::clone(app));
    let agent = asking.agent.id;
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let relay = rows::hold(tx, &id).await?.filter(|relay| relay.agent == agent).ok_or(Error::NotFound)?;
            let Some((payload, by)) = rows::payload(tx, &id).await? else { return Ok((nothing(relay, now), false)) };
            if !rows::consume(tx, &id, &agent, name.as_ref(), now).await? {
                let again = relay.standing.state == State::Consumed && is_repeat(&relay, by, name, now);
                // Its owner may have stopped it, or everything, since they said yes.
                if relay.stopped && (again || relay.standing.at(now) == State::OtpReceived) {
                    return Err(Error::Forbidden);
                }
                let outcome = if again { Consumed::Read(Box::new(relay), payload) } else { nothing(relay, now) };
                return Ok((outcome, false));
            }
            events::append(tx, &event, &relay.org, events::Kind::RelayConsumed, id.as_bytes()).await?;
            let what = happened("otp_consume", "agent", &relay, json!({}));
            audit::note(tx, &unit_app, whose(&relay), what, now).await?;
            let relay = reread(tx, &id).await?;
            Ok((Consumed::Read(Box::new(relay), payload), true))
        })
    });
    let (outcome, news) = unit.await?;
    if let (Consumed::Read(relay, _), true) = (&outcome, news) {
        tell(app, relay);
    }
    Ok(outcome)
}

/// Whether the agent asks again, under the same name and soon, for what it was given.
fn is_repeat(relay: &Relay, by: Option<[u8; 16]>, name: Option<[u8; 16]>, now: Timestamp) -> bool {
    name.is_some() && by == name && relay.ended_at.is_some_and(|at| now < at.plus(REPEAT))
}

fn nothing(relay: Relay, now: Timestamp) -> Consumed {
    match relay.standing.at(now) {
        State::Consumed => Consumed::Already(Box::new(relay)),
        state => Consumed::Not(Box::new(relay), state),
    }
}

async fn reread(tx: &mut Tx<'_>, id: &RelayId) -> Result<Relay> {
    rows::get(tx, id).await?.ok_or(Error::NotFound)
}

/// The agent takes its request back.
pub async fn cancel(app: &Arc<App>, asking: &Asking, id: RelayId) -> Result<Relay> {
    let (now, event, unit_app) = (app.clock.now(), app.entropy.id(app.clock.now())?, Arc::clone(app));
    let agent = asking.agent.id;
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let relay = rows::hold(tx, &id).await?.filter(|relay| relay.agent == agent).ok_or(Error::NotFound)?;
            if !rows::cancel(tx, &id, &agent, now).await? {
                return match relay.standing.at(now) {
                    // Said twice, it is as good.
                    State::Cancelled => Ok((relay, false)),
                    State::Expired => Err(Error::Gone),
                    State::Consumed => Err(Error::Conflict("the code was already read")),
                    _ => Err(Error::Conflict("the request can not be cancelled any more")),
                };
            }
            events::append(tx, &event, &relay.org, events::Kind::RelayCancelled, id.as_bytes()).await?;
            let what = happened("otp_cancel", "agent", &relay, json!({}));
            audit::note(tx, &unit_app, whose(&relay), what, now).await?;
            Ok((reread(tx, &id).await?, true))
        })
    });
    let (relay, news) = unit.await?;
    if news {
        tell(app, &relay);
    }
    Ok(relay)
}
