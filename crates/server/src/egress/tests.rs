//! The attacks on the way out: addresses in every block and spelling, URLs that two readers read differently, names that
//! lead inside, and hosts that answer badly.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use doorcode_core::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::address::is_global;
use super::{Egress, Failure, Kind, Resolver, Settings, Target};

const LISTEN: &str = "127.0.0.1:8080";
const LONG: Duration = Duration::from_secs(20);

fn egress(allow: &[&str]) -> Egress {
    resolving(allow, Resolver::table())
}

fn resolving(allow: &[&str], resolver: Resolver) -> Egress {
    let allow = allow.iter().map(|text| text.parse().unwrap()).collect();
    let settings = Settings { allow, ports: vec![443, 8443], ca_file: None, resolver };
    Egress::new(&settings, LISTEN.parse().unwrap(), Some("https://codes.example.com")).unwrap()
}

/// Why an URL is refused; empty if it is not.
fn refused(egress: &Egress, url: &str) -> &'static str {
    match egress.check_url(url) {
        Ok(_) => "",
        Err(Error::Invalid { field: "url", why }) => why,
        Err(other) => panic!("{url}: {other}"),
    }
}

#[test]
fn only_global_addresses_are_global() {
    for inside in
        "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.0.1 169.254.0.1 \
        169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1 \
        198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 \
        255.255.255.255 :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 \
        ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b:1::1 64:ff9b:1::8.8.8.8 100::1 \
        2001::1 2001:0:808:808::1 2001:2::1 2001:20::1 2001:1ff:ffff::1 2001:db8::1 2002:7f00:1:: \
        2002:a00:1::1 2002:a9fe:a9fe:: 3fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 \
        fe80::5efe:808:808 2620:0:1::5efe:7f00:1 fec0::1 ff02::1 ff0e::1"
            .split(' ')
    {
        assert!(!is_global(inside.parse().unwrap()), "{inside}");
    }
    for outside in "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
        169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 \
        198.17.255.255 198.20.0.0 223.255.255.255 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1 \
        2001:200::1 2001:4860:4860::8888 2606:4700:4700::1111 2a00::1 3ffe::1"
        .split(' ')
    {
        assert!(is_global(outside.parse().unwrap()), "{outside}");
    }
}

#[test]
fn an_url_has_one_meaning_or_is_refused() {
    let egress = egress(&[]);
    for url in [
        "https://hooks.example.com/",
        "https://hooks.example.com",
        "HTTPS://Hooks.Example.com:8443/a/b?c=d",
        "https://b\u{fc}cher.example/",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
    ] {
        assert_eq!(refused(&egress, url), "", "{url}");
    }
    assert_eq!(egress.check_url("https://b\u{fc}cher.example").unwrap().as_str(), "https://xn--bcher-kva.example/");
    for url in [
        "",
        "/",
        "hooks.example.com",
        "//hooks.example.com",
        "https:",
        "https:/",
        "https://",
        "https:///etc",
        "https://?",
        "https:hooks.example.com",
        "https:/hooks.example.com",
        "ftp://hooks.example.com",
        "file:///etc/passwd",
        "gopher://hooks.example.com",
        "javascript:alert(1)",
        "http://hooks.example.com/",
        "https://hooks.example.com:80/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:65536/",
        "https://me@hooks.example.com/",
        "https://@hooks.example.com/",
        "https://me:pw@hooks.example.com/",
        "https://8.8.8.8@127.0.0.1/",
        "https://hooks.example.com#@127.0.0.1/",
        "https://hooks.example.com/#x",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://127.0.0.1\\.example.com/",
        "https://hooks.exam\tple.com/",
        "https://hooks.example.com/\r\nx: y",
        "https://hooks example.com/",
        " https://hooks.example.com/",
        "https://hooks.example.com/\u{a0}",
        "https://hooks.example.com./",
        "https://.example.com/",
        "https://com/",
        "https://example..com/",
    ] {
        assert_ne!(refused(&egress, url), "", "{url:?}");
    }
    let long = format!("https://hooks.example.com/{}", "a".repeat(2048));
    assert_ne!(refused(&egress, &long), "");
}

