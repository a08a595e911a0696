//! A person's yes, and when it counts for a request that names no sender: any message would do for that, one of a bank too, so that it is
//! confirmed twice. Refuses to take two taps of one finger, or a program that asks again, for two words.

use std::time::Duration;

use crate::time::Timestamp;

/// How long after the first a plain yes is a second one: longer than between two taps of one finger.
pub const SURE_AFTER: Duration = Duration::from_secs(1);

/// How somebody says yes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Yes {
    /// By a way that has one word only, as the clients of AgentOTP: said again some time later it is the second.
    Plain,
    /// By one that asks back: this is the first, whatever was said before.
    First,
    /// By the same, and this is the answer.
    Sure,
}

impl Yes {
    /// The moment at which, or before which, the person must have been asked once more for this to be the second yes.
    pub fn asked_by(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Plain => now.minus(SURE_AFTER),
            Self::First => Timestamp::from_millis(0),
            Self::Sure => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_word_is_said_as_one_or_some_time_later() {
        let at = |millis| Timestamp::from_millis(1_800_000_000_000 + millis);
        let counts = |yes: Yes, asked: i64, now: i64| at(asked) <= yes.asked_by(at(now));
        assert!(counts(Yes::Sure, 0, 0) && counts(Yes::Sure, 0, 1));
        assert!(!counts(Yes::Plain, 0, 999) && counts(Yes::Plain, 0, 1000));
        assert!(!counts(Yes::First, 0, 100_000), "it may be said as often as one likes");
    }
}
