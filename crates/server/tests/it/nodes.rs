//! Two servers on one PostgreSQL: whatever is promised of one holds of both together.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;

use axum::http::Method;
use doorcode::ops::jobs::{self, Sweep};
use doorcode::ops::master_keys;
use futures_util::future::join_all;
use serde_json::json;

use crate::app::{Folder, HERE, MOMENT, START, TestApp, hours, not, seconds, settings, wrong};
use crate::postgres;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const V: &str = "/v1/verifications";

/// Two houses with the same keys on the same database, each with an inbox and a worker of its own.
pub(crate) async fn two() -> Option<(TestApp, TestApp)> {
    let url = postgres::shared()?.database();
    Some(two_at(&url).await)
}

/// The same, on a database that is known.
pub(crate) async fn two_at(url: &str) -> (TestApp, TestApp) {
    let folder = Folder::new();
    let mut config = settings(&folder, &[]);
    config.database = Some(Arc::new(postgres::settings(url, 8)));
    let a = TestApp::open(Arc::clone(&folder), config.clone(), START).await.unwrap();
    let b = TestApp::open(folder, config, START).await.unwrap();
    (a, b)
}

pub(crate) fn advance(nodes: [&TestApp; 2], by: std::time::Duration) {
    nodes.iter().for_each(|node| node.advance(by));
}

/// The key of Ada's org.
async fn key(node: &TestApp) -> String {
    node.from(HERE).sign_in(ADA).await["team"]["api_key"].as_str().unwrap().to_owned()
}

fn program<'a>(node: &'a TestApp, key: &str) -> crate::app::Client<'a> {
    node.from(HERE).saying("authorization", &format!("Bearer {key}"))
}

