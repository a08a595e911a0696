//! The one way out to a host that a caller names: webhooks, and the mailboxes that people connect.
//! Refuses what would make this server somebody's arm into its own network: addresses that are not global, in any
//! spelling and behind any name, our own listener, other ports, plain HTTP, redirects, and answers without end.
//!
//! The rule holds twice. [`Egress::check_url`] reads an URL without asking anybody, when it is given and again when it
//! is used. [`Egress::post`] resolves the name once, judges every address that came, and connects to one of those, so
//! that a name which changes its mind in between gains nothing.

mod address;
mod exchange;
mod failure;
mod line;
mod resolver;
mod rules;
mod settings;
mod target;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use doorcode_core::Result;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

pub use failure::{Failure, Kind};
pub use line::Line;
pub use resolver::Resolver;
pub use settings::{Allow, Settings};
pub use target::Target;

use rules::Rules;

/// How long one address may take to accept a connection before the next one is tried.
const CONNECT: Duration = Duration::from_secs(5);

/// The most addresses of a name that are tried.
const ADDRESSES: usize = 4;

/// What the other end said. Its words are read and thrown away, unless they are asked for ([`Egress::ask`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status; never a redirect.
    pub status: u16,
}

/// The way out. Clones share everything.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    rules: Rules,
    resolver: Resolver,
    tls: TlsConnector,
}

impl Egress {
    /// The way out under these settings, for a server that listens there and is reached at `public_url`.
    ///
    /// # Errors
    /// `Unavailable` if the file with further authorities can't be used.
    pub fn new(settings: &Settings, listen: SocketAddr, public_url: Option<&str>) -> Result<Self> {
        let tls = settings.tls().map_err(doorcode_core::Error::unavailable)?;
        let rules = Rules::new(settings, listen, public_url);
        Ok(Self(Arc::new(Inner { rules, resolver: settings.resolver.clone(), tls })))
    }

    /// Reads an URL by the rules, without asking anybody.
    ///
    /// # Errors
    /// `Invalid` for the field `url`.
    pub fn check_url(&self, text: &str) -> Result<Target> {
        Target::read(text, &self.0.rules)
    }

    /// Posts `body` there, within `limit` for all of it. Any status but a redirect is an answer; what it means is the
    /// caller's to say. The connection is not used again.
    ///
    /// # Errors
    /// [`Failure`], in words of ours.
    pub async fn post(
        &self,
        target: &Target,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Response, Failure> {
        let (status, _) = self.exchange(target, headers, body, limit, exchange::Body::Unheard).await?;
        Ok(Response { status })
    }

    /// The same, where the answer's body is what is asked for: up to 64 KiB.
    ///
    /// # Errors
    /// [`Failure`], in words of ours.
    pub async fn ask(
        &self,
        target: &Target,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<(u16, Vec<u8>), Failure> {
        self.exchange(target, headers, body, limit, exchange::Body::Kept).await
    }

    async fn exchange(
        &self,
        target: &Target,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        limit: Duration,
        heard: exchange::Body,
    ) -> Result<(u16, Vec<u8>), Failure> {
        let request = exchange::request(target, headers, body)?;
        let exchange = async {
            let stream = self.connect(target).await?;
            match target.tls_name()? {
                Some(name) => exchange::speak(self.secure(name, stream).await?, request, heard).await,
                None => exchange::speak(stream, request, heard).await,
            }
        };
        tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| Err(Failure::timed_out()))
    }

    /// Reads the place of a mailbox by the rules, without asking anybody: IMAP's ports are open for this and nothing else.
    ///
    /// # Errors
    /// `Invalid` for the field `host`.
    pub fn check_mailbox(&self, host: &str, port: u16) -> Result<Target> {
        Target::mailbox(host, port, &self.0.rules)
    }

    /// A place that whoever runs this program has named, and no caller: the collector's server and mailbox.
    ///
    /// # Errors
    /// `Invalid` for the field `host`.
    pub fn own_choice(&self, host: &str, port: u16) -> Result<Target> {
        Target::own(host, port)
    }

    /// Connects, without TLS so far.
    ///
    /// # Errors
    /// [`Failure`], in words of ours.
    pub async fn open(&self, target: &Target) -> Result<Line, Failure> {
        self.connect(target).await.map(Line::of)
    }

    /// Sets up TLS on a connection to the target. What came before it and was not read is gone.
    ///
    /// # Errors
    /// [`Failure`], in words of ours.
    pub async fn protect(&self, target: &Target, line: Line) -> Result<Line, Failure> {
        let failed = || Failure::new(Kind::Tls, "there is TLS on this connection already");
        let name = target.tls_name()?.ok_or_else(failed)?;
        let secured = tokio::time::timeout(CONNECT * 2, self.secure(name, line.into_plain().ok_or_else(failed)?)).await;
        secured.unwrap_or_else(|_| Err(Failure::timed_out())).map(Line::protected)
    }

    /// Every address of the target, if all of them may be connected to. One that may not spoils the name: whoever mixes
    /// them hopes for the right one to be picked.
    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, Failure> {
        let found = match target.literal() {
            Some(address) => vec![address],
            None => self.0.resolver.look_up(target.host(), target.port()).await?,
        };
        match found.iter().all(|address| self.0.rules.admit(target, *address)) {
            _ if found.is_empty() => Err(Failure::new(Kind::Unreachable, "the name has no address")),
            true => Ok(found),
            false => Err(Failure::new(Kind::Refused, "the name leads to an address that is not public")),
        }
    }

    async fn connect(&self, target: &Target) -> Result<TcpStream, Failure> {
        for address in self.addresses(target).await?.into_iter().take(ADDRESSES) {
            if let Ok(Ok(stream)) = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
                // Before a byte is sent: of all addresses that this machine has, only a connection shows which it is.
                let own = stream.local_addr().is_ok_and(|local| self.0.rules.is_own(local, address));
                if own {
                    return Err(Failure::new(Kind::Refused, "the address is this server's own"));
                }
                drop(stream.set_nodelay(true));
                return Ok(stream);
            }
        }
        Err(Failure::new(Kind::Unreachable, "no connection"))
    }

    async fn secure(
        &self,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failure> {
        let secured = self.0.tls.connect(name, stream).await;
        secured.map_err(|_| Failure::new(Kind::Tls, "TLS failed: the certificate is not trusted or not for this host"))
    }
}
