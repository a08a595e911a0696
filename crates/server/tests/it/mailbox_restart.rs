//! A collector that ends, well or badly, and begins again: it repeats nothing and forgets nothing. The attacks: a server that shows an old
//! request as a new one to whoever may have forgotten it, and a second collector beside the first.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use doorcode_core::hex;
use doorcode_core::relay::State;

use crate::mailbox::{CODE, Collector, PASSWORD, Scene};
use crate::process::until;

/// Killed, as by a power failure.
async fn kill(mut collector: Collector) {
    collector.child.kill().await.unwrap();
}

#[tokio::test]
async fn what_comes_while_nobody_watches_is_found_afterwards() {
    let Some(scene) = Scene::new().await else { return };
    let agent = scene.agent(1).await;
    let collector = scene.collect(&[&agent], &[]).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    kill(collector).await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    let collector = scene.collect(&[&agent], &[]).await;
    assert_eq!(scene.code(&agent, id).await, CODE);
    // And what came in between, before the yes.
    kill(collector).await;
    let key = agent.key.public().unwrap().encode().unwrap();
    let ask = scene.ask(&agent, "*@acme.com", key);
    let asked = doorcode::ops::relays::request(&scene.app, &agent.asking, ask).await.unwrap();
    scene.dovecot.deliver(&scene.acme(2, "555555"));
    let _collector = scene.collect(&[&agent], &[]).await;
    scene.approve(asked.id).await;
    assert_eq!(scene.code(&agent, asked.id).await, "555555");
}

#[tokio::test]
async fn a_message_that_was_handed_in_is_not_handed_in_again() {
    let Some(scene) = Scene::new().await else { return };
    let agent = scene.agent(1).await;
    let collector = scene.collect(&[&agent], &[]).await;
    let first = scene.approved(&agent, "*@acme.com").await;
    let again = scene.approved(&agent, "*@acme.com").await;
    let mail = scene.acme(1, CODE);
    scene.dovecot.deliver(&mail);
    assert_eq!(scene.code(&agent, first).await, CODE);
    // The server has it a moment before the collector knows that; one that ends in between asks once more, and is refused.
    collector.says("a code was handed in").await;
    kill(collector).await;
    let collector = scene.collect(&[&agent], &[]).await;
    scene.dovecot.deliver(&mail);
    // What comes behind it was looked at, so it was too.
    let behind = scene.approved(&agent, "*@shop.com").await;
    scene.dovecot.deliver(&scene.signed(&scene.mail("hello@shop.com", 2, "555555"), "shop.com"));
    assert_eq!(scene.code(&agent, behind).await, "555555");
    assert_eq!(scene.state(again).await, State::Approved);
    // The server would refuse it as well: it was not even asked.
    collector.says("a code was handed in").await;
    let said = collector.text();
    assert_eq!(said.matches("handed in").count(), 1, "{said}");
    assert!(!said.contains("does not take it"), "{said}");
}

#[tokio::test]
async fn an_old_request_is_no_new_one_after_a_restart() {
    let Some(scene) = Scene::new().await else { return };
    let agent = scene.agent(1).await;
    let collector = scene.collect(&[&agent], &[]).await;
    let first = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    assert_eq!(scene.code(&agent, first).await, CODE);
    kill(collector).await;
    let collector = scene.collect(&[&agent], &[]).await;
    // Whoever has the server shows the statement of the first once more, as another request that was approved.
    let hex = hex::encode(first.as_bytes());
    let again = format!("key_signature = (SELECT key_signature FROM relays WHERE id = x'{hex}')");
    let another = scene.ask(&agent, "*@acme.com", agent.key.public().unwrap().encode().unwrap());
    let second = scene.changed(&agent, another, |_| Some(again)).await;
    collector.says("its signature belongs to another request").await;
    // What it is refused for is not that nothing comes: an honest one is served beside it.
    let honest = scene.approved(&agent, "*@shop.com").await;
    scene.dovecot.deliver(&scene.acme(2, "666666"));
    scene.dovecot.deliver(&scene.signed(&scene.mail("hello@shop.com", 3, "777777"), "shop.com"));
    assert_eq!(scene.code(&agent, honest).await, "777777");
    assert_eq!(scene.state(second).await, State::Approved);
}

#[tokio::test]
async fn what_is_remembered_is_its_owners_and_holds_no_secret() {
    let Some(scene) = Scene::new().await else { return };
    let agent = scene.agent(1).await;
    let collector = scene.collect(&[&agent], &[]).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    assert_eq!(scene.code(&agent, id).await, CODE);
    let file = scene.folder.path().join("agents.state.json");
    let text = until("it is written down", async || {
        let text = fs::read_to_string(&file).unwrap();
        (!text.contains(r#""messages":{}"#)).then_some(text)
    })
    .await;
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    for word in [CODE, PASSWORD, "dk_", "acme", "ada", "home.example"] {
        assert!(!text.contains(word), "{word}: {text}");
    }

    // Nobody else writes to it meanwhile, and nobody begins without it.
    let second = scene.begin(&[&agent], scene.way(), &[]).await;
    second.says("another collector uses it").await;
    kill(collector).await;
    fs::write(&file, &text[..text.len() / 2]).unwrap();
    let broken = scene.begin(&[&agent], scene.way(), &[]).await;
    broken.says("would be forgotten").await;
}
