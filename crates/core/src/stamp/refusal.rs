//! Why a signed call is refused, in the words that its clients look for: each refusal has the number of a gRPC status, a text whose
//! beginning is published, and mostly a name. Refuses to tell codes that are wrong, used, expired, locked or unknown apart, and which
//! organisation a key belongs to that is not the one asked for.
//!
//! How a number becomes a status of HTTP is the door's.

/// A refusal. `Display` is the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no stamp.
    #[error("{}", if *.activity { NO_STAMP } else { "no valid authentication signature found for request" })]
    Missing {
        /// Whether the call is an activity, or a query.
        activity: bool,
    },
    /// There are two, or it is nothing that could be read.
    #[error("malformed activity stamp")]
    Malformed,
    /// It can be read, and has no key, scheme or signature that is one.
    #[error("could not extract api key stamp")]
    Unreadable,
    /// The key did not sign this body.
    #[error("could not verify api key signature")]
    NotVerified,
    /// Nobody's key there, or no longer.
    #[error("could not find public key in organization or its parent organization")]
    UnknownKey,
    /// The key's time is over.
    #[error("expired api key")]
    ExpiredKey,
    /// The organisation's id is none.
    #[error("malformed organization ID provided")]
    MalformedOrganization,
    /// There is no such organisation, or none that this caller may know of.
    #[error("no organization found with the given ID")]
    UnknownOrganization,
    /// A member of the body can't be taken. Nothing of its value is repeated.
    #[error("bad request body: {field} {why}")]
    Request {
        /// Its name.
        field: &'static str,
        /// What is wrong with it, as a half sentence.
        why: &'static str,
    },
    /// A life that keys don't have.
    #[error("invalid api key expiration")]
    Expiration,
    /// A template of a magic link that has not the one place for what is filled in.
    #[error("invalid magic link template")]
    MagicLinkTemplate,
    /// No address of e-mail.
    #[error("invalid email address")]
    Email,
    /// Too many codes were asked for.
    #[error("Max number of OTPs have been initiated please wait and try again")]
    TooManyStarts,
    /// The code is not right: mistyped, used, expired, locked, or of nobody.
    #[error("Invalid OTP code")]
    WrongCode,
    /// The token is not one that would be taken here: forged, spent, expired, of another organisation, or signed for by another key.
    #[error("invalid verification token")]
    Token,
    /// The caller is known and may not.
    #[error("request not authorized")]
    NotAuthorized,
    /// The feature is switched off in this organisation.
    #[error("api operations disabled")]
    Disabled,
    /// A user has as many keys without an end as it may have.
    #[error("user has exceeded maximum long-lived api keys")]
    TooManyKeys,
    /// A limit is reached.
    #[error("request has been rate limited, try again later")]
    Limited,
}

/// What clients are told who forgot to stamp an activity.
const NO_STAMP: &str =
    "cannot authenticate public API activity request without a stamp (X-Stamp/X-Stamp-Webauthn header)";

impl Refusal {
    /// The number of its gRPC status: 3 invalid, 5 not found, 7 not allowed, 8 too many, 16 not authenticated.
    pub const fn code(self) -> u8 {
        match self {
            Self::MalformedOrganization
            | Self::Request { .. }
            | Self::Expiration
            | Self::MagicLinkTemplate
            | Self::Email
            | Self::TooManyStarts
            | Self::WrongCode
            | Self::Token => 3,
            Self::UnknownOrganization => 5,
            Self::NotAuthorized | Self::Disabled => 7,
            Self::TooManyKeys | Self::Limited => 8,
            Self::Missing { .. }
            | Self::Malformed
            | Self::Unreadable
            | Self::NotVerified
            | Self::UnknownKey
            | Self::ExpiredKey => 16,
        }
    }

    /// Its name, the `turnkeyErrorCode`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing { .. } => "SIGNATURE_MISSING",
            Self::Malformed | Self::Unreadable | Self::NotVerified => "SIGNATURE_INVALID",
            Self::UnknownKey => "PUBLIC_KEY_NOT_FOUND",
            Self::ExpiredKey => "API_KEY_EXPIRED",
            Self::MalformedOrganization => "INVALID_ORGANIZATION_ID",
            Self::UnknownOrganization => "ORGANIZATION_NOT_FOUND",
            Self::Request { .. } | Self::Expiration | Self::MagicLinkTemplate | Self::Token => "REQUEST_INVALID",
            Self::Email => "INVALID_EMAIL",
            Self::TooManyStarts => "MAX_OTP_INITIATED",
            Self::WrongCode => "INVALID_OTP_CODE",
            Self::NotAuthorized => "REQUEST_NOT_AUTHORIZED",
            Self::Disabled => "API_OPERATIONS_DISABLED",
            Self::TooManyKeys | Self::Limited => "RATE_LIMIT_EXCEEDED",
        }
    }
}
