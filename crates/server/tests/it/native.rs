//! The native door: a verification from start to token, by an org's own program.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use doorcode_core::token::kid_of;
use serde_json::{Value, json};

use crate::app::{Answer, Client, HERE, TestApp, hours, minutes, not, seconds};

pub(crate) const V: &str = "/v1/verifications";
pub(crate) const BOB: &str = "bob@example.com";

/// An org of somebody who signed in at the front door: their key.
pub(crate) async fn key_of(app: &TestApp, email: &str) -> String {
    app.from(HERE).sign_in(email).await["team"]["api_key"].as_str().unwrap().to_owned()
}

/// A program with a key.
pub(crate) fn program<'a>(app: &'a TestApp, key: &str) -> Client<'a> {
    app.from("198.51.100.77").saying("authorization", &format!("Bearer {key}"))
}

/// The kind of a problem, and its status; the body says both.
pub(crate) fn problem(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["status"], answer.status, "{body}");
    let kind = body["type"].as_str().unwrap().strip_prefix("urn:doorcode:problem:").unwrap().to_owned();
    (answer.status, kind)
}

/// The members that are wrong.
pub(crate) fn wrong_fields(answer: &Answer) -> Vec<String> {
    assert_eq!(problem(answer), (422, "invalid".to_owned()));
    let body = answer.json();
    body["errors"].as_array().unwrap().iter().map(|wrong| wrong["field"].as_str().unwrap().to_owned()).collect()
}

pub(crate) async fn start(program: &Client<'_>, body: Value) -> Value {
    let answer = program.post(V, body).await;
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    answer.json()
}

