//! `kill -9` under load, anywhere in the relay's journey: of the only server, of one of two, and of the database that those share. Every
//! request ends consumed, expired, taken back or still waiting; no code that was taken is lost, and none is read by two.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::sync::watch;

use crate::crash::rounds;
use crate::postgres::{self, Cluster};
use crate::process::{Home, ServerProcess, until};
use crate::relay_journey::{Journey, Player, audit, load, players, set_up};
use crate::sink::Sink;
use crate::talk::Caller;

const CLIENTS: u8 = 12;

/// Judges all of a round; gives how many readings nobody heard of.
async fn judged(journeys: &mut [Journey], to: Caller, players: &[Player]) -> usize {
    let judging = stream::iter(journeys.iter_mut()).map(|journey| journey.judge(to, players));
    judging.buffer_unordered(8).filter(|unheard| std::future::ready(*unheard)).count().await
}

/// Those of `nodes` that clients begin at and go on at.
fn clients(
    nodes: [&ServerProcess; 2],
    players: &Arc<Vec<Player>>,
    round: u8,
    died: &watch::Receiver<bool>,
) -> Vec<tokio::task::JoinHandle<Vec<Journey>>> {
    let begin = |client: u8| {
        let (here, there) = (usize::from(client % 2), usize::from((client + 1) % 2));
        let callers = [here, there].map(|node| nodes[node].caller_at([127, 3, round, client]));
        tokio::spawn(load(callers, Arc::clone(players), (round, client), died.clone()))
    };
    (0..CLIENTS).map(begin).collect()
}

/// Not to wait for anything: this is how long a load lasts, never the same twice.
async fn a_while() {
    let random = getrandom::u32().unwrap();
    tokio::time::sleep(Duration::from_millis(u64::from(50 + random % 351))).await;
}

/// A test without load proves nothing. Gives what is said to whoever looks at its log.
fn enough(journeys: &[Journey], unheard: usize, rounds: u8) -> String {
    let asked = journeys.iter().filter(|journey| journey.id.is_some()).count();
    assert!(asked > 5 * usize::from(rounds), "there was no load: {asked} requests");
    format!("{asked} requests were acknowledged, {unheard} codes were read by an answer that nobody heard")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_code_is_lost_or_read_twice_by_kill_9() {
    let sink = Sink::open();
    let mut home = Home::earnest("relay-crash", sink.port).await;
    set_up(&mut home);
    let mut server = home.serve().await;
    let players = players(&home, &server, &sink).await;
    let (mut journeys, mut unheard) = (Vec::new(), 0);
    for round in 0..rounds() {
        let (dead, died) = watch::channel(false);
        let clients = clients([&server; 2], &players, round, &died);
        a_while().await;
        server.kill().await;
        dead.send_replace(true);
        let mut met = Vec::new();
        for client in clients {
            met.extend(client.await.unwrap());
        }
        server = home.serve().await;
        unheard += judged(&mut met, server.caller(), &players).await;
        journeys.extend(met);
    }
    println!("{}", enough(&journeys, unheard, rounds()));
    let file = home.data.join("doorcode.db");
    let ask = |sql: &str| -> Vec<String> {
        let file = rusqlite::Connection::open(&file).unwrap();
        let mut statement = file.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
        rows.map(|value| match value.unwrap() {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Integer(number) => number.to_string(),
            other => panic!("{other:?}"),
        })
        .collect()
    };
    all_over(&ask).await;
    server.stop().await;
    assert_eq!(ask("PRAGMA integrity_check"), ["ok"]);
    audit(&journeys, ask);
    home.run(&["audit", "verify"]).await.well();
}

/// Nothing is left to wait for: what nobody answered is written down as expired, by whichever server is there.
async fn all_over(ask: &impl Fn(&str) -> Vec<String>) {
    let waiting = "SELECT count(*) FROM relays WHERE state < 3 AND reason IN (SELECT reason FROM relays WHERE expires_at < approve_until)";
    until("the unanswered expire", async || (ask(waiting) == ["0"]).then_some(())).await;
}

/// Two servers on one database: each step is asked of the other one, and either of them dies, or the database does and is there again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_code_is_lost_or_read_twice_by_the_death_of_a_node_or_the_database() {
    const ROUNDS: u8 = 18;
    let Some(mut cluster) = Cluster::start(&["max_connections=80"]) else { return };
    let database = cluster.database();
    let sink = Sink::open();
    let mut home = Home::earnest("relay-crash-nodes", sink.port).await;
    set_up(&mut home);
    home.set("database.url", database.as_str());
    // Each has a directory of its own, and both have the same keys.
    home.set("keys.dir", home.data.join("keys").to_str().unwrap());
    let homes = ["node0", "node1"].map(|name| home.beside(name));
    let serve = async |home: &mut Home, node: usize| {
        home.data.clone_from(&homes[node]);
        home.serve().await
    };
    let mut nodes = [serve(&mut home, 0).await, serve(&mut home, 1).await];
    let players = players(&home, &nodes[0], &sink).await;
    let (mut journeys, mut unheard) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        let (dead, died) = watch::channel(false);
        let clients = clients([&nodes[0], &nodes[1]], &players, round, &died);
        a_while().await;
        match round % 3 {
            2 => tokio::task::block_in_place(|| {
                cluster.end("KILL");
                cluster.again();
            }),
            victim => {
                let [a, b] = nodes;
                nodes = if victim == 0 {
                    a.kill().await;
                    [serve(&mut home, 0).await, b]
                } else {
                    b.kill().await;
                    [a, serve(&mut home, 1).await]
                };
            }
        }
        dead.send_replace(true);
        let mut met = Vec::new();
        for client in clients {
            met.extend(client.await.unwrap());
        }
        let node = &nodes[usize::from(round % 2)];
        until("ready", async || (node.caller().get("/readyz").await.unwrap().status == 200).then_some(())).await;
        unheard += judged(&mut met, node.caller(), &players).await;
        journeys.extend(met);
    }
    println!("{}", enough(&journeys, unheard, ROUNDS));
    let ask = |sql: &str| postgres::query(&database, sql).unwrap();
    all_over(&ask).await;
    audit(&journeys, ask);
    home.run(&["audit", "verify"]).await.well();
    for node in nodes {
        node.stop().await;
    }
}
