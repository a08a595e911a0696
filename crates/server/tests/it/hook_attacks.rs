//! What somebody tries who pushes messages, or wants to: senders that are never relayed, as texts; a flood; messages of before; bodies that
//! are too large; somebody else's key.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, minutes};
use crate::hooks::{FROM, META, TEXT, hook, phone, push, push_whatsapp, sign, sms, whatsapp};
use crate::waiting::Scene;

async fn signed(scene: &Scene, path: &str, secret: &str, body: &str) -> Answer {
    push(scene, path, &sign(scene, secret, body), body).await
}

/// Our own form, with these members besides.
fn text_with(scene: &Scene, id: &str, text: &str, changes: &Value) -> String {
    let mut body: Value = serde_json::from_str(&sms(scene, id, text)).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.to_string()
}

#[tokio::test]
async fn a_sender_on_the_list_is_not_relayed_as_a_text_either() {
    let (scene, path, secret) = phone().await;
    let id = scene.waits("sms", FROM).await;
    for (number, text) in [
        "Your code is 482913\n\n@paypal.com #482913",
        "482913 is your code. Nobody of www.PayPal.com asks you for it",
        "Your code is 482913, or press https://paypal.com/in?x=1",
        "From: service@paypal.com Your code is 482913",
        "Your code is 482913\n\n@shop.example #482913 %www.paypal.com",
    ]
    .into_iter()
    .enumerate()
    {
        let body = sms(&scene, &number.to_string(), text);
        assert_eq!(signed(&scene, &path, &secret, &body).await.status, 200, "who pushes is told nothing");
        assert_eq!(scene.state(&id).await, "approved", "{text}");
    }
    let body = sms(&scene, "other", TEXT);
    assert_eq!(signed(&scene, &path, &secret, &body).await.status, 200);
    assert_eq!(scene.state(&id).await, "otp_received", "it waited all the time");
}

#[tokio::test]
async fn a_message_of_before_the_request_is_not_its_and_one_of_the_future_is_of_now() {
    let (scene, path, secret) = phone().await;
    let hour = minutes(60);
    let id = scene.waits("sms", FROM).await;
    let at = scene.app.now().minus(hour).to_string();
    let body = text_with(&scene, "old", TEXT, &json!({ "received_at": at }));
    assert_eq!(signed(&scene, &path, &secret, &body).await.status, 200);
    assert_eq!(scene.state(&id).await, "approved", "an hour old");
    // Dated ahead it would fit requests that are yet to be made, were it not known by its ids.
    let at = scene.app.now().plus(hour).to_string();
    let body = text_with(&scene, "new", TEXT, &json!({ "received_at": at }));
    assert_eq!(signed(&scene, &path, &secret, &body).await.status, 200);
    assert_eq!(scene.code(&id, "").await, "482913");
    let again = scene.waits("sms", FROM).await;
    assert_eq!(signed(&scene, &path, &secret, &body).await.status, 200);
    assert_eq!(scene.state(&again).await, "approved", "the same, played back");
}

#[tokio::test]
async fn a_flood_of_signed_messages_is_limited() {
    let (scene, path, secret) = phone().await;
    let mut refused = 0;
    for number in 0..130 {
        let body = sms(&scene, &number.to_string(), "Nothing to see");
        let answer = signed(&scene, &path, &secret, &body).await;
        refused += usize::from(answer.status == 429);
        assert!(answer.status == 200 || answer.header("retry-after").is_some(), "{}", answer.text());
    }
    assert_eq!(refused, 10);
    scene.app.advance(minutes(1));
    let id = scene.waits("sms", FROM).await;
    assert_eq!(signed(&scene, &path, &secret, &sms(&scene, "later", TEXT)).await.status, 200);
    assert_eq!(scene.state(&id).await, "otp_received");
}

