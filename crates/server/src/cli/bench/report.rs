//! What a run found, as a table for people and as JSON for programs.

use std::time::Duration;

use serde::Serialize;

use super::Scenario;
use super::child::Memory;
use super::failure::{Failure, Outcome};
use super::round::{Round, Side};

/// The result of every scenario but `timing`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    scenario: Scenario,
    connections: usize,
    sides: Vec<Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<Ratio>,
    servers: Vec<Process>,
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

impl Report {
    /// The figures of one or two measured sides.
    pub(super) fn new(scenario: Scenario, connections: usize, sides: &[Side], servers: Vec<Process>) -> Self {
        let sides: Vec<Measured> = sides.iter().map(measured).collect();
        let ratio = match sides.as_slice() {
            [first, second] => Some(Ratio {
                requests_per_second: over(first.requests_per_second, second.requests_per_second),
                p99: over(first.p99_ms, second.p99_ms),
            }),
            _ => None,
        };
        Self { scenario, connections, sides, ratio, servers }
    }

    /// One JSON object, on one line.
    pub(super) fn json(&self) -> Outcome<String> {
        serde_json::to_string(self).map_err(Failure::during("writing the report"))
    }

    /// A table, a line for the ratio and one for each server.
    pub(super) fn table(&self) -> String {
        let mut lines =
            vec![format!("{:<12} {:>12} {:>10} {:>10} {:>12}", "", "requests/s", "p50 ms", "p99 ms", "requests")];
        for side in &self.sides {
            let (rate, p50, p99) = (side.requests_per_second, side.p50_ms, side.p99_ms);
            lines.push(format!("{:<12} {rate:>12.0} {p50:>10.3} {p99:>10.3} {:>12}", side.name, side.requests));
        }
        if let Some(Ratio { requests_per_second, p99 }) = &self.ratio {
            lines.push(format!("{:<12} {requests_per_second:>12.3} {:>10} {p99:>10.2}", "ratio", ""));
        }
        lines.extend(self.servers.iter().map(Process::line));
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
