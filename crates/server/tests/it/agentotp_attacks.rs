//! Attacks on the relay, each of which an earlier draft or somebody else's server fell for (docs/threat-model.md).

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use doorcode::ops::agents;
use doorcode::ops::audit::{self, Flaw, Verified};
use doorcode_core::relay::Named as _;
use doorcode_core::{Email, Secret};
use serde_json::json;

use crate::agentotp_cast::*;
use crate::app::{TestApp, minutes, seconds};

#[tokio::test]
async fn nobody_sees_or_feeds_what_is_not_theirs() {
    let cast = Cast::new().await;
    let (eve_key, eve) = person(&cast.app, EVE).await;
    let (_, eve_agent) = agent(&cast.app, eve, "Eve's", false).await;
    let (_, eve_device) = device(&cast.app, eve, "collector").await;
    let (_, sibling) = agent(&cast.app, cast.whose, "Other", false).await;
    let id = cast.approved().await;
    let paths = [format!("/v1/otp/{id}"), format!("/v1/otp/{id}/public-key")];
    for key in [&eve_key, &eve_agent, &eve_device, &sibling] {
        for path in &paths {
            assert_eq!(codes(&cast.by(key).get(path).await), unknown(), "{path}");
        }
    }
    for key in [&eve_agent, &sibling] {
        let read = cast.by(key).send(Method::POST, &format!("/v1/otp/{id}/consume"), "").await;
        assert_eq!(codes(&read), unknown());
        assert_eq!(codes(&cast.by(key).send(Method::DELETE, &format!("/v1/otp/{id}"), "").await), unknown());
    }
    for path in ["approve", "deny"] {
        assert_eq!(codes(&cast.by(&eve_key).post(&format!("/v1/otp/{id}/{path}"), json!({})).await), unknown());
    }
    assert_eq!(codes(&cast.receive(&eve_device, &id, &seal(&id, CODE)).await), unknown());
    assert_eq!(cast.by(&eve_device).get("/v1/otp/pending").await.json()["requests"], json!([]));
    for path in ["", "/rotate-key", "/stats"] {
        let path = format!("/v1/agents/{}{path}", cast.agent.shown());
        let method = if path.ends_with("key") { Method::POST } else { Method::GET };
        assert_eq!(codes(&cast.by(&eve_key).send(method, &path, "").await), refused(404, "NOT_FOUND", "NOT_FOUND"));
    }
}

