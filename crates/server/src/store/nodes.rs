//! `nodes`: which servers run, where several share a database, and which master keys each has. Refuses to take a server that has
//! said nothing for a while for one that runs.

use doorcode_core::{Kid, Result, Timestamp};

use super::db::Tx;
use super::sql::statements;

statements! {
    HERE = "INSERT INTO nodes (id, until, keys) VALUES ($1, $2, $3) \
        ON CONFLICT (id) DO UPDATE SET until = excluded.until, keys = excluded.keys";
    GONE = "DELETE FROM nodes WHERE id = $1 OR until <= $2";
    WITHOUT = "SELECT count(*) FROM nodes WHERE until > $2 \
        AND replace(' ' || keys || ' ', ' ' || $1 || ' ', '') = ' ' || keys || ' '";
}

/// Says that a server runs and will until a time, with these keys.
pub async fn here(tx: &mut Tx<'_>, id: &str, until: Timestamp, keys: &[Kid]) -> Result<()> {
    let keys = keys.iter().map(Kid::as_str).collect::<Vec<_>>().join(" ");
    tx.execute(&HERE, &[id.into(), until.into(), (&keys).into()]).await.map(drop)
}

/// Says that a server has ended, and clears away those that ended without saying so.
pub async fn gone(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<()> {
    tx.execute(&GONE, &[id.into(), now.into()]).await.map(drop)
}

/// How many servers run without a key.
pub async fn without(tx: &mut Tx<'_>, kid: Kid, now: Timestamp) -> Result<i64> {
    Ok(tx.one(&WITHOUT, &[kid.as_str().into(), now.into()], |row| row.int(0)).await?.unwrap_or(0))
}
