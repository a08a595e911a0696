//! Bad days of a PostgreSQL: it is killed, it is restarted, it has no room for another connection. Whoever asks meanwhile hears soon
//! that it is not now, and what was acknowledged before is there afterwards.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use doorcode::store::{Db, PgSettings};
use futures_util::future::join_all;

use crate::app::{Folder, HERE, START, TestApp, settings};
use crate::nodes::two_at;
use crate::postgres::{self, Cluster};
use crate::process::{PATIENCE, until};
use crate::smtp_server::certificates;

const ADA: &str = "ada@example.com";
/// By then whoever asks has an answer, however slow the machine is.
const SOON: Duration = Duration::from_secs(40);
/// People who have their code when the primary dies.
const KNOWN: usize = 400;

/// Somebody's network, one of many.
fn network(one: usize, other: usize) -> String {
    format!("10.{one}.{other}.1")
}

/// A house on a cluster of its own, which syncs what it commits.
async fn house(cluster: &Cluster, connections: usize) -> TestApp {
    let folder = Folder::new();
    let mut config = settings(&folder, &[]);
    config.database = Some(Arc::new(postgres::settings(&cluster.database(), connections)));
    TestApp::open(folder, config, START).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_is_killed_loses_nothing_that_was_acknowledged() {
    let Some(mut cluster) = Cluster::start(&["max_connections=40"]) else { return };
    let app = house(&cluster, 8).await;
    let people: Vec<String> = (0..20).map(|n| format!("u{n}@example.com")).collect();
    for round in 0..3 {
        // Some are answered and some are not when it dies.
        let asking = join_all(people.iter().map(|email| app.start(email)));
        let killing = async {
            // Not to wait for anything: it is killed while they ask, however far they are.
            tokio::time::sleep(Duration::from_millis(15)).await;
            tokio::task::block_in_place(|| cluster.end("KILL"));
        };
        let (answers, ()) = tokio::join!(asking, killing);
        assert!(answers.iter().all(|answer| [200, 429, 503].contains(&answer.status)), "no other answer");
        let down = tokio::time::timeout(Duration::from_secs(30), app.start(ADA)).await.expect("it answers soon");
        assert_eq!(down.status, 503, "round {round}: {}", down.text());
        assert_eq!(app.get("/readyz").await.status, 503);
        tokio::task::block_in_place(|| cluster.again());
        app.deliver_due().await;
        for (email, answer) in people.iter().zip(&answers) {
            if answer.status == 200 {
                // What was committed has a message; it was handed to the worker, or its lease brings it back.
                app.advance(app.app.config.mail.lease);
                app.deliver_due().await;
                let code = app.last_code(email);
                assert_eq!(app.verify(email, &code).await.status, 200, "{email} was told that a code is on its way");
                assert_ne!(app.from("203.0.113.77").verify(email, &code).await.status, 200, "and it is good once");
            }
        }
        assert_eq!(app.get("/readyz").await.status, 200, "it is back by itself");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_restart_in_order_is_passed_over() {
    let Some(mut cluster) = Cluster::start(&["max_connections=40"]) else { return };
    let app = house(&cluster, 4).await;
    let code = app.code(ADA).await;
    tokio::task::block_in_place(|| {
        cluster.end("INT");
        cluster.again();
    });
    assert_eq!(app.verify(ADA, &code).await.status, 200, "connections that were cut are made anew");
}

/// What is said while the database can't be used, soon and by all: not now, and when to ask again.
async fn is_out(app: &TestApp) {
    let answer = tokio::time::timeout(SOON, app.start(ADA)).await.expect("it answers soon");
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    let ready = tokio::time::timeout(SOON, app.get("/readyz")).await.expect("it answers soon");
    assert_eq!(ready.status, 503);
}

/// A dead line: what is sent there is taken and never answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_does_not_answer_is_not_waited_for() {
    let Some(mut cluster) = Cluster::start(&["max_connections=40"]) else { return };
    let app = house(&cluster, 4).await;
    let code = app.code(ADA).await;
    tokio::task::block_in_place(|| cluster.freeze());
    for _ in 0..2 {
        is_out(&app).await;
    }
    tokio::task::block_in_place(|| cluster.thaw());
    until("it is back by itself", async || (app.get("/readyz").await.status == 200).then_some(())).await;
    assert_eq!(app.verify(ADA, &code).await.status, 200, "what was acknowledged is there");
}

/// As a primary that was demoted, or whose disk is full.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_takes_no_writes_is_said_to_be_out() {
    let Some(cluster) = Cluster::start(&["max_connections=40"]) else { return };
    let app = house(&cluster, 4).await;
    let code = app.code(ADA).await;
    let turn = async |to: &str| {
        postgres::query(&cluster.url("postgres"), &format!("ALTER SYSTEM SET default_transaction_read_only = {to}"))
            .unwrap();
        postgres::query(&cluster.url("postgres"), "SELECT pg_reload_conf()").unwrap();
        until("it is so", async || {
            let shown = postgres::query(&cluster.url("postgres"), "SHOW default_transaction_read_only").unwrap();
            (shown == [to]).then_some(())
        })
        .await;
    };
    turn("on").await;
    is_out(&app).await;
    turn("off").await;
    until("it is back by itself", async || (app.get("/readyz").await.status == 200).then_some(())).await;
    assert_eq!(app.verify(ADA, &code).await.status, 200, "what was acknowledged is there");
}

/// The primary dies under load of two servers, and its synchronous standby takes over: whoever was told that a code is on its way has one,
/// what was used is used, and what was earned is good.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_standby_that_takes_over_has_all_that_was_acknowledged() {
    let Some(mut primary) = Cluster::start(&["max_connections=60"]) else { return };
    let name = primary.database();
    let name = name.rsplit('/').next().unwrap().to_owned();
    let mut standby = Cluster::following(&primary);
    let at = |cluster: &Cluster, sql: &str| postgres::query(&cluster.url(&name), sql).unwrap();
    at(&primary, "ALTER SYSTEM SET synchronous_standby_names = '*'");
    at(&primary, "SELECT pg_reload_conf()");
    while at(&primary, "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (a, b) = two_at(&primary.url_with(&standby, &name)).await;
    let nodes = Arc::new([a, b]);
    // These have their code already, and send it back while it happens.
    let known: Vec<String> = (0..KNOWN).map(|n| format!("known{n}@example.com")).collect();
    let answers = join_all(known.iter().enumerate().map(|(n, email)| {
        let app = &nodes[n % 2];
        async move { app.from(&network(100 + n / 250, n % 250)).start(email).await.status }
    }));
    assert!(answers.await.iter().all(|status| *status == 200));
    join_all(nodes.iter().map(TestApp::deliver_due)).await;
    let codes: Vec<String> = known.iter().enumerate().map(|(n, email)| nodes[n % 2].last_code(email)).collect();

    let (taken, checked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let moved = Arc::new(AtomicBool::new(false));
    let mut asking = tokio::task::JoinSet::new();
    for lane in 0..8 {
        let (nodes, taken, moved) = (Arc::clone(&nodes), Arc::clone(&taken), Arc::clone(&moved));
        asking.spawn(async move {
            let mut acknowledged = Vec::new();
            let mut after = 0;
            for n in 0.. {
                // Some begin while nobody can write, and are taken when the other one can.
                let late = moved.load(Ordering::Relaxed);
                let email = format!("u{lane}-{n}@example.com");
                let answer = nodes[n % 2].from(&network(lane, n % 250)).start(&email).await;
                match answer.status {
                    200 => {
                        acknowledged.push(email);
                        taken.fetch_add(1, Ordering::Relaxed);
                        after += usize::from(late);
                    }
                    503 => {}
                    other => panic!("{other}: {}", answer.text()),
                }
                if after >= 5 {
                    break;
                }
            }
            acknowledged
        });
    }
    let mut sending = tokio::task::JoinSet::new();
    let pairs: Vec<(String, String)> = known.iter().cloned().zip(codes).collect();
    for (lane, share) in pairs.chunks(KNOWN / 4).enumerate() {
        let (nodes, checked, share) = (Arc::clone(&nodes), Arc::clone(&checked), share.to_vec());
        sending.spawn(async move {
            let mut earned = Vec::new();
            for (n, (email, code)) in share.into_iter().enumerate() {
                let answer = nodes[(n + lane) % 2].from(&network(200 + lane, n)).verify(&email, &code).await;
                match answer.status {
                    200 => {
                        let key = answer.json()["team"]["api_key"].as_str().unwrap().to_owned();
                        earned.push((email, code, key));
                        checked.fetch_add(1, Ordering::Relaxed);
                    }
                    503 => {}
                    other => panic!("{other}: {}", answer.text()),
                }
            }
            earned
        });
    }
    // Under load when it dies, on machines of any speed.
    let is_loaded = || taken.load(Ordering::Relaxed) >= 80 && checked.load(Ordering::Relaxed) >= 20;
    until("it is under load", async || is_loaded().then_some(())).await;
    tokio::task::block_in_place(|| primary.end("KILL"));
    for node in nodes.iter() {
        let ready = tokio::time::timeout(SOON, node.get("/readyz")).await.expect("it answers soon");
        assert_eq!(ready.status, 503, "nobody can write");
    }
    tokio::task::block_in_place(|| standby.promote());
    moved.store(true, Ordering::Relaxed);
    let lanes = tokio::time::timeout(PATIENCE, asking.join_all()).await.expect("the house comes back");
    let earned = tokio::time::timeout(PATIENCE, sending.join_all()).await.expect("the house comes back");
    let (acknowledged, earned) = (lanes.concat(), earned.concat());
    let there: std::collections::HashSet<String> =
        at(&standby, "SELECT destination FROM challenges WHERE state = 0").into_iter().collect();
    let lost: Vec<&String> = acknowledged.iter().filter(|email| !there.contains(*email)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    for (n, (email, code, key)) in earned.iter().enumerate() {
        let (one, other) = (&nodes[n % 2], &nodes[(n + 1) % 2]);
        assert_eq!(one.from("203.0.113.77").verify(email, code).await.status, 401, "{email}: used");
        assert_eq!(other.from(HERE).saying("x-api-key", key).get("/api-team").await.status, 200, "{email}: earned");
    }
    for node in nodes.iter() {
        assert_eq!(node.get("/readyz").await.status, 200);
    }
    drop(primary);
}

/// The attack: somebody in between, with no certificate, or one that another authority signed, or one for another host.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_encrypted_to_whom_it_is_meant_for_or_not_made() {
    let Some(cluster) = Cluster::start(&["max_connections=20"]) else { return };
    let name = cluster.database().rsplit('/').next().unwrap().to_owned();
    let folder = crate::process::Folder::new("postgres-tls");
    std::fs::create_dir_all(folder.join("")).unwrap();
    certificates(&folder.join(""));
    let url = |host: &str| cluster.url(&name).replace("127.0.0.1", host) + "?sslmode=verify-full";
    let settings = |host: &str, ca: Option<&str>| {
        let url = doorcode_core::Secret::new(url(host));
        PgSettings::read(&url, ca.map(|file| folder.join(file)), 2, Duration::from_secs(5)).unwrap()
    };
    let refused = async |settings: PgSettings| Db::connect(&settings).await.is_err();
    assert!(refused(settings("localhost", Some("ca.crt"))).await, "one that speaks no TLS");
    // Written by the database's own user, to whom they must belong.
    for file in ["server.crt", "server.key"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let lines = format!("SELECT unnest(string_to_array('{}', E'\\n'))", text.trim_end());
        let copy = format!("COPY ({lines}) TO PROGRAM 'umask 077; cat > {file}'");
        postgres::query(&cluster.url(&name), &copy).unwrap();
    }
    postgres::query(&cluster.url(&name), "ALTER SYSTEM SET ssl = on").unwrap();
    postgres::query(&cluster.url(&name), "SELECT pg_reload_conf()").unwrap();
    while postgres::query(&cluster.url(&name), "SHOW ssl").unwrap() != ["on"] {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let db = Db::connect(&settings("localhost", Some("ca.crt"))).await.unwrap();
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
        WHERE application_name = 'doorcode' AND ssl";
    assert_ne!(postgres::query(&cluster.url(&name), encrypted).unwrap(), ["0"]);
    db.close().await;
    assert!(refused(settings("localhost", None)).await, "an authority that nobody knows");
    assert!(refused(settings("127.0.0.1", Some("ca.crt"))).await, "a certificate for another host");
}

/// Others have taken all connections that the database has.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_connection_to_be_had_is_said_and_passes() {
    let Some(cluster) = Cluster::start(&["max_connections=12", "superuser_reserved_connections=0"]) else { return };
    let app = house(&cluster, 16).await;
    let url = cluster.url("postgres");
    let mut others = Vec::new();
    while let Ok((client, connection)) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await {
        others.push((client, tokio::spawn(connection)));
    }
    assert!(!others.is_empty());
    let people: Vec<String> = (0..30).map(|n| format!("u{n}@example.com")).collect();
    let answers = join_all(people.iter().map(|email| app.start(email))).await;
    assert!(answers.iter().all(|answer| [200, 503].contains(&answer.status)));
    for answer in answers.iter().filter(|answer| answer.status == 503) {
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
    drop(others);
    until("there is one again", async || (app.start(ADA).await.status == 200).then_some(())).await;
}
