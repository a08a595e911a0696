//! A raw message, read into what the relay needs to know of it. Refuses what is too large or too deep to be somebody's code, keeps
//! nothing that is not asked for, and prints nothing: no type here that holds words of a message has `Debug`.

use doorcode_core::{Email, Secret, Timestamp, origin};
use mail_parser::{Address, DateTime, HeaderName, HeaderValue, Message, MessageParser};

use super::fields::Fields;
use super::{domain, mime};

/// Whoever stands in an address header.
pub struct Mailbox {
    /// What the sender calls them, decoded. Words of a stranger.
    pub name: Option<String>,
    /// The address as it stands there.
    pub address: String,
}

impl Mailbox {
    /// The address in canonical form. None: no address of ours looks like that (quoted, an IP literal, no domain).
    pub fn email(&self) -> Option<Email> {
        Email::parse(&self.address).ok()
    }

    /// The canonical domain, of addresses too that are none for us.
    pub fn domain(&self) -> Option<String> {
        domain::canonical(self.address.rsplit_once('@')?.1)
    }
}

/// A message, as far as the relay looks at it.
pub struct Parsed {
    /// Everybody in every From.
    pub from: Vec<Mailbox>,
    /// Who really wrote it, says the message.
    pub sender: Vec<Mailbox>,
    /// Where answers shall go.
    pub reply_to: Vec<Mailbox>,
    /// To whom.
    pub to: Vec<Mailbox>,
    /// To whom else.
    pub cc: Vec<Mailbox>,
    /// The subject, decoded; codes stand there too.
    pub subject: Option<Secret<String>>,
    /// When it was written, says the message. Whole seconds.
    pub date: Option<Timestamp>,
    /// The Message-ID, without its angle brackets.
    pub message_id: Option<String>,
    /// Whether it came through a mailing list, or says so.
    pub has_list_id: bool,
    /// The plain text, decoded.
    pub text: Option<Secret<String>>,
    /// The HTML, decoded and not cleaned.
    pub html: Option<Secret<String>>,
    /// When it reached the mailbox, if whoever fetched it knows.
    pub arrived: Option<Timestamp>,
    /// What stands in every header that marks an installation's own mail.
    pub marks: Vec<String>,
    /// Headers that may stand there once and stand there more often.
    pub repeated: Vec<&'static str>,
    pub(super) fields: Fields,
    /// The one address that From holds, however one reads it.
    pub(super) lone_from: Option<Email>,
}

/// Why a message was not looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// More parts than mail of people and machines has.
    TooManyParts,
    /// Parts in parts in parts.
    TooDeep,
    /// A header block without end, or too many fields.
    TooManyHeaders,
    /// More text than anybody looks for a code in.
    TooMuchText,
}

impl Unreadable {
    /// In words, for a log.
    pub const fn why(self) -> &'static str {
        match self {
            Self::TooManyParts => "it has too many parts",
            Self::TooDeep => "its parts lie too deep",
            Self::TooManyHeaders => "its headers are too many or too long",
            Self::TooMuchText => "its text is too long",
        }
    }
}

