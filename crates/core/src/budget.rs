//! Budgets of guesses and sends: their numbers (docs/limits.md) and their arithmetic. Pure: the server
//! debits in one SQL statement, and these functions say what that statement must answer. Refuses to know who is who:
//! what a budget is keyed by, and who is known, is the server's to find out.
//!
//! A sliding window is exact, not bucketed: the last N times are kept as text ([`Ring`]), and one more is allowed if the
//! N-th newest is a whole window old. The same is one `substr` in SQL.

use std::time::Duration;

use crate::challenge::LIVE_SHORT_CODES;
use crate::code::Shape;
use crate::time::{DAY, HOUR, Timestamp};

/// How long a success at an address makes a network or a device known there.
pub const KNOWN_FOR: Duration = Duration::from_secs(90 * DAY.as_secs());

/// Whose pool is asked. Separate pools: a stranger can't spend what the owner needs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// Everybody who is not known.
    Stranger,
    /// A network or device with a success at this address in this realm within [`KNOWN_FOR`].
    Known,
}

/// How many guesses are compared. All of a realm's doors and purposes share these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GuessPolicy {
    /// *T*: per challenge, or per address, network and code life where a door has no challenge ids.
    pub per_code: u32,
    /// *P*: all strangers at an address, in any 24 hours.
    pub stranger_day: u32,
    /// All strangers at an address, since the last success there.
    pub stranger_streak: u32,
    /// All known clients at an address, in any 24 hours.
    pub known_day: u32,
    /// All known clients at an address, since the last success there. With the strangers', at most 100: NIST
    /// SP 800-63B-4 section 3.2.2.
    pub known_streak: u32,
    /// *W*: per network ([`crate::Network::exact`]) over all addresses, in any hour.
    pub network_hour: u32,
    /// Per neighbourhood ([`crate::Network::wide`]) over all addresses, in any hour.
    pub wide_hour: u32,
}

impl GuessPolicy {
    /// For codes with at least the chance of six digits.
    const USUAL: Self = Self {
        per_code: 5,
        stranger_day: 10,
        stranger_streak: 60,
        known_day: 20,
        known_streak: 40,
        network_hour: 60,
        wide_hour: 600,
    };

    /// For anything shorter, such as the four digits that some contracts want.
    const SPARE: Self =
        Self { per_code: 3, stranger_day: 3, stranger_streak: 10, known_day: 3, known_streak: 10, ..Self::USUAL };

    /// The policy for codes of a shape. [`Shape::LONG`] is exempt from all but *W*, and its caller has to know.
    pub fn for_shape(shape: Shape) -> Self {
        if shape.combinations() < 1e6 { Self::SPARE } else { Self::USUAL }
    }

    /// *P* of a class: the window in which its guesses are counted.
    pub const fn day(&self, class: Class) -> Window {
        match class {
            Class::Stranger => Window { limit: self.stranger_day, span: DAY },
            Class::Known => Window { limit: self.known_day, span: DAY },
        }
    }

    /// How many guesses a class has between two successes.
    pub const fn streak(&self, class: Class) -> u32 {
        match class {
            Class::Stranger => self.stranger_streak,
            Class::Known => self.known_streak,
        }
    }
}

/// How many messages are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SendPolicy {
    /// To one folded address at the asking of strangers, in any hour.
    pub stranger_hour: u32,
    /// The same, in any 24 hours.
    pub stranger_day: u32,
    /// When strangers have nothing left, one message this long after the last: never none.
    pub trickle: Duration,
    /// To one folded address at the asking of known clients, in any 24 hours.
    pub known_day: u32,
    /// At the asking of one network ([`crate::Network::exact`]), in any hour.
    pub network_hour: u32,
    /// At the asking of one neighbourhood ([`crate::Network::wide`]), in any hour.
    pub wide_hour: u32,
    /// For one org, in any 24 hours.
    pub org_day: u32,
}

impl Default for SendPolicy {
    fn default() -> Self {
        Self {
            stranger_hour: 6,
            stranger_day: 20,
            trickle: HOUR,
            known_day: 10,
            network_hour: 60,
            wide_hour: 600,
            org_day: 100_000,
        }
    }
}

impl SendPolicy {
    /// How many times a class's ring must keep for [`may_send`] to be exact.
    pub fn kept(&self, class: Class) -> u32 {
        match class {
            Class::Stranger => self.stranger_hour.max(self.stranger_day).max(1),
            Class::Known => self.known_day.max(1),
        }
    }
}

/// The times of the last events as text: 13 decimal digits each (milliseconds, zero-padded), newest first, nothing
/// between. As text they compare like numbers, in SQL too. 13 digits last until the year 2286.
pub struct Ring;

impl Ring {
    /// The digits of one entry.
    pub const WIDTH: usize = 13;

    const LATEST: i64 = 9_999_999_999_999;

    /// One entry. Moments outside of 1970 to 2286 count as the nearest inside.
    pub fn entry(at: Timestamp) -> String {
        format!("{:013}", at.millis().clamp(0, Self::LATEST))
    }

