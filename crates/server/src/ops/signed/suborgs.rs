//! A sub-organisation with its root users and their keys, of which a verification token may prove one contact. Refuses a third level, and a
//! token for anything but the one user's own contact.

use doorcode_core::activity::rules::{Feature, room_for};
use doorcode_core::activity::{Kind, Parameters};
use doorcode_core::seal::turnkey::{Proof, Usage, Verification};
use doorcode_core::stamp::Refusal;
use doorcode_core::{Address, EventId, Kid, OrgId, Result, Timestamp};
use serde_json::{Value, json};

use super::caller::Found;
use super::login::Spending;
use super::{Ended, Failure, Refused, contacts, features, keys};
use crate::app::{App, target_of};
use crate::store::signers::{self, Signer};
use crate::store::spent_tokens::On;
use crate::store::stamp_keys::{self, StampKey};
use crate::store::{Tx, events, identities, orgs};

/// A sub-organisation, prepared.
#[derive(Clone)]
pub(super) struct SubOrg {
    parent: OrgId,
    id: OrgId,
    name: String,
    features: String,
    users: Vec<(Signer, Vec<StampKey>)>,
    token: Option<Verification>,
    kid: Kid,
    event: EventId,
}

impl SubOrg {
    pub(super) fn new(app: &App, caller: &Found, parameters: &Parameters<'_>, now: Timestamp) -> Result<Self, Refused> {
        if caller.org.parent.is_some() {
            return Err(Refusal::NotAuthorized.into());
        }
        let id: OrgId = app.entropy.id(now)?;
        let mut users = Vec::new();
        for user in parameters.root_users()? {
            let signer = Signer {
                org: id,
                id: app.entropy.id(now)?,
                name: user.name,
                email: user.email.map(|email| email.as_str().to_owned()),
                phone: user.phone.map(|phone| phone.as_str().to_owned()),
                root: true,
            };
            let given = keys::given(app, (id, signer.id), user.keys, now)?;
            room_for(&[], &keys::ages(&given), now)?;
            users.push((signer, given));
        }
        let off = [
            ("disableEmailAuth", Feature::EmailAuth),
            ("disableOtpEmailAuth", Feature::OtpEmailAuth),
            ("disableSmsAuth", Feature::SmsAuth),
        ];
        let off: Vec<_> = off.iter().filter(|(name, _)| parameters.flag(name)).map(|(_, it)| (*it, false)).collect();
        Ok(Self {
            parent: caller.org.id,
            id,
            name: parameters.text("subOrganizationName").unwrap_or_default().to_owned(),
            features: features::switched("", &off),
            token: token(app, caller, parameters, &users, now)?,
            users,
            kid: app.keys.ring().active().kid,
            event: app.entropy.id(now)?,
        })
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Ended> {
        if let Some(token) = &self.token
            && !Spending::spend(tx, token, On::SignUp).await?
        {
            return Ok(Ended::failed(Failure::Token));
        }
        orgs::insert(tx, &self.id, Some(&self.parent), &self.name).await?;
        if !self.features.is_empty() {
            orgs::switch(tx, &self.id, &self.features).await?;
        }
        for (user, given) in &self.users {
            signers::insert(tx, user).await?;
            for contact in [&user.email, &user.phone].into_iter().flatten() {
                identities::vouch(tx, &target_of(self.id, contact), &self.id, &user.id).await?;
            }
            for key in given {
                stamp_keys::insert(tx, key, self.kid).await?;
            }
        }
        if let (Some(token), [(user, _), ..]) = (&self.token, self.users.as_slice()) {
            contacts::prove(tx, user, &token.contact, now).await?;
        }
        events::append(tx, &self.event, &self.parent, events::Kind::OrgCreated, self.id.as_bytes()).await?;
        let users: Vec<Value> = self.users.iter().map(|(user, _)| user.id.to_string().into()).collect();
        Ok(Ended::done(json!({ "subOrganizationId": self.id.to_string(), "rootUserIds": users })))
    }
}

/// The token that a sign-up spends, if it brings one: for the contact of its only user.
fn token(
    app: &App,
    caller: &Found,
    parameters: &Parameters<'_>,
    users: &[(Signer, Vec<StampKey>)],
    now: Timestamp,
) -> Result<Option<Verification>, Refusal> {
    let Some(text) = parameters.text("verificationToken") else {
        return if parameters.object("clientSignature").is_some() { Err(Refusal::Token) } else { Ok(None) };
    };
    let token = Spending::read(app, &caller.org, text, now)?;
    let [(user, _)] = users else { return Err(Refusal::Token) };
    let theirs = match &token.contact {
        Address::Email(email) => user.email.as_deref() == Some(email.as_str()),
        Address::Phone(phone) => user.phone.as_deref() == Some(phone.as_str()),
    };
    let old = parameters.kind() == Kind::CreateSubOrganizationV8 && token.proof == Proof::Old;
    if !theirs || old {
        return Err(Refusal::Token);
    }
    let usage = Usage::signup(parameters, caller.org.id).ok_or(Refusal::Token)?;
    Spending::signed(&token, parameters, &usage)?;
    Ok(Some(token))
}
