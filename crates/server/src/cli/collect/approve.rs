//! `doorcode collect approve`: the person says yes to the key of an agent that has no identity. Refuses what is no fingerprint.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::super::{Ended, out};
use super::agents::Pins;

/// Say yes to the key of an agent that has no identity: it is pinned
///
/// Compare the fingerprint with what the agent itself shows, not with the server's pages.
#[derive(Args)]
#[command(after_help = "\
Example:
  doorcode collect approve --pins agents.pins.toml --agent agent_… --key '12ab 34cd …'")]
pub(super) struct Approve {
    /// The file of pinned keys
    #[arg(long, value_name = "FILE")]
    pins: PathBuf,
    /// The agent's id
    #[arg(long, value_name = "ID")]
    agent: String,
    /// The fingerprint of its key
    #[arg(long, value_name = "FINGERPRINT")]
    key: String,
}

impl Approve {
    pub(super) fn run(self) -> Ended {
        let digits = self.key.chars().filter(char::is_ascii_hexdigit).count();
        if digits != 32 && digits != 64 {
            return Err("--key: a fingerprint has eight groups of four digits of 0-9 and a-f".to_owned().into());
        }
        Pins::at(self.pins).add(&self.agent, &self.key)?;
        out("pinned");
        Ok(ExitCode::SUCCESS)
    }
}
