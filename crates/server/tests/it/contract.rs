//! What the store promises to everybody above it, whatever the engine: every statement prepares, a unit of work is all or
//! nothing and alone in its failure, nothing is acknowledged that a new start would not find, no due row goes to two.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use doorcode::entropy::Entropy;
use doorcode::store::meta::{self, Fact};
use doorcode::store::{About, Asker, Db, Tx, deliveries, orgs, prepare_all};
use doorcode_core::{ChallengeId, DeliveryId, Error, OrgId, Result};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::task::JoinSet;

use crate::app::{Folder, START, seconds};

fn open() -> (Db, Arc<Folder>) {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    (Db::open(folder.path()).unwrap(), folder)
}

/// A folder with these files of another one, as a crash or a thief would leave them.
fn copied(from: &Folder, files: &[&str]) -> Arc<Folder> {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    for file in files {
        std::fs::copy(from.path().join(file), folder.path().join(file)).unwrap();
    }
    folder
}

fn org(n: u16) -> OrgId {
    let mut bytes = [7; 16];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    OrgId::from_bytes(bytes)
}

/// A unit that writes one org.
async fn put(db: &Db, n: u16) -> Result<()> {
    db.write(move |tx| Box::pin(async move { orgs::insert(tx, &org(n), None, &format!("Org {n}")).await })).await
}

async fn there(db: &Db, n: u16) -> bool {
    db.read(move |tx| Box::pin(async move { orgs::name(tx, &org(n)).await })).await.unwrap().is_some()
}

async fn count(db: &Db) -> usize {
    db.read(|tx| Box::pin(orgs::list(tx, 100_000))).await.unwrap().len()
}

/// Holds the writer until the sender is dropped or used, so that what comes next waits together and is one group.
pub(crate) fn hold(db: &Db) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<()>>) {
    let (go, wait) = mpsc::channel::<()>();
    let (held, holds) = mpsc::channel();
    let (db, wait) = (db.clone(), Arc::new(Mutex::new(wait)));
    let holding = tokio::spawn(async move {
        db.write(move |_| {
            // A second time, where a neighbour spoiled the group, nobody listens.
            let _first = held.send(());
            let _released = wait.lock().unwrap().recv();
            Box::pin(async { Ok(()) })
        })
        .await
    });
    tokio::task::block_in_place(|| holds.recv().unwrap());
    (go, holding)
}

/// What every engine promises: `postgres_contract` asks the same of the other one. Each is given an empty database, and another way
/// to the same one.
pub(crate) async fn prepares_every_statement(db: &Db, _: &Db) {
    let prepared = db.read(|tx| Box::pin(prepare_all(tx))).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert!(prepared >= 60, "{prepared} statements: is a table missing from the list?");
}

pub(crate) async fn does_all_of_a_unit_or_nothing(db: &Db, _: &Db) {
    let refused: Result<()> = db
        .write(|tx| {
            Box::pin(async move {
                orgs::insert(tx, &org(1), None, "One").await?;
                orgs::insert(tx, &org(2), None, "Two").await?;
                Err(Error::Forbidden)
            })
        })
        .await;
    assert!(matches!(refused, Err(Error::Forbidden)));
    assert_eq!(count(db).await, 0);
    put(db, 1).await.unwrap();
    let twice = put(db, 1).await;
    assert!(matches!(twice, Err(Error::Conflict(_))), "{twice:?}");
    // A unit that passes over a failure of the engine must not be taken for done.
    let passed_over = db
        .write(|tx| {
            Box::pin(async move {
                let again = orgs::insert(tx, &org(1), None, "One").await;
                assert!(again.is_err());
                orgs::insert(tx, &org(2), None, "Two").await
            })
        })
        .await;
    assert_eq!(there(db, 2).await, passed_over.is_ok(), "what is said to be done is there, and else nothing is");
}

