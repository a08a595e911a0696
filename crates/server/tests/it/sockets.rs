//! Sockets of the agentotp door: each of its three kinds of readers hears every change, in order, once, and nobody else hears any.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use doorcode_core::relay::Named as _;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, timeout, timeout_at};

use crate::app::{Folder, settings};
use crate::postgres;
use crate::socket_house::{End, House, PATIENCE, Ws, brief, path};

const OVER: fn() -> End = || End::Close(1000, "the request is over".to_owned());

/// A room that opens from now on looks by itself after thirty seconds: what is heard before was told.
pub(crate) fn looks_itself() -> Instant {
    Instant::now() + Duration::from_secs(28)
}

fn both(status: &str) -> Vec<String> {
    vec![format!("status_change {status}"), format!("otp_status_change {status}")]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reader_hears_every_change_in_order() {
    let house = House::open().await;
    let person = house.person().await;
    let agent = house.agent(&person, false).await;
    let id = house.request(&agent).await;
    let mut ws = house.watch(&path(id), &agent.key).await;
    let first = ws.some(2).await;
    assert_eq!(first.iter().map(brief).collect::<Vec<_>>(), both("pending_approval"), "how it stands, at once");
    house.decide(&person, id, None).await;
    house.receive(&person, id).await;
    house.consume(&agent, id).await;
    let mut heard = Vec::new();
    while let Ok(message) = ws.next().await {
        assert_eq!((&message["id"], &message["payload"]["otpRequestId"]), (&json!(id.shown()), &json!(id.shown())));
        assert_eq!(message["payload"]["status"], message["status"]);
        heard.push(message);
    }
    let mut expected = both("approved");
    expected.extend(both("otp_received"));
    expected.push("otp_received otp_received".to_owned());
    expected.extend(both("consumed"));
    assert_eq!(heard.iter().map(brief).collect::<Vec<_>>(), expected);
    let numbers: Vec<u64> = heard.iter().map(|message| message["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 2, 3, 3, 3, 4, 4]);
    let metadata = &heard[4]["payload"]["metadata"];
    assert_eq!((&metadata["sender"], &metadata["verdict"]), (&json!("example.com"), &json!("verified")));
    for (message, told) in heard.iter().zip([false, false, true, true, true, false, false]) {
        let way = (&message["capture"], &message["verdict"], &message["readableByServer"]);
        let expected = (&json!("collector"), &json!("verified"), &json!(false));
        assert_eq!(way == expected, told, "{message}");
    }
    assert!(!heard.iter().any(|message| message.to_string().contains("encrypted")), "no code, sealed or not");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_is_told_and_closes_the_socket() {
    let house = House::open().await;
    let person = house.person().await;
    let agent = house.agent(&person, false).await;
    let [denied, cancelled, expired] =
        [house.request(&agent).await, house.request(&agent).await, house.request(&agent).await];
    let mut sockets = Vec::new();
    for id in [denied, cancelled, expired] {
        let mut ws = house.watch(&path(id), &person.token).await;
        ws.some(2).await;
        sockets.push(ws);
    }
    house.decide(&person, denied, Some("not mine")).await;
    let last = sockets[0].some(2).await.pop().unwrap();
    assert_eq!((&last["payload"]["status"], &last["payload"]["reason"]), (&json!("denied"), &json!("not mine")));
    assert_eq!(sockets[0].rest().await, (vec![], OVER()));
    house.cancel(&agent, cancelled).await;
    assert_eq!(sockets[1].rest().await, (both("cancelled"), OVER()));
    house.advance(121);
    let mut ending = both("expired");
    ending.push("expired expired".to_owned());
    assert_eq!(sockets[2].rest().await, (ending.clone(), OVER()));
    // Who comes later is told how it ended.
    let mut late = house.watch(&path(expired), &agent.key).await;
    assert_eq!(late.rest().await, (ending, OVER()));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_removed_agent_had_asked_for_ends_at_once() {
    let house = House::open().await;
    let person = house.person().await;
    let agent = house.agent(&person, false).await;
    let id = house.request(&agent).await;
    let looks = looks_itself();
    let mut ws = house.watch(&path(id), &person.token).await;
    ws.some(2).await;
    doorcode::ops::agents::remove(&house.app, person.whose, agent.made.agent.id).await.unwrap();
    let told = timeout_at(looks, ws.rest()).await.expect("it was called");
    assert_eq!(told, (both("cancelled"), OVER()));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_hears_what_was_missed_and_nothing_twice() {
    let house = House::open().await;
    let person = house.person().await;
    let agent = house.agent(&person, false).await;
    let id = house.request(&agent).await;
    house.decide(&person, id, None).await;
    house.receive(&person, id).await;
    let behind = |after: u8| format!("{}?after={after}", path(id));
    let mut ws = house.watch(&behind(1), &agent.key).await;
    let numbers: Vec<Value> = ws.some(5).await.into_iter().map(|message| message["seq"].clone()).collect();
    assert_eq!(numbers, [2, 2, 3, 3, 3]);
    let mut ws = house.watch(&behind(3), &agent.key).await;
    house.consume(&agent, id).await;
    assert_eq!(ws.rest().await, (both("consumed"), OVER()));
    let mut ws = house.watch(&behind(4), &agent.key).await;
    assert_eq!(ws.rest().await, (vec![], OVER()));
    let refused = Ws::open(house.at, &format!("{}?after=x", path(id)), &auth(&agent.key)).await.err().unwrap();
    assert_eq!(refused.status, 422);
    house.stop().await;
}

fn auth(key: &str) -> String {
    format!("Authorization: Bearer {key}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_says_who_it_is_in_its_first_message() {
    let house = House::open().await;
    let person = house.person().await;
    let agent = house.agent(&person, false).await;
    let id = house.request(&agent).await;
    for token in [&agent.key, &person.token] {
        let mut ws = Ws::open(house.at, &path(id), "").await.unwrap();
        ws.say(json!({ "type": "auth", "token": token })).await;
        assert_eq!(brief(&ws.next().await.unwrap()), "status_change pending_approval");
    }
    let mut ws = Ws::open(house.at, &path(id), "X-API-Key: \r\n").await.err().map(|answer| answer.status);
    assert_eq!(ws.take(), Some(401), "a header that names nobody is no silence");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_from_another_ones_request() {
    let house = House::open().await;
    let (person, stranger) = (house.person().await, house.person().await);
    let (agent, other) = (house.agent(&person, false).await, house.agent(&stranger, false).await);
    let sibling = house.agent(&person, false).await;
    let id = house.request(&agent).await;
    let unknown = doorcode_core::RelayId::from_bytes([9; 16]);
    for key in [&other.key, &stranger.token, &sibling.key] {
        let [theirs, nobodys] = [path(id), path(unknown)];
        let theirs_answer = Ws::open(house.at, &theirs, &auth(key)).await.err().unwrap();
        let nobodys_answer = Ws::open(house.at, &nobodys, &auth(key)).await.err().unwrap();
        assert_eq!((theirs_answer.status, theirs_answer.text()), (404, nobodys_answer.text()));
        let mut ends = Vec::new();
        for path in [&theirs, &nobodys] {
            let mut ws = Ws::open(house.at, path, "").await.unwrap();
            ws.say(json!({ "type": "auth", "token": key })).await;
            let error = ws.next().await.unwrap();
            ends.push((error, ws.rest().await));
        }
        assert_eq!(ends[0], ends[1]);
        assert_eq!(ends[0].0["payload"]["code"], "OTP_NOT_FOUND");
        let ticket = house.ask(&format!("POST /v1/otp/{}/ticket", id.shown()), key, "").await;
        assert_eq!(ticket.status, 404, "{}", ticket.text());
    }
    house.stop().await;
}

async fn ticket(house: &House, line: &str, key: &str) -> String {
    let answer = house.ask(line, key, "").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["expiresIn"], 60);
    let url = answer["url"].as_str().unwrap();
    assert!(url.starts_with("ws://") && url.ends_with(answer["ticket"].as_str().unwrap()), "{url}");
    answer["ticket"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_socket_of_its_request() {
    let house = House::open().await;
    let person = house.person().await;
    let agent = house.agent(&person, false).await;
    let (id, other) = (house.request(&agent).await, house.request(&agent).await);
    let make = format!("POST /v1/otp/{}/ticket", id.shown());
    let open = async |id, ticket: &str| Ws::open(house.at, &format!("{}?ticket={ticket}", path(id)), "").await;
    let refused = async |id, ticket: &str| open(id, ticket).await.err().map(|answer| answer.status);

    let good = ticket(&house, &make, &agent.key).await;
    assert_eq!(refused(other, &good).await, Some(401), "it is for another request");
    let all = Ws::open(house.at, &format!("/ws?ticket={good}"), "").await.err().unwrap();
    assert_eq!(all.status, 401);
    let got = house.ask(&format!("GET {}?ticket={good}", path(id)), "", "").await;
    assert_eq!(
        (got.status, got.header("upgrade")),
        (426, Some("websocket")),
        "whoever follows the link uses nothing up"
    );
    let two = Ws::open(house.at, &format!("{}?ticket={good}", path(id)), &auth(&agent.key)).await.err().unwrap();
    assert_eq!(two.status, 401, "a key and a ticket");
    let mut ws = open(id, &good).await.unwrap();
    assert_eq!(brief(&ws.next().await.unwrap()), "status_change pending_approval");
    assert_eq!(refused(id, &good).await, Some(401), "it was used");

    let tickets: Vec<_> = (0..1).map(|_| ticket(&house, &make, &agent.key)).collect();
    let raced = join_all(tickets).await.pop().unwrap();
    let won = join_all((0..8).map(|_| open(id, &raced))).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(won, 1, "of eight at once");

    let late = ticket(&house, &make, &agent.key).await;
    house.advance(60);
    assert_eq!(refused(id, &late).await, Some(401), "its minute is over");
    assert_eq!(refused(id, "wst_x").await, Some(401));

    // In the first message it stays out of the URL.
    let quiet = ticket(&house, &make, &person.token).await;
    let mut ws = Ws::open(house.at, &path(id), "").await.unwrap();
    ws.say(json!({ "type": "auth", "token": quiet })).await;
    assert_eq!(brief(&ws.next().await.unwrap()), "status_change pending_approval");

    let orphan = ticket(&house, &make, &agent.key).await;
    doorcode::ops::agents::remove(&house.app, person.whose, agent.made.agent.id).await.unwrap();
    assert_eq!(refused(id, &orphan).await, Some(401), "its maker is gone");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_socket_tells_of_all_requests() {
    let house = House::open().await;
    let (person, stranger) = (house.person().await, house.person().await);
    let (agent, sibling) = (house.agent(&person, false).await, house.agent(&person, false).await);
    let noise = house.agent(&stranger, false).await;
    let first = house.request(&agent).await;
    house.request(&noise).await;
    let mut of_agent = house.watch("/ws", &agent.key).await;
    let mut of_owner = house.watch("/ws", &person.token).await;
    let told = ticket(&house, "POST /v1/otp/ticket", &person.token).await;
    let mut by_ticket = Ws::open(house.at, &format!("/ws?ticket={told}"), "").await.unwrap();
    for ws in [&mut of_agent, &mut of_owner, &mut by_ticket] {
        let now = ws.some(2).await;
        assert!(now.iter().all(|message| message["id"] == first.shown()), "{now:?}");
    }
    let second = house.request(&sibling).await;
    house.decide(&person, second, None).await;
    house.decide(&person, first, Some("no")).await;
    let mut heard = Vec::new();
    let last = [(second, "approved"), (first, "denied")].map(|(id, status)| (id.shown(), status.to_owned()));
    while !last.iter().all(|change| heard.contains(change)) {
        let message = of_owner.next().await.unwrap();
        if message["type"] == "status_change" {
            heard.push((message["id"].as_str().unwrap().to_owned(), message["status"].as_str().unwrap().to_owned()));
        }
    }
    let expected = [(second, "pending_approval"), (second, "approved"), (first, "denied")];
    let mut expected: Vec<_> = expected.map(|(id, status)| (id.shown(), status.to_owned())).to_vec();
    // Two requests are told in the order of a look, each of them in the order of its own.
    heard.sort_by_key(|(id, _)| *id == first.shown());
    expected.sort_by_key(|(id, _)| *id == first.shown());
    assert_eq!(heard, expected);
    let denied: Vec<String> = of_agent.some(2).await.iter().map(brief).collect();
    assert_eq!(denied, both("denied"), "of its sibling it hears nothing");
    of_agent.answers().await;
    // Who comes back hears of what ended meanwhile.
    let mut again = house.watch("/ws", &agent.key).await;
    assert_eq!(again.some(2).await.iter().map(brief).collect::<Vec<_>>(), both("denied"));
    house.stop().await;
}

/// The race: a word that falls between the look and the listening.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_change_falls_between_look_and_listening() {
    let house = House::open().await;
    for round in 0..40 {
        // The budgets of a person and of an agent are not meant here.
        let person = house.person().await;
        let agent = house.agent(&person, false).await;
        let id = house.request(&agent).await;
        let watching = async {
            let mut ws = house.watch(&path(id), &agent.key).await;
            let mut numbers = Vec::new();
            loop {
                let message = timeout(PATIENCE, ws.next()).await.unwrap().unwrap();
                numbers.push(message["seq"].as_u64().unwrap());
                if message["type"] == "otp_received" {
                    return numbers;
                }
            }
        };
        let deciding = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            house.decide(&person, id, None).await;
            house.receive(&person, id).await;
        };
        let (numbers, ()) = tokio::join!(watching, deciding);
        assert!(numbers.is_sorted(), "{numbers:?}");
        let begun = numbers[0];
        assert!((begun..=3).all(|number| numbers.contains(&number)), "none was passed over: {numbers:?}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_happens_on_one_node_is_told_on_the_other() {
    let Some(cluster) = postgres::shared() else { return };
    let (url, folder) = (cluster.database(), Folder::new());
    let mut config = settings(&folder, &[]);
    config.database = Some(std::sync::Arc::new(postgres::settings(&url, 8)));
    let a = House::of(std::sync::Arc::clone(&folder), config.clone()).await;
    let b = House::of(folder, config).await;
    let person = a.person().await;
    let agent = a.agent(&person, false).await;
    let id = a.request(&agent).await;
    let looks = looks_itself();
    let (mut one, mut all) = (b.watch(&path(id), &agent.key).await, b.watch("/ws", &person.token).await);
    one.some(2).await;
    all.some(2).await;
    let telling = async {
        a.decide(&person, id, None).await;
        assert_eq!(one.some(2).await.iter().map(brief).collect::<Vec<_>>(), both("approved"));
        assert_eq!(all.some(2).await.iter().map(brief).collect::<Vec<_>>(), both("approved"));
        a.receive(&person, id).await;
        assert_eq!(one.some(3).await.len(), 3);
        b.consume(&agent, id).await;
        assert_eq!(one.rest().await, (both("consumed"), OVER()));
    };
    timeout_at(looks, telling).await.expect("the other node was told");

    // A ticket is good once, wherever it is used.
    let id = a.request(&agent).await;
    let made = ticket(&a, &format!("POST /v1/otp/{}/ticket", id.shown()), &agent.key).await;
    let there = format!("{}?ticket={made}", path(id));
    let (at_a, at_b) = tokio::join!(Ws::open(a.at, &there, ""), Ws::open(b.at, &there, ""));
    assert_eq!(u8::from(at_a.is_ok()) + u8::from(at_b.is_ok()), 1);
    a.stop().await;
    b.stop().await;
}
