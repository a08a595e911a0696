//! `doorcode backup`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::place::{Environment, Place};
use super::{Ended, out};
use crate::ops::backups;

/// Copy the database while the server runs
///
/// The copy is marked: the first `serve` on it voids every live code and everything revoked meanwhile stays revoked. To
/// restore, put it in place of `doorcode.db` (without the `-wal` and `-shm` files of the old one). The master keys are
/// not in it; back up the keys directory apart. It is written as FILE.part first; a file of that name is taken for what is
/// left of a backup that was cut short, and goes.
#[derive(Args)]
#[command(after_help = "Example:\n  doorcode backup --data /var/lib/doorcode /backup/doorcode-2026-11-22.db")]
pub(super) struct Backup {
    /// The file to write; it must not exist
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

impl Backup {
    pub(super) fn run(self, environment: Environment) -> Ended {
        let file = self.file;
        self.place.within(environment, |app| async move {
            backups::create(&app, &file).await?;
            out(&format!("{} written; the keys in {} are not in it", file.display(), app.config.keys.display()));
            Ok(ExitCode::SUCCESS)
        })
    }
}
