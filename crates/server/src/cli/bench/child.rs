//! The servers under test are processes of their own, so that their peak memory can be read, and nothing of them
//! outlives the bench: they are killed when dropped, and everything they wrote is in a directory that goes with them.

use std::fs::{DirBuilder, File};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use super::failure::{Failure, Outcome};
use super::mail::PostOffice;
use super::stopwatch::now;

/// A server that has not said `listening on` by then never will.
const START_LIMIT: Duration = Duration::from_secs(60);
const LISTENING: &str = "listening on http://";
/// How much of a failed server's log is shown.
const LAST_LINES: usize = 10;

/// The settings that the server under test runs with: mail to standard output, and the limits that count networks and
/// orgs raised, since all load comes from one address. What is counted is still counted (docs/threat-model.md). Of
/// connections, as many as the system gives: nothing is set aside for mailboxes.
fn settings() -> &'static str {
    r#"[mail]
transport = "stdout"

[server]
max_connections = 100000
streams_each = 100000

[relay]
approve_within = "1h"
agent_minute = 100000
owner_minute = 100000
captures_day = 100000
live = 500

[capture.mailboxes]
per_person = 0

[limits.guess]
network_hour = 1000000000
wide_hour = 1000000000
org_hour = 1000000000

[limits.send]
network_hour = 1000000000
wide_hour = 1000000000
org_day = 1000000000
"#
}

/// A directory that its owner alone can read, removed when dropped.
#[derive(Debug)]
pub(super) struct Workspace {
    path: PathBuf,
    database: Option<String>,
}

impl Workspace {
    /// Makes a new directory in `parent`.
    pub(super) fn create(parent: &Path) -> Outcome<Self> {
        let mut last = None;
        for number in 0..1000 {
            let path = parent.join(format!("doorcode-bench-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path, database: None }),
                Err(error) => last = Some(error),
            }
        }
        let why = last.map_or_else(String::new, |error| error.to_string());
        Err(Failure::usage(format!("cannot make a directory in {}: {why}", parent.display())))
    }

    /// The same, for servers on a PostgreSQL database.
    pub(super) fn on(mut self, database: Option<String>) -> Self {
        self.database = database;
        self
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of `name` in it.
    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The settings of a server whose data is here.
    pub(super) fn settings(&self) -> String {
        let database =
            self.database.as_ref().map(|url| format!("\n[database]\nurl = {}\n", toml::Value::from(url.as_str())));
        format!("{}{}", settings(), database.unwrap_or_default())
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // A server that was killed a moment ago may still be closing its files.
        for _ in 0..3 {
            if std::fs::remove_dir_all(&self.path).is_ok() {
                return;
            }
        }
    }
}

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    log: PathBuf,
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// From its start to the line `listening on`.
    pub(super) startup: Duration,
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Memory {
    /// Resident now.
    pub(super) resident: u64,
    /// The most that was ever resident.
    pub(super) peak: u64,
}

impl Server {
    /// Starts `command` and waits until it listens. Its standard error goes to the file `log`; every later line of its
    /// standard output goes to `office`.
    pub(super) async fn start(mut command: Command, log: PathBuf, office: Arc<PostOffice>) -> Outcome<Self> {
        let errors = File::create(&log).map_err(Failure::during("making the server's log"))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).kill_on_drop(true);
        let begun = now();
        let mut process = command.spawn().map_err(Failure::during("starting the server under test"))?;
        let Some(stdout) = process.stdout.take() else { return Err(Failure::new("the server has no standard output")) };
        let mut lines = BufReader::with_capacity(1 << 16, stdout);
        let first = tokio::time::timeout(START_LIMIT, listening(&mut lines)).await;
        let startup = now().saturating_duration_since(begun);
        let Ok(Some(address)) = first else {
            let why = format!("the server under test did not start{}", last_lines(&log));
            return Err(Failure::new(why));
        };
        tokio::spawn(sort(lines, office));
        Ok(Self { process, log, address, startup })
    }

    /// Its memory; zeros where `/proc` does not say.
    pub(super) fn memory(&self) -> Memory {
        let status = self.process.id().and_then(|id| std::fs::read_to_string(format!("/proc/{id}/status")).ok());
        let field = |name| status.as_deref().and_then(|status| kibibytes(status, name)).unwrap_or(0) * 1024;
        Memory { resident: field("VmRSS:"), peak: field("VmHWM:") }
    }

    /// The end of its log, for the message about a run that failed.
    pub(super) fn last_words(&self) -> String {
        last_lines(&self.log)
    }

    /// Kills it and waits until it is gone, so that its directory can be removed.
    pub(super) async fn stop(mut self) {
        // It may be gone already; `kill_on_drop` stands behind this.
        let _ = self.process.kill().await;
    }
}

/// Reads up to the line that says where the server listens.
async fn listening(lines: &mut BufReader<ChildStdout>) -> Option<SocketAddr> {
    let mut line = String::new();
    while lines.read_line(&mut line).await.ok()? > 0 {
        if let Some(address) = line.trim_end().strip_prefix(LISTENING) {
            return address.parse().ok();
        }
        line.clear();
    }
    None
}

/// Hands every further line to the post office until the server closes its output.
async fn sort(mut lines: BufReader<ChildStdout>, office: Arc<PostOffice>) {
    let mut line = Vec::new();
    while matches!(lines.read_until(b'\n', &mut line).await, Ok(1..)) {
        office.deliver(&line);
        line.clear();
    }
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = &lines[lines.len().saturating_sub(LAST_LINES)..];
    if tail.is_empty() { String::new() } else { format!("; the end of its log:\n{}", tail.join("\n")) }
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_server_is_started_read_and_stopped() {
        let workspace = Workspace::create(&std::env::temp_dir()).unwrap();
        let office = Arc::new(PostOffice::default());
        let mut mailbox = office.open();
        let serial = mailbox.fresh();
        let script = format!(
            r#"echo hello; echo listening on http://127.0.0.1:4242; echo '{{"to":"{}","code":"777777"}}'; exec sleep 60"#,
            mailbox.address(serial)
        );
        let server = Server::start(shell(&script), workspace.join("log"), office).await.unwrap();
        assert_eq!(server.address, "127.0.0.1:4242".parse().unwrap());
        assert_eq!(&*mailbox.letters.recv().await.unwrap().code, "777777");
        let memory = server.memory();
        assert!(memory.peak >= memory.resident && memory.resident > 0, "{memory:?}");
        let process = PathBuf::from(format!("/proc/{}", server.process.id().unwrap()));
        assert!(process.exists());
        server.stop().await;
        assert!(!process.exists());
        // A file of its own: another test may take the freed name of the directory at once.
        let left = workspace.join("of-this-test-alone");
        std::fs::write(&left, "").unwrap();
        drop(workspace);
        assert!(!left.exists());
    }

    #[tokio::test]
    async fn a_server_that_gives_up_is_quoted() {
        let workspace = Workspace::create(&std::env::temp_dir()).unwrap();
        let command = shell("echo no master key >&2; exit 1");
        let failure = Server::start(command, workspace.join("log"), Arc::default()).await.unwrap_err();
        assert!(failure.why.contains("no master key"), "{}", failure.why);
    }

    #[test]
    fn settings_are_toml() {
        let settings: toml::Table = settings().parse().unwrap();
        assert_eq!(settings["mail"]["transport"].as_str(), Some("stdout"));
        assert_eq!(settings["limits"]["send"]["org_day"].as_integer(), Some(1_000_000_000));
    }
}
