//! One-time codes: derived, shown, read back and compared. A code is never stored: it is what HMAC under a key outside
//! the database makes of everything that the code is for, so a resend carries the same one. Refuses to compare a
//! short entry with a long code, to favour any symbol, and to guess what a strange character might have meant.

use std::fmt;
use std::str::FromStr;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::glyph::{is_blank, is_dash};
use crate::id::{ChallengeId, OrgId};
use crate::root::Root;
use crate::secret::Secret;

/// A code, in its canonical spelling: upper case, without separators.
pub type Code = Secret<String>;

/// The most symbols a code has, and an entry may have.
const LONGEST: usize = 13;

/// The longest entry that is looked at, in bytes: a long code in groups, with the marks that a mail program adds.
const LONGEST_ENTRY: usize = 64;

/// What codes are made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Alphabet {
    /// `0-9`
    Digits,
    /// `A-Z`
    Letters,
    /// Crockford's base 32: digits and upper-case letters without I, L, O and U, which people misread.
    Crockford,
}

impl Alphabet {
    /// The number that derivation binds. Never reused for another alphabet.
    pub const fn id(self) -> u8 {
        match self {
            Self::Digits => 1,
            Self::Letters => 2,
            Self::Crockford => 3,
        }
    }

    /// The alphabet of an id, if there is one.
    pub const fn from_id(id: u8) -> Option<Self> {
        match id {
            1 => Some(Self::Digits),
            2 => Some(Self::Letters),
            3 => Some(Self::Crockford),
            _ => None,
        }
    }

    /// The symbols, ASCII, in order. A code takes each with the same chance.
    pub const fn symbols(self) -> &'static [u8] {
        match self {
            Self::Digits => b"0123456789",
            Self::Letters => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            Self::Crockford => b"0123456789ABCDEFGHJKMNPQRSTVWXYZ",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Letters => "letters",
            Self::Crockford => "crockford",
        }
    }
}

impl fmt::Display for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Alphabet {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        [Self::Digits, Self::Letters, Self::Crockford]
            .into_iter()
            .find(|alphabet| alphabet.name() == name)
            .ok_or(Error::Invalid { field: "alphabet", why: "must be digits, letters or crockford" })
    }
}

/// What a code looks like.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Shape {
    /// Its symbols.
    pub alphabet: Alphabet,
    /// How many of them, 4 to 13.
    pub length: u8,
}

impl Shape {
    /// The long code that is sent when the guess budget is empty: 65 bits, and NIST SP 800-63B-4 section 3.1.3.2 asks
    /// for a limit on guesses only below 64. Exempt from budgets *T* and *P*.
    pub const LONG: Self = Self { alphabet: Alphabet::Crockford, length: 13 };

    /// A shape of 4 to 13 symbols.
    ///
    /// # Errors
    /// `Invalid` for any other length.
    pub const fn new(alphabet: Alphabet, length: u8) -> Result<Self> {
        match length {
            4..=13 => Ok(Self { alphabet, length }),
            _ => Err(Error::Invalid { field: "length", why: "must be 4 to 13" }),
        }
    }

    /// How many bits of chance a code of this shape has: 19.9 for six digits.
    pub fn bits(self) -> f64 {
        self.combinations().log2()
    }

    /// How many codes of this shape there are.
    pub fn combinations(self) -> f64 {
        (self.alphabet.symbols().len() as f64).powi(i32::from(self.length))
    }

    /// Whether this is the long code.
    pub fn is_long(self) -> bool {
        self == Self::LONG
    }
}

/// Everything that a code is for. Each member changes the code (docs/threat-model.md): with less in it, whoever
/// can write the database moves a code of their own to somebody else's address.
#[derive(Clone, Copy)]
pub struct Binding<'a> {
    /// The org whose challenge it is.
    pub org: OrgId,
    /// The challenge.
    pub challenge: ChallengeId,
    /// Counts up when a challenge gets another code, as on escalation.
    pub generation: u32,
    /// What success is for.
    pub purpose: &'a str,
    /// How it is proved.
    pub method: &'a str,
    /// The canonical address ([`crate::Address::as_str`]).
    pub destination: &'a str,
    /// What the code looks like.
    pub shape: Shape,
    /// 16 random bytes of the challenge's row.
    pub salt: &'a [u8; 16],
}

