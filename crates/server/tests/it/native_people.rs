//! People with devices who sign at the native door: customers of an org, for whom a key was sealed there, and the users of an organization below one.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::native::{BOB, V, problem};
use crate::native_stamped::{Sent, list, start};
use crate::turnkey_cast::{Cast, Key};

/// Bob is sent a code by the tenant's program, and earns a key. The path of that check, what it said, and the key.
async fn customer(cast: &Cast) -> (String, Value, Key) {
    let started = start(cast).send(&cast.app).await;
    cast.app.deliver_due().await;
    let path = format!("{V}/{}/check", started.json()["id"].as_str().unwrap());
    let device = Key::new(9);
    let body = json!({ "code": cast.app.last_code(BOB), "target_public_key": device.target() }).to_string();
    let right = Sent::new(&cast.app, &cast.backend, Method::POST, &path, &cast.org, &body).send(&cast.app).await.json();
    let key = device.open(right["credential_bundle"].as_str().unwrap());
    (path, right, key)
}

#[tokio::test]
async fn a_code_becomes_a_key_that_signs_but_for_nobody_else() {
    let cast = Cast::new().await;
    let app = &cast.app;
    let (_, right, theirs) = customer(&cast).await;
    let who = cast.whoami(&theirs, &cast.org).await.json();
    assert_eq!(who["userId"], right["user_id"]);
    // Not a root user: whoever signs up sends no codes to others.
    let body = json!({ "to": "carol@example.com" }).to_string();
    let answer = Sent::new(app, &theirs, Method::POST, V, &cast.org, &body).send(app).await;
    assert_eq!(problem(&answer), (403, "forbidden".to_owned()));
    assert_eq!(app.messages("carol@example.com"), 0);
}

/// The attack: a customer of an org, who may do nothing here, signs until the tenant's database is full.
#[tokio::test]
async fn who_may_nothing_leaves_nothing() {
    let cast = Cast::new().await;
    let app = &cast.app;
    let (path, _, theirs) = customer(&cast).await;
    let tables = ["spent_tokens", "meters", "targets", "challenges", "events", "activities"];
    let rows = || tables.map(|table| app.number(&format!("SELECT count(*) FROM {table}")));
    let before = rows();
    for n in 0..5 {
        let body = json!({ "to": format!("stranger.{n}@example.com") }).to_string();
        for sent in [
            list(&cast, &theirs, &cast.org),
            Sent::new(app, &theirs, Method::POST, V, &cast.org, &body),
            Sent::new(app, &theirs, Method::POST, &path, &cast.org, &json!({ "code": "000000" }).to_string()),
        ] {
            assert_eq!(problem(&sent.send(app).await), (403, "forbidden".to_owned()));
        }
    }
    assert_eq!(rows(), before);
}

/// The attack: one person, with the key of their own device, guesses and has codes sent until nobody of the whole tenant may. How long a
/// program waits behind people is tried beside `ops/signed/caller.rs`.
#[tokio::test]
async fn a_persons_stamps_leave_the_tenant_its_own() {
    let limits = [("DOORCODE_LIMITS__GUESS__ORG_HOUR", "3"), ("DOORCODE_LIMITS__SEND__ORG_DAY", "3")];
    let cast = Cast::of(TestApp::with(&limits).await).await;
    let (app, ana) = (&cast.app, Key::new(5));
    let sub = cast.sub("ana@example.com", &[&ana]).await;
    let ask = |key, target: &str, org, body: Value| Sent::new(app, key, Method::POST, target, org, &body.to_string());
    let check = |started: &Value| format!("{V}/{}/check", started["id"].as_str().unwrap());
    let stranger = |n: u8| format!("stranger.{n}@example.com");
    let mut started = Vec::new();
    for n in 0..3 {
        started.push(ask(&ana, V, &sub.org, json!({ "to": stranger(n) })).send(app).await.json());
        app.deliver_due().await;
        let wrong = ask(&ana, &check(&started[0]), &sub.org, json!({ "code": "none" })).send(app).await.json();
        assert_eq!(wrong["valid"], false);
    }
    assert_eq!(ask(&ana, V, &sub.org, json!({ "to": stranger(3) })).send(app).await.status, 429);
    let right = json!({ "code": app.last_code(&stranger(2)) });
    let right = ask(&ana, &check(&started[2]), &sub.org, right).send(app).await.json();
    assert_eq!(right["valid"], false, "what is theirs is spent");

    let started = start(&cast).send(app).await;
    assert_eq!(started.status, 201, "{}", started.text());
    app.deliver_due().await;
    let right = json!({ "code": app.last_code(BOB) });
    let right = ask(&cast.backend, &check(&started.json()), &cast.org, right).send(app).await;
    assert_eq!(right.json()["valid"], true, "{}", right.text());
}
