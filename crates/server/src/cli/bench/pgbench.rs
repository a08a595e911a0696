//! The database alone, in the same run: PostgreSQL's own `pgbench`, with one row inserted by each transaction, prepared, and as
//! durable as the server's own work. What it reaches bounds whatever commits something for each request.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::failure::{Failure, Outcome};
use super::round::Round;
use super::stats::Histogram;

/// Its clients, and its threads.
const CLIENTS: &str = "32";
const THREADS: &str = "2";

const TABLE: &str = "DROP TABLE IF EXISTS pgbench_alone;\n\
    CREATE TABLE pgbench_alone (id BIGINT NOT NULL, body TEXT NOT NULL);\n";
const TRANSACTION: &str = "\\set id random(1, 1000000000000)\n\
    INSERT INTO pgbench_alone (id, body) VALUES (:id, 'as many bytes as a small row of the server has, which is about a hundred of them');\n";

/// A database to measure.
#[derive(Debug, Clone)]
pub(super) struct Pgbench {
    url: String,
    script: std::path::PathBuf,
}

impl Pgbench {
    /// Makes its table, and a file for its script in `directory`.
    pub(super) async fn prepare(url: &str, directory: &Path) -> Outcome<Self> {
        let (table, script) = (directory.join("table.sql"), directory.join("transaction.sql"));
        std::fs::write(&table, TABLE).map_err(Failure::during("writing a script"))?;
        std::fs::write(&script, TRANSACTION).map_err(Failure::during("writing a script"))?;
        let pgbench = Self { url: url.to_owned(), script };
        pgbench.run(&["-c", "1", "-t", "1", "-f"], &table).await?;
        Ok(pgbench)
    }

    /// One round. Of latencies it tells the mean alone.
    pub(super) async fn round(&self, length: Duration) -> Outcome<Round> {
        let seconds = length.as_secs().max(1).to_string();
        let text =
            self.run(&["-M", "prepared", "-c", CLIENTS, "-j", THREADS, "-T", &seconds, "-f"], &self.script).await?;
        let (rate, mean) = figures(&text)
            .ok_or_else(|| Failure::new(format!("pgbench said nothing that was expected of it:\n{text}")))?;
        let measured = Duration::from_secs(length.as_secs().max(1));
        let mut latencies = Histogram::default();
        for _ in 0..(rate * measured.as_secs_f64()) as u64 {
            latencies.record(mean);
        }
        Ok(Round { measured, latencies })
    }

    async fn run(&self, arguments: &[&str], script: &Path) -> Outcome<String> {
        let mut command = Command::new("pgbench");
        command.arg("-n").args(arguments).arg(script).arg(&self.url).stdin(Stdio::null()).kill_on_drop(true);
        let done = command.output().await.map_err(|error| {
            Failure::usage(format!("pgbench can't be run: {error}; Debian has it in the package postgresql-contrib"))
        })?;
        if !done.status.success() {
            return Err(Failure::new(format!("pgbench failed: {}", String::from_utf8_lossy(&done.stderr).trim())));
        }
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }
}

/// Transactions a second, without the time to connect, and the mean latency.
fn figures(text: &str) -> Option<(f64, Duration)> {
    let after = |mark: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(mark))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    Some((after("tps = ")?, Duration::from_secs_f64(after("latency average = ")? / 1000.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_figures_are_found() {
        let text = "transaction type: t.sql\nnumber of failed transactions: 0 (0.000%)\nlatency average = 2.500 ms\n\
            initial connection time = 38.0 ms\ntps = 12800.25 (without initial connection time)\n";
        assert_eq!(figures(text), Some((12800.25, Duration::from_micros(2500))));
        assert_eq!(figures("nothing"), None);
    }
}
