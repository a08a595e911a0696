//! `events`: what happened, append-only. Ids only; refuses whatever could be a secret by having no column for it.

use doorcode_core::{EventId, OrgId, Result, Timestamp};

use super::db::Tx;
use super::sql::statements;

statements! {
    APPEND = "INSERT INTO events (id, org_id, kind, subject_id) VALUES ($1, $2, $3, $4)";
    SWEEP = "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id < $1 ORDER BY id LIMIT $2)";
}

/// Appends what happened to `subject` in an org.
pub async fn append(tx: &mut Tx<'_>, id: &EventId, org: &OrgId, kind: &str, subject: &[u8; 16]) -> Result<()> {
    tx.execute(&APPEND, &[id.into(), org.into(), kind.into(), subject.into()]).await.map(drop)
}

/// Removes up to `most` events older than a time.
pub async fn sweep(tx: &mut Tx<'_>, before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[(&EventId::floor(before)).into(), most.into()]).await
}
