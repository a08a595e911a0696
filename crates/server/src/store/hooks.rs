//! `hooks`: where programs push a person's messages to, found by the digest of what a stranger must know to reach them. Refuses to keep that,
//! or any secret in the clear.

use doorcode_core::{HookId, Kid, OrgId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

/// What `Hook::read` reads.
macro_rules! columns {
    () => {
        "org_id, id, owner_id, kind, name, digest, seed, kid, secret, used_at"
    };
}

statements! {
    INSERT = "INSERT INTO hooks (org_id, id, owner_id, kind, name, digest, seed, kid, secret) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    FIND = concat!("SELECT ", columns!(), " FROM hooks WHERE digest = $1");
    OF_OWNER = concat!("SELECT ", columns!(), " FROM hooks WHERE owner_id = $1 ORDER BY id LIMIT $2");
    USED = "UPDATE hooks SET used_at = $3 WHERE org_id = $1 AND id = $2";
    DELETE = "DELETE FROM hooks WHERE org_id = $1 AND id = $2 AND owner_id = $3";
    DELETE_OF_OWNER = "DELETE FROM hooks WHERE org_id = $1 AND owner_id = $2 RETURNING id";
    UNDER = "SELECT count(*) FROM hooks WHERE kid = $1";
}

/// A row of `hooks`.
#[derive(Clone)]
pub struct Hook {
    /// In which org.
    pub org: OrgId,
    /// Its id.
    pub id: HookId,
    /// Whose messages.
    pub owner: UserId,
    /// `sms`, `twilio` or `whatsapp`.
    pub kind: String,
    /// What its owner calls it.
    pub name: String,
    /// What it is found by.
    pub digest: [u8; 16],
    /// What its token and secrets are derived from.
    pub seed: [u8; 32],
    /// Under which master key.
    pub kid: Kid,
    /// A provider's secret, sealed.
    pub secret: Option<String>,
    /// When a message last came.
    pub used_at: Option<Timestamp>,
}

impl Hook {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            org: row.id(0)?,
            id: row.id(1)?,
            owner: row.id(2)?,
            kind: row.text(3)?,
            name: row.text(4)?,
            digest: row.bytes(5)?,
            seed: row.bytes(6)?,
            kid: row.text(7)?.parse()?,
            secret: row.maybe_text(8)?,
            used_at: row.maybe_time(9)?,
        })
    }
}

/// Writes a new one.
pub async fn insert(tx: &mut Tx<'_>, new: &Hook) -> Result<()> {
    let values: [Value<'_>; 9] = [
        (&new.org).into(),
        (&new.id).into(),
        (&new.owner).into(),
        (&new.kind).into(),
        (&new.name).into(),
        (&new.digest).into(),
        (&new.seed).into(),
        new.kid.as_str().into(),
        new.secret.as_ref().into(),
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// The one whose token has this digest.
pub async fn find(tx: &mut Tx<'_>, digest: &[u8; 16]) -> Result<Option<Hook>> {
    tx.one(&FIND, &[digest.into()], Hook::read).await
}

/// A person's, at most `most`.
pub async fn of_owner(tx: &mut Tx<'_>, owner: &UserId, most: i64) -> Result<Vec<Hook>> {
    tx.all(&OF_OWNER, &[owner.into(), most.into()], Hook::read).await
}

/// A message came.
pub async fn used(tx: &mut Tx<'_>, org: &OrgId, id: &HookId, now: Timestamp) -> Result<()> {
    tx.execute(&USED, &[org.into(), id.into(), now.into()]).await.map(drop)
}

/// Removes one. False: they have none such.
pub async fn delete(tx: &mut Tx<'_>, org: &OrgId, id: &HookId, owner: &UserId) -> Result<bool> {
    Ok(tx.execute(&DELETE, &[org.into(), id.into(), owner.into()]).await? == 1)
}

/// Removes all of a person's, and gives them.
pub async fn delete_of_owner(tx: &mut Tx<'_>, org: &OrgId, owner: &UserId) -> Result<Vec<HookId>> {
    tx.all(&DELETE_OF_OWNER, &[org.into(), owner.into()], |row| row.id(0)).await
}

/// How many are derived under a master key.
pub async fn under(tx: &mut Tx<'_>, kid: Kid) -> Result<i64> {
    Ok(tx.one(&UNDER, &[kid.as_str().into()], |row| row.int(0)).await?.unwrap_or(0))
}
