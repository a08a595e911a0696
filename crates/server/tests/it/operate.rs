//! For whoever runs the server: alive, ready, counted, one line a request; and that none of it names a person, shows a
//! secret, or grows with what strangers send.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::cell::RefCell;
use std::io::Write;
use std::sync::{Arc, Once};

use axum::http::Method;
use doorcode::clock::Clock;
use doorcode::ops::jobs::{self, Left};
use doorcode_core::{KNOWN_FOR, Ring, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use crate::app::{Answer, Folder, HERE, MOMENT, SEND, START, TestApp, VERIFY, hours, minutes, not, seconds, settings};
use crate::postgres;

const ADA: &str = "ada.lovelace@example.com";

thread_local!(static KEPT: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) });

/// What is logged on this thread at every level, kept until it is dropped. One subscriber serves the whole process, since
/// what several of them are interested in is cached for all.
struct Log(());

impl Log {
    fn start() -> Self {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            let builder = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
            tracing::subscriber::set_global_default(builder.with_writer(|| Keeper).finish()).unwrap();
        });
        KEPT.set(Some(Vec::new()));
        Self(())
    }

    fn text(&self) -> String {
        let Self(()) = self;
        KEPT.with_borrow(|kept| String::from_utf8(kept.clone().unwrap()).unwrap())
    }

    fn lines(&self, word: &str) -> Vec<String> {
        self.text().lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        KEPT.set(None);
    }
}

struct Keeper;

