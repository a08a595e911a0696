//! The command line: one file per command (`migrate` is in `place`). Refuses to print a secret that was not asked for, and to end without saying
//! what to do.

mod agent;
mod audit;
mod backup;
mod bench;
mod collect;
mod collector;
mod doctor;
mod generate;
mod key;
mod master;
mod migrate_store;
mod org;
mod place;
mod recover;
mod seal;
mod seed;
mod send_test;
mod serve;
mod stamp;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The mail servers that the bench sets up, for the tests, which set up the same.
pub use bench::post;
use place::Environment;

/// Sends one-time codes, checks what comes back, and hands over what was earned.
#[derive(Parser)]
#[command(
    name = "doorcode",
    version,
    after_help = "\
Examples:
  doorcode serve --dev                      try it: http://127.0.0.1:8080, mails shown at /dev/inbox
  doorcode org create --name Acme --json    an org with its API key, client id and client secret
  doorcode doctor --config doorcode.toml    what is configured, what is lax, can mail be sent"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Make and list orgs, invite people
    #[command(subcommand)]
    Org(org::Org),
    /// Make, list and revoke an org's API keys
    #[command(subcommand)]
    Key(key::Key),
    /// Make, list and remove agents: programs that may ask a person for their codes
    #[command(subcommand)]
    Agent(agent::Agent),
    /// Make collectors: programs that look for a person's codes where their messages are, and seal them there
    #[command(subcommand)]
    Collector(collector::Collector),
    /// Look at the record of what agents asked for and what was said
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Make, add, activate and retire master keys
    #[command(subcommand)]
    Master(master::Master),
    /// Send a test message through the configured mail server
    SendTest(send_test::SendTest),
    /// Show the configuration, what is laxer than the standards, and whether mail can be sent
    Doctor(doctor::Doctor),
    /// Copy the database while the server runs
    Backup(backup::Backup),
    /// Void what was live in a database that was restored by other means than a marked backup
    Recover(recover::Recover),
    /// Bring the database's schema up to date, and check it
    Migrate(place::Migrate),
    /// Move everything from the embedded database to PostgreSQL
    MigrateStore(migrate_store::MigrateStore),
    /// Watch a mailbox beside the person, and hand codes in sealed
    Collect(Box<collect::Collect>),
    /// Sign the body of a call: prints the value of its X-Stamp header. With --request, a whole request: prints its headers
    Stamp(stamp::Stamp),
    /// Make a key that calls are signed with and bundles are sealed to, and open what was sealed to it
    #[command(subcommand)]
    Seal(seal::Seal),
    /// Write the generated files of the repository, or check them
    Gen(generate::Generate),
    /// Measure this machine: the whole journey against a server that does nothing, or against a peer
    Bench(bench::BenchArgs),
    /// Fill a data directory with live challenges, for the bench
    #[command(hide = true)]
    Seed(seed::Seed),
}

/// Runs a command line. `environment` holds the `DOORCODE_…` variables.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: Vec<(String, String)>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let environment = Environment(environment);
    let ended = match cli.command {
        Command::Serve(command) => command.run(environment),
        Command::Org(command) => command.run(environment),
        Command::Key(command) => command.run(environment),
        Command::Agent(command) => command.run(environment),
        Command::Collector(command) => command.run(environment),
        Command::Audit(command) => command.run(environment),
        Command::Master(command) => command.run(environment),
        Command::SendTest(command) => command.run(environment),
        Command::Doctor(command) => command.run(environment),
        Command::Backup(command) => command.run(environment),
        Command::Recover(command) => command.run(environment),
        Command::Migrate(command) => command.run(environment),
        Command::MigrateStore(command) => command.run(environment),
        Command::Collect(command) => command.run(),
        Command::Stamp(command) => command.run(),
        Command::Seal(command) => command.run(),
        Command::Gen(command) => command.run(),
        Command::Bench(command) => Ok(command.run()),
        Command::Seed(command) => command.run(environment),
    };
    match ended {
        Ok(code) => code,
        Err(Trouble(lines)) => {
            for line in lines {
                err(&format!("error: {line}"));
            }
            ExitCode::FAILURE
        }
    }
}

/// Why a command failed: a line for each thing that is wrong, saying what to do.
struct Trouble(Vec<String>);

impl From<doorcode_core::Error> for Trouble {
    fn from(error: doorcode_core::Error) -> Self {
        // "Unavailable" is what a client should hear; who sits here is told the cause.
        let cause = match &error {
            doorcode_core::Error::Unavailable(_) => std::error::Error::source(&error),
            _ => None,
        };
        Self(vec![crate::chain(cause.unwrap_or(&error))])
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self(vec![error.to_string()])
    }
}

impl From<String> for Trouble {
    fn from(line: String) -> Self {
        Self(vec![line])
    }
}

/// How a command ends.
type Ended = Result<ExitCode, Trouble>;

/// Prints a line on standard output. A reader that has gone is not an error of ours.
fn out(line: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}

/// Prints a line on standard error.
fn err(line: &str) {
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// The command line's own description, for the generated page.
fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}
