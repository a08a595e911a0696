//! The statements of one unit, in a transaction of its own or a shared one. Refuses to go on after a failure.

use doorcode_core::{Error, Result, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::board::Board;
use super::desk::Desk;
use super::errors::failed;
use super::shared::{self, Answer};
use super::transaction::{LOCK, Transaction, Trouble, numbers, passed_over};
use crate::store::meters::{Meter, MeterId};
use crate::store::sql::{Owned, Sql, Value};
use crate::store::targets::TargetId;

/// A unit's statements.
pub struct Statements<'c> {
    transaction: &'c Transaction<'c>,
    desk: &'c Desk,
    /// Where the units of a group put what they ask for, so that it is asked for together.
    board: Option<&'c Board>,
    left: Remains,
}

/// What a unit leaves behind, for whoever ends its transaction.
#[derive(Default)]
pub(super) struct Remains {
    /// What was spent at the desk, to be given back if the unit comes to nothing.
    pub(super) spent: Vec<(MeterId, Timestamp)>,
    /// Something was changed.
    pub(super) wrote: bool,
    /// A statement has failed.
    pub(super) trouble: Option<Trouble>,
}

/// Values as the engine's client takes them.
pub(super) fn wire<'a>(values: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl<'c> Statements<'c> {
    /// In a transaction of its own.
    pub(super) fn new(transaction: &'c Transaction<'c>, desk: &'c Desk) -> Self {
        Self { transaction, desk, board: None, left: Remains::default() }
    }

    /// In the transaction of a group.
    pub(super) fn in_group(transaction: &'c Transaction<'c>, desk: &'c Desk, board: &'c Board) -> Self {
        Self { board: Some(board), ..Self::new(transaction, desk) }
    }

    /// What is left of it.
    pub(super) fn left(self) -> Remains {
        self.left
    }

    /// Runs a statement and gives its rows.
    pub(in crate::store) async fn rows(&mut self, sql: &'static Sql, values: &[Value<'_>]) -> Result<Vec<Row>> {
        self.run(sql, values).await.map(|answer| answer.rows)
    }

    /// Runs a statement and says how many rows it changed.
    pub(in crate::store) async fn execute(&mut self, sql: &'static Sql, values: &[Value<'_>]) -> Result<usize> {
        self.run(sql, values).await.map(|answer| answer.changed)
    }

    /// Runs a statement for each of several lists of values; together, where that can be.
    pub(in crate::store) async fn execute_each(
        &mut self,
        sql: &'static Sql,
        all: &[Vec<Value<'_>>],
    ) -> Result<Vec<usize>> {
        self.allow(sql)?;
        let all: Vec<Vec<Owned>> = all.iter().map(|values| values.iter().map(Owned::from).collect()).collect();
        let outcome = self.transaction.run(shared::run(self.transaction.client(), sql, &all)).await;
        Ok(self.note(outcome)?.into_iter().map(|answer| answer.changed).collect())
    }

    async fn run(&mut self, sql: &'static Sql, values: &[Value<'_>]) -> Result<Answer> {
        self.allow(sql)?;
        if let Some(board) = self.board {
            let answer = board.ask(sql, values.iter().map(Owned::from).collect()).await;
            return answer.map_err(|trouble| {
                self.left.trouble = Some(trouble);
                passed_over()
            });
        }
        let client = self.transaction.client();
        let outcome = async {
            let statement = client.prepare_cached(sql.pg()).await?;
            self.transaction.run(shared::alone(client, sql, &statement, values)).await
        };
        let outcome = outcome.await;
        self.note(outcome)
    }

    /// Locks addresses, all at once and so in the one order, unless its transaction began with that.
    pub(in crate::store) async fn lock(&mut self, ids: &[TargetId]) -> Result<()> {
        if !self.transaction.works() || ids.iter().all(|id| self.transaction.is_about(id)) {
            return Ok(());
        }
        let client = self.transaction.client();
        let outcome = async {
            let statement = client.prepare_cached(LOCK).await?;
            self.transaction.run(client.query(&statement, &[&numbers(ids)])).await
        };
        let outcome = outcome.await;
        self.note(outcome).map(drop)
    }

    /// Spends one from each meter, or from none, at the desk. Gives the place of one that was full.
    pub(in crate::store) async fn spend(&mut self, meters: &[Meter], now: Timestamp) -> Result<Option<usize>> {
        let full = match self.board {
            Some(board) => board.spend(meters, now).await?,
            None => self.desk.spend(meters, now).await?,
        };
        if full.is_none() {
            self.left.spent.extend(meters.iter().map(|meter| (meter.id, now.plus(meter.span))));
        }
        Ok(full)
    }

    /// Gives one back to each meter.
    pub(in crate::store) fn give_back(&mut self, meters: &[Meter]) {
        let place = |spent: &[(MeterId, Timestamp)], meter: &Meter| spent.iter().position(|(id, _)| *id == meter.id);
        let mut back = Vec::new();
        for meter in meters {
            back.extend(place(&self.left.spent, meter).map(|place| self.left.spent.swap_remove(place)));
        }
        self.desk.give_back(back);
    }

    /// Prepares a statement without running it.
    pub(in crate::store) async fn prepare(&mut self, sql: &'static Sql) -> Result<()> {
        let outcome = shared::prepare(self.transaction.client(), sql).await;
        self.note(outcome)
    }

    fn allow(&mut self, sql: &Sql) -> Result<()> {
        if self.left.trouble.is_some() {
            return Err(Error::unavailable("a statement of this unit has failed before"));
        }
        if !sql.reads() {
            if !self.transaction.works() {
                return Err(Error::internal("a look must not write"));
            }
            self.left.wrote = true;
        }
        Ok(())
    }

    fn note<T>(&mut self, outcome: Result<T, tokio_postgres::Error>) -> Result<T> {
        outcome.map_err(|error| {
            self.left.trouble = Some(self.transaction.trouble(&error));
            failed(error)
        })
    }
}
