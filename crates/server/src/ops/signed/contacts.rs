//! Whose contact it is, and what is known of that. Refuses a contact of two users; and, where nobody but the user themselves said that it is
//! theirs, to let its code or token open an account that others have keys of, or a way into: whoever made the account would be in it with its
//! owner.

use doorcode_core::activity::{Kind, Parameters};
use doorcode_core::seal::turnkey::Verification;
use doorcode_core::stamp::Refusal;
use doorcode_core::{Address, CredentialId, Email, OrgId, Phone, Result, Timestamp, UserId};
use serde_json::json;

use super::caller::Found;
use super::login::Spending;
use super::{Ended, Failure, Refused, keys};
use crate::app::{App, target_of};
use crate::store::identities::{self, Known};
use crate::store::signers::{self, Signer};
use crate::store::spent_tokens::On;
use crate::store::{Tx, orgs, stamp_keys, users};

/// The one user of a contact in an organisation.
pub(super) async fn owner(tx: &mut Tx<'_>, org: &OrgId, contact: &Address) -> Result<Result<Signer, Refusal>> {
    let mut found = signers::of_contact(tx, org, contact).await?;
    Ok(match (found.pop(), found.is_empty()) {
        (Some(user), true) => Ok(user),
        (None, _) => Err(Refusal::Request { field: "contact", why: "is no user's of this organization" }),
        (Some(_), false) => Err(Refusal::Request { field: "contact", why: "is several users' of this organization" }),
    })
}

/// What is known of a user's contact.
pub(super) async fn known(tx: &mut Tx<'_>, user: &Signer, contact: &Address) -> Result<Known> {
    identities::known(tx, &target_of(user.org, contact.as_str()), &user.org, &user.id).await
}

/// Whether a code for a user's contact may yield a key: somebody who may said that it is theirs, or nobody else would be there.
pub(super) async fn is_trusted(tx: &mut Tx<'_>, user: &Signer, contact: &Address, now: Timestamp) -> Result<bool> {
    Ok(known(tx, user, contact).await? != Known::Nothing || is_empty(tx, user, now).await?)
}

/// Whether a token for a user's contact may: they proved it before, or nobody has a key who would not be its owner.
pub(super) async fn takes_token(tx: &mut Tx<'_>, user: &Signer, contact: &Address, now: Timestamp) -> Result<bool> {
    Ok(match known(tx, user, contact).await? {
        Known::Proved => true,
        Known::Vouched => !has_keys(tx, user, now).await?,
        Known::Nothing => is_empty(tx, user, now).await?,
    })
}

/// Whether a user has a key that lives. One that was mailed counts from its first stamp: asking for a mail shuts nobody out.
pub(super) async fn has_keys(tx: &mut Tx<'_>, user: &Signer, now: Timestamp) -> Result<bool> {
    let keys = stamp_keys::of_user(tx, &user.org, &user.id).await?;
    Ok(keys.iter().any(|key| key.inert.is_none() && !key.is_over(now)))
}

/// Whether nobody has a key that lives in a user's organisation, and nobody but this user could come by a code. A key of theirs that was
/// mailed wakes before this, or when the unit has ended.
async fn is_empty(tx: &mut Tx<'_>, user: &Signer, now: Timestamp) -> Result<bool> {
    signers::hold(tx, &user.org, &user.id).await?;
    Ok(!stamp_keys::any_lives(tx, &user.org, now).await? && !signers::has_others(tx, &user.org, &user.id).await?)
}

/// A user has just proved their contact. If nobody had said before that it is theirs, keys that were mailed to them came to somebody else:
/// gives those, which are over.
pub(super) async fn prove(
    tx: &mut Tx<'_>,
    user: &Signer,
    contact: &Address,
    now: Timestamp,
) -> Result<Vec<CredentialId>> {
    let over = match known(tx, user, contact).await? {
        Known::Nothing => keys::end_inert(tx, user, now).await?,
        Known::Proved | Known::Vouched => Vec::new(),
    };
    identities::prove(tx, &target_of(user.org, contact.as_str()), &user.org, &user.id, now).await?;
    Ok(over)
}

