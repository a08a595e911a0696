//! `spent_tokens`: what was spent of signed calls, by ids: verification tokens, and the nonces of requests. Refuses to say so twice.

use std::time::Duration;

use doorcode_core::stamp::{NONCES_KEPT, PublicKey, Signable};
use doorcode_core::time::DAY;
use doorcode_core::{ChallengeId, Result, Timestamp};

use super::db::Tx;
use super::sql::statements;

statements! {
    SPEND = "INSERT INTO spent_tokens (id) VALUES ($1) ON CONFLICT (id) DO NOTHING";
    SWEEP = "DELETE FROM spent_tokens WHERE id IN (SELECT id FROM spent_tokens WHERE id < $1 ORDER BY id LIMIT $2)";
}

/// For how long a token that was spent is known as such, from when its code was asked for: longer than both lives together.
pub const KEPT: Duration = Duration::from_secs(3 * DAY.as_secs());

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

/// Spends the nonce of a request that a key signed. False: it was spent before. It is written down as of so long ago that the sweep of tokens
/// lets go of it when its own time is over.
pub async fn spend_nonce(tx: &mut Tx<'_>, call: &Signable<'_>, key: &PublicKey) -> Result<bool> {
    let known_from = call.at.minus(KEPT.saturating_sub(NONCES_KEPT));
    Ok(tx.execute(&SPEND, &[(&call.spent_id(key, known_from)).into()]).await? == 1)
}

/// Removes up to `most` whose challenges were made before a time.
pub async fn sweep(tx: &mut Tx<'_>, made_before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[(&ChallengeId::floor(made_before)).into(), most.into()]).await
}
