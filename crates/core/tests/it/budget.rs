//! Budgets: the numbers of the security rules, the windows, and somebody who tries to beat them.

use std::time::Duration;

use doorcode_core::budget::{chance, may_guess, may_send, retry_after};
use doorcode_core::{Alphabet, Class, GuessPolicy, KNOWN_FOR, Ring, SendPolicy, Shape, Timestamp, Window};
use proptest::prelude::*;

use crate::shape;

const START: i64 = 1_800_000_000_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const CLASSES: [Class; 2] = [Class::Stranger, Class::Known];

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

fn ms(millis: i64) -> Duration {
    Duration::from_millis(millis.try_into().unwrap())
}

/// A ring of these times, given oldest first.
fn ring(times: &[i64]) -> String {
    times.iter().rev().map(|time| Ring::entry(at(*time))).collect()
}

#[test]
fn the_numbers_of_the_security_rules() {
    let usual = GuessPolicy::for_shape(shape(Alphabet::Digits, 6));
    assert_eq!(
        usual,
        GuessPolicy {
            per_code: 5,
            stranger_day: 10,
            stranger_streak: 60,
            known_day: 20,
            known_streak: 40,
            network_hour: 60,
            wide_hour: 600,
        }
    );
    // NIST SP 800-63B-4 section 3.2.2.
    assert_eq!(usual.stranger_streak + usual.known_streak, 100);
    let spare = GuessPolicy::for_shape(shape(Alphabet::Digits, 4));
    assert_eq!((spare.per_code, spare.stranger_day, spare.known_day), (3, 3, 3));
    assert_eq!((spare.stranger_streak, spare.known_streak), (10, 10));
    assert_eq!((spare.network_hour, spare.wide_hour), (60, 600));
    let sends = SendPolicy::default();
    assert_eq!((sends.stranger_hour, sends.stranger_day, sends.known_day), (6, 20, 10));
    assert_eq!((sends.trickle, sends.org_day), (ms(HOUR), 100_000));
    assert_eq!((sends.kept(Class::Stranger), sends.kept(Class::Known)), (20, 10));
    assert_eq!(KNOWN_FOR, ms(90 * DAY));
}

#[test]
fn whatever_is_weaker_than_six_digits_is_guarded_more() {
    let six = shape(Alphabet::Digits, 6);
    for alphabet in [Alphabet::Digits, Alphabet::Letters, Alphabet::Crockford] {
        for length in 4..=13 {
            let shape = shape(alphabet, length);
            let strict = GuessPolicy::for_shape(shape).per_code == 3;
            assert_eq!(strict, shape.bits() < six.bits(), "{shape:?}");
        }
    }
}

/// The figures that docs/limits.md publishes.
#[test]
fn the_chance_is_what_the_docs_say() {
    let six = shape(Alphabet::Digits, 6);
    let chances = chance(six, &GuessPolicy::for_shape(six));
    assert!((chances.per_day - 6e-5).abs() < 1e-12, "{chances:?}");
    assert!((chances.between_successes - 2e-4).abs() < 1e-12, "{chances:?}");
    let four = shape(Alphabet::Digits, 4);
    let chances = chance(four, &GuessPolicy::for_shape(four));
    assert!((chances.per_day - 1.2e-3).abs() < 1e-12, "{chances:?}");
    assert!((chances.between_successes - 4e-3).abs() < 1e-12, "{chances:?}");
    // No default is worse than four digits, and a policy without sense is no chance above one.
    for alphabet in [Alphabet::Digits, Alphabet::Letters, Alphabet::Crockford] {
        for length in 4..=13 {
            let shape = shape(alphabet, length);
            assert!(chance(shape, &GuessPolicy::for_shape(shape)).per_day <= 1.200_001e-3);
        }
    }
    let open = GuessPolicy { stranger_day: u32::MAX, known_streak: u32::MAX, ..GuessPolicy::for_shape(four) };
    assert!(chance(four, &open).per_day <= 1.0 && chance(four, &open).between_successes <= 1.0);
    assert!(chance(Shape::LONG, &GuessPolicy::for_shape(Shape::LONG)).per_day < 1e-17);
}

#[test]
fn a_ring_is_text_that_sql_can_cut() {
    assert_eq!(Ring::entry(Timestamp::from_millis(42)), "0000000000042");
    assert_eq!(Ring::entry(Timestamp::from_millis(-42)), "0000000000000");
    assert_eq!(Ring::entry(Timestamp::from_millis(i64::MAX)), "9999999999999");
    let three = ring(&[1, 2, 3]);
    assert_eq!(three.len(), 39);
    assert_eq!(Ring::nth(&three, 1), Some(at(3)));
    assert_eq!(Ring::nth(&three, 3), Some(at(1)));
    for absent in [0, 4, 5, usize::MAX] {
        assert_eq!(Ring::nth(&three, absent), None);
    }
    for broken in ["", "1", "180000000000", "-800000000000", "+800000000000", "18000000000é0"] {
        assert_eq!(Ring::nth(broken, 1), None, "{broken}");
    }
    assert_eq!(Ring::push(&three, at(4), 3), ring(&[2, 3, 4]));
    assert_eq!(Ring::push("", at(4), 3), ring(&[4]));
    assert_eq!(Ring::refund(&Ring::push(&three, at(4), 4)), three);
    assert_eq!(Ring::refund(""), "");
}

