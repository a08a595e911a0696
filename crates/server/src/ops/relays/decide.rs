//! The owner says yes or no, which of two agents gets the next message, and whether it may be unverified. Refuses everybody else, one
//! yes where two are asked for, and a yes to a held code that does not say what it is about.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::relay::{State, Yes};
use doorcode_core::{Error, RelayId, Result, Timestamp, UserId};
use serde_json::json;

use super::{Approver, By, Shown, happened, named, rivals, tell, whose};
use crate::app::App;
use crate::ops::audit;
use crate::ops::sign_in::clean_name;
use crate::store::meters::{self, Meter};
use crate::store::relays::{self as rows, Relay};
use crate::store::{Tx, events};

/// What the owner says.
#[derive(Clone)]
pub enum Word {
    /// Yes to the request.
    Yes(Yes),
    /// Yes to the code that is held, whose message they were shown to be about this.
    About(String),
    /// No, and why not, for the agent.
    No(Option<String>),
}

/// What it came to.
pub enum Decided {
    /// The request as it stands now, and others of other agents that could take the same message.
    Done(Box<Relay>, Vec<Shown>),
    /// This yes was not enough, and its owner has to say another: any message would do for it and this was the first, or its code is held
    /// and this did not name what it is about.
    AskedAgain(Box<Relay>),
}

/// What is counted, as whoever says too much is told.
const RULE: &str = "approvals of a person";
/// What the agent is told where its owner says nothing.
const DENIED: &str = "The request was denied";

/// The owner's word. To a request that names no sender yes has to be said twice, by whatever way; to one whose code is held by naming what
/// it is about, so that whoever only repeats themselves, or was never shown it, lets nothing go.
pub async fn decide(app: &Arc<App>, approver: Approver, id: RelayId, word: Word) -> Result<Decided> {
    let (now, event, unit_app) = (app.clock.now(), app.entropy.id(app.clock.now())?, Arc::clone(app));
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let relay = own(tx, &approver.whose.owner, id).await?;
            spend(tx, &unit_app, &relay.owner, RULE, now).await?;
            let by = json!({ "by": approver.by.noted(), "about": relay.held });
            let noted = |kind| happened(kind, approver.actor(), &relay, by);
            if !say(tx, &unit_app, &relay, &word, now).await? {
                if !is_not_enough(&relay, &word, now) {
                    return Err(not_so(&relay, &word, now));
                }
                if rows::ask_again(tx, &id, now).await? {
                    audit::note(tx, &unit_app, whose(&relay), noted("otp_ask_again"), now).await?;
                }
                return Ok(Decided::AskedAgain(Box::new(relay)));
            }
            let yes = !matches!(word, Word::No(_));
            let (kind, told) = if yes {
                ("otp_approve", events::Kind::RelayApproved)
            } else {
                ("otp_deny", events::Kind::RelayDenied)
            };
            events::append(tx, &event, &relay.org, told, id.as_bytes()).await?;
            audit::note(tx, &unit_app, whose(&relay), noted(kind), now).await?;
            let live = if yes { rows::live(tx, &relay.owner, now, super::LIVE_MOST).await? } else { Vec::new() };
            let rivals = named(tx, rivals(&relay, &live, now).cloned().collect()).await?;
            let relay = rows::get(tx, &id).await?.ok_or(Error::NotFound)?;
            Ok(Decided::Done(Box::new(relay), rivals))
        })
    });
    let decided = unit.await?;
    if let Decided::Done(relay, _) = &decided {
        tell(app, relay);
    }
    Ok(decided)
}

