//! A code is asked for. Every limit of a message is paid, the live code is found or a new one takes its place, and the
//! delivery is committed with it. Refuses to look at users: known and unknown addresses are the same here.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::known;
use doorcode_core::time::DAY;
use doorcode_core::{
    Address, ChallengeId, Class, DeliveryId, Error, EventId, GuessPolicy, OrgId, Result, SendPolicy, Shape, State,
    Timestamp,
};

use crate::app::{App, target_of};
use crate::metrics::Metrics;
use crate::ops::client::{Client, Hour};
use crate::ops::outbox::Handed;
use crate::store::challenges::{self, Challenge};
use crate::store::deliveries::{self, Birth};
use crate::store::meters::{self, Meter};
use crate::store::targets::{self, Candidate, Slot, Standing, TargetId};
use crate::store::{About, Tx};

/// What is asked for: a code to an address.
#[derive(Clone)]
pub struct Start {
    /// Whose proof a success yields.
    pub realm: OrgId,
    /// What success is for.
    pub purpose: &'static str,
    /// Where the code goes.
    pub to: Address,
    /// What it looks like.
    pub shape: Shape,
    /// How long it lives.
    pub life: Duration,
    /// A live code with less life left is replaced.
    pub renew: Duration,
    /// The language of the message.
    pub language: Cow<'static, str>,
    /// The name for an account that does not exist yet.
    pub full_name: Option<String>,
    /// Who asks.
    pub client: Client,
    /// What becomes of the code that lives.
    pub live: Live,
    /// Whether the message carries a link as well.
    pub link: bool,
    /// What only some doors ask for.
    pub terms: Terms,
}

/// What is different about the codes of a door whose contract says so.
#[derive(Clone, Copy, Default)]
pub struct Terms {
    /// Fewer wrong tries on one code than usual.
    pub tries: Option<u32>,
    /// The address is one whose code everybody knows, and nothing is sent.
    pub sandbox: bool,
}

impl Terms {
    /// How many guesses are compared with codes of a shape.
    pub(super) fn policy(self, shape: Shape) -> GuessPolicy {
        let usual = GuessPolicy::for_shape(shape);
        GuessPolicy { per_code: self.tries.map_or(usual.per_code, |tries| tries.min(usual.per_code)), ..usual }
    }
}

/// The method of a challenge whose code everybody knows.
pub(super) const SANDBOX: &str = "sandbox";

/// What becomes of the code that lives when one is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Live {
    /// It goes out again, unless it would die soon.
    Resent,
    /// It goes out again if it has the shape and the purpose that are asked for, and gives way if not.
    ResentIfAlike,
    /// Only this challenge's code is meant: it goes out again, or nothing does.
    Only(ChallengeId),
}

/// Commits a challenge (or the resending of the live one) with its delivery, and hands the delivery to the worker.
pub async fn start(app: &Arc<App>, ask: Start) -> Result<Box<Challenge>> {
    let asked = Asked::new(app, ask)?;
    let delivery = asked.delivery();
    let unit_app = Arc::clone(app);
    let unit = app.db.write_at(asked.about(), move |tx| Box::pin(async move { asked.begin(tx, &unit_app).await }));
    let begun = unit.await;
    conclude(app, delivery, begun)
}

/// A start with all that it may need made, before the unit: the writer's time is everybody's.
#[derive(Clone)]
pub struct Asked {
    pub(super) ask: Start,
    pub(super) aim: Aim,
    pub(super) new: Challenge,
    pub(super) delivery: DeliveryId,
    pub(super) leased_until: Timestamp,
    event: EventId,
    pub(super) now: Timestamp,
}

impl Asked {
    /// Makes it.
    pub fn new(app: &App, ask: Start) -> Result<Self> {
        let now = app.clock.now();
        let mut random = app.entropy.deal::<46>()?;
        let new = Challenge {
            id: random.id(now)?,
            realm: ask.realm,
            purpose: ask.purpose.to_owned(),
            method: if ask.terms.sandbox { SANDBOX } else { "code" }.to_owned(),
            destination: ask.to.as_str().to_owned(),
            language: ask.language.clone().into_owned(),
            shape: ask.shape,
            generation: 0,
            kid: app.keys.ring().active().kid,
            salt: random.bytes()?,
            state: State::Pending,
            expires_at: now.plus(ask.life),
            full_name: ask.full_name.clone(),
            client: ask.client.host(),
            repeats: 0,
        };
        let (delivery, event) = (random.id(now)?, random.id(now)?);
        let aim = Aim::of(app, &ask);
        let leased_until = now.plus(app.config.mail.lease);
        Ok(Self { ask, aim, new, delivery, leased_until, event, now })
    }

    /// The message, if one goes out, and the end of its lease.
    pub fn delivery(&self) -> Leased {
        Leased { id: self.delivery, until: self.leased_until, link: self.ask.link }
    }

