//! The judgement of an answer. Pure: the statement that debits and reads the row is the server's, what its content
//! means is said here, once, for every door. Refuses to say more than right, repeated or wrong: expired, used, void
//! and mistaken are one answer to the caller (docs/threat-model.md).

use std::time::Duration;

use crate::time::{HOUR, Timestamp};

/// How long the same client may repeat a right answer and see the same success: people paste and press Enter
/// (docs/limits.md).
pub const REPEAT_WINDOW: Duration = Duration::from_secs(10);

/// How many times it may.
pub const REPEATS: u32 = 8;

/// The longest life of a short code: 10 minutes (NIST SP 800-63B-4 section 3.1.3.2).
pub const LIFE: Duration = Duration::from_secs(600);

/// The longest life where a door's published contract promises more: 1 hour (OutX).
pub const LIFE_BY_CONTRACT: Duration = HOUR;

/// How many short codes of one address may live at once in one realm, whatever the door. The guess bound counts on it
/// ([`crate::budget::chance`]).
pub const LIVE_SHORT_CODES: u32 = 2;

/// Where a challenge stands, as stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// Waiting for an answer, until it expires.
    Pending,
    /// Answered. Never pending again.
    Consumed,
    /// Withdrawn: replaced, cancelled or restored from a backup. Never pending again.
    Void,
}

impl State {
    /// The stored number.
    pub const fn to_i64(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Consumed => 1,
            Self::Void => 2,
        }
    }

    /// The state with that number, if there is one.
    pub const fn from_i64(stored: i64) -> Option<Self> {
        match stored {
            0 => Some(Self::Pending),
            1 => Some(Self::Consumed),
            2 => Some(Self::Void),
            _ => None,
        }
    }
}

/// What an answer comes to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// Right, for the first time: consume, and hand over what was earned.
    Right,
    /// The client whose right answer this was says it again: the same success, which mints nothing.
    Repeat,
    /// Anything else.
    Wrong,
}

/// What is known about the challenge when the answer is judged. Debits were made before (docs/threat-model.md).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// As stored.
    pub state: State,
    /// The first moment at which it is too late: to answer, or, once consumed, to repeat the right answer.
    pub expires_at: Timestamp,
    /// Whether this client is the one who gave it: the same credential, or without one the same full address and, if
    /// one was set, the start cookie. False for anybody who came through an untrusted proxy.
    pub same_client: bool,
    /// How many repeats there were before this one.
    pub repeats: u32,
}

/// Judges an answer. `matched` says whether the entry equals the derived code ([`crate::code::matches`]); it is
/// computed in every case, so that the time of an answer tells nothing.
pub fn judge(standing: &Standing, matched: bool, now: Timestamp) -> Verdict {
    let live = now < standing.expires_at;
    let fresh = (standing.state == State::Pending) & live;
    let again = (standing.state == State::Consumed) & live & standing.same_client & (standing.repeats < REPEATS);
    match (matched & fresh, matched & again) {
        (true, _) => Verdict::Right,
        (_, true) => Verdict::Repeat,
        _ => Verdict::Wrong,
    }
}
