//! The house's own Dovecot (`doorcode::cli::post`) in the hands of a test: mails that lie in the mailbox as a mail server puts them there, and
//! bad days. Refuses to be a server that was there before.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use doorcode::cli::post::{self, Extra};

/// The server's only user.
pub(crate) use doorcode::cli::post::USER;

/// A running one.
pub(crate) struct Dovecot {
    /// The server.
    pub(crate) server: post::Dovecot,
    /// The port without TLS.
    pub(crate) port: u16,
}

impl Dovecot {
    /// None where Dovecot is not installed, which is said.
    pub(crate) fn start(password: &str) -> Option<Self> {
        Self::with(password, &Extra::default())
    }

    /// The same, with settings of the test's own.
    pub(crate) fn with(password: &str, extra: &Extra<'_>) -> Option<Self> {
        let server = match post::Dovecot::start(password, extra) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                say(&format!("NOT TRIED: {error}"));
                return None;
            }
            started => started.unwrap(),
        };
        let port = server.port;
        Some(Self { server, port })
    }

    fn mail(&self, folder: &str) -> PathBuf {
        self.server.dir().join("mail").join(folder)
    }

    /// Ends it, and every connection to it.
    pub(crate) fn stop(&mut self) {
        self.server.stop().unwrap();
    }

    /// Begins it again.
    pub(crate) fn again(&mut self) {
        self.server.again().unwrap();
    }

    /// Forgets every message and every number, as a server does whose mailbox was made anew.
    pub(crate) fn renumber(&mut self) {
        self.stop();
        self.server.forget().unwrap();
        self.again();
    }

    /// The same, with a message in it when it begins again.
    pub(crate) fn renumbered_with(&mut self, raw: &str) {
        self.stop();
        self.server.forget().unwrap();
        self.deliver(raw);
        self.again();
    }

    /// How often somebody was not let in, since it was started.
    pub(crate) fn failures(&self) -> usize {
        let log = fs::read_to_string(self.server.dir().join("log")).unwrap_or_default();
        log.lines().filter(|line| line.contains("imap-login") && line.contains("auth failed")).count()
    }

    /// How many are signed in.
    pub(crate) fn connections(&self) -> usize {
        let config = self.server.dir().join("dovecot.conf");
        let said = Command::new("doveadm").arg("-c").arg(config).args(["who", "-1"]).output().unwrap().stdout;
        String::from_utf8(said).unwrap().lines().filter(|line| line.starts_with(USER)).count()
    }

    /// Puts a message into the mailbox as a mail server does: written whole, then moved to its place.
    pub(crate) fn deliver(&self, raw: &str) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{:010}.{}.test", COUNT.fetch_add(1, Ordering::Relaxed), std::process::id());
        let (made, place) = (self.mail("tmp").join(&name), self.mail("new").join(&name));
        fs::write(&made, raw).unwrap();
        fs::rename(made, place).unwrap();
    }

    /// Another password.
    pub(crate) fn set_password(&self, password: &str) {
        self.server.set_password(password).unwrap();
    }

    /// The names of the messages as they lie there: a flag that somebody set is part of one.
    pub(crate) fn names(&self) -> Vec<String> {
        let list = |folder: &str| fs::read_dir(self.mail(folder)).unwrap();
        let entries = list("new").chain(list("cur"));
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// Says what was not tried, past the harness, which keeps to itself what a test that passes prints.
pub(crate) fn say(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}
