//! From a message to the bytes that SMTP carries: headers, two alternatives, an envelope. Refuses an address that
//! could break out of its header.

use std::time::{Duration, SystemTime};

use doorcode_core::{Secret, origin};
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::failure::{Failure, Kind};
use super::message::Message;

/// Who it comes from.
pub(super) struct Sender {
    pub(super) from: Mailbox,
    pub(super) reply_to: Option<Mailbox>,
}

/// A mail as it goes over the wire.
pub(super) struct Mail {
    pub(super) envelope: Envelope,
    /// The whole message, lines ended by CRLF, before dot-stuffing.
    pub(super) raw: Secret<String>,
}

/// Between the alternatives. A constant, since both parts are made of our own texts, where it can't be.
const BOUNDARY: &str = "=_doorcode_alternative_9d41c6e7b0f2";

impl Sender {
    /// The mail of `message`, dated `at_ms` (milliseconds since 1970).
    pub(super) fn mail(&self, message: &Message, at_ms: i64) -> Result<Mail, Failure> {
        let to: Address = message
            .to
            .parse()
            .map_err(|_| Failure::new(Kind::Refused, "the address is none that a mail server could take"))?;
        let built = self.headers(message, to, at_ms).multipart(body(message));
        let built = built.map_err(|_| Failure::new(Kind::Permanent, "the mail could not be put together"))?;
        let raw = String::from_utf8(built.formatted())
            .map_err(|_| Failure::new(Kind::Permanent, "the mail is no valid UTF-8"))?;
        Ok(Mail { envelope: built.envelope().clone(), raw: Secret::new(raw) })
    }

