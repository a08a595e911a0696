//! Whatever comes over the socket: endless heads, slow ones, lies about lengths, two requests that look like one. The
//! server refuses or hangs up, soon, in little memory, and goes on answering everybody else.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;
use std::io;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::process::{Home, PATIENCE, ServerProcess};
use crate::talk::{Answer, read_answer};

const SEND: &str = "/linkedin-agent/auth-send-otp";
const TOO_LONG: usize = 64 * 1024 + 1;
const CROWD: usize = 1200;

/// A server that waits a second for a request, no longer.
async fn server(name: &str) -> (Home, ServerProcess) {
    server_with_patience(name, "1s").await
}

async fn server_with_patience(name: &str, patience: &str) -> (Home, ServerProcess) {
    let mut home = Home::dev(name);
    home.set("server.read_timeout", patience);
    for limit in ["send.network_hour", "send.wide_hour"] {
        home.set(&format!("limits.{limit}"), 1_000_000);
    }
    let server = home.serve().await;
    (home, server)
}

/// Sends bytes as they are, reads to the end of the connection, and gives every answer on the way. The connection has
/// to end by itself, since the server hangs up.
async fn poke(server: &ServerProcess, bytes: &[u8]) -> Vec<Answer> {
    let stream = server.caller().connect().await.unwrap();
    let (mut read, mut write) = stream.into_split();
    // The server may hang up in the middle of it.
    let writing = async { drop(write.write_all(bytes).await) };
    let mut heard = Vec::new();
    let reading = async {
        let mut piece = [0; 4096];
        // A reset is an end as well; what came before it counts.
        while let Ok(count @ 1..) = read.read(&mut piece).await {
            heard.extend_from_slice(&piece[..count]);
        }
    };
    let exchange = async { tokio::join!(writing, reading) };
    timeout(PATIENCE, exchange).await.expect("a connection that ends");
    answers(&heard)
}

/// Cuts what was heard into answers.
fn answers(heard: &[u8]) -> Vec<Answer> {
    let mut rest = String::from_utf8(heard.to_vec()).unwrap();
    let mut answers = Vec::new();
    while let Some((head, after)) = rest.split_once("\r\n\r\n") {
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head: head.to_owned(), body: Vec::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        answer.body = after.as_bytes()[..length].to_vec();
        rest = after[length..].to_owned();
        answers.push(answer);
    }
    assert_eq!(rest, "", "whole answers and nothing else");
    answers
}

/// What a normal client gets after all that.
async fn still_serves(server: &ServerProcess) {
    server.caller().is_served().await;
    let random = getrandom::u32().unwrap();
    let email = format!("normal{random}@example.com");
    assert_eq!(server.caller().start(&email).await.unwrap().status, 200);
}

