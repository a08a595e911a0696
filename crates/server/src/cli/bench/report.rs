//! What a run found, as a table for people and as JSON for programs.

use std::time::Duration;

use serde::Serialize;

use super::Scenario;
use super::child::Memory;
use super::failure::{Failure, Outcome};
use super::round::{Round, Side};

/// The most that the p99 may be beside the floor's.
const P99_MOST: f64 = 6.0;

/// The result of every scenario that is made of rounds.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    scenario: Scenario,
    connections: usize,
    #[serde(flatten)]
    found: Comparison,
    /// stamped: the questions of keys, beside the codes that keys come of.
    #[serde(skip_serializing_if = "Option::is_none")]
    whoami: Option<Comparison>,
    servers: Vec<Process>,
}

/// One or two measured sides.
#[derive(Debug, Serialize)]
struct Comparison {
    sides: Vec<Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<Ratio>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<Goal>,
}

/// One side's figures: the rate is the median of the rounds, the latencies are of all rounds together.
#[derive(Debug, Serialize)]
struct Measured {
    name: &'static str,
    requests: u64,
    requests_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    rounds: Vec<f64>,
}

/// The first side over the second.
#[derive(Debug, Serialize)]
struct Ratio {
    requests_per_second: f64,
    p99: f64,
}

/// What the ratio must be, and whether it is.
#[derive(Debug, Serialize)]
struct Goal {
    requests_per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99: Option<f64>,
    pass: bool,
}

impl Goal {
    /// The goal of a scenario beside the floor or its cryptography, if a run of it is judged.
    fn of(scenario: Scenario, ratio: &Ratio) -> Option<Self> {
        let (requests_per_second, p99) = match scenario {
            Scenario::Native => (0.35, Some(P99_MOST)),
            Scenario::Token => (0.8, Some(P99_MOST)),
            // Cryptography alone waits for nobody: its latencies are no measure.
            Scenario::Stamped => (0.5, None),
            _ => return None,
        };
        let pass = ratio.requests_per_second >= requests_per_second && p99.is_none_or(|most| ratio.p99 <= most);
        Some(Self { requests_per_second, p99, pass })
    }

    fn line(&self) -> String {
        let (word, least) = (if self.pass { "PASS" } else { "FAIL" }, self.requests_per_second);
        let p99 = self.p99.map(|most| format!(", and at most {most} times the p99")).unwrap_or_default();
        format!("{word}: the goal is a ratio of {least} or more{p99}")
    }
}

/// A server that was under test.
#[derive(Debug, Serialize)]
pub(super) struct Process {
    name: &'static str,
    startup_ms: f64,
    idle_memory_bytes: u64,
    peak_memory_bytes: u64,
}

impl Process {
    /// What is known of a server: its start, its memory before and after the load.
    pub(super) fn new(name: &'static str, startup: Duration, idle: Memory, after: Memory) -> Self {
        Self { name, startup_ms: millis(startup), idle_memory_bytes: idle.resident, peak_memory_bytes: after.peak }
    }

    fn line(&self) -> String {
        let (idle, peak) = (self.idle_memory_bytes >> 20, self.peak_memory_bytes >> 20);
        format!("{}: listening after {:.0} ms; memory {idle} MiB idle, {peak} MiB at most", self.name, self.startup_ms)
    }
}

impl Comparison {
    fn of(scenario: Scenario, sides: &[Side]) -> Self {
        let sides: Vec<Measured> = sides.iter().map(measured).collect();
        let ratio = match sides.as_slice() {
            [first, second] => Some(Ratio {
                requests_per_second: over(first.requests_per_second, second.requests_per_second),
                p99: over(first.p99_ms, second.p99_ms),
            }),
            _ => None,
        };
        let goal = ratio.as_ref().and_then(|ratio| Goal::of(scenario, ratio));
        Self { sides, ratio, goal }
    }

    fn passes(&self) -> bool {
        self.goal.as_ref().is_none_or(|goal| goal.pass)
    }

    fn lines(&self) -> Vec<String> {
        let mut lines =
            vec![format!("{:<12} {:>12} {:>10} {:>10} {:>12}", "", "requests/s", "p50 ms", "p99 ms", "requests")];
        for side in &self.sides {
            let (rate, p50, p99) = (side.requests_per_second, side.p50_ms, side.p99_ms);
            lines.push(format!("{:<12} {rate:>12.0} {p50:>10.3} {p99:>10.3} {:>12}", side.name, side.requests));
        }
        if let Some(Ratio { requests_per_second, p99 }) = &self.ratio {
            lines.push(format!("{:<12} {requests_per_second:>12.3} {:>10} {p99:>10.2}", "ratio", ""));
        }
        lines
    }
}

impl Report {
    /// The figures of one or two measured sides.
    pub(super) fn new(scenario: Scenario, connections: usize, sides: &[Side], servers: Vec<Process>) -> Self {
        Self { scenario, connections, found: Comparison::of(scenario, sides), whoami: None, servers }
    }

    /// The same, with the figures of questions beside it.
    pub(super) fn with_whoami(mut self, sides: &[Side]) -> Self {
        self.whoami = Some(Comparison::of(self.scenario, sides));
        self
    }

    fn comparisons(&self) -> impl Iterator<Item = &Comparison> {
        [Some(&self.found), self.whoami.as_ref()].into_iter().flatten()
    }

    /// Whether the goals, if there are any, are reached.
    pub(super) fn passes(&self) -> bool {
        self.comparisons().all(Comparison::passes)
    }

    /// One JSON object, on one line.
    pub(super) fn json(&self) -> Outcome<String> {
        serde_json::to_string(self).map_err(Failure::during("writing the report"))
    }

    /// A table, a line for the ratio, one for each server and one for the goal.
    pub(super) fn table(&self) -> String {
        let mut lines: Vec<String> = self.comparisons().flat_map(Comparison::lines).collect();
        lines.extend(self.servers.iter().map(Process::line));
        lines.extend(self.comparisons().filter_map(|found| found.goal.as_ref()).map(Goal::line));
        lines.join("\n")
    }
}

fn measured(side: &Side) -> Measured {
    let latencies = side.latencies();
    Measured {
        name: side.name,
        requests: side.rounds.iter().map(Round::requests).sum(),
        requests_per_second: rounded(side.rate()),
        p50_ms: millis(latencies.quantile(0.5)),
        p99_ms: millis(latencies.quantile(0.99)),
        rounds: side.rounds.iter().map(Round::rate).map(rounded).collect(),
    }
}

fn millis(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1000.0)
}

fn over(left: f64, right: f64) -> f64 {
    if right > 0.0 { rounded(left / right) } else { 0.0 }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
