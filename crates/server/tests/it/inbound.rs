//! Forwarded mail comes in: signed mail reaches the request that waits for it; what is forged, smuggled, too large, too slow or for
//! nobody does not, and a thousand at once are all answered.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorcode::capture::Verifier;
use doorcode::capture::inbound::{Listener, Patience};
use doorcode::capture::mail::{self, Letter, Mailbox};
use doorcode::clock::Clock;
use doorcode_core::{Email, hex};
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter as _;
use mail_auth::dkim::{Canonicalization, DkimSigner};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::agentotp_cast::device;
use crate::app::{Folder, TestApp, minutes, settings};
use crate::mailbox::{MARK, own_mail};
use crate::native::program;
use crate::waiting::{ADA, Scene};

#[path = "../../src/capture/tests/server.rs"]
pub(crate) mod names;

use names::{Answer, NameServer};

pub(crate) const ACME: &str = "*@acme.com";
static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| Ed25519Key::generate_pkcs8().unwrap());

pub(crate) fn key() -> Ed25519Key {
    Ed25519Key::from_pkcs8_maybe_unchecked_der(&KEY).unwrap()
}

/// The key as a domain publishes it.
pub(crate) fn published() -> Answer {
    Answer::Texts(vec![format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(key().public_key()))])
}

/// What takes mail in.
pub(crate) const TAKEN_IN: [(&str, &str); 2] = [
    ("DOORCODE_CAPTURE__INBOUND__LISTEN", "127.0.0.1:0"),
    ("DOORCODE_CAPTURE__INBOUND__DOMAIN", "in.doorcode.example"),
];

/// A house that takes mail in.
pub(crate) struct House {
    pub(crate) scene: Scene,
    pub(crate) at: SocketAddr,
    /// Ada's address here.
    pub(crate) to: String,
    pub(crate) names: NameServer,
    _open: watch::Sender<bool>,
}

async fn house() -> House {
    house_with(Patience::default(), &[]).await
}

async fn house_with(patience: Patience, more: &[(&str, &str)]) -> House {
    house_of(patience, more, &[]).await
}

/// One with these settings, whose name server knows these names besides.
pub(crate) async fn house_of(patience: Patience, more: &[(&str, &str)], more_names: &[(&str, Answer)]) -> House {
    let mut known =
        HashMap::from(["acme.com", "fwd.com"].map(|domain| (format!("ed._domainkey.{domain}"), published())));
    known.insert("ed._domainkey.failing.com".to_owned(), Answer::Failure);
    known.extend(more_names.iter().map(|(name, answer)| ((*name).to_owned(), answer.clone())));
    let names = NameServer::start(known).await;
    let at = names.at.to_string();
    let mut environment = vec![("DOORCODE_CAPTURE__DNS", at.as_str())];
    environment.extend(TAKEN_IN);
    environment.extend(more);
    let folder = Folder::new();
    let config = settings(&folder, &environment);
    // Signatures are of the time that it is.
    let app = TestApp::open(folder, config, Clock::real(None, None).now()).await.unwrap();
    let scene = Scene::of(app).await;
    let made = scene.ada().post("/v1/inbound", json!({})).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let to = made.json()["address"].as_str().unwrap().to_owned();
    let listener = Listener::bind(&scene.app.app, patience).unwrap().unwrap();
    let (open, stopped) = watch::channel(false);
    let at = listener.at().unwrap();
    tokio::spawn(listener.run(stopped));
    House { scene, at, to, names, _open: open }
}

impl House {
    /// A mail, to Ada, written now.
    pub(crate) fn mail(&self, from: &str, text: &str) -> String {
        let date = mail_date(self.scene.app.now().millis() / 1000 + 1);
        format!(
            "From: Acme <{from}>\r\nTo: Ada <{ADA}>\r\nSubject: Your code\r\nDate: {date}\r\nMessage-ID: <{}@acme.com>\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n",
            text.len()
        )
    }

