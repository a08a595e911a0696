//! The guess budgets against whoever tries to beat them (docs/threat-model.md): networks, resends, new challenges,
//! other addresses, other days. What is compared is counted; who is owner is never locked out.

use doorcode::clock::Stopwatch;
use doorcode::steady;
use doorcode_core::Timestamp;

use axum::body::Body;
use axum::http::Method;
use futures_util::StreamExt as _;
use serde_json::json;

use crate::app::{Answer, HERE, MOMENT, TestApp, VERIFY, hours, minutes, not, seconds, wrong};
use crate::postgres;

const ADA: &str = "ada@example.com";

/// An attacker's place: every number another /24.
fn stranger(n: usize) -> String {
    format!("198.{}.{}.7", 18 + n / 250, n % 250)
}

/// Guesses wrong so often from one place, against this right code.
async fn guess(app: &TestApp, from: &str, email: &str, code: &str, times: usize) {
    for _ in 0..times {
        assert_eq!(app.from(from).verify(email, &not(code)).await.both(), wrong());
    }
}

/// How many guesses were compared so far.
fn compared(app: &TestApp) -> u64 {
    app.counted("checks", "wrong")
}

/// A house in which somebody signed in from [`HERE`], eleven minutes ago.
async fn with_ada() -> TestApp {
    let app = TestApp::new().await;
    app.from(HERE).sign_in(ADA).await;
    app.advance(minutes(11));
    app
}

#[tokio::test]
async fn five_tries_a_network_and_code() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    guess(&app, HERE, ADA, &code, 4).await;
    assert_eq!(app.verify(ADA, &code).await.status, 200, "the fifth is compared");
    let code = app.code("bob@example.com").await;
    guess(&app, HERE, "bob@example.com", &code, 5).await;
    assert_eq!(app.verify("bob@example.com", &code).await.both(), wrong(), "the sixth is not");
    // A neighbour has its own, and is sent the same code; whoever has none left is sent one that needs none.
    assert_eq!(app.from("192.0.2.77").code("bob@example.com").await, code);
    let long = app.code("bob@example.com").await;
    assert_eq!(long.len(), 13);
    assert_eq!(app.verify("bob@example.com", &code).await.both(), wrong(), "and the short one stays closed to it");
    assert_eq!(app.from("192.0.2.77").verify("bob@example.com", &code).await.status, 200);
    assert_eq!(app.verify("bob@example.com", &long).await.both(), wrong(), "both are over");
}

/// Somebody who mistypes five times is not locked out for the rest of the hour.
#[tokio::test]
async fn a_client_that_tried_itself_out_gets_in_by_the_long_code() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    guess(&app, HERE, ADA, &code, 5).await;
    let long = app.code(ADA).await;
    assert_eq!(app.code(ADA).await, long, "a resend is the same code");
    assert_eq!(app.verify(ADA, &long).await.status, 200);
    assert_eq!(app.code(ADA).await.len(), 6, "with the next code the tries begin anew");
}

#[tokio::test]
async fn an_ipv6_network_is_its_first_64_bits() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    for n in 0..20 {
        guess(&app, &format!("2001:db8:0:1::{n}"), ADA, &code, 1).await;
    }
    assert_eq!(compared(&app), 5);
    assert_eq!(app.from("2001:db8:0:1:ffff::1").verify(ADA, &code).await.both(), wrong());
    assert_eq!(app.from("2001:db8:0:2::1").verify(ADA, &code).await.status, 200);
}

#[tokio::test]
async fn a_forwarding_header_makes_no_new_network() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    for n in 0..20 {
        for name in ["x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip"] {
            let liar = app.from("198.18.0.1").saying(name, &stranger(n));
            assert_eq!(liar.verify(ADA, &not(&code)).await.both(), wrong());
        }
    }
    assert_eq!(compared(&app), 5);
}

#[tokio::test]
async fn whoever_names_a_place_of_their_own_choice_has_no_repeat_and_is_not_remembered() {
    let app = TestApp::new().await;
    let liar = app.from(HERE).saying("x-forwarded-for", "10.0.0.1");
    let code = liar.code(ADA).await;
    assert_eq!(liar.verify(ADA, &code).await.status, 200);
    assert_eq!(liar.verify(ADA, &code).await.both(), wrong());
    assert_eq!(app.number("SELECT count(*) FROM targets WHERE ltrim(known, '0') <> ''"), 0);
}

