//! Signatures: those that prove who sent a message, and one test for each way of seeming to.

use std::time::Duration;

use mail_auth::common::crypto::HashAlgorithm;
use mail_auth::dkim::Canonicalization;

use super::post::{HEADERS, RSA_768, RSA_1024, RSA_2048, Scene, by_acme, date, ed25519, signed, signer};
use super::server::Answer;
use crate::capture::message::parse;
use crate::capture::{By, Expectation, Verdict};

fn expected(scene: &Scene) -> Expectation<'_> {
    let (mailbox, now) = (&scene.mailbox, scene.now);
    Expectation { mailbox, after: now, now, junk: false, trusted_sealers: &[] }
}

fn verified() -> Verdict {
    Verdict::Verified { domain: "acme.com".to_owned(), by: By::Dkim }
}

#[track_caller]
fn unverified(verdict: &Verdict, because: &str) {
    let Verdict::Unverified { why } = verdict else { panic!("{verdict:?}, where {because} was to be said") };
    assert!(why.contains(because), "{why}");
}

#[track_caller]
fn forged(verdict: &Verdict) {
    assert!(matches!(verdict, Verdict::Forged { .. }), "{verdict:?}");
}

#[tokio::test]
async fn a_signature_of_the_senders_domain_proves_it() {
    let scene = Scene::new().await;
    let mail = scene.mail(&[]);
    for raw in [
        by_acme(&mail),
        signed(&signer(RSA_2048.sha256(), "acme.com", "rsa"), &mail),
        signed(&signer(RSA_1024.sha256(), "acme.com", "r1024"), &mail),
        signed(&signer(ed25519(), "acme.com", "ed").header_canonicalization(Canonicalization::Simple), &mail),
        signed(&signer(ed25519(), "acme.com", "ed").body_canonicalization(Canonicalization::Simple), &mail),
        signed(&signer(ed25519(), "acme.com", "ed").expiration(3600), &mail),
    ] {
        let judged = scene.judge(&raw).await;
        assert_eq!(judged.verdict, verified(), "{raw}");
        assert!(!judged.temporary);
    }
}

#[tokio::test]
async fn a_parent_domain_may_sign_and_no_other() {
    let scene = Scene::new().await;
    let below = scene.mail(&[("@acme.com>\r\nTo", "@mail.acme.com>\r\nTo")]);
    let Verdict::Verified { domain, .. } = scene.verdict(&by_acme(&below)).await else { panic!("a parent may sign") };
    assert_eq!(domain, "mail.acme.com");
    for (signs, of) in [
        ("mail.acme.com", scene.mail(&[])),
        ("news.acme.com", below.clone()),
        ("com", scene.mail(&[])),
        ("evil.com", scene.mail(&[])),
    ] {
        let raw = signed(&signer(ed25519(), signs, "ed"), &of);
        unverified(&scene.verdict(&raw).await, "no signature of its sender");
    }
    assert_eq!(scene.verdict(&by_acme(&scene.mail(&[]))).await, verified());
}

#[tokio::test]
async fn without_a_signature_nobody_knows() {
    let scene = Scene::new().await;
    unverified(&scene.verdict(&scene.mail(&[])).await, "no signature of its sender");
    assert_eq!(scene.names.asked(), 0, "nobody is asked for what is not there");
}

#[tokio::test]
async fn a_changed_message_is_forged() {
    let scene = Scene::new().await;
    let raw = by_acme(&scene.mail(&[]));
    forged(&scene.verdict(&raw.replace("482913", "000000")).await);
    forged(&scene.verdict(&raw.replace("Your code\r\n", "Your new code\r\n")).await);
    forged(&scene.verdict(&raw.replace("text/plain", "text/html")).await);
    forged(&scene.verdict(&signed(&signer(ed25519(), "acme.com", "rsa"), &scene.mail(&[]))).await);
    // A second signature that is right outweighs a first that is not, as relays leave them.
    let broken = raw.replace("482913", "000000");
    assert_eq!(scene.verdict(&by_acme(&broken)).await, verified());
}

