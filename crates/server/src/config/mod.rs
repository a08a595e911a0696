//! What is configured: [`Raw`] as it is written (`config.default.toml` documents every line), [`Config`] as it is meant.
//! Refuses unknown names, values out of range, and secrets that print; gives all complaints at once.

mod capture;
mod complaints;
mod database;
mod doors;
mod egress;
mod inbound;
mod layers;
mod mailboxes;
mod raw;
mod relay;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use doorcode_core::{SendPolicy, Shape};

use crate::deliver::smtp::SmtpSettings;
use crate::deliver::texts::Catalogue;
use crate::ops::client::Hour;

pub use capture::Capture;
pub use doors::SHORTEST_LIFE;
pub use inbound::Inbound;
pub use mailboxes::Mailboxes;
pub use raw::Raw;
pub use relay::Relay;

/// The settings, as they are meant.
#[derive(Clone)]
pub struct Config {
    /// Development form: inbox in memory, loopback only, sign-up open.
    pub dev: bool,
    /// The data directory.
    pub data: PathBuf,
    /// Where the master keys lie.
    pub keys: PathBuf,
    /// The database, if it is not the file in the data directory.
    pub database: Option<Arc<crate::store::PgSettings>>,
    /// The listener and its patience.
    pub server: Server,
    /// Who may say who the client is.
    pub proxy: Proxy,
    /// Who gets an account.
    pub signup: Signup,
    /// The `outx` door.
    pub outx: Outx,
    /// The `native` door.
    pub native: Native,
    /// How long sign-ins last.
    pub sessions: Sessions,
    /// The relay's clocks and limits.
    pub relay: Relay,
    /// How messages that come in are judged.
    pub capture: Capture,
    /// How mail leaves.
    pub mail: Mail,
    /// Guesses an hour over all addresses.
    pub guesses: Hour,
    /// The way out to hosts that callers name.
    pub egress: crate::egress::Settings,
    /// Send limits.
    pub sends: SendPolicy,
    /// How long what is over is kept.
    pub retention: Retention,
    /// How the log is written.
    pub log: Log,
}

/// The listener and its patience.
#[derive(Clone)]
pub struct Server {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How people reach the server, without a slash at the end. None only under `--dev`: then the listener's address.
    pub public_url: Option<String>,
    /// Open connections at the most.
    pub max_connections: usize,
    /// Streams, sockets and requests that wait, of one agent, device or person.
    pub streams_each: usize,
    /// How long a client may take to send a request.
    pub read_timeout: Duration,
    /// How long an answer may take.
    pub answer_timeout: Duration,
    /// When answers leave that must not tell by their time, counted from their request.
    pub steady_after: Duration,
    /// How long open requests may take to end.
    pub drain_timeout: Duration,
    /// Who may read `/metrics`.
    pub metrics_from: Vec<Range>,
}

/// Who may say who the client is.
#[derive(Clone, Default)]
pub struct Proxy {
    /// The one header that is read, in lower case.
    pub header: Option<String>,
    /// Whose word counts.
    pub trusted: Vec<Range>,
}

/// A range of addresses: the first one and how many bits of it count.
#[derive(Clone, Copy)]
pub struct Range {
    first: std::net::IpAddr,
    bits: u8,
}

impl Range {
    /// Whether an address lies in it.
    pub fn holds(&self, address: std::net::IpAddr) -> bool {
        use std::net::IpAddr::{V4, V6};
        match (self.first, address.to_canonical()) {
            (V4(a), V4(b)) => (u32::from(a) ^ u32::from(b)).checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0,
            (V6(a), V6(b)) => (u128::from(a) ^ u128::from(b)).checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0,
            _ => false,
        }
    }
}

impl std::str::FromStr for Range {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (first, bits) = text.split_once('/').map_or((text, None), |(first, bits)| (first, Some(bits)));
        let first: std::net::IpAddr = first.parse().map_err(drop)?;
        let all = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all), |bits| bits.parse().map_err(drop))?;
        if bits <= all { Ok(Self { first, bits }) } else { Err(()) }
    }
}

/// Who gets an account at the first verified code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signup {
    /// Everybody.
    Open,
    /// Addresses of these domains, and invited ones.
    Domains(Vec<String>),
    /// Invited addresses.
    Invite,
}

/// The `outx` door.
#[derive(Clone, Copy)]
pub struct Outx {
    /// What its codes look like.
    pub shape: Shape,
    /// How long they live.
    pub life: Duration,
    /// A code with less life left than this is replaced by a new start.
    pub renew: Duration,
}

