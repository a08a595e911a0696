//! Many event streams at once: what each costs the server in memory, and what they cost somebody else in time. Every stream
//! is of a verification of its own, is open when it has told of the start, and reads nothing from then on. Refuses to begin
//! where the system gives too few descriptors.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::child::Server;
use super::client::{Connection, connect, within};
use super::failure::{Failure, Outcome};
use super::journey;
use super::rig::{Rig, join};
use super::stats::median;
use super::stopwatch::now;
use crate::cli::err as note;
use crate::descriptors;

/// The most memory that one may cost, in bytes.
const MOST: f64 = 16.0 * 1024.0;
/// Descriptors beside those of the streams, of the bench as of the server.
const BESIDE: usize = 200;
/// Streams from one source address: a system has some 28,000 ports for each.
const OF_ONE_ADDRESS: usize = 20_000;
/// How long all stay open, so that each has had its sign of life, which comes every 15 s.
const HELD: Duration = Duration::from_secs(17);
/// What is freed, or not, after they were opened or closed.
const SETTLE: Duration = Duration::from_secs(1);
/// Journeys whose median counts.
const JOURNEYS: usize = 400;
/// How long opening all may take.
const OPENING: Duration = Duration::from_secs(240);
/// How the answer begins, if there is one.
const GOOD: &[u8] = b"HTTP/1.1 200";
/// By what a stream is known to be open.
const STARTED: &[u8] = b"event: verification.started";

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    streams: usize,
    memory_bytes_each: f64,
    goal_bytes_each: f64,
    pass: bool,
    idle: Journey,
    beside: Journey,
    ratio: Journey,
}

/// Medians over journeys, in milliseconds, or those of one over those of another.
#[derive(Debug, Clone, Copy, Serialize)]
struct Journey {
    start: f64,
    check: f64,
}

/// Opens `count` streams to the server behind `rig`, and closes them again.
pub(super) async fn run(rig: &Rig, server: &Server, count: usize) -> Outcome<Found> {
    let rig = journey::program(rig).await?;
    note(&format!("starting {count} verifications"));
    let names = within("starting verifications", OPENING, start(&rig, count)).await?;
    let before = journeys(&rig).await?;
    rig.settle().await?;
    tokio::time::sleep(SETTLE).await;
    let without = server.memory().resident;

    note(&format!("opening {count} streams"));
    let opened = now();
    let streams = within("opening streams", OPENING, open(&rig, names)).await?;
    tokio::time::sleep(SETTLE).await;
    let first = server.memory().resident;
    let beside = journeys(&rig).await?;
    tokio::time::sleep(HELD.saturating_sub(now().saturating_duration_since(opened))).await;
    let with = server.memory().resident.max(first);

    drop(streams);
    tokio::time::sleep(SETTLE).await;
    let after = journeys(&rig).await?;
    let idle = Journey { start: (before.start + after.start) / 2.0, check: (before.check + after.check) / 2.0 };
    Ok(Found::of(count, with.saturating_sub(without), idle, beside))
}

impl Found {
    fn of(streams: usize, memory: u64, idle: Journey, beside: Journey) -> Self {
        let each = memory as f64 / streams as f64;
        let ratio = Journey { start: beside.start / idle.start, check: beside.check / idle.check };
        Self { streams, memory_bytes_each: each, goal_bytes_each: MOST, pass: each <= MOST, idle, beside, ratio }
    }

    /// Whether the goal is reached.
    pub(super) fn passes(&self) -> bool {
        self.pass
    }

    /// What was found, for people.
    pub(super) fn table(&self) -> String {
        let row = |name: &str, of: fn(&Journey) -> f64| {
            let (idle, beside, ratio) = (of(&self.idle), of(&self.beside), of(&self.ratio));
            format!("{name:<12} {idle:>12.3} {beside:>15.3} {ratio:>8.2}")
        };
        let word = if self.pass { "PASS" } else { "FAIL" };
        [
            format!("{} streams: {:.1} KiB each", self.streams, self.memory_bytes_each / 1024.0),
            format!("{:<12} {:>12} {:>15} {:>8}", "", "idle ms", "beside them ms", "ratio"),
            row("start", |journey| journey.start),
            row("check", |journey| journey.check),
            format!("{word}: the goal is at most {:.0} KiB each", MOST / 1024.0),
        ]
        .join("\n")
    }
}

/// Refuses more of `what` than there are descriptors for: the server's limit is this process's.
pub(super) fn refuse_too_many(count: usize, what: &str) -> Outcome<()> {
    match descriptors::open_most() {
        Some(most) if most < count + BESIDE => Err(Failure::usage(format!(
            "{count} {what} need {} open files, and the limit is {most}: see ulimit -n",
            count + BESIDE
        ))),
        _ => Ok(()),
    }
}

