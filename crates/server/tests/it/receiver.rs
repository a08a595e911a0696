//! Somebody who receives webhooks: a socket on loopback, HTTP by hand, and a check of signatures that shares no line with
//! the server's. It answers 200 unless it was told otherwise.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the receiver does with a request that it has read.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Answers with this status.
    Status(u16),
    /// Sends the sender there.
    Redirect(String),
    /// Never answers.
    Hang,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) line: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// Whether one of its signatures is of this secret.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let said =
            [self.id().as_bytes(), b".", self.headers["webhook-timestamp"].as_bytes(), b".", &self.body].concat();
        let expected = format!("v1,{}", STANDARD.encode(hmac(&key, &said)));
        self.headers["webhook-signature"].split(' ').any(|signature| signature == expected)
    }
}

/// HMAC-SHA-256 as RFC 2104 writes it.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36)[..], text].concat());
    Sha256::digest([&block.map(|byte| byte ^ 0x5c)[..], &inner].concat()).into()
}

/// The receiver. Stops when dropped.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    got: Mutex<Vec<Got>>,
    /// What it does with the next requests.
    next: Mutex<VecDeque<Reply>>,
    /// What it does with those behind them.
    then: Mutex<Option<Reply>>,
}

impl Receiver {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::<State>::default());
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(stream, Arc::clone(&shared)));
            }
        });
        Self { address, state, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// What it does with the next request.
    pub(crate) fn next(&self, reply: Reply) {
        self.state.next.lock().unwrap().push_back(reply);
    }

    /// What it does from now on.
    pub(crate) fn always(&self, reply: Reply) {
        *self.state.then.lock().unwrap() = Some(reply);
    }

    /// Everything that came.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.state.got.lock().unwrap().clone()
    }

    /// The kinds of events that came.
    pub(crate) fn kinds(&self) -> Vec<String> {
        self.got().iter().map(Got::kind).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, state: Arc<State>) {
    let got = read(&mut stream).await;
    state.got.lock().unwrap().push(got);
    let next = state.next.lock().unwrap().pop_front();
    let reply = next.or(state.then.lock().unwrap().clone()).unwrap_or(Reply::Status(200));
    let text = match reply {
        Reply::Status(status) => format!("HTTP/1.1 {status} So\r\ncontent-length: 2\r\n\r\nok"),
        Reply::Redirect(to) => format!("HTTP/1.1 307 There\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"),
        Reply::Hang => {
            // Until the sender has had enough.
            drop(stream.read(&mut [0; 1]).await);
            return;
        }
    };
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// One request, which says how long its body is.
async fn read(stream: &mut TcpStream) -> Got {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "the request ends in its head");
    };
    let mut body = bytes.split_off(end + 4);
    let head = String::from_utf8(bytes).unwrap();
    let (line, headers) = head.trim_end().split_once("\r\n").unwrap();
    let headers: HashMap<String, String> = headers
        .lines()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    while body.len() < length {
        assert_ne!(stream.read_buf(&mut body).await.unwrap(), 0, "the request ends in its body");
    }
    Got { line: line.to_owned(), headers, body }
}
