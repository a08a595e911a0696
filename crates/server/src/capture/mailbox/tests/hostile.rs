//! A mailbox's server that attacks whoever reads it: with what makes the parser go too deep or panic, and with answers without end. Each time
//! it has a connection ended, and nothing else: the next one is looked at as ever.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorcode_core::Timestamp;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::super::session::Open;
use super::super::{Desk, Fetched, LARGEST, Outcome, Place, State, Trouble};
use super::{MESSAGE, account, egress, message, opened, watched};

/// Far less than is waited for an answer.
const SOON: Duration = Duration::from_secs(20);

/// When it attacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moment {
    /// Before anybody has signed in.
    Greeting,
    /// When it is asked which folder there is.
    Folder,
    /// When it is to say what comes.
    Idle,
    /// In place of the end of that.
    Ending,
    /// In the answer with numbers.
    List,
    /// In the answer with messages.
    Answer,
    /// When it is asked whether anything happened.
    Poll,
}

/// What it says then.
#[derive(Clone)]
struct Attack {
    at: Moment,
    said: Vec<u8>,
    /// Again and again, with as long between.
    every: Option<Duration>,
}

impl Attack {
    fn once(at: Moment, said: impl Into<Vec<u8>>) -> Self {
        Self { at, said: said.into(), every: None }
    }

    fn without_end(at: Moment, said: &str, every: Duration) -> Self {
        Self { at, said: said.into(), every: Some(every) }
    }
}

/// One connection to a server. Whoever attacks once says nothing more and stays.
async fn connection(stream: TcpStream, attack: Option<&Attack>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let attacks = |moment| attack.filter(|attack| attack.at == moment);
    let mut said = attacks(Moment::Greeting).map_or_else(|| b"* OK ready\r\n".to_vec(), |attack| attack.said.clone());
    let mut ended = String::new();
    loop {
        write.write_all(&said).await?;
        let Some(line) = lines.next_line().await? else { return Ok(()) };
        let (tag, command) = line.split_once(' ').unwrap_or(("", &line));
        let (moment, answer) = match command.split(' ').next().unwrap_or_default() {
            "CAPABILITY" => (None, format!("* CAPABILITY IMAP4rev1 IDLE\r\n{tag} OK done\r\n")),
            // So many new ones are not asked for as such.
            "EXAMINE" if attacks(Moment::List).is_some() => (None, format!("{}{tag} OK done\r\n", opened(1000))),
            "EXAMINE" => (Some(Moment::Folder), format!("{}{tag} OK done\r\n", opened(0))),
            "IDLE" => {
                ended = format!("{tag} OK idle is over\r\n");
                (Some(Moment::Idle), "+ idling\r\n* 1 EXISTS\r\n".to_owned())
            }
            "DONE" => (Some(Moment::Ending), std::mem::take(&mut ended)),
            "UID" if command.ends_with("(UID INTERNALDATE)") => (Some(Moment::List), format!("{tag} OK done\r\n")),
            "UID" => (Some(Moment::Answer), format!("{}{tag} OK done\r\n", message())),
            "NOOP" => (Some(Moment::Poll), format!("{tag} OK done\r\n")),
            _ => (None, format!("{tag} OK done\r\n")),
        };
        let attack = moment.and_then(attacks);
        while let Some(Attack { said, every: Some(every), .. }) = attack {
            write.write_all(said).await?;
            tokio::time::sleep(*every).await;
        }
        if let Some(attack) = attack {
            write.write_all(&attack.said).await?;
            while lines.next_line().await?.is_some() {}
            return Ok(());
        }
        said = answer.into_bytes();
    }
}

/// Attacks at the first connection, and at no other.
async fn server(listener: TcpListener, attack: Attack) {
    let mut attack = Some(attack);
    loop {
        let (stream, attack) = (listener.accept().await.unwrap().0, attack.take());
        tokio::spawn(async move { connection(stream, attack.as_ref()).await });
    }
}

async fn listening(attack: Attack) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(server(listener, attack));
    port
}

/// Somebody waits, and hears how it goes.
#[derive(Clone, Default)]
struct Hearing {
    states: Arc<Mutex<Vec<State>>>,
    taken: Arc<Notify>,
    panics: Arc<AtomicBool>,
}

impl Desk for Hearing {
    async fn waits(&self) -> Option<Timestamp> {
        Some(Timestamp::from_millis(0))
    }

    fn news(&self) -> Arc<Notify> {
        Arc::default()
    }

    async fn take(&self, message: &Fetched) -> Outcome {
        assert!(!self.panics.swap(false, Ordering::SeqCst), "as was asked for");
        assert_eq!(message.raw.expose(), MESSAGE.as_bytes());
        self.taken.notify_one();
        Outcome::Done
    }

    async fn hear(&self, state: State) {
        self.states.lock().unwrap().push(state);
    }

    async fn begin(&self) -> Option<Place> {
        Some(Place::begin(1, 1))
    }
}

/// The attack ends one connection, and the message comes by the next.
async fn ends_one_connection(attack: Attack, desk: Hearing) {
    let named = format!("{:?} {:?}", attack.at, String::from_utf8_lossy(&attack.said[..attack.said.len().min(60)]));
    let port = listening(attack).await;
    let watching = desk.clone();
    let task = tokio::spawn(async move { watched(port, &watching).await });
    let taken = tokio::time::timeout(SOON, desk.taken.notified()).await;
    assert!(taken.is_ok() && !task.is_finished(), "{named}: {:?}", desk.states.lock().unwrap());
    let away = desk.states.lock().unwrap().iter().filter(|state| matches!(state, State::Away(_))).count();
    assert_eq!(away, 1, "{named}");
    task.abort();
}

