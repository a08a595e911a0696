//! PostgreSQL, for more than one node: a pool of connections, one transaction a unit of work, tried again where the engine says
//! that trying again may do. Refuses to leave a transaction open, to take a commit for lost that may have been made, and to
//! wait for a database that does not answer.

mod board;
mod connection;
mod desk;
mod errors;
mod group;
mod job;
mod lines;
mod migrate;
mod moving;
mod notices;
mod row;
mod settings;
mod shared;
mod statements;
mod tls;
mod transaction;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Metrics, Pool, RecyclingMethod, Runtime,
};
use doorcode_core::{Error, Result, Timestamp};
use futures_util::future::BoxFuture;

use super::about::About;
use super::db::Tx;
use super::targets::TargetId;
use connection::Connection;
use desk::Desk;
use errors::busy;
use group::{Groups, Turn};
use job::{End, Job, Reply};
use notices::Notices;
use transaction::{Aftermath, Purpose, Transaction, passed_over};

pub(super) use moving::Target;
pub(super) use notices::{Name, Told};
pub(super) use row::{bytes, int, maybe_bytes, text};
pub use settings::Settings;
pub(super) use statements::Statements;

/// How long the making of a connection may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a unit waits for a connection of the pool while others have them all. A database that is gone is told at once.
const QUEUE_PATIENCE: Duration = Duration::from_secs(10);
/// The longest that a unit over whole tables may take.
const OVERHAUL_MOST: Duration = Duration::from_secs(6 * 3600);
/// The longest that a unit may take: a database that hangs must not hold its callers for as long.
const UNIT_MOST: Duration = Duration::from_secs(10);
const COMMIT: &str = "SELECT current_setting('synchronous_commit')";
const SYNC: &str = "SELECT current_setting('fsync')";
const TIME: &str = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";

/// How often a unit is begun at the most.
const TRIES: u32 = 5;
/// The wait before the second try, at the most. Each later one may be twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// The engine, cheap to clone.
#[derive(Clone)]
pub(super) struct Pg {
    inner: Arc<Inner>,
    groups: Groups,
}

struct Inner {
    pool: Pool,
    /// For groups alone: units that wait for a row with a connection each must not keep everybody from signing in.
    group_pool: Pool,
    desk: Desk,
    notices: Notices,
    settings: Settings,
    units: AtomicU64,
}

impl Pg {
    /// Connects, and brings the schema up to date.
    pub(super) async fn open(settings: &Settings) -> Result<Self> {
        // Its commits need no sync of their own: see the desk.
        let desk = Desk::open(pool(&settings.that_follows(), 1, None)?);
        let notices = Notices::open(pool(settings, 1, None)?);
        let group_pool = pool(settings, group::UNDER_WAY, Some(durable()))?;
        let pool = pool(settings, settings.connections, Some(durable()))?;
        let inner = Inner { pool, group_pool, desk, notices, settings: settings.clone(), units: AtomicU64::new(0) };
        let inner = Arc::new(inner);
        let mut connection = inner.connection().await?;
        warn_of_forgetful(connection.client()?).await?;
        migrate::run(connection.client()?).await?;
        connection.give_back();
        Ok(Self { groups: Groups::open(Arc::clone(&inner)), inner })
    }

