//! `doorcode bench`: starts a server of its own on loopback, drives it over HTTP/1.1 keep-alive and says how fast it
//! was. The server is a process of this same binary, durable and with its real router, limits and delivery worker; only
//! the last step of a mail is replaced, by a line on its standard output. Nothing but loopback is ever driven, and a
//! run ends by itself.

mod check;
mod child;
mod client;
mod crypto;
mod door;
mod failure;
mod flow;
mod journey;
mod mail;
mod pgbench;
pub mod post;
mod priority;
mod random;
mod relay;
mod report;
mod rig;
mod round;
mod single;
mod sockets;
mod stamped;
mod stats;
mod stopwatch;
mod streams;
mod timing;
mod token;
mod verdict;
mod welch;
mod window;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::{err as note, out};
use check::Pool;
use child::{Server, Workspace};
use door::Kind;
use failure::{Failure, Outcome};
use mail::PostOffice;
use report::{Process, Report};
use rig::Rig;
use round::{Load, Side};
use verdict::Verdict;

/// Live challenges of the smaller side of a comparison.
const THOUSAND: usize = 1000;

const EXAMPLES: &str = "Examples:
  doorcode bench --scenario flow --connections 256 --seconds 10
  doorcode bench --scenario flow --against floor --connections 256 --json
  doorcode bench --scenario flow --against better-auth
  doorcode bench --scenario native --against floor --connections 256
  doorcode bench --scenario token --against floor --connections 256
  doorcode bench --scenario stamped --against crypto
  doorcode bench --scenario flow --database postgres://door@127.0.0.1/bench --against pgbench
  doorcode bench --scenario check --live 1000000 --against thousand
  doorcode bench --scenario streams --streams 5000
  doorcode bench --scenario sockets --sockets 20000
  doorcode bench --scenario relay --messages 30
  doorcode bench --scenario timing --calls 20000

Progress goes to standard error, the result to standard output. The exit code is 0 for a run that ended well, 1 for one
that failed (timing: also if a difference was found), 2 for one that could not begin.";

/// Measure this machine: start a server of its own and drive it
///
/// The data of that server is in a directory of its own and goes when the bench ends.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct BenchArgs {
    /// What to measure.
    #[arg(long, value_enum)]
    scenario: Scenario,
    /// What to measure in turn with it, for a ratio.
    #[arg(long, value_enum)]
    against: Option<Against>,
    /// Kept-alive connections, one request in flight on each.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,
    /// How long each side is measured, after a warm-up; with --against at least 8.
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=3600))]
    seconds: u16,
    /// Print one JSON object in place of the table.
    #[arg(long)]
    json: bool,
    /// check: how many challenges are live.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    live: u32,
    /// timing: measured calls of each set of four cases.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    calls: u32,
    /// streams: how many are open at once.
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    streams: u32,
    /// sockets: how many are open at once.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(2000..=1_000_000))]
    sockets: u32,
    /// relay: how many mails are sent.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=500))]
    messages: u32,
    /// timing: the loopback address that measured calls come from; accounts are made from 127.0.0.1.
    #[arg(long, value_name = "ADDR")]
    from: Option<IpAddr>,
    /// The PostgreSQL database that the server under test uses, in place of the embedded one. It is filled: give it an empty one.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Where the server's data goes while the bench runs [default: the system's directory for temporary files].
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    /// Where the better-auth peer is.
    #[arg(long, value_name = "DIR", default_value = "bench/peers/better-auth")]
    peer_dir: PathBuf,
}

/// What a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Scenario {
    /// A start and a right check for a fresh address each: user, team and key are made.
    Flow,
    /// Starts alone.
    Start,
    /// Wrong and right checks of live challenges.
    Check,
    /// A program's start and right check through /v1 for a fresh address each; one key.
    Native,
    /// Whether a session is good, by its access token.
    Token,
    /// Signed calls: codes that become sealed keys, and keys that ask who they are.
    Stamped,
    /// A POST with a start's body that touches nothing.
    Floor,
    /// Event streams that are open and not read: their memory, and what somebody else's start and check take beside them.
    Streams,
    /// WebSockets that are open and silent: their memory, and when the last of a request's watchers hears of its owner's word.
    Sockets,
    /// Mails by the system's Postfix and Dovecot: when a code has reached its agent.
    Relay,
    /// Whether the time of an answer tells known from unknown addresses.
    Timing,
}

/// The other side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Against {
    /// The floor, on the same server.
    Floor,
    /// The same journey through better-auth (flow only).
    BetterAuth,
    /// The same checks on a second server, with a thousand live challenges (check only).
    Thousand,
    /// The database of --database alone: `pgbench` with one row inserted by each transaction.
    Pgbench,
    /// The same cryptography alone, on all cores (stamped only).
    Crypto,
}

impl BenchArgs {
    /// Runs the bench on a runtime of its own, until its end or until it is interrupted. Not to be called from within
    /// another runtime.
    pub(super) fn run(self) -> ExitCode {
        match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(run(self)),
            Err(error) => {
                note(&format!("bench: cannot start a runtime: {error}"));
                ExitCode::FAILURE
            }
        }
    }
}

