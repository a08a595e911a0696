//! What should never be sent to the relay's door: patterns that are built to be slow, keys and texts without end, the same code handed in by
//! many, more codes than a person is sent. Each has a clear answer, and whoever comes next is served.

use axum::http::Method;
use doorcode_core::relay::Named as _;
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use crate::agentotp_cast::*;
use crate::app::{TestApp, hours};
use crate::process::PATIENCE;
use crate::waiting::Scene;

/// Patterns that an engine which tries one way after another is lost in, or that grow when they are built.
const SLOW: &[&str] = &[
    "(a+)+$",
    "(a|aa)+$",
    "(.*)*x",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(?:(?:(?:a{0,20}){0,20}){0,20})",
    "((((((((((a{9}){9}){9}){9}){9}){9}){9}){9}){9}){9})",
    r"(\w*\s*)*!",
    "(a?){50}a{50}",
    "(x+x+)+y",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pattern_that_is_built_to_be_slow_is_refused_or_is_fast() {
    let scene = Scene::of(TestApp::with(&[("DOORCODE_RELAY__AGENT_MINUTE", "1000")]).await).await;
    let hook = scene.ada().post("/v1/hooks", json!({ "kind": "sms" })).await.json();
    let text = "a".repeat(16_000);
    let mut taken = 0;
    for pattern in SLOW {
        let asked = timeout(PATIENCE, scene.asks(json!({ "sources": ["sms"], "contentPattern": pattern })));
        let asked = asked.await.expect("an answer");
        if asked.status == 202 {
            taken += 1;
            let id = asked.json()["id"].as_str().unwrap().to_owned();
            scene.approves(&id).await;
            let pushed = timeout(PATIENCE, crate::hooks::push_text(&scene, &hook, pattern, &text));
            assert_eq!(pushed.await.expect("an answer").status, 200, "{pattern}");
            assert_eq!(scene.state(&id).await, "approved", "{pattern}: there is no code in it");
            // A request that waits does not stand in the next one's way.
            let cancelled = scene.agent().send(Method::DELETE, &format!("/v1/otp/{id}"), "").await;
            assert_eq!(cancelled.status, 200);
        } else {
            assert_eq!(codes(&asked), invalid(), "{pattern}");
            assert!(asked.json()["message"].as_str().unwrap().contains("contentPattern"), "{}", asked.text());
        }
    }
    assert!(taken > 0 && taken < SLOW.len(), "some are fast here, some are too large: {taken}");
    for pattern in [format!("{}@acme.com", "*".repeat(200)), format!("{}@acme.com", "*a".repeat(100)), "*".repeat(255)]
    {
        let asked = timeout(PATIENCE, scene.asks(json!({ "senderPattern": pattern }))).await.expect("an answer");
        if asked.status == 202 {
            continue;
        }
        assert_eq!(codes(&asked), invalid(), "{pattern}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_at_every_call() {
    let cast = Cast::new().await;
    let id = cast.approved().await;
    let (agent, mebibyte) = (cast.agent.shown(), "A".repeat(1 << 20));
    let large = json!({ "publicKey": mebibyte, "encryptedPayload": mebibyte, "name": mebibyte, "identity": mebibyte });
    for (method, path, key) in [
        (Method::POST, REQUEST.to_owned(), &cast.key),
        (Method::POST, format!("/v1/otp/{id}/receive"), &cast.collector),
        (Method::POST, format!("/v1/otp/{id}/deny"), &cast.ada),
        (Method::POST, "/v1/agents".to_owned(), &cast.ada),
        (Method::PATCH, format!("/v1/agents/{agent}"), &cast.ada),
        (Method::POST, format!("/v1/agents/{agent}/rotate-key"), &cast.ada),
        (Method::POST, "/v1/policies".to_owned(), &cast.ada),
        (Method::POST, "/v1/devices/register".to_owned(), &cast.collector),
        (Method::POST, "/v1/devices/link".to_owned(), &cast.collector),
        (Method::POST, "/v1/audit/export".to_owned(), &cast.ada),
        (Method::POST, "/v1/hooks".to_owned(), &cast.ada),
    ] {
        let answer = cast.by(key).send(method, &path, large.to_string()).await;
        assert_eq!(codes(&answer), refused(413, "VALIDATION_ERROR", "VALIDATION_ERROR"), "{path}");
    }
    // Below the limit of a body, and larger than any of them is.
    let long = "A".repeat(30_000);
    for (path, key, body) in [
        (REQUEST.to_owned(), &cast.key, wish_with(json!({ "publicKey": long }))),
        (REQUEST.to_owned(), &cast.key, wish_with(json!({ "publicKey": format!("hpke-x25519:{long}") }))),
        (REQUEST.to_owned(), &cast.key, wish_with(json!({ "identity": { "identityKey": long, "signature": long } }))),
        (format!("/v1/otp/{id}/receive"), &cast.collector, json!({ "encryptedPayload": long, "source": "email" })),
        ("/v1/agents".to_owned(), &cast.ada, json!({ "name": "x", "description": long })),
        ("/v1/policies".to_owned(), &cast.ada, json!({ "agentId": agent, "rules": { "senders": [long] } })),
    ] {
        let answer = cast.by(key).post(&path, body).await;
        assert_eq!(codes(&answer), invalid(), "{path}: {}", answer.text());
    }
    for id in ["", &long, "otp_", "otp_%00", &format!("otp_{}", "A".repeat(23)), "../agents", "otp_ä"] {
        let path = format!("/v1/otp/{}", id.replace('ä', "%C3%A4"));
        let answer = cast.by(&cast.key).get(&path).await;
        assert!([404, 405, 414].contains(&answer.status), "{path}: {}", answer.status);
    }
    assert_eq!(cast.hand_in(&id).await.status, 200, "and what is right is taken");
}

#[tokio::test]
async fn what_a_device_says_of_a_message_is_looked_at() {
    let cast = Cast::new().await;
    let id = cast.approved().await;
    let sealed = seal(&id, CODE);
    for (members, named) in [
        (json!({ "source": "fax" }), "source"),
        (json!({ "source": null }), "source"),
        (json!({ "source": ["email"] }), "source"),
        (json!({ "encryptedPayload": null }), "encryptedPayload"),
        (json!({ "encryptedPayload": 5 }), "encryptedPayload"),
        (json!({ "metadata": "x" }), "metadata"),
        (json!({ "metadata": { "emailId": 5 } }), "emailId"),
        (json!({ "metadata": { "digests": "x" } }), "digests"),
        (json!({ "metadata": { "digests": [1] } }), "digests"),
        (json!({ "metadata": { "verifiedDomain": {} } }), "verifiedDomain"),
        (json!({ "metadata": { "verifiedDomain": "acme" } }), "metadata.verifiedDomain"),
        (json!({ "metadata": { "verifiedDomain": "Acme, which is proved" } }), "metadata.verifiedDomain"),
        (json!({ "metadata": { "verifiedDomain": "<b>acme.com</b>" } }), "metadata.verifiedDomain"),
        (json!({ "metadata": { "verifiedDomain": "x@acme.com" } }), "metadata.verifiedDomain"),
        (json!({ "metadata": { "verifiedDomain": "acme.com\u{202e}" } }), "metadata.verifiedDomain"),
        (json!({ "metadata": { "verifiedDomain": "https://acme.com/" } }), "metadata.verifiedDomain"),
        (json!({ "metadata": { "verifiedDomain": "a".repeat(300) + ".com" } }), "metadata.verifiedDomain"),
        (json!({ "metadata": { "about": "weather" } }), "metadata.about"),
    ] {
        let mut body = json!({ "encryptedPayload": sealed, "source": "email" });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let answer = cast.by(&cast.collector).post(&format!("/v1/otp/{id}/receive"), body).await;
        assert_eq!(codes(&answer), invalid(), "{members}: {}", answer.text());
        assert!(answer.json()["message"].as_str().unwrap().contains(named), "{members}: {}", answer.text());
    }
    for query in ["wait=-1", "wait=x", "wait=61", "source=fax", "wait=1&wait=1"] {
        let answer = cast.by(&cast.collector).get(&format!("/v1/otp/pending?{query}")).await;
        assert!([200, 422].contains(&answer.status), "{query}: {}", answer.text());
    }
    assert_eq!(cast.status(&id).await["status"], "approved", "none of it was taken");
    let body =
        json!({ "encryptedPayload": sealed, "source": "email", "metadata": { "verifiedDomain": "Bücher.Example" } });
    assert_eq!(cast.by(&cast.collector).post(&format!("/v1/otp/{id}/receive"), body).await.status, 200);
    assert_eq!(cast.status(&id).await["metadata"]["sender"], "xn--bcher-kva.example", "in its one spelling");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_messages_at_once_one_is_taken_and_its_code_is_read() {
    let cast = Cast::new().await;
    let id = cast.approved().await;
    let path = format!("/v1/otp/{id}/receive");
    let texts: Vec<String> = (0..64).map(|n| format!("{n:06}")).collect();
    let handed = texts.iter().map(|text| {
        let body = json!({ "encryptedPayload": seal(&id, text), "source": "email", "metadata": { "emailId": text } });
        let (device, path) = (cast.by(&cast.collector), &path);
        async move { device.post(path, body).await }
    });
    let answers = join_all(handed).await;
    let taken: Vec<_> = answers.iter().zip(&texts).filter(|(answer, _)| answer.status == 200).collect();
    let [(_, text)] = &taken[..] else { panic!("{} were acknowledged", taken.len()) };
    assert!(answers.iter().filter(|answer| answer.status != 200).all(|answer| codes(answer).1 == "CONFLICT"));
    let read = cast.consume(&id).await.json();
    assert_eq!(open(&id, &read["encryptedPayload"]), **text, "the one that was acknowledged");
    assert_eq!(cast.app.number("SELECT count(*) FROM relay_messages"), 1, "the others may serve another request");
}

/// The same sealed text once more, since no answer came: it is there. Another one, and after it was read, is another matter.
#[tokio::test]
async fn a_code_that_is_handed_in_again_is_there() {
    let cast = Cast::new().await;
    let id = cast.approved().await;
    let body = json!({ "encryptedPayload": seal(&id, CODE), "source": "sms" });
    let (device, path) = (cast.by(&cast.collector), format!("/v1/otp/{id}/receive"));
    for _ in 0..3 {
        let answer = device.post(&path, body.clone()).await;
        assert_eq!((answer.status, &answer.json()["success"]), (200, &json!(true)), "{}", answer.text());
    }
    assert_eq!(cast.app.number("SELECT count(*) FROM audit WHERE kind = 'otp_receive'"), 1, "and it is one");
    let conflict = refused(409, "CONFLICT", "CONFLICT");
    let another = json!({ "encryptedPayload": seal(&id, "000000"), "source": "sms" });
    assert_eq!(codes(&device.post(&path, another).await), conflict);
    assert_eq!(open(&id, &cast.consume(&id).await.json()["encryptedPayload"]), CODE);
    assert_eq!(codes(&device.post(&path, body).await), conflict, "it was read");
}

#[tokio::test]
async fn a_person_is_handed_so_many_codes_a_day_and_no_more() {
    let cast = Cast::with(&[("DOORCODE_RELAY__CAPTURES_DAY", "5"), ("DOORCODE_RELAY__AGENT_MINUTE", "1000")]).await;
    for _ in 0..5 {
        cast.received().await;
    }
    let id = cast.approved().await;
    let sixth = cast.hand_in(&id).await;
    assert_eq!(codes(&sixth), refused(429, "RATE_LIMITED", "RATE_LIMITED"));
    assert!(sixth.header("retry-after").is_some_and(|after| after.parse::<u64>().unwrap() > 3600), "{sixth:?}");
    assert_eq!(cast.status(&id).await["status"], "approved");
    assert_eq!(cast.app.number("SELECT count(*) FROM relay_messages"), 5, "what was refused may come again");
    cast.app.advance(hours(24));
    cast.received().await;
}

/// Words of many at the same time: a person's yes and no, and their agent that takes it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_words_at_once_one_counts() {
    let cast = Cast::with(&[("DOORCODE_RELAY__OWNER_MINUTE", "1000")]).await;
    let id = cast.ask().await;
    let said = (0..48).map(|n| {
        let (cast, id) = (&cast, &id);
        async move {
            match n % 3 {
                0 => cast.by(&cast.ada).post(&format!("/v1/otp/{id}/approve"), json!({})).await,
                1 => cast.by(&cast.ada).post(&format!("/v1/otp/{id}/deny"), json!({})).await,
                _ => cast.by(&cast.key).send(Method::DELETE, &format!("/v1/otp/{id}"), "").await,
            }
        }
    });
    let answers = join_all(said).await;
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)));
    let status = cast.status(&id).await["status"].clone();
    let decided = cast.app.number("SELECT count(*) FROM audit WHERE kind IN ('otp_approve', 'otp_deny')");
    let cancelled = cast.app.number("SELECT count(*) FROM audit WHERE kind = 'otp_cancel'");
    // A yes may be taken back; a no is the end.
    let expected = if status == "denied" { (1, 0) } else { (decided, 1) };
    assert!(decided <= 1 && (decided, cancelled) == expected, "{status}: {decided} and {cancelled}");
}

/// Who may say yes can't be looked up while the database is away: that is no reason to tell somebody that they may not.
#[tokio::test]
async fn where_nothing_can_be_looked_up_nobody_is_told_that_they_may_not() {
    let cast = Cast::new().await;
    let id = cast.ask().await;
    let ada = cast.by(&cast.ada);
    let approve = format!("/v1/otp/{id}/approve");
    cast.app.tamper("ALTER TABLE users RENAME TO users_away");
    for (method, path) in [(Method::POST, approve.as_str()), (Method::GET, "/v1/agents"), (Method::GET, "/v1/policies")]
    {
        let answer = ada.send(method, path, "").await;
        assert!(answer.status >= 500, "{path}: {}", answer.text());
    }
    cast.app.tamper("ALTER TABLE users_away RENAME TO users");
    assert_eq!(ada.post(&approve, json!({})).await.status, 200);
}
