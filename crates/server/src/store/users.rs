//! `users`: people, each in one org.

use doorcode_core::{OrgId, Result, UserId};

use super::db::Tx;
use super::sql::{Row, statements};

statements! {
    INSERT = "INSERT INTO users (org_id, id, full_name, email) VALUES ($1, $2, $3, $4)";
    NAMES = "SELECT users.full_name, orgs.name FROM users JOIN orgs ON orgs.id = users.org_id \
        WHERE users.org_id = $1 AND users.id = $2 FOR SHARE";
    GET = "SELECT id, full_name, email FROM users WHERE org_id = $1 AND id = $2";
    LIST = "SELECT id, full_name, email FROM users WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    // Those who sign with keys of their own may be anybody's customers.
    MEMBERS = "SELECT id, full_name, email FROM users WHERE org_id = $1 AND root IS NULL ORDER BY id LIMIT 2";
    MEMBER_AT = "SELECT id FROM users WHERE org_id = $1 AND email = $2 AND root IS NULL LIMIT 1";
    DELETE = "DELETE FROM users WHERE org_id = $1 AND id = $2";
    COUNT = "SELECT count(*) FROM users WHERE org_id = $1";
}

/// A row of `users`.
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub full_name: String,
    /// Their address. Whether it is verified says `identities`.
    pub email: Option<String>,
}

impl User {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { id: row.id(0)?, full_name: row.text(1)?, email: row.maybe_text(2)? })
    }
}

/// Writes a new user.
pub async fn insert(tx: &mut Tx<'_>, org: &OrgId, id: &UserId, full_name: &str, email: Option<&str>) -> Result<()> {
    tx.execute(&INSERT, &[org.into(), id.into(), full_name.into(), email.into()]).await.map(drop)
}

/// The user of that id in an org.
pub async fn get(tx: &mut Tx<'_>, org: &OrgId, id: &UserId) -> Result<Option<User>> {
    tx.one(&GET, &[org.into(), id.into()], User::read).await
}

/// Users of an org behind `after`, in the order in which they were made, at most `most`.
pub async fn list(tx: &mut Tx<'_>, org: &OrgId, after: &UserId, most: i64) -> Result<Vec<User>> {
    tx.all(&LIST, &[org.into(), after.into(), most.into()], User::read).await
}

/// The only member of an org's team; none if there are more, or none. Whoever signs with keys of their own is a user and no member.
pub async fn only_member(tx: &mut Tx<'_>, org: &OrgId) -> Result<Option<UserId>> {
    let members = tx.all(&MEMBERS, &[org.into()], User::read).await?;
    Ok(match &members[..] {
        [only] => Some(only.id),
        _ => None,
    })
}

/// Whether an address is one of the team's, of somebody who does not sign with it.
pub async fn is_members(tx: &mut Tx<'_>, org: &OrgId, email: &str) -> Result<bool> {
    let found: Option<UserId> = tx.one(&MEMBER_AT, &[org.into(), email.into()], |row| row.id(0)).await?;
    Ok(found.is_some())
}

/// Removes one. False: there is none such.
pub async fn delete(tx: &mut Tx<'_>, org: &OrgId, id: &UserId) -> Result<bool> {
    Ok(tx.execute(&DELETE, &[org.into(), id.into()]).await? == 1)
}

/// Their name and that of their org.
pub async fn names(tx: &mut Tx<'_>, org: &OrgId, id: &UserId) -> Result<Option<(String, String)>> {
    tx.one(&NAMES, &[org.into(), id.into()], |row| Ok((row.text(0)?, row.text(1)?))).await
}

/// How many an org has.
pub async fn count(tx: &mut Tx<'_>, org: &OrgId) -> Result<i64> {
    Ok(tx.one(&COUNT, &[org.into()], |row| row.int(0)).await?.unwrap_or(0))
}
