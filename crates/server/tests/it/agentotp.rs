//! The door `agentotp`: the journey in both dialects, what each kind of caller reads, every state and every error (docs/agentotp.md).

use axum::http::Method;
use doorcode_core::relay::Named as _;
use serde_json::{Value, json};

use crate::agentotp_cast::*;
use crate::app::{Answer, seconds};

fn texts<'a>(body: &'a Value, names: &[&str]) -> Vec<&'a str> {
    names.iter().map(|name| body[*name].as_str().unwrap_or_else(|| panic!("{name}: {body}"))).collect()
}

#[tokio::test]
async fn a_code_goes_from_the_message_to_the_agent_and_is_read_once() {
    let cast = Cast::new().await;
    let asked = cast.by(&cast.key).post(REQUEST, wish()).await;
    assert_eq!(asked.status, 202);
    let asked = asked.json();
    let id = asked["id"].as_str().unwrap();
    assert_eq!(asked["status"], "pending_approval");
    assert!(id.starts_with("otp_") && id.len() == 26, "{id}");
    let base = cast.app.app.base_url();
    assert_eq!(asked["approvalUrl"], format!("{base}/approvals?request={id}"));
    assert!(asked["webhookUrl"].as_str().unwrap().ends_with(&format!("/ws/{id}")));
    assert_eq!(asked["expiresAt"], cast.app.now().plus(seconds(300)).to_string());
    assert_eq!(asked["reason"], "Sign up at Acme");

    let said = cast.approve(id).await;
    assert_eq!((&said["success"], &said["requestId"], &said["status"]), (&json!(true), &json!(id), &json!("approved")));
    let approved = cast.status(id).await;
    assert_eq!((&approved["status"], &approved["decidedBy"]), (&json!("approved"), &json!("user")));
    assert_eq!((&approved["approvalUrl"], &approved["webhookUrl"]), (&Value::Null, &Value::Null), "only while pending");

    let taken = cast.hand_in(id).await;
    assert_eq!((taken.status, &taken.json()["success"]), (200, &json!(true)), "{}", taken.text());
    let there = cast.status(id).await;
    assert_eq!((&there["status"], &there["metadata"]["source"]), (&json!("otp_received"), &json!("email")));
    assert_eq!(way(&there), way(&there["metadata"]));
    assert_eq!(way(&there), [json!("collector"), json!("unverified"), json!(false), json!(false)]);
    assert!(!there.to_string().contains("482913") && !there.to_string().contains("Your code"), "{there}");

    let read = cast.consume(id).await;
    assert_eq!(read.status, 200, "{}", read.text());
    let read = read.json();
    assert_eq!((&read["id"], &read["status"], &read["source"]), (&json!(id), &json!("consumed"), &json!("email")));
    assert_eq!(read["encryptedPayload"], read["encrypted_payload"]);
    assert_eq!(open(id, &read["encrypted_payload"]), CODE);
    assert_eq!(read["consumedAt"], cast.app.now().to_string());
    assert_eq!(read["metadata"]["receivedAt"], cast.app.now().to_string());
    assert_eq!((way(&read), way(&read["metadata"])), (way(&there), way(&there)));
    let again = cast.consume(id).await;
    assert_eq!(codes(&again), refused(409, "OTP_ALREADY_CONSUMED", "ALREADY_CONSUMED"));
    assert_eq!(again.json()["consumed_at"], cast.app.now().to_string());
}

/// What an agent is told of how its code came.
fn way(told: &Value) -> [Value; 4] {
    ["capture", "verdict", "readableByServer", "readable_by_server"].map(|name| told[name].clone())
}

