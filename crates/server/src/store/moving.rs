//! A database moves from SQLite to PostgreSQL: every table, in order of its key, in batches that are each committed with a note of how
//! far they go. Whatever stops it, it goes on from there. Refuses to copy from a database that somebody writes, into one that
//! somebody else uses, and to let either be served before it is done.

use std::path::Path;

use doorcode_core::{Error, Result};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::db::{Db, failed};
use super::lite::Opening;
use super::meta::{self, Fact};
use super::pg::{Settings, Target};
use super::sql::Owned;

/// Rows of one commit.
const BATCH: usize = 5000;

/// Every table, and which of its rows move: not those about the engine itself.
const TABLES: &[(&str, &str)] = &[
    ("master_keys", "true"),
    ("orgs", "true"),
    ("users", "true"),
    ("identities", "true"),
    ("invites", "true"),
    ("credentials", "true"),
    ("redirects", "true"),
    ("sessions", "true"),
    ("redirect_codes", "true"),
    ("targets", "true"),
    ("challenges", "true"),
    ("deliveries", "true"),
    ("meters", "true"),
    ("idempotency", "true"),
    ("events", "true"),
    ("webhooks", "true"),
    ("webhook_messages", "true"),
    ("agents", "true"),
    ("devices", "true"),
    ("device_links", "true"),
    ("relays", "true"),
    ("relay_messages", "true"),
    ("relay_owners", "true"),
    ("push_subscriptions", "true"),
    ("audit", "true"),
    ("hooks", "true"),
    ("inbound_addresses", "true"),
    ("mailboxes", "true"),
    ("activities", "true"),
    ("spent_tokens", "true"),
    ("mail_events", "true"),
    ("nodes", "false"),
    ("meta", "name NOT IN ('moved', 'moving', 'sweeper')"),
];

/// How far the move of a table has come.
pub struct Progress {
    /// Which.
    pub table: &'static str,
    /// Rows that are there.
    pub done: u64,
    /// Rows that it has.
    pub of: u64,
}

/// Moves what is in a data directory. Nobody may serve it: the caller holds its lock. `token` names this move, should it be a new one.
/// Gives the number of rows of each table, counted on both sides.
pub async fn run(
    from: &Path,
    to: &Settings,
    token: &str,
    mut told: impl FnMut(&Progress),
) -> Result<Vec<(&'static str, u64)>> {
    let mut target = Target::open(to).await?;
    let (place, token) = begin(from, &mut target, to, token).await?;
    let source = Opening::new(from).reader()?;
    for (number, (table, only)) in TABLES.iter().enumerate().skip(place.table) {
        let mut done = if number == place.table { place.rows } else { 0 };
        let mut progress = Progress { table, done, of: count(&source, table, only)? };
        told(&progress);
        let (columns, key) = shape(&source, table)?;
        let list = columns.join(", ");
        let sql = format!("SELECT {list} FROM {table} WHERE {only} ORDER BY {} LIMIT -1 OFFSET ?1", key.join(", "));
        let mut statement = source.prepare(&sql).map_err(failed)?;
        let mut rows = statement.query([i64::try_from(done).unwrap_or(i64::MAX)]).map_err(failed)?;
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            while batch.len() < BATCH
                && let Some(row) = rows.next().map_err(failed)?
            {
                let values = (0..columns.len()).map(|at| owned(row.get_ref(at).map_err(failed)?));
                batch.push(values.collect::<Result<Vec<_>>>()?);
            }
            if batch.is_empty() {
                break;
            }
            done += batch.len() as u64;
            target.put(table, &columns, &batch, &Place { table: number, rows: done }.note(&token)).await?;
            progress.done = done;
            told(&progress);
        }
        target.put(table, &columns, &[], &Place { table: number + 1, rows: 0 }.note(&token)).await?;
    }
    let mut counted = Vec::new();
    for (table, only) in TABLES {
        let (here, there) = (count(&source, table, only)?, target.count(table, only).await?);
        if here != there {
            return Err(Error::internal(format!("{table} has {here} rows here and {there} there")));
        }
        counted.push((*table, here));
    }
    target.finish().await?;
    Ok(counted)
}

/// Takes a move back that is not finished: the data directory may be served again, and the other database never was.
pub async fn give_up(from: &Path, to: &Settings) -> Result<()> {
    let mut target = Target::open(to).await?;
    let note = target.note().await?;
    let db = Db::open(from)?;
    let taken_back = async {
        let mark = db.read(|tx| Box::pin(meta::get(tx, Fact::Moved))).await?;
        let begun = mark.as_deref().and_then(|mark| mark.split(' ').next());
        // Only the database that it moves to can say that it is not finished.
        if begun.is_none() || note.as_deref().and_then(Place::read).map(|(noted, _)| noted) != begun {
            return Err(Error::Conflict(
                "there is no unfinished move from this data directory to that database: if it is finished, what happened since is \
                 in that database alone",
            ));
        }
        db.write(|tx| Box::pin(meta::remove(tx, Fact::Moved))).await
    };
    let outcome = taken_back.await;
    db.close().await;
    outcome
}