impl Binding<'_> {
    /// Hands the members to `f` in the order that derivation fixes, `use_` first.
    pub(crate) fn with_parts<T>(&self, use_: &'static str, f: impl FnOnce(&[&[u8]]) -> T) -> T {
        f(&[
            use_.as_bytes(),
            self.org.as_bytes(),
            self.challenge.as_bytes(),
            &self.generation.to_be_bytes(),
            self.purpose.as_bytes(),
            self.method.as_bytes(),
            self.destination.as_bytes(),
            &[self.shape.length],
            &[self.shape.alphabet.id()],
            self.salt,
        ])
    }
}

/// The code of a challenge, under the root of [`crate::Use::Code`]. The same binding always gives the same code.
pub fn derive(root: &Root, binding: &Binding<'_>) -> Code {
    let length = usize::from(binding.shape.length);
    let mut code = String::with_capacity(length);
    binding.with_parts("code", |parts| root.stream(parts)).draw(binding.shape.alphabet.symbols(), length, &mut code);
    Secret::new(code)
}

/// Reads what somebody typed or pasted: drops white space, invisible marks and dashes, turns the digits of other
/// scripts into ASCII and letters into upper case. `None` if it is empty, longer than 64 bytes, more than 13 symbols,
/// or holds anything else: then it is no code, and nothing needs to be compared.
pub fn normalise(entry: &str) -> Option<Secret<String>> {
    if entry.len() > LONGEST_ENTRY {
        return None;
    }
    let mut symbols = Secret::new(String::with_capacity(LONGEST));
    let mut count = 0;
    for c in entry.chars() {
        let Some(symbol) = symbol(c) else {
            if is_blank(c) || is_dash(c) {
                continue;
            }
            return None;
        };
        count += 1;
        if count > LONGEST {
            return None;
        }
        symbols.expose_mut().push(symbol);
    }
    (count > 0).then_some(symbols)
}

/// The ASCII symbol that a character stands for.
fn symbol(c: char) -> Option<char> {
    match c {
        '0'..='9' | 'A'..='Z' => Some(c),
        'a'..='z' => Some(c.to_ascii_uppercase()),
        _ => {
            // The zeros of Arabic-Indic, Extended Arabic-Indic, Devanagari, Bengali, Thai and full-width digits; the
            // other nine follow each (Unicode, general category Nd).
            [0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0xff10]
                .into_iter()
                .find_map(|zero| char::from_digit((c as u32).wrapping_sub(zero), 10))
        }
    }
}

/// Whether an entry could be a long code: 13 symbols of Crockford's alphabet, with O read as 0 and I and L as 1.
pub fn could_be_long(entry: &Secret<String>) -> bool {
    let bytes = entry.expose().as_bytes();
    bytes.len() == LONGEST && bytes.iter().all(|byte| Alphabet::Crockford.symbols().contains(&read(*byte)))
}

/// Whether the entry is the code. Takes the same time wherever they differ. Lengths are no secret: an entry of another
/// length never equals, so a short entry never meets a long code.
pub fn matches(code: &Code, shape: Shape, entry: &Secret<String>) -> bool {
    let (code, entry) = (code.expose().as_bytes(), entry.expose().as_bytes());
    let length = usize::from(shape.length);
    if length == 0 || length > LONGEST || code.len() != length || entry.len() != length {
        return false;
    }
    let mut folded = Zeroizing::new([0; LONGEST]);
    for (to, from) in folded.iter_mut().zip(entry) {
        *to = if shape.alphabet == Alphabet::Crockford { read(*from) } else { *from };
    }
    folded[..length].ct_eq(code).into()
}

/// How Crockford's base 32 reads the letters that it leaves out.
const fn read(byte: u8) -> u8 {
    match byte {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    }
}

/// How a message shows a code: a long one as `XXXX-XXXX-XXXXX`, a short one as it is.
pub fn grouped(code: &Code, shape: Shape) -> Secret<String> {
    let mut shown = String::with_capacity(LONGEST + 2);
    for (i, symbol) in code.expose().chars().enumerate() {
        if shape.is_long() && (i == 4 || i == 8) {
            shown.push('-');
        }
        shown.push(symbol);
    }
    Secret::new(shown)
}
