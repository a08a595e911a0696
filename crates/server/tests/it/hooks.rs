//! Programs push a person's messages: each form with a right and a wrong signature, twice, too late, to another's path, and with a code
//! that this house sent.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorcode_core::hex;
use ring::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, Key};
use serde_json::{Value, json};

use crate::app::{Answer, Client, HERE, TestApp, minutes};
use crate::waiting::{ADA, Scene};

pub(crate) const FROM: &str = "+15551234567";
pub(crate) const TEXT: &str = "Your Acme code is 482913";
const TWILIO: &str = "a token of twilio's";
pub(crate) const META: &str = "a secret of meta's";

/// A hook of a kind: its path, and all that was said of it.
pub(crate) async fn hook(scene: &Scene, kind: &str, secret: Option<&str>) -> (String, Value) {
    let answer = scene.ada().post("/v1/hooks", json!({ "kind": kind, "secret": secret })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let body = answer.json();
    let url = body["hook"]["url"].as_str().unwrap();
    let path = url.strip_prefix(&scene.app.app.base_url()).unwrap().to_owned();
    (path, body)
}

pub(crate) fn sms(scene: &Scene, id: &str, text: &str) -> String {
    let at = scene.app.now().to_string();
    json!({ "id": id, "nonce": format!("nonce of {id}"), "from": FROM, "text": text, "received_at": at }).to_string()
}

pub(crate) fn sign(scene: &Scene, secret: &str, body: &str) -> String {
    let seconds = scene.app.now().millis() / 1000;
    let tag = hmac::sign(&Key::new(HMAC_SHA256, secret.as_bytes()), format!("{seconds}.{body}").as_bytes());
    format!("t={seconds},v1={}", hex::encode(tag.as_ref()))
}

pub(crate) async fn push(scene: &Scene, path: &str, signature: &str, body: &str) -> Answer {
    let phone = scene.app.from(HERE).saying("x-doorcode-signature", signature);
    phone.send(Method::POST, path, body.to_owned()).await
}

/// Pushes a text to a hook of our own form, as it was answered when it was made.
pub(crate) async fn push_text(scene: &Scene, made: &Value, id: &str, text: &str) -> Answer {
    let path = made["hook"]["url"].as_str().unwrap().strip_prefix(&scene.app.app.base_url()).unwrap();
    let body = sms(scene, id, text);
    push(scene, path, &sign(scene, made["secret"].as_str().unwrap(), &body), &body).await
}

/// A house, a hook of our own form, and its secret.
pub(crate) async fn phone() -> (Scene, String, String) {
    let scene = Scene::of(TestApp::new().await).await;
    let (path, body) = hook(&scene, "sms", None).await;
    let secret = body["secret"].as_str().unwrap().to_owned();
    (scene, path, secret)
}

#[tokio::test]
async fn an_sms_becomes_a_sealed_code() {
    let (scene, path, secret) = phone().await;
    let id = scene.waits("sms", FROM).await;
    let body = sms(&scene, "1", TEXT);
    let answer = push(&scene, &path, &sign(&scene, &secret, &body), &body).await;
    assert_eq!(answer.both(), (200, json!({ "success": true }).to_string()));
    let status = scene.status(&id).await;
    assert_eq!(status["status"], "otp_received");
    assert!(!status.to_string().contains("482913"), "{status}");
    assert_eq!(scene.app.number("SELECT readable FROM relays"), 1);
    assert_eq!(scene.app.folder.text("SELECT capture FROM relays"), "webhook");
    assert_eq!(scene.app.folder.text("SELECT verdict FROM relays"), "unverified");
    assert_eq!(scene.code(&id, "").await, "482913");
}

#[tokio::test]
async fn a_wrong_signature_an_old_one_and_a_wrong_path_are_nothing() {
    let (scene, path, secret) = phone().await;
    let id = scene.waits("sms", FROM).await;
    let body = sms(&scene, "1", TEXT);
    let right = sign(&scene, &secret, &body);
    for wrong in ["", "t=1,v1=00", &sign(&scene, "dhs_x", &body), &right.replace("v1=", "v0=")] {
        assert_eq!(push(&scene, &path, wrong, &body).await.status, 401, "{wrong}");
    }
    assert_eq!(push(&scene, &path, &right, &body.replace("482913", "482914")).await.status, 401);
    let (other, _) = hook(&scene, "sms", None).await;
    assert_eq!(push(&scene, &other, &right, &body).await.status, 401, "the path of another hook");
    for nowhere in [format!("{path}x"), path.replace("/sms/", "/twilio/"), "/hooks/sms/x".to_owned()] {
        assert_eq!(push(&scene, &nowhere, &right, &body).await.status, 404, "{nowhere}");
    }
    scene.app.advance(minutes(5) + crate::app::seconds(1));
    assert_eq!(push(&scene, &path, &right, &body).await.status, 401, "five minutes later");
    assert_eq!(scene.state(&id).await, "expired");
    assert_eq!(scene.app.number("SELECT count(*) FROM relay_messages"), 0);
}

#[tokio::test]
async fn a_path_that_is_no_text_is_nobodys_in_the_doors_form() {
    let scene = Scene::of(TestApp::new().await).await;
    let known = push(&scene, "/hooks/sms/x", "", "{}").await.both();
    assert_eq!(known.0, 404);
    for kind in ["sms", "twilio", "whatsapp"] {
        assert_eq!(push(&scene, &format!("/hooks/{kind}/%ff"), "", "{}").await.both(), known, "{kind}");
    }
    assert_eq!(scene.app.from(HERE).get("/hooks/whatsapp/%ff").await.both(), known);
}

#[tokio::test]
async fn a_message_is_taken_once_whether_somebody_waited_or_not() {
    let (scene, path, secret) = phone().await;
    let body = sms(&scene, "1", TEXT);
    let signature = sign(&scene, &secret, &body);
    assert_eq!(push(&scene, &path, &signature, &body).await.status, 200);
    let id = scene.waits("sms", FROM).await;
    assert_eq!(push(&scene, &path, &signature, &body).await.status, 200);
    // The same id, or the same nonce, signed anew.
    let (again, renamed) = (sms(&scene, "1", TEXT), sms(&scene, "1", TEXT).replace(r#""id":"1""#, r#""id":"2""#));
    assert_ne!(renamed, again);
    for body in [again, renamed] {
        assert_eq!(push(&scene, &path, &sign(&scene, &secret, &body), &body).await.status, 200);
    }
    assert_eq!(scene.state(&id).await, "approved", "none of them was taken");
    let new = sms(&scene, "3", TEXT);
    assert_eq!(push(&scene, &path, &sign(&scene, &secret, &new), &new).await.status, 200);
    assert_eq!(scene.state(&id).await, "otp_received");
}

#[tokio::test]
async fn our_own_mail_as_a_text_gets_nothing() {
    let (scene, path, secret) = phone().await;
    let id = scene.waits("sms", FROM).await;
    let own = scene.app.from(HERE).code(ADA).await;
    let base = scene.app.app.base_url();
    let domain = scene.app.app.config.mail.domain().to_owned();
    for (number, text) in [
        format!("Your sign-in code is {own}"),
        format!("Your code is 482913, or open {base}/l/1/x"),
        format!("From: no-reply@{domain} Your code is 482913"),
    ]
    .iter()
    .enumerate()
    {
        let body = sms(&scene, &format!("own {number}"), text);
        assert_eq!(push(&scene, &path, &sign(&scene, &secret, &body), &body).await.status, 200);
        assert_eq!(scene.state(&id).await, "approved", "{text}");
    }
    let body = sms(&scene, "theirs", TEXT);
    push(&scene, &path, &sign(&scene, &secret, &body), &body).await;
    assert_eq!(scene.state(&id).await, "otp_received", "it waited all the time");
}

#[tokio::test]
async fn an_sms_of_a_sender_on_the_list_gets_nothing_by_whatever_name() {
    let (scene, path, secret) = phone().await;
    let push_from = async |id: &str, from: &str, text: &str| {
        let body = sms(&scene, id, text).replace(FROM, from);
        assert_eq!(push(&scene, &path, &sign(&scene, &secret, &body), &body).await.status, 200);
    };
    let cases = [
        ("CHASE", "482913 is your code"),
        ("VM-HDFCBK-S", "482913 is the OTP"),
        ("PayPal", "482913"),
        ("+15550001111", "PayPal: 482913 is your code"),
        ("+15550001111", "Your Wise code is 482913"),
        ("+15550001111", "Your code is 482913. Never share it. - Wells Fargo"),
        ("+15550001111", "Your code is 482913\n\n@accounts.google.com #482913"),
    ];
    for (number, (from, text)) in cases.into_iter().enumerate() {
        let id = scene.waits("sms", from).await;
        push_from(&format!("{number}"), from, text).await;
        assert_eq!(scene.state(&id).await, "approved", "{from}: {text}");
        scene.app.advance(minutes(6));
    }
    let id = scene.waits("sms", FROM).await;
    push_from("other", FROM, "Your Acme code is 482913. Did you sign in with Google?").await;
    assert_eq!(scene.state(&id).await, "otp_received", "another's");
}

#[tokio::test]
async fn an_sms_about_a_new_device_is_asked_about_once_more() {
    let (scene, path, secret) = phone().await;
    let id = scene.waits("sms", FROM).await;
    let body = sms(&scene, "1", "New device: 482913 is your Acme login code");
    assert_eq!(push(&scene, &path, &sign(&scene, &secret, &body), &body).await.status, 200);
    assert_eq!(scene.state(&id).await, "approved");
    assert_eq!(scene.app.folder.text("SELECT held FROM relays"), "device");
    let yes = scene.ada().post(&format!("/v1/otp/{id}/approve"), json!({ "about": "device" })).await;
    assert_eq!(yes.status, 200, "{}", yes.text());
    assert_eq!(scene.code(&id, "").await, "482913");
}

#[tokio::test]
async fn nonsense_that_is_signed_is_refused_and_a_removed_hook_is_none() {
    let (scene, path, secret) = phone().await;
    for body in
        ["", "[]", "null", "{", r#"{"id":"1"}"#, &sms(&scene, "", TEXT), &sms(&scene, "1", TEXT).replace("20", "x")]
    {
        let answer = push(&scene, &path, &sign(&scene, &secret, body), body).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.text());
    }
    let hooks = scene.ada().get("/v1/hooks").await.json();
    assert!(!hooks.to_string().contains(&secret), "a secret is shown once");
    let id = hooks["hooks"][0]["id"].as_str().unwrap();
    let path_of = format!("/v1/hooks/{id}");
    assert_eq!(scene.app.from(HERE).send(Method::DELETE, &path_of, "").await.status, 401);
    assert_eq!(scene.ada().send(Method::DELETE, &path_of, "").await.status, 200);
    assert_eq!(scene.ada().send(Method::DELETE, &path_of, "").await.status, 404);
    let body = sms(&scene, "1", TEXT);
    assert_eq!(push(&scene, &path, &sign(&scene, &secret, &body), &body).await.status, 404);
}

fn twilio_form(id: &str, text: &str) -> Vec<(&'static str, String)> {
    vec![
        ("MessageSid", id.to_owned()),
        ("To", "+15550000000".to_owned()),
        ("From", FROM.to_owned()),
        ("Body", text.to_owned()),
        ("AccountSid", "AC1".to_owned()),
    ]
}

fn twilio_signature(url: &str, form: &[(&'static str, String)]) -> String {
    let mut form = form.to_vec();
    form.sort();
    let signed = form.iter().fold(url.to_owned(), |text, (name, value)| text + name + value);
    STANDARD.encode(hmac::sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, TWILIO.as_bytes()), signed.as_bytes()))
}

async fn from_twilio(client: Client<'_>, path: &str, signature: &str, form: &[(&'static str, String)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    client.saying("x-twilio-signature", signature).send_as("application/x-www-form-urlencoded", path, body).await
}

#[tokio::test]
async fn twilio_signs_for_the_public_url_and_no_other() {
    // In earnest: under --dev a strange Host is not even heard.
    let scene = Scene::of(TestApp::in_earnest(|config| config.relay.approve_with_key = true).await).await;
    let (path, body) = hook(&scene, "twilio", Some(TWILIO)).await;
    assert!(!body.to_string().contains(TWILIO));
    assert!(!scene.app.folder.text("SELECT secret FROM hooks").contains("twilio"), "it is sealed");
    let id = scene.waits("sms", FROM).await;
    let form = twilio_form("SM1", TEXT);
    let right = twilio_signature(&format!("{}{path}", scene.app.app.base_url()), &form);
    let there = || scene.app.from(HERE);
    // Whoever chooses the Host header signs for that host: it is not asked.
    let strange = twilio_signature(&format!("https://evil.example{path}"), &form);
    let host = there().saying("host", "evil.example").saying("x-forwarded-host", "evil.example");
    assert_eq!(from_twilio(host, &path, &strange, &form).await.status, 401);
    assert_eq!(from_twilio(there(), &path, &right, &twilio_form("SM1", "code 111111")).await.status, 401);
    assert_eq!(from_twilio(there(), &format!("{path}?a=b"), &right, &form).await.status, 401);
    assert_eq!(
        from_twilio(there().saying("x-twilio-signature", &right), &path, &right, &form).await.status,
        401,
        "twice"
    );
    assert_eq!(scene.state(&id).await, "approved");
    let answer = from_twilio(there(), &path, &right, &form).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/xml")));
    assert!(answer.text().ends_with("<Response></Response>"), "{}", answer.text());
    assert_eq!(scene.code(&id, "").await, "482913");
    let again = scene.waits("sms", FROM).await;
    assert_eq!(from_twilio(there(), &path, &right, &form).await.status, 200);
    assert_eq!(scene.state(&again).await, "approved", "the same MessageSid");
}

fn meta_signature(secret: &str, body: &str) -> String {
    format!("sha256={}", hex::encode(hmac::sign(&Key::new(HMAC_SHA256, secret.as_bytes()), body.as_bytes()).as_ref()))
}

async fn from_meta(scene: &Scene, path: &str, signature: &str, body: &str) -> Answer {
    let meta = scene.app.from(HERE).saying("x-hub-signature-256", signature);
    meta.send(Method::POST, path, body.to_owned()).await
}

/// Texts as Meta pushes them, all at once: the ids and what they say.
pub(crate) fn whatsapp(scene: &Scene, texts: &[(String, &str)]) -> String {
    let at = (scene.app.now().millis() / 1000).to_string();
    let message = |(id, text): &(String, &str)| json!({ "id": id, "from": &FROM[1..], "timestamp": at, "text": { "body": text } });
    let messages: Vec<Value> = texts.iter().map(message).collect();
    json!({ "entry": [{ "changes": [{ "value": { "messages": messages } }] }] }).to_string()
}

/// Pushes that to a hook of Meta's.
pub(crate) async fn push_whatsapp(scene: &Scene, path: &str, body: &str) -> Answer {
    from_meta(scene, path, &meta_signature(META, body), body).await
}

#[tokio::test]
async fn meta_greets_and_signs_its_bodies() {
    let scene = Scene::of(TestApp::new().await).await;
    let (path, made) = hook(&scene, "whatsapp", Some(META)).await;
    let verify = made["hook"]["verifyToken"].as_str().unwrap();
    let greet = async |token: &str, mode: &str, challenge: &str| {
        scene.app.get(&format!("{path}?hub.mode={mode}&hub.verify_token={token}&hub.challenge={challenge}")).await
    };
    assert_eq!(greet(verify, "subscribe", "1158201444").await.both(), (200, "1158201444".to_owned()));
    for (token, mode, challenge) in
        [("x", "subscribe", "1"), (verify, "unsubscribe", "1"), (verify, "subscribe", "%3Cb%3E")]
    {
        assert_eq!(greet(token, mode, challenge).await.status, 401, "{token} {mode} {challenge}");
    }
    let id = scene.waits("whatsapp", FROM).await;
    let message = json!({ "id": "wamid.1", "from": "15551234567", "timestamp": (scene.app.now().millis() / 1000).to_string(),
        "type": "text", "text": { "body": TEXT } });
    let picture = json!({ "id": "wamid.0", "from": "15551234567", "type": "image", "image": {} });
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "0", "changes": [
        { "field": "messages", "value": { "messages": [picture, message] } },
        { "field": "messages", "value": { "statuses": [{}] } } ] }] })
    .to_string();
    let signed = |secret: &str| meta_signature(secret, &body);
    let post = async |signature: String| from_meta(&scene, &path, &signature, &body).await.status;
    assert_eq!((post(signed("x")).await, post(String::new()).await), (401, 401));
    assert_eq!(scene.state(&id).await, "approved");
    assert_eq!(post(signed(META)).await, 200);
    assert_eq!(scene.status(&id).await["status"], "otp_received");
    assert_eq!(scene.app.folder.text("SELECT source FROM relays"), "whatsapp");
    let again = scene.waits("whatsapp", FROM).await;
    assert_eq!(post(signed(META)).await, 200);
    assert_eq!(scene.state(&again).await, "approved", "the same message");
}

