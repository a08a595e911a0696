//! `doorcode collect`: watches a person's mailbox beside them, finds the codes that their agents were let have, and hands them to the server
//! sealed. The server sees neither message nor code. Refuses a request that the person's own list of agents does not bear out: the server's
//! word alone is not enough (docs/collect.md).

mod agents;
mod approve;
mod desk;
mod judge;
mod memory;
mod server;
mod settings;
mod wanted;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use super::place::runtime;
use super::{Ended, err};
use crate::capture::mailbox::{Mailbox, Pauses, watch};
use crate::clock::Clock;
use crate::entropy::Entropy;

use desk::Desk;
use settings::{Settings, Setup};

/// Watch a mailbox beside the person, and hand codes in sealed
///
/// Prints what happens on standard error, without codes and texts of messages. SIGTERM or Ctrl-C ends it.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  doorcode collect --server https://codes.example.com --key-file dk.txt --imap-host imap.example.com \\
    --imap-user ada@example.com --password-file imap.txt --agents agents.toml
  doorcode collect --config collect.toml
  doorcode collect approve --pins agents.pins.toml --agent agent_… --key '12ab 34cd …'"
)]
pub(super) struct Collect {
    #[command(subcommand)]
    command: Option<Sub>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Sub {
    /// Say yes to the key of an agent that has no identity: it is pinned
    Approve(approve::Approve),
}

impl Collect {
    pub(super) fn run(self) -> Ended {
        match self.command {
            Some(Sub::Approve(command)) => command.run(),
            None => {
                let setup = self.settings.read()?;
                runtime()?.block_on(collect(setup))
            }
        }
    }
}

async fn collect(setup: Setup) -> Ended {
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (clock, entropy) = (Clock::real(None, None), Entropy::real());
    let desk = Desk::new(&setup, clock.clone(), entropy.clone());
    let mailbox = Mailbox {
        egress: &setup.egress,
        account: &setup.account,
        desk: &desk,
        clock: &clock,
        entropy: &entropy,
        pauses: Pauses::default(),
    };
    say(&format!("begins with {} at {}", setup.account.folder, setup.account.target.host()));
    tokio::select! {
        () = watch(&mailbox) => {}
        () = desk.follow() => {}
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    say("stopped");
    Ok(ExitCode::SUCCESS)
}

/// A line about how it goes.
fn say(line: &str) {
    err(&format!("collect: {line}"));
}
