//! What a round needs: a server that listens, how to talk to it, and where its codes come out. And the launch of the
//! two kinds of servers.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::task::JoinSet;

use super::check::Live;
use super::child::{Server, Workspace};
use super::client::{Connection, within};
use super::door::{Door, Kind};
use super::failure::{Failure, Outcome};
use super::mail::PostOffice;

/// The way to one server under test.
#[derive(Debug, Clone)]
pub(super) struct Rig {
    pub(super) server: SocketAddr,
    pub(super) door: Arc<Door>,
    pub(super) office: Arc<PostOffice>,
    pub(super) connections: usize,
}

impl Rig {
    /// The way to `server`, over `connections` connections.
    pub(super) fn new(kind: Kind, server: SocketAddr, office: Arc<PostOffice>, connections: usize) -> Outcome<Self> {
        Ok(Self { server, door: Arc::new(Door::new(kind, server)?), office, connections })
    }

    /// The same server and mail, through another door.
    pub(super) fn through(&self, door: Door) -> Self {
        Self { door: Arc::new(door), ..self.clone() }
    }

    /// All connections of a round, open.
    pub(super) async fn connect(&self) -> Outcome<Vec<Connection>> {
        Connection::open_all(self.server, None, self.connections).await
    }

    /// `count` connections from the loopback address `from`.
    pub(super) async fn connect_from(&self, from: Option<IpAddr>, count: usize) -> Outcome<Vec<Connection>> {
        Connection::open_all(self.server, from, count).await
    }

    /// Waits until the server has no more messages to send.
    pub(super) async fn settle(&self) -> Outcome<()> {
        within("the delivery of what is left", Duration::from_secs(60), async {
            self.office.settle().await;
            Ok(())
        })
        .await
    }
}

/// Waits for all tasks of a round; the first failure ends the others.
pub(super) async fn join<T: 'static>(mut tasks: JoinSet<Outcome<T>>) -> Outcome<Vec<T>> {
    let mut done = Vec::with_capacity(tasks.len());
    while let Some(task) = tasks.join_next().await {
        done.push(task.map_err(Failure::during("a connection of the bench"))??);
    }
    Ok(done)
}

/// Makes `count` live challenges in the data directory of `workspace`, before the server starts. Their addresses and
/// codes come back in the order of the file.
pub(super) async fn seed(workspace: &Workspace, count: usize) -> Outcome<Vec<Live>> {
    let text = run_seed(workspace, count, None).await?;
    let pair = |line: &str| line.split_once(' ').map(|(address, code)| (address.into(), code.into()));
    all_of(text.lines().filter_map(pair).collect(), count)
}

/// As [`seed`], but every challenge was passed and became a session: the access tokens.
pub(super) async fn seed_sessions(workspace: &Workspace, count: usize) -> Outcome<Vec<Box<str>>> {
    let text = run_seed(workspace, count, Some("--sessions")).await?;
    all_of(text.lines().map(Into::into).collect(), count)
}

/// A person with an agent and a collector, and requests for their code that wait for their word.
pub(super) struct Seeded {
    /// The person's access token.
    pub(super) token: Box<str>,
    /// The agent's key.
    pub(super) key: Box<str>,
    /// The collector's key.
    pub(super) collector: Box<str>,
    pub(super) requests: Vec<Box<str>>,
}

/// Makes them, with so many requests, in the data directory of `workspace`.
pub(super) async fn seed_relays(workspace: &Workspace, count: usize) -> Outcome<Seeded> {
    let text = run_seed(workspace, count, Some("--relays")).await?;
    let mut lines = all_of(text.lines().map(Into::into).collect(), count + 3)?.into_iter();
    match (lines.next(), lines.next(), lines.next()) {
        (Some(token), Some(key), Some(collector)) => Ok(Seeded { token, key, collector, requests: lines.collect() }),
        _ => Err(Failure::new("nothing was seeded")),
    }
}

