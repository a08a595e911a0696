//! Why a message did not leave, and whether it may later. Refuses the mail server's own words: servers repeat
//! addresses and sometimes the message in them, so that only the reply code, the enhanced status code (RFC 3463) and
//! words of ours come through.

use std::error::Error as _;
use std::io;

use lettre::transport::smtp::Error;

/// Whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Later it may work: busy, greylisted, unreachable, or set up wrongly by the operator.
    Temporary,
    /// This message will never be taken, whoever it is for.
    Permanent,
    /// This recipient will never be taken: no such mailbox, or not from here.
    Refused,
}

/// One failed attempt. Safe to log: it holds no address, no code and nothing that the server wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whether to try again.
    pub kind: Kind,
    /// The server's reply code, if it replied.
    pub code: Option<u16>,
    /// What happened, for the operator.
    pub why: String,
}

/// How far an attempt had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waiting for a free connection.
    Wait,
    /// TCP, implicit TLS, greeting, EHLO.
    Connect,
    /// STARTTLS and the second EHLO.
    Secure,
    /// AUTH.
    SignIn,
    /// RSET or NOOP on a connection that is already there.
    Reset,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA, before any content.
    Data,
    /// The content and its end.
    Content,
}

impl Failure {
    pub(super) fn new(kind: Kind, why: &str) -> Self {
        Self { kind, code: None, why: why.to_owned() }
    }

    /// The time ran out at `stage`.
    pub(super) fn timed_out(stage: Stage) -> Self {
        let why = match stage {
            Stage::Wait => "timed out waiting for a free connection: mail.connections is small or the mail server slow",
            Stage::Connect | Stage::Secure => "timed out connecting to the mail server",
            Stage::SignIn => "timed out signing in to the mail server",
            Stage::Content => "timed out after the message was handed over: it may have been taken",
            Stage::Reset | Stage::Sender | Stage::Recipient | Stage::Data => {
                "timed out waiting for the mail server's reply"
            }
        };
        Self::new(Kind::Temporary, why)
    }

    /// What `error` at `stage` means.
    pub(super) fn of(stage: Stage, error: &Error) -> Self {
        match error.status() {
            Some(code) => {
                let text = error.source().map(ToString::to_string).unwrap_or_default();
                Self::replied(stage, code.into(), &text)
            }
            None => Self::new(Kind::Temporary, unanswered(stage, error)),
        }
    }

    /// What the negative reply `code` with this text means, from which only an enhanced status code is taken.
    fn replied(stage: Stage, code: u16, text: &str) -> Self {
        let status = enhanced_status(code, text);
        let (kind, words) = judge(stage, code, status);
        let why = match status {
            Some(status) => format!("{code} {status}: {words}"),
            None => format!("{code}: {words}"),
        };
        Self { kind, code: Some(code), why }
    }

    /// Whether the other end had hung up, so that a fresh connection may do.
    pub(super) fn hung_up(&self) -> bool {
        self.kind == Kind::Temporary && matches!(self.code, None | Some(421))
    }
}

/// The meaning of a negative reply: RFC 5321 section 4.2, RFC 4954 section 6 for the codes of AUTH.
fn judge(stage: Stage, code: u16, status: Option<&str>) -> (Kind, &'static str) {
    let about_mailbox = status.is_some_and(|status| status.starts_with("5.1."));
    match (stage, code) {
        (_, 421) => (Kind::Temporary, "the mail server is closing the connection"),
        (_, ..500) => (Kind::Temporary, "the mail server asks to try again later"),
        (Stage::SignIn, _) | (_, 530 | 534 | 535 | 538) => {
            (Kind::Temporary, "the mail server refuses our sign-in: check mail.username and mail.password")
        }
        (Stage::Wait | Stage::Connect | Stage::Secure | Stage::Reset, _) => {
            (Kind::Temporary, "the mail server turns this server away")
        }
        (Stage::Sender, _) => (Kind::Permanent, "the mail server refuses the sender: check mail.from"),
        // RFC 5321 section 4.5.3.1.10: at RCPT, 552 is an old way to say 452.
        (Stage::Recipient, 552) => (Kind::Temporary, "the recipient's mailbox takes nothing now"),
        (Stage::Recipient, _) => (Kind::Refused, "the mail server refuses the recipient"),
        (Stage::Data | Stage::Content, _) if about_mailbox => (Kind::Refused, "the mail server refuses the recipient"),
        (Stage::Data | Stage::Content, _) => (Kind::Permanent, "the mail server refuses the message"),
    }
}

