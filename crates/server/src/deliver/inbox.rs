//! The dev inbox: the newest messages, in memory, in the place of a mail server. It exists only under `--dev`, and
//! that is why it alone may turn secrets into plain text and show them. Refuses to grow: it is bounded in messages and
//! in bytes, and forgets everything when the process ends.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::message::Message;

/// The most bytes that all kept messages hold together.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The captured messages. Clones share them.
#[derive(Clone)]
pub struct Inbox(Arc<Mutex<Shelf>>);

struct Shelf {
    entries: VecDeque<Entry>,
    /// The numbers of the messages of each address, oldest first.
    by_address: HashMap<String, VecDeque<u64>>,
    next: u64,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
}

/// One captured message. Cheap to clone. Serialises, secrets included, to
/// `{"channel","to","subject","text","html","code","link","at"}`.
#[derive(Clone)]
pub struct Entry(Arc<Captured>);

struct Captured {
    number: u64,
    message: Message,
    at: String,
    at_ms: i64,
    bytes: usize,
}

impl Inbox {
    /// An inbox that keeps the newest `capacity` messages, and no more than 64 MiB of them.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self::bounded(capacity, MAX_BYTES)
    }

    fn bounded(max_messages: usize, max_bytes: usize) -> Self {
        let (entries, by_address) = (VecDeque::new(), HashMap::new());
        Self(Arc::new(Mutex::new(Shelf { entries, by_address, next: 1, bytes: 0, max_messages, max_bytes })))
    }

    /// Keeps `message`, which arrived `at_ms` (milliseconds since 1970), and forgets the oldest that are too many.
    pub fn push(&self, message: Message, at_ms: i64) {
        let at = rfc3339(at_ms);
        let bytes = size(&message);
        let mut shelf = self.shelf();
        let number = shelf.next;
        shelf.next += 1;
        shelf.bytes += bytes;
        shelf.by_address.entry(message.to.clone()).or_default().push_back(number);
        shelf.entries.push_back(Entry(Arc::new(Captured { number, message, at, at_ms, bytes })));
        while shelf.entries.len() > shelf.max_messages || shelf.bytes > shelf.max_bytes {
            shelf.forget_oldest();
        }
    }

    /// The messages to one canonical address, or all of them; newest first.
    #[must_use]
    pub fn list(&self, to: Option<&str>) -> Vec<Entry> {
        let shelf = self.shelf();
        match to {
            None => shelf.entries.iter().rev().cloned().collect(),
            Some(to) => {
                let numbers = shelf.by_address.get(to).into_iter().flatten().rev();
                numbers.filter_map(|number| shelf.get(*number)).collect()
            }
        }
    }

    /// The message of this number, unless it is forgotten.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<Entry> {
        self.shelf().get(number)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn get(&self, number: u64) -> Option<Entry> {
        let first = self.entries.front()?.0.number;
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        self.entries.get(index).cloned()
    }

    fn forget_oldest(&mut self) {
        let Some(Entry(oldest)) = self.entries.pop_front() else { return };
        self.bytes -= oldest.bytes;
        if let Some(numbers) = self.by_address.get_mut(&oldest.message.to) {
            numbers.pop_front();
            if numbers.is_empty() {
                self.by_address.remove(&oldest.message.to);
            }
        }
    }
}

impl Entry {
    /// Counts up from 1 since the start of the process; names the message in `/dev/inbox/{number}/body`.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// The message itself.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.0.message
    }

    /// When it arrived, as RFC 3339 in UTC with milliseconds.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.0.at
    }

    /// When it arrived, in milliseconds since 1970.
    #[must_use]
    pub fn at_ms(&self) -> i64 {
        self.0.at_ms
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = &self.0.message;
        let mut out = serializer.serialize_struct("Entry", 8)?;
        out.serialize_field("channel", message.channel.as_str())?;
        out.serialize_field("to", &message.to)?;
        out.serialize_field("subject", &message.subject)?;
        out.serialize_field("text", message.text.expose())?;
        out.serialize_field("html", message.html.expose())?;
        out.serialize_field("code", &message.code.as_ref().map(doorcode_core::Secret::expose))?;
        out.serialize_field("link", &message.link.as_ref().map(doorcode_core::Secret::expose))?;
        out.serialize_field("at", &self.0.at)?;
        out.end()
    }
}