/// A unit that is done, refused or panics, by its number; each has written by then.
async fn one_of_three(db: &Db, n: u16, about: About) -> Result<()> {
    db.write_at(about, move |tx| {
        Box::pin(async move {
            orgs::insert(tx, &org(n), None, "x").await?;
            match n % 3 {
                0 => Ok(()),
                1 => Err(Error::NotFound),
                _ => panic!("a unit that panics: the test wants it"),
            }
        })
    })
    .await
}

pub(crate) const ASKER: Asker = Asker { wide: [0; 16], exact: [0; 16] };

/// About an address, asked for from one network.
fn about(n: u16) -> About {
    About::address([u8::try_from(n).unwrap(); 16], ASKER)
}

async fn every_third_is_there(db: &Db, outcomes: Vec<Result<()>>) {
    for (n, outcome) in (0..).zip(outcomes) {
        match n % 3 {
            0 => assert!(outcome.is_ok(), "{n}: {outcome:?}"),
            1 => assert!(matches!(outcome, Err(Error::NotFound)), "{n}: {outcome:?}"),
            _ => assert!(matches!(outcome, Err(Error::Internal(_))), "{n}: {outcome:?}"),
        }
        assert_eq!(there(db, n).await, n % 3 == 0, "{n}");
    }
}

/// Thirty at once, each in a transaction of its own; a third is refused, a third panics.
pub(crate) async fn rolls_back_alone_what_fails(db: &Db, other: &Db) {
    let outcomes = join_all((0..30).map(|n| {
        let db = if n % 2 == 0 { db } else { other };
        one_of_three(db, n, about(n).alone())
    }));
    every_third_is_there(db, outcomes.await).await;
    put(db, 1000).await.unwrap();
}

/// The same of units that may share a transaction, a hundred and fifty of them; some are about one address.
pub(crate) async fn rolls_back_alone_what_fails_beside_others(db: &Db, other: &Db) {
    let outcomes = join_all((0..150).map(|n| {
        let db = if n % 2 == 0 { db } else { other };
        let about = about(n % 100);
        one_of_three(db, n, if n % 5 == 0 { about.alone() } else { about })
    }));
    every_third_is_there(db, outcomes.await).await;
    put(db, 1000).await.unwrap();
}

/// Each of many that ask the same at once is told what is its own.
pub(crate) async fn tells_each_of_many_its_own(db: &Db, _: &Db) {
    for n in (0..90).step_by(2) {
        put(db, n).await.unwrap();
    }
    let asked = (0..90).map(|n: u16| {
        db.write_at(about(n), move |tx| {
            Box::pin(async move {
                let found = orgs::name(tx, &org(n)).await?.is_some();
                let raised = orgs::raise(tx, &org(n), START).await?;
                let twice = orgs::raise(tx, &org(n), START).await?;
                Ok((found, raised, twice))
            })
        })
    });
    for (n, told) in (0..).zip(join_all(asked).await) {
        let there = n % 2 == 0;
        assert_eq!(told.unwrap(), (there, there, false), "{n}");
    }
}

pub(crate) async fn shows_to_others_what_is_acknowledged(db: &Db, other: &Db) {
    for n in 0..100 {
        put(db, n).await.unwrap();
        assert!(there(other, n).await, "{n} was acknowledged");
    }
    assert_eq!((db.units(), count(other).await), (100, 100));
}

pub(crate) async fn refuses_to_write_in_a_read(db: &Db, _: &Db) {
    let written = db.read(|tx| Box::pin(async move { orgs::insert(tx, &org(1), None, "x").await })).await;
    assert!(written.is_err());
    assert_eq!(count(db).await, 0);
}