pub(crate) async fn check(program: &Client<'_>, id: &Value, code: &str) -> Value {
    let answer = program.post(&format!("{V}/{}/check", id.as_str().unwrap()), json!({ "code": code })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// What is inside a token, unchecked.
pub(crate) fn claims(token: &Value) -> Value {
    use base64::Engine as _;
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_code_becomes_a_token() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let answer = program.post(V, json!({ "to": "Bob@Example.com ", "metadata": { "order": 7 } })).await;
    assert_eq!(answer.status, 201);
    let started = answer.json();
    assert_eq!(answer.header("location").unwrap(), format!("{V}/{}", started["id"].as_str().unwrap()));
    assert_eq!(answer.header("ratelimit-policy"), Some("\"send.target\";q=6;w=3600"));
    assert_eq!(answer.header("ratelimit"), Some("\"send.target\";r=5;t=3600"));
    assert_eq!((&started["to"], &started["status"]), (&json!(BOB), &json!("pending")));
    app.deliver_due().await;
    let code = app.last_code(BOB);

    let wrong = check(&program, &started["id"], &not(&code)).await;
    assert_eq!((&wrong["valid"], &wrong["attempts_left"], &wrong["token"]), (&json!(false), &json!(4), &Value::Null));
    let right = check(&program, &started["id"], &format!(" {}-{} ", &code[..3], &code[3..])).await;
    assert_eq!((&right["valid"], &right["verification"]["status"]), (&json!(true), &json!("verified")));
    assert_eq!(right["verification"]["metadata"], json!({ "order": 7 }));

    let said = claims(&right["token"]);
    let team = program.get("/v1/orgs").await.json()["data"][0]["id"].clone();
    let at = app.now().millis() / 1000;
    assert_eq!(
        said,
        json!({ "iss": app.app.base_url(), "aud": team, "sub": BOB, "jti": started["id"], "challenge_id": started["id"],
            "iat": at, "exp": at + 300, "amr": ["otp"], "email": BOB, "email_verified": true })
    );
    let jwks = app.get("/.well-known/jwks.json").await.json();
    let kid = kid_of(right["token"].as_str().unwrap()).unwrap();
    assert_eq!(jwks["keys"][0]["kid"], kid.to_string());
    let introspected = program.post("/v1/tokens/introspect", json!({ "token": right["token"] })).await.json();
    assert_eq!((&introspected["active"], &introspected["sub"]), (&json!(true), &json!(BOB)));
    app.advance(minutes(5));
    let over = program.post("/v1/tokens/introspect", json!({ "token": right["token"] })).await.json();
    assert_eq!(over, json!({ "active": false }));
}

#[tokio::test]
async fn a_right_code_may_be_said_again_by_its_program_for_ten_seconds() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let started = start(&program, json!({ "to": BOB })).await;
    app.deliver_due().await;
    let code = app.last_code(BOB);
    let right = check(&program, &started["id"], &code).await;
    app.advance(seconds(9));
    let again = check(&program, &started["id"], &code).await;
    assert_eq!(claims(&again["token"]), claims(&right["token"]), "it mints nothing new");
    let other = program.post("/v1/keys", json!({ "name": "other" })).await.json();
    let other = self::program(&app, other["api_key"].as_str().unwrap());
    assert_eq!(check(&other, &started["id"], &code).await["valid"], false, "another key is another client");
    app.advance(seconds(2));
    assert_eq!(check(&program, &started["id"], &code).await["valid"], false);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'verification.verified'"), 1);
}

#[tokio::test]
async fn a_second_start_sends_the_same_code_and_another_shape_takes_its_place() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let first = start(&program, json!({ "to": BOB })).await;
    app.deliver_due().await;
    let code = app.last_code(BOB);
    let answer = program.post(V, json!({ "to": BOB })).await;
    assert_eq!((answer.status, &answer.json()["id"]), (200, &first["id"]));
    app.deliver_due().await;
    assert_eq!(app.last_code(BOB), code);

    let shorter = start(&program, json!({ "to": BOB, "length": 8, "alphabet": "letters", "ttl": 60 })).await;
    assert_ne!(shorter["id"], first["id"]);
    app.deliver_due().await;
    let letters = app.last_code(BOB);
    assert!(letters.len() == 8 && letters.bytes().all(|b| b.is_ascii_uppercase()), "{letters}");
    let old = program.get(&format!("{V}/{}", first["id"].as_str().unwrap())).await.json();
    assert_eq!(old["status"], "canceled");
    assert_eq!(check(&program, &first["id"], &code).await["valid"], false);
    assert_eq!(check(&program, &first["id"], &letters).await["valid"], false, "a code is its own verification's");
    assert_eq!(check(&program, &shorter["id"], &letters).await["valid"], true);
}

#[tokio::test]
async fn it_expires_when_it_was_asked_to() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let started = start(&program, json!({ "to": BOB, "ttl": 60 })).await;
    app.deliver_due().await;
    app.advance(seconds(60));
    let seen = check(&program, &started["id"], &app.last_code(BOB)).await;
    assert_eq!((&seen["valid"], &seen["verification"]["status"]), (&json!(false), &json!("expired")));
    let resent = program.send(axum::http::Method::POST, &format!("{V}/{}/resend", id(&started)), "").await;
    assert_eq!(problem(&resent), (409, "not-pending".to_owned()));
}