/// The bytes that a message takes up, about: buffers as they were allocated, and the fixed parts.
fn size(message: &Message) -> usize {
    const FIXED: usize = 512;
    let strings = [message.text.expose(), message.html.expose(), &message.subject, &message.to, &message.message_id];
    FIXED + message.to.len() + strings.iter().map(|string| string.capacity()).sum::<usize>()
}

/// `2026-11-22T08:07:48.123Z` for milliseconds since 1970; the days by Howard Hinnant's `civil_from_days`.
fn rfc3339(ms: i64) -> String {
    const DAY: i64 = 86_400_000;
    let (days, in_day) = (ms.div_euclid(DAY), ms.rem_euclid(DAY));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (second, milli) = (in_day / 1000 % 60, in_day % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use super::super::message::Channel;
    use super::*;
    use doorcode_core::Secret;

    fn message(to: &str, text: &str) -> Message {
        Message {
            channel: Channel::Email,
            to: to.to_owned(),
            subject: "Your Example code".to_owned(),
            text: Secret::new(text.to_owned()),
            html: Secret::new(String::new()),
            code: Some(Secret::new("482913".to_owned())),
            link: None,
            message_id: "<1@example.com>".to_owned(),
            language: "en",
            stamp: None,
        }
    }

    fn texts(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.message().text.expose().as_str()).collect()
    }

    #[test]
    fn an_entry_is_exactly_eight_fields() {
        let inbox = Inbox::new(10);
        inbox.push(message("ada@example.com", "482913"), 1_795_334_868_123);
        let json = serde_json::to_string(&inbox.list(None)).unwrap();
        assert_eq!(
            json,
            r#"[{"channel":"email","to":"ada@example.com","subject":"Your Example code","text":"482913","html":"","code":"482913","link":null,"at":"2026-11-22T08:07:48.123Z"}]"#
        );
    }

    #[test]
    fn newest_first_for_all_and_for_one() {
        let inbox = Inbox::new(10);
        for (to, text) in [("a@x.org", "1"), ("b@x.org", "2"), ("a@x.org", "3")] {
            inbox.push(message(to, text), 0);
        }
        assert_eq!(texts(&inbox.list(None)), ["3", "2", "1"]);
        assert_eq!(texts(&inbox.list(Some("a@x.org"))), ["3", "1"]);
        assert!(inbox.list(Some("c@x.org")).is_empty());
        assert_eq!(inbox.get(2).unwrap().message().to, "b@x.org");
        assert!(inbox.get(0).is_none() && inbox.get(4).is_none());
    }

    #[test]
    fn the_oldest_leave_when_there_are_too_many() {
        let inbox = Inbox::new(3);
        for number in 0..10 {
            inbox.push(message(if number == 8 { "b@x.org" } else { "a@x.org" }, &number.to_string()), 0);
        }
        assert_eq!(texts(&inbox.list(None)), ["9", "8", "7"]);
        assert_eq!(texts(&inbox.list(Some("a@x.org"))), ["9", "7"]);
        assert!(inbox.get(7).is_none());
        assert_eq!(inbox.get(8).unwrap().number(), 8);
        for number in 10..13 {
            inbox.push(message("c@x.org", &number.to_string()), 0);
        }
        assert_eq!(inbox.shelf().by_address.len(), 1, "addresses without messages are forgotten");
    }

    #[test]
    fn the_oldest_leave_when_they_are_too_large() {
        let inbox = Inbox::bounded(1000, 10_000);
        for _ in 0..100 {
            inbox.push(message("a@x.org", &"x".repeat(2000)), 0);
            assert!(inbox.shelf().bytes <= 10_000);
        }
        assert!((2..5).contains(&inbox.list(None).len()));
        inbox.push(message("a@x.org", &"x".repeat(20_000)), 0);
        assert!(inbox.list(None).is_empty() && inbox.shelf().bytes == 0 && inbox.shelf().by_address.is_empty());
    }

    #[test]
    fn times_are_rfc_3339() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(ms), text);
        }
    }
}
