//! A code is asked for. Every limit of a message is paid, the live code is found or a new one takes its place, and the
//! delivery is committed with it. Refuses to look at users: known and unknown addresses are the same here.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::known;
use doorcode_core::time::DAY;
use doorcode_core::{Class, DeliveryId, Email, Error, GuessPolicy, OrgId, Result, SendPolicy, Shape, State, Timestamp};

use crate::app::{App, target_of};
use crate::metrics::Metrics;
use crate::ops::client::Client;
use crate::ops::outbox::{Handed, LEASE};
use crate::store::Tx;
use crate::store::challenges::{self, Challenge};
use crate::store::deliveries::{self, Birth};
use crate::store::meters::{self, Meter};
use crate::store::targets::{self, Candidate, Standing, TargetId};

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
        client: ask.client.host(),
        repeats: 0,
    };
    let delivery = random.id(now)?;
    let aim = Aim::of(app, &ask);
    let unit_app = Arc::clone(app);
    let begun = app
        .db
        .write(move |tx| Box::pin(async move { begin(tx, &unit_app, (&ask, &aim), new, delivery, now).await }))
        .await;
    match begun {
        Ok(Begun::Sent(challenge)) => {
            // New or resent is not said: it would tell whoever reads the counters that somebody waits for a code.
            Metrics::count(&app.metrics.starts, "sent");
            app.outbox.hand(Handed { id: delivery, attempts: 0, until: now.plus(LEASE), challenge: *challenge });
            Ok(())
        }
        Ok(Begun::Withheld) => {
            // Nor is this: it would tell who has an account.
            Metrics::count(&app.metrics.starts, "sent");
            Ok(())
        }
        Ok(Begun::Refused(retry_after)) => {
            Metrics::count(&app.metrics.starts, "limited");
            Err(Error::Limited { rule: "send.target", retry_after })
        }
        Err(error) => {
            if matches!(error, Error::Limited { .. }) {
                Metrics::count(&app.metrics.starts, "limited");
            }
            Err(error)
        }
    }
}

/// What a message is counted in. Worked out before the unit: the writer's time is everybody's.
struct Aim {
    address: TargetId,
    /// Where messages are counted: the address without dots and +tags, often the same row.
    folded: TargetId,
    networks: [(&'static str, Meter); 2],
    org: (&'static str, Meter),
}

impl Aim {
    fn of(app: &App, ask: &Start) -> Self {
        let policy = &app.config.sends;
        let [network, wide] = ask.client.meters("send", policy.network_hour, policy.wide_hour);
        let org = fingerprint("send", &[b"org", ask.realm.as_bytes()]);
        let org = Meter { id: org, span: DAY, limit: policy.org_day };
        Self {
            address: target_of(ask.realm, ask.to.as_str()),
            folded: target_of(ask.realm, &ask.to.folded()),
            networks: [("send.network", network), ("send.wide", wide)],
            org: ("send.org", org),
        }
    }
}

/// How the unit of a start ended.
enum Begun {
    /// The challenge whose code goes out.
    Sent(Box<Challenge>),
    /// As if it had been sent ([`Purse::pay`] says when).
    Withheld,
    /// The address has no message left. What the asker's network paid for asking stays paid.
    Refused(Duration),
}

/// The unit of a start.
async fn begin(
    tx: &mut Tx<'_>,
    app: &App,
    (ask, aim): (&Start, &Aim),
    mut new: Challenge,
    delivery: DeliveryId,
    now: Timestamp,
) -> Result<Begun> {
    let policy = &app.config.sends;
    spend(tx, &aim.networks, now).await?;

    let purse = Purse::read(tx, ask, aim, now).await?;
    if purse.long {
        new.shape = Shape::LONG;
    }
    let candidate = Candidate { id: new.id, until: new.expires_at, unless_after: now.plus(ask.renew) };
    let mut birth = Birth::Leased(now.plus(LEASE));
    let asked = purse.is_usual() && targets::ask(tx, &aim.address, (purse.class, policy), &candidate, now).await?;
    if !asked {
        match purse.pay(tx, policy).await? {
            Paid::Send => {}
            Paid::Withhold => birth = Birth::Withheld(now),
            Paid::Refuse => return Ok(Begun::Refused(purse.retry_after(tx, policy).await?)),
        }
        targets::place_challenge(tx, &aim.address, &candidate, purse.long).await?;
    }
    // The day of the whole realm is for strangers: many networks together could empty it, and people who were here before
    // come in all the same.
    match purse.class {
        Class::Stranger => spend(tx, &[aim.org], now).await?,
        // The same work, or the time would tell a network which of its people have an account.
        Class::Known => meters::touch(tx, &aim.org.1, now).await?,
    }

    let id = targets::latest(tx, &aim.address, purse.long).await?;
    let challenge = if id == new.id {
        challenges::insert(tx, &new).await?;
        // A start must not tell by its time whether a code was live, so the last one is read in either case.
        // Whether it can be read is nobody's business any more.
        drop(challenges::nearest(tx, &purse.standing.short.id.unwrap_or(id)).await);
        new
    } else {
        let name = (new.full_name.as_deref(), new.client.as_ref());
        let live = challenges::resend(tx, &id, ask.language, name, now).await?;
        let challenge = challenges::get(tx, &id).await?.filter(|_| live);
        challenge.ok_or_else(|| Error::internal("a target names a challenge that is not live"))?
    };
    deliveries::insert(tx, &delivery, &challenge.id, "email", birth).await?;
    Ok(match birth {
        Birth::Leased(_) => Begun::Sent(Box::new(challenge)),
        Birth::Withheld(_) => Begun::Withheld,
    })
}

/// Spends one from each meter. A refusal is an error, which takes the unit back.
async fn spend(tx: &mut Tx<'_>, named: &[(&'static str, Meter)], now: Timestamp) -> Result<()> {
    for (rule, meter) in named {
        if meters::spend(tx, std::slice::from_ref(meter), now).await?.is_some() {
            return Err(Error::Limited { rule, retry_after: meters::retry_after(tx, meter, now).await? });
        }
    }
    Ok(())
}

/// What a start may do.
enum Paid {
    Send,
    Withhold,
    Refuse,
}

/// The messages that an address may still be sent, and the code it would be told.
struct Purse<'a> {
    now: Timestamp,
    aim: &'a Aim,
    standing: Standing,
    class: Class,
    /// Nothing is left to guess at a short code with, so the message carries one that needs no budget.
    long: bool,
}

