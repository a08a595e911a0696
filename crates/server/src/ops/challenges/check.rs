//! A code comes back. One debit before one comparison; what differs between a right, a wrong and a nonsensical answer is
//! the outcome, not the work. Refuses to compare what no budget paid for.

use std::sync::{Arc, Mutex, PoisonError};

use doorcode_core::activity::rules;
use doorcode_core::challenge::{REPEAT_WINDOW, judge};
use doorcode_core::{
    Address, ChallengeId, Class, OrgId, Result, Secret, Shape, State, Timestamp, Verdict, apikey, code, known,
};

use super::start::{SANDBOX, Terms};
use crate::app::{App, target_of};
use crate::metrics::Metrics;
use crate::ops::client::Client;
use crate::store::Tx;
use crate::store::challenges::{self, Challenge};
use crate::store::meters::{self, Meter};
use crate::store::targets::{self, Nearest, Slot, Standing, TargetId};

/// What comes back: an entry for an address, where the door has no ids.
#[derive(Clone)]
pub struct Attempt {
    /// Whose proof a success yields.
    pub realm: OrgId,
    /// What success is for.
    pub purpose: &'static str,
    /// Whose code it is said to be.
    pub to: Address,
    /// The only challenge that it may be for, where the door has ids.
    pub only: Option<ChallengeId>,
    /// What came back.
    pub entry: Entry,
    /// What this door's codes look like, for the numbers of the budget.
    pub shape: Shape,
    /// Who asks.
    pub client: Client,
    /// What only some doors ask for.
    pub terms: Terms,
}

/// What a check came to, for the metrics. Written in the unit, which may run twice or be taken back, and counted by whoever sees it committed.
#[derive(Clone, Default)]
pub struct Tally(Arc<Mutex<Option<&'static str>>>);

impl Tally {
    fn write(&self, outcome: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }

    /// Counts it, once.
    pub fn count(&self, app: &App) {
        let outcome = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(outcome) = outcome {
            Metrics::count(&app.metrics.checks, outcome);
        }
    }
}

/// What came back.
#[derive(Clone)]
pub enum Entry {
    /// A code, as it was typed.
    Typed(Secret<String>),
    /// The token of a mail's link, for this challenge alone. It is too long to guess, so no budget pays for it but W.
    Link(ChallengeId, Secret<String>),
}

/// What a guess is counted in. Worked out before the unit: the writer's time is everybody's.
#[derive(Clone)]
pub struct Aim {
    /// The address's row.
    pub address: TargetId,
    /// Where it is written what the check came to.
    pub tally: Tally,
    meters: Vec<Meter>,
}

impl Aim {
    /// Where an attempt aims.
    pub fn of(app: &App, attempt: &Attempt) -> Self {
        Self {
            address: target_of(attempt.realm, attempt.to.as_str()),
            tally: Tally::default(),
            meters: meters_of(app, &attempt.client),
        }
    }

    /// The same, where whoever ends the unit has what is written by then.
    pub fn told_by(self, tally: Tally) -> Self {
        Self { tally, ..self }
    }
}

fn meters_of(app: &App, client: &Client) -> Vec<Meter> {
    client.meters("guess", &app.config.guesses).into_iter().map(|(_, meter)| meter).collect()
}

/// A guess at what is not there: the networks pay as for any other one.
pub async fn miss(tx: &mut Tx<'_>, app: &App, client: &Client, now: Timestamp) -> Result<()> {
    meters::spend(tx, &meters_of(app, client), now).await.map(drop)
}

/// What a check came to.
pub enum Checked {
    /// Right, now and once.
    Right(Box<Challenge>),
    /// The same client's right answer again: the same result, nothing new.
    Repeat(Box<Challenge>),
    /// Wrong, expired, used, never asked for, or not compared: one answer for all.
    Wrong,
    /// Not compared, since the networks had nothing left. The same answer; but whoever keeps judgements keeps none of it.
    Unpaid,
}

/// Checks an entry, as part of a unit that also hands over what was earned.
///
/// Every path reads the address's row, or the one next to where it would be, and debits the networks, then the address,
/// before it looks at any challenge; writes that row; reads one challenge (where none is live, one that stands in); derives one code
/// and compares once. A door with ids has read its challenge in the same unit, `found`, whatever became of it: that is the one.
pub async fn check(
    tx: &mut Tx<'_>,
    app: &App,
    (attempt, aim): (&Attempt, &Aim),
    found: Option<Challenge>,
    now: Timestamp,
) -> Result<Checked> {
    let guess = Guess::read(tx, app, attempt, aim, now).await?;
    let paid = guess.pay(tx).await?;
    let meant = guess.meant();
    // Where it has been removed, another one, which is as far away.
    let mut challenge = match found {
        Some(found) => found,
        None => challenges::nearest(tx, &meant.unwrap_or(guess.stand_in)).await?,
    };
    let meant = meant == Some(challenge.id);
    if !meant {
        // As long as the live one's would be, so that deriving takes as long. It is not asked for all the same.
        attempt.to.as_str().clone_into(&mut challenge.destination);
    }
    let matched = guess.matches(&challenge) && meant && is_for(&challenge, attempt);
    match judge(&challenge.standing(attempt.client.host()), matched && paid.compare, now) {
        Verdict::Right => guess.succeed(tx, &paid, challenge).await,
        Verdict::Repeat => guess.repeat(tx, &paid, challenge).await,
        Verdict::Wrong => {
            aim.tally.write(if paid.compare { "wrong" } else { "refused" });
            Ok(if paid.network { Checked::Wrong } else { Checked::Unpaid })
        }
    }
}

/// Whether a challenge is for what it is tried on. Whoever can write the database could point an address's row at a
/// challenge of their own; its code is no use there.
fn is_for(challenge: &Challenge, attempt: &Attempt) -> bool {
    challenge.realm == attempt.realm
        && challenge.purpose == attempt.purpose
        && challenge.destination == attempt.to.as_str()
        && attempt.only.is_none_or(|only| only == challenge.id)
}

/// One guess, and what the address's row says about it.
struct Guess<'a> {
    app: &'a App,
    attempt: &'a Attempt,
    now: Timestamp,
    entry: Option<Secret<String>>,
    /// Only a long code can be meant.
    long: bool,
    /// The challenge whose link's token this is said to be.
    link: Option<ChallengeId>,
    aim: &'a Aim,
    /// The row to touch where there is nothing to debit.
    row: TargetId,
    /// The challenge to read where none is live: as far away as a live one.
    stand_in: ChallengeId,
    standing: Standing,
    class: Class,
}