fn id(verification: &Value) -> &str {
    verification["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_canceled_one_is_over_and_its_place_is_free() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let started = start(&program, json!({ "to": BOB })).await;
    app.deliver_due().await;
    let code = app.last_code(BOB);
    let path = format!("{V}/{}", id(&started));
    for _ in 0..2 {
        let gone = program.send(axum::http::Method::DELETE, &path, "").await;
        assert_eq!(gone.status, 204, "twice is once");
    }
    assert_eq!(check(&program, &started["id"], &code).await["valid"], false);
    let next = start(&program, json!({ "to": BOB })).await;
    assert_ne!(next["id"], started["id"]);
    app.deliver_due().await;
    assert_eq!(check(&program, &next["id"], &app.last_code(BOB)).await["valid"], true);
    let gone = program.send(axum::http::Method::DELETE, &format!("{V}/{}", id(&next)), "").await;
    assert_eq!(problem(&gone), (409, "conflict".to_owned()));
}

#[tokio::test]
async fn when_nothing_is_left_to_guess_with_a_resend_carries_a_long_code_under_the_same_id() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let started = start(&program, json!({ "to": BOB })).await;
    app.deliver_due().await;
    let code = app.last_code(BOB);
    for left in [4, 3, 2, 1, 0, 0] {
        assert_eq!(check(&program, &started["id"], &not(&code)).await["attempts_left"], left);
    }
    assert_eq!(check(&program, &started["id"], &code).await["valid"], false, "five tries a challenge, and no more");
    let resent = program.send(axum::http::Method::POST, &format!("{V}/{}/resend", id(&started)), "").await.json();
    assert_eq!((&resent["id"], &resent["length"]), (&started["id"], &json!(13)));
    app.deliver_due().await;
    let long = app.last_code(BOB);
    assert_eq!(long.len(), 13);
    assert_eq!(check(&program, &started["id"], &code).await["valid"], false, "the short one is over");
    let right = check(&program, &started["id"], &long).await;
    assert_eq!((&right["valid"], &right["attempts_left"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn tries_are_of_the_challenge_wherever_people_are_said_to_be() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let started = start(&program, json!({ "to": BOB })).await;
    app.deliver_due().await;
    let code = app.last_code(BOB);
    let path = format!("{V}/{}/check", id(&started));
    for n in 1..=5 {
        let body = json!({ "code": not(&code), "user_ip": format!("203.0.113.{n}") });
        assert_eq!(program.post(&path, body).await.json()["valid"], false);
    }
    let body = json!({ "code": code, "user_ip": "203.0.113.99" });
    assert_eq!(program.post(&path, body).await.json()["valid"], false, "a sixth try is not compared");
}

#[tokio::test]
async fn a_person_who_was_here_before_has_tries_that_strangers_can_not_use_up() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    let (home, path) = ("2001:db8:7::1", |v: &Value| format!("{V}/{}/check", id(v)));
    let started = start(&program, json!({ "to": BOB, "user_ip": home })).await;
    app.deliver_due().await;
    let body = json!({ "code": app.last_code(BOB), "user_ip": home });
    assert_eq!(program.post(&path(&started), body).await.json()["valid"], true);
    // Strangers spend all that strangers have.
    for _ in 0..2 {
        let started = start(&program, json!({ "to": BOB })).await;
        app.deliver_due().await;
        let code = app.last_code(BOB);
        for _ in 0..5 {
            check(&program, &started["id"], &not(&code)).await;
        }
        app.advance(minutes(11));
    }
    let started = start(&program, json!({ "to": BOB, "user_ip": home })).await;
    assert_eq!(started["length"], 6, "the owner is not a stranger");
    let stranger = start(&program, json!({ "to": BOB, "user_ip": "203.0.113.1" })).await;
    assert_eq!(stranger["length"], 13);
}

#[tokio::test]
async fn limits_say_when() {
    let app = TestApp::new().await;
    let key = key_of(&app, "ada@example.com").await;
    let program = program(&app, &key);
    for left in (0..6).rev() {
        let answer = program.post(V, json!({ "to": BOB })).await;
        let says = answer.header("ratelimit").unwrap().to_owned();
        assert!(says.starts_with(&format!("\"send.target\";r={left};t=")), "{says}");
    }
    let refused = program.post(V, json!({ "to": BOB })).await;
    assert_eq!(problem(&refused), (429, "limited".to_owned()));
    let after: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((3599..=3600).contains(&after), "{after}");
    assert!(refused.header("ratelimit").unwrap().starts_with("\"send.target\";r=0;t="));
    app.advance(seconds(after));
    assert!(program.post(V, json!({ "to": BOB })).await.status < 300);
    app.advance(hours(25));
}
