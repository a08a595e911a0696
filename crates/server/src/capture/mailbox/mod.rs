//! A mailbox, watched over IMAP: beside the person by `doorcode collect`, or by this server, where they connected it. Only what comes from
//! now on is looked at, only while somebody waits for it, and nothing in the mailbox is changed: it is opened for reading, and no message
//! counts as seen. Refuses what is too large to be somebody's code, a server that says more than it was asked, and a password in the
//! clear over any network.
//!
//! ```text
//! watch: connect → EXAMINE → IDLE … EXISTS → DONE + UID FETCH in one go → Desk::take → IDLE …
//! ```

mod grant;
mod place;
mod session;
#[cfg(test)]
mod tests;
mod watch;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use doorcode_core::mailbox::Refresh;
use doorcode_core::{Secret, Timestamp};
use tokio::sync::Notify;

use super::shares::Room;
use crate::egress::{Failure, Target};

pub use doorcode_core::mailbox::Security;
pub use grant::Grant;
pub use place::Place;
pub use watch::{Mailbox, Pauses, watch};

/// The largest message that is looked at, in bytes.
pub const LARGEST: u32 = 1 << 20;

/// Where a secret is.
pub enum Held {
    /// In a file, whose first line is read at each connection.
    File(PathBuf),
    /// Here.
    Here(Secret<String>),
}

impl Held {
    fn read(&self) -> std::io::Result<Secret<String>> {
        match self {
            Self::File(path) => {
                let whole = Secret::new(std::fs::read_to_string(path)?);
                Ok(Secret::new(whole.expose().lines().next().unwrap_or_default().to_owned()))
            }
            Self::Here(secret) => Ok(Secret::new(secret.expose().clone())),
        }
    }
}

/// By what somebody signs in.
pub enum Access {
    /// A password.
    Password(Held),
    /// An access token of OAuth 2 (XOAUTH2).
    Token(Held),
    /// One that is asked for at each connection.
    Grant(Grant),
}

impl Access {
    /// What is held here, and may change.
    fn held(&self) -> Option<&Held> {
        match self {
            Self::Password(held) | Self::Token(held) => Some(held),
            Self::Grant(_) => None,
        }
    }
}

/// A mailbox somewhere.
pub struct Account {
    /// The server.
    pub target: Target,
    /// How the connection is protected.
    pub security: Security,
    /// Who signs in.
    pub user: String,
    /// By what.
    pub access: Access,
    /// Which folder is watched.
    pub folder: String,
}

/// A message as it came out of a mailbox.
pub struct Fetched {
    /// Its bytes.
    pub raw: Secret<Vec<u8>>,
    /// When it came to the mailbox: whole seconds.
    pub arrived: Timestamp,
}

/// What somebody made of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was used, or never will be.
    Done,
    /// Nobody had a use for it; somebody who is yet to be approved may.
    Left,
    /// It could not be judged now.
    Again,
}

/// How it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It is watched.
    Watching,
    /// There is no connection, for this reason.
    Away(&'static str),
    /// The server does not let us in.
    Refused,
}

/// Who takes the messages.
pub trait Desk: Sync {
    /// When the oldest request was made that waits for a message; none: nobody waits, and nothing is to be fetched.
    fn waits(&self) -> impl Future<Output = Option<Timestamp>> + Send;

    /// Is called whenever somebody else may wait.
    fn news(&self) -> Arc<Notify>;

    /// Takes a message.
    fn take(&self, message: &Fetched) -> impl Future<Output = Outcome> + Send;

    /// Hears how it goes.
    fn hear(&self, state: State) -> impl Future<Output = ()> + Send;

    /// Up to where the mailbox was looked at before, if somebody has kept that.
    fn begin(&self) -> impl Future<Output = Option<Place>> + Send {
        async { None }
    }

    /// Keeps up to where it was looked at. What is taken before that is said may come once more.
    fn keep(&self, place: &Place) -> impl Future<Output = ()> + Send {
        let _ = place;
        async {}
    }

    /// Keeps another grant in the place of the one before, which may be good no more.
    fn renewed(&self, refresh: &Refresh) -> impl Future<Output = ()> + Send {
        let _ = refresh;
        async {}
    }

    /// Waits until there is room for a message in memory.
    fn room(&self) -> impl Future<Output = Option<Room>> + Send {
        async { None }
    }
}

/// Why a connection is none any more. No word of the server's is repeated: it may quote a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    /// No such server, no TLS, the connection broke, no answer in time.
    Line(&'static str),
    /// User or password are not right.
    Refused,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Line(failure.why)
    }
}

impl From<async_imap::error::Error> for Trouble {
    fn from(error: async_imap::error::Error) -> Self {
        use async_imap::error::Error as Imap;
        match error {
            Imap::No(_) => Self::Line("the server says no"),
            Imap::Bad(_) => Self::Line("the server does not understand"),
            Imap::Validate(_) => Self::Line("user, password or folder have characters that IMAP has no place for"),
            Imap::Parse(_) => Self::Line("the server's answer is no IMAP"),
            _ => Self::Line("the connection broke"),
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(_: std::io::Error) -> Self {
        Self::Line("the connection broke, or the answer is no IMAP")
    }
}
