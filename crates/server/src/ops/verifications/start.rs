//! A verification is started, or its code sent again. Refuses strangers' addresses to an org that was not raised.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use doorcode_core::budget::{Ring, retry_after};
use doorcode_core::time::HOUR;
use doorcode_core::{ChallengeId, Class, Email, Error, EventId, OrgId, Result, SendPolicy, Shape, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Backend, PURPOSE, Verification, note, own};
use crate::app::{App, target_of};
use crate::ops::challenges::{Asked, Begun, Live, Start, Terms, conclude};
use crate::ops::client::Client;
use crate::ops::idempotency::{self, Once};
use crate::store::challenges::{self, Attached};
use crate::store::events::Kind;
use crate::store::{Tx, identities, orgs, redirects, targets};

/// What may be said about a code that is asked for; the rest is the door's.
pub struct Wanted {
    /// What it looks like.
    pub shape: Shape,
    /// How long it lives.
    pub life: Duration,
    /// The language of its messages.
    pub language: &'static str,
    /// What is attached to it.
    pub attached: Attached,
}

/// A program asks for somebody.
pub struct Ask {
    /// Who asks.
    pub backend: Backend,
    /// Whom for: where they are, if it says so.
    pub person: Option<IpAddr>,
    /// The request's own name.
    pub once: Option<Once>,
}

/// What a start came to. Serialised, it is what is kept of an answer.
#[derive(Clone, Serialize, Deserialize)]
pub struct Started {
    /// The verification.
    pub verification: Verification,
    /// It was there before, and its code goes out again.
    pub resent: bool,
    /// Messages that its address may still be sent within the hour.
    pub left: u32,
}

/// Starts a verification of an address, or sends the code of the one that is pending again.
pub async fn start(app: &Arc<App>, ask: Ask, to: Email, wanted: Wanted) -> Result<Started> {
    let Backend { org, credential } = ask.backend;
    let start = Start {
        realm: org,
        purpose: PURPOSE,
        to: to.into(),
        shape: wanted.shape,
        life: wanted.life,
        renew: app.config.native.renew.min(wanted.life / 2),
        language: wanted.language.into(),
        full_name: None,
        client: Client::behind(org, credential, ask.person),
        live: Live::ResentIfAlike,
        link: wanted.attached.redirect.is_some(),
        terms: Terms::default(),
    };
    run(app, start, wanted.attached, ask.once).await
}

/// Sends the code of a pending verification again.
pub async fn resend(app: &Arc<App>, ask: Ask, id: ChallengeId) -> Result<Started> {
    let Backend { org, credential } = ask.backend;
    let (challenge, attached) = app
        .db
        .read(move |tx| Box::pin(async move { Ok((own(tx, &org, &id).await?, challenges::attached(tx, &id).await?)) }))
        .await?;
    let start = Start {
        realm: org,
        purpose: PURPOSE,
        to: Email::parse(&challenge.destination)?.into(),
        shape: challenge.shape,
        // Nothing new is made: the life is the one that it has.
        life: app.config.native.life,
        renew: Duration::ZERO,
        language: challenge.language.into(),
        full_name: None,
        client: Client::behind(org, credential, ask.person),
        live: Live::Only(id),
        link: attached.redirect.is_some(),
        terms: Terms::default(),
    };
    run(app, start, Attached::default(), ask.once).await
}

/// What the unit came to.
enum Ended {
    /// It was done before: this was the answer.
    Before(Started),
    /// It was done now.
    Now(Begun, Option<Started>),
}

