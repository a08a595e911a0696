//! `identities`: an address of a user in a realm. Found by the digest of both, so a look-up in one realm can't find what
//! was verified in another.

use doorcode_core::{OrgId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Value, statements};
use super::targets::TargetId;

statements! {
    INSERT = "INSERT INTO identities (target_id, org_id, user_id, address, verified_at) VALUES ($1, $2, $3, $4, $5)";
    VERIFIED = "SELECT org_id, user_id FROM identities WHERE target_id = $1 AND verified_at IS NOT NULL";
}

/// Writes an address that was just verified.
pub async fn insert(
    tx: &mut Tx<'_>,
    target: &TargetId,
    org: &OrgId,
    user: &UserId,
    address: &str,
    verified_at: Timestamp,
) -> Result<()> {
    let values: [Value<'_>; 5] = [target.into(), org.into(), user.into(), address.into(), verified_at.into()];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// Whose verified address it is.
pub async fn verified(tx: &mut Tx<'_>, target: &TargetId) -> Result<Option<(OrgId, UserId)>> {
    tx.one(&VERIFIED, &[target.into()], |row| Ok((row.id(0)?, row.id(1)?))).await
}
