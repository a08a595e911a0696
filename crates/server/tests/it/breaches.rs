//! Attacks on the native door, sessions and keys that once went through, each by the way that it took.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;

use axum::http::Method;
use doorcode::ops::credentials;
use serde_json::json;

use crate::app::{HERE, TestApp, hours, not, seconds};
use crate::browser::Browser;
use crate::native::{BOB, V, check, key_of, problem, program, start};
use crate::pages::sign_in;
use crate::sign_in_apps::{code_for, exchange, grant, org_with_app};

/// Strangers' guesses at an address are used up by way of a program that says nothing of where people are.
async fn use_up_guesses(app: &TestApp, program: &crate::app::Client<'_>) {
    for _ in 0..2 {
        let started = start(program, json!({ "to": BOB })).await;
        app.deliver_due().await;
        let code = app.last_code(BOB);
        for _ in 0..5 {
            check(program, &started["id"], &not(&code)).await;
        }
        let path = format!("{V}/{}", started["id"].as_str().unwrap());
        assert_eq!(program.send(Method::DELETE, &path, "").await.status, 204);
    }
}

/// The first long code goes out whatever is used up; whoever withdraws it at once makes the next one the first again.
#[tokio::test]
async fn withdrawing_does_not_make_messages_free() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    use_up_guesses(&app, &program).await;
    let mut sent = 2;
    for _ in 0..40 {
        let answer = program.post(V, json!({ "to": BOB })).await;
        sent += usize::from(answer.status == 201);
        if answer.status == 201 {
            let path = format!("{V}/{}", answer.json()["id"].as_str().unwrap());
            program.send(Method::DELETE, &path, "").await;
        }
    }
    app.deliver_due().await;
    assert!(sent <= 7, "{sent} messages in a moment: six an hour, and one long code");
}

/// The same with lives of half a minute.
#[tokio::test]
async fn short_lives_do_not_make_messages_free() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    use_up_guesses(&app, &program).await;
    let mut sent = 2;
    for _ in 0..40 {
        sent += usize::from(program.post(V, json!({ "to": BOB, "ttl": 30 })).await.status < 300);
        app.advance(seconds(31));
    }
    assert!(sent <= 8, "{sent} messages in 20 minutes");
}

/// A resend that is refused must not kill the code that lies in the mailbox for a long one that nobody is told.
#[tokio::test]
async fn a_refused_resend_leaves_the_code_alone() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    // Somebody who was here before, at a place that the program names.
    let home = json!({ "to": BOB, "user_ip": "203.0.113.7" });
    let first = start(&program, home.clone()).await;
    app.deliver_due().await;
    let path = |id: &serde_json::Value, what: &str| format!("{V}/{}/{what}", id.as_str().unwrap());
    let say = |code: String| json!({ "code": code, "user_ip": "203.0.113.7" });
    let right = program.post(&path(&first["id"], "check"), say(app.last_code(BOB))).await.json();
    assert_eq!(right["valid"], true);
    app.advance(seconds(11));
    // Strangers use up their messages and guesses on other codes, and the long one of this hour.
    use_up_guesses(&app, &program).await;
    let mut refused = false;
    for _ in 0..20 {
        let answer = program.post(V, json!({ "to": BOB })).await;
        refused = answer.status == 429;
        if refused {
            break;
        }
        program.send(Method::DELETE, &format!("{V}/{}", answer.json()["id"].as_str().unwrap()), "").await;
    }
    assert!(refused, "or this test proves nothing");
    let own = start(&program, home).await;
    app.deliver_due().await;
    let code = app.last_code(BOB);
    assert_eq!(code.len(), 6);
    let resent = program.post(&path(&own["id"], "resend"), json!({})).await;
    assert_eq!(problem(&resent), (429, "limited".to_owned()), "a stranger's");
    let right = program.post(&path(&own["id"], "check"), say(code)).await.json();
    assert_eq!(right["valid"], true, "{right}");
}

/// Every start of the server reads what was revoked; a key in its grace is not yet.
#[tokio::test]
async fn a_restart_does_not_cut_the_grace_of_a_rotated_key_short() {
    let app = TestApp::new().await;
    let admin = key_of(&app, "ada@example.com").await;
    let admin = program(&app, &admin);
    let made = admin.post("/v1/keys", json!({ "name": "checkout" })).await.json();
    let path = format!("/v1/keys/{}/rotate", made["id"].as_str().unwrap());
    assert_eq!(admin.post(&path, json!({ "grace": 7200 })).await.status, 201);
    assert_eq!(
        credentials::replay_revocations(&app.app, credentials::Replay::Ended).await.unwrap(),
        0,
        "nothing came back to life"
    );
    let holder = program(&app, made["api_key"].as_str().unwrap());
    assert_eq!(holder.post(V, json!({ "to": BOB })).await.status, 201);
    // What was restored to before the rotation ends all the same.
    app.tamper("UPDATE credentials SET expires_at = NULL");
    assert_eq!(credentials::replay_revocations(&app.app, credentials::Replay::Ended).await.unwrap(), 1);
    app.advance(hours(2));
    assert_eq!(problem(&holder.post(V, json!({ "to": BOB })).await), (401, "unauthenticated".to_owned()));
}

