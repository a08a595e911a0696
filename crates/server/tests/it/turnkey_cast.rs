//! Who signs calls in tests: a parent's backend, people's devices, strangers. A small client of ours: it stamps the bytes that it sends, and
//! opens what comes back.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use doorcode::ops::{orgs, signed};
use doorcode_core::activity::Kind;
use doorcode_core::seal::turnkey::{BundleKey, open_grant};
use doorcode_core::{OrgId, Secret, Timestamp, hex};
use serde_json::{Value, json};

use crate::app::{Answer, HERE, TestApp};

/// Somebody with a private key.
pub(crate) struct Key(pub(crate) BundleKey);

impl Key {
    /// The same key for the same number.
    pub(crate) fn new(number: u8) -> Self {
        Self(BundleKey::from_seed(Secret::new([number; 32])).unwrap())
    }

    /// The key in a bundle that was sealed to this one.
    pub(crate) fn open(&self, bundle: &str) -> Self {
        let opened = open_grant(bundle, &self.0).unwrap();
        Self(BundleKey::parse(&Secret::new(hex::encode(opened.expose()))).unwrap())
    }

    /// The public half, as users' keys are given.
    pub(crate) fn public(&self) -> String {
        self.0.public().to_hex()
    }

    /// The public half, as targets are given.
    pub(crate) fn target(&self) -> String {
        hex::encode(self.0.public().uncompressed().unwrap())
    }

    /// A key as `create_api_keys` and `create_sub_organization` take it.
    pub(crate) fn given(&self, life: Option<&str>) -> Value {
        json!({ "apiKeyName": "given", "publicKey": self.public(), "curveType": "API_KEY_CURVE_P256", "expirationSeconds": life })
    }
}

/// A sub-organisation and its user.
pub(crate) struct Sub {
    pub(crate) org: String,
    pub(crate) user: String,
}

/// A house with a parent organisation, whose backend signs.
pub(crate) struct Cast {
    pub(crate) app: TestApp,
    pub(crate) org: String,
    pub(crate) user: String,
    pub(crate) backend: Key,
}

/// An organisation of that name, whose first user signs with a key.
pub(crate) async fn organization(app: &TestApp, name: &str, key: &Key) -> (String, String) {
    let org = orgs::create(&app.app, name).await.unwrap().id;
    let user = signed::first_user(&app.app, org, name, key.0.public()).await.unwrap();
    (org.to_string(), user.to_string())
}

/// A body of this moment.
pub(crate) fn body(app: &TestApp, kind: Kind, org: &str, parameters: Value) -> String {
    dated(app.now(), kind, org, parameters)
}

/// A body of any moment.
pub(crate) fn dated(at: Timestamp, kind: Kind, org: &str, parameters: Value) -> String {
    let at = at.millis().to_string();
    let mut body = json!({ "type": kind.name(), "timestampMs": at, "organizationId": org });
    body["parameters"] = parameters;
    body.to_string()
}

/// Sends a body that somebody signed.
pub(crate) async fn send(app: &TestApp, by: &Key, path: &str, body: &str) -> Answer {
    let stamp = by.0.stamp(body.as_bytes(), &app.app.entropy.signing()).unwrap();
    app.from(HERE).saying("x-stamp", &stamp).send(Method::POST, path, body.to_owned()).await
}

pub(crate) fn submit_path(kind: Kind) -> String {
    format!("/public/v1/submit/{}", kind.path())
}

/// The result of an activity that is done.
pub(crate) fn result(answer: &Answer, kind: Kind) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let activity = &answer.json()["activity"];
    assert_eq!(activity["status"], "ACTIVITY_STATUS_COMPLETED");
    activity["result"][kind.result()].clone()
}

/// Status, number and name of an error.
pub(crate) fn refusal(answer: &Answer) -> (u16, u64, String) {
    let body = answer.json();
    let members: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["code", "details", "message", "turnkeyErrorCode"], "every error has the same members");
    let name = body["turnkeyErrorCode"].as_str().unwrap().to_owned();
    assert_eq!(body["details"][0]["turnkeyErrorCode"], name.as_str());
    (answer.status, body["code"].as_u64().unwrap(), name)
}

pub(crate) fn wrong_code() -> (u16, u64, String) {
    (400, 3, "INVALID_OTP_CODE".to_owned())
}

impl Cast {
    pub(crate) async fn new() -> Self {
        Self::of(TestApp::new().await).await
    }

    pub(crate) async fn of(app: TestApp) -> Self {
        let backend = Key::new(1);
        let (org, user) = organization(&app, "Acme", &backend).await;
        Self { app, org, user, backend }
    }

    /// An activity of this moment.
    pub(crate) async fn submit(&self, by: &Key, kind: Kind, org: &str, parameters: Value) -> Answer {
        send(&self.app, by, &submit_path(kind), &body(&self.app, kind, org, parameters)).await
    }

    pub(crate) async fn query(&self, by: &Key, name: &str, body: Value) -> Answer {
        send(&self.app, by, &format!("/public/v1/query/{name}"), &body.to_string()).await
    }

    /// A sub-organisation whose user has this address and these keys.
    pub(crate) async fn sub(&self, email: &str, keys: &[&Key]) -> Sub {
        let keys: Vec<Value> = keys.iter().map(|key| key.given(None)).collect();
        let user = json!({ "userName": email, "userEmail": email, "apiKeys": keys, "authenticators": [], "oauthProviders": [] });
        let parameters = json!({ "subOrganizationName": email, "rootUsers": [user], "rootQuorumThreshold": 1 });
        let kind = Kind::CreateSubOrganizationV7;
        let made = result(&self.submit(&self.backend, kind, &self.org, parameters).await, kind);
        Sub {
            org: made["subOrganizationId"].as_str().unwrap().to_owned(),
            user: made["rootUserIds"][0].as_str().unwrap().to_owned(),
        }
    }

    /// Has a code sent to a user of an organisation; gives the start's id and the code.
    pub(crate) async fn start(&self, org: &str, email: &str) -> (String, String) {
        let kind = Kind::InitOtpAuthV3;
        let parameters = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": email, "appName": "Acme" });
        let made = result(&self.submit(&self.backend, kind, org, parameters).await, kind);
        self.app.deliver_due().await;
        (made["otpId"].as_str().unwrap().to_owned(), self.app.last_code(email))
    }

    /// A code for a key that is sealed to a device.
    pub(crate) async fn redeem(&self, org: &str, start: &(String, String), device: &Key) -> Answer {
        let parameters = json!({ "otpId": start.0, "otpCode": start.1, "targetPublicKey": device.target() });
        self.submit(&self.backend, Kind::OtpAuth, org, parameters).await
    }

    /// The whole way: a code, a key.
    pub(crate) async fn sign_in(&self, org: &str, email: &str, device: &Key) -> Key {
        let start = self.start(org, email).await;
        let got = result(&self.redeem(org, &start, device).await, Kind::OtpAuth);
        device.open(got["credentialBundle"].as_str().unwrap())
    }

    pub(crate) async fn whoami(&self, by: &Key, org: &str) -> Answer {
        self.query(by, "whoami", json!({ "organizationId": org })).await
    }

    /// An organisation that is not there.
    pub(crate) fn nowhere() -> String {
        OrgId::from_bytes([7; 16]).to_string()
    }
}