    /// One unit of work in a transaction. On a task of its own: whoever hangs up meanwhile stops nothing half way.
    pub(super) async fn write<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let outcome = self.run(unit, Purpose::Work, Vec::new(), None).await;
        self.inner.units.fetch_add(1, Ordering::Relaxed);
        outcome
    }

    /// One unit of work over whole tables.
    pub(super) async fn overhaul<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.run(unit, Purpose::Overhaul, Vec::new(), None).await
    }

    /// One unit of work that says what it is about, in its turn: in a transaction with others' if that can be, else in one of its own.
    pub(super) async fn write_at<T, F>(&self, about: About, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let outcome = if about.alone {
            match self.groups.turn(&about).await {
                Ok(turn) => self.run(unit, Purpose::Work, about.locks(), Some(turn)).await,
                Err(error) => Err(error),
            }
        } else {
            match self.groups.join(&about, unit.clone()).await {
                Ok(Reply::Done(outcome)) => outcome,
                Ok(Reply::Alone) => self.run(unit, Purpose::Work, about.locks(), None).await,
                Err(error) => Err(error),
            }
        };
        self.inner.units.fetch_add(1, Ordering::Relaxed);
        outcome
    }

    /// One unit of work in a transaction of its own. Its turn, if it has one, is over then.
    async fn run<T, F>(&self, unit: F, purpose: Purpose, about: Vec<TargetId>, turn: Option<Turn>) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let (job, told) = job::of(unit);
        self.begin(job, purpose, about, turn).await?;
        match told.await {
            Ok(Reply::Done(outcome)) => outcome,
            Ok(Reply::Alone) | Err(_) => Err(Error::internal("a unit of work was not answered")),
        }
    }

    /// Waits for a connection as the caller, who may give up, and then works on a task of its own, which goes on to its end: else
    /// who hangs up would leave work in the queue, or a connection that has to be closed.
    async fn begin(
        &self,
        mut job: Box<dyn Job>,
        purpose: Purpose,
        about: Vec<TargetId>,
        turn: Option<Turn>,
    ) -> Result<()> {
        let first = self.inner.connection().await?;
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move {
            let end = inner.run(first, &mut *job, purpose, about).await;
            drop(turn);
            job.answer(end.map_or_else(End::Failed, |()| End::Stands));
        });
        Ok(())
    }

    /// A look, each statement on its own.
    pub(super) async fn read<T, F>(&self, look: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.run(look, Purpose::Look, Vec::new(), None).await
    }

    /// Units that were run or refused since start.
    pub(super) fn units(&self) -> u64 {
        self.inner.units.load(Ordering::Relaxed)
    }

    /// The database's time, in milliseconds.
    pub(super) async fn time(&self) -> Result<Timestamp> {
        let mut connection = self.inner.connection().await?;
        let client = connection.client()?;
        let asked = async {
            let statement = client.prepare_cached(TIME).await?;
            client.query_one(&statement, &[]).await?.try_get(0)
        };
        let millis = tokio::time::timeout(PATIENCE, asked).await;
        let millis = millis.map_err(|_| Error::unavailable("the database did not answer in time"))?;
        let millis = millis.map_err(errors::failed)?;
        connection.give_back();
        Ok(Timestamp::from_millis(millis))
    }

    /// Tells every server that there may be news of this.
    pub(super) fn tell(&self, name: Name) {
        self.inner.notices.tell(name);
    }

    /// Hears from now on what every server tells.
    pub(super) fn hear(&self, told: Told) {
        notices::listen(self.inner.settings.clone(), told);
    }

    /// Lets go of every connection.
    pub(super) fn close(&self) {
        self.inner.pool.close();
        self.inner.group_pool.close();
    }
}

/// Refuses a database that acknowledges what a crash takes back.
async fn refuse_forgetful(client: &ClientWrapper) -> Result<()> {
    if setting(client, COMMIT).await? == "off" {
        return Err(Error::internal(
            "the database has synchronous_commit = off: a crash would bring used codes and revoked keys back to life",
        ));
    }
    Ok(())
}

/// What a crash of its machine would take back is for whoever set it so.
async fn warn_of_forgetful(client: &ClientWrapper) -> Result<()> {
    if setting(client, SYNC).await? == "off" {
        tracing::warn!(
            "the database has fsync = off: a crash of its machine brings used codes and revoked keys back to life"
        );
    }
    Ok(())
}

async fn setting(client: &ClientWrapper, sql: &str) -> Result<String> {
    let row = client.query_one(sql, &[]).await.map_err(errors::failed)?;
    row.try_get(0).map_err(errors::failed)
}

