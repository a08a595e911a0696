//! Where a command ends, and where a mail does: at CR and LF together, and nowhere else. Refuses either of them alone. Some servers take
//! `LF . LF` for the end of a mail and others do not, and between two of them a mail can be smuggled inside of another.

use super::command::{LINE_MOST, MAIL_MOST};

/// What stands first in what was read.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Line {
    /// A line of so many bytes, its end not counted.
    Whole(usize),
    /// Not all of it.
    Part,
    /// Longer than any command.
    TooLong,
    /// CR or LF alone.
    Bare,
}

/// Finds the first line.
pub(super) fn first(read: &[u8]) -> Line {
    let Some(at) = read.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
        return if read.len() >= LINE_MOST { Line::TooLong } else { Line::Part };
    };
    match (read[at], read.get(at + 1)) {
        _ if at + 2 > LINE_MOST => Line::TooLong,
        (b'\r', Some(b'\n')) => Line::Whole(at),
        (b'\r', None) => Line::Part,
        _ => Line::Bare,
    }
}

/// How the text of a mail ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// As it must.
    Whole,
    /// It is too large: what is over the limit was passed over.
    TooLarge,
    /// With CR or LF alone somewhere in it: nothing behind that can be trusted.
    Bare,
}

/// The text of a mail as it comes in, dots taken away (RFC 5321 section 4.5.2).
#[derive(Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    at: At,
    over: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum At {
    #[default]
    LineStart,
    Dot,
    DotCr,
    Inside,
    Cr,
}

impl Text {
    /// Takes what was read. Gives how much of it belongs to the mail, and how the mail ended, if it did.
    pub(super) fn take(&mut self, read: &[u8]) -> (usize, Option<End>) {
        for (place, byte) in read.iter().enumerate() {
            let next = match (self.at, byte) {
                (At::Cr, b'\n') => {
                    self.push(b"\r\n");
                    At::LineStart
                }
                (At::DotCr, b'\n') => {
                    return (place + 1, Some(if self.over { End::TooLarge } else { End::Whole }));
                }
                (At::Dot, b'\r') => At::DotCr,
                (At::LineStart | At::Inside, b'\r') => At::Cr,
                (At::Cr | At::DotCr, _) | (_, b'\n') => return (place + 1, Some(End::Bare)),
                (At::LineStart, b'.') => At::Dot,
                // The first dot of a line is the client's.
                (At::LineStart | At::Inside | At::Dot, byte) => {
                    self.push(&[*byte]);
                    At::Inside
                }
            };
            self.at = next;
        }
        (read.len(), None)
    }

    fn push(&mut self, bytes: &[u8]) {
        self.over |= self.bytes.len() + bytes.len() > MAIL_MOST;
        if !self.over {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// The mail.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Room that it takes.
    pub(super) fn room(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ends_at_cr_lf_only() {
        for (read, line) in [
            (&b"NOOP\r\nQUIT"[..], Line::Whole(4)),
            (b"\r\n", Line::Whole(0)),
            (b"NOOP\r", Line::Part),
            (b"NOOP", Line::Part),
            (b"", Line::Part),
            (b"NOOP\nQUIT\r\n", Line::Bare),
            (b"NO\rOP\r\n", Line::Bare),
            (b"\n", Line::Bare),
        ] {
            assert_eq!(first(read), line, "{read:?}");
        }
        let long = [b'x'; LINE_MOST];
        assert_eq!(first(&long), Line::TooLong);
        assert_eq!(first(&[&long[2..], b"\r\n"].concat()), Line::Whole(LINE_MOST - 2));
        assert_eq!(first(&[&long[1..], b"\r\n"].concat()), Line::TooLong);
    }

    /// Whatever is read in pieces of any size.
    fn ended(read: &[u8]) -> (Vec<u8>, usize, Option<End>) {
        let mut whole = Text::default();
        let (used, end) = whole.take(read);
        for piece in 1..4 {
            let (mut text, mut all, mut ended) = (Text::default(), 0, None);
            for chunk in read.chunks(piece) {
                let (used, end) = text.take(chunk);
                (all, ended) = (all + used, end);
                if end.is_some() {
                    break;
                }
            }
            assert_eq!((text.bytes(), all, ended), (whole.bytes(), used, end), "in pieces of {piece}");
        }
        (whole.bytes().to_vec(), used, end)
    }

    #[test]
    fn a_mail_ends_at_a_dot_alone_and_its_other_dots_are_taken_away() {
        let (text, used, end) = ended(b"Subject: a\r\n\r\n..b\r\n.c\r\nd.\r\n.\r\nQUIT\r\n");
        assert_eq!((&text[..], used, end), (&b"Subject: a\r\n\r\n.b\r\nc\r\nd.\r\n"[..], 30, Some(End::Whole)));
        assert_eq!(ended(b".\r\n"), (Vec::new(), 3, Some(End::Whole)));
        assert_eq!(ended(b"a\r\n.").2, None);
        assert_eq!(ended(b"a\r\n.\r").2, None);
    }

    #[test]
    fn nothing_else_ends_a_mail_and_what_would_elsewhere_is_refused() {
        for smuggled in [
            &b"a\n.\r\nMAIL FROM:<x@y>\r\n"[..],
            b"a\r\n.\nMAIL FROM:<x@y>\r\n",
            b"a\n.\nMAIL FROM:<x@y>\r\n",
            b"a\r.\r\nMAIL FROM:<x@y>\r\n",
            b"a\r\n.\rMAIL FROM:<x@y>\r\n",
            b"a\r.\rMAIL FROM:<x@y>\r\n",
            b"a\r\r\n.\r\n",
            b"a\nb\r\n.\r\n",
            b"\n.\r\n",
        ] {
            assert_eq!(ended(smuggled).2, Some(End::Bare), "{:?}", String::from_utf8_lossy(smuggled));
        }
    }

    #[test]
    fn what_is_too_large_is_passed_over_to_its_end() {
        let mut text = Text::default();
        let line = [[b'x'; 998].as_slice(), b"\r\n"].concat();
        for _ in 0..=MAIL_MOST / 1000 {
            assert_eq!(text.take(&line), (1000, None));
        }
        assert!(text.bytes().len() <= MAIL_MOST && text.room() <= 2 * MAIL_MOST);
        assert_eq!(text.take(b".\r\nQUIT"), (3, Some(End::TooLarge)));
    }
}
