//! Statements of one SQLite connection, ready to run. The writer's are prepared once and held, found by their number; a
//! reader comes and goes, so its are kept in the connection's own cache. Refuses to be used on another thread than it was made on:
//! a unit's future has to be [`Send`] for the engines that wait, and here it is polled once, where it was made.

use doorcode_core::Result;
use rusqlite::{Connection, PrepFlags, Statement};
use send_wrapper::SendWrapper;

use super::db::failed;
use super::sql::Sql;

/// A connection and its statements.
pub struct Statements<'c>(SendWrapper<Inner<'c>>);

struct Inner<'c> {
    connection: &'c Connection,
    /// By [`Sql::number`]; none on a connection that keeps them itself.
    held: Option<Vec<Option<Statement<'c>>>>,
}

impl<'c> Statements<'c> {
    /// Held for as long as this lives: finding one again costs nothing.
    pub(super) fn held(connection: &'c Connection) -> Self {
        Self(SendWrapper::new(Inner { connection, held: Some(Vec::new()) }))
    }

    /// Kept by the connection, for the next who reads with it.
    pub(super) fn kept(connection: &'c Connection) -> Self {
        Self(SendWrapper::new(Inner { connection, held: None }))
    }

    /// The connection.
    pub fn connection(&self) -> &'c Connection {
        self.0.connection
    }

    /// Uses a statement, prepared before or now.
    pub(super) fn with<T>(
        &mut self,
        sql: &'static Sql,
        run: impl FnOnce(&mut Statement<'_>) -> Result<T>,
    ) -> Result<T> {
        let Inner { connection, held } = &mut *self.0;
        let Some(held) = held else {
            return run(&mut *connection.prepare_cached(sql.lite()).map_err(failed)?);
        };
        let number = sql.number();
        if held.len() <= number {
            held.resize_with(number + 1, || None);
        }
        match &mut held[number] {
            Some(statement) => run(statement),
            // Told that it is kept, SQLite takes its memory from the heap and leaves the connection's small blocks to what
            // comes and goes.
            none => run(none.insert(
                connection.prepare_with_flags(sql.lite(), PrepFlags::SQLITE_PREPARE_PERSISTENT).map_err(failed)?,
            )),
        }
    }
}