    pub(crate) async fn client(&self) -> Client {
        let mut client = Client(TcpStream::connect(self.at).await.unwrap(), Vec::new());
        assert!(client.reply().await.starts_with("220 in.doorcode.example"));
        assert!(client.say("EHLO forwarder.example").await.starts_with("250"));
        client
    }

    /// Sends a mail to an address; gives the reply to the first step that was refused, or to its end.
    pub(crate) async fn send(&self, to: &str, mail: &str) -> String {
        self.send_from("bounces@forwarder.example", to, mail).await
    }

    /// The same, from whom the envelope names.
    pub(crate) async fn send_from(&self, from: &str, to: &str, mail: &str) -> String {
        let mut client = self.client().await;
        for line in [format!("MAIL FROM:<{from}> BODY=8BITMIME"), format!("RCPT TO:<{to}>")] {
            let reply = client.say(&line).await;
            if !reply.starts_with("250") {
                return reply;
            }
        }
        let reply = client.say("DATA").await;
        if reply.starts_with("354") { client.text(mail).await } else { reply }
    }
}

/// A time as Date has it.
pub(crate) fn mail_date(seconds: i64) -> String {
    mail_parser::DateTime::from_timestamp(seconds).to_rfc822()
}

/// The mail as a domain signs it.
pub(crate) fn by(domain: &str, raw: &str) -> String {
    let headers = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"];
    let signer = DkimSigner::from_key(key()).domain(domain).selector("ed").headers(headers);
    let signer = signer.header_canonicalization(Canonicalization::Relaxed);
    let signer = signer.body_canonicalization(Canonicalization::Relaxed);
    signer.sign(raw.as_bytes()).unwrap().to_header() + raw
}

/// A client of it, in the clear or inside of TLS.
pub(crate) struct Client<S = TcpStream>(pub(crate) S, pub(crate) Vec<u8>);

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// The next reply, all its lines. Empty: the other end has closed.
    pub(crate) async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            while let Some(at) = self.1.windows(2).position(|end| end == b"\r\n") {
                let line: Vec<u8> = self.1.drain(..at + 2).collect();
                let line = String::from_utf8(line).unwrap();
                let last = line.as_bytes().get(3) == Some(&b' ');
                reply.push_str(&line);
                if last {
                    return reply;
                }
            }
            let mut room = [0; 1024];
            match tokio::time::timeout(Duration::from_secs(60), self.0.read(&mut room)).await.unwrap() {
                Ok(count) if count > 0 => self.1.extend_from_slice(&room[..count]),
                _ => return reply,
            }
        }
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    pub(crate) async fn say(&mut self, line: &str) -> String {
        self.write(&format!("{line}\r\n")).await;
        self.reply().await
    }

    /// The text of a mail, dots doubled, and its end.
    pub(crate) async fn text(&mut self, mail: &str) -> String {
        let stuffed = mail.replace("\r\n.", "\r\n..");
        self.write(&format!("{stuffed}.\r\n")).await;
        self.reply().await
    }
}

/// What a collector has a mail known by, as it hands it in.
async fn as_a_collector_knows(house: &House, raw: &str) -> String {
    let addresses = [Email::parse(ADA).unwrap()];
    let mailbox = Mailbox { addresses: &addresses, host: None, forwarders: &[], carrier: None };
    let now = house.scene.app.now();
    let letter = Letter { raw: raw.as_bytes(), arrived: now, junk: false };
    let verifier = Verifier::at(house.names.at).unwrap();
    let opened = mail::open(&letter, &mailbox, |_| false).ok().unwrap();
    let judged = opened.judge(&verifier, &mailbox, (now, now)).await;
    hex::encode(&judged.id.unwrap())
}

