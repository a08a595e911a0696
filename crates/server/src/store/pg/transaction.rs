//! A transaction on one connection, for one unit of work or for a group of them. It begins with the first statement, in the same
//! round trip, and first of all locks the addresses that it is about, always in one order. Refuses to commit where a statement
//! failed and was passed over: the engine has rolled everything back by then, and says so only in passing.

use std::sync::atomic::{AtomicBool, Ordering};

use deadpool_postgres::ClientWrapper;
use doorcode_core::{Error, Result};
use futures_util::future::join;
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::errors::{failed, spoils_connection, worth_another_try};
use crate::store::targets::TargetId;

/// Locks addresses, by numbers made of their ids: whether there is a row or not, whoever comes second waits as long. In one order:
/// of two groups that want the same two, one waits. A number that two ids share costs a little patience.
pub(super) const LOCK: &str = "SELECT pg_advisory_xact_lock(number) FROM unnest($1::bigint[]) AS locks(number)";

/// Begins a transaction without the limits of a usual one.
const OVERHAUL: &str = "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
    SET LOCAL idle_in_transaction_session_timeout = 0";

/// What [`LOCK`] is given.
pub(super) fn numbers(ids: &[TargetId]) -> Vec<i64> {
    let number = |id: &TargetId| i64::from_be_bytes(*id.first_chunk().unwrap_or(&[0; 8]));
    let mut numbers: Vec<i64> = ids.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// What statements are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Units of work, in a transaction.
    Work,
    /// A unit of work over whole tables, which takes as long as it takes.
    Overhaul,
    /// A look, each statement on its own.
    Look,
}

/// A transaction that has begun, or will.
pub(super) struct Transaction<'c> {
    client: &'c ClientWrapper,
    purpose: Purpose,
    /// The addresses that are locked when it begins.
    about: Vec<TargetId>,
    lock: Option<Statement>,
    begun: AtomicBool,
    /// It could not begin: what ran all the same was no part of it.
    failed: AtomicBool,
}

/// A statement has failed.
#[derive(Clone, Copy)]
pub(super) struct Trouble {
    /// Begun anew, it may do better.
    pub(super) again: bool,
    /// The connection is of no use any more.
    pub(super) broken: bool,
}

/// How an attempt ended, for the connection and for who tries again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Aftermath {
    /// Nothing happened, and another try may do better.
    pub(super) again: bool,
    /// The connection is of use to the next.
    pub(super) clean: bool,
}

/// What the engine's client says.
pub(super) type Outcome<T> = Result<T, tokio_postgres::Error>;

impl<'c> Transaction<'c> {
    /// On a connection that is clean.
    pub(super) async fn new(client: &'c ClientWrapper, purpose: Purpose, about: Vec<TargetId>) -> Outcome<Self> {
        // Before it begins: a statement that has to be prepared first is late.
        let lock = if about.is_empty() { None } else { Some(client.prepare_cached(LOCK).await?) };
        Ok(Self { client, purpose, about, lock, begun: AtomicBool::new(false), failed: AtomicBool::new(false) })
    }

    /// The connection.
    pub(super) fn client(&self) -> &'c ClientWrapper {
        self.client
    }

    /// Whether it may change anything.
    pub(super) fn works(&self) -> bool {
        self.purpose != Purpose::Look
    }

    /// Whether an address was locked when it began, or will be.
    pub(super) fn is_about(&self, id: &TargetId) -> bool {
        self.about.contains(id)
    }

    /// Begins, unless it has, and locks what it is about. What is sent by its first poll goes in front of whatever is sent then.
    pub(super) async fn begin(&self) -> Outcome<()> {
        if !self.works() || self.begun.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let begin = self.client.batch_execute(match self.purpose {
            Purpose::Overhaul => OVERHAUL,
            Purpose::Work | Purpose::Look => "BEGIN",
        });
        let begun = match &self.lock {
            None => begin.await,
            Some(lock) => {
                let numbers = numbers(&self.about);
                let values: [&(dyn ToSql + Sync); 1] = [&numbers];
                let (begun, locked) = join(begin, self.client.query(lock, &values)).await;
                begun.and(locked).map(drop)
            }
        };
        self.failed.store(begun.is_err(), Ordering::Relaxed);
        begun
    }

    /// Whether it could not begin.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Runs a statement, in the same round trip with what begins the transaction if it is the first.
    pub(super) async fn run<T>(&self, statement: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        let (begun, done) = join(self.begin(), statement).await;
        begun.and(done)
    }

    /// What a statement's failure means for the transaction.
    pub(super) fn trouble(&self, error: &tokio_postgres::Error) -> Trouble {
        Trouble { again: worth_another_try(error), broken: spoils_connection(error) || self.client.is_closed() }
    }

    /// Commits. An error that is not worth another try may have been committed all the same.
    pub(super) async fn commit(&self) -> (Result<()>, Aftermath) {
        if !self.has_begun() {
            return (Ok(()), Aftermath { again: false, clean: true });
        }
        match self.client.batch_execute("COMMIT").await {
            Ok(()) => (Ok(()), Aftermath { again: false, clean: true }),
            // Refused by the engine, it is rolled back. Anything else may have been committed, and is never done again.
            Err(error) => {
                let refused = error.code().is_some_and(|code| ["40001", "40P01"].contains(&code.code()));
                (Err(failed(error)), Aftermath { again: refused, clean: refused })
            }
        }
    }

    /// Takes everything back, after trouble or for a unit that wants it so.
    pub(super) async fn roll_back(&self, trouble: Option<Trouble>) -> Aftermath {
        let again = trouble.is_some_and(|trouble| trouble.again);
        let broken = trouble.is_some_and(|trouble| trouble.broken);
        let clean = !broken && (!self.has_begun() || self.client.batch_execute("ROLLBACK").await.is_ok());
        Aftermath { again, clean }
    }

    fn has_begun(&self) -> bool {
        self.works() && self.begun.load(Ordering::Relaxed)
    }
}

/// What a unit has heard when the engine failed under it, and it said that all is well.
pub(super) fn passed_over() -> Error {
    Error::unavailable("a statement of this unit has failed")
}
