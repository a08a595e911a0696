//! The management of the door `agentotp`: agents and their keys, rules, devices, the record.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use doorcode::ops::{audit, devices};
use doorcode_core::relay::Named as _;
use doorcode_core::seal::{IdentitySigner, Statement};
use doorcode_core::{Secret, hex};
use serde_json::{Value, json};

use crate::agentotp_cast::*;
use crate::app::{Answer, MOMENT, hours, minutes, seconds};

fn listed(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    for name in ["has_more", "hasMore"] {
        assert!(body[name].is_boolean(), "{body}");
    }
    assert_eq!(body["next_cursor"], body["nextCursor"]);
    body["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_agent_is_made_once_however_often_its_request_comes() {
    let cast = Cast::new().await;
    let make = async |key: &str, name: &str, body: Value| {
        cast.by(key).saying("idempotency-key", name).post("/v1/agents", body).await
    };
    let wanted = || json!({ "name": "Bot" });
    let (one, other) = tokio::join!(make(&cast.ada, "first", wanted()), make(&cast.ada, "first", wanted()));
    let later = make(&cast.ada, "\"first\"", wanted()).await;
    for answer in [&one, &other, &later] {
        assert_eq!((answer.status, &answer.json()), (201, &one.json()), "the same agent and the same key");
    }
    let named_bot = "SELECT count(*) FROM agents WHERE name = 'Bot'";
    assert_eq!(cast.app.number(named_bot), 1);
    assert_eq!(cast.app.number("SELECT count(*) FROM idempotency WHERE answer LIKE '%ak_live_%'"), 0, "no key is kept");
    assert_eq!(codes(&make(&cast.ada, "first", json!({ "name": "Robot" })).await), invalid(), "another request");
    assert_eq!(codes(&make(&cast.ada, &"x".repeat(256), wanted()).await), invalid());
    assert_eq!(codes(&make(&cast.key, "first", wanted()).await), forbidden(), "an agent's key has no such request");
    assert_ne!(make(&cast.ada, "second", wanted()).await.json()["id"], one.json()["id"]);
    let (eve, _) = person(&cast.app, EVE).await;
    assert_eq!(make(&eve, "first", wanted()).await.status, 201, "another person's request of the same name is another");
    assert_eq!(cast.app.number(named_bot), 3);

    let path = format!("/v1/agents/{}", one.json()["id"].as_str().unwrap());
    assert_eq!(cast.by(&cast.ada).send(Method::DELETE, &path, "").await.status, 200);
    assert_eq!(codes(&make(&cast.ada, "first", wanted()).await), refused(409, "CONFLICT", "CONFLICT"), "it is gone");
    cast.app.advance(hours(24));
    assert_eq!(make(&cast.ada, "first", wanted()).await.status, 201, "a day later it is a new one");
}

#[tokio::test]
async fn agents_are_made_listed_changed_and_removed() {
    let cast = Cast::new().await;
    let ada = cast.by(&cast.ada);
    let made = ada.post("/v1/agents", json!({ "name": " Bot\u{202e} ", "description": "buys", "test": true })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let (id, key) = (made["id"].as_str().unwrap(), made["api_key"].as_str().unwrap());
    assert!(id.starts_with("agent_") && key.starts_with("ak_test_") && made["apiKey"] == key, "{made}");
    assert_eq!((&made["name"], &made["status"]), (&json!("Bot"), &json!("active")));
    assert_eq!(made["created_at"], made["createdAt"]);

    let first = ada.get("/v1/agents?limit=1").await.json();
    assert_eq!((&first["has_more"], first["data"].as_array().unwrap().len()), (&json!(true), 1));
    let next = ada.get(&format!("/v1/agents?cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!(listed(&next)[0]["id"], id);
    assert!(!next.text().contains("api_key"), "never again");
    let shown = ada.get(&format!("/v1/agents/{id}")).await.json();
    assert_eq!((shown["keys"].as_array().unwrap().len(), &shown["keys"][0]["test"]), (1, &json!(true)));

    let path = format!("/v1/agents/{id}");
    for (method, body) in [(Method::PATCH, json!({ "name": "Robot" })), (Method::PUT, json!({ "paused": true }))] {
        let answer = ada.send(method, &path, body.to_string()).await;
        assert_eq!((answer.status, &answer.json()["name"]), (200, &json!("Robot")), "{}", answer.text());
    }
    assert_eq!(ada.get(&path).await.json()["status"], "paused");
    let gone = ada.send(Method::DELETE, &path, "").await;
    assert_eq!((gone.status, &gone.json()["success"]), (200, &json!(true)));
    let dead = cast.by(key).get("/v1/auth/verify").await;
    assert_eq!(codes(&dead), refused(401, "UNAUTHORIZED", "UNAUTHORIZED"), "at once");
    assert_eq!(codes(&ada.get(&path).await), refused(404, "NOT_FOUND", "NOT_FOUND"));
    for (query, bad) in
        [("limit=0", true), ("limit=101", true), ("limit=x", true), ("cursor=x", true), ("order=up", false)]
    {
        let answer = ada.get(&format!("/v1/agents?{query}")).await;
        assert_eq!(answer.status, if bad { 422 } else { 200 }, "{query}");
    }
}

#[tokio::test]
async fn an_agent_may_be_made_with_its_identity_by_whoever_may_set_one() {
    let cast = Cast::new().await;
    let ada = cast.by(&cast.ada);
    let identity = IdentitySigner::from_seed(Secret::new([5; 32])).public().unwrap().encode();
    let wanted = json!({ "name": "Bot", "identity": identity });
    let made = ada.post("/v1/agents", wanted.clone()).await;
    assert_eq!((made.status, &made.json()["identity"]), (201, &json!(identity)), "{}", made.text());
    let shown = ada.get(&format!("/v1/agents/{}", made.json()["id"].as_str().unwrap())).await.json();
    assert_eq!(shown["identity"], identity);
    assert_eq!(codes(&ada.post("/v1/agents", json!({ "name": "Bot", "identity": "ed25519:x" })).await), invalid());
    let none = ada.post("/v1/agents", json!({ "name": "Bot", "identity": "" })).await;
    assert_eq!((none.status, &none.json()["identity"]), (201, &json!(null)));

    let strict = [("DOORCODE_RELAY__APPROVE_WITH_KEY", "no"), ("DOORCODE_RELAY__FRESH", "1m")];
    let cast = Cast::with(&strict).await;
    let session = cast.session(None).await;
    assert_eq!(codes(&cast.by(&cast.ada).post("/v1/agents", wanted.clone()).await), forbidden());
    assert_eq!(cast.by(&session).post("/v1/agents", wanted.clone()).await.status, 201, "just signed in");
    cast.app.advance(seconds(61));
    assert_eq!(codes(&cast.by(&session).post("/v1/agents", wanted).await), forbidden(), "it was left open");
    assert_eq!(cast.by(&session).post("/v1/agents", json!({ "name": "Bot" })).await.status, 201);
    assert_eq!(cast.app.number("SELECT count(*) FROM agents"), 3, "what is refused makes none");
}

#[tokio::test]
async fn a_key_is_followed_by_another_with_grace_or_at_once() {
    let cast = Cast::new().await;
    let path = format!("/v1/agents/{}/rotate-key", cast.agent.shown());
    let ada = cast.by(&cast.ada);
    let alive = async |key: &str| cast.by(key).get("/v1/auth/verify").await.status == 200;
    let next = ada.post(&path, json!({})).await.json();
    let second = next["api_key"].as_str().unwrap().to_owned();
    assert_eq!(next["old_key_expires_at"], cast.app.now().plus(seconds(86_400)).to_string());
    assert!(second != cast.key && alive(&cast.key).await && alive(&second).await);
    cast.app.advance(hours(24));
    assert!(!alive(&cast.key).await && alive(&second).await);
    let third = ada.post(&path, json!({ "grace_period": 600, "revoke_immediately": true })).await.json();
    assert!(!alive(&second).await && alive(third["api_key"].as_str().unwrap()).await);
    for grace in [json!(-1), json!(604_801), json!("1d")] {
        assert_eq!(codes(&ada.post(&path, json!({ "grace_period": grace })).await), invalid(), "{grace}");
    }
}

#[tokio::test]
async fn a_key_is_followed_by_one_however_often_its_request_comes() {
    let cast = Cast::new().await;
    let path = format!("/v1/agents/{}/rotate-key", cast.agent.shown());
    let rotate =
        async |name: &str, body: Value| cast.by(&cast.ada).saying("idempotency-key", name).post(&path, body).await;
    let (one, other) = tokio::join!(rotate("first", json!({})), rotate("first", json!({})));
    cast.app.advance(seconds(60));
    let later = rotate("first", json!({})).await;
    for answer in [&one, &other, &later] {
        assert_eq!(
            (answer.status, &answer.json()),
            (200, &one.json()),
            "the same key, and the same end of the old one"
        );
    }
    assert_eq!(cast.app.number("SELECT count(*) FROM audit WHERE details LIKE '%rotated%'"), 1);
    assert_eq!(cast.app.number("SELECT count(*) FROM idempotency WHERE answer LIKE '%ak_live_%'"), 0, "no key is kept");
    let second = one.json()["api_key"].as_str().unwrap().to_owned();
    let alive = async |key: &str| cast.by(key).get("/v1/auth/verify").await.status == 200;
    // Nor does a restore end the key that the same request was shown again.
    let replay = doorcode::ops::credentials::replay_revocations;
    replay(&cast.app.app, doorcode::ops::credentials::Replay::Restored).await.unwrap();
    cast.app.advance(hours(25));
    assert!(alive(&second).await && !alive(&cast.key).await);
    assert_eq!(codes(&rotate("first2", json!({ "grace_period": -1 })).await), invalid());
    assert_eq!(codes(&rotate(&"x".repeat(256), json!({})).await), invalid());
    let at_once = rotate("second", json!({ "revoke_immediately": true })).await.json();
    assert_eq!(codes(&rotate("second", json!({})).await), invalid(), "another request under that name");
    assert!(!alive(&second).await && alive(at_once["api_key"].as_str().unwrap()).await);
    for number in 0..9 {
        assert_eq!(rotate(&format!("n{number}"), json!({})).await.status, 200);
    }
    assert_eq!(codes(&rotate("eleventh", json!({})).await), refused(409, "CONFLICT", "CONFLICT"));
    assert_eq!(rotate("n8", json!({})).await.status, 200, "what was done is answered, however many there are");
}

#[tokio::test]
async fn stats_count_what_came_of_requests() {
    let cast = Cast::new().await;
    cast.ask().await;
    let read = cast.received().await;
    cast.consume(&read).await;
    let stats = cast.by(&cast.ada).get(&format!("/v1/agents/{}/stats", cast.agent.shown())).await.json();
    assert_eq!((&stats["total_requests"], &stats["totalRequests"]), (&json!(2), &json!(2)));
    assert_eq!((&stats["by_status"]["consumed"], &stats["by_status"]["denied"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn rules_refuse_ask_and_say_yes() {
    let cast = Cast::new().await;
    let ada = cast.by(&cast.ada);
    let agent = cast.agent.shown();
    let sms = json!({ "agentId": agent, "rules": { "sources": ["sms"] } });
    let made = ada.post("/v1/policies", sms.clone()).await;
    assert_eq!((made.status, &made.json()["rules"]), (201, &json!({ "sources": ["sms"] })), "{}", made.text());
    assert_eq!(codes(&ada.post("/v1/policies", sms).await), refused(409, "CONFLICT", "CONFLICT"));

    let denied = cast.by(&cast.key).post(REQUEST, wish()).await;
    assert_eq!(codes(&denied), refused(403, "OTP_APPROVAL_DENIED", "FORBIDDEN"));
    let id = denied.json()["id"].as_str().unwrap().to_owned();
    assert!(denied.json()["reason"].as_str().unwrap().contains("source"), "{}", denied.text());
    assert_eq!(denied.json()["status"], "denied");
    let kept = cast.status(&id).await;
    assert_eq!(
        (&kept["status"], &kept["decidedBy"], &kept["reason"]),
        (&json!("denied"), &json!("auto"), &denied.json()["reason"])
    );

    let path = format!("/v1/policies/{agent}");
    let wrong = ada.send(Method::PUT, &path, json!({ "rules": { "auto_approve": 1 } }).to_string()).await;
    assert_eq!(codes(&wrong), invalid());
    assert!(wrong.text().contains("rules.auto_approve"), "{}", wrong.text());
    let night = json!({ "rules": { "hours": { "from": 0, "to": 60 } } });
    assert_eq!(ada.send(Method::PUT, &path, night.to_string()).await.status, 200);
    assert_eq!(cast.by(&cast.key).post(REQUEST, wish()).await.status, 403);
    assert_eq!(listed(&ada.get("/v1/policies").await).len(), 1);
    assert_eq!(ada.send(Method::DELETE, &path, "").await.status, 200);
    assert_eq!(codes(&ada.send(Method::DELETE, &path, "").await), refused(404, "NOT_FOUND", "NOT_FOUND"));
    cast.ask().await;
}

/// A request that the agent's identity has signed.
fn signed(cast: &Cast, signer: &IdentitySigner, sender: &str, at: doorcode_core::Timestamp) -> Value {
    signed_for(cast, signer, (sender, ""), at)
}

/// The same, for messages that a pattern fits.
fn signed_for(
    cast: &Cast,
    signer: &IdentitySigner,
    (sender, content): (&str, &str),
    at: doorcode_core::Timestamp,
) -> Value {
    let agent = cast.agent.shown();
    let statement = Statement {
        agent: &agent,
        expected_sender: "",
        sender_pattern: sender,
        content_pattern: content,
        reason: "Sign up\u{202e} at Acme",
        signed_at: at,
        ttl: 300,
    };
    json!({
        "reason": statement.reason, "publicKey": public().encode().unwrap(), "ttl": 300,
        "filter": { "sources": ["email"], "senderPattern": sender, "contentPattern": content },
        "identity": {
            "identityKey": signer.public().unwrap().encode(), "signature": signer.sign(&statement, &public()).unwrap(),
            "signedAt": at.to_string(),
        },
    })
}

#[tokio::test]
async fn yes_without_the_owner_needs_a_pinned_identity_and_ends_with_the_day() {
    let cast = Cast::new().await;
    let signer = IdentitySigner::from_seed(Secret::new([5; 32]));
    let (ada, by) = (cast.by(&cast.ada), cast.by(&cast.key));
    let auto = json!({ "auto_approve": { "senders": ["noreply@acme.com"], "per_day": 2 } });
    let policy = json!({ "agentId": cast.agent.shown(), "rules": auto });
    assert_eq!(ada.post("/v1/policies", policy).await.status, 201);
    let sender = "noreply@acme.com";
    let ask = async |n: u64| by.post(REQUEST, signed(&cast, &signer, sender, cast.app.now().plus(seconds(n)))).await;
    assert_eq!(ask(0).await.status, 202, "an identity that nobody has pinned proves nothing");
    let pin = json!({ "identity": signer.public().unwrap().encode() }).to_string();
    assert_eq!(ada.send(Method::PATCH, &format!("/v1/agents/{}", cast.agent.shown()), pin).await.status, 200);

    let content = signed_for(&cast, &signer, (sender, r"reset code \d+"), cast.app.now());
    assert_eq!(by.post(REQUEST, content).await.status, 202, "which messages are meant is hers to see first");
    for n in 1..=2 {
        let yes = ask(n).await;
        assert_eq!((yes.status, &yes.json()["status"]), (200, &json!("approved")), "{}", yes.text());
        assert_eq!((&yes.json()["decidedBy"], &yes.json()["reason"]), (&json!("auto"), &json!("Sign up at Acme")));
    }
    assert_eq!(ask(3).await.status, 202, "the day's are spent: she is asked");
    let pattern = signed(&cast, &signer, "*@acme.com", cast.app.now());
    assert_eq!(by.post(REQUEST, pattern).await.status, 202, "no pattern is let by itself");

    // What a collector needs to look at it again is there, in the agent's own words.
    let list = cast.by(&cast.collector).get("/v1/otp/pending").await.json();
    let kept = &list["requests"][0]["keySignature"];
    assert_eq!((&kept["reason"], &kept["ttl"]), (&json!("Sign up\u{202e} at Acme"), &json!(300)));
    assert_eq!(kept["identityKey"], signer.public().unwrap().encode());
}

/// The attack: whoever has the API key alone, and saw a statement, shows it again to a server that was recovered from a copy.
#[tokio::test]
async fn a_statement_that_may_be_from_before_a_recovery_serves_nobody() {
    let cast = Cast::new().await;
    let (signer, by) = (IdentitySigner::from_seed(Secret::new([5; 32])), cast.by(&cast.key));
    let stated = |ahead| signed(&cast, &signer, "noreply@acme.com", cast.app.now().plus(ahead));
    let ahead = stated(minutes(2));
    assert_eq!(by.post(REQUEST, ahead.clone()).await.status, 202);
    // As a copy that was made before it.
    cast.app.tamper("DELETE FROM relay_messages");
    doorcode::ops::backups::recover(&cast.app.app).await.unwrap();
    assert_eq!(codes(&by.post(REQUEST, ahead.clone()).await), invalid());
    cast.app.advance(minutes(2));
    let refused = by.post(REQUEST, ahead).await;
    assert_eq!(codes(&refused), invalid());
    assert!(refused.text().contains("recovered"), "{}", refused.text());
    assert_eq!(codes(&by.post(REQUEST, stated(minutes(0))).await), invalid());
    cast.app.advance(MOMENT);
    assert_eq!(by.post(REQUEST, stated(minutes(0))).await.status, 202);
}

#[tokio::test]
async fn where_an_identity_is_pinned_nothing_else_will_do() {
    let cast = Cast::with(&[("DOORCODE_RELAY__AGENT_MINUTE", "100")]).await;
    let signer = IdentitySigner::from_seed(Secret::new([5; 32]));
    let other = IdentitySigner::from_seed(Secret::new([6; 32]));
    let pin = json!({ "identity": signer.public().unwrap().encode() }).to_string();
    let path = format!("/v1/agents/{}", cast.agent.shown());
    assert_eq!(cast.by(&cast.ada).send(Method::PATCH, &path, pin).await.status, 200);
    let by = cast.by(&cast.key);
    let good = signed(&cast, &signer, "a@acme.com", cast.app.now());
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let mut forged = good.clone();
    forged["identity"]["signature"] = json!("A".repeat(86));
    for (body, why) in [
        (wish(), "unsigned"),
        (signed(&cast, &other, "a@acme.com", cast.app.now()), "somebody else's"),
        (with("reason", json!("Sign up at Acme")), "other words"),
        (with("ttl", json!(301)), "another life"),
        (with("expectedSender", json!("Bank")), "another sender"),
        (with("publicKey", json!(RSA_PUBLIC)), "another key"),
        (forged, "no signature"),
        (signed(&cast, &signer, "a@acme.com", cast.app.now().minus(seconds(301))), "of long ago"),
        (signed(&cast, &signer, "a@acme.com", cast.app.now().plus(seconds(121))), "of later"),
    ] {
        assert_eq!(codes(&by.post(REQUEST, body).await), invalid(), "{why}");
    }
    assert_eq!(by.post(REQUEST, good.clone()).await.status, 202);
    assert_eq!(codes(&by.post(REQUEST, good).await), invalid(), "a statement serves once");
    assert_eq!(cast.app.number("SELECT count(*) FROM relays"), 1);
}

#[tokio::test]
async fn a_device_describes_itself_and_is_linked() {
    let cast = Cast::new().await;
    let (id, key) = device(&cast.app, cast.whose, "phone").await;
    let phone = cast.by(&key).saying("x-device-id", "pixel-1");
    let said = json!({ "platform": "android", "model": "Pixel", "osVersion": "16", "deviceId": "pixel-1" });
    let known = phone.post("/v1/devices/register", said.clone()).await.json();
    assert_eq!((&known["success"], &known["deviceId"]), (&json!(true), &json!("pixel-1")));
    for name in ["platform", "deviceId"] {
        let mut less = said.clone();
        less[name] = json!("");
        assert_eq!(codes(&phone.post("/v1/devices/register", less).await), invalid(), "{name}");
    }
    for path in ["/v1/devices/pixel-1/status".to_owned(), format!("/v1/devices/{}/status", id.shown())] {
        assert_eq!(phone.get(&path).await.json()["isLinked"], json!(false), "{path}");
    }
    let token = devices::offer(&cast.app.app, cast.whose).await.unwrap();
    let link = json!({ "deviceId": "pixel-1", "linkToken": token.expose() });
    let linked = phone.post("/v1/devices/link", link.clone()).await.json();
    assert_eq!((&linked["success"], &linked["userId"]), (&json!(true), &json!(cast.whose.owner.to_string())));
    assert!(linked["message"].is_string());
    let status = phone.get("/v1/devices/pixel-1/status").await.json();
    assert_eq!((&status["isLinked"], &status["userId"]), (&json!(true), &json!(cast.whose.owner.to_string())));
    let id_of = cast.ask().await;
    assert_eq!(phone.post(&format!("/v1/otp/{id_of}/approve"), json!({})).await.status, 200, "it may say yes now");

    let list = listed(&cast.by(&cast.ada).get("/v1/devices").await);
    assert_eq!((list.len(), &list[1]["deviceId"], &list[1]["isLinked"]), (2, &json!("pixel-1"), &json!(true)));
    let path = format!("/v1/devices/{}", id.shown());
    assert_eq!(cast.by(&cast.ada).send(Method::DELETE, &path, "").await.status, 200);
    assert_eq!(phone.get("/v1/devices/pixel-1/status").await.status, 401, "at once");
    assert_eq!(
        codes(&cast.by(&cast.ada).send(Method::DELETE, &path, "").await),
        refused(404, "NOT_FOUND", "NOT_FOUND")
    );
}

#[tokio::test]
async fn everything_is_in_the_record_in_both_dialects() {
    let cast = Cast::new().await;
    let id = cast.received().await;
    cast.consume(&id).await;
    let ada = cast.by(&cast.ada);
    let all = listed(&ada.get("/v1/audit?limit=100").await);
    let kinds: Vec<&str> = all.iter().rev().map(|entry| entry["eventType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["agent_create", "device_register", "otp_request", "otp_approve", "otp_receive", "otp_consume"]);
    assert_eq!((&all[0]["event_type"], &all[0]["actor"]), (&json!("use"), &json!("agent")));
    assert_eq!((&all[0]["requestId"], &all[0]["permissionRequestId"]), (&json!(id), &json!(id)));
    assert_eq!(
        (&all[0]["agentId"], &all[0]["userId"]),
        (&json!(cast.agent.shown()), &json!(cast.whose.owner.to_string()))
    );
    for (query, count) in [
        ("eventType=otp_approve".to_owned(), 1),
        ("event_type=approve".to_owned(), 1),
        (format!("agentId={}", cast.agent.shown()), 5),
        (format!("permissionRequestId={id}"), 4),
        (format!("startDate={}", cast.app.now().plus(seconds(1))), 0),
        (format!("endDate={}", cast.app.now()), 0),
        ("startDate=2027-01-15".to_owned(), 6),
        ("limit=4".to_owned(), 4),
        ("limit=4&page=2".to_owned(), 2),
        ("cursor=3".to_owned(), 2),
    ] {
        assert_eq!(listed(&ada.get(&format!("/v1/audit?{query}")).await).len(), count, "{query}");
    }
    for query in ["page=0", "limit=101", "eventType=x", "agentId=x", "requestId=x", "startDate=x", "cursor=x"] {
        assert_eq!(codes(&ada.get(&format!("/v1/audit?{query}")).await), invalid(), "{query}");
    }
    assert_eq!(ada.get("/v1/audit/3").await.json()["eventType"], "otp_request");
    for path in ["/v1/audit/0", "/v1/audit/7", "/v1/audit/x", "/v1/audit/9223372036854775807"] {
        assert_eq!(codes(&ada.get(path).await), refused(404, "NOT_FOUND", "NOT_FOUND"), "{path}");
    }
    assert!(!ada.get("/v1/audit").await.text().contains(CODE), "no code, in any form");
}

#[tokio::test]
async fn a_record_is_exported_with_its_head() {
    let cast = Cast::new().await;
    cast.by(&cast.key).post(REQUEST, wish_with(json!({ "reason": "=1+1,\"x\"\ny" }))).await;
    let ada = cast.by(&cast.ada);
    let head = audit::head(&cast.app.app, cast.whose.owner).await.unwrap();
    let chain = hex::encode(&head.chain.unwrap());
    let fetch = async |format: &str| {
        let begun = ada.post("/v1/audit/export", json!({ "format": format, "startDate": "2027-01-01" })).await.json();
        assert_eq!(begun["status"], "completed");
        let url = begun["url"].as_str().unwrap().to_owned();
        ada.get(url.strip_prefix(&cast.app.app.base_url()).unwrap()).await
    };
    let json = fetch("json").await.json();
    assert_eq!((&json["head"]["number"], &json["head"]["chain"]), (&json!(3), &json!(chain)));
    assert_eq!((&json["data"][2]["number"], &json["data"][2]["chain"]), (&json!(3), &json!(chain)), "oldest first");
    let csv = fetch("csv").await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(csv.header("x-audit-head"), Some(format!("3 {chain}").as_str()));
    let lines: Vec<String> = csv.text().lines().map(str::to_owned).collect();
    assert!(lines.len() == 4 && lines[3].ends_with(&format!("\"{chain}\"")), "{lines:?}");
    assert!(lines.iter().skip(1).all(|line| line.starts_with('"')), "{lines:?}");
    assert_eq!(codes(&ada.post("/v1/audit/export", json!({ "format": "pdf" })).await), invalid());
    assert_eq!(codes(&ada.get("/v1/audit/export/export_x").await), refused(404, "NOT_FOUND", "NOT_FOUND"));

    let report = ada.post("/v1/audit/reports/compliance", json!({})).await.json();
    assert_eq!((&report["totals"]["otp_request"], &report["record"]["entries"]), (&json!(1), &json!(3)));
    assert_eq!((&report["record"]["unchanged"], &report["record"]["head"]), (&json!(true), &json!(chain)));
    cast.app.advance(minutes(1));
    let later =
        ada.post("/v1/audit/reports/compliance", json!({ "startDate": cast.app.now().to_string() })).await.json();
    assert_eq!(later["totals"], json!({}));
}

#[test]
fn the_document_has_what_a_denial_and_a_hook_are_made_of() {
    let document: Value = serde_json::from_str(doorcode::api::openapi_text()).unwrap();
    for (path, needed, members) in
        [("/v1/otp/{id}/deny", false, vec!["reason"]), ("/v1/hooks", true, vec!["kind", "name", "secret"])]
    {
        let body = &document["paths"][path]["post"]["requestBody"];
        assert_eq!(body["required"].as_bool().unwrap_or_default(), needed, "{path}: {body}");
        let text = body["content"]["application/json"]["schema"].to_string();
        let name = text.split("#/components/schemas/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let properties = document["components"]["schemas"][name]["properties"].as_object().unwrap();
        assert_eq!(properties.keys().collect::<Vec<_>>(), members, "{path}");
    }
}
