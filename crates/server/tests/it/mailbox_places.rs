//! How many mailboxes are connected and watched, of one person, of one org, of all: also where many come at once, on both engines.

use std::sync::{Arc, Mutex};

use doorcode::ops::audit::Whose;
use doorcode::ops::mailboxes::{self, Wanted};
use doorcode::store::mailboxes as rows;
use doorcode_core::mailbox::{Credentials, Security};
use doorcode_core::{Error, MailboxId, Secret};
use tokio::sync::oneshot;

use crate::agentotp_cast::*;
use crate::app::MOMENT;
use crate::mailboxes::{PATH, made, mailbox};
use crate::process::until;
use crate::{nodes, postgres};

fn wanted() -> Wanted {
    Wanted {
        name: String::new(),
        host: "imap.example.com".to_owned(),
        port: None,
        security: Security::Tls,
        login: "ada@example.com".to_owned(),
        credentials: Credentials::Password(Secret::new("x".to_owned())),
        addresses: Vec::new(),
        folder: None,
    }
}

#[tokio::test]
async fn a_person_and_a_server_have_only_so_many() {
    let cast = Cast::with(&[("DOORCODE_CAPTURE__MAILBOXES__MOST", "6")]).await;
    for _ in 0..5 {
        made(&cast).await;
    }
    let full = refused(409, "CONFLICT", "CONFLICT");
    assert_eq!(codes(&cast.by(&cast.ada).post(PATH, mailbox()).await), full);
    let (eve, _) = person(&cast.app, EVE).await;
    assert_eq!(cast.by(&eve).post(PATH, mailbox()).await.status, 201);
    assert_eq!(codes(&cast.by(&eve).post(PATH, mailbox()).await), full, "of everybody together");
    let off = Cast::with(&[("DOORCODE_CAPTURE__MAILBOXES__PER_PERSON", "0")]).await;
    assert_eq!(codes(&off.by(&off.ada).post(PATH, mailbox()).await), full);
}

#[tokio::test]
async fn an_org_has_only_so_many_and_leaves_the_rest_to_others() {
    let cast = Cast::with(&[("DOORCODE_CAPTURE__MAILBOXES__PER_ORG", "3")]).await;
    for _ in 0..3 {
        made(&cast).await;
    }
    let full = cast.by(&cast.ada).post(PATH, mailbox()).await;
    assert_eq!(codes(&full), refused(409, "CONFLICT", "CONFLICT"));
    assert!(full.text().contains("your team"), "{}", full.text());
    let (eve, _) = person(&cast.app, EVE).await;
    assert_eq!(cast.by(&eve).post(PATH, mailbox()).await.status, 201, "another org's place");
}

#[tokio::test]
async fn where_there_is_not_room_for_all_each_org_has_some_watched() {
    let cast = Cast::new().await;
    for _ in 0..4 {
        made(&cast).await;
    }
    let (eve, whose) = person(&cast.app, EVE).await;
    let app = &cast.app.app;
    assert_eq!(mailboxes::claim(app, 2).await.unwrap().len(), 2);
    assert_eq!(cast.by(&eve).post(PATH, mailbox()).await.status, 201);
    let next = mailboxes::claim(app, 1).await.unwrap();
    assert_eq!(next[0].whose().org, whose.org, "the one of whose org none is watched, though it came last");
    assert_eq!(mailboxes::claim(app, 9).await.unwrap().len(), 2, "and then the others");
}

#[tokio::test]
async fn in_one_turn_each_org_has_as_many_as_another() {
    let cast = Cast::new().await;
    for _ in 0..4 {
        made(&cast).await;
    }
    let (eve, whose) = person(&cast.app, EVE).await;
    for _ in 0..2 {
        assert_eq!(cast.by(&eve).post(PATH, mailbox()).await.status, 201);
    }
    let claimed = mailboxes::claim(&cast.app.app, 4).await.unwrap();
    let hers = claimed.iter().filter(|claimed| claimed.whose().org == whose.org).count();
    assert_eq!((claimed.len(), hers), (4, 2), "though the others came first");
}

