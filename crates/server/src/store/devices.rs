//! `devices` and `device_links`: what hands a person's messages in, and what makes a phone theirs. Refuses a link that was used.

use doorcode_core::{DeviceId, OrgId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

/// What `Device::read` reads.
macro_rules! columns {
    () => {
        "org_id, id, owner_id, kind, name, reference, platform, model, os_version, linked_at, removed_at"
    };
}

statements! {
    INSERT = "INSERT INTO devices (org_id, id, owner_id, kind, name) VALUES ($1, $2, $3, $4, $5)";
    GET = concat!("SELECT ", columns!(), " FROM devices WHERE org_id = $1 AND id = $2");
    OF_OWNER = concat!("SELECT ", columns!(), " FROM devices WHERE owner_id = $1 AND removed_at IS NULL ORDER BY id LIMIT $2");
    DESCRIBE = "UPDATE devices SET reference = $3, platform = $4, model = $5, os_version = $6 WHERE org_id = $1 AND id = $2 AND removed_at IS NULL";
    LINK = "UPDATE devices SET linked_at = $4 WHERE org_id = $1 AND id = $2 AND owner_id = $3 AND removed_at IS NULL";
    REMOVE = "UPDATE devices SET removed_at = $4 WHERE org_id = $1 AND id = $2 AND owner_id = $3 AND removed_at IS NULL";
    OFFER = "INSERT INTO device_links (digest, org_id, owner_id, expires_at) VALUES ($1, $2, $3, $4)";
    // Only its owner's: another person's device does not use it up.
    TAKE = "DELETE FROM device_links WHERE digest = $1 AND owner_id = $2 AND expires_at > $3";
    SWEEP_LINKS = "DELETE FROM device_links WHERE expires_at < $1";
}

/// A row of `devices`.
#[derive(Clone)]
pub struct Device {
    /// In which org.
    pub org: OrgId,
    /// Its id.
    pub id: DeviceId,
    /// Whose messages it hands in.
    pub owner: UserId,
    /// `collector` or `phone`.
    pub kind: String,
    /// What its owner calls it.
    pub name: String,
    /// What it calls itself.
    pub reference: Option<String>,
    /// `android`, `ios`.
    pub platform: Option<String>,
    /// Of which make.
    pub model: Option<String>,
    /// Its system.
    pub os_version: Option<String>,
    /// Since when it may say yes in its owner's name: it was linked by them, signed in.
    pub linked_at: Option<Timestamp>,
    /// When it was removed.
    pub removed_at: Option<Timestamp>,
}

impl Device {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            org: row.id(0)?,
            id: row.id(1)?,
            owner: row.id(2)?,
            kind: row.text(3)?,
            name: row.text(4)?,
            reference: row.maybe_text(5)?,
            platform: row.maybe_text(6)?,
            model: row.maybe_text(7)?,
            os_version: row.maybe_text(8)?,
            linked_at: row.maybe_time(9)?,
            removed_at: row.maybe_time(10)?,
        })
    }
}

/// Writes a new one.
pub async fn insert(tx: &mut Tx<'_>, new: &Device) -> Result<()> {
    let values: [Value<'_>; 5] =
        [(&new.org).into(), (&new.id).into(), (&new.owner).into(), (&new.kind).into(), (&new.name).into()];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// The device of that id in an org, removed or not.
pub async fn get(tx: &mut Tx<'_>, org: &OrgId, id: &DeviceId) -> Result<Option<Device>> {
    tx.one(&GET, &[org.into(), id.into()], Device::read).await
}

/// A person's devices, at most `most`.
pub async fn of_owner(tx: &mut Tx<'_>, owner: &UserId, most: i64) -> Result<Vec<Device>> {
    tx.all(&OF_OWNER, &[owner.into(), most.into()], Device::read).await
}

/// What a device says of itself: its reference, platform, model and system.
pub async fn describe(tx: &mut Tx<'_>, org: &OrgId, id: &DeviceId, said: [&str; 4]) -> Result<bool> {
    let [reference, platform, model, system] = said;
    let values = [org.into(), id.into(), reference.into(), platform.into(), model.into(), system.into()];
    Ok(tx.execute(&DESCRIBE, &values).await? == 1)
}

/// It may say yes in its owner's name from now on.
pub async fn link(tx: &mut Tx<'_>, org: &OrgId, id: &DeviceId, owner: &UserId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&LINK, &[org.into(), id.into(), owner.into(), now.into()]).await? == 1)
}

/// It is no more. False: they have none such.
pub async fn remove(tx: &mut Tx<'_>, org: &OrgId, id: &DeviceId, owner: &UserId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&REMOVE, &[org.into(), id.into(), owner.into(), now.into()]).await? == 1)
}

/// A link that a device of this person may use, once.
pub async fn offer(tx: &mut Tx<'_>, digest: &[u8; 16], org: &OrgId, owner: &UserId, until: Timestamp) -> Result<()> {
    tx.execute(&OFFER, &[digest.into(), org.into(), owner.into(), until.into()]).await.map(drop)
}

/// Uses a link up. False: there is none such for this person.
pub async fn take(tx: &mut Tx<'_>, digest: &[u8; 16], owner: &UserId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&TAKE, &[digest.into(), owner.into(), now.into()]).await? == 1)
}

/// Removes links that are over.
pub async fn sweep_links(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    tx.execute(&SWEEP_LINKS, &[now.into()]).await
}
