//! The people of an org, as its own programs manage them. Refuses to call an address verified that a program named, and to leave
//! the org's key, or one that signs, in the hands of whoever was removed.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::{CredentialId, Email, Error, EventId, HookId, MailboxId, OrgId, Result, Secret, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::audit::Whose;
use super::credentials::{self, Minted, mint};
use super::idempotency::{self, Once};
use super::sign_in::clean_name;
use crate::app::{App, target_of};
use crate::store::credentials::{self as keys, Credential, Kind};
use crate::store::signers::{self, Signer};
use crate::store::users::{self, User};
use crate::store::{Tx, events, hooks, identities, inbound_addresses, mailboxes, orgs, sessions, stamp_keys};

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
///
/// The file beside the master keys hears before the unit that they are about to go, which counts on a restored copy alone: a unit that came to
/// nothing must not cost the org its living key at the next start. What went for certain it hears after the commit.
pub async fn remove(app: &Arc<App>, org: OrgId, id: UserId) -> Result<Removed> {
    let now = app.clock.now();
    let expected = app.db.read(move |tx| Box::pin(async move { leaving(tx, &org, &id).await })).await?;
    let successor = mint(app, Kind::ApiKey, super::keys::ADMIN, (app.entropy.id(now)?, app.entropy.bytes()?));
    for leaver in expected.leavers() {
        credentials::note_leaver(app, org, leaver, true, now)?;
    }
    let unit_app = Arc::clone(app);
    let unit = app.db.write(move |tx| Box::pin(async move { part(tx, &unit_app, (&org, &id), successor, now).await }));
    let (gone, key) = match unit.await {
        Err(error @ Error::Conflict(_)) => {
            // They stay: by a later time, since at the same one it counts that they go.
            for leaver in expected.leavers() {
                credentials::note_leaver(app, org, leaver, false, now.plus(Duration::from_millis(1)))?;
            }
            return Err(error);
        }
        done => done?,
    };
    app.recent_sessions.forget();
    app.recent_keys.forget();
    app.recent_signers.forget();
    for mailbox in &gone.mailboxes {
        app.call(mailbox.1);
    }
    if let Err(error) = gone.note(app, org, &expected, now) {
        // They are gone, and the new key is said here and nowhere else. That they go, the file has heard.
        tracing::error!(%error, "it could not be written down what went with a user who was removed");
    }
    let api_key = key.map(|key| credentials::reveal(app, &key)).transpose()?;
    Ok(Removed { api_key })
}

/// What goes with somebody.
#[derive(Clone)]
struct Leaving {
    /// They, and then whoever signs under their address.
    people: Vec<UserId>,
    /// Whether they ever signed in, and so have seen the org's key.
    signed_in: bool,
}

impl Leaving {
    /// Who goes, and whether the org's key goes with them.
    fn leavers(&self) -> impl Iterator<Item = (UserId, bool)> {
        self.people.iter().enumerate().map(|(at, person)| (*person, at == 0 && self.signed_in))
    }
}

/// What went with somebody.
#[derive(Default)]
struct Gone {
    leavers: Vec<(UserId, bool)>,
    keys: Vec<CredentialId>,
    mailboxes: Vec<(UserId, MailboxId)>,
    hooks: Vec<(UserId, HookId)>,
    addresses: Vec<(UserId, [u8; 16])>,
}

impl Gone {
    /// Writes it down beside the master keys: from now on no start leaves any of it alive.
    fn note(&self, app: &App, org: OrgId, expected: &Leaving, now: Timestamp) -> Result<()> {
        for leaver in &self.leavers {
            if !expected.leavers().any(|noted| noted == *leaver) {
                credentials::note_leaver(app, org, *leaver, true, now)?;
            }
        }
        for key in &self.keys {
            credentials::note_revocation(app, org, *key)?;
        }
        for (owner, id) in &self.mailboxes {
            credentials::note_mailbox(app, *owner, *id)?;
        }
        for (owner, id) in &self.hooks {
            credentials::note_hook(app, Whose { org, owner: *owner }, *id)?;
        }
        for (owner, digest) in &self.addresses {
            credentials::note_inbound(app, *owner, *digest)?;
        }
        self.leavers.iter().try_for_each(|(person, _)| credentials::note_removed(app, org, *person))
    }
}

/// What goes with somebody, as it stands. Refuses one whom the org needs.
async fn leaving(tx: &mut Tx<'_>, org: &OrgId, id: &UserId) -> Result<Leaving> {
    let user = users::get(tx, org, id).await?.ok_or(Error::NotFound)?;
    if users::only_member(tx, org).await? == Some(*id) || users::count(tx, org).await? == 1 {
        return Err(Error::Conflict("they are the last one in this org"));
    }
    let twins = twins(tx, org, &user).await?;
    // With a root user all that they set up might go: whoever removes those says so.
    if twins.iter().any(|twin| twin.root) {
        return Err(Error::Conflict(
            "a root user signs under their address: remove that one before, or give it another",
        ));
    }
    let signed_in = UserInfo::of(tx, org, user).await?.email_verified;
    Ok(Leaving { people: std::iter::once(*id).chain(twins.iter().map(|twin| twin.id)).collect(), signed_in })
}

