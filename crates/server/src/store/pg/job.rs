//! A unit of work with its types forgotten: units of every kind stand in one line, and what runs them is compiled once, not once
//! for each. Keeps what a unit came to until it is known whether that stands.

use std::panic::AssertUnwindSafe;

use doorcode_core::{Error, Result};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::statements::{Remains, Statements};
use crate::store::db::Tx;

/// A unit of work and whoever waits for it.
pub(super) trait Job: Send {
    /// Does the work, or does it anew, keeping what it came to. True: it went well.
    fn run<'j>(&'j mut self, tx: &'j mut Tx<'_>) -> BoxFuture<'j, bool>;
    /// Answers who waits.
    fn answer(self: Box<Self>, end: End);
    /// Whether somebody still waits.
    fn is_wanted(&self) -> bool;
}

/// How it ended with what a unit came to.
pub(super) enum End {
    /// It is durable, or changed nothing.
    Stands,
    /// Nothing of it is there, and it is to be done alone.
    Redo,
    /// It is not there, or may be there or not: the error says which.
    Failed(Error),
}

/// What whoever waits is told.
pub(super) enum Reply<T> {
    /// It was done.
    Done(Result<T>),
    /// It was not, through no fault of its own.
    Alone,
}

struct Unit<T, F> {
    unit: F,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Reply<T>>,
}

/// Makes a job of a unit. The answer comes by the receiver; none comes if the job is dropped.
pub(super) fn of<T, F>(unit: F) -> (Box<dyn Job>, oneshot::Receiver<Reply<T>>)
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
{
    let (reply, told) = oneshot::channel();
    (Box::new(Unit { unit, outcome: None, reply }), told)
}

impl<T, F> Job for Unit<T, F>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
{
    fn run<'j>(&'j mut self, tx: &'j mut Tx<'_>) -> BoxFuture<'j, bool> {
        let unit = self.unit.clone();
        Box::pin(async move {
            let outcome = AssertUnwindSafe(async { unit(tx).await }).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| Err(Error::internal("a unit of work panicked")));
            self.outcome.insert(outcome).is_ok()
        })
    }

    fn answer(self: Box<Self>, end: End) {
        let told = match (end, self.outcome) {
            (End::Stands, Some(outcome)) => Reply::Done(outcome),
            (End::Failed(why), _) => Reply::Done(Err(why)),
            _ => Reply::Alone,
        };
        // Whoever asked may have given up.
        drop(self.reply.send(told));
    }

    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }
}

/// Runs a job by these statements. Whether it went well, and what they leave.
pub(super) async fn run(job: &mut dyn Job, statements: Statements<'_>) -> (bool, Remains) {
    let mut tx = Tx::Pg(statements);
    let well = job.run(&mut tx).await;
    match tx {
        Tx::Pg(statements) => (well, statements.left()),
        Tx::Lite(_) => (false, Remains::default()),
    }
}
