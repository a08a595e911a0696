//! Keys of an org, as its own programs manage them: listed, made, rotated, revoked. Refuses to show a key twice, to give one
//! more than its maker has, and `admin` where nobody asked for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use doorcode_core::{CredentialId, Error, OrgId, Result, Secret, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::credentials::{self, mint};
use super::idempotency::{self, Once};
use super::sign_in::clean_name;
use crate::app::App;
use crate::store::credentials::{self as rows, Credential, Kind};
use crate::store::{Tx, events};

/// May start and check verifications.
pub const VERIFY: &str = "verify";
/// May read the org, its users, keys and events.
pub const READ: &str = "read";
/// May do everything.
pub const ADMIN: &str = "admin";

/// Every scope.
pub const SCOPES: [&str; 3] = [VERIFY, READ, ADMIN];

/// How long an old key may live beside its successor.
pub const GRACE_MOST: Duration = Duration::from_secs(7 * 86_400);

/// Uses of a key that are closer together than this are noted once.
const USE_NOTED: Duration = Duration::from_secs(300);
/// Keys whose last use is remembered in memory.
const REMEMBERED: usize = 10_000;

/// A key, without the key itself.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeyInfo {
    /// Its id.
    pub id: String,
    /// What its maker calls it.
    pub name: Option<String>,
    /// How it begins and ends, to know it again by.
    pub hint: String,
    /// `api_key`: handed over at sign-in; `access_key`: made by hand.
    pub kind: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made, in milliseconds.
    pub created_at: i64,
    /// When it was last presented, to the nearest five minutes.
    pub last_used_at: Option<i64>,
    /// Its end.
    pub expires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

impl KeyInfo {
    fn of(app: &App, row: &Credential) -> Self {
        // Under a master key that is gone there is nothing to know again.
        let hint = credentials::reveal(app, row).map_or_else(|_| String::new(), |key| hint(&key));
        Self {
            id: row.id.to_string(),
            name: row.name.clone(),
            hint,
            kind: row.kind.as_str().to_owned(),
            scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
            created_at: row.id.made_at().millis(),
            last_used_at: row.last_used_at.map(Timestamp::millis),
            expires_at: row.expires_at.map(Timestamp::millis),
            revoked_at: row.revoked_at.map(Timestamp::millis),
        }
    }
}

/// The first eight characters and the last two: of 24 random ones, or more, six are told.
fn hint(key: &Secret<String>) -> String {
    let key = key.expose();
    let (first, last) = (key.get(..8).unwrap_or_default(), key.get(key.len().saturating_sub(2)..).unwrap_or_default());
    format!("{first}…{last}")
}

/// A key with the key itself: shown once.
pub struct NewKey {
    /// What it is.
    pub info: KeyInfo,
    /// The key.
    pub key: Secret<String>,
}

/// What a new key is to be.
pub struct Wanted {
    /// What its maker calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// How long it lives; none: until it is revoked.
    pub life: Option<Duration>,
    /// Who is shown it, if that is known: it goes when they do.
    pub maker: Option<UserId>,
}

/// When keys were last presented, as this process saw it.
#[derive(Default)]
pub struct Uses(Mutex<HashMap<CredentialId, Timestamp>>);

/// Notes that a key was presented, at most every five minutes, and without keeping its caller waiting.
pub fn note_use(app: &Arc<App>, credential: &Credential) {
    let now = app.clock.now();
    let recent = |at: Timestamp| now.since(at) < USE_NOTED;
    if credential.last_used_at.is_some_and(recent) {
        return;
    }
    {
        let mut uses = app.uses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.get(&credential.id).copied().is_some_and(recent) {
            return;
        }
        if uses.len() >= REMEMBERED {
            uses.clear();
        }
        uses.insert(credential.id, now);
    }
    let (app, org, id) = (Arc::clone(app), credential.org, credential.id);
    tokio::spawn(async move {
        let noted = app.db.write(move |tx| Box::pin(async move { rows::used(tx, &org, &id, now).await }));
        if let Err(error) = noted.await {
            tracing::debug!(error = %crate::chain(&error), "the use of a key was not noted");
        }
    });
}

/// Keys of an org behind `after`, oldest first, dead ones too.
pub async fn list(app: &App, org: OrgId, after: CredentialId, most: i64) -> Result<Vec<KeyInfo>> {
    let found = app.db.read(move |tx| Box::pin(async move { rows::keys(tx, &org, &after, most).await })).await?;
    Ok(found.iter().map(|row| KeyInfo::of(app, row)).collect())
}

