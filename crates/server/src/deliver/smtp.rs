//! Mail by SMTP: a bounded pool of connections, one attempt. Refuses to go on without the TLS that the settings ask
//! for, and to take a connection again of which it does not know where the conversation stands.
//!
//! lettre speaks the protocol; the pool is ours, since its own has no limit, no timeout after the connect, and hands
//! a connection on whose last user was cancelled in mid-reply. Its feature `tracing` must stay off: it logs whole mails.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Noop, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::failure::{Failure, Kind, Stage};
use super::message::Message;
use super::mime::{Mail, Sender};
pub use super::settings::{Security, SettingError, SmtpSettings};
use super::wire::Wire;

/// The mail server took the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its reply code; 250 in general.
    pub code: u16,
}

/// The way to a mail server. Clones share the connections.
#[derive(Clone)]
pub struct Smtp(Arc<Inner>);

struct Inner {
    host: String,
    port: u16,
    security: Security,
    tls: TlsParameters,
    hello: ClientId,
    credentials: Option<Credentials>,
    sender: Sender,
    timeout: Duration,
    /// One for each connection that may be in use.
    slots: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

/// A connection between two mails.
struct Idle {
    connection: AsyncSmtpConnection,
    /// When it was last used, by the caller's time.
    since_ms: i64,
    /// Whether the last mail was refused halfway, so that RSET is due.
    halfway: bool,
}

/// A connection that was idle for longer is not used again: servers hang up after minutes, and some forget to say so.
const IDLE_MS: i64 = 30_000;

impl Smtp {
    /// Checks the settings and reads `ca_file`. Connects to nothing yet.
    ///
    /// # Errors
    /// The first setting that can't be used.
    pub fn new(settings: &SmtpSettings) -> Result<Self, SettingError> {
        settings.check()?;
        Ok(Self(Arc::new(Inner {
            host: settings.host.clone(),
            port: settings.port,
            security: settings.security,
            tls: settings.tls()?,
            hello: settings.hello_name.clone().map_or_else(ClientId::default, ClientId::Domain),
            credentials: settings.credentials()?,
            sender: settings.sender()?,
            timeout: settings.timeout,
            slots: Semaphore::new(settings.pool as usize),
            idle: Mutex::default(),
        })))
    }

    /// Makes one attempt at sending `message`, dated `at_ms` (milliseconds since 1970). Takes no longer than the
    /// timeout of the settings. If the time runs out or the connection breaks at the very end, the message may have
    /// been taken all the same.
    ///
    /// # Errors
    /// [`Failure`], which says whether to try again.
    pub async fn send(&self, message: &Message, at_ms: i64) -> Result<Receipt, Failure> {
        let mail = self.0.sender.mail(message, at_ms)?;
        let mut attempt = Attempt { inner: &self.0, stage: Stage::Wait };
        let outcome = timeout(self.0.timeout, attempt.send(&mail, at_ms)).await;
        outcome.unwrap_or_else(|_| Err(Failure::timed_out(attempt.stage)))
    }

    /// Does all of an attempt but the mail: connects, greets, secures, signs in, asks for nothing and leaves.
    ///
    /// # Errors
    /// [`Failure`], which says how far it came.
    pub async fn check(&self) -> Result<(), Failure> {
        let mut attempt = Attempt { inner: &self.0, stage: Stage::Wait };
        let outcome = timeout(self.0.timeout, attempt.check()).await;
        outcome.unwrap_or_else(|_| Err(Failure::timed_out(attempt.stage)))
    }

    /// Takes leave on the connections that nobody uses. For the end of the process.
    pub async fn close(&self) {
        let idle = std::mem::take(&mut *self.0.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for mut idle in idle {
            // The other end may have gone; there is nobody to tell.
            let _ = timeout(Duration::from_secs(1), idle.connection.abort()).await;
        }
    }
}

/// One attempt, which knows how far it has come when the time runs out.
struct Attempt<'a> {
    inner: &'a Inner,
    stage: Stage,
}

impl Attempt<'_> {
    async fn send(&mut self, mail: &Mail, at_ms: i64) -> Result<Receipt, Failure> {
        // Never closed, so that this can't fail; without a slot there is the timeout.
        let _slot = self.inner.slots.acquire().await;
        if let Some(mut idle) = self.inner.take_idle(at_ms) {
            let outcome = self.hand_over(&mut idle.connection, mail, idle.halfway).await;
            // Servers hang up between two mails. As long as none was begun, a fresh connection repeats nothing.
            let begun = !matches!(self.stage, Stage::Reset | Stage::Sender);
            if begun || !outcome.as_ref().is_err_and(Failure::hung_up) {
                self.inner.settle(idle.connection, &outcome, at_ms);
                return outcome;
            }
        }
        let mut connection = self.open().await?;
        let outcome = self.hand_over(&mut connection, mail, false).await;
        self.inner.settle(connection, &outcome, at_ms);
        outcome
    }