    /// The `n`-th newest time, from 1. `None` if there are fewer (or `n` is 0). In SQL: `substr(ring, 13 * (n - 1) + 1, 13)`.
    pub fn nth(ring: &str, n: usize) -> Option<Timestamp> {
        let from = n.checked_sub(1)?.checked_mul(Self::WIDTH)?;
        let digits = ring.get(from..from.checked_add(Self::WIDTH)?)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().map(Timestamp::from_millis)
    }

    /// The ring after one more event, of which `keep` stay. In SQL: `substr(entry || ring, 1, 13 * keep)`, and there the
    /// oldest entry leaves as soon as it counts for nothing: a ring says the same with it and without.
    pub fn push(ring: &str, at: Timestamp, keep: usize) -> String {
        let mut longer = Self::entry(at);
        longer.push_str(ring);
        longer.truncate(keep.saturating_mul(Self::WIDTH));
        longer
    }

    /// The ring without its newest event: a success takes back its own debit. What the push had dropped is not missed,
    /// since it was a whole window old, or the push would not have been allowed. In SQL: `substr(ring, 14)`, with an
    /// entry of no time behind it that keeps the room.
    pub fn refund(ring: &str) -> &str {
        ring.get(Self::WIDTH..).unwrap_or_default()
    }
}

/// At most `limit` events in any `span`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// How many; at least 1 (of 0 nothing is ever allowed).
    pub limit: u32,
    /// In how long.
    pub span: Duration,
}

impl Window {
    /// Whether one more is allowed now: the `limit`-th newest is missing, or at or before `now - span`.
    pub fn allows(self, ring: &str, now: Timestamp) -> bool {
        self.limit > 0 && self.oldest(ring).is_none_or(|then| then <= now.minus(self.span))
    }

    /// When one more is allowed: at once (`None`), or from that moment on.
    fn opens(self, ring: &str) -> Option<Timestamp> {
        self.oldest(ring).map(|then| then.plus(self.span))
    }

    fn oldest(self, ring: &str) -> Option<Timestamp> {
        Ring::nth(ring, usize::try_from(self.limit).unwrap_or(usize::MAX))
    }

    /// How long until one more is allowed; zero if it is now.
    pub fn retry_after(self, ring: &str, now: Timestamp) -> Duration {
        match self.limit {
            0 => self.span,
            _ => self.opens(ring).map_or(Duration::ZERO, |then| then.since(now)),
        }
    }
}

/// Whether an answer may be compared, by *P*: its window is open, and the class's guesses since the last success are
/// fewer than its streak. Ask before the debit.
pub fn may_guess(ring: &str, streak: u32, policy: &GuessPolicy, class: Class, now: Timestamp) -> bool {
    policy.day(class).allows(ring, now) && streak < policy.streak(class)
}

/// Whether a message may be sent to an address. Strangers: 6 an hour and 20 a day, then one an hour, never none. Known
/// clients: 10 a day of their own.
pub fn may_send(ring: &str, policy: &SendPolicy, class: Class, now: Timestamp) -> bool {
    let allows = |limit, span| Window { limit, span }.allows(ring, now);
    match class {
        Class::Known => allows(policy.known_day, DAY),
        Class::Stranger => {
            allows(policy.stranger_hour, HOUR) && allows(policy.stranger_day, DAY) || allows(1, policy.trickle)
        }
    }
}

/// How long until the next message may be sent to an address, exactly; zero if it may now. `ring` holds the class's
/// last [`SendPolicy::kept`] sends to it.
pub fn retry_after(ring: &str, policy: &SendPolicy, class: Class, now: Timestamp) -> Duration {
    match class {
        Class::Known => Window { limit: policy.known_day, span: DAY }.retry_after(ring, now),
        Class::Stranger => {
            let hour = Window { limit: policy.stranger_hour, span: HOUR }.retry_after(ring, now);
            let day = Window { limit: policy.stranger_day, span: DAY }.retry_after(ring, now);
            let trickle = Window { limit: 1, span: policy.trickle }.retry_after(ring, now);
            hour.max(day).min(trickle)
        }
    }
}

/// How likely somebody who does nothing but guess hits a code of one address.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Chance {
    /// In any 24 hours.
    pub per_day: f64,
    /// From one success of the owner to the next, however long that takes.
    pub between_successes: f64,
}

/// The bound that the docs promise and `doctor` prints: every guess that the pools of both classes allow, each against
/// as many uniform codes as may live at once. An upper bound (the sum of the chances), not an estimate. For short
/// codes; [`Shape::LONG`] has no pool, and needs none.
pub fn chance(shape: Shape, policy: &GuessPolicy) -> Chance {
    let hit = f64::from(LIVE_SHORT_CODES) / shape.combinations();
    let bound = |stranger, known| (hit * (f64::from(stranger) + f64::from(known))).min(1.0);
    Chance {
        per_day: bound(policy.stranger_day, policy.known_day),
        between_successes: bound(policy.stranger_streak, policy.known_streak),
    }
}
