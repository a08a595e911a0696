//! The owner says yes or no, or which of two agents gets the next message. Refuses everybody else.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::relay::State;
use doorcode_core::{Error, RelayId, Result, Timestamp, UserId};
use serde_json::json;

use super::{Approver, Shown, happened, overlap, tell, whose};
use crate::app::App;
use crate::ops::audit;
use crate::ops::sign_in::clean_name;
use crate::store::meters::{self, Meter};
use crate::store::relays::{self as rows, Relay};
use crate::store::{Tx, agents, events};

/// What the owner says.
pub struct Decided {
    /// Yes.
    pub yes: bool,
    /// Why not, for the agent.
    pub denial: Option<String>,
}

/// What the agent is told where its owner says nothing.
const DENIED: &str = "The request was denied";

/// The owner's word. Gives the request as it stands then, and others of other agents that could take the same message.
pub async fn decide(app: &Arc<App>, approver: Approver, id: RelayId, decided: Decided) -> Result<(Relay, Vec<Shown>)> {
    let (now, event, unit_app) = (app.clock.now(), app.entropy.id(app.clock.now())?, Arc::clone(app));
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let relay = own(tx, &approver.whose.owner, id).await?;
            spend(tx, &unit_app, &relay.owner, now).await?;
            let denial = decided.denial.as_deref().and_then(clean_name);
            let denial = (!decided.yes).then(|| denial.as_deref().unwrap_or(DENIED));
            let kept_until = now.plus(unit_app.config.relay.keep);
            let said = match (relay.held.is_some(), denial) {
                // Asked once more, about a code that is there.
                (true, None) => rows::let_go(tx, &id, kept_until, now).await?,
                (true, Some(denial)) => rows::deny_held(tx, &id, denial, now).await?,
                (false, denial) => rows::decide(tx, &relay, decided.yes, ("user", denial), now).await?,
            };
            if !said {
                return Err(late(&relay, now));
            }
            let (kind, told) =
                if decided.yes { ("otp_approve", "relay.approved") } else { ("otp_deny", "relay.denied") };
            events::append(tx, &event, &relay.org, told, id.as_bytes()).await?;
            let said = json!({ "by": format!("{:?}", approver.by), "about": relay.held });
            audit::note(tx, &unit_app, whose(&relay), happened(kind, approver.actor(), &relay, said), now).await?;
            let rivals = if decided.yes { rivals(tx, &relay, now).await? } else { Vec::new() };
            let relay = rows::get(tx, &id).await?.ok_or(Error::NotFound)?;
            Ok((relay, rivals))
        })
    });
    let (relay, rivals) = unit.await?;
    tell(app, &relay);
    Ok((relay, rivals))
}

/// Of several agents' requests that could take the same message, the owner chooses one.
pub async fn choose(app: &Arc<App>, approver: Approver, id: RelayId) -> Result<()> {
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let relay = own(tx, &approver.whose.owner, id).await?;
            for rival in rivals(tx, &relay, now).await? {
                rows::choose(tx, &rival.relay.id, false, now).await?;
            }
            if !rows::choose(tx, &id, true, now).await? {
                return Err(late(&relay, now));
            }
            let what = happened("otp_approve", approver.actor(), &relay, json!({ "chosen": true }));
            audit::note(tx, &unit_app, whose(&relay), what, now).await?;
            Ok(relay)
        })
    });
    tell(app, &unit.await?);
    Ok(())
}

/// A request for this person's code, and nobody else's.
async fn own(tx: &mut Tx<'_>, owner: &UserId, id: RelayId) -> Result<Relay> {
    rows::hold(tx, &id).await?.filter(|relay| relay.owner == *owner).ok_or(Error::NotFound)
}

/// Why there is nothing to say any more.
fn late(relay: &Relay, now: Timestamp) -> Error {
    match relay.standing.at(now) {
        State::Expired => Error::Gone,
        State::Cancelled => Error::Conflict("the request was cancelled"),
        _ => Error::Conflict("the request was already decided"),
    }
}

/// Approved requests of other agents that could take the same message.
async fn rivals(tx: &mut Tx<'_>, relay: &Relay, now: Timestamp) -> Result<Vec<Shown>> {
    let mut found = Vec::new();
    for other in rows::live(tx, &relay.owner, now, super::LIVE_MOST).await? {
        if other.agent != relay.agent && other.standing.at(now) == State::Approved && overlap(relay, &other) {
            let agent = agents::get(tx, &other.org, &other.agent).await?;
            found.push(Shown { relay: other, agent_name: agent.map_or_else(String::new, |agent| agent.name) });
        }
    }
    Ok(found)
}

async fn spend(tx: &mut Tx<'_>, app: &App, owner: &UserId, now: Timestamp) -> Result<()> {
    let minute = Meter {
        id: fingerprint("relay words", &[owner.as_bytes()]),
        span: Duration::from_secs(60),
        limit: app.config.relay.owner_minute,
    };
    if meters::spend(tx, &[minute], now).await?.is_some() {
        let retry_after = meters::retry_after(tx, &minute, now).await?;
        return Err(Error::Limited { rule: "approvals of a person", retry_after });
    }
    Ok(())
}