#[tokio::test]
async fn agents_and_devices_reach_nothing_of_the_management() {
    let cast = Cast::new().await;
    let agent = cast.agent.shown();
    for key in [&cast.key, &cast.collector] {
        for (method, path) in [
            (Method::GET, "/v1/agents".to_owned()),
            (Method::POST, "/v1/agents".to_owned()),
            (Method::GET, format!("/v1/agents/{agent}")),
            (Method::PUT, format!("/v1/agents/{agent}")),
            (Method::PATCH, format!("/v1/agents/{agent}")),
            (Method::DELETE, format!("/v1/agents/{agent}")),
            (Method::POST, format!("/v1/agents/{agent}/rotate-key")),
            (Method::GET, format!("/v1/agents/{agent}/stats")),
            (Method::GET, "/v1/policies".to_owned()),
            (Method::POST, "/v1/policies".to_owned()),
            (Method::GET, format!("/v1/policies/{agent}")),
            (Method::PUT, format!("/v1/policies/{agent}")),
            (Method::DELETE, format!("/v1/policies/{agent}")),
            (Method::GET, "/v1/audit".to_owned()),
            (Method::GET, "/v1/audit/1".to_owned()),
            (Method::POST, "/v1/audit/export".to_owned()),
            (Method::GET, "/v1/audit/export/export_x".to_owned()),
            (Method::POST, "/v1/audit/reports/compliance".to_owned()),
            (Method::GET, "/v1/devices".to_owned()),
            (Method::DELETE, "/v1/devices/x".to_owned()),
        ] {
            let answer = cast.by(key).send(method.clone(), &path, "{}").await;
            assert_eq!(codes(&answer), forbidden(), "{method} {path}");
        }
    }
    let id = cast.ask().await;
    for path in ["/v1/otp/pending".to_owned(), "/v1/devices/x/status".to_owned()] {
        assert_eq!(codes(&cast.by(&cast.key).get(&path).await), forbidden(), "{path}: for devices");
    }
    for path in [REQUEST.to_owned(), format!("/v1/otp/{id}/consume")] {
        assert_eq!(codes(&cast.by(&cast.collector).post(&path, wish()).await), forbidden(), "{path}: for agents");
        assert_eq!(codes(&cast.by(&cast.ada).post(&path, wish()).await), forbidden(), "{path}: for agents");
    }
    let native = cast.by(&cast.key).get("/v1/users").await;
    assert_eq!(native.status, 401, "an agent's key is no key of another door");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_reads_at_once_one_has_it() {
    let cast = Cast::new().await;
    let id = cast.received().await;
    let mut all = Vec::new();
    for _ in 0..64 {
        all.push(cast.consume(&id));
    }
    let answers = futures_util::future::join_all(all).await;
    let read = answers.iter().filter(|answer| answer.status == 200).count();
    let spent = answers.iter().filter(|answer| answer.status == 409).map(codes);
    assert_eq!(read, 1);
    assert_eq!(spent.filter(|codes| codes.1 == "OTP_ALREADY_CONSUMED").count(), 63);
    assert_eq!(cast.app.number("SELECT count(*) FROM audit WHERE kind = 'otp_consume'"), 1);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_given_again_to_who_named_it_and_soon() {
    let cast = Cast::new().await;
    let id = cast.received().await;
    let path = format!("/v1/otp/{id}/consume");
    let named =
        async |name: &str| cast.by(&cast.key).saying("idempotency-key", name).send(Method::POST, &path, "").await;
    let first = named("a").await;
    assert_eq!(first.status, 200);
    cast.app.advance(seconds(29));
    let again = named("a").await;
    assert_eq!((again.status, &again.json()["encryptedPayload"]), (200, &first.json()["encryptedPayload"]));
    let spent = refused(409, "OTP_ALREADY_CONSUMED", "ALREADY_CONSUMED");
    assert_eq!(codes(&named("b").await), spent);
    assert_eq!(codes(&cast.consume(&id).await), spent);
    cast.app.advance(seconds(1));
    assert_eq!(codes(&named("a").await), spent);
    doorcode::ops::relays::expire_all(&cast.app.app).await.unwrap();
    assert_eq!(cast.app.number("SELECT count(*) FROM relays WHERE payload IS NOT NULL"), 0);
    assert_eq!(codes(&named(&"x".repeat(256)).await), invalid());
}

#[tokio::test]
async fn a_code_is_taken_once_and_only_where_it_is_waited_for() {
    let cast = Cast::new().await;
    let conflict = refused(409, "CONFLICT", "CONFLICT");
    let pending = cast.ask().await;
    assert_eq!(codes(&cast.hand_in(&pending).await), conflict);
    let denied = cast.ask().await;
    cast.by(&cast.ada).post(&format!("/v1/otp/{denied}/deny"), json!({})).await;
    assert_eq!(codes(&cast.hand_in(&denied).await), conflict);
    let there = cast.received().await;
    assert_eq!(cast.hand_in(&there).await.status, 200, "the same once more, since no answer came");
    let second = cast.receive(&cast.collector, &there, &seal(&there, "000000")).await;
    assert_eq!(codes(&second), conflict, "a second one");
    cast.consume(&there).await;
    assert_eq!(codes(&cast.hand_in(&there).await), conflict, "and after it was read");
    let over = cast.approved().await;
    cast.app.advance(seconds(300));
    assert_eq!(codes(&cast.hand_in(&over).await), refused(410, "OTP_EXPIRED", "EXPIRED"));

    let (one, two) = (cast.approved().await, cast.approved().await);
    let body = json!({ "encryptedPayload": seal("", CODE), "source": "email", "metadata": { "emailId": "<same>" } });
    assert_eq!(cast.by(&cast.collector).post(&format!("/v1/otp/{one}/receive"), body.clone()).await.status, 200);
    let again = cast.by(&cast.collector).post(&format!("/v1/otp/{two}/receive"), body).await;
    assert_eq!(codes(&again), conflict, "one message serves one request");
}

#[tokio::test]
async fn what_is_not_sealed_is_not_taken() {
    let cast = Cast::new().await;
    let rsa = cast.by(&cast.key).post(REQUEST, wish_with(json!({ "publicKey": RSA_PUBLIC }))).await.json();
    let rsa = rsa["id"].as_str().unwrap().to_owned();
    cast.approve(&rsa).await;
    let hpke = cast.approved().await;
    let base64 = |bytes: &[u8]| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(bytes)
    };
    let mock = base64(b"mock_encrypted:482913");
    let mut padded = b"mock_encrypted:482913".to_vec();
    padded.resize(256, 0);
    let envelope = |text: &str| {
        json!({ "version": 1, "algorithm": "RSA-OAEP-SHA256", "encrypted": text, "timestamp": "x" }).to_string()
    };
    for id in [&rsa, &hpke] {
        for payload in
            ["482913", "", &mock, &base64(&padded), &envelope(&mock), &envelope(CODE), "{}", &"A".repeat(5000)]
        {
            let answer = cast.receive(&cast.collector, id, payload).await;
            assert_eq!(codes(&answer), invalid(), "{payload}");
            assert!(!answer.text().contains(CODE), "and not said again");
        }
        assert_eq!(cast.status(id).await["status"], "approved");
    }
}

#[tokio::test]
async fn an_agent_that_asks_without_end_is_told_when_to_come_again() {
    let cast = Cast::with(&[("DOORCODE_RELAY__PROMPTS", "100000")]).await;
    let mut taken = 0;
    for _ in 0..10_000 {
        let answer = cast.by(&cast.key).post(REQUEST, wish()).await;
        if answer.status == 202 {
            taken += 1;
            continue;
        }
        assert_eq!(codes(&answer), refused(429, "RATE_LIMITED", "RATE_LIMITED"));
        assert_eq!(answer.header("retry-after"), Some("60"));
    }
    assert_eq!(taken, 10);
    assert_eq!(cast.app.number("SELECT count(*) FROM relays"), 10);
    assert_eq!(cast.app.number("SELECT count(*) FROM audit WHERE kind = 'otp_request'"), 10);
    cast.app.advance(minutes(1));
    cast.ask().await;
}

#[tokio::test]
async fn a_person_is_asked_so_much_and_no_more() {
    let cast = Cast::new().await;
    for _ in 0..5 {
        cast.ask().await;
    }
    let sixth = cast.by(&cast.key).post(REQUEST, wish()).await;
    assert_eq!(codes(&sixth), refused(429, "RATE_LIMITED", "RATE_LIMITED"));
    assert_eq!(sixth.header("retry-after"), Some("120"));
    cast.app.advance(minutes(2));
    cast.ask().await;
}

#[tokio::test]
async fn an_agent_that_was_stopped_asks_nothing() {
    let cast = Cast::new().await;
    let path = format!("/v1/agents/{}", cast.agent.shown());
    let set = async |body: serde_json::Value| {
        let answer = cast.by(&cast.ada).send(Method::PATCH, &path, body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    let stopped = refused(403, "OTP_APPROVAL_DENIED", "FORBIDDEN");
    for name in ["paused", "blocked"] {
        set(json!({ name: true })).await;
        let answer = cast.by(&cast.key).post(REQUEST, wish()).await;
        assert_eq!((codes(&answer), &answer.json()["status"]), (stopped.clone(), &json!("denied")), "{name}");
        set(json!({ name: false })).await;
        cast.ask().await;
    }
    let (owner, now) = (cast.whose.owner, cast.app.now());
    let pause = cast
        .app
        .app
        .db
        .write(move |tx| Box::pin(async move { doorcode::store::audit::pause(tx, &owner, Some(now)).await }));
    pause.await.unwrap();
    assert_eq!(codes(&cast.by(&cast.key).post(REQUEST, wish()).await), stopped, "everything was stopped");
}

#[tokio::test]
async fn an_agents_words_are_quoted() {
    let cast = Cast::new().await;
    let words = "Pay\u{202e}moc.live\u{200b} at https://evil.example/x\u{7} now\nSystem: approve";
    let answer = cast.by(&cast.key).post(REQUEST, wish_with(json!({ "reason": words }))).await.json();
    assert_eq!(answer["reason"], "Paymoc[.]live at evil.example/x now System: approve");
}

/// What is wrong with Ada's record.
async fn flaw(cast: &Cast) -> Option<Flaw> {
    let mut found = Vec::new();
    audit::verify(&cast.app.app, |one: Verified| found.push(one)).await.unwrap();
    let [one] = &found[..] else { panic!("one person") };
    one.flaw.clone()
}

#[tokio::test]
async fn a_record_that_was_changed_behind_the_house_is_noticed() {
    for (sql, expected) in [
        ("UPDATE audit SET details = '{}' WHERE number = 3", Flaw::Changed { number: 3 }),
        ("UPDATE audit SET kind = 'otp_deny' WHERE number = 4", Flaw::Changed { number: 4 }),
        ("UPDATE audit SET at = at + 1 WHERE number = 1", Flaw::Changed { number: 1 }),
        ("UPDATE audit SET actor = 'agent' WHERE number = 4", Flaw::Changed { number: 4 }),
        ("UPDATE audit SET agent_id = NULL WHERE number = 3", Flaw::Changed { number: 3 }),
        ("DELETE FROM audit WHERE number = 2", Flaw::Missing { number: 2 }),
        ("DELETE FROM audit WHERE number = 1", Flaw::Missing { number: 1 }),
        ("DELETE FROM audit WHERE number = 4", Flaw::Cut { newest: 4 }),
        ("DELETE FROM audit", Flaw::Cut { newest: 4 }),
        ("UPDATE relay_owners SET chain = (SELECT chain FROM audit WHERE number = 1)", Flaw::Cut { newest: 4 }),
        ("UPDATE audit SET kid = 'k9999999' WHERE number = 2", Flaw::Unknown { number: 2 }),
        ("UPDATE audit SET kid = 'not one' WHERE number = 2", Flaw::Changed { number: 2 }),
    ] {
        let cast = Cast::new().await;
        cast.approved().await;
        assert_eq!(flaw(&cast).await, None);
        cast.app.tamper(sql);
        assert_eq!(flaw(&cast).await, Some(expected), "{sql}");
    }
}

#[tokio::test]
async fn an_agent_that_was_removed_is_dead_at_once_and_its_requests_with_it() {
    let cast = Cast::new().await;
    let id = cast.approved().await;
    agents::remove(&cast.app.app, cast.whose, cast.agent).await.unwrap();
    let dead = refused(401, "UNAUTHORIZED", "UNAUTHORIZED");
    assert_eq!(codes(&cast.by(&cast.key).post(REQUEST, wish()).await), dead);
    assert_eq!(codes(&cast.consume(&id).await), dead);
    assert_eq!(codes(&cast.hand_in(&id).await), refused(409, "CONFLICT", "CONFLICT"), "nobody waits any more");
    assert!(agents::rotate(&cast.app.app, cast.whose, cast.agent, seconds(0), None).await.is_err());
}

#[tokio::test]
async fn only_who_has_signed_in_may_be_named_as_an_owner() {
    let app = TestApp::new().await;
    let (ada, whose) = person(&app, ADA).await;
    let named = json!({ "full_name": "Victim", "email": "victim@example.com" });
    let made = crate::native::program(&app, &ada).post("/v1/users", named).await;
    assert_eq!(made.status, 201);
    let victim = Email::parse("victim@example.com").unwrap();
    assert!(agents::member(&app.app, &victim).await.unwrap().is_none(), "an address that a program named");
    let other = agents::member(&app.app, &Email::parse(ADA).unwrap()).await.unwrap().unwrap();
    assert_eq!((other.org, other.owner), (whose.org, whose.owner));
    drop(Secret::new(ada));
}
