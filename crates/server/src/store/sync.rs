//! Makes commits durable beside the writer: one thread syncs the log to disk and only then answers everybody whose
//! transaction is in it, while the writer runs the next group. So the writer never waits for the disk, and a slow disk
//! makes groups share a sync. Refuses to go on after a sync that failed: what a disk has refused once may be missing from the
//! middle of the log, and nothing behind it would be safe however often it is synced again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;

use doorcode_core::{Error, Result};
use futures_util::FutureExt as _;
use tokio::runtime::Handle;

use super::writer::Unit;

/// What everybody is told once the disk has failed.
const WHY: &str = "the disk failed; nothing is written until the server has been restarted";
/// Batches that may wait for a sync. While a disk hangs the writer waits too, and with it whoever has not been begun.
const ROOM: usize = 4;

/// Whether the disk has failed. Shared by all that write: from then on nothing is committed, synced or folded, so that the
/// next start finds the log as it was.
#[derive(Clone, Default)]
pub(super) struct Broken(Arc<AtomicBool>);

impl Broken {
    /// Notes it, for good.
    pub(super) fn set(&self, error: &dyn std::fmt::Display) {
        tracing::error!(%error, "{WHY}");
        self.0.store(true, Ordering::Release);
    }

    /// Notes that the log could not be folded, unless nothing was harmed by that: a full disk takes pages again when it has
    /// room, a busy database when it has time. Whatever else went wrong may have left pages that count as folded and are not
    /// on the disk, and the log must not begin anew over them.
    pub(super) fn not_folded(&self, error: &rusqlite::Error) {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
        match error.sqlite_error_code() {
            Some(DiskFull | DatabaseBusy | DatabaseLocked) => tracing::warn!(%error, "the log could not be folded yet"),
            _ => self.set(error),
        }
    }

    /// Why nothing may be written any more, if so.
    pub(super) fn why(&self) -> Option<&'static str> {
        self.0.load(Ordering::Acquire).then_some(WHY)
    }
}

/// Units of one transaction, and why it was lost, if it was.
pub(super) struct Batch {
    /// Whoever waits.
    pub(super) units: Vec<Box<dyn Unit>>,
    /// None: committed, and in the log.
    pub(super) lost: Option<String>,
}

/// The thread, for its owner to end.
pub(super) struct Syncer {
    batches: SyncSender<Batch>,
    broken: Broken,
    thread: JoinHandle<()>,
}

impl Syncer {
    /// Starts the thread. `sync` makes durable whatever was committed before it is called; answers are given on `runtime`.
    pub(super) fn start(
        runtime: Option<Handle>,
        broken: Broken,
        sync: impl FnMut() -> io::Result<()> + Send + 'static,
    ) -> Result<Self> {
        let (batches, waiting) = mpsc::sync_channel(ROOM);
        let noted = broken.clone();
        let thread = std::thread::Builder::new()
            .name("sync".to_owned())
            .spawn(move || work(&waiting, runtime.as_ref(), sync, &noted))
            .map_err(Error::internal)?;
        Ok(Self { batches, broken, thread })
    }

    /// Answers the units of a batch once it is durable, or, if it was lost, in its turn.
    pub(super) fn hand(&self, batch: Batch) {
        // The thread ends after its owner, unless it panicked. Whoever waits hears that the store has closed.
        if self.batches.send(batch).is_err() {
            self.broken.set(&"the thread that syncs is gone");
        }
    }

    /// Syncs and answers what was handed over, and ends the thread.
    pub(super) fn stop(self) {
        drop(self.batches);
        drop(self.thread.join());
    }
}

