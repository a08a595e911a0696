//! Event streams of a verification: everything that happened, in order, once, from wherever the listener left off.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::app::{Client, TestApp, minutes};
use crate::native::{BOB, V, check, key_of, problem, program, start, wrong_fields};
use crate::postgres;

/// Real time that a stream may take: whatever is waited for has happened long before.
const PATIENCE: Duration = Duration::from_secs(20);

/// A whole stream: the id and kind of each event.
async fn stream(client: &Client<'_>, id: &Value) -> Vec<(String, String)> {
    let path = format!("{V}/{}/events", id.as_str().unwrap());
    let answer = timeout(PATIENCE, client.get(&path)).await.unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")), "{}", answer.text());
    parse(&answer.text())
}

fn parse(text: &str) -> Vec<(String, String)> {
    let frames = text.split("\n\n").filter(|frame| !frame.trim().is_empty() && !frame.starts_with(':'));
    frames
        .map(|frame| {
            let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
            let data: Value = serde_json::from_str(field("data:")).unwrap();
            assert_eq!(data["type"], field("event:"));
            (field("id:").to_owned(), field("event:").to_owned())
        })
        .collect()
}

fn kinds(events: &[(String, String)]) -> Vec<&str> {
    events.iter().map(|(_, kind)| kind.strip_prefix("verification.").unwrap()).collect()
}

#[tokio::test]
async fn a_stream_tells_all_of_it_and_ends_with_it() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let started = start(&program, json!({ "to": BOB })).await;
    let listening = stream(&program, &started["id"]);
    let happening = async {
        tokio::task::yield_now().await;
        app.deliver_due().await;
        program.send(Method::POST, &format!("{V}/{}/resend", started["id"].as_str().unwrap()), "").await;
        app.deliver_due().await;
        check(&program, &started["id"], &app.last_code(BOB)).await
    };
    let (events, _) = tokio::join!(listening, happening);
    assert_eq!(kinds(&events), ["started", "sent", "resent", "sent", "verified"]);

    // Who comes late hears all of it, and who was there before hears the rest.
    assert_eq!(stream(&program, &started["id"]).await, events);
    let resumed = program.clone().saying("last-event-id", &events[2].0);
    assert_eq!(stream(&resumed, &started["id"]).await, events[3..]);
    let all = program.clone().saying("last-event-id", &events[4].0);
    assert_eq!(stream(&all, &started["id"]).await, []);
}

#[tokio::test]
async fn what_ends_without_a_code_is_told_too() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let started = start(&program, json!({ "to": BOB })).await;
    program.send(Method::DELETE, &format!("{V}/{}", started["id"].as_str().unwrap()), "").await;
    assert_eq!(kinds(&stream(&program, &started["id"]).await), ["started", "canceled"]);
    let started = start(&program, json!({ "to": BOB })).await;
    app.advance(minutes(10));
    let events = stream(&program, &started["id"]).await;
    assert_eq!(kinds(&events), ["started", "expired"]);
    assert_eq!(events[1].0, "", "nothing to resume behind");
}

#[tokio::test]
async fn nonsense_to_resume_behind_is_refused() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let started = start(&program, json!({ "to": BOB })).await;
    let path = format!("{V}/{}/events", started["id"].as_str().unwrap());
    let answer = program.clone().saying("last-event-id", "7").get(&path).await;
    assert_eq!(wrong_fields(&answer), ["Last-Event-ID"]);
}

#[tokio::test]
async fn streams_do_not_take_every_connection_and_end_with_the_house() {
    if postgres::is_wanted() {
        return; // Counts on a look that is ready at once.
    }
    let app = TestApp::with(&[("DOORCODE_SERVER__MAX_CONNECTIONS", "4")]).await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let started = start(&program, json!({ "to": BOB })).await;
    let path = format!("{V}/{}/events", started["id"].as_str().unwrap());
    let id: doorcode_core::ChallengeId = started["id"].as_str().unwrap().parse().unwrap();
    let others = [7, 7, 8].map(|org| doorcode_core::OrgId::from_bytes([org; 16]));
    let listeners = others.map(|org| app.app.feed.listen((org, None), *id.as_bytes()).unwrap());
    assert_eq!(problem(&program.get(&path).await), (429, "limited".to_owned()));
    drop(listeners);
    let org = program.get("/v1/orgs").await.json()["data"][0]["id"].as_str().unwrap().parse().unwrap();
    let listeners = [0, 1].map(|_| app.app.feed.listen((org, None), *id.as_bytes()).unwrap());
    assert_eq!(problem(&program.get(&path).await), (429, "limited".to_owned()), "half of the connections for one org");
    drop(listeners);
    assert_eq!(app.app.feed.open(), 0);
    let listening = stream(&program, &started["id"]);
    let closing = async {
        tokio::task::yield_now().await;
        app.app.feed.close();
    };
    let (events, ()) = tokio::join!(listening, closing);
    assert_eq!(kinds(&events), ["started"]);
}