#[tokio::test]
async fn ten_guesses_a_day_of_all_strangers_however_many_they_are() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    for n in 0..100 {
        guess(&app, &stranger(n), ADA, &code, 1).await;
    }
    assert_eq!(compared(&app), 10);
    assert_eq!(app.verify(ADA, &code).await.both(), wrong(), "not even the right one");
    assert_eq!(app.number("SELECT count(*) FROM challenges WHERE state = 1"), 0);
}

#[tokio::test]
async fn new_codes_and_other_days_add_no_guesses_to_a_day() {
    let app = TestApp::new().await;
    let first = app.now();
    let mut times: Vec<(Timestamp, u64)> = Vec::new();
    // Every two hours for four days: a new code, and twelve guesses at it from six networks.
    for round in 0..48 {
        let code = app.code(ADA).await;
        let before = compared(&app);
        for n in 0..6 {
            // Once the code is a long one, any six digits stand for a guess.
            let target = if code.len() == 6 { code.as_str() } else { "123456" };
            guess(&app, &stranger(round * 6 + n), ADA, target, 2).await;
        }
        times.push((app.now(), compared(&app) - before));
        app.advance(hours(2));
    }
    for (at, _) in &times {
        let day = times.iter().filter(|(then, _)| then >= at && *then < at.plus(hours(24)));
        assert!(day.map(|(_, count)| count).sum::<u64>() <= 10, "a day from {at}");
    }
    assert!(compared(&app) >= 30, "the pool fills again day by day, or this test proves nothing");
    assert!(app.now() > first);
}

#[tokio::test]
async fn sixty_consecutive_strangers_guesses_and_no_more_until_a_success() {
    let mut app = TestApp::new().await;
    let mut rounds = 0;
    for day in 0..30 {
        let code = app.code(ADA).await;
        if code.len() == 6 {
            rounds += 1;
            guess(&app, &stranger(2 * day), ADA, &code, 5).await;
            guess(&app, &stranger(2 * day + 1), ADA, &code, 5).await;
        }
        app.advance(hours(24));
        app.retain().await;
    }
    assert_eq!((compared(&app), rounds), (60, 6));
    assert_eq!(app.number("SELECT max(streak) FROM targets"), 60, "retention does not make it forget");
    // A success, by the long code, begins anew.
    let long = app.code(ADA).await;
    assert_eq!(long.len(), 13);
    assert_eq!(app.from("192.0.2.200").verify(ADA, &long).await.status, 200);
    assert_eq!(app.from(&stranger(99)).code(ADA).await.len(), 6);
}

/// A code that the owner asked for is short, whatever strangers did: their own count stops them.
#[tokio::test]
async fn the_owners_short_code_gives_strangers_no_more_than_sixty() {
    let app = with_ada().await;
    for day in 0..10 {
        let code = app.code(ADA).await;
        assert_eq!(code.len(), 6);
        for n in 0..4 {
            guess(&app, &stranger(4 * day + n), ADA, &code, 5).await;
        }
        assert_eq!(compared(&app), (10 * (day as u64 + 1)).min(60));
        app.advance(hours(25));
    }
}

#[tokio::test]
async fn retention_forgets_no_streak_and_no_known_client() {
    let mut app = with_ada().await;
    let code = app.code("bob@example.com").await;
    guess(&app, &stranger(1), "bob@example.com", &code, 5).await;
    app.advance(hours(24 * 60));
    app.retain().await;
    assert_eq!(app.number("SELECT count(*) FROM challenges"), 1, "what is over has left, and the decoy has not");
    assert_eq!(app.number("SELECT max(streak) FROM targets"), 5, "what still counts has not");
    let code = app.code(ADA).await;
    guess(&app, HERE, ADA, &code, 1).await;
    assert_eq!(app.number("SELECT max(known_streak) FROM targets"), 1, "and Ada is still known here");
}