/// What a guess cost.
struct Paid {
    /// The address's pools were debited.
    target: bool,
    /// The networks' meters were debited.
    network: bool,
    /// Everything that had to be paid was, so the entry may be compared.
    compare: bool,
}

impl<'a> Guess<'a> {
    async fn read(tx: &mut Tx<'_>, app: &'a App, attempt: &'a Attempt, aim: &'a Aim, now: Timestamp) -> Result<Self> {
        let Nearest { row, own, standing } = targets::nearest(tx, &aim.address).await?;
        let stand_in = standing.short.id.unwrap_or(challenges::DECOY);
        let standing = if own { standing } else { Standing::default() };
        let class = attempt.client.class(&standing.known, now);
        let (entry, link) = match &attempt.entry {
            Entry::Typed(typed) => (code::normalise(typed.expose()), None),
            Entry::Link(challenge, token) => (Some(token.clone()), Some(*challenge)),
        };
        let long = link.is_none() && entry.as_ref().is_some_and(code::could_be_long);
        Ok(Self { app, attempt, now, entry, long, link, aim, row, stand_in, standing, class })
    }

    /// W, then T and P in one statement; long codes are exempt from T and P. A row is written, whatever is left in it and
    /// whether anybody ever asked for the address, so that this does not show in the time.
    async fn pay(&self, tx: &mut Tx<'_>) -> Result<Paid> {
        let (now, target) = (self.now, &self.aim.address);
        // The network pays for every guess, whether a code is live there, or anything is left to guess with: what is
        // left of its own budget would tell it.
        let network = meters::spend(tx, &self.aim.meters, now).await?.is_none();
        let policy = self.attempt.terms.policy(self.attempt.shape);
        let tag = self.attempt.client.tries_tag(self.standing.short.id);
        // What the statement would refuse is not tried: where nothing is left it would be one more than elsewhere.
        let exempt = self.long || self.link.is_some();
        let guessable = network
            && !exempt
            && self.standing.short_is_live(now)
            && self.standing.may_guess(&policy, self.class, &tag, now);
        let debited = guessable && targets::debit_guess(tx, target, self.class, &policy, &tag, now).await?;
        if !debited {
            targets::touch(tx, &self.row).await?;
        }
        Ok(Paid { target: debited, network, compare: network && (debited || exempt) })
    }