/// Refuses a database that has moved, or that is not all here yet.
pub async fn refuse(db: &Db) -> Result<()> {
    let (moved, moving) = db
        .read(|tx| Box::pin(async move { Ok((meta::get(tx, Fact::Moved).await?, meta::get(tx, Fact::Moving).await?)) }))
        .await?;
    match (moved, moving) {
        (Some(_), _) => Err(Error::Conflict(
            "what is in this data directory moves, or has moved, to PostgreSQL: set database.url, or take the move back with \
             `doorcode migrate-store --give-up`",
        )),
        (_, Some(_)) => Err(Error::Conflict(
            "not everything has moved into this database yet: run `doorcode migrate-store` again, and it goes on where it stopped",
        )),
        (None, None) => Ok(()),
    }
}

/// How far it has come: so many tables are done, and so many rows of the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    table: usize,
    rows: u64,
}

impl Place {
    /// What is written down with each batch.
    fn note(self, token: &str) -> String {
        format!("{token} {} {}", self.table, self.rows)
    }

    fn read(note: &str) -> Option<(&str, Self)> {
        let mut words = note.split(' ');
        let (token, table, rows) = (words.next()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some((token, Self { table, rows }))
    }
}

/// Marks both sides, the other one first, or finds the marks of a move that was stopped.
async fn begin(from: &Path, target: &mut Target, to: &Settings, token: &str) -> Result<(Place, String)> {
    let db = Db::open(from)?;
    let begun = mark(&db, target, to, token).await;
    db.close().await;
    begun
}

async fn mark(db: &Db, target: &mut Target, to: &Settings, token: &str) -> Result<(Place, String)> {
    let mark = db.read(|tx| Box::pin(meta::get(tx, Fact::Moved))).await?;
    if let Some(begun) = mark.as_deref().and_then(|mark| mark.split(' ').next()) {
        return match target.note().await?.as_deref().and_then(Place::read) {
            Some((noted, place)) if noted == begun => Ok((place, begun.to_owned())),
            _ => Err(Error::Conflict(
                "what is in this data directory has moved already, or is on its way to another database than that one",
            )),
        };
    }
    if !target.is_empty(tables()).await? {
        return Err(Error::Conflict("the database to move to is in use: name an empty one"));
    }
    let place = Place { table: 0, rows: 0 };
    target.put("meta", &[], &[], &place.note(token)).await?;
    let mark = format!("{token} {}", to.shown());
    db.write(move |tx| Box::pin(async move { meta::put(tx, Fact::Moved, &mark).await })).await?;
    Ok((place, token.to_owned()))
}

fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(table, _)| *table)
}

fn count(source: &Connection, table: &str, only: &str) -> Result<u64> {
    let sql = format!("SELECT count(*) FROM {table} WHERE {only}");
    source.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs).map_err(failed)
}

/// The columns of a table, and those of its key in their order.
fn shape(source: &Connection, table: &str) -> Result<(Vec<String>, Vec<String>)> {
    let mut statement = source.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid").map_err(failed)?;
    let found =
        statement.query_map([table], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).map_err(failed)?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>().map_err(failed)?;
    let mut key: Vec<_> = found.iter().filter(|(_, place)| *place > 0).collect();
    key.sort_by_key(|(_, place)| *place);
    let key = key.into_iter().map(|(name, _)| name.clone()).collect();
    Ok((found.into_iter().map(|(name, _)| name).collect(), key))
}

fn owned(value: ValueRef<'_>) -> Result<Owned> {
    match value {
        ValueRef::Null => Ok(Owned::Null),
        ValueRef::Integer(n) => Ok(Owned::Int(n)),
        ValueRef::Text(text) => str::from_utf8(text).map(|text| Owned::Text(text.into())).map_err(Error::internal),
        ValueRef::Blob(bytes) => Ok(Owned::Bytes(bytes.into())),
        ValueRef::Real(_) => Err(Error::internal("a column holds a fraction")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrate;

    #[test]
    fn every_table_moves() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate::run(&mut connection).unwrap();
        let mut there =
            connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").unwrap();
        let there = there.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let there: Vec<String> = there.map(Result::unwrap).filter(|name| name != "migrations").collect();
        let mut listed: Vec<&str> = TABLES.iter().map(|(table, _)| *table).collect();
        listed.sort_unstable();
        assert_eq!(there, listed);
        for (table, _) in TABLES {
            let (columns, key) = shape(&connection, table).unwrap();
            assert!(!columns.is_empty() && !key.is_empty(), "{table}: its rows have an order");
        }
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let place = Place { table: 7, rows: 65_000 };
        assert_eq!(Place::read(&place.note("a1b2")), Some(("a1b2", place)));
        assert_eq!(Place::read("nonsense"), None);
    }
}
