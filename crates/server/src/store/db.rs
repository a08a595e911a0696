//! The seam: [`Db`] and [`Tx`]. One Rust body serves every engine; the enum is closed, there is no trait and no `dyn`.
//! Refuses to acknowledge anything before it is durable, and to hold a transaction over anything that waits.

use std::path::Path;
use std::sync::Arc;

use doorcode_core::{Error, Result, Timestamp};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::about::About;
use super::lite::{Lite, Opening};
use super::pg::{self, Pg};
use super::sql::{Row, Sql, Value};
use super::statements::Statements;

/// The database, cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Engine>);

/// The engines.
enum Engine {
    Lite(Lite),
    Pg(Pg),
}

/// An open unit of work, or a read.
pub enum Tx<'a> {
    /// On SQLite: inside the transaction of the writer's group, or a read connection.
    Lite(Statements<'a>),
    /// On PostgreSQL: a transaction, its own or a group's, or a connection.
    Pg(pg::Statements<'a>),
}

impl Db {
    /// Opens (or makes) the database in `dir` and brings its schema up to date.
    pub fn open(dir: &Path) -> Result<Self> {
        Ok(Self(Arc::new(Engine::Lite(Lite::open(Opening::new(dir))?))))
    }

    /// Connects to PostgreSQL and brings its schema up to date.
    pub async fn connect(settings: &pg::Settings) -> Result<Self> {
        Ok(Self(Arc::new(Engine::Pg(Pg::open(settings).await?))))
    }

    /// The database of an installation: the one that is set, or the file in its data directory.
    pub async fn of(dir: &Path, settings: Option<&pg::Settings>) -> Result<Self> {
        match settings {
            Some(settings) => Self::connect(settings).await,
            None => Self::open(dir),
        }
    }

    /// Whether an installation has a database.
    pub fn is_there(dir: &Path, settings: Option<&pg::Settings>) -> bool {
        settings.is_some() || Opening::new(dir).exists()
    }

    /// One unit of work, atomic, and durable when it returns `Ok`. If it returns `Err`, nothing of it happened; only when a
    /// sync to disk has failed or the store stops in the middle may it be there after the next start.
    ///
    /// On SQLite many units share one commit and the future is polled once, so it must await nothing but `Tx`. A unit may be begun
    /// anew (one that lost a race on PostgreSQL, one whose neighbour failed on SQLite), so it must leave nothing outside of `Tx` that a
    /// second time would spoil.
    pub async fn write<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        match &*self.0 {
            Engine::Lite(lite) => lite.write(move |tx| at_once(unit(tx))).await,
            Engine::Pg(pg) => pg.write(unit).await,
        }
    }

    /// One unit of work that says what it is about, as [`Self::write`]. Where units are begun together, those of one line follow one
    /// another, and those for different addresses may share a transaction and its statements (docs/decisions/0016). So it must change no row
    /// that units for other addresses change as well, unless it says that it works alone: of two in one statement one would be passed
    /// over. Meters are counted elsewhere.
    pub async fn write_at<T, F>(&self, about: About, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        match &*self.0 {
            Engine::Lite(lite) => lite.write(move |tx| at_once(unit(tx))).await,
            Engine::Pg(pg) => pg.write_at(about, unit).await,
        }
    }

    /// One unit of work over whole tables, as [`Self::write`], which may take as long as it needs. Nobody else should be at work.
    pub async fn overhaul<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        match &*self.0 {
            Engine::Lite(lite) => lite.write(move |tx| at_once(unit(tx))).await,
            Engine::Pg(pg) => pg.overhaul(unit).await,
        }
    }

    /// Reads what is committed. Refuses to write.
    pub async fn read<T, F>(&self, look: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        match &*self.0 {
            Engine::Lite(lite) => lite.read(move |tx| at_once(look(tx))).await,
            Engine::Pg(pg) => pg.read(look).await,
        }
    }

    /// Whether this process is the only server of the database, so that every lease found at start is a dead one's.
    pub fn sole_owner(&self) -> bool {
        match &*self.0 {
            Engine::Lite(_) => true,
            Engine::Pg(_) => false,
        }
    }

    /// How much longer than on the embedded database an answer takes here: round trips, and a commit on another machine.
    pub fn slower(&self) -> u32 {
        match &*self.0 {
            Engine::Lite(_) => 1,
            Engine::Pg(_) => 5,
        }
    }

    /// What time it is for all servers of the database, where there can be several: its own.
    pub async fn time(&self) -> Result<Option<Timestamp>> {
        match &*self.0 {
            Engine::Lite(_) => Ok(None),
            Engine::Pg(pg) => pg.time().await.map(Some),
        }
    }

    /// Units that were run or refused since start, as a sign of life: where it stands still, there is nothing new to mark.
    pub fn units(&self) -> u64 {
        match &*self.0 {
            Engine::Lite(lite) => lite.units(),
            Engine::Pg(pg) => pg.units(),
        }
    }

    /// Writes a consistent copy of the database to `file`, which must not exist, while others write.
    pub async fn copy_to(&self, file: &Path) -> Result<()> {
        match &*self.0 {
            Engine::Lite(lite) => lite.copy_to(file).await,
            Engine::Pg(_) => Err(Error::Conflict("the database is PostgreSQL's: copy it with pg_dump")),
        }
    }

    /// Tells the other servers on this database that there may be news of something, after the commit that made it.
    pub fn tell(&self, name: [u8; 16]) {
        match &*self.0 {
            Engine::Lite(_) => {}
            Engine::Pg(pg) => pg.tell(name),
        }
    }

    /// Has `told` called whenever another server, or this one, tells of something; with nothing, when some of it may have been missed.
    pub fn hear(&self, told: impl Fn(Option<[u8; 16]>) + Send + Sync + 'static) {
        match &*self.0 {
            Engine::Lite(_) => {}
            Engine::Pg(pg) => pg.hear(Box::new(told)),
        }
    }

    /// Commits what waits, folds the log into the file and lets go of it.
    pub async fn close(&self) {
        match &*self.0 {
            Engine::Lite(lite) => lite.close().await,
            Engine::Pg(pg) => pg.close(),
        }
    }
}

