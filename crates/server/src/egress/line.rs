//! A connection that is kept, with TLS or without, to whoever may be connected to. Refuses to be read from without end: whoever uses it says
//! how many bytes it may still give, so that no server fills the memory of this one.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// What a new connection may give before somebody allows more.
const FIRST: usize = 64 * 1024;

/// A connection.
pub struct Line {
    way: Way,
    left: usize,
}

enum Way {
    Plain(TcpStream),
    Protected(Box<TlsStream<TcpStream>>),
}

impl Line {
    pub(super) fn of(stream: TcpStream) -> Self {
        Self { way: Way::Plain(stream), left: FIRST }
    }

    pub(super) fn protected(stream: TlsStream<TcpStream>) -> Self {
        Self { way: Way::Protected(Box::new(stream)), left: FIRST }
    }

    pub(super) fn into_plain(self) -> Option<TcpStream> {
        match self.way {
            Way::Plain(stream) => Some(stream),
            Way::Protected(_) => None,
        }
    }

    /// From now on it may give so many bytes.
    pub fn allow(&mut self, bytes: usize) {
        self.left = bytes;
    }

    /// Whether the other end is this machine.
    pub fn is_loopback(&self) -> bool {
        self.stream().peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
    }

    /// Waits until the other end has sent something, or hung up. Nothing is read.
    ///
    /// # Errors
    /// That of the connection.
    pub async fn hears(&self) -> io::Result<()> {
        self.stream().peek(&mut [0]).await.map(drop)
    }

    fn stream(&self) -> &TcpStream {
        match &self.way {
            Way::Plain(stream) => stream,
            Way::Protected(stream) => stream.get_ref().0,
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("the server says more than was asked for")));
        }
        let before = buffer.filled().len();
        let polled = match &mut self.way {
            Way::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Way::Protected(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
        // The last piece may be larger than what was left: it is in the reader's own room, and there is no further one.
        self.left = self.left.saturating_sub(buffer.filled().len() - before);
        polled
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.way {
            Way::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Way::Protected(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.way {
            Way::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Way::Protected(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.way {
            Way::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Way::Protected(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
