//! `identities`: whose an address in a realm is. Found by the digest of both, so a look-up in one realm can't find what was
//! verified in another. The address itself is in `users`.

use doorcode_core::{OrgId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::statements;
use super::targets::TargetId;

statements! {
    INSERT = "INSERT INTO identities (target_id, org_id, user_id, verified_at) VALUES ($1, $2, $3, $4)";
    REMOVE = "DELETE FROM identities WHERE target_id = $1 AND org_id = $2 AND user_id = $3";
    // Somebody who may says whose it is; nobody has proved it. What was proved stays.
    VOUCH = "INSERT INTO identities (target_id, org_id, user_id, verified_at) VALUES ($1, $2, $3, NULL) ON CONFLICT (target_id) DO NOTHING";
    PROVE = "INSERT INTO identities (target_id, org_id, user_id, verified_at) VALUES ($1, $2, $3, $4) ON CONFLICT (target_id) DO UPDATE SET \
        verified_at = excluded.verified_at WHERE identities.org_id = excluded.org_id AND identities.user_id = excluded.user_id";
    STANDING = "SELECT org_id, user_id, verified_at FROM identities WHERE target_id = $1";
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

/// Writes down whose an address is said to be, by whoever may say so. One that is known stays as it is.
pub async fn vouch(tx: &mut Tx<'_>, target: &TargetId, org: &OrgId, user: &UserId) -> Result<()> {
    tx.execute(&VOUCH, &[target.into(), org.into(), user.into()]).await.map(drop)
}

/// Writes down that a user has just proved an address. Another's stays theirs.
pub async fn prove(tx: &mut Tx<'_>, target: &TargetId, org: &OrgId, user: &UserId, at: Timestamp) -> Result<()> {
    tx.execute(&PROVE, &[target.into(), org.into(), user.into(), at.into()]).await.map(drop)
}

/// What is known of a user's address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// They proved it.
    Proved,
    /// Somebody who may said so when they were made.
    Vouched,
    /// Nothing, or it is another's.
    Nothing,
}

/// What is known of an address of a user.
pub async fn known(tx: &mut Tx<'_>, target: &TargetId, org: &OrgId, user: &UserId) -> Result<Known> {
    let read = |row: &super::sql::Row<'_>| Ok((row.id(0)?, row.id(1)?, row.maybe_time(2)?));
    let found: Option<(OrgId, UserId, Option<Timestamp>)> = tx.one(&STANDING, &[target.into()], read).await?;
    Ok(match found {
        Some((of, whose, at)) if of == *org && whose == *user => {
            if at.is_some() {
                Known::Proved
            } else {
                Known::Vouched
            }
        }
        _ => Known::Nothing,
    })
}