/// The `native` door.
#[derive(Clone, Copy)]
pub struct Native {
    /// What its codes look like if nobody says.
    pub shape: Shape,
    /// How long they live if nobody says, and the longest that may be said.
    pub life: Duration,
    /// A code with less life left than this is replaced by a new start.
    pub renew: Duration,
    /// How long a token is good for.
    pub token_life: Duration,
}

/// How long sign-ins last.
#[derive(Clone, Copy)]
pub struct Sessions {
    /// A session that is not seen for this long is over.
    pub idle: Duration,
    /// A session is over after this long in any case.
    pub absolute: Duration,
    /// How long an app's access token is good for.
    pub access: Duration,
}

/// How mail leaves.
#[derive(Clone)]
pub struct Mail {
    /// By which way.
    pub transport: Transport,
    /// The sender, as `Name <address>`.
    pub from: String,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<String>,
    /// The name people know the operator by.
    pub product: String,
    /// What mails say: the texts that are built in, and over them those of `mail.templates`.
    pub texts: Catalogue,
    /// Wait before the second try.
    pub retry_first: Duration,
    /// The longest wait.
    pub retry_most: Duration,
    /// For how long the server that takes a message has it to itself.
    pub lease: Duration,
}

impl Mail {
    /// The sender's own address, without a name.
    pub fn address(&self) -> &str {
        let from = self.from.trim_end_matches('>');
        from.rsplit_once('<').map_or(from, |(_, address)| address)
    }

    /// The sender's own domain.
    pub fn domain(&self) -> &str {
        self.address().rsplit_once('@').map_or("doorcode.invalid", |(_, domain)| domain)
    }
}

/// The ways out.
#[derive(Clone)]
pub enum Transport {
    /// A mail server.
    Smtp(Arc<SmtpSettings>),
    /// Kept in memory, for `/dev/inbox`.
    Inbox,
    /// A JSON line a message on standard output.
    Stdout,
}

/// How long what is over is kept.
#[derive(Clone, Copy)]
pub struct Retention {
    /// Challenges.
    pub challenges: Duration,
    /// Deliveries.
    pub deliveries: Duration,
    /// Events.
    pub events: Duration,
}

/// How the log is written.
#[derive(Clone, Copy)]
pub struct Log {
    /// JSON lines, or text.
    pub json: bool,
    /// The least important level that is written.
    pub level: tracing::Level,
}

/// What the command line says about the configuration, besides files.
#[derive(Clone, Default)]
pub struct Given {
    /// `--dev`.
    pub dev: bool,
    /// `--data DIR`.
    pub data: PathBuf,
    /// `--config FILE`.
    pub file: Option<PathBuf>,
    /// `--listen ADDR`.
    pub listen: Option<SocketAddr>,
    /// The environment, as `main` read it.
    pub environment: Vec<(String, String)>,
    /// What the settings are for.
    pub purpose: Use,
}

/// What the settings are for. A command beside the server needs neither links nor mail.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub enum Use {
    /// To serve: everything must be set.
    #[default]
    Serve,
    /// For one command: what only the server needs may be missing.
    Command,
}

impl Config {
    /// Reads every layer. The error holds a line for each complaint.
    pub fn read(given: &Given) -> Result<Self, Vec<String>> {
        let mut layers = layers::Layers::new();
        if let Some(file) = &given.file {
            let text = std::fs::read_to_string(file).map_err(|error| vec![format!("{}: {error}", file.display())])?;
            layers.lay_file(&file.display().to_string(), &text);
        }
        for (name, value) in &given.environment {
            layers.lay_variable(name, value);
        }
        layers.read::<Raw>()?.mean(given)
    }

    /// Where the master keys lie if nothing else is said.
    pub fn keys_in(data: &Path) -> PathBuf {
        data.join("keys")
    }
}

#[cfg(test)]
mod tests {
    use doorcode_core::GuessPolicy;

    use super::*;

    #[test]
    fn the_documented_defaults_are_those_that_the_rules_were_worked_out_with() {
        let given = Given { dev: true, data: PathBuf::from("data"), ..Given::default() };
        let config = Config::read(&given).unwrap_or_else(|why| panic!("{why:?}"));
        assert_eq!(config.sends, SendPolicy::default());
        let policy = GuessPolicy::for_shape(config.outx.shape);
        assert_eq!((config.guesses.network, config.guesses.wide), (policy.network_hour, policy.wide_hour));
        assert_eq!(config.outx.life, doorcode_core::challenge::LIFE_BY_CONTRACT);
    }
}
