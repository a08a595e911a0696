//! Welch's t-test: do two sets of times have the same mean, if their variances may differ? Used as dudect does
//! (Reparaz, Balasch and Verbauwhede, 2017): on all times, and on times cropped at a percentile of both sets together,
//! because the long tail of a busy machine hides small differences in the bulk.

/// |t| from here on counts as a difference: dudect's threshold, about one false alarm in 150,000 tests.
pub(super) const THRESHOLD: f64 = 4.5;

/// Welch's t of two sets. 0 if a set has fewer than two values, or if no value differs from any other.
pub(super) fn t(left: &[f64], right: &[f64]) -> f64 {
    if left.len() < 2 || right.len() < 2 {
        return 0.0;
    }
    let error = (variance(left) / left.len() as f64 + variance(right) / right.len() as f64).sqrt();
    let difference = mean(left) - mean(right);
    match (error > 0.0, difference == 0.0) {
        (true, _) => difference / error,
        (false, true) => 0.0,
        (false, false) => f64::INFINITY.copysign(difference),
    }
}

/// Both sets without the values above the 90th percentile of all their values together. One limit for both, since
/// limits of their own would hide a difference in the upper part.
pub(super) fn crop(left: &[f64], right: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut all: Vec<f64> = left.iter().chain(right).copied().collect();
    all.sort_by(f64::total_cmp);
    let Some(limit) = all.get((all.len() * 9).div_ceil(10).saturating_sub(1)).copied() else {
        return (Vec::new(), Vec::new());
    };
    let keep = |set: &[f64]| set.iter().copied().filter(|value| *value <= limit).collect();
    (keep(left), keep(right))
}

/// The mean; 0 for nothing.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / (values.len().max(1)) as f64
}

/// The unbiased variance, in two passes: times are large numbers with small differences.
fn variance(values: &[f64]) -> f64 {
    let middle = mean(values);
    values.iter().map(|value| (value - middle).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::random::Random;

    /// The three examples of the Wikipedia page "Welch's t-test": equal and unequal variances and sizes.
    #[test]
    fn known_values() {
        let a1 = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4];
        let a2 = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4];
        assert!((t(&a1, &a2) + 2.46).abs() < 0.005, "{}", t(&a1, &a2));
        let b1 = [17.2, 20.9, 22.6, 18.1, 21.7, 21.4, 23.5, 24.2, 14.7, 21.8];
        let b2 = [
            21.5, 22.8, 21.0, 23.0, 21.6, 23.6, 22.5, 20.7, 23.4, 21.8, 20.7, 21.7, 21.5, 22.5, 23.6, 21.5, 22.5, 23.5,
            21.5, 21.8,
        ];
        assert!((t(&b1, &b2) + 1.57).abs() < 0.005, "{}", t(&b1, &b2));
        let c1 = [19.8, 20.4, 19.6, 17.8, 18.5, 18.9, 18.3, 18.9, 19.5, 22.0];
        let c2 = [
            28.2, 26.6, 20.1, 23.3, 25.2, 22.1, 17.7, 27.6, 20.6, 13.7, 23.2, 17.5, 20.6, 18.0, 23.9, 21.6, 24.3, 20.4,
            24.0, 13.2,
        ];
        assert!((t(&c1, &c2) + 2.22).abs() < 0.01, "{}", t(&c1, &c2));
        assert_eq!(t(&c2, &c1), -t(&c1, &c2));
    }

    #[test]
    fn nothing_to_compare_is_no_difference() {
        assert_eq!(t(&[], &[]), 0.0);
        assert_eq!(t(&[1.0], &[2.0, 3.0]), 0.0);
        assert_eq!(t(&[5.0, 5.0], &[5.0, 5.0]), 0.0);
        assert_eq!(t(&[6.0, 6.0], &[5.0, 5.0]), f64::INFINITY);
    }

    #[test]
    fn cropping_drops_the_top_tenth_of_both_together() {
        let low: Vec<f64> = (1..=10).map(f64::from).collect();
        let high: Vec<f64> = (11..=20).map(f64::from).collect();
        let (kept_low, kept_high) = crop(&low, &high);
        assert_eq!(kept_low, low);
        assert_eq!(kept_high, high[..8]);
        assert_eq!(crop(&[], &[]), (vec![], vec![]));
    }

    /// 4 % between two noisy sets is found; two sets of one kind pass, also with a wild tail.
    #[test]
    fn finds_a_small_difference_and_only_that() {
        let mut random = Random::new(3);
        let mut set = |shift: f64| -> Vec<f64> {
            let mut time = || {
                let tail = if random.below(50) == 0 { random.below(100_000) as f64 } else { 0.0 };
                shift + random.below(1000) as f64 + tail
            };
            (0..10_000).map(|_| time()).collect()
        };
        let (plain, same, slower) = (set(1000.0), set(1000.0), set(1060.0));
        let cropped = |left: &[f64], right: &[f64]| {
            let (left, right) = crop(left, right);
            t(&left, &right)
        };
        assert!(t(&plain, &same).abs() < THRESHOLD);
        assert!(cropped(&plain, &same).abs() < THRESHOLD);
        assert!(cropped(&plain, &slower) < -THRESHOLD);
    }
}