#[test]
fn what_is_inside_is_refused_in_every_spelling() {
    let egress = egress(&[]);
    for host in "127.0.0.1 127.1 127.0.1 127.0.0.1. 2130706433 0177.0.0.1 0177.0.0.01 017700000001 0x7f.0.0.1 \
        0x7f000001 0x7f.1 0X7F.0x0.0x0.0x1 127.0.0.0x1 0 0.0.0.0 0x0 00.0 10.1 167772161 169.254.169.254 \
        2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 192.168.257 %31%32%37.0.0.1 127%2e0%2e0%2e1 \
        \u{ff11}\u{ff12}\u{ff17}.0.0.1 127\u{3002}0\u{3002}0\u{3002}1 \u{2460}\u{2461}\u{2466}.0.0.1 [::1] \
        [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [64:ff9b::7f00:1] [2002:7f00:1::] \
        [fe80::1] [fd00:ec2::254] localhost LocalHost localhost. %6cocalhost \u{24db}ocalhost a.localhost \
        printer.local metadata.google.internal db.internal router.lan nas.home.arpa x.onion intranet \
        metadata codes.example.com CODES.example.com"
        .split(' ')
    {
        assert_ne!(refused(&egress, &format!("https://{host}/")), "", "{host}");
        assert_ne!(refused(&egress, &format!("https://{host}:8443/")), "", "{host}");
    }
}

#[test]
fn what_is_excused_is_named() {
    let named =
        egress(&["hooks.corp:8080", "nas.lan", "127.0.0.1:9000", "[::1]:9000", "10.1.0.0/16", "codes.example.com"]);
    for url in [
        "http://hooks.corp:8080/",
        "https://hooks.corp:8080/",
        "http://nas.lan/",
        "https://nas.lan/",
        "https://nas.lan:8443/",
        "http://127.0.0.1:9000/",
        "http://0x7f.1:9000/",
        "http://[::1]:9000/",
        "https://10.1.2.3/",
        "http://10.1.2.3/",
        "https://codes.example.com/",
    ] {
        assert_eq!(refused(&named, url), "", "{url}");
    }
    for url in [
        "https://hooks.corp/",
        "http://hooks.corp:8081/",
        "http://nas.lan:8080/",
        "http://x.nas.lan/",
        "http://127.0.0.1:9001/",
        "http://127.0.0.2:9000/",
        "http://localhost:9000/",
        "https://10.2.0.1/",
        "http://hooks.example.com/",
        "http://me@nas.lan/",
    ] {
        assert_ne!(refused(&named, url), "", "{url}");
    }
    for nonsense in ["", "http://x", "a b", "10.0.0.0/33", "host:port", "host:99999", "[::1", "@", "1.2.3.4.5"] {
        assert!(nonsense.parse::<super::Allow>().is_err(), "{nonsense}");
    }
}

async fn post(egress: &Egress, url: &str, limit: Duration) -> Result<u16, Failure> {
    let target: Target = egress.check_url(url).unwrap();
    let headers = [("content-type", "application/json".to_owned())];
    egress.post(&target, &headers, b"{}".to_vec(), limit).await.map(|answer| answer.status)
}

