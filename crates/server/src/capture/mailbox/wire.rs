//! What a mailbox's server sends, looked at byte by byte before the parser has it: that one goes a step deeper with each parenthesis, takes the
//! memory that a literal announces before a byte of it has come, reads a line from its beginning whenever a piece more is there, and panics
//! at a few words. Refuses parentheses, lines and literals that no answer to our questions has, and those words.
//!
//! What it counts a server can't hide. Quotes are not followed, so nothing is inside of any; and a literal may stand only where the parser
//! takes it for one and for nothing else: in a FETCH, while a message is waited for.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::egress::Line;

/// Bytes of one response outside of its literals. Flags of a folder are the longest that is asked for.
const TEXT_MOST: usize = 16 * 1024;
/// Parentheses that one response opens. Those that we ask for open three.
const OPENED_MOST: u32 = 32;
/// The beginning of a response, by which it is known for a FETCH.
const HEAD: usize = 24;
/// A time that is none: the parser panics.
const NO_TIME: u128 = u128::from_be_bytes(*b"INTERNALDATE NIL");

/// A connection of which only what the parser is fit for is handed on.
pub(super) struct Wire {
    line: Line,
    form: Form,
    literals: bool,
}

impl Wire {
    pub(super) fn of(line: Line) -> Self {
        Self { line, form: Form::default(), literals: false }
    }

    pub(super) fn into_line(self) -> Line {
        self.line
    }

    /// From now on it may give so many bytes, and no literal.
    pub(super) fn allow(&mut self, bytes: usize) {
        self.line.allow(bytes);
        self.literals = false;
    }

    /// From now on it may give so many bytes, and literals as long as those.
    pub(super) fn allow_literals(&mut self, bytes: usize) {
        self.line.allow(bytes);
        self.literals = true;
    }

    pub(super) fn by_lines(&mut self, by_lines: bool) {
        self.line.by_lines(by_lines);
    }

    pub(super) async fn hears(&mut self) -> io::Result<()> {
        self.line.hears().await
    }
}

/// Where in a response it is.
#[derive(Default)]
struct Form {
    /// Bytes of a literal that are yet to come.
    inside: usize,
    text: usize,
    opened: u32,
    head: [u8; HEAD],
    /// The last sixteen bytes, in capitals.
    last: u128,
    mark: Mark,
}

/// How much of `{5}` and the end of its line was read.
#[derive(Clone, Copy, Default)]
enum Mark {
    #[default]
    None,
    Opened,
    Digits(usize),
    Closed(usize),
    Return(usize),
}

impl Mark {
    fn next(self, byte: u8) -> Self {
        match (self, byte) {
            (_, b'{') => Self::Opened,
            (Self::Opened, b'0'..=b'9') => Self::Digits(usize::from(byte - b'0')),
            (Self::Digits(so_far), b'0'..=b'9') => {
                Self::Digits(so_far.saturating_mul(10).saturating_add(usize::from(byte - b'0')))
            }
            (Self::Digits(length), b'}') => Self::Closed(length),
            (Self::Closed(length), b'\r') => Self::Return(length),
            _ => Self::None,
        }
    }
}

impl Form {
    /// Reads what came, where `left` more bytes may come, literals only if those are waited for.
    fn read(&mut self, mut said: &[u8], left: usize, literals: bool) -> Result<(), &'static str> {
        while let Some((&byte, rest)) = said.split_first() {
            if self.inside > 0 {
                let skipped = self.inside.min(said.len());
                self.inside -= skipped;
                said = &said[skipped..];
                continue;
            }
            said = rest;
            self.step(byte)?;
            match self.mark {
                Mark::Return(length) if byte == b'\n' => {
                    self.mark = Mark::None;
                    if !literals || !self.is_fetch() || length > left.saturating_add(said.len()) {
                        return Err("a literal that was not asked for");
                    }
                    self.inside = length;
                }
                _ if byte == b'\n' && (self.last >> 8).to_be_bytes().ends_with(b"\r") => *self = Self::default(),
                _ => self.mark = self.mark.next(byte),
            }
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<(), &'static str> {
        if let Some(place) = self.head.get_mut(self.text) {
            *place = byte.to_ascii_uppercase();
        }
        self.text += 1;
        self.opened += u32::from(byte == b'(');
        self.last = self.last << 8 | u128::from(byte.to_ascii_uppercase());
        match () {
            () if self.text > TEXT_MOST => Err("a response without end"),
            () if self.opened > OPENED_MOST => Err("parentheses without end"),
            () if self.last == NO_TIME => Err("a time that is none"),
            () => Ok(()),
        }
    }

