//! The whole house without a socket: the real router, a clock and randomness of the test's own, messages kept in memory,
//! a worker that moves when the test says so. Refuses to wait for anything: time is advanced, deliveries are stepped.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, header};
use doorcode::api::{self, Peer};
use doorcode::app::App;
use doorcode::clock::Clock;
use doorcode::config::{Config, Given};
use doorcode::deliver::worker::Worker;
use doorcode::entropy::Entropy;
use doorcode::keyring;
use doorcode::ops::jobs::{self, Left, Sweep};
use doorcode_core::{Result, Timestamp};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::postgres;

/// Challenges that nobody asked for: the one that stands in where none is live.
pub(crate) const DECOY: i64 = 1;
/// The rows of `targets` that are no address's.
pub(crate) fn stand_ins() -> i64 {
    if postgres::is_wanted() { 1024 } else { 1 }
}

/// When every test begins: 2027-01-15T08:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// Where requests come from if a test does not say.
pub(crate) const HERE: &str = "192.0.2.1";
pub(crate) const SEND: &str = "/linkedin-agent/auth-send-otp";
pub(crate) const VERIFY: &str = "/linkedin-agent/auth-verify-otp";

pub(crate) const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}
pub(crate) const fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}
pub(crate) const fn hours(n: u64) -> Duration {
    Duration::from_secs(3600 * n)
}
pub(crate) const MOMENT: Duration = Duration::from_millis(1);

/// A directory that goes when the test does. Where the tests run on PostgreSQL, a database belongs to it.
pub(crate) struct Folder(PathBuf, OnceLock<Option<String>>);

impl Folder {
    pub(crate) fn new() -> Arc<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("house-{}-{number}", std::process::id()));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        Arc::new(Self(path, OnceLock::new()))
    }

    /// The URL of its database, in a run on PostgreSQL.
    pub(crate) fn database(&self) -> Option<String> {
        let made = || postgres::is_wanted().then(|| postgres::shared().expect("PostgreSQL is installed").database());
        self.1.get_or_init(made).clone()
    }

    /// The one text that a query of its database gives.
    pub(crate) fn text(&self, sql: &str) -> String {
        match self.database() {
            Some(url) => postgres::query(&url, sql).unwrap().swap_remove(0),
            None => {
                let file = rusqlite::Connection::open(self.0.join("doorcode.db")).unwrap();
                let value: rusqlite::types::Value = file.query_row(sql, [], |row| row.get(0)).unwrap();
                match value {
                    rusqlite::types::Value::Text(text) => text,
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    other => panic!("neither text nor number: {other:?}"),
                }
            }
        }
    }

    /// The one number that a query of its database gives.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.text(sql).parse().unwrap()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The settings of `--dev` in a folder, under these variables.
pub(crate) fn settings(folder: &Folder, environment: &[(&str, &str)]) -> Config {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let given = Given { dev: true, data: folder.path().to_owned(), environment, ..Given::default() };
    let mut config = Config::read(&given).unwrap();
    config.database = folder.database().map(|url| Arc::new(postgres::settings(&url, 4)));
    config
}

/// A house. Everything of it that a test may want to touch is public.
pub(crate) struct TestApp {
    pub(crate) app: Arc<App>,
    pub(crate) folder: Arc<Folder>,
    pub(crate) worker: Worker,
    router: Router,
    sweep: Sweep,
}

impl TestApp {
    /// A new house under `--dev`.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A new house under `--dev` and these variables.
    pub(crate) async fn with(environment: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let config = settings(&folder, environment);
        Self::open(folder, config, START).await.unwrap()
    }

    /// A new house that serves in earnest, but for its messages, which are kept; `change` has the last word.
    pub(crate) async fn in_earnest(change: impl FnOnce(&mut Config)) -> Self {
        let folder = Folder::new();
        let mut config = settings(&folder, &[]);
        config.dev = false;
        config.server.public_url = Some("https://codes.example.com".to_owned());
        change(&mut config);
        keyring::create(&config.keys, &fresh_entropy()).unwrap();
        Self::open(folder, config, START).await.unwrap()
    }

    /// The house of a folder, new or old.
    pub(crate) async fn open(folder: Arc<Folder>, config: Config, at: Timestamp) -> Result<Self> {
        let (app, waiting) = App::open(config, Some(Clock::manual(at)), fresh_entropy()).await?;
        let worker = Worker::new(Arc::clone(&app), waiting)?;
        let router = api::router(&app);
        Ok(Self { app, folder, worker, router, sweep: Sweep::default() })
    }

    /// Closes the house and gives what the next one needs.
    pub(crate) async fn close(self) -> (Arc<Folder>, Config, Timestamp) {
        self.app.db.close().await;
        (self.folder, self.app.config.clone(), self.app.clock.now())
    }