fn kind(outcome: Result<u16, Failure>) -> Kind {
    outcome.unwrap_err().kind
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_when_it_is_used() {
    let resolver = Resolver::table();
    let egress = resolving(&[], resolver.clone());
    let (inside, outside): (IpAddr, IpAddr) = ("127.0.0.1".parse().unwrap(), "8.8.8.8".parse().unwrap());
    let v6: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
    let url = "https://rebind.example.com/";
    // Good when it is given, and bad when it is used; one bad address among good ones is enough.
    for addresses in [vec![inside], vec![outside, inside], vec![v6], vec![outside, "169.254.169.254".parse().unwrap()]]
    {
        resolver.set("rebind.example.com", &addresses);
        assert_eq!(kind(post(&egress, url, LONG).await), Kind::Refused, "{addresses:?}");
    }
    resolver.set("rebind.example.com", &[]);
    assert_eq!(kind(post(&egress, url, LONG).await), Kind::Unreachable);
    assert_eq!(kind(post(&egress, "https://nobody.example.com/", LONG).await), Kind::Unreachable);
}

/// Somebody on loopback who reads a head and then does as the closure says.
async fn host(answer: &'static str, endless: bool) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let length = stream.read(&mut head).await.unwrap();
        head.truncate(length);
        stream.write_all(answer.as_bytes()).await.unwrap();
        while endless && stream.write_all(&[b'a'; 1024]).await.is_ok() {}
        if answer.is_empty() && !endless {
            // Accepts and never answers; ends when the other side does.
            drop(stream.read(&mut [0; 16]).await);
        }
        String::from_utf8(head).unwrap()
    });
    (address, task)
}

async fn ask(answer: &'static str, endless: bool, limit: Duration) -> (Result<u16, Failure>, String) {
    let (address, task) = host(answer, endless).await;
    let egress = egress(&["127.0.0.0/8", &address.to_string()]);
    let outcome = post(&egress, &format!("http://{address}/hook?a=b"), limit).await;
    (outcome, task.await.unwrap())
}

#[tokio::test]
async fn an_answer_is_its_status() {
    let (outcome, head) = ask("HTTP/1.1 204 No Content\r\n\r\n", false, LONG).await;
    assert_eq!(outcome, Ok(204));
    assert!(head.starts_with("POST /hook?a=b HTTP/1.1\r\nhost: 127.0.0.1:"), "{head}");
    for (answer, status) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200),
        ("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", 500),
        ("HTTP/1.1 410 Gone\r\nconnection: close\r\n\r\n", 410),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200),
    ] {
        assert_eq!(ask(answer, false, LONG).await.0, Ok(status), "{answer}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (inner, inner_task) = host("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false).await;
    let answer = format!("HTTP/1.1 307 Elsewhere\r\nlocation: http://{inner}/\r\ncontent-length: 0\r\n\r\n");
    for answer in
        [answer.leak(), "HTTP/1.1 301 Moved\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"]
    {
        let failure = ask(answer, false, LONG).await.0.unwrap_err();
        assert_eq!((failure.kind, failure.status.is_some()), (Kind::Redirect, true));
    }
    assert!(!inner_task.is_finished(), "nobody came");
}

#[tokio::test]
async fn whoever_never_answers_is_left() {
    let short = Duration::from_millis(100);
    assert_eq!(kind(ask("", false, short).await.0), Kind::TimedOut);
    assert_eq!(kind(ask("HTTP/1.1 200", false, short).await.0), Kind::Protocol, "hung up in the middle");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n";
    assert_eq!(ask(head, true, LONG).await.0, Ok(200), "the head has said how it went");
    assert_eq!(kind(ask("HTTP/1.1 200 OK\r\nx: ", true, LONG).await.0), Kind::Protocol);
    assert_eq!(kind(ask("", true, LONG).await.0), Kind::Protocol);
}

#[tokio::test]
async fn our_own_listener_is_never_called() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap();
    for listen in [own, SocketAddr::from(([0, 0, 0, 0], own.port())), SocketAddr::from(([0; 16], own.port()))] {
        let allow = vec!["127.0.0.0/8".parse().unwrap(), own.to_string().parse().unwrap()];
        let settings = Settings { allow, ports: vec![443, own.port()], ..Settings::default() };
        let egress = Egress::new(&settings, listen, None).unwrap();
        let outcome = post(&egress, &format!("http://{own}/"), LONG).await;
        assert_eq!(kind(outcome), Kind::Refused, "{listen}");
    }
}

#[tokio::test]
async fn plain_text_is_no_tls() {
    let (address, task) = host("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false).await;
    let egress = egress(&[&address.to_string()]);
    assert_eq!(kind(post(&egress, &format!("https://{address}/"), LONG).await), Kind::Tls);
    drop(task);
}
