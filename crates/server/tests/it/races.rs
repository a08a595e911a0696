//! Right and wrong answers at the same moment, over real sockets and from two addresses of this machine
//! (docs/threat-model.md): one statement consumes, and a budget can't be outrun.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use doorcode::app::App;
use doorcode::clock::Clock;
use doorcode::entropy::Entropy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Barrier, oneshot};
use tokio::task::JoinSet;

use crate::app::{DECOY, Folder, SEND, START, VERIFY, error, not, settings};

const ADA: &str = "ada@example.com";
const ONE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const TWO: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const THREE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// A house that serves on a port of its own.
struct Served {
    app: Arc<App>,
    at: SocketAddr,
    stop: oneshot::Sender<()>,
    done: tokio::task::JoinHandle<doorcode_core::Result<()>>,
    folder: Arc<Folder>,
}

impl Served {
    async fn start() -> Self {
        let folder = Folder::new();
        let config = settings(&folder, &[]);
        // A clock that stands still: the seconds of a repeat do not run out under a slow machine.
        let (app, waiting) = App::open(config, Some(Clock::manual(START)), Entropy::seeded(1)).await.unwrap();
        let listener = TcpListener::bind((ONE, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = doorcode::serve::run(Arc::clone(&app), waiting, listener, async move { drop(stopped.await) });
        Self { app, at, stop, done: tokio::spawn(serving), folder }
    }

    async fn connect(&self, from: Ipv4Addr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        socket.connect(self.at).await.unwrap()
    }

    async fn post(&self, from: Ipv4Addr, path: &str, body: &str) -> Reply {
        exchange(self.connect(from).await, path, body).await
    }

    /// Asks for a code and waits until the worker has put a message more into the inbox than there were.
    async fn code(&self, from: Ipv4Addr) -> String {
        let inbox = self.app.inbox.as_ref().unwrap();
        let before = inbox.list(Some(ADA)).len();
        assert_eq!(self.post(from, SEND, &format!(r#"{{"email":"{ADA}"}}"#)).await.status, 200);
        loop {
            let entries = inbox.list(Some(ADA));
            if entries.len() > before {
                return entries[0].message().code.as_ref().unwrap().expose().clone();
            }
            tokio::task::yield_now().await;
        }
    }

    async fn verify(&self, from: Ipv4Addr, otp: &str) -> Reply {
        self.post(from, VERIFY, &answer(otp)).await
    }

    /// The same entry, from each address as often as it says, all connected first and let go together.
    async fn verify_at_once(&self, entry: &str, from: &[(Ipv4Addr, usize)]) -> Vec<(Ipv4Addr, Reply)> {
        let all = from.iter().map(|(_, count)| count).sum();
        let gate = Arc::new(Barrier::new(all));
        let mut asking = JoinSet::new();
        for (from, count) in from {
            for _ in 0..*count {
                let (stream, gate, body, from) = (self.connect(*from).await, Arc::clone(&gate), answer(entry), *from);
                asking.spawn(async move {
                    gate.wait().await;
                    (from, exchange(stream, VERIFY, &body).await)
                });
            }
        }
        asking.join_all().await
    }

    fn number(&self, sql: &str) -> i64 {
        self.folder.number(sql)
    }

    fn checks(&self, outcome: &str) -> u64 {
        let line = format!("doorcode_checks_total{{outcome=\"{outcome}\"}} ");
        let text = self.app.metrics.text();
        text.lines().find_map(|text| text.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.done.await.unwrap().unwrap();
    }
}

fn answer(otp: &str) -> String {
    format!(r#"{{"email":"{ADA}","otp":"{otp}"}}"#)
}

/// Everything of an answer that a client sees, but what names the request and the moment.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Debug)]
struct Reply {
    status: u16,
    head: BTreeSet<String>,
    body: String,
}

async fn exchange(mut stream: TcpStream, path: &str, body: &str) -> Reply {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let (first, lines) = head.split_once("\r\n").unwrap();
    let names_it = |line: &str| line.starts_with("x-request-id:") || line.starts_with("date:");
    Reply {
        status: first.split(' ').nth(1).unwrap().parse().unwrap(),
        head: lines.split("\r\n").filter(|line| !names_it(line)).map(str::to_owned).collect(),
        body: body.to_owned(),
    }
}

fn wrong(reply: &Reply) -> bool {
    (reply.status, reply.body.as_str()) == (401, &error("Invalid or expired OTP"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_right_answers_one_client_has_the_success_and_its_repeats() {
    let house = Served::start().await;
    let code = house.code(ONE).await;
    let replies = house.verify_at_once(&code, &[(ONE, 32), (TWO, 32)]).await;
    assert_eq!(replies.len(), 64);
    let won: Vec<_> = replies.iter().filter(|(_, reply)| reply.status == 200).collect();
    assert!((1..=9).contains(&won.len()), "one success and at most eight repeats, not {}", won.len());
    assert_eq!(won.iter().map(|(from, _)| from).collect::<BTreeSet<_>>().len(), 1, "one client only");
    assert_eq!(won.iter().map(|(_, reply)| reply).collect::<BTreeSet<_>>().len(), 1, "all the same");
    assert!(replies.iter().all(|(_, reply)| reply.status == 200 || wrong(reply)));
    for (what, count) in [
        ("events WHERE kind = 'user.signed_in'", 1),
        ("users", 1),
        ("orgs", 1),
        ("identities", 1),
        ("credentials", 1),
        ("challenges WHERE state = 1", 1),
    ] {
        assert_eq!(house.number(&format!("SELECT count(*) FROM {what}")), count, "{what}");
    }
    assert_eq!(house.number("SELECT sum(repeats) FROM challenges"), i64::try_from(won.len()).unwrap() - 1);
    // Late ones are as wrong as early ones.
    assert!(wrong(&house.verify(THREE, &code).await));
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_1000_wrong_answers_no_more_are_compared_than_the_budget_says() {
    let house = Served::start().await;
    let code = house.code(THREE).await;
    let replies = house.verify_at_once(&not(&code), &[(ONE, 500), (TWO, 500)]).await;
    assert_eq!(replies.len(), 1000);
    assert!(replies.iter().all(|(_, reply)| wrong(reply)));
    let kinds: BTreeSet<_> = replies.iter().map(|(_, reply)| reply).collect();
    assert_eq!(kinds.len(), 1, "compared or not, nobody can tell: {kinds:?}");
    // Five a network and code, ten strangers a day: two networks reach both.
    assert_eq!((house.checks("wrong"), house.checks("refused")), (10, 990));
    assert_eq!(house.number("SELECT max(length(misses)) / 13 FROM targets"), 10);
    assert_eq!(house.number("SELECT max(streak) FROM targets"), 10);
    // With the strangers' pool empty the right answer is not even looked at, not from a network that never guessed.
    assert!(wrong(&house.verify(THREE, &code).await));
    assert_eq!((house.checks("wrong"), house.checks("refused")), (10, 991));
    // And nobody is locked out: the next message carries a code that needs no budget.
    let long = house.code(THREE).await;
    assert_eq!(long.len(), 13);
    assert_eq!(house.verify(THREE, &long).await.status, 200);
    assert_eq!(house.number("SELECT count(*) FROM events WHERE kind = 'user.signed_in'"), 1);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wrong_answers_from_one_address_stop_at_five_and_harm_nobody_else() {
    let house = Served::start().await;
    let code = house.code(TWO).await;
    let replies = house.verify_at_once(&not(&code), &[(ONE, 200)]).await;
    assert!(replies.iter().all(|(_, reply)| wrong(reply)));
    assert_eq!((house.checks("wrong"), house.checks("refused")), (5, 195));
    assert!(wrong(&house.verify(ONE, &code).await), "its tries on this code are used up");
    assert_eq!(house.verify(TWO, &code).await.status, 200, "another client's are not");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn starts_at_once_share_one_code_and_stop_at_the_limit() {
    let house = Served::start().await;
    let body = format!(r#"{{"email":"{ADA}"}}"#);
    let mut asking = JoinSet::new();
    for n in 0..40 {
        let stream = house.connect(if n % 2 == 0 { ONE } else { TWO }).await;
        let body = body.clone();
        asking.spawn(async move { exchange(stream, SEND, &body).await.status });
    }
    let statuses = asking.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 6, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 34, "{statuses:?}");
    assert_eq!(house.number("SELECT count(*) FROM challenges"), 1 + DECOY);
    assert_eq!(house.number("SELECT max(sends) FROM challenges"), 6);
    assert_eq!(house.number("SELECT count(*) FROM deliveries"), 6);
    house.end().await;
}
