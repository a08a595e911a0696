//! Units for different addresses share a transaction: their statements go out together and come back together, and one commit
//! makes all of them durable. Each keeps its own outcome. Units for one address follow one another, whatever waits meanwhile.
//! Refuses to let one that fails take others with it: they are done again, each alone.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use doorcode_core::{Error, Result};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use tokio::sync::{mpsc, oneshot};

use super::board::Board;
use super::errors::with_causes;
use super::statements::{Left, Statements};
use super::transaction::{Ended, Purpose, Transaction, Trouble};
use super::{Inner, UNIT_MOST};
use crate::store::db::Tx;
use crate::store::targets::TargetId;

/// Who may wait before the door.
const ROOM: usize = 4096;
/// Groups that are under way at the same time: while one waits for the disk, others work.
pub(super) const UNDER_WAY: usize = 3;
/// Units of one group at the most.
const MOST: usize = 64;
/// Who may wait for one address: whoever floods it must not fill the memory, nor keep its owner waiting for long.
const LINE: usize = 1024;

/// The way in. It closes when the last of these is dropped.
#[derive(Clone)]
pub(super) struct Groups(mpsc::Sender<Waiting>);

/// A unit, and the address that it is about.
struct Waiting {
    about: TargetId,
    job: Box<dyn Job>,
}

/// A unit of work with its types forgotten, so that units of every kind stand in one line.
trait Job: Send {
    /// Does the work, keeping what it came to. True: it went well.
    fn run<'j>(&'j mut self, tx: &'j mut Tx<'_>) -> BoxFuture<'j, bool>;
    /// Answers who waits.
    fn answer(self: Box<Self>, end: End);
    /// Whether somebody still waits.
    fn is_wanted(&self) -> bool;
}

/// How a group ended, for one of its units.
#[derive(Clone)]
enum End {
    /// What it came to is durable, or changed nothing.
    AsItSaid,
    /// Nothing of it is there, and it is to be done alone.
    Alone,
    /// It may be there or not.
    Lost(String),
}

/// What whoever waits is told.
pub(super) enum Told<T> {
    /// It was done.
    Done(Result<T>),
    /// It was not, through no fault of its own.
    Alone,
}

struct Unit<T, F> {
    unit: Option<F>,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Told<T>>,
}

impl<T, F> Job for Unit<T, F>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Send + 'static,
{
    fn run<'j>(&'j mut self, tx: &'j mut Tx<'_>) -> BoxFuture<'j, bool> {
        Box::pin(async move {
            if let Some(unit) = self.unit.take() {
                let outcome = AssertUnwindSafe(unit(tx)).catch_unwind().await;
                self.outcome = Some(outcome.unwrap_or_else(|_| Err(Error::internal("a unit of work panicked"))));
            }
            matches!(self.outcome, Some(Ok(_)))
        })
    }

    fn answer(self: Box<Self>, end: End) {
        let told = match (end, self.outcome) {
            (End::AsItSaid, Some(outcome)) => Told::Done(outcome),
            (End::Lost(why), _) => Told::Done(Err(Error::unavailable(why))),
            _ => Told::Alone,
        };
        // Whoever asked may have given up.
        drop(self.reply.send(told));
    }

    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }
}

impl Groups {
    /// Opens the door.
    pub(super) fn open(inner: Arc<Inner>) -> Self {
        let (waiting, coming) = mpsc::channel(ROOM);
        tokio::spawn(deal(inner, coming));
        Self(waiting)
    }

    /// Has a unit done in a group.
    pub(super) async fn join<T, F>(&self, about: TargetId, unit: F) -> Result<Told<T>>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let closed = || Error::unavailable("the store is closed");
        let (reply, told) = oneshot::channel();
        let job = Box::new(Unit { unit: Some(unit), outcome: None, reply });
        self.0.send(Waiting { about, job }).await.map_err(|_| closed())?;
        told.await.map_err(|_| Error::unavailable("the database did not answer a group of units in time"))
    }
}

