//! What stays of a relayed message where it went through: nothing that says its code. The attacks: somebody reads the files of the server; somebody
//! reads all that a collector hands in, and tries codes in the words that the sender is known to write.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use doorcode::capture::Verifier;
use doorcode::capture::inbound::Patience;
use doorcode::capture::mail::{self, Judged, Letter, Mailbox};
use doorcode::ops::master_keys;
use doorcode_core::fingerprint::fingerprint;
use doorcode_core::{Email, Timestamp, hex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};

use crate::hooks::{FROM, phone, push, sign, sms};
use crate::inbound::{by, house_of};
use crate::keys::refresh;
use crate::mailbox::{self, CODE};
use crate::needles::Needles;
use crate::postgres;

/// Long enough that it is in no file by chance.
const LONG_CODE: &str = "48291357";
const WORDS: &str = "ten plain words that stand in no other file here";

/// What a person's own machine or server makes of a mail.
async fn judged(names: SocketAddr, raw: &str, address: &str, now: Timestamp) -> Judged {
    let addresses = [Email::parse(address).unwrap()];
    let mailbox = Mailbox { addresses: &addresses, host: None, forwarders: &[], carrier: None };
    let letter = Letter { raw: raw.as_bytes(), arrived: now, junk: false };
    let verifier = Verifier::at(names).unwrap();
    mail::open(&letter, &mailbox, |_| false).ok().unwrap().judge(&verifier, &mailbox, (now, now)).await
}

/// Passes bytes on to a server, and keeps those that go there.
async fn reader(to: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (at, seen) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let keeps = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut from, mut back) = client.into_split();
            let (mut answers, mut on) = TcpStream::connect(to).await.unwrap().into_split();
            let keeps = Arc::clone(&keeps);
            tokio::spawn(async move { copy(&mut answers, &mut back).await });
            tokio::spawn(async move {
                let mut room = [0; 4096];
                while let Ok(count @ 1..) = from.read(&mut room).await {
                    keeps.lock().unwrap().extend_from_slice(&room[..count]);
                    if on.write_all(&room[..count]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (at, seen)
}

/// The attack: whoever runs the server, or reads it, wants the code that is sealed. They know the sender's words, and of a million texts the right one
/// must have the digest that was handed in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_collector_hands_in_says_nothing_of_the_code() {
    let Some(mut scene) = mailbox::Scene::new().await else { return };
    let (proxy, seen) = reader(scene.address).await;
    scene.address = proxy;
    let agent = scene.agent(1).await;
    let collector = scene.collect(&[&agent], &[]).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    let raw = scene.acme(1, CODE);
    scene.dovecot.deliver(&raw);
    assert_eq!(scene.code(&agent, id).await, CODE);
    collector.says("a code was handed in").await;

    let seen = String::from_utf8_lossy(&seen.lock().unwrap()).into_owned();
    assert!(seen.contains("encryptedPayload"), "the reader saw it");
    let right = judged(scene.sender.names, &raw, &crate::postfix::address(), scene.app.clock.now()).await;
    assert!(seen.contains(&hex::encode(&right.id.unwrap())), "the mail is known by its id");
    assert!(!seen.contains(&hex::encode(&right.body)), "the digest of a body that can be guessed was handed in");
    assert!(!seen.contains(CODE));
}

/// The same with the files of a server that takes a person's mail and texts in itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_of_a_server_that_relays_says_a_code() {
    if postgres::is_wanted() {
        return; // Of its files, and their spelling.
    }
    let house = house_of(Patience::default(), &[], &[]).await;
    let id = house.scene.waits("email", "*@acme.com").await;
    let raw = by("acme.com", &house.mail("no-reply@acme.com", &format!("Your code is {LONG_CODE}.\r\n{WORDS}")));
    assert!(house.send(&house.to, &raw).await.starts_with("250"));
    assert_eq!(house.scene.code(&id, "acme.com").await, LONG_CODE);
    let right = judged(house.names.at, &raw, crate::waiting::ADA, house.scene.app.now()).await;
    for digest in right.digests() {
        let owner = house.scene.whose.owner;
        for anybodys in [digest, fingerprint("relay message of", &[owner.as_bytes(), &digest])] {
            let kept = format!("SELECT count(*) FROM relay_messages WHERE digest = x'{}'", hex::encode(&anybodys));
            assert_eq!(house.scene.app.number(&kept), 0, "a digest that anybody can make");
        }
    }
    assert_eq!(house.scene.app.number("SELECT count(*) FROM relay_messages"), 2);

    let (scene, path, secret) = phone().await;
    let id = scene.waits("sms", FROM).await;
    let text = sms(&scene, "1", &format!("Your Acme code is {LONG_CODE}. {WORDS}"));
    assert_eq!(push(&scene, &path, &sign(&scene, &secret, &text), &text).await.status, 200);
    assert_eq!(scene.code(&id, "").await, LONG_CODE);

    let needles = Needles::of(&[LONG_CODE.to_owned(), WORDS.to_owned()]);
    for app in [&house.scene.app, &scene.app] {
        assert_eq!(needles.in_folder(app.folder.path()), Vec::<String>::new());
    }
}

/// The attack: the operator changes the master key, and whoever kept a text pushes it once more.
#[tokio::test]
async fn a_message_is_known_under_the_next_master_key_too() {
    let (scene, path, secret) = phone().await;
    let id = scene.waits("sms", FROM).await;
    let text = sms(&scene, "1", &format!("Your Acme code is {CODE}"));
    let signature = sign(&scene, &secret, &text);
    assert_eq!(push(&scene, &path, &signature, &text).await.status, 200);
    assert_eq!(scene.code(&id, "").await, CODE);
    let app = &scene.app;
    let new = master_keys::add(&app.app).await.unwrap();
    assert!(refresh(app).await);
    master_keys::activate(&app.app, new).await.unwrap();
    assert!(refresh(app).await);
    let again = scene.waits("sms", FROM).await;
    assert_eq!(push(&scene, &path, &signature, &text).await.status, 200, "it was taken, and nothing comes of it");
    assert_eq!(scene.state(&again).await, "approved");
    let other = sms(&scene, "2", &format!("Your Acme code is {CODE}"));
    assert_eq!(push(&scene, &path, &sign(&scene, &secret, &other), &other).await.status, 200);
    assert_eq!(scene.code(&again, "").await, CODE, "another one is taken");
}