/// The most memory that the process ever had, in KiB.
fn peak(server: &ServerProcess) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_headers_is_cut_off_in_little_memory() {
    let (_home, server) = server("flood").await;
    still_serves(&server).await;
    let before = peak(&server);
    let many: String = (0..1000).map(|n| format!("X-Header-{n}: {n}\r\n")).collect();
    let wide = format!("X-Wide: {}\r\n", "a".repeat(1024 * 1024));
    let deep = format!("Cookie: {}\r\n", "a=b; ".repeat(200_000));
    let endless = "X-Endless: and on and on\r\n".repeat(40_000);
    for head in [many, wide, deep, endless] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{head}\r\n");
        let floods = (0..32).map(|_| poke(&server, request.as_bytes()));
        for answers in join_all(floods).await {
            assert!(answers.iter().all(|answer| answer.status == 431), "431, or the end: {answers:?}");
        }
        still_serves(&server).await;
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(1024 * 1024));
    let answers = poke(&server, long.as_bytes()).await;
    assert!(answers.iter().all(|answer| [414, 431].contains(&answer.status)), "{answers:?}");
    still_serves(&server).await;
    let grown = peak(&server) - before;
    assert!(grown < 48 * 1024, "{grown} KiB more for 128 floods of a megabyte");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_left() {
    let (_home, server) = server("slow").await;
    // A head that never ends, also one that comes by the byte.
    for drip in ["", "X-Slow: and slow\r\n"] {
        let mut stream = server.caller().connect().await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n").await.unwrap();
        let heard = heard_while_dripping(&mut stream, drip.as_bytes()).await;
        assert!(heard.iter().all(|answer| answer.status == 408), "closed, or told so: {heard:?}");
        still_serves(&server).await;
    }
    // The same for nothing at all.
    let mut silent = server.caller().connect().await.unwrap();
    assert!(heard_while_dripping(&mut silent, b"").await.is_empty());
    // A body that never ends is answered in the door's form.
    for (length, drip) in [("Content-Length: 1000", ""), ("Content-Length: 1000", " "), (CHUNKED, "1\r\n \r\n")] {
        for path in [SEND, "/linkedin-agent/auth-verify-otp"] {
            let mut stream = server.caller().connect().await.unwrap();
            let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let heard = heard_while_dripping(&mut stream, drip.as_bytes()).await;
            let [answer] = heard.as_slice() else { panic!("{heard:?}") };
            assert_eq!((answer.status, answer.error().as_str()), (408, "Request timed out"), "{length} {drip:?}");
        }
        still_serves(&server).await;
    }
}

const CHUNKED: &str = "Transfer-Encoding: chunked";

