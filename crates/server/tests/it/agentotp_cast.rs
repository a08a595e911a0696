//! Who plays in the tests of the relay: Ada, an agent of hers, her collector, and what they send.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use doorcode::app::App;
use doorcode::ops::agents::{self, Wanted};
use doorcode::ops::audit::Whose;
use doorcode::ops::{devices, sessions};
use doorcode::store;
use doorcode_core::relay::Named as _;
use doorcode_core::seal::{Context, PrivateKey, PublicKey};
use doorcode_core::{AgentId, DeviceId, Email, OrgId, Secret};
use serde_json::{Value, json};

use crate::app::{Answer, Client, HERE, TestApp};
use crate::native::program;

pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const EVE: &str = "eve@example.com";
pub(crate) const REQUEST: &str = "/v1/otp/request";
pub(crate) const CODE: &str = "482913";
/// An RSA key of the tests' own.
pub(crate) const RSA_PUBLIC: &str = include_str!("agentotp/rsa-2048.public.txt");
pub(crate) const RSA_PRIVATE: &str = include_str!("agentotp/rsa-2048.private.txt");

/// The house with Ada in it.
pub(crate) struct Cast {
    pub(crate) app: TestApp,
    /// Ada's sign-in key.
    pub(crate) ada: String,
    pub(crate) whose: Whose,
    pub(crate) agent: AgentId,
    /// Her agent's key.
    pub(crate) key: String,
    /// Her collector's.
    pub(crate) collector: String,
}

impl Cast {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(environment: &[(&str, &str)]) -> Self {
        Self::of(TestApp::with(environment).await).await
    }

    /// In a house that stands.
    pub(crate) async fn of(app: TestApp) -> Self {
        let (ada, whose) = person(&app, ADA).await;
        let (agent, key) = agent(&app, whose, "Shopper", false).await;
        let (_, collector) = device(&app, whose, "collector").await;
        Self { app, ada, whose, agent, key, collector }
    }

