//! Why an agent wants a code, in its own words, for the person who decides. It is shown in quotes beside what the server knows,
//! so it must not look like that, nor lead anywhere. Refuses to be empty or long; drops what can't be seen; takes the ends off
//! quotes, and the life out of links: `https://evil.example/x` becomes `evil[.]example/x` where the name ends like one.

use std::net::Ipv4Addr;

use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;

use crate::error::{Error, Result};
use crate::glyph::is_hidden;
use crate::line::join;
use crate::sender::is_top_level;

/// The most that an agent may say, in characters (AgentOTP's own limit).
const LONGEST: usize = 500;
/// Marks on one letter. Languages have up to three; more of them are drawn over the lines above and below.
const MARKS: usize = 4;

/// An agent's words, fit to be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason(String);

impl Reason {
    /// Reads what an agent sent.
    ///
    /// # Errors
    /// `Invalid` with the field `reason` if there are more than 500 characters, or none that can be seen.
    pub fn parse(given: &str) -> Result<Self> {
        let invalid = |why| Error::Invalid { field: "reason", why };
        if given.len() > 4 * LONGEST || given.chars().count() > LONGEST {
            return Err(invalid("must have at most 500 characters"));
        }
        let line = join(given, LONGEST, is_hidden).ok_or(invalid("must not be empty"))?;
        let plain = quotable(&line);
        // What is gone may have been all there was, or leave two spaces.
        let dead = without_links(&plain).split_whitespace().collect::<Vec<_>>().join(" ");
        if dead.is_empty() { Err(invalid("must not be empty")) } else { Ok(Self(dead)) }
    }

    /// The words: one line without double quotes, so that whoever shows them can put quotes around. Not HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Somebody's words, fit to stand between quotes of ours: without quotes of their own and towers of marks.
pub fn quotable(line: &str) -> String {
    calm(line).chars().map(|c| if is_quote(c) { '\'' } else { c }).collect()
}

/// Whatever ends a quotation in some language, and could end ours.
const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{ab}' | '\u{bb}' | '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{2036}' | '\u{275d}' | '\u{275e}'
        | '\u{2e42}' | '\u{300c}'..='\u{300f}' | '\u{301d}'..='\u{301f}' | '\u{ff02}' | '\u{ff62}' | '\u{ff63}')
}

/// Without towers of marks.
fn calm(line: &str) -> String {
    let classes = CanonicalCombiningClassMapBorrowed::new();
    let mut marks = 0;
    let low = |c: &char| {
        marks = if classes.get_u8(*c) == 0 { 0 } else { marks + 1 };
        marks <= MARKS
    };
    line.chars().filter(low).collect()
}

/// Without what programs that show text make links of: `scheme://`, `scheme:` before anything, names and IPv4 addresses.
fn without_links(line: &str) -> String {
    let line = without_schemes(line);
    let mut shown = String::with_capacity(line.len() + 16);
    for (at, c) in line.char_indices() {
        let rest = &line[at + c.len_utf8()..];
        match c {
            ':' if shown.ends_with(|c: char| c.is_ascii_alphabetic()) && !rest.starts_with(' ') && !rest.is_empty() => {
                shown.push_str(": ");
            }
            _ if is_dot(c) && (ends_a_name(&shown, rest) || is_in_address(&line, at)) => shown.push_str("[.]"),
            _ => shown.push(c),
        }
    }
    shown
}

/// Without `scheme://` (RFC 3986 section 3.1), also where taking one out makes another.
fn without_schemes(line: &str) -> String {
    const END: &str = "://";
    let mut rest = line.to_owned();
    while let Some(at) = rest.find(END) {
        let scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let start = rest[..at].trim_end_matches(scheme).len();
        rest.replace_range(start..at + END.len(), "");
    }
    rest
}

/// The dot, and what IDNA takes for one.
const fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// Whether a dot between these two stands before a top-level name, or behind `www`.
fn ends_a_name(before: &str, rest: &str) -> bool {
    let end = |kept: fn(char) -> bool| rest.split(|c: char| !kept(c)).next().unwrap_or_default();
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    word.eq_ignore_ascii_case("www") && !rest.is_empty()
        || !word.is_empty()
            && (is_top_level(end(char::is_alphanumeric)) || is_top_level(end(|c| c.is_alphanumeric() || c == '-')))
}

/// Whether the dot at `at` is one of an IPv4 address.
fn is_in_address(line: &str, at: usize) -> bool {
    let part = |c: char| c.is_ascii_digit() || c == '.';
    let start = line[..at].trim_end_matches(part).len();
    let run = line[start..].split(|c| !part(c)).next().unwrap_or_default().trim_end_matches('.');
    at < start + run.len() && run.parse::<Ipv4Addr>().is_ok()
}
