//! Phone numbers in E.164: `+`, country code, number. Refuses national numbers, which need a country to be guessed, and
//! `(0)`, which is not dialled from abroad. Whether the number exists is for the carrier to say.

use std::fmt;

use crate::error::{Error, Result};
use crate::glyph::{is_blank, is_dash};

/// The longest input that is looked at, in bytes.
const LONGEST_INPUT: usize = 64;

/// A phone number in canonical form: `+` and 8 to 15 digits (ITU-T E.164 section 6), the first of them not 0.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

impl Phone {
    /// Reads a number. Spaces, dots, hyphens and parentheses are dropped, and the invisible marks that address books
    /// put around numbers.
    ///
    /// # Errors
    /// `Invalid` with the field `phone` and what is wrong.
    pub fn parse(input: &str) -> Result<Self> {
        if input.len() > LONGEST_INPUT {
            return Err(invalid("is too long"));
        }
        if input.contains("(0)") {
            return Err(invalid("must not have the (0) that is only dialled at home"));
        }
        let mut number = String::with_capacity(16);
        for c in input.chars() {
            match c {
                '+' if number.is_empty() => number.push(c),
                '0'..='9' if number.len() == 16 => return Err(invalid("must have at most 15 digits")),
                '0'..='9' if !number.is_empty() => number.push(c),
                '0'..='9' => return Err(invalid("must start with + and the country code")),
                '.' | '(' | ')' => {}
                _ if is_blank(c) || is_dash(c) => {}
                _ => return Err(invalid("must have only + and digits")),
            }
        }
        match number.len() {
            0 => Err(invalid("must start with + and the country code")),
            1..9 => Err(invalid("must have at least 8 digits")),
            _ if number[1..].starts_with('0') => Err(invalid("must start with + and the country code")),
            _ => Ok(Self(number)),
        }
    }

    /// The canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `+49***89`: the country code and the last two digits, nothing about the length.
    pub fn masked(&self) -> String {
        let (country, number) = self.0.split_at(1 + country_digits(&self.0[1..]));
        format!("{country}***{}", &number[number.len() - 2..])
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

const fn invalid(why: &'static str) -> Error {
    Error::Invalid { field: "phone", why }
}

/// How many digits the country code has (ITU-T E.164, list of assigned codes): zones 1 and 7 one, the countries below
/// two, everybody else three.
fn country_digits(number: &str) -> usize {
    match number.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    }
}