#[tokio::test]
async fn both_spellings_ask_for_the_same() {
    let cast = Cast::new().await;
    let snake = json!({
        "reason": "r", "public_key": public().encode().unwrap(), "expected_sender": "Acme", "ttl": 60,
        "filter": { "sources": ["email", "sms"], "sender_pattern": "*@acme.com", "content_pattern": "code",
            "received_after": cast.app.now().plus(seconds(5)).to_string() },
    });
    let camel = json!({
        "reason": "r", "publicKey": public().encode().unwrap(), "expectedSender": "Acme", "ttl": 60,
        "filter": { "sources": ["email", "sms"], "senderPattern": "*@acme.com", "contentPattern": "code",
            "receivedAfter": cast.app.now().plus(seconds(5)).to_string() },
    });
    let mut shown = Vec::new();
    for body in [snake, camel] {
        let answer = cast.by(&cast.key).post(REQUEST, body).await.json();
        shown.push((answer["filter"].clone(), answer["expectedSender"].clone(), answer["expiresAt"].clone()));
        assert_eq!(answer["expires_at"], answer["expiresAt"]);
    }
    assert_eq!(shown[0], shown[1]);
    assert_eq!(shown[0].0["sources"], json!(["sms", "email"]));
}

#[tokio::test]
async fn a_wish_for_older_messages_is_moved_to_the_question() {
    let cast = Cast::new().await;
    let old = wish_with(json!({ "filter": { "receivedAfter": "2020-01-01T00:00:00Z" } }));
    let answer = cast.by(&cast.key).post(REQUEST, old).await.json();
    assert_eq!(answer["filter"]["receivedAfter"], cast.app.now().to_string());
    assert_eq!(answer["filter"]["sources"], json!(["sms", "email", "whatsapp"]), "none named is any");
}

#[tokio::test]
async fn a_device_reads_both_of_its_forms() {
    let cast = Cast::new().await;
    let id = cast.approved().await;
    cast.ask().await;
    let list = cast.by(&cast.collector).get("/v1/otp/pending?source=email").await.json();
    let [one] = &list["requests"].as_array().unwrap()[..] else { panic!("the approved one only: {list}") };
    assert_eq!((&one["id"], &one["requestId"]), (&json!(id), &json!(id)));
    texts(one, &["agentId", "agentName", "reason", "publicKey", "status", "createdAt", "expiresAt", "expectedSender"]);
    assert_eq!((&one["senderPattern"], &one["filter"]["senderPattern"]), (&json!("*@acme.com"), &json!("*@acme.com")));
    assert_eq!(one["sources"], json!(["email"]));
    let none = cast.by(&cast.collector).get("/v1/otp/pending?source=sms").await.json();
    assert_eq!(none["requests"], json!([]));
    let wrong = cast.by(&cast.collector).get("/v1/otp/pending?source=fax").await;
    assert_eq!(codes(&wrong), invalid());
    let key = cast.by(&cast.collector).get(&format!("/v1/otp/{id}/public-key")).await.json();
    assert_eq!(key["publicKey"], public().encode().unwrap());
}

#[tokio::test]
async fn an_envelope_comes_to_what_is_in_it() {
    let cast = Cast::new().await;
    let asked = cast.by(&cast.key).post(REQUEST, wish_with(json!({ "publicKey": RSA_PUBLIC }))).await.json();
    let id = asked["id"].as_str().unwrap();
    cast.approve(id).await;
    let key = doorcode_core::seal::PublicKey::parse(RSA_PUBLIC).unwrap();
    let context = doorcode_core::seal::Context { request: "", agent: "", sender: "", expires_at: cast.app.now() };
    let code = doorcode_core::Secret::new(CODE.to_owned());
    let bare = key.seal(&code, &context, doorcode_core::Secret::new([3; 32])).unwrap().into_string();
    let envelope = json!({
        "version": 1, "algorithm": "RSA-OAEP-SHA256", "encrypted": bare, "timestamp": cast.app.now().to_string(),
    });
    let taken = cast.receive(&cast.collector, id, &envelope.to_string()).await;
    assert_eq!(taken.status, 200, "{}", taken.text());
    assert_eq!(cast.consume(id).await.json()["encryptedPayload"], bare);
}

