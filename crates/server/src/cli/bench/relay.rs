//! How long a code takes from a mail server to an agent: real mail by the system's Postfix and Dovecot, watched by `doorcode collect`, the
//! agent listening at a WebSocket. Two times of each message end with the event at that socket: one begins with the mail server's push, read
//! off the wire, the other with Postfix's word that it has the mail. Refuses to praise a way on which another code arrives.

use std::process::Stdio;
use std::time::{Duration, Instant};

use doorcode_core::seal::{Context, PrivateKey};
use doorcode_core::{Secret, Timestamp};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use lettre::Address;
use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::child::Workspace;
use super::client::{Connection, within};
use super::failure::{Failure, Outcome};
use super::post::{DOMAIN, Dovecot, Extra, Postfix, Sender, USER, Wire};
use super::rig::{self, Rig, Seeded};
use super::sockets::{read_until, watch};
use super::stats::Histogram;
use super::stopwatch::now;
use crate::cli::err as note;

/// The most that the medians may be, in milliseconds: from the push, and from the mail server's word.
const GOALS: (f64, f64) = (50.0, 1000.0);
/// Between a person's yes and the mail: whoever watches has heard of it by then.
const SETTLE: Duration = Duration::from_millis(200);
/// How long the servers may take to start, and one message on its way.
const STARTING: Duration = Duration::from_secs(30);
const ARRIVING: Duration = Duration::from_secs(30);
/// Who sends.
const FROM: &str = "no-reply@sender.example";
const PATTERN: &str = "*@sender.example";
const FROM_DOMAIN: &str = "sender.example";
const PASSWORD: &str = "bench";
/// What the socket says when the code is there.
const RECEIVED: &[u8] = b"otp_received";
const APPROVED: &[u8] = b"\"approved\"";

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    messages: u64,
    push_to_event: Times,
    accepted_to_event: Times,
    accepted_to_push: Times,
    goal_push_to_event_ms: f64,
    goal_accepted_to_event_ms: f64,
    pass: bool,
}

/// Times of all messages, in milliseconds.
#[derive(Debug, Serialize)]
struct Times {
    median_ms: f64,
    p90_ms: f64,
}

/// The mail servers, a sender, and the collector beside them. All end when this is dropped.
struct House {
    _dovecot: Dovecot,
    postfix: Postfix,
    sender: Sender,
    wire: Wire,
    _collector: Child,
}

/// What an agent and its owner say to the server.
struct Cast<'a> {
    rig: &'a Rig,
    seeded: &'a Seeded,
    connection: Connection,
    agent: String,
    key: PrivateKey,
}

/// When a message was accepted, was pushed, and had reached its agent.
type Moments = (Instant, Instant, Instant);

/// Refuses a machine where the mail servers are not installed or can't be started, before anything else is.
pub(super) fn find() -> Outcome<(Dovecot, Postfix)> {
    let usage = |error: std::io::Error| Failure::usage(error.to_string());
    let dovecot = Dovecot::start(PASSWORD, &Extra::default()).map_err(usage)?;
    let postfix = Postfix::start(&dovecot).map_err(usage)?;
    Ok((dovecot, postfix))
}

/// Sends `count` mails, one after the other, to the server behind `rig`.
pub(super) async fn run(
    rig: &Rig,
    workspace: &Workspace,
    servers: (Dovecot, Postfix),
    seeded: &Seeded,
    count: u32,
) -> Outcome<Found> {
    let mut cast = Cast::new(rig, seeded).await?;
    note("starting a collector");
    let mut house = within("starting a collector", STARTING, House::new(rig, workspace, servers, &cast)).await?;
    let hello = ClientId::Domain("sender.example".to_owned());
    let smtp = AsyncSmtpConnection::connect_tokio1(("127.0.0.1", house.postfix.port), None, &hello, None, None);
    let mut smtp = smtp.await.map_err(Failure::during("speaking to Postfix"))?;
    let (mut from_push, mut from_word, mut to_push) =
        (Histogram::default(), Histogram::default(), Histogram::default());
    note(&format!("sending {count} mails"));
    for number in 0..count {
        let moments = within("a mail on its way", ARRIVING, send(&mut cast, &mut house, &mut smtp, number)).await?;
        let (accepted, pushed, heard) = moments;
        from_push.record(heard.saturating_duration_since(pushed));
        from_word.record(heard.saturating_duration_since(accepted));
        to_push.record(pushed.saturating_duration_since(accepted));
    }
    // It may have hung up: all that it had to take it has taken.
    let _ = smtp.quit().await;
    Ok(Found::of(&from_push, &from_word, &to_push))
}

