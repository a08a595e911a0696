//! The native door's administration: keys, users, orgs, events, and lists by page.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, hours, minutes};
use crate::native::{BOB, V, key_of, problem, program, start, wrong_fields};
use crate::process::until;

/// The kinds of the org's events, newest first.
fn kinds(list: &Value) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_key_is_made_shown_once_used_rotated_and_revoked() {
    let app = TestApp::new().await;
    let admin = key_of(&app, "ada@example.com").await;
    let admin = program(&app, &admin);
    let made = admin.post("/v1/keys", json!({ "name": " check\u{202e}out ", "expires_in": 7200 })).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!((&made["name"], &made["scopes"]), (&json!("checkout"), &json!(["verify"])));
    let key = made["api_key"].as_str().unwrap();
    assert!(key.starts_with("dck_") && key.len() == 36, "{key}");
    let holder = program(&app, key);
    start(&holder, json!({ "to": BOB })).await;
    // It may do what it was made for, and nothing else.
    for path in ["/v1/keys", "/v1/users", "/v1/orgs", "/v1/events"] {
        let refused = holder.get(path).await;
        assert_eq!(problem(&refused), (403, "forbidden".to_owned()));
        assert!(refused.header("www-authenticate").unwrap().contains("scope=\"read\""));
    }
    assert_eq!(problem(&holder.post("/v1/keys", json!({ "name": "x" })).await), (403, "forbidden".to_owned()));

    let shown = admin.get(&format!("/v1/keys/{}", made["id"].as_str().unwrap())).await;
    assert!(!shown.text().contains(key), "never again");

    let path = format!("/v1/keys/{}/rotate", made["id"].as_str().unwrap());
    let next = admin.post(&path, json!({ "grace": 600 })).await.json();
    let successor = program(&app, next["api_key"].as_str().unwrap());
    assert_eq!(next["name"], "checkout");
    for still in [&holder, &successor] {
        start(still, json!({ "to": BOB })).await;
    }
    app.advance(minutes(10));
    assert_eq!(problem(&holder.post(V, json!({ "to": BOB })).await), (401, "unauthenticated".to_owned()));
    start(&successor, json!({ "to": BOB })).await;
    assert_eq!(problem(&admin.post(&path, json!({})).await), (409, "conflict".to_owned()), "the old one is dead");

    let path = format!("/v1/keys/{}", next["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(admin.send(Method::DELETE, &path, "").await.status, 204);
    }
    let dead = successor.post(V, json!({ "to": BOB })).await;
    assert_eq!(problem(&dead), (401, "unauthenticated".to_owned()));
    assert_eq!(dead.header("www-authenticate"), Some("Bearer realm=\"doorcode\""));
    let events = kinds(&admin.get("/v1/events?limit=100").await.json());
    for kind in ["key.created", "key.rotated", "credential.revoked", "verification.started"] {
        assert!(events.iter().any(|event| event == kind), "{kind}: {events:?}");
    }
}

#[tokio::test]
async fn a_key_ends_when_it_was_told_to() {
    let app = TestApp::new().await;
    let admin = key_of(&app, "ada@example.com").await;
    let made = program(&app, &admin).post("/v1/keys", json!({ "name": "x", "expires_in": 3600 })).await.json();
    let holder = program(&app, made["api_key"].as_str().unwrap());
    app.advance(hours(1));
    assert_eq!(problem(&holder.post(V, json!({ "to": BOB })).await), (401, "unauthenticated".to_owned()));
}

#[tokio::test]
async fn a_further_key_is_not_what_a_sign_in_hands_over() {
    let app = TestApp::new().await;
    let first = key_of(&app, "ada@example.com").await;
    program(&app, &first).post("/v1/keys", json!({ "name": "x" })).await;
    app.advance(hours(1));
    assert_eq!(key_of(&app, "ada@example.com").await, first);
}

#[tokio::test]
async fn the_use_of_a_key_is_noted() {
    let app = TestApp::new().await;
    let admin = key_of(&app, "ada@example.com").await;
    let admin = program(&app, &admin);
    let used = async || admin.get("/v1/keys").await.json()["data"][0]["last_used_at"].clone();
    used().await;
    // Behind the request's back, so a later one sees it.
    let now = async || until("the use", async || (used().await == app.now().to_string()).then_some(())).await;
    now().await;
    let first = used().await;
    app.advance(minutes(4));
    used().await;
    app.app.mark_time().await.unwrap();
    assert_eq!(used().await, first, "not for every request");
    app.advance(minutes(1));
    used().await;
    now().await;
}

#[tokio::test]
async fn users_are_listed_made_and_removed() {
    let app = TestApp::new().await;
    let admin = key_of(&app, "ada@example.com").await;
    let admin = program(&app, &admin);
    let made = admin.post("/v1/users", json!({ "full_name": "Grace", "email": "Grace@Example.com" })).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!((&made["email"], &made["email_verified"]), (&json!("grace@example.com"), &json!(false)));
    let list = admin.get("/v1/users").await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    assert_eq!((&list["data"][0]["email_verified"], &list["data"][1]), (&json!(true), &made));

    let ada = format!("/v1/users/{}", list["data"][0]["id"].as_str().unwrap());
    let grace = format!("/v1/users/{}", made["id"].as_str().unwrap());
    let gone = admin.send(Method::DELETE, &grace, "").await;
    assert_eq!((gone.status, gone.json()), (200, json!({ "api_key": null })), "she never had the key");
    assert_eq!(problem(&admin.get(&grace).await), (404, "not-found".to_owned()));
    assert_eq!(problem(&admin.send(Method::DELETE, &ada, "").await), (409, "conflict".to_owned()), "the last one");
}

#[tokio::test]
async fn whoever_is_removed_knew_the_key_so_it_is_replaced() {
    let app = TestApp::new().await;
    let old = key_of(&app, "ada@example.com").await;
    let org = program(&app, &old).get("/v1/orgs").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let (house, org) = (std::sync::Arc::clone(&app.app), org.parse().unwrap());
    let eve = doorcode_core::Email::parse("eve@example.com").unwrap();
    doorcode::ops::orgs::invite(&house, &eve, Some(org)).await.unwrap();
    assert_eq!(key_of(&app, "eve@example.com").await, old, "she joined, and was handed it");
    let list = program(&app, &old).get("/v1/users").await.json();
    let path = format!("/v1/users/{}", list["data"][1]["id"].as_str().unwrap());
    let gone = program(&app, &old).send(Method::DELETE, &path, "").await;
    let new = gone.json()["api_key"].as_str().unwrap().to_owned();
    assert_ne!(new, old);
    assert_eq!(problem(&program(&app, &old).get("/v1/users").await), (401, "unauthenticated".to_owned()));
    assert_eq!(program(&app, &new).get("/v1/users").await.status, 200);
    app.advance(hours(1));
    assert_eq!(key_of(&app, "ada@example.com").await, new);
    assert_ne!(key_of(&app, "eve@example.com").await, new, "she has a team of her own now");
}

#[tokio::test]
async fn an_org_makes_orgs_that_are_their_own_realms() {
    let app = TestApp::new().await;
    let parent_key = key_of(&app, "ada@example.com").await;
    let parent = program(&app, &parent_key);
    let made = parent.post("/v1/orgs", json!({ "name": "Child" })).await.json();
    let child = program(&app, made["api_key"].as_str().unwrap());
    let list = parent.get("/v1/orgs").await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    assert_eq!(list["data"][1]["parent_id"], list["data"][0]["id"]);
    let path = format!("/v1/orgs/{}", list["data"][0]["id"].as_str().unwrap());
    assert_eq!(problem(&child.get(&path).await), (404, "not-found".to_owned()), "never upwards");
    // A verification of one is nothing to the other.
    let started = start(&child, json!({ "to": BOB })).await;
    let path = format!("{V}/{}", started["id"].as_str().unwrap());
    assert_eq!(problem(&parent.get(&path).await), (404, "not-found".to_owned()));
    let own = start(&parent, json!({ "to": BOB })).await;
    assert_ne!(own["id"], started["id"], "the same address, another realm");
}

/// A misspelt kind would never be told, and nobody would know why.
#[tokio::test]
async fn a_webhook_for_a_kind_that_is_none_is_refused_by_its_name() {
    let app = TestApp::new().await;
    let admin = program(&app, &key_of(&app, "ada@example.com").await);
    let url = "https://hooks.example.com/";
    for bad in ["user.signd_in", "user.*", "user", "verification.expired", ""] {
        let answer = admin.post("/v1/webhooks", json!({ "url": url, "events": ["user.created", bad] })).await;
        assert_eq!(problem(&answer), (422, "invalid".to_owned()));
        let why = format!("names {bad}, which is no kind of event");
        assert_eq!(answer.json()["errors"], json!([{ "field": "events", "detail": why }]));
    }
    let long = admin.post("/v1/webhooks", json!({ "url": url, "events": ["x".repeat(1000)] })).await;
    assert!(long.text().len() < 400, "{}", long.text());
    let both = admin.post("/v1/webhooks", json!({ "url": url, "events": ["*", "user.created"] })).await;
    assert_eq!(wrong_fields(&both), ["events"]);
    let good = admin.post("/v1/webhooks", json!({ "url": url, "events": ["user.created", "relay.held"] })).await;
    assert_eq!((good.status, &good.json()["events"]), (201, &json!(["relay.held", "user.created"])), "{}", good.text());
}

#[tokio::test]
async fn lists_go_page_by_page_and_a_cursor_stays_at_home() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let admin = program(&app, &key);
    for n in 0..7 {
        admin.post("/v1/keys", json!({ "name": format!("key {n}") })).await;
    }
    let (mut names, mut path, mut pages) = (Vec::new(), "/v1/keys?limit=3".to_owned(), 0);
    loop {
        let page = admin.get(&path).await.json();
        names.extend(page["data"].as_array().unwrap().iter().map(|key| key["name"].clone()));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/keys?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!((pages, names.len()), (3, 8));
    assert_eq!((&names[1], &names[7]), (&json!("key 0"), &json!("key 6")));

    let cursor = admin.get("/v1/keys?limit=3").await.json()["next_cursor"].as_str().unwrap().to_owned();
    let other = key_of(&app, "eve@example.com").await;
    let foreign = program(&app, &other).get(&format!("/v1/keys?cursor={cursor}")).await;
    assert_eq!(wrong_fields(&foreign), ["cursor"], "a cursor from another org");
    for path in ["/v1/users?cursor=", "/v1/events?cursor="] {
        assert_eq!(wrong_fields(&admin.get(&format!("{path}{cursor}")).await), ["cursor"], "another list's");
    }
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("cursor=", "cursor"),
        ("cursor=%ff", "cursor"),
        ("order=asc", "order"),
    ] {
        assert_eq!(wrong_fields(&admin.get(&format!("/v1/keys?{query}")).await), [field], "{query}");
    }
}
