//! Addresses: where a code goes, and what a success proves. One canonical spelling each, in which alone they are
//! stored, compared and written to (docs/threat-model.md). Refuses everything that two programs could read
//! differently. Nothing here prints an address: `Debug` shows the mask, and there is no `Display`.

mod email;
mod phone;

pub use email::Email;
pub use phone::Phone;

use crate::error::Result;

/// Any address. What the channel is does not matter to whoever only keeps, binds or counts it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Address {
    /// Of e-mail.
    Email(Email),
    /// Of SMS, voice and messengers.
    Phone(Phone),
}

impl Address {
    /// The canonical spelling. The two kinds never coincide: only one has an `@`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Phone(phone) => phone.as_str(),
        }
    }

    /// Of e-mail, if it is that.
    pub const fn email(&self) -> Option<&Email> {
        match self {
            Self::Email(email) => Some(email),
            Self::Phone(_) => None,
        }
    }

    /// Reads a canonical spelling of either kind.
    ///
    /// # Errors
    /// `Invalid` for what is neither.
    pub fn parse(canonical: &str) -> Result<Self> {
        if canonical.contains('@') {
            Email::parse(canonical).map(Self::Email)
        } else {
            Phone::parse(canonical).map(Self::Phone)
        }
    }

    /// A form for logs and screens that others may see.
    pub fn masked(&self) -> String {
        match self {
            Self::Email(email) => email.masked(),
            Self::Phone(phone) => phone.masked(),
        }
    }

    /// What send budgets count by. Never an identity: it may belong to somebody else.
    pub fn folded(&self) -> String {
        match self {
            Self::Email(email) => email.folded(),
            Self::Phone(phone) => phone.as_str().to_owned(),
        }
    }
}

impl From<Email> for Address {
    fn from(email: Email) -> Self {
        Self::Email(email)
    }
}

impl From<Phone> for Address {
    fn from(phone: Phone) -> Self {
        Self::Phone(phone)
    }
}