/// Runs the bench that `args` ask for, until its end or until it is interrupted.
async fn run(args: BenchArgs) -> ExitCode {
    let done = tokio::select! {
        done = bench(&args) => done,
        interrupted = interrupted() => interrupted,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(Failure { why, code }) => {
            note(&format!("bench: {why}"));
            ExitCode::from(code)
        }
    }
}

/// Ends, as a failure, with the first signal; dropping the bench stops its servers and removes what they wrote.
async fn interrupted() -> Outcome<bool> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::during("listening for signals"))?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    Err(Failure::new("interrupted"))
}

/// One whole run; false if it ended well and found what it should not.
async fn bench(args: &BenchArgs) -> Outcome<bool> {
    refuse_nonsense(args)?;
    let workspace = Workspace::create(&parent(args))?.on(args.database.clone());
    let load = load(args, &workspace).await?;
    let watched = match args.scenario {
        Scenario::Sockets => Some(sockets::seed(&workspace, args.sockets as usize).await?),
        _ => None,
    };
    let relayed = match args.scenario {
        Scenario::Relay => Some((relay::find()?, relay::seed(&workspace).await?)),
        _ => None,
    };
    let backend = match args.scenario {
        Scenario::Stamped => Some(Arc::new(stamped::Backend::new(&workspace, args.connections.into()).await?)),
        _ => None,
    };
    let office = Arc::new(PostOffice::default());
    let server = rig::launch_doorcode(&workspace, Arc::clone(&office)).await?;
    let rig = Rig::new(Kind::Doorcode, server.address, office, args.connections.into())?;
    let done = match load {
        Some(load) => compare(args, &rig, load, &server, &workspace).await,
        None if args.scenario == Scenario::Streams => streams(args, &rig, &server).await,
        None if let Some(watched) = watched => sockets(args, &rig, &server, watched).await,
        None if let Some(backend) = backend => {
            let how = (Duration::from_secs(args.seconds.into()), args.against.is_some());
            stamped::run(&rig, &server, &backend, how).await.and_then(|report| say(args, &report))
        }
        None if let Some((servers, seeded)) = relayed => {
            relay::run(&rig, &workspace, servers, &seeded, args.messages).await.and_then(|found| print(args, &found))
        }
        None => timing(args, &rig).await,
    };
    let last_words = if done.is_err() { server.last_words() } else { String::new() };
    server.stop().await;
    done.map_err(|failure| Failure { why: format!("{}{last_words}", failure.why), ..failure })
}

/// Where the servers' data goes.
fn parent(args: &BenchArgs) -> PathBuf {
    args.work_dir.clone().unwrap_or_else(std::env::temp_dir)
}

/// The load of a scenario, none for those that are no rounds; what must be in the database before the server starts is put there.
async fn load(args: &BenchArgs, workspace: &Workspace) -> Outcome<Option<Load>> {
    Ok(match args.scenario {
        Scenario::Flow => Some(Load::Flow),
        Scenario::Start => Some(Load::Start),
        Scenario::Native => Some(Load::Native),
        Scenario::Floor => Some(Load::Floor),
        Scenario::Token => {
            note(&format!("seeding {} sessions", token::SESSIONS));
            Some(Load::Token(Arc::new(rig::seed_sessions(workspace, token::SESSIONS).await?)))
        }
        Scenario::Timing | Scenario::Streams | Scenario::Sockets | Scenario::Relay | Scenario::Stamped => None,
        Scenario::Check => {
            let size = args.live as usize;
            let pool = Pool::new(size, args.connections.into())?;
            note(&format!("seeding {size} live challenges"));
            pool.add(rig::seed(workspace, size).await?);
            Some(Load::Check(Arc::new(pool)))
        }
    })
}

fn refuse_nonsense(args: &BenchArgs) -> Outcome<()> {
    match (args.scenario, args.against) {
        (Scenario::Floor | Scenario::Streams | Scenario::Sockets | Scenario::Relay | Scenario::Timing, Some(_)) => {
            Err(Failure::usage("--against goes with the scenarios flow, start, check, native, token and stamped"))
        }
        (scenario, Some(against)) if (scenario == Scenario::Stamped) != (against == Against::Crypto) => {
            Err(Failure::usage("--against crypto goes with --scenario stamped, and nothing else does"))
        }
        (Scenario::Start | Scenario::Check | Scenario::Native | Scenario::Token, Some(Against::BetterAuth)) => {
            Err(Failure::usage("--against better-auth goes with --scenario flow"))
        }
        (Scenario::Start | Scenario::Flow | Scenario::Native | Scenario::Token, Some(Against::Thousand)) => {
            Err(Failure::usage("--against thousand goes with --scenario check"))
        }
        (_, Some(Against::Pgbench)) if args.database.is_none() => {
            Err(Failure::usage("--against pgbench needs --database: it measures the same database alone"))
        }
        (Scenario::Streams, None) => streams::refuse_too_many(args.streams as usize, "streams"),
        (Scenario::Sockets, None) => streams::refuse_too_many(args.sockets as usize, "sockets"),
        (_, Some(Against::BetterAuth)) => rig::find_better_auth(&args.peer_dir),
        _ => Ok(()),
    }
}

