//! Bad days of a PostgreSQL: it is killed, it is restarted, it has no room for another connection. Whoever asks meanwhile hears soon
//! that it is not now, and what was acknowledged before is there afterwards.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use doorcode::store::{Db, PgSettings};
use futures_util::future::join_all;

use crate::app::{Folder, START, TestApp, settings};
use crate::postgres::{self, Cluster};
use crate::process::{PATIENCE, until};
use crate::smtp_server::certificates;

const ADA: &str = "ada@example.com";

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

/// The primary dies under load and its synchronous standby takes over: whoever was told that a code is on its way has one.
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
    let folder = Folder::new();
    let mut config = settings(&folder, &[]);
    config.database = Some(Arc::new(postgres::settings(&primary.url_with(&standby, &name), 8)));
    let app = Arc::new(TestApp::open(folder, config, START).await.unwrap());

    let mut asking = tokio::task::JoinSet::new();
    let (taken, moved) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    for lane in 0..8 {
        let (app, taken, moved) = (Arc::clone(&app), Arc::clone(&taken), Arc::clone(&moved));
        asking.spawn(async move {
            let mut acknowledged = Vec::new();
            let mut after = 0;
            for n in 0.. {
                // Some begin while nobody can write, and are taken when the other one can.
                let late = moved.load(Ordering::Relaxed);
                let email = format!("u{lane}-{n}@example.com");
                let network = format!("10.{lane}.{}.1", n % 250);
                let answer = app.from(&network).start(&email).await;
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
    // Under load when it dies, on machines of any speed.
    until("it is under load", async || (taken.load(Ordering::Relaxed) >= 80).then_some(())).await;
    tokio::task::block_in_place(|| {
        primary.end("KILL");
        standby.promote();
    });
    moved.store(true, Ordering::Relaxed);
    let lanes = tokio::time::timeout(PATIENCE, asking.join_all()).await.expect("the house comes back");
    let acknowledged: Vec<String> = lanes.into_iter().flatten().collect();
    let there: std::collections::HashSet<String> =
        at(&standby, "SELECT destination FROM challenges WHERE state = 0").into_iter().collect();
    let lost: Vec<&String> = acknowledged.iter().filter(|email| !there.contains(*email)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    app.deliver_due().await;
    let code = app.last_code(&acknowledged[0]);
    assert_eq!(app.verify(&acknowledged[0], &code).await.status, 200);
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
