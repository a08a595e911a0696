//! Sessions: a verification token, or another key of the user's, is spent on a key that signs for a while. Refuses a token that is spent, of
//! another organisation, or whose key did not sign for this very use; one where codes of its kind are switched off; and one for a contact that
//! nobody proved on a user who has keys.

use doorcode_core::activity::Parameters;
use doorcode_core::activity::rules::Feature;
use doorcode_core::seal::turnkey::{ClientSignature, Usage, Verification};
use doorcode_core::stamp::{KeyKind, PublicKey, Refusal};
use doorcode_core::{CredentialId, Kid, Result, Timestamp};
use serde_json::json;

use super::caller::Found;
use super::start::seconds;
use super::{Ended, Failure, Refused, contacts, features, keys, token_keys};
use crate::app::App;
use crate::ops::backups::is_of_before;
use crate::store::orgs::Org;
use crate::store::signers::Signer;
use crate::store::spent_tokens::On;
use crate::store::stamp_keys::StampKey;
use crate::store::{Tx, spent_tokens};

/// Tokens that are about to be spent.
pub(super) struct Spending;

impl Spending {
    /// What a token says that is good in an organisation: a parent's in all of its sub-organisations, one of those only there.
    pub(super) fn read(app: &App, org: &Org, token: &str, now: Timestamp) -> Result<Verification, Refusal> {
        let (bound, old) = token_keys(app);
        let (bound, old): (Vec<_>, Vec<_>) = (bound.iter().collect(), old.iter().collect());
        let said = Verification::read(token, &bound, &old, now).ok_or(Refusal::Token)?;
        if said.org == org.id || org.parent == Some(said.org) { Ok(said) } else { Err(Refusal::Token) }
    }

    /// Spends a token. False: it was spent before, or earned in a history that this database does not go on with.
    pub(super) async fn spend(tx: &mut Tx<'_>, token: &Verification, on: On) -> Result<bool> {
        Ok(!is_of_before(tx, token.id.made_at()).await? && spent_tokens::spend(tx, &token.id, on).await?)
    }

    /// Whether the key that a token names signed for what it is spent on.
    pub(super) fn signed(token: &Verification, parameters: &Parameters<'_>, usage: &Usage) -> Result<(), Refusal> {
        match parameters.object("clientSignature") {
            Some(signature) => ClientSignature::of(signature).verify(token, usage),
            None if token.key.is_none() => Ok(()),
            None => Err(Refusal::Token),
        }
    }
}

/// A key for a session.
#[derive(Clone)]
pub(super) struct Login {
    org: Org,
    /// What is spent; none: the user's own stamp.
    token: Option<Verification>,
    /// Whose, where it is their own stamp.
    user: Option<Signer>,
    key: PublicKey,
    id: CredentialId,
    kid: Kid,
    expires_at: Timestamp,
    invalidating: bool,
}

impl Login {
    /// By a token in the parameters.
    pub(super) fn by_token(
        app: &App,
        caller: &Found,
        parameters: &Parameters<'_>,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let text = parameters.text("verificationToken").unwrap_or_default();
        let token = Spending::read(app, &caller.org, text, now)?;
        Spending::signed(&token, parameters, &Usage::login(parameters, caller.org.id))?;
        Self::new(app, caller, (Some(token), None), parameters, now)
    }

    /// By a stamp of the user's own, or by an attested one, which brings the token.
    pub(super) fn by_stamp(
        app: &App,
        caller: &Found,
        attested: Option<Verification>,
        parameters: &Parameters<'_>,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let user = attested.is_none().then(|| caller.user.clone());
        Self::new(app, caller, (attested, user), parameters, now)
    }

    fn new(
        app: &App,
        caller: &Found,
        (token, user): (Option<Verification>, Option<Signer>),
        parameters: &Parameters<'_>,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        // However it came: a token is what a code earned.
        let feature = token.as_ref().map(|token| Feature::of(&token.contact));
        if feature.is_some_and(|feature| !features::is_on(&caller.org, feature)) {
            return Err(Refusal::Disabled.into());
        }
        Ok(Self {
            org: caller.org.clone(),
            token,
            user,
            key: parameters.key("publicKey")?,
            id: app.entropy.id(now)?,
            kid: app.keys.ring().active().kid,
            expires_at: now.plus(seconds(parameters.life()?)),
            invalidating: parameters.flag("invalidateExisting"),
        })
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Ended> {
        let (user, mut over) = match (&self.token, &self.user) {
            (Some(token), _) => match self.spend(tx, token, now).await? {
                Some(spent) => spent,
                None => return Ok(Ended::failed(Failure::Token)),
            },
            (None, Some(user)) => (user.clone(), Vec::new()),
            (None, None) => return Ok(Ended::failed(Failure::Token)),
        };
        let key = StampKey {
            org: self.org.id,
            id: self.id,
            user: user.id,
            key: self.key,
            kind: KeyKind::Login,
            name: format!("Session - {now}"),
            expires_at: Some(self.expires_at),
            inert: None,
            proved: false,
        };
        match keys::add(tx, self.kid, &key, self.invalidating, now).await? {
            Ok(ended) => {
                over.extend(ended);
                let result = json!({
                    "user": user.id.to_string(),
                    "key": self.key.to_hex(),
                    "until": self.expires_at.millis(),
                });
                Ok(Ended::done(result).of(self.org.id, user.id).over(self.org.id, over))
            }
            // The token is not to be lost by it: the unit is taken back.
            Err(Refusal::Request { field, why }) => Err(doorcode_core::Error::Invalid { field, why }),
            Err(_) => Err(doorcode_core::Error::internal("a key with an end has room")),
        }
    }

    /// The user whom a token is for, if it may be spent on them, and is; and their keys that are over by it.
    async fn spend(
        &self,
        tx: &mut Tx<'_>,
        token: &Verification,
        now: Timestamp,
    ) -> Result<Option<(Signer, Vec<CredentialId>)>> {
        let Ok(user) = contacts::owner(tx, &self.org.id, &token.contact).await? else { return Ok(None) };
        if !contacts::takes_token(tx, &user, &token.contact, now).await? {
            return Ok(None);
        }
        if !Spending::spend(tx, token, On::Login).await? {
            return Ok(None);
        }
        let over = contacts::prove(tx, &user, &token.contact, now).await?;
        Ok(Some((user, over)))
    }
}
