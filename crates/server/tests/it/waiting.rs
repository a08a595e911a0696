//! What the tests of both ways in play with: Ada, an agent of hers, and a request of it that she has approved.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use doorcode::app::target_of;
use doorcode::ops::agents::{self, Wanted};
use doorcode::ops::audit::Whose;
use doorcode::store::identities;
use doorcode_core::relay::Named as _;
use doorcode_core::seal::{Context, PrivateKey};
use doorcode_core::{OrgId, Secret};
use serde_json::{Value, json};

use crate::app::{Answer, Client, HERE, TestApp};
use crate::native::program;

pub(crate) const ADA: &str = "ada@home.example";

/// The house with Ada in it, and her agent.
pub(crate) struct Scene {
    pub(crate) app: TestApp,
    pub(crate) whose: Whose,
    agent: String,
    /// Ada's sign-in key.
    ada: String,
    /// Her agent's.
    key: String,
}

impl Scene {
    pub(crate) async fn of(app: TestApp) -> Self {
        let ada = app.from(HERE).sign_in(ADA).await["team"]["api_key"].as_str().unwrap().to_owned();
        let target = target_of(OrgId::HOUSE, ADA);
        let look = app.app.db.read(move |tx| Box::pin(async move { identities::verified(tx, &target).await }));
        let (org, owner) = look.await.unwrap().unwrap();
        let whose = Whose { org, owner };
        let wanted = Wanted { name: "Shopper".to_owned(), description: None, test: false, identity: None };
        let agent = agents::create(&app.app, whose, wanted, None).await.unwrap();
        let (key, agent) = (agent.key.expose().clone(), agent.agent.id.shown());
        Self { app, whose, agent, ada, key }
    }

    pub(crate) fn ada(&self) -> Client<'_> {
        program(&self.app, &self.ada)
    }

    pub(crate) fn agent(&self) -> Client<'_> {
        program(&self.app, &self.key)
    }

    /// A request that waits for a message of that source, of this sender.
    pub(crate) async fn waits(&self, source: &str, pattern: &str) -> String {
        let answer = self.asks(json!({ "sources": [source], "senderPattern": pattern })).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        self.approves(&id).await;
        id
    }

    /// The agent asks for a message that this fits.
    pub(crate) async fn asks(&self, filter: Value) -> Answer {
        let key = private().public().unwrap().encode().unwrap();
        let wish = json!({ "reason": "Sign up", "publicKey": key, "filter": filter });
        self.agent().post("/v1/otp/request", wish).await
    }

    /// Ada says yes, and once more where it takes any message.
    pub(crate) async fn approves(&self, id: &str) {
        let path = format!("/v1/otp/{id}/approve");
        let mut answer = self.ada().post(&path, json!({})).await;
        if answer.json()["code"] == "CONFIRMATION_REQUIRED" {
            answer = self.ada().post(&path, json!({ "confirm": true })).await;
        }
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// As the agent sees a request.
    pub(crate) async fn status(&self, id: &str) -> Value {
        self.agent().get(&format!("/v1/otp/{id}")).await.json()
    }

    pub(crate) async fn state(&self, id: &str) -> String {
        self.status(id).await["status"].as_str().unwrap().to_owned()
    }

    /// A code, sealed to the agent's key as by a collector.
    pub(crate) fn sealed(&self, id: &str, code: &str) -> String {
        let expires_at = self.app.now();
        let context = Context { request: id, agent: &self.agent, sender: "", expires_at };
        let code = Secret::new(code.to_owned());
        private().public().unwrap().seal(&code, &context, Secret::new([2; 32])).unwrap().into_string()
    }

    /// The agent reads its code and opens it, sealed for that sender.
    pub(crate) async fn code(&self, id: &str, sender: &str) -> String {
        let status = self.status(id).await;
        let expires_at = status["expiresAt"].as_str().unwrap().parse().unwrap();
        let answer = self.agent().send(Method::POST, &format!("/v1/otp/{id}/consume"), "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let payload = answer.json()["encryptedPayload"].as_str().unwrap().to_owned();
        let context = Context { request: id, agent: &self.agent, sender, expires_at };
        private().open(&payload, &context, Secret::new([1; 32])).unwrap().expose().clone()
    }
}

fn private() -> PrivateKey {
    PrivateKey::from_seed(Secret::new([7; 32]))
}
