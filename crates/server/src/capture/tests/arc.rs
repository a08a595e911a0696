//! Mail that a forwarder changed: by a trusted one, and every way in which its word is not enough.

use super::post::{HEADERS, Scene, by_acme, sealed};
use crate::capture::{By, Verdict};

const SAW: &str = "dkim=pass header.d=acme.com header.s=ed";

/// What Acme sent, as a forwarder leaves it: with a line at the end that breaks the signature.
fn forwarded(scene: &Scene) -> String {
    by_acme(&scene.mail(&[])) + "-- \r\nforwarded for you\r\n"
}

async fn scene() -> Scene {
    let mut scene = Scene::new().await;
    scene.trusted = vec!["fwd.com"];
    scene
}

fn by_forwarder() -> Verdict {
    Verdict::Verified { domain: "acme.com".to_owned(), by: By::Arc { sealer: "fwd.com".to_owned() } }
}

#[track_caller]
fn not_verified(verdict: &Verdict) {
    assert!(!matches!(verdict, Verdict::Verified { .. }), "{verdict:?}");
}

#[tokio::test]
async fn a_trusted_forwarder_says_what_it_saw() {
    let scene = scene().await;
    let raw = forwarded(&scene);
    assert!(matches!(scene.verdict(&raw).await, Verdict::Forged { .. }));
    assert_eq!(scene.verdict(&sealed(&scene, &raw, "fwd.com", SAW, &HEADERS).await).await, by_forwarder());
    // Behind another forwarder it still says what it saw itself.
    let twice = sealed(&scene, &raw, "other-fwd.com", SAW, &HEADERS).await;
    assert_eq!(scene.verdict(&sealed(&scene, &twice, "fwd.com", SAW, &HEADERS).await).await, by_forwarder());
}

#[tokio::test]
async fn nobody_else_does() {
    let scene = scene().await;
    let raw = forwarded(&scene);
    not_verified(&scene.verdict(&sealed(&scene, &raw, "other-fwd.com", SAW, &HEADERS).await).await);
    // The trusted one was there, and is not the last.
    let first = sealed(&scene, &raw, "fwd.com", SAW, &HEADERS).await;
    not_verified(&scene.verdict(&sealed(&scene, &first, "other-fwd.com", SAW, &HEADERS).await).await);
    // Its name under another's seal.
    let other = sealed(&scene, &raw, "other-fwd.com", SAW, &HEADERS).await;
    not_verified(&scene.verdict(&other.replace("d=other-fwd.com", "d=fwd.com").replace("482913", "1")).await);
}

#[tokio::test]
async fn it_must_have_seen_the_senders_own_signature() {
    let scene = scene().await;
    let raw = forwarded(&scene);
    for saw in [
        "dkim=fail header.d=acme.com",
        "dkim=pass header.d=evil.com",
        "dkim=pass header.d=mail.acme.com",
        "dkim=pass header.d=com",
        "arc=pass header.d=acme.com; spf=pass smtp.mailfrom=acme.com; dmarc=pass header.from=acme.com",
        "spf=pass (dkim=pass header.d=acme.com) smtp.mailfrom=evil.com",
        "spf=pass (domain of \"a) ; dkim=pass header.d=acme.com (b\"@evil.com) smtp.mailfrom=evil.com",
        "dkim=pass header.d=acme.com; dkim=fail header.d=acme.com",
        "none",
    ] {
        not_verified(&scene.verdict(&sealed(&scene, &raw, "fwd.com", saw, &HEADERS).await).await);
    }
}

/// The attack: a stranger's mail without a signature, whose envelope has the forwarder write down a pass.
#[tokio::test]
async fn a_signature_that_is_not_there_was_not_seen() {
    let scene = scene().await;
    let raw = scene.mail(&[]);
    not_verified(&scene.verdict(&sealed(&scene, &raw, "fwd.com", SAW, &HEADERS).await).await);
}

#[tokio::test]
async fn what_it_sealed_must_be_whole() {
    let scene = scene().await;
    let raw = forwarded(&scene);
    let good = sealed(&scene, &raw, "fwd.com", SAW, &HEADERS).await;
    not_verified(&scene.verdict(&good.replace("482913", "000000")).await);
    not_verified(&scene.verdict(&good.replace("Your code\r\n", "Your new code\r\n")).await);
    let evil = sealed(&scene, &raw, "fwd.com", "dkim=pass header.d=evil.com", &HEADERS).await;
    not_verified(&scene.verdict(&evil.replace("header.d=evil.com", "header.d=acme.com")).await);
    for left_out in ["From", "To", "Subject", "Date", "MIME-Version", "Content-Type"] {
        let some: Vec<&str> = HEADERS.into_iter().filter(|name| *name != left_out).collect();
        not_verified(&scene.verdict(&sealed(&scene, &raw, "fwd.com", SAW, &some).await).await);
    }
    let twice = sealed(&scene, &raw, "other-fwd.com", SAW, &HEADERS).await;
    let twice = sealed(&scene, &twice, "fwd.com", SAW, &HEADERS).await;
    not_verified(&scene.verdict(&twice.replace("mx.other-fwd.com", "mx.other-fwd.net")).await);
}

#[tokio::test]
async fn a_list_is_no_forwarder() {
    let scene = scene().await;
    let raw = format!("List-Id: <all.fwd.com>\r\n{}", forwarded(&scene));
    let verdict = scene.verdict(&sealed(&scene, &raw, "fwd.com", SAW, &HEADERS).await).await;
    not_verified(&verdict);
}
