//! The relay on two servers with one PostgreSQL: each step is asked of the other one, who listens at one hears of both, and of two who come
//! at once, one at each, one has it.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use doorcode::ops::devices;
use doorcode::ops::relays::expire_all;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::timeout_at;

use crate::agentotp_cast::*;
use crate::app::{Answer, Client, Folder, HERE, TestApp, seconds, settings};
use crate::nodes::{advance, two};
use crate::postgres;
use crate::socket_house::{End, House, brief};
use crate::sockets::looks_itself;
use crate::talk;

async fn houses() -> Option<(House, House)> {
    let (url, folder) = (postgres::shared()?.database(), Folder::new());
    let mut config = settings(&folder, &[]);
    config.database = Some(Arc::new(postgres::settings(&url, 8)));
    let a = House::of(Arc::clone(&folder), config.clone()).await;
    Some((a, House::of(folder, config).await))
}

async fn call(house: &House, line: &str, key: &str, body: Value) -> talk::Answer {
    house.caller().call(line, key, "", &body).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn asked_here_approved_there_handed_in_here_read_there() {
    let Some((a, b)) = houses().await else { return };
    let person = a.person().await;
    let agent = a.agent(&person, false).await;
    let device = devices::create(&a.app, person.whose, "collector", "c").await.unwrap();
    let collector = device.key.expose();

    let asked = call(&a, "POST /v1/otp/request", &agent.key, wish()).await;
    assert_eq!(asked.status, 202, "{}", asked.text());
    let id = asked.json()["id"].as_str().unwrap().to_owned();
    let looks = looks_itself();
    let mut ws = a.watch(&format!("/ws/{id}"), &agent.key).await;
    let mut all = a.watch("/ws", &person.token).await;
    ws.some(2).await;
    all.some(2).await;
    // A collector and an agent that poll at the one node while the other one is told.
    let listed = call(&a, "GET /v1/otp/pending", collector, Value::Null).await.json();
    let known = listed["version"].as_str().unwrap();
    let news = format!("GET /v1/otp/pending?wait=30&known={known}");
    let status = format!("GET /v1/otp/{id}?wait=30");
    let polling =
        async { tokio::join!(call(&a, &news, collector, Value::Null), call(&a, &status, &agent.key, Value::Null)) };
    let approving = async {
        while a.app.feed.open() < 4 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        call(&b, &format!("POST /v1/otp/{id}/approve"), &person.token, json!({})).await
    };
    let both = async { tokio::join!(polling, approving) };
    let ((news, status), approved) = timeout_at(looks, both).await.expect("the other node was told");
    assert_eq!(approved.status, 200, "{}", approved.text());
    assert_eq!(news.json()["requests"][0]["id"], id);
    assert_eq!(status.json()["status"], "approved");

    let heard = async {
        for ws in [&mut ws, &mut all] {
            assert_eq!(brief(&ws.some(2).await[0]), "status_change approved");
        }
    };
    timeout_at(looks, heard).await.expect("the other node was told");
    // Each look begins the time anew.
    let looks = looks_itself();
    let telling = async {
        let body = json!({ "encryptedPayload": seal(&id, CODE), "source": "email", "metadata": { "emailId": "<1>" } });
        let taken = call(&a, &format!("POST /v1/otp/{id}/receive"), collector, body.clone()).await;
        assert_eq!(taken.status, 200, "{}", taken.text());
        let again = call(&b, &format!("POST /v1/otp/{id}/receive"), collector, body).await;
        assert_eq!(again.status, 200, "the same once more, whoever is asked: {}", again.text());
        assert_eq!(brief(&ws.some(3).await[2]), "otp_received otp_received");
        let line = format!("POST /v1/otp/{id}/consume");
        let named = "Idempotency-Key: once\r\n";
        let read = b.caller().call(&line, &agent.key, named, &Value::Null).await.unwrap();
        assert_eq!(read.status, 200, "{}", read.text());
        assert_eq!(open(&id, &read.json()["encryptedPayload"]), CODE);
        assert_eq!(ws.rest().await.1, End::Close(1000, "the request is over".to_owned()));
        let again = a.caller().call(&line, &agent.key, named, &Value::Null).await.unwrap();
        assert_eq!(again.json()["encryptedPayload"], read.json()["encryptedPayload"], "the same named reading");
        let other = call(&a, &line, &agent.key, Value::Null).await;
        assert_eq!((other.status, &other.json()["code"]), (409, &json!("OTP_ALREADY_CONSUMED")));
    };
    timeout_at(looks, telling).await.expect("the other node was told");
    a.stop().await;
    b.stop().await;
}

/// Two nodes, and Ada's agent and collector.
struct Pair {
    a: TestApp,
    b: TestApp,
    ada: String,
    key: String,
    collector: String,
}

impl Pair {
    async fn new() -> Option<Self> {
        let (a, b) = two().await?;
        let (ada, whose) = person(&a, ADA).await;
        let (_, key) = agent(&a, whose, "Shopper", false).await;
        let (_, collector) = device(&a, whose, "collector").await;
        Some(Self { a, b, ada, key, collector })
    }

    fn at<'a>(&'a self, node: &'a TestApp, key: &str) -> Client<'a> {
        node.from(HERE).saying("authorization", &format!("Bearer {key}"))
    }

    async fn asked(&self) -> String {
        let answer = self.at(&self.a, &self.key).post(REQUEST, wish()).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn approved(&self) -> String {
        let id = self.asked().await;
        let answer = self.at(&self.b, &self.ada).post(&format!("/v1/otp/{id}/approve"), json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        id
    }

    async fn hand_in(&self, node: &TestApp, id: &str, message: &str) -> Answer {
        let sealed = seal(id, message);
        let body = json!({ "encryptedPayload": sealed, "source": "email", "metadata": { "emailId": message } });
        self.at(node, &self.collector).post(&format!("/v1/otp/{id}/receive"), body).await
    }

    async fn state(&self, id: &str) -> String {
        let answer = self.at(&self.b, &self.key).get(&format!("/v1/otp/{id}")).await;
        answer.json()["status"].as_str().unwrap().to_owned()
    }

    async fn consume(&self, node: &TestApp, id: &str) -> Answer {
        self.at(node, &self.key).send(Method::POST, &format!("/v1/otp/{id}/consume"), "").await
    }
}

fn statuses(answers: &[&Answer]) -> Vec<u16> {
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_32_and_32_readings_one_has_the_code() {
    let Some(pair) = Pair::new().await else { return };
    let id = pair.approved().await;
    assert_eq!(pair.hand_in(&pair.a, &id, CODE).await.status, 200);
    let reads = (0..64).map(|n| pair.consume(if n % 2 == 0 { &pair.a } else { &pair.b }, &id));
    let answers = join_all(reads).await;
    let read: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(read.len(), 1);
    assert_eq!(open(&id, &read[0].json()["encryptedPayload"]), CODE);
    let spent = answers.iter().filter(|answer| answer.status == 409).map(codes);
    assert_eq!(spent.filter(|codes| codes.1 == "OTP_ALREADY_CONSUMED").count(), 63);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_words_or_messages_at_once_one_counts() {
    let Some(pair) = Pair::new().await else { return };
    for round in 0..5 {
        // Yes and no.
        let id = pair.asked().await;
        let (yes, no) = (format!("/v1/otp/{id}/approve"), format!("/v1/otp/{id}/deny"));
        let (at_a, at_b) = (pair.at(&pair.a, &pair.ada), pair.at(&pair.b, &pair.ada));
        let (yes, no) = tokio::join!(at_a.post(&yes, json!({})), at_b.post(&no, json!({})));
        assert_eq!(statuses(&[&yes, &no]), [200, 409]);
        assert_eq!(pair.state(&id).await, if yes.status == 200 { "approved" } else { "denied" });
        // Two messages for one request.
        let id = pair.approved().await;
        let texts = [format!("{round}-1"), format!("{round}-2")];
        let (one, other) = tokio::join!(pair.hand_in(&pair.a, &id, &texts[0]), pair.hand_in(&pair.b, &id, &texts[1]));
        assert_eq!(statuses(&[&one, &other]), [200, 409]);
        let read = pair.consume(&pair.a, &id).await.json();
        assert_eq!(
            open(&id, &read["encryptedPayload"]),
            texts[usize::from(one.status != 200)],
            "what was acknowledged"
        );
        // One message for two requests.
        let (first, second) = (pair.approved().await, pair.approved().await);
        let text = format!("{round}-3");
        let (one, other) = tokio::join!(pair.hand_in(&pair.a, &first, &text), pair.hand_in(&pair.b, &second, &text));
        assert_eq!(statuses(&[&one, &other]), [200, 409]);
        // Taken back, and a code that comes.
        let left = if one.status == 200 { second } else { first };
        let (path, text) = (format!("/v1/otp/{left}"), format!("{round}-4"));
        let agent = pair.at(&pair.a, &pair.key);
        let (back, there) = tokio::join!(agent.send(Method::DELETE, &path, ""), pair.hand_in(&pair.b, &left, &text));
        assert_eq!(statuses(&[&back, &there]), [200, 409]);
        assert_eq!(pair.state(&left).await, if back.status == 200 { "cancelled" } else { "otp_received" });
        advance([&pair.a, &pair.b], seconds(60));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_over_is_written_down_once() {
    let Some(pair) = Pair::new().await else { return };
    let kept = pair.approved().await;
    assert_eq!(pair.hand_in(&pair.b, &kept, CODE).await.status, 200);
    for _ in 0..5 {
        pair.asked().await;
    }
    advance([&pair.a, &pair.b], seconds(120));
    let both = tokio::join!(expire_all(&pair.a.app), expire_all(&pair.b.app));
    assert!(both.0.is_ok() && both.1.is_ok());
    // Whoever was passed over because the other one held it finds it the next time.
    expire_all(&pair.a.app).await.unwrap();
    let record = pair.at(&pair.b, &pair.ada).get("/v1/audit?eventType=otp_expire&limit=100").await.json();
    let mut ended: Vec<&str> =
        record["data"].as_array().unwrap().iter().map(|entry| entry["requestId"].as_str().unwrap()).collect();
    assert_eq!(ended.len(), 6);
    ended.sort_unstable();
    ended.dedup();
    assert_eq!(ended.len(), 6, "each once");
    assert_eq!(codes(&pair.consume(&pair.b, &kept).await), refused(410, "OTP_EXPIRED", "EXPIRED"));
}
