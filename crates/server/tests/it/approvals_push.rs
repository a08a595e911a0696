//! Browsers are told when an agent asks: a push service of the test's own, which opens what it gets as a browser would, by RFC 8291 and
//! with no line of the server's.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorcode::deliver::push;
use doorcode::entropy;
use doorcode::ops::relays;
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::{aead, hkdf, signature};
use serde_json::Value;

use crate::app::{TestApp, minutes};
use crate::approvals::{ADA, AWAY, HOME, agent, ask, person, whose, wish};
use crate::browser::Browser;
use crate::process::until;
use crate::receiver::{Got, Receiver, Reply};

const AUTH: [u8; 16] = [5; 16];

/// What a browser keeps of its subscription.
struct Subscribed {
    private: EphemeralPrivateKey,
    public: Vec<u8>,
}

/// Subscribes, as the script of the page does.
async fn subscribe(browser: &mut Browser<'_>, endpoint: &str) -> Subscribed {
    let private = EphemeralPrivateKey::generate(&ECDH_P256, &entropy::signing()).unwrap();
    let public = private.compute_public_key().unwrap().as_ref().to_vec();
    browser.go("/approvals/settings").await;
    let mut form = browser.form("/approvals/push/add");
    form.hidden.retain(|(name, _)| !["endpoint", "p256dh", "auth"].contains(&name.as_str()));
    let (key, auth) = (URL_SAFE_NO_PAD.encode(&public), URL_SAFE_NO_PAD.encode(AUTH));
    browser.send_form(&form, &[("endpoint", endpoint), ("p256dh", &key), ("auth", &auth)]).await;
    Subscribed { private, public }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand(salt: &[u8], secret: &[u8], about: &[&[u8]], length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    let key = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    key.expand(about, Length(length)).unwrap().fill(&mut out).unwrap();
    out
}

/// What a message says, to the browser that it was sealed to.
fn open(got: &Got, subscribed: Subscribed) -> Value {
    let (salt, rest) = got.body.split_at(16);
    assert_eq!(rest[..5], [0, 0, 16, 0, 65], "records of 4096, and a key of 65");
    let (theirs, sealed) = rest[5..].split_at(65);
    let peer = UnparsedPublicKey::new(&ECDH_P256, theirs);
    let shared = agree_ephemeral(subscribed.private, &peer, <[u8]>::to_vec).unwrap();
    let secret = expand(&AUTH, &shared, &[b"WebPush: info\0", &subscribed.public, theirs], 32);
    let key = expand(salt, &secret, &[b"Content-Encoding: aes128gcm\0"], 16);
    let nonce = expand(salt, &secret, &[b"Content-Encoding: nonce\0"], 12);
    let cipher = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, &key).unwrap());
    let mut sealed = sealed.to_vec();
    let nonce = aead::Nonce::try_assume_unique_for_key(&nonce).unwrap();
    let text = cipher.open_in_place(nonce, aead::Aad::empty(), &mut sealed).unwrap();
    assert_eq!(text.last(), Some(&2), "the last record");
    serde_json::from_slice(&text[..text.len() - 1]).unwrap()
}

async fn house() -> TestApp {
    TestApp::with(&[("DOORCODE_EGRESS__ALLOW", "127.0.0.0/8"), ("DOORCODE_EGRESS__PORTS", "443")]).await
}

#[tokio::test]
async fn a_browser_is_told_who_asks_and_nothing_of_why() {
    let service = Receiver::open().await;
    let app = TestApp::with(&[("DOORCODE_EGRESS__ALLOW", &service.address.to_string())]).await;
    let mut browser = person(&app, HOME, ADA, "/approvals/settings").await;
    let key = browser.page.text().split("data-key=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let subscribed = subscribe(&mut browser, &service.url()).await;
    assert!(browser.sees("Saved.") && browser.sees("<bdi dir=\"ltr\">127.0.0.1</bdi>"), "{}", browser.page.text());
    let bot = agent(&app, whose(&app, &browser).await, "Travel bot").await;
    let mut asked = app.app.asked.subscribe();
    let relay = ask(&app, &bot, Some("*@acme.com")).await;
    assert_eq!(asked.try_recv().unwrap().1, relay.id, "handed over when it is committed");
    assert_eq!(push::tell(&app.app, relay.id).await.unwrap(), 1);

    let got = service.got().remove(0);
    assert_eq!(
        (&*got.headers["content-encoding"], &*got.headers["urgency"], &*got.headers["ttl"]),
        ("aes128gcm", "high", "120")
    );
    let (token, shown) = got.headers["authorization"].strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    assert_eq!(shown, key, "the key that the browser subscribed under");
    let (signed, proof) = token.rsplit_once('.').unwrap();
    let public = URL_SAFE_NO_PAD.decode(shown).unwrap();
    let public = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, public);
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(proof).unwrap()).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().1).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["aud"], format!("http://{}", service.address));

    let said = open(&got, subscribed);
    assert_eq!(said["body"], "Travel bot asks for a code. Look at it before you approve.");
    assert_eq!(said["url"], format!("/approvals?request={}", doorcode_core::relay::Named::shown(&relay.id)));
    let text = said.to_string();
    assert!(!text.contains("To sign in") && !text.contains("acme"), "{text}");
}

