//! A key that is made here and sealed to its owner's device. It is made and sealed before the unit, so that nothing secret goes on from there,
//! and becomes a user's in it, or is dropped. Refuses to let one that was mailed count before its first stamp.

use std::time::Duration;

use doorcode_core::activity::Parameters;
use doorcode_core::seal::turnkey::{Grant, grant};
use doorcode_core::stamp::{KeyKind, PublicKey};
use doorcode_core::{CredentialId, Error, Kid, Result, Secret, Timestamp};

use super::start::seconds;
use super::{Refused, keys};
use crate::app::App;
use crate::store::Tx;
use crate::store::signers::Signer;
use crate::store::stamp_keys::{Inert, StampKey};

/// A key that is made and sealed, and not yet anybody's.
#[derive(Clone)]
pub(super) struct SealedKey {
    grant: Grant,
    /// Its id.
    pub(super) id: CredentialId,
    /// Its end.
    pub(super) expires_at: Timestamp,
    name: String,
    kid: Kid,
}

impl SealedKey {
    /// Makes a key and seals it to a point of P-256.
    ///
    /// # Errors
    /// `Invalid` for a target of another curve; `Unavailable` without randomness.
    pub(super) fn new(app: &App, target: &PublicKey, name: String, life: Duration, now: Timestamp) -> Result<Self> {
        Ok(Self {
            grant: grant(target, || app.entropy.bytes().map(Secret::new))?,
            id: app.entropy.id(now)?,
            expires_at: now.plus(life),
            name,
            kid: app.keys.ring().active().kid,
        })
    }

    /// The same, as an activity asks for it. Without a name it is called `usual`, and when.
    pub(super) fn asked(app: &App, parameters: &Parameters<'_>, usual: &str, now: Timestamp) -> Result<Self, Refused> {
        let target = parameters.key("targetPublicKey")?;
        let name = parameters.text("apiKeyName").map_or_else(|| format!("{usual} - {now}"), str::to_owned);
        Ok(Self::new(app, &target, name, seconds(parameters.life()?), now)?)
    }

    /// Its private half, sealed.
    pub(super) fn bundle(&self) -> &str {
        &self.grant.bundle
    }

    /// Makes it a user's, ending their others of its kind if it is `invalidating`. Gives the keys that are over by it.
    pub(super) async fn give(
        &self,
        tx: &mut Tx<'_>,
        user: &Signer,
        (kind, invalidating): (KeyKind, bool),
        now: Timestamp,
    ) -> Result<Vec<CredentialId>> {
        let mailed = if invalidating { Inert::Invalidating } else { Inert::Plain };
        let key = StampKey {
            org: user.org,
            id: self.id,
            user: user.id,
            key: self.grant.key,
            kind,
            name: self.name.clone(),
            expires_at: Some(self.expires_at),
            inert: (kind == KeyKind::EmailAuth).then_some(mailed),
            proved: true,
        };
        let added = keys::add(tx, self.kid, &key, invalidating, now).await?;
        added.map_err(|_| Error::internal("a key that was just made is there already"))
    }
}
