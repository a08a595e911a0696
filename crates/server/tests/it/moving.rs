//! From the embedded database to PostgreSQL: what people had works afterwards, and neither side is served half.

use std::sync::Arc;
use std::time::Duration;

use doorcode::store::moving;
use serde_json::json;

use crate::app::{Folder, HERE, START, TestApp, not, settings, wrong};
use crate::browser::Browser;
use crate::native::{key_of, program};
use crate::pages::sign_in;
use crate::postgres;
use crate::process::Home;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

/// How far the move is: tables, and rows of the next.
const NOTED: &str = "SELECT substr(value, strpos(value, ' ') + 1) FROM meta WHERE name = 'moving'";

/// From now on each batch takes a tenth of a second more: none goes by unseen, however fast the machine and however busy this test.
const BREATHE: &str = "CREATE FUNCTION breathe() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END'; \
    CREATE TRIGGER breathe BEFORE UPDATE ON meta FOR EACH ROW EXECUTE FUNCTION breathe()";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_people_had_works_afterwards() {
    if postgres::is_wanted() {
        return; // There is no file to move.
    }
    let Some(cluster) = postgres::shared() else { return };
    let app = TestApp::new().await;
    let mut browser = Browser::open(&app, HERE, "/signin").await;
    sign_in(&app, &mut browser).await;
    let cookies = browser.cookies;
    let used = app.code(ADA).await;
    let earned = app.from(HERE).verify(ADA, &used).await.json();
    let key = earned["team"]["api_key"].as_str().unwrap().to_owned();
    let started =
        program(&app, &key).post("/v1/verifications", json!({ "to": BOB, "metadata": { "n": 1 } })).await.json();
    let live = app.code(BOB).await;
    assert_eq!(app.verify(BOB, &not(&live)).await.both(), wrong());
    app.worker.step().await.unwrap();
    let rows = app.folder.number("SELECT count(*) FROM events");
    let (folder, mut config, at) = app.close().await;

    let url = cluster.database();
    let to = postgres::settings(&url, 4);
    let mut told = Vec::new();
    let moved =
        moving::run(folder.path(), &to, "a1", |progress| told.push((progress.table, progress.done))).await.unwrap();
    assert_eq!(postgres::query(&url, "SELECT count(*) FROM events").unwrap(), [rows.to_string()]);
    assert!(moved.iter().any(|(table, rows)| *table == "challenges" && *rows > 2), "{moved:?}");
    assert!(told.contains(&("events", u64::try_from(rows).unwrap())), "{told:?}");

    let refused = TestApp::open(Arc::clone(&folder), config.clone(), at).await.err().unwrap();
    assert!(doorcode::chain(&refused).contains("has moved"), "{}", doorcode::chain(&refused));
    let again = moving::run(folder.path(), &to, "a2", |_| {}).await.unwrap_err();
    assert!(doorcode::chain(&again).contains("has moved already"), "{}", doorcode::chain(&again));
    let back = moving::give_up(folder.path(), &to).await.unwrap_err();
    assert!(doorcode::chain(&back).contains("if it is finished"), "{}", doorcode::chain(&back));

    config.database = Some(Arc::new(to));
    let app = TestApp::open(folder, config, at).await.unwrap();
    let mut browser = Browser::open(&app, HERE, "/").await;
    browser.cookies = cookies;
    browser.go("/account").await;
    assert!(browser.at == "/account" && browser.sees(ADA), "still signed in");
    assert_eq!(app.from("203.0.113.9").verify(ADA, &used).await.both(), wrong(), "a used code stays used");
    assert_eq!(app.verify(BOB, &live).await.status, 200, "a live code is good");
    let path = format!("/v1/verifications/{}", started["id"].as_str().unwrap());
    let found = program(&app, &key).get(&path).await;
    assert_eq!((found.status, &found.json()["metadata"]), (200, &json!({ "n": 1 })), "{}", found.text());
    assert_eq!(key_of(&app, ADA).await, key, "the same account");
}