/// Looks at every new connection: what a role or a database is set to may change, and a server behind another name may be another one.
fn durable() -> Hook {
    Hook::async_fn(|client: &mut ClientWrapper, _: &Metrics| {
        Box::pin(async move {
            let look = tokio::time::timeout(PATIENCE, refuse_forgetful(client)).await;
            let look = look.unwrap_or_else(|_| Err(Error::unavailable("the database did not answer in time")));
            look.map_err(|error| HookError::message(errors::with_causes(&error)))
        })
    })
}

fn pool(settings: &Settings, connections: usize, look: Option<Hook>) -> Result<Pool> {
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(settings.config.clone(), tls::connector(settings)?, manager);
    let mut builder = Pool::builder(manager);
    if let Some(look) = look {
        builder = builder.post_create(look);
    }
    builder
        .max_size(connections)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(QUEUE_PATIENCE))
        .create_timeout(Some(PATIENCE))
        .recycle_timeout(Some(PATIENCE))
        .build()
        .map_err(Error::internal)
}

impl Inner {
    /// How many of those that say what they are about may work alone at the same time: not with all connections that there are, so that
    /// they wait in their lines, where askers take turns, and not for the pool.
    fn alone_most(&self) -> usize {
        (self.settings.connections / 2).max(1)
    }

    async fn group_connection(&self) -> Result<Connection> {
        Ok(Connection::new(self.group_pool.get().await.map_err(busy)?))
    }

    async fn connection(&self) -> Result<Connection> {
        Ok(Connection::new(self.pool.get().await.map_err(busy)?))
    }

    /// Runs a unit, again if that may help: it lost a race, or its connection broke before it was committed. What it came to stands,
    /// or this says why it does not.
    async fn run(&self, first: Connection, job: &mut dyn Job, purpose: Purpose, about: Vec<TargetId>) -> Result<()> {
        let (mut wait, mut first) = (FIRST_WAIT, Some(first));
        for left in (0..TRIES).rev() {
            let mut connection = match first.take() {
                Some(first) => first,
                None => self.connection().await?,
            };
            let (client, about) = (connection.client()?, about.clone());
            let attempt = async {
                match Transaction::new(client, purpose, about).await {
                    Ok(transaction) => self.attempt(&transaction, job).await,
                    Err(error) => {
                        let again = errors::worth_another_try(&error);
                        (Err(errors::failed(error)), Aftermath { again, clean: false })
                    }
                }
            };
            let most = if purpose == Purpose::Overhaul { OVERHAUL_MOST } else { UNIT_MOST };
            let Ok((outcome, ended)) = tokio::time::timeout(most, attempt).await else {
                return Err(Error::unavailable("the database did not answer in time"));
            };
            if ended.clean {
                connection.give_back();
            }
            if !ended.again || left == 0 {
                return outcome;
            }
            // Whoever lost to the same one must not come back at the same moment.
            tokio::time::sleep(wait.mul_f64(errors::chance())).await;
            wait *= 2;
        }
        Err(Error::unavailable("a unit of work was begun too often"))
    }

    /// Runs a unit once, in a transaction of its own.
    async fn attempt(&self, transaction: &Transaction<'_>, job: &mut dyn Job) -> (Result<()>, Aftermath) {
        let (well, left) = job::run(job, Statements::new(transaction, &self.desk)).await;
        let (outcome, ended) = match (left.trouble, well) {
            (None, true) => transaction.commit().await,
            (None, false) => (Ok(()), transaction.roll_back(None).await),
            (trouble, true) => (Err(passed_over()), transaction.roll_back(trouble).await),
            (trouble, false) => (Ok(()), transaction.roll_back(trouble).await),
        };
        // Where it is not certain that nothing was committed, it counts.
        if !(well && outcome.is_ok()) && (ended.again || ended.clean) {
            self.desk.give_back(left.spent);
        }
        (outcome, ended)
    }
}
