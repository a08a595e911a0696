//! What one network may try over all addresses, *W* of the security rules: sixty guesses an hour of one place, six
//! hundred of its neighbourhood; and that whoever has none left can't fill the tables either.

use crate::app::{HERE, MOMENT, TestApp, hours, minutes, not, seconds, stand_ins, wrong};

/// A guess at an address that nobody asked for.
async fn guess(app: &TestApp, from: &str, n: usize) {
    assert_eq!(app.from(from).verify(&format!("a{n}@example.com"), "123456").await.both(), wrong());
}

#[tokio::test]
async fn sixty_an_hour_over_all_addresses_then_not_even_the_right_one() {
    let app = TestApp::new().await;
    let owner = app.from("203.0.113.50");
    let codes = [owner.code("ada@example.com").await, owner.code("bob@example.com").await];
    for n in 0..59 {
        guess(&app, HERE, n).await;
    }
    assert_eq!(app.verify("ada@example.com", &codes[0]).await.status, 200, "the sixtieth, which it is given back");
    guess(&app, HERE, 59).await;
    app.advance(hours(1) - MOMENT);
    assert_eq!(app.verify("bob@example.com", &codes[1]).await.both(), wrong());
    // The address was not charged for what was not compared.
    assert_eq!(app.number("SELECT max(streak) FROM targets"), 0);
    let code = owner.code("bob@example.com").await;
    app.advance(MOMENT);
    assert_eq!(app.verify("bob@example.com", &code).await.status, 200);
}

#[tokio::test]
async fn another_network_does_not_pay_for_it() {
    let app = TestApp::new().await;
    let code = app.code("ada@example.com").await;
    for n in 0..80 {
        guess(&app, HERE, n).await;
    }
    assert_eq!(app.from("192.0.2.2").verify("ada@example.com", &code).await.status, 200);
}

#[tokio::test]
async fn a_neighbourhood_has_a_limit_of_its_own() {
    let app = TestApp::with(&[("DOORCODE_LIMITS__GUESS__WIDE_HOUR", "20")]).await;
    for (place, neighbour, other) in [
        (&(|n| format!("198.51.100.{n}")) as &dyn Fn(usize) -> String, "198.51.100.200", "198.51.101.1"),
        (&|n| format!("2001:db8:7:{n:x}::1"), "2001:db8:7:ffff::1", "2001:db8:8::1"),
    ] {
        for n in 0..19 {
            guess(&app, &place(n), n).await;
        }
        let code = app.code("ada@example.com").await;
        assert_eq!(app.from(neighbour).verify("ada@example.com", &code).await.status, 200, "the twentieth, given back");
        for n in 19..40 {
            guess(&app, &place(n), n).await;
        }
        app.advance(seconds(20));
        let code = app.from("192.0.2.99").code("ada@example.com").await;
        assert_eq!(app.from(neighbour).verify("ada@example.com", &code).await.both(), wrong());
        assert_eq!(app.from(other).verify("ada@example.com", &code).await.status, 200, "next door");
        app.advance(seconds(20));
    }
}

#[tokio::test]
async fn what_a_neighbourhood_has_no_room_for_costs_the_network_nothing() {
    let limits = [("DOORCODE_LIMITS__GUESS__WIDE_HOUR", "5"), ("DOORCODE_LIMITS__GUESS__NETWORK_HOUR", "3")];
    let app = TestApp::with(&limits).await;
    for n in 0..5 {
        guess(&app, &format!("198.51.100.{n}"), n).await;
    }
    app.advance(minutes(30));
    for n in 5..15 {
        guess(&app, "198.51.100.77", n).await;
    }
    app.advance(minutes(30));
    let code = app.code("ada@example.com").await;
    assert_eq!(
        app.from("198.51.100.77").verify("ada@example.com", &code).await.status,
        200,
        "its own hour is untouched"
    );
}

#[tokio::test]
async fn a_right_answer_and_its_repeats_cost_a_network_nothing() {
    let app = TestApp::with(&[("DOORCODE_LIMITS__GUESS__NETWORK_HOUR", "3")]).await;
    for n in 0..6 {
        let email = format!("a{n}@example.com");
        let code = app.code(&email).await;
        for _ in 0..3 {
            assert_eq!(app.verify(&email, &code).await.status, 200, "an office behind one address");
        }
    }
    let code = app.code("b@example.com").await;
    for _ in 0..3 {
        assert_eq!(app.verify("b@example.com", &not(&code)).await.both(), wrong());
    }
    assert_eq!(app.verify("b@example.com", &code).await.both(), wrong());
}

