//! A code of the door `native` comes back, and becomes a key that is sealed to the person's device, in place of a token. The key is made and
//! sealed before the unit, and dropped if the code is wrong. Refuses an address that two users have, or that nobody but its user named where
//! others have keys; a root user's, unless the org has switched that on; and to make a second key for the same code: a repeat is given the same bundle.

use doorcode_core::activity::rules::{EARNED_LIFE, Feature};
use doorcode_core::stamp::{KeyKind, PublicKey};
use doorcode_core::{Address, ChallengeId, Error, EventId, OrgId, Result, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::sealed_key::SealedKey;
use super::start::seconds;
use super::{contacts, features, keys};
use crate::app::App;
use crate::ops::idempotency::{self, Once};
use crate::store::signers::{self, Signer};
use crate::store::{Tx, events, orgs};

/// A key that is made and sealed, and not yet anybody's.
#[derive(Clone)]
pub struct Earning {
    org: OrgId,
    target: PublicKey,
    key: SealedKey,
    /// Its user, where the address is nobody's yet.
    user: UserId,
    events: [EventId; 2],
}

/// What a code earned. Serialised, it is what is kept of it for a repeat; nothing in it opens anything by itself.
#[derive(Clone, Serialize, Deserialize)]
pub struct Earned {
    /// Whose key it is.
    pub user: String,
    /// The key's id.
    pub key: String,
    /// When it is over, in milliseconds.
    pub expires_at: i64,
    /// Its private half, sealed to the key that was given.
    pub bundle: String,
    /// The ids of keys that are over by it. Kept with it: the server may die before the file beside the master keys hears of them.
    over: Vec<String>,
}

/// What a code that is said again had earned.
pub enum Before {
    /// No key: a token.
    Token,
    /// This one, sealed to the same target.
    Same(Earned),
    /// What is asked for now is another thing.
    Other,
}

impl Earning {
    /// Makes a key for whoever types the code, and seals it to a point of P-256.
    ///
    /// # Errors
    /// `Invalid` for a target of another curve; `Unavailable` without randomness.
    pub fn new(app: &App, org: OrgId, target: PublicKey, now: Timestamp) -> Result<Self> {
        let name = format!("Verification - {now}");
        Ok(Self {
            org,
            target,
            key: SealedKey::new(app, &target, name, seconds(EARNED_LIFE), now)?,
            user: app.entropy.id(now)?,
            events: [app.entropy.id(now)?, app.entropy.id(now)?],
        })
    }

    /// The one user whose address it is; none, if it is nobody's.
    async fn owner(&self, tx: &mut Tx<'_>, contact: &Address, now: Timestamp) -> Result<Option<Signer>> {
        let mut found = signers::of_contact(tx, &self.org, contact).await?;
        let Some(user) = found.pop() else { return Ok(None) };
        if !found.is_empty() {
            return Err(Error::Conflict("two users have this address"));
        }
        // As for the door's own codes for keys: who reads a root user's mail does not come by all that the org has.
        let org = orgs::get(tx, &self.org).await?.ok_or(Error::NotFound)?;
        if user.root && !features::is_on(&org, Feature::of(contact)) {
            return Err(Error::Conflict("codes are no way to a root user's keys here: switch the feature on"));
        }
        if !contacts::is_trusted(tx, &user, contact, now).await? {
            return Err(Error::Conflict("only the user themselves named this address"));
        }
        Ok(Some(user))
    }

    /// The code was right: the key is its user's, who is made if there is none. Gives what was earned. Nobody is looked for before, so a wrong
    /// code costs and says the same whosever address it is; and what is refused here takes the whole unit back, so that the code is as good as it was.
    ///
    /// # Errors
    /// `Conflict` where a code is no way to a key of that address.
    pub async fn give(
        &self,
        tx: &mut Tx<'_>,
        (challenge, contact): (&ChallengeId, &Address),
        now: Timestamp,
    ) -> Result<Earned> {
        // Of two that would have one address, the second sees the first.
        orgs::hold(tx, &self.org).await?;
        let user = match self.owner(tx, contact, now).await? {
            Some(user) => user,
            None => self.newcomer(tx, contact).await?,
        };
        let mut over = contacts::prove(tx, &user, contact, now).await?;
        over.extend(self.key.give(tx, &user, (KeyKind::OtpAuth, false), now).await?);
        events::append(tx, &self.events[1], &self.org, events::Kind::KeyCreated, self.key.id.as_bytes()).await?;
        let earned = Earned {
            user: user.id.to_string(),
            key: self.key.id.to_string(),
            expires_at: self.key.expires_at.millis(),
            bundle: self.key.bundle().to_owned(),
            over: over.iter().map(ToString::to_string).collect(),
        };
        let once = once(self.org, challenge, Some(&self.target));
        idempotency::replay::<Earned>(tx, Some(&once), now).await?;
        idempotency::keep(tx, Some(&once), &earned).await?;
        Ok(earned)
    }

    /// A user of that address, who may do nothing in the org but what is about themselves.
    async fn newcomer(&self, tx: &mut Tx<'_>, contact: &Address) -> Result<Signer> {
        let address = contact.as_str().to_owned();
        let user = Signer {
            org: self.org,
            id: self.user,
            name: address.clone(),
            email: Some(address),
            phone: None,
            root: false,
        };
        signers::insert(tx, &user).await?;
        events::append(tx, &self.events[0], &self.org, events::Kind::UserCreated, user.id.as_bytes()).await?;
        Ok(user)
    }
}

/// What a verification's code earned that is said again, where a key for `target` is asked for, or none.
pub async fn earned_before(
    tx: &mut Tx<'_>,
    (org, challenge): (OrgId, &ChallengeId),
    target: Option<&PublicKey>,
) -> Result<Before> {
    let kept = idempotency::kept::<Earned>(tx, &once(org, challenge, target)).await?;
    Ok(match (kept, target) {
        (None, None) => Before::Token,
        (Some(Some(earned)), Some(_)) => Before::Same(earned),
        _ => Before::Other,
    })
}

/// Keys are over by what was earned: the file beside the master keys hears of it, and again with each repeat.
pub fn ended(app: &App, org: OrgId, earned: &Earned) -> Result<()> {
    keys::ended(app, earned.over.iter().filter_map(|id| Some((org, id.parse().ok()?))))
}

/// What was earned is kept as the answer to a request of that verification's name; its body is the target.
fn once(org: OrgId, challenge: &ChallengeId, target: Option<&PublicKey>) -> Once {
    let target = target.map(PublicKey::to_hex).unwrap_or_default();
    Once::new(org, "verifications/check", &challenge.to_string(), target.as_bytes())
}
