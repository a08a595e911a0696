//! The store's SQL against the pure functions of `core::budget`, step by step: what a row lets through, and what it then says,
//! is what the functions say, whatever the numbers.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::HashMap;
use std::time::Duration;

use doorcode::store::targets::{self, Candidate, Standing, TargetId};
use doorcode::store::{Db, Tx};
use doorcode_core::budget::{may_guess, may_send, retry_after};
use doorcode_core::{ChallengeId, Class, GuessPolicy, Ring, SendPolicy, Shape, Timestamp};
use proptest::prelude::*;

use crate::app::{Folder, START, hours, minutes};

/// One thing that happens to one row.
#[derive(Clone, Debug)]
enum Deed {
    Wait(Duration),
    Guess {
        class: Class,
        place: u8,
        refund: bool,
    },
    Succeed(Class),
    Send(Class),
    /// The usual start, all in one statement.
    Ask(Class),
    NewCode,
}

fn deed() -> impl Strategy<Value = Deed> {
    let wait = prop_oneof![
        (0_u64..3).prop_map(Duration::from_millis),
        (0_u64..120).prop_map(minutes),
        Just(hours(1)),
        Just(hours(24)),
        Just(hours(24) - Duration::from_millis(1)),
        (0_u64..30).prop_map(hours),
    ];
    let class = prop_oneof![Just(Class::Stranger), Just(Class::Known)];
    prop_oneof![
        3 => wait.prop_map(Deed::Wait),
        6 => (class.clone(), 0_u8..4, prop::bool::weighted(0.3)).prop_map(|(class, place, refund)| Deed::Guess { class, place, refund }),
        1 => class.clone().prop_map(Deed::Succeed),
        4 => class.clone().prop_map(Deed::Send),
        3 => class.prop_map(Deed::Ask),
        1 => Just(Deed::NewCode),
    ]
}

/// A row as the pure functions would keep it.
#[derive(Default, Clone, PartialEq, Debug)]
struct Row {
    guesses: [(String, u32); 2],
    sends: [String; 2],
    tries: HashMap<u8, u32>,
}

const fn nth(class: Class) -> usize {
    match class {
        Class::Stranger => 0,
        Class::Known => 1,
    }
}

/// The entries of a ring that count for something: those of the last day. The others may leave whenever they are in the way.
fn counting(ring: &str, now: Timestamp) -> Vec<Timestamp> {
    (1..).map_while(|n| Ring::nth(ring, n)).take_while(|at| *at > now.minus(hours(24))).collect()
}

async fn same(tx: &mut Tx<'_>, id: &TargetId, row: &Row, send: &SendPolicy, now: Timestamp) {
    let Standing { misses, known_misses, .. } = targets::standing(tx, id).await.unwrap();
    for ((ring, streak), (expected, expected_streak)) in [misses, known_misses].iter().zip(&row.guesses) {
        assert_eq!((counting(ring, now), streak), (counting(expected, now), expected_streak), "{ring} and {expected}");
        assert!(ring.len().is_multiple_of(Ring::WIDTH));
    }
    let (strangers, known) = targets::sends(tx, id).await.unwrap();
    for ((ring, expected), class) in [strangers, known].iter().zip(&row.sends).zip([Class::Stranger, Class::Known]) {
        // A row is born with room for two, also where one is all that is looked at.
        let mut sent = counting(ring, now);
        sent.truncate(send.kept(class) as usize);
        assert_eq!(sent, counting(expected, now), "{ring} and {expected}");
        assert!(ring.len() <= expected.len().max(2 * Ring::WIDTH), "what counts for nothing makes room");
    }
}

