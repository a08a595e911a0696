//! The connection of a socket, in messages: what is heard is small and not too much, what is said is taken within a time. Refuses
//! binary messages, messages over 4 KiB, in pieces or not, more than a few a second, and whoever does not read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};

use crate::clock::Stopwatch;

/// The longest message that is heard.
pub(super) const MESSAGE_MOST: usize = 4096;
/// Heard at once: most that is said to us is shorter.
const READ_ROOM: usize = 256;
/// Written at once, and kept for a client that is slow, with a message more.
const WRITE_ROOM: usize = 4096;
const WRITE_MOST: usize = 16 * 1024;
/// What is counted together.
const WINDOW: Duration = Duration::from_secs(10);
/// Messages, pings and pongs in one window, and bytes, frames of a broken message with them.
const MESSAGES_MOST: u32 = 100;
const BYTES_MOST: usize = 64 * 1024;
/// How long the other end has to take the end and to hang up.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a socket ends; without a code there is nobody to tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending(pub(super) Option<(CloseCode, &'static str)>);

impl Ending {
    /// There is nobody there any more.
    pub(super) const GONE: Self = Self(None);
    /// All is told.
    pub(super) const OVER: Self = Self(Some((CloseCode::Normal, "the request is over")));
    /// The house closes.
    pub(super) const AWAY: Self = Self(Some((CloseCode::Away, "the server stops")));
    /// Too many watch.
    pub(super) const FULL: Self = Self(Some((CloseCode::Again, "too many sockets")));
    const FLOOD: Self = Self::policy("too many messages");
    const BINARY: Self = Self(Some((CloseCode::Unsupported, "text only")));
    const LONG: Self = Self(Some((CloseCode::Size, "4096 bytes at most")));
    const NO_TEXT: Self = Self(Some((CloseCode::Invalid, "no UTF-8")));
    const NO_FRAME: Self = Self(Some((CloseCode::Protocol, "RFC 6455")));

    /// Something that may not be.
    pub(super) const fn policy(why: &'static str) -> Self {
        Self(Some((CloseCode::Policy, why)))
    }
}

/// What was heard.
pub(super) enum Heard {
    /// A message.
    Text(Utf8Bytes),
    /// A sign of life.
    Life,
}

/// The connection.
pub(super) struct Line {
    socket: WebSocketStream<Metered>,
    heard: u32,
    since: Stopwatch,
    patience: Duration,
}

impl Line {
    /// Over a connection that became a WebSocket; what is said has to be taken within `patience`.
    pub(super) async fn over(upgraded: Upgraded, patience: Duration) -> Self {
        let mut config = WebSocketConfig::default();
        config.read_buffer_size = READ_ROOM;
        config.write_buffer_size = WRITE_ROOM;
        config.max_write_buffer_size = WRITE_MOST;
        config.max_message_size = Some(MESSAGE_MOST);
        config.max_frame_size = Some(MESSAGE_MOST);
        let metered = Metered { io: TokioIo::new(upgraded), since: Stopwatch::start(), bytes: 0, flooded: false };
        let socket = WebSocketStream::from_raw_socket(metered, Role::Server, Some(config)).await;
        Self { socket, heard: 0, since: Stopwatch::start(), patience }
    }

    /// The next that is heard. Pings are answered by themselves. May be dropped and asked again.
    pub(super) async fn hear(&mut self) -> Result<Heard, Ending> {
        let heard = match self.socket.next().await {
            Some(Ok(Message::Text(text))) => Heard::Text(text),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Heard::Life,
            Some(Ok(Message::Binary(_))) => return Err(Ending::BINARY),
            Some(Ok(Message::Close(_) | Message::Frame(_))) | None => return Err(Ending::GONE),
            Some(Err(_)) if self.socket.get_ref().flooded => return Err(Ending::FLOOD),
            Some(Err(error)) => return Err(ending_of(&error)),
        };
        if self.since.elapsed() >= WINDOW {
            (self.since, self.heard) = (Stopwatch::start(), 0);
        }
        self.heard += 1;
        if self.heard > MESSAGES_MOST { Err(Ending::FLOOD) } else { Ok(heard) }
    }

    /// Says something, all of it.
    pub(super) async fn say(&mut self, texts: Vec<String>) -> Result<(), Ending> {
        let all = async {
            for text in texts {
                self.socket.feed(Message::text(text)).await?;
            }
            self.socket.flush().await
        };
        match tokio::time::timeout(self.patience, all).await {
            Ok(Ok(())) => Ok(()),
            // Whoever does not read would not read why either.
            Ok(Err(_)) | Err(_) => Err(Ending::GONE),
        }
    }

    /// Asks for a sign of life.
    pub(super) async fn ping(&mut self) -> Result<(), Ending> {
        let ping = self.socket.send(Message::Ping(Bytes::new()));
        match tokio::time::timeout(self.patience, ping).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ending::GONE),
        }
    }

    /// Says why it ends, and waits a little for the other end to have heard it: what it has sent and nobody read would else take the
    /// reason back on its way.
    pub(super) async fn end(mut self, Ending(why): Ending) {
        let farewell = async {
            // A pong that waits goes first, or the answer to the other end's own farewell: behind ours nothing is said.
            drop(self.socket.flush().await);
            let Some((code, reason)) = why else { return };
            drop(self.socket.close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) })).await);
            while let Some(Ok(heard)) = self.socket.next().await {
                if heard.is_close() {
                    return;
                }
            }
            let mut rest = [0; READ_ROOM];
            while matches!(self.socket.get_mut().io.read(&mut rest).await, Ok(1..)) {}
        };
        drop(tokio::time::timeout(FAREWELL, farewell).await);
    }
}

fn ending_of(error: &Error) -> Ending {
    match error {
        Error::Capacity(_) => Ending::LONG,
        Error::Utf8(_) => Ending::NO_TEXT,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ending::GONE,
        Error::Protocol(_) => Ending::NO_FRAME,
        _ => Ending::GONE,
    }
}

/// What comes in, counted: pieces of messages that never end are no messages.
struct Metered {
    io: TokioIo<Upgraded>,
    since: Stopwatch,
    bytes: usize,
    flooded: bool,
}

impl AsyncRead for Metered {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = room.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, room))?;
        if self.since.elapsed() >= WINDOW {
            (self.since, self.bytes) = (Stopwatch::start(), 0);
        }
        self.bytes += room.filled().len() - before;
        self.flooded |= self.bytes > BYTES_MOST;
        Poll::Ready(if self.flooded { Err(io::Error::other("more than is listened to")) } else { Ok(()) })
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