#[tokio::test]
async fn the_owner_says_no_and_the_agent_hears_why() {
    let cast = Cast::new().await;
    let id = cast.ask().await;
    let said = cast.by(&cast.ada).post(&format!("/v1/otp/{id}/deny"), json!({ "reason": "not today" })).await;
    assert_eq!((said.status, &said.json()["status"]), (200, &json!("denied")));
    let seen = cast.status(&id).await;
    assert_eq!((&seen["status"], &seen["reason"]), (&json!("denied"), &json!("not today")));
    assert_eq!(seen["requestReason"], "Sign up at Acme");
    let read = cast.consume(&id).await;
    assert_eq!(codes(&read), refused(403, "OTP_APPROVAL_DENIED", "FORBIDDEN"));
    assert_eq!((&read.json()["reason"], &read.json()["status"]), (&json!("not today"), &json!("denied")));
    let late = cast.by(&cast.ada).post(&format!("/v1/otp/{id}/approve"), json!({})).await;
    assert_eq!(codes(&late), refused(409, "CONFLICT", "CONFLICT"));
    assert!(late.text().contains("already"), "the bot reads the word");
}

#[tokio::test]
async fn each_state_is_over_by_its_own_clock() {
    let cast = Cast::new().await;
    let pending = cast.ask().await;
    cast.app.advance(seconds(119));
    assert_eq!(cast.status(&pending).await["status"], "pending_approval");
    cast.app.advance(seconds(1));
    let over = cast.status(&pending).await;
    assert_eq!((&over["status"], &over["decidedBy"]), (&json!("expired"), &json!("timeout")));
    let late = cast.by(&cast.ada).post(&format!("/v1/otp/{pending}/approve"), json!({})).await;
    assert_eq!(codes(&late), refused(410, "OTP_EXPIRED", "EXPIRED"));
    assert!(late.text().contains("expired"), "the bot reads the word");

    let approved = cast.approved().await;
    cast.app.advance(seconds(300));
    assert_eq!(cast.status(&approved).await["status"], "expired");

    let received = cast.received().await;
    cast.app.advance(seconds(59));
    assert_eq!(cast.status(&received).await["status"], "otp_received");
    cast.app.advance(seconds(1));
    let read = cast.consume(&received).await;
    assert_eq!(codes(&read), refused(410, "OTP_EXPIRED", "EXPIRED"));
    assert_eq!(read.json()["expired_at"], cast.app.now().to_string());
    doorcode::ops::relays::expire_all(&cast.app.app).await.unwrap();
    assert_eq!(cast.app.number("SELECT count(*) FROM relays WHERE payload IS NOT NULL"), 0, "the sealed code is gone");
    assert_eq!(cast.app.number("SELECT count(*) FROM audit WHERE kind = 'otp_expire'"), 3);
}

#[tokio::test]
async fn a_request_is_taken_back_until_its_code_is_there() {
    let cast = Cast::new().await;
    let cancel = async |id: &str| cast.by(&cast.key).send(Method::DELETE, &format!("/v1/otp/{id}"), "").await;
    for id in [cast.ask().await, cast.approved().await] {
        for _ in 0..2 {
            let answer = cancel(&id).await;
            assert_eq!((answer.status, &answer.json()["success"]), (200, &json!(true)), "said twice it is as good");
            assert_eq!(
                (&answer.json()["id"], &answer.json()["cancelledAt"]),
                (&json!(id), &json!(cast.app.now().to_string()))
            );
        }
        assert_eq!(codes(&cast.consume(&id).await), refused(409, "OTP_CANCELLED", "CANCELLED"));
        let late = cast.by(&cast.ada).post(&format!("/v1/otp/{id}/approve"), json!({})).await;
        assert_eq!(codes(&late), refused(409, "CONFLICT", "CONFLICT"));
        assert_eq!(codes(&cast.hand_in(&id).await), refused(409, "CONFLICT", "CONFLICT"));
    }
    let there = cast.received().await;
    assert_eq!(codes(&cancel(&there).await), refused(409, "CONFLICT", "CONFLICT"));
    assert_eq!(codes(&cancel(&nobody()).await), unknown());
}

