//! A code comes back, and becomes a key that is sealed to the person's device. The key is made and sealed before the unit, and dropped if the
//! code is wrong. Refuses to compare: the engine does.

use doorcode_core::activity::Parameters;
use doorcode_core::stamp::{KeyKind, Refusal};
use doorcode_core::{Address, ChallengeId, OrgId, Result, Secret, Timestamp};
use serde_json::json;

use super::caller::Found;
use super::sealed_key::SealedKey;
use super::start::TERMS;
use super::{Ended, Failure, KEY_PURPOSE, Refused, contacts};
use crate::app::{App, target_of};
use crate::ops::challenges::{self as engine, Aim, Attempt, Checked, Terms};
use crate::ops::client::Client;
use crate::store::challenges::{self, Challenge};
use crate::store::{About, Tx};

/// A code that came back, whatever it is for.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) org: OrgId,
    pub(super) id: ChallengeId,
    pub(super) code: Secret<String>,
    pub(super) client: Client,
    pub(super) purpose: &'static str,
    /// The sandbox is open.
    sandbox: bool,
    /// What its check came to.
    pub(super) tally: engine::Tally,
}

impl Entry {
    pub(super) fn new(
        app: &App,
        caller: &Found,
        parameters: &Parameters<'_>,
        code: Secret<String>,
        purpose: &'static str,
    ) -> Result<Self, Refusal> {
        let id = parameters.text("otpId").and_then(|id| id.parse().ok());
        let id = id.ok_or(Refusal::Request { field: "otpId", why: "must be a UUID" })?;
        let client = caller.client(None);
        let sandbox = app.config.dev || caller.sandbox;
        Ok(Self { org: caller.org.id, id, code, client, purpose, sandbox, tally: engine::Tally::default() })
    }

    /// What a unit about it is about: where units wait for each other's addresses, that is looked up.
    pub(super) async fn about(&self, app: &App) -> Result<About> {
        let asker = self.client.asker();
        if !app.db.sole_owner() {
            let (entry, unit) = (self.clone(), async |entry: Self| {
                app.db.read(move |tx| Box::pin(async move { entry.challenge(tx).await })).await
            });
            if let Some(found) = unit(entry).await? {
                return Ok(About::address(target_of(found.realm, &found.destination), asker).alone());
            }
        }
        Ok(About::something(*self.id.as_bytes(), asker))
    }

    async fn challenge(&self, tx: &mut Tx<'_>) -> Result<Option<Challenge>> {
        let found = challenges::get(tx, &self.id).await?;
        Ok(found.filter(|found| found.realm == self.org && found.purpose == self.purpose))
    }

    /// The challenge whose code it is, used up by it; or what it comes to where it is not. Of a guess at nothing, and of one that no network
    /// paid for, nothing is kept: whoever has no limit would write rows without one.
    pub(super) async fn check(
        &self,
        tx: &mut Tx<'_>,
        app: &App,
        now: Timestamp,
    ) -> Result<Result<(Box<Challenge>, Address), Ended>> {
        let Some(found) = self.challenge(tx).await? else {
            engine::miss(tx, app, &self.client, now).await?;
            return Ok(Err(Ended::refused(Failure::Code.refusal())));
        };
        let to = Address::parse(&found.destination)?;
        let attempt = Attempt {
            realm: self.org,
            purpose: self.purpose,
            to: to.clone(),
            only: Some(self.id),
            entry: engine::Entry::Typed(self.code.clone()),
            shape: found.shape,
            client: self.client.clone(),
            terms: Terms { sandbox: self.sandbox, ..TERMS },
        };
        let aim = Aim::of(app, &attempt).told_by(self.tally.clone());
        Ok(match engine::check(tx, app, (&attempt, &aim), Some(found), now).await? {
            Checked::Right(challenge) => Ok((challenge, to)),
            // Another body that says it again would earn another thing.
            Checked::Repeat(_) | Checked::Wrong => Err(Ended::failed(Failure::Code)),
            Checked::Unpaid => Err(Ended::refused(Failure::Code.refusal())),
        })
    }
}

/// A code for a sealed key.
#[derive(Clone)]
pub(super) struct Redeem {
    pub(super) entry: Entry,
    key: SealedKey,
    invalidating: bool,
}

impl Redeem {
    pub(super) fn new(app: &App, caller: &Found, parameters: &Parameters<'_>, now: Timestamp) -> Result<Self, Refused> {
        let code = Secret::new(parameters.text("otpCode").unwrap_or_default().to_owned());
        let entry = Entry::new(app, caller, parameters, code, KEY_PURPOSE)?;
        let key = SealedKey::asked(app, parameters, "OTP Auth", now)?;
        Ok(Self { entry, key, invalidating: parameters.flag("invalidateExisting") })
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>, app: &App, now: Timestamp) -> Result<Ended> {
        let contact = match self.entry.check(tx, app, now).await? {
            Ok((_, contact)) => contact,
            Err(ended) => return Ok(ended),
        };
        let org = self.entry.org;
        // They may have changed since the code was asked for.
        let user = match contacts::owner(tx, &org, &contact).await? {
            Ok(user) if contacts::is_trusted(tx, &user, &contact, now).await? => user,
            _ => return Ok(Ended::failed(Failure::Code)),
        };
        let mut over = contacts::prove(tx, &user, &contact, now).await?;
        over.extend(self.key.give(tx, &user, (KeyKind::OtpAuth, self.invalidating), now).await?);
        let result = json!({
            "userId": user.id.to_string(),
            "apiKeyId": self.key.id.to_string(),
            "credentialBundle": self.key.bundle(),
        });
        Ok(Ended::done(result).of(org, user.id).over(org, over))
    }
}
