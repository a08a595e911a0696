//! Tries at a webhook: how often, how far apart, under which id, when they end; and that no receiver, however bad, is in
//! the way of another one.

use doorcode::deliver::webhooks::{PATIENCE, WAITS};
use doorcode::ops::outbox::LEASE;
use doorcode::ops::webhooks;
use doorcode::store::webhook_messages::{self, State};
use doorcode_core::Error;
use tokio::task::JoinSet;

use crate::app::{MOMENT, TestApp, hours, seconds};
use crate::receiver::{Receiver, Reply};
use crate::webhooks::{ORG, OTHER, again, happen, hook, house, message, messages, send, sender};

#[tokio::test]
async fn what_failed_is_tried_again_under_the_same_id() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    let (webhook, secret) = hook(&app, ORG, &receiver.url(), &["*"]).await;
    receiver.next(Reply::Status(500));
    happen(&app, ORG, "user.signed_in").await;
    assert_eq!(send(&app).await, 1);
    let first = message(&app, &webhook).await;
    assert_eq!((first.state, first.attempts, first.status), (State::Due, 1, Some(500)));
    assert_eq!(again(&app, &webhook).await.failing_since, Some(app.now()));
    let wait = first.due_at.since(app.now());
    assert!(seconds(5) * 9 / 10 <= wait && wait <= seconds(5) * 11 / 10, "{wait:?}");
    app.advance(wait - MOMENT);
    assert_eq!(send(&app).await, 0);
    app.advance(MOMENT);
    assert_eq!(send(&app).await, 1);
    let got = receiver.got();
    assert_eq!((got.len(), got[0].id(), &got[0].body), (2, got[1].id(), &got[1].body));
    assert!(got.iter().all(|got| got.is_signed_with(&secret)), "each with its own time");
    assert_ne!(got[0].headers["webhook-timestamp"], got[1].headers["webhook-timestamp"]);
    let then = message(&app, &webhook).await;
    assert_eq!((then.state, then.attempts, then.status, then.failure), (State::Delivered, 2, Some(200), None));
    assert_eq!(again(&app, &webhook).await.failing_since, None);
}

#[tokio::test]
async fn tries_grow_rare_and_end_and_can_be_asked_for_again() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    let (webhook, _) = hook(&app, ORG, &receiver.url(), &["*"]).await;
    receiver.always(Reply::Status(503));
    happen(&app, ORG, "user.signed_in").await;
    for full in WAITS {
        assert_eq!(send(&app).await, 1);
        let wait = message(&app, &webhook).await.due_at.since(app.now());
        assert!(full * 9 / 10 <= wait && wait <= full * 11 / 10, "{wait:?} for {full:?}");
        app.advance(wait);
    }
    assert_eq!(send(&app).await, 1);
    let ended = message(&app, &webhook).await;
    assert_eq!((ended.state, ended.attempts), (State::GaveUp, 7));
    app.advance(hours(48));
    assert_eq!(send(&app).await, 0);
    receiver.always(Reply::Status(204));
    let replayed = webhooks::replay(&app.app, ORG, webhook.id, ended.id).await.unwrap();
    assert_eq!((replayed.state, replayed.attempts, replayed.status), (State::Due, 0, None));
    let twice = webhooks::replay(&app.app, ORG, webhook.id, ended.id).await;
    assert!(matches!(twice, Err(Error::Conflict(_))));
    assert_eq!(send(&app).await, 1);
    // What was delivered can be asked for again as well.
    webhooks::replay(&app.app, ORG, webhook.id, ended.id).await.unwrap();
    assert_eq!(send(&app).await, 1);
    let got = receiver.got();
    assert_eq!(got.len(), 9);
    assert!(got.iter().all(|it| it.id() == got[0].id() && it.body == got[0].body));
}

#[tokio::test]
async fn a_redirect_is_a_failure() {
    let (receiver, inner) = (Receiver::open().await, Receiver::open().await);
    let app = house(&[&receiver]).await;
    let (webhook, _) = hook(&app, ORG, &receiver.url(), &["*"]).await;
    receiver.next(Reply::Redirect(inner.url()));
    happen(&app, ORG, "user.signed_in").await;
    send(&app).await;
    let message = message(&app, &webhook).await;
    assert_eq!((message.state, message.status), (State::Due, Some(307)));
    assert_eq!(message.failure.as_deref(), Some("the answer is a redirect, and those are not followed"));
    assert!(inner.got().is_empty());
}

#[tokio::test]
async fn whoever_never_answers_holds_nobody_up() {
    let (dead, other, well) = (Receiver::open().await, Receiver::open().await, Receiver::open().await);
    let app = house(&[&dead, &other, &well]).await;
    dead.always(Reply::Hang);
    other.always(Reply::Hang);
    hook(&app, ORG, &dead.url(), &["*"]).await;
    hook(&app, ORG, &other.url(), &["*"]).await;
    for _ in 0..100 {
        happen(&app, ORG, "user.signed_in").await;
    }
    hook(&app, OTHER, &well.url(), &["*"]).await;
    for _ in 0..6 {
        happen(&app, OTHER, "user.signed_in").await;
    }
    let (sender, mut tries) = (sender(&app), JoinSet::new());
    // Whatever of it comes first, the tries that hang are still on their way when the others have ended.
    sender.begin_due(&mut tries).await.unwrap();
    while well.got().len() < 6 {
        // Before one that hangs is given up.
        let ended = tokio::time::timeout(seconds(14), tries.join_next()).await;
        assert!(ended.is_ok(), "the other org's message waits for those that hang");
        sender.begin_due(&mut tries).await.unwrap();
    }
    while dead.got().len() + other.got().len() < 8 {
        tokio::task::yield_now().await;
    }
    assert_eq!((dead.got().len(), other.got().len()), (4, 4), "and has no more than its share");
}

