//! `users`: people, each in one org.

use doorcode_core::{OrgId, Result, UserId};

use super::db::Tx;
use super::sql::statements;

statements! {
    INSERT = "INSERT INTO users (org_id, id, full_name, email) VALUES ($1, $2, $3, $4)";
    NAMES = "SELECT users.full_name, orgs.name FROM users JOIN orgs ON orgs.id = users.org_id \
        WHERE users.org_id = $1 AND users.id = $2";
    COUNT = "SELECT count(*) FROM users WHERE org_id = $1";
}

/// Writes a new user.
pub async fn insert(tx: &mut Tx<'_>, org: &OrgId, id: &UserId, full_name: &str, email: &str) -> Result<()> {
    tx.execute(&INSERT, &[org.into(), id.into(), full_name.into(), email.into()]).await.map(drop)
}

/// Their name and that of their org.
pub async fn names(tx: &mut Tx<'_>, org: &OrgId, id: &UserId) -> Result<Option<(String, String)>> {
    tx.one(&NAMES, &[org.into(), id.into()], |row| Ok((row.text(0)?, row.text(1)?))).await
}

/// How many an org has.
pub async fn count(tx: &mut Tx<'_>, org: &OrgId) -> Result<i64> {
    Ok(tx.one(&COUNT, &[org.into()], |row| row.int(0)).await?.unwrap_or(0))
}