    /// Whether it begins as `* 12 FETCH `.
    fn is_fetch(&self) -> bool {
        let Some(head) = self.head.strip_prefix(b"* ") else { return false };
        let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
        digits > 0 && head[digits..].starts_with(b" FETCH ")
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.line).poll_read(cx, buffer))?;
        let read = this.form.read(&buffer.filled()[before..], this.line.left(), this.literals);
        Poll::Ready(read.map_err(|why| {
            buffer.set_filled(before);
            io::Error::other(why)
        }))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.line).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use async_imap::imap_proto::parser::parse_response;

    use super::*;

    /// The same, whole and byte by byte.
    fn read(said: &[u8], left: usize, literals: bool) -> Result<(), &'static str> {
        let whole = Form::default().read(said, left, literals);
        let mut form = Form::default();
        let pieces = said
            .iter()
            .enumerate()
            .try_for_each(|(at, byte)| form.read(std::slice::from_ref(byte), left + said.len() - at - 1, literals));
        assert_eq!(whole, pieces);
        whole
    }

    #[test]
    fn what_servers_say_is_handed_on() {
        let message = format!("Subject: {}INTERNALDATE NIL {{99999999}}\r\n", "(".repeat(100));
        let size = message.len();
        let fetch = format!(
            "* 1 FETCH (UID 7 FLAGS (\\Seen) MODSEQ (9) INTERNALDATE \"17-Jul-2026 02:44:25 +0000\" RFC822.SIZE {size} BODY[]<0> {{{size}}}\r\n{message})\r\n"
        );
        for said in [
            "* OK (almost) ready [a {b} c]\r\n",
            "* FLAGS (\\Answered \\Seen {5})\r\n* 4 EXISTS\r\n",
            &format!("{fetch}{fetch}a1 OK done\r\n"),
            &fetch.to_ascii_lowercase(),
            "* 1 FETCH (BODY[] {0}\r\n)\r\na1 OK done {5} \r\n",
        ] {
            assert_eq!(read(said.as_bytes(), 0, true), Ok(()), "{said}");
        }
        let (rest, _) = parse_response(fetch.as_bytes()).unwrap();
        assert!(rest.is_empty());
    }

    #[test]
    fn parentheses_do_not_hide() {
        let many = "(".repeat(60_000);
        for before in [
            "* 1 FETCH (BODYSTRUCTURE ",
            "* 1 FETCH (FLAGS () BODYSTRUCTURE \"",
            "* OK a quote that has no end: \"\r\n* 1 FETCH (BODYSTRUCTURE ",
            "* 1 FETCH (BODY[] {3}\r\n((()) BODYSTRUCTURE ",
            "* 1 FETCH (BODY[] {000003}\r\n((()) BODYSTRUCTURE ",
            "* 1 FETCH (BODY[] {3} \r\n BODYSTRUCTURE ",
        ] {
            assert_eq!(read(format!("{before}{many}").as_bytes(), 0, true), Err("parentheses without end"), "{before}");
        }
        // Closed ones count: between quotes they would close nothing.
        let closed = "(\")\" ".repeat(60_000);
        assert!(read(format!("* 1 FETCH (BODYSTRUCTURE {closed}").as_bytes(), 0, true).is_err());
    }

    /// What the parser takes for text and not for a literal: behind it would be a response that nobody has looked at.
    #[test]
    fn a_literal_stands_in_a_fetch_that_was_asked_for() {
        for said in [
            "* OK ready {60000}\r\n",
            "* NO [BADCHARSET ({60000}\r\n",
            "+ go on {60000}\r\n",
            "a1 OK done {60000}\r\n",
            "a1 FETCH {60000}\r\n",
            "* FETCH {60000}\r\n",
            "* 1 FETCHED {60000}\r\n",
            "* METADATA \"\" (/shared/comment {1}\r\n",
            "* LIST () {5}\r\n",
        ] {
            assert_eq!(read(said.as_bytes(), 1 << 20, true), Err("a literal that was not asked for"), "{said}");
        }
        let fetch = b"* 1 FETCH (BODY[] {60000}\r\n";
        assert_eq!(read(fetch, 60_000, true), Ok(()));
        assert!(read(fetch, 60_000, false).is_err() && read(fetch, 59_999, true).is_err());
        for length in ["530000000", "4294967296", "99999999999999999999999999"] {
            assert!(read(format!("* 1 FETCH (BODY[] {{{length}}}\r\n").as_bytes(), 1 << 20, true).is_err());
        }
    }

    #[test]
    fn a_response_ends() {
        let line = |length| format!("* OK {}\r\n", "x".repeat(length));
        assert_eq!(read(line(TEXT_MOST - 7).repeat(3).as_bytes(), 0, false), Ok(()));
        assert_eq!(read(line(TEXT_MOST - 6).as_bytes(), 0, false), Err("a response without end"));
        // Neither byte ends one alone, and literals don't.
        assert!(read("* OK\n".repeat(TEXT_MOST / 5 + 1).as_bytes(), 0, false).is_err());
        assert!(read("* OK\r".repeat(TEXT_MOST / 5 + 1).as_bytes(), 0, false).is_err());
        let pieces = "BODY[] {0}\r\n ".repeat(TEXT_MOST / 13 + 1);
        assert!(read(format!("* 1 FETCH ({pieces}").as_bytes(), 0, true).is_err());
    }

    /// What the parser panics at. Of those, METADATA has to have a literal.
    #[test]
    fn what_the_parser_panics_at_is_refused() {
        let panics = |said: &[u8]| std::panic::catch_unwind(|| parse_response(said).is_ok()).is_err();
        for said in [
            &b"* 1 FETCH (UID 1 INTERNALDATE NIL)\r\n"[..],
            b"* 1 FETCH (internaldate nil",
            b"* METADATA \"\" (/shared/comment {1}\r\n\xff)\r\n",
            b"* METADATA \"\" {17}\r\n/shared/comment \xff\r\n",
        ] {
            assert!(panics(said) && read(said, 1 << 20, true).is_err(), "{}", String::from_utf8_lossy(said));
        }
        // Once it did; where it does again, this says so.
        assert!(!panics(b"* ID (\"a\" NIL)\r\n"));
    }
}