#[test]
fn a_window_is_open_when_the_nth_newest_is_as_old_as_it() {
    let two = Window { limit: 2, span: ms(HOUR) };
    assert!(two.allows("", at(0)));
    assert!(two.allows(&ring(&[0]), at(0)));
    assert!(!two.allows(&ring(&[0, 0]), at(0)));
    assert!(!two.allows(&ring(&[0, 5]), at(HOUR - 1)));
    assert!(two.allows(&ring(&[0, 5]), at(HOUR)));
    assert_eq!(two.retry_after(&ring(&[0, 5]), at(10)), ms(HOUR - 10));
    assert_eq!(two.retry_after(&ring(&[0, 5]), at(HOUR)), Duration::ZERO);
    let none = Window { limit: 0, span: ms(HOUR) };
    assert!(!none.allows("", at(0)));
    assert_eq!(none.retry_after("", at(0)), ms(HOUR));
}

#[test]
fn strangers_send_six_an_hour_twenty_a_day_then_one_an_hour() {
    let policy = SendPolicy::default();
    let wait = |times: &[i64], now| retry_after(&ring(times), &policy, Class::Stranger, at(now));
    assert_eq!(wait(&[], 0), Duration::ZERO);
    assert_eq!(wait(&[0, 1, 2, 3, 4], 5), Duration::ZERO);
    // The sixth of an hour closes it until the first of the six is an hour old.
    assert_eq!(wait(&[0, 1, 2, 3, 4, 5], 6), ms(HOUR - 6));
    assert_eq!(wait(&[0, 1, 2, 3, 4, 5], HOUR), Duration::ZERO);
    // Twenty in a day, the last just now: one an hour.
    let twenty: Vec<i64> = (0..20).map(|i| i * HOUR / 2).collect();
    assert_eq!(wait(&twenty, 19 * HOUR / 2), ms(HOUR));
    assert_eq!(wait(&twenty, 19 * HOUR / 2 + 1), ms(HOUR - 1));
    assert_eq!(wait(&twenty, 21 * HOUR / 2), Duration::ZERO);
    // The day opens before the hour is over.
    let late: Vec<i64> = (0..19).map(|i| i * HOUR / 2).chain([DAY - 10]).collect();
    assert_eq!(wait(&late, DAY - 3), ms(3));
    // A clock that went back makes nobody wait longer than an hour and the step.
    assert_eq!(wait(&twenty, 0), ms(19 * HOUR / 2 + HOUR));
}

#[test]
fn known_clients_have_ten_a_day_of_their_own() {
    let policy = SendPolicy::default();
    let ten: Vec<i64> = (0..10).collect();
    assert_eq!(retry_after(&ring(&ten[1..]), &policy, Class::Known, at(10)), Duration::ZERO);
    assert_eq!(retry_after(&ring(&ten), &policy, Class::Known, at(10)), ms(DAY - 10));
    assert_eq!(retry_after(&ring(&ten), &policy, Class::Known, at(DAY)), Duration::ZERO);
}

/// Somebody who sends whenever it is allowed, for three days, asking every second.
#[test]
fn the_greediest_sender() {
    let policy = SendPolicy::default();
    let (mut kept, mut sent) = (String::new(), Vec::new());
    for second in 0..3 * 86_400 {
        let now = second * 1000;
        if may_send(&kept, &policy, Class::Stranger, at(now)) {
            sent.push(now);
            kept = Ring::push(&kept, at(now), 20);
        }
    }
    // Six at once, every hour, until twenty are reached; then one an hour, never none.
    let most = |span: i64| (0..sent.len()).map(|i| sent[i..].iter().take_while(|t| **t < sent[i] + span).count()).max();
    assert_eq!(most(HOUR), Some(6));
    assert_eq!(sent.iter().filter(|t| **t < 3 * HOUR).count(), 18);
    assert_eq!(sent.iter().filter(|t| **t < 4 * HOUR).count(), 20);
    assert!(sent.windows(2).all(|pair| pair[1] - pair[0] <= HOUR));
    assert_eq!(sent.iter().filter(|t| (DAY..2 * DAY).contains(*t)).count(), 24);
}

/// What a class has done so far.
#[derive(Default)]
struct Pool {
    ring: String,
    streak: u32,
    /// Times of wrong guesses, and how many there were since the last success.
    wrong: Vec<i64>,
}

