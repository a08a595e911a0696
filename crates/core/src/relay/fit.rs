//! Whether a message may serve a request: where it came from, who sent it and how that was shown, what it says. The same for the server
//! and for a collector beside the person's mailbox. Refuses forged mail always, and unverified mail wherever a sender is named, unless
//! the person said otherwise for this request.

use std::sync::OnceLock;

use crate::address::Email;
use crate::content::ContentPattern;
use crate::error::Result;
use crate::relay::MAIL;
use crate::sender::{SenderPattern, Specificity, canonical_domain, registrable};
use crate::time::Timestamp;

/// Words of a name that say nothing about who it is.
const EMPTY_WORDS: [&str; 12] =
    ["the", "and", "inc", "ltd", "llc", "gmbh", "com", "team", "support", "info", "noreply", "account"];

/// What a request wants, as it is matched.
pub struct Wanted {
    /// Bits: 1 SMS, 2 mail, 4 `WhatsApp`.
    pub sources: i64,
    /// Whose.
    pub pattern: Option<SenderPattern>,
    /// What the sender is called, where there is no pattern.
    pub name: Option<String>,
    /// Not from before.
    pub after: Timestamp,
    /// The person takes unverified mail for this one.
    pub unverified: bool,
    content: Option<Content>,
}

/// What a message must say. To build a pattern takes a millisecond: that is done for the first message of the right sender, and for no other.
struct Content {
    text: String,
    built: OnceLock<Option<ContentPattern>>,
}

impl Content {
    /// One that can't be built fits nothing.
    fn matches(&self, text: &str) -> bool {
        let built = self.built.get_or_init(|| ContentPattern::parse(&self.text).ok());
        built.as_ref().is_some_and(|pattern| pattern.matches(text))
    }
}

impl Wanted {
    /// Reads a request's members. Whether `content` can be taken is asked where a request is made ([`ContentPattern::parse`]).
    ///
    /// # Errors
    /// `Invalid` for a pattern of senders that can't be taken.
    pub fn read(
        sources: i64,
        pattern: Option<&str>,
        name: Option<&str>,
        content: Option<&str>,
        (after, unverified): (Timestamp, bool),
    ) -> Result<Self> {
        Ok(Self {
            sources,
            pattern: pattern.map(SenderPattern::parse).transpose()?,
            name: name.map(str::to_owned),
            content: content.map(|text| Content { text: text.to_owned(), built: OnceLock::new() }),
            after,
            unverified,
        })
    }

    /// How narrowly it names its sender: a name is less than any pattern.
    pub fn specificity(&self) -> Specificity {
        self.pattern.as_ref().map_or(Specificity::ANY, SenderPattern::specificity)
    }

    /// Whether one message could be meant by both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let apart = match (&self.pattern, &other.pattern) {
            (Some(one), Some(other)) => match (place(one), place(other)) {
                (Some(one), Some(other)) => one != other,
                (None, None) => one != other,
                // A number or a name, and an address.
                _ => true,
            },
            _ => false,
        };
        self.sources & other.sources != 0 && !apart
    }
}

/// What somebody had to register to send mail that fits.
fn place(pattern: &SenderPattern) -> Option<&str> {
    let domain = pattern.domain()?;
    Some(registrable(domain).unwrap_or(domain))
}

/// Who sent a message, as far as that is known.
pub enum Sender<'a> {
    /// By mail: the only mailbox in `From`, and what it calls itself.
    Mail(&'a Email, Option<&'a str>),
    /// By SMS or another messenger: a number or a name.
    Phone(&'a str),
    /// It can't be told.
    Unknown,
}

/// What a sender is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Worth {
    /// Somebody vouches for it.
    Verified,
    /// Nobody does.
    Unverified,
    /// It says that somebody does, and that is not so.
    Forged,
}