impl Write for Keeper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        KEPT.with_borrow_mut(|kept| kept.as_mut().map_or((), |kept| kept.extend_from_slice(bytes)));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn alive_and_ready() {
    let app = TestApp::new().await;
    assert_eq!(app.get("/healthz").await.both(), (200, "ok\n".to_owned()));
    assert_eq!(app.get("/readyz").await.both(), (200, "ready\n".to_owned()));
    let (folder, config, _) = app.close().await;
    let app = TestApp::open(folder, config, START).await.unwrap();
    app.app.db.close().await;
    let answer = app.get("/readyz").await;
    assert_eq!(answer.both(), (503, "the database does not take writes\n".to_owned()));
    assert_eq!(app.get("/healthz").await.status, 200, "alive all the same");
    for path in [SEND, VERIFY] {
        let answer = app.post(path, json!({"email": ADA, "otp": "123456"})).await;
        assert_eq!(answer.both(), (503, r#"{"error":"Service unavailable. Please try again later."}"#.to_owned()));
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

/// After a crash the clock may be a moment behind what it was: ids still come behind those that are there.
#[tokio::test]
async fn ids_come_behind_those_of_the_process_before() {
    let app = TestApp::with(&[]).await;
    app.advance(seconds(1));
    app.code(ADA).await;
    let newest = |app: &TestApp| app.number("SELECT max(head) FROM challenges");
    let before = newest(&app);
    let (folder, config, at) = app.close().await;
    let app = TestApp::open(folder, config, at.minus(seconds(1))).await.unwrap();
    app.code("bob@example.com").await;
    assert!(newest(&app) > before);
}

/// Rows hold times long ago, which would not be over.
#[tokio::test]
async fn a_clock_that_is_decades_behind_is_refused() {
    let folder = Folder::new();
    let opened = async |at| TestApp::open(Arc::clone(&folder), settings(&folder, &[]), at).await;
    let refused = opened(Timestamp::from_millis(1_000_000_000_000)).await.err().unwrap();
    assert!(doorcode::chain(&refused).contains("clock"), "{}", doorcode::chain(&refused));
    assert!(opened(START).await.is_ok());
}

/// A machine whose clock was set back: time does not run below the mark, and the server says that it is not ready.
#[tokio::test]
async fn a_clock_that_was_set_back_is_not_ready_and_does_not_run_back() {
    let folder = Folder::new();
    let far = Clock::real(None, None).now().plus(hours(24));
    let app = TestApp::open(Arc::clone(&folder), settings(&folder, &[]), far).await.unwrap();
    app.app.mark_time().await.unwrap();
    app.app.db.close().await;
    let waiting = doorcode::app::App::open(settings(&folder, &[]), None, doorcode::entropy::Entropy::real()).await;
    let (house, _waiting) = waiting.unwrap();
    assert!(house.clock.now() >= far);
    let router = doorcode::api::router(&house);
    let request = axum::http::Request::get("/readyz").body(axum::body::Body::empty()).unwrap();
    let answer = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert_eq!(answer.status().as_u16(), 503);
}

#[tokio::test]
async fn every_answer_is_named_and_not_kept() {
    let app = TestApp::new().await;
    let mut answers: Vec<Answer> = Vec::new();
    for path in ["/healthz", "/readyz", "/metrics", "/api-team", "/nowhere", "/dev/inbox.json", "/dev/inbox", "/", SEND]
    {
        answers.push(app.get(path).await);
    }
    answers.push(app.start(ADA).await);
    answers.push(app.verify(ADA, "x").await);
    answers.push(app.post(SEND, json!(1)).await);
    answers.push(app.from(HERE).send(Method::POST, SEND, vec![b' '; 70_000]).await);
    let mut ids = Vec::new();
    for answer in &answers {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.text());
        let id = answer.header("x-request-id").unwrap();
        assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        ids.push(id.to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), answers.len(), "each its own");
    let chosen = app.from(HERE).saying("x-request-id", "mine").get("/healthz").await;
    assert_ne!(chosen.header("x-request-id"), Some("mine"), "a stranger does not write into our log");
}

#[tokio::test]
async fn one_line_a_request_and_a_delivery_and_nobody_in_it() {
    let log = Log::start();
    // Ten letters are in no other place by chance.
    let letters = [("DOORCODE_DOOR__OUTX__CODE_ALPHABET", "letters"), ("DOORCODE_DOOR__OUTX__CODE_LENGTH", "10")];
    let app = TestApp::with(&letters).await;
    let client = app.from("198.51.100.77").saying("user-agent", "Agent-Smith").saying("cookie", "c=chocolate");
    let send =
        client.post(&format!("{SEND}?token=querysecret"), json!({"email": ADA, "full_name": "Ada Lovelace"})).await;
    assert_eq!(send.status, 200);
    app.deliver_due().await;
    let code = app.last_code(ADA);
    client.verify(ADA, &not(&code)).await;
    let key = client.verify(ADA, &code).await.json()["team"]["api_key"].as_str().unwrap().to_owned();
    client.clone().saying("x-api-key", &key).get("/api-team?key=querysecret").await;
    client.get(&format!("/nowhere/{ADA}/{code}")).await;
    client.post(SEND, json!({"email": "not an address: ada.lovelace"})).await;
    for _ in 0..10 {
        client.start(ADA).await;
    }
    let text = log.text();
    let line = &log.lines(" request ")[0];
    for part in ["method=\"POST\"", "route=\"/linkedin-agent/auth-send-otp\"", "status=200", "ms=", "id=\""] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(line.contains(send.header("x-request-id").unwrap()), "the answer's id is the line's");
    assert_eq!(log.lines(" request ").len(), 16);
    assert_eq!(log.lines(" delivery ").len(), 1);
    assert!(log.lines(" delivery ")[0].contains("outcome=\"sent\""));
    assert_eq!(log.lines("unmatched").len(), 1);
    let metrics = app.from("127.0.0.1").get("/metrics").await.text();
    for secret in [
        ADA,
        "lovelace",
        "Lovelace",
        "example.com",
        &code,
        &code[..5],
        &not(&code),
        &key,
        &key[5..],
        "querysecret",
        "198.51.100",
        "Agent-Smith",
        "chocolate",
        "nowhere",
    ] {
        assert!(!text.contains(secret), "{secret} is in the log:\n{text}");
        assert!(!metrics.contains(secret), "{secret} is in the metrics");
    }
}

#[tokio::test]
async fn a_failing_database_is_logged_with_its_cause_and_without_a_person() {
    let log = Log::start();
    let app = TestApp::new().await;
    app.app.db.close().await;
    app.start(ADA).await;
    app.verify(ADA, "KWXJQZPVGT").await;
    assert_eq!(log.lines("ERROR").len(), 2, "{}", log.text());
    assert!(log.text().contains("closed"), "{}", log.text());
    assert!(!log.text().contains("lovelace") && !log.text().contains("KWXJQZPVGT"));
}

#[tokio::test]
async fn what_is_counted() {
    let app = TestApp::new().await;
    for n in 0..7 {
        app.from(&format!("198.51.{n}.1")).start(ADA).await;
    }
    app.deliver_due().await;
    let code = app.last_code(ADA);
    app.verify(ADA, &not(&code)).await;
    app.verify(ADA, &code).await;
    app.verify(ADA, &code).await;
    app.advance(minutes(1));
    app.verify("nobody@example.com", "123456").await;
    let count = |name: &str, outcome: &str| app.counted(name, outcome);
    assert_eq!([count("starts", "sent"), count("starts", "limited")], [6, 1], "new or resent is not told");
    assert_eq!([count("checks", "right"), count("checks", "repeat")], [1, 1]);
    assert_eq!(
        [count("checks", "wrong"), count("checks", "refused")],
        [1, 1],
        "nothing to compare with is no comparison"
    );
    assert_eq!(count("deliveries", "sent"), 6);
    let answer = app.from("127.0.0.1").get("/metrics").await;
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text; version=1.0.0"));
    assert!(answer.text().ends_with("# EOF\n"));
}

/// The label sets of `/metrics`.
fn series(app: &TestApp) -> usize {
    app.app.metrics.text().lines().filter(|line| line.contains("_count{")).count()
}

#[test]
fn labels_do_not_grow_with_what_strangers_send() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = runtime.block_on(TestApp::new());
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    let known = prop_oneof![Just("/api-team".to_owned()), Just(SEND.to_owned()), Just("/dev/inbox/7/body".to_owned())];
    let path = prop_oneof![known, "(/[a-z0-9%.-]{0,6}){1,4}".prop_filter("a whole escape", |path| !path.contains('%'))];
    let method = prop_oneof![
        Just("GET".to_owned()),
        Just("POST".to_owned()),
        Just("HEAD".to_owned()),
        Just("DELETE".to_owned()),
        "[A-Z]{3,12}"
    ];
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let asked = runner.run(&(method, path), |(method, path)| {
        let method: Method = method.parse().unwrap();
        let answer = runtime.block_on(app.from(HERE).send(method, &path, ""));
        prop_assert!(answer.status < 500);
        Ok(())
    });
    asked.unwrap();
    // Templates (with one for all that is unmatched), eight words for methods, few statuses.
    let text = app.app.metrics.text();
    for line in text.lines().filter(|line| line.contains("route=")) {
        let label =
            |name: &str| line.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned();
        let (method, route) = (label("method"), label("route"));
        let routes = [
            "unmatched",
            "/l/{challenge}/{token}",
            "/api-team",
            SEND,
            VERIFY,
            "/healthz",
            "/readyz",
            "/metrics",
            "/",
            "/assets/style.css",
            "/assets/door.js",
            "/dev/inbox",
            "/dev/inbox.json",
            "/dev/inbox/{number}",
            "/dev/inbox/{number}/body",
            "/dev/floor",
        ];
        assert!(routes.contains(&route.as_str()), "{route}");
        assert!(
            ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"].contains(&method.as_str()),
            "{method}"
        );
    }
    assert!(series(&app) < 60, "{}", series(&app));
}

#[tokio::test]
async fn what_a_page_can_not_read_is_answered_in_its_own_form() {
    let app = TestApp::new().await;
    let page = app.get("/dev/inbox?to=a%40b.org&to=c%40d.org").await;
    assert_eq!((page.status, page.text().contains("<html")), (400, true), "{}", page.text());
    let json = app.get("/dev/inbox.json?to=a%40b.org&to=c%40d.org").await;
    assert!(json.status == 400 && json.json()["error"].is_string(), "{}", json.text());
    for path in ["/dev/inbox/%ff/body", "/dev/inbox/%ff", "/dev/inbox/99999"] {
        let page = app.get(path).await;
        assert_eq!((page.status, page.text().contains("<html")), (404, true), "{path}: {}", page.text());
    }
    assert_eq!(app.get("/dev/inbox?before=soon").await.status, 400);
    for path in ["/assets/style.css?v=1&v=2", "/assets/door.js?v=1&v=2"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_inbox_is_there_under_dev_only_and_for_this_machine_only() {
    let app = TestApp::new().await;
    app.code(ADA).await;
    let inbox = async |app: &TestApp, host: &str| app.from(HERE).saying("host", host).get("/dev/inbox.json").await;
    for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "127.9.9.9"] {
        assert_eq!(inbox(&app, host).await.status, 200, "{host}");
    }
    for host in
        ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1", "[2001:db8::1]", "", "0"]
    {
        let answer = inbox(&app, host).await;
        assert_eq!(answer.status, 421, "{host}");
        assert!(!answer.text().contains(ADA));
    }
    let earnest = TestApp::in_earnest(|_| ()).await;
    for path in ["/dev/inbox.json", "/dev/inbox", "/dev/inbox/1", "/dev/inbox/1/body", "/dev/floor"] {
        assert_eq!(earnest.get(path).await.status, 404, "{path}");
    }
    assert_eq!(earnest.from(HERE).saying("host", "codes.example.com").get("/healthz").await.status, 200);
}

#[tokio::test]
async fn time_is_marked_while_something_happens() {
    let app = TestApp::new().await;
    let mut state = jobs::Sweep::default();
    let mark = || app.folder.number("SELECT value FROM meta WHERE name = 'clock'");
    app.advance(seconds(5));
    app.start(ADA).await;
    jobs::tick(&app.app, &mut state).await.unwrap();
    assert_eq!(Timestamp::from_millis(mark()), app.now());
    let (marked, units) = (mark(), app.app.db.units());
    app.advance(seconds(5));
    for _ in 0..3 {
        jobs::tick(&app.app, &mut state).await.unwrap();
    }
    assert_eq!((mark(), app.app.db.units()), (marked, units), "where nothing happens nothing is written");
}

/// Whatever keeps a row of `targets`.
const COUNTING: [&str; 10] = [
    "sent_at",
    "short_until",
    "long_until",
    "misses",
    "known_misses",
    "sends",
    "known_sends",
    "streak",
    "known_streak",
    "known",
];

/// Writes the row of the `n`-th address, in which everything has just ceased to count but what is in this column.
fn put_target(database: &rusqlite::Connection, n: u32, counting: Option<&str>, now: Timestamp) {
    let values = COUNTING.map(|column| -> rusqlite::types::Value {
        let counts = counting == Some(column);
        let edge = |at: Timestamp| if counts { at.plus(MOMENT) } else { at.minus(MOMENT) };
        match column {
            "sent_at" => edge(now.minus(hours(24))).millis().into(),
            "short_until" | "long_until" => edge(now).millis().into(),
            "streak" | "known_streak" => i64::from(counts).into(),
            "known" => format!("0123456789abcdef{}", Ring::entry(edge(now.minus(KNOWN_FOR)))).into(),
            _ => Ring::entry(edge(now.minus(hours(24)))).into(),
        }
    });
    let sql = format!(
        "INSERT OR REPLACE INTO targets ({}, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, unhex('{n:032x}'))",
        COUNTING.join(", ")
    );
    database.execute(&sql, rusqlite::params_from_iter(values)).unwrap();
}

/// The addresses that have a row, by number.
fn targets(app: &TestApp) -> Vec<u32> {
    let database = app.database();
    let mut ids = database.prepare("SELECT id FROM targets ORDER BY id").unwrap();
    let ids = ids.query_map([], |row| row.get::<_, [u8; 16]>(0)).unwrap();
    // All but the last row, which is no address's.
    ids.filter_map(|id| u32::try_from(u128::from_be_bytes(id.unwrap())).ok()).collect()
}

/// Batches in which everything counts stand in front, and must not keep the walk from what is behind them.
#[tokio::test]
async fn retention_walks_to_the_far_end_of_the_addresses_and_takes_what_says_nothing() {
    if postgres::is_wanted() {
        return; // About the embedded engine's file.
    }
    let app = TestApp::new().await;
    let mut database = app.database();
    let writing = database.transaction().unwrap();
    let stale = |n: &u32| *n > 500 && n.is_multiple_of(3);
    for n in 1..=1000 {
        let counting = COUNTING[n as usize % COUNTING.len()];
        put_target(&writing, n, Some(counting).filter(|_| !stale(&n)), app.now());
    }
    writing.commit().unwrap();
    let mut walk = jobs::Sweep::default();
    assert_ne!(jobs::sweep(&app.app, &mut walk).await.unwrap(), Left::Nothing);
    assert_eq!(targets(&app).len(), 1000, "one step looks at a part of them");
    let mut steps = 1;
    while jobs::sweep(&app.app, &mut walk).await.unwrap() != Left::Nothing {
        steps += 1;
        assert!(steps < 100, "the walk has an end");
    }
    assert_eq!(targets(&app), (1..=1000).filter(|n| !stale(n)).collect::<Vec<_>>());
    // Then it begins anew, at the front.
    put_target(&database, 1, None, app.now());
    while jobs::sweep(&app.app, &mut walk).await.unwrap() != Left::Nothing {}
    assert_eq!(targets(&app), (2..=1000).filter(|n| !stale(n)).collect::<Vec<_>>());
}