#[tokio::test]
async fn known_clients_have_twenty_a_day_and_forty_in_a_row() {
    let app = with_ada().await;
    let mut lengths = Vec::new();
    for _ in 0..5 {
        // One network has five tries a code, so that the day's twenty take four codes.
        for _ in 0..5 {
            let code = app.code(ADA).await;
            lengths.push(code.len());
            if code.len() == 6 {
                guess(&app, HERE, ADA, &code, 5).await;
            }
            app.advance(hours(1));
        }
        app.advance(hours(24));
    }
    assert_eq!(compared(&app), 40);
    assert_eq!(lengths[..5], [6, 6, 6, 6, 13]);
    assert_eq!(lengths[5..10], [6, 6, 6, 6, 13]);
    assert!(lengths[10..].iter().all(|length| *length == 13), "forty in a row: {lengths:?}");
}

#[tokio::test]
async fn strangers_can_not_spend_what_the_owner_needs() {
    let app = with_ada().await;
    let code = app.code(ADA).await;
    for n in 0..40 {
        guess(&app, &stranger(n), ADA, &code, 5).await;
    }
    assert_eq!(compared(&app), 10);
    guess(&app, HERE, ADA, &code, 4).await;
    assert_eq!(compared(&app), 14, "the owner's own pool is untouched");
    assert_eq!(app.verify(ADA, &code).await.status, 200);
    // And where the owner is a stranger too, the next message carries what needs no budget.
    let elsewhere = app.from("203.0.113.50");
    let long = elsewhere.code(ADA).await;
    assert_eq!(long.len(), 13);
    assert!(long.bytes().all(|b| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&b)), "{long}");
    // As people type it: in groups, in lower case, with an o for the nought.
    let typed = format!("{}-{} {}", &long[..4], &long[4..8], &long[8..]).to_lowercase().replace('0', "o");
    assert_eq!(elsewhere.verify(ADA, &typed).await.status, 200);
}

#[tokio::test]
async fn a_short_entry_is_never_compared_with_a_long_code() {
    let app = with_ada().await;
    let code = app.code(ADA).await;
    for n in 0..2 {
        guess(&app, &stranger(n), ADA, &code, 5).await;
    }
    app.advance(hours(1));
    let long = app.from(&stranger(9)).code(ADA).await;
    assert_eq!(long.len(), 13);
    // Ada is known, her pool is full: what she enters is paid for, and there is only the long code.
    for entry in [&long[..6], &long[7..], &long[..12], "000000"] {
        assert_eq!(app.verify(ADA, entry).await.both(), wrong());
    }
    assert_eq!(app.number("SELECT max(known_streak) FROM targets"), 0, "nothing to compare with, nothing to charge");
    assert_eq!(app.verify(ADA, &long).await.status, 200);
}

#[tokio::test]
async fn wrong_long_entries_cost_no_pool_but_the_networks() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    for _ in 0..60 {
        assert_eq!(app.from("198.51.100.9").verify(ADA, "0123456789ABC").await.both(), wrong());
    }
    assert_eq!(app.number("SELECT max(streak) FROM targets"), 0);
    assert_eq!((compared(&app), app.counted("checks", "refused")), (60, 0));
    app.from("198.51.100.9").verify(ADA, "0123456789ABC").await;
    assert_eq!((compared(&app), app.counted("checks", "refused")), (60, 1), "W holds for these too");
    assert_eq!(app.verify(ADA, &code).await.status, 200);
}

#[tokio::test]
async fn both_codes_are_over_when_one_is_used() {
    let app = with_ada().await;
    let short = app.code(ADA).await;
    for n in 0..2 {
        guess(&app, &stranger(n), ADA, &short, 5).await;
    }
    let elsewhere = app.from("203.0.113.50");
    let long = elsewhere.code(ADA).await;
    assert_eq!((short.len(), long.len()), (6, 13));
    assert_eq!(app.code(ADA).await, short, "known and unknown live side by side");
    assert_eq!(elsewhere.verify(ADA, &long).await.status, 200);
    assert_eq!(app.verify(ADA, &short).await.both(), wrong());
    assert_eq!(app.number("SELECT count(*) FROM challenges WHERE state = 0"), 0);
}

