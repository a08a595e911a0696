//! Units for different addresses share a transaction: their statements go out together and come back together, and one commit
//! makes all of them durable. Each keeps its own outcome. Units for one address follow one another, whatever waits meanwhile.
//! Refuses to let one that fails take others with it: they are done again, each alone.

use std::sync::Arc;

use doorcode_core::{Error, Result};
use futures_util::future::{BoxFuture, join_all};
use tokio::sync::{mpsc, oneshot};

use super::board::Board;
use super::errors::with_causes;
use super::job::{self, End, Job, Reply};
use super::lines::{LineId, Lines, Waiting, Work};
use super::statements::{Remains, Statements};
use super::transaction::{Aftermath, Purpose, Transaction, Trouble};
use super::{Inner, UNIT_MOST};
use crate::store::about::About;
use crate::store::db::Tx;

/// Who may come in at the same moment.
const ROOM: usize = 4096;
/// What whoever waits in vain is told.
const TOO_MANY: &str = "too many wait";
/// Groups that are under way at the same time: while one waits for the disk, others work.
pub(super) const UNDER_WAY: usize = 3;
/// Units of one group at the most.
const MOST: usize = 64;

/// The way in. It closes when the last of these is dropped.
#[derive(Clone)]
pub(super) struct Groups(mpsc::Sender<Waiting<Wanted>>);

/// What somebody waits for.
enum Wanted {
    /// That a unit is done in a group.
    Shared(Box<dyn Job>),
    /// Its turn, to do a unit alone.
    Turn(oneshot::Sender<Turn>),
}

impl Work for Wanted {
    fn is_alone(&self) -> bool {
        matches!(self, Self::Turn(_))
    }

    fn is_wanted(&self) -> bool {
        match self {
            Self::Shared(job) => job.is_wanted(),
            Self::Turn(turn) => !turn.is_closed(),
        }
    }
}

/// Somebody's turn in a line, over when it is dropped.
pub(super) struct Turn {
    lines: Vec<LineId>,
    of_group: bool,
    over: mpsc::UnboundedSender<(Vec<LineId>, bool)>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Where the store is closed, nobody wants to know.
        drop(self.over.send((std::mem::take(&mut self.lines), self.of_group)));
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
    pub(super) async fn join<T, F>(&self, about: &About, unit: F) -> Result<Reply<T>>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let (job, told) = job::of(unit);
        self.wait(about, Wanted::Shared(job)).await?;
        told.await.map_err(|_| Error::unavailable("the database did not answer a group of units in time"))
    }

    /// Waits until nobody of the same line is under way.
    pub(super) async fn turn(&self, about: &About) -> Result<Turn> {
        let (turn, given) = oneshot::channel();
        self.wait(about, Wanted::Turn(turn)).await?;
        given.await.map_err(|_| Error::unavailable(TOO_MANY))
    }

    async fn wait(&self, about: &About, work: Wanted) -> Result<()> {
        let waiting = Waiting { line: about.line, asker: about.asker, work };
        self.0.send(waiting).await.map_err(|_| Error::unavailable("the store is closed"))
    }
}

/// Makes groups of those who wait, and gives those who work alone their turns.
async fn deal(inner: Arc<Inner>, mut coming: mpsc::Receiver<Waiting<Wanted>>) {
    let (over, mut freed) = mpsc::unbounded_channel::<(Vec<LineId>, bool)>();
    let (mut lines, mut under_way, mut alone, mut batch) = (Lines::new(), 0, 0, Vec::new());
    loop {
        tokio::select! {
            came = coming.recv_many(&mut batch, ROOM) => {
                if came == 0 {
                    return;
                }
                batch.drain(..).filter_map(|waiting| lines.push(waiting)).for_each(refuse);
            }
            Some((done, of_group)) = freed.recv() => {
                let under_way = if of_group { &mut under_way } else { &mut alone };
                *under_way -= 1;
                lines.free(&done);
            }
        }
        while alone < inner.alone_most() {
            let Some(waiting) = lines.take_alone() else { break };
            if let Wanted::Turn(to) = waiting.work {
                alone += 1;
                // Who has gone away leaves the turn to the next.
                drop(to.send(Turn { lines: vec![waiting.line], of_group: false, over: over.clone() }));
            }
        }
        while under_way < UNDER_WAY && lines.has_ready() {
            under_way += 1;
            let group = lines.take(MOST);
            let ids = group.iter().map(|waiting| waiting.line).collect();
            let turn = Turn { lines: ids, of_group: true, over: over.clone() };
            let jobs = group.into_iter().filter_map(|waiting| match waiting.work {
                Wanted::Shared(job) => Some((waiting.line, job)),
                Wanted::Turn(_) => None,
            });
            let (inner, jobs) = (Arc::clone(&inner), jobs.collect());
            tokio::spawn(async move {
                run(&inner, jobs).await;
                drop(turn);
            });
        }
    }
}

