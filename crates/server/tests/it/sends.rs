//! The send budgets (docs/limits.md): six an hour and twenty a day for strangers, then one an hour and never
//! none; ten a day of their own for known clients; networks and orgs. A refusal says exactly when to come back.

use std::time::Duration;

use crate::app::{Answer, HERE, MOMENT, TestApp, error, hours, minutes, seconds};

const ADA: &str = "ada@example.com";

/// A place that nobody else in the test has.
fn place(n: usize) -> String {
    format!("198.{}.{}.7", 18 + n / 250, n % 250)
}

/// The refusal in the door's words, and after how many seconds to come back.
fn limited(answer: &Answer) -> u64 {
    assert_eq!(answer.both(), (429, error("Rate limit exceeded. Please try again later.")));
    answer.header("retry-after").map_or(0, |text| text.parse().unwrap_or_default())
}

/// Starts from a new place each time, as far as it is let.
async fn starts(app: &TestApp, email: &str, times: usize, from: usize) -> usize {
    let mut sent = 0;
    for n in 0..times {
        sent += usize::from(app.from(&place(from + n)).start(email).await.status == 200);
    }
    sent
}

#[tokio::test]
async fn six_an_hour_whoever_asks() {
    let app = TestApp::new().await;
    assert_eq!(starts(&app, ADA, 6, 0).await, 6);
    app.advance(minutes(10) + Duration::from_millis(400));
    let refused = app.from(&place(50)).start(ADA).await;
    assert_eq!(limited(&refused), 3000, "rounded up to a whole second");
    app.advance(seconds(3000) - Duration::from_millis(401));
    assert_eq!(limited(&app.start(ADA).await), 1);
    app.advance(MOMENT);
    assert_eq!(app.start(ADA).await.status, 200);
}

/// Spellings of one mailbox share its budget, and none is passed over that is asked for at the same moment as another.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn spellings_that_are_asked_for_at_once_are_each_sent_and_all_counted() {
    let app = TestApp::new().await;
    let spellings: Vec<String> =
        (1..=5).map(|at| format!("{}.{}@example.com", &"abcdef"[..at], &"abcdef"[at..])).collect();
    let places: Vec<String> = (0..spellings.len()).map(place).collect();
    let clients: Vec<_> = places.iter().map(|place| app.from(place)).collect();
    let asked = clients.iter().zip(&spellings).map(|(client, spelling)| client.start(spelling));
    let answers = futures_util::future::join_all(asked).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    app.deliver_due().await;
    for spelling in &spellings {
        assert_eq!(app.messages(spelling), 1, "{spelling}");
    }
    assert_eq!(starts(&app, "abcdef@example.com", 3, 20).await, 1, "six an hour, of which five are gone");
}

#[tokio::test]
async fn twenty_a_day_then_one_an_hour_and_never_none() {
    let app = TestApp::new().await;
    let first = app.now();
    let mut sent = Vec::new();
    // Somebody tries every ten minutes for three days.
    for n in 0..(3 * 24 * 6) {
        if app.from(&place(n)).start(ADA).await.status == 200 {
            sent.push(app.now());
        }
        app.advance(minutes(10));
    }
    let within = |from: usize, span: Duration| sent[from..].iter().take_while(|at| at.since(sent[from]) < span).count();
    for n in 0..sent.len() {
        assert!(within(n, hours(1)) <= 6);
    }
    assert!(within(0, hours(24)) > 20, "the trickle goes on");
    let twentieth = sent[19];
    let later: Vec<_> = sent.iter().filter(|at| **at > twentieth && at.since(first) < hours(24)).collect();
    for pair in later.windows(2) {
        assert!(pair[1].since(*pair[0]) >= hours(1), "beyond twenty, an hour apart");
    }
    for pair in sent.windows(2) {
        assert!(pair[1].since(pair[0]) <= hours(1), "an hour without a message is never asked for");
    }
}

