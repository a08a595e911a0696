//! `doorcode serve`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use doorcode_core::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::place::{Environment, Place, runtime};
use super::{Ended, Trouble, err};
use crate::app::{self, App};
use crate::config::{Config, Given, Log, Use};
use crate::entropy::Entropy;
use crate::ops::outbox::LEASE;
use crate::ops::{backups, credentials, jobs, mailboxes};
use crate::store::lock::ServerLock;
use crate::store::meta::Fact;
use crate::store::{deliveries, meta, webhook_messages};

/// Run the server
///
/// Prints `listening on http://ADDR` once it answers. SIGTERM or Ctrl-C lets open requests end, then ends with 0.
#[derive(Args)]
#[command(after_help = "\
Examples:
  doorcode serve --dev
  doorcode serve --data /var/lib/doorcode --config /etc/doorcode/doorcode.toml
  DOORCODE_MAIL__PASSWORD_FILE=/run/secrets/smtp doorcode serve --config doorcode.toml")]
pub(super) struct Serve {
    #[command(flatten)]
    place: Place,
    /// Where to listen, in place of server.listen
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) fn run(self, environment: Environment) -> Ended {
        let given = Given {
            dev: self.place.dev,
            data: self.place.data,
            file: self.place.config,
            listen: self.listen,
            environment: environment.0,
            purpose: Use::Serve,
        };
        let config = Config::read(&given).map_err(Trouble)?;
        start_log(config.log);
        runtime()?.block_on(serve(config))
    }
}

async fn serve(mut config: Config) -> Ended {
    app::create_dir(&config.data)?;
    let _lock = ServerLock::take(&config.data)?;
    let listener = TcpListener::bind(config.server.listen).await.map_err(|error| {
        format!("can't listen on {}: {error}; choose another address with --listen", config.server.listen)
    })?;
    config.server.listen = listener.local_addr()?;
    let address = config.server.listen;
    let (app, waiting) = App::open(config, None, Entropy::real()).await?;
    prepare(&app).await?;
    let stop = stop_signal()?;
    // The socket is bound: whoever reads this line and connects is answered.
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "listening on http://{address}").and_then(|()| stdout.flush())?;
    drop(stdout);
    crate::serve::run(app, waiting, listener, stop).await?;
    Ok(ExitCode::SUCCESS)
}

/// What must be true before the first request.
async fn prepare(app: &Arc<App>) -> Result<(), Trouble> {
    if app.config.dev {
        let served = app.db.read(|tx| Box::pin(meta::get(tx, Fact::Served))).await?;
        if served.is_some() {
            return Err("this database has served without --dev; --dev would show its codes. Name another --data"
                .to_owned()
                .into());
        }
    } else {
        app.db.write(|tx| Box::pin(meta::put(tx, Fact::Served, "yes"))).await?;
    }
    if let Some(ended) = backups::recover_if_copy(app).await? {
        // Not on standard output: its first line is the address, for whoever started us.
        err(&format!(
            "this database is a restored copy: voided {} challenges and {} messages, revoked {} keys and the like again",
            ended.challenges, ended.deliveries, ended.credentials
        ));
    }
    let now = app.clock.now();
    app.keys.note_seen(&app.db, now).await?;
    jobs::tick(app, &mut jobs::Sweep::default()).await?;
    // A copy that came by another way than `backup` bears no mark, and may hold keys that were revoked since.
    let revoked = credentials::replay_revocations(app, credentials::Replay::Ended).await?;
    if revoked > 0 {
        tracing::warn!(revoked, "keys, mailboxes, hooks or addresses had come back to life and are revoked again");
    }
    if app.db.sole_owner() {
        app.db
            .write(move |tx| {
                Box::pin(async move {
                    deliveries::free_leases(tx, now).await?;
                    webhook_messages::free_leases(tx, now, LEASE).await
                })
            })
            .await?;
        mailboxes::free(app).await?;
    }
    Ok(())
}

fn stop_signal() -> Result<impl Future<Output = ()>, Trouble> {
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}

fn start_log(log: Log) {
    let builder = tracing_subscriber::fmt().with_max_level(log.level).with_writer(std::io::stderr).with_ansi(false);
    // Only a second log in one process could fail, and there is none.
    let started = if log.json { builder.json().flatten_event(true).try_init() } else { builder.try_init() };
    if let Err(error) = started {
        err(&format!("the log could not be started: {}", Error::internal(error)));
    }
}
