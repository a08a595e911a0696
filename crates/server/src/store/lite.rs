//! SQLite, with group commit: one thread owns the write connection, takes every unit of work that waits, runs each in a
//! savepoint of one transaction, commits, and only then answers. So a sync to disk is shared by all who waited for it,
//! and nothing is acknowledged that a crash could take back. Refuses to tell two units apart by luck: one that fails is
//! rolled back alone, and when the transaction itself is lost, everybody in it hears so.

use std::os::unix::fs::OpenOptionsExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use doorcode_core::{Error, Result};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use super::db::failed;
use super::{backup, migrate};

/// The most units of one commit. More would make the first of them wait for the last.
const GROUP: usize = 1024;
/// How many units may wait before a caller waits to hand one in.
const QUEUE: usize = 8192;
/// How long another process (the command line beside a server) may hold the write lock.
const BUSY: Duration = Duration::from_secs(5);
/// Read connections that are kept open.
const READERS: usize = 8;
/// Pages of the log before it is folded into the file: 32 MiB, rewritten in place and never truncated meanwhile, since
/// overwriting a file is a fraction of the cost of growing one.
const CHECKPOINT_PAGES: u32 = 8192;
/// Small pages: what a commit costs is pages written, and a row of ours is a tenth of one of these.
const PAGE: u32 = 4096;

/// How a database file is opened.
pub(super) struct Opening {
    file: PathBuf,
}

impl Opening {
    /// The database of a data directory.
    pub(super) fn new(dir: &Path) -> Self {
        Self { file: dir.join("doorcode.db") }
    }

    fn writer(&self) -> Result<Connection> {
        // It holds addresses: its owner alone reads it. SQLite gives its log the same permissions.
        let mut open = std::fs::OpenOptions::new();
        open.create(true).truncate(false).write(true).mode(0o600).open(&self.file).map_err(Error::unavailable)?;
        let connection = Connection::open(&self.file).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        connection
            .execute_batch(&format!(
                "PRAGMA page_size = {PAGE}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA cache_size = -24576; PRAGMA temp_store = MEMORY;"
            ))
            .map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(128);
        Ok(connection)
    }

    fn reader(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }
}

/// The embedded engine.
pub(super) struct Lite {
    opening: Opening,
    queue: mpsc::Sender<Message>,
    readers: Mutex<Vec<Connection>>,
    units: Arc<AtomicU64>,
}

enum Message {
    Unit(Box<dyn Unit>),
    Close(oneshot::Sender<()>),
}

/// A unit of work with its types forgotten, so that units of every kind stand in one queue.
trait Unit: Send {
    /// Does the work. False: nothing of it may stay.
    fn run(&mut self, connection: &mut Connection) -> bool;
    /// Answers who waits: with what the work gave, or, if its transaction was lost, with that.
    fn answer(self: Box<Self>, lost: Option<&str>);
}

struct Work<T, F> {
    body: Option<F>,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Unit for Work<T, F>
where
    T: Send,
    F: FnOnce(&mut Connection) -> Result<T> + Send,
{
    fn run(&mut self, connection: &mut Connection) -> bool {
        let Some(body) = self.body.take() else { return false };
        let outcome = catch_unwind(AssertUnwindSafe(|| body(connection)))
            .unwrap_or_else(|_| Err(Error::internal("a unit of work panicked")));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, lost: Option<&str>) {
        let outcome = match (self.outcome, lost) {
            // A refusal stands, whatever became of the others.
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), None) => Ok(value),
            (_, why) => Err(Error::unavailable(why.unwrap_or("the writer stopped").to_owned())),
        };
        // Nobody may be waiting any more: a client that hung up.
        drop(self.reply.send(outcome));
    }
}

