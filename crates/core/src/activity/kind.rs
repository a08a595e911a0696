//! The kinds of activities: one for each version of each, since a version is a table of its own. Refuses a type that is sent to another's path.
//! The rows are in `tables.rs`, one for each kind and in the same order.

use super::field::{Answer, Field, Form};
use super::tables::ROWS;

/// A kind of activity, with its version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A code for a user's contact, whose success is a sealed key.
    InitOtpAuth,
    /// The same, of a chosen shape.
    InitOtpAuthV2,
    /// The same, of a chosen life, with the name of the app.
    InitOtpAuthV3,
    /// That code, for a sealed key.
    OtpAuth,
    /// A code for any contact, whose success is a verification token.
    InitOtp,
    /// The same, with the name of the app.
    InitOtpV2,
    /// The same, whose code comes back sealed.
    InitOtpV3,
    /// That code, in the clear.
    VerifyOtp,
    /// That code, sealed.
    VerifyOtpV2,
    /// A verification token for a session.
    OtpLogin,
    /// The same, with a signature of the token's key.
    OtpLoginV2,
    /// A stamp for a session.
    StampLogin,
    /// A sealed key, by mail.
    EmailAuth,
    /// The same.
    EmailAuthV2,
    /// The same, with the name of the app.
    EmailAuthV3,
    /// A sub-organisation with its users and their keys.
    CreateSubOrganizationV7,
    /// The same, without verification tokens of the old form.
    CreateSubOrganizationV8,
    /// Keys for a user.
    CreateApiKeysV2,
    /// Their end.
    DeleteApiKeys,
    /// Another address of a user.
    UpdateUserEmail,
    /// Another number of a user.
    UpdateUserPhoneNumber,
    /// A sealed key for a user, without a code.
    CreateReadWriteSessionV2,
    /// A feature switched on.
    SetOrganizationFeature,
    /// A feature switched off.
    RemoveOrganizationFeature,
}

/// What is known about a kind.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) intent: &'static str,
    pub(super) result: &'static str,
    pub(super) parameters: &'static [Field],
    pub(super) answers: &'static [Answer],
}

impl Kind {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.kind)
    }

    /// The kind of that type, if it may be sent to that path: the last part, as in `init_otp`.
    pub fn of(path: &str, name: &str) -> Option<Self> {
        Self::of_name(name).filter(|kind| kind.path() == path)
    }

    /// The kind of that type, as it is stored.
    pub fn of_name(name: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.name == name).map(|row| row.kind)
    }

    /// The type: `ACTIVITY_TYPE_…`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The last part of its path, the same for all versions.
    pub fn path(self) -> &'static str {
        self.row().path
    }

    /// The member of `intent` that has the parameters.
    pub fn intent(self) -> &'static str {
        self.row().intent
    }

    /// The member of `result` that has the result.
    pub fn result(self) -> &'static str {
        self.row().result
    }

    /// What it takes.
    pub fn parameters(self) -> &'static [Field] {
        self.row().parameters
    }

    /// What it gives.
    pub fn answers(self) -> &'static [Answer] {
        self.row().answers
    }

    /// Whether a body of this kind holds a code or a token: then its plain fingerprint is not kept.
    pub fn carries_secret(self) -> bool {
        self.parameters().iter().any(|field| field.form.holds_secret())
    }

    /// Whether a parent's key may do it to a sub-organisation: send and take the codes of people who live there.
    pub const fn is_open_to_parent(self) -> bool {
        match self {
            Self::InitOtpAuth
            | Self::InitOtpAuthV2
            | Self::InitOtpAuthV3
            | Self::OtpAuth
            | Self::InitOtp
            | Self::InitOtpV2
            | Self::InitOtpV3
            | Self::VerifyOtp
            | Self::VerifyOtpV2
            | Self::OtpLogin
            | Self::OtpLoginV2
            | Self::EmailAuth
            | Self::EmailAuthV2
            | Self::EmailAuthV3 => true,
            Self::StampLogin
            | Self::CreateSubOrganizationV7
            | Self::CreateSubOrganizationV8
            | Self::CreateApiKeysV2
            | Self::DeleteApiKeys
            | Self::UpdateUserEmail
            | Self::UpdateUserPhoneNumber
            | Self::CreateReadWriteSessionV2
            | Self::SetOrganizationFeature
            | Self::RemoveOrganizationFeature => false,
        }
    }

    /// Whether an attested stamp, of somebody who has no key here yet, may ask for it.
    pub const fn is_open_to_attested(self) -> bool {
        matches!(self, Self::StampLogin)
    }

    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }
}

/// A member of a table, by its form.
pub(super) const fn must(name: &'static str, form: Form) -> Field {
    Field { name, required: true, form }
}

/// The same of one that may be absent.
pub(super) const fn may(name: &'static str, form: Form) -> Field {
    Field { name, required: false, form }
}

/// What anybody who may see the activity may see.
pub(super) const fn shown(name: &'static str) -> Answer {
    Answer { name, bearer: false }
}

/// What opens something.
pub(super) const fn bearer(name: &'static str) -> Answer {
    Answer { name, bearer: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_row() {
        for (at, row) in ROWS.iter().enumerate() {
            assert_eq!(row.kind as usize, at, "{}", row.name);
            assert_eq!(Kind::of_name(row.name), Some(row.kind));
            assert_eq!(Kind::of(row.path, row.name), Some(row.kind));
            assert!(row.name.starts_with("ACTIVITY_TYPE_") && !row.answers.is_empty());
        }
        assert_eq!(Kind::all().count(), Kind::RemoveOrganizationFeature as usize + 1);
    }

    #[test]
    fn a_type_belongs_to_one_path() {
        assert_eq!(Kind::of("otp_auth", "ACTIVITY_TYPE_INIT_OTP_AUTH"), None);
        assert_eq!(Kind::of("otp_auth", "ACTIVITY_TYPE_OTP_AUTH"), Some(Kind::OtpAuth));
        assert_eq!(Kind::of("otp_auth", "activity_type_otp_auth"), None);
        assert_eq!(Kind::of("create_wallet", "ACTIVITY_TYPE_CREATE_WALLET"), None);
    }

    #[test]
    fn what_carries_a_code_or_a_token_is_known() {
        let carry: Vec<_> = Kind::all().filter(|kind| kind.carries_secret()).map(Kind::path).collect();
        let all = ["otp_auth", "verify_otp", "verify_otp", "otp_login", "otp_login"];
        assert_eq!(carry[..5], all);
        assert!(Kind::CreateSubOrganizationV8.carries_secret() && Kind::UpdateUserEmail.carries_secret());
        assert!(!Kind::InitOtpV3.carries_secret() && !Kind::StampLogin.carries_secret());
    }

    #[test]
    fn a_secret_inside_an_object_is_one_too() {
        const INSIDE: &[Field] = &[may("note", Form::Text), must("code", Form::Code)];
        const DEEPER: &[Field] = &[must("inner", Form::Object(INSIDE))];
        assert!(Form::Object(INSIDE).holds_secret() && Form::Each(INSIDE, 1, 2).holds_secret());
        assert!(Form::Object(DEEPER).holds_secret());
        assert!(!Form::Object(&INSIDE[..1]).holds_secret());
    }
}
