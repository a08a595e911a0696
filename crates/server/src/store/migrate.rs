//! The schema's steps, in order, each run once, inside one transaction. Refuses a database that a newer
//! binary wrote, or whose steps were other ones.

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::{Error, Result};
use rusqlite::{Connection, TransactionBehavior};

use super::db::failed;

/// Where it is written down which steps were run.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL)";

/// One migration.
pub(super) struct Step {
    name: &'static str,
    /// For both engines.
    pub(super) sql: &'static str,
    /// What PostgreSQL needs besides: keys of tables whose rowid is the key on SQLite, and room in pages.
    pub(super) postgres: &'static str,
}

macro_rules! step {
    ($name:literal, $postgres:literal) => {
        Step { name: $name, sql: include_str!(concat!("../../migrations/", $name, ".sql")), postgres: $postgres }
    };
}

/// Every migration, in order; its number is its place, from 1.
pub(super) const STEPS: &[Step] = &[
    step!(
        "0001_house",
        "ALTER TABLE challenges ADD PRIMARY KEY (head, tail); \
         ALTER TABLE challenges SET (fillfactor = 60); ALTER TABLE targets SET (fillfactor = 50); \
         ALTER TABLE meters SET (fillfactor = 20)"
    ),
    step!("0002_native", ""),
    step!("0003_webhooks", ""),
    step!("0004_sessions", ""),
    step!("0005_nodes", ""),
    step!("0006_relay", ""),
    step!("0007_signed", ""),
    step!("0008_mail_events", ""),
];

/// Brings the schema up to date.
pub(super) fn run(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    transaction.execute_batch(TABLE).map_err(failed)?;
    let done = done(&transaction).map_err(failed)?;
    for (number, step) in missing(&done)? {
        transaction.execute_batch(step.sql).map_err(failed)?;
        let values = rusqlite::params![number, step.mark()];
        transaction.execute("INSERT INTO migrations (number, name) VALUES (?1, ?2)", values).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// The steps that are still to be run, with their numbers. Refuses a database that has others.
pub(super) fn missing(done: &[String]) -> Result<impl Iterator<Item = (i64, &'static Step)>> {
    if done.len() > STEPS.len() {
        return Err(Error::internal(format!(
            "the database has schema {}, this binary knows {}: it was served by a newer version; use that one",
            done.len(),
            STEPS.len()
        )));
    }
    if let Some((was, is)) = done.iter().zip(STEPS).map(|(was, step)| (was, step.mark())).find(|(was, is)| *was != is) {
        return Err(Error::internal(format!(
            "the database was made by a build between two releases: its schema has the step {was}, this binary has {is}. \
             Name another --data, or begin anew"
        )));
    }
    Ok((1..).zip(STEPS).skip(done.len()))
}

/// The steps that were run, as [`Step::mark`] has them.
fn done(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut steps = connection.prepare("SELECT name FROM migrations ORDER BY number")?;
    steps.query_map([], |row| row.get(0))?.collect()
}

impl Step {
    /// Its name with the beginning of its text's digest: a step that was run is never edited, and this would show it.
    pub(super) fn mark(&self) -> String {
        let [a, b, c, d, ..] = fingerprint("migration", &[self.sql.as_bytes()]);
        format!("{} {a:02x}{b:02x}{c:02x}{d:02x}", self.name)
    }
}
