//! One message, rendered and ready to leave. Refuses to be printed: it has no `Debug`, and whatever carries the code
//! is a [`Secret`].

use doorcode_core::Secret;

/// The way that a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A mail, by SMTP.
    Email,
}

impl Channel {
    /// The word for this channel in answers, logs and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
        }
    }
}

/// One message to one address. The code is in `text` and in `html`, once each, and in no other field that leaves.
pub struct Message {
    /// How it travels.
    pub channel: Channel,
    /// The canonical address that it goes to, and the only one.
    pub to: String,
    /// The subject. Never holds a code: notifications show it on locked screens, and servers log it.
    pub subject: String,
    /// The plain text, lines ended by `\n`.
    pub text: Secret<String>,
    /// The same as HTML, a whole document.
    pub html: Secret<String>,
    /// The code as it is typed, ungrouped. Shown in the dev inbox only; a mail is made of `text` and `html`.
    pub code: Option<Secret<String>>,
    /// The link, if the message carries one. For the dev inbox, as `code`.
    pub link: Option<Secret<String>>,
    /// The Message-ID, in its angle brackets. The same for every attempt, so that a receiver can drop repeats.
    pub message_id: String,
    /// The language of the texts, as a BCP 47 tag.
    pub language: &'static str,
    /// The value of `X-Doorcode-Stamp`: the keyed mark by which this installation knows its own mail again.
    pub stamp: Option<String>,
}
