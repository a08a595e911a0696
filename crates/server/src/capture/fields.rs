//! The header block of a message as a list of fields, by one strict reading. Refuses what the libraries that read it next would read again and
//! again; and to repair: a block that other readers could
//! take apart in another way (bare line ends, spaces in names, lines of nothing but spaces) is said to be so, and proves nothing.

use std::ops::Range;

/// The largest header block that is looked at. Those of real mail, with every relay's signature, stay below 64 KiB.
const MAX_BLOCK: usize = 128 * 1024;
/// The largest field.
const MAX_FIELD: usize = 32 * 1024;
/// The most fields of a header block.
const MAX_FIELDS: usize = 500;

/// Where the library looks through the rest of a field at each of these bytes, if what they begin is no encoded word (RFC 2047) after all.
const WORD: &[u8] = b"=?";
/// Fields with parameters or tags, each of which the libraries hold against all before it.
const LISTS: [&str; 4] = ["Content-Type", "Content-Disposition", "DKIM2-Signature", "Message-Instance"];
/// The most parameters or tags of one of those. A part of a mail has up to five.
const MAX_PARAMETERS: usize = 64;

/// One field: where its name and its value lie in the message. The value goes from behind the colon to its last line end.
pub(super) struct Field {
    name: Range<usize>,
    value: Range<usize>,
}

/// The fields of a header block, in their order.
pub(super) struct Fields {
    fields: Vec<Field>,
    body: usize,
    plain: bool,
}

impl Fields {
    /// Reads the block that `raw` begins with. None: it is too large, or has too many fields.
    pub(super) fn read(raw: &[u8]) -> Option<Self> {
        let mut found = Self { fields: Vec::new(), body: raw.len(), plain: true };
        let mut at = 0;
        while at < raw.len() {
            let end =
                raw[at..].iter().take(MAX_BLOCK).position(|byte| *byte == b'\n').map_or(raw.len(), |lf| at + lf + 1);
            if end > MAX_BLOCK || found.fields.len() == MAX_FIELDS {
                return None;
            }
            let line = &raw[at..end];
            if matches!(line, b"\r\n" | b"\n") {
                found.plain &= line.len() == 2;
                found.body = end;
                return Some(found);
            }
            found.take(line, at);
            at = end;
        }
        Some(found)
    }

    /// One line of the block, which begins at `at`.
    fn take(&mut self, line: &[u8], at: usize) {
        let (text, ended) = line.strip_suffix(b"\r\n").map_or((line, false), |text| (text, true));
        self.plain &= ended && !text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
        let end = at + line.len();
        if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            self.plain &= !text.trim_ascii().is_empty();
            match self.fields.last_mut() {
                Some(field) => field.value.end = end,
                None => self.plain = false,
            }
            return;
        }
        match line.iter().position(|byte| *byte == b':') {
            Some(colon) if colon > 0 && line[..colon].iter().all(u8::is_ascii_graphic) => {
                self.fields.push(Field { name: at..at + colon, value: at + colon + 1..end });
            }
            _ => self.plain = false,
        }
    }

    /// Whether every reader takes the block apart like this.
    pub(super) const fn is_plain(&self) -> bool {
        self.plain
    }

    /// Where the body begins.
    pub(super) const fn body(&self) -> usize {
        self.body
    }

    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether reading it takes about as long as it is: at most `words` encoded words or what looks like one, no field that is too long, no list
    /// without end.
    pub(super) fn is_bounded(&self, raw: &[u8], words: usize) -> bool {
        let small = |field: &Field| {
            let value = raw.get(field.value.clone()).unwrap_or_default();
            let is_list = LISTS.iter().any(|name| field.is(raw, name));
            value.len() <= MAX_FIELD
                && !(is_list && value.iter().filter(|byte| **byte == b';').count() > MAX_PARAMETERS)
        };
        let block = raw.get(..self.body).unwrap_or(raw);
        block.windows(WORD.len()).filter(|found| *found == WORD).count() <= words && self.fields.iter().all(small)
    }

    /// How many there are of this name.
    pub(super) fn count(&self, raw: &[u8], name: &str) -> usize {
        self.fields.iter().filter(|field| field.is(raw, name)).count()
    }

    /// The values of this name, folded as they are, from the top.
    pub(super) fn values<'a>(&'a self, raw: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |field| field.is(raw, name)).filter_map(|field| raw.get(field.value.clone()))
    }
}

impl Field {
    fn is(&self, raw: &[u8], name: &str) -> bool {
        raw.get(self.name.clone()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Fields {
        Fields::read(raw.as_bytes()).unwrap()
    }

    #[test]
    fn fields_are_what_they_are_and_may_be_folded() {
        let raw = "From: a@x.org\r\nsubject: one\r\n\ttwo\r\nSUBJECT:three\r\n\r\nbody: no\r\n";
        let fields = read(raw);
        assert!(fields.is_plain());
        assert_eq!((fields.len(), &raw[fields.body()..]), (3, "body: no\r\n"));
        let subjects: Vec<&[u8]> = fields.values(raw.as_bytes(), "Subject").collect();
        assert_eq!(subjects, [b" one\r\n\ttwo\r\n".as_slice(), b"three\r\n"]);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_plain() {
        for raw in [
            "From : a@x.org\r\n\r\n",
            "From: a@x.org\n\r\n",
            "From: a@x.org\r\n\n",
            "From: a@x.org\rSubject: x\r\n\r\n",
            "From: a@x.org\r\n \r\nSubject: x\r\n\r\n",
            "From: a@x.org\r\nno colon here\r\n\r\n",
            ": no name\r\n\r\n",
            " Subject: folded onto nothing\r\n\r\n",
            "Subject: a\0b\r\n\r\n",
            "Fr\u{e9}m: a@x.org\r\n\r\n",
            "From: cut",
        ] {
            assert!(!read(raw).is_plain(), "{raw:?}");
        }
    }

    #[test]
    fn a_block_without_end_is_given_up() {
        assert!(Fields::read("a:\r\n".repeat(MAX_FIELDS + 1).as_bytes()).is_none());
        assert!(Fields::read(format!("a: {}\r\n\r\n", "x".repeat(MAX_BLOCK)).as_bytes()).is_none());
        assert!(Fields::read("x".repeat(2 * MAX_BLOCK).as_bytes()).is_none());
        let headers = "a:\r\n".repeat(MAX_FIELDS) + "\r\n";
        assert!(Fields::read(headers.as_bytes()).is_none_or(|fields| fields.len() == MAX_FIELDS));
    }
}