impl Lite {
    pub(super) fn open(opening: Opening) -> Result<Self> {
        let mut connection = opening.writer()?;
        migrate::run(&mut connection)?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let units = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&units);
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || Writer { connection, units: counted }.serve(waiting))
            .map_err(Error::internal)?;
        Ok(Self { opening, queue, readers: Mutex::new(Vec::new()), units })
    }

    pub(super) async fn write<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let unit = Box::new(Work { body: Some(body), outcome: None, reply });
        self.queue.send(Message::Unit(unit)).await.map_err(|_| Error::unavailable("the store is closed"))?;
        answer.await.map_err(|_| Error::unavailable("the store closed before it answered"))?
    }

    /// Reads run where they are asked for: a look-up takes microseconds, less than handing it to another thread.
    pub(super) async fn read<T>(&self, body: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = kept.map_or_else(|| self.opening.reader(), Ok)?;
        let outcome = body(&mut connection);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS {
            readers.push(connection);
        }
        outcome
    }

    pub(super) fn units(&self) -> u64 {
        self.units.load(Ordering::Relaxed)
    }

    pub(super) async fn copy_to(&self, file: &Path) -> Result<()> {
        let (source, file) = (self.opening.file.clone(), file.to_owned());
        tokio::task::spawn_blocking(move || backup::copy(&source, &file)).await.map_err(Error::internal)?
    }

    pub(super) async fn close(&self) {
        // Readers first: the last connection removes the log, and a reader can't.
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let (done, closed) = oneshot::channel();
        if self.queue.send(Message::Close(done)).await.is_ok() {
            drop(closed.await);
        }
    }
}

struct Writer {
    connection: Connection,
    units: Arc<AtomicU64>,
}

impl Writer {
    fn serve(mut self, mut waiting: mpsc::Receiver<Message>) {
        let mut taken = Vec::with_capacity(GROUP);
        while waiting.blocking_recv_many(&mut taken, GROUP) > 0 {
            let mut units = Vec::with_capacity(taken.len());
            let mut closing = None;
            for message in taken.drain(..) {
                match message {
                    Message::Unit(unit) => units.push(unit),
                    Message::Close(done) => closing = Some(done),
                }
            }
            self.units.fetch_add(units.len() as u64, Ordering::Relaxed);
            while !units.is_empty() {
                units = self.group(units);
            }
            if let Some(done) = closing {
                waiting.close();
                // If this fails, the log stays and the next start reads it.
                drop(self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"));
                drop(self.connection);
                let _nobody_waits = done.send(());
                return;
            }
        }
    }

    /// Runs units in one transaction and answers them; gives back those that the transaction was lost before.
    fn group(&mut self, units: Vec<Box<dyn Unit>>) -> Vec<Box<dyn Unit>> {
        if let Err(error) = self.connection.execute_batch("BEGIN IMMEDIATE") {
            answer_all(units, Some(&error.to_string()));
            return Vec::new();
        }
        let mut units = units.into_iter();
        let mut done = Vec::with_capacity(units.len());
        for mut unit in units.by_ref() {
            let outcome = self.savepoint(&mut unit);
            done.push(unit);
            // Disk full, I/O error: SQLite rolls the whole transaction back by itself.
            if let Err(lost) = outcome {
                drop(self.connection.execute_batch("ROLLBACK"));
                answer_all(done, Some(&lost));
                return units.collect();
            }
        }
        let lost = self.connection.execute_batch("COMMIT").err().map(|error| {
            drop(self.connection.execute_batch("ROLLBACK"));
            error.to_string()
        });
        answer_all(done, lost.as_deref());
        Vec::new()
    }

    /// One unit in a savepoint of its own. `Err`: the transaction around it is gone or can't be trusted.
    fn savepoint(&mut self, unit: &mut Box<dyn Unit>) -> Result<(), String> {
        self.step("SAVEPOINT unit")?;
        let keep = unit.run(&mut self.connection);
        if self.connection.is_autocommit() {
            return Err("the database lost the transaction".to_owned());
        }
        if !keep {
            self.step("ROLLBACK TO unit")?;
        }
        self.step("RELEASE unit")
    }

    fn step(&self, sql: &str) -> Result<(), String> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| error.to_string())?;
        statement.execute([]).map(drop).map_err(|error| error.to_string())
    }
}

fn answer_all(units: Vec<Box<dyn Unit>>, lost: Option<&str>) {
    for unit in units {
        unit.answer(lost);
    }
}
