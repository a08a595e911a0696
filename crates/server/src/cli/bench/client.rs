//! The driver's HTTP/1.1: one kept-alive connection to a loopback port, one request in flight on it. Anything but a
//! loopback address is refused: this program makes load, and only for its own machine.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use super::failure::{Failure, Outcome};
use super::stopwatch::now;
use super::window::{Lane, Window};

/// A connection or an answer that takes longer ends the bench.
const PATIENCE: Duration = Duration::from_secs(60);

/// One kept-alive connection.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

/// Status and whole body of one answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

impl Connection {
    /// Connects to `server`, from the loopback address `from` if one is given.
    pub(super) async fn open(server: SocketAddr, from: Option<IpAddr>) -> Outcome<Self> {
        let stream = connect(server, from).await?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(Failure::during("opening the connection"))?;
        let driver = tokio::spawn(async move {
            // An error here is told to `ask` as well.
            let _ = connection.await;
        });
        Ok(Self { sender, driver })
    }

    /// As many connections as asked for, all open before the first request.
    pub(super) async fn open_all(server: SocketAddr, from: Option<IpAddr>, count: usize) -> Outcome<Vec<Self>> {
        let mut all = Vec::with_capacity(count);
        for _ in 0..count {
            all.push(Self::open(server, from).await?);
        }
        Ok(all)
    }

    /// Sends one request and reads the whole answer. No time limit of its own: `within` limits whole rounds.
    pub(super) async fn ask(&mut self, request: Request<Full<Bytes>>) -> Outcome<Answer> {
        self.sender.ready().await.map_err(Failure::during("the server closed a connection"))?;
        let response = self.sender.send_request(request).await.map_err(Failure::during("sending a request"))?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(Failure::during("reading an answer"))?.to_bytes();
        Ok(Answer { status, body })
    }

    /// As `ask`, timed: the latency goes into `lane` if the answer fell into the window.
    pub(super) async fn ask_timed(
        &mut self,
        request: Request<Full<Bytes>>,
        window: &Window,
        lane: &mut Lane,
    ) -> Outcome<Answer> {
        let sent = now();
        let answer = self.ask(request).await?;
        lane.note(window, sent, now());
        Ok(answer)
    }

    /// As `ask`, with the two instants around it.
    pub(super) async fn ask_between(&mut self, request: Request<Full<Bytes>>) -> Outcome<(Answer, Instant, Instant)> {
        let sent = now();
        let answer = self.ask(request).await?;
        Ok((answer, sent, now()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A stream to `server`, from the loopback address `from` if one is given.
pub(super) async fn connect(server: SocketAddr, from: Option<IpAddr>) -> Outcome<TcpStream> {
    if !server.ip().is_loopback() {
        return Err(Failure::usage(format!("the bench drives loopback addresses only, not {server}")));
    }
    let stream = async {
        let socket = TcpSocket::new_v4()?;
        socket.set_nodelay(true)?;
        if let Some(from) = from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        socket.connect(server).await
    };
    tokio::time::timeout(PATIENCE, stream)
        .await
        .map_err(Failure::during("connecting"))?
        .map_err(Failure::during("connecting"))
}

/// Runs one phase; a phase that takes `limit` longer than planned has hung, and ends the bench.
pub(super) async fn within<T>(what: &str, planned: Duration, phase: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    match tokio::time::timeout(planned + PATIENCE, phase).await {
        Ok(done) => done,
        Err(_) => Err(Failure::new(format!("{what} did not end within {} s", (planned + PATIENCE).as_secs()))),
    }
}