/// Sends a piece again and again, slowly, until the server hangs up.
async fn heard_while_dripping(stream: &mut TcpStream, piece: &[u8]) -> Vec<Answer> {
    let (mut read, mut write) = stream.split();
    let mut heard = Vec::new();
    let drip = async {
        // Slow is what this client is.
        while write.write_all(piece).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        std::future::pending::<()>().await;
    };
    let listen = async { drop(read.read_to_end(&mut heard).await) };
    let both = async {
        tokio::select! {
            () = listen => {}
            () = drip => {}
        }
    };
    timeout(PATIENCE, both).await.expect("a server that hangs up");
    answers(&heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused() {
    let (_home, server) = server("nonsense").await;
    let hello = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
    let requests: [&[u8]; 14] = [
        b"\r\n\r\n\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1 extra\r\nHost: localhost\r\n\r\n",
        b"GET  /healthz  HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"G\0T /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /a\0b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: local\0host\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nNo colon\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &hello,
    ];
    for request in requests {
        let answers = poke(&server, request).await;
        let refused = answers.iter().all(|answer| (400..500).contains(&answer.status) || answer.status == 505);
        assert!(refused && answers.len() <= 1, "{}: {answers:?}", request.escape_ascii());
        still_serves(&server).await;
    }
    for path in ["/%ff%fe", "/%00", "/linkedin-agent/auth-send-otp%0d%0aX: y", "//", "/../../etc/passwd", "*"] {
        let request =
            format!("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path.replace(' ', "%20"));
        let answers = poke(&server, request.as_bytes()).await;
        let [answer] = answers.as_slice() else { panic!("{path}: {answers:?}") };
        assert_eq!((answer.status, answer.error().as_str()), (404, "Not found"), "{path}");
    }
    still_serves(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_long_is_refused_however_it_comes() {
    let (_home, server) = server_with_patience("long-body", "60s").await;
    let head =
        |length: &str| format!("POST {SEND} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{length}\r\n\r\n");
    let whole = [head(&format!("Content-Length: {TOO_LONG}")), " ".repeat(TOO_LONG)].concat();
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let chunked = [head(CHUNKED), chunk.repeat(17), "0\r\n\r\n".to_owned()].concat();
    let endless = [head(CHUNKED), chunk.repeat(1000)].concat();
    let small = [head(CHUNKED), "1\r\n \r\n".repeat(TOO_LONG), "0\r\n\r\n".to_owned()].concat();
    let claimed = head("Content-Length: 18446744073709551615");
    let lied = [head("Content-Length: 99999999999"), " ".repeat(TOO_LONG)].concat();
    for request in [whole, chunked, endless, small, lied] {
        let answers = poke(&server, request.as_bytes()).await;
        // Who is cut off in the middle of sending may miss the answer; nobody is told anything else.
        for answer in answers {
            assert_eq!((answer.status, answer.error().as_str()), (413, "Request body too large"));
        }
        still_serves(&server).await;
    }
    // Who stops and listens is told.
    let mut polite = server.caller().connect().await.unwrap();
    let request = [head(CHUNKED), chunk.repeat(16), "1\r\n".to_owned()].concat();
    polite.write_all(request.as_bytes()).await.unwrap();
    polite.write_all(b" ").await.unwrap();
    let answer = timeout(PATIENCE, read_answer(&mut polite)).await.unwrap().unwrap();
    assert_eq!((answer.status, answer.error().as_str()), (413, "Request body too large"));
    let answers = poke(&server, claimed.as_bytes()).await;
    assert!(answers.iter().all(|answer| [400, 413, 431].contains(&answer.status)), "{answers:?}");
    // A body of the full length that is allowed is read.
    let body = r#"{"email":"full@example.com"}"#;
    let most = [body, &" ".repeat(TOO_LONG - 1 - body.len())].concat();
    let answers = poke(&server, [head(&format!("Content-Length: {}", most.len())), most].concat().as_bytes()).await;
    assert_eq!(answers[0].status, 200);
    still_serves(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_about_the_length_hurt_the_liar() {
    let (_home, server) = server("lies").await;
    let body = r#"{"email":"liar@example.com"}"#;
    // Less than was promised, and then silence; or the end of the sending side.
    let short = format!("POST {SEND} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{body}");
    let answers = poke(&server, short.as_bytes()).await;
    assert!(answers.iter().all(|answer| answer.status == 408), "{answers:?}");
    let mut ended = server.caller().connect().await.unwrap();
    ended.write_all(short.as_bytes()).await.unwrap();
    ended.shutdown().await.unwrap();
    let heard = heard_while_dripping(&mut ended, b"").await;
    assert!(heard.iter().all(|answer| answer.status == 400), "{heard:?}");
    still_serves(&server).await;
    // More than was promised: the rest is no request.
    let long = format!("POST {SEND} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n{body}");
    let statuses: Vec<_> = poke(&server, long.as_bytes()).await.iter().map(|answer| answer.status).collect();
    assert!(statuses.iter().all(|status| *status == 400), "{statuses:?}");
    for length in ["-1", "+28", "28, 28", "0x1c", "1e3", "28 28", "", " "] {
        let request = format!("POST {SEND} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}");
        let answers = poke(&server, request.as_bytes()).await;
        assert!(answers.iter().all(|answer| answer.status == 400), "{length:?}: {answers:?}");
        still_serves(&server).await;
    }
    assert!(!inbox(&server).await.contains("liar@"), "none of that was a start");
}

async fn inbox(server: &ServerProcess) -> String {
    server.caller().get("/dev/inbox.json").await.unwrap().text().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_two_readers_could_cut_differently_lead_nowhere() {
    let (_home, server) = server("smuggling").await;
    let smuggled = format!(
        "POST {SEND} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 32\r\n\r\n{}",
        r#"{"email":"smuggled@example.com"}"#
    );
    for lines in [
        "Content-Length: 2\r\nContent-Length: 300",
        "Content-Length: 300\r\nContent-Length: 2",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 2",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\u{b}chunked",
        " Transfer-Encoding: chunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "Content-Length : 2",
    ] {
        let request = format!("POST {SEND} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n\r\n0\r\n\r\n{smuggled}");
        let answers = poke(&server, request.as_bytes()).await;
        // Refused, or the last of its connection (RFC 9112 section 6.3).
        assert!(answers.len() <= 1, "the rest is not taken for a request: {lines:?}: {answers:?}");
        assert!(answers.iter().all(|answer| (400..=501).contains(&answer.status)), "{lines:?}: {answers:?}");
        still_serves(&server).await;
    }
    for size in ["-1", "+1", "0x1", "1;a=\n", "1 1", "fffffffffffffffff", "g", ""] {
        let head = format!("POST {SEND} HTTP/1.1\r\nHost: localhost\r\n{CHUNKED}\r\n\r\n");
        let answers = poke(&server, format!("{head}{size}\r\n \r\n0\r\n\r\n{smuggled}").as_bytes()).await;
        assert!(answers.len() <= 1, "{size:?}: {answers:?}");
        assert!(answers.iter().all(|answer| answer.status == 400), "{size:?}: {answers:?}");
    }
    assert!(!inbox(&server).await.contains("smuggled@"), "nothing was smuggled");
    // Said plainly, they are two requests, and the second is done.
    let plain = format!("POST {SEND} HTTP/1.1\r\nHost: localhost\r\n{CHUNKED}\r\n\r\n0\r\n\r\n{smuggled}");
    let statuses: Vec<_> = poke(&server, plain.as_bytes()).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [400, 200]);
    still_serves(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_order() {
    let (_home, server) = server("pipeline").await;
    let bodies = (0..20).map(|n| format!(r#"{{"email":"pipe{n:02}@example.com"}}"#));
    let head =
        |body: &str| format!("POST {SEND} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
    let requests: String = bodies.map(|body| head(&body) + &body).collect();
    let answers = poke(&server, requests.as_bytes()).await;
    assert_eq!(answers.len(), 20);
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer.text(), format!(r#"{{"success":true,"email":"pipe{n:02}@example.com"}}"#));
    }
    // HTTP/1.0 is answered, once.
    let answers = poke(&server, b"GET /healthz HTTP/1.0\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n").await;
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200]);
    still_serves(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_do_not_lock_others_out() {
    let mut home = Home::dev("idle");
    home.set("server.read_timeout", "500ms");
    home.set("server.max_connections", 200);
    let server = home.serve().await;
    let caller = server.caller();
    let before = peak(&server);
    // Six times as many as there is room for: as many as the system lets wait at the door (1,024). With more, the same
    // happens, but whoever the system turns away comes again only after seconds.
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..CROWD {
        crowd.spawn(async move {
            let mut stream = caller.connect().await?;
            // Something to send again: without it, who was turned away at a full door would never hear of it. Then it
            // stays as long as it may.
            stream.write_all(b"GET ").await?;
            stream.read_to_end(&mut Vec::new()).await.map(drop)
        });
    }
    let answer = timeout(PATIENCE, caller.get("/healthz")).await.expect("a turn").unwrap();
    assert_eq!(answer.status, 200);
    let everybody: Vec<io::Result<()>> = timeout(PATIENCE, crowd.join_all()).await.expect("all are sent away");
    assert_eq!(everybody.len(), CROWD);
    still_serves(&server).await;
    assert!(peak(&server) - before < 48 * 1024);
    // A client that goes on asking keeps its connection, whatever the crowd does.
    let mut busy = caller.connect().await.unwrap();
    for _ in 0..50 {
        busy.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        assert_eq!(read_answer(&mut busy).await.unwrap().status, 200);
    }
}

/// The attack: ask for much, read nothing, and keep the place.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_do_not_read_do_not_lock_others_out() {
    let mut home = Home::dev("unread");
    home.set("server.read_timeout", "500ms");
    home.set("server.max_connections", 20);
    let server = home.serve().await;
    let caller = server.caller();
    let asks = b"GET /assets/style.css HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(20_000);
    let mut crowd = Vec::new();
    for _ in 0..20 {
        let mut stream = caller.connect().await.unwrap();
        // Answers of a hundred megabytes: the server is stuck with what nobody takes.
        drop(timeout(std::time::Duration::from_millis(300), stream.write_all(&asks)).await);
        crowd.push(stream);
    }
    let answer = timeout(PATIENCE, caller.get("/healthz")).await.expect("a turn").unwrap();
    assert_eq!(answer.status, 200);
    still_serves(&server).await;
    drop(crowd);
}
