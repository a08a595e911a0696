//! What is never relayed: our own mail; and what the list of the forbidden is asked about.

use doorcode_core::origin::Mark;
use doorcode_core::{MasterKey, Use};

use super::post::{HEADERS, Scene, by_acme, sealed};
use crate::capture::message::{Parsed, parse};
use crate::capture::origin::{domains_of, is_ours};
use crate::keyring::Keyring;

fn master(byte: u8) -> MasterKey {
    MasterKey::from_parts("aaaaaaaa".parse().unwrap(), [byte; 32])
}

fn mark(byte: u8) -> String {
    Mark::new(master(byte).kid(), &master(byte).root(Use::Header), [9; 16]).to_string()
}

fn read(raw: &str) -> Parsed {
    parse(raw.as_bytes(), None).unwrap()
}

#[tokio::test]
async fn our_own_mail_is_known_whatever_became_of_it() {
    let scene = Scene::new().await;
    let ring = Keyring::of(&[master(1)]).unwrap();
    let ours = |raw: &str| is_ours(&read(raw), &["code.example.com"], &ring);
    assert!(!ours(&scene.mail(&[])));
    let marked = format!("X-Doorcode-Stamp: {}\r\n{}", mark(1), scene.mail(&[]));
    assert!(ours(&marked));
    // A relay gave it another id, folded the header, and one more mark was put above it.
    assert!(ours(&marked.replace("<1@acme.com>", "<2@relay.example>").replace("aaaaaaaa ", "aaaaaaaa\r\n\t")));
    assert!(ours(&format!("x-doorcode-stamp: none\r\n{marked}")));
    // Another installation's is not ours, though its key may have the same name.
    assert!(!ours(&format!("X-Doorcode-Stamp: {}\r\n{}", mark(2), scene.mail(&[]))));
    assert!(!ours(&format!("{}X-Doorcode-Stamp: {}\r\n", scene.mail(&[]), mark(1))), "only headers count");
}

#[tokio::test]
async fn what_comes_from_our_domains_is_ours() {
    let scene = Scene::new().await;
    let ring = Keyring::of(&[master(1)]).unwrap();
    let from = |from: &str| read(&scene.mail(&[("Acme <no-reply@acme.com>", from)]));
    for ours in [
        "a@code.example.com",
        "A <a@CODE.Example.com>",
        "a@eu.code.example.com",
        "b@x.org, a@code.example.com",
        "b@x.org\r\nSender: a@code.example.com",
        "b@x.org\r\nFrom: a@code.example.com",
        "\"odd one\"@code.example.com",
    ] {
        assert!(is_ours(&from(ours), &["code.example.com"], &ring), "{ours}");
    }
    for other in ["a@example.com", "a@xcode.example.com", "a@code.example.com.evil.com"] {
        assert!(!is_ours(&from(other), &["code.example.com"], &ring), "{other}");
    }
}

#[tokio::test]
async fn every_domain_that_has_to_do_with_it_is_named() {
    let scene = Scene::new().await;
    let mail = scene.mail(&[
        ("Subject", "Sender: a@sender.example\r\nReply-To: b@reply.example, c@reply2.example\r\nSubject"),
        ("482913.\r\n", "482913.\r\n\r\n@Bound.example #482913 %inner.example\r\n"),
    ]);
    let raw = sealed(&scene, &by_acme(&mail), "fwd.com", "dkim=fail header.d=first.example", &HEADERS).await;
    let raw = format!("DKIM-Signature: v=1; d=one.example; D = two\r\n\t.example; b=\r\n{raw}");
    let found = domains_of(&read(&raw), raw.as_bytes(), |_| false);
    let named = [
        "acme.com",
        "bound.example",
        "first.example",
        "fwd.com",
        "inner.example",
        "one.example",
        "reply.example",
        "reply2.example",
        "sender.example",
        "two.example",
    ];
    assert_eq!(found, named);
    // Whoever carries one's mail seals all of it. What it signs itself counts.
    let carried = domains_of(&read(&raw), raw.as_bytes(), |signer| ["fwd.com", "one.example"].contains(&signer));
    let others: Vec<_> = named.into_iter().filter(|name| *name != "fwd.com").collect();
    assert_eq!(carried, others);
}
