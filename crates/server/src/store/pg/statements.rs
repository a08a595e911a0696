//! The statements of one unit on one connection. The transaction begins with the first of them, in the same round trip. Refuses
//! to commit after a failure that the unit has passed over: the engine has rolled everything back by then, and says so only in passing.

use deadpool_postgres::ClientWrapper;
use doorcode_core::{Error, Result, Timestamp};
use futures_util::future::join;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::desk::Desk;
use super::errors::{failed, spoils_connection, worth_another_try};
use crate::store::meters::{Meter, MeterId};
use crate::store::sql::{Sql, Value};

/// A unit's statements.
pub struct Statements<'c> {
    client: &'c ClientWrapper,
    desk: &'c Desk,
    /// What was spent at the desk, to be given back if the unit comes to nothing.
    spent: Vec<(MeterId, Timestamp)>,
    stands: Stands,
    trouble: Option<Trouble>,
}

/// Values as the engine's client takes them.
fn wire<'a>(values: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// What statements are for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// A unit of work, in a transaction.
    Work,
    /// A look, each statement on its own.
    Look,
}

/// Where the transaction stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// There is none: every statement is its own, and only reads.
    Reading,
    /// It begins with the next statement.
    Waiting,
    /// It has begun.
    Open,
}

/// A statement has failed.
#[derive(Clone, Copy)]
struct Trouble {
    again: bool,
    broken: bool,
}

/// How an attempt ended, for the connection and for who tries again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    /// Nothing happened, and another try may do better.
    pub(super) again: bool,
    /// The connection is of use to the next.
    pub(super) clean: bool,
}

impl<'c> Statements<'c> {
    /// On a connection that is clean.
    pub(super) fn new(client: &'c ClientWrapper, desk: &'c Desk, purpose: Purpose) -> Self {
        let stands = match purpose {
            Purpose::Work => Stands::Waiting,
            Purpose::Look => Stands::Reading,
        };
        Self { client, desk, spent: Vec::new(), stands, trouble: None }
    }

    /// Runs a statement and gives its rows.
    pub(in crate::store) async fn rows(&mut self, sql: &'static Sql, values: &[Value<'_>]) -> Result<Vec<Row>> {
        self.allow(sql)?;
        let outcome = async {
            let statement = self.client.prepare_cached(sql.pg()).await?;
            let values = wire(values);
            self.begin_with(self.client.query(&statement, &values)).await
        };
        let outcome = outcome.await;
        self.note(outcome)
    }

    /// Runs a statement and says how many rows it changed.
    pub(in crate::store) async fn execute(&mut self, sql: &'static Sql, values: &[Value<'_>]) -> Result<usize> {
        self.allow(sql)?;
        let outcome = async {
            let statement = self.client.prepare_cached(sql.pg()).await?;
            let values = wire(values);
            self.begin_with(self.client.execute(&statement, &values)).await
        };
        let outcome = outcome.await;
        self.note(outcome).map(|changed| usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// Spends one from each meter, or from none, at the desk. Gives the place of one that was full.
    pub(in crate::store) async fn spend(&mut self, meters: &[Meter], now: Timestamp) -> Result<Option<usize>> {
        let full = self.desk.spend(meters, now).await?;
        if full.is_none() {
            self.spent.extend(meters.iter().map(|meter| (meter.id, now.plus(meter.span))));
        }
        Ok(full)
    }

    /// Gives one back to each meter.
    pub(in crate::store) fn give_back(&mut self, meters: &[Meter]) {
        let place = |spent: &[(MeterId, Timestamp)], meter: &Meter| spent.iter().position(|(id, _)| *id == meter.id);
        let mut back = Vec::new();
        for meter in meters {
            back.extend(place(&self.spent, meter).map(|place| self.spent.swap_remove(place)));
        }
        self.desk.give_back(back);
    }

    /// Prepares a statement without running it.
    pub(in crate::store) async fn prepare(&mut self, sql: &'static Sql) -> Result<()> {
        let outcome = self.client.prepare_cached(sql.pg()).await.map(drop);
        self.note(outcome)
    }

    /// Sends `BEGIN` in front of the first statement without waiting for its answer.
    async fn begin_with<T>(
        &self,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, tokio_postgres::Error> {
        if self.stands != Stands::Waiting {
            return statement.await;
        }
        let (begun, done) = join(self.client.batch_execute("BEGIN"), statement).await;
        begun.and(done)
    }

    fn allow(&self, sql: &Sql) -> Result<()> {
        if self.stands == Stands::Reading && !sql.reads() {
            return Err(Error::internal("a look must not write"));
        }
        if self.trouble.is_some() {
            return Err(Error::unavailable("a statement of this unit has failed before"));
        }
        Ok(())
    }

    fn note<T>(&mut self, outcome: Result<T, tokio_postgres::Error>) -> Result<T> {
        if self.stands == Stands::Waiting {
            self.stands = Stands::Open;
        }
        outcome.map_err(|error| {
            let broken = spoils_connection(&error) || self.client.is_closed();
            self.trouble = Some(Trouble { again: worth_another_try(&error), broken });
            failed(error)
        })
    }

    /// Commits what a unit did, or takes it back.
    pub(super) async fn end<T>(mut self, outcome: Result<T>) -> (Result<T>, Ended) {
        let (desk, spent) = (self.desk, std::mem::take(&mut self.spent));
        let (outcome, ended) = self.close(outcome).await;
        // Where it is not certain that nothing was committed, it counts.
        if outcome.is_err() && (ended.again || ended.clean) {
            desk.give_back(spent);
        }
        (outcome, ended)
    }

    async fn close<T>(self, outcome: Result<T>) -> (Result<T>, Ended) {
        match (self.trouble, outcome) {
            (None, Ok(value)) => self.commit(value).await,
            (None, refused) => (refused, Ended { again: false, clean: self.roll_back().await }),
            (Some(Trouble { again, broken }), outcome) => {
                let refused = outcome.and_then(|_| Err(Error::unavailable("a statement of this unit has failed")));
                (refused, Ended { again, clean: !broken && self.roll_back().await })
            }
        }
    }

    async fn commit<T>(self, value: T) -> (Result<T>, Ended) {
        if self.stands != Stands::Open {
            return (Ok(value), Ended { again: false, clean: true });
        }
        match self.client.batch_execute("COMMIT").await {
            Ok(()) => (Ok(value), Ended { again: false, clean: true }),
            // Refused by the engine, it is rolled back. Anything else may have been committed, and is never done again.
            Err(error) => {
                let refused = error.code().is_some_and(|code| ["40001", "40P01"].contains(&code.code()));
                (Err(failed(error)), Ended { again: refused, clean: refused })
            }
        }
    }

    async fn roll_back(&self) -> bool {
        self.stands != Stands::Open || self.client.batch_execute("ROLLBACK").await.is_ok()
    }
}
