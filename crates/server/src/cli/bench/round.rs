//! Rounds and what they yield: the loads, one round of each, and the alternation of two of them.

use std::sync::Arc;
use std::time::Duration;

use super::check::{self, Pool};
use super::client::within;
use super::crypto::{self, Work};
use super::failure::Outcome;
use super::flow;
use super::pgbench::Pgbench;
use super::rig::Rig;
use super::single::{self, Call};
use super::stamped::{self, Backend, Signed};
use super::stats::{Histogram, median};
use super::token::{self, Question};
use super::window::Lane;
use crate::cli::err as note;

/// Before anything is measured, each load runs this long.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long the work around a round may take beyond its length: connections, top-ups, what is in hand at the end.
const AROUND: Duration = Duration::from_secs(240);
/// Pairs of rounds of a comparison.
const PAIRS: u32 = 4;
/// The shortest round of a comparison.
const SHORTEST: Duration = Duration::from_secs(2);

/// What a round puts on the server.
#[derive(Clone)]
pub(super) enum Load {
    Flow,
    Start,
    Check(Arc<Pool>),
    Native,
    Floor,
    Token(Arc<Vec<Box<str>>>),
    TokenFloor(Arc<Vec<Box<str>>>),
    Pgbench(Pgbench),
    Redeem(Arc<Backend>),
    WhoAmI(Arc<Vec<Signed>>),
    Crypto(Arc<Work>),
}

/// What one round measured.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) measured: Duration,
    pub(super) latencies: Histogram,
}

/// One of the two things that are compared: a load on a server, and its rounds so far.
pub(super) struct Side {
    pub(super) name: &'static str,
    pub(super) rig: Rig,
    pub(super) load: Load,
    pub(super) rounds: Vec<Round>,
}

impl Load {
    /// As in `--scenario`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Start => "start",
            Self::Check(_) => "check",
            Self::Native => "native",
            Self::Floor | Self::TokenFloor(_) => "floor",
            Self::Token(_) => "token",
            Self::Pgbench(_) => "pgbench",
            Self::Redeem(_) => "otp_auth",
            Self::WhoAmI(_) => "whoami",
            Self::Crypto(_) => "crypto",
        }
    }
}

impl Round {
    /// What all lanes saw together.
    pub(super) fn of(lanes: &[Lane], measured: Duration) -> Self {
        let mut latencies = Histogram::default();
        for lane in lanes {
            latencies.merge(&lane.latencies);
        }
        Self { measured, latencies }
    }

    /// Requests whose answers fell into the round's window.
    pub(super) fn requests(&self) -> u64 {
        self.latencies.total()
    }

    /// Requests per second; 0 if nothing was measured.
    pub(super) fn rate(&self) -> f64 {
        let seconds = self.measured.as_secs_f64();
        if seconds > 0.0 { self.requests() as f64 / seconds } else { 0.0 }
    }
}

impl Side {
    /// A side without rounds.
    pub(super) fn new(name: &'static str, rig: Rig, load: Load) -> Self {
        Self { name, rig, load, rounds: Vec::new() }
    }

    /// The median of the rounds' rates.
    pub(super) fn rate(&self) -> f64 {
        median(&self.rounds.iter().map(Round::rate).collect::<Vec<_>>())
    }

    /// All latencies of all rounds.
    pub(super) fn latencies(&self) -> Histogram {
        let mut all = Histogram::default();
        for round in &self.rounds {
            all.merge(&round.latencies);
        }
        all
    }

    /// Runs the load for `length`, then waits until the server is idle again.
    async fn run(&self, length: Duration) -> Outcome<Round> {
        let round = async {
            let round = match &self.load {
                Load::Flow | Load::Native => flow::round(&self.rig, length).await?,
                Load::Start => single::round(&self.rig, Call::Start, length).await?,
                Load::Check(pool) => check::round(&self.rig, pool, length).await?,
                Load::Token(tokens) => token::round(&self.rig, tokens, Question::Session, length).await?,
                Load::TokenFloor(tokens) => token::round(&self.rig, tokens, Question::Floor, length).await?,
                Load::Pgbench(alone) => alone.round(length).await?,
                Load::Redeem(backend) => stamped::redeem(&self.rig, backend, length).await?,
                Load::WhoAmI(questions) => stamped::whoami(&self.rig, questions, length).await?,
                Load::Crypto(work) => crypto::round(work, length).await?,
                Load::Floor => single::round(&self.rig, Call::Floor, length).await?,
            };
            self.rig.settle().await?;
            Ok(round)
        };
        within(self.name, length + AROUND, round).await
    }
}

/// Measures all sides for about `length` each, in turn: one round each if there is one side, else four pairs of at
/// least two seconds, so that whatever else the machine does falls on both.
pub(super) async fn measure(sides: &mut [Side], length: Duration) -> Outcome<()> {
    for side in sides.iter() {
        note(&format!("warming up: {}", side.name));
        side.run(WARM_UP.min(length)).await?;
    }
    let (turns, each) = if sides.len() == 1 { (1, length) } else { (PAIRS, SHORTEST.max(length / PAIRS)) };
    for turn in 1..=turns {
        for side in sides.iter_mut() {
            let round = side.run(each).await?;
            note(&format!("round {turn} of {turns}: {}: {:.0} requests/s", side.name, round.rate()));
            side.rounds.push(round);
        }
    }
    Ok(())
}