    /// Somebody at an address.
    pub(crate) fn from(&self, address: &str) -> Client<'_> {
        Client { house: self, address: address.parse().unwrap(), headers: HeaderMap::new() }
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.from(HERE).post(path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.from(HERE).get(path).await
    }

    pub(crate) async fn start(&self, email: &str) -> Answer {
        self.from(HERE).start(email).await
    }

    pub(crate) async fn verify(&self, email: &str, otp: &str) -> Answer {
        self.from(HERE).verify(email, otp).await
    }

    /// Starts, delivers, and gives the code that came.
    pub(crate) async fn code(&self, email: &str) -> String {
        self.from(HERE).code(email).await
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.app.clock.advance(by);
    }

    /// One step of the worker. Gives how many messages it took.
    pub(crate) async fn deliver_due(&self) -> usize {
        self.worker.step().await.unwrap()
    }

    /// The code of the newest message to a canonical address.
    pub(crate) fn last_code(&self, address: &str) -> String {
        let entries = self.app.inbox.as_ref().unwrap().list(Some(address));
        let entry = entries.first().unwrap_or_else(|| panic!("nothing came to {address}"));
        entry.message().code.as_ref().unwrap().expose().clone()
    }

    /// How many messages came to a canonical address.
    pub(crate) fn messages(&self, address: &str) -> usize {
        self.app.inbox.as_ref().unwrap().list(Some(address)).len()
    }

    /// Retention, as it runs every minute, until it finds nothing more.
    pub(crate) async fn retain(&mut self) {
        // The walk over the targets ends where it began.
        for _ in 0..3 {
            while jobs::sweep(&self.app, &mut self.sweep).await.unwrap() != Left::Nothing {}
        }
    }

    /// A look at the database by another connection.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("doorcode.db")).unwrap()
    }

    /// The one number that a query gives.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.folder.number(sql)
    }

    /// Changes rows behind the house's back.
    pub(crate) fn tamper(&self, sql: &str) {
        match self.folder.database() {
            Some(url) => drop(postgres::query(&url, sql).unwrap()),
            None => drop(self.database().execute(sql, []).unwrap()),
        }
    }

    /// A counter of `/metrics`; nought if it was never raised.
    pub(crate) fn counted(&self, name: &str, outcome: &str) -> u64 {
        let line = format!("doorcode_{name}_total{{outcome=\"{outcome}\"}} ");
        let text = self.app.metrics.text();
        text.lines().find_map(|text| text.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
    }
}

/// Other bytes for every house, so that two on one folder do not make the same ids; the same in every run of a test.
pub(crate) fn fresh_entropy() -> Entropy {
    thread_local!(static SEED: std::cell::Cell<u8> = const { std::cell::Cell::new(0) });
    SEED.set(SEED.get().wrapping_add(1));
    Entropy::seeded(SEED.get())
}

/// Somebody at an address.
#[derive(Clone)]
pub(crate) struct Client<'a> {
    house: &'a TestApp,
    address: IpAddr,
    headers: HeaderMap,
}

impl Client<'_> {
    /// The same, with one more header in every request.
    pub(crate) fn saying(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, body.to_string()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn start(&self, email: &str) -> Answer {
        self.post(SEND, json!({ "email": email })).await
    }

    pub(crate) async fn verify(&self, email: &str, otp: &str) -> Answer {
        self.post(VERIFY, json!({ "email": email, "otp": otp })).await
    }

    /// Starts, delivers, and gives the code that came.
    pub(crate) async fn code(&self, email: &str) -> String {
        let answer = self.start(email).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.house.deliver_due().await;
        self.house.last_code(email)
    }

    /// Starts and verifies; gives what the right code earned.
    pub(crate) async fn sign_in(&self, email: &str) -> Value {
        let code = self.code(email).await;
        let answer = self.verify(email, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Any request at all.
    pub(crate) async fn send(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        self.request(method, "application/json", path, body.into()).await
    }

    /// A body of another kind.
    pub(crate) async fn send_as(&self, kind: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.request(Method::POST, kind, path, body.into()).await
    }

    async fn request(&self, method: Method, kind: &str, path: &str, body: Body) -> Answer {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        request.headers_mut().insert(header::CONTENT_TYPE, kind.parse().unwrap());
        for (name, value) in &self.headers {
            request.headers_mut().append(name, value.clone());
        }
        request.extensions_mut().insert(Peer(SocketAddr::new(self.address, 4711)));
        let (parts, body) = self.house.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body: body.to_vec() }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and body, to compare in one line.
    pub(crate) fn both(&self) -> (u16, String) {
        (self.status, self.text())
    }
}

/// The door's error body.
pub(crate) fn error(text: &str) -> String {
    json!({ "error": text }).to_string()
}

/// The answer to every code that is not right.
pub(crate) fn wrong() -> (u16, String) {
    (401, error("Invalid or expired OTP"))
}

/// An entry of the same form that is not the code.
pub(crate) fn not(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..code.len() - 1])
}
