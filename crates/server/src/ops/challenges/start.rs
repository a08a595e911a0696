//! A code is asked for. Every limit of a message is paid, the live code is found or a new one takes its place, and the
//! delivery is committed with it. Refuses to look at users: known and unknown addresses are the same here.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::{Class, DeliveryId, Email, Error, GuessPolicy, OrgId, Result, SendPolicy, Shape, State, Timestamp};

use crate::app::{App, target_of};
use crate::metrics::Metrics;
use crate::ops::client::Client;
use crate::ops::outbox::{Handed, LEASE};
use crate::store::challenges::{self, Challenge};
use crate::store::meters::{self, Meter};
use crate::store::targets::{self, Candidate, TargetId};
use crate::store::{Tx, deliveries};

/// What is asked for: a code to an address.
pub struct Start {
    /// Whose proof a success yields.
    pub realm: OrgId,
    /// What success is for.
    pub purpose: &'static str,
    /// Where the code goes.
    pub to: Email,
    /// What it looks like.
    pub shape: Shape,
    /// How long it lives.
    pub life: Duration,
    /// A live code with less life left is replaced.
    pub renew: Duration,
    /// The language of the message.
    pub language: &'static str,
    /// The name for an account that does not exist yet.
    pub full_name: Option<String>,
    /// Who asks.
    pub client: Client,
}

/// Commits a challenge (or the resending of the live one) with its delivery, and hands the delivery to the worker.
pub async fn start(app: &Arc<App>, ask: Start) -> Result<()> {
    let now = app.clock.now();
    let ring = app.keys.ring();
    let mut random = app.entropy.deal::<36>()?;
    let new = Challenge {
        id: random.id(now)?,
        realm: ask.realm,
        purpose: ask.purpose.to_owned(),
        method: "code".to_owned(),
        destination: ask.to.as_str().to_owned(),
        language: ask.language.to_owned(),
        shape: ask.shape,
        generation: 0,
        kid: ring.active().kid,
        salt: random.bytes()?,
        state: State::Pending,
        expires_at: now.plus(ask.life),
        full_name: ask.full_name.clone(),
        named_by: ask.client.host(),
        consumed_at: None,
        consumed_by: None,
        repeats: 0,
    };
    let delivery = random.id(now)?;
    let unit_app = Arc::clone(app);
    let begun =
        app.db.write(move |tx| Box::pin(async move { begin(tx, &unit_app, &ask, new, delivery, now).await })).await;
    match begun {
        Ok((challenge, fresh)) => {
            Metrics::count(&app.metrics.starts, if fresh { "new" } else { "resent" });
            app.outbox.hand(Handed { id: delivery, attempts: 0, until: now.plus(LEASE), challenge });
            Ok(())
        }
        Err(error) => {
            if matches!(error, Error::Limited { .. }) {
                Metrics::count(&app.metrics.starts, "limited");
            }
            Err(error)
        }
    }
}

/// The unit of a start. True: the challenge is a new one.
async fn begin(
    tx: &mut Tx<'_>,
    app: &App,
    ask: &Start,
    mut new: Challenge,
    delivery: DeliveryId,
    now: Timestamp,
) -> Result<(Challenge, bool)> {
    let target = target_of(ask.realm, ask.to.as_str());
    let standing = targets::standing(tx, &target).await?;
    let class = ask.client.class(&standing.known, now);
    let tag = ask.client.tries_tag();
    // With nothing left to guess at a short code with, the next message carries one that needs no budget.
    let long = !standing.may_guess(&GuessPolicy::for_shape(ask.shape), class, &tag, now);
    if long {
        new.shape = Shape::LONG;
    }
    let candidate = Candidate { id: new.id, until: new.expires_at, unless_after: now.plus(ask.renew) };
    let purse = target_of(ask.realm, &ask.to.folded());
    let opened = !standing.there && purse == target && targets::open(tx, &target, &candidate, now).await?;
    if !opened {
        pay_for_message(tx, &app.config.sends, &purse, class, now).await?;
    }
    pay_for_networks(tx, app, ask, now).await?;

    let slot = if long { standing.long } else { standing.short };
    let id = match slot.id {
        _ if opened => new.id,
        Some(live) if slot.until > candidate.unless_after => live,
        _ => {
            if purse != target {
                targets::write(tx, &target, now).await?;
            }
            targets::place_challenge(tx, &target, &candidate, long).await?
        }
    };
    let (challenge, fresh) = if id == new.id {
        challenges::insert(tx, &new).await?;
        (new, true)
    } else {
        let name = (new.full_name.as_deref(), new.named_by.as_ref());
        let live = challenges::resend(tx, &id, ask.language, name, now).await?;
        (live.ok_or_else(|| Error::internal("a target names a challenge that is not live"))?, false)
    };
    deliveries::insert(tx, &delivery, &challenge.id, "email", now.plus(LEASE)).await?;
    Ok((challenge, fresh))
}

/// The limit of an address, folded. A refusal is an error, which takes the unit back.
async fn pay_for_message(
    tx: &mut Tx<'_>,
    policy: &SendPolicy,
    purse: &TargetId,
    class: Class,
    now: Timestamp,
) -> Result<()> {
    targets::write(tx, purse, now).await?;
    // A known client that has used its own pool up is still as good as a stranger.
    let mut paid = targets::debit_send(tx, purse, class, policy, now).await?;
    if !paid && class == Class::Known {
        paid = targets::debit_send(tx, purse, Class::Stranger, policy, now).await?;
    }
    if paid {
        return Ok(());
    }
    let (strangers, known) = targets::sends(tx, purse).await?;
    let wait = |ring: &str, class| doorcode_core::budget::retry_after(ring, policy, class, now);
    let mut retry_after = wait(&strangers, Class::Stranger);
    if class == Class::Known {
        retry_after = retry_after.min(wait(&known, Class::Known));
    }
    Err(Error::Limited { rule: "send.target", retry_after })
}

/// The limits of the network, the wider one and the org.
async fn pay_for_networks(tx: &mut Tx<'_>, app: &App, ask: &Start, now: Timestamp) -> Result<()> {
    let policy = &app.config.sends;
    let [network, wide] = ask.client.meters("send", policy.network_hour, policy.wide_hour);
    let org = Meter {
        id: fingerprint("send", &[b"org", ask.realm.as_bytes()]),
        span: Duration::from_secs(86_400),
        limit: policy.org_day,
    };
    let meters = [network, wide, org];
    match meters::spend(tx, &meters, now).await? {
        None => Ok(()),
        Some(full) => {
            let retry_after = meters::retry_after(tx, &meters[full], now).await?;
            Err(Error::Limited { rule: ["send.network", "send.wide", "send.org"][full], retry_after })
        }
    }
}
