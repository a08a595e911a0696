//! The schema's steps on PostgreSQL: one node runs them, under a lock that the others wait for.

use deadpool_postgres::ClientWrapper;
use doorcode_core::Result;

use super::errors::failed;
use crate::store::migrate::{self, STEPS};

/// The lock's number: any that nobody else in the database takes.
const LOCK: i64 = 0x446f_6f72_636f_6465;

/// Brings the schema up to date.
pub(super) async fn run(client: &mut ClientWrapper) -> Result<()> {
    let transaction = client.transaction().await.map_err(failed)?;
    // Until the end of the transaction; whoever comes second finds all done.
    let wait = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0";
    transaction.batch_execute(&format!("{wait}; SELECT pg_advisory_xact_lock({LOCK})")).await.map_err(failed)?;
    transaction.batch_execute(&text(migrate::TABLE)).await.map_err(failed)?;
    let rows = transaction.query("SELECT name FROM migrations ORDER BY number", &[]).await.map_err(failed)?;
    let done = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>().map_err(failed)?;
    for (number, step) in migrate::missing(&done)? {
        transaction.batch_execute(&text(step.sql)).await.map_err(failed)?;
        transaction.batch_execute(step.postgres).await.map_err(failed)?;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&number, &step.mark()];
        transaction.execute("INSERT INTO migrations (number, name) VALUES ($1, $2)", &values).await.map_err(failed)?;
    }
    debug_assert!(done.len() <= STEPS.len());
    transaction.commit().await.map_err(failed)
}

/// A step's text as PostgreSQL takes it. Texts are compared byte by byte, as on SQLite, whatever the database's own order is.
fn text(sql: &str) -> String {
    sql.replace(" WITHOUT ROWID", "")
        .replace("INTEGER PRIMARY KEY", "BIGINT NOT NULL")
        .replace(" TEXT", " TEXT COLLATE \"C\"")
}