    /// The challenge that the entry can be for, if its code may still be said.
    fn meant(&self) -> Option<ChallengeId> {
        let of_link = self.link.is_some() && self.standing.long.id == self.link;
        let slot = if self.long || of_link { self.standing.long } else { self.standing.short };
        let live = slot.until > self.now || self.standing.repeat_until > self.now;
        if self.link.is_some() && slot.id != self.link {
            return None;
        }
        slot.id.filter(|_| live)
    }

    fn matches(&self, challenge: &Challenge) -> bool {
        let ring = self.app.keys.ring();
        // A code under a retired key can't be right; the work is the same.
        let roots = ring.get(challenge.kid);
        let derive_from = roots.unwrap_or_else(|| ring.active());
        let nothing = Secret::new(String::new());
        let entry = self.entry.as_ref().unwrap_or(&nothing);
        let matches = if self.link.is_some() {
            apikey::link_matches(&derive_from.link, &challenge.binding(), entry)
        } else {
            let mut code = code::derive(&derive_from.code, &challenge.binding());
            // Said by the row and by the address itself: who can write the one alone gains nothing.
            // And only as long as the sandbox is open.
            let open = self.attempt.terms.sandbox && challenge.method == SANDBOX;
            if open && rules::is_sandbox(&self.attempt.to, challenge.shape) {
                code = Secret::new(rules::SANDBOX_CODE.to_owned());
            }
            code::matches(&code, challenge.shape, entry)
        };
        matches && roots.is_some()
    }

    /// Right: the challenge is used up, the debit is given back, the client is known from now on.
    async fn succeed(&self, tx: &mut Tx<'_>, paid: &Paid, mut challenge: Challenge) -> Result<Checked> {
        let (now, client) = (self.now, &self.attempt.client);
        // Of the time that it is now: a unit that waited for the disk must not eat the time for a repeat.
        let until = self.app.clock.now().plus(REPEAT_WINDOW);
        if !challenges::consume(tx, &challenge.id, client.host().as_ref(), until, now).await? {
            // A door with ids has read its challenge before the address was locked: the same client may just have been right.
            let stands = challenges::get(tx, &challenge.id).await?;
            return match stands.filter(|stands| judge(&stands.standing(client.host()), true, now) == Verdict::Repeat) {
                Some(stands) => self.repeat(tx, paid, stands).await,
                None => Ok(Checked::Wrong),
            };
        }
        let known = match client.tag() {
            Some(tag) => known::remember(&self.standing.known, &tag, now),
            None => self.standing.known.clone(),
        };
        targets::succeed(tx, &self.aim.address, self.class, paid.target, &known, until).await?;
        if paid.network {
            meters::give_back(tx, &self.aim.meters).await?;
        }
        for slot in [self.standing.short, self.standing.long] {
            void_other(tx, slot, &challenge, now).await?;
        }
        (challenge.state, challenge.expires_at) = (State::Consumed, until);
        self.aim.tally.write("right");
        Ok(Checked::Right(Box::new(challenge)))
    }

    /// The same client, right again: nothing is earned, and nothing is charged.
    async fn repeat(&self, tx: &mut Tx<'_>, paid: &Paid, challenge: Challenge) -> Result<Checked> {
        let again = match self.attempt.client.host() {
            Some(host) => challenges::repeat(tx, &challenge.id, &host, self.now).await?,
            None => false,
        };
        if !again {
            return Ok(Checked::Wrong);
        }
        if paid.target {
            targets::refund(tx, &self.aim.address, self.class).await?;
        }
        if paid.network {
            meters::give_back(tx, &self.aim.meters).await?;
        }
        self.aim.tally.write("repeat");
        Ok(Checked::Repeat(Box::new(challenge)))
    }
}

/// After a success no code of the address is live. A long code does not outlive the short one's success.
async fn void_other(tx: &mut Tx<'_>, slot: Slot, used: &Challenge, now: Timestamp) -> Result<()> {
    match slot.id {
        Some(id) if id != used.id && slot.until > now => challenges::void(tx, &id).await,
        _ => Ok(()),
    }
}
