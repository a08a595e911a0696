//! Finds the one-time code in any message of any language, or says that there is none.
//!
//! No language is guessed and no sender is known: words of all languages are looked for at once (`lexicon`), what looks
//! like a code is listed (`candidate`), and each is weighed by what stands next to it (`judge`). See docs/extraction.md.
//!
//! Refuses amounts, dates, times, telephone numbers, the numbers of orders, parcels, bookings and cards, what is part
//! of a link, and what HTML hides. Says nothing about who sent the message: whoever relays a code checks that first.

mod bound;
mod candidate;
mod context;
mod fold;
mod judge;
mod kind;
mod lexicon;
mod scan;
mod terms;
mod ties;
mod trie;
mod visible;

use std::borrow::Cow;

use zeroize::Zeroize as _;

pub use candidate::symbols;
use judge::Choice;
pub use kind::{Kind, Kinds, classify};

use crate::secret::Secret;

/// How the text of a message is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// As it is read.
    Text,
    /// HTML, of which only what is seen counts.
    Html,
}

/// A message as it came.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// The subject of a mail.
    pub subject: Option<&'a str>,
    /// The body.
    pub text: &'a str,
    /// How the body is written.
    pub format: Format,
}

/// The code of a message.
pub struct Found {
    /// As a person types it: ASCII, without separators and printed prefixes, in the case of the message.
    pub code: Secret<String>,
    /// How sure it is, in percent: 50 is barely a code, 99 is as sure as it gets.
    pub confidence: u8,
    /// The host that the last line binds the code to (`@host #code`). No other site may be given it.
    pub bound_to: Option<String>,
}

/// The longest message, in bytes: what is behind it is not looked at. Of what is left, the first 131,072
/// words are read (`scan`) and the first 4,096 numbers weighed (`candidate`).
const LONGEST: usize = 4 << 20;

/// What a message says.
enum Said {
    Code(Found),
    /// Two codes or more, and not which is meant.
    Several,
    Nothing,
}

/// The code in `message`, if there is one.
pub fn extract(message: &Message<'_>) -> Option<Found> {
    match read(message) {
        Said::Code(found) => Some(found),
        Said::Several | Said::Nothing => None,
    }
}

/// The code in one message that is written in several ways, the best first: of the first that says one. Where one says several, the others do
/// not decide which: whoever wrote both would choose by what only the second shows.
pub fn extract_first(forms: &[Message<'_>]) -> Option<Found> {
    for form in forms {
        match read(form) {
            Said::Code(found) => return Some(found),
            Said::Several => return None,
            Said::Nothing => {}
        }
    }
    None
}

fn read(message: &Message<'_>) -> Said {
    let text = visible(message);
    let found = bound::read(&text).map_or_else(|| weigh(&text, message.format), Said::Code);
    // What was written here holds the code as well.
    if let Cow::Owned(mut text) = text {
        text.zeroize();
    }
    found
}

/// The best candidate of a text, if it is good enough.
fn weigh(text: &str, format: Format) -> Said {
    let scan = scan::scan(text);
    let candidates = candidate::find(&scan, text, format == Format::Html);
    if candidates.is_empty() {
        return Said::Nothing;
    }
    let mut hits = terms::find(&scan);
    let (best, points) = match judge::choose(&scan, &mut hits, &candidates, text) {
        Choice::One(best, points) => (best, points),
        Choice::Several => return Said::Several,
        Choice::None => return Said::Nothing,
    };
    let chosen = &candidates[best];
    let code = candidate::symbols(&text[chosen.start as usize..chosen.end as usize]);
    let confidence = points.clamp(judge::ENOUGH, 99) as u8;
    Said::Code(Found { code: Secret::new(code), confidence, bound_to: None })
}

/// The text of a message as a person sees it: the subject, an empty line, the body.
pub fn visible<'a>(message: &Message<'a>) -> Cow<'a, str> {
    let body = match message.format {
        Format::Text => Cow::Borrowed(cut(message.text)),
        Format::Html => Cow::Owned(visible::text(cut(message.text))),
    };
    match message.subject.map(cut) {
        None | Some("") => body,
        Some(subject) => Cow::Owned(format!("{subject}\n\n{body}")),
    }
}

/// At most so much of it, whole characters.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

#[cfg(test)]
mod tests {
    use super::{Format, Message, candidate, extract, extract_first, scan, terms, visible};

    /// The attack: the text has two codes, so that it is not said which is meant, and the part that is not shown decides.
    #[test]
    fn a_text_that_says_two_is_not_decided_by_another_part() {
        let text = |text| Message { subject: None, text, format: Format::Text };
        let html = Message { subject: None, text: "<p>Your code is 482913</p>", format: Format::Html };
        let two = text("Your code is 482913\nYour code is 771122\n");
        assert!(extract(&two).is_none() && extract(&html).is_some(), "else this tries nothing");
        let code = |forms: &[Message<'_>]| extract_first(forms).map(|found| found.code.expose().clone());
        assert_eq!(code(&[two, html]), None);
        assert_eq!(code(&[text("See below."), html]).as_deref(), Some("482913"));
        assert_eq!(code(&[text("Your code is 771122"), html]).as_deref(), Some("771122"));
        assert_eq!(code(&[]), None);
    }

    /// What is made of a message. Each token, hit and candidate is worked on a bounded number of times.
    fn work(text: &str, format: Format) -> usize {
        let text = visible(&Message { subject: None, text, format });
        let scan = scan::scan(&text);
        let candidates = candidate::find(&scan, &text, format == Format::Html);
        text.len() + scan.folded.len() + scan.tokens.len() + terms::find(&scan).len() + candidates.len()
    }

    #[test]
    fn twice_the_message_is_at_most_twice_the_work() {
        for piece in [
            "1 ",
            "12-",
            "1234 ",
            "@a",
            "@a.",
            "a.b/",
            "code ",
            "verification code: ",
            "验证码",
            "รหัส",
            "kod",
            "<p>",
            "<",
            "<a '",
            "<!--",
            "</p",
            "<b style='font-size:0'>",
            "&amp;",
            "\n",
            "A1B2 ",
            "never share ",
            "www.",
            "://",
            "1,",
        ] {
            for format in [Format::Text, Format::Html] {
                let (once, twice) = (piece.repeat(1 << 10), piece.repeat(1 << 11));
                let (once, twice) = (work(&once, format), work(&twice, format));
                assert!(twice <= 2 * once + 16, "{piece}: {once}, then {twice}");
                // A letter begins few words of the lists, so there is a ceiling for a byte as well.
                assert!(twice <= 12 * (piece.len() << 11), "{piece}: {twice}");
            }
        }
    }
}