/// The words for an error without a reply.
fn unanswered(stage: Stage, error: &Error) -> &'static str {
    match stage {
        Stage::Secure if error.is_client() => {
            "the mail server offers no STARTTLS, and without it nothing is sent: check mail.security"
        }
        Stage::SignIn if error.is_client() => "the mail server offers no sign-in that we speak (PLAIN, LOGIN)",
        Stage::Connect | Stage::Secure if is_tls(error) => {
            "TLS to the mail server failed: its certificate is not trusted or not for this host (mail.ca_file, \
             mail.host), or it speaks no TLS here (mail.security)"
        }
        Stage::Wait | Stage::Connect => "no connection to the mail server",
        Stage::Secure => "the connection broke at STARTTLS",
        Stage::Content => "the connection broke after the message was handed over: it may have been taken",
        Stage::SignIn | Stage::Reset | Stage::Sender | Stage::Recipient | Stage::Data => {
            "the connection to the mail server broke"
        }
    }
}

/// Whether TLS itself said no; tokio-rustls wraps that as invalid data.
fn is_tls(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        cause = inner.source();
    }
    error.is_tls()
}

/// The code `x.y.z` that the text of a reply begins with, if it fits the reply (RFC 2034 section 4).
fn enhanced_status(code: u16, text: &str) -> Option<&str> {
    let word = text.split([' ', '\r', '\n']).next()?;
    let mut parts = word.split('.');
    let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let fits = class.len() == 1 && class.parse() == Ok(code / 100) && parts.next().is_none();
    (fits && digits(subject) && digits(detail)).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::Kind::{Permanent, Refused, Temporary};
    use super::*;

    #[test]
    fn replies_are_judged_by_stage_and_code() {
        for (stage, code, text, kind) in [
            (Stage::Recipient, 450, "4.2.0 Greylisted", Temporary),
            (Stage::Recipient, 451, "4.7.1 try again", Temporary),
            (Stage::Recipient, 452, "", Temporary),
            (Stage::Recipient, 550, "5.1.1 no such user", Refused),
            (Stage::Recipient, 552, "too many", Temporary),
            (Stage::Recipient, 553, "", Refused),
            (Stage::Recipient, 554, "5.7.1 relay access denied", Refused),
            (Stage::Recipient, 530, "5.7.0 authentication required", Temporary),
            (Stage::Sender, 421, "4.3.2 shutting down", Temporary),
            (Stage::Sender, 530, "", Temporary),
            (Stage::Sender, 550, "5.7.60 send as denied", Permanent),
            (Stage::Data, 554, "", Permanent),
            (Stage::Content, 451, "", Temporary),
            (Stage::Content, 550, "5.1.1 no such user", Refused),
            (Stage::Content, 554, "5.7.1 spam", Permanent),
            (Stage::Connect, 554, "go away", Temporary),
            (Stage::SignIn, 535, "5.7.8 bad", Temporary),
            (Stage::SignIn, 504, "", Temporary),
            (Stage::SignIn, 454, "", Temporary),
        ] {
            let failure = Failure::replied(stage, code, text);
            assert_eq!((failure.kind, failure.code), (kind, Some(code)), "{stage:?} {code} {text}");
        }
    }

    #[test]
    fn a_refused_sign_in_is_told_from_a_refused_recipient() {
        let failure = Failure::replied(Stage::SignIn, 535, "5.7.8 Error: authentication failed for bob@example.com");
        assert_eq!(
            failure.why,
            "535 5.7.8: the mail server refuses our sign-in: check mail.username and mail.password"
        );
    }

    #[test]
    fn nothing_of_the_server_comes_through_but_its_codes() {
        let failure = Failure::replied(Stage::Recipient, 550, "5.1.1 <ada@example.com>: no, 482913");
        assert_eq!(failure.why, "550 5.1.1: the mail server refuses the recipient");
        for text in ["4.1.1 other class", "5.1", "5.1.1.1 four", "5.1.1234 long", "5.ada@example.com.1", "15.1.1", ""] {
            assert_eq!(enhanced_status(550, text), None, "{text}");
        }
        assert_eq!(enhanced_status(450, "4.7.25\r\nmore"), Some("4.7.25"));
    }

    #[test]
    fn only_a_connection_that_hung_up_is_tried_afresh() {
        assert!(Failure::replied(Stage::Sender, 421, "").hung_up());
        assert!(Failure::new(Temporary, "x").hung_up());
        assert!(!Failure::replied(Stage::Sender, 451, "").hung_up());
        assert!(!Failure::replied(Stage::Sender, 550, "").hung_up());
    }
}
