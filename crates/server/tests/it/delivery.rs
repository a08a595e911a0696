//! Messages on their way out (issue 2, bad days): what fails for now is tried again until the code is dead, what fails for
//! good is not, a crash anywhere sends the same code again, and nobody is sent what nobody waits for.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;
use std::time::Duration;

use doorcode::config::{Config, Transport};
use doorcode::ops::master_keys;
use doorcode::ops::outbox::longest_try;
use doorcode::store::deliveries;
use tokio::net::TcpListener;

use crate::app::{Folder, HERE, MOMENT, START, TestApp, hours, minutes, seconds, settings};
use crate::post_office::{self, LOST, PostOffice};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const GREY: &str = "451 4.7.1 <ada@example.com>: greylisted, 482913";

/// A house that mails through this port.
async fn house(port_settings: doorcode::deliver::smtp::SmtpSettings) -> TestApp {
    let folder = Folder::new();
    TestApp::open(Arc::clone(&folder), by_mail(&folder, port_settings), START).await.unwrap()
}

fn by_mail(folder: &Folder, smtp: doorcode::deliver::smtp::SmtpSettings) -> Config {
    let mut config = settings(folder, &[]);
    config.mail.transport = Transport::Smtp(Arc::new(smtp));
    config
}

/// State, tries and failure of the newest delivery.
fn newest(app: &TestApp) -> (i64, i64, Option<String>) {
    let of = |column: &str| format!("SELECT {column} FROM deliveries ORDER BY id DESC LIMIT 1");
    let failure = app.folder.text(&of("coalesce(failure, '')"));
    (app.number(&of("state")), app.number(&of("attempts")), Some(failure).filter(|failure| !failure.is_empty()))
}

/// How long until the next message is due.
async fn due_in(app: &TestApp) -> Option<Duration> {
    let next = app.app.db.read(|tx| Box::pin(deliveries::next_due(tx))).await.unwrap();
    next.map(|at| at.since(app.now()))
}

const SENT: i64 = 1;
const GAVE_UP: i64 = 2;
const DROPPED: i64 = 3;

#[tokio::test]
async fn what_is_asked_for_arrives_once() {
    let office = PostOffice::open().await;
    let app = house(office.settings()).await;
    app.start(ADA).await;
    assert_eq!(app.deliver_due().await, 1);
    let mails = office.mails(ADA);
    assert_eq!(mails.len(), 1);
    assert_eq!(newest(&app), (SENT, 1, None));
    app.advance(minutes(30));
    assert_eq!(app.deliver_due().await, 0);
    assert_eq!(app.verify(ADA, &mails[0].code).await.status, 200);
}

#[tokio::test]
async fn greylisting_is_waited_out() {
    let office = PostOffice::open().await;
    let app = house(office.settings()).await;
    office.answer(ADA, GREY);
    app.start(ADA).await;
    app.deliver_due().await;
    let why = "451 4.7.1: the mail server asks to try again later";
    assert_eq!(newest(&app), (0, 1, Some(why.to_owned())), "and nothing of what the server wrote");
    let wait = due_in(&app).await.unwrap();
    assert!(seconds(5) * 3 / 4 < wait && wait <= seconds(5), "{wait:?}");
    office.welcome(ADA);
    app.advance(wait - MOMENT);
    assert_eq!(app.deliver_due().await, 0);
    app.advance(MOMENT);
    assert_eq!(app.deliver_due().await, 1);
    assert_eq!(newest(&app), (SENT, 2, None));
    assert_eq!(app.verify(ADA, &office.mails(ADA)[0].code).await.status, 200);
}