#[tokio::test]
async fn guesses_can_not_fill_the_tables() {
    let mut app = TestApp::new().await;
    let rows = |app: &TestApp| (app.number("SELECT count(*) FROM targets"), app.number("SELECT count(*) FROM meters"));
    for n in 0..400 {
        guess(&app, HERE, n).await;
    }
    assert_eq!(rows(&app), (stand_ins(), 2), "no row of an address that nobody asked for");
    // The next address's row stands in for it, and says the same as before.
    let code = app.code("ada@example.com").await;
    let said = "SELECT count(*) FROM targets WHERE ltrim(tries, '.,') || ltrim(misses, '0') <> '' OR streak <> 0";
    for n in 0..400 {
        guess(&app, &format!("198.51.100.{}", n % 200), n).await;
    }
    assert_eq!((rows(&app).0, app.number(said)), (stand_ins() + 1, 0));
    assert_eq!(app.from("192.0.2.9").verify("ada@example.com", &code).await.status, 200);
    // And what says nothing any more leaves.
    app.advance(hours(25));
    app.retain().await;
    assert_eq!(rows(&app), (stand_ins() + 1, 0), "Ada is known for longer");
}

#[tokio::test]
async fn the_window_begins_with_its_first_use() {
    let app = TestApp::with(&[("DOORCODE_LIMITS__GUESS__NETWORK_HOUR", "2")]).await;
    let counted = |app: &TestApp| (app.counted("checks", "wrong"), app.counted("checks", "refused"));
    let ask = async |app: &TestApp| {
        for n in 0..8 {
            app.from("203.0.113.50").code(&format!("a{n}@example.com")).await;
        }
    };
    ask(&app).await;
    guess(&app, HERE, 1).await;
    app.advance(minutes(59));
    ask(&app).await;
    guess(&app, HERE, 2).await;
    guess(&app, HERE, 3).await;
    assert_eq!(counted(&app), (2, 1));
    app.advance(seconds(60) - MOMENT);
    guess(&app, HERE, 4).await;
    assert_eq!(counted(&app), (2, 2));
    app.advance(MOMENT);
    guess(&app, HERE, 5).await;
    guess(&app, HERE, 6).await;
    assert_eq!(counted(&app), (4, 2));
    app.advance(MOMENT);
    guess(&app, HERE, 7).await;
    assert_eq!(counted(&app), (4, 3), "the new window began with its own first use");
}

#[tokio::test]
async fn a_full_network_still_gets_its_codes() {
    let app = TestApp::new().await;
    for n in 0..61 {
        guess(&app, HERE, n).await;
    }
    assert_eq!(app.start("ada@example.com").await.status, 200, "guesses and sends are counted apart");
}

#[tokio::test]
async fn a_trusted_proxy_names_the_client_and_nobody_else_does() {
    let app = TestApp::with(&[
        ("DOORCODE_PROXY__HEADER", "X-Forwarded-For"),
        ("DOORCODE_PROXY__TRUSTED", "10.0.0.0/8,2001:db8:ffff::/48"),
    ])
    .await;
    let code = app.from("10.0.0.1").saying("x-forwarded-for", "203.0.113.50").code("ada@example.com").await;
    // What the client wrote itself stands on the left, and is not believed.
    for n in 0..20 {
        let hops = format!("198.18.{n}.1, 198.51.100.66, 10.7.7.7");
        let client = app.from("10.0.0.1").saying("x-forwarded-for", &hops);
        assert_eq!(client.verify("ada@example.com", &not(&code)).await.both(), wrong());
    }
    assert_eq!(app.counted("checks", "wrong"), 5, "one client");
    // Another header is not the one that was named, and a peer that is no proxy names nobody.
    for n in 0..20 {
        let other = app.from("198.51.100.67").saying("forwarded", &format!("for=198.18.{n}.2"));
        assert_eq!(other.verify("ada@example.com", &not(&code)).await.both(), wrong());
    }
    assert_eq!(app.counted("checks", "wrong"), 10, "one more");
    let long = app.from("2001:db8:ffff::1").saying("x-forwarded-for", "203.0.113.50").code("ada@example.com").await;
    let client = app.from("10.0.0.1").saying("x-forwarded-for", "203.0.113.50");
    assert_eq!(client.verify("ada@example.com", &long).await.status, 200);
    assert_eq!(client.verify("ada@example.com", &long).await.status, 200, "a client like any other: it may repeat");
}

/// SQLite writes no page whose bytes stay the same, and a commit of nothing needs no sync: its time would show.
#[tokio::test]
async fn every_guess_writes_a_row_also_where_nothing_is_left_to_pay_with() {
    let app = TestApp::new().await;
    app.code("ada@example.com").await;
    app.advance(hours(2));
    let turns = "SELECT sum(turn) FROM targets";
    for n in 0..70 {
        let before = app.number(turns);
        // An address with a row, then some without.
        let email = if n % 2 == 0 { "ada@example.com".to_owned() } else { format!("a{n}@example.com") };
        assert_eq!(app.verify(&email, "123456").await.both(), wrong());
        assert_ne!(app.number(turns), before, "guess {n}");
    }
}
