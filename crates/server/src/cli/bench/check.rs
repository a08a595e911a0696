//! Checks of live challenges: wrong, wrong, wrong, right, by people who have an account (that of a newcomer is made in
//! `flow`). A number of challenges is live all the time; each is used once. When some hundreds of them are used the clock
//! stops, people who sign up through the server and ask again bring their number back, and the clock goes on. It stops
//! as often with a million as with a thousand: what a top-up leaves behind (a log that is being folded into the file) then
//! falls on both alike, and the two differ in nothing but what is live.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::client::Connection;
use super::failure::{Failure, Outcome};
use super::mail::Mailbox;
use super::random::Random;
use super::rig::{Rig, join};
use super::round::Round;
use super::stats::Histogram;
use super::stopwatch::now;
use super::window::{Lane, Window};

/// Wrong checks before the right one.
const WRONG: u64 = 3;
/// What is used before a top-up, at most.
const USED: usize = 750;
/// What is left to measure and shorter than this is let go.
const CRUMB: Duration = Duration::from_millis(20);
/// After a top-up all messages are out; this is for the server's notes that they are.
const SETTLE: Duration = Duration::from_millis(30);

/// A challenge that nobody has checked yet: address and code.
pub(super) type Live = (Box<str>, Box<str>);

/// The challenges that are live, in random order.
#[derive(Debug)]
pub(super) struct Pool {
    live: Mutex<(Vec<Live>, Random)>,
    size: usize,
    /// How many are used before a top-up.
    used: usize,
}

impl Pool {
    /// An empty pool that is kept at `size`. Every connection must find a few challenges in it.
    pub(super) fn new(size: usize, connections: usize) -> Outcome<Self> {
        if size < connections * 2 {
            let least = connections * 2;
            return Err(Failure::usage(format!("{connections} connections need --live {least} or more")));
        }
        let live = Mutex::new((Vec::new(), Random::new(0xd00c)));
        Ok(Self { live, size, used: USED.min(size - size / 4) })
    }

    /// A random challenge; none when it is time for a top-up.
    fn take(&self) -> Option<Live> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.0.len() + self.used <= self.size { None } else { live.0.pop() }
    }

    /// Puts `more` in, at random places.
    pub(super) fn add(&self, more: Vec<Live>) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let (challenges, random) = &mut *live;
        for challenge in more {
            challenges.push(challenge);
            let (last, place) = (challenges.len() - 1, random.below(challenges.len()));
            challenges.swap(place, last);
        }
    }

    fn is_low(&self) -> bool {
        self.missing() > self.used / 2
    }

    fn missing(&self) -> usize {
        self.size - self.live.lock().unwrap_or_else(PoisonError::into_inner).0.len().min(self.size)
    }
}

/// One round: as many windows as it takes to measure `length` in all.
pub(super) async fn round(rig: &Rig, pool: &Arc<Pool>, length: Duration) -> Outcome<Round> {
    let mut connections = rig.connect().await?;
    let (mut latencies, mut measured) = (Histogram::default(), Duration::ZERO);
    while measured + CRUMB < length {
        if pool.is_low() {
            connections = top_up(rig, pool, connections).await?;
            tokio::time::sleep(SETTLE).await;
        }
        let window = Arc::new(Window::new(now(), length - measured, rig.connections));
        let mut tasks = JoinSet::new();
        for (place, connection) in connections.drain(..).enumerate() {
            let (rig, pool, window) = (rig.clone(), Arc::clone(pool), Arc::clone(&window));
            let phase = place as u64 % (WRONG + 1);
            tasks.spawn(async move { play(&rig, connection, &pool, &window, phase).await });
        }
        for (connection, lane) in join(tasks).await? {
            connections.push(connection);
            latencies.merge(&lane.latencies);
        }
        measured += window.measured();
    }
    Ok(Round { measured, latencies })
}

/// Plays challenge after challenge until the window closes, or closes it itself when the pool has run low. A challenge
/// that was begun is finished. The first one is taken up at `phase`, so many of its wrong checks are left out: if all
/// connections began with a wrong check, more right ones than a quarter would fall into a short window.
async fn play(
    rig: &Rig,
    mut connection: Connection,
    pool: &Pool,
    window: &Window,
    mut phase: u64,
) -> Outcome<(Connection, Lane)> {
    let mut lane = Lane::default();
    while !window.is_over(now()) {
        let Some((address, code)) = pool.take() else {
            window.close(now());
            break;
        };
        for offset in 1 + std::mem::take(&mut phase)..=WRONG {
            let request = rig.door.check(&address, &other_code(&code, offset));
            let answer = connection.ask_timed(request, window, &mut lane).await?;
            rig.door.expect_refused(&answer)?;
        }
        let answer = connection.ask_timed(rig.door.check(&address, &code), window, &mut lane).await?;
        rig.door.expect_earned(&answer)?;
    }
    Ok((connection, lane))
}