    /// What all of it is about: the address, and the one that messages to all its spellings are counted with.
    pub fn about(&self) -> About {
        About::addresses(self.aim.address, self.aim.folded, self.ask.client.asker())
    }

    /// The row where messages to the address are counted.
    pub fn counted(&self) -> &TargetId {
        &self.aim.folded
    }

    /// The id of the event, for a door that tells of it.
    pub fn event(&self) -> EventId {
        self.event
    }

    /// The challenge that it makes, should none live.
    pub fn id(&self) -> ChallengeId {
        self.new.id
    }

    /// When it was asked for.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Its part of a unit. A refusal that is an error takes the unit back; [`Begun::Refused`] does not.
    pub async fn begin(&self, tx: &mut Tx<'_>, app: &App) -> Result<Begun> {
        begin(tx, app, self).await
    }
}

/// A message that whoever committed it sends.
#[derive(Clone, Copy)]
pub struct Leased {
    id: DeliveryId,
    until: Timestamp,
    link: bool,
}

/// After the commit: counts, and hands the message over. Gives the challenge, for a door that has ids.
pub fn conclude(app: &App, leased: Leased, begun: Result<Begun>) -> Result<Box<Challenge>> {
    // New, resent or withheld is not said: it would tell whoever reads the counters that somebody waits for a code, or has
    // an account.
    let limited = matches!(begun, Ok(Begun::Refused(_)) | Err(Error::Limited { .. }));
    match begun {
        Ok(Begun::Sent(challenge, _)) => {
            Metrics::count(&app.metrics.starts, "sent");
            let Leased { id, until, link } = leased;
            let handed = Handed { id, attempts: 0, until, link, challenge: Challenge::clone(&challenge) };
            app.outbox.hand(handed);
            Ok(challenge)
        }
        Ok(Begun::Withheld(challenge, _)) => {
            Metrics::count(&app.metrics.starts, "sent");
            Ok(challenge)
        }
        refused => {
            if limited {
                Metrics::count(&app.metrics.starts, "limited");
            }
            match refused {
                Ok(Begun::Refused(retry_after)) => Err(Error::Limited { rule: "send.target", retry_after }),
                Err(error) => Err(error),
                Ok(_) => Err(Error::internal("a start that was sent is not refused")),
            }
        }
    }
}