/// Makes groups of those who wait.
async fn deal(inner: Arc<Inner>, mut coming: mpsc::Receiver<Waiting>) {
    let (ended, mut freed) = mpsc::unbounded_channel();
    let (mut lines, mut under_way, mut batch) = (Lines::default(), 0, Vec::new());
    loop {
        tokio::select! {
            came = coming.recv_many(&mut batch, ROOM), if lines.count < ROOM => {
                if came == 0 {
                    return;
                }
                batch.drain(..).for_each(|waiting| lines.push(waiting));
            }
            Some(addresses) = freed.recv() => {
                under_way -= 1;
                lines.free(addresses);
            }
        }
        while under_way < UNDER_WAY && !lines.ready.is_empty() {
            under_way += 1;
            let group = lines.take();
            let over = Over { addresses: group.iter().map(|waiting| waiting.about).collect(), ended: ended.clone() };
            let inner = Arc::clone(&inner);
            tokio::spawn(async move {
                run(&inner, group).await;
                drop(over);
            });
        }
    }
}

/// Says that a group is over, however it ended.
struct Over {
    addresses: Vec<TargetId>,
    ended: mpsc::UnboundedSender<Vec<TargetId>>,
}

impl Drop for Over {
    fn drop(&mut self) {
        // Where the store is closed, nobody wants to know.
        drop(self.ended.send(std::mem::take(&mut self.addresses)));
    }
}

/// Those who wait, one of each address in front.
#[derive(Default)]
struct Lines {
    ready: VecDeque<Waiting>,
    /// The others of each address that has one in front, or in a group.
    behind: HashMap<TargetId, VecDeque<Waiting>>,
    /// All of them.
    count: usize,
}

impl Lines {
    fn push(&mut self, waiting: Waiting) {
        match self.behind.get_mut(&waiting.about) {
            Some(line) if line.len() >= LINE => {
                return waiting.job.answer(End::Lost("too many wait for one address".to_owned()));
            }
            Some(line) => line.push_back(waiting),
            None => {
                self.behind.insert(waiting.about, VecDeque::new());
                self.ready.push_back(waiting);
            }
        }
        self.count += 1;
    }

    fn take(&mut self) -> Vec<Waiting> {
        let mut group: Vec<Waiting> = self.ready.drain(..self.ready.len().min(MOST)).collect();
        self.count -= group.len();
        // What is new is inserted in this order, so that two groups do not wait for each other.
        group.sort_by_key(|waiting| waiting.about);
        group
    }

    fn free(&mut self, addresses: Vec<TargetId>) {
        for address in addresses {
            let Some(line) = self.behind.get_mut(&address) else { continue };
            let before = line.len();
            // Who has gone away is passed over.
            let next = std::iter::from_fn(|| line.pop_front()).find(|waiting| waiting.job.is_wanted());
            self.count -= before - line.len();
            match next {
                Some(next) => {
                    self.count += 1;
                    self.ready.push_back(next);
                }
                None => drop(self.behind.remove(&address)),
            }
        }
    }
}

/// Does a group and answers all of it. Whoever is not answered, because it took too long, hears that.
async fn run(inner: &Inner, mut group: Vec<Waiting>) {
    // What was spent by then stays spent: it is not certain that nothing was committed.
    let Ok((ends, spent)) = tokio::time::timeout(UNIT_MOST, attempt(inner, &mut group)).await else { return };
    // First: whoever is done again spends again.
    inner.desk.give_back(spent);
    for (waiting, end) in group.into_iter().zip(ends) {
        waiting.job.answer(end);
    }
}

type Spent = Vec<(crate::store::meters::MeterId, doorcode_core::Timestamp)>;

/// Runs a group once. Gives how each ended, and what is to be given back.
async fn attempt(inner: &Inner, group: &mut [Waiting]) -> (Vec<End>, Spent) {
    let mut connection = match inner.group_connection().await {
        Ok(connection) => connection,
        Err(error) => return (vec![End::Lost(with_causes(&error)); group.len()], Spent::new()),
    };
    let client = match connection.client() {
        Ok(client) => client,
        Err(error) => return (vec![End::Lost(with_causes(&error)); group.len()], Spent::new()),
    };
    let about = group.iter().map(|waiting| waiting.about).collect();
    // Whether it may do better on another connection is for each to find out.
    let Ok(transaction) = Transaction::new(client, Purpose::Work, about).await else {
        return (vec![End::Alone; group.len()], Spent::new());
    };
    let board = Board::default();
    let units =
        group.iter_mut().map(|waiting| one(Statements::in_group(&transaction, &inner.desk, &board), &mut *waiting.job));
    let units = board.serve(join_all(units), &transaction, &inner.desk).await;
    let (ends, spent, ended) = end(&transaction, units).await;
    if ended.clean {
        connection.give_back();
    }
    (ends, spent)
}

