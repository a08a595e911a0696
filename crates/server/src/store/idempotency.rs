//! `idempotency`: requests that are done once, however often they come. Refuses to keep a secret: what an answer had of it is
//! derived again.

use doorcode_core::{Result, Timestamp};

use super::db::Tx;
use super::sql::statements;

statements! {
    // Whoever comes while another is at it waits here for that one's end, on every node.
    CLAIM = "INSERT INTO idempotency (id, body, answer, until) VALUES ($1, $2, '', $3) ON CONFLICT (id) DO UPDATE SET \
        body = excluded.body, answer = excluded.answer, until = excluded.until WHERE idempotency.until <= $4";
    GET = "SELECT body, answer FROM idempotency WHERE id = $1";
    KNOWN = "SELECT id FROM idempotency WHERE id = $1 AND until > $2";
    ANSWER = "UPDATE idempotency SET answer = $2 WHERE id = $1";
    RELEASE = "DELETE FROM idempotency WHERE id = $1";
    SWEEP = "DELETE FROM idempotency WHERE id IN (SELECT id FROM idempotency WHERE until < $1 LIMIT $2) AND until < $1";
}

/// Takes a request until a time, for the unit that will answer it. False: it was taken before.
pub async fn claim(
    tx: &mut Tx<'_>,
    (id, body): (&[u8; 16], &[u8; 16]),
    until: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    Ok(tx.execute(&CLAIM, &[id.into(), body.into(), until.into(), now.into()]).await? == 1)
}

/// The digest of the body that came with a request, and the answer to it.
pub async fn get(tx: &mut Tx<'_>, id: &[u8; 16]) -> Result<Option<([u8; 16], String)>> {
    tx.one(&GET, &[id.into()], |row| Ok((row.bytes(0)?, row.text(1)?))).await
}

/// Whether a request was taken before, and its answer is kept.
pub async fn is_known(tx: &mut Tx<'_>, id: &[u8; 16], now: Timestamp) -> Result<bool> {
    Ok(tx.one(&KNOWN, &[id.into(), now.into()], |_| Ok(())).await?.is_some())
}

/// Keeps the answer to a request that was taken.
pub async fn answer(tx: &mut Tx<'_>, id: &[u8; 16], answer: &str) -> Result<()> {
    tx.execute(&ANSWER, &[id.into(), answer.into()]).await.map(drop)
}

/// Lets go of a request that was taken and is not answered for good.
pub async fn release(tx: &mut Tx<'_>, id: &[u8; 16]) -> Result<()> {
    tx.execute(&RELEASE, &[id.into()]).await.map(drop)
}

/// Removes up to `most` whose time is over.
pub async fn sweep(tx: &mut Tx<'_>, most: i64, now: Timestamp) -> Result<usize> {
    tx.execute(&SWEEP, &[now.into(), most.into()]).await
}
