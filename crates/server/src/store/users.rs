//! `users`: people, each in one org.

use doorcode_core::{OrgId, Result, UserId};

use super::db::Tx;
use super::sql::statements;

statements! {
    INSERT = "INSERT INTO users (org_id, id, full_name) VALUES ($1, $2, $3)";
    NAME = "SELECT full_name FROM users WHERE org_id = $1 AND id = $2";
    COUNT = "SELECT count(*) FROM users WHERE org_id = $1";
}

/// Writes a new user.
pub async fn insert(tx: &mut Tx<'_>, org: &OrgId, id: &UserId, full_name: &str) -> Result<()> {
    tx.execute(&INSERT, &[org.into(), id.into(), full_name.into()]).await.map(drop)
}

/// Their name.
pub async fn full_name(tx: &mut Tx<'_>, org: &OrgId, id: &UserId) -> Result<Option<String>> {
    tx.one(&NAME, &[org.into(), id.into()], |row| row.text(0)).await
}

/// How many an org has.
pub async fn count(tx: &mut Tx<'_>, org: &OrgId) -> Result<i64> {
    Ok(tx.one(&COUNT, &[org.into()], |row| row.int(0)).await?.unwrap_or(0))
}
