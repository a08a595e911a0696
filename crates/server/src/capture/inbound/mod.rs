//! Mail that people forward to an address of their own here: a small mail server (RFC 5321) that takes in and never sends on. Off unless it
//! is set. Refuses mail for anybody who has no address here, mail in which CR or LF stands alone, slow clients, and to keep any mail: each
//! is judged and matched before it is answered for, then forgotten.
//!
//! ```text
//! talk: lines → command → session → (ops::inbound: whose) → lines::Text → capture::mail::receive → 250 or 451
//! ```

mod command;
mod lines;
mod reply;
mod room;
mod session;
mod talk;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use doorcode_core::{Error, Result};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use room::Room;

/// Connections that wait to be talked with, for each that is: a burst that the system's own line does not hold would be lost in it, and
/// its clients never hear of that.
const WAITING: usize = 8;

/// Connections that the system keeps for us, at the most.
const LINE: u32 = 4096;

/// How long a client is waited for. One that names no address of ours has little to say, and less time for it.
#[derive(Clone, Copy)]
pub struct Patience {
    /// For one command, and for a reply to be taken, while no address was named.
    pub unnamed_command: Duration,
    /// For all that it says until it has named one.
    pub naming: Duration,
    /// For one command, and for a reply to be taken, since then; and for its turn.
    pub command: Duration,
    /// For the text of a mail.
    pub mail: Duration,
    /// For all that it wants.
    pub all: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            unnamed_command: seconds(10),
            naming: seconds(30),
            command: seconds(60),
            mail: seconds(120),
            all: seconds(900),
        }
    }
}

/// What every connection of a listener shares.
struct Listening {
    app: Arc<App>,
    hostname: String,
    tls: Option<TlsAcceptor>,
    room: Arc<Room>,
    /// One for each connection that is talked with.
    talks: Semaphore,
    patience: Patience,
}

/// A listener that is bound.
pub struct Listener {
    socket: TcpListener,
    connections: usize,
    shared: Arc<Listening>,
}

impl Listener {
    /// Binds, if mail is to be taken in here.
    ///
    /// # Errors
    /// `Unavailable` if the address or the certificate can't be had.
    pub fn bind(app: &Arc<App>, patience: Patience) -> Result<Option<Self>> {
        let Some(settings) = &app.config.capture.inbound else { return Ok(None) };
        let tls = settings.tls.as_ref().map(|(certificate, key)| tls::acceptor(certificate, key)).transpose()?;
        let at = settings.listen;
        let socket =
            listen(at).map_err(|error| Error::unavailable(format!("can't listen for mail on {at}: {error}")))?;
        let shared = Listening {
            app: Arc::clone(app),
            hostname: settings.hostname.clone(),
            tls,
            room: Room::new(settings.connections, settings.per_network),
            talks: Semaphore::new(settings.connections.min(Semaphore::MAX_PERMITS)),
            patience,
        };
        Ok(Some(Self { socket, connections: settings.connections, shared: Arc::new(shared) }))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// `Unavailable` if the system does not say.
    pub fn at(&self) -> Result<SocketAddr> {
        self.socket.local_addr().map_err(Error::unavailable)
    }

    /// Takes mail in until the house closes. What is not answered for by then is its sender's to send again.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(self.connections.saturating_mul(1 + WAITING).min(Semaphore::MAX_PERMITS)));
        let mut talks = JoinSet::new();
        while !*stopped.borrow() {
            let permit = Arc::clone(&places).acquire_owned();
            let accepted = tokio::select! {
                _ = stopped.changed() => continue,
                Some(_) = talks.join_next() => continue,
                accepted = async { (permit.await, self.socket.accept().await) } => accepted,
            };
            match accepted {
                (Ok(permit), Ok((stream, peer))) => {
                    let shared = Arc::clone(&self.shared);
                    talks.spawn(async move {
                        serve(&shared, stream, peer).await;
                        drop(permit);
                    });
                }
                (_, Err(error)) => {
                    tracing::warn!(%error, "a connection for mail could not be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                (Err(_), _) => break,
            }
        }
        talks.shutdown().await;
    }
}

/// Binds with a line as long as the system lets it be: a burst that it does not hold is lost, and nobody is told.
fn listen(at: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    socket.listen(LINE)
}

async fn serve(shared: &Listening, mut stream: TcpStream, peer: SocketAddr) {
    match shared.room.enter(peer.ip()) {
        Some(place) => {
            match tokio::time::timeout(shared.patience.command, shared.talks.acquire()).await {
                Ok(Ok(turn)) => {
                    talk::talk(shared, stream, peer.ip()).await;
                    drop(turn);
                }
                _ => refuse(&mut stream, reply::FULL).await,
            }
            drop(place);
        }
        None => refuse(&mut stream, reply::TOO_MANY).await,
    }
}

async fn refuse(stream: &mut TcpStream, reply: reply::Reply) {
    let refusal = format!("{reply}\r\n");
    drop(tokio::time::timeout(Duration::from_secs(1), stream.write_all(refusal.as_bytes())).await);
}