/// A message, as it is matched.
pub struct Came<'a> {
    /// One of the bits of sources.
    pub source: i64,
    /// Who sent it.
    pub sender: Sender<'a>,
    /// What that is worth.
    pub worth: Worth,
    /// What a person reads of it.
    pub text: &'a str,
    /// When it came.
    pub at: Timestamp,
}

/// Whether it fits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// It does.
    Yes,
    /// It would, were it verified.
    Unverified,
    /// It would, were it not forged.
    Forged,
    /// It does not, or looks as if it did not.
    No,
}

/// Whether a request names no sender, so that any message of anybody would do for it.
pub fn is_any<P: ?Sized, N: ?Sized>(pattern: Option<&P>, name: Option<&N>) -> bool {
    pattern.is_none() && name.is_none()
}

/// Whether a message would fit a request if it is from whom it says and says the right thing: what can be told before anybody is asked who sent
/// it.
pub fn is_meant(wanted: &Wanted, source: i64, sender: &Sender<'_>, at: Timestamp) -> bool {
    // Mailboxes tell times without parts of a second.
    let early = at.millis().div_euclid(1000) < wanted.after.millis().div_euclid(1000);
    wanted.sources & source != 0 && !early && is_from(wanted, sender)
}

/// Whether a message may serve a request.
pub fn fit(wanted: &Wanted, came: &Came<'_>) -> Fit {
    let mail = came.source == MAIL;
    if !is_meant(wanted, came.source, &came.sender, came.at) {
        return Fit::No;
    }
    if came.worth == Worth::Forged {
        return Fit::Forged;
    }
    let any = is_any(wanted.pattern.as_ref(), wanted.name.as_ref());
    if mail && !any && came.worth != Worth::Verified && !wanted.unverified {
        return Fit::Unverified;
    }
    // Only where the sender is right: whether a stranger's pattern fits somebody's mail is nobody's business.
    let says = wanted.content.as_ref().is_none_or(|content| content.matches(came.text));
    if says { Fit::Yes } else { Fit::No }
}

fn is_from(wanted: &Wanted, sender: &Sender<'_>) -> bool {
    match (&wanted.pattern, sender) {
        (Some(pattern), Sender::Mail(from, _)) => pattern.matches_email(from),
        (Some(pattern), Sender::Phone(from)) => pattern.matches_sms(from),
        (Some(_), Sender::Unknown) => false,
        (None, sender) => wanted.name.as_deref().is_none_or(|name| is_called(name, sender)),
    }
}

/// Whether a sender may be called so: all words of the name are those that the domain was registered with, or the whole name of a
/// number. One word of several is nobody: there is more than one bank. What a mail's sender calls itself does not count: it may call
/// itself anything.
fn is_called(name: &str, sender: &Sender<'_>) -> bool {
    match sender {
        Sender::Mail(from, _) => is_name_of(name, from.domain()) || name == from.as_str(),
        Sender::Phone(from) => from.trim().eq_ignore_ascii_case(name.trim()),
        Sender::Unknown => false,
    }
}

/// Whether a name is what a domain was registered as, with its ending or without: `Acme Bank` is `acme-bank.com` and `acme.bank`, and
/// neither `acme.com` nor `bank.com`. Words that say nothing may be missing there. A name that is written as a domain is that domain, and
/// one that is written as an address is no domain's: else `acme.io` would take the mail of `acmeio.com`, which anybody may register.
fn is_name_of(name: &str, domain: &str) -> bool {
    // A host that nobody registered has no name that could be meant.
    let Some(registered) = registrable(domain) else { return false };
    if name.contains('@') {
        return false;
    }
    let parts = name.split_whitespace().map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()));
    let telling: Vec<&str> = parts.filter(|part| !part.is_empty() && !says_nothing(part)).collect();
    if let Some(written) = telling.iter().find_map(|part| written_domain(part)) {
        return telling.len() == 1 && registrable(&written).is_some() && is_at(domain, &written);
    }
    let label = registered.split('.').next().unwrap_or_default();
    let places = [letters(label), letters(registered)];
    let words: Vec<String> = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    let telling: String = words.iter().filter(|word| !says_nothing(word)).map(String::as_str).collect();
    [telling, words.concat()].iter().any(|called| !called.is_empty() && places.contains(called))
}

