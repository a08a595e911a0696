//! What a collector is told: by its command line, and by a file for what that does not say. Refuses a server without TLS that is not this
//! machine, and two ways to sign in.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use doorcode_core::{Email, Secret};
use serde::Deserialize;

use super::super::Trouble;
use super::agents::{Agents, Pins};
use super::memory::Memory;
use crate::capture::Verifier;
use crate::capture::mailbox::{Access, Account, Held, Security};
use crate::egress::{Egress, Settings as Way, Target};

/// What to do with the key of an agent that has no identity, when it is seen first.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum, Debug)]
#[serde(rename_all = "lowercase")]
pub(super) enum FirstUse {
    /// Ask: on the terminal, or by `doorcode collect approve`
    Ask,
    /// Refuse
    Refuse,
}

/// As written.
#[derive(Args, Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Settings {
    /// The Doorcode server
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// A file with the collector's key (dk_…)
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The mailbox's server
    #[arg(long, value_name = "HOST")]
    imap_host: Option<String>,
    /// Its port; else 993, or 143 without TLS from the first byte
    #[arg(long, value_name = "PORT")]
    imap_port: Option<u16>,
    /// tls, starttls or none (this machine only)
    #[arg(long, value_name = "HOW")]
    imap_security: Option<String>,
    /// Who signs in there
    #[arg(long, value_name = "USER")]
    imap_user: Option<String>,
    /// A file with the password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A file with an access token of OAuth 2; read at each connection
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The folder that is watched; else INBOX
    #[arg(long, value_name = "NAME")]
    folder: Option<String>,
    /// An address of the mailbox; else the user
    #[arg(long, value_name = "ADDRESS")]
    address: Vec<String>,
    /// A forwarder whose seal counts (ARC)
    #[arg(long, value_name = "DOMAIN")]
    forwarder: Vec<String>,
    /// Your own list of agents
    #[arg(long, value_name = "FILE")]
    agents: Option<PathBuf>,
    /// Keys of agents without an identity that you have said yes to; else beside the list of agents
    #[arg(long, value_name = "FILE")]
    pins: Option<PathBuf>,
    /// What is remembered of requests, messages and the mailbox; else beside the list of agents
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// What to do with the first key of an agent without an identity; else ask
    #[arg(long, value_enum)]
    first_use: Option<FirstUse>,
    /// A PEM file with authorities that are trusted besides the public ones
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// The server of names that is asked for the keys of senders; else the system's
    #[arg(long, value_name = "ADDR")]
    dns: Option<SocketAddr>,
    /// A TOML file that may say the same, as imap-host = "…"
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
}

/// As meant.
pub(super) struct Setup {
    pub(super) server: Target,
    pub(super) tls: bool,
    pub(super) key: Secret<String>,
    pub(super) account: Account,
    pub(super) addresses: Vec<Email>,
    pub(super) forwarders: Vec<String>,
    pub(super) agents: Agents,
    pub(super) pins: Pins,
    pub(super) memory: Memory,
    pub(super) first_use: FirstUse,
    pub(super) egress: Egress,
    pub(super) verifier: Verifier,
}

impl Settings {
    /// Reads all of it.
    pub(super) fn read(mut self) -> Result<Setup, Trouble> {
        if let Some(file) = self.config.take() {
            let text = read(&file)?;
            let written: Self = toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
            self = self.over(written);
        }
        let way = Way { ca_file: self.ca_file.clone(), ..Way::default() };
        let egress = Egress::new(&way, SocketAddr::from(([0, 0, 0, 0], 0)), None)?;
        let (server, tls) = self.server(&egress)?;
        let key_file = self.key_file.as_ref().ok_or_else(|| missing("key-file"))?;
        let key = read(key_file)?.lines().next().unwrap_or_default().trim().to_owned();
        if !key.starts_with("dk_") {
            return Err(format!("{}: holds no collector's key (dk_…)", key_file.display()).into());
        }
        let account = self.account(&egress)?;
        let list = self.agents.clone().unwrap_or_else(|| PathBuf::from("collect.toml"));
        let pins = self.pins.clone().unwrap_or_else(|| list.with_extension("pins.toml"));
        let state = self.state.clone().unwrap_or_else(|| list.with_extension("state.json"));
        let verifier = match self.dns {
            Some(at) => Verifier::at(at)?,
            None => Verifier::system()?,
        };
        Ok(Setup {
            server,
            tls,
            key: Secret::new(key),
            addresses: self.addresses(&account.user)?,
            memory: Memory::open(state, &account)?,
            account,
            forwarders: self.forwarder,
            agents: self.agents.as_deref().map(Agents::read).transpose()?.unwrap_or_default(),
            pins: Pins::at(pins),
            first_use: self.first_use.unwrap_or(FirstUse::Ask),
            egress,
            verifier,
        })
    }

