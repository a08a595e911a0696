//! Attacks that a review found against an earlier draft, tried again here so that nobody simplifies their cure away.

use crate::app::{TestApp, hours, minutes, not, wrong};
use crate::postgres;

const BOSS: &str = "boss@example.com";
const MALLORY: &str = "mallory@example.net";

/// The code of the newest message to the boss.
async fn latest(app: &TestApp) -> String {
    app.deliver_due().await;
    app.last_code(BOSS)
}

/// Whoever can write the database has a code of their own: they point the boss's row at it.
#[tokio::test]
async fn a_code_opens_only_the_address_that_it_was_made_for() {
    if postgres::is_wanted() {
        return; // About the embedded engine's file.
    }
    let app = TestApp::new().await;
    let code = app.code(MALLORY).await;
    app.start(BOSS).await;
    let moved = app
        .database()
        .execute(
            "UPDATE targets SET short_id = unhex((SELECT printf('%016x%016x', head, tail) FROM challenges WHERE destination = ?2)) \
             WHERE short_id = unhex((SELECT printf('%016x%016x', head, tail) FROM challenges WHERE destination = ?1))",
            [BOSS, MALLORY],
        )
        .unwrap();
    assert_eq!(moved, 1);
    assert_eq!(app.verify(BOSS, &code).await.both(), wrong());
    assert_eq!(app.verify(MALLORY, &code).await.status, 200, "it is a good code, where it belongs");
}

/// Every message of the mailbox goes to another spelling of it, hour after hour.
#[tokio::test]
async fn plus_tags_do_not_use_up_the_plain_address() {
    let app = TestApp::new().await;
    for hour in 0..30_u32 {
        let stranger = format!("198.51.100.{}", hour + 1);
        for _ in 0..8 {
            app.from(&stranger).start("boss+zzz@example.com").await;
        }
        assert_eq!(app.start(BOSS).await.status, 200, "hour {hour}");
        let code = latest(&app).await;
        if hour % 10 == 9 {
            assert_eq!(app.verify(BOSS, &code).await.status, 200, "hour {hour}: the mail is of use");
        }
        app.advance(hours(1) + minutes(1));
    }
}

/// Strangers use up the messages and the guesses; the owner, a stranger too, still gets the code that needs no guess.
#[tokio::test]
async fn the_first_long_code_goes_out_whatever_strangers_used_up() {
    let app = TestApp::new().await;
    let short = app.code(BOSS).await;
    for place in ["203.0.113.1", "203.0.113.2"] {
        for _ in 0..3 {
            app.from(place).start(BOSS).await;
        }
        for _ in 0..5 {
            assert_eq!(app.from(place).verify(BOSS, &not(&short)).await.both(), wrong());
        }
    }
    assert_eq!(app.start(BOSS).await.status, 200);
    let long = latest(&app).await;
    assert_eq!(long.len(), 13);
    assert_eq!(app.verify(BOSS, &long).await.status, 200);
}

/// Asking in vain is not free, or one network could lie in wait for every free place.
#[tokio::test]
async fn a_refused_start_is_paid_for_by_its_network() {
    let app = TestApp::new().await;
    let mut answers = Vec::new();
    for _ in 0..61 {
        answers.push(app.from("203.0.113.9").start(BOSS).await.status);
    }
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 6);
    assert_eq!(app.from("203.0.113.9").start("somebody@example.org").await.status, 429, "its hour is used up");
    assert_eq!(app.from("198.51.100.9").start("somebody@example.org").await.status, 200);
}

/// What is left of a network's guesses must not tell whether a code was live where it spent them.
#[tokio::test]
async fn a_guess_costs_the_network_the_same_whether_a_code_is_live() {
    let mut left = Vec::new();
    for live in [true, false] {
        let app = TestApp::new().await;
        if live {
            app.start(BOSS).await;
        }
        for _ in 0..20 {
            assert_eq!(app.from("203.0.113.9").verify(BOSS, "0").await.both(), wrong());
        }
        left.push(app.number("SELECT max(used) FROM meters WHERE used >= 20"));
    }
    assert_eq!(left, [20, 20]);
}

/// Counters tell whoever watches them what became of a guess.
#[tokio::test]
async fn counters_are_for_the_operator() {
    let app = TestApp::new().await;
    assert_eq!(app.from("127.0.0.1").get("/metrics").await.status, 200);
    assert_eq!(app.from("203.0.113.9").get("/metrics").await.status, 404);
    let passed_on = app.from("127.0.0.1").saying("x-forwarded-for", "203.0.113.9").get("/metrics").await;
    assert_eq!(passed_on.status, 404, "a proxy on the same machine");
}

/// Many networks together use up the messages of the day. People who were here before come in all the same.
#[tokio::test]
async fn the_day_of_the_house_is_for_strangers() {
    let app = TestApp::with(&[("DOORCODE_LIMITS__SEND__ORG_DAY", "3")]).await;
    let code = app.code(BOSS).await;
    assert_eq!(app.verify(BOSS, &code).await.status, 200);
    let asked =
        ["a@example.org", "b@example.org", "c@example.org"].map(|email| async { app.start(email).await.status });
    let mut answered = futures_util::future::join_all(asked).await;
    answered.sort_unstable();
    assert_eq!(answered, [200, 200, 429]);
    assert_eq!(app.start(BOSS).await.status, 200);
}
