//! The house's own Postfix (`doorcode::cli::post`) in the hands of a test: mail that comes by SMTP, as everybody's does. Refuses to pass over
//! a machine without it: the tests fail and name the command that installs it.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::io::ErrorKind;

use doorcode::cli::post::{self, DOMAIN};
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::Response;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use crate::dovecot::{Dovecot, USER, say};

/// A running one.
pub(crate) struct Postfix(post::Postfix);

impl Postfix {
    /// In front of this mailbox. None where it can't be started because this is not root, which is said.
    pub(crate) fn before(mailbox: &Dovecot) -> Option<Self> {
        match post::Postfix::start(&mailbox.server) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                say(&format!("NOT TRIED: {error}"));
                None
            }
            started => Some(Self(started.unwrap())),
        }
    }

    /// Hands a mail to it: its last word about it.
    pub(crate) async fn send(&self, from: &str, to: &str, raw: &str) -> Result<Response, Error> {
        let envelope = Envelope::new(Some(from.parse().unwrap()), vec![to.parse().unwrap()]).unwrap();
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(self.0.port).build();
        transport.send_raw(&envelope, raw.as_bytes()).await
    }
}

/// The address of the mailbox.
pub(crate) fn address() -> String {
    format!("{USER}@{DOMAIN}")
}