/// Makes an organization in the data directory of `workspace` whose calls are signed with the key of this public half, and lets it send to
/// anybody: its id.
pub(super) async fn organization(workspace: &Workspace, key: &str) -> Outcome<String> {
    let mut create = this_program(&["org", "create"], workspace)?;
    create.args(["--name", "Bench", "--json", "--stamp-key", key]);
    let made: serde_json::Value = serde_json::from_slice(&output(create, "org create").await?)
        .map_err(Failure::during("reading what `doorcode org create` made"))?;
    let org = made["organization_id"].as_str().unwrap_or_default().to_owned();
    let mut raise = this_program(&["org", "raise"], workspace)?;
    raise.args(["--org", &org]);
    output(raise, "org raise").await?;
    Ok(org)
}

/// What a command of this program says.
async fn output(mut command: Command, name: &str) -> Outcome<Vec<u8>> {
    let done = command.kill_on_drop(true).output().await.map_err(Failure::during("running this program"))?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    Err(Failure::new(format!("`doorcode {name}` failed: {}", String::from_utf8_lossy(&done.stderr).trim())))
}

/// Runs `doorcode seed`; gives what it wrote.
async fn run_seed(workspace: &Workspace, count: usize, how: Option<&str>) -> Outcome<String> {
    let file = workspace.join("seeded");
    let mut command = this_program(&["seed"], workspace)?;
    command.args(["--live", &count.to_string()]).args(how).arg("--out").arg(&file);
    output(command, "seed").await?;
    std::fs::read_to_string(file).map_err(Failure::during("reading what was seeded"))
}

fn all_of<T>(seeded: Vec<T>, count: usize) -> Outcome<Vec<T>> {
    if seeded.len() == count {
        return Ok(seeded);
    }
    Err(Failure::new(format!("`doorcode seed` wrote {} lines, not {count}", seeded.len())))
}

/// Starts Doorcode itself, on the data directory of `workspace`.
pub(super) async fn launch_doorcode(workspace: &Workspace, office: Arc<PostOffice>) -> Outcome<Server> {
    let mut command = this_program(&["serve"], workspace)?;
    command.args(["--listen", "127.0.0.1:0"]);
    Server::start(command, workspace.join("server.log"), office).await
}

/// A subcommand of this very program, with the bench's own settings and without those that the environment may hold.
fn this_program(subcommand: &[&str], workspace: &Workspace) -> Outcome<Command> {
    let config = workspace.join("config.toml");
    std::fs::write(&config, workspace.settings()).map_err(Failure::during("writing the server's settings"))?;
    let program = std::env::current_exe().map_err(Failure::during("finding this program"))?;
    let mut command = Command::new(program);
    command.env_clear().args(subcommand).arg("--dev");
    command.arg("--data").arg(workspace.join("data")).arg("--config").arg(config);
    Ok(command)
}

/// Refuses a `directory` without the better-auth peer, or with one that is not installed, and says what to run.
pub(super) fn find_better_auth(directory: &Path) -> Outcome<()> {
    let shown = directory.display();
    if !directory.join("server.mjs").is_file() {
        return Err(Failure::usage(format!(
            "no peer in {shown}; run this in the repository, or name it with --peer-dir"
        )));
    }
    if !directory.join("node_modules").is_dir() {
        return Err(Failure::usage(format!("the peer is not installed; run: npm ci --prefix {shown}")));
    }
    Ok(())
}

/// Starts the better-auth peer of `directory`, its database in `workspace`.
pub(super) async fn launch_better_auth(directory: &Path, workspace: &Workspace) -> Outcome<Server> {
    let data = workspace.join("peer");
    std::fs::create_dir(&data).map_err(Failure::during("making the peer's directory"))?;
    let mut command = Command::new("node");
    command.arg(directory.join("server.mjs")).arg(data).env("NODE_ENV", "production");
    Server::start(command, workspace.join("peer.log"), Arc::default()).await
}
