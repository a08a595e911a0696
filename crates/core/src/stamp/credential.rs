//! How a public key came to be its user's: given by somebody, or earned by a code. Refuses to count one kind for another: what is said of keys
//! without an end is said of given ones, and a code's success ends its own kind only.

use super::key::Curve;

/// How a key came to be its user's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyKind {
    /// Somebody gave its public half.
    Given(Curve),
    /// A code earned it, and it was sealed.
    OtpAuth,
    /// The same, by mail. Inert until its first stamp.
    EmailAuth,
    /// A verification token, or another key of the user's, was spent on it.
    Login,
    /// Another key of the user's asked for it, and it was sealed.
    ReadWriteSession,
}

impl KeyKind {
    const ALL: [Self; 7] = [
        Self::Given(Curve::P256),
        Self::Given(Curve::Secp256k1),
        Self::Given(Curve::Ed25519),
        Self::OtpAuth,
        Self::EmailAuth,
        Self::Login,
        Self::ReadWriteSession,
    ];

    /// The type of its credential, on the wire and as it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Given(curve) => curve.credential_type(),
            Self::OtpAuth => "CREDENTIAL_TYPE_OTP_AUTH_KEY_P256",
            Self::EmailAuth => "CREDENTIAL_TYPE_EMAIL_AUTH_KEY_P256",
            Self::Login => "CREDENTIAL_TYPE_LOGIN",
            Self::ReadWriteSession => "CREDENTIAL_TYPE_READ_WRITE_SESSION_KEY_P256",
        }
    }

    /// The kind of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The curve of its keys.
    pub const fn curve(self) -> Curve {
        match self {
            Self::Given(curve) => curve,
            Self::OtpAuth | Self::EmailAuth | Self::Login | Self::ReadWriteSession => Curve::P256,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for kind in KeyKind::ALL {
            assert_eq!(KeyKind::of_name(kind.name()), Some(kind));
        }
        assert_eq!(KeyKind::of_name("CREDENTIAL_TYPE_OAUTH_KEY_P256"), None);
    }
}