#[tokio::test]
async fn known_clients_have_ten_of_their_own() {
    let app = TestApp::new().await;
    app.from(HERE).sign_in(ADA).await;
    app.advance(hours(24));
    // Strangers use theirs up; the owner does not notice.
    assert_eq!(starts(&app, ADA, 30, 0).await, 6);
    for _ in 0..10 {
        assert_eq!(app.start(ADA).await.status, 200);
    }
    assert_eq!(limited(&app.start(ADA).await), 3600, "and after ten, as good as a stranger");
    assert_eq!(app.number("SELECT max(length(known_sends)) / 13 FROM targets"), 10);
}

#[tokio::test]
async fn a_known_client_is_told_the_sooner_of_its_two_chances() {
    let app = TestApp::new().await;
    app.from(HERE).sign_in(ADA).await;
    app.advance(hours(24));
    for _ in 0..10 {
        assert_eq!(app.start(ADA).await.status, 200);
    }
    app.advance(hours(23) + minutes(30));
    assert_eq!(starts(&app, ADA, 6, 0).await, 6);
    assert_eq!(limited(&app.start(ADA).await), 1800, "its own pool opens before the strangers'");
    assert_eq!(limited(&app.from(&place(9)).start(ADA).await), 3600);
    app.advance(minutes(30));
    assert_eq!(app.start(ADA).await.status, 200);
}

#[tokio::test]
async fn dots_and_tags_share_one_purse() {
    let app = TestApp::new().await;
    let spellings =
        ["ada@example.com", "a.da@example.com", "ada+1@example.com", "A.D.A+2@example.com", "ada+3@example.com"];
    for (n, email) in spellings.iter().enumerate() {
        assert_eq!(app.from(&place(n)).start(email).await.status, 200);
    }
    assert_eq!(app.start("ada+4@example.com").await.status, 200);
    for email in spellings {
        assert_eq!(limited(&app.start(email).await), 3600, "{email}");
    }
    assert_eq!(app.start("adb@example.com").await.status, 200);
    assert_eq!(app.start("ada@example.org").await.status, 200);
    // For sending they are one, for proving they are six.
    assert_eq!(app.number("SELECT count(*) FROM challenges WHERE destination LIKE '%@example.com'"), 7);
}

/// The attack: empty the purse that all spellings share, then ask for one. Only an account there has a message an hour of its
/// own, so the answer would tell.
#[tokio::test]
async fn an_empty_purse_does_not_tell_which_spelling_has_an_account() {
    let app = TestApp::new().await;
    let (account, none) = ("a.da@example.com", "ad.a@example.com");
    app.from(HERE).sign_in(account).await;
    app.advance(hours(25));
    assert_eq!(starts(&app, ADA, 6, 0).await, 6);
    let ask = async |n: usize| {
        let mut answers = Vec::new();
        for email in [account, none] {
            let answer = app.from(&place(n)).start(email).await;
            answers.push((answer.both(), answer.header("retry-after").map(str::to_owned)));
        }
        answers
    };
    let first = ask(50).await;
    assert_eq!(first[0].0.0, 200);
    assert_eq!(first[0].1, first[1].1);
    let told = |email: &str| first[0].0.1.replace(account, email);
    assert_eq!(first[1].0, (200, told(none)));
    let again = ask(51).await;
    assert_eq!(again[0].0.0, 429);
    assert_eq!(again[0], again[1]);
    app.deliver_due().await;
    assert_eq!(
        (app.messages(account), app.messages(none)),
        (2, 0),
        "the owner has it; a spelling of nobody's gets nothing"
    );
    assert_eq!(app.number("SELECT count(*) FROM deliveries WHERE state = 0"), 0);
}

/// The attack: make every +tag one that needs a long code, of which the first goes out whatever is used up.
#[tokio::test]
async fn tags_do_not_multiply_the_free_long_code() {
    let app = TestApp::new().await;
    let spellings: Vec<String> = (0..6).map(|n| format!("ada+{n}@example.com")).collect();
    for (n, email) in spellings.iter().enumerate() {
        assert_eq!(app.from(&place(n)).start(email).await.status, 200);
    }
    app.deliver_due().await;
    let sent = |app: &TestApp| spellings.iter().map(|email| app.messages(email)).sum::<usize>();
    assert_eq!(sent(&app), 6);
    // No code has a symbol less than this, and it is a guess all the same.
    for email in &spellings {
        for network in [100, 101] {
            for _ in 0..5 {
                app.from(&place(network)).verify(email, "0").await;
            }
        }
    }
    for round in 0..3 {
        for (n, email) in spellings.iter().enumerate() {
            app.from(&place(200 + n + 10 * round)).start(email).await;
        }
        app.deliver_due().await;
    }
    assert_eq!(sent(&app), 6, "the hour's six, and not one more");
    assert_eq!(app.number("SELECT count(*) FROM targets WHERE long_until > 0"), 6, "they were answered as if");
}