#[tokio::test]
async fn one_mail_serves_one_request_by_whichever_way_it_comes_first() {
    let house = house().await;
    let (scene, mut dots) = (&house.scene, String::new());
    let (_, collector) = device(&scene.app, scene.whose, "collector").await;
    for collector_first in [true, false] {
        dots.push('.');
        let raw = by("acme.com", &house.mail("no-reply@acme.com", &format!("Your code is 482913{dots}")));
        // Where the collector looks it has come another way.
        let fetched = format!("Received: from forwarder.example by home.example; {}\r\n{raw}", mail_date(0));
        let digest = as_a_collector_knows(&house, &fetched).await;
        let hand_in = async |id: &str| {
            let metadata = json!({ "emailId": digest, "verifiedDomain": "acme.com" });
            let body =
                json!({ "encryptedPayload": scene.sealed(id, "482913"), "source": "email", "metadata": metadata });
            program(&scene.app, &collector).post(&format!("/v1/otp/{id}/receive"), body).await
        };
        let case = format!("the collector first: {collector_first}");
        let mut ids = Vec::new();
        for by_collector in [collector_first, !collector_first] {
            let id = scene.waits("email", ACME).await;
            if by_collector {
                let answer = hand_in(&id).await;
                let status = if ids.is_empty() { 200 } else { 409 };
                assert_eq!(answer.status, status, "{case}: {}", answer.text());
            } else {
                assert!(house.send(&house.to, &raw).await.starts_with("250"), "{case}");
            }
            ids.push(id);
        }
        let states = (scene.state(&ids[0]).await, scene.state(&ids[1]).await);
        assert_eq!(states, ("otp_received".to_owned(), "approved".to_owned()), "{case}");
        let taken_back = scene.agent().send(Method::DELETE, &format!("/v1/otp/{}", ids[1]), "").await;
        assert_eq!(taken_back.status, 200, "{case}");
        scene.app.advance(minutes(2));
    }
}

#[tokio::test]
async fn signed_mail_reaches_the_request_that_waits_for_it() {
    let house = house().await;
    let id = house.scene.waits("email", ACME).await;
    let mail = by("acme.com", &house.mail("no-reply@acme.com", "Your code is 482913.\r\n.hidden dot"));
    assert!(house.send(&house.to, &mail).await.starts_with("250 2.6.0"));
    let status = house.scene.status(&id).await;
    assert_eq!(status["status"], "otp_received", "{status}");
    let said = ["capture", "readable", "verdict", "sender_domain"]
        .map(|column| house.scene.app.folder.text(&format!("SELECT {column} FROM relays")));
    assert_eq!(said, ["inbound", "1", "verified", "acme.com"]);
    assert_eq!(house.scene.code(&id, "acme.com").await, "482913");
    let again = house.scene.waits("email", ACME).await;
    assert!(house.send(&house.to, &mail).await.starts_with("250"), "who sends is told nothing");
    assert_eq!(house.scene.state(&again).await, "approved", "the same mail");
    // Under a name of its own it has the same body.
    let renamed = house
        .mail("no-reply@acme.com", "Your code is 482913.\r\n.hidden dot")
        .replace("Message-ID: <", "Message-ID: <x");
    assert!(house.send(&house.to, &by("acme.com", &renamed)).await.starts_with("250"));
    assert_eq!(house.scene.state(&again).await, "approved", "by its body");
}

