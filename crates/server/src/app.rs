//! Everything that an operation may reach, in one concrete value. Refuses globals: two of these live in one process.

use std::sync::{Arc, OnceLock};

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::{Error, Id, Kid, OrgId, RelayId, Result, Timestamp, UserId};
use tokio::sync::broadcast;

use crate::capture::Verifier;
use crate::clock::Clock;
use crate::config::{Config, Transport};
use crate::deliver::inbox::Inbox;
use crate::egress::Egress;
use crate::entropy::Entropy;
use crate::keyring::Keys;
use crate::metrics::Metrics;
use crate::ops::feed::Feed;
use crate::ops::flights::Flights;
use crate::ops::holds::Holds;
use crate::ops::keys::Uses;
use crate::ops::outbox::{Outbox, Waiting};
use crate::ops::recent::Recent;
use crate::ops::relays::Rooms;
use crate::ops::sessions::Live;
use crate::ops::signed;
use crate::steady::Steady;
use crate::store::activities::Activity;
use crate::store::credentials::Credential;
use crate::store::targets::TargetId;
use crate::store::{Db, Tx, challenges, meta, moving, targets};

/// Messages that the inbox of `--dev` keeps.
const INBOX_ROOM: usize = 2000;

/// Requests that wait for their owners' browsers to be told. Beyond, a browser is not told, and the page says it all the same.
const ASKED_ROOM: usize = 1024;

/// The house, shared by every request and every background step.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// The keys in force.
    pub keys: Keys,
    /// The way out to hosts that callers name.
    pub egress: Egress,
    /// Where committed messages are handed to the worker.
    pub outbox: Outbox,
    /// Sessions that were looked at a moment ago.
    pub recent_sessions: Recent<Live>,
    /// Keys that were presented a moment ago, by their digests.
    pub recent_keys: Recent<Credential>,
    /// Who signed a moment ago, by organisation and key.
    pub recent_signers: Recent<signed::Found>,
    /// Signed bodies that are being worked on.
    pub bodies: Flights<Activity>,
    /// Signers that are being looked up.
    pub lookups: Flights<Arc<signed::Found>>,
    /// When keys were last presented.
    pub uses: Uses,
    /// Who waits to hear of a verification.
    pub feed: Feed,
    /// Where requests of the relay are watched.
    pub rooms: Rooms,
    /// What they are watched with.
    pub holds: Holds,
    /// Where a committed request is handed, with its owner, to whoever tells their browsers.
    pub asked: broadcast::Sender<(UserId, RelayId)>,
    /// The messages that were kept in place of being sent, under `--dev`.
    pub inbox: Option<Inbox>,
    /// Who judges the senders of mail that comes in. Made when the first comes: most installations have none.
    pub verifier: OnceLock<Verifier>,
    /// A name for this process among the servers of its database.
    pub node: String,
    /// What is counted.
    pub metrics: Metrics,
    /// Where answers wait that must not tell by their time.
    pub steady: Steady,
}

/// No machine that runs this has an earlier time: rows hold times long ago, which must be over (`store/targets/`).
const EARLIEST: Timestamp = Timestamp::from_millis(1 << 40);

impl App {
    /// Opens the house of a configuration: database, time, keys. Gives the end of the outbox that the worker reads.
    pub async fn open(config: Config, clock: Option<Clock>, entropy: Entropy) -> Result<(Arc<Self>, Waiting)> {
        create_dir(&config.data)?;
        let db = Db::of(&config.data, config.database.as_deref()).await?;
        moving::refuse(&db).await?;
        let mark = db.read(|tx| Box::pin(meta::clock(tx))).await?;
        let clock = match clock {
            Some(clock) => clock,
            None => Clock::real(mark, db.time().await?),
        };
        if clock.now() < EARLIEST {
            return Err(Error::unavailable("the machine's clock is years behind; set it, and start again"));
        }
        let make = config.dev.then_some(&entropy);
        let keys = Keys::open(&db, &config.keys, make, clock.now()).await?;
        let kid = keys.ring().active().kid;
        // Looked for first: a command that only reads needs no write lock beside a busy server.
        if !db.read(|tx| Box::pin(has_stand_ins(tx))).await? {
            db.write(move |tx| Box::pin(keep_stand_ins(tx, kid))).await?;
        }
        let newest = db.read(|tx| Box::pin(challenges::newest(tx))).await?;
        entropy.behind(&newest);
        let (outbox, waiting) = Outbox::new();
        let inbox = matches!(config.mail.transport, Transport::Inbox).then(|| Inbox::new(INBOX_ROOM));
        let feed = Feed::new(config.server.max_connections, config.server.streams_each);
        let heard = feed.clone();
        db.hear(move |name| match name {
            Some(name) => heard.call(name),
            None => heard.call_all(),
        });
        let egress = Egress::new(&config.egress, config.server.listen, config.server.public_url.as_deref())?;
        let node = format!("{:016x}", u64::from_be_bytes(entropy.bytes()?));
        let steady = Steady::new(config.server.steady_after.saturating_mul(db.slower()))?;
        let app = Self {
            config,
            db,
            clock,
            entropy,
            keys,
            egress,
            outbox,
            recent_sessions: Recent::default(),
            recent_keys: Recent::default(),
            recent_signers: Recent::default(),
            bodies: Flights::default(),
            lookups: Flights::default(),
            uses: Uses::default(),
            feed,
            rooms: Rooms::default(),
            holds: Holds::default(),
            asked: broadcast::channel(ASKED_ROOM).0,
            inbox,
            verifier: OnceLock::new(),
            node,
            metrics: Metrics::new(),
            steady,
        };
        Ok((Arc::new(app), waiting))
    }

    /// The base of links: the configured one, else (under `--dev`) the listener.
    pub fn base_url(&self) -> String {
        self.config.server.public_url.clone().unwrap_or_else(|| format!("http://{}", self.config.server.listen))
    }

    /// Calls everybody who listens for news of this, on every server.
    pub fn call<K>(&self, id: Id<K>) {
        self.feed.call(*id.as_bytes());
        self.db.tell(*id.as_bytes());
    }

    /// Writes down what time it is, so that a restart does not begin below it.
    pub async fn mark_time(&self) -> Result<()> {
        let now = self.clock.now();
        self.db.write(move |tx| Box::pin(async move { meta::mark(tx, now).await })).await
    }
}

/// The row in which everything about an address in a realm is counted. It begins with what is the address's in every realm
/// ([`targets::everywhere`]), so that those of one address stand side by side; the ten bytes behind that are the realm's too.
pub fn target_of(realm: OrgId, address: &str) -> TargetId {
    let mut target = fingerprint("target", &[realm.as_bytes(), address.as_bytes()]);
    let [first, _] = targets::everywhere(address);
    target[..targets::SHARED].copy_from_slice(&first[..targets::SHARED]);
    target
}

/// The rows that stand in for what is not there, so that looking for it takes as long.
async fn keep_stand_ins(tx: &mut Tx<'_>, kid: Kid) -> Result<()> {
    challenges::keep_decoy(tx, kid).await?;
    targets::keep_stand_ins(tx).await
}

async fn has_stand_ins(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(challenges::get(tx, &challenges::DECOY).await?.is_some() && targets::has_stand_ins(tx).await?)
}

/// Makes the data directory if it is not there, readable by its owner alone.
pub fn create_dir(dir: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| {
        let why = format!("the data directory {} can't be made: {error}; name another one with --data", dir.display());
        Error::unavailable(why)
    })
}
