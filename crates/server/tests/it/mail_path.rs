//! The real way of a mail, from SMTP to the agent: Postfix takes it, Dovecot pushes it, whoever watches the mailbox finds the code, and the
//! agent's key opens it.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::net::Ipv4Addr;

use doorcode::cli::post::Wire;
use doorcode::ops::relays::{self, Viewer};
use serde_json::{Value, json};

use crate::agentotp_cast::session;
use crate::dovecot::{Dovecot, USER};
use crate::mailbox::{Agent, CODE, PASSWORD, Scene, Way};
use crate::postfix::{Postfix, address};
use crate::process::until;
use crate::talk::Caller;

/// Who sends.
const FROM: &str = "no-reply@acme.com";

/// A mail that is sent by SMTP reaches its agent. `watch` has the mailbox watched for the agent, behind that port of loopback, and gives what
/// must live meanwhile; `record` is how the record calls this way, and whether the server could read the message.
async fn comes_through<W>(record: (&str, bool), watch: impl AsyncFnOnce(&Scene, &Agent, u16) -> W) {
    let Some(dovecot) = Dovecot::start(PASSWORD) else { return };
    let Some(postfix) = Postfix::before(&dovecot) else { return };
    let wire = Wire::before(dovecot.port).await.unwrap();
    let scene = Scene::over(dovecot, &[("DOORCODE_EGRESS__ALLOW", &format!("127.0.0.1:{}", wire.port))]).await;
    let agent = scene.agent(1).await;
    let _watched = watch(&scene, &agent, wire.port).await;

    // Nobody vouches for the first: it comes the same way, and is nobody's.
    let id = scene.approved(&agent, "*@acme.com").await;
    postfix.send("eve@evil.example", &address(), &scene.mail(FROM, 1, "111111")).await.unwrap();
    postfix.send(FROM, &address(), &scene.acme(2, CODE)).await.unwrap();
    assert_eq!(scene.code(&agent, id).await, CODE);

    let relay = relays::show(&scene.app, Viewer::Owner(&scene.whose.owner), id).await.unwrap().relay;
    assert_eq!(
        (relay.capture.map(doorcode_core::relay::Way::as_str), relay.readable),
        (Some(record.0), Some(record.1))
    );
    assert_eq!(relay.sender_domain.as_deref(), Some("acme.com"), "what Postfix adds breaks no signature");
    let said = wire.said();
    assert!(said.contains(" IDLE\r\n") && said.contains("DONE\r\n"), "it was pushed: {said}");
    assert!(!said.contains(" NOOP"), "and not asked for: {said}");
}

#[tokio::test]
async fn a_mail_reaches_its_agent_through_a_collector() {
    comes_through(("collector", false), async |scene, agent, port| {
        let collector = scene.begin(&[agent], Way { port, ..scene.way() }, &[]).await;
        collector.watches().await;
        collector
    })
    .await;
}

/// The person gives it to this server, by the API as their program does, and sees it watched.
#[tokio::test]
async fn a_mail_reaches_its_agent_through_a_connected_mailbox() {
    comes_through(("mailbox", true), async |scene, _, port| {
        let key = session(&scene.app, scene.whose, None).await;
        let person = Caller { from: Ipv4Addr::LOCALHOST, to: scene.address };
        let body = json!({
            "host": "127.0.0.1", "port": port, "security": "none", "user": USER, "password": PASSWORD,
            "addresses": [address()],
        });
        let made = person.call("POST /v1/mailboxes", &key, "", &body).await.unwrap();
        assert_eq!(made.status, 201, "{}", made.text());
        let one = format!("GET /v1/mailboxes/{}", made.json()["mailbox"]["id"].as_str().unwrap());
        until("it is watched", async || {
            let shown = person.call(&one, &key, "", &Value::Null).await.unwrap().json();
            (shown["mailbox"]["state"] == "watching").then_some(())
        })
        .await;
    })
    .await;
}

/// What the fixture itself promises: it is nobody's way into the world.
#[tokio::test]
async fn postfix_takes_mail_for_its_domain_alone() {
    let Some(scene) = Scene::new().await else { return };
    let Some(postfix) = Postfix::before(&scene.dovecot) else { return };
    let refused = postfix.send(FROM, "somebody@example.com", &scene.acme(1, CODE)).await.unwrap_err();
    assert!(refused.is_permanent(), "{refused}");
}
