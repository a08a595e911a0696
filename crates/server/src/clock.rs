//! The time, as a value: real, or set by a test. Refuses to run backwards: it never gives less than it gave before, nor
//! less than the mark that the database was last written with, whatever the machine's clock does.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use doorcode_core::Timestamp;

/// Where operations take `now` from, once each.
#[derive(Clone)]
pub enum Clock {
    /// The machine's.
    Real(Arc<Real>),
    /// A test's.
    Manual(Arc<AtomicI64>),
}

/// The machine's clock, kept from stepping back.
pub struct Real {
    started: Instant,
    /// What the time was when the process started, raised whenever the machine's clock runs ahead of it.
    base: AtomicI64,
    /// What the clock of the database, which several servers share, said last, less what had elapsed by then. [`OWN`] where the machine's
    /// own counts. Not held against the machine's clock, which somebody may set between two looks.
    shared: AtomicI64,
}

/// No other clock than the machine's.
const OWN: i64 = i64::MIN;

impl Clock {
    /// The machine's clock, or as far from it as the database's was just now; not below `mark`.
    pub fn real(mark: Option<Timestamp>, database: Option<Timestamp>) -> Self {
        let now = database.unwrap_or_else(wall).millis();
        let base = mark.map_or(now, |mark| now.max(mark.millis()));
        let shared = AtomicI64::new(database.map_or(OWN, Timestamp::millis));
        Self::Real(Arc::new(Real { started: started(), base: AtomicI64::new(base), shared }))
    }

    /// From now on the time is what the database just said. Where that is less, time goes on from where it is, and `/readyz` says so.
    pub fn follow(&self, database: Timestamp) {
        if let Self::Real(real) = self {
            real.shared.store(database.millis() - real.elapsed(), Ordering::Relaxed);
        }
    }

    /// A clock that stands at `at` until somebody moves it.
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.millis())))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Real(real) => real.now(),
            Self::Manual(at) => Timestamp::from_millis(at.load(Ordering::Relaxed)),
        }
    }

    /// How far the machine's clock is behind the time: more than a moment means that somebody set it back.
    pub fn behind(&self) -> Duration {
        match self {
            Self::Real(real) => self.now().since(real.wall()),
            Self::Manual(_) => Duration::ZERO,
        }
    }

    /// Moves a test's clock ahead. The machine's does not move.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(at) = self {
            at.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }
}

impl Real {
    /// Ticks by the monotonic clock; follows the wall clock when that is ahead.
    fn now(&self) -> Timestamp {
        let elapsed = self.elapsed();
        let ahead = self.wall().millis() - elapsed;
        let base = self.base.fetch_max(ahead, Ordering::Relaxed).max(ahead);
        Timestamp::from_millis(base + elapsed)
    }

    fn elapsed(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// What the clock that counts says.
    fn wall(&self) -> Timestamp {
        match self.shared.load(Ordering::Relaxed) {
            OWN => wall(),
            shared => Timestamp::from_millis(shared + self.elapsed()),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine for the time")]
fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the monotonic clock, so that a step back of the wall clock is ridden out"
)]
fn started() -> Instant {
    Instant::now()
}

/// How long something took, for logs and metrics, and for answers that leave at a time of their own.
#[derive(Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    pub fn start() -> Self {
        Self(started())
    }

    /// The time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// When that much will have passed since the start.
    pub fn after(self, time: Duration) -> Instant {
        self.0 + time
    }

    /// How long it was from the start until then.
    pub fn until(self, then: Instant) -> Duration {
        then.saturating_duration_since(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_below_the_mark() {
        let far = wall().plus(Duration::from_secs(3600));
        let clock = Clock::real(Some(far), None);
        let first = clock.now();
        assert!(first >= far);
        assert!(clock.now() >= first);
        assert!(clock.behind() > Duration::from_secs(3590), "the machine is an hour behind, and readyz must know");
    }

    #[test]
    fn time_follows_the_machine_when_that_is_ahead() {
        let clock = Clock::real(Some(Timestamp::from_millis(0)), None);
        assert!(clock.now() >= wall().minus(Duration::from_millis(50)));
        assert!(clock.behind() < Duration::from_millis(50));
    }

    #[test]
    fn time_is_the_databases_where_there_is_one() {
        let hour = Duration::from_secs(3600);
        for at in [wall().plus(hour), wall().minus(hour)] {
            let clock = Clock::real(None, Some(at));
            assert!(clock.now() >= at && clock.now().since(at) < Duration::from_secs(5));
            assert!(clock.behind() < Duration::from_secs(1), "it is not behind what counts");
        }
        let clock = Clock::real(None, Some(wall()));
        let before = clock.now();
        clock.follow(wall().minus(hour));
        assert!(clock.now() >= before, "it never runs backwards");
        assert!(clock.behind() > Duration::from_secs(3500), "and readyz must know");
        clock.follow(wall().plus(hour));
        assert!(clock.now() >= before.plus(hour).minus(Duration::from_secs(5)));
    }
}
