//! The judgement of the timing scenario: each pair of cases, tested on all times and on the cropped ones.

use serde::Serialize;

use super::timing::{CASES, Case, Endpoint};
use super::welch::{THRESHOLD, crop, mean, t};

/// The times of each case, in nanoseconds.
pub(super) type Times = [Vec<f64>; CASES.len()];

/// Two cases of one set, compared.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    endpoint: &'static str,
    clients: usize,
    left: String,
    right: String,
    calls: usize,
    left_mean_us: f64,
    right_mean_us: f64,
    t_raw: f64,
    t_cropped: f64,
    pass: bool,
}

impl Verdict {
    /// The six pairs of the four cases.
    pub(super) fn of_pairs(endpoint: Endpoint, clients: usize, times: &Times) -> Vec<Self> {
        let mut verdicts = Vec::new();
        for left in 0..CASES.len() {
            for right in left + 1..CASES.len() {
                verdicts.push(Self::of_pair(endpoint, clients, times, (left, right)));
            }
        }
        verdicts
    }

    fn of_pair(endpoint: Endpoint, clients: usize, times: &Times, (left, right): (usize, usize)) -> Self {
        let raw = t(&times[left], &times[right]);
        let (cropped_left, cropped_right) = crop(&times[left], &times[right]);
        let cropped = t(&cropped_left, &cropped_right);
        Self {
            endpoint: endpoint.name(),
            clients,
            left: name(CASES[left]),
            right: name(CASES[right]),
            calls: times[left].len() + times[right].len(),
            left_mean_us: round(mean(&times[left]) / 1000.0),
            right_mean_us: round(mean(&times[right]) / 1000.0),
            t_raw: round(raw),
            t_cropped: round(cropped),
            pass: raw.abs() < THRESHOLD && cropped.abs() < THRESHOLD,
        }
    }

    /// Whether no difference was found.
    pub(super) fn passes(&self) -> bool {
        self.pass
    }

    /// The head of the table that `row` fills.
    pub(super) fn head() -> String {
        format!(
            "{:<16} {:>7}  {:<34} {:>7} {:>10} {:>10} {:>8} {:>9}  ",
            "call", "clients", "cases", "calls", "mean 1 us", "mean 2 us", "t raw", "t cropped"
        )
    }

    /// One line of the table.
    pub(super) fn row(&self) -> String {
        format!(
            "{:<16} {:>7}  {:<34} {:>7} {:>10.1} {:>10.1} {:>8.2} {:>9.2}  {}",
            self.endpoint,
            self.clients,
            format!("{} / {}", self.left, self.right),
            self.calls,
            self.left_mean_us,
            self.right_mean_us,
            self.t_raw,
            self.t_cropped,
            if self.pass { "PASS" } else { "FAIL" }
        )
    }
}

fn name(case: Case) -> String {
    let account = if case.account { "account" } else { "none" };
    let live = if case.live { "live" } else { "none" };
    format!("{account}+{live}")
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::random::Random;

    fn times(mut slower: impl FnMut(usize) -> f64) -> Times {
        let mut random = Random::new(11);
        std::array::from_fn(|case| (0..5000).map(|_| 1e6 + random.below(200_000) as f64 + slower(case)).collect())
    }

    #[test]
    fn six_pairs_without_a_difference_pass() {
        let verdicts = Verdict::of_pairs(Endpoint::Send, 1, &times(|_| 0.0));
        assert_eq!(verdicts.len(), 6);
        assert!(verdicts.iter().all(Verdict::passes));
    }

    #[test]
    fn a_case_that_takes_longer_fails_against_every_other() {
        let verdicts = Verdict::of_pairs(Endpoint::Verify, 64, &times(|case| if case == 3 { 20_000.0 } else { 0.0 }));
        for verdict in verdicts {
            assert_eq!(verdict.passes(), verdict.right != "account+live", "{}", verdict.row());
        }
    }
}