fn says_nothing(word: &str) -> bool {
    EMPTY_WORDS.iter().any(|empty| empty.eq_ignore_ascii_case(word))
}

/// The domain as which a word is written, in canonical form.
fn written_domain(word: &str) -> Option<String> {
    canonical_domain(word).filter(|domain| domain.contains('.'))
}

/// Whether a domain is another one or below it.
fn is_at(domain: &str, other: &str) -> bool {
    domain.strip_suffix(other).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The letters and digits of a text, in one case.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// Whether the name that an agent gives besides a pattern is that of the pattern's domain. Where it is another one it chooses nothing, and
/// would only make its owner think of somebody else.
pub fn is_name_beside(name: &str, pattern: &SenderPattern) -> bool {
    pattern.domain().is_some_and(|domain| is_name_of(name, domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn wanted(pattern: Option<&str>, name: Option<&str>, content: Option<&str>) -> Wanted {
        Wanted::read(7, pattern, name, content, (NOW, false)).unwrap()
    }

    fn came<'a>(from: &'a Email, worth: Worth) -> Came<'a> {
        Came { source: 2, sender: Sender::Mail(from, Some("Acme")), worth, text: "Your code is 482913", at: NOW }
    }

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_takes_the_bare_address_of_verified_mail() {
        let from = email("noreply@acme.com");
        let want = wanted(Some("*@acme.com"), None, None);
        assert_eq!(fit(&want, &came(&from, Worth::Verified)), Fit::Yes);
        assert_eq!(fit(&want, &came(&from, Worth::Unverified)), Fit::Unverified);
        assert_eq!(fit(&want, &came(&from, Worth::Forged)), Fit::Forged);
        for other in ["noreply@mail.acme.com", "noreply@acme.com.evil.example", "noreply@notacme.com"] {
            assert_eq!(fit(&want, &came(&email(other), Worth::Verified)), Fit::No, "{other}");
            assert_eq!(fit(&want, &came(&email(other), Worth::Forged)), Fit::No, "{other}");
        }
    }

    #[test]
    fn unverified_mail_is_taken_where_the_person_said_so_and_forged_mail_never() {
        let (from, mut want) = (email("noreply@acme.com"), wanted(Some("*@acme.com"), None, None));
        want.unverified = true;
        assert_eq!(fit(&want, &came(&from, Worth::Unverified)), Fit::Yes);
        assert_eq!(fit(&want, &came(&from, Worth::Forged)), Fit::Forged);
    }

    #[test]
    fn a_name_is_the_domains_and_not_what_a_sender_calls_itself() {
        let want = wanted(None, Some("The Acme Inc"), None);
        assert_eq!(fit(&want, &came(&email("codes@mail.acme.com"), Worth::Verified)), Fit::Yes);
        for other in ["acme@evil.example", "x@theacme.example", "x@the.com", "x@inc.com"] {
            assert_eq!(fit(&want, &came(&email(other), Worth::Verified)), Fit::No, "{other}");
        }
        assert_eq!(
            fit(&wanted(None, Some("Big Shop"), None), &came(&email("a@bigshop.com"), Worth::Verified)),
            Fit::Yes
        );
        for blank in [" ", "!?", "-"] {
            let fits = fit(&wanted(None, Some(blank), None), &came(&email("root@co.uk"), Worth::Verified));
            assert_eq!(fits, Fit::No, "a name without letters is nobody's: {blank}");
        }
    }

    #[test]
    fn a_name_is_all_of_its_words_and_not_one_of_them() {
        let takes =
            |name, from: &str| fit(&wanted(None, Some(name), None), &came(&email(from), Worth::Verified)) == Fit::Yes;
        for (name, from) in [
            ("Acme Bank", "codes@acmebank.com"),
            ("Acme Bank", "codes@mail.acme-bank.com"),
            ("ACME BANK Inc.", "codes@acme.bank"),
            ("The Acme Bank Team", "codes@acmebank.co.uk"),
            ("Acme-Bank", "codes@acmebank.com"),
            ("Booking.com", "codes@booking.com"),
            ("The", "codes@the.com"),
        ] {
            assert!(takes(name, from), "{name} {from}");
        }
        for (name, from) in [
            ("Acme Bank", "codes@bank.com"),
            ("Acme Bank", "codes@acme.com"),
            ("Acme Bank", "codes@acme.bank.com"),
            ("Acme Bank", "codes@bankofx.com"),
            ("Acme Bank", "codes@bank-of-x.com"),
            ("Acme Bank", "codes@bankacme.com"),
            ("Acme Bank", "codes@acmebanking.com"),
            ("Bank of X", "codes@bank.com"),
            ("Bank of X", "codes@bankof.com"),
            ("My Acme", "codes@acme.com"),
            ("The Team", "codes@team.com"),
        ] {
            assert!(!takes(name, from), "{name} {from}");
        }
    }

    /// The attack: an agent asks for the mail of `acme.io`, as its owner reads it, and registers another domain of the same letters.
    #[test]
    fn a_name_that_is_written_as_a_domain_is_that_domain() {
        let takes =
            |name, from: &str| fit(&wanted(None, Some(name), None), &came(&email(from), Worth::Verified)) == Fit::Yes;
        for (name, from) in [
            ("acme.io", "codes@acme.io"),
            ("Acme.IO", "codes@mail.acme.io"),
            ("The acme.io Team", "codes@acme.io"),
            ("(acme.co.uk)", "codes@acme.co.uk"),
            ("mail.acme.com", "codes@mail.acme.com"),
            ("m\u{fc}nchen.de", "codes@m\u{fc}nchen.de"),
            ("codes@acme.io", "codes@acme.io"),
        ] {
            assert!(takes(name, from), "{name} {from}");
        }
        for (name, from) in [
            ("acme.io", "codes@acmeio.com"),
            ("acme.io", "codes@acme-io.com"),
            ("acme.io", "codes@acme.com"),
            ("acme.io", "codes@acme.io.com"),
            ("acme.io", "codes@notacme.io"),
            ("acme.io Team", "codes@acmeio.com"),
            ("Booking.com", "codes@bookingcom.com"),
            ("acme.co.uk", "codes@acmecouk.com"),
            ("mail.acme.com", "codes@mailacme.com"),
            ("mail.acme.com", "codes@acme.com"),
            ("Acme evil.example", "codes@evil.example"),
            ("Acme acme.io", "codes@acmeacmeio.com"),
            ("co.uk", "codes@couk.com"),
            ("co.uk", "codes@acme.co.uk"),
            ("codes@acme.io", "codes@codesacme.io"),
            ("codes@acme.io", "other@acme.io"),
        ] {
            assert!(!takes(name, from), "{name} {from}");
        }
    }

    #[test]
    fn a_name_beside_a_pattern_is_its_domains_or_not_worth_showing() {
        for (name, pattern, beside) in [
            ("Acme", "*@acme.com", true),
            ("The Acme Inc", "noreply@mail.acme.com", true),
            ("Acme", "*@*.acme.com", true),
            ("Your Bank", "*@evil.example", false),
            ("Acme", "*@acme-login.com", false),
            ("acme.io", "*@mail.acme.io", true),
            ("acme.io", "*@acmeio.com", false),
            ("Acme", "+15551234567", false),
            ("Acme", "ACME", false),
        ] {
            assert_eq!(is_name_beside(name, &SenderPattern::parse(pattern).unwrap()), beside, "{name} {pattern}");
        }
    }

    #[test]
    fn what_came_before_or_by_another_way_is_not_meant() {
        let from = email("noreply@acme.com");
        let mut early = came(&from, Worth::Verified);
        early.at = Timestamp::from_millis(NOW.millis() - 1);
        assert_eq!(fit(&wanted(None, None, None), &early), Fit::No);
        let sms = Wanted::read(1, None, None, None, (NOW, false)).unwrap();
        assert_eq!(fit(&sms, &came(&from, Worth::Verified)), Fit::No);
    }

    #[test]
    fn a_content_pattern_is_asked_only_of_the_right_sender() {
        let from = email("noreply@acme.com");
        let want = wanted(Some("*@acme.com"), None, Some(r"code is \d{6}"));
        assert_eq!(fit(&want, &came(&from, Worth::Verified)), Fit::Yes);
        let mut other = came(&from, Worth::Verified);
        other.text = "Hello";
        assert_eq!(fit(&want, &other), Fit::No);
        assert_eq!(fit(&wanted(Some("*@acme.com"), None, Some("(")), &came(&from, Worth::Verified)), Fit::No);
    }

    #[test]
    fn a_strangers_mail_builds_no_pattern() {
        let want = wanted(Some("*@acme.com"), None, Some("(a{1,99}){1,9}"));
        let is_built = || want.content.as_ref().unwrap().built.get().is_some();
        let (stranger, right) = (email("a@evil.example"), email("noreply@acme.com"));
        for (from, worth) in [(&stranger, Worth::Verified), (&right, Worth::Unverified), (&right, Worth::Forged)] {
            assert_ne!(fit(&want, &came(from, worth)), Fit::Yes);
            assert!(!is_built(), "{from:?}");
        }
        assert!(!is_meant(&want, MAIL, &Sender::Mail(&stranger, None), NOW));
        assert!(is_meant(&want, MAIL, &Sender::Mail(&right, None), NOW) && !is_built());
        assert_eq!(fit(&want, &came(&right, Worth::Verified)), Fit::No);
        assert!(is_built());
    }

    #[test]
    fn any_message_is_any_but_a_forged_one() {
        let from = email("x@y.example");
        assert_eq!(fit(&wanted(None, None, None), &came(&from, Worth::Unverified)), Fit::Yes);
        assert_eq!(fit(&wanted(None, None, None), &came(&from, Worth::Forged)), Fit::Forged);
    }

    #[test]
    fn a_number_is_itself() {
        let want = Wanted::read(1, Some("+15551234567"), None, None, (NOW, false)).unwrap();
        let sms = |from| Came { source: 1, sender: Sender::Phone(from), worth: Worth::Unverified, text: "1", at: NOW };
        assert_eq!(fit(&want, &sms("+1 555 123 4567")), Fit::Yes);
        assert_eq!(fit(&want, &sms("+15551234568")), Fit::No);
        assert_eq!(fit(&want, &Came { sender: Sender::Unknown, ..sms("") }), Fit::No);
    }

    #[test]
    fn two_overlap_unless_their_senders_can_not_be_the_same() {
        let overlap = |one: Option<&str>, other: Option<&str>| {
            let (one, other) = (wanted(one, None, None), wanted(other, None, None));
            assert_eq!(one.overlaps(&other), other.overlaps(&one));
            one.overlaps(&other)
        };
        assert!(overlap(Some("*@acme.com"), Some("a@acme.com")) && overlap(Some("*@*.acme.com"), Some("*@acme.com")));
        assert!(overlap(None, Some("*@acme.com")) && overlap(None, None));
        assert!(!overlap(Some("*@acme.com"), Some("*@other.com")));
        assert!(!overlap(Some("*@acme.com"), Some("+15551234567")));
        assert!(!overlap(Some("+15551234568"), Some("+15551234567")) && overlap(Some("Acme"), Some("ACME")));
        let (sms, mail) =
            (Wanted::read(1, None, None, None, (NOW, false)), Wanted::read(2, None, None, None, (NOW, false)));
        assert!(!sms.unwrap().overlaps(&mail.unwrap()));
    }
}
