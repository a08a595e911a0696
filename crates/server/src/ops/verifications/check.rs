//! A code comes back for a verification. The rules are those of every check; what is earned is a signed token, or in its place a key that
//! is sealed to the person's device. Refuses to give both for one code.

use std::net::IpAddr;
use std::sync::Arc;

use doorcode_core::stamp::PublicKey;
use doorcode_core::token::{Claims, Typ};
use doorcode_core::{Address, ChallengeId, Email, Error, EventId, GuessPolicy, Result, Secret, Timestamp};

use super::{Backend, PURPOSE, Verification, note, own, target, verified_at};
use crate::app::App;
use crate::ops::challenges::{Aim, Attempt, Checked};
use crate::ops::client::Client;
use crate::ops::signed::{self, Before, Earned, Earning};
use crate::ops::{challenges as engine, links, tokens};
use crate::store::challenges::{self, Challenge};
use crate::store::events::Kind;
use crate::store::{Tx, targets};

/// A code that a program was given by somebody.
#[derive(Clone)]
pub struct Entry {
    /// Who asks.
    pub backend: Backend,
    /// Where that somebody is, if it says so.
    pub person: Option<IpAddr>,
    /// For which verification.
    pub id: ChallengeId,
    /// What was typed.
    pub code: Secret<String>,
    /// What a key is to be sealed to, where one is wanted in place of a token.
    pub target: Option<PublicKey>,
}

/// What a check came to.
pub struct Judged {
    /// The verification, as it stands now.
    pub verification: Verification,
    /// What it earned, if the code was right.
    pub proof: Option<Proof>,
    /// How many more codes will be looked at before a new one has to be sent; none where a long code needs no limit.
    pub attempts_left: Option<u32>,
}

/// What a right code earns.
pub enum Proof {
    /// Proof of the address for any service.
    Token(Secret<String>),
    /// A key of the person's, sealed.
    Key(Earned),
}

/// What a check came to, in its unit.
enum Came {
    /// Right, now: what it earned.
    Right(Box<Challenge>, Option<Earned>),
    /// Right again: what it had earned.
    Repeat(Box<Challenge>, Option<Earned>),
    /// Wrong, or right again for another thing than before.
    Wrong,
}

/// Checks a code.
pub async fn check(app: &Arc<App>, entry: Entry) -> Result<Judged> {
    let (now, id, unit_app) = (app.clock.now(), entry.id, Arc::clone(app));
    let (org, event) = (entry.backend.org, app.entropy.id(now)?);
    let client = Client::behind(org, entry.backend.credential, entry.person);
    let about = super::about(app, org, id, client.asker()).await?;
    let earning = entry.target.map(|target| Earning::new(app, org, target, now)).transpose()?;
    let tally = engine::Tally::default();
    let unit_tally = tally.clone();
    let unit = app.db.write_at(about, move |tx| {
        Box::pin(async move { judge(tx, &unit_app, (entry, unit_tally), earning, &event, now).await })
    });
    let (came, verification, attempts_left) = match unit.await {
        Err(refused @ Error::Conflict(_)) => {
            // A right code that earns no key is as good as it was, with all that it cost. To ask for that is not free: the networks pay.
            let paying = Arc::clone(app);
            let pay = app.db.write(move |tx| Box::pin(async move { engine::miss(tx, &paying, &client, now).await }));
            pay.await?;
            return Err(refused);
        }
        judged => judged?,
    };
    tally.count(app);
    if matches!(came, Came::Right(..)) {
        app.call(id);
    }
    let proof = match came {
        Came::Right(_, Some(earned)) | Came::Repeat(_, Some(earned)) => {
            signed::ended(app, org, &earned)?;
            Some(Proof::Key(earned))
        }
        Came::Right(challenge, None) | Came::Repeat(challenge, None) => Some(Proof::Token(token(app, &challenge)?)),
        Came::Wrong => None,
    };
    Ok(Judged { verification, proof, attempts_left })
}