/// A connection to a server that attacks.
async fn open(attack: Attack) -> Open {
    let port = listening(attack).await;
    let egress = egress();
    Open::of(&egress, &account(&egress, port), None).await.unwrap_or_else(|trouble| panic!("{trouble:?}"))
}

/// What it came to, which is not that it went on.
async fn soon<T>(work: impl Future<Output = Result<T, Trouble>>) -> Option<Trouble> {
    tokio::time::timeout(SOON, work).await.expect("it does not go on").err()
}

#[tokio::test]
async fn parentheses_end_a_connection_and_not_the_process() {
    let many = format!("* 1 FETCH (BODYSTRUCTURE {}", "(".repeat(60_000));
    for at in [Moment::Greeting, Moment::Folder, Moment::Idle, Moment::Ending, Moment::List, Moment::Answer] {
        ends_one_connection(Attack::once(at, &*many), Hearing::default()).await;
    }
    // Where the parser would find a response, and whoever looks for literals would find one of those.
    let hidden = format!("* OK ready {{60030}}\r\n{many}");
    ends_one_connection(Attack::once(Moment::Greeting, &*hidden), Hearing::default()).await;
    ends_one_connection(Attack::once(Moment::Answer, &*hidden), Hearing::default()).await;
}

#[tokio::test]
async fn what_the_parser_panics_at_ends_a_connection_and_not_the_watch() {
    for at in [Moment::Idle, Moment::Answer] {
        let no_time = "* 1 FETCH (UID 1 INTERNALDATE NIL)\r\n";
        ends_one_connection(Attack::once(at, no_time), Hearing::default()).await;
        let no_text = &b"* METADATA \"\" (/shared/comment {1}\r\n\xff)\r\n"[..];
        ends_one_connection(Attack::once(at, no_text), Hearing::default()).await;
    }
}

#[tokio::test]
async fn whoever_panics_ends_a_connection_and_not_the_watch() {
    let desk = Hearing::default();
    desk.panics.store(true, Ordering::SeqCst);
    // A server that does as it should.
    ends_one_connection(Attack::once(Moment::Answer, message()), desk).await;
}

#[tokio::test]
async fn a_literal_takes_no_memory_before_it_comes() {
    for size in [530_000_000, 3 << 20] {
        let said = format!("* 1 FETCH (UID 1 BODY[] {{{size}}}\r\n");
        ends_one_connection(Attack::once(Moment::Answer, said), Hearing::default()).await;
    }
    // Where no message is waited for, there is none at all.
    for at in [Moment::Idle, Moment::Ending, Moment::List] {
        let said = "* 1 FETCH (UID 1 BODY[] {2000}\r\n";
        ends_one_connection(Attack::once(at, said), Hearing::default()).await;
    }
}

#[tokio::test]
async fn a_list_without_end_is_left() {
    let entry = "* 1 FETCH (UID 1)\r\n".repeat(1000);
    for at in [Moment::List, Moment::Poll] {
        let mut open = open(Attack::without_end(at, &entry, Duration::ZERO)).await;
        let trouble = match at {
            Moment::List => soon(open.list("UID FETCH 1:* (UID INTERNALDATE)")).await,
            _ => soon(open.poll()).await,
        };
        assert!(trouble.is_some(), "{at:?}");
    }
}

/// A line now and then, each in time for itself.
#[tokio::test]
async fn an_answer_has_one_deadline() {
    for at in [Moment::List, Moment::Poll] {
        let mut open = open(Attack::without_end(at, "* 1 FETCH (UID 1)\r\n", Duration::from_millis(50))).await;
        open.patience = Duration::from_millis(500);
        let trouble = match at {
            Moment::List => soon(open.list("UID FETCH 1:* (UID INTERNALDATE)")).await,
            _ => soon(open.poll()).await,
        };
        assert_eq!(trouble, Some(Trouble::Line("no answer in time")), "{at:?}");
    }
}

/// It is asked for a message, and has lines for an answer, as many as anybody reads.
#[tokio::test]
async fn the_end_of_idle_has_no_more_than_a_few_lines() {
    for line in ["* 1 EXISTS\r\n", "* 1 FETCH (BODY[] {0}\r\n", "* 1 FETCH (\n"] {
        // What may be read, and what may be read ahead of it. Then it is waited for more, where that is allowed.
        let said = line.repeat(20 * 1024 / line.len() + 1);
        ends_one_connection(Attack::once(Moment::Ending, said), Hearing::default()).await;
    }
}

/// What it says of a message's size is its word only.
#[tokio::test]
async fn a_message_that_is_larger_than_was_said_is_not_kept() {
    for (size, kept) in [(LARGEST as usize, true), (LARGEST as usize + 1, false)] {
        let said = format!("* 1 FETCH (UID 1 RFC822.SIZE 10 BODY[]<0> {{{size}}}\r\n{})\r\n", "x".repeat(size));
        let mut open = open(Attack::once(Moment::Answer, said)).await;
        let read = async {
            open.ask("UID FETCH 1 (UID RFC822.SIZE BODY.PEEK[])").await?;
            open.answered().await?;
            open.next().await
        };
        let found = tokio::time::timeout(SOON, read).await.unwrap().unwrap_or_else(|trouble| panic!("{trouble:?}"));
        assert_eq!(found.map(|found| (found.size, found.raw.is_some())), Some((10, kept)), "{size}");
    }
}
