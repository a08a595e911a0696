//! A sealed key for a user, without a code: another key of theirs, or a root user's, asks for it.

use doorcode_core::activity::Parameters;
use doorcode_core::seal::turnkey::{Grant, grant};
use doorcode_core::stamp::KeyKind;
use doorcode_core::{CredentialId, Error, Kid, Result, Secret, Timestamp, UserId};
use serde_json::json;

use super::caller::Found;
use super::start::seconds;
use super::{Ended, Refused, keys};
use crate::app::App;
use crate::store::orgs::Org;
use crate::store::stamp_keys::StampKey;
use crate::store::{Tx, signers};

/// A key for a session, sealed.
#[derive(Clone)]
pub(super) struct ReadWriteSession {
    org: Org,
    user: UserId,
    grant: Grant,
    id: CredentialId,
    kid: Kid,
    name: String,
    expires_at: Timestamp,
    invalidating: bool,
}

impl ReadWriteSession {
    pub(super) fn new(app: &App, caller: &Found, parameters: &Parameters<'_>, now: Timestamp) -> Result<Self, Refused> {
        let target = parameters.key("targetPublicKey")?;
        Ok(Self {
            org: caller.org.clone(),
            user: keys::user_id(parameters).unwrap_or(caller.user.id),
            grant: grant(&target, || app.entropy.bytes().map(Secret::new))?,
            id: app.entropy.id(now)?,
            kid: app.keys.ring().active().kid,
            name: parameters.text("apiKeyName").map_or_else(|| format!("Read Write Session - {now}"), str::to_owned),
            expires_at: now.plus(seconds(parameters.life()?)),
            invalidating: parameters.flag("invalidateExisting"),
        })
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Ended> {
        let Some(user) = signers::get(tx, &self.org.id, &self.user).await? else {
            return Ok(Ended::refused(keys::nobody()));
        };
        let key = StampKey {
            org: self.org.id,
            id: self.id,
            user: user.id,
            key: self.grant.key,
            kind: KeyKind::ReadWriteSession,
            name: self.name.clone(),
            expires_at: Some(self.expires_at),
            inert: None,
            proved: true,
        };
        let over = keys::add(tx, self.kid, &key, self.invalidating, now).await?;
        let over = over.map_err(|_| Error::internal("a key that was just made is there already"))?;
        let result = json!({
            "organizationId": self.org.id.to_string(),
            "organizationName": self.org.name,
            "userId": user.id.to_string(),
            "username": user.name,
            "apiKeyId": self.id.to_string(),
            "credentialBundle": self.grant.bundle,
        });
        Ok(Ended::done(result).of(self.org.id, user.id).over(self.org.id, over))
    }
}
