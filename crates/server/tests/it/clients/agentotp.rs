//! A client of AgentOTP's, ours: the calls of its SDK in its order, in its spelling, and what the SDK makes of each answer (the two tables of
//! the facts that docs/agentotp.md is written from). Every row of both is met by a real answer of this server.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::time::Duration;

use axum::http::Method;
use doorcode_core::seal::{Context, PrivateKey};
use doorcode_core::{Secret, Timestamp};
use serde_json::{Value, json};

use crate::agentotp_cast::*;
use crate::app::{Answer, seconds};

/// How often it asks, and for how long.
const INTERVAL: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(120);

/// Its classes of errors, with what each of them carries.
#[derive(Clone, PartialEq, Eq, Debug)]
enum SdkError {
    AlreadyConsumed,
    Denied(String),
    Expired(String),
    Cancelled,
    NotFound,
    Timeout,
    Authentication,
    Validation,
    RateLimit,
    Server(u16),
    Generic(u16),
    Decryption,
}

/// What it makes of an answer that is no success: by the `code` of the whole first, then by the status.
fn error_of(answer: &Answer) -> SdkError {
    let body = answer.json();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    match body["code"].as_str() {
        Some("OTP_NOT_FOUND") => return SdkError::NotFound,
        Some("OTP_EXPIRED") => return SdkError::Expired(text("expired_at").unwrap_or_default()),
        Some("OTP_ALREADY_CONSUMED") => return SdkError::AlreadyConsumed,
        Some("OTP_APPROVAL_DENIED") => return SdkError::Denied(text("reason").unwrap_or_default()),
        Some("OTP_CANCELLED") => return SdkError::Cancelled,
        _ => {}
    }
    match answer.status {
        401 => SdkError::Authentication,
        422 => SdkError::Validation,
        429 => SdkError::RateLimit,
        500.. => SdkError::Server(answer.status),
        other => SdkError::Generic(other),
    }
}

fn judged(answer: &Answer) -> Result<Value, SdkError> {
    if (200..300).contains(&answer.status) { Ok(answer.json()) } else { Err(error_of(answer)) }
}

/// It.
struct Sdk<'a> {
    cast: &'a Cast,
    key: String,
}

impl Sdk<'_> {
    async fn call(&self, method: Method, path: &str, body: String) -> Result<Value, SdkError> {
        judged(&self.cast.by(&self.key).send(method, path, body).await)
    }

    async fn request(&self) -> Result<Value, SdkError> {
        let body = json!({
            "reason": "Sign up at Acme", "public_key": RSA_PUBLIC, "expected_sender": "Acme", "ttl": 300,
            "filter": { "sources": ["email"], "sender_pattern": "*@acme.com" },
        });
        self.call(Method::POST, REQUEST, body.to_string()).await
    }

    /// One look. None: it goes on waiting.
    async fn poll(&self, id: &str) -> Option<Result<Value, SdkError>> {
        let seen = match self.call(Method::GET, &format!("/v1/otp/{id}"), String::new()).await {
            Ok(seen) => seen,
            Err(error) => return Some(Err(error)),
        };
        let text = |name: &str| seen[name].as_str().unwrap_or_default().to_owned();
        let error = match seen["status"].as_str().unwrap() {
            "otp_received" => return Some(Ok(seen)),
            "consumed" => SdkError::AlreadyConsumed,
            "denied" => SdkError::Denied(text("reason")),
            "expired" => SdkError::Expired(text("expiresAt")),
            "cancelled" => SdkError::Cancelled,
            _ => return None,
        };
        Some(Err(error))
    }

    /// Looks until there is something, with the clock of the house.
    async fn wait(&self, id: &str) -> Result<Value, SdkError> {
        let start = self.cast.app.now();
        while self.cast.app.now().since(start) < PATIENCE {
            if let Some(end) = self.poll(id).await {
                return end;
            }
            self.cast.app.advance(INTERVAL);
        }
        Err(SdkError::Timeout)
    }

    /// Reads and decrypts, as the SDK does: `encrypted_payload`, and nothing in its documented spelling.
    async fn consume(&self, id: &str) -> Result<(String, Value), SdkError> {
        let read = self.call(Method::POST, &format!("/v1/otp/{id}/consume"), String::new()).await?;
        let key = PrivateKey::parse(&Secret::new(RSA_PRIVATE.to_owned())).unwrap();
        let payload = read["encrypted_payload"].as_str().ok_or(SdkError::Decryption)?;
        let context = Context { request: "", agent: "", sender: "", expires_at: Timestamp::from_millis(0) };
        let code = key.open(payload, &context, Secret::new([2; 32])).map_err(|_| SdkError::Decryption)?;
        Ok((code.expose().clone(), read["metadata"].clone()))
    }
}