#[tokio::test]
async fn a_success_gives_back_its_own_guess_and_the_streak_but_not_the_day() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    guess(&app, &stranger(1), ADA, &code, 3).await;
    assert_eq!(app.from("203.0.113.50").verify(ADA, &code).await.status, 200);
    // Without the entries of no time, which keep room.
    let misses = "SELECT max(length(replace(misses, '0000000000000', ''))) / 13 FROM targets";
    let streak = "SELECT max(streak) FROM targets";
    assert_eq!((app.number(misses), app.number(streak)), (3, 0));
    let code = app.code(ADA).await;
    guess(&app, &stranger(2), ADA, &code, 5).await;
    guess(&app, &stranger(3), ADA, &code, 5).await;
    assert_eq!((app.number(misses), app.number(streak)), (10, 7), "seven were left of the day");
}

#[tokio::test]
async fn a_row_keeps_its_size() {
    if postgres::is_wanted() {
        return; // About the embedded engine's file.
    }
    let app = TestApp::new().await;
    let texts = "SELECT max(length(sends || known_sends || misses || known_misses || tries || known)) FROM targets";
    let times = "SELECT count(*) FROM targets WHERE min(sent_at, short_until, repeat_until) < 1099511627776";
    app.code(ADA).await;
    let fresh = app.number(texts);
    for day in 0..30 {
        let code = app.code(ADA).await;
        guess(&app, HERE, ADA, &code, 3).await;
        assert_eq!(app.number(texts), fresh, "day {day}, wrong guesses");
        assert_eq!(app.verify(ADA, &code).await.status, 200);
        assert_eq!(app.number(texts), fresh, "day {day}, the right one");
        assert_eq!(app.number(times), 0, "a time that is short would shrink it");
        app.advance(hours(24) + MOMENT);
    }
}

#[tokio::test]
async fn who_is_known_is_known_for_ninety_days_there_and_nowhere_else() {
    let app = with_ada().await;
    let code = app.code("bob@example.com").await;
    guess(&app, HERE, "bob@example.com", &code, 1).await;
    let pools = "SELECT max(streak) * 100 + max(known_streak) FROM targets";
    assert_eq!(app.number(pools), 100, "a stranger to Bob");
    app.advance(hours(24 * 90) - minutes(11) - MOMENT);
    let code = app.code(ADA).await;
    guess(&app, HERE, ADA, &code, 1).await;
    assert_eq!(app.number(pools), 101, "known to Ada");
    app.advance(MOMENT);
    guess(&app, HERE, ADA, &code, 2).await;
    assert_eq!(app.number(pools), 201, "and now no more");
}

#[tokio::test]
async fn nothing_is_charged_where_nothing_could_be_right() {
    let app = TestApp::new().await;
    guess(&app, &stranger(1), ADA, "123456", 20).await;
    // The owner comes later and finds every pool full.
    let code = app.from(&stranger(1)).code(ADA).await;
    assert_eq!(code.len(), 6);
    guess(&app, &stranger(1), ADA, &code, 4).await;
    assert_eq!(app.from(&stranger(1)).verify(ADA, &code).await.status, 200);
}

#[tokio::test]
async fn a_used_code_is_guessed_at_by_nobody_else_for_free() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    assert_eq!(app.verify(ADA, &code).await.status, 200);
    guess(&app, &stranger(1), ADA, &code, 1).await;
    assert_eq!(app.number("SELECT max(streak) FROM targets"), 1, "for ten seconds some entry would be right");
    app.advance(seconds(10));
    guess(&app, &stranger(1), ADA, &code, 1).await;
    assert_eq!(app.number("SELECT max(streak) FROM targets"), 1);
}

#[tokio::test]
async fn four_digits_are_guarded_more() {
    let app = TestApp::with(&[("DOORCODE_DOOR__OUTX__CODE_LENGTH", "4")]).await;
    let code = app.code(ADA).await;
    assert_eq!(code.len(), 4);
    for n in 0..10 {
        guess(&app, &stranger(n), ADA, &code, 4).await;
    }
    assert_eq!(compared(&app), 3);
    assert_eq!(app.from("203.0.113.50").code(ADA).await.len(), 13);
}

