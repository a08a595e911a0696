//! Latencies in a fixed log-linear histogram, and the few figures that are taken from them. No allocation and no
//! sorting while a round runs.

use std::time::Duration;

use super::stopwatch::nanos;

/// Buckets of one octave: a recorded value is known to 1 part in 64.
const STEPS: usize = 64;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Values of 2⁴⁰ ns (18 minutes) and more share the last bucket.
const TOP_BITS: u32 = 40;
const BUCKETS: usize = (TOP_BITS - STEP_BITS + 1) as usize * STEPS;

/// How often each latency was seen.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }
}

impl Histogram {
    /// Adds one latency.
    pub(super) fn record(&mut self, latency: Duration) {
        self.counts[bucket(nanos(latency))] += 1;
        self.total += 1;
    }

    /// Adds everything that `other` has seen.
    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
    }

    /// How many latencies were added.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The smallest latency that at least `share` (0 to 1) of all do not exceed, to 1 part in 64; zero if there are none.
    pub(super) fn quantile(&self, share: f64) -> Duration {
        let wanted = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_nanos(ceiling(index));
            }
        }
        Duration::ZERO
    }
}

/// The bucket of a value: the value itself below 64, then 64 equal steps for each power of two.
fn bucket(value: u64) -> usize {
    let value = value.min((1 << TOP_BITS) - 1);
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(STEP_BITS + 1);
    shift as usize * STEPS + (value >> shift) as usize
}

/// The largest value of a bucket.
fn ceiling(index: usize) -> u64 {
    let shift = (index / STEPS).saturating_sub(1);
    let step = (index - shift * STEPS) as u64;
    ((step + 1) << shift) - 1
}

/// The middle value, or the mean of the two middle ones; zero for nothing.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_falls_below_its_ceiling_and_within_a_64th() {
        let values =
            (0..5000).chain((10..TOP_BITS).flat_map(|bits| [(1 << bits) - 1, 1 << bits, (1 << bits) + 12_345]));
        for value in values.map(|value: u64| value.min((1 << TOP_BITS) - 1)) {
            let top = ceiling(bucket(value));
            assert!(top >= value && top - value <= value / STEPS as u64, "{value} became {top}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn buckets_never_go_back() {
        let mut last = 0;
        for value in 0..100_000 {
            let next = bucket(value);
            assert!(next == last || next == last + 1, "{value}");
            last = next;
        }
    }

    #[test]
    fn quantiles_of_a_hundred() {
        let mut histogram = Histogram::default();
        for millis in 1..=100 {
            histogram.record(Duration::from_millis(millis));
        }
        let near = |share, millis: f64| {
            let got = histogram.quantile(share).as_secs_f64() * 1000.0;
            assert!((got / millis - 1.0).abs() < 0.02, "{share}: {got}");
        };
        near(0.5, 50.0);
        near(0.99, 99.0);
        near(1.0, 100.0);
        near(0.0, 1.0);
        assert_eq!(Histogram::default().quantile(0.99), Duration::ZERO);
    }

    #[test]
    fn merging_adds() {
        let mut left = Histogram::default();
        let mut right = Histogram::default();
        left.record(Duration::from_micros(10));
        right.record(Duration::from_micros(1000));
        left.merge(&right);
        assert_eq!(left.total(), 2);
        assert!(left.quantile(1.0) >= Duration::from_micros(1000));
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