#[tokio::test]
async fn revoking_again_and_again_does_not_fill_the_disk() {
    let app = TestApp::new().await;
    let admin = key_of(&app, "ada@example.com").await;
    let admin = program(&app, &admin);
    let made = admin.post("/v1/keys", json!({ "name": "x" })).await.json();
    let path = format!("/v1/keys/{}", made["id"].as_str().unwrap());
    for _ in 0..5 {
        assert_eq!(admin.send(Method::DELETE, &path, "").await.status, 204);
        assert_eq!(admin.post(&format!("{path}/rotate"), json!({})).await.status, 409);
    }
    let noted = std::fs::read_to_string(app.app.config.keys.join("revocations.log")).unwrap();
    assert_eq!(noted.lines().filter(|line| !line.is_empty()).count(), 1, "{noted}");
}

/// 64 KiB of different names, each held against each, are seconds of a processor that nobody had to sign in for.
#[tokio::test]
async fn a_token_request_of_many_names_is_cheap() {
    let app = TestApp::new().await;
    let body: Vec<String> = (0..13_000).map(|n| format!("{n:x}")).collect();
    let body = body.join("&");
    assert!(body.len() < 64 * 1024);
    let before = on_core();
    for _ in 0..4 {
        let answer = app.from(HERE).send_as("application/x-www-form-urlencoded", "/v1/token", body.clone()).await;
        assert_eq!(problem(&answer).0, 400);
    }
    let took = on_core() - before;
    assert!(took < seconds(1), "{took:?}");
}

/// How long this thread has had a core: what others do on the machine does not count.
fn on_core() -> std::time::Duration {
    let ran = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    std::time::Duration::from_nanos(ran.split(' ').next().unwrap().parse().unwrap())
}

/// A member makes themselves a key on the page, and is removed.
#[tokio::test]
async fn whoever_is_removed_takes_the_keys_along_that_they_made_on_the_page() {
    let app = TestApp::new().await;
    let boss = key_of(&app, "boss@example.com").await;
    let org = program(&app, &boss).get("/v1/orgs").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let ada = doorcode_core::Email::parse("ada@example.com").unwrap();
    doorcode::ops::orgs::invite(&Arc::clone(&app.app), &ada, Some(org.parse().unwrap())).await.unwrap();
    let mut browser = Browser::open(&app, HERE, "/signin").await;
    sign_in(&app, &mut browser).await;
    browser.send("/account/keys", &[("name", "mine"), ("scopes", "admin")]).await;
    let page = browser.page.text();
    let from =
        page.find("dck_").filter(|at| page[at + 4..].chars().take(20).all(|c| c.is_ascii_alphanumeric())).unwrap();
    let own = page[from..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let list = program(&app, &own).get("/v1/users").await.json();
    let path = format!("/v1/users/{}", list["data"][1]["id"].as_str().unwrap());
    let gone = program(&app, &boss).send(Method::DELETE, &path, "").await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    assert_eq!(problem(&program(&app, &own).get("/v1/users").await), (401, "unauthenticated".to_owned()));
}

/// A browser has its code for an app, and in the minute in which that is good its user is removed.
#[tokio::test]
async fn a_code_of_whoever_was_removed_meanwhile_is_no_good() {
    let app = TestApp::new().await;
    let client = org_with_app(&app).await;
    let code = code_for(&app, &client).await;
    app.tamper("DELETE FROM users WHERE email = 'ada@example.com'");
    let tokens = exchange(&app, &grant(&client, &code)).await;
    assert_eq!(tokens.json()["error"], "invalid_grant");
}

/// Two browsers behind one address ask for the same person; one of them sees the other's code being typed.
#[tokio::test]
async fn the_repeat_of_a_right_code_is_the_same_browsers() {
    let app = TestApp::new().await;
    let mut own = Browser::open(&app, HERE, "/signin").await;
    own.ask("ada@example.com").await;
    app.deliver_due().await;
    let mut other = Browser::open(&app, HERE, "/signin").await;
    other.ask("ada@example.com").await;
    let code = app.last_code("ada@example.com");
    own.send("/signin/code", &[("code", &code)]).await;
    assert_eq!(own.at, "/account");
    other.send("/signin/code", &[("code", &code)]).await;
    assert_ne!(other.at, "/account", "another browser's");
    assert!(!other.cookies.contains_key("door"));
}

/// A key is made behind a hundred dead ones, to be seen by nobody who looks at the page.
#[tokio::test]
async fn dead_keys_hide_no_living_one() {
    let app = TestApp::new().await;
    let admin = key_of(&app, "ada@example.com").await;
    let admin = program(&app, &admin);
    for _ in 0..100 {
        let made = admin.post("/v1/keys", json!({ "name": "dead" })).await.json();
        admin.send(Method::DELETE, &format!("/v1/keys/{}", made["id"].as_str().unwrap()), "").await;
    }
    admin.post("/v1/keys", json!({ "name": "hidden", "scopes": ["admin"] })).await;
    app.advance(seconds(11));
    let mut browser = Browser::open(&app, HERE, "/signin").await;
    sign_in(&app, &mut browser).await;
    assert!(browser.sees("hidden") && !browser.sees("dead"), "{}", browser.page.text());
}
