//! A connection that is kept, with TLS or without, to whoever may be connected to. Refuses to be read from without end: whoever uses it says
//! how many bytes it may still give, so that no server fills the memory of this one; and, where it matters, that what stands behind a line
//! stays here until it is asked for.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::coop;
use tokio_rustls::client::TlsStream;

/// What a new connection may give before somebody allows more.
const FIRST: usize = 64 * 1024;
/// How much of what the other end says is kept here at the most, before somebody reads it.
const AHEAD: usize = 4 * 1024;

/// A connection.
pub struct Line {
    way: Way,
    left: usize,
    /// What was read, and given to nobody yet.
    ahead: Vec<u8>,
    by_lines: bool,
}

enum Way {
    Plain(TcpStream),
    Protected(Box<TlsStream<TcpStream>>),
}

impl Line {
    pub(super) fn of(stream: TcpStream) -> Self {
        Self::new(Way::Plain(stream))
    }

    pub(super) fn protected(stream: TlsStream<TcpStream>) -> Self {
        Self::new(Way::Protected(Box::new(stream)))
    }

    fn new(way: Way) -> Self {
        Self { way, left: FIRST, ahead: Vec::new(), by_lines: false }
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

    /// How many bytes it may still give to whoever reads.
    pub fn left(&self) -> usize {
        self.left.saturating_add(self.ahead.len())
    }

    /// Whether the other end is this machine.
    pub fn is_loopback(&self) -> bool {
        self.stream().peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
    }

    /// Whether whoever reads is given a line at a time, and nothing of what stands behind it.
    pub fn by_lines(&mut self, by_lines: bool) {
        self.by_lines = by_lines;
    }

    /// Waits until the other end has said something that nobody was given yet, or hung up.
    ///
    /// # Errors
    /// That of the connection.
    pub async fn hears(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_ahead(cx)).await
    }

    /// Reads ahead, where there is nothing yet.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let mut room = std::mem::take(&mut self.ahead);
        room.resize(AHEAD, 0);
        let mut read = ReadBuf::new(&mut room);
        let polled = self.poll_way(cx, &mut read);
        let said = read.filled().len();
        room.truncate(said);
        self.ahead = room;
        polled
    }

    fn poll_way(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
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
        if self.ahead.is_empty() && !self.by_lines {
            return self.poll_way(cx, buffer);
        }
        // What is here already is a turn too: a server that says a thousand lines at once does not keep the others waiting.
        let turn = ready!(coop::poll_proceed(cx));
        ready!(self.poll_ahead(cx))?;
        turn.made_progress();
        let line = self.ahead.iter().position(|byte| self.by_lines && *byte == b'\n');
        let given = line.map_or(self.ahead.len(), |end| end + 1).min(buffer.remaining());
        buffer.put_slice(&self.ahead[..given]);
        self.ahead.drain(..given);
        if self.ahead.is_empty() {
            self.ahead = Vec::new();
        }
        Poll::Ready(Ok(()))
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn what_stands_behind_a_line_stays_here_and_is_not_lost() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut other = listener.accept().await.unwrap().0;
        let mut line = Line::of(stream);
        other.write_all(b"one\r\ntwo\r\nthree").await.unwrap();
        line.by_lines(true);
        let mut room = [0; 64];
        for said in ["one\r\n", "two\r\n"] {
            let read = line.read(&mut room).await.unwrap();
            assert_eq!(&room[..read], said.as_bytes());
        }
        line.by_lines(false);
        // It is here already.
        line.hears().await.unwrap();
        assert_eq!(line.read(&mut room[..2]).await.unwrap(), 2);
        other.write_all(b"!").await.unwrap();
        drop(other);
        let mut rest = Vec::new();
        line.read_to_end(&mut rest).await.unwrap();
        assert_eq!((&room[..2], &rest[..]), (&b"th"[..], &b"ree!"[..]));
        line.hears().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_read_ahead_counts() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut other = listener.accept().await.unwrap().0;
        let mut line = Line::of(stream);
        other.write_all(b"one\r\n").await.unwrap();
        line.allow(5);
        line.hears().await.unwrap();
        line.by_lines(true);
        assert_eq!(line.read(&mut [0; 64]).await.unwrap(), 5);
        assert!(line.read(&mut [0; 64]).await.is_err(), "no more was allowed");
    }

    /// The attack: lines that are here already, one after the other.
    #[tokio::test]
    async fn others_have_their_turn_between_lines() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut other = listener.accept().await.unwrap().0;
        let mut line = Line::of(stream);
        other.write_all(&[b'\n'; AHEAD]).await.unwrap();
        line.hears().await.unwrap();
        line.by_lines(true);
        let turn = tokio::spawn(async {});
        let mut lines = 0;
        while !turn.is_finished() && lines < AHEAD {
            assert_eq!(line.read(&mut [0; 64]).await.unwrap(), 1);
            lines += 1;
        }
        assert!(lines < AHEAD, "all of them were read first");
    }
}
