//! E-mail addresses. The canonical form is NFC, with ASCII letters in lower case and the domain as its A-label. Refuses
//! Unicode lower-casing (`ı` is not `i`, or one account becomes another), quoted strings, IP literals, and whatever
//! can't be seen.

use std::fmt;

use icu_normalizer::ComposingNormalizerBorrowed;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::error::{Error, Result};
use crate::glyph::is_hidden;

/// The longest input that is looked at, in bytes. Decomposed letters and U-labels are longer than what they turn into.
const LONGEST_INPUT: usize = 1024;
/// Octets of the local part: RFC 5321 section 4.5.3.1.1.
const LONGEST_LOCAL: usize = 64;
/// Octets of the domain: 255 on the wire (RFC 1035 section 2.3.4), which is 253 as text.
const LONGEST_DOMAIN: usize = 253;
/// Octets of a label: RFC 1035 section 2.3.4.
const LONGEST_LABEL: usize = 63;
/// Octets of the whole: a path of 256 (RFC 5321 section 4.5.3.1.3) less its angle brackets.
const LONGEST: usize = 254;

/// An e-mail address in canonical form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email {
    text: String,
    at: usize,
}

impl Email {
    /// Reads an address; white space around it is dropped, since people paste.
    ///
    /// # Errors
    /// `Invalid` with the field `email` and what is wrong. Costs little for whatever is long or malformed: nothing is
    /// normalised before the length and the controls have been looked at.
    pub fn parse(input: &str) -> Result<Self> {
        if input.len() > LONGEST_INPUT {
            return Err(invalid("is too long"));
        }
        let input = input.trim_ascii();
        let Some((local, domain)) = input.split_once('@') else {
            return Err(invalid("must have an @"));
        };
        if domain.contains('@') {
            return Err(invalid("must have only one @"));
        }
        let mut text = String::with_capacity(input.len());
        push_local(&mut text, local)?;
        check_local(&text)?;
        let at = text.len();
        text.push('@');
        push_domain(&mut text, domain)?;
        check_domain(&text[at + 1..])?;
        if text.len() > LONGEST {
            return Err(invalid("must have at most 254 octets"));
        }
        Ok(Self { text, at })
    }

    /// The canonical form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// What stands after it, as an A-label.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// `j***@e***.com`: the first characters and the top-level domain, nothing about lengths.
    pub fn masked(&self) -> String {
        let first = |text: &str| text.chars().next().unwrap_or('*');
        let top = self.domain().rsplit('.').next().unwrap_or_default();
        format!("{}***@{}***.{top}", first(self.local()), first(self.domain()))
    }

    /// Without dots and `+tag` in the local part: what one mailbox is likely to be, for send budgets only.
    pub fn folded(&self) -> String {
        let local = self.local();
        // An address that is all tag keeps it, or all of them would share one budget.
        let end = local.find('+').filter(|at| *at > 0).unwrap_or(local.len());
        let mut folded = String::with_capacity(self.text.len());
        folded.extend(local[..end].chars().filter(|c| *c != '.'));
        folded.push_str(&self.text[self.at..]);
        folded
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

const fn invalid(why: &'static str) -> Error {
    Error::Invalid { field: "email", why }
}

fn push_local(text: &mut String, local: &str) -> Result<()> {
    if local.is_ascii() {
        text.push_str(local);
    } else {
        push_international_local(text, local)?;
    }
    text.make_ascii_lowercase();
    Ok(())
}

/// RFC 6531 allows any UTF-8. We take what can be seen and has one spelling: as RFC 8264 section 9.17 (HasCompat) has
/// it for identifiers, nothing that compatibility normalisation would turn into something else (`ſ`, full width).
fn push_international_local(text: &mut String, local: &str) -> Result<()> {
    if local.chars().any(is_hidden) {
        return Err(invalid("must have no spaces, controls or invisible characters"));
    }
    if local.chars().any(is_ascii_in_disguise) {
        return Err(invalid("must not have characters that stand for others"));
    }
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(local);
    if !ComposingNormalizerBorrowed::new_nfkc().is_normalized(&composed) {
        return Err(invalid("must not have characters that stand for others"));
    }
    text.push_str(&composed);
    Ok(())
}

/// The only three characters that NFC itself turns into ASCII: KELVIN SIGN, GREEK QUESTION MARK, GREEK VARIA. Unlike `é`
/// typed as two characters, they are never what somebody's keyboard makes of their own name.
const fn is_ascii_in_disguise(c: char) -> bool {
    matches!(c, '\u{212a}' | '\u{37e}' | '\u{1fef}')
}

/// A dot-atom (RFC 5322 section 3.2.3, RFC 6532 section 3.2).
fn check_local(local: &str) -> Result<()> {
    if local.is_empty() {
        return Err(invalid("must have something before the @"));
    }
    if local.len() > LONGEST_LOCAL {
        return Err(invalid("must have at most 64 octets before the @"));
    }
    if !local.bytes().all(|b| b.is_ascii_alphanumeric() || !b.is_ascii() || b".!#$%&'*+-/=?^_`{|}~".contains(&b)) {
        return Err(invalid("has a character that is not allowed before the @"));
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err(invalid("must have dots only between other characters"));
    }
    Ok(())
}

fn push_domain(text: &mut String, domain: &str) -> Result<()> {
    if is_plain(domain) {
        text.push_str(domain);
        text.make_ascii_lowercase();
        return Ok(());
    }
    if domain.chars().any(|c| c.is_control() || is_ascii_in_disguise(c)) {
        return Err(invalid("must have a valid domain"));
    }
    // UTS 46 non-transitional, STD3: `ß` and the joiners keep their meaning, and only letters, digits and hyphens pass.
    let ascii =
        Uts46::new().to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify);
    text.push_str(&ascii.map_err(|_| invalid("must have a valid domain"))?);
    Ok(())
}

/// Whether the domain is ASCII without an A-label: UTS 46 would then only lower-case it.
fn is_plain(domain: &str) -> bool {
    domain.is_ascii()
        && !domain.split('.').any(|label| label.len() >= 4 && label.as_bytes()[..4].eq_ignore_ascii_case(b"xn--"))
}

fn check_domain(domain: &str) -> Result<()> {
    if domain.len() > LONGEST_DOMAIN {
        return Err(invalid("must have at most 253 octets after the @"));
    }
    let mut top = None;
    let mut labels = 0;
    for label in domain.split('.') {
        check_label(label)?;
        top = Some(label);
        labels += 1;
    }
    // A number at the end is an IPv4 address in one of its spellings (WHATWG URL, "ends in a number").
    let number = |top: &str| {
        top.bytes().all(|b| b.is_ascii_digit())
            || top.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    if labels < 2 || top.is_none_or(number) {
        return Err(invalid("must have a domain with a top-level name"));
    }
    Ok(())
}

/// Letters, digits and hyphens, none of these at the edge (RFC 1123 section 2.1).
fn check_label(label: &str) -> Result<()> {
    let bytes = label.as_bytes();
    let whole = matches!(bytes.len(), 1..=LONGEST_LABEL)
        && bytes.first() != Some(&b'-')
        && bytes.last() != Some(&b'-')
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    if whole { Ok(()) } else { Err(invalid("must have a valid domain")) }
}
