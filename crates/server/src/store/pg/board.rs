//! Where the units of a group put what they ask the database for. When none of them can go on without an answer, all of it is
//! asked at once: the same statement of several units as one, the others one behind another without waiting in between. Refuses
//! to keep a unit's own outcome from it, but for failures: where one statement fails, the engine ends the transaction of all.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use doorcode_core::{Error, Result, Timestamp};
use futures_util::future::{join, join_all};
use tokio::sync::oneshot;

use super::desk::Desk;
use super::shared::{self, Answer};
use super::transaction::{Transaction, Trouble};
use crate::store::meters::Meter;
use crate::store::sql::{Owned, Sql};

/// The board of one group.
#[derive(Default)]
pub(super) struct Board(Mutex<Asked>);

/// What stands on it.
#[derive(Default)]
struct Asked {
    statements: Vec<Statement>,
    spendings: Vec<Spending>,
}

struct Statement {
    sql: &'static Sql,
    values: Vec<Owned>,
    reply: oneshot::Sender<Result<Answer, Trouble>>,
}

/// What a unit spends at the desk.
pub(super) struct Spending {
    pub(super) meters: Vec<Meter>,
    pub(super) now: Timestamp,
    pub(super) reply: oneshot::Sender<Result<Option<usize>>>,
}

/// Nobody will answer any more.
const GONE: Trouble = Trouble { again: false, broken: true };

impl Board {
    /// Asks for a statement.
    pub(super) async fn ask(&self, sql: &'static Sql, values: Vec<Owned>) -> Result<Answer, Trouble> {
        let (reply, answer) = oneshot::channel();
        self.with(|asked| asked.statements.push(Statement { sql, values, reply }));
        answer.await.unwrap_or(Err(GONE))
    }

    /// Spends one from each meter, or from none. Gives the place of one that was full.
    pub(super) async fn spend(&self, meters: &[Meter], now: Timestamp) -> Result<Option<usize>> {
        let (reply, answer) = oneshot::channel();
        self.with(|asked| asked.spendings.push(Spending { meters: meters.to_vec(), now, reply }));
        answer.await.unwrap_or_else(|_| Err(Error::unavailable("the store is closed")))
    }

    /// Sees units through to their ends.
    pub(super) async fn serve<T>(
        &self,
        units: impl Future<Output = T>,
        transaction: &Transaction<'_>,
        desk: &Desk,
    ) -> T {
        let mut units = Box::pin(units);
        loop {
            let next = poll_fn(|context| match Pin::as_mut(&mut units).poll(context) {
                Poll::Ready(done) => Poll::Ready(Ok(done)),
                Poll::Pending => match self.with(std::mem::take) {
                    Asked { statements, spendings } if statements.is_empty() && spendings.is_empty() => Poll::Pending,
                    asked => Poll::Ready(Err(asked)),
                },
            });
            match next.await {
                Ok(done) => return done,
                Err(Asked { statements, spendings }) => {
                    join(answer(statements, transaction), desk.spend_all(spendings)).await;
                }
            }
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Asked) -> T) -> T {
        // What a panic left half done is a list, whole before and after each step.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs what was asked for and hands out the answers.
async fn answer(asked: Vec<Statement>, transaction: &Transaction<'_>) {
    if asked.is_empty() {
        return;
    }
    let mut alike = BTreeMap::<usize, Vec<Statement>>::new();
    for statement in asked {
        alike.entry(statement.sql.number()).or_default().push(statement);
    }
    let runs = alike.into_values().map(|alike| async move {
        let Some(sql) = alike.first().map(|first| first.sql) else { return };
        let (values, replies): (Vec<_>, Vec<_>) = alike.into_iter().map(|one| (one.values, one.reply)).unzip();
        match shared::run(transaction.client(), sql, &values).await {
            Ok(answers) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    // Every unit waits for its answer.
                    drop(reply.send(Ok(answer)));
                }
            }
            Err(error) => {
                let trouble = transaction.trouble(&error);
                tracing::debug!(error = %super::errors::with_causes(&error), "a group's statement failed");
                for reply in replies {
                    drop(reply.send(Err(trouble)));
                }
            }
        }
    });
    // Where it can't begin, no statement of it can be run either.
    let (begun, _) = join(transaction.begin(), join_all(runs)).await;
    if let Err(error) = begun {
        tracing::debug!(error = %super::errors::with_causes(&error), "a group could not begin");
    }
}
