//! Members of parameters and results: their names, whether they must be there, and what they look like. Refuses by the name of the member and
//! never by its value. A member that is null is absent: some clients name every member that there could be.

use serde_json::{Map, Value};

use crate::address::{Email, Phone};
use crate::id::UserId;
use crate::stamp::{Curve, PublicKey, Refusal};

/// The longest name of a key, a user, an organisation, an app: characters.
const LABEL_MOST: usize = 255;
/// The longest text of a template or of its variables: bytes.
const TEXT_MOST: usize = 4096;
/// The longest text that a client signs: it repeats most of what is asked. Bytes.
const MESSAGE_MOST: usize = 16_384;
/// The longest bundle or token: characters.
const SEALED_MOST: usize = 4096;
/// What is said of a key that is none.
pub const KEY_WORDS: &str = "must be a public key of P-256 in hexadecimal";

/// A member of the parameters of an activity.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it looks like.
    pub form: Form,
}

/// What a member looks like.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A name that people read: 1 to 255 characters, none of them a control character.
    Label,
    /// A text of at most 4,096 bytes.
    Text,
    /// What a client signed: a text of at most 16,384 bytes.
    Message,
    /// A template with one `%s` in it.
    LinkTemplate,
    /// A template with `{{.OtpCode}}` in it.
    CodeTemplate,
    /// An address of e-mail.
    Email,
    /// A phone number in E.164.
    Phone,
    /// Either, as another member says.
    Contact,
    /// A UUID.
    Uuid,
    /// Several UUIDs, at least one and at most this many.
    Uuids(usize),
    /// A point of P-256 in hexadecimal, compressed or not.
    Key,
    /// A public key in hexadecimal, of whichever curve another member names.
    AnyKey,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Seconds as decimal digits, or as a number: what they are if absent, and the most.
    Seconds(u32, u32),
    /// The same of a key or a session; absent without a usual value means for ever.
    Life(Option<u32>, u32),
    /// How many characters a code has: 6 to 9.
    Length,
    /// True or false.
    Flag,
    /// A code: masked before anything is kept.
    Code,
    /// What opens or holds something: a token, a sealed code. Masked before anything is kept.
    Sealed,
    /// An object with these members.
    Object(&'static [Field]),
    /// Objects with these members, at least and at most so many.
    Each(&'static [Field], usize, usize),
    /// A number that can only be one: how many votes decide.
    One,
    /// What is not supported: absent, or empty.
    Empty,
}

/// A member of the result of an activity.
#[derive(Debug)]
pub struct Answer {
    /// Its name.
    pub name: &'static str,
    /// Whether it opens something: then it goes to nobody but the one whose stamp the activity bears.
    pub bearer: bool,
}

impl Form {
    /// Whether a value is secret, or has a member that is.
    pub fn holds_secret(self) -> bool {
        match self {
            Self::Object(fields) | Self::Each(fields, ..) => fields.iter().any(|field| field.form.holds_secret()),
            form => form.is_secret(),
        }
    }

    /// Whether a value is kept as [`super::MASK`].
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Code | Self::Sealed)
    }

    /// Whether a value, which is not null, looks like this. `field` is its name.
    pub(super) fn judge(self, field: &'static str, value: &Value) -> Result<(), Refusal> {
        let why = match self {
            Self::Life(_, most) => return seconds(value, most).map(drop).ok_or(Refusal::Expiration),
            Self::Email if !is_text(value, TEXT_MOST, |text| Email::parse(text).is_ok()) => return Err(Refusal::Email),
            Self::LinkTemplate if !is_text(value, TEXT_MOST, |text| text.matches("%s").count() == 1) => {
                return Err(Refusal::MagicLinkTemplate);
            }
            Self::Object(fields) => {
                let members = value.as_object().ok_or(Refusal::Request { field, why: "must be an object" })?;
                return judge(fields, members);
            }
            Self::Each(fields, least, most) => return each(fields, least..=most, field, value),
            other => other.trouble(value),
        };
        why.map_or(Ok(()), |why| Err(Refusal::Request { field, why }))
    }

    /// What is wrong with a value that has no members of its own.
    fn trouble(self, value: &Value) -> Option<&'static str> {
        let (right, why) = match self {
            Self::Label => (is_text(value, 4 * LABEL_MOST, is_label), "must be a name of 1 to 255 characters"),
            Self::Text => (is_text(value, TEXT_MOST, |_| true), "must be a string of at most 4096 bytes"),
            Self::Message => (is_text(value, MESSAGE_MOST, |_| true), "must be a string of at most 16384 bytes"),
            Self::CodeTemplate => (is_text(value, TEXT_MOST, has_code), "must be a string with {{.OtpCode}} in it"),
            Self::Phone => (is_text(value, 64, |text| Phone::parse(text).is_ok()), "must be a phone number in E.164"),
            Self::Contact => (is_text(value, 320, |text| !text.is_empty()), "must be an address"),
            Self::Uuid => (is_uuid(value), "must be a UUID"),
            Self::Uuids(most) => {
                let list = value.as_array().is_some_and(|list| (1..=most).contains(&list.len()));
                (list && value.as_array().is_some_and(|list| list.iter().all(is_uuid)), "must be a list of UUIDs")
            }
            Self::Key => (is_text(value, 130, |text| PublicKey::parse(Curve::P256, text).is_some()), KEY_WORDS),
            Self::AnyKey => (is_text(value, 130, is_hex), "must be a public key in hexadecimal"),
            Self::OneOf(words) => (is_text(value, 64, |text| words.contains(&text)), "is none of the known values"),
            Self::Seconds(_, most) => (seconds(value, most).is_some(), "must be seconds as a string, in their limits"),
            Self::Length => (number(value).is_some_and(|length| (6..=9).contains(&length)), "must be 6 to 9"),
            Self::Flag => (value.is_boolean(), "must be true or false"),
            Self::Code => (is_text(value, 64, |text| !text.is_empty()), "must be a code"),
            Self::Sealed => (is_text(value, SEALED_MOST, |text| !text.is_empty()), "must be a string"),
            Self::One => (number(value) == Some(1), "must be 1: one vote decides"),
            Self::Empty => (is_empty(value), "is not supported"),
            // Judged where they were found.
            Self::Email | Self::LinkTemplate | Self::Life(..) | Self::Object(_) | Self::Each(..) => (true, ""),
        };
        (!right).then_some(why)
    }
}