#[tokio::test]
async fn tries_grow_rare_and_end_with_the_code() {
    let office = PostOffice::open().await;
    let app = house(office.settings()).await;
    office.answer(ADA, GREY);
    app.start(ADA).await;
    app.deliver_due().await;
    let mut waits = Vec::new();
    while newest(&app).0 == 0 {
        let wait = due_in(&app).await.unwrap();
        waits.push(wait);
        app.advance(wait);
        assert_eq!(app.deliver_due().await, 1);
    }
    for (n, wait) in waits.iter().enumerate() {
        let full = (seconds(5) * 2_u32.pow(u32::try_from(n).unwrap().min(16))).min(minutes(2));
        assert!(full * 3 / 4 < *wait && *wait <= full, "wait {n}: {wait:?}");
    }
    assert!(waits.iter().sum::<Duration>() < hours(1), "none after the code is dead");
    assert!(waits.iter().sum::<Duration>() > minutes(55), "and some to its end");
    let (state, attempts, _) = newest(&app);
    assert_eq!((state, usize::try_from(attempts).unwrap()), (GAVE_UP, waits.len() + 1));
    assert_eq!(office.asked(ADA), waits.len() + 1);
    // What failed together does not come back together.
    assert!(waits[10..].iter().collect::<std::collections::HashSet<_>>().len() > 5, "{waits:?}");
    app.advance(hours(2));
    assert_eq!(app.deliver_due().await, 0);
}

#[tokio::test]
async fn a_refusal_for_good_is_final() {
    let office = PostOffice::open().await;
    let app = house(office.settings()).await;
    office.answer(ADA, "550 5.1.1 <ada@example.com>: no such user");
    app.start(ADA).await;
    app.deliver_due().await;
    let why = "550 5.1.1: the mail server refuses the recipient";
    assert_eq!(newest(&app), (GAVE_UP, 1, Some(why.to_owned())));
    app.advance(minutes(10));
    assert_eq!(app.deliver_due().await, 0);
    assert_eq!(office.asked(ADA), 1);
    assert_eq!((app.counted("deliveries", "gave_up"), app.counted("deliveries", "retry")), (1, 0));
}

#[tokio::test]
async fn one_address_that_is_refused_holds_no_other_up() {
    let office = PostOffice::open().await;
    let app = house(office.settings()).await;
    office.answer(ADA, GREY);
    for who in [ADA, BOB, ADA, "carol@example.com"] {
        app.start(who).await;
    }
    app.deliver_due().await;
    assert_eq!((office.mails(BOB).len(), office.mails("carol@example.com").len(), office.mails(ADA).len()), (1, 1, 0));
}

#[tokio::test]
async fn a_server_that_is_down_gets_it_when_it_is_back() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let app = house(post_office::settings(port)).await;
    app.start(ADA).await;
    app.deliver_due().await;
    assert_eq!(newest(&app), (0, 1, Some("no connection to the mail server".to_owned())));
    let office = PostOffice::open_at(port).await;
    app.advance(seconds(5));
    assert_eq!(app.deliver_due().await, 1);
    assert_eq!(app.verify(ADA, &office.mails(ADA)[0].code).await.status, 200);
}

/// The connection breaks after the content: the mail may be there, so it is sent again, and must be the same.
#[tokio::test]
async fn a_lost_reply_sends_the_same_mail_again() {
    let office = PostOffice::open().await;
    let app = house(office.settings()).await;
    office.answer(ADA, LOST);
    app.start(ADA).await;
    app.deliver_due().await;
    assert_eq!(newest(&app).0, 0);
    office.welcome(ADA);
    app.advance(seconds(5));
    app.deliver_due().await;
    let mails = office.mails(ADA);
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0], mails[1], "the same code under the same Message-ID");
}

#[tokio::test]
async fn a_crash_between_sending_and_recording_sends_the_same_mail_again() {
    let office = PostOffice::open().await;
    let app = house(office.settings()).await;
    app.start(ADA).await;
    app.deliver_due().await;
    assert_eq!(newest(&app), (SENT, 1, None));
    // As the row was before: taken, and never heard of again.
    let due = app.now().plus(app.app.config.mail.lease).millis();
    app.tamper(&format!("UPDATE deliveries SET state = 0, attempts = 0, due_at = {due}"));
    let (folder, config, now) = app.close().await;
    let app = TestApp::open(folder, config, now).await.unwrap();
    assert_eq!(app.deliver_due().await, 0, "somebody may be at it");
    app.advance(app.app.config.mail.lease);
    assert_eq!(app.deliver_due().await, 1);
    let mails = office.mails(ADA);
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0], mails[1]);
    assert_eq!(app.verify(ADA, &mails[0].code).await.status, 200);
}

