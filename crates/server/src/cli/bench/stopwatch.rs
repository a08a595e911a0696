//! The one place of the bench that reads a clock. The server under test never does this: its time comes from
//! `App::clock`; the bench measures from outside.

use std::time::{Duration, Instant};

/// The present, for measuring.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time; this is its only reading of it")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Whole nanoseconds, capped at `u64::MAX` (585 years).
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
