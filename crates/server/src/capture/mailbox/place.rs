//! Up to where a mailbox was looked at: which numbering holds, which message comes next, and which ones before that somebody may still be let
//! have. As text it outlives whoever watches. Refuses to grow: what is too old or too much is forgotten.

use std::collections::VecDeque;
use std::time::Duration;

use doorcode_core::Timestamp;

/// Messages that are known at the same time.
pub(super) const MOST: usize = 50;
/// For how long a message is known that came while nobody waited: a request lives no longer, and may be approved after it came.
const KNOWN: Duration = Duration::from_secs(3600);

/// Up to where it was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub(super) validity: u32,
    pub(super) next: u32,
    /// Messages before that, which somebody may still be let have.
    pub(super) passed: VecDeque<Passed>,
}

/// A message that was passed over for now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Passed {
    pub(super) uid: u32,
    pub(super) arrived: Timestamp,
    /// Another look may judge it otherwise, so often.
    pub(super) again: u8,
}

impl Place {
    /// From a number on.
    pub(super) fn begin(validity: u32, next: u32) -> Self {
        Self { validity, next, passed: VecDeque::new() }
    }

    /// As text.
    pub fn write(&self) -> String {
        let mut text = format!("{} {}", self.validity, self.next);
        for passed in &self.passed {
            text.push_str(&format!(" {}:{}", passed.uid, passed.arrived.millis()));
        }
        text
    }

    /// What was written.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut number = || words.next()?.parse().ok();
        let mut place = Self::begin(number()?, number()?);
        for word in words {
            let (uid, arrived) = word.split_once(':')?;
            let arrived = Timestamp::from_millis(arrived.parse().ok()?);
            // It is looked at once more whenever somebody else waits, and for no other reason.
            place.keep(Passed { uid: uid.parse().ok()?, arrived, again: 0 });
        }
        Some(place)
    }

    /// Goes past a message without having looked at it.
    pub(super) fn pass(&mut self, uid: u32, arrived: Timestamp) {
        self.go_past(uid);
        self.keep(Passed { uid, arrived, again: 0 });
    }

    pub(super) fn go_past(&mut self, uid: u32) {
        self.next = self.next.max(uid.saturating_add(1));
    }

    /// Takes a message away from those that were passed over.
    pub(super) fn take(&mut self, uid: u32) -> Option<Passed> {
        let at = self.passed.iter().position(|passed| passed.uid == uid)?;
        self.passed.remove(at)
    }

    /// Whether another look may judge a message otherwise.
    pub(super) fn is_unsure(&self) -> bool {
        self.passed.iter().any(|passed| passed.again > 0)
    }

    pub(super) fn keep(&mut self, passed: Passed) {
        self.passed.push_back(passed);
        if self.passed.len() > MOST {
            self.passed.pop_front();
        }
    }

    pub(super) fn forget(&mut self, now: Timestamp) {
        self.passed.retain(|passed| now.since(passed.arrived) < KNOWN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let mut place = Place::begin(7, 12);
        assert_eq!(Place::read(&place.write()), Some(place.clone()));
        place.pass(12, Timestamp::from_millis(1_800_000_000_000));
        place.pass(13, Timestamp::from_millis(1_800_000_001_000));
        assert_eq!((place.next, Place::read(&place.write())), (14, Some(place)));
        for nonsense in ["", "7", "7 x", "7 12 3", "7 12 3:x", "-1 2", "7 99999999999"] {
            assert_eq!(Place::read(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn it_does_not_grow() {
        let mut place = Place::begin(1, 1);
        for uid in 1..=1000 {
            place.pass(uid, Timestamp::from_millis(i64::from(uid)));
        }
        assert_eq!((place.passed.len(), place.passed[0].uid, place.next), (MOST, 951, 1001));
        place.forget(Timestamp::from_millis(3_600_000 + 990));
        assert_eq!(place.passed.len(), 10);
    }
}