#[tokio::test]
async fn headers_stand_there_once() {
    let scene = Scene::new().await;
    let raw = by_acme(&scene.mail(&[]));
    for more in [
        "From: Eve <eve@evil.com>",
        "from: Acme <no-reply@acme.com>",
        "Subject: Reset your password",
        "Date: Thu, 01 Jan 2026 00:00:00 +0000",
        "To: Eve <eve@evil.com>",
        "Content-Type: text/html",
        "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit",
    ] {
        // Above and below: a signature is over the last of a name, readers may show the first.
        unverified(&scene.verdict(&format!("{more}\r\n{raw}")).await, "stands there twice");
        unverified(&scene.verdict(&raw.replace("\r\nMessage-ID", &format!("\r\n{more}\r\nMessage-ID"))).await, "twice");
    }
    for odd in ["Subject : Reset", "Subject\t: Reset", "Subject: a\rFrom: b", "\u{a0}From: b", " X: y", "no colon"] {
        unverified(&scene.verdict(&format!("{odd}\r\n{raw}")).await, "two ways");
    }
}

#[tokio::test]
async fn there_is_one_sender() {
    let scene = Scene::new().await;
    for from in [
        "Acme <no-reply@acme.com>, Eve <eve@evil.com>",
        "Eve <eve@evil.com>, Acme <no-reply@acme.com>",
        "Us: Acme <no-reply@acme.com>, eve@evil.com;",
        "Us: Acme <no-reply@acme.com>;",
        "Eve <eve@evil.com> <no-reply@acme.com>",
        "no-reply@acme.com <eve@evil.com>, x",
        "Acme",
        "",
    ] {
        let raw = by_acme(&scene.mail(&[("Acme <no-reply@acme.com>", from)]));
        unverified(&scene.verdict(&raw).await, "one sender");
    }
}

#[tokio::test]
async fn what_is_shown_is_covered() {
    let scene = Scene::new().await;
    for left_out in HEADERS {
        let headers = HEADERS.into_iter().filter(|name| *name != left_out);
        let all = signer(ed25519(), "acme.com", "ed");
        let mut some =
            mail_auth::dkim::DkimSigner::from_key(ed25519()).domain("acme.com").selector("ed").headers(headers);
        (some.template.ch, some.template.cb) = (all.template.ch, all.template.cb);
        let verdict = scene.verdict(&signed(&some, &scene.mail(&[]))).await;
        if left_out == "Message-ID" {
            assert_eq!(verdict, verified(), "a message is also known by its body");
        } else {
            unverified(&verdict, left_out);
        }
    }
}

#[tokio::test]
async fn a_header_that_was_not_there_can_not_be_added() {
    let scene = Scene::new().await;
    let mut plain = scene.mail(&[("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n", "")]);
    let headers = ["From", "To", "Subject", "Date"];
    let signer = mail_auth::dkim::DkimSigner::from_key(ed25519()).domain("acme.com").selector("ed").headers(headers);
    plain = signed(&signer, &plain);
    assert_eq!(scene.verdict(&plain).await, verified(), "the plainest mail has no MIME-Version");
    for (more, name) in [("Content-Type: text/html", "Content-Type"), ("MIME-Version: 1.0", "MIME-Version")] {
        unverified(&scene.verdict(&format!("{more}\r\n{plain}")).await, name);
    }
}

#[tokio::test]
async fn a_part_of_a_body_proves_nothing() {
    let scene = Scene::new().await;
    let partly = signed(&signer(ed25519(), "acme.com", "ed").body_length(true), &scene.mail(&[]));
    unverified(&scene.verdict(&partly).await, "a part of the body");
    unverified(&scene.verdict(&format!("{partly}And here is another code: 000000\r\n")).await, "a part of the body");
}

#[tokio::test]
async fn weak_and_trial_keys_prove_nothing() {
    let scene = Scene::new().await;
    let mail = scene.mail(&[]);
    unverified(&scene.verdict(&signed(&signer(ed25519(), "acme.com", "testing"), &mail)).await, "trying out");
    unverified(&scene.verdict(&signed(&signer(RSA_2048.sha1(), "acme.com", "rsa"), &mail)).await, "kind");
    unverified(&scene.verdict(&signed(&signer(RSA_768.sha256(), "acme.com", "r768"), &mail)).await, "too short");
    unverified(&scene.verdict(&signed(&signer(ed25519(), "acme.com", "nowhere"), &mail)).await, "not published");
    // A key that counts for nothing makes nothing forged either.
    let raw = signed(&signer(ed25519(), "acme.com", "testing"), &mail).replace("482913", "000000");
    unverified(&scene.verdict(&raw).await, "trying out");
}

