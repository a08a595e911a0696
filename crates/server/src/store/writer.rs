//! Group commit: one thread owns the write connection, takes every unit of work that waits, runs them in one transaction,
//! commits, and hands them all to [`super::sync`], which answers once the commit is durable. So a sync to
//! disk is shared by all who waited for it, and nothing is acknowledged that a crash could take back. Refuses to tell two
//! units apart by luck: one that fails is rolled back alone, and when the transaction itself is lost, everybody in it hears so.
//!
//! Hardly any unit fails after it has written something, and a savepoint for each would copy every page that it touches. So there is
//! none until one fails so: then the transaction is rolled back and begun anew, everybody works once more, each in a savepoint, and so
//! do the next few groups.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::{mpsc, oneshot};

use super::cache;
use super::db::{Tx, failed};
use super::fold::Folder;
use super::sql::Sql;
use super::statements::Statements;
use super::sync::{Batch, Broken, Syncer};

static BEGIN: Sql = Sql::new("BEGIN IMMEDIATE");
static COMMIT: Sql = Sql::new("COMMIT");
static ROLLBACK: Sql = Sql::new("ROLLBACK");
static SAVEPOINT: Sql = Sql::new("SAVEPOINT unit");
static ROLLBACK_UNIT: Sql = Sql::new("ROLLBACK TO unit");
static RELEASE: Sql = Sql::new("RELEASE unit");

/// The most units of one commit. With more, all clients end up waiting for the same sync, and nobody works meanwhile.
const GROUP: usize = 64;
/// From this many units on it is a rush: others are on their way, and a breath lets them join the same sync.
const RUSH: usize = 8;
/// After a unit has spoiled its group, so many groups have savepoints: whoever makes units fail, costs little.
const WARY: u32 = 64;

/// What the writer is told.
pub(super) enum Message {
    /// Do this.
    Unit(Box<dyn Unit>),
    /// Fold into the file what [`super::fold`] has left of the log.
    Fold,
    /// Commit what came before, fold the log into the file, end.
    Close(oneshot::Sender<()>),
}

/// A unit of work with its types forgotten, so that units of every kind stand in one queue.
pub(super) trait Unit: Send {
    /// Does the work, from the beginning each time. False: nothing of it may stay.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Answers who waits: with what the work gave, or, if its transaction was lost, with that.
    fn answer(self: Box<Self>, lost: Option<&str>);
}

/// The one that writes.
pub(super) struct Writer {
    waiting: mpsc::Receiver<Message>,
    units: Arc<AtomicU64>,
    syncer: Syncer,
    folder: Folder,
    broken: Broken,
    /// So many groups to come have savepoints.
    wary: u32,
    fold: bool,
    closing: Option<oneshot::Sender<()>>,
}

impl Writer {
    /// A writer for what comes through `waiting`, with its two helpers; it counts units.
    pub(super) fn new(
        waiting: mpsc::Receiver<Message>,
        units: Arc<AtomicU64>,
        (syncer, folder): (Syncer, Folder),
        broken: Broken,
    ) -> Self {
        Self { waiting, units, syncer, folder, broken, wary: 0, fold: false, closing: None }
    }

    /// Works on the one connection that writes, until it is told to close or nobody can tell it anything any more.
    pub(super) fn serve(mut self, connection: Connection) {
        self.work(&connection);
        self.waiting.close();
        self.syncer.stop();
        // The last connection removes the log, and that must be this one.
        let file = self.folder.stop();
        if self.broken.why().is_some() {
            // Nothing of the log may go into the file: some of it may not be what was written.
            drop(connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true));
        } else {
            // If this fails, the log stays and the next start reads it. Nor is anybody waited for: meanwhile the server that
            // this command runs beside could not write.
            drop(connection.busy_timeout(std::time::Duration::ZERO));
            drop(connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"));
        }
        drop(connection);
        drop(file);
        if let Some(done) = self.closing {
            let _nobody_waits = done.send(());
        }
    }

    fn work(&mut self, connection: &Connection) {
        let mut tx = Tx::Lite(Statements::held(connection));
        while self.closing.is_none() {
            match self.waiting.blocking_recv() {
                Some(Message::Unit(first)) => self.group(&mut tx, first),
                Some(Message::Fold) => self.fold = true,
                Some(Message::Close(done)) => self.closing = Some(done),
                None => break,
            }
            if std::mem::take(&mut self.fold) && self.broken.why().is_none() {
                let folded = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
                if let Err(error) = folded.and_then(|()| cache::fit(connection)) {
                    self.broken.not_folded(&error);
                }
            }
        }
    }