impl<'a> Purse<'a> {
    async fn read(tx: &mut Tx<'_>, ask: &Start, aim: &'a Aim, now: Timestamp) -> Result<Self> {
        let standing = targets::standing(tx, &aim.address).await?;
        let class = ask.client.class(&standing.known, now);
        let long = !standing.may_guess(&GuessPolicy::for_shape(ask.shape), class, &ask.client.tries_tag(), now);
        Ok(Self { now, aim, standing, class, long })
    }

    /// A short code, to an address without dots and +tags.
    fn is_usual(&self) -> bool {
        !self.long && self.aim.folded == self.aim.address
    }

    /// Takes one message: from the pool of the asker's class; a known client's, when its own is empty, from the
    /// strangers'. And where strangers have emptied that, the owner is not shut out: the first long code of a life goes
    /// out all the same, and so does one message an hour that only this very address can use up.
    ///
    /// Not to every spelling, or +tags would multiply both: to the plain address, and to one that somebody proved. Any other
    /// is answered as if, or the answer would tell which spelling has an account.
    async fn pay(&self, tx: &mut Tx<'_>, policy: &SendPolicy) -> Result<Paid> {
        let now = self.now;
        targets::write(tx, &self.aim.address).await?;
        if self.aim.folded != self.aim.address {
            targets::write(tx, &self.aim.folded).await?;
        }
        let mut paid = targets::debit_send(tx, &self.aim.folded, self.class, policy, now).await?;
        if !paid && self.class == Class::Known {
            paid = targets::debit_send(tx, &self.aim.folded, Class::Stranger, policy, now).await?;
        }
        let first_long = self.long && self.standing.long.until <= now;
        if paid || first_long {
            targets::note_sent(tx, &self.aim.address, now).await?;
        } else if !targets::take_trickle(tx, &self.aim.address, now.minus(policy.trickle), now).await? {
            return Ok(Paid::Refuse);
        }
        let own = self.aim.folded == self.aim.address || known::is_proved(&self.standing.known);
        Ok(if paid || own { Paid::Send } else { Paid::Withhold })
    }

    /// When the next message is allowed.
    async fn retry_after(&self, tx: &mut Tx<'_>, policy: &SendPolicy) -> Result<Duration> {
        let (strangers, known) = targets::sends(tx, &self.aim.folded).await?;
        let wait = |ring: &str, class| doorcode_core::budget::retry_after(ring, policy, class, self.now);
        let mut soonest = wait(&strangers, Class::Stranger);
        if self.class == Class::Known {
            soonest = soonest.min(wait(&known, Class::Known));
        }
        Ok(soonest.min(self.standing.sent_at.plus(policy.trickle).since(self.now)))
    }
}