fn work(
    waiting: &Receiver<Batch>,
    runtime: Option<&Handle>,
    mut sync: impl FnMut() -> io::Result<()>,
    broken: &Broken,
) {
    while let Ok(first) = waiting.recv() {
        // Whatever is in the log by now shares the sync.
        let mut batches = vec![first];
        batches.extend(waiting.try_iter());
        let due = batches.iter().any(|batch| batch.lost.is_none()) && broken.why().is_none();
        if due && let Err(error) = sync() {
            broken.set(&error);
        }
        if let Some(why) = broken.why() {
            batches.iter_mut().for_each(|batch| batch.lost = Some(why.to_owned()));
        }
        answer(runtime, batches);
    }
}

/// Hands the answers to the runtime: waking its tasks from inside costs it little, from this thread a system call each.
fn answer(runtime: Option<&Handle>, batches: Vec<Batch>) {
    let answers = async move {
        for Batch { units, lost } in batches {
            for unit in units {
                unit.answer(lost.as_deref());
            }
        }
    };
    match runtime {
        Some(runtime) => drop(runtime.spawn(answers)),
        // Opened outside a runtime: nothing here waits, so one poll does it.
        None => drop(answers.now_or_never()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    /// Says what it was answered.
    struct Waiter(Sender<Option<String>>);

    impl Unit for Waiter {
        fn run(&mut self, _: &mut crate::store::Tx<'_>) -> bool {
            true
        }
        fn answer(self: Box<Self>, lost: Option<&str>) {
            self.0.send(lost.map(str::to_owned)).unwrap();
        }
    }

    fn batch(lost: Option<&str>) -> (Batch, Receiver<Option<String>>) {
        let (sender, answers) = channel();
        (Batch { units: vec![Box::new(Waiter(sender))], lost: lost.map(str::to_owned) }, answers)
    }

    #[test]
    fn nobody_is_answered_before_the_sync_is_through() {
        let (through, gate) = channel::<()>();
        let syncer = Syncer::start(None, Broken::default(), move || gate.recv().map_err(io::Error::other)).unwrap();
        let (first, answers) = batch(None);
        syncer.hand(first);
        assert!(answers.recv_timeout(std::time::Duration::from_millis(50)).is_err());
        through.send(()).unwrap();
        assert_eq!(answers.recv().unwrap(), None);
        syncer.stop();
    }

    #[test]
    fn after_a_sync_that_failed_nothing_is_acknowledged() {
        let mut syncs = 0;
        let broken = Broken::default();
        let syncer = Syncer::start(None, broken.clone(), move || {
            syncs += 1;
            if syncs == 2 { Err(io::Error::other("gone")) } else { Ok(()) }
        })
        .unwrap();
        let tell = |lost| {
            let (batch, answers) = batch(lost);
            syncer.hand(batch);
            answers.recv().unwrap()
        };
        assert_eq!(tell(None), None);
        assert_eq!(tell(Some("full")).as_deref(), Some("full"), "nothing to sync");
        assert_eq!(broken.why(), None);
        assert_eq!(tell(None).as_deref(), Some(WHY));
        assert_eq!(tell(None).as_deref(), Some(WHY), "although this sync would go through");
        assert_eq!(broken.why(), Some(WHY));
        syncer.stop();
    }

    #[test]
    fn a_full_disk_is_no_broken_one() {
        let broken = Broken::default();
        let error = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        for harmless in [rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_BUSY, rusqlite::ffi::SQLITE_LOCKED] {
            broken.not_folded(&error(harmless));
            assert_eq!(broken.why(), None);
        }
        broken.not_folded(&error(rusqlite::ffi::SQLITE_IOERR_FSYNC));
        assert_eq!(broken.why(), Some(WHY));
    }

    #[test]
    fn what_was_handed_over_is_answered_before_the_end() {
        let syncer = Syncer::start(None, Broken::default(), || Ok(())).unwrap();
        let answers: Vec<_> = (0..10)
            .map(|_| {
                let (batch, answers) = batch(None);
                syncer.hand(batch);
                answers
            })
            .collect();
        syncer.stop();
        assert!(answers.iter().all(|answers| answers.try_recv() == Ok(None)));
    }
}
