//! Requests of the native door that are signed in place of showing a key, and what must not come of a stamp.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use doorcode_core::activity::Kind;
use doorcode_core::stamp::Signable;
use doorcode_core::{OrgId, Timestamp};
use serde_json::json;

use crate::app::{Answer, HERE, MOMENT, TestApp, minutes, seconds};
use crate::native::{BOB, V, key_of, problem};
use crate::turnkey_cast::{Cast, Key, result};

/// A request and what is said to be signed of it.
#[derive(Clone)]
pub(crate) struct Sent {
    method: Method,
    target: String,
    org: String,
    at: String,
    nonce: String,
    body: String,
    stamp: String,
}

impl Sent {
    /// A request of this moment.
    pub(crate) fn new(app: &TestApp, key: &Key, method: Method, target: &str, org: &str, body: &str) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let nonce = format!("nonce-{:020}", NUMBER.fetch_add(1, Ordering::Relaxed));
        Self::at(app, key, (method, target), org, body, (app.now(), &nonce))
    }

    fn at(
        app: &TestApp,
        key: &Key,
        (method, target): (Method, &str),
        org: &str,
        body: &str,
        (at, nonce): (Timestamp, &str),
    ) -> Self {
        let id: OrgId = org.parse().unwrap();
        let call = Signable { method: method.as_str(), target, org: id, at, nonce, body: body.as_bytes() };
        let stamp = key.0.stamp(&call.text(), &app.app.entropy.signing()).unwrap();
        let (target, org, nonce) = (target.to_owned(), org.to_owned(), nonce.to_owned());
        Self { method, target, org, at: at.millis().to_string(), nonce, body: body.to_owned(), stamp }
    }

    pub(crate) async fn send(&self, app: &TestApp) -> Answer {
        self.saying(app, &[]).await
    }

    /// The same, with more headers.
    async fn saying(&self, app: &TestApp, more: &[(&'static str, &str)]) -> Answer {
        let mut client = app.from(HERE).saying("x-stamp", &self.stamp).saying("x-organization-id", &self.org);
        client = client.saying("x-timestamp", &self.at).saying("x-nonce", &self.nonce);
        for (name, value) in more {
            client = client.saying(name, value);
        }
        client.send(self.method.clone(), &self.target, self.body.clone()).await
    }
}

/// A start, signed by the backend of the cast.
pub(crate) fn start(cast: &Cast) -> Sent {
    Sent::new(&cast.app, &cast.backend, Method::POST, V, &cast.org, &json!({ "to": BOB }).to_string())
}

pub(crate) fn list(cast: &Cast, key: &Key, org: &str) -> Sent {
    Sent::new(&cast.app, key, Method::GET, &format!("{V}/{}", Cast::nowhere()), org, "")
}

/// The one answer to every stamp that is not good.
fn refused(answer: &Answer) -> String {
    assert_eq!(problem(answer), (401, "unauthenticated".to_owned()));
    assert!(answer.header("www-authenticate").is_some());
    answer.text()
}

#[tokio::test]
async fn a_signed_program_sends_and_checks_codes() {
    let cast = Cast::new().await;
    let app = &cast.app;
    let started = start(&cast).send(app).await;
    assert_eq!(started.status, 201, "{}", started.text());
    app.deliver_due().await;
    let path = format!("{V}/{}/check", started.json()["id"].as_str().unwrap());
    let body = json!({ "code": app.last_code(BOB) }).to_string();
    for _ in 0..2 {
        // The same key again within ten seconds is the same client.
        let right = Sent::new(app, &cast.backend, Method::POST, &path, &cast.org, &body).send(app).await;
        assert_eq!(right.json()["valid"], true, "{}", right.text());
    }
    let shown = path.strip_suffix("/check").unwrap();
    let shown = Sent::new(app, &cast.backend, Method::GET, shown, &cast.org, "").send(app).await;
    assert_eq!(shown.json()["status"], "verified");
}

#[tokio::test]
async fn a_stamp_opens_what_the_usual_key_does_and_no_more() {
    let cast = Cast::new().await;
    let at = |method: Method, target: &str| Sent::new(&cast.app, &cast.backend, method, target, &cast.org, "{}");
    for (method, target) in [
        (Method::GET, "/v1/keys"),
        (Method::POST, "/v1/keys"),
        (Method::GET, "/v1/users"),
        (Method::POST, "/v1/orgs"),
        (Method::GET, "/v1/events"),
        (Method::POST, "/v1/webhooks"),
        (Method::POST, "/v1/redirects"),
    ] {
        let answer = at(method.clone(), target).send(&cast.app).await;
        assert_eq!(problem(&answer), (403, "forbidden".to_owned()), "{method} {target}");
    }
    assert_eq!(list(&cast, &cast.backend, &cast.org).send(&cast.app).await.status, 404);
}

/// The attack: somebody on the way sends a request again, as it is or as another one.
#[tokio::test]
async fn a_request_is_good_once_and_as_it_was_signed() {
    let cast = Cast::new().await;
    let app = &cast.app;
    let path = format!("{V}/{}", Cast::nowhere());
    let good = Sent::new(app, &cast.backend, Method::GET, &format!("{path}?a=b"), &cast.org, "");
    let other = |change: &dyn Fn(&mut Sent)| {
        let mut sent = good.clone();
        change(&mut sent);
        sent
    };
    let later = (app.now().millis() + 1).to_string();
    let changed = [
        other(&|sent| sent.method = Method::DELETE),
        other(&|sent| sent.method = Method::HEAD),
        other(&|sent| sent.target = format!("{path}?a=c")),
        other(&|sent| sent.target = path.clone()),
        other(&|sent| sent.target = format!("{path}?a=b&c=d")),
        other(&|sent| sent.target = "/v1/keys?a=b".to_owned()),
        other(&|sent| sent.body = "{}".to_owned()),
        other(&|sent| sent.body = " ".to_owned()),
        other(&|sent| sent.at = later.clone()),
        other(&|sent| sent.at = format!("0{}", good.at)),
        other(&|sent| sent.nonce.push('x')),
        other(&|sent| sent.nonce = String::new()),
        other(&|sent| sent.org = Cast::nowhere()),
        other(&|sent| sent.org = "x".to_owned()),
        other(&|sent| sent.stamp = "x".repeat(2000)),
    ];
    for (number, sent) in changed.iter().enumerate() {
        // `0…` is the same moment, and is signed as it: the number is what counts.
        if number != 9 {
            assert_eq!(sent.send(app).await.status, 401, "{number}");
        }
    }
    assert_eq!(good.send(app).await.status, 404, "none of them spent it");
    let again = refused(&good.send(app).await);
    for sent in &changed {
        let answer = sent.send(app).await;
        assert!(sent.method == Method::HEAD || refused(&answer) == again, "one answer for all");
    }
    assert_eq!(app.number("SELECT count(*) FROM spent_tokens"), 1, "only what was good wrote a row");
}

#[tokio::test]
async fn of_many_that_come_at_once_one_is_good() {
    let cast = Cast::new().await;
    let good = list(&cast, &cast.backend, &cast.org);
    let all = futures_util::future::join_all((0..16).map(|_| good.send(&cast.app))).await;
    assert_eq!(all.iter().filter(|answer| answer.status == 404).count(), 1);
    assert_eq!(all.iter().filter(|answer| answer.status == 401).count(), 15);
}

#[tokio::test]
async fn of_two_servers_one_takes_a_request() {
    let Some((a, b)) = crate::nodes::two().await else { return };
    let cast = Cast::of(a).await;
    let good = list(&cast, &cast.backend, &cast.org);
    let at = |number: usize| if number.is_multiple_of(2) { &cast.app } else { &b };
    let all = futures_util::future::join_all((0..16).map(|number| good.send(at(number)))).await;
    assert_eq!(all.iter().filter(|answer| answer.status == 404).count(), 1);
    assert_eq!(all.iter().filter(|answer| answer.status == 401).count(), 15);
}

#[tokio::test]
async fn the_window_is_five_minutes_to_either_side() {
    let mut cast = Cast::new().await;
    let target = format!("{V}/{}", Cast::nowhere());
    let now = cast.app.now();
    let at = |at: Timestamp, nonce: &str| {
        Sent::at(&cast.app, &cast.backend, (Method::GET, &target), &cast.org, "", (at, nonce))
    };
    let edges = [
        (at(now.minus(minutes(5)), "0123456789abcdef-a"), 404),
        (at(now.minus(minutes(5)).minus(MOMENT), "0123456789abcdef-b"), 401),
        (at(now.plus(minutes(5)), "0123456789abcdef-c"), 404),
        (at(now.plus(minutes(5)).plus(MOMENT), "0123456789abcdef-d"), 401),
    ];
    for (sent, status) in &edges {
        assert_eq!(sent.send(&cast.app).await.status, *status, "{}", sent.nonce);
    }
    // Retention lets go of no nonce whose request is of now, and of all others.
    cast.app.advance(minutes(10));
    cast.app.retain().await;
    assert_eq!(edges[2].0.send(&cast.app).await.status, 401);
    cast.app.advance(minutes(11));
    cast.app.retain().await;
    assert_eq!(cast.app.number("SELECT count(*) FROM spent_tokens"), 0);
    assert_eq!(edges[2].0.send(&cast.app).await.status, 401, "it is stale by then");
}

/// The attack: a stranger learns which keys there are, or one that is over goes on.
#[tokio::test]
async fn keys_that_are_unknown_ended_or_over_are_one_answer() {
    let cast = Cast::new().await;
    let app = &cast.app;
    let bad = {
        let mut sent = list(&cast, &cast.backend, &cast.org);
        sent.nonce.push('x');
        refused(&sent.send(app).await)
    };
    assert_eq!(refused(&list(&cast, &Key::new(77), &cast.org).send(app).await), bad, "unknown");
    assert_eq!(refused(&list(&cast, &cast.backend, &Cast::nowhere()).send(app).await), bad, "no such organization");

    let (short, second) = (Key::new(3), Key::new(4));
    let kind = Kind::CreateApiKeysV2;
    let parameters = json!({ "userId": cast.user, "apiKeys": [short.given(Some("60")), second.given(None)] });
    let made = result(&cast.submit(&cast.backend, kind, &cast.org, parameters).await, kind);
    for key in [&short, &second] {
        assert_eq!(list(&cast, key, &cast.org).send(app).await.status, 404);
    }
    app.advance(seconds(60));
    assert_eq!(refused(&list(&cast, &short, &cast.org).send(app).await), bad, "over");
    let kind = Kind::DeleteApiKeys;
    let parameters = json!({ "userId": cast.user, "apiKeyIds": [made["apiKeyIds"][1]] });
    result(&cast.submit(&cast.backend, kind, &cast.org, parameters).await, kind);
    assert_eq!(refused(&list(&cast, &second, &cast.org).send(app).await), bad, "ended");
}

/// The attack: another server ended the key, and this one still remembers it.
#[tokio::test]
async fn a_key_that_was_ended_elsewhere_is_over_at_once() {
    let cast = Cast::new().await;
    let app = &cast.app;
    assert_eq!(list(&cast, &cast.backend, &cast.org).send(app).await.status, 404);
    app.tamper("UPDATE credentials SET revoked_at = 1, digest = id WHERE public_key IS NOT NULL");
    refused(&list(&cast, &cast.backend, &cast.org).send(app).await);
}

/// The attack: a request from before a copy was made is sent to the server that was recovered from it.
#[tokio::test]
async fn a_request_from_before_a_recovery_is_refused() {
    let cast = Cast::new().await;
    let app = &cast.app;
    let target = format!("{V}/{}", Cast::nowhere());
    let dated = |ahead, nonce: &str| {
        Sent::at(app, &cast.backend, (Method::GET, &target), &cast.org, "", (app.now().plus(ahead), nonce))
    };
    let (before, ahead) = (list(&cast, &cast.backend, &cast.org), dated(minutes(5), "0123456789-before"));
    assert_eq!(ahead.send(app).await.status, 404);
    // As a copy that was made before it.
    app.tamper("DELETE FROM spent_tokens");
    doorcode::ops::backups::recover(&app.app).await.unwrap();
    refused(&before.send(app).await);
    refused(&ahead.send(app).await);
    app.advance(MOMENT);
    assert_eq!(dated(minutes(5), "0123456789-later").send(app).await.status, 404, "no call before was of then");
    app.advance(minutes(5) - MOMENT);
    refused(&ahead.send(app).await);
    refused(&list(&cast, &cast.backend, &cast.org).send(app).await);
    app.advance(MOMENT);
    let after = list(&cast, &cast.backend, &cast.org).send(app).await;
    assert_eq!(after.status, 404, "{}", after.text());
}

/// The attack: a customer's backend acts in a person's organization, or the other way round.
#[tokio::test]
async fn a_key_signs_in_its_own_organization_alone() {
    let cast = Cast::new().await;
    let ana = Key::new(5);
    let sub = cast.sub("ana@example.com", &[&ana]).await;
    let other = cast.sub("ben@example.com", &[]).await;
    assert_eq!(list(&cast, &ana, &sub.org).send(&cast.app).await.status, 404);
    for (key, org) in [(&cast.backend, &sub.org), (&ana, &cast.org), (&ana, &other.org)] {
        refused(&list(&cast, key, org).send(&cast.app).await);
    }
}

/// The attack: two readers take another one of two proofs.
#[tokio::test]
async fn two_proofs_are_none() {
    let cast = Cast::new().await;
    let app = &cast.app;
    let key = format!("Bearer {}", key_of(app, "ada@example.com").await);
    let sent = list(&cast, &cast.backend, &cast.org);
    let another = list(&cast, &cast.backend, &cast.org);
    let stamp = sent.stamp.clone();
    for more in [
        ("authorization", key.as_str()),
        ("authorization", "Basic eDp5"),
        ("x-stamp", stamp.as_str()),
        ("x-stamp", another.stamp.as_str()),
        ("x-stamp", ""),
        ("x-stamp-webauthn", "{}"),
        ("x-stamp-attested", "e30"),
        ("x-organization-id", cast.org.as_str()),
        ("x-timestamp", sent.at.as_str()),
        ("x-nonce", sent.nonce.as_str()),
    ] {
        refused(&sent.saying(app, &[more]).await);
    }
    let alone = app.from(HERE).saying("x-stamp-attested", &stamp).saying("authorization", &key);
    refused(&alone.get("/v1/keys").await);
    assert_eq!(sent.send(app).await.status, 404, "none of them spent it");
    for missing in ["x-organization-id", "x-timestamp", "x-nonce"] {
        let client = app.from(HERE).saying("x-stamp", &stamp);
        let rest = [("x-organization-id", &sent.org), ("x-timestamp", &sent.at), ("x-nonce", &sent.nonce)];
        let client = rest.into_iter().filter(|(name, _)| *name != missing).fold(client, |c, (n, v)| c.saying(n, v));
        refused(&client.get(&sent.target).await);
    }
}

#[tokio::test]
async fn what_is_long_or_nonsense_is_refused_and_costs_little() {
    let cast = Cast::new().await;
    let app = &cast.app;
    let good = list(&cast, &cast.backend, &cast.org);
    for stamp in ["A".repeat(10 << 20), "e30".to_owned(), String::new(), "!".to_owned()] {
        let sent = Sent { stamp, ..good.clone() };
        refused(&sent.send(app).await);
    }
    for (at, nonce) in [("-1", "x"), ("now", "x"), ("99999999999999999999", "x"), (good.at.as_str(), "short")] {
        let sent = Sent { at: at.to_owned(), nonce: nonce.to_owned(), ..good.clone() };
        refused(&sent.send(app).await);
    }
    let body = "x".repeat(70_000);
    let long = Sent::new(app, &cast.backend, Method::POST, V, &cast.org, &body).send(app).await;
    assert_eq!(problem(&long), (413, "too-large".to_owned()));
}

/// Another door's stamp is that door's.
#[tokio::test]
async fn a_stamp_of_a_body_alone_is_none_here() {
    let cast = Cast::new().await;
    let app = &cast.app;
    let body = json!({ "to": BOB }).to_string();
    let mut sent = start(&cast);
    sent.stamp = cast.backend.0.stamp(body.as_bytes(), &app.app.entropy.signing()).unwrap();
    refused(&sent.send(app).await);
    assert_eq!(cast.whoami(&cast.backend, &cast.org).await.status, 200);
}