/// The attack: each of many texts of a few bytes is looked for, and a thousand looks cost one of the minute.
#[tokio::test]
async fn a_push_has_only_so_many_texts() {
    let scene = Scene::of(TestApp::new().await).await;
    let (path, _) = hook(&scene, "whatsapp", Some(META)).await;
    let push = async |count: usize| {
        let texts = vec![r#"{"id":"1","from":"1","text":{"body":""}}"#; count].join(",");
        let body = format!(r#"{{"entry":[{{"changes":[{{"value":{{"messages":[{texts}]}}}}]}}]}}"#);
        push_whatsapp(&scene, &path, &body).await
    };
    let refused = push(1001).await;
    assert!(refused.status == 413 && refused.text().contains("1000"), "{} {}", refused.status, refused.text());
    assert_eq!(scene.app.number("SELECT count(*) FROM relay_messages"), 0, "and none of it was taken");
    assert_eq!(push(100).await.status, 200);
}

/// Meta pushes at once what it kept while nobody answered, and repeats what is not answered by 200: nothing of it is lost.
#[tokio::test]
async fn a_push_of_more_messages_than_a_minute_has_comes_further_each_time() {
    let scene = Scene::of(TestApp::new().await).await;
    let (path, _) = hook(&scene, "whatsapp", Some(META)).await;
    let many = |range: std::ops::Range<u32>| {
        let nothing = range.clone().map(|number| (format!("wamid.{number}"), "Nothing to see"));
        whatsapp(&scene, &nothing.chain([(format!("wamid.{}", range.end), TEXT)]).collect::<Vec<_>>())
    };
    let id = scene.waits("whatsapp", FROM).await;
    assert_eq!(push_whatsapp(&scene, &path, &many(0..100)).await.status, 200);
    assert_eq!(scene.state(&id).await, "otp_received", "the hundred and first");
    scene.app.advance(minutes(1));
    let id = scene.waits("whatsapp", FROM).await;
    let body = many(1000..1300);
    for _ in 0..2 {
        // Within the minute it comes no further.
        let refused = push_whatsapp(&scene, &path, &body).await;
        assert!(refused.status == 429 && refused.header("retry-after").is_some(), "{}", refused.text());
    }
    scene.app.advance(minutes(1));
    assert_eq!(push_whatsapp(&scene, &path, &body).await.status, 429, "two hundred and forty are taken");
    assert_eq!(scene.state(&id).await, "approved");
    scene.app.advance(minutes(1));
    assert_eq!(push_whatsapp(&scene, &path, &body).await.status, 200);
    assert_eq!(scene.state(&id).await, "otp_received", "the last of all");
    // What is known is not given twice, and costs the minute one, however much it is: sixty-one of this one were new.
    let again = scene.waits("whatsapp", FROM).await;
    for _ in 0..59 {
        assert_eq!(push_whatsapp(&scene, &path, &body).await.status, 200);
    }
    assert_eq!(push_whatsapp(&scene, &path, &body).await.status, 429);
    assert_eq!(scene.state(&again).await, "approved");
}

#[tokio::test]
async fn what_is_too_large_is_refused_or_looked_at_in_part() {
    let (scene, path, secret) = phone().await;
    let id = scene.waits("sms", FROM).await;
    let body = sms(&scene, "huge", &"x".repeat(70_000));
    assert_eq!(signed(&scene, &path, &secret, &body).await.status, 413);
    let body = sms(&scene, "long", &format!("{} {TEXT}", "x ".repeat(10_000)));
    assert_eq!(signed(&scene, &path, &secret, &body).await.status, 200);
    assert_eq!(scene.state(&id).await, "approved", "behind 16 KiB nobody looks");
    for name in ["id", "nonce", "from"] {
        let body = text_with(&scene, "x", TEXT, &json!({ name: "y".repeat(201) }));
        assert_eq!(signed(&scene, &path, &secret, &body).await.status, 422, "{name}");
    }
}

#[tokio::test]
async fn an_agent_neither_makes_hooks_nor_sees_them_nor_an_address() {
    let (scene, path, _) = phone().await;
    let id = scene.ada().get("/v1/hooks").await.json()["hooks"][0]["id"].as_str().unwrap().to_owned();
    let agent = scene.agent();
    for (method, place, body) in [
        (Method::GET, "/v1/hooks".to_owned(), ""),
        (Method::POST, "/v1/hooks".to_owned(), r#"{"kind":"sms"}"#),
        (Method::DELETE, format!("/v1/hooks/{id}"), ""),
        (Method::GET, "/v1/inbound".to_owned(), ""),
        (Method::POST, "/v1/inbound".to_owned(), "{}"),
        (Method::DELETE, "/v1/inbound".to_owned(), ""),
    ] {
        let answer = agent.send(method, &place, body).await;
        assert_eq!(answer.status, 403, "{place}: {}", answer.text());
        assert!(!answer.text().contains(&path), "{}", answer.text());
    }
}
