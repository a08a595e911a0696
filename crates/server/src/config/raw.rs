//! The settings as they are written, and what they mean. One struct a section, in the order of `config.default.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use doorcode_core::{Email, SendPolicy};
use serde::Deserialize;

use super::capture::RawCapture;
use super::complaints::Complaints;
use super::database::RawDatabase;
use super::doors::{RawDoor, RawSessions};
use super::egress::RawEgress;
use super::relay::RawRelay;
use super::{Config, Given, Log, Mail, Proxy, Retention, Server, Signup, Transport, Use};
use crate::deliver::smtp::{Security, Smtp, SmtpSettings};
use crate::ops::client::Hour;
use crate::ops::outbox::longest_try;

/// Shorter, and a slow mail server would be left before it has answered; longer, and a code is dead before another server sends it.
const LEAST_LEASE: Duration = Duration::from_secs(2);
const MOST_LEASE: Duration = Duration::from_secs(3600);

/// Everything, as written. Its fields are those of `config.default.toml`, which documents them.
#[derive(Deserialize)]
pub struct Raw {
    server: RawServer,
    proxy: RawProxy,
    keys: RawKeys,
    database: RawDatabase,
    signup: RawSignup,
    door: RawDoor,
    sessions: RawSessions,
    relay: RawRelay,
    capture: RawCapture,
    mail: RawMail,
    egress: RawEgress,
    limits: RawLimits,
    retention: RawRetention,
    log: RawLog,
}

#[derive(Deserialize)]
struct RawServer {
    listen: String,
    public_url: String,
    max_connections: usize,
    streams_each: usize,
    read_timeout: String,
    answer_timeout: String,
    steady_after: String,
    drain_timeout: String,
    metrics_from: Vec<String>,
}

#[derive(Deserialize)]
struct RawProxy {
    header: String,
    trusted: Vec<String>,
}

#[derive(Deserialize)]
struct RawKeys {
    dir: String,
}

#[derive(Deserialize)]
struct RawSignup {
    mode: String,
    domains: Vec<String>,
}

#[derive(Deserialize)]
struct RawMail {
    transport: String,
    from: String,
    reply_to: String,
    product: String,
    templates: String,
    host: String,
    port: u16,
    security: String,
    username: String,
    password: String,
    password_file: String,
    ca_file: String,
    timeout: String,
    connections: u32,
    lease: String,
    retry_first: String,
    retry_most: String,
}

#[derive(Deserialize)]
struct RawLimits {
    guess: RawGuess,
    send: RawSend,
}

#[derive(Deserialize)]
struct RawGuess {
    network_hour: u32,
    wide_hour: u32,
    org_hour: u32,
}

#[derive(Deserialize)]
struct RawSend {
    stranger_hour: u32,
    stranger_day: u32,
    known_day: u32,
    network_hour: u32,
    wide_hour: u32,
    org_day: u32,
}

#[derive(Deserialize)]
struct RawRetention {
    challenges: String,
    deliveries: String,
    events: String,
}

#[derive(Deserialize)]
struct RawLog {
    format: String,
    level: String,
}

impl Raw {
    /// What is meant, or every complaint.
    pub(super) fn mean(self, given: &Given) -> Result<Config, Vec<String>> {
        let mut bad = Complaints::default();
        let keys = set(&self.keys.dir).map_or_else(|| Config::keys_in(&given.data), PathBuf::from);
        let retention = Retention {
            challenges: bad.duration("retention.challenges", &self.retention.challenges),
            deliveries: bad.duration("retention.deliveries", &self.retention.deliveries),
            events: bad.duration("retention.events", &self.retention.events),
        };
        let config = Config {
            dev: given.dev,
            data: given.data.clone(),
            keys,
            database: self.database.mean(&mut bad),
            server: self.server.mean(given, &mut bad),
            proxy: self.proxy.mean(&mut bad),
            signup: self.signup.mean(given.dev, &mut bad),
            outx: self.door.outx.mean(&mut bad),
            native: self.door.native.mean(&mut bad),
            sessions: self.sessions.mean(&mut bad),
            relay: self.relay.mean(given.dev, &mut bad),
            capture: self.capture.mean(&mut bad),
            mail: self.mail.mean(given, &mut bad),
            guesses: self.limits.guess.mean(),
            egress: self.egress.mean(&mut bad),
            sends: self.limits.send.mean(&mut bad),
            retention,
            log: self.log.mean(&mut bad),
        };
        bad.none_or(config)
    }
}

