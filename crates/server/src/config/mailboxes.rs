//! The settings of mailboxes that people connect, `[capture.mailboxes]`. Refuses a lease that is over before it can be renewed, and no
//! pause at all between two tries.

use std::time::Duration;

use serde::Deserialize;

use super::complaints::Complaints;

/// Shorter, and a server that is busy for a moment would lose what it watches; longer, and what a dead one watched is watched by nobody.
const LEASES: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(3600));
/// The shortest pause.
const PAUSE_LEAST: Duration = Duration::from_millis(50);

/// `[capture.mailboxes]`, as written.
#[derive(Deserialize)]
pub(super) struct RawMailboxes {
    per_person: u32,
    per_org: u32,
    most: u32,
    lease: String,
    retry_first: String,
    retry_most: String,
    refused_pause: String,
}

/// Mailboxes that people connect, as it is set.
#[derive(Clone, Default)]
pub struct Mailboxes {
    /// Of one person.
    pub per_person: u32,
    /// Of one org.
    pub per_org: u32,
    /// Of everybody.
    pub most: u32,
    /// For how long the server that watches one has it to itself.
    pub lease: Duration,
    /// Before the second try to connect.
    pub retry_first: Duration,
    /// The longest time between two.
    pub retry_most: Duration,
    /// The same, after user or password were refused.
    pub refused_pause: Duration,
}

impl Mailboxes {
    /// Whether any are connected and watched here.
    pub fn are_on(&self) -> bool {
        self.per_person > 0 && self.per_org > 0 && self.most > 0
    }
}

impl RawMailboxes {
    pub(super) fn mean(&self, bad: &mut Complaints) -> Mailboxes {
        let lease = bad.duration("capture.mailboxes.lease", &self.lease);
        if !(LEASES.0..=LEASES.1).contains(&lease) {
            bad.push("capture.mailboxes.lease: must be between 3s and 1h");
        }
        Mailboxes {
            per_person: self.per_person,
            per_org: self.per_org,
            most: self.most,
            lease,
            retry_first: bad.duration("capture.mailboxes.retry_first", &self.retry_first).max(PAUSE_LEAST),
            retry_most: bad.duration("capture.mailboxes.retry_most", &self.retry_most).max(PAUSE_LEAST),
            refused_pause: bad.duration("capture.mailboxes.refused_pause", &self.refused_pause).max(PAUSE_LEAST),
        }
    }
}
