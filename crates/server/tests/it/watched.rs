//! Mailboxes that this server watches: a real IMAP server, mails that are signed as senders sign them, and a house that is served, ended, killed
//! and opened again. Each code is opened with the agent's key, or is nowhere.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::time::Duration;

use doorcode::ops::audit;
use doorcode::ops::mailboxes::{self, Wanted};
use doorcode::store::mailboxes::Mailbox;
use doorcode_core::mailbox::{Credentials, Security};
use doorcode_core::relay::State;
use doorcode_core::{MailboxId, RelayId, Secret, hex};

use crate::dovecot::USER;
use crate::mailbox::{ADA, CODE, PASSWORD, Scene, Served};
use crate::needles::Needles;
use crate::postgres;
use crate::process::until;

/// Short times, so that nobody waits.
pub(crate) const QUICK: [(&str, &str); 4] = [
    ("DOORCODE_CAPTURE__MAILBOXES__LEASE", "5s"),
    ("DOORCODE_CAPTURE__MAILBOXES__RETRY_FIRST", "100ms"),
    ("DOORCODE_CAPTURE__MAILBOXES__RETRY_MOST", "500ms"),
    ("DOORCODE_CAPTURE__MAILBOXES__REFUSED_PAUSE", "100ms"),
];

pub(crate) fn password(text: &str) -> Credentials {
    Credentials::Password(Secret::new(text.to_owned()))
}

/// The person's mailbox, as they connect it.
pub(crate) fn wanted(port: u16, credentials: Credentials) -> Wanted {
    Wanted {
        name: "At home".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        security: Security::None,
        login: USER.to_owned(),
        credentials,
        addresses: vec![ADA.to_owned()],
        folder: None,
    }
}

pub(crate) async fn connect(scene: &Scene) -> Mailbox {
    connect_with(scene, wanted(scene.dovecot.port, password(PASSWORD))).await
}

pub(crate) async fn connect_with(scene: &Scene, wanted: Wanted) -> Mailbox {
    mailboxes::create(&scene.app, scene.whose, wanted).await.unwrap()
}

pub(crate) async fn now(scene: &Scene, id: MailboxId) -> Mailbox {
    mailboxes::show(&scene.app, scene.whose.owner, id).await.unwrap()
}

/// Waits until it is in that state.
pub(crate) async fn reaches(scene: &Scene, id: MailboxId, state: &str) -> Mailbox {
    until(state, async || Some(now(scene, id).await).filter(|mailbox| mailbox.state == state)).await
}

/// A house with a mailbox that is watched.
async fn scene() -> Option<(Scene, Mailbox)> {
    let scene = Scene::with(&QUICK).await?;
    let mailbox = connect(&scene).await;
    reaches(&scene, mailbox.id, "watching").await;
    Some((scene, mailbox))
}

/// How the code came, as the record has it.
fn said(scene: &Scene, id: RelayId) -> [String; 3] {
    let hex = hex::encode(id.as_bytes());
    let id = if postgres::is_wanted() { format!("decode('{hex}', 'hex')") } else { format!("x'{hex}'") };
    ["capture", "readable", "verdict"]
        .map(|column| scene.folder.text(&format!("SELECT {column} FROM relays WHERE id = {id}")))
}