#[tokio::test]
async fn a_browser_that_its_service_does_not_know_any_more_is_forgotten_and_others_are_not() {
    let service = Receiver::open().await;
    let app = TestApp::with(&[("DOORCODE_EGRESS__ALLOW", &service.address.to_string())]).await;
    let mut browser = person(&app, HOME, ADA, "/approvals/settings").await;
    let bot = agent(&app, whose(&app, &browser).await, "Bot").await;
    let count = || app.number("SELECT count(*) FROM push_subscriptions");
    for (status, left) in [(404, 0), (410, 0), (500, 1), (429, 1)] {
        subscribe(&mut browser, &service.url()).await;
        service.next(Reply::Status(status));
        let relay = ask(&app, &bot, Some("*@acme.com")).await;
        assert_eq!(push::tell(&app.app, relay.id).await.unwrap(), 0);
        assert_eq!(count(), left, "{status}");
        app.advance(minutes(3));
    }
    subscribe(&mut browser, &service.url()).await;
    assert_eq!(count(), 1, "the same browser once");
    browser.send("/approvals/push/remove", &[]).await;
    assert_eq!(count(), 0);
    let over = ask(&app, &bot, Some("*@acme.com")).await;
    app.advance(minutes(3));
    subscribe(&mut browser, &service.url()).await;
    let before = service.got().len();
    assert_eq!(push::tell(&app.app, over.id).await.unwrap(), 0);
    assert_eq!(service.got().len(), before, "nobody is told of what is over");
}

/// A house whose push service takes what it gets and never answers, and whoever asks often may.
async fn silent() -> (Receiver, TestApp) {
    let service = Receiver::open().await;
    service.always(Reply::Hang);
    let allowed = service.address.to_string();
    let often = [("DOORCODE_RELAY__AGENT_MINUTE", "100"), ("DOORCODE_RELAY__PROMPTS", "50")];
    let more = [("DOORCODE_EGRESS__ALLOW", allowed.as_str()), often[0], often[1]];
    let app = TestApp::with(&more).await;
    (service, app)
}

/// How many messages came to places of the service below this path.
fn came(service: &Receiver, path: &str) -> usize {
    service.got().iter().filter(|got| got.line.contains(path)).count()
}

/// The attack: services that never answer, each of which is waited for before the next browser is told.
#[tokio::test]
async fn a_silent_service_keeps_no_other_browser_of_its_owner_waiting() {
    let (service, app) = silent().await;
    let mut browser = person(&app, HOME, ADA, "/approvals/settings").await;
    for number in 0..4 {
        subscribe(&mut browser, &format!("{}/{number}", service.url())).await;
    }
    let bot = agent(&app, whose(&app, &browser).await, "Bot").await;
    let relay = ask(&app, &bot, Some("*@acme.com")).await;
    let (shared, all) = (Arc::clone(&app.app), async || (came(&service, "/hook/") == 4).then_some(()));
    let telling = tokio::spawn(async move { push::tell(&shared, relay.id).await });
    // Less than one of them is waited for.
    tokio::time::timeout(Duration::from_secs(8), until("all are told", all)).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(15), telling).await;
    assert_eq!(told.unwrap().unwrap().unwrap(), 0, "and all together are waited for as long as one");
}

/// The attack: whoever has such services asks often, until nobody else's browsers are told.
#[tokio::test]
async fn one_persons_silent_services_keep_nobody_else_waiting() {
    let (service, app) = silent().await;
    let mut ada = person(&app, HOME, ADA, "/approvals/settings").await;
    let mut bob = person(&app, AWAY, "bob@example.com", "/approvals/settings").await;
    subscribe(&mut ada, &format!("{}/ada", service.url())).await;
    subscribe(&mut bob, &format!("{}/bob", service.url())).await;
    let hers = agent(&app, whose(&app, &ada).await, "Hers").await;
    let his = agent(&app, whose(&app, &bob).await, "His").await;
    let telling = tokio::spawn(push::tell_all(Arc::clone(&app.app), app.app.asked.subscribe()));
    for _ in 0..20 {
        ask(&app, &hers, Some("*@acme.com")).await;
    }
    ask(&app, &his, Some("*@acme.com")).await;
    let told = until("his browser is told", async || (came(&service, "/bob") == 1).then_some(()));
    tokio::time::timeout(Duration::from_secs(8), told).await.unwrap();
    until("hers is told of two", async || (came(&service, "/ada") == 2).then_some(())).await;
    telling.abort();
}

#[tokio::test]
async fn a_place_inside_the_house_and_a_key_that_is_none_are_refused() {
    let app = house().await;
    let mut browser = person(&app, HOME, ADA, "/approvals/settings").await;
    for endpoint in ["http://10.0.0.1/x", "https://localhost/x", "ftp://push.example/", "nonsense", ""] {
        subscribe(&mut browser, endpoint).await;
        assert_eq!(browser.page.status, 422, "{endpoint}: {}", browser.page.text());
    }
    browser.go("/approvals/settings").await;
    let mut form = browser.form("/approvals/push/add");
    form.hidden.retain(|(name, _)| !["endpoint", "p256dh", "auth"].contains(&name.as_str()));
    browser.send_form(&form, &[("endpoint", "https://push.example.com/x"), ("p256dh", "AAAA"), ("auth", "AAAA")]).await;
    assert_eq!(browser.page.status, 422);
    assert_eq!(app.number("SELECT count(*) FROM push_subscriptions"), 0);
}

#[tokio::test]
async fn the_worker_is_served_for_the_whole_house_and_asked_for_anew() {
    let app = TestApp::new().await;
    let worker = app.get("/sw.js").await;
    assert_eq!((worker.status, worker.header("cache-control")), (200, Some("no-cache")));
    assert!(worker.header("content-type").unwrap().starts_with("text/javascript"));
    let bot = {
        let browser = person(&app, HOME, ADA, "/approvals").await;
        agent(&app, whose(&app, &browser).await, "Bot").await
    };
    let mut asked = app.app.asked.subscribe();
    let test = relays::Asking { test: true, ..bot };
    relays::request(&app.app, &test, wish(Some("*@acme.com"))).await.unwrap();
    assert!(asked.try_recv().is_err(), "whoever tries things out rings no bell");
}