/// A code of six digits that is not `code`, another one for each offset from 1 to 999,999.
pub(super) fn other_code(code: &str, offset: u64) -> String {
    let number = code.parse().unwrap_or(0);
    format!("{:06}", (number + offset) % 1_000_000)
}

/// Starts as many challenges as are missing and waits for their codes.
async fn top_up(rig: &Rig, pool: &Arc<Pool>, connections: Vec<Connection>) -> Outcome<Vec<Connection>> {
    let missing = pool.missing();
    let lanes = connections.len();
    let mut tasks = JoinSet::new();
    for (place, connection) in connections.into_iter().enumerate() {
        let share = missing / lanes + usize::from(place < missing % lanes);
        let rig = rig.clone();
        tasks.spawn(async move { start_some(&rig, connection, share).await });
    }
    let mut back = Vec::with_capacity(lanes);
    for (connection, live) in join(tasks).await? {
        back.push(connection);
        pool.add(live);
    }
    Ok(back)
}

/// Signs `count` people up one after the other, and starts a challenge for each.
async fn start_some(rig: &Rig, mut connection: Connection, count: usize) -> Outcome<(Connection, Vec<Live>)> {
    let mut mailbox = rig.office.open();
    let newcomers: Vec<u64> = (0..count).map(|_| mailbox.fresh()).collect();
    for (address, code) in start_all(rig, &mut connection, &mut mailbox, &newcomers).await? {
        let answer = connection.ask(rig.door.check(&address, &code)).await?;
        rig.door.expect_earned(&answer)?;
    }
    // A message that came twice must not be taken for the next one.
    while mailbox.letters.try_recv().is_ok() {}
    let live = start_all(rig, &mut connection, &mut mailbox, &newcomers).await?;
    Ok((connection, live))
}

/// A start for each of a mailbox's addresses, and its code.
async fn start_all(
    rig: &Rig,
    connection: &mut Connection,
    mailbox: &mut Mailbox,
    serials: &[u64],
) -> Outcome<Vec<Live>> {
    let mut waiting = HashMap::with_capacity(serials.len());
    for &serial in serials {
        let address = mailbox.address(serial);
        let answer = connection.ask(rig.door.start(&address)).await?;
        rig.door.expect_started(&answer)?;
        waiting.insert(serial, address.into_boxed_str());
    }
    collect(mailbox, waiting).await
}

/// The codes of all addresses that wait for one.
async fn collect(mailbox: &mut Mailbox, mut waiting: HashMap<u64, Box<str>>) -> Outcome<Vec<Live>> {
    let mut live = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let Some(letter) = mailbox.letters.recv().await else {
            return Err(Failure::new("the server's mail has stopped"));
        };
        live.extend(waiting.remove(&letter.serial).map(|address| (address, letter.code)));
    }
    Ok(live)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(count: usize) -> Vec<Live> {
        (0..count).map(|n| (n.to_string().into(), "000000".into())).collect()
    }

    #[test]
    fn a_pool_stops_giving_at_a_quarter() {
        let pool = Pool::new(100, 4).unwrap();
        assert_eq!(pool.used, 75);
        assert!(pool.is_low());
        pool.add(some(100));
        assert_eq!(pool.missing(), 0);
        let taken: Vec<Live> = std::iter::from_fn(|| pool.take()).collect();
        assert_eq!((taken.len(), pool.missing()), (75, 75));
        assert!(taken.iter().zip(some(100)).any(|(taken, put)| taken.0 != put.0));
        pool.add(some(75));
        assert_eq!(pool.missing(), 0);
        assert!(pool.take().is_some());
    }

    #[test]
    fn a_million_is_topped_up_as_often_as_a_thousand() {
        let [thousand, million] = [1_000, 1_000_000].map(|size| Pool::new(size, 4).unwrap());
        assert_eq!((thousand.used, million.used), (USED, USED));
        million.add(some(1_000_000));
        assert_eq!(std::iter::from_fn(|| million.take()).count(), USED);
    }

    #[test]
    fn what_is_added_comes_out_at_random_places() {
        let pool = Pool::new(1000, 4).unwrap();
        pool.add(some(1000));
        let taken: Vec<Live> = std::iter::from_fn(|| pool.take()).collect();
        let stayed = taken.iter().zip(some(1000).iter().rev()).filter(|(taken, put)| taken.0 == put.0).count();
        assert!(stayed < 20, "{stayed} stayed");
    }

    #[test]
    fn a_pool_too_small_for_its_connections_is_refused() {
        assert_eq!(Pool::new(7, 4).unwrap_err().code, 2);
    }

    #[test]
    fn wrong_codes_are_never_the_right_one() {
        assert_eq!(other_code("123456", 1), "123457");
        assert_eq!(other_code("999999", 3), "000002");
        assert!((1..=WRONG).all(|offset| other_code("000000", offset) != "000000"));
    }
}