/// What a message is counted in. Worked out before the unit: the writer's time is everybody's.
#[derive(Clone)]
pub(super) struct Aim {
    pub(super) address: TargetId,
    /// Where messages are counted: the address without dots and +tags, often the same row.
    pub(super) folded: TargetId,
    pub(super) networks: Vec<(&'static str, Meter)>,
    pub(super) org: (&'static str, Meter),
}

impl Aim {
    fn of(app: &App, ask: &Start) -> Self {
        let policy = &app.config.sends;
        // What a program asks for people it does not place is counted by its org's day, in whichever realm below it asks.
        let hour = Hour { network: policy.network_hour, wide: policy.wide_hour, org: None };
        let networks = ask.client.meters("send", &hour);
        let rule = |scope| if scope == "wide" { "send.wide" } else { "send.network" };
        let payer = ask.client.org().unwrap_or(ask.realm);
        let org = fingerprint("send", &[b"org", payer.as_bytes()]);
        let org = Meter { id: org, span: DAY, limit: policy.org_day };
        Self {
            address: target_of(ask.realm, ask.to.as_str()),
            folded: target_of(ask.realm, &ask.to.folded()),
            networks: networks.into_iter().map(|(scope, meter)| (rule(scope), meter)).collect(),
            org: ("send.org", org),
        }
    }
}

/// How the unit of a start ended.
#[derive(Clone)]
pub enum Begun {
    /// The challenge whose code goes out, and what its asker is to the address.
    Sent(Box<Challenge>, Class),
    /// As if it had been sent ([`Purse::pay`] says when).
    Withheld(Box<Challenge>, Class),
    /// The address has no message left. What the asker's network paid for asking stays paid.
    Refused(Duration),
}

/// The unit of a start.
async fn begin(tx: &mut Tx<'_>, app: &App, asked: &Asked) -> Result<Begun> {
    let Asked { ask, aim, new, delivery, now, .. } = asked;
    let (policy, now) = (&app.config.sends, *now);
    let mut new = new.clone();
    // Before anything of the address: whose network has nothing left must not be kept waiting by who else asks for it, which
    // would tell whether it has a row. (Among units that share a transaction everybody waits, whether there is a row or not.)
    spend(tx, &aim.networks, now).await?;

    if aim.folded != aim.address {
        targets::hold(tx, [aim.address, aim.folded]).await?;
    }
    let purse = Purse::read(tx, ask, aim, now).await?;
    if purse.long {
        new.shape = Shape::LONG;
    }
    let replaced = purse.replaced(tx).await?;
    let unless_after = match ask.live {
        Live::Only(_) => Timestamp::from_millis(0),
        _ if replaced.is_some() => Timestamp::from_millis(i64::MAX),
        _ => now.plus(ask.renew),
    };
    // The day of the whole realm is for strangers: many networks together could empty it, and people who were here before
    // come in all the same. Before anything is written: a refusal that takes nothing back costs nobody else anything.
    match purse.class {
        Class::Stranger => spend(tx, &[aim.org], now).await?,
        // The same work, or the time would tell a network which of its people have an account.
        Class::Known => meters::touch(tx, &aim.org.1, now).await?,
    }
    let candidate = Candidate { id: new.id, until: new.expires_at, unless_after };
    let mut birth = if ask.terms.sandbox { Birth::Withheld(now) } else { Birth::Leased(asked.leased_until) };
    let usual = match purse.is_usual() {
        true => targets::ask(tx, &aim.address, (purse.class, policy), &candidate, now).await?,
        false => None,
    };
    if usual.is_none() {
        match purse.pay(tx, policy).await? {
            Paid::Send => {}
            Paid::Withhold => birth = Birth::Withheld(now),
            Paid::Refuse => {
                if purse.class == Class::Stranger {
                    meters::give_back(tx, &[aim.org.1]).await?;
                }
                return Ok(Begun::Refused(purse.retry_after(tx, policy).await?));
            }
        }
        purse.escalate(tx).await?;
        targets::place_challenge(tx, &aim.address, &candidate, purse.long).await?;
    }
    let id = match usual {
        Some(id) => id,
        None => targets::latest(tx, &aim.address, purse.long).await?,
    };
    let challenge = if id == new.id {
        challenges::insert(tx, &new).await?;
        // A start must not tell by its time whether a code was live, so the last one is read in either case.
        // Whether it can be read is nobody's business any more.
        // A program with a key is told anyway.
        if !ask.client.is_backend() {
            drop(challenges::nearest(tx, &purse.standing.short.id.unwrap_or(id)).await);
        }
        new
    } else {
        let name = (new.full_name.as_deref(), new.client.as_ref());
        let live = challenges::resend(tx, &id, &ask.language, name, now).await?;
        let challenge = challenges::get(tx, &id).await?.filter(|_| live);
        challenge.ok_or_else(|| Error::internal("a target names a challenge that is not live"))?
    };
    if let Some(replaced) = replaced.or_else(|| purse.gave_way(&challenge.id)) {
        challenges::void(tx, &replaced).await?;
    }
    let channel = if ask.link { deliveries::EMAIL_WITH_LINK } else { deliveries::EMAIL };
    deliveries::insert(tx, delivery, &challenge.id, channel, birth).await?;
    Ok(match birth {
        Birth::Leased(_) => Begun::Sent(Box::new(challenge), purse.class),
        Birth::Withheld(_) => Begun::Withheld(Box::new(challenge), purse.class),
    })
}

/// Spends one from each meter. A refusal is an error, which takes the unit back.
pub(super) async fn spend(tx: &mut Tx<'_>, named: &[(&'static str, Meter)], now: Timestamp) -> Result<()> {
    for (rule, meter) in named {
        if meters::spend(tx, std::slice::from_ref(meter), now).await?.is_some() {
            return Err(Error::Limited { rule, retry_after: meters::retry_after(tx, meter, now).await? });
        }
    }
    Ok(())
}

/// What a start may do.
pub(super) enum Paid {
    Send,
    Withhold,
    Refuse,
}

/// The messages that an address may still be sent, and the code it would be told.
pub(super) struct Purse<'a> {
    now: Timestamp,
    ask: &'a Start,
    aim: &'a Aim,
    standing: Standing,
    pub(super) class: Class,
    /// Nothing is left to guess at a short code with, so the message carries one that needs no budget.
    pub(super) long: bool,
    /// The challenge that gets a long code in the place of its short one.
    escalated: Option<ChallengeId>,
}

impl<'a> Purse<'a> {
    pub(super) async fn read(tx: &mut Tx<'_>, ask: &'a Start, aim: &'a Aim, now: Timestamp) -> Result<Self> {
        let standing = targets::standing(tx, &aim.address).await?;
        let class = ask.client.class(&standing.known, now);
        let tag = ask.client.tries_tag(standing.short.id);
        // A code that everybody knows has nothing to be guessed.
        let long = !ask.terms.sandbox && !standing.may_guess(&ask.terms.policy(ask.shape), class, &tag, now);
        let mut purse = Self { now, ask, aim, standing, class, long, escalated: None };
        if let Live::Only(id) = ask.live {
            let (_, is_long) = purse.standing.place_of(&id, now).ok_or(Error::Gone)?;
            purse.escalated = (long && !is_long).then_some(id);
            purse.long |= is_long;
        }
        Ok(purse)
    }