#[tokio::test]
async fn signatures_end() {
    let mut scene = Scene::new().await;
    let raw = signed(&signer(ed25519(), "acme.com", "ed").expiration(3600), &scene.mail(&[]));
    assert_eq!(scene.verdict(&raw).await, verified());
    let hour = Duration::from_secs(3601);
    // The library asks the machine for the time; what counts is the house's.
    scene.now = scene.now.plus(hour);
    scene.arrived = scene.now;
    let mut later = scene.mail(&[]);
    later = signed(&signer(ed25519(), "acme.com", "ed").expiration(3600), &later);
    unverified(&scene.verdict(&later).await, "expired");
}

#[tokio::test]
async fn a_third_party_signs_for_nobody() {
    let name = {
        let digest = HashAlgorithm::Sha256.hash(b"evil.com".as_slice());
        let mut writer = mail_auth::common::base32::Base32Writer::with_capacity(40);
        mail_auth::common::headers::Writer::write(&mut writer, digest.as_ref());
        format!("{}._atps.acme.com", writer.finalize().to_ascii_lowercase())
    };
    let allowed = [(name.as_str(), Answer::Texts(vec!["v=ATPS1; d=evil.com".to_owned()]))];
    let scene = Scene::with(&allowed).await;
    let theirs = signer(ed25519(), "evil.com", "ed").atps("acme.com").atpsh(HashAlgorithm::Sha256);
    let raw = signed(&theirs, &scene.mail(&[]));
    // To the library this is a pass.
    let message = mail_auth::AuthenticatedMessage::parse(raw.as_bytes()).unwrap();
    let outputs = scene.verifier.authenticator().verify_dkim(&message).await;
    assert_eq!(outputs[0].result(), &mail_auth::DkimResult::Pass);
    unverified(&scene.verdict(&raw).await, "no signature of its sender");
    // Who may sign for itself needs nobody's leave, whatever else its signature asks for.
    let own = signer(ed25519(), "acme.com", "ed").atps("acme.com").reporting(true);
    assert_eq!(scene.verdict(&signed(&own, &scene.mail(&[]))).await, verified());
}

#[tokio::test]
async fn a_signature_does_not_name_headers_without_end() {
    let scene = Scene::new().await;
    let names = (0..5_000).map(|number| format!("n{number}")).collect::<Vec<_>>().join(":");
    let raw = by_acme(&scene.mail(&[])).replacen("\th=", &format!("\th={names}:"), 1);
    assert!(raw.len() > 28_000, "there are about as many as a field holds");
    unverified(&scene.verdict(&format!("{}{raw}", "A: b\r\n".repeat(400))).await, "too many headers");
}

#[tokio::test]
async fn judging_can_be_left_to_any_thread() {
    fn moves<T: Send>(_: &T) {}
    let scene = Scene::new().await;
    let parsed = parse(b"", None).unwrap();
    let expected = expected(&scene);
    let judging = scene.verifier.judge(b"", &parsed, &expected);
    moves(&judging);
    assert!(matches!(judging.await.verdict, Verdict::Unverified { .. }), "nothing is nobody's");
}

#[tokio::test]
async fn a_message_is_for_this_mailbox() {
    let mut scene = Scene::new().await;
    let to = |to: &str| [("Ada <ada@home.example>".to_owned(), to.to_owned())];
    for other in
        ["eve@evil.com", "ada@home.example.evil.com", "\"ada@home.example\" <eve@evil.com>", "ada+x@home.example"]
    {
        let [(from, to)] = &to(other);
        unverified(&scene.verdict(&by_acme(&scene.mail(&[(from, to)]))).await, "not addressed");
    }
    for us in ["ADA@Home.example", "eve@evil.com, Ada <ada@home.example>"] {
        let [(from, to)] = &to(us);
        assert_eq!(scene.verdict(&by_acme(&scene.mail(&[(from, to)]))).await, verified());
    }
    // A copy counts if its sender signed that it was one.
    let copy = scene.mail(&[("Ada <ada@home.example>", "eve@evil.com\r\nCc: ada@home.example")]);
    let headers = HEADERS.into_iter().chain(["Cc"]);
    let with_cc = mail_auth::dkim::DkimSigner::from_key(ed25519()).domain("acme.com").selector("ed").headers(headers);
    assert_eq!(scene.verdict(&signed(&with_cc, &copy)).await, verified());
    let for_eve = by_acme(&scene.mail(&[("Ada <ada@home.example>", "eve@evil.com")]));
    unverified(&scene.verdict(&format!("Cc: ada@home.example\r\n{for_eve}")).await, "Cc");
    scene.junk = true;
    unverified(&scene.verdict(&by_acme(&scene.mail(&[]))).await, "junk");
}

