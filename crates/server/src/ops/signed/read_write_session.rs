//! A sealed key for a user, without a code: another key of theirs, or a root user's, asks for it.

use doorcode_core::activity::Parameters;
use doorcode_core::stamp::KeyKind;
use doorcode_core::{Result, Timestamp, UserId};
use serde_json::json;

use super::caller::Found;
use super::sealed_key::SealedKey;
use super::{Ended, Refused, keys};
use crate::app::App;
use crate::store::orgs::Org;
use crate::store::{Tx, signers};

/// A key for a session, sealed.
#[derive(Clone)]
pub(super) struct ReadWriteSession {
    org: Org,
    user: UserId,
    key: SealedKey,
    invalidating: bool,
}

impl ReadWriteSession {
    pub(super) fn new(app: &App, caller: &Found, parameters: &Parameters<'_>, now: Timestamp) -> Result<Self, Refused> {
        Ok(Self {
            org: caller.org.clone(),
            user: keys::user_id(parameters).unwrap_or(caller.user.id),
            key: SealedKey::asked(app, parameters, "Read Write Session", now)?,
            invalidating: parameters.flag("invalidateExisting"),
        })
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Ended> {
        let Some(user) = signers::get(tx, &self.org.id, &self.user).await? else {
            return Ok(Ended::refused(keys::nobody()));
        };
        let over = self.key.give(tx, &user, (KeyKind::ReadWriteSession, self.invalidating), now).await?;
        let result = json!({
            "organizationId": self.org.id.to_string(),
            "organizationName": self.org.name,
            "userId": user.id.to_string(),
            "username": user.name,
            "apiKeyId": self.key.id.to_string(),
            "credentialBundle": self.key.bundle(),
        });
        Ok(Ended::done(result).of(self.org.id, user.id).over(self.org.id, over))
    }
}
