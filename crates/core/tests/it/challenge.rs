//! The judge: every row of its table.

use std::time::Duration;

use doorcode_core::challenge::{REPEAT_WINDOW, REPEATS, judge};
use doorcode_core::{Standing, State, Timestamp, Verdict};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn after(millis: i64) -> Timestamp {
    Timestamp::from_millis(NOW.millis() + millis)
}

/// All 3 × 3 × 2 × 3 × 2 rows, against the sentence of the security rules rather than against the code.
#[test]
fn every_row_of_the_table() {
    let (mut right, mut repeat, mut wrong) = (0, 0, 0);
    for state in [State::Pending, State::Consumed, State::Void] {
        for expires_in in [-1, 0, 1] {
            for same_client in [false, true] {
                for repeats in [0, REPEATS - 1, REPEATS] {
                    for matched in [false, true] {
                        let standing = Standing { state, expires_at: after(expires_in), same_client, repeats };
                        let verdict = judge(&standing, matched, NOW);
                        let expected = if state == State::Pending && expires_in == 1 && matched {
                            Verdict::Right
                        } else if state == State::Consumed && matched && same_client && expires_in == 1 && repeats < 8 {
                            Verdict::Repeat
                        } else {
                            Verdict::Wrong
                        };
                        assert_eq!(verdict, expected, "{standing:?} {matched}");
                        match verdict {
                            Verdict::Right => right += 1,
                            Verdict::Repeat => repeat += 1,
                            Verdict::Wrong => wrong += 1,
                        }
                    }
                }
            }
        }
    }
    // Counted by hand: one deadline of three, matched; pending: 2 × 3; consumed, same client: 2.
    assert_eq!((right, repeat, wrong), (6, 2, 108 - 8));
}

#[test]
fn a_repeat_has_its_window_and_no_longer() {
    let standing =
        Standing { state: State::Consumed, expires_at: after(-1).plus(REPEAT_WINDOW), same_client: true, repeats: 0 };
    assert_eq!(judge(&standing, true, after(9_998)), Verdict::Repeat);
    assert_eq!(judge(&standing, true, after(9_999)), Verdict::Wrong);
}

#[test]
fn one_to_nine_successes() {
    assert_eq!((REPEAT_WINDOW, REPEATS), (Duration::from_secs(10), 8));
}

#[test]
fn states_are_stored_as_these_numbers() {
    for (state, number) in [(State::Pending, 0), (State::Consumed, 1), (State::Void, 2)] {
        assert_eq!(state.to_i64(), number);
        assert_eq!(State::from_i64(number), Some(state));
    }
    for unknown in [-1, 3, i64::MIN, i64::MAX] {
        assert_eq!(State::from_i64(unknown), None);
    }
}

proptest! {
    #[test]
    fn a_mismatch_is_never_more_than_wrong(state in 0i64..3, expires: i64, same: bool, repeats: u32, now: i64) {
        let standing = Standing {
            state: State::from_i64(state).unwrap(),
            expires_at: Timestamp::from_millis(expires),
            same_client: same,
            repeats,
        };
        let now = Timestamp::from_millis(now);
        prop_assert_eq!(judge(&standing, false, now), Verdict::Wrong);
        if standing.state == State::Void {
            prop_assert_eq!(judge(&standing, true, now), Verdict::Wrong);
        }
        if !same {
            prop_assert_ne!(judge(&standing, true, now), Verdict::Repeat);
        }
    }
}