#[tokio::test]
async fn a_test_key_is_approved_at_once_with_a_code_of_nobodys() {
    let cast = Cast::new().await;
    let (_, test) = agent(&cast.app, cast.whose, "Trial", true).await;
    assert!(test.starts_with("ak_test_") && cast.key.starts_with("ak_live_"));
    let answer = cast.by(&test).post(REQUEST, wish()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(
        (&body["status"], &body["decidedBy"], &body["test"]),
        (&json!("otp_received"), &json!("auto"), &json!(true))
    );
    let path = format!("/v1/otp/{}/consume", body["id"].as_str().unwrap());
    let read = cast.by(&test).send(Method::POST, &path, "").await.json();
    let agent = body["agentId"].as_str().unwrap();
    let expires_at = body["expiresAt"].as_str().unwrap().parse().unwrap();
    let id = body["id"].as_str().unwrap();
    let context = doorcode_core::seal::Context { request: id, agent, sender: "", expires_at };
    let payload = read["encryptedPayload"].as_str().unwrap();
    let code = private().open(payload, &context, doorcode_core::Secret::new([1; 32])).unwrap();
    assert!(code.expose().len() == 6 && code.expose().bytes().all(|b| b.is_ascii_digit()));
}

#[tokio::test]
async fn whatever_is_out_of_range_is_422_and_says_which() {
    let cast = Cast::new().await;
    let small = include_str!("agentotp/rsa-1024.public.txt");
    let three = include_str!("agentotp/rsa-e3.public.txt");
    let long = |n| "x".repeat(n);
    for (members, named) in [
        (json!({ "reason": null }), "reason"),
        (json!({ "reason": "" }), "reason"),
        (json!({ "reason": " \u{202e}\u{200b} " }), "reason"),
        (json!({ "reason": long(501) }), "reason"),
        (json!({ "reason": 5 }), "reason"),
        (json!({ "publicKey": null }), "publicKey"),
        (json!({ "publicKey": "" }), "publicKey"),
        (json!({ "publicKey": "AAAA" }), "publicKey"),
        (json!({ "publicKey": small }), "publicKey"),
        (json!({ "publicKey": three }), "publicKey"),
        (json!({ "publicKey": long(20_000) }), "publicKey"),
        (json!({ "expectedSender": long(256) }), "expectedSender"),
        (json!({ "filter": [] }), "filter"),
        (json!({ "filter": { "sources": ["fax"] } }), "filter.sources"),
        (json!({ "filter": { "sources": "email" } }), "sources"),
        (json!({ "filter": { "senderPattern": long(256) } }), "filter.senderPattern"),
        (json!({ "filter": { "contentPattern": long(501) } }), "filter.contentPattern"),
        (json!({ "filter": { "receivedAfter": "yesterday" } }), "receivedAfter"),
        (json!({ "ttl": 0 }), "ttl"),
        (json!({ "ttl": 3601 }), "ttl"),
        (json!({ "ttl": "x" }), "ttl"),
        (json!({ "ttl": -1 }), "ttl"),
        (json!({ "ttl": 1.5 }), "ttl"),
        (json!({ "identity": "x" }), "identity"),
        (json!({ "identity": {} }), "identityKey"),
    ] {
        let answer = cast.by(&cast.key).post(REQUEST, wish_with(members.clone())).await;
        assert_eq!(codes(&answer), invalid(), "{members}: {}", answer.text());
        assert!(answer.json()["message"].as_str().unwrap().starts_with(named), "{members}: {}", answer.text());
    }
    for ttl in [1, 60, 600, 3600] {
        let answer = cast.by(&cast.key).post(REQUEST, wish_with(json!({ "ttl": ttl, "reason": long(500) }))).await;
        assert_eq!(answer.status, 202, "{ttl}");
        assert_eq!(answer.json()["expiresAt"], cast.app.now().plus(seconds(ttl)).to_string());
    }
    for body in ["[]", "{", "\"x\"", "\u{feff}"] {
        assert_eq!(codes(&cast.by(&cast.key).send(Method::POST, REQUEST, body).await), invalid(), "{body}");
    }
    let huge = format!("{{\"publicKey\": \"{}\"}}", long(1 << 20));
    let huge = cast.by(&cast.key).send(Method::POST, REQUEST, huge).await;
    assert_eq!(codes(&huge), refused(413, "VALIDATION_ERROR", "VALIDATION_ERROR"));
}

#[tokio::test]
async fn an_empty_body_of_json_is_no_error() {
    let cast = Cast::new().await;
    let id = cast.received().await;
    // Every client of this door says application/json with each call.
    for (method, path, key) in [
        (Method::GET, format!("/v1/otp/{id}"), &cast.key),
        (Method::POST, format!("/v1/otp/{id}/consume"), &cast.key),
        (Method::GET, "/v1/auth/verify".to_owned(), &cast.key),
        (Method::GET, "/v1/otp/pending".to_owned(), &cast.collector),
    ] {
        assert_eq!(cast.by(key).send(method, &path, "").await.status, 200, "{path}");
    }
    let id = cast.ask().await;
    assert_eq!(cast.by(&cast.ada).send(Method::POST, &format!("/v1/otp/{id}/approve"), "").await.status, 200);
}

#[tokio::test]
async fn a_key_comes_in_either_header_and_two_are_none() {
    let cast = Cast::new().await;
    let verify = "/v1/auth/verify";
    let open = |pairs: &[(&'static str, &str)]| {
        pairs.iter().fold(cast.app.from("192.0.2.9"), |client, (name, value)| client.saying(name, value))
    };
    let bearer = format!("Bearer {}", cast.key);
    assert_eq!(open(&[("x-api-key", &cast.key)]).get(verify).await.status, 200);
    assert_eq!(open(&[("authorization", &bearer), ("x-api-key", &cast.key)]).get(verify).await.status, 200);
    for pairs in [
        vec![],
        vec![("authorization", bearer.as_str()), ("x-api-key", cast.ada.as_str())],
        vec![("x-api-key", cast.key.as_str()), ("x-api-key", cast.key.as_str())],
        vec![("x-api-key", "ak_live_nobody")],
        vec![("authorization", "Basic abc")],
        vec![("x-api-key", "")],
    ] {
        let answer: Answer = open(&pairs).get(verify).await;
        assert_eq!(codes(&answer), refused(401, "UNAUTHORIZED", "UNAUTHORIZED"), "{pairs:?}");
    }
    for (key, kind) in [(&cast.key, "agent"), (&cast.collector, "device"), (&cast.ada, "key")] {
        assert_eq!(cast.by(key).get(verify).await.json()["type"], kind);
    }
    let session = cast.session(None).await;
    assert_eq!(cast.by(&session).get(verify).await.json()["type"], "session");
}

#[tokio::test]
async fn what_belongs_to_no_handler_has_the_doors_form() {
    let cast = Cast::new().await;
    assert_eq!(codes(&cast.by(&cast.key).get("/v1/otp/a/b/c").await), refused(404, "NOT_FOUND", "NOT_FOUND"));
    let wrong = cast.by(&cast.key).send(Method::PUT, REQUEST, "").await;
    assert_eq!(codes(&wrong), refused(405, "METHOD_NOT_ALLOWED", "METHOD_NOT_ALLOWED"));
    for path in ["/v1/otp/x", "/v1/otp/%ff", "/v1/otp/otp_%00", &format!("/v1/otp/{}", cast.agent.shown())] {
        assert_eq!(codes(&cast.by(&cast.key).get(path).await), unknown(), "{path}");
    }
}
