//! Orgs, as the operator makes them, and who is invited.

use std::sync::Arc;

use doorcode_core::{CredentialId, Email, Error, OrgId, Result, Secret};

use super::credentials;
use super::sign_in::clean_name;
use crate::app::{App, target_of};
use crate::store::credentials::Kind;
use crate::store::{events, invites, orgs, users};

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
    let name = clean_name(name).ok_or(Error::Invalid { field: "name", why: "must not be empty" })?;
    let now = app.clock.now();
    let (id, event): (OrgId, _) = (app.entropy.id(now)?, app.entropy.id(now)?);
    let key = credentials::mint(app, Kind::ApiKey, "admin", (app.entropy.id(now)?, app.entropy.bytes()?));
    let secret = credentials::mint(app, Kind::ClientSecret, "", (app.entropy.id(now)?, app.entropy.bytes()?));
    let (key, secret) = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                orgs::insert(tx, &id, &name).await?;
                events::append(tx, &event, &id, "org.created", id.as_bytes()).await?;
                Ok((key.put(tx, id).await?, secret.put(tx, id).await?))
            })
        })
        .await?;
    Ok(NewOrg {
        id,
        api_key: credentials::reveal(app, &key)?,
        client_id: secret.id,
        client_secret: credentials::reveal(app, &secret)?,
    })
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