/// The unit of a check. What it is about stands in the challenge, so that one is read here and not before: to read it twice costs
/// all that share the machine more than its address's digests cost the writer.
async fn judge(
    tx: &mut Tx<'_>,
    app: &App,
    (entry, tally): (Entry, engine::Tally),
    earning: Option<Earning>,
    event: &EventId,
    now: Timestamp,
) -> Result<(Came, Verification, Option<u32>)> {
    let (Backend { org, credential }, id) = (entry.backend, entry.id);
    let challenge = own(tx, &org, &id).await?;
    let pressed = links::pressed(app, &challenge, &entry.code);
    let attempt = Attempt {
        realm: org,
        purpose: PURPOSE,
        to: Address::from(Email::parse(&challenge.destination)?),
        only: Some(id),
        entry: match pressed {
            Some(token) => engine::Entry::Link(id, token),
            None => engine::Entry::Typed(entry.code),
        },
        shape: challenge.shape,
        client: Client::behind(org, credential, entry.person),
        terms: engine::Terms::default(),
    };
    let aim = Aim::of(app, &attempt).told_by(tally);
    let came = match engine::check(tx, app, (&attempt, &aim), Some(challenge), now).await? {
        Checked::Right(right) => {
            note(tx, event, &org, Kind::VerificationVerified, &id).await?;
            let earned = match &earning {
                Some(earning) => Some(earning.give(tx, (&id, &attempt.to), now).await?),
                None => None,
            };
            Came::Right(right, earned)
        }
        // Whoever says it again for another thing would earn that as well.
        Checked::Repeat(right) => match signed::earned_before(tx, (org, &id), entry.target.as_ref()).await? {
            Before::Token => Came::Repeat(right, None),
            Before::Same(earned) => Came::Repeat(right, Some(earned)),
            Before::Other => Came::Wrong,
        },
        Checked::Wrong | Checked::Unpaid => Came::Wrong,
    };
    let (again, left);
    let challenge = match &came {
        Came::Right(right, _) | Came::Repeat(right, _) => {
            left = None;
            &**right
        }
        Came::Wrong => {
            again = own(tx, &org, &id).await?;
            left = attempts_left(tx, &again, &attempt.client, now).await?;
            &again
        }
    };
    let verification = Verification::of(challenge, challenges::attached(tx, &id).await?, now);
    Ok((came, verification, left))
}

/// Of a short code; a long one needs no limit.
async fn attempts_left(tx: &mut Tx<'_>, challenge: &Challenge, client: &Client, now: Timestamp) -> Result<Option<u32>> {
    if challenge.shape.is_long() {
        return Ok(None);
    }
    let standing = targets::standing(tx, &target(challenge)).await?;
    let Some((slot, _)) = standing.place_of(&challenge.id, now) else { return Ok(Some(0)) };
    let class = client.class(&standing.known, now);
    let policy = GuessPolicy::for_shape(challenge.shape);
    Ok(Some(standing.guesses_left(&policy, class, &client.tries_tag(slot.id), now)))
}

/// The result as a token. A repeat says the same: when, what for and until when are those of the challenge.
fn token(app: &App, challenge: &Challenge) -> Result<Secret<String>> {
    let at = verified_at(challenge).unwrap_or(challenge.expires_at).millis().div_euclid(1000);
    let life = i64::try_from(app.config.native.token_life.as_secs()).unwrap_or(i64::MAX);
    let id = challenge.id.to_string();
    let claims = Claims {
        iss: app.base_url(),
        aud: challenge.realm.to_string(),
        sub: challenge.destination.clone(),
        jti: id.clone(),
        iat: at,
        exp: at.saturating_add(life),
        amr: vec!["otp".to_owned()],
        challenge_id: Some(id),
        email: Some(challenge.destination.clone()),
        email_verified: Some(true),
        org_id: None,
        sid: None,
        nonce: None,
    };
    tokens::sign(app, Typ::Verification, &claims).map(Secret::new)
}
