//! Where the database is, read from a URL as PostgreSQL's own tools take it. Refuses to send anything over a network in the clear
//! unless the URL says so in words.

use std::path::PathBuf;
use std::time::Duration;

use doorcode_core::Secret;
use tokio_postgres::config::{Config, Host, SslMode, TargetSessionAttrs};

/// How a connection is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    /// Not encrypted.
    Off,
    /// Encrypted, and the certificate is one for the host that was asked for.
    VerifyFull,
}

/// A connection that is silent for this long is asked whether the other end is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Every statement finds its rows by a key, whatever the values: it is planned once. A plan that was made while the tables were
/// empty would look through the whole of them until somebody counts their rows; and what can't be avoided is not worth a compiler.
const PLANS: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off";

/// The database, as it is set.
#[derive(Clone)]
pub struct Settings {
    pub(super) config: Config,
    pub(super) tls: Tls,
    /// Certificates to trust in place of the public ones.
    pub(super) ca_file: Option<PathBuf>,
    /// Connections at the most.
    pub(super) connections: usize,
}

impl Settings {
    /// Reads a URL: `postgres://user:password@host:5432/name`, several hosts with commas between, and parameters. `sslmode` is
    /// `disable` or `verify-full`, which is also what it is without, but for this machine's own addresses.
    pub fn read(
        url: &Secret<String>,
        ca_file: Option<PathBuf>,
        connections: usize,
        statement_most: Duration,
    ) -> Result<Self, String> {
        let (bare, mode) = without_mode(url.expose())?;
        // What is wrong is not repeated: it may hold the password.
        let mut config: Config = bare.parse().map_err(|_| "is no URL of a PostgreSQL database".to_owned())?;
        if config.get_hosts().is_empty() {
            return Err("must name a host, or a directory of a socket".to_owned());
        }
        let tls = match mode {
            Some(mode) => mode,
            None if is_local(&config) => Tls::Off,
            None => Tls::VerifyFull,
        };
        config.ssl_mode(if tls == Tls::Off { SslMode::Disable } else { SslMode::Require });
        config
            .application_name("doorcode")
            .connect_timeout(super::PATIENCE)
            .keepalives_idle(KEEPALIVE)
            .tcp_user_timeout(super::UNIT_MOST);
        // A standby that only reads may be behind: a key that was revoked would open there.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let millis = statement_most.as_millis();
        let own = config.get_options().unwrap_or_default().to_owned();
        config.options(format!(
            "-c statement_timeout={millis} -c lock_timeout={millis} -c idle_in_transaction_session_timeout=12000 \
            {PLANS} {own}"
        ));
        Ok(Self { config, tls, ca_file, connections: connections.max(1) })
    }

    /// For transactions whose commits need no sync to disk of their own: one that comes after them takes them with it.
    pub(super) fn that_follows(&self) -> Self {
        let mut settings = self.clone();
        let own = self.config.get_options().unwrap_or_default().to_owned();
        settings.config.options(format!("{own} -c synchronous_commit=off"));
        settings
    }

    /// Whether what is sent to it can be read on the way.
    pub fn is_in_the_clear(&self) -> bool {
        self.tls == Tls::Off && !is_local(&self.config)
    }

    /// The hosts and the name of the database, for a person; never the user's secret.
    pub fn shown(&self) -> String {
        let host = |host: &Host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        };
        let hosts: Vec<String> = self.config.get_hosts().iter().map(host).collect();
        format!("postgres://{}/{}", hosts.join(","), self.config.get_dbname().unwrap_or_default())
    }
}

/// The URL without its `sslmode`, which the client knows other words for, and what it said.
fn without_mode(url: &str) -> Result<(String, Option<Tls>), String> {
    let Some((base, query)) = url.split_once('?') else { return Ok((url.to_owned(), None)) };
    let mut mode = None;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", "disable")) => mode = Some(Tls::Off),
            Some(("sslmode", "verify-full")) => mode = Some(Tls::VerifyFull),
            Some(("sslmode", _)) => return Err("sslmode must be disable or verify-full".to_owned()),
            _ => kept.push(pair),
        }
    }
    let query = kept.join("&");
    Ok((if query.is_empty() { base.to_owned() } else { format!("{base}?{query}") }, mode))
}

/// Whether nothing that is sent leaves this machine. An address beside a host's name is where it really goes.
fn is_local(config: &Config) -> bool {
    config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

/// A socket, or this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Settings, String> {
        Settings::read(&Secret::new(url.to_owned()), None, 8, Duration::from_secs(5))
    }

    #[test]
    fn nothing_leaves_the_machine_in_the_clear_unless_the_url_says_so() {
        for (url, tls) in [
            ("postgres://door@db.example.com/door", Tls::VerifyFull),
            ("postgres://door@db.example.com/door?sslmode=verify-full", Tls::VerifyFull),
            ("postgres://door@127.0.0.1,db.example.com/door", Tls::VerifyFull),
            ("postgres://door@127.0.0.1:5433/door", Tls::Off),
            ("postgres://door@[::1]/door", Tls::Off),
            ("postgres://door@localhost/door?sslmode=verify-full", Tls::VerifyFull),
            ("postgres:///door?host=/run/postgresql", Tls::Off),
            ("postgres://door@localhost/door?hostaddr=203.0.113.5", Tls::VerifyFull),
            ("postgres://door@db.example.com/door?sslmode=disable", Tls::Off),
        ] {
            assert_eq!(read(url).map(|settings| settings.tls), Ok(tls), "{url}");
        }
        assert!(read("postgres://door@db.example.com/door?sslmode=disable").unwrap().is_in_the_clear());
        assert!(!read("postgres://door@127.0.0.1/door").unwrap().is_in_the_clear());
    }

    #[test]
    fn a_url_that_can_not_be_meant_is_refused_without_its_password() {
        for url in ["mysql://a:hunter2@b/c", "postgres://a:hunter2@b:port/c", "postgres://a:hunter2@b/c?sslmode=prefer"]
        {
            let why = read(url).err().unwrap_or_else(|| panic!("{url} is taken"));
            assert!(!why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        let settings = read("postgres://door:hunter2@a.example,b.example:6432/door?target_session_attrs=read-write");
        assert_eq!(settings.unwrap().shown(), "postgres://a.example,b.example/door");
    }
}