#[tokio::test]
async fn every_refusal_looks_like_every_other() {
    let app = with_ada().await;
    let code = app.code(ADA).await;
    let mut answers: Vec<Answer> = vec![app.verify("nobody@example.com", "123456").await];
    for n in 0..12 {
        answers.push(app.from(&stranger(n)).verify(ADA, &not(&code)).await);
    }
    answers.push(app.from(&stranger(50)).verify(ADA, &code).await);
    answers.push(app.verify(ADA, "0123456789ABC").await);
    for answer in &mut answers {
        answer.headers.remove("x-request-id");
    }
    for answer in &answers {
        assert_eq!((answer.both(), &answer.headers), (wrong(), &answers[0].headers));
    }
}

/// No answer comes before its time, however little it took to find; what the work took does not show in it.
#[tokio::test]
async fn answers_that_must_not_tell_leave_at_their_time() {
    const FOR_ALL: std::time::Duration = std::time::Duration::from_millis(40);
    let app = TestApp::with(&[("DOORCODE_SERVER__STEADY_AFTER", "40ms")]).await;
    let code = app.code(ADA).await;
    let mut early = Vec::new();
    for address in [ADA, "nobody@example.com", "no address"] {
        let watch = Stopwatch::start();
        app.verify(address, &not(&code)).await;
        early.extend((watch.elapsed() < FOR_ALL).then(|| format!("verify {address}")));
        let watch = Stopwatch::start();
        app.start(address).await;
        early.extend((watch.elapsed() < FOR_ALL).then(|| format!("send {address}")));
    }
    // Each is a route that takes a form or a body, and not one that was renamed since.
    for path in steady::HELD {
        let watch = Stopwatch::start();
        let answer = app.from(HERE).send_as("application/x-www-form-urlencoded", path, "email=ada%40example.com").await;
        assert!(![404, 405].contains(&answer.status), "{path}: {}", answer.status);
        early.extend((watch.elapsed() < FOR_ALL).then(|| path.to_owned()));
    }
    // The attack: the last byte comes late, so that only the work itself is left to wait for.
    let late = std::time::Duration::from_millis(50);
    let body = json!({ "email": ADA, "otp": not(&code) }).to_string();
    let pieces = [body[..body.len() - 1].to_owned(), body[body.len() - 1..].to_owned()];
    let pieces = futures_util::stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(if piece.len() == 1 { late } else { std::time::Duration::ZERO }).await;
        Ok::<_, std::convert::Infallible>(piece)
    });
    let watch = Stopwatch::start();
    let answer = app.from(HERE).send(Method::POST, VERIFY, Body::from_stream(pieces)).await;
    assert_eq!(answer.both(), wrong());
    early.extend((watch.elapsed() < late + FOR_ALL).then(|| "a body that came late".to_owned()));
    assert!(early.is_empty(), "left before their time: {early:?}");
}

/// The disk stalls for longer than a right answer may be repeated; whoever gave up meanwhile says it again.
#[tokio::test]
async fn a_right_answer_that_waited_for_the_disk_can_be_repeated() {
    if postgres::is_wanted() {
        return; // About the embedded engine's file.
    }
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    let (db, clock) = (app.app.db.clone(), app.app.clock.clone());
    let (go_on, stalled) = std::sync::mpsc::channel();
    let stalled = std::sync::Arc::new(std::sync::Mutex::new(stalled));
    let stall = tokio::spawn(async move {
        db.write(move |_| {
            Box::pin(async move {
                stalled.lock().unwrap().recv().unwrap();
                clock.advance(seconds(15));
                Ok(())
            })
        })
        .await
    });
    tokio::task::yield_now().await;
    let asked = app.now();
    let asks = async { app.verify(ADA, &code).await.status };
    let ends = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        go_on.send(()).unwrap();
    };
    assert_eq!(tokio::join!(asks, ends).0, 200);
    assert_eq!(app.now(), asked.plus(seconds(15)), "it waited");
    stall.await.unwrap().unwrap();
    app.advance(seconds(5));
    assert_eq!(app.verify(ADA, &code).await.status, 200);
}
