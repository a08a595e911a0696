//! A mailbox's server that lets us in and then says nothing: it must not keep room that others wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doorcode_core::Timestamp;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::super::{Desk, Fetched, Outcome, Place, State};
use super::{MESSAGE, message, opened, watched};
use crate::capture::shares::Room;

/// Somebody waits, has looked before the one message came, and counts how often room was taken.
#[derive(Clone, Default)]
struct Counting {
    rooms: Arc<AtomicUsize>,
    taken: Arc<Notify>,
}

impl Desk for Counting {
    async fn waits(&self) -> Option<Timestamp> {
        Some(Timestamp::from_millis(0))
    }

    fn news(&self) -> Arc<Notify> {
        Arc::default()
    }

    async fn take(&self, message: &Fetched) -> Outcome {
        assert_eq!(message.raw.expose(), MESSAGE.as_bytes());
        self.taken.notify_one();
        Outcome::Done
    }

    async fn hear(&self, state: State) {
        assert_eq!(state, State::Watching);
    }

    async fn begin(&self) -> Option<Place> {
        Some(Place::begin(1, 1))
    }

    async fn room(&self) -> Option<Room> {
        self.rooms.fetch_add(1, Ordering::SeqCst);
        None
    }
}

/// How a server behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It is asked.
    Asked,
    /// It says by itself that the message came, and that IDLE has ended before the answer.
    Pushes,
    /// The end of IDLE and the answer come as one.
    PushesAtOnce,
}

/// A server with one message, which it is asked for, and answers when told.
async fn server(listener: TcpListener, manner: Manner, asked: Arc<Notify>, speak: Arc<Notify>) {
    let (read, mut write) = listener.accept().await.unwrap().0.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"* OK ready\r\n").await.unwrap();
    let mut ended = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let (tag, command) = line.split_once(' ').unwrap_or(("", &line));
        let said = match command.split(' ').next().unwrap() {
            "CAPABILITY" if manner == Manner::Asked => "* CAPABILITY IMAP4rev1\r\n".to_owned(),
            "CAPABILITY" => "* CAPABILITY IMAP4rev1 IDLE\r\n".to_owned(),
            "EXAMINE" if manner == Manner::Asked => opened(1),
            "EXAMINE" => opened(0),
            "IDLE" => {
                ended = format!("{tag} OK idle is over\r\n");
                write.write_all(b"+ idling\r\n* 1 EXISTS\r\n* 1 RECENT\r\n").await.unwrap();
                continue;
            }
            "DONE" if manner == Manner::PushesAtOnce => continue,
            "DONE" => {
                write.write_all(std::mem::take(&mut ended).as_bytes()).await.unwrap();
                continue;
            }
            "UID" => {
                asked.notify_one();
                speak.notified().await;
                format!("{ended}{}", message())
            }
            _ => String::new(),
        };
        write.write_all(format!("{said}{tag} OK done\r\n").as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_has_no_room() {
    has_room_when_it_answers(Manner::Asked).await;
}

/// The attack: it ends IDLE as it should, and then says nothing.
#[tokio::test]
async fn a_server_that_ends_idle_and_says_nothing_has_no_room() {
    has_room_when_it_answers(Manner::Pushes).await;
}

#[tokio::test]
async fn an_answer_that_comes_with_the_end_of_idle_is_read() {
    has_room_when_it_answers(Manner::PushesAtOnce).await;
}

async fn has_room_when_it_answers(manner: Manner) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, speak) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    tokio::spawn(server(listener, manner, Arc::clone(&asked), Arc::clone(&speak)));
    let desk = Counting::default();
    let watching = desk.clone();
    let task = tokio::spawn(async move { watched(port, &watching).await });
    asked.notified().await;
    // Whatever the watch does behind its question, it has done by then.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(desk.rooms.load(Ordering::SeqCst), 0, "the server has said nothing yet");
    speak.notify_one();
    let taken = tokio::time::timeout(Duration::from_secs(10), desk.taken.notified()).await;
    assert!(taken.is_ok(), "the answer was read");
    assert!(desk.rooms.load(Ordering::SeqCst) > 0, "the message had room");
    task.abort();
}
