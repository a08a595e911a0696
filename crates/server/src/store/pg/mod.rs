//! PostgreSQL, for more than one node: a pool of connections, one transaction a unit of work, tried again where the engine says
//! that trying again may do. Refuses to leave a transaction open, to take a commit for lost that may have been made, and to
//! wait for a database that does not answer.

mod board;
mod connection;
mod desk;
mod errors;
mod group;
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

use deadpool_postgres::{ClientWrapper, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use doorcode_core::{Error, Result, Timestamp};
use futures_util::future::BoxFuture;

use super::db::Tx;
use super::targets::TargetId;
use connection::Connection;
use desk::Desk;
use errors::busy;
use group::{Groups, Told as Answered};
use notices::Notices;
use transaction::{Ended, Purpose, Transaction, passed_over};

pub(super) use moving::Target;
pub(super) use notices::{Name, Told};
pub(super) use row::{bytes, int, maybe_bytes, text};
pub use settings::Settings;
pub(super) use statements::Statements;

/// How long the making of a connection may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a unit waits for a connection of the pool while others have them all. A database that is gone is told at once.
const QUEUE_PATIENCE: Duration = Duration::from_secs(10);
/// The longest that a unit may take: a database that hangs must not hold its callers for as long.
const UNIT_MOST: Duration = Duration::from_secs(10);
const DURABLE: &str = "SELECT current_setting('fsync'), current_setting('synchronous_commit')";
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
        // `refuse_forgetful` refuses elsewhere what is set for this one.
        let desk = Desk::open(pool(&settings.that_follows(), 1)?);
        let notices = Notices::open(pool(settings, 1)?);
        let group_pool = pool(settings, group::UNDER_WAY)?;
        let pool = pool(settings, settings.connections)?;
        let inner = Inner { pool, group_pool, desk, notices, settings: settings.clone(), units: AtomicU64::new(0) };
        let inner = Arc::new(inner);
        let mut connection = inner.connection().await?;
        refuse_forgetful(connection.client()?).await?;
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
        let outcome = self.run(unit, Purpose::Work, Vec::new()).await;
        self.inner.units.fetch_add(1, Ordering::Relaxed);
        outcome
    }

    /// One unit of work about one address, in a transaction with others' if that can be, else in one of its own.
    pub(super) async fn write_at<T, F>(&self, about: TargetId, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let outcome = match self.groups.join(about, unit.clone()).await {
            Ok(Answered::Done(outcome)) => outcome,
            Ok(Answered::Alone) => self.run(unit, Purpose::Work, vec![about]).await,
            Err(error) => Err(error),
        };
        self.inner.units.fetch_add(1, Ordering::Relaxed);
        outcome
    }

    /// Waits for a connection as the caller, who may give up, and then works on a task of its own, which goes on to its end: else
    /// who hangs up would leave work in the queue, or a connection that has to be closed.
    async fn run<T, F>(&self, unit: F, purpose: Purpose, about: Vec<TargetId>) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let first = self.inner.connection().await?;
        let inner = Arc::clone(&self.inner);
        let work = tokio::spawn(async move { inner.run(first, unit, purpose, about).await });
        work.await.unwrap_or_else(|_| Err(Error::internal("a unit of work panicked")))
    }

    /// A look, each statement on its own.
    pub(super) async fn read<T, F>(&self, look: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.run(look, Purpose::Look, Vec::new()).await
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
    let row = client.query_one(DURABLE, &[]).await.map_err(errors::failed)?;
    let [fsync, commit]: [String; 2] =
        [row.try_get(0).map_err(errors::failed)?, row.try_get(1).map_err(errors::failed)?];
    if commit == "off" {
        return Err(Error::internal(
            "the database has synchronous_commit = off: a crash would bring used codes and revoked keys back to life",
        ));
    }
    if fsync == "off" {
        tracing::warn!(
            "the database has fsync = off: a crash of its machine brings used codes and revoked keys back to life"
        );
    }
    Ok(())
}

fn pool(settings: &Settings, connections: usize) -> Result<Pool> {
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(settings.config.clone(), tls::connector(settings)?, manager);
    Pool::builder(manager)
        .max_size(connections)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(QUEUE_PATIENCE))
        .create_timeout(Some(PATIENCE))
        .recycle_timeout(Some(PATIENCE))
        .build()
        .map_err(Error::internal)
}

impl Inner {
    async fn group_connection(&self) -> Result<Connection> {
        Ok(Connection::new(self.group_pool.get().await.map_err(busy)?))
    }

    async fn connection(&self) -> Result<Connection> {
        Ok(Connection::new(self.pool.get().await.map_err(busy)?))
    }

    /// Runs a unit, again if that may help: it lost a race, or its connection broke before it was committed.
    async fn run<T, F>(&self, first: Connection, unit: F, purpose: Purpose, about: Vec<TargetId>) -> Result<T>
    where
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Clone + Send,
    {
        let (mut wait, mut first) = (FIRST_WAIT, Some(first));
        for left in (0..TRIES).rev() {
            let mut connection = match first.take() {
                Some(first) => first,
                None => self.connection().await?,
            };
            let (client, unit, about) = (connection.client()?, unit.clone(), about.clone());
            let attempt = async move {
                match Transaction::new(client, purpose, about).await {
                    Ok(transaction) => self.attempt(&transaction, unit).await,
                    Err(error) => {
                        let again = errors::worth_another_try(&error);
                        (Err(errors::failed(error)), Ended { again, clean: false })
                    }
                }
            };
            let Ok((outcome, ended)) = tokio::time::timeout(UNIT_MOST, attempt).await else {
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
    async fn attempt<T, F>(&self, transaction: &Transaction<'_>, unit: F) -> (Result<T>, Ended)
    where
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Send,
    {
        let mut tx = Tx::Pg(Statements::new(transaction, &self.desk));
        let outcome = unit(&mut tx).await;
        let Tx::Pg(statements) = tx else { return (outcome, Ended { again: false, clean: false }) };
        let left = statements.left();
        let (outcome, ended) = match (left.trouble, outcome) {
            (None, Ok(value)) => {
                let (committed, ended) = transaction.commit().await;
                (committed.map(|()| value), ended)
            }
            (None, refused) => (refused, transaction.roll_back(None).await),
            (trouble, outcome) => (outcome.and_then(|_| Err(passed_over())), transaction.roll_back(trouble).await),
        };
        // Where it is not certain that nothing was committed, it counts.
        if outcome.is_err() && (ended.again || ended.clean) {
            self.desk.give_back(left.spent);
        }
        (outcome, ended)
    }
}
