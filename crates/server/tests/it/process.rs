//! The binary as a process: a data directory, settings, a server that can be killed, and commands beside it. Refuses to
//! wait for ever: every wait has a deadline, far longer than anything takes, and says what was missing.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::talk::Caller;

/// Longer than anything here takes on the slowest machine; what is not there by then will not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Looks until there is something to see.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let seen = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("waited in vain: {what}"))
}

/// A folder that goes when it is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new, empty one.
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where a server lives: its data directory and its settings, in a folder that goes with it.
pub(crate) struct Home {
    folder: Folder,
    /// The data directory.
    pub(crate) data: PathBuf,
    settings: toml::Table,
    environment: Vec<(String, String)>,
    dev: bool,
}

impl Home {
    /// One that is used in earnest: mails go to `smtp`, a server without TLS on this machine, sign-up is open, and no
    /// limit of a network or org is in the way. It has a master key.
    pub(crate) async fn earnest(name: &str, smtp: u16) -> Self {
        let mut home = Self::bare(name);
        home.set("server.public_url", "https://codes.example.com");
        home.set("signup.mode", "open");
        home.set("mail.from", "Codes <codes@doorcode.example>");
        home.set("mail.host", "127.0.0.1");
        home.set("mail.port", i64::from(smtp));
        home.set("mail.security", "none");
        for limit in ["guess.network_hour", "guess.wide_hour", "send.network_hour", "send.wide_hour", "send.org_day"] {
            home.set(&format!("limits.{limit}"), 1_000_000_000);
        }
        home.run(&["master", "init"]).await.well();
        home
    }

    /// One under `--dev`, with the defaults.
    pub(crate) fn dev(name: &str) -> Self {
        Self { dev: true, ..Self::bare(name) }
    }

    /// One with nothing in it: the defaults, no key, no data.
    pub(crate) fn bare(name: &str) -> Self {
        let folder = Folder::new(name);
        let data = folder.join("data");
        let home = Self { folder, data, settings: toml::Table::new(), environment: Vec::new(), dev: false };
        home.write_settings();
        home
    }

    /// Changes a setting, `section.key`, for the next command.
    pub(crate) fn set(&mut self, path: &str, value: impl Into<toml::Value>) {
        let (sections, key) = path.rsplit_once('.').unwrap();
        let mut table = &mut self.settings;
        for section in sections.split('.') {
            let inner = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            table = inner.as_table_mut().unwrap();
        }
        table.insert(key.to_owned(), value.into());
        self.write_settings();
    }

    /// Sets a variable of the environment for the next command.
    pub(crate) fn environment(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    fn write_settings(&self) {
        fs::write(self.folder.join("doorcode.toml"), self.settings.to_string()).unwrap();
    }

    /// A path in the folder, beside the data directory.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The command line `doorcode ARGUMENTS`, told where this home is.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_from(Command::new(env!("CARGO_BIN_EXE_doorcode")), arguments)
    }

    /// The same by way of another program, which is given the binary and its arguments.
    pub(crate) fn command_through(&self, program: &str, before: &[&str], arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(before).arg(env!("CARGO_BIN_EXE_doorcode"));
        self.command_from(command, arguments)
    }

    fn command_from(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).arg("--data").arg(&self.data).arg("--config").arg(self.folder.join("doorcode.toml"));
        if self.dev {
            command.arg("--dev");
        }
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments)).await
    }

    /// Starts the server on a free port of its own and waits until it says that it listens.
    pub(crate) async fn serve(&self) -> ServerProcess {
        ServerProcess::spawn(self.command(&["serve", "--listen", "127.0.0.1:0"])).await
    }
}

/// A command that has ended.
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Runs a command to its end.
    pub(crate) async fn of(mut command: Command) -> Self {
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = timeout(PATIENCE, command.output()).await.expect("a command that ends").unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { status: output.status, out: text(output.stdout), err: text(output.stderr) }
    }

    /// What it printed, if it ended with 0.
    pub(crate) fn well(self) -> String {
        assert!(self.status.success(), "{}\n{}{}", self.status, self.out, self.err);
        self.out
    }

    /// What it complained of, if it ended with 1.
    pub(crate) fn refused(self) -> String {
        assert_eq!(self.status.code(), Some(1), "{}{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self.err
    }
}

/// What a process has written to one of its ends so far.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn follow(from: impl AsyncRead + Unpin + Send + 'static) -> (Self, JoinHandle<()>) {
        let (written, mut from) = (Self::default(), BufReader::new(from));
        let into = Arc::clone(&written.0);
        let reading = tokio::spawn(async move {
            let mut piece = Vec::new();
            while from.read_until(b'\n', &mut piece).await.is_ok_and(|count| count > 0) {
                into.lock().unwrap().append(&mut piece);
            }
        });
        (written, reading)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// A running server. Killed when dropped.
pub(crate) struct ServerProcess {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    log: Written,
    reading: JoinHandle<()>,
    rest: Option<BufReader<tokio::process::ChildStdout>>,
    /// What it printed before it listened.
    pub(crate) first_lines: Vec<String>,
}

/// What is left of a server that ended by itself.
pub(crate) struct Stopped {
    pub(crate) status: ExitStatus,
    /// Standard output after the line that says where it listens.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) log: String,
}

impl ServerProcess {
    /// Runs a command that serves, and waits until it listens.
    pub(crate) async fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (log, reading) = Written::follow(child.stderr.take().unwrap());
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first_lines = Vec::new();
        let listening = async {
            loop {
                let mut line = String::new();
                if out.read_line(&mut line).await.unwrap() == 0 {
                    return None;
                }
                if let Some(address) = line.strip_prefix("listening on http://") {
                    return Some(address.trim_end().parse().unwrap());
                }
                first_lines.push(line.trim_end().to_owned());
            }
        };
        let address = timeout(PATIENCE, listening).await.ok().flatten();
        let Some(address) = address else { panic!("the server does not listen: {first_lines:?}\n{}", log.text()) };
        Self { child, address, log, reading, rest: Some(out), first_lines }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Somebody who asks from 127.0.0.1.
    pub(crate) fn caller(&self) -> Caller {
        self.caller_at([127, 0, 0, 1])
    }

    /// Somebody who asks from an address of 127.0.0.0/8.
    pub(crate) fn caller_at(&self, from: [u8; 4]) -> Caller {
        Caller { from: from.into(), to: self.address }
    }

    /// Standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        timeout(PATIENCE, self.child.kill()).await.expect("a process that dies").unwrap();
    }

    /// Asks it to stop, as a service manager does.
    pub(crate) async fn terminate(&self) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(mut self) -> Stopped {
        let status = timeout(PATIENCE, self.child.wait()).await.expect("a server that ends").unwrap();
        timeout(PATIENCE, &mut self.reading).await.unwrap().unwrap();
        let mut out = String::new();
        if let Some(mut rest) = self.rest.take() {
            rest.read_to_string(&mut out).await.unwrap();
        }
        Stopped { status, out, log: self.log.text() }
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(self) -> Stopped {
        self.terminate().await;
        let stopped = self.ended().await;
        assert!(stopped.status.success(), "{}\n{}", stopped.status, stopped.log);
        stopped
    }
}
