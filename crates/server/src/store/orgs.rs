//! `orgs`: the tenants.

use doorcode_core::{OrgId, Result, Timestamp};

use super::db::Tx;
use super::sql::{Row, statements};

statements! {
    INSERT = "INSERT INTO orgs (id, parent_id, name) VALUES ($1, $2, $3)";
    GET = "SELECT id, parent_id, name, raised_at, features, proxy FROM orgs WHERE id = $1";
    // For a unit that counts what the org has before it changes that: nobody else does meanwhile.
    HOLD = "SELECT id, parent_id, name, raised_at, features, proxy FROM orgs WHERE id = $1 FOR UPDATE";
    // Itself and, one level down, those that it made.
    FAMILY = "SELECT id, parent_id, name, raised_at, features, proxy FROM orgs WHERE (id = $1 OR parent_id = $1) AND id > $2 ORDER BY id LIMIT $3";
    RAISE = "UPDATE orgs SET raised_at = $2 WHERE id = $1 AND raised_at IS NULL";
    LOWER = "UPDATE orgs SET raised_at = NULL WHERE id = $1 AND raised_at IS NOT NULL";
    NAME = "SELECT name FROM orgs WHERE id = $1";
    LIST = "SELECT id, name FROM orgs ORDER BY id LIMIT $1";
    NAMED_BELOW = "SELECT id FROM orgs WHERE parent_id = $1 AND name = $2 AND id > $3 ORDER BY id LIMIT $4";
    BELOW = "SELECT id FROM orgs WHERE parent_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    SET_PROXY = "UPDATE orgs SET proxy = $2 WHERE id = $1";
    SWITCH = "UPDATE orgs SET features = $2 WHERE id = $1";
}

/// A row of `orgs`.
#[derive(Clone)]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// The org that made it.
    pub parent: Option<OrgId>,
    /// Its name.
    pub name: String,
    /// When it was allowed to send to addresses that are not its own.
    pub raised_at: Option<Timestamp>,
    /// What was switched of its features: `+NAME` or `-NAME`, with spaces between.
    pub features: String,
    /// Origins whose pages may call without a stamp, with spaces between; none: nobody may.
    pub proxy: Option<String>,
}

impl Org {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(0)?,
            parent: row.maybe_id(1)?,
            name: row.text(2)?,
            raised_at: row.maybe_time(3)?,
            features: row.maybe_text(4)?.unwrap_or_default(),
            proxy: row.maybe_text(5)?,
        })
    }
}

/// Writes a new org.
pub async fn insert(tx: &mut Tx<'_>, id: &OrgId, parent: Option<&OrgId>, name: &str) -> Result<()> {
    tx.execute(&INSERT, &[id.into(), parent.into(), name.into()]).await.map(drop)
}

/// The org of that id.
pub async fn get(tx: &mut Tx<'_>, id: &OrgId) -> Result<Option<Org>> {
    tx.one(&GET, &[id.into()], Org::read).await
}

/// The same, kept from others who would hold it until the unit ends.
pub async fn hold(tx: &mut Tx<'_>, id: &OrgId) -> Result<Option<Org>> {
    tx.one(&HOLD, &[id.into()], Org::read).await
}

/// An org and those that it made, behind `after`, at most `most`.
pub async fn family(tx: &mut Tx<'_>, id: &OrgId, after: &OrgId, most: i64) -> Result<Vec<Org>> {
    tx.all(&FAMILY, &[id.into(), after.into(), most.into()], Org::read).await
}

/// Lets an org send to anybody. False: there is none such, or it may already.
pub async fn raise(tx: &mut Tx<'_>, id: &OrgId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&RAISE, &[id.into(), now.into()]).await? == 1)
}

/// Lets an org send to its own addresses only. False: there is none such, or it is so already.
pub async fn lower(tx: &mut Tx<'_>, id: &OrgId) -> Result<bool> {
    Ok(tx.execute(&LOWER, &[id.into()]).await? == 1)
}

/// Its name, if there is such an org.
pub async fn name(tx: &mut Tx<'_>, id: &OrgId) -> Result<Option<String>> {
    tx.one(&NAME, &[id.into()], |row| row.text(0)).await
}

/// The oldest `most` orgs.
pub async fn list(tx: &mut Tx<'_>, most: i64) -> Result<Vec<(OrgId, String)>> {
    tx.all(&LIST, &[most.into()], |row| Ok((row.id(0)?, row.text(1)?))).await
}

/// The orgs below a parent behind `after`, those of this name if there is one, at most `most`.
pub async fn below(
    tx: &mut Tx<'_>,
    parent: &OrgId,
    name: Option<&str>,
    after: &OrgId,
    most: i64,
) -> Result<Vec<OrgId>> {
    match name {
        Some(name) => {
            tx.all(&NAMED_BELOW, &[parent.into(), name.into(), after.into(), most.into()], |row| row.id(0)).await
        }
        None => tx.all(&BELOW, &[parent.into(), after.into(), most.into()], |row| row.id(0)).await,
    }
}

/// Writes down what is switched.
pub async fn switch(tx: &mut Tx<'_>, id: &OrgId, features: &str) -> Result<()> {
    tx.execute(&SWITCH, &[id.into(), features.into()]).await.map(drop)
}

/// Writes down from which origins apps may call without a stamp.
pub async fn set_proxy(tx: &mut Tx<'_>, id: &OrgId, origins: Option<&str>) -> Result<()> {
    tx.execute(&SET_PROXY, &[id.into(), origins.into()]).await.map(drop)
}