impl RawServer {
    fn mean(self, given: &Given, bad: &mut Complaints) -> Server {
        let fallback = SocketAddr::from(([127, 0, 0, 1], 8080));
        let listen = given.listen.or_else(|| self.listen.parse().ok());
        let listen =
            bad.take("server.listen", listen, "must be an address and a port such as 127.0.0.1:8080", fallback);
        if given.dev && !listen.ip().is_loopback() {
            bad.push("server.listen: --dev listens on loopback only, for example 127.0.0.1:8080");
        }
        let public_url = set(&self.public_url).map(|url| url.trim_end_matches('/').to_owned());
        match &public_url {
            Some(url)
                if !(url.starts_with("https://") || url.starts_with("http://")) || url.contains(['?', '#', '@']) =>
            {
                bad.push("server.public_url: must be like https://codes.example.com");
            }
            None if !given.dev && given.purpose == Use::Serve => bad.push(
                "server.public_url: is required without --dev: links are made from it, never from what a client says",
            ),
            _ => {}
        }
        Server {
            listen,
            public_url,
            max_connections: self.max_connections.max(1),
            streams_each: self.streams_each.max(1),
            read_timeout: bad.duration("server.read_timeout", &self.read_timeout),
            answer_timeout: bad.duration("server.answer_timeout", &self.answer_timeout),
            steady_after: bad.duration("server.steady_after", &self.steady_after),
            drain_timeout: bad.duration("server.drain_timeout", &self.drain_timeout),
            metrics_from: bad.ranges("server.metrics_from", &self.metrics_from),
        }
    }
}

impl RawProxy {
    fn mean(self, bad: &mut Complaints) -> Proxy {
        let header = set(&self.header).map(|name| name.to_ascii_lowercase());
        if header.as_deref() == Some("forwarded") {
            bad.push("proxy.header: `forwarded` (RFC 7239) is not read; let the proxy set x-forwarded-for");
        }
        // A token, RFC 9110 section 5.6.2.
        let token = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        if header.as_deref().is_some_and(|name| !token(name)) {
            bad.push("proxy.header: must be the name of one header");
        }
        let trusted = bad.ranges("proxy.trusted", &self.trusted);
        if header.is_some() && trusted.is_empty() {
            bad.push("proxy.trusted: must name your proxies when proxy.header is set");
        }
        Proxy { header, trusted }
    }
}

impl RawSignup {
    fn mean(self, dev: bool, bad: &mut Complaints) -> Signup {
        if dev {
            return Signup::Open;
        }
        let mut domains = Vec::new();
        for text in &self.domains {
            // As the domain of an address, so that it is compared in the same form.
            match Email::parse(&format!("x@{}", text.trim())) {
                Ok(email) => domains.push(email.domain().to_owned()),
                Err(_) => bad.push(format!("signup.domains: {text} is no domain such as example.com")),
            }
        }
        let mode = match self.mode.as_str() {
            "open" => Some(Signup::Open),
            "domains" => Some(Signup::Domains(domains)),
            "invite" => Some(Signup::Invite),
            _ => None,
        };
        bad.take("signup.mode", mode, "must be open, domains or invite", Signup::Invite)
    }
}

impl RawGuess {
    fn mean(&self) -> Hour {
        Hour { network: self.network_hour, wide: self.wide_hour, org: Some(self.org_hour) }
    }
}