#[tokio::test]
async fn a_code_reaches_its_agent_through_a_connected_mailbox() {
    let Some((scene, _)) = scene().await else { return };
    let agent = scene.agent(1).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    assert_eq!(scene.code(&agent, id).await, CODE);
    assert_eq!(said(&scene, id), ["mailbox", "1", "verified"]);
    let record = audit::list(&scene.app, scene.whose.owner, None, 50).await.unwrap();
    let received = record.iter().find(|entry| entry.kind == "otp_receive").unwrap();
    assert!(received.details.contains(r#""capture":"mailbox""#) && received.details.contains(r#""readable":true"#));
    assert!(record.iter().any(|entry| entry.kind == "mailbox_create" && !entry.details.contains(USER)));
    assert!(scene.dovecot.names().iter().all(|name| !name.ends_with('S')), "nothing was marked as seen");
}

#[tokio::test]
async fn what_came_before_the_yes_and_before_a_restart_is_looked_at_after_both() {
    let Some((mut scene, mailbox)) = scene().await else { return };
    let agent = scene.agent(1).await;
    let id = scene.asked(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    until("it was passed", async || now(&scene, mailbox.id).await.reached.filter(|reached| reached.contains(':')))
        .await;
    scene.end().await;
    scene.again().await;
    scene.approve(id).await;
    assert_eq!(scene.code(&agent, id).await, CODE);
}

#[tokio::test]
async fn after_a_restart_nothing_is_missed_and_nothing_is_taken_twice() {
    let Some((mut scene, mailbox)) = scene().await else { return };
    let agent = scene.agent(1).await;
    let first = scene.approved(&agent, "*@acme.com").await;
    let mail = scene.acme(1, "111111");
    scene.dovecot.deliver(&mail);
    assert_eq!(scene.code(&agent, first).await, "111111");
    // It came while nobody watched, for a request that waits all the time.
    let second = scene.approved(&agent, "*@acme.com").await;
    scene.end().await;
    scene.dovecot.deliver(&scene.acme(2, "222222"));
    scene.again().await;
    assert_eq!(scene.code(&agent, second).await, "222222");
    // The same mail once more, and a place that somebody took back to the beginning: it is known.
    let third = scene.approved(&agent, "*@acme.com").await;
    scene.end().await;
    scene.dovecot.deliver(&mail);
    let reached = now_of(&mut scene, mailbox.id, "1").await;
    scene.again().await;
    reaches(&scene, mailbox.id, "watching").await;
    until("it has looked", async || now(&scene, mailbox.id).await.reached.filter(|now| *now != reached)).await;
    assert_eq!(scene.state(third).await, State::Approved);
    scene.dovecot.deliver(&scene.acme(3, "333333"));
    assert_eq!(scene.code(&agent, third).await, "333333");
}

/// Sets the number of the next message in a house that is closed; gives the place.
async fn now_of(scene: &mut Scene, id: MailboxId, next: &str) -> String {
    let hex = hex::encode(id.as_bytes());
    let before = scene.folder.text("SELECT reached FROM mailboxes");
    let place = format!("{} {next}", before.split(' ').next().unwrap());
    match scene.folder.database() {
        Some(url) => {
            drop(postgres::query(
                &url,
                &format!("UPDATE mailboxes SET reached = '{place}' WHERE id = decode('{hex}', 'hex')"),
            ));
        }
        None => {
            let file = rusqlite::Connection::open(scene.folder.path().join("doorcode.db")).unwrap();
            file.execute("UPDATE mailboxes SET reached = ?1 WHERE id = ?2", (&place, id.as_bytes())).unwrap();
        }
    }
    place
}

#[tokio::test]
async fn a_connection_and_a_numbering_may_change() {
    let Some((mut scene, mailbox)) = scene().await else { return };
    let agent = scene.agent(1).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.stop();
    scene.dovecot.deliver(&scene.acme(1, "111111"));
    let away = reaches(&scene, mailbox.id, "away").await;
    assert!(away.trouble.is_some(), "it says why");
    scene.dovecot.again();
    assert_eq!(scene.code(&agent, id).await, "111111", "nothing was lost between two connections");
    assert_eq!(reaches(&scene, mailbox.id, "watching").await.trouble, None);
    // Numbered anew, with a mail that came meanwhile: what came since somebody waits is looked at.
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.renumbered_with(&scene.acme(2, "222222"));
    assert_eq!(scene.code(&agent, id).await, "222222");
}

#[tokio::test]
async fn of_many_mails_at_once_none_is_missed() {
    let Some((mut scene, _)) = scene().await else { return };
    let agent = scene.agent(1).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.end().await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    for number in 2..120 {
        scene.dovecot.deliver(&scene.mail("news@else.example", number, "111111"));
    }
    scene.again().await;
    assert_eq!(scene.code(&agent, id).await, CODE, "the first of more than fit into one question");
}

#[tokio::test]
async fn a_wrong_password_is_tried_three_times_and_its_owner_is_told() {
    let Some(mut scene) = Scene::with(&QUICK).await else { return };
    let mailbox = connect_with(&scene, wanted(scene.dovecot.port, password("wrong"))).await;
    let refused = reaches(&scene, mailbox.id, "credentials_refused").await;
    assert_eq!(refused.trouble.as_deref(), Some("user or password are refused"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(scene.dovecot.failures(), 3, "nobody tries any more");
    let record = audit::list(&scene.app, scene.whose.owner, None, 50).await.unwrap();
    assert_eq!((record[0].kind.as_str(), record[0].actor.as_str()), ("mailbox_refused", "server"));
    // Another one: it is tried at once, and what was refused before is forgotten.
    mailboxes::replace(&scene.app, scene.whose, mailbox.id, password(PASSWORD)).await.unwrap();
    reaches(&scene, mailbox.id, "watching").await;
    let agent = scene.agent(1).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    assert_eq!(scene.code(&agent, id).await, CODE);
    // It changes at the provider's.
    scene.dovecot.stop();
    scene.dovecot.set_password("another");
    scene.dovecot.again();
    reaches(&scene, mailbox.id, "credentials_refused").await;
}

#[tokio::test]
async fn a_removed_mailbox_is_looked_into_no_more() {
    let Some((scene, mailbox)) = scene().await else { return };
    let agent = scene.agent(1).await;
    let id = scene.approved(&agent, "*@acme.com").await;
    mailboxes::remove(&scene.app, scene.whose, mailbox.id).await.unwrap();
    until("the connection is gone", async || (scene.dovecot.connections() == 0).then_some(())).await;
    scene.dovecot.deliver(&scene.acme(1, CODE));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(scene.state(id).await, State::Approved);
    assert!(mailboxes::list(&scene.app, scene.whose.owner).await.unwrap().is_empty());
    let log = std::fs::read_to_string(scene.app.config.keys.join("revocations.log")).unwrap();
    assert!(log.contains(&format!("mailbox {} {}", scene.whose.owner, mailbox.id)), "{log}");
}

#[tokio::test]
async fn a_password_is_nowhere_in_the_clear() {
    let secret = "qwertzuiopasdfgh-imap";
    let Some(scene) = Scene::with(&QUICK).await else { return };
    scene.dovecot.set_password(secret);
    let mailbox = connect_with(&scene, wanted(scene.dovecot.port, password(secret))).await;
    reaches(&scene, mailbox.id, "watching").await;
    let needles = Needles::of(&[secret.to_owned()]);
    if postgres::is_wanted() {
        let all = scene.folder.text("SELECT string_agg(m::text, ' ') FROM mailboxes m");
        assert_eq!(needles.in_bytes(all.as_bytes()), [""; 0]);
    }
    assert_eq!(needles.in_folder(scene.folder.path()), [""; 0]);
    assert!(scene.folder.text("SELECT credentials FROM mailboxes").starts_with("v1."));
}

/// Two servers on one database: one watches, and when it dies the other one does.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_dead_nodes_mailbox_is_taken_over() {
    let Some(cluster) = postgres::shared() else { return };
    let url = cluster.database();
    let Some(mut scene) = Scene::on(&url, &QUICK).await else { return };
    let mailbox = connect(&scene).await;
    reaches(&scene, mailbox.id, "watching").await;
    let node = || postgres::query(&url, "SELECT coalesce(node, '') FROM mailboxes").unwrap().swap_remove(0);
    assert_eq!(node(), scene.app.node);
    let (other, _, served) = Served::begin(scene.app.config.clone()).await;
    let agent = scene.agent(1).await;
    // While the first one lives, the other one leaves it alone.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!((node(), scene.dovecot.connections()), (scene.app.node.clone(), 1));
    let id = scene.approved(&agent, "*@acme.com").await;
    scene.kill();
    scene.dovecot.deliver(&scene.acme(1, CODE));
    let dead = std::mem::replace(&mut scene.app, other);
    assert_eq!(scene.code(&agent, id).await, CODE, "what came in between is not missed");
    assert_eq!(node(), scene.app.node);
    assert_ne!(dead.node, scene.app.node);
    served.end().await;
    assert_eq!(node(), "", "a server that ends in order leaves it at once");
}
