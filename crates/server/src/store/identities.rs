//! `identities`: whose an address in a realm is. Found by the digest of both, so a look-up in one realm can't find what was
//! verified in another. The address itself is in `users`.

use doorcode_core::{OrgId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::statements;
use super::targets::TargetId;

statements! {
    INSERT = "INSERT INTO identities (target_id, org_id, user_id, verified_at) VALUES ($1, $2, $3, $4)";
    REMOVE = "DELETE FROM identities WHERE target_id = $1 AND org_id = $2 AND user_id = $3";
    VERIFIED = "SELECT org_id, user_id FROM identities WHERE target_id = $1 AND verified_at IS NOT NULL";
}

/// Writes an address that was just verified.
pub async fn insert(
    tx: &mut Tx<'_>,
    target: &TargetId,
    org: &OrgId,
    user: &UserId,
    verified_at: Timestamp,
) -> Result<()> {
    tx.execute(&INSERT, &[target.into(), org.into(), user.into(), verified_at.into()]).await.map(drop)
}

/// Removes an address of a user. False: it is not theirs.
pub async fn remove(tx: &mut Tx<'_>, target: &TargetId, org: &OrgId, user: &UserId) -> Result<bool> {
    Ok(tx.execute(&REMOVE, &[target.into(), org.into(), user.into()]).await? == 1)
}

/// Whose verified address it is.
pub async fn verified(tx: &mut Tx<'_>, target: &TargetId) -> Result<Option<(OrgId, UserId)>> {
    tx.one(&VERIFIED, &[target.into()], |row| Ok((row.id(0)?, row.id(1)?))).await
}