#[tokio::test]
async fn a_crash_before_sending_loses_nothing() {
    let office = PostOffice::open().await;
    let app = house(office.settings()).await;
    app.start(ADA).await;
    app.start(BOB).await;
    let (folder, config, now) = app.close().await;
    let app = TestApp::open(folder, config, now).await.unwrap();
    assert_eq!(app.deliver_due().await, 0);
    // The only server there is knows that whoever had them is dead.
    let freed = app.app.db.write(move |tx| Box::pin(deliveries::free_leases(tx, now))).await.unwrap();
    assert_eq!(freed, 2);
    assert_eq!(app.deliver_due().await, 2);
    for who in [ADA, BOB] {
        assert_eq!(app.verify(who, &office.mails(who)[0].code).await.status, 200);
    }
}

#[tokio::test]
async fn what_waited_too_long_in_memory_is_left_to_its_lease() {
    let office = PostOffice::open().await;
    let app = house(office.settings()).await;
    app.start(ADA).await;
    app.advance(app.app.config.mail.lease - longest_try(app.app.config.mail.lease));
    app.deliver_due().await;
    assert_eq!(office.asked(ADA), 0, "its lease could end under the try");
    app.advance(longest_try(app.app.config.mail.lease));
    app.deliver_due().await;
    assert_eq!(office.mails(ADA).len(), 1);
}

#[tokio::test]
async fn a_code_that_was_used_is_not_sent_any_more() {
    let office = PostOffice::open().await;
    let app = house(office.settings()).await;
    app.start(ADA).await;
    app.deliver_due().await;
    office.answer(ADA, GREY);
    app.advance(MOMENT);
    app.start(ADA).await;
    app.deliver_due().await;
    office.welcome(ADA);
    assert_eq!(app.verify(ADA, &office.mails(ADA)[0].code).await.status, 200);
    app.advance(seconds(5));
    app.deliver_due().await;
    assert_eq!(office.mails(ADA).len(), 1);
    assert_eq!(newest(&app), (DROPPED, 1, Some("nobody waits for it".to_owned())));
}

#[tokio::test]
async fn a_code_that_is_dead_is_not_sent_any_more() {
    let office = PostOffice::open().await;
    let app = house(office.settings()).await;
    app.start(ADA).await;
    app.advance(hours(1));
    app.deliver_due().await;
    assert_eq!(office.asked(ADA), 0);
    assert_eq!(newest(&app).0, DROPPED);
}

#[tokio::test]
async fn a_code_whose_key_is_gone_is_not_sent() {
    let app = TestApp::new().await;
    let old = app.app.keys.ring().active().kid;
    app.start(ADA).await;
    let new = master_keys::add(&app.app).await.unwrap();
    master_keys::activate(&app.app, new).await.unwrap();
    app.tamper(&format!("UPDATE master_keys SET state = 'retired' WHERE kid = '{old}'"));
    assert!(app.app.keys.refresh(&app.app.db, app.now()).await.unwrap());
    app.deliver_due().await;
    assert_eq!(app.messages(ADA), 0, "it could not be checked");
    assert_eq!(newest(&app).0, DROPPED);
}

#[tokio::test]
async fn every_start_is_a_message_of_its_own_with_one_code() {
    let office = PostOffice::open().await;
    let app = house(office.settings()).await;
    for _ in 0..3 {
        app.from(HERE).start(ADA).await;
    }
    app.deliver_due().await;
    let mails = office.mails(ADA);
    assert_eq!(mails.len(), 3);
    assert!(mails.iter().all(|mail| mail.code == mails[0].code));
    assert!(mails[0].id != mails[1].id && mails[1].id != mails[2].id, "or a mail program would show one of them");
}

#[tokio::test]
async fn retention_keeps_what_still_waits() {
    let office = PostOffice::open().await;
    let mut app = house(office.settings()).await;
    app.start(ADA).await;
    app.deliver_due().await;
    app.start(BOB).await;
    app.advance(hours(24 * 31));
    app.retain().await;
    assert_eq!(app.number("SELECT count(*) FROM deliveries"), 1, "what ended a month ago leaves, what waits stays");
    app.deliver_due().await;
    assert_eq!((newest(&app).0, office.asked(BOB)), (DROPPED, 0));
    app.retain().await;
    assert_eq!(app.number("SELECT count(*) FROM deliveries"), 0);
}
