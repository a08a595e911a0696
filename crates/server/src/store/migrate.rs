//! The schema's steps, in order, each run once, inside one transaction. Refuses a database that a newer binary wrote.

use doorcode_core::{Error, Result};
use rusqlite::{Connection, TransactionBehavior};

use super::db::failed;

/// Every migration, in order; its number is its place, from 1.
const STEPS: &[(&str, &str)] = &[("0001_house", include_str!("../../migrations/0001_house.sql"))];

/// Brings the schema up to date.
pub(super) fn run(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    transaction
        .execute_batch("CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL)")
        .map_err(failed)?;
    let done: i64 = transaction.query_row("SELECT count(*) FROM migrations", [], |row| row.get(0)).map_err(failed)?;
    let done = usize::try_from(done).map_err(Error::internal)?;
    if done > STEPS.len() {
        return Err(Error::internal(format!(
            "the database has schema {done}, this binary knows {}: it was served by a newer version; use that one",
            STEPS.len()
        )));
    }
    for (number, (name, sql)) in STEPS.iter().enumerate().skip(done) {
        transaction.execute_batch(sql).map_err(failed)?;
        let number = i64::try_from(number + 1).map_err(Error::internal)?;
        transaction
            .execute("INSERT INTO migrations (number, name) VALUES (?1, ?2)", rusqlite::params![number, name])
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}