/// Measures `load`, alone or in turn with the other side, and prints the report.
async fn compare(args: &BenchArgs, rig: &Rig, load: Load, server: &Server, workspace: &Workspace) -> Outcome<bool> {
    let idle = server.memory();
    let rig = match load {
        Load::Native => &journey::program(rig).await?,
        _ => rig,
    };
    let mut sides = vec![Side::new(load.name(), rig.clone(), load)];
    let mut peer = None;
    let few = Workspace::create(&parent(args))?;
    match args.against {
        Some(Against::Floor) => {
            let floor = match &sides[0].load {
                Load::Token(tokens) => Load::TokenFloor(Arc::clone(tokens)),
                _ => Load::Floor,
            };
            sides.push(Side::new(floor.name(), rig.clone(), floor));
        }
        Some(Against::BetterAuth) => {
            note("starting the better-auth peer");
            let started = rig::launch_better_auth(&args.peer_dir, workspace).await?;
            let rig = Rig::new(Kind::BetterAuth, started.address, Arc::default(), rig.connections)?;
            sides.push(Side::new("better-auth", rig, Load::Flow));
            peer = Some(("better-auth", started.memory(), started));
        }
        Some(Against::Thousand) => {
            let pool = Pool::new(THOUSAND, rig.connections)?;
            pool.add(rig::seed(&few, THOUSAND).await?);
            let office = Arc::new(PostOffice::default());
            let started = rig::launch_doorcode(&few, Arc::clone(&office)).await?;
            let rig = Rig::new(Kind::Doorcode, started.address, office, rig.connections)?;
            sides.push(Side::new("check, a thousand", rig, Load::Check(Arc::new(pool))));
            peer = Some(("doorcode, a thousand", started.memory(), started));
        }
        Some(Against::Pgbench) => {
            let url = args.database.as_deref().unwrap_or_default();
            let alone = pgbench::Pgbench::prepare(url, workspace.path()).await?;
            sides.push(Side::new("pgbench", rig.clone(), Load::Pgbench(alone)));
        }
        Some(Against::Crypto) | None => {}
    }
    let measured = round::measure(&mut sides, Duration::from_secs(args.seconds.into())).await;
    let mut servers = vec![Process::new("doorcode", server.startup, idle, server.memory())];
    if let Some((name, idle, peer)) = peer {
        servers.push(Process::new(name, peer.startup, idle, peer.memory()));
        peer.stop().await;
    }
    measured?;
    say(args, &Report::new(args.scenario, rig.connections, &sides, servers))
}

/// Prints a report; false if a goal was missed.
fn say(args: &BenchArgs, report: &Report) -> Outcome<bool> {
    out(&if args.json { report.json()? } else { report.table() });
    Ok(report.passes())
}

/// Runs the streams scenario and prints what it found; false if the goal was missed.
async fn streams(args: &BenchArgs, rig: &Rig, server: &Server) -> Outcome<bool> {
    let found = streams::run(rig, server, args.streams as usize).await?;
    let json = || serde_json::to_string(&found).map_err(Failure::during("writing the report"));
    out(&if args.json { json()? } else { found.table() });
    Ok(found.passes())
}

/// Runs the sockets scenario and prints what it found; false if a goal was missed.
async fn sockets(args: &BenchArgs, rig: &Rig, server: &Server, watched: rig::Seeded) -> Outcome<bool> {
    let found = sockets::run(rig, server, watched, args.sockets as usize).await?;
    let json = || serde_json::to_string(&found).map_err(Failure::during("writing the report"));
    out(&if args.json { json()? } else { found.table() });
    Ok(found.passes())
}

/// Prints what the relay scenario found; false if a goal was missed.
fn print(args: &BenchArgs, found: &relay::Found) -> Outcome<bool> {
    let json = || serde_json::to_string(found).map_err(Failure::during("writing the report"));
    out(&if args.json { json()? } else { found.table() });
    Ok(found.passes())
}

/// Runs the timing scenario and prints its table; false if a difference was found.
async fn timing(args: &BenchArgs, rig: &Rig) -> Outcome<bool> {
    let verdicts = timing::run(rig, args.calls as usize, args.from).await?;
    let pass = verdicts.iter().all(Verdict::passes);
    if args.json {
        let json = serde_json::json!({ "scenario": args.scenario, "threshold": welch::THRESHOLD, "pass": pass, "pairs": verdicts });
        out(&json.to_string());
    } else {
        out(&Verdict::head());
        for verdict in &verdicts {
            out(&verdict.row());
        }
        out(if pass { "PASS: no difference found" } else { "FAIL: the time of an answer tells cases apart" });
    }
    Ok(pass)
}
