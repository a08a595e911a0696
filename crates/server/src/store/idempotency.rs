//! `idempotency`: requests that are done once, however often they come. Refuses to keep a secret: what an answer had of it is
//! derived again.

use doorcode_core::{Result, Timestamp};

use super::db::Tx;
use super::sql::statements;

statements! {
    GET = "SELECT body, answer FROM idempotency WHERE id = $1 AND until > $2";
    PUT = "INSERT INTO idempotency (id, body, answer, until) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET \
        body = excluded.body, answer = excluded.answer, until = excluded.until WHERE idempotency.until <= $5";
    SWEEP = "DELETE FROM idempotency WHERE id IN (SELECT id FROM idempotency WHERE until < $1 LIMIT $2) AND until < $1";
}

/// The digest of the body that came with a request, and the answer to it.
pub async fn get(tx: &mut Tx<'_>, id: &[u8; 16], now: Timestamp) -> Result<Option<([u8; 16], String)>> {
    tx.one(&GET, &[id.into(), now.into()], |row| Ok((row.bytes(0)?, row.text(1)?))).await
}

/// Keeps an answer until a time. False: another one is kept already.
pub async fn put(
    tx: &mut Tx<'_>,
    (id, body): (&[u8; 16], &[u8; 16]),
    answer: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    Ok(tx.execute(&PUT, &[id.into(), body.into(), answer.into(), until.into(), now.into()]).await? == 1)
}

/// Removes up to `most` whose time is over.
pub async fn sweep(tx: &mut Tx<'_>, most: i64, now: Timestamp) -> Result<usize> {
    tx.execute(&SWEEP, &[now.into(), most.into()]).await
}