pub(crate) async fn hands_no_due_message_to_two(db: &Db, other: &Db) {
    fill_outbox(db, 200).await;
    let mut takers = JoinSet::new();
    for n in 0..40 {
        let db = if n % 2 == 0 { db.clone() } else { other.clone() };
        takers.spawn(async move { claim(&db, START, 7).await });
    }
    let mut taken: Vec<DeliveryId> = takers.join_all().await.into_iter().flatten().collect();
    // Who met another in the middle of the list went away with less; nothing is lost by it.
    while let Some(more) = Some(claim(db, START, 7).await).filter(|more| !more.is_empty()) {
        taken.extend(more);
    }
    assert_eq!(taken.len(), 200, "forty takers and those who come later empty an outbox of two hundred");
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 200);
    assert!(claim(db, START.plus(seconds(89)), 300).await.is_empty(), "the lease holds");
    assert_eq!(claim(db, START.plus(seconds(90)), 300).await.len(), 200, "and ends");
}

/// A test of the same name for each promise, on a database that `open` gives with another way to it; none where the engine is missing.
macro_rules! promises {
    ($open:path) => {
        $crate::contract::promises!($open; prepares_every_statement, does_all_of_a_unit_or_nothing, rolls_back_alone_what_fails,
            rolls_back_alone_what_fails_beside_others, tells_each_of_many_its_own,
            shows_to_others_what_is_acknowledged, refuses_to_write_in_a_read, hands_no_due_message_to_two);
    };
    ($open:path; $($name:ident),*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            let Some((db, other, _until_the_end)) = $open().await else { return };
            $crate::contract::$name(&db, &other).await;
        })*
    };
}
pub(crate) use promises;

mod on_sqlite {
    use super::{Db, Folder, open};

    /// Two stores on one file are two writers, as two processes would be (but for the locks, which a process has once).
    async fn opened() -> Option<(Db, Db, std::sync::Arc<Folder>)> {
        let (db, folder) = open();
        let other = Db::open(folder.path()).unwrap();
        Some((db, other, folder))
    }

    super::promises!(opened);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_group_a_unit_that_fails_is_rolled_back_alone() {
    let (db, _folder) = open();
    let (go, holding) = hold(&db);
    let units = (0..30).map(|n| one_of_three(&db, n, about(n).alone()));
    let mut outcomes = std::pin::pin!(join_all(units));
    // One poll hands all of them in; the writer is held, so that they are one group.
    assert!((&mut outcomes).now_or_never().is_none());
    drop(go);
    holding.await.unwrap().unwrap();
    every_third_is_there(&db, outcomes.await).await;
    put(&db, 1000).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_is_committed() {
    let (db, folder) = open();
    let mut units = JoinSet::new();
    for n in 0..1000 {
        let (db, file) = (db.clone(), folder.path().join("doorcode.db"));
        units.spawn(async move {
            put(&db, n).await.unwrap();
            // By a connection that knows nothing of the writer's.
            if n % 50 == 0 {
                let other = rusqlite::Connection::open(file).unwrap();
                let sql = "SELECT count(*) FROM orgs WHERE id = ?1";
                let found: i64 = other.query_row(sql, [&org(n).as_bytes()[..]], |row| row.get(0)).unwrap();
                assert_eq!(found, 1, "{n} was acknowledged");
            }
        });
    }
    units.join_all().await;
    assert_eq!(db.units(), 1000);
    db.close().await;
    assert!(matches!(put(&db, 1001).await, Err(Error::Unavailable(_))), "a closed store refuses");
    assert_eq!(count(&Db::open(folder.path()).unwrap()).await, 1000);
}

/// A killed process leaves the log behind: the next start reads it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_survives_without_a_close() {
    let (db, folder) = open();
    for n in 0..20 {
        put(&db, n).await.unwrap();
    }
    let left = copied(&folder, &["doorcode.db", "doorcode.db-wal"]);
    assert_eq!(count(&Db::open(left.path()).unwrap()).await, 20);
}

#[tokio::test]
async fn the_log_is_written_ahead_and_sqlite_leaves_syncing_commits_to_the_house() {
    let (db, _folder) = open();
    let asked = db.write(|tx| {
        let Tx::Lite(statements) = tx else { panic!("this is SQLite") };
        let connection = statements.connection();
        let number = connection.query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0)).unwrap();
        let mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0)).unwrap();
        Box::pin(async move { Ok((number, mode)) })
    });
    // 1 is NORMAL: SQLite syncs when it folds the log; commits are synced by `store::sync`, whose own tests hold that
    // nobody is answered before. No test without a power cut would notice less.
    assert_eq!(asked.await.unwrap(), (1, "wal".to_owned()));
}

