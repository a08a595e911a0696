//! The whole journey: a start for a fresh address, its code from the server's mail, one right check. Each connection
//! keeps a few journeys in hand, so that waiting for a message never leaves it idle, and one request in flight.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::check::Live;
use super::client::Connection;
use super::failure::{Failure, Outcome};
use super::mail::{Letter, Mailbox};
use super::rig::{Rig, join};
use super::round::Round;
use super::stopwatch::now;
use super::window::{Lane, Window};

/// Journeys that one connection has in hand.
const PIPELINE: usize = 4;
/// Requests of a journey.
const REQUESTS: usize = 2;

/// One connection at work.
struct Walker {
    rig: Rig,
    mailbox: Mailbox,
    connection: Connection,
    lane: Lane,
    /// Started, their codes not yet here: number, and what the check will name.
    waiting: Vec<(u64, Box<str>)>,
    /// Ready to be checked: what is named, and its code.
    ready: VecDeque<Live>,
}

/// One round. Both requests of a journey count. The ramp fills every pipeline, so that as many checks as starts fall into
/// the window; what is in hand when it closes is still finished, so that a following round begins with an idle server.
pub(super) async fn round(rig: &Rig, length: Duration) -> Outcome<Round> {
    let connections = rig.connect().await?;
    let window = Arc::new(Window::new(now(), length, rig.connections * PIPELINE * REQUESTS));
    let mut tasks = JoinSet::new();
    for connection in connections {
        let window = Arc::clone(&window);
        let mut walker = Walker::new(rig.clone(), connection);
        tasks.spawn(async move {
            walker.walk(&window).await?;
            Ok(walker.lane)
        });
    }
    let lanes = join(tasks).await?;
    Ok(Round::of(&lanes, window.measured()))
}

impl Walker {
    fn new(rig: Rig, connection: Connection) -> Self {
        let mailbox = rig.office.open();
        Self { rig, mailbox, connection, lane: Lane::default(), waiting: Vec::new(), ready: VecDeque::new() }
    }

    async fn walk(&mut self, window: &Window) -> Outcome<()> {
        loop {
            while let Ok(letter) = self.mailbox.letters.try_recv() {
                self.take(letter);
            }
            if let Some((name, code)) = self.ready.pop_front() {
                self.check(&name, &code, window).await?;
            } else if self.waiting.len() < PIPELINE && !window.is_over(now()) {
                self.start(window).await?;
            } else if self.waiting.is_empty() {
                return Ok(());
            } else {
                let letter = self.mailbox.letters.recv().await;
                self.take(letter.ok_or_else(|| Failure::new("the server's mail has stopped"))?);
            }
        }
    }

    /// A message for a journey in hand; the repeat of a message is nothing new.
    fn take(&mut self, letter: Letter) {
        if let Some(place) = self.waiting.iter().position(|(serial, _)| *serial == letter.serial) {
            let (_, name) = self.waiting.swap_remove(place);
            self.ready.push_back((name, letter.code));
        }
    }

    async fn start(&mut self, window: &Window) -> Outcome<()> {
        let serial = self.mailbox.fresh();
        let address = self.mailbox.address(serial);
        let request = self.rig.door.start(&address);
        let answer = self.connection.ask_timed(request, window, &mut self.lane).await?;
        self.rig.door.expect_started(&answer)?;
        self.waiting.push((serial, self.rig.door.named(address, &answer)?));
        if let Some(code) = self.rig.door.fixed_code() {
            self.take(Letter { serial, code: code.into() });
        }
        Ok(())
    }

    async fn check(&mut self, name: &str, code: &str, window: &Window) -> Outcome<()> {
        let request = self.rig.door.check(name, code);
        let answer = self.connection.ask_timed(request, window, &mut self.lane).await?;
        self.rig.door.expect_earned(&answer)
    }
}