/// Another contact for a user.
#[derive(Clone)]
pub(super) struct Change {
    org: OrgId,
    user: UserId,
    contact: Address,
    /// It proves the contact.
    token: Option<Verification>,
}

impl Change {
    pub(super) fn new(app: &App, caller: &Found, parameters: &Parameters<'_>, now: Timestamp) -> Result<Self, Refused> {
        let contact = if parameters.kind() == Kind::UpdateUserEmail {
            Email::parse(parameters.text("userEmail").unwrap_or_default()).map_err(|_| Refusal::Email)?.into()
        } else {
            let number = Phone::parse(parameters.text("userPhoneNumber").unwrap_or_default());
            let why = "must be a phone number in E.164";
            Address::from(number.map_err(|_| Refusal::Request { field: "userPhoneNumber", why })?)
        };
        let token =
            parameters.text("verificationToken").map(|text| Spending::read(app, &caller.org, text, now)).transpose()?;
        // Whoever came by a token that names a key has not got that key: the stamp is to be by it.
        let theirs =
            |token: &Verification| token.contact == contact && token.key.is_none_or(|key| key == caller.key.key);
        if token.as_ref().is_some_and(|token| !theirs(token)) {
            return Err(Refusal::Token.into());
        }
        // In an organisation of many people, whoever is one of them would take away an address that is to be somebody else's.
        if token.is_none() && caller.org.parent.is_none() && !caller.user.root {
            return Err(Refusal::Token.into());
        }
        Ok(Self { org: caller.org.id, user: keys::user_id(parameters)?, contact, token })
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Ended> {
        // Of two that would have one contact, the second sees the first.
        orgs::hold(tx, &self.org).await?;
        let Some(user) = signers::hold(tx, &self.org, &self.user).await? else {
            return Ok(Ended::refused(keys::nobody()));
        };
        let others = signers::of_contact(tx, &self.org, &self.contact).await?;
        if others.iter().any(|other| other.id != user.id) {
            return Ok(Ended::refused(Refusal::Request {
                field: "contact",
                why: "is another user's of this organization",
            }));
        }
        if self.leaves_member(tx, &user).await? {
            return Ok(Ended::refused(Refusal::Request {
                field: "userEmail",
                why: "would leave the address of a member of the team, with whom this user goes",
            }));
        }
        if let Some(token) = &self.token
            && !Spending::spend(tx, token, On::Login).await?
        {
            return Ok(Ended::failed(Failure::Token));
        }
        let before = match &self.contact {
            Address::Email(_) => &user.email,
            Address::Phone(_) => &user.phone,
        };
        if let Some(before) = before.as_deref().filter(|before| *before != self.contact.as_str()) {
            identities::remove(tx, &target_of(self.org, before), &self.org, &user.id).await?;
        }
        signers::set_contact(tx, &self.org, &user.id, &self.contact).await?;
        // Whoever reads the old mailbox is not to come by what is in it.
        let over = keys::end_inert(tx, &user, now).await?;
        if self.token.is_some() {
            prove(tx, &user, &self.contact, now).await?;
        }
        Ok(Ended::done(json!({ "userId": user.id.to_string() })).of(self.org, user.id).over(self.org, over))
    }

    /// Whether somebody who signs would leave the address of a member of the team. Whoever removes the member takes them along by it, so under
    /// another one they would stay. A root user goes by themselves, and may.
    async fn leaves_member(&self, tx: &mut Tx<'_>, user: &Signer) -> Result<bool> {
        match (&self.contact, &user.email) {
            (Address::Email(new), Some(old)) if !user.root && new.as_str() != old => {
                users::is_members(tx, &self.org, old).await
            }
            _ => Ok(false),
        }
    }
}