#[tokio::test]
async fn a_unit_that_waits_for_the_world_is_refused() {
    let (db, _folder) = open();
    let waited: Result<()> = db
        .write(|tx| {
            Box::pin(async move {
                orgs::insert(tx, &org(1), None, "x").await?;
                tokio::task::yield_now().await;
                Ok(())
            })
        })
        .await;
    assert!(matches!(waited, Err(Error::Internal(_))));
    assert!(!there(&db, 1).await);
}

#[tokio::test]
async fn a_unit_whose_caller_was_told_that_nothing_happened_does_not_happen() {
    let (db, _folder) = open();
    // Whoever holds the writer up: the unit behind it is handed in, and its caller gives up before its turn.
    let (held, hold) = std::sync::mpsc::channel::<()>();
    let busy = tokio::spawn({
        let db = db.clone();
        let hold = Arc::new(Mutex::new(hold));
        async move {
            let wait = move || hold.lock().unwrap().recv().map_err(Error::internal);
            db.write(move |_| Box::pin(async move { wait() })).await
        }
    });
    tokio::task::yield_now().await;
    assert!(put(&db, 1).now_or_never().is_none(), "handed in, and not waited for");
    held.send(()).unwrap();
    busy.await.unwrap().unwrap();
    // The queue is in order: when this one is answered, that one has had its turn.
    put(&db, 2).await.unwrap();
    assert!(!there(&db, 1).await);
}

