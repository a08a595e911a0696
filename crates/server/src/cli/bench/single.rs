//! Rounds of one kind of request: starts, each for a fresh address, and floor calls, which carry the same body
//! through the same server and touch nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::client::Connection;
use super::door::Door;
use super::failure::Outcome;
use super::rig::{Rig, join};
use super::round::Round;
use super::stopwatch::now;
use super::window::{Lane, Window};

/// Which request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Start,
    Floor,
}

/// One round.
pub(super) async fn round(rig: &Rig, call: Call, length: Duration) -> Outcome<Round> {
    let connections = rig.connect().await?;
    let window = Arc::new(Window::new(now(), length, rig.connections));
    let mut tasks = JoinSet::new();
    for connection in connections {
        let (rig, window) = (rig.clone(), Arc::clone(&window));
        tasks.spawn(async move { repeat(&rig, connection, call, &window).await });
    }
    let lanes = join(tasks).await?;
    Ok(Round::of(&lanes, window.measured()))
}

async fn repeat(rig: &Rig, mut connection: Connection, call: Call, window: &Window) -> Outcome<Lane> {
    let mut mailbox = rig.office.open();
    let mut lane = Lane::default();
    while !window.is_over(now()) {
        let serial = mailbox.fresh();
        let address = mailbox.address(serial);
        let request = match call {
            Call::Start => rig.door.start(&address),
            Call::Floor => rig.door.floor(&address),
        };
        let answer = connection.ask_timed(request, window, &mut lane).await?;
        match call {
            Call::Start => rig.door.expect_started(&answer)?,
            Call::Floor => Door::expect_floor(&answer)?,
        }
    }
    Ok(lane)
}