/// The attack: whoever comes first connects as many as a server has room for, and nobody else's is ever watched.
#[tokio::test]
async fn a_server_that_is_full_lets_one_go_for_an_org_that_has_fewer() {
    // One that never says a word.
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, port) = server.local_addr().map(|address| (address.to_string(), address.port())).unwrap();
    let cast = Cast::with(&[("DOORCODE_EGRESS__ALLOW", &address)]).await;
    let wanted = || Wanted { host: "127.0.0.1".to_owned(), port: Some(port), security: Security::None, ..wanted() };
    let app = &cast.app.app;
    let watched = |whose: Whose| async move {
        let all = mailboxes::list(app, whose.owner).await.unwrap();
        let mut watched = Vec::new();
        for row in &all {
            let held = rows::Held { id: row.id, node: app.node.clone(), version: row.version };
            if mailboxes::is_held(app, &held).await.unwrap() {
                watched.push(row.id);
            }
        }
        watched
    };
    let mut hers = Vec::new();
    for _ in 0..4 {
        hers.push(mailboxes::create(app, cast.whose, wanted()).await.unwrap().id);
    }
    let house = tokio::spawn(doorcode::capture::watched::watch_all(Arc::clone(app), 4));
    until("all places are taken", async || (watched(cast.whose).await.len() == 4).then_some(())).await;
    let sick = hers[1];
    cast.app.tamper("UPDATE mailboxes SET state = 'watching'");
    let held = rows::Held { id: sick, node: app.node.clone(), version: 0 };
    assert!(mailboxes::goes(app, &held, Some("it does not answer")).await.unwrap());

    let (_, eve) = person(&cast.app, EVE).await;
    let first = mailboxes::create(app, eve, wanted()).await.unwrap().id;
    until("the other org has one", async || (watched(eve).await == [first]).then_some(())).await;
    assert!(!watched(cast.whose).await.contains(&sick), "the one that nothing came of");
    mailboxes::create(app, eve, wanted()).await.unwrap();
    until("and a second", async || (watched(eve).await.len() == 2).then_some(())).await;
    assert_eq!(watched(cast.whose).await.len(), 2);
    mailboxes::create(app, eve, wanted()).await.unwrap();
    assert_eq!(mailboxes::make_room(app).await.unwrap(), None, "each has as many as the other");
    house.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_people_who_come_at_once_no_more_are_connected_than_there_are_places() {
    let cast = Cast::with(&[("DOORCODE_CAPTURE__MAILBOXES__MOST", "3")]).await;
    let mut people = vec![cast.whose];
    for name in ["eve", "bob", "carl", "dan", "fay"] {
        people.push(person(&cast.app, &format!("{name}@example.com")).await.1);
    }
    let app = &cast.app.app;
    let all = people.iter().flat_map(|whose| [whose, whose]).map(|whose| mailboxes::create(app, *whose, wanted()));
    let made = futures_util::future::join_all(all).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 3);
    assert_eq!(cast.app.number("SELECT count(*) FROM mailboxes"), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_come_at_once_five_are_connected() {
    let cast = Cast::new().await;
    let all = (0..20).map(|_| async { cast.by(&cast.ada).post(PATH, mailbox()).await.status });
    let all = futures_util::future::join_all(all).await;
    assert_eq!(all.iter().filter(|status| **status == 201).count(), 5, "{all:?}");
}

/// The last place, taken on another server by a unit that has not ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_place_that_is_being_taken_on_another_server_is_waited_for() {
    let Some(cluster) = postgres::shared() else { return };
    let url = cluster.database();
    let (here, there) = nodes::two_at(&url).await;
    let cast = Cast::of(here).await;
    made(&cast).await;
    let others = "INSERT INTO mailboxes (id, org_id, owner_id, name, host, port, security, login, addresses, folder, kind, kid, \
        credentials, version, state, changed_at) SELECT n, n, n, name, host, port, security, login, addresses, folder, kind, kid, \
        credentials, version, state, changed_at FROM mailboxes, \
        (SELECT decode(md5(number::text), 'hex') AS n FROM generate_series(1, 998) AS number) AS numbers";
    postgres::query(&url, others).unwrap();
    let mut last = mailboxes::list(&cast.app.app, cast.whose.owner).await.unwrap().swap_remove(0);
    (last.id, last.org) = (MailboxId::from_bytes([0xfe; 16]), doorcode_core::OrgId::from_bytes([0xfe; 16]));
    let (release, released) = oneshot::channel::<()>();
    let (begun, begins) = oneshot::channel();
    let pair = Arc::new(Mutex::new(Some((begun, released))));
    let db = there.app.db.clone();
    let taking = tokio::spawn(async move {
        let unit = db.write(move |tx| {
            Box::pin(async move {
                rows::hold_places(tx).await?;
                rows::insert(tx, &last).await?;
                let held = pair.lock().unwrap().take();
                if let Some((begun, released)) = held {
                    begun.send(()).unwrap();
                    released.await.unwrap();
                }
                Ok(())
            })
        });
        unit.await.unwrap();
    });
    begins.await.unwrap();
    let (app, whose) = (Arc::clone(&cast.app.app), cast.whose);
    let coming = tokio::spawn(async move { mailboxes::create(&app, whose, wanted()).await });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while !coming.is_finished() && postgres::query(&url, waits).unwrap() == ["0"] {
        tokio::time::sleep(MOMENT).await;
    }
    release.send(()).unwrap();
    taking.await.unwrap();
    let refused = coming.await.unwrap();
    assert!(matches!(refused, Err(Error::Conflict(_))), "there was no place left");
    assert_eq!(postgres::query(&url, "SELECT count(*) FROM mailboxes").unwrap(), ["1000"]);
}