    /// Where one challenge alone is meant, and its short code can't be guessed at any more, it gets a long one. Not before the
    /// message is paid for: else the code that was sent is dead, and the one that takes its place was told nobody.
    async fn escalate(&self, tx: &mut Tx<'_>) -> Result<()> {
        let Some(id) = &self.escalated else { return Ok(()) };
        if !challenges::escalate(tx, id, Shape::LONG, self.now).await? {
            return Err(Error::Gone);
        }
        targets::escalate(tx, &self.aim.address, id).await?;
        match self.standing.long {
            Slot { id: Some(other), until } if until > self.now => challenges::void(tx, &other).await,
            _ => Ok(()),
        }
    }

    /// The live challenge that gives way, having another shape or purpose than is asked for. A long code has its own shape.
    async fn replaced(&self, tx: &mut Tx<'_>) -> Result<Option<ChallengeId>> {
        let slot = if self.long { self.standing.long } else { self.standing.short };
        let id = match (self.ask.live, slot) {
            (Live::ResentIfAlike, Slot { id: Some(id), until }) if until > self.now => id,
            _ => return Ok(None),
        };
        let alike = |live: &Challenge| live.purpose == self.ask.purpose && (self.long || live.shape == self.ask.shape);
        Ok(challenges::get(tx, &id).await?.filter(|live| !alike(live)).map(|live| live.id))
    }

    /// For a program, which knows verifications by their ids: the one whose code was to die soon, and which has lost its place to
    /// this one. Others are not told, by the time that it takes either.
    fn gave_way(&self, to: &ChallengeId) -> Option<ChallengeId> {
        let slot = if self.long { self.standing.long } else { self.standing.short };
        slot.id.filter(|id| self.ask.client.is_backend() && slot.until > self.now && id != to)
    }

    /// A short code, to an address without dots and +tags.
    fn is_usual(&self) -> bool {
        !self.long && self.aim.folded == self.aim.address
    }

    /// Takes one message: from the pool of the asker's class; a known client's, when its own is empty, from the
    /// strangers'. And where strangers have emptied that, the owner is not shut out: the first long code of an hour goes
    /// out all the same, and so does one message an hour that only this very address can use up.
    ///
    /// Not to every spelling, or +tags would multiply both: to the plain address, and to one that somebody proved. Any other
    /// is answered as if, or the answer would tell which spelling has an account.
    pub(super) async fn pay(&self, tx: &mut Tx<'_>, policy: &SendPolicy) -> Result<Paid> {
        let now = self.now;
        targets::write(tx, &self.aim.address).await?;
        if self.aim.folded != self.aim.address {
            targets::write(tx, &self.aim.folded).await?;
        }
        let mut paid = targets::debit_send(tx, &self.aim.folded, self.class, policy, now).await?;
        if !paid && self.class == Class::Known {
            paid = targets::debit_send(tx, &self.aim.folded, Class::Stranger, policy, now).await?;
        }
        let first_long = self.long && self.standing.long.until <= now && self.is_first_of_hour(policy);
        if paid || first_long {
            targets::note_sent(tx, &self.aim.address, now).await?;
        } else if !targets::take_trickle(tx, &self.aim.address, now.minus(policy.trickle), now).await? {
            return Ok(Paid::Refuse);
        }
        let own = self.aim.folded == self.aim.address || known::is_proved(&self.standing.known);
        Ok(match (paid || own, self.ask.client.is_backend()) {
            (true, _) => Paid::Send,
            // A program knows its own people, and has to know that nothing went out.
            (false, true) => Paid::Refuse,
            (false, false) => Paid::Withhold,
        })
    }

    /// Whether no long code was made since the trickle's time ago, or somebody has succeeded since. That the last one is over
    /// does not say it: a life of seconds may be asked for, and one that was withdrawn is over at once.
    fn is_first_of_hour(&self, policy: &SendPolicy) -> bool {
        let Standing { long, repeat_until, .. } = &self.standing;
        long.id.map(|id| id.made_at()).is_none_or(|at| at <= self.now.minus(policy.trickle) || *repeat_until > at)
    }

    /// When the next message is allowed.
    pub(super) async fn retry_after(&self, tx: &mut Tx<'_>, policy: &SendPolicy) -> Result<Duration> {
        let (strangers, known) = targets::sends(tx, &self.aim.folded).await?;
        let wait = |ring: &str, class| doorcode_core::budget::retry_after(ring, policy, class, self.now);
        let mut soonest = wait(&strangers, Class::Stranger);
        if self.class == Class::Known {
            soonest = soonest.min(wait(&known, Class::Known));
        }
        Ok(soonest.min(self.standing.sent_at.plus(policy.trickle).since(self.now)))
    }
}
