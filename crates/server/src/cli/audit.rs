//! `doorcode audit`.

use std::process::ExitCode;

use clap::Subcommand;
use doorcode_core::hex;

use super::place::{Environment, Place};
use super::{Ended, err, out};
use crate::ops::audit::{self, Flaw, Verified};

/// After so many records a line says how far it is.
const PROGRESS: u64 = 1000;

/// Look at the record of what agents asked for and what was said
#[derive(Subcommand)]
pub(super) enum Audit {
    /// Check that every person's record is as it was written: a line for each flaw, and exit code 1 if there is one
    #[command(after_help = "\
Examples:
  doorcode audit verify
  doorcode audit verify --heads >heads.txt     keep the heads elsewhere, and compare later

A record is a chain of MACs under a key that the database does not have. Entries that were changed, or taken away anywhere
but at the end, are always found; entries at the end, if the head was left. Whoever takes the head back as well is found by the heads
that were kept elsewhere.")]
    Verify {
        /// Print each record's owner, newest number and chain
        #[arg(long)]
        heads: bool,
        #[command(flatten)]
        place: Place,
    },
}

impl Audit {
    pub(super) fn run(self, environment: Environment) -> Ended {
        match self {
            Self::Verify { heads, place } => place.within(environment, |app| async move {
                let (mut records, mut entries, mut flaws) = (0_u64, 0_i64, 0_u64);
                audit::verify(&app, |verified| {
                    records += 1;
                    entries += verified.entries;
                    flaws += u64::from(tell(&verified, heads));
                    if records.is_multiple_of(PROGRESS) {
                        err(&format!("{records} records, {entries} entries so far"));
                    }
                })
                .await?;
                out(&format!("{records} records, {entries} entries, {flaws} flaws"));
                Ok(if flaws == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }),
        }
    }
}

/// Prints what there is to say of a record. True: it has a flaw.
fn tell(verified: &Verified, heads: bool) -> bool {
    let owner = verified.owner;
    if let Some(flaw) = &verified.flaw {
        out(&match flaw {
            Flaw::Missing { number } => format!("{owner}  entry {number} is missing"),
            Flaw::Changed { number } => format!("{owner}  entry {number} was changed"),
            Flaw::Unknown { number } => format!("{owner}  entry {number} was made under a master key that is gone"),
            Flaw::Cut { newest } => {
                format!("{owner}  entries up to {newest}, the newest, are gone or the head was changed")
            }
        });
    } else if heads {
        let chain = verified.head.map(|head| hex::encode(&head)).unwrap_or_default();
        out(&format!("{owner}  {}  {chain}", verified.entries));
    }
    verified.flaw.is_some()
}
