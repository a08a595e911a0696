//! A mail server in this process, so that what it took outlives the server under test: plain SMTP on loopback, any
//! recipient, codes read from the text of each mail. Refuses recipients whose name begins with `refused`, leaves those
//! with `hang` without an answer, and, if it was told to greylist, sends everybody away once.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use mail_parser::MessageParser;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::process::PATIENCE;

/// A mail server, open or not yet.
pub(crate) struct Sink {
    pub(crate) port: u16,
    closed: Option<TcpSocket>,
    running: Option<JoinHandle<()>>,
    state: Arc<State>,
}

struct State {
    greylisting: bool,
    /// Who has been sent away once.
    known: Mutex<HashSet<String>>,
    /// The code of every mail, or the key in it that is sealed, by recipient, oldest first.
    codes: Mutex<HashMap<String, Vec<String>>>,
    count: watch::Sender<usize>,
}

impl Sink {
    /// One that takes mail.
    pub(crate) fn open() -> Self {
        let mut sink = Self::closed();
        sink.listen();
        sink
    }

    /// One that sends every recipient away once, to come again.
    pub(crate) fn greylisting() -> Self {
        let mut sink = Self::of(true);
        sink.listen();
        sink
    }

    /// One whose port is its own and refuses connections, until it is opened.
    pub(crate) fn closed() -> Self {
        Self::of(false)
    }

    fn of(greylisting: bool) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let port = socket.local_addr().unwrap().port();
        let (known, codes, count) = (Mutex::default(), Mutex::default(), watch::Sender::new(0));
        let state = Arc::new(State { greylisting, known, codes, count });
        Self { port, closed: Some(socket), running: None, state }
    }

    /// Opens a closed one.
    pub(crate) fn listen(&mut self) {
        let listener = self.closed.take().unwrap().listen(1024).unwrap();
        self.running = Some(tokio::spawn(accept(listener, Arc::clone(&self.state))));
    }

    /// Every code that was mailed to an address, oldest first.
    pub(crate) fn codes(&self, to: &str) -> Vec<String> {
        self.state.codes.lock().unwrap().get(to).cloned().unwrap_or_default()
    }

    /// Every code that was mailed to anybody.
    pub(crate) fn all_codes(&self) -> HashSet<String> {
        self.state.codes.lock().unwrap().values().flatten().cloned().collect()
    }

    /// How many mails were taken.
    pub(crate) fn count(&self) -> usize {
        *self.state.count.borrow()
    }

    /// Waits for so many mails.
    pub(crate) async fn mails(&self, count: usize) {
        let mut seen = self.state.count.subscribe();
        let enough = timeout(PATIENCE, seen.wait_for(|seen| *seen >= count)).await.is_ok();
        assert!(enough, "{} of {count} mails came", self.count());
    }

    /// Waits for a code to an address that is none of those used before.
    pub(crate) async fn code(&self, to: &str, used: &[String]) -> String {
        let mut seen = self.state.count.subscribe();
        let code = async {
            loop {
                if let Some(code) = self.codes(to).into_iter().find(|code| !used.contains(code)) {
                    return code;
                }
                seen.changed().await.unwrap();
            }
        };
        timeout(PATIENCE, code).await.unwrap_or_else(|_| panic!("no mail to {to} after {:?}", self.codes(to)))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // Ends with this task.
    let mut conversations = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        conversations.spawn(async move { drop(converse(stream, &state).await) });
        while conversations.try_join_next().is_some() {}
    }
}

/// One connection, any number of mails. An error is the other end's leaving.
async fn converse(stream: TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink ESMTP\r\n").await?;
    let mut to = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let reply = match verb.as_str() {
            "EHLO" => "250-sink\r\n250 8BITMIME",
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                address.clone_into(&mut to);
                let new = state.greylisting && state.known.lock().unwrap().insert(to.clone());
                let refused = format!("550 5.1.1 <{to}>: no such user");
                if to.starts_with("refused") {
                    stream.write_all(format!("{refused}\r\n").as_bytes()).await?;
                    continue;
                }
                if to.starts_with("hang") {
                    std::future::pending::<()>().await;
                }
                if new { "450 4.2.0 come again" } else { "250 OK" }
            }
            "DATA" => {
                stream.write_all(b"354 go ahead\r\n").await?;
                state.keep(&to, &content(&mut stream).await?);
                "250 taken"
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n").await,
            _ => "250 OK",
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
}

/// A mail, without the dots that were doubled.
async fn content(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        match line.as_slice() {
            b".\r\n" => return Ok(content),
            [b'.', rest @ ..] => content.extend_from_slice(rest),
            line => content.extend_from_slice(line),
        }
    }
}

impl State {
    fn keep(&self, to: &str, mail: &[u8]) {
        let parsed = MessageParser::default().parse(mail).unwrap();
        let text = parsed.body_text(0).unwrap();
        let is_code = |line: &&str| {
            let is_sealed = line.len() > 100;
            ((4..=15).contains(&line.len()) || is_sealed)
                && line.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let code = text.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("no code in: {text}"));
        self.codes.lock().unwrap().entry(to.to_owned()).or_default().push(code.to_owned());
        self.count.send_modify(|count| *count += 1);
    }
}
