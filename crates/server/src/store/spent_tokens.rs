//! `spent_tokens`: verification tokens of signed calls that were spent, by their ids. Refuses to say so twice.

use doorcode_core::{ChallengeId, Result, Timestamp};

use super::db::Tx;
use super::sql::statements;

statements! {
    SPEND = "INSERT INTO spent_tokens (id) VALUES ($1) ON CONFLICT (id) DO NOTHING";
    SWEEP = "DELETE FROM spent_tokens WHERE id IN (SELECT id FROM spent_tokens WHERE id < $1 ORDER BY id LIMIT $2)";
}

/// Spends a token. False: it was spent before.
pub async fn spend(tx: &mut Tx<'_>, id: &ChallengeId) -> Result<bool> {
    Ok(tx.execute(&SPEND, &[id.into()]).await? == 1)
}

/// Removes up to `most` whose challenges were made before a time.
pub async fn sweep(tx: &mut Tx<'_>, made_before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[(&ChallengeId::floor(made_before)).into(), most.into()]).await
}