#[tokio::test]
async fn what_nobody_vouches_for_and_our_own_mail_get_nothing() {
    let house = house().await;
    let id = house.scene.waits("email", ACME).await;
    let plain = house.mail("no-reply@acme.com", "Your code is 111111.");
    let changed = by("acme.com", &plain).replace("111111", "222222");
    let strange = by("fwd.com", &house.mail("no-reply@acme.com", "Your code is 333333."));
    let arc = format!(
        "ARC-Seal: i=1; a=ed25519-sha256; cv=none; d=fwd.com; s=ed; b=AAAA\r\nARC-Message-Signature: i=1; a=ed25519-sha256; d=fwd.com; \
         s=ed; h=from; bh=AAAA; b=AAAA\r\nARC-Authentication-Results: i=1; mx.fwd.com; dkim=pass header.d=acme.com\r\n{plain}"
    );
    let own = house.scene.app.code(ADA).await;
    let ours = by("acme.com", &house.mail("no-reply@acme.com", &format!("Your code is {own}.")));
    let is_taken_by_nobody = async |mail: String| {
        assert!(house.send(&house.to, &mail).await.starts_with("250"), "{mail}");
        assert_eq!(house.scene.state(&id).await, "approved", "{mail}");
    };
    for mail in [plain, changed, strange, arc, ours] {
        is_taken_by_nobody(mail).await;
    }
    // By the mark of our own mail alone, on a code that was never ours. And from a domain that we write from.
    let entry = house.scene.app.app.inbox.as_ref().unwrap().list(Some(ADA)).into_iter().next().unwrap();
    let (sent, _) = own_mail(&entry, house.scene.app.now());
    let mark = sent.lines().find(|line| line.starts_with(MARK)).unwrap();
    let theirs = house.mail("no-reply@acme.com", "Your code is 555555.");
    is_taken_by_nobody(by("acme.com", &format!("{mark}\r\n{theirs}"))).await;
    let domain = house.scene.app.app.config.mail.domain().to_owned();
    let written = house.mail(&format!("no-reply@{domain}"), "Your code is 444444.");
    is_taken_by_nobody(by("acme.com", &written)).await;
    // It waited all the time.
    assert!(house.send(&house.to, &by("acme.com", &theirs)).await.starts_with("250"));
    assert_eq!(house.scene.state(&id).await, "otp_received", "without the mark");
}

/// The attack: an agent that was let have a provider's codes is handed the one that opens the mailbox, which is at a domain of its own there and
/// forwards its mail.
#[test]
fn a_provider_that_brings_the_mail_has_its_own_passed_over() {
    let addresses = [Email::parse(ADA).unwrap()];
    let judged = |carrier, from: &str| {
        let raw = format!("From: {from}\r\nTo: {ADA}\r\nSubject: 482913\r\n\r\nYour code is 482913.\r\n");
        let letter = Letter { raw: raw.as_bytes(), arrived: doorcode_core::Timestamp::from_millis(0), junk: false };
        let mailbox = Mailbox { addresses: &addresses, host: None, forwarders: &[], carrier };
        mail::open(&letter, &mailbox, |_| false).err()
    };
    let carrier = Some("out5-smtp.messagingengine.com");
    assert_eq!(judged(carrier, "no-reply@fastmail.com"), Some(mail::Never::Provider));
    assert_eq!(judged(carrier, "no-reply@acme.com"), None);
    assert_eq!(judged(Some("mta1.acme.com"), "no-reply@acme.com"), None, "who brings their own mail");
    assert_eq!(judged(None, "no-reply@fastmail.com"), None);
}

#[tokio::test]
async fn where_keys_can_not_be_had_the_sender_keeps_its_mail() {
    let house = house().await;
    let mail = by("failing.com", &house.mail("x@failing.com", "Your code is 482913."));
    assert!(house.send(&house.to, &mail).await.starts_with("250"), "nobody waits");
    house.scene.waits("email", "*@failing.com").await;
    assert!(house.send(&house.to, &mail).await.starts_with("451"));
}

#[tokio::test]
async fn mail_for_nobody_is_refused_and_none_is_sent_on() {
    let house = house().await;
    let (local, domain) = house.to.split_once('@').unwrap();
    let mut client = house.client().await;
    client.say("MAIL FROM:<>").await;
    for to in [
        format!("{}@{domain}", "0".repeat(40)),
        format!("{local}@elsewhere.example"),
        format!("{local}%elsewhere.example@{domain}"),
        format!("postmaster@{domain}"),
        ADA.to_owned(),
    ] {
        assert_eq!(client.say(&format!("RCPT TO:<{to}>")).await, "550 5.1.1 No such address\r\n", "{to}");
    }
    assert_eq!(client.say("DATA").await, "554 5.5.1 No valid recipients\r\n");
    assert!(client.say(&format!("RCPT TO:<{}@{domain}>", local.to_uppercase())).await.starts_with("250"));
    let answer = house.scene.ada().send(axum::http::Method::DELETE, "/v1/inbound", "").await;
    assert_eq!(answer.status, 200);
    assert!(client.say("RSET").await.starts_with("250"));
    client.say("MAIL FROM:<>").await;
    assert!(client.say(&format!("RCPT TO:<{}>", house.to)).await.starts_with("550"), "it was taken away");
    let other = house.scene.ada().post("/v1/inbound", json!({})).await.json()["address"].as_str().unwrap().to_owned();
    assert_ne!(other, house.to);
    assert!(client.say(&format!("RCPT TO:<{other}>")).await.starts_with("250"));
}