async fn sdk(cast: &Cast) -> (Sdk<'_>, String) {
    let sdk = Sdk { cast, key: cast.key.clone() };
    let id = sdk.request().await.unwrap()["id"].as_str().unwrap().to_owned();
    (sdk, id)
}

/// Seals a code as the SDK's counterpart in a browser does, and hands it in.
async fn hand_in(cast: &Cast, id: &str) {
    let key = doorcode_core::seal::PublicKey::parse(RSA_PUBLIC).unwrap();
    let context = Context { request: "", agent: "", sender: "", expires_at: cast.app.now() };
    let sealed = key.seal(&Secret::new(CODE.to_owned()), &context, Secret::new([4; 32])).unwrap();
    let answer = cast.receive(&cast.collector, id, sealed.as_str()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn it_asks_waits_reads_and_decrypts() {
    let cast = Cast::new().await;
    let (sdk, id) = sdk(&cast).await;
    assert!(sdk.poll(&id).await.is_none());
    cast.approve(&id).await;
    assert!(sdk.poll(&id).await.is_none());
    hand_in(&cast, &id).await;
    let there = sdk.wait(&id).await.unwrap();
    assert!(there["metadata"]["receivedAt"].is_string() && there["metadata"]["source"] == "email");
    let (code, metadata) = sdk.consume(&id).await.unwrap();
    assert_eq!((code.as_str(), &metadata["source"]), (CODE, &json!("email")));
    assert_eq!(sdk.consume(&id).await.unwrap_err(), SdkError::AlreadyConsumed);
    assert_eq!(sdk.wait(&id).await.unwrap_err(), SdkError::AlreadyConsumed);
}

#[tokio::test]
async fn every_status_is_the_class_that_it_expects() {
    let cast = Cast::new().await;
    let (sdk, denied) = sdk(&cast).await;
    cast.by(&cast.ada).post(&format!("/v1/otp/{denied}/deny"), json!({ "reason": "no" })).await;
    assert_eq!(sdk.wait(&denied).await.unwrap_err(), SdkError::Denied("no".to_owned()));

    let id = sdk.request().await.unwrap()["id"].as_str().unwrap().to_owned();
    sdk.call(Method::DELETE, &format!("/v1/otp/{id}"), String::new()).await.unwrap();
    assert_eq!(sdk.wait(&id).await.unwrap_err(), SdkError::Cancelled);

    let asked = sdk.request().await.unwrap();
    let id = asked["id"].as_str().unwrap();
    cast.app.advance(seconds(120));
    assert_eq!(sdk.wait(id).await.unwrap_err(), SdkError::Expired(asked["expiresAt"].as_str().unwrap().to_owned()));

    let id = sdk.request().await.unwrap()["id"].as_str().unwrap().to_owned();
    cast.approve(&id).await;
    assert_eq!(sdk.wait(&id).await.unwrap_err(), SdkError::Timeout);
}

#[tokio::test]
async fn every_refusal_is_the_class_that_it_expects() {
    let cast = Cast::with(&[("DOORCODE_RELAY__AGENT_MINUTE", "4")]).await;
    let (sdk, id) = sdk(&cast).await;
    assert_eq!(sdk.consume(&nobody()).await.unwrap_err(), SdkError::NotFound);
    assert_eq!(sdk.consume(&id).await.unwrap_err(), SdkError::Generic(409), "not there yet has no class");
    let stranger = Sdk { cast: &cast, key: "ak_live_nobody".to_owned() };
    assert_eq!(stranger.request().await.unwrap_err(), SdkError::Authentication);
    let bad = sdk.call(Method::POST, REQUEST, json!({ "reason": "" }).to_string()).await;
    assert_eq!(bad.unwrap_err(), SdkError::Validation);

    cast.by(&cast.ada).post(&format!("/v1/otp/{id}/deny"), json!({})).await;
    assert_eq!(sdk.consume(&id).await.unwrap_err(), SdkError::Denied("The request was denied".to_owned()));
    let id = sdk.request().await.unwrap()["id"].as_str().unwrap().to_owned();
    sdk.call(Method::DELETE, &format!("/v1/otp/{id}"), String::new()).await.unwrap();
    assert_eq!(sdk.consume(&id).await.unwrap_err(), SdkError::Cancelled);
    let id = sdk.request().await.unwrap()["id"].as_str().unwrap().to_owned();
    cast.app.advance(seconds(59));
    sdk.request().await.unwrap();
    assert_eq!(sdk.request().await.unwrap_err(), SdkError::RateLimit);
    cast.app.advance(seconds(61));
    let over = cast.app.now().to_string();
    assert_eq!(sdk.consume(&id).await.unwrap_err(), SdkError::Expired(over));

    cast.app.app.db.close().await;
    assert!(matches!(sdk.request().await.unwrap_err(), SdkError::Server(503)), "the database does not answer");
}
