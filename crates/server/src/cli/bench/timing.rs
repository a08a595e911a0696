//! Does the time of an answer tell whether an address has an account or a live challenge? The four cases of
//! docs/threat-model.md, for both calls of the door, with one client and with 64: every measured call is for an address
//! of its own, the four cases are shuffled together, and so was their preparation. Checks carry wrong codes.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::check::other_code;
use super::client::{Connection, within};
use super::failure::Outcome;
use super::journey;
use super::random::Random;
use super::rig::{Rig, join};
use super::stopwatch::nanos;
use super::verdict::{Times, Verdict};
use crate::cli::err as note;

/// The numbers of clients that measure.
const CLIENTS: [usize; 2] = [1, 64];
/// Connections that prepare accounts and challenges.
const PREPARING: usize = 64;
/// Calls before the first that counts.
const WARM_UP: usize = 400;
/// How long a set may take beyond a hundredth of a second for each of its calls.
const AROUND: Duration = Duration::from_secs(240);

/// What the server knows of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) account: bool,
    pub(super) live: bool,
}

/// The four cases; a case's place here is its number.
pub(super) const CASES: [Case; 4] = [
    Case { account: false, live: false },
    Case { account: false, live: true },
    Case { account: true, live: false },
    Case { account: true, live: true },
];

/// Which call is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Send,
    Verify,
}

impl Endpoint {
    /// As in the path.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Send => "auth-send-otp",
            Self::Verify => "auth-verify-otp",
        }
    }
}

/// An address whose turn will come once.
#[derive(Debug)]
struct Target {
    case: usize,
    address: String,
    /// What a check of it sends: never the right code.
    wrong: String,
}

/// All four sets: both endpoints, each with one client and with 64. `calls` is the number of measured calls of a set,
/// `from` the loopback address that they come from.
pub(super) async fn run(rig: &Rig, calls: usize, from: Option<IpAddr>) -> Outcome<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    let mut random = Random::new(0x7141);
    for endpoint in [Endpoint::Send, Endpoint::Verify] {
        for clients in CLIENTS {
            let what = format!("{}, {clients} client(s)", endpoint.name());
            let planned = AROUND + Duration::from_millis(10) * u32::try_from(calls).unwrap_or(u32::MAX);
            let set = measure(rig, endpoint, clients, calls, from, &mut random);
            let times = within(&what, planned, set).await?;
            verdicts.extend(Verdict::of_pairs(endpoint, clients, &times));
        }
    }
    Ok(verdicts)
}

/// One set: prepare, wait until the server is idle, measure.
async fn measure(
    rig: &Rig,
    endpoint: Endpoint,
    clients: usize,
    calls: usize,
    from: Option<IpAddr>,
    random: &mut Random,
) -> Outcome<Times> {
    note(&format!("{}, {clients} client(s): preparing {calls} addresses", endpoint.name()));
    let mut targets = prepare(rig, calls, random).await?;
    random.shuffle(&mut targets);
    let mut all = prepare_nothing(rig, WARM_UP, random);
    all.extend(targets);
    rig.settle().await?;
    note(&format!("{}, {clients} client(s): measuring", endpoint.name()));
    let connections = rig.connect_from(from, clients).await?;
    let turns = Arc::new((all, AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for connection in connections {
        let (rig, turns) = (rig.clone(), Arc::clone(&turns));
        tasks.spawn(async move { call(&rig, connection, endpoint, &turns.0, &turns.1).await });
    }
    let mut times = Times::default();
    for (case, time) in join(tasks).await?.into_iter().flatten() {
        times[case].push(time);
    }
    rig.settle().await?;
    Ok(times)
}

/// One client: takes the next turn until there is none; yields case and nanoseconds of each call that counts.
async fn call(
    rig: &Rig,
    mut connection: Connection,
    endpoint: Endpoint,
    targets: &[Target],
    next: &AtomicUsize,
) -> Outcome<Vec<(usize, f64)>> {
    let mut times = Vec::with_capacity(targets.len());
    loop {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        let Some(target) = targets.get(turn) else { return Ok(times) };
        let request = match endpoint {
            Endpoint::Send => rig.door.start(&target.address),
            Endpoint::Verify => rig.door.check(&target.address, &target.wrong),
        };
        let (answer, sent, answered) = connection.ask_between(request).await?;
        match endpoint {
            Endpoint::Send => rig.door.expect_started(&answer)?,
            Endpoint::Verify => rig.door.expect_refused(&answer)?,
        }
        if turn >= WARM_UP {
            times.push((target.case, nanos(answered.saturating_duration_since(sent)) as f64));
        }
    }
}

/// Addresses that the server has never heard of.
fn prepare_nothing(rig: &Rig, count: usize, random: &mut Random) -> Vec<Target> {
    let mut mailbox = rig.office.open();
    (0..count)
        .map(|_| {
            let serial = mailbox.fresh();
            Target { case: 0, address: mailbox.address(serial), wrong: any_code(random) }
        })
        .collect()
}

/// `count` addresses, as many of each case, prepared in an order that tells nothing about the case.
async fn prepare(rig: &Rig, count: usize, random: &mut Random) -> Outcome<Vec<Target>> {
    let mut cases: Vec<usize> = (0..count).map(|n| n % CASES.len()).collect();
    random.shuffle(&mut cases);
    let connections = rig.connect_from(None, PREPARING).await?;
    let mut tasks = JoinSet::new();
    for (connection, cases) in connections.into_iter().zip(cases.chunks(count.div_ceil(PREPARING))) {
        let (rig, cases, seed) = (rig.clone(), cases.to_vec(), random.next());
        tasks.spawn(async move { prepare_some(&rig, connection, &cases, seed).await });
    }
    Ok(join(tasks).await?.into_iter().flatten().collect())
}

async fn prepare_some(rig: &Rig, mut connection: Connection, cases: &[usize], seed: u64) -> Outcome<Vec<Target>> {
    let mut mailbox = rig.office.open();
    let mut random = Random::new(seed);
    let mut targets = Vec::with_capacity(cases.len());
    for &case in cases {
        let serial = mailbox.fresh();
        let address = mailbox.address(serial);
        if CASES[case].account {
            let (_, code) = journey::start(rig, &mut connection, &mut mailbox, serial).await?;
            let answer = connection.ask(rig.door.check(&address, &code)).await?;
            rig.door.expect_earned(&answer)?;
        }
        let wrong = if CASES[case].live {
            let (_, code) = journey::start(rig, &mut connection, &mut mailbox, serial).await?;
            other_code(&code, 1 + random.below(999_999) as u64)
        } else {
            any_code(&mut random)
        };
        targets.push(Target { case, address, wrong });
    }
    Ok(targets)
}

fn any_code(random: &mut Random) -> String {
    format!("{:06}", random.below(1_000_000))
}