    fn headers(&self, message: &Message, to: Address, at_ms: i64) -> lettre::message::MessageBuilder {
        let since = Duration::from_millis(u64::try_from(at_ms).unwrap_or(0));
        let mut builder = lettre::Message::builder()
            .date(SystemTime::UNIX_EPOCH + since)
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(message.subject.as_str())
            .message_id(Some(message.message_id.clone()))
            .raw_header(header(HeaderName::new_from_ascii_str("Content-Language"), message.language))
            // RFC 3834 section 5: keeps vacation replies away; the second does so for Exchange.
            .raw_header(header(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated"))
            .raw_header(header(HeaderName::new_from_ascii_str("X-Auto-Response-Suppress"), "All"));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        if let Some(stamp) = &message.stamp {
            builder = builder.raw_header(header(HeaderName::new_from_ascii_str(origin::HEADER), stamp));
        }
        builder
    }
}

/// The headers that a message of this sender would have, a line each. For the dev inbox.
pub fn head(message: &Message, from: &str, reply_to: Option<&str>, at_ms: i64) -> Result<String, Failure> {
    let mailbox = |text: &str| {
        text.parse::<Mailbox>().map_err(|_| Failure::new(Kind::Permanent, "mail.from or mail.reply_to is no sender"))
    };
    let sender = Sender { from: mailbox(from)?, reply_to: reply_to.map(mailbox).transpose()? };
    let mail = sender.mail(message, at_ms)?;
    let head = mail.raw.expose().split_once("\r\n\r\n").map_or("", |(head, _)| head);
    Ok(head.replace("\r\n", "\n"))
}

fn header(name: HeaderName, value: &str) -> HeaderValue {
    HeaderValue::new(name, value.to_owned())
}

fn body(message: &Message) -> MultiPart {
    MultiPart::alternative()
        .boundary(BOUNDARY)
        .singlepart(SinglePart::plain(message.text.expose().clone()))
        .singlepart(SinglePart::html(message.html.expose().clone()))
}

#[cfg(test)]
mod tests {
    use super::super::message::Channel;
    use super::super::texts::CATALOGUE;
    use super::*;
    use mail_parser::{HeaderName as Name, MessageParser, MimeHeaders};

    fn message(to: &str) -> Message {
        Message {
            channel: Channel::Email,
            to: to.to_owned(),
            subject: "Your Example code".to_owned(),
            text: Secret::new("Hello,\n\nKWXJQZPVGT\n".to_owned()),
            html: Secret::new("<p>KWXJQZPVGT</p>\n".to_owned()),
            code: Some(Secret::new("KWXJQZPVGT".to_owned())),
            link: None,
            message_id: "<1@example.com>".to_owned(),
            language: "en",
            stamp: Some("bWFyaw".to_owned()),
        }
    }

    fn sender() -> Sender {
        let from = "Bücher & Söhne <no-reply@example.com>".parse().unwrap();
        Sender { from, reply_to: Some("help@example.com".parse().unwrap()) }
    }

    fn raw(message: &Message) -> String {
        sender().mail(message, 1_795_334_868_123).ok().unwrap().raw.expose().clone()
    }

    #[test]
    fn the_mail_as_it_is() {
        let raw = raw(&message("ada@example.com")).replace("\r\n", "\n");
        insta::with_settings!({ snapshot_path => "../../tests/it/snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("mail_raw", raw);
        });
    }

    #[test]
    fn the_headers_are_the_beginning_of_the_mail() {
        let message = message("ada@example.com");
        let (from, reply_to) = ("Bücher & Söhne <no-reply@example.com>", Some("help@example.com"));
        let Ok(head) = head(&message, from, reply_to, 1_795_334_868_123) else { panic!("no headers") };
        assert!(raw(&message).replace("\r\n", "\n").starts_with(&format!("{head}\n\n")), "{head}");
        assert!(!head.contains("KWXJQZPVGT") && super::head(&message, "nobody", None, 0).is_err());
    }

    #[test]
    fn it_parses_back_with_each_header_once() {
        let raw = raw(&message("ada@example.com"));
        let parsed = MessageParser::default().parse(raw.as_bytes()).unwrap();
        for name in [Name::From, Name::To, Name::Subject, Name::Date, Name::MessageId, Name::MimeVersion] {
            assert_eq!(parsed.headers().iter().filter(|header| header.name == name).count(), 1, "{name:?}");
        }
        assert_eq!(parsed.from().unwrap().first().unwrap().name(), Some("Bücher & Söhne"));
        assert_eq!(parsed.to().unwrap().first().unwrap().address(), Some("ada@example.com"));
        assert_eq!(parsed.date().unwrap().to_rfc3339(), "2026-11-22T08:07:48Z");
        assert!(parsed.content_type().unwrap().is_multipart_alternative());
        assert!(parsed.body_text(0).unwrap().contains("\nKWXJQZPVGT"));
        assert!(parsed.body_html(0).unwrap().contains(">KWXJQZPVGT<"));
    }

    trait IsAlternative {
        fn is_multipart_alternative(&self) -> bool;
    }

    impl IsAlternative for mail_parser::ContentType<'_> {
        fn is_multipart_alternative(&self) -> bool {
            self.ctype() == "multipart" && self.subtype() == Some("alternative")
        }
    }

    #[test]
    fn no_value_can_add_a_header() {
        let mut message = message("ada@example.com");
        message.subject = "Hello\r\nBcc: eve@example.com".to_owned();
        message.stamp = Some("x\r\nX-Evil: 1".to_owned());
        message.message_id = "<1@example.com>\r\nX-Evil: 1".to_owned();
        let raw = raw(&message);
        let parsed = MessageParser::default().parse(raw.as_bytes()).unwrap();
        assert!(parsed.bcc().is_none() && parsed.header("X-Evil").is_none(), "{raw}");
        for to in ["ada@example.com\r\nBcc: eve@example.com", "ada@example.com>", "a b@example.com", "ada", ""] {
            let Err(failure) = sender().mail(&self::message(to), 0) else { panic!("{to} was taken") };
            assert_eq!(failure.kind, Kind::Refused, "{to}");
        }
    }

    #[test]
    fn every_language_survives_the_journey() {
        for texts in CATALOGUE {
            let mut sent = message("ada@example.com");
            sent.subject = texts.subject.replace("{product}", "Bücher & Söhne");
            sent.text = Secret::new([texts.intro, texts.ignore, texts.keep].join("\n\n"));
            sent.language = texts.language;
            let raw = raw(&sent);
            let head = raw.split_once("\r\n\r\n").unwrap().0;
            assert!(head.is_ascii() && head.lines().all(|line| line.len() <= 78), "{head}");
            let parsed = MessageParser::default().parse(raw.as_bytes()).unwrap();
            assert_eq!(parsed.subject(), Some(sent.subject.as_str()));
            assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n").trim(), sent.text.expose());
            assert_eq!(parsed.header("Content-Language").and_then(|value| value.as_text()), Some(texts.language));
        }
    }

    #[test]
    fn an_address_with_other_letters_stays_as_it_is() {
        let raw = raw(&message("jürgen@xn--bcher-kva.example"));
        assert!(raw.contains("To: jürgen@xn--bcher-kva.example\r\n"), "{raw}");
    }

    #[test]
    fn lines_are_short_and_end_alike() {
        let raw = raw(&message("ada@example.com"));
        assert!(!raw.replace("\r\n", "").contains(['\r', '\n']));
        assert!(raw.lines().all(|line| line.len() < 998));
    }
}