proptest! {
    #[test]
    fn entries_sort_like_times(a in 0i64..9_999_999_999_999, b in 0i64..9_999_999_999_999) {
        let (a, b) = (Timestamp::from_millis(a), Timestamp::from_millis(b));
        prop_assert_eq!(a.cmp(&b), Ring::entry(a).cmp(&Ring::entry(b)));
        prop_assert_eq!(Ring::nth(&Ring::entry(a), 1), Some(a));
    }

    /// The predicate is the comparison of text that the SQL statement makes.
    #[test]
    fn the_window_is_the_statement(mut times in prop::collection::vec(0..3 * HOUR, 0..12), limit in 1u32..12, now in 0..4 * HOUR) {
        times.sort_unstable();
        let ring = ring(&times);
        let window = Window { limit, span: ms(HOUR) };
        // substr(ring, 13 * (limit - 1) + 1, 13) <= entry(now - span), where a missing entry is the empty text.
        let from = (13 * (limit as usize - 1)).min(ring.len());
        let cut = &ring[from..(from + 13).min(ring.len())];
        prop_assert_eq!(window.allows(&ring, at(now)), cut <= Ring::entry(at(now).minus(window.span)).as_str());
        // And it is the count of a sliding window, if nothing lies ahead.
        if times.last().is_none_or(|last| *last <= now) {
            let inside = times.iter().filter(|time| **time > now - HOUR).count();
            prop_assert_eq!(window.allows(&ring, at(now)), inside < limit as usize);
        }
        prop_assert_eq!(window.allows(&ring, at(now)), window.retry_after(&ring, at(now)).is_zero());
    }

    /// `retry_after` is exact: a millisecond earlier is refused, that moment is allowed, and so is every later one.
    #[test]
    fn the_wait_is_exact(mut times in prop::collection::vec(0..30 * HOUR, 0..25), now in 0..30 * HOUR, later in 0..DAY, class in 0usize..2) {
        times.sort_unstable();
        times.retain(|time| *time <= now);
        let (class, policy) = (CLASSES[class], SendPolicy::default());
        let kept = policy.kept(class) as usize;
        let ring = ring(&times[times.len().saturating_sub(kept)..]);
        let wait = retry_after(&ring, &policy, class, at(now));
        let opens = at(now).plus(wait);
        prop_assert!(may_send(&ring, &policy, class, opens));
        prop_assert!(may_send(&ring, &policy, class, opens.plus(ms(later))));
        prop_assert_eq!(wait.is_zero(), may_send(&ring, &policy, class, at(now)));
        if !wait.is_zero() {
            prop_assert!(!may_send(&ring, &policy, class, opens.minus(ms(1))));
        }
        // Never none: nobody waits longer than an hour, and known clients no longer than a day.
        let longest = if class == Class::Stranger { ms(HOUR) } else { ms(DAY) };
        prop_assert!(wait <= longest);
        // The rule in words.
        let within = |span: i64| times.iter().filter(|time| **time > now - span).count();
        let expected = match class {
            Class::Stranger => within(HOUR) < 6 && within(DAY) < 20 || within(HOUR) == 0,
            Class::Known => within(DAY) < 10,
        };
        prop_assert_eq!(wait.is_zero(), expected);
    }

    /// Somebody who tries to beat the bound: any schedule of guesses by both classes, with successes of the owner in
    /// between, over weeks. No 24 hours see more than 10 and 20 wrong comparisons, no time between successes more
    /// than 60 and 40.
    #[test]
    fn no_schedule_adds_guesses(steps in prop::collection::vec((prop_oneof![Just(0), 1..HOUR, Just(HOUR), Just(DAY), 1..2 * DAY], 0usize..2, 0u8..40), 1..700)) {
        let policy = GuessPolicy::for_shape(shape(Alphabet::Digits, 6));
        let mut pools = [Pool::default(), Pool::default()];
        let mut now = 0;
        for (step, class, event) in steps {
            now += step;
            // Guesses come in bursts, until refused.
            for burst in 0..25 {
                let pool = &mut pools[class];
                if !may_guess(&pool.ring, pool.streak, &policy, CLASSES[class], at(now)) {
                    break;
                }
                pool.ring = Ring::push(&pool.ring, at(now), policy.day(CLASSES[class]).limit as usize);
                pool.streak += 1;
                if event == 0 && burst == 3 {
                    // A success refunds its own debit and clears both streaks, never the pools of the day.
                    pool.ring = Ring::refund(&pool.ring).to_owned();
                    pools[0].streak = 0;
                    pools[1].streak = 0;
                    break;
                }
                pool.wrong.push(now);
            }
            for (pool, class) in pools.iter().zip(CLASSES) {
                let today = pool.wrong.iter().filter(|time| **time > now - DAY).count();
                prop_assert!(today <= policy.day(class).limit as usize);
                prop_assert!(pool.streak <= policy.streak(class));
            }
            prop_assert!(pools[0].streak + pools[1].streak <= 100);
        }
        for (pool, limit) in pools.iter().zip([10, 20]) {
            for (i, first) in pool.wrong.iter().enumerate() {
                prop_assert!(pool.wrong[i..].iter().take_while(|time| **time < first + DAY).count() <= limit);
            }
        }
    }
}