async fn replay(tx: &mut Tx<'_>, deeds: &[Deed], guess: &GuessPolicy, send: &SendPolicy) {
    let id: TargetId = [5; 16];
    let (mut row, mut now, mut codes) = (Row::default(), START, 0_u8);
    // Until when there is something to guess at: the code lives, or may be said again.
    let mut live = Timestamp::from_millis(0);
    // Whose code is told, and until when it lives, unless it was used.
    let mut place: Option<(ChallengeId, Timestamp)> = None;
    if !matches!(deeds.first(), Some(Deed::Ask(_))) {
        targets::write(tx, &id).await.unwrap();
    }
    for deed in deeds {
        match deed {
            Deed::Wait(time) => now = now.plus(*time),
            Deed::NewCode => {
                codes += 1;
                let candidate = Candidate {
                    id: ChallengeId::from_bytes([codes; 16]),
                    until: now.plus(hours(1)),
                    unless_after: Timestamp::from_millis(i64::MAX),
                };
                targets::place_challenge(tx, &id, &candidate, false).await.unwrap();
                (place, live) = (Some((candidate.id, candidate.until)), candidate.until);
                row.tries.clear();
            }
            Deed::Guess { class, place, refund } => {
                let (ring, streak) = &mut row.guesses[nth(*class)];
                let tries = row.tries.entry(*place).or_default();
                let may = live > now && may_guess(ring, *streak, guess, *class, now) && *tries < guess.per_code;
                let tag = [b'0' + place, b'a', b'a', b'a', b'a', b'a', b','];
                let did = targets::debit_guess(tx, &id, *class, guess, &tag, now).await.unwrap();
                assert_eq!(did, may, "{deed:?} at {now}: {ring} {streak} {tries}");
                if may {
                    *ring = Ring::push(ring, now, guess.day(*class).limit as usize);
                    (*streak, *tries) = (*streak + 1, *tries + 1);
                }
                if may && *refund {
                    targets::refund(tx, &id, *class).await.unwrap();
                    *ring = Ring::refund(ring).to_owned();
                    (*streak, *tries) = (*streak - 1, *tries - 1);
                }
            }
            Deed::Succeed(class) => {
                let (ring, streak) = &row.guesses[nth(*class)];
                let may = live > now && may_guess(ring, *streak, guess, *class, now);
                // A success comes from a place that has not tried yet.
                if targets::debit_guess(tx, &id, *class, guess, b"999999,", now).await.unwrap() {
                    assert!(may);
                    live = now.plus(Duration::from_secs(10));
                    place = place.map(|(holder, _)| (holder, Timestamp::from_millis(0)));
                    targets::succeed(tx, &id, *class, true, "", live).await.unwrap();
                    let keep = guess.day(*class).limit as usize;
                    let pushed = Ring::push(ring, now, keep);
                    row.guesses[nth(*class)].0 = Ring::refund(&pushed).to_owned();
                    row.guesses.iter_mut().for_each(|(_, streak)| *streak = 0);
                }
            }
            Deed::Ask(class) => {
                let ring = &mut row.sends[nth(*class)];
                let may = may_send(ring, send, *class, now);
                codes += 1;
                let asking = ChallengeId::from_bytes([codes; 16]);
                let candidate = Candidate { id: asking, until: now.plus(hours(1)), unless_after: now.plus(minutes(5)) };
                let told = targets::ask(tx, &id, (*class, send), &candidate, now).await.unwrap();
                assert_eq!(told.is_some(), may, "{deed:?} at {now}: {ring}");
                if may {
                    *ring = Ring::push(ring, now, send.kept(*class) as usize);
                    let free = place.is_none_or(|(_, until)| until <= candidate.unless_after);
                    if free {
                        (place, live) = (Some((asking, candidate.until)), candidate.until);
                        row.tries.clear();
                    }
                    assert_eq!(Some(targets::latest(tx, &id, false).await.unwrap()), place.map(|(holder, _)| holder));
                }
            }
            Deed::Send(class) => {
                let ring = &mut row.sends[nth(*class)];
                let may = may_send(ring, send, *class, now);
                assert_eq!(retry_after(ring, send, *class, now).is_zero(), may);
                let did = targets::debit_send(tx, &id, *class, send, now).await.unwrap();
                assert_eq!(did, may, "{deed:?} at {now}: {ring}");
                if may {
                    *ring = Ring::push(ring, now, send.kept(*class) as usize);
                }
            }
        }
        same(tx, &id, &row, send, now).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_sql_says_what_the_pure_functions_say(
        deeds in prop::collection::vec(deed(), 10..150),
        (tries, stranger_day, stranger_streak, known_day, known_streak) in
            (1_u32..6, 1_u32..12, 1_u32..15, 1_u32..21, 1_u32..15),
        (hour, day, known) in (1_u32..8, 1_u32..25, 1_u32..12),
    ) {
        let usual = GuessPolicy::for_shape(Shape::LONG);
        let guess =
            GuessPolicy { per_code: tries, stranger_day, stranger_streak, known_day, known_streak, ..usual };
        let send = SendPolicy { stranger_hour: hour, stranger_day: day, known_day: known, ..SendPolicy::default() };
        let folder = Folder::new();
        std::fs::create_dir_all(folder.path()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _inside = runtime.enter();
        let db = Db::open(folder.path()).unwrap();
        let done = runtime.block_on(db.write(move |tx| Box::pin(async move {
            replay(tx, &deeds, &guess, &send).await;
            Ok(())
        })));
        prop_assert!(done.is_ok(), "{done:?}");
    }
}
