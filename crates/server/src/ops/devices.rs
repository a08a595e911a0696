//! Devices and collectors: what hands a person's messages in. Refuses to let one say yes that was not linked by its owner, signed in.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::{DeviceId, Error, Result, Secret, UserId, fingerprint, hex};
use serde_json::json;

use super::agents::SCOPE;
use super::audit::{self, Happened, Whose};
use super::credentials::{self, mint};
use super::relays::{CHANGES, spend};
use super::sign_in::clean_name;
use crate::app::App;
use crate::store::credentials::{self as credential_rows, Credential, Kind};
use crate::store::devices::{self as rows, Device};
use crate::store::users;

/// How long a link may be used: it is copied from one screen to another.
pub const LINK_LIFE: Duration = Duration::from_secs(600);
/// What a collector is, among the kinds of devices.
pub const COLLECTOR: &str = "collector";
/// Devices of one person.
const DEVICES_MOST: i64 = 50;
/// The longest thing that a device says of itself.
const SAID_MOST: usize = 100;

/// A device with its key, shown once.
pub struct NewDevice {
    /// It.
    pub device: Device,
    /// Its key.
    pub key: Secret<String>,
}

/// Makes a device of a person: `collector` or `phone`.
pub async fn create(app: &Arc<App>, whose: Whose, kind: &'static str, name: &str) -> Result<NewDevice> {
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let device = Device {
        org: whose.org,
        id: app.entropy.id(now)?,
        owner: whose.owner,
        kind: kind.to_owned(),
        name: clean_name(name).unwrap_or_else(|| kind.to_owned()),
        reference: None,
        platform: None,
        model: None,
        os_version: None,
        linked_at: None,
        removed_at: None,
    };
    let minted = mint(app, Kind::DeviceKey, SCOPE, (app.entropy.id(now)?, app.entropy.bytes()?));
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            users::get(tx, &whose.org, &whose.owner).await?.ok_or(Error::NotFound)?;
            spend(tx, &unit_app, &whose.owner, CHANGES, now).await?;
            if rows::of_owner(tx, &whose.owner, DEVICES_MOST).await?.len() as i64 >= DEVICES_MOST {
                return Err(Error::Conflict("a person has fifty devices at most; remove one"));
            }
            rows::insert(tx, &device).await?;
            let minted = minted.named(Some(device.name.clone()), None).of(Some(whose.owner));
            let key = minted.acting_as(*device.id.as_bytes()).put(tx, whose.org).await?;
            let said = json!({ "device": device.id.to_string(), "kind": kind, "name": device.name });
            audit::note(tx, &unit_app, whose, happened("device_register", "user", said), now).await?;
            Ok((device, key))
        })
    });
    let (device, key) = unit.await?;
    Ok(NewDevice { device, key: credentials::reveal(app, &key)? })
}

fn happened(kind: &'static str, actor: &'static str, details: serde_json::Value) -> Happened {
    Happened { kind, actor, agent: None, relay: None, details }
}

/// The device that a key acts as.
pub async fn of_key(app: &App, key: &Credential) -> Result<Device> {
    let (org, id) = (key.org, DeviceId::from_bytes(key.subject.ok_or(Error::Unauthenticated)?));
    let found = app.db.read(move |tx| Box::pin(async move { rows::get(tx, &org, &id).await })).await?;
    found.filter(|device| device.removed_at.is_none()).ok_or(Error::Unauthenticated)
}

/// A person's devices.
pub async fn list(app: &App, owner: UserId) -> Result<Vec<Device>> {
    app.db.read(move |tx| Box::pin(async move { rows::of_owner(tx, &owner, DEVICES_MOST).await })).await
}

/// What a device says of itself: what it calls itself, its platform, model and system.
pub async fn describe(app: &Arc<App>, device: &Device, said: [&str; 4]) -> Result<()> {
    let clean = said.map(|text| clean_name(text).map(|text| text.chars().take(SAID_MOST).collect::<String>()));
    let (org, id) = (device.org, device.id);
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let said = clean.each_ref().map(|text| text.as_deref().unwrap_or_default());
            rows::describe(tx, &org, &id, said).await
        })
    });
    if unit.await? { Ok(()) } else { Err(Error::NotFound) }
}

/// A link for one of a person's devices, shown in their signed-in session.
pub async fn offer(app: &Arc<App>, whose: Whose) -> Result<Secret<String>> {
    let now = app.clock.now();
    let token = hex::encode(&app.entropy.bytes::<16>()?);
    let digest = fingerprint::fingerprint("device link", &[token.as_bytes()]);
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            rows::sweep_links(tx, now).await?;
            rows::offer(tx, &digest, &whose.org, &whose.owner, now.plus(LINK_LIFE)).await
        })
    });
    unit.await?;
    Ok(Secret::new(token))
}

/// A device shows the link that its owner was shown, and may say yes from now on.
pub async fn link(app: &Arc<App>, device: &Device, token: &str) -> Result<()> {
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let digest = fingerprint::fingerprint("device link", &[token.trim().as_bytes()]);
    let whose = Whose { org: device.org, owner: device.owner };
    let (id, name) = (device.id, device.name.clone());
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            if !rows::take(tx, &digest, &whose.owner, now).await? {
                return Err(Error::NotFound);
            }
            if !rows::link(tx, &whose.org, &id, &whose.owner, now).await? {
                return Err(Error::NotFound);
            }
            let said = json!({ "device": id.to_string(), "name": name, "linked": true });
            audit::note(tx, &unit_app, whose, happened("device_register", "device", said), now).await
        })
    });
    unit.await
}

/// Removes a device: its keys are dead at once.
pub async fn remove(app: &Arc<App>, whose: Whose, id: DeviceId) -> Result<()> {
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let keys = app
        .db
        .read(move |tx| Box::pin(async move { credential_rows::of_subject(tx, &whose.org, id.as_bytes(), now).await }))
        .await?;
    for key in keys.iter().filter(|key| key.user == Some(whose.owner)) {
        credentials::note_revocation(app, whose.org, key.id)?;
    }
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            if !rows::remove(tx, &whose.org, &id, &whose.owner, now).await? {
                return Err(Error::NotFound);
            }
            for key in credential_rows::of_subject(tx, &whose.org, id.as_bytes(), now).await? {
                credential_rows::revoke(tx, &whose.org, &key.id, now).await?;
            }
            let said = json!({ "device": id.to_string() });
            audit::note(tx, &unit_app, whose, happened("device_remove", "user", said), now).await
        })
    });
    unit.await?;
    app.recent_keys.forget();
    Ok(())
}
