//! What counts of a round. The window opens after a ramp (a number of answers, so that every connection is busy and
//! every pipeline full), and closes after its length, or earlier when a supply has run low. An answer counts if it
//! arrives while the window is open; the requests under way at both ends cancel each other out.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::stats::Histogram;
use super::stopwatch::nanos;

/// Not yet: later than every instant of a run.
const NEVER: u64 = u64::MAX;

/// The measured part of a round, shared by all its connections.
#[derive(Debug)]
pub(super) struct Window {
    epoch: Instant,
    length: u64,
    ramp: AtomicI64,
    opened: AtomicU64,
    closed: AtomicU64,
}

/// What one connection saw of a window.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// The latency of each request that counts.
    pub(super) latencies: Histogram,
}

impl Window {
    /// A window of `length` that opens with the `ramp`th answer from `epoch` on.
    pub(super) fn new(epoch: Instant, length: Duration, ramp: usize) -> Self {
        Self {
            epoch,
            length: nanos(length),
            ramp: AtomicI64::new(i64::try_from(ramp.max(1)).unwrap_or(i64::MAX)),
            opened: AtomicU64::new(NEVER),
            closed: AtomicU64::new(NEVER),
        }
    }

    /// Whether an answer at `instant` counts; also counts the ramp down.
    fn counts(&self, instant: Instant) -> bool {
        let at = self.since_epoch(instant);
        if self.opened.load(Ordering::Acquire) == NEVER {
            if self.ramp.fetch_sub(1, Ordering::AcqRel) == 1 {
                self.closed.fetch_min(at + self.length, Ordering::AcqRel);
                self.opened.store(at, Ordering::Release);
            }
            return false;
        }
        self.opened.load(Ordering::Acquire) < at && at <= self.closed.load(Ordering::Acquire)
    }

    /// Closes the window at `instant`, unless it closed earlier.
    pub(super) fn close(&self, instant: Instant) {
        self.closed.fetch_min(self.since_epoch(instant), Ordering::AcqRel);
    }

    /// Whether the window has closed by `instant`: no new work then.
    pub(super) fn is_over(&self, instant: Instant) -> bool {
        self.closed.load(Ordering::Acquire) <= self.since_epoch(instant)
    }

    /// How long the window was open; zero if it closed during the ramp.
    pub(super) fn measured(&self) -> Duration {
        let opened = self.opened.load(Ordering::Acquire);
        Duration::from_nanos(self.closed.load(Ordering::Acquire).saturating_sub(opened))
    }

    fn since_epoch(&self, instant: Instant) -> u64 {
        nanos(instant.saturating_duration_since(self.epoch))
    }
}

impl Lane {
    /// Takes one answer; says whether it counts.
    pub(super) fn note(&mut self, window: &Window, sent: Instant, answered: Instant) -> bool {
        let counts = window.counts(answered);
        if counts {
            self.latencies.record(answered.saturating_duration_since(sent));
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::stopwatch::now;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn opens_after_the_ramp_and_closes_after_its_length() {
        let start = now();
        let window = Window::new(start, SECOND, 2);
        let mut lane = Lane::default();
        let mut note = |millis| lane.note(&window, start, start + Duration::from_millis(millis));
        assert!(!note(100) && !note(200), "the ramp does not count");
        assert!(note(300) && note(1200));
        assert!(!note(1201));
        assert!(window.is_over(start + Duration::from_millis(1200)));
        assert!(!window.is_over(start + Duration::from_millis(1199)));
        assert_eq!(window.measured(), SECOND);
        assert_eq!(lane.latencies.total(), 2);
    }

    #[test]
    fn a_supply_that_runs_low_closes_it_early() {
        let start = now();
        let window = Window::new(start, SECOND, 1);
        let mut lane = Lane::default();
        lane.note(&window, start, start + SECOND);
        window.close(start + SECOND + SECOND / 4);
        assert_eq!(window.measured(), SECOND / 4);
        assert!(!lane.note(&window, start, start + SECOND + SECOND / 2));
        window.close(start + SECOND * 2);
        assert_eq!(window.measured(), SECOND / 4);
    }

    #[test]
    fn a_window_that_never_opened_measured_nothing() {
        let window = Window::new(now(), SECOND, 5);
        window.close(now());
        assert_eq!(window.measured(), Duration::ZERO);
    }
}