#[tokio::test]
async fn a_message_is_younger_than_the_request() {
    let mut scene = Scene::new().await;
    let (day, minute) = (Duration::from_secs(86_400), Duration::from_secs(60));
    let dated = |at| [(date(scene.now), date(at))];
    for (at, why) in [(scene.now.minus(minute), "older"), (scene.now.plus(day + minute), "ahead")] {
        let [(from, to)] = &dated(at);
        unverified(&scene.verdict(&by_acme(&scene.mail(&[(from, to)]))).await, why);
    }
    let whole = scene.mail(&[("Date: ", "X-Date: ")]);
    unverified(&scene.verdict(&by_acme(&whole)).await, "no date");
    let raw = by_acme(&scene.mail(&[]));
    scene.arrived = scene.now.minus(minute);
    unverified(&scene.verdict(&raw).await, "older");
    let parsed = parse(raw.as_bytes(), None).unwrap();
    let expected = expected(&scene);
    unverified(&scene.verifier.judge(raw.as_bytes(), &parsed, &expected).await.verdict, "when it arrived");
}

#[tokio::test]
async fn what_could_not_be_asked_is_asked_again() {
    let scene = Scene::new().await;
    let raw = signed(&signer(ed25519(), "acme.com", "failing"), &scene.mail(&[]));
    let judged = scene.judge(&raw).await;
    unverified(&judged.verdict, "could not be had");
    assert!(judged.temporary);
    // A wrong signature beside it does not make it forged: the other may be right.
    let broken = by_acme(&scene.mail(&[])).replace("482913", "000000");
    let both = signed(&signer(ed25519(), "acme.com", "failing"), &broken);
    assert!(scene.judge(&both).await.temporary);
}

#[tokio::test]
async fn a_silent_server_holds_nobody_up() {
    let silent = [("silent._domainkey.acme.com", Answer::Silence)];
    let scene = Scene::with(&silent).await;
    let raw = signed(&signer(ed25519(), "acme.com", "silent"), &scene.mail(&[]));
    let watch = crate::clock::Stopwatch::start();
    assert!(scene.judge(&raw).await.temporary);
    assert!(watch.elapsed() < Duration::from_secs(12), "{:?}", watch.elapsed());
}

#[tokio::test]
async fn signatures_are_looked_at_up_to_a_number_and_keys_are_kept() {
    let scene = Scene::new().await;
    let raw = by_acme(&scene.mail(&[]));
    for _ in 0..3 {
        assert_eq!(scene.verdict(&raw).await, verified());
    }
    assert_eq!(scene.names.asked(), 1, "a key is asked for once");
    let mut many = String::new();
    for number in 0..40 {
        many += &signed(&signer(ed25519(), "acme.com", &format!("none{number}")), &scene.mail(&[]))
            .split_inclusive("\r\n")
            .take_while(|line| !line.starts_with("From"))
            .collect::<String>();
    }
    unverified(&scene.verdict(&format!("{many}{raw}")).await, "not published");
    assert!(scene.names.asked() <= 1 + 8 * 2, "{}", scene.names.asked());
}

#[tokio::test]
async fn a_body_is_known_again_whichever_signature_is_left() {
    let scene = Scene::new().await;
    let mail = scene.mail(&[]);
    let simple = signer(ed25519(), "acme.com", "ed").body_canonicalization(Canonicalization::Simple);
    let first = scene.judge(&by_acme(&mail)).await.body_hash;
    assert_eq!(scene.judge(&signed(&simple, &mail)).await.body_hash, first);
    // What a relay may do to white space changes nothing.
    let raw = by_acme(&mail).replace("482913.\r\n", "482913.  \r\n\r\n");
    assert_eq!(scene.verdict(&raw).await, verified());
    assert_eq!(scene.judge(&raw).await.body_hash, first);
    assert_ne!(scene.judge(&by_acme(&scene.mail(&[("482913", "482914")]))).await.body_hash, first);
}
