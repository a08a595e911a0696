//! What the store promises, asked of PostgreSQL: the same as of the embedded engine (`contract`).

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use doorcode::store::Db;

use crate::contract::promises;
use crate::postgres;

/// Two servers' ways to one database.
async fn opened() -> Option<(Db, Db, ())> {
    let settings = postgres::settings(&postgres::shared()?.database(), 4);
    let open = async || Db::connect(&settings).await.unwrap();
    Some((open().await, open().await, ()))
}

promises!(opened);
