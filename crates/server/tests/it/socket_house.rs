//! A house that really listens, with a clock that the test turns, people and agents in it, and a WebSocket client that may break
//! every rule: frames are written and read by hand.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use doorcode::app::App;
use doorcode::clock::Clock;
use doorcode::config::Config;
use doorcode::ops::agents::{self, NewAgent};
use doorcode::ops::audit::Whose;
use doorcode::ops::devices;
use doorcode::ops::relays::{self, Approver, Ask, Asking, By, Handed, Word, Yes};
use doorcode::store::relays::Relay;
use doorcode::{serve, store};
use doorcode_core::relay::Named as _;
use doorcode_core::seal::{Context, PrivateKey};
use doorcode_core::{RelayId, Secret};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::app::{Folder, START, fresh_entropy, settings};
pub(crate) use crate::process::PATIENCE;
use crate::talk::{Answer, Caller, read_answer};

/// The key of the standard's example.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A house that listens.
pub(crate) struct House {
    pub(crate) app: Arc<App>,
    pub(crate) at: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
    _folder: Arc<Folder>,
}

/// Somebody whose codes are asked for.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) whose: Whose,
    /// The access token of a session.
    pub(crate) token: String,
    /// The cookie of the same.
    pub(crate) cookie: String,
}

/// An agent with its key.
pub(crate) struct Agent {
    pub(crate) made: NewAgent,
    pub(crate) key: String,
}

impl House {
    pub(crate) async fn open() -> Self {
        let folder = Folder::new();
        let config = settings(&folder, &[]);
        Self::of(folder, config).await
    }

    pub(crate) async fn of(folder: Arc<Folder>, config: Config) -> Self {
        let (app, waiting) = App::open(config, Some(Clock::manual(START)), fresh_entropy()).await.unwrap();
        // The system keeps little for whoever does not read, so that a test sees what the house does then.
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(8192).unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(1024).unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = serve::run(Arc::clone(&app), waiting, listener, async { drop(stopped.await) });
        let running = tokio::spawn(async { running.await.unwrap() });
        Self { app, at, stop: Some(stop), running, _folder: folder }
    }

    /// Stops it, and waits until it is gone.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        timeout(PATIENCE, self.running).await.unwrap().unwrap();
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.app.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller { from: Ipv4Addr::LOCALHOST, to: self.at }
    }

    /// Asks the door something, with a key.
    pub(crate) async fn ask(&self, line: &str, key: &str, more: &str) -> Answer {
        let head = format!("{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}", self.at);
        let key = if key.is_empty() { String::new() } else { format!("Authorization: Bearer {key}\r\n") };
        self.caller().send(format!("{head}{key}Content-Length: 0\r\n\r\n").as_bytes()).await.unwrap()
    }

    /// A person in a team of their own, signed in just now.
    pub(crate) async fn person(&self) -> Person {
        let app = Arc::clone(&self.app);
        let now = app.clock.now();
        let whose = Whose { org: app.entropy.id(now).unwrap(), owner: app.entropy.id(now).unwrap() };
        let made = (app.entropy.id(now).unwrap(), app.entropy.bytes().unwrap());
        let owner = (whose.org, whose.owner);
        let session = doorcode::ops::sessions::begin(&app, made, owner, None, String::new(), now);
        let token = doorcode::ops::sessions::access(&app, &session, now).unwrap().expose().clone();
        let cookie = doorcode::ops::sessions::cookie(&app, &session).unwrap().expose().clone();
        let unit = self.app.db.write(move |tx| {
            let session = session.clone();
            Box::pin(async move {
                store::orgs::insert(tx, &whose.org, None, "Somebody's Team").await?;
                store::users::insert(tx, &whose.org, &whose.owner, "Somebody", Some("ada@example.com")).await?;
                store::sessions::insert(tx, &session).await
            })
        });
        unit.await.unwrap();
        Person { whose, token, cookie }
    }

    pub(crate) async fn agent(&self, person: &Person, test: bool) -> Agent {
        let wanted = agents::Wanted { name: "agent".to_owned(), description: None, test, identity: None };
        let made = agents::create(&self.app, person.whose, wanted, None).await.unwrap();
        let key = made.key.expose().clone();
        Agent { made, key }
    }

    /// A request of the agent's, asked just now.
    pub(crate) async fn request(&self, agent: &Agent) -> RelayId {
        let private = PrivateKey::from_seed(Secret::new([7; 32]));
        let ask = Ask {
            reason: "sign in".to_owned(),
            public_key: private.public().unwrap().encode().unwrap(),
            identity: None,
            sources: 0,
            sender: Some("Acme".to_owned()),
            sender_pattern: None,
            content_pattern: None,
            received_after: None,
            life: Duration::from_secs(300),
            origin: String::new(),
        };
        relays::request(&self.app, &asking(agent), ask).await.unwrap().id
    }

    pub(crate) async fn decide(&self, person: &Person, id: RelayId, denial: Option<&str>) {
        let word = denial.map_or(Word::Yes(Yes::Plain), |denial| Word::No(Some(denial.to_owned())));
        let approver = Approver { whose: person.whose, by: By::Session };
        relays::decide(&self.app, approver, id, word).await.unwrap();
    }

    /// A device hands the code in.
    pub(crate) async fn receive(&self, person: &Person, id: RelayId) {
        let device = devices::create(&self.app, person.whose, "collector", "c").await.unwrap().device;
        let public = PrivateKey::from_seed(Secret::new([7; 32])).public().unwrap();
        let expires_at = self.app.clock.now();
        let context = Context { request: &id.shown(), agent: "", sender: "", expires_at };
        let sealed = public.seal(&Secret::new("123456".to_owned()), &context, Secret::new([3; 32])).unwrap();
        let verified = Some("example.com".to_owned());
        let handed = Handed {
            payload: sealed.into_string(),
            source: "email",
            messages: Vec::new(),
            verified,
            forwarder: None,
            about: None,
        };
        relays::receive(&self.app, &device, id, handed).await.unwrap();
    }

    pub(crate) async fn consume(&self, agent: &Agent, id: RelayId) {
        let read = relays::consume(&self.app, &asking(agent), id, None).await.unwrap();
        assert!(matches!(read, relays::Consumed::Read(..)));
    }

    pub(crate) async fn cancel(&self, agent: &Agent, id: RelayId) -> Relay {
        relays::cancel(&self.app, &asking(agent), id).await.unwrap()
    }

    /// A socket with a key in its head.
    pub(crate) async fn watch(&self, path: &str, key: &str) -> Ws {
        Ws::open(self.at, path, &format!("Authorization: Bearer {key}\r\n")).await.unwrap()
    }
}