async fn fill_outbox(db: &Db, messages: u8) {
    let entropy = Entropy::seeded(9);
    let ids: Vec<DeliveryId> = (0..messages).map(|_| entropy.id(START).unwrap()).collect();
    db.write(move |tx| {
        Box::pin(async move {
            for id in ids {
                let birth = deliveries::Birth::Leased(START);
                deliveries::insert(tx, &id, &ChallengeId::from_bytes([1; 16]), "email", birth).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
}

async fn claim(db: &Db, at: doorcode_core::Timestamp, most: i64) -> Vec<DeliveryId> {
    let taken = db
        .write(move |tx: &mut Tx<'_>| {
            Box::pin(async move { deliveries::claim(tx, at, at.plus(seconds(90)), most).await })
        })
        .await;
    taken.unwrap().into_iter().map(|taken| taken.id).collect()
}

/// The attack: a disk that refused a part of the log, and is believed again after a restart. What is acknowledged then must
/// not stand behind the part that may be missing.
#[tokio::test]
async fn a_start_folds_the_log_that_a_crash_left_before_it_adds_to_it() {
    let (db, folder) = open();
    for n in 0..50 {
        put(&db, n).await.unwrap();
    }
    let crashed = copied(&folder, &["doorcode.db", "doorcode.db-wal"]);
    let log = crashed.path().join("doorcode.db-wal");
    let frames = std::fs::metadata(&log).unwrap().len();
    assert!(frames > 50 * 2048, "something is in the log alone");
    let again = Db::open(crashed.path()).unwrap();
    // The salt of a log's header is another one in each log.
    let salt = || std::fs::read(&log).unwrap()[16..24].to_vec();
    let before = salt();
    put(&again, 50).await.unwrap();
    assert_ne!(salt(), before, "a new log");
    let file = copied(&crashed, &["doorcode.db"]);
    let alone = Db::open(file.path()).unwrap();
    assert!(there(&alone, 0).await && there(&alone, 49).await, "the file has it all without its log");
}

#[tokio::test]
async fn migrations_run_once() {
    let (db, folder) = open();
    db.write(|tx| Box::pin(meta::put(tx, Fact::Clock, "17"))).await.unwrap();
    db.close().await;
    for _ in 0..2 {
        let again = Db::open(folder.path()).unwrap();
        let clock = again.read(|tx| Box::pin(meta::clock(tx))).await.unwrap().unwrap();
        assert_eq!(clock.millis(), 17);
        again.close().await;
    }
    assert_eq!(migrations(folder.path()), steps());
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (db, folder) = open();
    db.close().await;
    let file = rusqlite::Connection::open(folder.path().join("doorcode.db")).unwrap();
    file.execute("INSERT INTO migrations (number, name) VALUES (99, '0099_from_the_future')", []).unwrap();
    drop(file);
    let refused = Db::open(folder.path()).err().unwrap();
    let why = doorcode::chain(&refused);
    assert!(why.contains("newer version"), "{why}");
    assert_eq!(migrations(folder.path()), steps() + 1, "nothing was touched");

    // A step that is not what it was when it was run: a data directory of a build between releases.
    let file = rusqlite::Connection::open(folder.path().join("doorcode.db")).unwrap();
    file.execute("DELETE FROM migrations WHERE number = 99", []).unwrap();
    Db::open(folder.path()).unwrap().close().await;
    file.execute("UPDATE migrations SET name = '0001_house 00000000' WHERE number = 1", []).unwrap();
    drop(file);
    let refused = Db::open(folder.path()).err().unwrap();
    assert!(doorcode::chain(&refused).contains("between two releases"), "{}", doorcode::chain(&refused));
}

/// How many steps the schema has.
fn steps() -> i64 {
    std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations")).unwrap().count() as i64
}

fn migrations(dir: &Path) -> i64 {
    let file = rusqlite::Connection::open(dir.join("doorcode.db")).unwrap();
    file.query_row("SELECT count(*) FROM migrations", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_database_that_is_none_is_refused() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    std::fs::write(folder.path().join("doorcode.db"), "this is a letter to my aunt\n".repeat(500)).unwrap();
    assert!(Db::open(folder.path()).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_held_by_another_process_is_waited_for() {
    let (db, folder) = open();
    let mut other = rusqlite::Connection::open(folder.path().join("doorcode.db")).unwrap();
    let held = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    let waiting = tokio::spawn({
        let db = db.clone();
        async move { put(&db, 1).await }
    });
    assert!(!there(&db, 1).await, "reads go on meanwhile");
    held.commit().unwrap();
    waiting.await.unwrap().unwrap();
    assert!(there(&db, 1).await);
}

/// The one test here that lasts: how long the writer waits for a lock is SQLite's own clock, which nobody can advance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_lock_does_not_come_all_who_wait_hear_so_together_and_none_of_them_runs_later() {
    let (db, folder) = open();
    let mut other = rusqlite::Connection::open(folder.path().join("doorcode.db")).unwrap();
    let held = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    let ran = Arc::new(AtomicU32::new(0));
    // More than one group takes: nobody is left to wait for the next one.
    let units = (0..100).map(|n| {
        let ran = Arc::clone(&ran);
        db.write(move |tx| {
            ran.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { orgs::insert(tx, &org(n), None, "x").await })
        })
    });
    // The first poll hands all of them in. A lock is waited for for five seconds, and never for less: whoever waits
    // behind somebody else's wait is not answered within nine.
    let outcomes = tokio::time::timeout(seconds(9), join_all(units)).await.expect("one wait for all of them");
    for (n, outcome) in outcomes.into_iter().enumerate() {
        assert!(matches!(outcome, Err(Error::Unavailable(_))), "{n}: {outcome:?}");
    }
    held.rollback().unwrap();
    // The queue is in order: when this one is answered, those before it have had whatever turn they had.
    put(&db, 1000).await.unwrap();
    assert_eq!((ran.load(Ordering::Relaxed), count(&db).await), (0, 1), "who was told that nothing happened");
}
