//! The people of an org, as its own programs manage them. Refuses to call an address verified that a program named, and to leave
//! the org's key, or one that signs, in the hands of whoever was removed.

use std::sync::Arc;

use doorcode_core::{CredentialId, Email, Error, EventId, OrgId, Result, Secret, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::credentials::{self, Minted, mint};
use super::idempotency::{self, Once};
use super::sign_in::clean_name;
use crate::app::{App, target_of};
use crate::store::credentials::{self as keys, Credential, Kind};
use crate::store::users::{self, User};
use crate::store::{Tx, events, identities, mailboxes, orgs, sessions, signers, stamp_keys};

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

/// Removes a user for good, with their address and keys, and whoever signs with keys under that address. Whoever was handed the org's key
/// knows it still, so that key is revoked, and another one takes its place.
pub async fn remove(app: &Arc<App>, org: OrgId, id: UserId) -> Result<Removed> {
    let now = app.clock.now();
    let leaving = app.db.read(move |tx| Box::pin(async move { leaving(tx, &org, &id).await })).await?;
    let successor = mint(app, Kind::ApiKey, super::keys::ADMIN, (app.entropy.id(now)?, app.entropy.bytes()?));
    let mut ids = app.entropy.ids(now);
    let events: Vec<EventId> = leaving.people.iter().map(|_| ids()).collect::<Result<_>>()?;
    for key in &leaving.keys {
        credentials::note_revocation(app, org, *key)?;
    }
    let unit = app
        .db
        .write(move |tx| Box::pin(async move { part(tx, &org, (&id, &leaving), (successor, &events), now).await }));
    let key = unit.await?;
    app.recent_sessions.forget();
    app.recent_keys.forget();
    app.recent_signers.forget();
    let api_key = key.map(|key| credentials::reveal(app, &key)).transpose()?;
    Ok(Removed { api_key })
}

/// What goes with somebody.
#[derive(Clone)]
struct Leaving {
    /// They, and then whoever signs under their address.
    people: Vec<UserId>,
    /// What those can show or sign with. The org's own key is among it only where they signed in, and so have seen it.
    keys: Vec<CredentialId>,
    /// Whether they ever signed in.
    signed_in: bool,
}

/// What goes with somebody, as it stands. Refuses one whom the org needs.
async fn leaving(tx: &mut Tx<'_>, org: &OrgId, id: &UserId) -> Result<Leaving> {
    let user = users::get(tx, org, id).await?.ok_or(Error::NotFound)?;
    if users::only_member(tx, org).await? == Some(*id) || users::count(tx, org).await? == 1 {
        return Err(Error::Conflict("they are the last one in this org"));
    }
    let twins = twins(tx, org, &user).await?;
    let signed_in = UserInfo::of(tx, org, user).await?.email_verified;
    let people: Vec<UserId> = std::iter::once(*id).chain(twins).collect();
    let mut gone = if signed_in { keys::of_member(tx, org, id).await? } else { Vec::new() };
    for person in &people {
        gone.extend(stamp_keys::of_user(tx, org, person).await?.iter().map(|key| key.id));
    }
    Ok(Leaving { people, keys: gone, signed_in })
}

/// Who signs with keys under a member's address. A code made that user for them, or would give whoever reads their mailbox a key of it. Refuses
/// where it is a root user, with whom all that they set up might go: whoever removes those says so.
async fn twins(tx: &mut Tx<'_>, org: &OrgId, user: &User) -> Result<Vec<UserId>> {
    let Some(email) = &user.email else { return Ok(Vec::new()) };
    // Of users who sign each is removed by their own id.
    if signers::get(tx, org, &user.id).await?.is_some() {
        return Ok(Vec::new());
    }
    let twins = signers::of_email(tx, org, email).await?;
    if twins.iter().any(|twin| twin.root) {
        return Err(Error::Conflict(
            "a root user signs under their address: remove that one before, or give it another",
        ));
    }
    Ok(twins.iter().map(|twin| twin.id).collect())
}

/// Removes them. `noted` is what went with them when that was written down beside the master keys.
async fn part(
    tx: &mut Tx<'_>,
    org: &OrgId,
    (id, noted): (&UserId, &Leaving),
    (successor, events): (Minted, &[EventId]),
    now: Timestamp,
) -> Result<Option<Credential>> {
    orgs::hold(tx, org).await?;
    // Whatever their keys are about to do, or are about to get, is before this or finds nobody.
    for person in &noted.people {
        signers::hold(tx, org, person).await?;
    }
    let leaving = leaving(tx, org, id).await?;
    if leaving.people != noted.people || leaving.keys.iter().any(|key| !noted.keys.contains(key)) {
        return Err(Error::unavailable("what goes with somebody changed meanwhile"));
    }
    for key in &leaving.keys {
        keys::revoke(tx, org, key, now).await?;
    }
    for (person, event) in leaving.people.iter().zip(events) {
        forget(tx, org, person, now).await?;
        events::append(tx, event, org, events::Kind::UserRemoved, person.as_bytes()).await?;
    }
    if leaving.signed_in { successor.put(tx, *org).await.map(Some) } else { Ok(None) }
}

/// Removes a user's row, and what is known of them by their id.
async fn forget(tx: &mut Tx<'_>, org: &OrgId, id: &UserId, now: Timestamp) -> Result<()> {
    let phone = signers::get(tx, org, id).await?.and_then(|signer| signer.phone);
    let email = users::get(tx, org, id).await?.and_then(|user| user.email);
    if let Some(email) = &email {
        identities::remove(tx, &target_of(OrgId::HOUSE, email), org, id).await?;
    }
    // What they proved to this org, and sign with there: another user may have it from now on.
    for contact in [email, phone].into_iter().flatten() {
        identities::remove(tx, &target_of(*org, &contact), org, id).await?;
    }
    users::delete(tx, org, id).await?;
    // What is left of them is theirs no more: nobody looks into their mail.
    mailboxes::delete_of_owner(tx, id).await?;
    sessions::revoke_of_user(tx, id, now).await.map(drop)
}
