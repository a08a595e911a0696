//! `inbound_addresses`: where forwarded mail comes in for a person, found by the digest of what stands before the @. Refuses to keep that.

use doorcode_core::{Kid, OrgId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Row, statements};

/// What `Inbound::read` reads.
macro_rules! columns {
    () => {
        "owner_id, org_id, digest, seed, kid, made_at"
    };
}

statements! {
    PUT = "INSERT INTO inbound_addresses (owner_id, org_id, digest, seed, kid, made_at) VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (owner_id) DO UPDATE SET org_id = excluded.org_id, digest = excluded.digest, seed = excluded.seed, \
        kid = excluded.kid, made_at = excluded.made_at";
    FIND = concat!("SELECT ", columns!(), " FROM inbound_addresses WHERE digest = $1");
    OF_OWNER = concat!("SELECT ", columns!(), " FROM inbound_addresses WHERE owner_id = $1");
    DELETE = "DELETE FROM inbound_addresses WHERE owner_id = $1";
    DELETE_ONE = "DELETE FROM inbound_addresses WHERE owner_id = $1 AND digest = $2";
    UNDER = "SELECT count(*) FROM inbound_addresses WHERE kid = $1";
}

/// A row of `inbound_addresses`.
#[derive(Clone)]
pub struct Inbound {
    /// Whose mail.
    pub owner: UserId,
    /// In which org.
    pub org: OrgId,
    /// What it is found by.
    pub digest: [u8; 16],
    /// What the address is derived from.
    pub seed: [u8; 32],
    /// Under which master key.
    pub kid: Kid,
    /// Since when.
    pub made_at: Timestamp,
}

impl Inbound {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            owner: row.id(0)?,
            org: row.id(1)?,
            digest: row.bytes(2)?,
            seed: row.bytes(3)?,
            kid: row.text(4)?.parse()?,
            made_at: row.time(5)?,
        })
    }
}

/// Gives a person an address, in place of the one that they had.
pub async fn put(tx: &mut Tx<'_>, new: &Inbound) -> Result<()> {
    let values = [
        (&new.owner).into(),
        (&new.org).into(),
        (&new.digest).into(),
        (&new.seed).into(),
        new.kid.as_str().into(),
        new.made_at.into(),
    ];
    tx.execute(&PUT, &values).await.map(drop)
}

/// Whose address has this digest.
pub async fn find(tx: &mut Tx<'_>, digest: &[u8; 16]) -> Result<Option<Inbound>> {
    tx.one(&FIND, &[digest.into()], Inbound::read).await
}

/// A person's address.
pub async fn of_owner(tx: &mut Tx<'_>, owner: &UserId) -> Result<Option<Inbound>> {
    tx.one(&OF_OWNER, &[owner.into()], Inbound::read).await
}

/// Takes it away. False: they had none.
pub async fn delete(tx: &mut Tx<'_>, owner: &UserId) -> Result<bool> {
    Ok(tx.execute(&DELETE, &[owner.into()]).await? == 1)
}

/// The same, if it is that one.
pub async fn delete_one(tx: &mut Tx<'_>, owner: &UserId, digest: &[u8; 16]) -> Result<bool> {
    Ok(tx.execute(&DELETE_ONE, &[owner.into(), digest.into()]).await? == 1)
}

/// How many are derived under a master key.
pub async fn under(tx: &mut Tx<'_>, kid: Kid) -> Result<i64> {
    Ok(tx.one(&UNDER, &[kid.as_str().into()], |row| row.int(0)).await?.unwrap_or(0))
}