/// Who signs with keys under a member's address. A code made that user for them, or would give whoever reads their mailbox a key of it.
async fn twins(tx: &mut Tx<'_>, org: &OrgId, user: &User) -> Result<Vec<Signer>> {
    let Some(email) = &user.email else { return Ok(Vec::new()) };
    // Of users who sign each is removed by their own id.
    if signers::get(tx, org, &user.id).await?.is_some() {
        return Ok(Vec::new());
    }
    signers::of_email(tx, org, email).await
}

/// Removes them, with whatever is theirs by then: to refuse what came meanwhile would let whoever signs for them put it off for good.
async fn part(
    tx: &mut Tx<'_>,
    app: &App,
    (org, id): (&OrgId, &UserId),
    successor: Minted,
    now: Timestamp,
) -> Result<(Gone, Option<Credential>)> {
    orgs::hold(tx, org).await?;
    let leaving = leaving(tx, org, id).await?;
    let mut gone = Gone { leavers: leaving.leavers().collect(), ..Gone::default() };
    // Whatever their keys are about to do, or are about to get, is before this or finds nobody.
    for person in &leaving.people {
        signers::hold(tx, org, person).await?;
        gone.keys.extend(stamp_keys::of_user(tx, org, person).await?.iter().map(|key| key.id));
    }
    // The org's own key is among what goes only where they signed in.
    if leaving.signed_in {
        gone.keys.extend(keys::of_member(tx, org, id).await?);
    }
    for key in &gone.keys {
        keys::revoke(tx, org, key, now).await?;
    }
    let mut ids = app.entropy.ids(now);
    for person in &leaving.people {
        forget(tx, org, person, &mut gone, now).await?;
        let event: EventId = ids()?;
        events::append(tx, &event, org, events::Kind::UserRemoved, person.as_bytes()).await?;
    }
    let key = if leaving.signed_in { Some(successor.put(tx, *org).await?) } else { None };
    Ok((gone, key))
}

/// Removes a user's row, and what is known of them by their id. False: there is none such.
async fn forget(tx: &mut Tx<'_>, org: &OrgId, id: &UserId, gone: &mut Gone, now: Timestamp) -> Result<bool> {
    let phone = signers::get(tx, org, id).await?.and_then(|signer| signer.phone);
    let email = users::get(tx, org, id).await?.and_then(|user| user.email);
    if let Some(email) = &email {
        identities::remove(tx, &target_of(OrgId::HOUSE, email), org, id).await?;
    }
    // What they proved to this org, and sign with there: another user may have it from now on.
    for contact in [email, phone].into_iter().flatten() {
        identities::remove(tx, &target_of(*org, &contact), org, id).await?;
    }
    let was_there = users::delete(tx, org, id).await?;
    // What is left of them is theirs no more: nobody looks into their mail, and none is taken in for them.
    gone.mailboxes.extend(mailboxes::delete_of_owner(tx, id).await?.into_iter().map(|mailbox| (*id, mailbox)));
    gone.hooks.extend(hooks::delete_of_owner(tx, org, id).await?.into_iter().map(|hook| (*id, hook)));
    if let Some(address) = inbound_addresses::of_owner(tx, id).await? {
        inbound_addresses::delete(tx, id).await?;
        gone.addresses.push((*id, address.digest));
    }
    sessions::revoke_of_user(tx, id, now).await?;
    Ok(was_there)
}

/// Removes somebody who had been removed, from a copy of before, as well as whoever signs under their address there. `knew`: they had seen the
/// org's keys, all that there were before that time; the next sign-in makes another. Root users go only where they are named themselves. False: nothing of
/// them was left.
pub(super) async fn remove_again(
    tx: &mut Tx<'_>,
    (org, id): (&OrgId, &UserId),
    knew: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool> {
    let (mut people, mut over, mut again) = (vec![*id], Vec::new(), false);
    if let Some(user) = users::get(tx, org, id).await? {
        people.extend(twins(tx, org, &user).await?.iter().filter(|twin| !twin.root).map(|twin| twin.id));
    }
    if let Some(until) = knew {
        // What took the place of those lives on.
        let seen = keys::of_member(tx, org, id).await?;
        over.extend(seen.into_iter().filter(|key| key.made_at() < until));
    }
    for person in &people {
        over.extend(stamp_keys::of_user(tx, org, person).await?.iter().map(|key| key.id));
        again |= forget(tx, org, person, &mut Gone::default(), now).await?;
    }
    for key in &over {
        again |= keys::revoke(tx, org, key, now).await?;
    }
    Ok(again)
}
