//! What SPF says of who brought a mail: told to its owner, right in each of its results; and that nothing hangs on it, whichever it is.

use doorcode::capture::inbound::Patience;
use serde_json::{Value, json};

use crate::approvals::{HOME, person};
use crate::inbound::names::Answer;
use crate::inbound::{ACME, House, by, house_of};
use crate::waiting::ADA;

fn record(text: &str) -> Answer {
    Answer::Texts(vec![text.to_owned()])
}

/// A house before names with records of every kind. Mail comes to it from 127.0.0.1.
async fn house() -> House {
    let names = [
        ("pass.example", record("v=spf1 ip4:127.0.0.0/8 -all")),
        ("fail.example", record("v=spf1 ip4:192.0.2.1 -all")),
        ("softfail.example", record("v=spf1 ip4:192.0.2.1 ~all")),
        ("neutral.example", record("v=spf1 ip4:192.0.2.1 ?all")),
        ("included.example", record("v=spf1 include:pass.example -all")),
        ("endless.example", record("v=spf1 include:endless.example -all")),
        ("failing.example", Answer::Failure),
        ("silent.example", Answer::Silence),
        ("forwarder.example", record("v=spf1 ip4:127.0.0.1 -all")),
        // The sender's own domain lets this very host send for it.
        ("acme.com", record("v=spf1 ip4:127.0.0.1 -all")),
    ];
    let more = [("DOORCODE_RELAY__AGENT_MINUTE", "1000"), ("DOORCODE_RELAY__OWNER_MINUTE", "1000")];
    house_of(Patience::default(), &more, &names).await
}

const RESULTS: [(&str, &str); 11] = [
    ("x@pass.example", "pass pass.example"),
    ("x@PASS.example", "pass pass.example"),
    ("x@fail.example", "fail fail.example"),
    ("x@softfail.example", "softfail softfail.example"),
    ("x@neutral.example", "neutral neutral.example"),
    ("x@included.example", "pass included.example"),
    ("x@nothing.example", "none nothing.example"),
    ("x@endless.example", "permerror endless.example"),
    ("x@failing.example", "temperror failing.example"),
    ("x@silent.example", "temperror silent.example"),
    // From nobody: then by what the host calls itself.
    ("", "pass forwarder.example"),
];

async fn owners_view(house: &House, id: &str) -> Value {
    house.scene.ada().get(&format!("/v1/otp/{id}")).await.json()
}

#[tokio::test]
async fn each_result_is_told_and_none_keeps_a_signed_mail_out() {
    let house = house().await;
    let mut browser = person(&house.scene.app, HOME, ADA, "/approvals").await;
    for (number, (from, wanted)) in RESULTS.into_iter().enumerate() {
        let id = house.scene.waits("email", ACME).await;
        let text = format!("Your code is {}.\r\n{}", 482_000 + number, "-".repeat(number));
        let raw = by("acme.com", &house.mail("no-reply@acme.com", &text));
        assert!(house.send_from(from, &house.to, &raw).await.starts_with("250 2.6.0"), "{from}");
        let theirs = owners_view(&house, &id).await;
        assert_eq!((&theirs["metadata"]["spf"], &theirs["metadata"]["verdict"]), (&json!(wanted), &json!("verified")));
        let entry = house.scene.ada().get(&format!("/v1/audit?limit=1&requestId={id}")).await.json()["data"][0].clone();
        assert_eq!((&entry["eventType"], &entry["details"]["spf"]), (&json!("otp_receive"), &json!(wanted)));
        browser.go("/approvals").await;
        assert!(browser.sees(&format!("SPF: {wanted}</span>")), "{from}: {}", browser.page.text());
        assert!(
            !house.scene.status(&id).await.to_string().contains("spf"),
            "who keeps one's mail is not the agent's to know"
        );
        house.scene.code(&id, "acme.com").await;
    }
}

#[tokio::test]
async fn none_makes_a_mail_verified_or_forged() {
    let house = house().await;
    let id = house.scene.waits("email", ACME).await;
    // Whoever sends chooses the envelope. Aligned with From it would be a pass of DMARC; still it is the word of a host that forwards,
    // and anybody may have an account there.
    let envelopes = ["bounces@acme.com", "x@pass.example", "x@fail.example", "x@failing.example"];
    for (number, from) in envelopes.into_iter().enumerate() {
        let raw = house.mail("no-reply@acme.com", &format!("Your code is {}.", 482_000 + number));
        assert!(house.send_from(from, &house.to, &raw).await.starts_with("250 2.6.0"), "{from}");
        let theirs = owners_view(&house, &id).await;
        assert_eq!((&theirs["status"], &theirs["turnedAway"]), (&json!("approved"), &json!(["unverified"])), "{from}");
    }
    let entry = house.scene.ada().get(&format!("/v1/audit?limit=1&requestId={id}")).await.json()["data"][0].clone();
    assert_eq!((&entry["eventType"], &entry["details"]["spf"]), (&json!("otp_turn_away"), &json!("pass acme.com")));
}

#[tokio::test]
async fn nobody_is_asked_where_nobody_waits() {
    let house = house().await;
    let before = house.names.asked();
    let raw = by("acme.com", &house.mail("no-reply@acme.com", "Your code is 482913."));
    assert!(house.send_from("x@pass.example", &house.to, &raw).await.starts_with("250 2.6.0"));
    assert_eq!(house.names.asked(), before, "a stranger has no look-ups made");
}
