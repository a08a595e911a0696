//! More mail than there is room for: a thousand at once, and mails of 30 MiB. The server's memory is looked at from outside; every mail is
//! taken in the end, or its sender hears that it is too large.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::agentotp_cast::wish;
use crate::process::{Home, PATIENCE, ServerProcess};
use crate::relay_journey::set_up;
use crate::sink::Sink;
use crate::talk::Account;

/// What may come on top while mails are read: each lies there as it came, decoded, and as people see it, and all that come at once have
/// 32 MiB of room as they came.
const GROWTH: usize = 192 << 20;

/// Somebody who waits for mail: where it goes to.
async fn waiting(server: &ServerProcess, sink: &Sink) -> String {
    let (caller, email) = (server.caller(), "ada@example.com");
    caller.start(email).await.unwrap();
    let code = sink.code(email, &[]).await;
    let owner = Account::of(&caller.check(email, &code).await.unwrap()).api_key;
    let call = async |line: &str, key: &str, body: Value| {
        let answer = caller.call(line, key, "", &body).await.unwrap();
        assert!(answer.status < 300, "{line}: {}", answer.text());
        answer.json()
    };
    let agent = call("POST /v1/agents", &owner, json!({ "name": "Shopper" })).await;
    let mut wish = wish();
    wish["ttl"] = 3600.into();
    let asked = call("POST /v1/otp/request", agent["api_key"].as_str().unwrap(), wish).await;
    call(&format!("POST /v1/otp/{}/approve", asked["id"].as_str().unwrap()), &owner, json!({})).await;
    call("POST /v1/inbound", &owner, json!({})).await["address"].as_str().unwrap().to_owned()
}

/// A server that takes mail in, and where.
async fn house(name: &str, sink: &Sink) -> (Home, ServerProcess, SocketAddr) {
    let mut home = Home::earnest(name, sink.port).await;
    set_up(&mut home);
    // Free a moment ago, and below those that the system gives to connections out.
    let first = 10_000 + std::process::id() % 5_000;
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = (first..first + 5_000).map(|port| u16::try_from(port).unwrap()).find(free).unwrap();
    home.set("capture.inbound.listen", format!("127.0.0.1:{port}"));
    home.set("capture.inbound.domain", "in.doorcode.example");
    home.set("capture.inbound.per_network", 5_000);
    // Nobody: these mails are not signed.
    home.set("capture.dns", "127.0.0.1:9");
    let server = home.serve().await;
    (home, server, ([127, 0, 0, 1], port).into())
}

/// The most memory that a process ever had, in bytes.
fn peak(server: &ServerProcess) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

fn mail(to: &str, bytes: usize) -> Vec<u8> {
    let date = mail_parser::DateTime::from_timestamp(seconds_now()).to_rfc822();
    let head = format!(
        "From: Acme <no-reply@acme.com>\r\nTo: <{to}>\r\nSubject: Your code\r\nDate: {date}\r\nMessage-ID: <{bytes}@acme.com>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nYour code is 482913.\r\n"
    );
    let mut mail = head.into_bytes();
    while mail.len() < bytes {
        mail.extend_from_slice(
            b"Lorem ipsum dolor sit amet, consectetur adipisici elit, sed eiusmod tempor incidunt.\r\n",
        );
    }
    mail
}

fn seconds_now() -> i64 {
    doorcode::clock::Clock::real(None, None).now().millis() / 1000
}

/// Sends a mail; gives the last reply, nothing where the connection ended before one.
async fn send(at: SocketAddr, to: &str, mail: &[u8]) -> String {
    let talk = async {
        let (read, mut write) = TcpStream::connect(at).await?.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut last = lines.next_line().await?.unwrap_or_default();
        for line in [
            "HELO forwarder.example".to_owned(),
            "MAIL FROM:<>".to_owned(),
            format!("RCPT TO:<{to}>"),
            "DATA".to_owned(),
        ] {
            if !last.starts_with('2') {
                return Ok(last);
            }
            write.write_all(format!("{line}\r\n").as_bytes()).await?;
            last = lines.next_line().await?.unwrap_or_default();
        }
        if !last.starts_with("354") {
            return Ok(last);
        }
        let sending = async {
            drop(write.write_all(mail).await);
            drop(write.write_all(b".\r\n").await);
        };
        // Whoever refuses says so before all of it was sent.
        let hearing = async { lines.next_line().await };
        let ((), last) = tokio::join!(sending, hearing);
        last.map(Option::unwrap_or_default)
    };
    timeout(PATIENCE, talk).await.expect("a reply, or the end").unwrap_or_else(|_: std::io::Error| String::new())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mails_at_once_take_bounded_memory_and_each_is_taken() {
    let sink = Sink::open();
    let (_home, server, at) = house("flood", &sink).await;
    let to = waiting(&server, &sink).await;
    assert!(send(at, &to, &mail(&to, 1_000_000)).await.starts_with("250"));
    let before = peak(&server);
    let mails = [mail(&to, 1_000_000), mail(&to, 2_000)].map(Arc::new);
    let mut sends = JoinSet::new();
    for number in 0..1000 {
        let (to, mail) = (to.clone(), Arc::clone(&mails[usize::from(number % 5 > 0)]));
        sends.spawn(async move {
            // As a mail server does, which keeps what is not taken and comes again.
            let mut tries = 0_u64;
            loop {
                tries += 1;
                match send(at, &to, &mail).await.get(..1) {
                    Some("2") => return tries,
                    Some("4") | None => tokio::time::sleep(Duration::from_millis(50 * tries.min(20))).await,
                    Some(_) => panic!("refused for good"),
                }
            }
        });
    }
    let tries: Vec<u64> = timeout(4 * PATIENCE, sends.join_all()).await.expect("each is taken");
    let grown = peak(&server).saturating_sub(before);
    println!("{} MiB on top of {}, {} tries", grown >> 20, before >> 20, tries.iter().sum::<u64>());
    assert!(grown < GROWTH, "{} MiB", grown >> 20);
    server.caller().is_served().await;
    assert!(!server.stop().await.log.contains("panicked"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_of_30_mebibytes_are_refused_before_they_are_there() {
    let sink = Sink::open();
    let (_home, server, at) = house("huge", &sink).await;
    let to = waiting(&server, &sink).await;
    assert!(send(at, &to, &mail(&to, 1_000_000)).await.starts_with("250"));
    let before = peak(&server);
    let huge = Arc::new(mail(&to, 30 << 20));
    let mut sends = JoinSet::new();
    for _ in 0..12 {
        let (huge, to) = (Arc::clone(&huge), to.clone());
        sends.spawn(async move { send(at, &to, &huge).await });
    }
    // Some do not hear it: their connection is closed while they send.
    for reply in sends.join_all().await {
        assert!(reply.is_empty() || reply.starts_with("552") || reply.starts_with('4'), "{reply}");
    }
    let grown = peak(&server).saturating_sub(before);
    assert!(grown < 64 << 20, "{} MiB", grown >> 20);
    assert!(send(at, &to, &mail(&to, 2_000)).await.starts_with("250"), "and the next is taken");
    server.stop().await;
}