#[tokio::test]
async fn a_network_may_ask_sixty_times_an_hour_over_all_addresses() {
    let app = TestApp::new().await;
    for n in 0..60 {
        assert_eq!(app.start(&format!("a{n}@example.com")).await.status, 200);
        app.advance(seconds(10));
    }
    let rows = app.number("SELECT count(*) FROM targets");
    assert_eq!(limited(&app.start("one-more@example.com").await), 3000);
    assert_eq!(app.number("SELECT count(*) FROM targets"), rows, "what is refused leaves nothing behind");
    assert_eq!(app.from("192.0.2.2").start("one-more@example.com").await.status, 200, "a neighbour is not refused");
    app.advance(seconds(3000) - MOMENT);
    assert_eq!(limited(&app.start("one-more@example.com").await), 1);
    app.advance(MOMENT);
    assert_eq!(app.start("one-more@example.com").await.status, 200);
}

#[tokio::test]
async fn a_neighbourhood_and_an_org_have_limits_too() {
    let wide = TestApp::with(&[("DOORCODE_LIMITS__SEND__WIDE_HOUR", "5")]).await;
    for n in 0..5 {
        assert_eq!(wide.from(&format!("203.0.113.{n}")).start(&format!("a{n}@example.com")).await.status, 200);
    }
    assert_eq!(limited(&wide.from("203.0.113.99").start("b@example.com").await), 3600);
    assert_eq!(wide.from("203.0.114.1").start("b@example.com").await.status, 200, "the next /24");
    for n in 0..5 {
        let v6 = wide.from(&format!("2001:db8:7:{n}::1"));
        assert_eq!(v6.start(&format!("c{n}@example.com")).await.status, 200);
    }
    assert_eq!(limited(&wide.from("2001:db8:7:ffff::1").start("d@example.com").await), 3600);
    assert_eq!(wide.from("2001:db8:8::1").start("d@example.com").await.status, 200, "the next /48");

    let org = TestApp::with(&[("DOORCODE_LIMITS__SEND__ORG_DAY", "5")]).await;
    for n in 0..5 {
        assert_eq!(org.from(&place(n)).start(&format!("a{n}@example.com")).await.status, 200);
        org.advance(hours(1));
    }
    assert_eq!(limited(&org.from(&place(9)).start("b@example.com").await), 19 * 3600);
    org.advance(hours(19));
    assert_eq!(org.from(&place(9)).start("b@example.com").await.status, 200);
}

#[tokio::test]
async fn a_refused_start_spends_nothing_and_sends_nothing() {
    let app = TestApp::with(&[("DOORCODE_LIMITS__SEND__NETWORK_HOUR", "1")]).await;
    assert_eq!(app.start("a@example.com").await.status, 200);
    for _ in 0..10 {
        limited(&app.start(ADA).await);
    }
    assert_eq!(app.deliver_due().await, 1);
    assert_eq!(app.messages(ADA), 0);
    assert_eq!(starts(&app, ADA, 6, 0).await, 6, "Ada's own six are all there");
    assert_eq!(app.counted("starts", "limited"), 10);
}

#[tokio::test]
async fn retention_never_resets_a_pool() {
    let mut app = TestApp::new().await;
    for sent in [6, 6, 6, 2] {
        assert_eq!(starts(&app, ADA, sent, 0).await, sent);
        app.advance(hours(1));
    }
    app.advance(hours(18));
    app.retain().await;
    assert_eq!(starts(&app, ADA, 6, 20).await, 1, "twenty of this day are spent, there is the one an hour");
    app.advance(hours(2));
    app.retain().await;
    assert_eq!(starts(&app, ADA, 8, 20).await, 5, "the first six are a day old, one took a place of theirs");
}
