//! Codes on their way back to the driver. With `mail.transport = "stdout"` the server's delivery worker prints each
//! message as one JSON line; the post office here hands the code to whoever made the address. The address itself says
//! who that is, so there is no map to lock: `<spread>-<box>-<serial>@bench.example`, where the spread keeps
//! neighbouring addresses apart in every index, as those of real people are.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::random::mix;

/// Messages have stopped when none came for this long.
const QUIET: Duration = Duration::from_millis(300);

/// Where every printed message arrives.
#[derive(Debug, Default)]
pub(super) struct PostOffice {
    boxes: RwLock<Vec<UnboundedSender<Letter>>>,
    delivered: AtomicU64,
}

/// The code that came for address number `serial` of a box.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) serial: u64,
    pub(super) code: Box<str>,
}

/// The addresses of one connection, and what comes for them.
#[derive(Debug)]
pub(super) struct Mailbox {
    number: usize,
    next: u64,
    pub(super) letters: UnboundedReceiver<Letter>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    to: Cow<'a, str>,
    #[serde(borrow)]
    code: Cow<'a, str>,
}

impl PostOffice {
    /// A box with addresses that nobody had before.
    pub(super) fn open(self: &Arc<Self>) -> Mailbox {
        let (sender, letters) = unbounded_channel();
        let mut boxes = self.boxes.write().unwrap_or_else(PoisonError::into_inner);
        boxes.push(sender);
        Mailbox { number: boxes.len() - 1, next: 0, letters }
    }

    /// Takes one line of the server's output; what is no message of ours is passed over.
    pub(super) fn deliver(&self, line: &[u8]) {
        let Ok(Line { to, code }) = serde_json::from_slice(line) else { return };
        self.delivered.fetch_add(1, Ordering::Relaxed);
        let Some((number, serial)) = owner(&to) else { return };
        let boxes = self.boxes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = boxes.get(number) {
            // The box of an earlier round is closed.
            let _ = sender.send(Letter { serial, code: code.into() });
        }
    }

    /// Waits until messages have stopped coming, so that one round's deliveries do not slow the next round down.
    pub(super) async fn settle(&self) {
        loop {
            let before = self.delivered.load(Ordering::Relaxed);
            tokio::time::sleep(QUIET).await;
            if self.delivered.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

impl Mailbox {
    /// The number of an address that was not used before.
    pub(super) fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The address with this number.
    pub(super) fn address(&self, serial: u64) -> String {
        let spread = mix(((self.number as u64) << 40) ^ serial) >> 32;
        let mut address = String::with_capacity(40);
        // Writing to a string cannot fail.
        let _ = write!(address, "{spread:08x}-{}-{serial}@bench.example", self.number);
        address
    }
}

/// Box and serial of an address that `Mailbox::address` made.
fn owner(address: &str) -> Option<(usize, u64)> {
    let (local, _domain) = address.split_once('@')?;
    let mut parts = local.split('-').skip(1);
    let number = parts.next()?.parse().ok()?;
    let serial = parts.next()?.parse().ok()?;
    Some((number, serial))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_message_reaches_the_box_that_made_the_address() {
        let office = Arc::new(PostOffice::default());
        let (mut first, mut second) = (office.open(), office.open());
        let serial = second.fresh();
        office.deliver(format!(r#"{{"to":"{}","code":"123456"}}"#, second.address(serial)).as_bytes());
        let letter = second.letters.try_recv().unwrap();
        assert_eq!((letter.serial, &*letter.code), (serial, "123456"));
        assert!(first.letters.try_recv().is_err());
        assert_ne!(first.address(1), second.address(1));
    }

    #[test]
    fn other_lines_are_passed_over() {
        let office = Arc::new(PostOffice::default());
        for line in ["", "listening on http://127.0.0.1:1", r#"{"to":"x@y.example","code":"1"}"#, r#"{"to":"a-9-9@b"}"#]
        {
            office.deliver(line.as_bytes());
        }
        assert_eq!(owner("00000000-9-7@bench.example"), Some((9, 7)));
        assert_eq!(owner("a-b-c@bench.example"), None);
    }
}