#[tokio::test]
async fn where_tries_fail_one_at_a_time_is_made() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    hook(&app, ORG, &receiver.url(), &["*"]).await;
    receiver.always(Reply::Status(500));
    happen(&app, ORG, "user.signed_in").await;
    send(&app).await;
    receiver.always(Reply::Hang);
    for _ in 0..10 {
        happen(&app, ORG, "user.signed_in").await;
    }
    let (sender, mut tries) = (sender(&app), JoinSet::new());
    for _ in 0..3 {
        sender.begin_due(&mut tries).await.unwrap();
    }
    assert_eq!(tries.len(), 1);
}

#[tokio::test]
async fn gone_ends_it_and_the_others_hear_of_that() {
    let (receiver, other) = (Receiver::open().await, Receiver::open().await);
    let app = house(&[&receiver, &other]).await;
    let (webhook, _) = hook(&app, ORG, &receiver.url(), &["user.signed_in"]).await;
    hook(&app, ORG, &other.url(), &["webhook.disabled"]).await;
    receiver.next(Reply::Status(410));
    let event = happen(&app, ORG, "user.signed_in").await;
    send(&app).await;
    let gone = message(&app, &webhook).await;
    assert_eq!((gone.event, gone.state, gone.status), (event, State::GaveUp, Some(410)));
    assert_eq!(again(&app, &webhook).await.disabled_at, Some(app.now()));
    assert_eq!(other.got()[0].json()["data"]["id"], webhook.id.to_string());
    happen(&app, ORG, "user.signed_in").await;
    assert_eq!((send(&app).await, receiver.got().len()), (0, 1));
    assert!(matches!(webhooks::test(&app.app, ORG, webhook.id).await, Err(Error::Conflict(_))));
    assert!(matches!(webhooks::replay(&app.app, ORG, webhook.id, gone.id).await, Err(Error::Conflict(_))));
    assert_eq!(webhooks::set_enabled(&app.app, ORG, webhook.id, true).await.unwrap().disabled_at, None);
    happen(&app, ORG, "user.signed_in").await;
    assert_eq!((send(&app).await, receiver.got().len()), (1, 2));
}

#[tokio::test]
async fn what_has_failed_for_days_is_disabled_and_its_messages_are_dropped() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    let (webhook, _) = hook(&app, ORG, &receiver.url(), &["user.signed_in"]).await;
    receiver.always(Reply::Status(500));
    happen(&app, ORG, "user.signed_in").await;
    send(&app).await;
    app.advance(PATIENCE - MOMENT);
    send(&app).await;
    assert_eq!(again(&app, &webhook).await.disabled_at, None);
    happen(&app, ORG, "user.signed_in").await;
    happen(&app, ORG, "user.signed_in").await;
    app.advance(MOMENT);
    send(&app).await;
    assert_eq!(again(&app, &webhook).await.disabled_at, Some(app.now()));
    app.advance(hours(1));
    send(&app).await;
    let left = messages(&app, &webhook).await;
    assert!(left.iter().all(|message| message.state == State::Dropped), "{left:?}");
    assert_eq!(receiver.got().len(), 3);
}

#[tokio::test]
async fn a_crash_between_sending_and_recording_sends_the_same_again() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    let (webhook, secret) = hook(&app, ORG, &receiver.url(), &["*"]).await;
    happen(&app, ORG, "user.signed_in").await;
    send(&app).await;
    // As the row was before: taken, and never heard of again.
    let due = app.now().plus(LEASE).millis();
    app.tamper(&format!("UPDATE webhook_messages SET state = 0, attempts = 0, due_at = {due}"));
    let (folder, config, now) = app.close().await;
    let app = TestApp::open(folder, config, now).await.unwrap();
    assert_eq!(send(&app).await, 0, "somebody may be at it");
    let free = app.app.db.write(move |tx| Box::pin(webhook_messages::free_leases(tx, now, LEASE)));
    assert_eq!(free.await.unwrap(), 1, "the only server there is knows better");
    assert_eq!(send(&app).await, 1);
    let got = receiver.got();
    assert_eq!((got.len(), got[0].id(), &got[0].body), (2, got[1].id(), &got[1].body));
    assert!(got[1].is_signed_with(&secret), "the secret is the same after a restart");
    assert_eq!(message(&app, &webhook).await.state, State::Delivered);
}

#[tokio::test]
async fn leases_are_freed_and_retries_keep_their_time() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    let (webhook, _) = hook(&app, ORG, &receiver.url(), &["*"]).await;
    receiver.always(Reply::Status(500));
    happen(&app, ORG, "user.signed_in").await;
    send(&app).await;
    app.advance(seconds(6));
    send(&app).await;
    let (now, due) = (app.now(), message(&app, &webhook).await.due_at);
    assert!(due > now.plus(LEASE));
    app.app.db.write(move |tx| Box::pin(webhook_messages::free_leases(tx, now, LEASE))).await.unwrap();
    assert_eq!(message(&app, &webhook).await.due_at, due);
}

#[tokio::test]
async fn no_message_goes_to_two_senders() {
    let receiver = Receiver::open().await;
    let app = house(&[&receiver]).await;
    hook(&app, ORG, &receiver.url(), &["*"]).await;
    for _ in 0..40 {
        happen(&app, ORG, "user.signed_in").await;
    }
    let (one, other) = (sender(&app), sender(&app));
    let (sent, also) = tokio::join!(one.deliver_due(), other.deliver_due());
    assert_eq!(sent.unwrap() + also.unwrap(), 40);
    let ids: std::collections::HashSet<_> = receiver.got().iter().map(|got| got.id().to_owned()).collect();
    assert_eq!((ids.len(), receiver.got().len()), (40, 40));
}