#[tokio::test]
async fn nothing_is_smuggled_behind_a_mail() {
    let house = house().await;
    let id = house.scene.waits("email", ACME).await;
    let inner = by("acme.com", &house.mail("no-reply@acme.com", "Your code is 482913."));
    for end in ["\n.\r\n", "\r\n.\n", "\n.\n", "\r.\r\n", "\r\n.\r"] {
        let mut client = house.client().await;
        client.say("MAIL FROM:<>").await;
        client.say(&format!("RCPT TO:<{}>", house.to)).await;
        client.say("DATA").await;
        let smuggled =
            format!("Subject: x\r\n\r\nx{end}MAIL FROM:<>\r\nRCPT TO:<{}>\r\nDATA\r\n{inner}\r\n.\r\n", house.to);
        client.write(&smuggled).await;
        assert!(client.reply().await.starts_with("554 5.6.0"), "{end:?}");
        assert_eq!(client.reply().await, "", "{end:?}: it is over");
    }
    let mut client = house.client().await;
    assert!(client.say("NOOP\nMAIL FROM:<>").await.starts_with("500 5.5.2"));
    assert_eq!(house.scene.state(&id).await, "approved");
}

#[tokio::test]
async fn size_is_told_and_held_to() {
    let house = house().await;
    let mut client = house.client().await;
    assert!(client.say("EHLO x").await.contains("SIZE 1048576"));
    assert!(client.say("MAIL FROM:<> SIZE=1048577").await.starts_with("552"));
    client.say("MAIL FROM:<> SIZE=10").await;
    client.say(&format!("RCPT TO:<{}>", house.to)).await;
    client.say("DATA").await;
    let line = "x".repeat(998) + "\r\n";
    assert!(client.text(&line.repeat(1100)).await.starts_with("552"));
    assert!(client.say("MAIL FROM:<>").await.starts_with("250"), "and then the next");
    assert!(client.say(&"x".repeat(3000)).await.starts_with("500"));
}