    async fn check(&mut self) -> Result<(), Failure> {
        let mut connection = self.open().await?;
        self.stage = Stage::Reset;
        connection.command(Noop).await.map_err(|error| self.failed(&error))?;
        connection.abort().await;
        Ok(())
    }

    fn failed(&self, error: &Error) -> Failure {
        Failure::of(self.stage, error)
    }

    /// A connection, secured and signed in as the settings ask.
    async fn open(&mut self) -> Result<AsyncSmtpConnection, Failure> {
        self.stage = Stage::Connect;
        let inner = self.inner;
        let connected = if inner.security == Security::StartTls {
            let wire = Wire::connect(&inner.host, inner.port)
                .await
                .map_err(|_| Failure::new(Kind::Temporary, "no connection to the mail server"))?;
            AsyncSmtpConnection::connect_with_transport(Box::new(wire), &inner.hello).await
        } else {
            let tls = (inner.security == Security::ImplicitTls).then(|| inner.tls.clone());
            AsyncSmtpConnection::connect_tokio1((inner.host.as_str(), inner.port), None, &inner.hello, tls, None).await
        };
        let mut connection = connected.map_err(|error| self.failed(&error))?;
        if inner.security == Security::StartTls {
            self.stage = Stage::Secure;
            connection.starttls(inner.tls.clone(), &inner.hello).await.map_err(|error| self.failed(&error))?;
        }
        if let Some(credentials) = &inner.credentials {
            self.stage = Stage::SignIn;
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(|error| self.failed(&error))?;
        }
        Ok(connection)
    }

    /// The conversation for one mail; first back to its start, if the last one was left halfway.
    async fn hand_over(
        &mut self,
        connection: &mut AsyncSmtpConnection,
        mail: &Mail,
        halfway: bool,
    ) -> Result<Receipt, Failure> {
        if halfway {
            self.stage = Stage::Reset;
            connection.command(Rset).await.map_err(|error| self.failed(&error))?;
        }
        let parameters = parameters(connection, mail)?;
        let Some(to) = mail.envelope.to().first().cloned() else {
            return Err(Failure::new(Kind::Permanent, "the mail is for nobody"));
        };
        let from: Option<Address> = mail.envelope.from().cloned();
        self.stage = Stage::Sender;
        connection.command(MailFrom::new(from, parameters)).await.map_err(|error| self.failed(&error))?;
        self.stage = Stage::Recipient;
        connection.command(Rcpt::new(to, Vec::new())).await.map_err(|error| self.failed(&error))?;
        self.stage = Stage::Data;
        connection.command(Data).await.map_err(|error| self.failed(&error))?;
        self.stage = Stage::Content;
        let reply = connection.command(Content(mail.raw.expose())).await.map_err(|error| self.failed(&error))?;
        Ok(Receipt { code: reply.code().into() })
    }
}

/// What MAIL FROM must announce: other letters in an address (RFC 6531), and bytes above 127 (RFC 6152).
fn parameters(connection: &AsyncSmtpConnection, mail: &Mail) -> Result<Vec<MailParameter>, Failure> {
    if mail.raw.expose().is_ascii() {
        return Ok(Vec::new());
    }
    if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
        return Err(Failure::new(Kind::Refused, "the mail server takes no address with such letters (no SMTPUTF8)"));
    }
    Ok(vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)])
}

/// The content of a mail with its dots doubled and its end, in one write: two would wait for each other's
/// acknowledgement on a connection without `TCP_NODELAY`.
struct Content<'a>(&'a str);

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if rest.starts_with('.') {
            f.write_str(".")?;
        }
        while let Some(end) = rest.find("\n.") {
            let (line, next) = rest.split_at(end + 1);
            f.write_str(line)?;
            f.write_str(".")?;
            rest = next;
        }
        f.write_str(rest)?;
        f.write_str(if rest.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" })
    }
}

impl Inner {
    /// The connection that was used last, unless that is too long ago. Those before it are older still.
    fn take_idle(&self, at_ms: i64) -> Option<Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = idle.pop().filter(|last| (0..=IDLE_MS).contains(&(at_ms - last.since_ms)));
        if fresh.is_none() {
            idle.clear();
        }
        fresh
    }

    /// Keeps the connection if it is known where the conversation stands: after a reply that does not end it.
    fn settle(&self, connection: AsyncSmtpConnection, outcome: &Result<Receipt, Failure>, at_ms: i64) {
        let halfway = match outcome {
            Ok(_) => false,
            Err(failure) if failure.hung_up() => return,
            Err(_) => true,
        };
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(Idle { connection, since_ms: at_ms, halfway });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_doubled_and_the_end_is_one() {
        for (raw, sent) in [
            ("a\r\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            (".a\r\n..\r\nb.\r\n.", "..a\r\n...\r\nb.\r\n..\r\n.\r\n"),
            ("\r\n.\r\n", "\r\n..\r\n.\r\n"),
        ] {
            assert_eq!(Content(raw).to_string(), sent, "{raw:?}");
        }
    }
}