/// Writes the word down, if there is still something to say. False: there is not, or this word is not enough.
async fn say(tx: &mut Tx<'_>, app: &App, relay: &Relay, word: &Word, now: Timestamp) -> Result<bool> {
    let denial = match word {
        Word::Yes(_) | Word::About(_) => None,
        Word::No(why) => Some(why.as_deref().and_then(clean_name).unwrap_or_else(|| DENIED.to_owned())),
    };
    match (word, &denial) {
        (Word::About(about), _) if relay.held.as_deref() == Some(about) => {
            rows::let_go(tx, &relay.id, about, now.plus(app.config.relay.keep), now).await
        }
        (Word::About(_), _) => Ok(false),
        // A code is there of which whoever says this does not show that they know what it is about.
        (Word::Yes(_), _) if relay.held.is_some() => Ok(false),
        (Word::No(_), Some(denial)) if relay.held.is_some() => rows::deny_held(tx, &relay.id, denial, now).await,
        (word, denial) => {
            let asked_by = if let Word::Yes(yes) = word { yes.asked_by(now) } else { now };
            rows::decide(tx, relay, denial.is_none(), ("user", denial.as_deref()), (asked_by, now)).await
        }
    }
}

/// Whether it was the first yes to a request that takes any message, or one to a held code that does not say what that is about.
fn is_not_enough(relay: &Relay, word: &Word, now: Timestamp) -> bool {
    match (word, relay.standing.at(now)) {
        (Word::Yes(_), State::PendingApproval) => relay.is_any(),
        (Word::Yes(_) | Word::About(_), State::Approved) => relay.held.is_some(),
        _ => false,
    }
}

/// Why a word was none.
fn not_so(relay: &Relay, word: &Word, now: Timestamp) -> Error {
    match (word, relay.standing.at(now)) {
        (Word::About(_), State::PendingApproval | State::Approved) => {
            Error::Conflict("no code of this request is held")
        }
        _ => late(relay, now),
    }
}

/// Of several agents' requests that could take the same message, the owner chooses one.
pub async fn choose(app: &Arc<App>, approver: Approver, id: RelayId) -> Result<()> {
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let live = rows::hold_live(tx, &approver.whose.owner, now, super::LIVE_MOST).await?;
            let relay = own(tx, &approver.whose.owner, id).await?;
            spend(tx, &unit_app, &relay.owner, RULE, now).await?;
            for rival in rivals(&relay, &live, now) {
                rows::choose(tx, &rival.id, false, now).await?;
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

/// The owner lets one request have mail whose sender nobody vouches for, or does not any more. That is theirs in person: no device's.
pub async fn let_unverified(app: &Arc<App>, approver: Approver, id: RelayId, on: bool) -> Result<Relay> {
    if matches!(approver.by, By::Device(_)) {
        return Err(Error::Forbidden);
    }
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let relay = own(tx, &approver.whose.owner, id).await?;
            if !relay.is_by_mail() || relay.is_any() {
                return Err(Error::Conflict("only a request for mail of somebody can take unverified mail"));
            }
            spend(tx, &unit_app, &relay.owner, RULE, now).await?;
            if !rows::let_unverified(tx, &id, on, now).await? {
                return Err(late(&relay, now));
            }
            let what = happened("otp_unverified", approver.actor(), &relay, json!({ "taken": on }));
            audit::note(tx, &unit_app, whose(&relay), what, now).await?;
            rows::get(tx, &id).await?.ok_or(Error::NotFound)
        })
    });
    let relay = unit.await?;
    tell(app, &relay);
    Ok(relay)
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

/// What else is counted with their words, as whoever changes too much is told.
pub(in crate::ops) const CHANGES: &str = "changes of a person";

/// Counts a word of a person. Each leaves an entry in their record, which is kept for good: whoever holds a key must not fill it.
pub(in crate::ops) async fn spend(
    tx: &mut Tx<'_>,
    app: &App,
    owner: &UserId,
    rule: &'static str,
    now: Timestamp,
) -> Result<()> {
    let minute = Meter {
        id: fingerprint("relay words", &[owner.as_bytes()]),
        span: Duration::from_secs(60),
        limit: app.config.relay.owner_minute,
    };
    if meters::spend(tx, &[minute], now).await?.is_some() {
        let retry_after = meters::retry_after(tx, &minute, now).await?;
        return Err(Error::Limited { rule, retry_after });
    }
    Ok(())
}