#[tokio::test]
async fn slow_clients_are_left() {
    let short = Duration::from_millis(300);
    let house = house_with(Patience { unnamed_command: short, mail: short, ..Patience::default() }, &[]).await;
    let mut client = house.client().await;
    for _ in 0..4 {
        if client.0.write_all(b"N").await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(client.reply().await.starts_with("421 4.4.2"), "a letter now and then");
    let mut client = house.client().await;
    client.say("MAIL FROM:<>").await;
    client.say(&format!("RCPT TO:<{}>", house.to)).await;
    client.say("DATA").await;
    client.write("Subject: a\r\n").await;
    assert!(client.reply().await.starts_with("421 4.4.2"), "a mail without an end");
}

/// The attack: connections that say something now and then, and have no mail for anybody here.
#[tokio::test]
async fn who_names_no_address_here_is_left_soon_and_who_does_is_not() {
    let naming = Duration::from_millis(1500);
    let house =
        house_with(Patience { naming, unnamed_command: 2 * Patience::default().all, ..Patience::default() }, &[]).await;
    let (mut known, mut idle) = (house.client().await, house.client().await);
    known.say("MAIL FROM:<>").await;
    assert!(known.say(&format!("RCPT TO:<{}>", house.to)).await.starts_with("250"));
    assert!(idle.say("NOOP").await.starts_with("250"));
    assert!(idle.reply().await.starts_with("421 4.4.2"), "its time is over, whatever it says");
    // The other one came before that, and is older than it may be without an address.
    assert!(known.say("NOOP").await.starts_with("250"));
    assert!(known.say("DATA").await.starts_with("354"));
    let mut busy = house.client().await;
    for number in 1..=9 {
        let reply = busy.say("NOOP").await;
        assert_eq!(reply.starts_with("421 4.7.0"), number == 9, "{number}: {reply}");
    }
}

#[tokio::test]
async fn a_network_has_so_many_connections() {
    let house = house_with(Patience::default(), &[("DOORCODE_CAPTURE__INBOUND__PER_NETWORK", "2")]).await;
    let held = [house.client().await, house.client().await];
    let mut third = Client(TcpStream::connect(house.at).await.unwrap(), Vec::new());
    assert!(third.reply().await.starts_with("421 4.7.0"));
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mails_at_once_are_all_answered() {
    let more = [("DOORCODE_CAPTURE__INBOUND__PER_NETWORK", "2000"), ("DOORCODE_CAPTURE__INBOUND__CONNECTIONS", "100")];
    let house = Arc::new(house_with(Patience::default(), &more).await);
    let id = house.scene.waits("email", ACME).await;
    let mail = Arc::new(by("acme.com", &house.mail("no-reply@acme.com", "Your code is 482913.")));
    let mut sends = tokio::task::JoinSet::new();
    for number in 0..1000 {
        let (house, mail) = (Arc::clone(&house), Arc::clone(&mail));
        sends.spawn(async move {
            let mail = if number == 500 { mail.to_string() } else { house.mail("eve@evil.example", "Your code is 1") };
            // As a mail server does, which comes again with what was not taken.
            loop {
                let reply = house.send(&house.to, &mail).await;
                if !reply.starts_with("451") {
                    return reply;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }
    let replies = sends.join_all().await;
    assert!(replies.iter().all(|reply| reply.starts_with("250")), "{replies:?}");
    assert_eq!(house.scene.code(&id, "acme.com").await, "482913");
}

/// Signed by whom the request waits for, so that nothing but what it is keeps it from being read.
#[tokio::test]
async fn bombs_and_riddles_get_nothing_and_the_next_mail_does() {
    let house = house().await;
    let id = house.scene.waits("email", ACME).await;
    let of = |kind: &str, text: &str| {
        let plain = house.mail("no-reply@acme.com", text);
        by("acme.com", &plain.replace("text/plain; charset=utf-8", kind))
    };
    let mixed = "multipart/mixed; boundary=b";
    let code = "Content-Type: text/plain\r\n\r\nYour code is 111111.\r\n";
    let flat = of(mixed, &format!("{}--b\r\n{code}--b--", "--b\r\n\r\n\r\n".repeat(90_000)));
    let deep: String = (0..8_000)
        .map(|level| format!("--b{level}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n", level + 1))
        .collect();
    let deep = of("multipart/mixed; boundary=b0", &format!("{deep}--b8000\r\n{code}"));
    let letters = format!("--b\r\n{}\r\n{code}--b--", "Content-Type: message/rfc822\r\n\r\n".repeat(20_000));
    let letters = of(mixed, &letters);
    let attached = format!("--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n{code}--b--");
    let attached = of(mixed, &attached);
    for (what, mail) in [("parts", flat), ("depth", deep), ("messages", letters), ("somebody else's", attached)] {
        assert!(house.send(&house.to, &mail).await.starts_with("250"), "{what}");
        assert_eq!(house.scene.state(&id).await, "approved", "{what}");
    }
    // Nobody knows which of them is meant, and neither is given.
    let two = by("acme.com", &house.mail("no-reply@acme.com", "Your code is 111111.\r\n\r\nYour code is 222222."));
    assert!(house.send(&house.to, &two).await.starts_with("250"));
    assert_eq!(house.scene.state(&id).await, "approved", "two codes");
    let other = "Your verification code is 482913. Order number 771204 will be shipped to you soon, dear customer.";
    let named = by("acme.com", &house.mail("no-reply@acme.com", other));
    assert!(house.send(&house.to, &named).await.starts_with("250"));
    assert_eq!(house.scene.code(&id, "acme.com").await, "482913", "two numbers, and one is the code");
}
