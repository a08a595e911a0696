//! Where a command works: data directory and configuration. Every command but `serve` works beside a running server.

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::{Ended, Trouble, out};
use crate::app::{self, App};
use crate::config::{Config, Given, Use};
use crate::entropy::Entropy;
use crate::ops::outbox::Waiting;
use crate::store;

/// The `DOORCODE_…` variables.
#[derive(Clone)]
pub(super) struct Environment(pub(super) Vec<(String, String)>);

/// Where a command works.
#[derive(Args, Clone)]
pub(super) struct Place {
    /// The data directory
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(super) data: PathBuf,
    /// A file of settings; see config.default.toml
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Development form: mails are shown and not sent (unless mail.host is set), loopback only, a master key is made
    #[arg(long)]
    pub(super) dev: bool,
}

impl Place {
    /// The configuration here, for a use.
    pub(super) fn config(&self, environment: Environment, purpose: Use) -> Result<Config, Trouble> {
        let given = Given {
            dev: self.dev,
            data: self.data.clone(),
            file: self.config.clone(),
            listen: None,
            environment: environment.0,
            purpose,
        };
        Config::read(&given).map_err(Trouble)
    }

    /// Does `work` in the house that is here.
    pub(super) fn within<F>(&self, environment: Environment, work: impl FnOnce(Arc<App>) -> F) -> Ended
    where
        F: Future<Output = Ended>,
    {
        let config = self.config(environment, Use::Command)?;
        if !config.dev && !store::Db::is_there(&config.data, config.database.as_deref()) {
            let dir = config.data.display();
            return Err(format!(
                "there is no database in {dir}: name the data directory with --data, or begin one with \
                 `doorcode master init --data {dir}`"
            )
            .into());
        }
        runtime()?.block_on(async {
            let (app, _waiting): (Arc<App>, Waiting) = App::open(config, None, Entropy::real()).await?;
            let ended = work(Arc::clone(&app)).await;
            app.db.close().await;
            ended
        })
    }
}

/// The runtime of a command.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Bring the database's schema up to date, and check that it takes every statement
///
/// `serve` does the same when it starts; this says beforehand whether it will work.
#[derive(Args)]
#[command(after_help = "Example:\n  doorcode migrate --data /var/lib/doorcode")]
pub(super) struct Migrate {
    #[command(flatten)]
    place: Place,
}

impl Migrate {
    pub(super) fn run(self, environment: Environment) -> Ended {
        let config = self.place.config(environment, Use::Command)?;
        runtime()?.block_on(async {
            app::create_dir(&config.data)?;
            let db = store::Db::of(&config.data, config.database.as_deref()).await?;
            let statements = db.read(|tx| Box::pin(store::prepare_all(tx))).await?;
            db.close().await;
            out(&format!("the schema is up to date; {statements} statements prepare"));
            Ok(ExitCode::SUCCESS)
        })
    }
}