    /// What the command line says, and what the file says besides.
    fn over(self, file: Self) -> Self {
        let lists = |own: Vec<String>, file: Vec<String>| if own.is_empty() { file } else { own };
        Self {
            server: self.server.or(file.server),
            key_file: self.key_file.or(file.key_file),
            imap_host: self.imap_host.or(file.imap_host),
            imap_port: self.imap_port.or(file.imap_port),
            imap_security: self.imap_security.or(file.imap_security),
            imap_user: self.imap_user.or(file.imap_user),
            password_file: self.password_file.or(file.password_file),
            token_file: self.token_file.or(file.token_file),
            folder: self.folder.or(file.folder),
            address: lists(self.address, file.address),
            forwarder: lists(self.forwarder, file.forwarder),
            agents: self.agents.or(file.agents),
            pins: self.pins.or(file.pins),
            state: self.state.or(file.state),
            first_use: self.first_use.or(file.first_use),
            ca_file: self.ca_file.or(file.ca_file),
            dns: self.dns.or(file.dns),
            config: None,
        }
    }

    fn server(&self, egress: &Egress) -> Result<(Target, bool), Trouble> {
        let text = self.server.as_deref().ok_or_else(|| missing("server"))?;
        let bad = || Trouble::from(format!("--server: {text} is no URL such as https://codes.example.com"));
        let url = url::Url::parse(text).map_err(|_| bad())?;
        let host = url.host_str().ok_or_else(bad)?;
        let here = matches!(host, "127.0.0.1" | "[::1]" | "localhost");
        match url.scheme() {
            "https" => {}
            "http" if here => {}
            _ => return Err("--server: must begin with https://, but for this machine".to_owned().into()),
        }
        if url.path() != "/" {
            return Err(bad());
        }
        Ok((egress.own_choice(host, url.port_or_known_default().unwrap_or(443))?, url.scheme() == "https"))
    }

    fn account(&self, egress: &Egress) -> Result<Account, Trouble> {
        let host = self.imap_host.as_deref().ok_or_else(|| missing("imap-host"))?;
        let user = self.imap_user.clone().ok_or_else(|| missing("imap-user"))?;
        let security = Security::read(self.imap_security.as_deref().unwrap_or("tls"))
            .map_err(|_| "--imap-security: must be tls, starttls or none".to_owned())?;
        let access = match (&self.password_file, &self.token_file) {
            (Some(file), None) => Access::Password(Held::File(file.clone())),
            (None, Some(file)) => Access::Token(Held::File(file.clone())),
            _ => return Err("one of --password-file and --token-file is needed".to_owned().into()),
        };
        Ok(Account {
            target: egress.own_choice(host, self.imap_port.unwrap_or(security.port()))?,
            security,
            user,
            access,
            folder: self.folder.clone().unwrap_or_else(|| "INBOX".to_owned()),
        })
    }

    fn addresses(&self, user: &str) -> Result<Vec<Email>, Trouble> {
        if self.address.is_empty() {
            let why = "--address is needed: the user is no address of the mailbox";
            return Ok(vec![Email::parse(user).map_err(|_| why.to_owned())?]);
        }
        let read = |text: &String| Email::parse(text).map_err(|_| format!("--address: {text} is no address").into());
        self.address.iter().map(read).collect()
    }
}

fn missing(name: &str) -> Trouble {
    format!("--{name} is needed, or {name} in the file of --config").into()
}

/// A file's text.
pub(super) fn read(file: &Path) -> Result<String, Trouble> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()).into())
}
