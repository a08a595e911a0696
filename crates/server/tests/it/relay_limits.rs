//! How much an agent may ask of a person, counted also where it is refused and where many ask at once. On both engines.

use axum::http::Method;
use doorcode::ops::agents;
use doorcode_core::Secret;
use doorcode_core::relay::Named as _;
use doorcode_core::seal::{IdentitySigner, Statement};
use serde_json::json;

use crate::agentotp_cast::*;
use crate::app::minutes;

#[tokio::test]
async fn a_question_too_many_counts_as_one_that_was_asked() {
    let cast = Cast::new().await;
    let mut told = Vec::new();
    for _ in 0..12 {
        let answer = cast.by(&cast.key).post(REQUEST, wish()).await;
        match answer.status {
            202 => told.push("asked".to_owned()),
            429 => told.push(answer.json()["message"].as_str().unwrap().to_owned()),
            _ => panic!("{}", answer.text()),
        }
    }
    let waits = "Too many questions that wait for their owner. Please try again later.";
    let minute = "Too many requests of an agent. Please try again later.";
    let expected = [["asked"; 5], [waits; 5]].concat().into_iter().chain([minute; 2]);
    assert_eq!(told, expected.collect::<Vec<_>>());
    assert_eq!(cast.app.number("SELECT count(*) FROM relays"), 5);
}

#[tokio::test]
async fn a_statement_is_not_used_up_by_a_request_that_was_one_too_many() {
    let cast = Cast::new().await;
    let signer = IdentitySigner::from_seed(Secret::new([5; 32]));
    let agent = cast.agent.shown();
    for _ in 0..5 {
        cast.ask().await;
    }
    let pin = json!({ "identity": signer.public().unwrap().encode() }).to_string();
    assert_eq!(cast.by(&cast.ada).send(Method::PATCH, &format!("/v1/agents/{agent}"), pin).await.status, 200);
    let statement = Statement {
        agent: &agent,
        expected_sender: "",
        sender_pattern: "",
        content_pattern: "",
        reason: "r",
        signed_at: cast.app.now().plus(minutes(1)),
        ttl: 300,
    };
    let body = json!({
        "reason": "r", "publicKey": public().encode().unwrap(), "ttl": 300,
        "identity": { "identityKey": signer.public().unwrap().encode(),
            "signature": signer.sign(&statement, &public()).unwrap(), "signedAt": statement.signed_at.to_string() },
    });
    assert_eq!(cast.by(&cast.key).post(REQUEST, body.clone()).await.status, 429);
    cast.app.advance(minutes(2));
    assert_eq!(cast.by(&cast.key).post(REQUEST, body.clone()).await.status, 202, "the same again, when there is room");
    assert_eq!(codes(&cast.by(&cast.key).post(REQUEST, body).await), invalid(), "and then no more");
}

/// The attack: whoever has only the agent's API key tries statements without end, since what is refused for its statement is not counted.
#[tokio::test]
async fn a_request_that_is_refused_for_its_statement_counts_as_one_that_was_asked() {
    let cast = Cast::with(&[("DOORCODE_RELAY__AGENT_MINUTE", "4")]).await;
    let signer = IdentitySigner::from_seed(Secret::new([5; 32]));
    let agent = cast.agent.shown();
    let pin = json!({ "identity": signer.public().unwrap().encode() }).to_string();
    assert_eq!(cast.by(&cast.ada).send(Method::PATCH, &format!("/v1/agents/{agent}"), pin).await.status, 200);
    let asked = async |body: &serde_json::Value| cast.by(&cast.key).post(REQUEST, body.clone()).await.status;
    let mut told = Vec::new();
    for _ in 0..5 {
        told.push(asked(&wish()).await);
    }
    assert_eq!(told[4], 429, "{told:?}");
    assert!(told[..4].iter().all(|status| *status == told[0] && *status != 202 && *status != 429), "{told:?}");
    cast.app.advance(minutes(1));
    let statement = Statement {
        agent: &agent,
        expected_sender: "",
        sender_pattern: "",
        content_pattern: "",
        reason: "r",
        signed_at: cast.app.now(),
        ttl: 300,
    };
    let body = json!({
        "reason": "r", "publicKey": public().encode().unwrap(), "ttl": 300,
        "identity": { "identityKey": signer.public().unwrap().encode(),
            "signature": signer.sign(&statement, &public()).unwrap(), "signedAt": statement.signed_at.to_string() },
    });
    let mut again = Vec::new();
    for _ in 0..5 {
        again.push(asked(&body).await);
    }
    assert_eq!(again, [202, told[0], told[0], told[0], 429], "one that was used before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_page_is_filled_however_many_agents_ask_at_once() {
    let much =
        [("DOORCODE_RELAY__LIVE", "6"), ("DOORCODE_RELAY__PROMPTS", "100"), ("DOORCODE_RELAY__AGENT_MINUTE", "100")];
    let cast = Cast::with(&much).await;
    let (_, other) = agent(&cast.app, cast.whose, "Other", false).await;
    let (_, test) = agent(&cast.app, cast.whose, "Tries", true).await;
    let asking = (0..24).map(|n| {
        let key = [&cast.key, &other, &test][n % 3];
        let by = cast.by(key);
        async move { by.post(REQUEST, wish()).await }
    });
    let answers = futures_util::future::join_all(asking).await;
    assert_eq!(answers.iter().filter(|answer| [200, 202].contains(&answer.status)).count(), 6);
    let full = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(codes(full), refused(429, "RATE_LIMITED", "RATE_LIMITED"));
    assert_eq!(full.header("retry-after"), Some("120"));
    assert!(full.text().contains("Too many requests to this person that are not over"), "{}", full.text());
    assert_eq!(cast.app.number("SELECT count(*) FROM relays"), 6);
    // Another person's page is another one.
    let (_, eve) = person(&cast.app, EVE).await;
    let (_, hers) = agent(&cast.app, eve, "Eve's", false).await;
    cast.ask_as(&hers).await;
    agents::remove(&cast.app.app, cast.whose, cast.agent).await.unwrap();
    cast.app.advance(minutes(2));
    cast.ask_as(&other).await;
}