#[tokio::test]
async fn what_begins_on_one_node_goes_on_on_the_other() {
    let Some((a, b)) = two().await else { return };
    let code = a.code(ADA).await;
    advance([&a, &b], seconds(30));
    assert_eq!(b.code(ADA).await, code, "resent by the other, the same code");
    let earned = a.verify(ADA, &code).await;
    assert_eq!(earned.status, 200, "{}", earned.text());
    let again = b.verify(ADA, &code).await;
    assert_eq!(
        (again.status, again.json()["team"]["api_key"].clone()),
        (200, earned.json()["team"]["api_key"].clone())
    );
    advance([&a, &b], seconds(11));
    assert_eq!(b.verify(ADA, &code).await.both(), wrong(), "used up on both");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_and_64_right_answers_one_client_has_the_success() {
    let Some((a, b)) = two().await else { return };
    let code = a.code(ADA).await;
    let (one, other) = (a.from("192.0.2.1"), b.from("198.51.100.1"));
    let (at_a, at_b) = tokio::join!(
        join_all((0..64).map(|_| one.verify(ADA, &code))),
        join_all((0..64).map(|_| other.verify(ADA, &code))),
    );
    let won = |answers: &[crate::app::Answer]| answers.iter().filter(|answer| answer.status == 200).count();
    let (won_a, won_b) = (won(&at_a), won(&at_b));
    assert!((won_a == 0) != (won_b == 0), "one client, on one node: {won_a} and {won_b}");
    assert!(won_a + won_b <= 9, "one success and at most eight repeats: {won_a} and {won_b}");
    assert!(at_a.iter().chain(&at_b).all(|answer| answer.status == 200 || answer.both() == wrong()));
    let successes = a.counted("checks", "right") + b.counted("checks", "right");
    assert_eq!(successes, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_1000_and_1000_wrong_answers_no_more_are_compared_than_on_one_node() {
    let Some((a, b)) = two().await else { return };
    let code = a.code(ADA).await;
    let bad = not(&code);
    let (one, other) = (a.from("192.0.2.1"), b.from("198.51.100.1"));
    let (at_a, at_b) = tokio::join!(
        join_all((0..1000).map(|_| one.verify(ADA, &bad))),
        join_all((0..1000).map(|_| other.verify(ADA, &bad))),
    );
    // A machine that is busy with other things may not get through two thousand of one address in time.
    for answer in at_a.iter().chain(&at_b) {
        assert!(answer.both() == wrong() || answer.status == 503, "{:?}", answer.both());
    }
    let compared = a.counted("checks", "wrong") + b.counted("checks", "wrong");
    assert_eq!(compared, 10, "five a network and code, ten strangers a day");
    assert_eq!(a.from("203.0.113.5").verify(ADA, &code).await.both(), wrong(), "nothing is left to guess with");
    let long = b.code(ADA).await;
    assert_eq!(
        (long.len(), a.from("203.0.113.5").verify(ADA, &long).await.status),
        (13, 200),
        "and nobody is locked out"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn limits_add_up_to_the_same_number_as_on_one_node() {
    let Some((a, b)) = two().await else { return };
    let (one, other) = (a.from("192.0.2.1"), b.from("198.51.100.1"));
    let (at_a, at_b) =
        tokio::join!(join_all((0..20).map(|_| one.start(BOB))), join_all((0..20).map(|_| other.start(BOB))));
    let sent = at_a.iter().chain(&at_b).filter(|answer| answer.status == 200).count();
    let refused = at_a.iter().chain(&at_b).filter(|answer| answer.status == 429).count();
    assert_eq!((sent, refused), (6, 34));
    // Of one network, over many addresses: 200 an hour by default, whichever node it asks.
    let most = a.app.config.sends.network_hour as usize;
    let from = "203.0.113.9";
    let mut sent = 0;
    for n in 0..most + 20 {
        let node = if n % 2 == 0 { &a } else { &b };
        sent += usize::from(node.from(from).start(&format!("u{n}@example.org")).await.status == 200);
    }
    assert_eq!(sent, most);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_name_is_one_message_on_both() {
    let Some((a, b)) = two().await else { return };
    let key = key(&a).await;
    let (one, other) = (program(&a, &key), program(&b, &key));
    let (one, other) = (one.saying("idempotency-key", "x"), other.saying("idempotency-key", "x"));
    let body = || json!({ "to": BOB });
    let (at_a, at_b) =
        tokio::join!(join_all((0..32).map(|_| one.post(V, body()))), join_all((0..32).map(|_| other.post(V, body()))));
    let first = at_a[0].both();
    assert_eq!(first.0, 201, "{}", first.1);
    assert!(at_a.iter().chain(&at_b).all(|answer| answer.both() == first), "one answer");
    a.deliver_due().await;
    b.deliver_due().await;
    assert_eq!(a.messages(BOB) + b.messages(BOB), 1, "one message");
}

/// A person presses twice, and their program asks both nodes: neither press is told that it was wrong, and neither costs a guess.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_right_answer_on_both_is_right_on_both() {
    let Some((a, b)) = two().await else { return };
    let key = key(&a).await;
    for n in 0..10 {
        let to = format!("bob{n}@example.com");
        let started = program(&a, &key).post(V, json!({ "to": to })).await.json();
        a.deliver_due().await;
        let path = format!("{V}/{}/check", started["id"].as_str().unwrap());
        let body = || json!({ "code": a.last_code(&to) });
        let (one, other) = (program(&a, &key), program(&b, &key));
        let (one, other) = tokio::join!(one.post(&path, body()), other.post(&path, body()));
        assert_eq!((&one.json()["valid"], &other.json()["valid"]), (&json!(true), &json!(true)), "{n}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_everywhere_within_a_second() {
    let Some((a, b)) = two().await else { return };
    let admin = key(&a).await;
    let made = program(&a, &admin).post("/v1/keys", json!({ "name": "ci", "scopes": ["read"] })).await.json();
    let (id, new) = (made["id"].as_str().unwrap(), made["api_key"].as_str().unwrap());
    assert_eq!(program(&b, new).get("/v1/users").await.status, 200, "the other node has just looked at it");
    assert_eq!(program(&a, &admin).send(Method::DELETE, &format!("/v1/keys/{id}"), "").await.status, 204);
    assert_eq!(program(&a, new).get("/v1/users").await.status, 401, "at once where it was revoked");
    advance([&a, &b], seconds(1));
    assert_eq!(program(&b, new).get("/v1/users").await.status, 401);
}

#[tokio::test]
async fn a_dead_nodes_message_goes_out_from_the_other_once() {
    let Some((a, b)) = two().await else { return };
    // Committed, handed to a worker that never runs.
    assert_eq!(a.start(BOB).await.status, 200);
    assert_eq!(b.deliver_due().await, 0, "somebody may be at it");
    advance([&a, &b], a.app.config.mail.lease);
    let (at_a, at_b) = tokio::join!(a.worker.deliver_due(), b.worker.deliver_due());
    assert_eq!(at_a.unwrap() + at_b.unwrap(), 1, "one of them has it");
    assert_eq!(a.messages(BOB) + b.messages(BOB), 1);
    advance([&a, &b], hours(1));
    assert_eq!(a.worker.deliver_due().await.unwrap() + b.worker.deliver_due().await.unwrap(), 0, "it is recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_on_one_node_hears_what_happens_on_the_other() {
    let Some((a, b)) = two().await else { return };
    let key = key(&a).await;
    let started = program(&a, &key).post(V, json!({ "to": BOB })).await.json();
    let path = format!("{V}/{}", started["id"].as_str().unwrap());
    let watching = program(&b, &key);
    // Before it begins, so that one word is left to be heard.
    a.deliver_due().await;
    let listening = async { watching.get(&format!("{path}/events")).await.text() };
    let happening = async {
        while b.app.feed.open() == 0 {
            tokio::time::sleep(MOMENT).await;
        }
        let right = program(&a, &key).post(&format!("{path}/check"), json!({ "code": a.last_code(BOB) })).await;
        assert_eq!(right.json()["valid"], true);
    };
    // A stream looks by itself every fifteen seconds: what it hears before it was told.
    let both = async { tokio::join!(listening, happening) };
    let (text, ()) = tokio::time::timeout(seconds(14), both).await.expect("the other node was told");
    let kinds: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("event: verification.")).collect();
    assert_eq!(kinds, ["started", "sent", "verified"]);
}

/// The attack: the last two of an org remove each other at the same moment, on two nodes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_org_keeps_its_last_user() {
    let Some((a, b)) = two().await else { return };
    let key = key(&a).await;
    for round in 0..5 {
        let email = format!("second{round}@example.com");
        let body = json!({ "full_name": "Second", "email": email });
        let made = program(&a, &key).post("/v1/users", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let users = program(&a, &key).get("/v1/users").await.json();
        let path = |at: usize| format!("/v1/users/{}", users["data"][at]["id"].as_str().unwrap());
        let (one, other) = (program(&a, &key), program(&b, &key));
        let (last, first) = (path(users["data"].as_array().unwrap().len() - 1), path(0));
        let (one, other) = tokio::join!(one.send(Method::DELETE, &last, ""), other.send(Method::DELETE, &first, ""));
        let left = a.app.db.read(|tx| Box::pin(doorcode::store::orgs::list(tx, 10))).await.unwrap();
        let org = left.iter().map(|(id, _)| *id).find(|id| *id != doorcode_core::OrgId::HOUSE).unwrap();
        let users = a.app.db.read(move |tx| Box::pin(async move { doorcode::store::users::count(tx, &org).await }));
        assert_eq!(users.await.unwrap(), 1, "round {round}: {} and {}", one.status, other.status);
        if other.status == 200 {
            break; // Ada is gone, and her key with her.
        }
    }
}

/// A rotation without downtime, where each has key files of its own.
#[tokio::test]
async fn a_key_is_activated_when_every_server_has_its_file() {
    let Some((a, _)) = two().await else { return };
    let theirs = a.folder.path().join("keys-of-b");
    std::fs::create_dir(&theirs).unwrap();
    let file = |kid| doorcode::keyring::file_of(&a.app.config.keys, kid);
    let bring = |kid| std::fs::copy(file(kid), doorcode::keyring::file_of(&theirs, kid)).unwrap();
    bring(a.app.keys.ring().active().kid);
    let mut config = a.app.config.clone();
    config.keys.clone_from(&theirs);
    let b = TestApp::open(Arc::clone(&a.folder), config, START).await.unwrap();
    let (mut at_a, mut at_b) = (Sweep::default(), Sweep::default());
    jobs::tick(&a.app, &mut at_a).await.unwrap();
    jobs::tick(&b.app, &mut at_b).await.unwrap();

    let new = master_keys::add(&a.app).await.unwrap();
    advance([&a, &b], seconds(11));
    jobs::tick(&a.app, &mut at_a).await.unwrap();
    jobs::tick(&b.app, &mut at_b).await.unwrap();
    assert!(a.app.keys.ring().get(new).is_some() && b.app.keys.ring().get(new).is_none());
    assert_eq!(b.get("/readyz").await.status, 200, "it goes on with what it has");
    let early = master_keys::activate(&a.app, new).await.unwrap_err();
    assert!(doorcode::chain(&early).contains("copy it to each"), "{}", doorcode::chain(&early));

    bring(new);
    advance([&a, &b], seconds(1));
    jobs::tick(&b.app, &mut at_b).await.unwrap();
    assert!(b.app.keys.ring().get(new).is_some(), "found within a second");
    master_keys::activate(&a.app, new).await.unwrap();
    jobs::tick(&b.app, &mut at_b).await.unwrap();
    assert_eq!(b.app.keys.ring().active().kid, new);

    // A server that says nothing for half a minute is not waited for. Should it come back without the file, it says that it is not ready,
    // and leaves mails that it can't write to the others.
    let third = master_keys::add(&a.app).await.unwrap();
    jobs::tick(&a.app, &mut at_a).await.unwrap();
    assert!(master_keys::activate(&a.app, third).await.is_err());
    advance([&a, &b], seconds(31));
    jobs::tick(&a.app, &mut at_a).await.unwrap();
    master_keys::activate(&a.app, third).await.unwrap();
    jobs::tick(&a.app, &mut at_a).await.unwrap();
    assert!(jobs::tick(&b.app, &mut at_b).await.is_err());
    let ready = b.get("/readyz").await;
    assert_eq!((ready.status, ready.text().as_str()), (503, "a master key is missing\n"));
    assert_eq!(a.start(BOB).await.status, 200);
    advance([&a, &b], a.app.config.mail.lease);
    assert_eq!(b.worker.deliver_due().await.unwrap(), 1);
    assert_eq!(b.messages(BOB), 0);
    advance([&a, &b], a.app.config.mail.lease);
    assert_eq!((a.worker.deliver_due().await.unwrap(), a.messages(BOB)), (1, 1), "the other one sends it");
    bring(third);
    jobs::tick(&b.app, &mut at_b).await.unwrap();
    assert_eq!(b.get("/readyz").await.status, 200);
}

/// Both open the same empty database at the same moment: one makes the schema, the other finds it made.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_together_migrate_once() {
    let Some(cluster) = postgres::shared() else { return };
    let url = cluster.database();
    let settings = postgres::settings(&url, 2);
    let opened = join_all((0..8).map(|_| doorcode::store::Db::connect(&settings))).await;
    for db in opened {
        db.unwrap();
    }
    let steps = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap().count();
    assert_eq!(postgres::query(&url, "SELECT count(*) FROM migrations").unwrap(), [steps.to_string()]);
    postgres::query(&url, "INSERT INTO migrations VALUES (99, '0099_from_the_future')").unwrap();
    let refused = doorcode::store::Db::connect(&settings).await.err().unwrap();
    assert!(doorcode::chain(&refused).contains("newer version"), "{}", doorcode::chain(&refused));
}