/// SQLite never waits: the future is ready at the first poll, or the unit awaited something that it must not.
fn at_once<T>(future: BoxFuture<'_, Result<T>>) -> Result<T> {
    future
        .now_or_never()
        .unwrap_or_else(|| Err(Error::internal("a unit of work waited for something outside the store")))
}

impl Tx<'_> {
    /// Runs a statement and says how many rows it changed.
    pub(super) async fn execute(&mut self, sql: &'static Sql, values: &[Value<'_>]) -> Result<usize> {
        match self {
            Self::Lite(statements) => {
                statements.with(sql, |it| it.execute(rusqlite::params_from_iter(values)).map_err(failed))
            }
            Self::Pg(statements) => statements.execute(sql, values).await,
        }
    }

    /// Runs a statement for each of several lists of values, and says how many rows it changed for each.
    pub(super) async fn execute_each(&mut self, sql: &'static Sql, all: &[Vec<Value<'_>>]) -> Result<Vec<usize>> {
        match self {
            Self::Lite(statements) => {
                let mut one = |values: &Vec<Value<'_>>| {
                    statements.with(sql, |it| it.execute(rusqlite::params_from_iter(values)).map_err(failed))
                };
                all.iter().map(&mut one).collect()
            }
            Self::Pg(statements) => statements.execute_each(sql, all).await,
        }
    }

    /// The first row that a statement gives, if any.
    pub(super) async fn one<T>(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T> + Send,
    ) -> Result<Option<T>> {
        match self {
            Self::Lite(statements) => statements.with(sql, |it| {
                let mut rows = it.query(rusqlite::params_from_iter(values)).map_err(failed)?;
                let found = match rows.next().map_err(failed)? {
                    Some(row) => Some(read(&Row::Lite(row))?),
                    None => return Ok(None),
                };
                // A statement that changes rows has done so only when it has been stepped to its end.
                while rows.next().map_err(failed)?.is_some() {}
                Ok(found)
            }),
            Self::Pg(statements) => {
                let rows = statements.rows(sql, values).await?;
                rows.first().map(|row| read(&Row::Pg(row))).transpose()
            }
        }
    }

    /// Every row that a statement gives.
    pub(super) async fn all<T>(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T> + Send,
    ) -> Result<Vec<T>> {
        match self {
            Self::Lite(statements) => statements.with(sql, |it| {
                let mut rows = it.query(rusqlite::params_from_iter(values)).map_err(failed)?;
                let mut found = Vec::new();
                while let Some(row) = rows.next().map_err(failed)? {
                    found.push(read(&Row::Lite(row))?);
                }
                Ok(found)
            }),
            Self::Pg(statements) => {
                let rows = statements.rows(sql, values).await?;
                rows.iter().map(|row| read(&Row::Pg(row))).collect()
            }
        }
    }

    /// Prepares a statement without running it.
    pub(super) async fn prepare(&mut self, sql: &'static Sql) -> Result<()> {
        match self {
            Self::Lite(statements) => statements.connection().prepare(sql.lite()).map(drop).map_err(failed),
            Self::Pg(statements) => statements.prepare(sql).await,
        }
    }
}

/// What went wrong in the engine, as the house says it: worth another try, or a defect.
pub(super) fn failed(error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode::{
        CannotOpen, ConstraintViolation, DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure,
    };
    match error.sqlite_error_code() {
        Some(ConstraintViolation) => Error::Conflict("it is there already"),
        // No descriptor is left, say.
        Some(CannotOpen | DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure) => Error::unavailable(error),
        _ => Error::internal(error),
    }
}
