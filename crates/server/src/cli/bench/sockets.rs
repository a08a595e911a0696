//! Many WebSockets at once: what each costs the server in memory, and when the last of those who watch one request hears of its owner's
//! word. Some requests are watched by many, every other socket watches one of its own; none says anything. Refuses to begin where the
//! system gives too few descriptors.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HOST};
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::child::{Server, Workspace};
use super::client::{Connection, connect, within};
use super::failure::{Failure, Outcome};
use super::rig::{self, Rig, Seeded, join};
use super::stats::median;
use super::stopwatch::now;
use super::streams::source;
use crate::cli::err as note;

/// The most memory that one may cost, in bytes.
const MOST: f64 = 16.0 * 1024.0;
/// The longest that the last watcher may wait, in milliseconds.
const LONGEST: f64 = 100.0;
/// Requests that are watched by many, and by how many each.
const CROWDED: usize = 5;
const CROWD: usize = 200;
/// How long all stay open: each was pinged then, which happens after 30 s.
const HELD: Duration = Duration::from_secs(33);
/// What is freed, or not, after they were opened.
const SETTLE: Duration = Duration::from_secs(1);
/// How long opening all, and hearing of a word, may take.
const OPENING: Duration = Duration::from_secs(240);
const HEARING: Duration = Duration::from_secs(20);
/// How the answer begins, by what a socket is known to be open, and by what the word is known.
const GOOD: &[u8] = b"HTTP/1.1 101";
const OPEN: &[u8] = b"otp_status_change";
const APPROVED: &[u8] = b"\"approved\"";

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    sockets: usize,
    memory_bytes_each: f64,
    goal_bytes_each: f64,
    watchers: usize,
    last_heard_ms: Vec<f64>,
    goal_ms: f64,
    pass: bool,
}

/// Puts the requests into the data directory of `workspace`, before the server starts.
pub(super) async fn seed(workspace: &Workspace, count: usize) -> Outcome<Seeded> {
    let requests = count - CROWDED * CROWD + CROWDED;
    note(&format!("seeding {requests} requests"));
    rig::seed_relays(workspace, requests).await
}

/// Opens `count` sockets to the server behind `rig`, and lets the owner say yes to what many of them watch.
pub(super) async fn run(rig: &Rig, server: &Server, watched: Seeded, count: usize) -> Outcome<Found> {
    tokio::time::sleep(SETTLE).await;
    let without = server.memory().resident;

    note(&format!("opening {count} sockets"));
    let opened = now();
    let mut sockets = within("opening sockets", OPENING, open(rig, &watched)).await?;
    tokio::time::sleep(SETTLE).await;
    let first = server.memory().resident;
    tokio::time::sleep(HELD.saturating_sub(now().saturating_duration_since(opened))).await;
    let with = server.memory().resident.max(first);

    // Not before: one that says nothing for so long is closed.
    let mut connection = Connection::open(rig.server, None).await?;
    let mut last = Vec::with_capacity(CROWDED);
    for request in &watched.requests[..CROWDED] {
        let crowd: Vec<TcpStream> = sockets.drain(..CROWD).collect();
        last.push(
            within("hearing of a word", HEARING, hear(&mut connection, rig.server, &watched, request, crowd)).await?,
        );
    }
    drop(sockets);
    Ok(Found::of(count, with.saturating_sub(without), last))
}

impl Found {
    fn of(sockets: usize, memory: u64, last_heard_ms: Vec<f64>) -> Self {
        let each = memory as f64 / sockets as f64;
        let pass = each <= MOST && last_heard_ms.iter().all(|ms| *ms <= LONGEST);
        Self {
            sockets,
            memory_bytes_each: each,
            goal_bytes_each: MOST,
            watchers: CROWD,
            last_heard_ms,
            goal_ms: LONGEST,
            pass,
        }
    }

    /// Whether the goals are reached.
    pub(super) fn passes(&self) -> bool {
        self.pass
    }

    /// What was found, for people.
    pub(super) fn table(&self) -> String {
        let word = if self.pass { "PASS" } else { "FAIL" };
        let worst = self.last_heard_ms.iter().copied().fold(0.0, f64::max);
        [
            format!("{} sockets: {:.1} KiB each", self.sockets, self.memory_bytes_each / 1024.0),
            format!(
                "the last of {} watchers hears of a word after {:.1} ms (median of {}), {worst:.1} ms at the worst",
                self.watchers,
                median(&self.last_heard_ms),
                self.last_heard_ms.len()
            ),
            format!("{word}: the goals are at most {:.0} KiB each and {:.0} ms", MOST / 1024.0, self.goal_ms),
        ]
        .join("\n")
    }
}

