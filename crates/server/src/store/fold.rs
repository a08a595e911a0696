//! Folds SQLite's log into the file while the writer goes on. Left to the writer, a fold is tens of milliseconds in which
//! nobody is answered; here a thread of its own copies nearly all of it and syncs the file, and the writer does only the rest,
//! after which the log begins again at its front. Refuses to be needed: if it is held up, the writer folds by itself, later and longer.

use std::fs::File;
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
const PAGES: i64 = 32_768;
/// How often the log is looked at, if anything was written.
const LOOK: Duration = Duration::from_millis(20);

/// How long after a fold, whatever came of it, the next may begin: while a long read holds the log, another gains nothing.
const REST: Duration = Duration::from_millis(250);

/// The thread, for its owner to end.
pub(super) struct Folder {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
    file: Arc<File>,
}

impl Folder {
    /// Starts the thread on a connection of its own and a descriptor of the database's file. `units` says whether anything was
    /// written, `writer` is told to fold the rest.
    pub(super) fn start(
        (connection, file): (Connection, File),
        units: Arc<AtomicU64>,
        writer: WeakSender<Message>,
        broken: Broken,
    ) -> Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let file = Arc::new(file);
        let synced = Arc::clone(&file);
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
                match fold(&connection, &synced, &writer) {
                    Ok(folded) => pause = if folded { REST } else { LOOK },
                    Err(Failed::Fold(error)) => {
                        pause = REST;
                        broken.not_folded(&error);
                    }
                    Err(Failed::Sync(error)) => return broken.set(&error),
                }
            }
        });
        Ok(Self { stop, thread: thread.map_err(Error::internal)?, file })
    }

    /// Ends the thread and closes its connection. Gives the descriptor back: it must not be closed before the last connection,
    /// since that ends the locks that SQLite has on the file.
    pub(super) fn stop(self) -> Arc<File> {
        drop(self.stop);
        // A panic in it is in the log, and nothing else needs it.
        drop(self.thread.join());
        self.file
    }
}

/// Why a fold failed.
enum Failed {
    Fold(rusqlite::Error),
    Sync(std::io::Error),
}

/// Folds the log if it is long enough; says whether it was.
fn fold(connection: &Connection, file: &File, writer: &WeakSender<Message>) -> Result<bool, Failed> {
    if pages(connection, "PRAGMA wal_checkpoint(NOOP)")? < PAGES {
        return Ok(false);
    }
    // SQLite syncs the file only with the last page of the log, which is the writer's: it would wait there for all pages at
    // once. The second time has only what was written during the first, and leaves the writer next to nothing.
    for _ in 0..2 {
        pages(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
        file.sync_data().map_err(Failed::Sync)?;
    }
    if let Some(writer) = writer.upgrade() {
        // If its queue is full, the next look tries again.
        drop(writer.try_send(Message::Fold));
    }
    Ok(true)
}

/// Pages in the log, those folded before included.
fn pages(connection: &Connection, sql: &str) -> Result<i64, Failed> {
    connection.query_row(sql, [], |row| row.get(1)).map_err(Failed::Fold)
}
