//! A mailbox's server and its provider, by hand: enough of IMAP to be signed in to, and a token endpoint. What they were told is known to the
//! letter. Refuses to deliver mail: Dovecot does that.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What somebody was told.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn note(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// An IMAP server that lets in whoever shows the right token, or anybody with a password. Its mailbox is empty.
pub(crate) struct Imap {
    pub(crate) port: u16,
    pub(crate) told: Told,
}

impl Imap {
    /// `token`: the access token that is good.
    pub(crate) async fn start(token: Arc<Mutex<String>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, told) = (listener.local_addr().unwrap().port(), Told::default());
        let shared = told.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, shared.clone(), Arc::clone(&token)));
            }
        });
        Self { port, told }
    }
}

async fn talk(stream: TcpStream, told: Told, good: Arc<Mutex<String>>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"* OK ready\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let (tag, command) = line.split_once(' ').unwrap_or(("*", &line));
        let answer = match command.split(' ').next().unwrap_or_default() {
            "CAPABILITY" => "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n".to_owned() + tag + " OK done\r\n",
            "AUTHENTICATE" => {
                write.write_all(b"+ \r\n").await?;
                let said = lines.next_line().await?.unwrap_or_default();
                let said = String::from_utf8(STANDARD.decode(said).unwrap_or_default()).unwrap_or_default();
                told.note(&said);
                let right = format!("auth=Bearer {}\u{1}", good.lock().unwrap());
                let word = if said.contains(&right) { "OK in" } else { "NO [AUTHENTICATIONFAILED] no" };
                format!("{tag} {word}\r\n")
            }
            "LOGIN" => {
                told.note(command);
                format!("{tag} OK in\r\n")
            }
            "EXAMINE" => {
                format!("* 0 EXISTS\r\n* OK [UIDVALIDITY 1] n\r\n* OK [UIDNEXT 1] n\r\n{tag} OK [READ-ONLY] done\r\n")
            }
            _ => format!("{tag} OK done\r\n"),
        };
        write.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// A token endpoint. Its answers, status and body, are given out one after the other, the last one for ever.
pub(crate) struct Provider {
    pub(crate) port: u16,
    pub(crate) told: Told,
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, told, answers) = (listener.local_addr().unwrap().port(), Told::default(), Arc::default());
        let (shared, next) = (told.clone(), Arc::clone(&answers));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(give(stream, shared.clone(), Arc::clone(&next)));
            }
        });
        Self { port, told, answers }
    }

    pub(crate) fn answer(&self, status: u16, body: &str) {
        self.answers.lock().unwrap().push_back((status, body.to_owned()));
    }

    /// Has no answers any more.
    pub(crate) fn forget(&self) {
        self.answers.lock().unwrap().clear();
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/token", self.port)
    }
}

async fn give(stream: TcpStream, told: Told, answers: Arc<Mutex<VecDeque<(u16, String)>>>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut length = 0;
    loop {
        let mut line = String::new();
        read.read_line(&mut line).await?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    read.read_exact(&mut body).await?;
    told.note(&String::from_utf8(body).unwrap());
    let (status, body) = {
        let mut answers = answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers.front().unwrap().clone() }
    };
    let head =
        format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    write.write_all((head + &body).as_bytes()).await
}
