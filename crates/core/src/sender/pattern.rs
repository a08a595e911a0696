//! Patterns of senders. An e-mail pattern is an address with wildcards: `*` for any run of characters and `?` for one in the
//! local part, and `*.` before a registrable domain for whatever is below it, not for itself. Everybody else is named
//! exactly: a number, a short code, an alphanumeric sender id. Refuses all other wildcards.

use crate::address::{Email, Phone};
use crate::error::{Error, Result};

use super::domain::{is_under, registrable};

/// The longest pattern, in characters (AgentOTP's own limit).
const LONGEST: usize = 255;
/// The longest alphanumeric sender id (3GPP TS 23.040 section 9.1.2.5: eleven characters of seven bits).
const LONGEST_NAME: usize = 11;
/// Digits of a short code.
const SHORT_CODE: std::ops::RangeInclusive<usize> = 3..=8;

/// Whom a message may come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SenderPattern(Kind);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    /// The local part, which may have wildcards, and the domain, or what must be above it.
    Email {
        local: String,
        domain: String,
        below: bool,
    },
    Phone(Phone),
    /// A short code, or a name in ASCII lower case.
    Name(String),
}

/// How narrow a pattern is; the narrower is the greater. Ranks the requests of one agent, and never those of two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Specificity(Rank, usize);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rank {
    Any,
    BelowDomain,
    LocalWildcard,
    Exact,
}

impl Specificity {
    /// That of a request which names no sender.
    pub const ANY: Self = Self(Rank::Any, 0);
}

impl SenderPattern {
    /// Reads a pattern, in any case, with the domain in any spelling.
    ///
    /// # Errors
    /// `Invalid` with the field `senderPattern` and what is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        // Four bytes is the most that a character has; counting a mebibyte of them is not needed to see that it is long.
        if text.len() > 4 * LONGEST || text.chars().count() > LONGEST {
            return Err(invalid("must have at most 255 characters"));
        }
        let text = text.trim();
        match text.rsplit_once('@') {
            Some((local, domain)) => parse_email(local, domain),
            None if text.starts_with('+') => parse_phone(text),
            None => parse_name(text),
        }
    }

    /// The pattern in its one spelling.
    pub fn text(&self) -> String {
        match &self.0 {
            Kind::Email { local, domain, below } => format!("{local}@{}{domain}", if *below { "*." } else { "" }),
            Kind::Phone(phone) => phone.as_str().to_owned(),
            Kind::Name(name) => name.clone(),
        }
    }

    /// The domain of an e-mail pattern, or the one that its domains are below.
    pub fn domain(&self) -> Option<&str> {
        match &self.0 {
            Kind::Email { domain, .. } => Some(domain),
            Kind::Phone(_) | Kind::Name(_) => None,
        }
    }

    /// Whether it is one sender.
    pub fn is_exact(&self) -> bool {
        match &self.0 {
            Kind::Email { local, below, .. } => !below && !local.contains(['*', '?']),
            Kind::Phone(_) | Kind::Name(_) => true,
        }
    }

    /// How narrow it is: one sender, then a wildcard in the local part, then one in the domain; among these, the pattern that
    /// says more.
    pub fn specificity(&self) -> Specificity {
        let rank = match &self.0 {
            Kind::Email { below: true, .. } => Rank::BelowDomain,
            _ if self.is_exact() => Rank::Exact,
            _ => Rank::LocalWildcard,
        };
        Specificity(rank, self.text().chars().filter(|c| !matches!(c, '*' | '?')).count())
    }

    /// Whether mail from this address is meant: the bare one, of the only mailbox in `From`.
    pub fn matches_email(&self, from: &Email) -> bool {
        match &self.0 {
            Kind::Email { local, domain, below } => {
                let at_home = if *below { is_under(from.domain(), domain) } else { from.domain() == domain };
                at_home && fits(local, from.local())
            }
            Kind::Phone(_) | Kind::Name(_) => false,
        }
    }

    /// Whether a text message from this sender is meant: a number, a short code or a name, as the gateway says it.
    pub fn matches_sms(&self, from: &str) -> bool {
        match &self.0 {
            Kind::Email { .. } => false,
            Kind::Phone(phone) => Phone::parse(from).is_ok_and(|from| from == *phone),
            Kind::Name(name) => from.trim().eq_ignore_ascii_case(name),
        }
    }
}

fn parse_email(local: &str, domain: &str) -> Result<SenderPattern> {
    let (domain, below) = domain.strip_prefix("*.").map_or((domain, false), |rest| (rest, true));
    if domain.contains(['*', '?']) {
        return Err(invalid("must have no wildcard in the domain but *. at its start"));
    }
    // Both wildcards may stand in a local part, so that it is normalised and judged like any other.
    let email = Email::parse(&format!("{local}@{domain}"))
        .map_err(|_| invalid("must be an address, of which the local part may have * and ?"))?;
    if below && registrable(email.domain()).is_none() {
        return Err(invalid("must have a domain behind *. that somebody can register"));
    }
    let mut local = String::with_capacity(email.local().len());
    for c in email.local().chars() {
        if c != '*' || !local.ends_with('*') {
            local.push(c);
        }
    }
    Ok(SenderPattern(Kind::Email { local, domain: email.domain().to_owned(), below }))
}

fn parse_phone(text: &str) -> Result<SenderPattern> {
    let phone = Phone::parse(text).map_err(|_| invalid("must be a phone number with its country code"))?;
    Ok(SenderPattern(Kind::Phone(phone)))
}

fn parse_name(text: &str) -> Result<SenderPattern> {
    if text.contains(['*', '?']) {
        return Err(invalid("must be an address if it has wildcards, such as *@example.com"));
    }
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if digits && !SHORT_CODE.contains(&text.len()) {
        return Err(invalid("must start with + if it is a phone number"));
    }
    let named = text.bytes().all(|b| b.is_ascii_alphanumeric() || b" -_&".contains(&b));
    if !named || text.len() > LONGEST_NAME {
        return Err(invalid("must be an address, a phone number, or a name of up to 11 letters and digits"));
    }
    Ok(SenderPattern(Kind::Name(text.to_ascii_lowercase())))
}

/// Whether a local part fits. Going back only ever to the last `*` is enough, since what an earlier one would take more, the
/// last can take too: no more steps than one has octets times the other, 64 by 64.
fn fits(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut last = None;
    loop {
        let fitted = match pattern.next() {
            Some('*') => {
                last = Some((pattern.clone(), text.clone()));
                continue;
            }
            Some(wanted) => match text.next() {
                Some(c) => wanted == '?' || wanted == c,
                None => return false,
            },
            None if text.as_str().is_empty() => return true,
            None => false,
        };
        if !fitted {
            let Some((behind, mut taken)) = last.take() else { return false };
            if taken.next().is_none() {
                return false;
            }
            (pattern, text) = (behind.clone(), taken.clone());
            last = Some((behind, taken));
        }
    }
}

const fn invalid(why: &'static str) -> Error {
    Error::Invalid { field: "senderPattern", why }
}
