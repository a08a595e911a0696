//! The texts of a message, out of its MIME parts. Refuses to be a bomb's fuse: parts, depth and bytes are counted, nothing is decoded
//! that will not be looked at, and messages inside of messages are left alone, since nobody vouches for who sent those.

use std::borrow::Cow;

use doorcode_core::Secret;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{ContentType, Message, MessageParser, MimeHeaders};

use super::fields::Fields;
use super::message::Unreadable;

/// The most parts that are opened. A code's mail has two to ten.
const MAX_PARTS: usize = 64;
/// How deep a part may lie. Alternatives beside pictures, signed, with an attachment: four.
const MAX_DEPTH: usize = 8;
/// The most bytes of text that are looked at.
const MAX_TEXT: usize = 1024 * 1024;
/// The largest header block of a part.
const MAX_PART_HEADERS: usize = 8 * 1024;
/// Encoded words in it: the name of a file.
const MAX_PART_WORDS: usize = 32;

/// What people read of a message, decoded. Several parts of one kind follow each other, a line apart.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) text: Option<Secret<String>>,
    pub(super) html: Option<Secret<String>>,
}

/// A part that waits: its bytes, and how deep it lies.
type Waiting<'a> = (&'a [u8], usize);

/// Reads the texts of the message `raw`, whose body begins at `body`.
pub(super) fn texts(raw: &[u8], body: usize) -> Result<Texts, Unreadable> {
    let (mut text, mut html) = (String::new(), String::new());
    let mut parts = 0;
    // Taken from its end, so that parts are met in their order.
    let mut waiting: Vec<Waiting<'_>> = Vec::new();
    let mut next = Some((&raw[..body], &raw[body..], 0));
    while let Some((head, body, depth)) = next {
        parts += 1;
        if parts > MAX_PARTS {
            return Err(Unreadable::TooManyParts);
        }
        let head = MessageParser::default().parse_headers(head).filter(|head| !head.parts.is_empty());
        match kind(head.as_ref()) {
            Kind::Holds(boundary) => hold(&boundary, body, depth, &mut waiting)?,
            Kind::Text => push(&mut text, html.len(), head.as_ref(), body)?,
            Kind::Html => push(&mut html, text.len(), head.as_ref(), body)?,
            Kind::Other => {}
        }
        next = match waiting.pop() {
            Some((part, depth)) => {
                let (head, body) = split(part)?;
                Some((head, body, depth))
            }
            None => None,
        };
    }
    let found = |text: String| (!text.is_empty()).then(|| Secret::new(text));
    Ok(Texts { text: found(text), html: found(html) })
}

/// What a part is to us.
enum Kind {
    /// Parts, between lines with this boundary.
    Holds(Vec<u8>),
    Text,
    Html,
    /// An attachment, a picture, a message: nothing that is looked at.
    Other,
}

fn kind(head: Option<&Message<'_>>) -> Kind {
    // Without headers a part is plain text (RFC 2046 section 5.1), and so is one whose type nobody can read.
    let Some(head) = head else { return Kind::Text };
    let Some(of) = head.content_type() else { return Kind::Text };
    if of.ctype().eq_ignore_ascii_case("multipart") {
        // The parts of a digest are messages.
        let boundary = of.attribute("boundary").filter(|_| !is(of.subtype(), "digest"));
        return boundary.map_or(Kind::Other, |boundary| Kind::Holds(boundary.as_bytes().to_vec()));
    }
    let attached = head.content_disposition().is_some_and(ContentType::is_attachment);
    if !of.ctype().eq_ignore_ascii_case("text") || attached || of.has_attribute("name") {
        return Kind::Other;
    }
    match of.subtype() {
        subtype if is(subtype, "plain") => Kind::Text,
        subtype if is(subtype, "html") => Kind::Html,
        _ => Kind::Other,
    }
}

fn is(subtype: Option<&str>, name: &str) -> bool {
    subtype.is_some_and(|subtype| subtype.eq_ignore_ascii_case(name))
}

/// Puts the parts of a body on the pile, the first on top.
fn hold<'a>(boundary: &[u8], body: &'a [u8], depth: usize, waiting: &mut Vec<Waiting<'a>>) -> Result<(), Unreadable> {
    if depth == MAX_DEPTH {
        return Err(Unreadable::TooDeep);
    }
    let first = waiting.len();
    let (mut at, mut begun) = (0, None);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let end = at + line.len();
        let delimits =
            line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary)).map(<[u8]>::trim_ascii_end);
        if let Some(rest @ (b"" | b"--")) = delimits {
            waiting.extend(begun.map(|begun| (&body[begun..at], depth + 1)));
            begun = Some(end).filter(|_| rest.is_empty());
            if waiting.len() > MAX_PARTS {
                return Err(Unreadable::TooManyParts);
            }
            if begun.is_none() {
                break;
            }
        }
        at = end;
    }
    // Without an end, the last part goes on to the end of what holds it.
    waiting.extend(begun.map(|begun| (&body[begun..], depth + 1)));
    waiting[first..].reverse();
    Ok(())
}

/// The header block of a part, and what follows it.
fn split(part: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let mut at = 0;
    for line in part.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if at > MAX_PART_HEADERS {
            return Err(Unreadable::TooManyHeaders);
        }
        if matches!(line, b"\r\n" | b"\n") {
            break;
        }
    }
    let (head, body) = part.split_at(at);
    match Fields::read(head) {
        Some(fields) if fields.is_bounded(head, MAX_PART_WORDS) => Ok((head, body)),
        _ => Err(Unreadable::TooManyHeaders),
    }
}

/// Decodes a part onto `onto`; `beside` bytes of text were found elsewhere. What can't be decoded is left out.
fn push(onto: &mut String, beside: usize, head: Option<&Message<'_>>, body: &[u8]) -> Result<(), Unreadable> {
    // No encoding of ours takes more than three bytes for one.
    if body.len() > 3 * MAX_TEXT {
        return Err(Unreadable::TooMuchText);
    }
    let encoding = head.and_then(|head| head.content_transfer_encoding()).unwrap_or_default().trim_ascii();
    let bytes = if encoding.eq_ignore_ascii_case("base64") {
        base64_decode(body).map(Cow::Owned)
    } else if encoding.eq_ignore_ascii_case("quoted-printable") {
        quoted_printable_decode(body).map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(body))
    };
    let Some(bytes) = bytes else { return Ok(()) };
    let charset = head.and_then(|head| head.content_type()?.attribute("charset"));
    let text = match charset.and_then(|charset| charset_decoder(charset.as_bytes())) {
        Some(decode) => Cow::Owned(decode(&bytes)),
        None => String::from_utf8_lossy(&bytes),
    };
    if onto.len() + beside + text.len() > MAX_TEXT {
        return Err(Unreadable::TooMuchText);
    }
    if !onto.is_empty() {
        onto.push('\n');
    }
    onto.push_str(&text);
    Ok(())
}
