//! Folds SQLite's log into the file while the writer goes on. Left to the writer, a fold is tens of milliseconds in which
//! nobody is answered; here a thread of its own copies nearly all of it, and the writer only the rest, after which the log
//! begins again at its front. Refuses to be needed: if it is held up, the writer folds by itself, later and longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use doorcode_core::{Error, Result};
use rusqlite::Connection;
use tokio::sync::mpsc::WeakSender;

use super::sync::Broken;
use super::writer::Message;

/// Pages in the log from which on it is folded: 64 MiB. The log is written over from its front and never cut, since
/// overwriting a file is a fraction of the cost of growing one.
const PAGES: i64 = 32768;
/// How often the log is looked at, if anything was written.
const LOOK: Duration = Duration::from_millis(20);

/// How long after a fold, whatever came of it, the next may begin: while a long read holds the log, another gains nothing.
const REST: Duration = Duration::from_millis(250);

/// The thread, for its owner to end.
pub(super) struct Folder {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Folder {
    /// Starts the thread on a connection of its own. `units` says whether anything was written, `writer` is told to fold
    /// the rest.
    pub(super) fn start(
        connection: Connection,
        units: Arc<AtomicU64>,
        writer: WeakSender<Message>,
        broken: Broken,
    ) -> Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new().name("fold".to_owned()).spawn(move || {
            let (mut seen, mut pause) = (0, LOOK);
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let now = units.load(Ordering::Relaxed);
                if now == seen {
                    continue;
                }
                seen = now;
                if broken.why().is_some() {
                    return;
                }
                let folded = fold(&connection, &writer);
                pause = if matches!(folded, Ok(false)) { LOOK } else { REST };
                if let Err(error) = folded {
                    broken.not_folded(&error);
                }
            }
        });
        Ok(Self { stop, thread: thread.map_err(Error::internal)? })
    }

    /// Ends the thread and closes its connection.
    pub(super) fn stop(self) {
        drop(self.stop);
        // A panic in it is in the log, and nothing else needs it.
        drop(self.thread.join());
    }
}

/// Folds the log if it is long enough; says whether it was.
fn fold(connection: &Connection, writer: &WeakSender<Message>) -> rusqlite::Result<bool> {
    if pages(connection, "PRAGMA wal_checkpoint(NOOP)")? < PAGES {
        return Ok(false);
    }
    // The second time has only what was written during the first, and leaves the writer next to nothing.
    pages(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
    pages(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
    if let Some(writer) = writer.upgrade() {
        // If its queue is full, the next look tries again.
        drop(writer.try_send(Message::Fold));
    }
    Ok(true)
}

/// Pages in the log, those folded before included.
fn pages(connection: &Connection, sql: &str) -> rusqlite::Result<i64> {
    connection.query_row(sql, [], |row| row.get(1))
}
