//! `invites`: who may sign up where sign-up is by invitation. An invitation is used up by the sign-up it allows.

use doorcode_core::{OrgId, Result, Timestamp};

use super::db::Tx;
use super::sql::{Value, statements};
use super::targets::TargetId;

statements! {
    PUT = "INSERT INTO invites (target_id, address, org_id, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (target_id) DO UPDATE SET org_id = excluded.org_id, created_at = excluded.created_at";
    TAKE = "DELETE FROM invites WHERE target_id = $1 RETURNING org_id";
}

/// Invites an address, to an org or to one of its own.
pub async fn put(tx: &mut Tx<'_>, target: &TargetId, address: &str, org: Option<&OrgId>, now: Timestamp) -> Result<()> {
    let values: [Value<'_>; 4] = [target.into(), address.into(), org.into(), now.into()];
    tx.execute(&PUT, &values).await.map(drop)
}

/// Takes an invitation: the org it is to, if it names one. None: there is no invitation.
pub async fn take(tx: &mut Tx<'_>, target: &TargetId) -> Result<Option<Option<OrgId>>> {
    tx.one(&TAKE, &[target.into()], |row| row.maybe_id(0)).await
}
