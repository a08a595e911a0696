//! HTTP/1.1 by hand, from any address of 127.0.0.0/8: what was sent and what was heard is known to the byte, and an
//! answer counts only when all of it is here.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::process::PATIENCE;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The door's words for what went wrong; the answer has to be in its form.
    pub(crate) fn error(&self) -> String {
        let Value::Object(members) = self.json() else { panic!("{}", self.text()) };
        assert_eq!(members.len(), 1, "{}", self.text());
        members["error"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(had, _)| had.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Reads one answer from a connection. `UnexpectedEof`: it ended before there was a whole one.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{head}"));
    let mut answer = Answer { status, head, body: Vec::new() };
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    answer.body = vec![0; length];
    stream.read_exact(&mut answer.body).await?;
    Ok(answer)
}

/// Somebody who asks from an address of their own, on a new connection each time.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) from: Ipv4Addr,
    pub(crate) to: SocketAddr,
}

impl Caller {
    /// A connection.
    pub(crate) async fn connect(self) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((self.from, 0)))?;
        let stream = socket.connect(self.to).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Sends bytes as they are and reads one answer.
    pub(crate) async fn send(self, request: &[u8]) -> io::Result<Answer> {
        let exchange = async {
            let mut stream = self.connect().await?;
            stream.write_all(request).await?;
            read_answer(&mut stream).await
        };
        timeout(PATIENCE, exchange).await.expect("an answer, or the end of the connection")
    }

    fn head(self, line: &str) -> String {
        format!("{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.to)
    }

    pub(crate) async fn get(self, path: &str) -> io::Result<Answer> {
        self.send(format!("{}\r\n", self.head(&format!("GET {path}"))).as_bytes()).await
    }

    pub(crate) async fn post(self, path: &str, body: &Value) -> io::Result<Answer> {
        let (head, body) = (self.head(&format!("POST {path}")), body.to_string());
        let kind = "Content-Type: application/json";
        self.send(format!("{head}{kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await
    }

    /// Asks a door something with a key: `line` is method and path, `more` whole headers. Without a body where it is null.
    pub(crate) async fn call(self, line: &str, key: &str, more: &str, body: &Value) -> io::Result<Answer> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head =
            format!("{}Authorization: Bearer {key}\r\nContent-Type: application/json\r\n{more}", self.head(line));
        self.send(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await
    }

    /// Asks for a code.
    pub(crate) async fn start(self, email: &str) -> io::Result<Answer> {
        self.post("/linkedin-agent/auth-send-otp", &json!({ "email": email })).await
    }

    /// Sends a code back.
    pub(crate) async fn check(self, email: &str, code: &str) -> io::Result<Answer> {
        self.post("/linkedin-agent/auth-verify-otp", &json!({ "email": email, "otp": code })).await
    }

    /// Shows a key until it is refused, which may take a second after somebody else revoked it.
    pub(crate) async fn refused(self, key: &str) -> Answer {
        for _ in 0..60 {
            let answer = self.team(key).await.unwrap();
            if answer.status != 200 {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("a key that was revoked a second and a half ago still opens");
    }

    /// Shows a key.
    pub(crate) async fn team(self, key: &str) -> io::Result<Answer> {
        self.send(format!("{}x-api-key: {key}\r\n\r\n", self.head("GET /api-team")).as_bytes()).await
    }

    /// Whether the server takes writes: a start of nobody's, which must go well.
    pub(crate) async fn is_served(self) {
        let answer = self.get("/readyz").await.unwrap();
        assert_eq!((answer.status, answer.text()), (200, "ready\n"));
    }
}

/// What a right check hands over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) team: String,
    pub(crate) api_key: String,
}

impl Account {
    /// The account in an answer; there has to be one.
    pub(crate) fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let account = Self {
            user: text(&answer["user"]["id"]),
            team: text(&answer["team"]["id"]),
            api_key: text(&answer["team"]["api_key"]),
        };
        assert!(account.api_key.starts_with("outx_"));
        account
    }
}
