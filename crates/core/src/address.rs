//! Addresses: where a code goes, and what a success proves. One canonical spelling each, in which alone they are
//! stored, compared and written to (docs/threat-model.md). Refuses everything that two programs could read
//! differently. Nothing here prints an address: `Debug` shows the mask, and there is no `Display`.

mod email;
mod phone;

pub use email::Email;
pub use phone::Phone;

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
