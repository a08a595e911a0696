//! When an activity is of now; `request.rs` says it of a signed request of the door `native`. Refuses what was signed an hour ago or earlier, and what claims to be of a later time than clocks go wrong
//! by. The lower bound limits for how long a call that somebody recorded could be made again after its fingerprint was forgotten, so
//! fingerprints are kept for longer than both bounds together.

use std::time::Duration;

use super::refusal::Refusal;
use crate::time::{HOUR, Timestamp};

/// A call must be younger.
pub const PAST: Duration = HOUR;
/// A call may be this much ahead.
pub const AHEAD: Duration = Duration::from_secs(300);
/// For how long an activity is found by its fingerprint.
pub const FINGERPRINTS_KEPT: Duration = Duration::from_secs(2 * HOUR.as_secs());

/// Reads `timestampMs`: decimal digits of milliseconds since 1970.
///
/// # Errors
/// [`Refusal::Request`] for anything else, and for more than 15 digits (the year 33658).
pub fn moment(text: &str) -> Result<Timestamp, Refusal> {
    const DIGITS: usize = 15;
    let digits = (1..=DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let millis = digits.then(|| text.parse().ok()).flatten();
    millis.map(Timestamp::from_millis).ok_or(refused("must be milliseconds since 1970 as a string"))
}

/// Whether a call of that moment is of now.
///
/// # Errors
/// [`Refusal::Request`] if it is too old or too far ahead.
pub fn timely(at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if now.since(at) >= PAST {
        return Err(refused("is more than an hour in the past"));
    }
    if at.since(now) > AHEAD {
        return Err(refused("is more than five minutes in the future"));
    }
    Ok(())
}

const fn refused(why: &'static str) -> Refusal {
    Refusal::Request { field: "timestampMs", why }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn is_timely(offset: i64) -> bool {
        timely(Timestamp::from_millis(NOW + offset), Timestamp::from_millis(NOW)).is_ok()
    }

    #[test]
    fn the_window_has_sharp_edges() {
        assert!(is_timely(0) && is_timely(-3_599_999) && is_timely(300_000));
        assert!(!is_timely(-3_600_000) && !is_timely(300_001));
        assert!(!is_timely(-NOW) && !is_timely(i64::MAX - NOW));
        assert!(timely(Timestamp::from_millis(i64::MAX), Timestamp::from_millis(i64::MIN)).is_err());
        assert!(timely(Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX)).is_err());
    }

    /// The attack: a recorded call is made again once its fingerprint is forgotten.
    #[test]
    fn a_call_is_stale_before_its_fingerprint_is_forgotten() {
        assert!(FINGERPRINTS_KEPT > PAST + AHEAD);
    }

    #[test]
    fn a_moment_is_digits() {
        assert_eq!(moment("1745474677472"), Ok(Timestamp::from_millis(1_745_474_677_472)));
        assert_eq!(moment("0"), Ok(Timestamp::from_millis(0)));
        for bad in ["", "-1", "+1", " 1", "1.5", "1e9", "0x1", "１", "1745474677472000", "now"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }
}
