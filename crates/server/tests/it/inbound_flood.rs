//! A flood of forwarded mail for one person, or of strangers' mail: it has no server of names asked anything, and takes no room from others.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use doorcode::capture::inbound::Patience;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use crate::app::HERE;
use crate::inbound::names::Answer;
use crate::inbound::{ACME, Client, House, by, house_of};
use crate::native::program;
use crate::process::until;

/// A house before names that nobody should ask for, and one that is asked in earnest.
async fn house(more: &[(&str, &str)]) -> House {
    let names = [("ed._domainkey.evil.example", Answer::Silence), ("evil.example", Answer::Silence)];
    house_of(Patience::default(), more, &names).await
}

/// The attack: whoever knows an address here has this server ask their own server of names, as often and as slowly as they like, and learns by
/// that whether somebody waits.
#[tokio::test]
async fn mail_that_fits_no_request_has_nobody_asked() {
    let house = house(&[]).await;
    let id = house.scene.waits("email", ACME).await;
    let from = |from: &str, number: usize| house.mail(from, &format!("Your code is 48291{number}."));
    let strangers = [
        by("evil.example", &from("x@evil.example", 1)),
        by("evil.example", &from("x@acme.com.evil.example", 2)),
        by("failing.com", &from("x@failing.com", 3)),
        from("x@evil.example", 4),
        from("x@evil.example", 5).replace("Acme <x@evil.example>", "Acme <no-reply@acme.com>, x@evil.example"),
    ];
    for mail in strangers {
        let reply = house.send_from("x@evil.example", &house.to, &mail).await;
        assert!(reply.starts_with("250"), "not even kept: {reply}");
    }
    assert_eq!(house.names.asked(), 0);
    assert_eq!(house.scene.state(&id).await, "approved");
    let mail = by("acme.com", &from("no-reply@acme.com", 6));
    assert!(house.send(&house.to, &mail).await.starts_with("250"));
    assert!(house.names.asked() > 0, "whose mail is waited for is asked after");
    assert_eq!(house.scene.code(&id, "acme.com").await, "482916");
}

/// Somebody else with an address here.
async fn bob(house: &House) -> String {
    let answer = house.scene.app.from(HERE).sign_in("bob@else.example").await;
    let key = answer["team"]["api_key"].as_str().unwrap();
    let made = program(&house.scene.app, key).post("/v1/inbound", json!({})).await;
    made.json()["address"].as_str().unwrap().to_owned()
}

/// A client that has begun a mail to somebody; the reply to that.
async fn begun(house: &House, to: &str) -> (Client, String) {
    let mut client = house.client().await;
    client.say("MAIL FROM:<>").await;
    client.say(&format!("RCPT TO:<{to}>")).await;
    let reply = client.say("DATA").await;
    (client, reply)
}

/// The attack: mails without an end fill the room of all, and everybody else's is turned away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_persons_flood_takes_no_room_from_others() {
    let house = Arc::new(house(&[("DOORCODE_CAPTURE__INBOUND__PER_NETWORK", "200")]).await);
    let bob = bob(&house).await;
    let text = "Lorem ipsum dolor sit amet, consectetur adipisici elit.\r\n".repeat(16_000);
    let (mut flood, refused) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    for _ in 0..60 {
        let (house, text, refused) = (Arc::clone(&house), text.clone(), Arc::clone(&refused));
        flood.spawn(async move {
            let (mut client, reply) = begun(&house, &house.to).await;
            // 900 KiB of a mail that has no end.
            if reply.starts_with("354") {
                drop(client.0.write_all(text.as_bytes()).await);
                client.reply().await;
            }
            refused.fetch_add(1, Ordering::Relaxed);
        });
    }
    until("there is no room for all of them", async || (refused.load(Ordering::Relaxed) > 20).then_some(())).await;
    let raw = house.mail("no-reply@acme.com", &text);
    assert!(house.send(&bob, &raw).await.starts_with("250"), "there is room for others");
}

/// The attack: mails that wait for room keep every connection busy.
#[tokio::test]
async fn one_persons_mails_leave_connections_to_others() {
    let more = [("DOORCODE_CAPTURE__INBOUND__CONNECTIONS", "8"), ("DOORCODE_CAPTURE__INBOUND__PER_NETWORK", "200")];
    let house = house(&more).await;
    let bob = bob(&house).await;
    let mut held = Vec::new();
    for number in 1..=5 {
        let (client, reply) = begun(&house, &house.to).await;
        assert_eq!(reply.starts_with("354"), number <= 4, "{number}: {reply}");
        held.push(client);
    }
    let raw = house.mail("no-reply@acme.com", "Your code is 482913.");
    assert!(house.send(&bob, &raw).await.starts_with("250"));
    // And theirs are taken again when those have come to an end.
    drop(held.remove(0));
    until("a place is free", async || house.send(&house.to, &raw).await.starts_with("250").then_some(())).await;
}