/// The newest keys of an org that live, oldest first. Dead ones can't push a living one out of sight.
pub async fn living(app: &App, org: OrgId, most: i64) -> Result<Vec<KeyInfo>> {
    let now = app.clock.now();
    let found = app.db.read(move |tx| Box::pin(async move { rows::living_keys(tx, &org, most, now).await })).await?;
    Ok(found.iter().rev().map(|row| KeyInfo::of(app, row)).collect())
}

/// A key of an org.
pub async fn show(app: &App, org: OrgId, id: CredentialId) -> Result<KeyInfo> {
    let found = app.db.read(move |tx| Box::pin(async move { own(tx, &org, &id).await })).await?;
    Ok(KeyInfo::of(app, &found))
}

async fn own(tx: &mut Tx<'_>, org: &OrgId, id: &CredentialId) -> Result<Credential> {
    let found = rows::get(tx, org, id).await?;
    found.filter(|found| matches!(found.kind, Kind::ApiKey | Kind::AccessKey)).ok_or(Error::NotFound)
}

/// Makes a key.
pub async fn create(app: &Arc<App>, org: OrgId, wanted: Wanted, once: Option<Once>) -> Result<NewKey> {
    let name = clean_name(&wanted.name).ok_or(Error::Invalid { field: "name", why: "must not be empty" })?;
    let now = app.clock.now();
    let made = (app.entropy.id(now)?, app.entropy.bytes()?);
    let expires_at = wanted.life.map(|life| now.plus(life));
    let minted =
        mint(app, Kind::AccessKey, &wanted.scopes.join(" "), made).named(Some(name), expires_at).of(wanted.maker);
    let event = app.entropy.id(now)?;
    let credential = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                if let Some(before) = again(tx, once.as_ref(), &org, now).await? {
                    return Ok(before);
                }
                let credential = minted.put(tx, org).await?;
                events::append(tx, &event, &org, events::Kind::KeyCreated, credential.id.as_bytes()).await?;
                idempotency::keep(tx, once.as_ref(), &credential.id.to_string()).await?;
                Ok(credential)
            })
        })
        .await?;
    shown(app, &credential)
}

/// Makes a key's successor, with the same name and scopes. The old one lives on for `grace`.
pub async fn rotate(
    app: &Arc<App>,
    org: OrgId,
    id: CredentialId,
    grace: Duration,
    once: Option<Once>,
) -> Result<NewKey> {
    let now = app.clock.now();
    let old = app.db.read(move |tx| Box::pin(async move { own(tx, &org, &id).await })).await?;
    let made = (app.entropy.id(now)?, app.entropy.bytes()?);
    let minted = mint(app, old.kind, &old.scopes, made).named(old.name.clone(), None).of(old.user);
    let event = app.entropy.id(now)?;
    // Should the database be restored to before this, the old key must not live for ever again. What is dead needs no line.
    // Nor what ends by then anyway, or who asks again and again would make the file grow without end.
    if is_live(&old, now) && old.expires_at.is_none_or(|at| at > now.plus(grace)) {
        credentials::note_end(app, org, id, now.plus(grace))?;
    }
    let credential = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                if let Some(before) = again(tx, once.as_ref(), &org, now).await? {
                    return Ok(before);
                }
                let old = own(tx, &org, &id).await?;
                if !is_live(&old, now) {
                    return Err(Error::Conflict("the key is dead"));
                }
                let credential = minted.put(tx, org).await?;
                rows::end_at(tx, &org, &id, now.plus(grace)).await?;
                events::append(tx, &event, &org, events::Kind::KeyRotated, id.as_bytes()).await?;
                idempotency::keep(tx, once.as_ref(), &credential.id.to_string()).await?;
                Ok(credential)
            })
        })
        .await?;
    app.recent_keys.forget();
    shown(app, &credential)
}

/// Revokes a key for good. One that is dead stays so.
pub async fn revoke(app: &Arc<App>, org: OrgId, id: CredentialId) -> Result<()> {
    let found = app.db.read(move |tx| Box::pin(async move { own(tx, &org, &id).await })).await?;
    // Or who asks again and again would make the file beside the keys grow without end.
    if found.revoked_at.is_some() {
        return Ok(());
    }
    credentials::revoke(app, org, id).await.map(drop)
}

fn is_live(key: &Credential, now: Timestamp) -> bool {
    key.revoked_at.is_none() && key.expires_at.is_none_or(|at| at > now)
}

/// The key that the same request made before.
async fn again(tx: &mut Tx<'_>, once: Option<&Once>, org: &OrgId, now: Timestamp) -> Result<Option<Credential>> {
    match idempotency::replay::<String>(tx, once, now).await? {
        Some(id) => own(tx, org, &id.parse()?).await.map(Some),
        None => Ok(None),
    }
}

fn shown(app: &App, credential: &Credential) -> Result<NewKey> {
    Ok(NewKey { info: KeyInfo::of(app, credential), key: credentials::reveal(app, credential)? })
}
