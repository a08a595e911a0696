//! The table of activities: types, paths, the members under which intent and result stand, and what those hold. Lives in numbers of seconds,
//! what they are if absent and the most; where no most is published, those of `rules.rs`.

use super::field::{Answer, Field, Form};
use super::kind::Kind::{self, *};
use super::kind::{Row, bearer, may, must, shown};
use super::rules::{
    CODE_LIFE, CODE_LIFE_MOST, EARNED_LIFE, EARNED_LIFE_MOST, GIVEN_KEY_LIFE_MOST, TOKEN_LIFE, TOKEN_LIFE_MOST,
};

const fn row(
    kind: Kind,
    [name, path, intent, result]: [&'static str; 4],
    parameters: &'static [Field],
    answers: &'static [Answer],
) -> Row {
    Row { kind, name, path, intent, result, parameters, answers }
}

/// All of them, in the order of [`Kind`].
pub(super) static ROWS: [Row; 24] = [
    row(
        InitOtpAuth,
        ["ACTIVITY_TYPE_INIT_OTP_AUTH", "init_otp_auth", "initOtpAuthIntent", "initOtpAuthResult"],
        &[OTP_TYPE, CONTACT, may("emailCustomization", Form::Object(MAIL_NAMED)), SMS, USER, FROM, NAME, REPLY],
        OTP_ID,
    ),
    row(
        InitOtpAuthV2,
        ["ACTIVITY_TYPE_INIT_OTP_AUTH_V2", "init_otp_auth", "initOtpAuthIntentV2", "initOtpAuthResultV2"],
        &[
            OTP_TYPE,
            CONTACT,
            LENGTH,
            ALPHANUMERIC,
            may("emailCustomization", Form::Object(MAIL_NAMED)),
            SMS,
            USER,
            FROM,
            NAME,
            REPLY,
        ],
        OTP_ID,
    ),
    row(
        InitOtpAuthV3,
        ["ACTIVITY_TYPE_INIT_OTP_AUTH_V3", "init_otp_auth", "initOtpAuthIntentV3", "initOtpAuthResultV2"],
        START_V3,
        OTP_ID,
    ),
    row(
        OtpAuth,
        ["ACTIVITY_TYPE_OTP_AUTH", "otp_auth", "otpAuthIntent", "otpAuthResult"],
        &[must("otpId", Form::Uuid), must("otpCode", Form::Code), TARGET, KEY_NAME, LIFE, INVALIDATE],
        KEY,
    ),
    row(
        InitOtp,
        ["ACTIVITY_TYPE_INIT_OTP", "init_otp", "initOtpIntent", "initOtpResult"],
        &[
            OTP_TYPE,
            CONTACT,
            LENGTH,
            ALPHANUMERIC,
            CODE_LIVES,
            may("emailCustomization", Form::Object(MAIL_NAMED)),
            SMS,
            USER,
            FROM,
            NAME,
            REPLY,
        ],
        OTP_ID,
    ),
    row(InitOtpV2, ["ACTIVITY_TYPE_INIT_OTP_V2", "init_otp", "initOtpIntentV2", "initOtpResult"], START_V3, OTP_ID),
    row(
        InitOtpV3,
        ["ACTIVITY_TYPE_INIT_OTP_V3", "init_otp", "initOtpIntentV3", "initOtpResultV2"],
        START_V3,
        &[shown("otpId"), shown("otpEncryptionTargetBundle")],
    ),
    row(
        VerifyOtp,
        ["ACTIVITY_TYPE_VERIFY_OTP", "verify_otp", "verifyOtpIntent", "verifyOtpResult"],
        &[must("otpId", Form::Uuid), must("otpCode", Form::Code), TOKEN_LIVES, may("publicKey", Form::Key)],
        TOKEN,
    ),
    row(
        VerifyOtpV2,
        ["ACTIVITY_TYPE_VERIFY_OTP_V2", "verify_otp", "verifyOtpIntentV2", "verifyOtpResult"],
        &[must("otpId", Form::Uuid), must("encryptedOtpBundle", Form::Sealed), TOKEN_LIVES],
        TOKEN,
    ),
    row(
        OtpLogin,
        ["ACTIVITY_TYPE_OTP_LOGIN", "otp_login", "otpLoginIntent", "otpLoginResult"],
        &[VERIFIED, PUBLIC_KEY, LIFE, INVALIDATE, may("clientSignature", Form::Object(SIGNATURE)), PROFILE],
        SESSION,
    ),
    row(
        OtpLoginV2,
        ["ACTIVITY_TYPE_OTP_LOGIN_V2", "otp_login", "otpLoginIntentV2", "otpLoginResult"],
        &[VERIFIED, PUBLIC_KEY, must("clientSignature", Form::Object(SIGNATURE)), LIFE, INVALIDATE, PROFILE],
        SESSION,
    ),
    row(
        StampLogin,
        ["ACTIVITY_TYPE_STAMP_LOGIN", "stamp_login", "stampLoginIntent", "stampLoginResult"],
        &[PUBLIC_KEY, LIFE, INVALIDATE, PROFILE],
        SESSION,
    ),
    row(
        EmailAuth,
        ["ACTIVITY_TYPE_EMAIL_AUTH", "email_auth", "emailAuthIntent", "emailAuthResult"],
        MAILED_KEY,
        MAILED,
    ),
    row(
        EmailAuthV2,
        ["ACTIVITY_TYPE_EMAIL_AUTH_V2", "email_auth", "emailAuthIntentV2", "emailAuthResult"],
        MAILED_KEY,
        MAILED,
    ),
    row(
        EmailAuthV3,
        ["ACTIVITY_TYPE_EMAIL_AUTH_V3", "email_auth", "emailAuthIntentV3", "emailAuthResult"],
        &[
            must("email", Form::Email),
            TARGET,
            must("emailCustomization", Form::Object(MAIL_OF_APP)),
            KEY_NAME,
            LIFE,
            INVALIDATE,
            FROM,
            NAME,
            REPLY,
        ],
        MAILED,
    ),
    row(
        CreateSubOrganizationV7,
        [
            "ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V7",
            "create_sub_organization",
            "createSubOrganizationIntentV7",
            "createSubOrganizationResultV7",
        ],
        SUB_ORGANIZATION,
        NEW_ORGANIZATION,
    ),
    row(
        CreateSubOrganizationV8,
        [
            "ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8",
            "create_sub_organization",
            "createSubOrganizationIntentV8",
            "createSubOrganizationResultV8",
        ],
        SUB_ORGANIZATION,
        NEW_ORGANIZATION,
    ),
    row(
        CreateApiKeysV2,
        ["ACTIVITY_TYPE_CREATE_API_KEYS_V2", "create_api_keys", "createApiKeysIntentV2", "createApiKeysResult"],
        &[must("userId", Form::Uuid), must("apiKeys", Form::Each(API_KEY, 1, KEYS_MOST))],
        KEY_IDS,
    ),
    row(
        DeleteApiKeys,
        ["ACTIVITY_TYPE_DELETE_API_KEYS", "delete_api_keys", "deleteApiKeysIntent", "deleteApiKeysResult"],
        &[must("userId", Form::Uuid), must("apiKeyIds", Form::Uuids(KEYS_MOST))],
        KEY_IDS,
    ),
    row(
        UpdateUserEmail,
        ["ACTIVITY_TYPE_UPDATE_USER_EMAIL", "update_user_email", "updateUserEmailIntent", "updateUserEmailResult"],
        &[must("userId", Form::Uuid), must("userEmail", Form::Email), may("verificationToken", Form::Sealed)],
        &[shown("userId")],
    ),
    row(
        UpdateUserPhoneNumber,
        [
            "ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER",
            "update_user_phone_number",
            "updateUserPhoneNumberIntent",
            "updateUserPhoneNumberResult",
        ],
        &[must("userId", Form::Uuid), must("userPhoneNumber", Form::Phone), may("verificationToken", Form::Sealed)],
        &[shown("userId")],
    ),
    row(
        CreateReadWriteSessionV2,
        [
            "ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2",
            "create_read_write_session",
            "createReadWriteSessionIntentV2",
            "createReadWriteSessionResultV2",
        ],
        &[TARGET, may("userId", Form::Uuid), KEY_NAME, LIFE, INVALIDATE],
        &[
            shown("organizationId"),
            shown("organizationName"),
            shown("userId"),
            shown("username"),
            shown("apiKeyId"),
            bearer("credentialBundle"),
        ],
    ),
    row(
        SetOrganizationFeature,
        [
            "ACTIVITY_TYPE_SET_ORGANIZATION_FEATURE",
            "set_organization_feature",
            "setOrganizationFeatureIntent",
            "setOrganizationFeatureResult",
        ],
        &[must("name", Form::OneOf(FEATURES)), may("value", Form::Empty)],
        &[shown("features")],
    ),
    row(
        RemoveOrganizationFeature,
        [
            "ACTIVITY_TYPE_REMOVE_ORGANIZATION_FEATURE",
            "remove_organization_feature",
            "removeOrganizationFeatureIntent",
            "removeOrganizationFeatureResult",
        ],
        &[must("name", Form::OneOf(FEATURES))],
        &[shown("features")],
    ),
];

/// The most keys that one activity makes or ends: as many as a user has, of both kinds.
const KEYS_MOST: usize = 2 * super::rules::KEYS_OF_A_KIND;
/// What can be switched.
const FEATURES: &[&str] = &super::rules::Feature::NAMES;

const OTP_TYPE: Field = must("otpType", Form::OneOf(&["OTP_TYPE_EMAIL", "OTP_TYPE_SMS"]));
const CONTACT: Field = must("contact", Form::Contact);
const LENGTH: Field = may("otpLength", Form::Length);
const ALPHANUMERIC: Field = may("alphanumeric", Form::Flag);
const CODE_LIVES: Field = may("expirationSeconds", Form::Seconds(CODE_LIFE, CODE_LIFE_MOST));
const TOKEN_LIVES: Field = may("expirationSeconds", Form::Seconds(TOKEN_LIFE, TOKEN_LIFE_MOST));
const LIFE: Field = may("expirationSeconds", Form::Life(Some(EARNED_LIFE), EARNED_LIFE_MOST));
const SMS: Field = may("smsCustomization", Form::Object(&[may("template", Form::CodeTemplate)]));
const USER: Field = may("userIdentifier", Form::Text);
const FROM: Field = may("sendFromEmailAddress", Form::Email);
const NAME: Field = may("sendFromEmailSenderName", Form::Label);
const REPLY: Field = may("replyToEmailAddress", Form::Email);
const TARGET: Field = must("targetPublicKey", Form::Key);
const PUBLIC_KEY: Field = must("publicKey", Form::Key);
const KEY_NAME: Field = may("apiKeyName", Form::Label);
const INVALIDATE: Field = may("invalidateExisting", Form::Flag);
const VERIFIED: Field = must("verificationToken", Form::Sealed);
const PROFILE: Field = may("sessionProfileId", Form::Empty);
const APP: Field = must("appName", Form::Label);
const LOGO: Field = may("logoUrl", Form::Text);
const LINK: Field = may("magicLinkTemplate", Form::LinkTemplate);
const VARIABLES: Field = may("templateVariables", Form::Text);
const TEMPLATE: Field = may("templateId", Form::Text);

/// How a mail looks, where the app's name stands in it.
const MAIL_NAMED: &[Field] = &[may("appName", Form::Label), LOGO, LINK, VARIABLES, TEMPLATE];
/// Where it must stand in it.
const MAIL_OF_APP: &[Field] = &[APP, LOGO, LINK, VARIABLES, TEMPLATE];
/// Where it stands beside it.
const MAIL: &[Field] = &[LOGO, LINK, VARIABLES, TEMPLATE];

/// A start whose app names itself.
const START_V3: &[Field] = &[
    OTP_TYPE,
    CONTACT,
    APP,
    LENGTH,
    ALPHANUMERIC,
    CODE_LIVES,
    may("emailCustomization", Form::Object(MAIL)),
    SMS,
    USER,
    FROM,
    NAME,
    REPLY,
];

/// A key by mail.
const MAILED_KEY: &[Field] = &[
    must("email", Form::Email),
    TARGET,
    may("emailCustomization", Form::Object(MAIL_NAMED)),
    KEY_NAME,
    LIFE,
    INVALIDATE,
    FROM,
    NAME,
    REPLY,
];

const SIGNATURE: &[Field] = &[
    must("publicKey", Form::Key),
    must("scheme", Form::OneOf(&["CLIENT_SIGNATURE_SCHEME_API_P256"])),
    must("message", Form::Message),
    must("signature", Form::Text),
];

const API_KEY: &[Field] = &[
    must("apiKeyName", Form::Label),
    must("publicKey", Form::AnyKey),
    must("curveType", Form::OneOf(&["API_KEY_CURVE_P256", "API_KEY_CURVE_SECP256K1", "API_KEY_CURVE_ED25519"])),
    may("expirationSeconds", Form::Life(None, GIVEN_KEY_LIFE_MOST)),
];

const ROOT_USER: &[Field] = &[
    must("userName", Form::Label),
    may("userEmail", Form::Email),
    may("userPhoneNumber", Form::Phone),
    may("apiKeys", Form::Each(API_KEY, 0, KEYS_MOST)),
    may("authenticators", Form::Empty),
    may("oauthProviders", Form::Empty),
];

const SUB_ORGANIZATION: &[Field] = &[
    must("subOrganizationName", Form::Label),
    must("rootUsers", Form::Each(ROOT_USER, 1, super::rules::ROOT_USERS_MOST)),
    must("rootQuorumThreshold", Form::One),
    may("wallet", Form::Empty),
    may("disableEmailRecovery", Form::Flag),
    may("disableEmailAuth", Form::Flag),
    may("disableSmsAuth", Form::Flag),
    may("disableOtpEmailAuth", Form::Flag),
    may("verificationToken", Form::Sealed),
    may("clientSignature", Form::Object(SIGNATURE)),
];

const OTP_ID: &[Answer] = &[shown("otpId")];
const KEY: &[Answer] = &[shown("userId"), shown("apiKeyId"), bearer("credentialBundle")];
const MAILED: &[Answer] = &[shown("userId"), shown("apiKeyId")];
const TOKEN: &[Answer] = &[bearer("verificationToken")];
const SESSION: &[Answer] = &[bearer("session")];
const NEW_ORGANIZATION: &[Answer] = &[shown("subOrganizationId"), shown("rootUserIds")];
const KEY_IDS: &[Answer] = &[shown("apiKeyIds")];
