//! SQLite: one write connection, owned by the thread of [`super::writer`], and a few that only read.

use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use doorcode_core::{Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use super::db::{Tx, failed};
use super::fold::Folder;
use super::statements::Statements;
use super::sync::{Broken, Syncer};
use super::writer::{Message, Unit, Writer};
use super::{backup, cache, migrate};

/// How many units may wait before a caller waits to hand one in.
const QUEUE: usize = 8192;
/// How long another process (the command line beside a server) may hold the write lock.
const BUSY: Duration = Duration::from_secs(5);
/// Read connections that are kept open.
const READERS: usize = 8;
/// Pages of the log at which the writer folds it by itself, should [`super::fold`] be held up by a long read: 128 MiB.
const CHECKPOINT_PAGES: u32 = 65_536;
/// Small pages: what a commit costs is pages written, and a row of ours is an eighth of one of these, or less.
const PAGE: u32 = 2048;

/// How a database file is opened.
pub(super) struct Opening {
    file: PathBuf,
}

impl Opening {
    /// The database of a data directory.
    pub(super) fn new(dir: &Path) -> Self {
        Self { file: dir.join("doorcode.db") }
    }

    /// Whether the file is there.
    pub(super) fn exists(&self) -> bool {
        self.file.exists()
    }

    /// Makes an empty file if there is none, for its owner alone: it holds addresses. SQLite gives its log the same
    /// permissions. Never opened like this once a connection is there: closing any descriptor of a file ends all locks
    /// that the process has on it, and another process would take the log for nobody's and remove it.
    fn make(&self) -> Result<()> {
        match std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&self.file) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(Error::unavailable(error)),
            _ => Ok(()),
        }
    }

    /// A descriptor of the file, to sync what was folded into it. Opened before the first connection of this process and closed
    /// after the last one ([`Self::make`] says why): a database is opened once in a process.
    fn synced(&self) -> Result<std::fs::File> {
        std::fs::File::open(&self.file).map_err(Error::unavailable)
    }

    /// A connection that folds the log, and leaves it alone when it closes.
    fn folder(&self) -> Result<Connection> {
        let connection = Connection::open(&self.file).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
        Ok(connection)
    }

    fn writer(&self) -> Result<Connection> {
        let connection = Connection::open(&self.file).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        connection
            .execute_batch(&format!(
                "PRAGMA page_size = {PAGE}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA temp_store = MEMORY;"
            ))
            .map_err(failed)?;
        Ok(connection)
    }

    /// Makes every commit so far durable: syncs the log, which is there once something was committed. A descriptor of
    /// our own, since SQLite does not lend its; it may be closed at any time, because SQLite keeps no lock on this file.
    fn sync(&self) -> impl FnMut() -> std::io::Result<()> + use<> {
        let mut log = self.file.clone().into_os_string();
        log.push("-wal");
        let dir = self.file.parent().map(Path::to_owned).unwrap_or_default();
        let mut open: Option<std::fs::File> = None;
        move || {
            let file = match &open {
                Some(file) => file,
                None => {
                    // The log was made when this process opened the database: its name has to last as well.
                    std::fs::File::open(&dir)?.sync_all()?;
                    open.insert(std::fs::File::open(&log)?)
                }
            };
            // A log that somebody removed is nobody's any more: what is in it would be lost with this process.
            if file.metadata()?.nlink() == 0 {
                return Err(std::io::Error::other("the log was removed while the server was writing it"));
            }
            file.sync_data()
        }
    }

    pub(super) fn reader(&self) -> Result<Connection> {
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

struct Work<T, F> {
    body: F,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Unit for Work<T, F>
where
    T: Send,
    F: FnOnce(&mut Tx<'_>) -> Result<T> + Clone + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        self.outcome = None;
        // Whoever asked was told that nothing happened, or has hung up: so nothing happens.
        if self.reply.is_closed() {
            return false;
        }
        let body = self.body.clone();
        let outcome = catch_unwind(AssertUnwindSafe(|| body(tx)))
            .unwrap_or_else(|_| Err(Error::internal("a unit of work panicked")));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, lost: Option<&str>) {
        let outcome = match (self.outcome, lost) {
            (Some(outcome), None) => outcome,
            // A refusal as little as anything else: what it was refused for may be what another unit wrote, and that is lost as well.
            (_, why) => Err(Error::unavailable(why.unwrap_or("the writer stopped").to_owned())),
        };
        // Nobody may be waiting any more: a client that hung up.
        drop(self.reply.send(outcome));
    }
}

impl Lite {
    pub(super) fn open(opening: Opening) -> Result<Self> {
        opening.make()?;
        let file = opening.synced()?;
        let mut connection = opening.writer()?;
        migrate::run(&mut connection)?;
        // What a crash left in the log goes into the file, and a new log begins. The disk may once have refused a part of the old
        // one, and what came behind that would be lost however often it is synced.
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).map_err(failed)?;
        cache::fit(&connection).map_err(failed)?;
        // From here on commits are made durable by `super::sync`, and by nothing else.
        connection.execute_batch("PRAGMA synchronous = NORMAL").map_err(failed)?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let units = Arc::new(AtomicU64::new(0));
        let broken = Broken::default();
        let folder = Folder::start((opening.folder()?, file), Arc::clone(&units), queue.downgrade(), broken.clone())?;
        let runtime = tokio::runtime::Handle::try_current().ok();
        let syncer = Syncer::start(runtime, broken.clone(), opening.sync())?;
        let writer = Writer::new(waiting, Arc::clone(&units), (syncer, folder), broken);
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || writer.serve(connection))
            .map_err(Error::internal)?;
        Ok(Self { opening, queue, readers: Mutex::new(Vec::new()), units })
    }

    pub(super) async fn write<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Clone + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let unit = Box::new(Work { body, outcome: None, reply });
        self.queue.send(Message::Unit(unit)).await.map_err(|_| Error::unavailable("the store is closed"))?;
        answer.await.map_err(|_| Error::unavailable("the store closed before it answered"))?
    }

    /// Reads run where they are asked for: a look-up takes microseconds, less than handing it to another thread.
    pub(super) async fn read<T>(&self, body: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = kept.map_or_else(|| self.opening.reader(), Ok)?;
        let outcome = body(&mut Tx::Lite(Statements::kept(&connection)));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn told(outcome: Result<u8>, lost: Option<&str>) -> Result<u8> {
        let (reply, mut answer) = oneshot::channel();
        let body = |_: &mut Tx<'_>| Ok(0);
        Box::new(Work { body, outcome: Some(outcome), reply }).answer(lost);
        answer.try_recv().unwrap()
    }

    #[test]
    fn nothing_is_said_of_a_transaction_that_was_lost_but_that() {
        assert_eq!(told(Ok(7), None).unwrap(), 7);
        assert!(matches!(told(Err(Error::NotFound), None), Err(Error::NotFound)));
        assert!(matches!(told(Ok(7), Some("the disk is full")), Err(Error::Unavailable(_))));
        // It may have found what it was refused for in the work of a neighbour, which did not happen either.
        assert!(matches!(
            told(Err(Error::Conflict("there is one")), Some("the disk is full")),
            Err(Error::Unavailable(_))
        ));
    }
}
