//! Whoever means a socket harm, or is clumsy: it is told why where it listens, it is cut off, and everybody else goes on.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use crate::app::{Folder, settings};
use crate::process::until;
use crate::socket_house::{BINARY, End, House, PATIENCE, PING, PONG, Person, TEXT, Ws, brief, frame, path};

fn end(code: u16, why: &str) -> End {
    End::Close(code, why.to_owned())
}

/// A house, somebody in it, and a socket of their agent that has told how things stand.
async fn watched() -> (House, Person, Ws) {
    let house = House::open().await;
    let person = house.person().await;
    let agent = house.agent(&person, false).await;
    let id = house.request(&agent).await;
    let mut ws = house.watch(&path(id), &agent.key).await;
    ws.some(2).await;
    (house, person, ws)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_or_something_else_first_is_told_to_go() {
    let house = House::open().await;
    let person = house.person().await;
    let agent = house.agent(&person, false).await;
    let id = house.request(&agent).await;
    let mut silent = Ws::open(house.at, &path(id), "").await.unwrap();
    let mut chatty = Ws::open(house.at, &path(id), "").await.unwrap();
    chatty.say(json!({ "type": "ping" })).await;
    assert_eq!(chatty.rest().await, (vec![], end(1008, "the first message must be auth")));
    for token in ["", "ak_live_nobody", "dsa_x", "wst_x"] {
        let mut wrong = Ws::open(house.at, &path(id), "").await.unwrap();
        wrong.say(json!({ "type": "auth", "token": token })).await;
        assert_eq!(wrong.rest().await, (vec!["error".to_owned()], end(1008, "unauthorized")), "{token}");
    }
    assert_eq!(silent.rest().await, (vec![], end(1008, "nobody said who they are")));
    house.stop().await;
}

/// The attack: a page of somebody else's opens a socket in the browser of a person who is signed in.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_somebody_elses_gains_nothing_by_a_cookie() {
    let house = House::open().await;
    let person = house.person().await;
    let agent = house.agent(&person, false).await;
    let id = house.request(&agent).await;
    let ambient = ["door", "__Host-door"];
    for name in ambient {
        let headers = format!("Cookie: {name}={}\r\nOrigin: https://evil.example\r\n", person.cookie);
        for path in [path(id), "/ws".to_owned()] {
            let mut ws = Ws::open(house.at, &path, &headers).await.unwrap();
            ws.say(json!({ "type": "ping" })).await;
            assert_eq!(ws.rest().await, (vec![], end(1008, "the first message must be auth")));
        }
    }
    // The cookie's text is no key either, and where a page comes from makes no difference.
    let mut ws = Ws::open(house.at, &path(id), "Origin: https://evil.example\r\n").await.unwrap();
    ws.say(json!({ "type": "auth", "token": person.cookie })).await;
    assert_eq!(ws.rest().await.1, end(1008, "unauthorized"));
    let mut ws = Ws::open(house.at, &path(id), "Origin: https://app.example\r\n").await.unwrap();
    ws.say(json!({ "type": "auth", "token": person.token })).await;
    assert_eq!(brief(&ws.next().await.unwrap()), "status_change pending_approval");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_small_text_ends_the_socket() {
    let cases: [(Vec<u8>, End); 8] = [
        (frame(TEXT, true, true, &[b' '; 4097]), end(1009, "4096 bytes at most")),
        (
            [frame(TEXT, false, true, &[b' '; 4000]), frame(0, true, true, &[b' '; 97])].concat(),
            end(1009, "4096 bytes at most"),
        ),
        (vec![0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4], end(1009, "4096 bytes at most")),
        (frame(BINARY, true, true, b"{}"), end(1003, "text only")),
        (frame(TEXT, true, true, &[0xff, 0xfe]), end(1007, "no UTF-8")),
        (frame(TEXT, true, false, b"{}"), end(1002, "RFC 6455")),
        (frame(0x70 | TEXT, true, true, b"{}"), end(1002, "RFC 6455")),
        (frame(PING, false, true, b""), end(1002, "RFC 6455")),
    ];
    let (house, _, mut ws) = watched().await;
    for (place, (bytes, expected)) in cases.into_iter().enumerate() {
        let person = house.person().await;
        let agent = house.agent(&person, false).await;
        let mut bad = house.watch("/ws", &agent.key).await;
        bad.stream.write_all(&bytes).await.unwrap();
        assert_eq!(bad.rest().await, (vec![], expected), "{place}");
    }
    // In pieces that make a small text it is heard.
    ws.frame(TEXT, false, br#"{"type":"#).await.unwrap();
    ws.frame(PING, true, b"between").await.unwrap();
    ws.frame(0, true, br#""ping"}"#).await.unwrap();
    let mut heard = [ws.hear().await.unwrap(), ws.hear().await.unwrap()];
    heard.sort();
    assert_eq!(heard, [(TEXT, br#"{"type":"pong"}"#.to_vec()), (PONG, b"between".to_vec())]);
    ws.say(json!({ "type": "subscribe" })).await;
    assert_eq!(ws.next().await.unwrap()["payload"]["code"], "UNKNOWN_MESSAGE");
    ws.answers().await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_cut_off() {
    let (house, person, mut calm) = watched().await;
    let agent = house.agent(&person, false).await;
    let empty_pieces = [frame(TEXT, false, true, b""), frame(0, false, true, b"").repeat(20_000)].concat();
    let floods = [
        frame(TEXT, true, true, br#"{"type":"ping"}"#).repeat(1000),
        frame(TEXT, true, true, b"x").repeat(1000),
        frame(PING, true, true, b"x").repeat(1000),
        frame(PONG, true, true, b"").repeat(1000),
        empty_pieces,
    ];
    for (place, flood) in floods.into_iter().enumerate() {
        let ws = house.watch("/ws", &agent.key).await;
        let (read, mut write) = ws.stream.into_split();
        let writing = tokio::spawn(async move {
            let _ = write.write_all(&flood).await;
            write
        });
        let mut heard = Vec::new();
        let reading = async {
            let mut read = read;
            tokio::io::AsyncReadExt::read_to_end(&mut read, &mut heard).await
        };
        let _ = timeout(PATIENCE, reading).await.expect("the end of the socket");
        drop(writing.await);
        let mut close = vec![0x88, 20];
        close.extend_from_slice(&1008_u16.to_be_bytes());
        close.extend_from_slice(b"too many messages");
        close[1] = u8::try_from(close.len() - 2).unwrap();
        assert!(heard.ends_with(&close), "{place}: {:?}", &heard[heard.len().saturating_sub(40)..]);
    }
    calm.answers().await;
    house.stop().await;
}

/// The attack: a small window, and nobody who reads. News that nobody takes is not kept, and its socket has some seconds to take more.
#[tokio::test(flavor = "multi_thread")]
async fn who_never_reads_is_cut_off() {
    let folder = Folder::new();
    let config = settings(
        &folder,
        &[
            ("DOORCODE_SERVER__READ_TIMEOUT", "3s"),
            ("DOORCODE_RELAY__AGENT_MINUTE", "1000000"),
            ("DOORCODE_RELAY__PROMPTS", "1000000"),
        ],
    );
    let house = House::of(folder, config).await;
    let person = house.person().await;
    let agent = house.agent(&person, false).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut deaf = Ws::over(socket.connect(house.at).await.unwrap(), "/ws", &auth(&agent.key)).await.unwrap();
    deaf.answers().await;
    let mut reader = house.watch("/ws", &agent.key).await;
    // A kilobyte and a half is told of each request. Few at a time: who reads must not fall behind on a machine that has much to do.
    let mut asked = 0;
    let telling = async {
        while house.app.feed.open() > 1 {
            for _ in 0..5 {
                let id = house.request(&agent).await;
                house.cancel(&agent, id).await;
            }
            asked += 5;
            for _ in 0..2 * 5 {
                reader.some(2).await;
            }
        }
    };
    // What the system keeps for it is full after some megabytes.
    timeout(4 * PATIENCE, telling).await.expect("its place is free again");
    assert!(asked >= 20, "not before something was kept for it: {asked}");
    reader.answers().await;
    drop(deaf);
    house.stop().await;
}

fn auth(key: &str) -> String {
    format!("Authorization: Bearer {key}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_ends_closes_its_sockets_and_no_others() {
    let (house, person, mut other) = watched().await;
    let agent = house.agent(&person, false).await;
    let id = house.request(&agent).await;
    let mut of_key = house.watch(&path(id), &agent.key).await;
    let mut of_session = house.watch("/ws", &person.token).await;
    let line = format!("POST /v1/otp/{}/ticket", doorcode_core::relay::Named::shown(&id));
    let ticket = house.ask(&line, &agent.key, "").await.json()["url"].as_str().unwrap().to_owned();
    let path = ticket.split_once(&house.app.base_url().replace("http", "ws")).unwrap().1.to_owned();
    let mut of_ticket = Ws::open(house.at, &path, "").await.unwrap();
    for ws in [&mut of_key, &mut of_ticket] {
        ws.some(2).await;
    }
    let key = agent.made.key_id;
    doorcode::ops::credentials::revoke(&house.app, person.whose.org, key).await.unwrap();
    let ending = async {
        for ws in [&mut of_key, &mut of_ticket] {
            assert_eq!(ws.rest().await, (vec![], end(1008, "the key or session has ended")));
        }
    };
    timeout(Duration::from_secs(20), ending)
        .await
        .expect("within a second or so, on a machine with nothing else to do");
    other.answers().await;
    assert_eq!(house.app.feed.open(), 2);
    let unit = house.app.db.write(move |tx| {
        Box::pin(
            async move { doorcode::store::sessions::revoke_of_user(tx, &person.whose.owner, crate::app::START).await },
        )
    });
    unit.await.unwrap();
    assert_eq!(of_session.rest().await.1, end(1008, "the key or session has ended"));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_end_with_the_house() {
    let (house, person, mut ws) = watched().await;
    let mut all = house.watch("/ws", &person.token).await;
    all.some(2).await;
    let mut nobody = Ws::open(house.at, "/ws", "").await.unwrap();
    let listening = async {
        let told = (ws.rest().await, all.rest().await);
        // Whoever hangs up politely keeps nobody waiting.
        drop((ws, all));
        nobody.say(json!({ "type": "auth", "token": person.token })).await;
        assert_eq!(nobody.rest().await, (vec![], end(1001, "the server stops")));
        drop(nobody);
        told
    };
    let (told, ()) = tokio::join!(listening, house.stop());
    let away = || (vec![], end(1001, "the server stops"));
    assert_eq!(told, (away(), away()));
}

/// The attack: whoever has one agent's key opens all that its org may have.
#[tokio::test(flavor = "multi_thread")]
async fn one_agent_does_not_take_every_place_of_its_org() {
    let folder = Folder::new();
    let config = settings(&folder, &[("DOORCODE_SERVER__STREAMS_EACH", "2")]);
    let house = House::of(folder, config).await;
    let person = house.person().await;
    let (agent, calm) = (house.agent(&person, false).await, house.agent(&person, false).await);
    let id = house.request(&agent).await;
    let open = async |key: &str, at: &str| Ws::open(house.at, at, &auth(key)).await;
    let mut sockets = vec![open(&agent.key, "/ws").await.unwrap(), open(&agent.key, &path(id)).await.unwrap()];
    for at in ["/ws", &path(id)] {
        let refused = open(&agent.key, at).await.err().unwrap();
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("15")), "{at}");
    }
    assert!(open(&calm.key, "/ws").await.is_ok(), "another agent of the same person");
    assert!(open(&person.token, "/ws").await.is_ok(), "and the person");
    sockets.pop();
    let again = async || open(&agent.key, "/ws").await.ok();
    until("a place is free when one leaves", again).await;
    drop(sockets);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_do_not_take_every_connection() {
    let folder = Folder::new();
    let config = settings(&folder, &[("DOORCODE_SERVER__MAX_CONNECTIONS", "4")]);
    let house = House::of(folder, config).await;
    let people = [house.person().await, house.person().await, house.person().await];
    let open =
        async |person: &Person| Ws::open(house.at, "/ws", &format!("Authorization: Bearer {}\r\n", person.token)).await;
    let mut sockets = vec![open(&people[0]).await.unwrap(), open(&people[0]).await.unwrap()];
    assert_eq!(open(&people[0]).await.err().unwrap().status, 429, "half of the connections for one org");
    sockets.push(open(&people[1]).await.unwrap());
    let refused = open(&people[2]).await.err().unwrap();
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("15")), "three quarters for all");
    // A socket holds its connection's place: beside three of them there is room for one.
    let _idle = tokio::net::TcpStream::connect(house.at).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let caller = house.caller();
    let mut waiting = std::pin::pin!(caller.get("/healthz"));
    assert!(timeout(Duration::from_millis(300), &mut waiting).await.is_err(), "nobody else comes in");
    sockets.pop();
    assert_eq!(timeout(PATIENCE, waiting).await.unwrap().unwrap().status, 200, "until somebody leaves");
    house.stop().await;
}
