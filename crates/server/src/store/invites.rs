//! `invites`: who may sign up where sign-up is by invitation. An invitation is used up by the sign-up it allows.

use doorcode_core::{OrgId, Result, Timestamp};

use super::db::Tx;
use super::sql::{Value, statements};
use super::targets::TargetId;

statements! {
    PUT = "INSERT INTO invites (target_id, address, org_id, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (target_id) DO UPDATE SET org_id = excluded.org_id, created_at = excluded.created_at";
    FIND = "SELECT org_id FROM invites WHERE target_id = $1";
    TAKE = "DELETE FROM invites WHERE target_id = $1";
}

/// Invites an address, to an org or to one of its own.
pub async fn put(tx: &mut Tx<'_>, target: &TargetId, address: &str, org: Option<&OrgId>, now: Timestamp) -> Result<()> {
    let values: [Value<'_>; 4] = [target.into(), address.into(), org.into(), now.into()];
    tx.execute(&PUT, &values).await.map(drop)
}

/// Takes an invitation: the org it is to, if it names one. None: there is no invitation.
pub async fn take(tx: &mut Tx<'_>, target: &TargetId) -> Result<Option<Option<OrgId>>> {
    let invited = tx.one(&FIND, &[target.into()], |row| row.maybe_id(0)).await?;
    match invited {
        // Whoever deletes the row has it; on PostgreSQL two could find it.
        Some(org) if tx.execute(&TAKE, &[target.into()]).await? == 1 => Ok(Some(org)),
        _ => Ok(None),
    }
}