/// Headers that stand in a message at most once (RFC 5322 section 3.6, RFC 2045).
const ONCE: &[&str] = &[
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Encoded words in the headers of a message, or what looks like one. A mail with a code has a few, one to many people some for each.
const MAX_WORDS: usize = 256;

/// Reads a message, which the caller has limited in size, that reached the mailbox at `arrived`.
///
/// # Errors
/// [`Unreadable`], before anything was decoded that is too much.
pub fn parse(raw: &[u8], arrived: Option<Timestamp>) -> Result<Parsed, Unreadable> {
    let bounded = Fields::read(raw).filter(|fields| fields.is_bounded(raw, MAX_WORDS));
    let fields = bounded.ok_or(Unreadable::TooManyHeaders)?;
    let texts = mime::texts(raw, fields.body())?;
    // Asked about a message without headers, the library panics.
    let head = MessageParser::default().parse_headers(&raw[..fields.body()]).filter(|head| !head.parts.is_empty());
    let values = |name| head.iter().flat_map(move |head| head.header_values(HeaderName::clone(&name)));
    let everybody = |name| values(name).flat_map(mailboxes).collect::<Vec<_>>();
    let from = everybody(HeaderName::From);
    let lone_from = lone_from(&fields, raw, &from);
    let text_of = |value: &[u8]| String::from_utf8_lossy(value).trim().to_owned();
    Ok(Parsed {
        lone_from,
        from,
        sender: everybody(HeaderName::Sender),
        reply_to: everybody(HeaderName::ReplyTo),
        to: everybody(HeaderName::To),
        cc: everybody(HeaderName::Cc),
        subject: head.as_ref().and_then(|head| Some(Secret::new(head.subject()?.to_owned()))),
        date: head.as_ref().and_then(Message::date).filter(|date| date.is_valid()).map(moment),
        message_id: head.as_ref().and_then(|head| Some(head.message_id()?.to_owned())),
        has_list_id: fields.count(raw, "List-Id") > 0,
        text: texts.text,
        html: texts.html,
        arrived,
        marks: fields.values(raw, origin::HEADER).map(text_of).collect(),
        repeated: ONCE.iter().copied().filter(|name| fields.count(raw, name) > 1).collect(),
        fields,
    })
}

fn moment(date: &DateTime) -> Timestamp {
    Timestamp::from_millis(date.to_timestamp().saturating_mul(1000))
}

fn mailboxes<'a>(value: &'a HeaderValue<'a>) -> impl Iterator<Item = Mailbox> + use<'a> {
    let found: Vec<_> = match value {
        HeaderValue::Address(Address::List(list)) => list.iter().collect(),
        HeaderValue::Address(Address::Group(groups)) => groups.iter().flat_map(|group| &group.addresses).collect(),
        _ => Vec::new(),
    };
    found.into_iter().filter_map(|found| {
        let name = found.name.as_ref().map(|name| name.clone().into_owned());
        found.address.as_ref().map(|address| Mailbox { name, address: address.clone().into_owned() })
    })
}

/// The one address of From: one field, one mailbox in it, and by our own reading of it the same address.
fn lone_from(fields: &Fields, raw: &[u8], from: &[Mailbox]) -> Option<Email> {
    let mut values = fields.values(raw, "From");
    let (value, [mailbox]) = (values.next()?, from) else { return None };
    let address = lone_address(str::from_utf8(value).ok()?)?;
    (values.next().is_none() && address == mailbox.address).then(|| mailbox.email())?
}

/// `a@b`, or `words <a@b>`, comments aside (RFC 5322 section 3.4). None for whatever holds more than one address by anybody's reading:
/// lists, groups, routes, two pairs of brackets, brackets that do not end it.
fn lone_address(value: &str) -> Option<String> {
    let (mut outside, mut inside) = (String::new(), None::<String>);
    let (mut quoted, mut comments, mut open) = (false, 0_u32, false);
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted || comments > 0 => drop(chars.next()?),
            '"' if comments == 0 && !open => quoted = !quoted,
            _ if quoted => {}
            '(' if !open => comments += 1,
            ')' if comments > 0 => comments -= 1,
            _ if comments > 0 => {}
            '<' if inside.is_none() => (open, inside) = (true, Some(String::new())),
            '>' if open => open = false,
            _ if open => inside.as_mut()?.push(c),
            ',' | ';' | ':' | '<' | '>' | ')' => return None,
            // Behind the brackets only white space and comments may stand.
            _ if inside.is_some() && !c.is_ascii_whitespace() => return None,
            _ => outside.push(c),
        }
    }
    if quoted || comments > 0 || open {
        return None;
    }
    let address = inside.unwrap_or(outside).trim_ascii().to_owned();
    (address.matches('@').count() == 1 && !address.contains(char::is_whitespace)).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_is_one_by_any_reading() {
        for (value, address) in [
            (" a@b.com\r\n", "a@b.com"),
            ("Acme <a@b.com>", "a@b.com"),
            ("\"Acme, Inc. <x@y.com>\" <a@b.com> (us)", "a@b.com"),
            ("=?utf-8?q?B=C3=BCcher?= <a@b.com>", "a@b.com"),
            ("a@b.com (Acme (the one))", "a@b.com"),
            ("x@y.com <a@b.com>", "a@b.com"),
        ] {
            assert_eq!(lone_address(value).as_deref(), Some(address), "{value}");
        }
        for value in [
            "a@b.com, c@d.com",
            "A <a@b.com>, C <c@d.com>",
            "A <a@b.com> <c@d.com>",
            "<a@b.com> c@d.com",
            "Us: a@b.com;",
            "<@x.com:a@b.com>, y",
            "A <a@b.com",
            "\"A <a@b.com>",
            "(A <a@b.com>",
            "a@b@c.com",
            "a @b.com",
            "A",
            "",
        ] {
            assert!(lone_address(value).is_none(), "{value}");
        }
    }
}
