//! Nothing that signed calls hand over stays behind: neither the private key that a code became nor a code is in the database, a backup, the
//! log, `/metrics` or the memory of the server, in no spelling.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;

use doorcode::clock::Clock;
use doorcode_core::activity::Kind;
use doorcode_core::seal::turnkey::{BundleKey, Entry, open_grant, open_target, seal_code};
use doorcode_core::stamp::{Curve, PublicKey};
use doorcode_core::{Secret, hex};
use serde_json::{Value, json};

use crate::needles::Needles;
use crate::process::{Home, ServerProcess, until};
use crate::sink::Sink;
use crate::talk::Answer;
use crate::turnkey_cast::{Key, submit_path};

/// What is no secret: it is in the database and in memory, so that a look that finds nothing else does look.
const NAME: &str = "Conspicuous Laboratories";

/// A server in earnest, with a backend that signs.
struct House {
    server: ServerProcess,
    sink: Sink,
    org: String,
    backend: Key,
}

/// What must be nowhere.
#[derive(Default)]
struct Secrets {
    codes: Vec<String>,
    keys: Vec<[u8; 32]>,
}

impl House {
    async fn send(&self, by: &Key, path: &str, body: &str) -> Answer {
        let stamp = by.0.stamp(body.as_bytes(), &doorcode::entropy::signing()).unwrap();
        let (to, length) = (self.server.address, body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nX-Stamp: {stamp}\r\nContent-Length: {length}\r\n\r\n"
        );
        self.server.caller().send((head + body).as_bytes()).await.unwrap()
    }

    async fn submit(&self, by: &Key, kind: Kind, org: &str, parameters: Value) -> Answer {
        let at = Clock::real(None, None).now().millis().to_string();
        let body = json!({ "type": kind.name(), "timestampMs": at, "organizationId": org, "parameters": parameters });
        self.send(by, &submit_path(kind), &body.to_string()).await
    }

    async fn good(&self, by: &Key, kind: Kind, org: &str, parameters: Value) -> Value {
        let answer = self.submit(by, kind, org, parameters).await;
        assert_eq!(answer.status, 200, "{}: {}", kind.name(), answer.text());
        answer.json()["activity"]["result"][kind.result()].clone()
    }

