//! An URL that a caller gave, read by the rules. Refuses whatever two readers could understand differently: the parts that
//! are connected to are those that were judged, and are never read out of the text again.

use std::net::{IpAddr, SocketAddr};

use doorcode_core::{Error, Result};
use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Url};

use super::address::is_global;
use super::failure::{Failure, Kind};
use super::rules::Rules;

/// The longest URL, in bytes.
const LONGEST: usize = 2048;

/// IMAP, with TLS from the first byte and with STARTTLS.
const IMAP: [u16; 2] = [993, 143];

/// Names of no public host: RFC 6761, RFC 6762, RFC 7686, RFC 8375, ICANN's `.internal`, and what networks use inside.
const INSIDE: &[&str] = &[
    "localhost",
    "local",
    "internal",
    "intranet",
    "localdomain",
    "lan",
    "home",
    "corp",
    "private",
    "home.arpa",
    "onion",
    "invalid",
];

/// Where a request may go.
#[derive(Clone, Debug)]
pub struct Target {
    url: Url,
    host: Host<String>,
    port: u16,
    allowed: bool,
}

impl Target {
    pub(super) fn read(text: &str, rules: &Rules) -> Result<Self> {
        Self::within(text, rules, &rules.settings.ports)
    }

    /// A mail server that a caller names: by the same rules, at a port of IMAP.
    pub(super) fn mailbox(host: &str, port: u16, rules: &Rules) -> Result<Self> {
        let read = Self::within(&format!("https://{host}:{port}/"), rules, &IMAP);
        let read = read.ok().filter(|target| target.port == port && target.url.path() == "/" && target.path() == "/");
        read.ok_or(Error::Invalid { field: "host", why: "must be a public mail server, at port 993 or 143" })
    }

    /// A host that whoever runs this program names: no rule is between them and it.
    pub(super) fn own(host: &str, port: u16) -> Result<Self> {
        let bad = Error::Invalid { field: "host", why: "must be a host's name or address" };
        let Ok(url) = plain(&format!("https://{host}:{port}/")) else { return Err(bad) };
        let host = url.host().map(|host| host.to_owned());
        host.map(|host| Self { url, host, port, allowed: true }).ok_or(bad)
    }

    fn within(text: &str, rules: &Rules, ports: &[u16]) -> Result<Self> {
        let url = plain(text)?;
        let port = url.port_or_known_default().unwrap_or(0);
        let host = url.host().ok_or(bad("must have a host"))?.to_owned();
        let allowed = match &host {
            Host::Domain(name) => rules.settings.allows_name(name, port),
            Host::Ipv4(v4) => rules.settings.allows_address(IpAddr::V4(*v4), port),
            Host::Ipv6(v6) => rules.settings.allows_address(IpAddr::V6(*v6), port),
        };
        if !allowed {
            judge(&url, &host, rules)?;
            if !ports.contains(&port) {
                return Err(bad("must have one of the ports that are open"));
            }
        }
        Ok(Self { url, host, port, allowed })
    }

    /// Its origin: scheme, host and port.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The URL in its canonical spelling.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The name, in its A-labels, or the address.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether it says by itself that it is this machine.
    pub fn is_this_machine(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(v4) => v4.is_loopback(),
            Host::Ipv6(v6) => v6.is_loopback(),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Whether the settings name it.
    pub(super) fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// The address, if the URL has one in place of a name.
    pub(super) fn literal(&self) -> Option<SocketAddr> {
        match &self.host {
            Host::Domain(_) => None,
            Host::Ipv4(v4) => Some((*v4, self.port).into()),
            Host::Ipv6(v6) => Some((*v6, self.port).into()),
        }
    }

    /// For whom the certificate must be; none where the URL says HTTP.
    pub(super) fn tls_name(&self) -> Result<Option<ServerName<'static>>, Failure> {
        if self.url.scheme() != "https" {
            return Ok(None);
        }
        let name = match &self.host {
            Host::Domain(name) => ServerName::try_from(name.clone()),
            Host::Ipv4(v4) => Ok(ServerName::from(IpAddr::V4(*v4))),
            Host::Ipv6(v6) => Ok(ServerName::from(IpAddr::V6(*v6))),
        };
        name.map(Some).map_err(|_| Failure::new(Kind::Tls, "no certificate can be for such a name"))
    }

    /// What a request asks for: path and query.
    pub(super) fn path(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// The host as a request names it, with its port where that is not the scheme's own.
    pub fn authority(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }
}

/// The text as an URL, if it has one meaning for everybody.
fn plain(text: &str) -> Result<Url> {
    if text.len() > LONGEST {
        return Err(bad("must have at most 2048 bytes"));
    }
    // A parser of the web takes these for something else, or leaves them out.
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(bad("must have no spaces, control characters or backslashes"));
    }
    if text.contains('#') {
        return Err(bad("must have no fragment"));
    }
    let (scheme, rest) = text.split_once("://").ok_or(bad("must begin with https://"))?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Err(bad("must begin with https://"));
    }
    match rest.split(['/', '?']).next() {
        None | Some("") => return Err(bad("must have a host")),
        Some(authority) if authority.contains('@') => return Err(bad("must have no user name or password")),
        Some(_) => {}
    }
    Url::parse(text).map_err(|_| bad("must be an URL such as https://example.com/hook"))
}

/// The rules for whom the settings do not name.
fn judge(url: &Url, host: &Host<String>, rules: &Rules) -> Result<()> {
    match host {
        Host::Ipv4(v4) if !is_global(IpAddr::V4(*v4)) => return Err(bad("must lead to a public address")),
        Host::Ipv6(v6) if !is_global(IpAddr::V6(*v6)) => return Err(bad("must lead to a public address")),
        Host::Domain(name) if !is_public_name(name) || rules.is_own_name(name) => {
            return Err(bad("must have a public host name of somebody else"));
        }
        _ => {}
    }
    if url.scheme() == "https" { Ok(()) } else { Err(bad("must begin with https://")) }
}

/// Whether a name could be that of a host on the public internet.
fn is_public_name(name: &str) -> bool {
    let is_inside = |end: &str| name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    name.contains('.') && !name.split('.').any(str::is_empty) && !INSIDE.iter().any(|end| is_inside(end))
}

fn bad(why: &'static str) -> Error {
    Error::Invalid { field: "url", why }
}