impl Found {
    fn of(from_push: &Histogram, from_word: &Histogram, to_push: &Histogram) -> Self {
        let times = |of: &Histogram| Times { median_ms: millis(of.quantile(0.5)), p90_ms: millis(of.quantile(0.9)) };
        let (push_to_event, accepted_to_event) = (times(from_push), times(from_word));
        let pass = push_to_event.median_ms <= GOALS.0 && accepted_to_event.median_ms <= GOALS.1;
        Self {
            messages: from_push.total(),
            push_to_event,
            accepted_to_event,
            accepted_to_push: times(to_push),
            goal_push_to_event_ms: GOALS.0,
            goal_accepted_to_event_ms: GOALS.1,
            pass,
        }
    }

    /// Whether the goals are reached.
    pub(super) fn passes(&self) -> bool {
        self.pass
    }

    /// What was found, for people.
    pub(super) fn table(&self) -> String {
        let row = |name: &str, times: &Times, goal: &str| {
            format!("{name:<44} {:>10.1} {:>10.1} {goal:>10}", times.median_ms, times.p90_ms)
        };
        let word = if self.pass { "PASS" } else { "FAIL" };
        [
            format!(
                "{:<44} {:>10} {:>10} {:>10}",
                format!("{} mails", self.messages),
                "median ms",
                "p90 ms",
                "goal ms"
            ),
            row("from the mail server's push to the event", &self.push_to_event, &format!("{:.0}", GOALS.0)),
            row("from Postfix's word to the event", &self.accepted_to_event, &format!("{:.0}", GOALS.1)),
            row("of that, until the mail server pushes", &self.accepted_to_push, ""),
            format!("{word}: the goals are medians of at most {:.0} and {:.0} ms", GOALS.0, GOALS.1),
        ]
        .join("\n")
    }
}

impl House {
    async fn new(
        rig: &Rig,
        workspace: &Workspace,
        (dovecot, postfix): (Dovecot, Postfix),
        cast: &Cast<'_>,
    ) -> Outcome<Self> {
        let sender = Sender::new().map_err(Failure::during("making a sender"))?;
        let wire = Wire::before(dovecot.port).await.map_err(Failure::during("listening to the wire"))?;
        let collector = collect(rig, workspace, cast, &sender, wire.port).await?;
        Ok(Self { _dovecot: dovecot, postfix, sender, wire, _collector: collector })
    }
}

