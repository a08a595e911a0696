//! `doorcode recover`.

use std::process::ExitCode;

use clap::Args;
use doorcode_core::Error;

use super::place::{Environment, Place};
use super::{Ended, out};
use crate::ops::backups;
use crate::store::lock::ServerLock;

/// Void what was live in a database that was restored by other means than a marked backup
///
/// A marked backup does this by itself at the first `serve`. The server must be stopped.
#[derive(Args)]
#[command(after_help = "Example:\n  doorcode recover --data /var/lib/doorcode")]
pub(super) struct Recover {
    #[command(flatten)]
    place: Place,
}

impl Recover {
    pub(super) fn run(self, environment: Environment) -> Ended {
        self.place.within(environment, |app| async move {
            if !ServerLock::is_free(&app.config.data)? {
                return Err(Error::Conflict("a server is running here; stop it first").into());
            }
            let ended = backups::recover(&app).await?;
            out(&format!(
                "voided {} challenges, {} messages and {} credentials",
                ended.challenges, ended.deliveries, ended.credentials
            ));
            Ok(ExitCode::SUCCESS)
        })
    }
}
