//! The far end of a move from SQLite: rows are put in batches, each committed with a note of how far they go.

use doorcode_core::{Error, Result};
use futures_util::future::join;

use super::connection::Connection;
use super::errors::{busy, failed};
use super::{Settings, durable, migrate, pool, shared};
use crate::store::sql::Owned;

const NOTE: &str = "SELECT value FROM meta WHERE name = 'moving'";
const WRITE_NOTE: &str = "INSERT INTO meta (name, value) VALUES ('moving', $1) \
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// A database that is moved into.
pub(in crate::store) struct Target(Connection);

impl Target {
    /// Connects, and brings the schema up to date.
    pub(in crate::store) async fn open(settings: &Settings) -> Result<Self> {
        let pool = pool(settings, 1, Some(durable()))?;
        let mut connection = Connection::new(pool.get().await.map_err(busy)?);
        let client = connection.client()?;
        migrate::run(client).await?;
        // A count of a large table takes as long as it takes.
        client.batch_execute("SET statement_timeout = 0").await.map_err(failed)?;
        Ok(Self(connection))
    }

    /// What the last batch noted.
    pub(in crate::store) async fn note(&mut self) -> Result<Option<String>> {
        let row = self.0.client()?.query_opt(NOTE, &[]).await.map_err(failed)?;
        row.map(|row| row.try_get(0)).transpose().map_err(failed)
    }

    /// Whether nothing is in any of these tables but a note.
    pub(in crate::store) async fn is_empty(&mut self, tables: impl Iterator<Item = &str>) -> Result<bool> {
        for table in tables {
            let only = if table == "meta" { "name <> 'moving'" } else { "true" };
            let sql = format!("SELECT 1 FROM {table} WHERE {only} LIMIT 1");
            if self.0.client()?.query_opt(&sql, &[]).await.map_err(failed)?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts rows into a table and writes down how far that is, both or neither.
    pub(in crate::store) async fn put(
        &mut self,
        table: &str,
        columns: &[String],
        rows: &[Vec<Owned>],
        note: &str,
    ) -> Result<()> {
        let client = &*self.0.client()?;
        client.batch_execute("BEGIN").await.map_err(failed)?;
        if !rows.is_empty() {
            let places = (1..=columns.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
            let insert = format!("INSERT INTO {table} ({}) VALUES ({places})", columns.join(", "));
            let put = shared::insert(client, &insert, rows).await.map_err(failed)?;
            if put != rows.len() as u64 {
                return Err(Error::internal(format!("{put} of {} rows were put into {table}", rows.len())));
            }
        }
        // Prepared before: else `COMMIT` would go out in front of it.
        let write = client.prepare_cached(WRITE_NOTE).await.map_err(failed)?;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&note];
        let (noted, committed) = join(client.execute(&write, &values), client.batch_execute("COMMIT")).await;
        noted.map(drop).and(committed).map_err(failed)
    }

    /// How many rows a table has.
    pub(in crate::store) async fn count(&mut self, table: &str, only: &str) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {table} WHERE {only}");
        let row = self.0.client()?.query_one(&sql, &[]).await.map_err(failed)?;
        row.try_get::<_, i64>(0).map(i64::unsigned_abs).map_err(failed)
    }

    /// All is here: it may be served.
    pub(in crate::store) async fn finish(&mut self) -> Result<()> {
        let client = self.0.client()?;
        client.batch_execute("ANALYZE").await.map_err(failed)?;
        client.execute("DELETE FROM meta WHERE name = 'moving'", &[]).await.map(drop).map_err(failed)
    }
}
