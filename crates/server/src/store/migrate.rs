//! The schema's steps, in order, each run once, inside one transaction. Refuses a database that a newer
//! binary wrote, or whose steps were other ones.

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::{Error, Result};
use rusqlite::{Connection, TransactionBehavior};

use super::db::failed;

/// Every migration, in order; its number is its place, from 1.
const STEPS: &[(&str, &str)] = &[
    ("0001_house", include_str!("../../migrations/0001_house.sql")),
    ("0002_native", include_str!("../../migrations/0002_native.sql")),
    ("0003_webhooks", include_str!("../../migrations/0003_webhooks.sql")),
    ("0004_sessions", include_str!("../../migrations/0004_sessions.sql")),
];

/// Brings the schema up to date.
pub(super) fn run(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    transaction
        .execute_batch("CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL)")
        .map_err(failed)?;
    let done = done(&transaction).map_err(failed)?;
    if done.len() > STEPS.len() {
        return Err(Error::internal(format!(
            "the database has schema {}, this binary knows {}: it was served by a newer version; use that one",
            done.len(),
            STEPS.len()
        )));
    }
    if let Some((was, is)) = done.iter().zip(STEPS).map(|(was, step)| (was, mark(step))).find(|(was, is)| *was != is) {
        return Err(Error::internal(format!(
            "the database was made by a build between two releases: its schema has the step {was}, this binary has {is}. \
             Name another --data, or begin anew"
        )));
    }
    for (number, step) in STEPS.iter().enumerate().skip(done.len()) {
        transaction.execute_batch(step.1).map_err(failed)?;
        let number = i64::try_from(number + 1).map_err(Error::internal)?;
        transaction
            .execute("INSERT INTO migrations (number, name) VALUES (?1, ?2)", rusqlite::params![number, mark(step)])
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// The steps that were run, as [`mark`] has them.
fn done(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut steps = connection.prepare("SELECT name FROM migrations ORDER BY number")?;
    steps.query_map([], |row| row.get(0))?.collect()
}

/// A step's name with the beginning of its text's digest: a step that was run is never edited, and this would show it.
fn mark((name, sql): &(&str, &str)) -> String {
    let [a, b, c, d, ..] = fingerprint("migration", &[sql.as_bytes()]);
    format!("{name} {a:02x}{b:02x}{c:02x}{d:02x}")
}