#[tokio::test]
async fn hooks_are_a_persons_own() {
    let scene = Scene::of(TestApp::new().await).await;
    for body in [
        json!({}),
        json!({ "kind": "telegram" }),
        json!({ "kind": "twilio" }),
        json!({ "kind": "sms", "secret": "12345678" }),
    ] {
        assert_eq!(scene.ada().post("/v1/hooks", body.clone()).await.status, 422, "{body}");
    }
    for _ in 0..10 {
        hook(&scene, "sms", None).await;
    }
    assert_eq!(scene.ada().post("/v1/hooks", json!({ "kind": "sms" })).await.status, 409);
    let path = scene.ada().get("/v1/hooks").await.json()["hooks"][0]["id"].as_str().unwrap().to_owned();
    let eve = scene.app.from(HERE).sign_in("eve@else.example").await["team"]["api_key"].as_str().unwrap().to_owned();
    let eve = crate::native::program(&scene.app, &eve);
    assert_eq!(eve.send(Method::DELETE, &format!("/v1/hooks/{path}"), "").await.status, 404);
    assert_eq!(eve.get("/v1/hooks").await.json()["hooks"], json!([]));
    assert_eq!(eve.post("/v1/inbound", json!({})).await.status, 409, "mail is not taken in here");
}

/// The attack: the server dies, or its database does, after a message was taken and before its code was sealed. Whoever pushed it was told
/// nothing good, and pushes it again.
#[tokio::test]
async fn a_message_that_was_not_taken_is_taken_when_it_comes_again() {
    let (scene, path, secret) = phone().await;
    let id = scene.waits("sms", FROM).await;
    let body = sms(&scene, "1", TEXT);
    let signature = sign(&scene, &secret, &body);
    scene.app.tamper("ALTER TABLE relays RENAME TO relays_away");
    let answer = push(&scene, &path, &signature, &body).await;
    assert!(answer.status >= 500, "{}", answer.text());
    scene.app.tamper("ALTER TABLE relays_away RENAME TO relays");
    assert_eq!(scene.state(&id).await, "approved");
    for _ in 0..2 {
        assert_eq!(push(&scene, &path, &signature, &body).await.status, 200);
        assert_eq!(scene.state(&id).await, "otp_received");
    }
    assert_eq!(scene.code(&id, "").await, "482913");
    let again = scene.waits("sms", FROM).await;
    assert_eq!(push(&scene, &path, &signature, &body).await.status, 200);
    assert_eq!(scene.state(&again).await, "approved", "and not twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_message_pushed_many_times_at_once_serves_one_request() {
    let (scene, path, secret) = phone().await;
    let ids = [scene.waits("sms", FROM).await, scene.waits("sms", FROM).await, scene.waits("sms", FROM).await];
    let body = sms(&scene, "1", TEXT);
    let signature = sign(&scene, &secret, &body);
    let pushed = futures_util::future::join_all((0..32).map(|_| push(&scene, &path, &signature, &body))).await;
    assert!(pushed.iter().all(|answer| answer.status == 200));
    let mut received = 0;
    for id in &ids {
        received += usize::from(scene.state(id).await == "otp_received");
    }
    assert_eq!(received, 1);
}