    async fn whoami(&self, by: &Key, org: &str) -> u16 {
        let body = json!({ "organizationId": org }).to_string();
        self.send(by, "/public/v1/query/whoami", &body).await.status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_private_key_nor_a_code_stays_behind() {
    let sink = Sink::open();
    let mut home = Home::earnest("turnkey-secrets", sink.port).await;
    home.set("log.level", "debug");
    let backend = Key::new(1);
    let made = home.run(&["org", "create", "--name", NAME, "--stamp-key", &backend.public(), "--json"]).await.well();
    let made: Value = serde_json::from_str(&made).unwrap();
    let org = made["organization_id"].as_str().unwrap().to_owned();
    home.run(&["org", "raise", "--org", &org]).await.well();
    let house = House { server: home.serve().await, sink, org, backend };

    let mut secrets = Secrets::default();
    for n in 0..4 {
        let sub = sealed_keys(&house, n, &mut secrets).await;
        mailed_key(&house, n, &sub, &mut secrets).await;
        tokens(&house, n, &mut secrets).await;
    }
    other_calls(&house).await;

    assert_eq!((secrets.keys.len(), secrets.codes.len()), (12, 20));
    let mailed = house.sink.all_codes();
    let (bundles, codes): (Vec<_>, Vec<_>) = mailed.iter().partition(|code| code.len() > 100);
    assert_eq!(bundles.len(), 4, "which are sealed, and no secret");
    assert!(codes.iter().all(|code| secrets.codes.contains(code)), "all else that was mailed is looked for");
    let mut needles = Needles::of(&secrets.codes);
    for (at, key) in secrets.keys.iter().enumerate() {
        needles = needles.and_key(&format!("key {at}"), key);
    }
    let known = Needles::of(&[NAME.to_owned()]);
    let backup = home.beside("backup.db");
    home.run(&["backup", backup.to_str().unwrap()]).await.well();
    let metrics = house.server.caller().get("/metrics").await.unwrap();
    assert!(metrics.text().contains("doorcode_checks_total"));
    assert_eq!(needles.in_bytes(&metrics.body), [""; 0], "in the metrics");
    assert_eq!(needles.in_folder(&home.data), [""; 0], "in the database, while it runs");
    assert_eq!(needles.in_bytes(&fs::read(&backup).unwrap()), [""; 0], "in a backup");
    assert!(!known.in_folder(&home.data).is_empty() && !known.in_bytes(&fs::read(&backup).unwrap()).is_empty());
    let pid = house.server.pid();
    assert_eq!(needles.in_memory(pid), [""; 0], "in the server's memory");
    assert!(!known.in_memory(pid).is_empty(), "the look finds what is there");

    let stopped = house.server.stop().await;
    let log = stopped.log + &stopped.out;
    assert!(log.contains("/public/v1/submit/") && log.contains("delivery"), "there is a log: {log}");
    assert_eq!(needles.in_bytes(log.as_bytes()), [""; 0], "in the log");
    assert_eq!(needles.in_folder(&home.data), [""; 0], "in the database, after the end");
}

/// The address of whose keys are sealed.
fn ada(n: u8) -> String {
    format!("ada.{n}@example.com")
}

/// Wrong codes and a right one, for a key that is sealed to a device, which asks for another one. In which organization.
async fn sealed_keys(house: &House, n: u8, secrets: &mut Secrets) -> String {
    let email = ada(n);
    let user =
        json!({ "userName": "Ada", "userEmail": email, "apiKeys": [], "authenticators": [], "oauthProviders": [] });
    let parameters = json!({ "subOrganizationName": NAME, "rootUsers": [user], "rootQuorumThreshold": 1 });
    let sub = house.good(&house.backend, Kind::CreateSubOrganizationV7, &house.org, parameters).await;
    let sub = sub["subOrganizationId"].as_str().unwrap();
    let parameters = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": email, "appName": NAME });
    let start = house.good(&house.backend, Kind::InitOtpAuthV3, sub, parameters).await;
    let code = house.sink.code(&email, &[]).await;
    let device = Key::new(100 + n);
    let redeem = |code: &str| json!({ "otpId": start["otpId"], "otpCode": code, "targetPublicKey": device.target() });
    for turn in 1..3 {
        let mut wrong = code.clone().into_bytes();
        wrong.rotate_left(turn);
        let wrong = String::from_utf8(wrong).unwrap();
        assert_ne!(wrong, code);
        assert_eq!(house.submit(&house.backend, Kind::OtpAuth, sub, redeem(&wrong)).await.status, 400);
        secrets.codes.push(wrong);
    }
    let got = house.good(&house.backend, Kind::OtpAuth, sub, redeem(&code)).await;
    let key = opened(got["credentialBundle"].as_str().unwrap(), &device, secrets);
    assert_eq!(house.whoami(&key, sub).await, 200);
    let session = json!({ "targetPublicKey": device.target() });
    let got = house.good(&key, Kind::CreateReadWriteSessionV2, sub, session).await;
    assert_eq!(house.whoami(&opened(got["credentialBundle"].as_str().unwrap(), &device, secrets), sub).await, 200);
    secrets.codes.push(code);
    sub.to_owned()
}

/// A key by mail, sealed to a device, which signs with it.
async fn mailed_key(house: &House, n: u8, sub: &str, secrets: &mut Secrets) {
    let (email, device) = (ada(n), Key::new(200 + n));
    let before = house.sink.codes(&email);
    let parameters =
        json!({ "email": email, "targetPublicKey": device.target(), "emailCustomization": { "appName": NAME } });
    house.good(&house.backend, Kind::EmailAuthV3, sub, parameters).await;
    let bundle = house.sink.code(&email, &before).await;
    assert_eq!(house.whoami(&opened(&bundle, &device, secrets), sub).await, 200);
}

/// The key in a bundle, which the server must not have any more.
fn opened(bundle: &str, device: &Key, secrets: &mut Secrets) -> Key {
    let private = open_grant(bundle, &device.0).unwrap();
    secrets.keys.push(*private.expose());
    Key(BundleKey::parse(&Secret::new(hex::encode(private.expose()))).unwrap())
}

/// Codes for tokens, in the clear and sealed.
async fn tokens(house: &House, n: u8, secrets: &mut Secrets) {
    let email = format!("bob.{n}@example.com");
    let parameters = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": email, "appName": NAME });
    let start = house.good(&house.backend, Kind::InitOtpV2, &house.org, parameters.clone()).await;
    let code = house.sink.code(&email, &[]).await;
    let parameters = json!({ "otpId": start["otpId"], "otpCode": code });
    let token = house.good(&house.backend, Kind::VerifyOtp, &house.org, parameters).await;
    assert!(token["verificationToken"].is_string());

    let email = format!("cleo.{n}@example.com");
    let parameters = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": email, "appName": NAME });
    let start = house.good(&house.backend, Kind::InitOtpV3, &house.org, parameters).await;
    let pinned = house.server.caller().get("/public/v1/keys").await.unwrap().json();
    let signer = PublicKey::parse(Curve::P256, pinned["keys"][0]["public_key"].as_str().unwrap()).unwrap();
    let target = open_target(start["otpEncryptionTargetBundle"].as_str().unwrap(), &signer).unwrap();
    let sealed = house.sink.code(&email, &[]).await;
    let entry = Entry { code: Secret::new(sealed.clone()), key: Key::new(11).0.public() };
    let bundle = seal_code(&target, &entry, Secret::new([n + 1; 32])).unwrap();
    let parameters = json!({ "otpId": start["otpId"], "encryptedOtpBundle": bundle });
    let token = house.good(&house.backend, Kind::VerifyOtpV2, &house.org, parameters).await;
    assert!(token["verificationToken"].is_string());
    secrets.codes.extend([code, sealed]);
}

/// What a server does besides, after all that: more than it has threads at once.
async fn other_calls(house: &House) {
    for _ in 0..8 {
        let asked = (0..32).map(|_| house.whoami(&house.backend, &house.org));
        assert!(futures_util::future::join_all(asked).await.iter().all(|status| *status == 200));
    }
    let ready = async || (house.server.caller().get("/readyz").await.ok()?.status == 200).then_some(());
    until("a server that is well", ready).await;
}
