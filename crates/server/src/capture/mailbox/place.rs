//! Up to where a mailbox was looked at: what a watch needs to go on where another one ended. Refuses to keep anything of a message but its
//! number and its time.

use std::collections::VecDeque;
use std::time::Duration;

use doorcode_core::Timestamp;

/// Messages that are kept in mind.
const MOST: usize = 50;
/// For how long a message is known that came while nobody waited: a request lives no longer, and may be approved after it came.
const KNOWN: Duration = Duration::from_secs(3600);

/// A place in a folder. It means nothing under another numbering of the messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Which numbering of messages it is about (UIDVALIDITY).
    pub validity: u32,
    /// The number of the first message that was not looked at.
    pub next: u32,
    /// Messages before that, which somebody may still be let have: at most fifty, of the last hour.
    pub passed: VecDeque<Passed>,
}

/// A message that was passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passed {
    /// Its number.
    pub uid: u32,
    /// When it came to the mailbox.
    pub arrived: Timestamp,
    /// Another look may judge it otherwise, so often.
    pub again: u8,
}

impl Place {
    /// Before everything that comes from now on.
    pub(super) const fn begun(validity: u32, next: u32) -> Self {
        Self { validity, next, passed: VecDeque::new() }
    }

    /// A message was seen by its number.
    pub(super) fn pass(&mut self, uid: u32) {
        self.next = self.next.max(uid.saturating_add(1));
    }

    /// Somebody may be let have it yet.
    pub(super) fn keep(&mut self, passed: Passed) {
        self.passed.push_back(passed);
        if self.passed.len() > MOST {
            self.passed.pop_front();
        }
    }

    /// Whether another look may judge a message otherwise.
    pub(super) fn is_unsure(&self) -> bool {
        self.passed.iter().any(|passed| passed.again > 0)
    }

    /// Nobody can be let have what is older than any request.
    pub(super) fn forget(&mut self, now: Timestamp) {
        self.passed.retain(|passed| now.since(passed.arrived) < KNOWN);
    }
}
