//! The engine: start a challenge, check what comes back. The same for every door. Refuses to look at users when a code
//! is asked for, to compare what no budget paid for, and to answer before the debit is durable.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::challenge::{REPEAT_WINDOW, judge};
use doorcode_core::{
    Class, DeliveryId, Email, Error, GuessPolicy, OrgId, Result, Secret, SendPolicy, Shape, State, Timestamp, Verdict,
    code, known,
};

use super::client::Client;
use crate::app::{App, target_of};
use crate::metrics::Metrics;
use crate::ops::outbox::{Handed, LEASE};
use crate::store::challenges::{self, Challenge};
use crate::store::meters::{self, Meter};
use crate::store::targets::{self, Candidate, Slot, Standing, TargetId};
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
        id: doorcode_core::fingerprint::fingerprint("send", &[b"org", ask.realm.as_bytes()]),
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

/// What comes back: an entry for an address, where the door has no ids.
pub struct Attempt {
    /// Whose proof a success yields.
    pub realm: OrgId,
    /// What success is for.
    pub purpose: &'static str,
    /// Whose code it is said to be.
    pub to: Email,
    /// What was typed.
    pub entry: Secret<String>,
    /// What this door's codes look like, for the numbers of the budget.
    pub shape: Shape,
    /// Who asks.
    pub client: Client,
}

/// What a check came to.
pub enum Checked {
    /// Right, now and once.
    Right(Box<Challenge>),
    /// The same client's right answer again: the same result, nothing new.
    Repeat(Box<Challenge>),
    /// Wrong, expired, used, never asked for, or not compared: one answer for all.
    Wrong,
}

/// Checks an entry, as part of a unit that also hands over what was earned.
///
/// Every path writes the address's budget row before it looks anything up, debits before it compares, reads one
/// challenge (there or not), derives one code and compares once: what differs is the outcome, not the work.
pub async fn check(tx: &mut Tx<'_>, app: &App, attempt: &Attempt, now: Timestamp) -> Result<Checked> {
    let meters = attempt.client.meters("guess", app.config.guesses.network, app.config.guesses.wide);
    // A network with nothing left does the same work on one row of its own, so that it can't fill the table.
    let target = match app.exhausted.holds(&meters[0].id, now) {
        false => target_of(attempt.realm, attempt.to.as_str()),
        true => meters[0].id,
    };
    let standing = targets::standing(tx, &target).await?;
    let entry = code::normalise(attempt.entry.expose());
    let long = entry.as_ref().is_some_and(code::could_be_long);
    let debit = Debit::take(tx, app, attempt, &target, &standing, meters, long, now).await?;

    let slot = if long { standing.long } else { standing.short };
    let found = challenges::get(tx, &slot.id.unwrap_or_else(nobody)).await?;
    let here = found.is_some();
    let challenge = found.unwrap_or_else(|| stand_in(app, attempt));
    let matched = matches(app, &challenge, entry.as_ref()) && here && challenge.purpose == attempt.purpose;
    let host = attempt.client.host();
    match judge(&challenge.standing(host), matched && debit.paid, now) {
        Verdict::Right => finish(tx, app, attempt, &target, &standing, &debit, challenge, now).await,
        Verdict::Repeat => repeat(tx, app, &target, &debit, challenge, host, now).await,
        Verdict::Wrong => {
            Metrics::count(&app.metrics.checks, if debit.paid { "wrong" } else { "refused" });
            Ok(Checked::Wrong)
        }
    }
}

/// The same client, right again: nothing is earned, and nothing is charged.
async fn repeat(
    tx: &mut Tx<'_>,
    app: &App,
    target: &TargetId,
    debit: &Debit,
    challenge: Challenge,
    host: Option<[u8; 8]>,
    now: Timestamp,
) -> Result<Checked> {
    let again = match host {
        Some(host) => challenges::repeat(tx, &challenge.id, &host, now).await?,
        None => false,
    };
    if !again {
        return Ok(Checked::Wrong);
    }
    if debit.target {
        targets::refund(tx, target, debit.class).await?;
    }
    debit.refund_network(tx).await?;
    Metrics::count(&app.metrics.checks, "repeat");
    Ok(Checked::Repeat(Box::new(challenge)))
}

