//! The wire between a mail client and its server: hands on what both say, and notes when the server pushed and what the client said.
//! Refuses to change a byte.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::super::stopwatch::now;

/// How a server says that there is a message more.
const PUSH: &[u8] = b" EXISTS\r\n";

/// A listener that stands before a server on this machine, until the runtime ends.
pub struct Wire {
    /// Where it listens.
    pub port: u16,
    said: Arc<Mutex<Vec<u8>>>,
    pushes: UnboundedReceiver<Instant>,
}

impl Wire {
    /// In front of the server at that port of loopback.
    ///
    /// # Errors
    /// No port is free.
    pub async fn before(server: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (said, (pushed, pushes)) = (Arc::default(), unbounded_channel());
        let noted = Arc::clone(&said);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                drop((client.set_nodelay(true), server.set_nodelay(true)));
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                tokio::spawn(hand_out(from_client, to_server, Arc::clone(&noted)));
                tokio::spawn(hand_in(from_server, to_client, pushed.clone()));
            }
        });
        Ok(Self { port, said, pushes })
    }

    /// Everything that clients have said so far, as far as it is text.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Forgets what was pushed until now.
    pub(crate) fn forget(&mut self) {
        while self.pushes.try_recv().is_ok() {}
    }

    /// When the server pushed next; none: nobody listens any more.
    pub(crate) async fn pushed(&mut self) -> Option<Instant> {
        self.pushes.recv().await
    }
}

async fn hand_out(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, said: Arc<Mutex<Vec<u8>>>) {
    let mut some = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut some).await {
        said.lock().unwrap_or_else(PoisonError::into_inner).extend(&some[..length]);
        if to.write_all(&some[..length]).await.is_err() {
            return;
        }
    }
}

async fn hand_in(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, pushed: UnboundedSender<Instant>) {
    // What was read, and before it what may have been the beginning of a push.
    let mut some = vec![0; PUSH.len() + 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut some[PUSH.len()..]).await {
        if some[..PUSH.len() + length].windows(PUSH.len()).any(|bytes| bytes == PUSH) {
            // A wire that nobody asks any more hands on all the same.
            let _ = pushed.send(now());
        }
        if to.write_all(&some[PUSH.len()..PUSH.len() + length]).await.is_err() {
            return;
        }
        some.copy_within(length..length + PUSH.len(), 0);
        // A push is noted once.
        if some[..PUSH.len()] == *PUSH {
            some[0] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_push_is_noted_once_however_it_comes() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut wire = Wire::before(server.local_addr().unwrap().port()).await.unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", wire.port)).await.unwrap();
        let (mut server, _) = server.accept().await.unwrap();
        let mut heard = [0; 64];
        for (parts, pushes) in
            [(&["* 3 EXISTS\r\n"][..], 1), (&["* 4 EXI", "STS\r\n"], 1), (&["* 4 FETCH ()\r\n"], 0), (&["a OK\r\n"], 0)]
        {
            for part in parts {
                server.write_all(part.as_bytes()).await.unwrap();
                client.read_exact(&mut heard[..part.len()]).await.unwrap();
                assert_eq!(&heard[..part.len()], part.as_bytes());
            }
            let mut noted = 0;
            while wire.pushes.try_recv().is_ok() {
                noted += 1;
            }
            assert_eq!(noted, pushes, "{parts:?}");
        }
        client.write_all(b"a1 NOOP\r\n").await.unwrap();
        server.read_exact(&mut heard[..9]).await.unwrap();
        assert_eq!(wire.said(), "a1 NOOP\r\n");
    }
}