async fn run(app: &Arc<App>, start: Start, attached: Attached, once: Option<Once>) -> Result<Started> {
    let (org, address) = (start.realm, start.to.as_str().to_owned());
    let asked = Asked::new(app, start)?;
    let (delivery, event) = (asked.delivery(), asked.event());
    let unit_app = Arc::clone(app);
    // Alone: it claims the request's own name as well.
    let about = asked.about().alone();
    let ended = app
        .db
        .write_at(about, move |tx| {
            Box::pin(async move {
                let (now, once) = (asked.now(), once.as_ref());
                if let Some(before) = idempotency::replay(tx, once, now).await? {
                    return Ok(Ended::Before(before));
                }
                may_send(tx, &unit_app, &org, &address).await?;
                if let Some(uri) = &attached.redirect
                    && !redirects::is_listed(tx, &org, uri).await?
                {
                    return Err(Error::Invalid { field: "redirect", why: "is not on the list: see /v1/redirects" });
                }
                let begun = asked.begin(tx, &unit_app).await?;
                let Some(started) = outcome(tx, &unit_app, &asked, &begun, &attached).await? else {
                    idempotency::release(tx, once).await?;
                    return Ok(Ended::Now(begun, None));
                };
                note_start(tx, &event, &org, &begun, started.resent).await?;
                idempotency::keep(tx, once, &started).await?;
                Ok(Ended::Now(begun, Some(started)))
            })
        })
        .await;
    let (begun, started) = match ended {
        Ok(Ended::Before(before)) => return Ok(before),
        Ok(Ended::Now(begun, started)) => (Ok(begun), started),
        Err(error) => (Err(error), None),
    };
    let challenge = conclude(app, delivery, begun)?;
    app.call(challenge.id);
    started.ok_or_else(|| Error::internal("a start that was sent has an outcome"))
}

/// New orgs send to their own verified addresses only, until they are raised: else this is a machine for spam.
pub async fn may_send(tx: &mut Tx<'_>, app: &App, org: &OrgId, address: &str) -> Result<()> {
    let found = orgs::get(tx, org).await?.ok_or(Error::NotFound)?;
    if app.config.dev || found.raised_at.is_some() {
        return Ok(());
    }
    let owner = identities::verified(tx, &target_of(OrgId::HOUSE, address)).await?;
    if owner.is_some_and(|(owner, _)| owner == *org) {
        Ok(())
    } else {
        Err(Error::Invalid {
            field: "to",
            why: "must be an address of your own until the operator has raised this org",
        })
    }
}

/// What is answered: the verification, and when its address may be written to again.
async fn outcome(
    tx: &mut Tx<'_>,
    app: &App,
    asked: &Asked,
    begun: &Begun,
    attached: &Attached,
) -> Result<Option<Started>> {
    let (Begun::Sent(challenge, class) | Begun::Withheld(challenge, class)) = begun else { return Ok(None) };
    if attached.metadata.is_some() || attached.redirect.is_some() {
        challenges::attach(tx, &challenge.id, attached).await?;
    }
    let resent = challenge.id != asked.id();
    // To one that was there before, more may be attached than was given now.
    let attached = if resent { challenges::attached(tx, &challenge.id).await? } else { attached.clone() };
    let (now, policy) = (asked.now(), &app.config.sends);
    let (strangers, known) = targets::sends(tx, asked.counted()).await?;
    let ring = if *class == Class::Known { &known } else { &strangers };
    let mut verification = Verification::of(challenge, attached, now);
    verification.next_send_at = Some(now.plus(retry_after(ring, policy, *class, now)).millis());
    Ok(Some(Started { verification, resent, left: left(ring, policy, now) }))
}

/// Messages that are left of the hour, where that is what is counted.
fn left(ring: &str, policy: &SendPolicy, now: Timestamp) -> u32 {
    let sent =
        (1..=policy.stranger_hour).filter(|n| Ring::nth(ring, *n as usize).is_some_and(|at| at > now.minus(HOUR)));
    policy.stranger_hour - u32::try_from(sent.count()).unwrap_or(0)
}

async fn note_start(tx: &mut Tx<'_>, event: &EventId, org: &OrgId, begun: &Begun, resent: bool) -> Result<()> {
    let (Begun::Sent(challenge, _) | Begun::Withheld(challenge, _)) = begun else { return Ok(()) };
    let kind = if resent { Kind::VerificationResent } else { Kind::VerificationStarted };
    note(tx, event, org, kind, &challenge.id).await
}
