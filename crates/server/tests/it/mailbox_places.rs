//! How many mailboxes are connected and watched, of one person, of one org, of all: also where many come at once, on both engines.

use doorcode::ops::mailboxes::{self, Wanted};
use doorcode_core::Secret;
use doorcode_core::mailbox::{Credentials, Security};

use crate::agentotp_cast::*;
use crate::mailboxes::{PATH, made, mailbox};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_people_who_come_at_once_no_more_are_connected_than_there_are_places() {
    let cast = Cast::with(&[("DOORCODE_CAPTURE__MAILBOXES__MOST", "3")]).await;
    let mut people = vec![cast.whose];
    for name in ["eve", "bob", "carl", "dan", "fay"] {
        people.push(person(&cast.app, &format!("{name}@example.com")).await.1);
    }
    let app = &cast.app.app;
    let wanted = || Wanted {
        name: String::new(),
        host: "imap.example.com".to_owned(),
        port: None,
        security: Security::Tls,
        login: "ada@example.com".to_owned(),
        credentials: Credentials::Password(Secret::new("x".to_owned())),
        addresses: Vec::new(),
        folder: None,
    };
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
