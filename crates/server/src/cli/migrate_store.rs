//! `doorcode migrate-store`: from the file in a data directory to PostgreSQL.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use doorcode_core::hex;

use super::place::{Environment, Place, runtime};
use super::{Ended, Trouble, err, out};
use crate::clock::Stopwatch;
use crate::config::Use;
use crate::entropy::Entropy;
use crate::store::lock::ServerLock;
use crate::store::moving::{self, Progress};

/// Where output is no terminal, how often a line says how far it is.
const PAUSE: Duration = Duration::from_secs(5);

/// Move everything from the embedded database to PostgreSQL
///
/// The server must be stopped, and none can be started on either side until the move is done. If the move is stopped, the same command goes on
/// where it was. At the end the rows are counted on both sides. The master keys are files and do not move: every server
/// needs the same ones. Afterwards set database.url; the old database stays as it is, and can't be served any more.
#[derive(Args)]
#[command(after_help = "\
Examples:
  doorcode migrate-store --from sqlite:/var/lib/doorcode --to postgres://door@db.example.com/doorcode
  doorcode migrate-store --from sqlite:/var/lib/doorcode --config doorcode.toml    to database.url of the settings
  doorcode migrate-store --from sqlite:/var/lib/doorcode --config doorcode.toml --give-up")]
pub(super) struct MigrateStore {
    /// The data directory to move, as sqlite:DIR
    #[arg(long, value_name = "sqlite:DIR")]
    from: String,
    /// The database to move to, empty; database.url of the settings if it is left out, which keeps a password off the command line
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Take back a move that is not finished, so that the data directory can be served again
    #[arg(long)]
    give_up: bool,
    #[command(flatten)]
    place: Place,
}

impl MigrateStore {
    pub(super) fn run(self, mut environment: Environment) -> Ended {
        let from = data_directory(&self.from)?;
        if let Some(to) = self.to {
            environment.0.retain(|(name, _)| !name.starts_with("DOORCODE_DATABASE__URL"));
            environment.0.push(("DOORCODE_DATABASE__URL".to_owned(), to));
        }
        let config = self.place.config(environment, Use::Command)?;
        let Some(to) = config.database else {
            return Err("nothing says where to move to: name it with --to, or set database.url".to_owned().into());
        };
        let _lock = ServerLock::take(&from)?;
        runtime()?.block_on(async {
            if self.give_up {
                moving::give_up(&from, &to).await?;
                out(&format!("{} can be served again; what is in {} so far is of no use", from.display(), to.shown()));
                return Ok(ExitCode::SUCCESS);
            }
            let token = hex::encode(&Entropy::real().bytes::<8>()?);
            let mut bar = Bar::new();
            let moved = moving::run(&from, &to, &token, |progress| bar.show(progress)).await;
            bar.end();
            for (table, rows) in moved? {
                out(&format!("{rows:>12} {table}"));
            }
            out(&format!(
                "all of it is in {}, counted on both sides: set database.url, and start the server",
                to.shown()
            ));
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// The directory of `sqlite:DIR`, which must hold a database; or that of `sqlite:DIR/doorcode.db`.
fn data_directory(from: &str) -> Result<PathBuf, Trouble> {
    let path = from.strip_prefix("sqlite:").ok_or_else(|| "--from must be sqlite: and a data directory".to_owned())?;
    let path = Path::new(path.strip_prefix("//").unwrap_or(path));
    let directory = if path.is_file() { path.parent().unwrap_or(path) } else { path };
    if crate::store::Db::is_there(directory, None) {
        Ok(directory.to_owned())
    } else {
        Err(format!("there is no database in {}", directory.display()).into())
    }
}

/// How far it is, on standard error: a line that is written over on a terminal, one now and then elsewhere.
struct Bar {
    live: bool,
    table: &'static str,
    since: Stopwatch,
    said: Stopwatch,
    begun_at: u64,
}

impl Bar {
    fn new() -> Self {
        let now = Stopwatch::start();
        Self { live: std::io::stderr().is_terminal(), table: "", since: now, said: now, begun_at: 0 }
    }

    fn show(&mut self, progress: &Progress) {
        let Progress { table, done, of } = *progress;
        let first = table != self.table;
        if first {
            self.end();
            (self.table, self.since, self.begun_at) = (table, Stopwatch::start(), done);
        }
        let last = done == of;
        if !self.live && !first && !last && self.said.elapsed() < PAUSE {
            return;
        }
        self.said = Stopwatch::start();
        let seconds = self.since.elapsed().as_secs_f64();
        let rate = if seconds > 0.2 { ((done - self.begun_at) as f64 / seconds) as u64 } else { 0 };
        let line = line(progress, rate);
        if self.live {
            // A terminal that has gone is no reason to stop.
            drop(write!(std::io::stderr(), "\r{line}\x1b[K").and_then(|()| std::io::stderr().flush()));
        } else {
            err(&line);
        }
    }

    /// The line that stands stays.
    fn end(&mut self) {
        if self.live && !self.table.is_empty() {
            err("");
        }
    }
}

/// `challenges        [########........]  50 %  500000 of 1000000, 40000 a second`
fn line(progress: &Progress, rate: u64) -> String {
    const WIDTH: u64 = 24;
    let Progress { table, done, of } = *progress;
    let share = |whole: u64| (done * whole).checked_div(of).unwrap_or(whole).min(whole);
    let full = usize::try_from(share(WIDTH)).unwrap_or(0);
    let bar: String = (0..24).map(|at| if at < full { '#' } else { '.' }).collect();
    let speed = if rate > 0 { format!(", {rate} a second") } else { String::new() };
    format!("{table:<17}[{bar}] {:>3} %  {done} of {of}{speed}", share(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line() {
        let half = Progress { table: "challenges", done: 500, of: 1000 };
        assert_eq!(line(&half, 40), "challenges       [############............]  50 %  500 of 1000, 40 a second");
        let none = Progress { table: "meta", done: 0, of: 0 };
        assert_eq!(line(&none, 0), "meta             [########################] 100 %  0 of 0");
    }
}