    /// Somebody with a key.
    pub(crate) fn by(&self, key: &str) -> Client<'_> {
        program(&self.app, key)
    }

    /// The agent asks; gives the request's id.
    pub(crate) async fn ask(&self) -> String {
        self.ask_as(&self.key).await
    }

    pub(crate) async fn ask_as(&self, key: &str) -> String {
        let answer = self.by(key).post(REQUEST, wish()).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Ada says yes.
    pub(crate) async fn approve(&self, id: &str) -> Value {
        let answer = self.by(&self.ada).post(&format!("/v1/otp/{id}/approve"), json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// A request that waits for its message.
    pub(crate) async fn approved(&self) -> String {
        let id = self.ask().await;
        self.approve(&id).await;
        id
    }

    /// Her collector hands a code in.
    pub(crate) async fn hand_in(&self, id: &str) -> Answer {
        self.receive(&self.collector, id, &seal(id, CODE)).await
    }

    pub(crate) async fn receive(&self, key: &str, id: &str, payload: &str) -> Answer {
        let metadata = json!({
            "emailId": format!("<{id}@mail>"), "from": "Acme <noreply@acme.com>", "subject": "Your code 482913",
            "receivedAt": self.app.now().to_string(), "confidence": 0.9,
        });
        let body = json!({ "encryptedPayload": payload, "source": "email", "metadata": metadata });
        self.by(key).post(&format!("/v1/otp/{id}/receive"), body).await
    }

    /// A request whose code is there.
    pub(crate) async fn received(&self) -> String {
        let id = self.approved().await;
        let answer = self.hand_in(&id).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        id
    }

    pub(crate) async fn status(&self, id: &str) -> Value {
        let answer = self.by(&self.key).get(&format!("/v1/otp/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    pub(crate) async fn consume(&self, id: &str) -> Answer {
        self.by(&self.key).send(Method::POST, &format!("/v1/otp/{id}/consume"), "").await
    }

    /// Ada's session by an app of `client`, as old as the clock says.
    pub(crate) async fn session(&self, client: Option<OrgId>) -> String {
        session(&self.app.app, self.whose, client).await
    }
}

/// A session of somebody who signed in just now, by an app of `client`; gives its access token.
pub(crate) async fn session(app: &App, whose: Whose, client: Option<OrgId>) -> String {
    let now = app.clock.now();
    let drawn = (app.entropy.id(now).unwrap(), app.entropy.bytes().unwrap());
    let session = sessions::begin(app, drawn, (whose.org, whose.owner), client, String::new(), now);
    let token = sessions::access(app, &session, now).unwrap().expose().clone();
    let put = app.db.write(move |tx| Box::pin(async move { store::sessions::insert(tx, &session).await }));
    put.await.unwrap();
    token
}

/// Signs in; gives the key, and who it is.
pub(crate) async fn person(app: &TestApp, email: &str) -> (String, Whose) {
    let key = app.from(HERE).sign_in(email).await["team"]["api_key"].as_str().unwrap().to_owned();
    let whose = agents::member(&app.app, &Email::parse(email).unwrap()).await.unwrap().unwrap();
    (key, whose)
}

pub(crate) async fn agent(app: &TestApp, whose: Whose, name: &str, test: bool) -> (AgentId, String) {
    let wanted = Wanted { name: name.to_owned(), description: None, test, identity: None };
    let new = agents::create(&app.app, whose, wanted, None).await.unwrap();
    (new.agent.id, new.key.expose().clone())
}

pub(crate) async fn device(app: &TestApp, whose: Whose, kind: &'static str) -> (DeviceId, String) {
    let new = devices::create(&app.app, whose, kind, "thing").await.unwrap();
    (new.device.id, new.key.expose().clone())
}

/// The agent's key for its requests.
pub(crate) fn private() -> PrivateKey {
    PrivateKey::from_seed(Secret::new([7; 32]))
}

pub(crate) fn public() -> PublicKey {
    private().public().unwrap()
}

/// What the tests seal in: nothing of it matters to a server that reads neither.
fn context(request: &str) -> Context<'_> {
    Context { request, agent: "", sender: "", expires_at: crate::app::START }
}

pub(crate) fn seal(request: &str, code: &str) -> String {
    let sealed = public().seal(&Secret::new(code.to_owned()), &context(request), Secret::new([9; 32])).unwrap();
    sealed.into_string()
}

pub(crate) fn open(request: &str, payload: &Value) -> String {
    let opened = private().open(payload.as_str().unwrap(), &context(request), Secret::new([1; 32]));
    opened.unwrap().expose().clone()
}

/// What an agent usually asks for, in the documentation's spelling.
pub(crate) fn wish() -> Value {
    json!({
        "reason": "Sign up at Acme", "publicKey": public().encode().unwrap(), "expectedSender": "Acme",
        "filter": { "sources": ["email"], "senderPattern": "*@acme.com" }, "ttl": 300,
    })
}

/// The same with some members set otherwise.
pub(crate) fn wish_with(members: Value) -> Value {
    let mut wish = wish();
    let Value::Object(members) = members else { panic!("{members}") };
    wish.as_object_mut().unwrap().extend(members);
    wish
}

/// Both codes of a refusal; the messages are the same.
pub(crate) fn codes(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    assert_eq!(body["message"], body["error"]["message"], "{body}");
    let code = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
    (answer.status, code(&body["code"]), code(&body["error"]["code"]))
}

pub(crate) fn refused(status: u16, code: &str, documented: &str) -> (u16, String, String) {
    (status, code.to_owned(), documented.to_owned())
}

pub(crate) fn forbidden() -> (u16, String, String) {
    refused(403, "FORBIDDEN", "FORBIDDEN")
}

pub(crate) fn unknown() -> (u16, String, String) {
    refused(404, "OTP_NOT_FOUND", "NOT_FOUND")
}

pub(crate) fn invalid() -> (u16, String, String) {
    refused(422, "VALIDATION_ERROR", "VALIDATION_ERROR")
}

/// An id that is nobody's.
pub(crate) fn nobody() -> String {
    doorcode_core::RelayId::from_bytes([1; 16]).shown()
}