#[expect(clippy::too_many_arguments, reason = "the state of one check, used up here and nowhere else")]
async fn finish(
    tx: &mut Tx<'_>,
    app: &App,
    attempt: &Attempt,
    target: &TargetId,
    standing: &Standing,
    debit: &Debit,
    challenge: Challenge,
    now: Timestamp,
) -> Result<Checked> {
    let host = attempt.client.host();
    if !challenges::consume(tx, &challenge.id, host.as_ref(), now).await? {
        return Ok(Checked::Wrong);
    }
    let known = match attempt.client.tag() {
        Some(tag) => known::remember(&standing.known, &tag, now),
        None => standing.known.clone(),
    };
    targets::succeed(tx, target, debit.class, debit.target, &known, now.plus(REPEAT_WINDOW)).await?;
    debit.refund_network(tx).await?;
    for slot in [standing.short, standing.long] {
        void_other(tx, slot, &challenge, now).await?;
    }
    Metrics::count(&app.metrics.checks, "right");
    Ok(Checked::Right(Box::new(challenge)))
}

/// The address has one live challenge at the end: none. A long code does not outlive the short one's success.
async fn void_other(tx: &mut Tx<'_>, slot: Slot, used: &Challenge, now: Timestamp) -> Result<()> {
    match slot.id {
        Some(id) if id != used.id && slot.until > now => challenges::void(tx, &id).await,
        _ => Ok(()),
    }
}

/// What one guess cost, and how to give it back.
struct Debit {
    class: Class,
    /// The address's pools were debited.
    target: bool,
    /// The networks' meters were debited.
    network: bool,
    /// Everything that had to be paid was, so the entry may be compared.
    paid: bool,
    meters: [Meter; 2],
}

impl Debit {
    /// T and P in one statement, then W in another; long codes are exempt from T and P. All or nothing.
    #[expect(clippy::too_many_arguments, reason = "the state of one check, before it is paid")]
    async fn take(
        tx: &mut Tx<'_>,
        app: &App,
        attempt: &Attempt,
        target: &TargetId,
        standing: &Standing,
        meters: [Meter; 2],
        long: bool,
        now: Timestamp,
    ) -> Result<Self> {
        let class = attempt.client.class(&standing.known, now);
        let policy = GuessPolicy::for_shape(attempt.shape);
        let tag = attempt.client.tries_tag();
        let guessable = !long && standing.short_is_live(now);
        let debited = guessable && targets::debit_guess(tx, target, class, &policy, &tag, now).await?;
        if !debited {
            // As much is written as for a debit, so that nobody can tell by the time.
            targets::write(tx, target, now).await?;
        }
        // Where no code is live the address is not charged. The network is: somebody who tries addresses does not know
        // which of them wait for a code.
        let wanted = debited || !guessable;
        let full = if wanted {
            meters::spend(tx, &meters, now).await?
        } else {
            meters::look(tx, &meters, now).await?;
            None
        };
        let network = wanted && full.is_none();
        if let Some(full) = full {
            app.exhausted.note(meters[0].id, now.plus(meters::retry_after(tx, &meters[full], now).await?), now);
            if debited {
                targets::refund(tx, target, class).await?;
            }
        }
        let target = debited && network;
        Ok(Self { class, target, network, paid: network && (debited || long), meters })
    }

    async fn refund_network(&self, tx: &mut Tx<'_>) -> Result<()> {
        if self.network { meters::give_back(tx, &self.meters).await } else { Ok(()) }
    }
}

fn matches(app: &App, challenge: &Challenge, entry: Option<&Secret<String>>) -> bool {
    let ring = app.keys.ring();
    // A code under a retired key can't be right; the work is the same.
    let roots = ring.get(challenge.kid);
    let code = code::derive(&roots.unwrap_or_else(|| ring.active()).code, &challenge.binding());
    let nothing = Secret::new(String::new());
    code::matches(&code, challenge.shape, entry.unwrap_or(&nothing)) && roots.is_some()
}

/// The id of no challenge.
fn nobody() -> doorcode_core::ChallengeId {
    doorcode_core::ChallengeId::from_bytes([0; 16])
}

/// What is compared where there is nothing to compare with, so that it takes as long.
fn stand_in(app: &App, attempt: &Attempt) -> Challenge {
    Challenge {
        id: nobody(),
        realm: attempt.realm,
        purpose: attempt.purpose.to_owned(),
        method: "code".to_owned(),
        destination: attempt.to.as_str().to_owned(),
        language: String::new(),
        shape: attempt.shape,
        generation: 0,
        kid: app.keys.ring().active().kid,
        salt: [0; 16],
        state: State::Void,
        expires_at: Timestamp::from_millis(0),
        full_name: None,
        named_by: None,
        consumed_at: None,
        consumed_by: None,
        repeats: 0,
    }
}