/// Starts `count` verifications, whose codes nobody waits for. Gives what each is named by.
async fn start(rig: &Rig, count: usize) -> Outcome<Vec<Box<str>>> {
    let connections = rig.connect().await?;
    let lanes = connections.len();
    let mut tasks = JoinSet::new();
    for (place, mut connection) in connections.into_iter().enumerate() {
        let (rig, share) = (rig.clone(), count / lanes + usize::from(place < count % lanes));
        tasks.spawn(async move {
            let mut mailbox = rig.office.open();
            let mut names = Vec::with_capacity(share);
            for _ in 0..share {
                let serial = mailbox.fresh();
                let address = mailbox.address(serial);
                let answer = connection.ask(rig.door.start(&address)).await?;
                rig.door.expect_started(&answer)?;
                names.push(rig.door.named(address, &answer)?);
            }
            Ok(names)
        });
    }
    Ok(join(tasks).await?.into_iter().flatten().collect())
}

/// Opens a stream for each name, as many at once as there are connections.
pub(super) async fn open(rig: &Rig, names: Vec<Box<str>>) -> Outcome<Vec<TcpStream>> {
    let mut tasks = JoinSet::new();
    let share = names.len().div_ceil(rig.connections).max(1);
    for (lane, names) in names.chunks(share).enumerate() {
        let (rig, names) = (rig.clone(), names.to_vec());
        tasks.spawn(async move {
            let mut streams = Vec::with_capacity(names.len());
            for (place, name) in names.iter().enumerate() {
                streams.push(listen(&rig, name, source(lane * share + place)).await?);
            }
            Ok(streams)
        });
    }
    Ok(join(tasks).await?.into_iter().flatten().collect())
}

/// The loopback address that stream number `place` comes from.
pub(super) fn source(place: usize) -> IpAddr {
    let host = u32::try_from(place / OF_ONE_ADDRESS).unwrap_or(u32::MAX).saturating_add(1);
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 0, 0, 0)) | (host & 0x00ff_ffff)).into()
}

/// One stream that has told of the start.
async fn listen(rig: &Rig, name: &str, from: IpAddr) -> Outcome<TcpStream> {
    let mut stream = connect(rig.server, Some(from)).await?;
    stream.write_all(rig.door.watch(name).as_bytes()).await.map_err(Failure::during("asking for a stream"))?;
    let mut heard = Vec::with_capacity(1024);
    while !heard.windows(STARTED.len()).any(|bytes| bytes == STARTED) {
        let more = stream.read_buf(&mut heard).await.map_err(Failure::during("reading a stream"))?;
        let refused = heard.len() >= GOOD.len() && !heard.starts_with(GOOD);
        if more == 0 || refused {
            let heard = String::from_utf8_lossy(&heard).into_owned();
            return Err(Failure::new(format!("a stream did not tell of the start: {heard}")));
        }
    }
    Ok(stream)
}

/// Journeys of somebody else, one after the other.
async fn journeys(rig: &Rig) -> Outcome<Journey> {
    let mut connection = Connection::open(rig.server, None).await?;
    let mut mailbox = rig.office.open();
    let (mut starts, mut checks) = (Vec::with_capacity(JOURNEYS), Vec::with_capacity(JOURNEYS));
    for _ in 0..JOURNEYS {
        let serial = mailbox.fresh();
        let address = mailbox.address(serial);
        let (answer, sent, answered) = connection.ask_between(rig.door.start(&address)).await?;
        rig.door.expect_started(&answer)?;
        starts.push(millis(sent, answered));
        let (name, code) = (rig.door.named(address, &answer)?, journey::code(&mut mailbox, serial).await?);
        let (answer, sent, answered) = connection.ask_between(rig.door.check(&name, &code)).await?;
        rig.door.expect_earned(&answer)?;
        checks.push(millis(sent, answered));
    }
    Ok(Journey { start: median(&starts), check: median(&checks) })
}

fn millis(sent: Instant, answered: Instant) -> f64 {
    answered.saturating_duration_since(sent).as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_change_before_their_ports_run_out() {
        assert_eq!(source(0), IpAddr::from([127, 0, 0, 1]));
        assert_eq!(source(OF_ONE_ADDRESS - 1), IpAddr::from([127, 0, 0, 1]));
        assert_eq!(source(OF_ONE_ADDRESS), IpAddr::from([127, 0, 0, 2]));
        assert_eq!(source(300 * OF_ONE_ADDRESS), IpAddr::from([127, 0, 1, 45]));
    }

    #[test]
    fn a_stream_of_more_than_the_goal_fails() {
        let journey = Journey { start: 2.0, check: 4.0 };
        let slower = Journey { start: 3.0, check: 4.0 };
        let found = Found::of(10, 10 * 16 * 1024, journey, slower);
        assert!(found.passes() && found.table().contains("16.0 KiB each"), "{}", found.table());
        assert_eq!((found.ratio.start, found.ratio.check), (1.5, 1.0));
        assert!(!Found::of(10, 10 * 16 * 1024 + 10, journey, slower).passes());
    }
}
