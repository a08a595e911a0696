//! `orgs`: the tenants.

use doorcode_core::{OrgId, Result};

use super::db::Tx;
use super::sql::statements;

statements! {
    INSERT = "INSERT INTO orgs (id, parent_id, name) VALUES ($1, NULL, $2)";
    NAME = "SELECT name FROM orgs WHERE id = $1";
    LIST = "SELECT id, name FROM orgs ORDER BY id LIMIT $1";
}

/// Writes a new org.
pub async fn insert(tx: &mut Tx<'_>, id: &OrgId, name: &str) -> Result<()> {
    tx.execute(&INSERT, &[id.into(), name.into()]).await.map(drop)
}

/// Its name, if there is such an org.
pub async fn name(tx: &mut Tx<'_>, id: &OrgId) -> Result<Option<String>> {
    tx.one(&NAME, &[id.into()], |row| row.text(0)).await
}

/// The oldest `most` orgs.
pub async fn list(tx: &mut Tx<'_>, most: i64) -> Result<Vec<(OrgId, String)>> {
    tx.all(&LIST, &[most.into()], |row| Ok((row.id(0)?, row.text(1)?))).await
}