impl RawMail {
    fn mean(self, given: &Given, bad: &mut Complaints) -> Mail {
        let dev = given.dev;
        // A command that sends nothing is not held up by mail settings that it was not given.
        let idle = given.purpose == Use::Command && self.host.is_empty();
        let transport = match self.transport.as_str() {
            // Under --dev nothing leaves the machine unless a mail server was named on purpose.
            "smtp" if idle || (dev && self.host.is_empty()) => Transport::Inbox,
            "smtp" => Transport::Smtp(Arc::new(self.smtp(bad))),
            "inbox" if dev => Transport::Inbox,
            "stdout" if dev => Transport::Stdout,
            "inbox" | "stdout" => {
                bad.push(format!("mail.transport: {} is for --dev only: it shows codes", self.transport));
                Transport::Inbox
            }
            _ => {
                bad.push("mail.transport: must be smtp, or under --dev inbox or stdout");
                Transport::Inbox
            }
        };
        let from = set(&self.from).or((dev || idle).then(|| "Doorcode <no-reply@doorcode.invalid>".to_owned()));
        Mail {
            transport,
            from: bad.take("mail.from", from, "must name the sender, as Codes <codes@example.com>", String::new()),
            reply_to: set(&self.reply_to),
            product: set(&self.product).unwrap_or_else(|| "Doorcode".to_owned()),
            texts: bad.templates("mail.templates", set(&self.templates).as_deref().map(Path::new)),
            retry_first: bad.duration("mail.retry_first", &self.retry_first).max(Duration::from_millis(100)),
            retry_most: bad.duration("mail.retry_most", &self.retry_most),
            lease: self.lease(bad),
        }
    }

    fn lease(&self, bad: &mut Complaints) -> Duration {
        let lease = bad.duration("mail.lease", &self.lease);
        if !(LEAST_LEASE..=MOST_LEASE).contains(&lease) {
            bad.push("mail.lease must be between 2s and 1h");
        }
        lease.clamp(LEAST_LEASE, MOST_LEASE)
    }

    fn smtp(&self, bad: &mut Complaints) -> SmtpSettings {
        let before = bad.count();
        let security = match self.security.as_str() {
            "tls" => Some(Security::ImplicitTls),
            "starttls" => Some(Security::StartTls),
            "none" => Some(Security::None),
            _ => None,
        };
        let password = bad.secret("mail.password", &self.password, &self.password_file);
        if set(&self.username).is_some() != password.is_some() && bad.count() == 0 {
            bad.push("mail.username and mail.password: name both or neither");
        }
        let settings = SmtpSettings {
            host: bad.take("mail.host", set(&self.host), "must name the mail server", String::new()),
            port: self.port,
            security: bad.take("mail.security", security, "must be tls, starttls or none", Security::ImplicitTls),
            allow_plaintext: false,
            username: set(&self.username),
            password,
            ca_file: set(&self.ca_file).map(PathBuf::from),
            from: self.from.clone(),
            reply_to: set(&self.reply_to),
            timeout: bad.duration("mail.timeout", &self.timeout).min(longest_try(self.lease(bad))),
            pool: self.connections.clamp(1, 64),
            hello_name: None,
        };
        // What could never send is said now, not when the first code is due.
        if let (true, Err(wrong)) = (bad.count() == before && set(&self.from).is_some(), Smtp::new(&settings)) {
            bad.push(wrong.to_string());
        }
        settings
    }
}

impl RawSend {
    fn mean(self, bad: &mut Complaints) -> SendPolicy {
        if [self.stranger_hour, self.stranger_day, self.known_day].contains(&0) {
            bad.push("limits.send: stranger_hour, stranger_day and known_day must be at least 1");
        }
        SendPolicy {
            stranger_hour: self.stranger_hour,
            stranger_day: self.stranger_day,
            known_day: self.known_day,
            network_hour: self.network_hour,
            wide_hour: self.wide_hour,
            org_day: self.org_day,
            ..SendPolicy::default()
        }
    }
}

impl RawLog {
    fn mean(&self, bad: &mut Complaints) -> Log {
        if !["text", "json"].contains(&self.format.as_str()) {
            bad.push("log.format: must be text or json");
        }
        let level = self.level.parse().ok();
        let level = bad.take("log.level", level, "must be error, warn, info or debug", tracing::Level::INFO);
        Log { json: self.format == "json", level }
    }
}

/// A text, unless it is empty.
fn set(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}