fn asking(agent: &Agent) -> Asking {
    Asking { agent: agent.made.agent.clone(), test: false }
}

/// `/ws/otp_…`.
pub(crate) fn path(id: RelayId) -> String {
    format!("/ws/{}", id.shown())
}

/// A WebSocket.
pub(crate) struct Ws {
    pub(crate) stream: TcpStream,
}

/// Why a socket ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With a code and a reason.
    Close(u16, String),
    /// Without.
    Gone,
}

impl Ws {
    /// Opens one, or gives the answer that is none.
    pub(crate) async fn open(at: SocketAddr, path: &str, headers: &str) -> Result<Self, Answer> {
        Self::over(TcpStream::connect(at).await.unwrap(), path, headers).await
    }

    /// The same, over a connection.
    pub(crate) async fn over(mut stream: TcpStream, path: &str, headers: &str) -> Result<Self, Answer> {
        let at = stream.peer_addr().unwrap();
        stream.set_nodelay(true).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = timeout(PATIENCE, read_answer(&mut stream)).await.unwrap().unwrap();
        if answer.status != 101 {
            return Err(answer);
        }
        assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        Ok(Self { stream })
    }

    /// A frame, masked as a client's must be.
    pub(crate) async fn frame(&mut self, opcode: u8, fin: bool, payload: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(&frame(opcode, fin, true, payload)).await
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.frame(TEXT, true, message.to_string().as_bytes()).await.unwrap();
    }

    /// The next frame: opcode and payload.
    pub(crate) async fn hear(&mut self) -> Option<(u8, Vec<u8>)> {
        let read = async {
            let first = self.stream.read_u8().await.ok()?;
            let length = match self.stream.read_u8().await.ok()? {
                126 => usize::from(self.stream.read_u16().await.ok()?),
                short @ ..126 => usize::from(short),
                _ => panic!("masked, or longer than anything that is said"),
            };
            assert_eq!(first & 0xf0, 0x80, "whole, and no extension");
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).await.ok()?;
            Some((first & 0x0f, payload))
        };
        timeout(PATIENCE, read).await.expect("a frame, or the end")
    }

    /// The next message; pings are answered.
    pub(crate) async fn next(&mut self) -> Result<Value, End> {
        loop {
            match self.hear().await {
                Some((TEXT, payload)) => return Ok(serde_json::from_slice(&payload).unwrap()),
                Some((CLOSE, payload)) => {
                    let code = u16::from_be_bytes(payload[..2].try_into().unwrap());
                    return Err(End::Close(code, String::from_utf8(payload[2..].to_vec()).unwrap()));
                }
                // Who answers none is taken for gone after a minute, which a test may take where much else is done.
                Some((PING, payload)) => drop(self.frame(PONG, true, &payload).await),
                Some((PONG, _)) => {}
                Some((other, _)) => panic!("a frame of {other}"),
                None => return Err(End::Gone),
            }
        }
    }

    /// The messages up to the end, as `type status`, and the end.
    pub(crate) async fn rest(&mut self) -> (Vec<String>, End) {
        let mut heard = Vec::new();
        loop {
            match self.next().await {
                Ok(message) => heard.push(brief(&message)),
                Err(end) => return (heard, end),
            }
        }
    }

    /// The next `count` messages.
    pub(crate) async fn some(&mut self, count: usize) -> Vec<Value> {
        let mut heard = Vec::new();
        for _ in 0..count {
            heard.push(self.next().await.unwrap());
        }
        heard
    }

    /// Whether it is there and answers.
    pub(crate) async fn answers(&mut self) {
        self.say(json!({ "type": "ping" })).await;
        assert_eq!(self.next().await, Ok(json!({ "type": "pong" })));
    }
}

/// `type status`.
pub(crate) fn brief(message: &Value) -> String {
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    format!("{} {}", text("type"), text("status")).trim().to_owned()
}

/// The bytes of a frame.
pub(crate) fn frame(opcode: u8, fin: bool, masked: bool, payload: &[u8]) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut bytes = vec![u8::from(fin) << 7 | opcode];
    match payload.len() {
        short @ 0..126 => bytes.push(mask | short as u8),
        middle @ 126..65536 => {
            bytes.push(mask | 126);
            bytes.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            bytes.push(mask | 127);
            bytes.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    let key = [0x12, 0x34, 0x56, 0x78];
    if masked {
        bytes.extend_from_slice(&key);
    }
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| if masked { byte ^ key } else { *byte }));
    bytes
}