/// Whether these members are what the table says.
pub(super) fn judge(fields: &'static [Field], members: &Map<String, Value>) -> Result<(), Refusal> {
    for Field { name, required, form } in fields {
        match present(members, name) {
            Some(value) => form.judge(name, value)?,
            None if *required => return Err(Refusal::Request { field: name, why: "is required" }),
            None => {}
        }
    }
    Ok(())
}

fn each(
    fields: &'static [Field],
    many: std::ops::RangeInclusive<usize>,
    field: &'static str,
    value: &Value,
) -> Result<(), Refusal> {
    let list = value.as_array().filter(|list| many.contains(&list.len()));
    for value in list.ok_or(Refusal::Request { field, why: "must be a list of objects, not too long" })? {
        let members = value.as_object().ok_or(Refusal::Request { field, why: "must be a list of objects" })?;
        judge(fields, members)?;
    }
    Ok(())
}

/// A member that is there and not null.
pub(super) fn present<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).filter(|value| !value.is_null())
}

/// Seconds from 1 to `most`, as digits or as a number.
pub(super) fn seconds(value: &Value, most: u32) -> Option<u32> {
    number(value).and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| (1..=most).contains(seconds))
}

/// A whole number, as a number or as its digits: clients write numbers of 64 bits as strings.
pub(super) fn number(value: &Value) -> Option<u64> {
    const DIGITS: usize = 15;
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => {
            let digits = (1..=DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        }
        _ => None,
    }
}

fn is_text(value: &Value, most: usize, fits: impl Fn(&str) -> bool) -> bool {
    value.as_str().is_some_and(|text| text.len() <= most && fits(text))
}

fn is_label(text: &str) -> bool {
    (1..=LABEL_MOST).contains(&text.chars().count()) && !text.chars().any(char::is_control) && !text.trim().is_empty()
}

fn has_code(text: &str) -> bool {
    text.contains("{{.OtpCode}}") || text.contains("{{ .OtpCode }}")
}

fn is_hex(text: &str) -> bool {
    matches!(text.len(), 64 | 66 | 130) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_uuid(value: &Value) -> bool {
    // Any id does: they differ by type only.
    is_text(value, 36, |text| text.parse::<UserId>().is_ok())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}
