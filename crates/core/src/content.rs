//! Patterns of what a message says: a regular expression that an agent sends with its request. Written for JavaScript, so
//! `\d`, `\w` and `\b` are of ASCII, as there. Refuses whatever has no linear time (look-around, back-references), and what is
//! built to be large or slow to build; what it looks at has an end too. Compares, and shows nobody what fitted.

use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::error::{Error, Result};
use crate::glyph::is_hidden;

/// The longest pattern, in characters (AgentOTP's own limit).
const LONGEST: usize = 500;
/// Bytes of the program. With [`LOOKED_AT`] it bounds the time: the worst that was found takes 0.1 s on one core.
const PROGRAM: usize = 64 << 10;
/// Bytes of states that are kept while matching.
const STATES: usize = 1 << 20;
/// Groups in groups.
const NESTED: u32 = 32;
/// Bytes of a message that are looked at. A code is near the beginning.
const LOOKED_AT: usize = 8 << 10;

/// White space of ECMAScript: `WhiteSpace` and `LineTerminator`.
const SPACE: &str = r"\t\n\x0b\x0c\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}";

/// A regular expression that is safe to run on a message.
pub struct ContentPattern {
    text: String,
    regex: Regex,
}

impl ContentPattern {
    /// Reads a pattern. It fits anywhere in a message unless it says otherwise, and minds case unless it begins with `(?i)`.
    ///
    /// # Errors
    /// `Invalid` with the field `contentPattern` and what is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > 4 * LONGEST || text.chars().count() > LONGEST {
            return Err(invalid("must have at most 500 characters"));
        }
        if text.is_empty() {
            return Err(invalid("must not be empty"));
        }
        if has_flags(text) && names_others(text) {
            return Err(invalid("must be of ASCII if it has flags such as (?i)"));
        }
        let Some(spelled) = as_in_javascript(text) else {
            return Err(invalid("must have no classes of Unicode properties"));
        };
        let mut builder = RegexBuilder::new(&spelled);
        builder.size_limit(PROGRAM).dfa_size_limit(STATES).nest_limit(NESTED);
        match builder.build() {
            Ok(regex) => Ok(Self { text: text.to_owned(), regex }),
            Err(regex::Error::CompiledTooBig(_)) => Err(invalid("repeats too much")),
            Err(_) => Err(invalid("must be a regular expression without look-around and back-references")),
        }
    }

    /// The pattern as it was sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it fits the beginning of a message, 8 KiB of it.
    pub fn matches(&self, message: &str) -> bool {
        self.regex.is_match(&message[..message.floor_char_boundary(LOOKED_AT)])
    }
}

impl fmt::Debug for ContentPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentPattern")
    }
}

/// A pattern as whoever says yes to it is shown it, and as their record keeps it: what nobody would see in it is spelled out, as
/// `\u{200b}`, so that it reads as it matches. It has an end, though no pattern that was taken reaches it.
pub fn shown(pattern: &str) -> String {
    let mut shown = String::with_capacity(pattern.len());
    for c in pattern.chars().take(LONGEST) {
        if c != ' ' && is_hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether it may have flags. They are what makes a class of all characters slow to build: with `(?i)` each of its
/// characters is looked up in other cases.
fn has_flags(text: &str) -> bool {
    text.match_indices("(?").any(|(at, open)| !text[at + open.len()..].starts_with([':', '<', 'P']))
}

/// Whether it may mean characters outside of ASCII other than by leaving out.
fn names_others(text: &str) -> bool {
    !text.is_ascii() || [r"\x", r"\u", r"\U"].iter().any(|escape| text.contains(escape))
}

/// The classes that mean less in JavaScript, spelled out. Within brackets a class in brackets is one more of its members.
/// None for Unicode properties: whether there are tables of them depends on who else is compiled in.
fn as_in_javascript(text: &str) -> Option<String> {
    let mut spelled = String::with_capacity(text.len() + 64);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            spelled.push(c);
            continue;
        }
        match chars.next() {
            Some('d') => spelled.push_str("[0-9]"),
            Some('D') => spelled.push_str("[^0-9]"),
            Some('w') => spelled.push_str("[0-9A-Za-z_]"),
            Some('W') => spelled.push_str("[^0-9A-Za-z_]"),
            Some('s') => spelled.extend(["[", SPACE, "]"]),
            Some('S') => spelled.extend(["[^", SPACE, "]"]),
            Some('b') => spelled.push_str(r"(?-u:\b)"),
            Some('B') => spelled.push_str(r"(?-u:\B)"),
            Some('p' | 'P') => return None,
            // Themselves: a literal escapes its slash, and the others would be edges of words here.
            Some(itself @ ('/' | '<' | '>')) => spelled.push(itself),
            other => {
                spelled.push('\\');
                spelled.extend(other);
            }
        }
    }
    Some(spelled)
}

const fn invalid(why: &'static str) -> Error {
    Error::Invalid { field: "contentPattern", why }
}