/// Killed again and again on its way, it goes on; and meanwhile nobody serves either side.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_move_that_is_killed_goes_on_where_it_was() {
    let Some(cluster) = postgres::shared() else { return };
    let mut home = Home::dev("moving");
    home.run(&["seed", "--live", "30000", "--out", home.beside("people").to_str().unwrap()]).await.well();
    let url = cluster.database();
    let from = format!("sqlite:{}", home.data.display());
    let moving = ["migrate-store", "--from", &from, "--to", &url];
    // Killed when a batch is written down, not after a time: machines differ.
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let place = async || client.query_opt(NOTED, &[]).await.ok().flatten().map(|noted| noted.get::<_, String>(0));
    let mut last = Some("0 0".to_owned());
    for killed in 0..4 {
        let mut command = home.command(&moving);
        let mut child =
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        loop {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it wrote a batch down");
            let now = place().await;
            if now.is_some() && now != last && now.as_deref() != Some("0 0") {
                last = now;
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        child.kill().await.unwrap();
        if killed == 0 {
            client.batch_execute(BREATHE).await.unwrap();
        }
    }
    client.batch_execute("DROP FUNCTION breathe CASCADE").await.unwrap();
    let refused = home.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused();
    assert!(refused.contains("moves, or has moved, to PostgreSQL"), "{refused}");
    home.set("database.url", url.as_str());
    let refused = home.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused();
    assert!(refused.contains("not everything has moved"), "{refused}");
    let said = home.run(&moving).await.well();
    assert!(said.contains("30001 challenges") && said.contains("counted on both sides"), "{said}");
    for table in ["challenges", "users", "targets"] {
        let ids = if table == "challenges" { "head" } else { "id" };
        let rows = postgres::query(&url, &format!("SELECT count(DISTINCT {ids}) FROM {table}")).unwrap();
        assert!(["30000", "30001"].contains(&rows[0].as_str()), "{table}: {rows:?}");
    }
    home.serve().await.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_move_can_be_given_up_until_it_is_done_and_takes_no_database_that_is_used() {
    let Some(cluster) = postgres::shared() else { return };
    let home = Home::dev("given-up");
    home.run(&["seed", "--live", "10", "--out", home.beside("people").to_str().unwrap()]).await.well();
    let (used, empty) = (cluster.database(), cluster.database());
    let from = format!("sqlite:{}", home.data.display());
    let moving =
        |to: &str| ["migrate-store".to_owned(), "--from".to_owned(), from.clone(), "--to".to_owned(), to.to_owned()];
    let run = async |to: &str, more: &[&str]| {
        let words = moving(to);
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        home.run(&words).await
    };
    let folder = Folder::new();
    let mut config = settings(&folder, &[]);
    config.database = Some(Arc::new(postgres::settings(&used, 2)));
    let other = TestApp::open(folder, config, START).await.unwrap();
    assert_eq!(other.start(ADA).await.status, 200);
    assert!(run(&used, &[]).await.refused().contains("in use"));
    home.serve().await.stop().await;

    let server = home.serve().await;
    assert!(run(&empty, &[]).await.refused().contains("another server is serving"));
    server.stop().await;
    // As a move that was stopped at its first row.
    let file = rusqlite::Connection::open(home.data.join("doorcode.db")).unwrap();
    file.execute("INSERT INTO meta (name, value) VALUES ('moved', 'a1 elsewhere')", []).unwrap();
    drop(file);
    assert!(home.run(&["serve", "--listen", "127.0.0.1:0"]).await.refused().contains("--give-up"));
    assert!(
        run(&empty, &["--give-up"]).await.refused().contains("no unfinished move"),
        "not by naming any other database"
    );
    postgres::query(&empty, "INSERT INTO meta (name, value) VALUES ('moving', 'a2 0 0')").unwrap();
    assert!(run(&empty, &["--give-up"]).await.refused().contains("no unfinished move"), "nor one of another move");
    postgres::query(&empty, "UPDATE meta SET value = 'a1 0 0' WHERE name = 'moving'").unwrap();
    assert!(run(&empty, &["--give-up"]).await.well().contains("can be served again"));
    home.serve().await.stop().await;
    assert!(run("postgres://nobody@127.0.0.1:1/none", &[]).await.refused().contains("error"));
    let moved = run(&cluster.database(), &[]).await;
    let line = "challenges       [########################] 100 %  11 of 11";
    assert!(moved.err.contains(line) && moved.status.success(), "{}{}", moved.out, moved.err);
}
