//! Orgs, as the operator and other orgs make them, and who is invited.

use std::sync::Arc;

use doorcode_core::{CredentialId, Email, Error, OrgId, Result, Secret};
use serde::{Deserialize, Serialize};

use super::credentials;
use super::idempotency::{self, Once};
use super::sign_in::clean_name;
use crate::app::{App, target_of};
use crate::store::credentials::{self as credential_rows, Credential, Kind};
use crate::store::orgs::Org;
use crate::store::{Tx, events, invites, orgs, users};

/// A new org and what its programs sign in with. Shown once.
pub struct NewOrg {
    /// The org.
    pub id: OrgId,
    /// Its API key.
    pub api_key: Secret<String>,
    /// The id that goes with the secret.
    pub client_id: CredentialId,
    /// The client secret.
    pub client_secret: Secret<String>,
}

/// Makes an org with an API key and a client id and secret.
pub async fn create(app: &Arc<App>, name: &str) -> Result<NewOrg> {
    create_below(app, None, name, None).await
}

/// The same, for the org that makes it, if one does, and once for each request that names itself.
pub async fn create_below(app: &Arc<App>, parent: Option<OrgId>, name: &str, once: Option<Once>) -> Result<NewOrg> {
    let name = clean_name(name).ok_or(Error::Invalid { field: "name", why: "must not be empty" })?;
    let now = app.clock.now();
    let (id, event): (OrgId, _) = (app.entropy.id(now)?, app.entropy.id(now)?);
    let key = credentials::mint(app, Kind::ApiKey, super::keys::ADMIN, (app.entropy.id(now)?, app.entropy.bytes()?));
    let secret = credentials::mint(app, Kind::ClientSecret, "", (app.entropy.id(now)?, app.entropy.bytes()?));
    let (key, secret) = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                if let Some(before) = idempotency::replay::<Made>(tx, once.as_ref(), now).await? {
                    return before.again(tx).await;
                }
                orgs::insert(tx, &id, parent.as_ref(), &name).await?;
                events::append(tx, &event, &parent.unwrap_or(id), events::Kind::OrgCreated, id.as_bytes()).await?;
                let (key, secret) = (key.put(tx, id).await?, secret.put(tx, id).await?);
                let made = Made { org: id.to_string(), key: key.id.to_string(), secret: secret.id.to_string() };
                idempotency::keep(tx, once.as_ref(), &made).await?;
                Ok((key, secret))
            })
        })
        .await?;
    Ok(NewOrg {
        id: key.org,
        api_key: credentials::reveal(app, &key)?,
        client_id: secret.id,
        client_secret: credentials::reveal(app, &secret)?,
    })
}

/// What is kept of the answer to a request that made an org: ids.
#[derive(Serialize, Deserialize)]
struct Made {
    org: String,
    key: String,
    secret: String,
}

impl Made {
    /// What it made, read again.
    async fn again(&self, tx: &mut Tx<'_>) -> Result<(Credential, Credential)> {
        let org: OrgId = self.org.parse()?;
        let key = credential_rows::get(tx, &org, &self.key.parse()?).await?.ok_or(Error::Gone)?;
        let secret = credential_rows::get(tx, &org, &self.secret.parse()?).await?.ok_or(Error::Gone)?;
        Ok((key, secret))
    }
}

/// An org and those that it made, behind `after`.
pub async fn family(app: &App, org: OrgId, after: OrgId, most: i64) -> Result<Vec<Org>> {
    app.db.read(move |tx| Box::pin(async move { orgs::family(tx, &org, &after, most).await })).await
}

/// An org, for itself and for the one that made it.
pub async fn show(app: &App, asker: OrgId, id: OrgId) -> Result<Org> {
    let found = app.db.read(move |tx| Box::pin(async move { orgs::get(tx, &id).await })).await?;
    found.filter(|org| org.id == asker || org.parent == Some(asker)).ok_or(Error::NotFound)
}

/// Lets an org send to addresses that are not its own, or no longer. Only the operator does this.
pub async fn raise(app: &Arc<App>, id: OrgId, up: bool) -> Result<bool> {
    let now = app.clock.now();
    let event = app.entropy.id(now)?;
    app.db
        .write(move |tx| {
            Box::pin(async move {
                orgs::get(tx, &id).await?.ok_or(Error::NotFound)?;
                let changed = if up { orgs::raise(tx, &id, now).await? } else { orgs::lower(tx, &id).await? };
                if changed {
                    let kind = if up { events::Kind::OrgRaised } else { events::Kind::OrgLowered };
                    events::append(tx, &event, &id, kind, id.as_bytes()).await?;
                }
                Ok(changed)
            })
        })
        .await
}

/// Invites an address to sign up: into `org`, or with an org of its own.
pub async fn invite(app: &Arc<App>, email: &Email, org: Option<OrgId>) -> Result<()> {
    let (now, address) = (app.clock.now(), email.as_str().to_owned());
    app.db
        .write(move |tx| {
            Box::pin(async move {
                if let Some(org) = &org {
                    orgs::name(tx, org).await?.ok_or(Error::NotFound)?;
                }
                invites::put(tx, &target_of(OrgId::HOUSE, &address), &address, org.as_ref(), now).await
            })
        })
        .await
}

/// What an org's key may know of it.
pub struct Overview {
    /// Its name.
    pub name: String,
    /// How many users it has.
    pub members: i64,
}

/// An org's overview.
pub async fn overview(app: &App, org: OrgId) -> Result<Overview> {
    app.db
        .read(move |tx| {
            Box::pin(async move {
                let name = orgs::name(tx, &org).await?.ok_or(Error::NotFound)?;
                Ok(Overview { name, members: users::count(tx, &org).await? })
            })
        })
        .await
}

/// The oldest `most` orgs, for the operator.
pub async fn list(app: &App, most: i64) -> Result<Vec<(OrgId, String)>> {
    app.db.read(move |tx| Box::pin(orgs::list(tx, most))).await
}