/// `doorcode collect`, once it watches.
async fn collect(rig: &Rig, workspace: &Workspace, cast: &Cast<'_>, sender: &Sender, imap: u16) -> Outcome<Child> {
    let print = cast.key.public().and_then(|key| key.fingerprint()).map_err(Failure::during("making a key"))?;
    let (agent, words) = (&cast.agent, |error| Failure::during("writing the collector's files")(error));
    let list = format!("[[agent]]\nname = \"Bench\"\nid = \"{agent}\"\nsenders = [\"{PATTERN}\"]\n");
    for (name, text) in [
        ("agents.toml", list.as_str()),
        ("agents.pins.toml", &format!("[[pin]]\nagent = \"{agent}\"\nkey = \"{print}\"\n")),
        ("dk.txt", &cast.seeded.collector),
        ("imap.txt", PASSWORD),
    ] {
        std::fs::write(workspace.join(name), text).map_err(words)?;
    }
    let program = std::env::current_exe().map_err(Failure::during("finding this program"))?;
    let mut command = Command::new(program);
    command.env_clear().arg("collect").args(["--server", &format!("http://{}", rig.server)]);
    command.args(["--imap-host", "127.0.0.1", "--imap-security", "none", "--imap-port", &imap.to_string()]);
    command.args(["--imap-user", USER, "--address", &recipient(), "--dns", &sender.names.to_string()]);
    command.arg("--key-file").arg(workspace.join("dk.txt")).arg("--password-file").arg(workspace.join("imap.txt"));
    command.arg("--agents").arg(workspace.join("agents.toml"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(Failure::during("starting a collector"))?;
    let Some(said) = child.stderr.take() else { return Err(Failure::new("the collector says nothing")) };
    let mut lines = BufReader::new(said).lines();
    let (mut watches, mut hears, mut last) = (false, false, String::new());
    while !(watches && hears) {
        let line = lines.next_line().await.map_err(Failure::during("listening to the collector"))?;
        let Some(line) = line else { return Err(Failure::new(format!("the collector ended: {last}"))) };
        watches |= line.contains("the mailbox is watched");
        hears |= line.contains("the server answers");
        last = line;
    }
    tokio::spawn(async move { while matches!(lines.next_line().await, Ok(Some(_))) {} });
    Ok(child)
}

/// One request, its owner's yes, one mail, and the code of it.
async fn send(cast: &mut Cast<'_>, house: &mut House, smtp: &mut AsyncSmtpConnection, number: u32) -> Outcome<Moments> {
    let (request, expires_at) = cast.ask().await?;
    let mut socket = watch(cast.rig.server, &request, &cast.seeded.key, 0).await?;
    let token = cast.seeded.token.clone();
    cast.post(&format!("/v1/otp/{request}/approve"), &token, &Value::Null).await?;
    read_until(&mut socket, APPROVED).await?;
    tokio::time::sleep(SETTLE).await;

    // No digit twice in a row, and never the same: what is a code here is not in question.
    let code = format!("{}", 481_516 + u64::from(number) * 7);
    let mail = house.sender.signed(&mail(number, &code), FROM_DOMAIN).map_err(Failure::during("signing a mail"))?;
    let address = |text: &str| text.parse::<Address>().map_err(Failure::during("an address"));
    let envelope = Envelope::new(Some(address(FROM)?), vec![address(&recipient())?]);
    let envelope = envelope.map_err(Failure::during("an envelope"))?;
    house.wire.forget();
    let heard = tokio::spawn(async move { read_until(&mut socket, RECEIVED).await.map(|_| now()) });
    smtp.send(&envelope, mail.as_bytes()).await.map_err(Failure::during("handing a mail to Postfix"))?;
    let accepted = now();
    let pushed = house.wire.pushed().await.ok_or_else(|| Failure::new("the wire is gone"))?;
    let heard = heard.await.map_err(Failure::during("listening for the event"))??;

    let key = cast.seeded.key.clone();
    let answer = cast.post(&format!("/v1/otp/{request}/consume"), &key, &Value::Null).await?;
    let read = cast.open(&request, expires_at, text(&answer, "encryptedPayload")?)?;
    if *read.expose() != code {
        return Err(Failure::new(format!("mail {number} had another code than the agent was given")));
    }
    Ok((accepted, pushed, heard))
}

impl<'a> Cast<'a> {
    async fn new(rig: &'a Rig, seeded: &'a Seeded) -> Outcome<Self> {
        let mut connection = Connection::open(rig.server, None).await?;
        let who = Request::get("/v1/auth/verify").body(Full::new(Bytes::new()));
        let said = ask(&mut connection, rig, &seeded.key, who).await?;
        let agent = text(&said, "id")?.to_owned();
        Ok(Self { rig, seeded, connection, agent, key: PrivateKey::from_seed(Secret::new([7; 32])) })
    }

    async fn post(&mut self, path: &str, key: &str, body: &Value) -> Outcome<Value> {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request = Request::post(path).header(CONTENT_TYPE, "application/json").body(Full::new(body));
        ask(&mut self.connection, self.rig, key, request).await
    }

    /// The agent asks. Gives the request, and when it is over.
    async fn ask(&mut self) -> Outcome<(String, Timestamp)> {
        let key = self.key.public().and_then(|key| key.encode()).map_err(Failure::during("making a key"))?;
        let filter = json!({ "sources": ["email"], "senderPattern": PATTERN });
        let body = json!({ "reason": "Bench", "publicKey": key, "ttl": 300, "filter": filter });
        let agent = self.seeded.key.clone();
        let said = self.post("/v1/otp/request", &agent, &body).await?;
        let over =
            text(&said, "expiresAt")?.parse::<Timestamp>().map_err(|_| Failure::new("the request's end is no time"))?;
        Ok((text(&said, "id")?.to_owned(), over))
    }

    fn open(&self, request: &str, expires_at: Timestamp, sealed: &str) -> Outcome<Secret<String>> {
        let context = Context { request, agent: &self.agent, sender: FROM_DOMAIN, expires_at };
        self.key.open(sealed, &context, Secret::new([9; 32])).map_err(Failure::during("opening the code"))
    }
}

async fn ask(
    connection: &mut Connection,
    rig: &Rig,
    key: &str,
    request: Result<Request<Full<Bytes>>, hyper::http::Error>,
) -> Outcome<Value> {
    let mut request = request.map_err(Failure::during("preparing a request"))?;
    let value = |text: String| text.parse::<HeaderValue>().map_err(Failure::during("preparing a request"));
    request.headers_mut().insert(HOST, value(rig.server.to_string())?);
    request.headers_mut().insert(AUTHORIZATION, value(format!("Bearer {key}"))?);
    let path = request.uri().path().to_owned();
    let answer = connection.ask(request).await?;
    if !(200..300).contains(&answer.status) {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        return Err(Failure::new(format!("{path} was answered {} {body}", answer.status)));
    }
    serde_json::from_slice(&answer.body).map_err(Failure::during("reading an answer"))
}

fn text<'a>(answer: &'a Value, name: &str) -> Outcome<&'a str> {
    answer[name].as_str().ok_or_else(|| Failure::new(format!("an answer has no {name}")))
}