async fn one(statements: Statements<'_>, job: &mut dyn Job) -> (bool, Left) {
    let mut tx = Tx::Pg(statements);
    let well = job.run(&mut tx).await;
    match tx {
        Tx::Pg(statements) => (well, statements.left()),
        Tx::Lite(_) => (false, Left::default()),
    }
}

/// Ends the transaction of a group.
async fn end(transaction: &Transaction<'_>, units: Vec<(bool, Left)>) -> (Vec<End>, Spent, Ended) {
    let broken = transaction.has_failed().then_some(Trouble { again: true, broken: true });
    let trouble = units.iter().find_map(|(_, left)| left.trouble).or(broken);
    // What one has written and takes back can't be told from what the others wrote.
    let spoilt = trouble.is_some() || units.iter().any(|(well, left)| !well && left.wrote);
    let everybody = |units: &[_], end: End| vec![end; units.len()];
    let all_spent = |units: Vec<(bool, Left)>| units.into_iter().flat_map(|(_, left)| left.spent).collect();
    if spoilt {
        let ended = transaction.roll_back(trouble).await;
        return (everybody(&units, End::Alone), all_spent(units), ended);
    }
    match transaction.commit().await {
        (Ok(()), ended) => {
            let ends = everybody(&units, End::AsItSaid);
            (ends, all_spent(units.into_iter().filter(|(well, _)| !well).collect()), ended)
        }
        (Err(_), ended) if ended.again => (everybody(&units, End::Alone), all_spent(units), ended),
        // What may have been committed counts.
        (Err(error), ended) => (everybody(&units, End::Lost(with_causes(&error))), Spent::new(), ended),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing(bool);

    impl Job for Nothing {
        fn run<'j>(&'j mut self, _: &'j mut Tx<'_>) -> BoxFuture<'j, bool> {
            Box::pin(async { true })
        }

        fn answer(self: Box<Self>, _: End) {}

        fn is_wanted(&self) -> bool {
            self.0
        }
    }

    fn waiting(n: u8) -> Waiting {
        Waiting { about: [n; 16], job: Box::new(Nothing(true)) }
    }

    fn taken(lines: &mut Lines) -> Vec<u8> {
        lines.take().iter().map(|waiting| waiting.about[0]).collect()
    }

    #[test]
    fn of_one_address_one_is_under_way() {
        let mut lines = Lines::default();
        for n in [1, 2, 1, 1, 3] {
            lines.push(waiting(n));
        }
        assert_eq!(taken(&mut lines), [1, 2, 3]);
        assert!(taken(&mut lines).is_empty(), "the others wait until the first is over");
        lines.free(vec![[1; 16], [2; 16]]);
        lines.push(waiting(2));
        assert_eq!(taken(&mut lines), [1, 2]);
        lines.free(vec![[1; 16], [2; 16], [3; 16]]);
        assert_eq!(taken(&mut lines), [1]);
        lines.free(vec![[1; 16]]);
        assert!(lines.behind.is_empty() && lines.ready.is_empty(), "nobody is left, and nothing of them");
    }

    #[test]
    fn a_flood_for_one_address_stays_small_and_goes_with_those_who_sent_it() {
        let mut lines = Lines::default();
        for _ in 0..2 * LINE {
            lines.push(Waiting { about: [1; 16], job: Box::new(Nothing(false)) });
        }
        assert_eq!(lines.count, LINE + 1);
        lines.push(waiting(2));
        assert_eq!(taken(&mut lines), [1, 2]);
        lines.free(vec![[1; 16], [2; 16]]);
        assert_eq!((lines.count, lines.behind.len()), (0, 0), "nobody waits any more");
    }

    #[test]
    fn a_group_is_not_endless() {
        let mut lines = Lines::default();
        (0..=u8::MAX).for_each(|n| lines.push(waiting(n)));
        assert_eq!(lines.take().len(), MOST);
    }
}