/// Whoever waits for a turn hears that there is none when its sender is dropped.
fn refuse(wanted: Wanted) {
    if let Wanted::Shared(job) = wanted {
        job.answer(End::Failed(Error::unavailable(TOO_MANY)));
    }
}

/// Does a group and answers all of it. Whoever is not answered, because it took too long, hears that.
async fn run(inner: &Inner, mut group: Group) {
    // What was spent by then stays spent: it is not certain that nothing was committed.
    let Ok((ends, spent)) = tokio::time::timeout(UNIT_MOST, attempt(inner, &mut group)).await else { return };
    // First: whoever is done again spends again.
    inner.desk.give_back(spent);
    for ((_, job), end) in group.into_iter().zip(ends) {
        job.answer(end);
    }
}

/// Units, each with its address.
type Group = Vec<(LineId, Box<dyn Job>)>;
type Spent = Vec<(crate::store::meters::MeterId, doorcode_core::Timestamp)>;

/// Runs a group once. Gives how each ended, and what is to be given back.
async fn attempt(inner: &Inner, group: &mut Group) -> (Vec<End>, Spent) {
    let mut connection = match inner.group_connection().await {
        Ok(connection) => connection,
        Err(error) => return (lost(group.len(), &error), Spent::new()),
    };
    let client = match connection.client() {
        Ok(client) => client,
        Err(error) => return (lost(group.len(), &error), Spent::new()),
    };
    let about = group.iter().map(|(address, _)| *address).collect();
    // Whether it may do better on another connection is for each to find out.
    let Ok(transaction) = Transaction::new(client, Purpose::Work, about).await else {
        return (redo(group.len()), Spent::new());
    };
    let board = Board::default();
    let units =
        group.iter_mut().map(|(_, job)| job::run(&mut **job, Statements::in_group(&transaction, &inner.desk, &board)));
    let units = board.serve(join_all(units), &transaction, &inner.desk).await;
    let (ends, spent, ended) = end(&transaction, units).await;
    if ended.clean {
        connection.give_back();
    }
    (ends, spent)
}

/// Ends the transaction of a group.
async fn end(transaction: &Transaction<'_>, units: Vec<(bool, Remains)>) -> (Vec<End>, Spent, Aftermath) {
    let broken = transaction.has_failed().then_some(Trouble { again: true, broken: true });
    let trouble = units.iter().find_map(|(_, left)| left.trouble).or(broken);
    // What one has written and takes back can't be told from what the others wrote.
    let spoilt = trouble.is_some() || units.iter().any(|(well, left)| !well && left.wrote);
    let count = units.len();
    let all_spent = |units: Vec<(bool, Remains)>| units.into_iter().flat_map(|(_, left)| left.spent).collect();
    if spoilt {
        let ended = transaction.roll_back(trouble).await;
        return (redo(count), all_spent(units), ended);
    }
    match transaction.commit().await {
        (Ok(()), ended) => {
            let ends = (0..count).map(|_| End::Stands).collect();
            (ends, all_spent(units.into_iter().filter(|(well, _)| !well).collect()), ended)
        }
        (Err(_), ended) if ended.again => (redo(count), all_spent(units), ended),
        // What may have been committed counts.
        (Err(error), ended) => (lost(count, &error), Spent::new(), ended),
    }
}

/// Nothing of a group is there: each is to be done alone.
fn redo(count: usize) -> Vec<End> {
    (0..count).map(|_| End::Redo).collect()
}

/// What a group was to do may be there or not.
fn lost(count: usize, error: &Error) -> Vec<End> {
    let why = with_causes(error);
    (0..count).map(|_| End::Failed(Error::unavailable(why.clone()))).collect()
}