    /// Runs a unit, and whatever waits by then, in one transaction, and hands them to whoever syncs and answers.
    fn group(&mut self, tx: &mut Tx<'_>, first: Box<dyn Unit>) {
        if let Err(lost) = self.begin(tx) {
            // Whoever waits behind it would wait as long again, each for itself.
            let mut waiting = vec![first];
            while let Some(unit) = self.next(0) {
                waiting.push(unit);
            }
            return self.hand(waiting, Some(lost));
        }
        let (mut done, mut next) = (Vec::new(), Some(first));
        self.wary = self.wary.saturating_sub(1);
        while let Some(mut unit) = next {
            let outcome = if self.wary > 0 { apart(tx, &mut unit).map(|()| true) } else { together(tx, &mut unit) };
            done.push(unit);
            let outcome = outcome.and_then(|well| if well { Ok(()) } else { self.anew(tx, &mut done) });
            // Disk full, I/O error: SQLite rolls the whole transaction back by itself.
            if let Err(lost) = outcome {
                drop(step(tx, &ROLLBACK));
                return self.hand(done, Some(lost));
            }
            next = self.next(done.len());
        }
        let lost = step(tx, &COMMIT).err();
        if lost.is_some() {
            drop(step(tx, &ROLLBACK));
        }
        self.hand(done, lost);
    }

    fn begin(&self, tx: &mut Tx<'_>) -> Result<(), String> {
        match self.broken.why() {
            Some(why) => Err(why.to_owned()),
            None => step(tx, &BEGIN),
        }
    }

    /// Begins anew after a unit that failed has left something behind, and has everybody work once more, each apart.
    fn anew(&mut self, tx: &mut Tx<'_>, done: &mut [Box<dyn Unit>]) -> Result<(), String> {
        self.wary = WARY;
        step(tx, &ROLLBACK)?;
        step(tx, &BEGIN)?;
        done.iter_mut().try_for_each(|unit| apart(tx, unit))
    }

    /// One more unit for a group of `count`, if one waits, or comes within a breath while there is a rush.
    fn next(&mut self, count: usize) -> Option<Box<dyn Unit>> {
        if count >= GROUP || self.closing.is_some() {
            return None;
        }
        loop {
            let mut message = self.waiting.try_recv();
            if message.is_err() && count >= RUSH {
                std::thread::yield_now();
                message = self.waiting.try_recv();
            }
            match message.ok()? {
                Message::Unit(unit) => return Some(unit),
                Message::Fold => self.fold = true,
                Message::Close(done) => {
                    self.closing = Some(done);
                    return None;
                }
            }
        }
    }

    /// Hands the units over to whoever syncs and answers.
    fn hand(&self, units: Vec<Box<dyn Unit>>, lost: Option<String>) {
        self.units.fetch_add(units.len() as u64, Ordering::Relaxed);
        self.syncer.hand(Batch { units, lost });
    }
}

/// One unit, with nothing between it and the others. `Ok(false)`: it failed and has left something behind. `Err`: the
/// transaction is gone or can't be trusted.
fn together(tx: &mut Tx<'_>, unit: &mut Box<dyn Unit>) -> Result<bool, String> {
    let before = statements(tx)?.connection().total_changes();
    let keep = run(tx, unit)?;
    Ok(keep || statements(tx)?.connection().total_changes() == before)
}

/// One unit in a savepoint of its own. `Err`: the transaction around it is gone or can't be trusted.
fn apart(tx: &mut Tx<'_>, unit: &mut Box<dyn Unit>) -> Result<(), String> {
    step(tx, &SAVEPOINT)?;
    if !run(tx, unit)? {
        step(tx, &ROLLBACK_UNIT)?;
    }
    step(tx, &RELEASE)
}

/// Whether what the unit did may stay.
fn run(tx: &mut Tx<'_>, unit: &mut Box<dyn Unit>) -> Result<bool, String> {
    let keep = unit.run(tx);
    if statements(tx)?.connection().is_autocommit() {
        return Err("the database lost the transaction".to_owned());
    }
    Ok(keep)
}

fn step(tx: &mut Tx<'_>, sql: &'static Sql) -> Result<(), String> {
    statements(tx)?.with(sql, |it| it.execute([]).map(drop).map_err(failed)).map_err(|error| error.to_string())
}

fn statements<'t, 'c>(tx: &'t mut Tx<'c>) -> Result<&'t mut Statements<'c>, String> {
    match tx {
        Tx::Lite(statements) => Ok(statements),
        Tx::Pg(_) => Err("the writer of one engine was given a unit of another".to_owned()),
    }
}