fn recipient() -> String {
    format!("{USER}@{DOMAIN}")
}

fn mail(number: u32, code: &str) -> String {
    let date = crate::clock::Clock::real(None, None).now().millis() / 1000;
    let (date, to) = (mail_parser::DateTime::from_timestamp(date).to_rfc822(), recipient());
    format!(
        "From: Somebody <{FROM}>\r\nTo: Ada <{to}>\r\nSubject: Your code\r\nDate: {date}\r\nMessage-ID: <{number}@{FROM_DOMAIN}>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello number {number}. Your code is {code}.\r\n"
    )
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// A person with an agent and a collector, in the data directory of `workspace`, before the server starts.
pub(super) async fn seed(workspace: &Workspace) -> Outcome<Seeded> {
    rig::seed_relays(workspace, 0).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(millis: u64) -> Histogram {
        let mut times = Histogram::default();
        times.record(Duration::from_millis(millis));
        times
    }

    #[test]
    fn either_goal_can_be_missed() {
        let found = |push, word| Found::of(&times(push), &times(word), &times(word - push));
        assert!(found(49, 980).passes());
        assert!(!found(52, 980).passes() && !found(49, 1020).passes());
        let table = found(52, 980).table();
        assert!(
            table.contains("1 mails") && table.ends_with("FAIL: the goals are medians of at most 50 and 1000 ms"),
            "{table}"
        );
    }
}
