//! `doorcode collector`.

use std::process::ExitCode;

use clap::Subcommand;
use doorcode_core::OrgId;
use doorcode_core::relay::Named as _;

use super::Ended;
use super::agent::{person, show};
use super::place::{Environment, Place};
use crate::ops::devices;

/// Make collectors: programs that look for a person's codes where their messages are, and seal them there
#[derive(Subcommand)]
pub(super) enum Collector {
    /// Make a collector. Its key is shown once
    #[command(after_help = "\
Examples:
  doorcode collector create --owner jane@example.com --json
  doorcode collector create --owner jane@example.com --name \"Jane's laptop\"

It sees its owner's approved requests, and hands in what it has sealed to the agent's key. It can't approve.")]
    Create {
        /// The address of the person whose messages it reads
        #[arg(long)]
        owner: String,
        /// The org that they are a member of
        #[arg(long)]
        org: Option<OrgId>,
        /// What its owner calls it
        #[arg(long, default_value = "collector")]
        name: String,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
}

impl Collector {
    pub(super) fn run(self, environment: Environment) -> Ended {
        match self {
            Self::Create { owner, org, name, json, place } => place.within(environment, |app| async move {
                let whose = person(&app, &owner, org).await?;
                let new = devices::create(&app, whose, devices::COLLECTOR, &name).await?;
                show(&new.device.id.shown(), new.key.expose(), json);
                Ok(ExitCode::SUCCESS)
            }),
        }
    }
}
