//! `spent_tokens`: verification tokens of signed calls that were spent, by their ids. Refuses to say so twice.

use doorcode_core::{ChallengeId, Result, Timestamp};

use super::db::Tx;
use super::sql::statements;

statements! {
    SPEND = "INSERT INTO spent_tokens (id) VALUES ($1) ON CONFLICT (id) DO NOTHING";
    SWEEP = "DELETE FROM spent_tokens WHERE id IN (SELECT id FROM spent_tokens WHERE id < $1 ORDER BY id LIMIT $2)";
}

/// What a token is spent on: whoever signs up with one then logs in with the same, and neither twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    /// A session, or a change.
    Login,
    /// A sub-organisation.
    SignUp,
}

/// Spends a token. False: it was spent before.
pub async fn spend(tx: &mut Tx<'_>, id: &ChallengeId, on: On) -> Result<bool> {
    let mut spent = *id.as_bytes();
    // The end of an id is random: two of them differ in more.
    spent[15] ^= on as u8;
    Ok(tx.execute(&SPEND, &[(&ChallengeId::from_bytes(spent)).into()]).await? == 1)
}

/// Removes up to `most` whose challenges were made before a time.
pub async fn sweep(tx: &mut Tx<'_>, made_before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[(&ChallengeId::floor(made_before)).into(), most.into()]).await
}
