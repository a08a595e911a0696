//! The real way of a mail, from SMTP to the agent: Postfix takes it, Dovecot pushes it, whoever watches the mailbox finds the code, and the
//! agent's key opens it.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use doorcode::cli::post::Wire;
use doorcode::ops::relays::{self, Viewer};

use crate::mailbox::{Agent, CODE, Scene, Way};
use crate::postfix::{Postfix, address};

/// Who sends.
const FROM: &str = "no-reply@acme.com";

/// A mail that is sent by SMTP reaches its agent. `watch` has the mailbox watched for the agent, behind that port of loopback, and gives what
/// must live meanwhile; `record` is how the record calls this way, and whether the server could read the message.
async fn comes_through<W>(record: (&str, bool), watch: impl AsyncFnOnce(&Scene, &Agent, u16) -> W) {
    let Some(scene) = Scene::new().await else { return };
    let Some(postfix) = Postfix::before(&scene.dovecot) else { return };
    let wire = Wire::before(scene.dovecot.port).await.unwrap();
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

/// What the fixture itself promises: it is nobody's way into the world.
#[tokio::test]
async fn postfix_takes_mail_for_its_domain_alone() {
    let Some(scene) = Scene::new().await else { return };
    let Some(postfix) = Postfix::before(&scene.dovecot) else { return };
    let refused = postfix.send(FROM, "somebody@example.com", &scene.acme(1, CODE)).await.unwrap_err();
    assert!(refused.is_permanent(), "{refused}");
}