/// Opens all, as many at once as there are connections: first those of the crowds, in the order of their requests.
async fn open(rig: &Rig, watched: &Seeded) -> Outcome<Vec<TcpStream>> {
    let crowds = watched.requests[..CROWDED].iter().flat_map(|request| std::iter::repeat_n(request, CROWD));
    let paths: Vec<Box<str>> = crowds.chain(&watched.requests[CROWDED..]).cloned().collect();
    let mut tasks = JoinSet::new();
    let share = paths.len().div_ceil(rig.connections).max(1);
    for (lane, paths) in paths.chunks(share).enumerate() {
        let (server, key, paths) = (rig.server, watched.key.clone(), paths.to_vec());
        tasks.spawn(async move {
            let mut sockets = Vec::with_capacity(paths.len());
            for (place, path) in paths.iter().enumerate() {
                sockets.push(watch(server, path, &key, lane * share + place).await?);
            }
            Ok((lane, sockets))
        });
    }
    let mut lanes = join(tasks).await?;
    lanes.sort_by_key(|(lane, _)| *lane);
    Ok(lanes.into_iter().flat_map(|(_, sockets)| sockets).collect())
}

/// One socket that has told how its request stands.
pub(super) async fn watch(server: SocketAddr, request: &str, key: &str, place: usize) -> Outcome<TcpStream> {
    let mut stream = connect(server, Some(source(place))).await?;
    let head = format!(
        "GET /ws/{request} HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {key}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.map_err(Failure::during("asking for a socket"))?;
    let heard = read_until(&mut stream, OPEN).await?;
    if heard.starts_with(GOOD) {
        return Ok(stream);
    }
    Err(Failure::new(format!("a socket did not open: {}", String::from_utf8_lossy(&heard))))
}

/// Reads until something was heard, or an answer that is no socket.
pub(super) async fn read_until(stream: &mut TcpStream, what: &[u8]) -> Outcome<Vec<u8>> {
    let mut heard = Vec::with_capacity(1024);
    while !heard.windows(what.len()).any(|bytes| bytes == what) {
        let more = stream.read_buf(&mut heard).await.map_err(Failure::during("reading a socket"))?;
        if more == 0 || heard.starts_with(b"HTTP/1.1 4") || heard.starts_with(b"HTTP/1.1 5") {
            let heard = String::from_utf8_lossy(&heard).into_owned();
            return Err(Failure::new(format!("a socket ended: {heard}")));
        }
    }
    Ok(heard)
}

/// The owner says yes; gives the milliseconds until the last of the crowd has heard of it.
async fn hear(
    connection: &mut Connection,
    server: SocketAddr,
    watched: &Seeded,
    request: &str,
    crowd: Vec<TcpStream>,
) -> Outcome<f64> {
    let mut tasks = JoinSet::new();
    for mut stream in crowd {
        tasks.spawn(async move { read_until(&mut stream, APPROVED).await.map(|_| (now(), stream)) });
    }
    let approve = hyper::Request::post(format!("/v1/otp/{request}/approve"))
        .header(HOST, server.to_string())
        .header(AUTHORIZATION, format!("Bearer {}", watched.token))
        .body(Full::new(Bytes::new()))
        .map_err(Failure::during("preparing a word"))?;
    let (answer, sent, _) = connection.ask_between(approve).await?;
    if answer.status != 200 {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        return Err(Failure::new(format!("the owner's word was answered {} {body}", answer.status)));
    }
    let heard: Vec<(Instant, TcpStream)> = join(tasks).await?;
    let last = heard.iter().map(|(at, _)| *at).max().unwrap_or(sent);
    Ok(last.saturating_duration_since(sent).as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_goal_can_be_missed() {
        let goal = 10 * 16 * 1024;
        assert!(Found::of(10, goal, vec![1.0, 100.0]).passes());
        assert!(!Found::of(10, goal + 10, vec![1.0]).passes());
        let slow = Found::of(10, goal, vec![1.0, 100.1, 2.0]);
        assert!(!slow.passes() && slow.table().contains("after 2.0 ms"), "{}", slow.table());
    }
}
