//! The people of an org, as its own programs manage them. Refuses to call an address verified that a program named, and to leave
//! the org's key in the hands of whoever was removed.

use std::sync::Arc;

use doorcode_core::{Email, Error, EventId, OrgId, Result, Secret, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::credentials::{self, Minted, mint};
use super::idempotency::{self, Once};
use super::sign_in::clean_name;
use crate::app::{App, target_of};
use crate::store::credentials::{self as keys, Credential, Kind};
use crate::store::users::{self, User};
use crate::store::{Tx, events, identities, mailboxes, orgs, sessions, stamp_keys};

/// A user, as their org may see them.
#[derive(Clone, Serialize, Deserialize)]
pub struct UserInfo {
    /// Their id.
    pub id: String,
    /// Their name.
    pub full_name: String,
    /// Their address.
    pub email: Option<String>,
    /// Whether they signed in with it.
    pub email_verified: bool,
    /// When they were made, in milliseconds.
    pub created_at: i64,
}

impl UserInfo {
    async fn of(tx: &mut Tx<'_>, org: &OrgId, user: User) -> Result<Self> {
        let owner = match &user.email {
            Some(email) => identities::verified(tx, &target_of(OrgId::HOUSE, email)).await?,
            None => None,
        };
        Ok(Self {
            id: user.id.to_string(),
            full_name: user.full_name,
            email: user.email,
            email_verified: owner == Some((*org, user.id)),
            created_at: user.id.made_at().millis(),
        })
    }
}

/// Users of an org behind `after`, in the order in which they were made.
pub async fn list(app: &App, org: OrgId, after: UserId, most: i64) -> Result<Vec<UserInfo>> {
    app.db
        .read(move |tx| {
            Box::pin(async move {
                let mut people = Vec::new();
                for user in users::list(tx, &org, &after, most).await? {
                    people.push(UserInfo::of(tx, &org, user).await?);
                }
                Ok(people)
            })
        })
        .await
}

/// A user of an org.
pub async fn show(app: &App, org: OrgId, id: UserId) -> Result<UserInfo> {
    app.db
        .read(move |tx| {
            Box::pin(async move {
                let user = users::get(tx, &org, &id).await?.ok_or(Error::NotFound)?;
                UserInfo::of(tx, &org, user).await
            })
        })
        .await
}

/// Makes a user. Their address is what the program says it is, and signs nobody in.
pub async fn create(
    app: &Arc<App>,
    org: OrgId,
    full_name: &str,
    email: Option<Email>,
    once: Option<Once>,
) -> Result<UserInfo> {
    let full_name = clean_name(full_name).ok_or(Error::Invalid { field: "full_name", why: "must not be empty" })?;
    let now = app.clock.now();
    let (id, event): (UserId, EventId) = (app.entropy.id(now)?, app.entropy.id(now)?);
    app.db
        .write(move |tx| {
            Box::pin(async move {
                if let Some(before) = idempotency::replay(tx, once.as_ref(), now).await? {
                    return Ok(before);
                }
                let email = email.as_ref().map(Email::as_str);
                users::insert(tx, &org, &id, &full_name, email).await?;
                events::append(tx, &event, &org, events::Kind::UserCreated, id.as_bytes()).await?;
                let user = User { id, full_name, email: email.map(str::to_owned) };
                let info = UserInfo::of(tx, &org, user).await?;
                idempotency::keep(tx, once.as_ref(), &info).await?;
                Ok(info)
            })
        })
        .await
}

/// What the removal of a user took along.
pub struct Removed {
    /// The org's new key for sign-ins, if the user had been handed the old one.
    pub api_key: Option<Secret<String>>,
}

/// Removes a user for good, with their address and keys. Whoever was handed the org's key knows it still, so that key is
/// revoked, and another one takes its place.
pub async fn remove(app: &Arc<App>, org: OrgId, id: UserId) -> Result<Removed> {
    let now = app.clock.now();
    let leaver = app.db.read(move |tx| Box::pin(async move { leaver(tx, &org, &id).await })).await?;
    let successor = mint(app, Kind::ApiKey, super::keys::ADMIN, (app.entropy.id(now)?, app.entropy.bytes()?));
    let event = app.entropy.id(now)?;
    for key in &leaver {
        credentials::note_revocation(app, org, *key)?;
    }
    let key =
        app.db.write(move |tx| Box::pin(async move { part(tx, &org, &id, successor, &event, now).await })).await?;
    app.recent_sessions.forget();
    app.recent_keys.forget();
    app.recent_signers.forget();
    let api_key = key.map(|key| credentials::reveal(app, &key)).transpose()?;
    Ok(Removed { api_key })
}

/// The keys that somebody takes along who goes: only those that they sign with, if they never signed in.
async fn leaver(tx: &mut Tx<'_>, org: &OrgId, id: &UserId) -> Result<Vec<doorcode_core::CredentialId>> {
    let user = users::get(tx, org, id).await?.ok_or(Error::NotFound)?;
    let info = UserInfo::of(tx, org, user).await?;
    if is_last(tx, org, id).await? {
        Ok(Vec::new())
    } else if info.email_verified {
        keys::of_member(tx, org, id).await
    } else {
        Ok(stamp_keys::of_user(tx, org, id).await?.iter().map(|key| key.id).collect())
    }
}

/// Whether without them an org would have no member, or nobody at all.
async fn is_last(tx: &mut Tx<'_>, org: &OrgId, id: &UserId) -> Result<bool> {
    Ok(users::only_member(tx, org).await? == Some(*id) || users::count(tx, org).await? == 1)
}

async fn part(
    tx: &mut Tx<'_>,
    org: &OrgId,
    id: &UserId,
    successor: Minted,
    event: &EventId,
    now: Timestamp,
) -> Result<Option<Credential>> {
    orgs::hold(tx, org).await?;
    let user = users::get(tx, org, id).await?.ok_or(Error::NotFound)?;
    if is_last(tx, org, id).await? {
        return Err(Error::Conflict("they are the last one in this org"));
    }
    let known = keys::of_member(tx, org, id).await?;
    let signed_in = match &user.email {
        Some(email) => identities::remove(tx, &target_of(OrgId::HOUSE, email), org, id).await?,
        None => false,
    };
    // What they proved to this org, and sign with there: another user may have the address from now on.
    if let Some(email) = &user.email {
        identities::remove(tx, &target_of(*org, email), org, id).await?;
    }
    for key in stamp_keys::of_user(tx, org, id).await? {
        stamp_keys::end(tx, org, &key.id, now).await?;
    }
    users::delete(tx, org, id).await?;
    // What is left of them is theirs no more: nobody looks into their mail.
    mailboxes::delete_of_owner(tx, id).await?;
    sessions::revoke_of_user(tx, id, now).await?;
    events::append(tx, event, org, events::Kind::UserRemoved, id.as_bytes()).await?;
    if !signed_in {
        return Ok(None);
    }
    for key in known {
        keys::revoke(tx, org, &key, now).await?;
    }
    successor.put(tx, *org).await.map(Some)
}
