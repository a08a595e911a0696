//! Placeholders: where they stand in a text, and the text with them filled in. Refuses a name that it does not know.

use std::fmt;

/// A piece of a text with placeholders.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Said as it stands.
    Plain(&'a str),
    /// The name of a placeholder: what was in the braces.
    Name(&'a str),
}

/// The pieces of a text, in order. A brace that is never closed opens a name that nobody knows.
pub fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(after) = rest.strip_prefix('{') {
            let (name, behind) = after.split_once('}').unwrap_or((after, ""));
            rest = behind;
            return Some(Part::Name(name));
        }
        let (plain, behind) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
        rest = behind;
        Some(Part::Plain(plain))
    })
}

/// A text of a mail with its placeholders filled in, written straight to where it goes.
#[derive(Clone, Copy)]
pub struct Filled<'a> {
    /// The text, with placeholders.
    pub text: &'static str,
    /// What stands for `{product}`.
    pub product: &'a str,
    /// What stands for `{minutes}`.
    pub minutes: u32,
}

impl fmt::Display for Filled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in parts(self.text) {
            match part {
                Part::Plain(plain) => f.write_str(plain)?,
                Part::Name("product") => f.write_str(self.product)?,
                Part::Name("minutes") => write!(f, "{}", self.minutes)?,
                Part::Name(_) => return Err(fmt::Error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fall_into_pieces() {
        let pieces = |text| parts(text).collect::<Vec<_>>();
        assert_eq!(pieces(""), []);
        assert_eq!(pieces("a {b} c"), [Part::Plain("a "), Part::Name("b"), Part::Plain(" c")]);
        assert_eq!(pieces("{a}{b}"), [Part::Name("a"), Part::Name("b")]);
        assert_eq!(pieces("a {b"), [Part::Plain("a "), Part::Name("b")]);
        assert_eq!(pieces("a } b"), [Part::Plain("a } b")]);
    }

    #[test]
    fn what_stands_for_a_placeholder_is_not_read_again() {
        let filled = Filled { text: "{product}: {minutes}", product: "{minutes}", minutes: 7 };
        assert_eq!(filled.to_string(), "{minutes}: 7");
    }
}
