//! `relay_messages`: what was handed in before, by digest, so that each message serves once. Refuses to keep anything else of one.

use doorcode_core::{Result, Timestamp};

use super::db::Tx;
use super::sql::statements;

statements! {
    TAKE = "INSERT INTO relay_messages (digest, until) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
    KNOWN = "SELECT until FROM relay_messages WHERE digest = $1";
    SWEEP = "DELETE FROM relay_messages WHERE digest IN (SELECT digest FROM relay_messages WHERE until < $1 LIMIT $2)";
}

/// Takes a message, once until then. False: it was here before.
pub async fn take(tx: &mut Tx<'_>, digest: &[u8; 16], until: Timestamp) -> Result<bool> {
    Ok(tx.execute(&TAKE, &[digest.into(), until.into()]).await? == 1)
}

/// Whether a message was taken before.
pub async fn is_known(tx: &mut Tx<'_>, digest: &[u8; 16]) -> Result<bool> {
    Ok(tx.one(&KNOWN, &[digest.into()], |row| row.time(0)).await?.is_some())
}

/// Forgets up to `most` messages that were taken long ago.
pub async fn sweep(tx: &mut Tx<'_>, now: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[now.into(), most.into()]).await
}
