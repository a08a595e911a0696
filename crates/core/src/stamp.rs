//! Signed calls: a caller signs the bytes of each request's body with a key of its own and sends the signature in a header, the
//! stamp. Refuses what is long, deep or ambiguous before it looks at a key, points that are none, and to say more than which step
//! failed. Whose key it is, and whether it lives, is the server's to look up; what it may do is in [`authority`].
//!
//! | header | form | signed |
//! | --- | --- | --- |
//! | `X-Stamp` | base64url of JSON `publicKey`, `scheme`, `signature` | the body |
//! | `X-Stamp-Webauthn` | JSON `credentialId`, `authenticatorData`, `clientDataJson`, `signature` | what an authenticator signs, whose challenge is the body's digest |
//! | `X-Stamp-Attested` | base64url of JSON, or the JSON: as `X-Stamp`, and `publicKeyAttestation` | the body |
//!
//! At the door `native` an `X-Stamp` signs the whole request, as [`Signable`] puts it into one text.
//!
//! Keys and signatures are hexadecimal: compressed points and DER for both curves of ECDSA, 32 and 64 bytes for Ed25519. base64url may
//! be padded. An ECDSA signature has a twin with the other `s`, which many a signer sends: both are taken, so a signature is never an
//! identity; the [`BodyPrint`] is.
//!
//! The order of a judgement: the stamp verifies → the key lives and may → (organisation, fingerprint) is looked up → the time is right.
//! In that order a stranger learns nothing, and whoever repeats a call hears its first answer even when it has become old.

mod attested;
pub mod authority;
mod credential;
mod key;
mod points;
mod print;
mod refusal;
mod request;
mod webauthn;
mod window;

pub use attested::AttestedStamp;
pub use credential::KeyKind;
pub(crate) use key::whole_edwards;
pub use key::{Curve, PublicKey};
pub use print::BodyPrint;
pub use refusal::Refusal;
pub use request::{NONCES_KEPT, REQUEST_WINDOW, Signable};
pub use webauthn::{RelyingParty, WebauthnStamp};
pub use window::{AHEAD, FINGERPRINTS_KEPT, PAST, moment, timely};

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use sha2::Digest as _;

use crate::{hex, json};

/// Characters of an `X-Stamp`. Those of P-256 have some 330, padded and with blanks some 400.
const LONGEST: usize = 1024;
/// Bytes of a signature: of DER for a curve of 256 bits there are at most 72.
const SIGNATURE_MOST: usize = 72;

/// base64url, with its padding or without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a body was signed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scheme {
    /// ECDSA of P-256 over SHA-256.
    P256,
    /// ECDSA of secp256k1 over SHA-256.
    Secp256k1,
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA of secp256k1 over Keccak-256 of the body as a wallet's message (EIP-191 version `E`): a wallet signs no other way.
    Secp256k1Eip191,
}

impl Scheme {
    const ALL: [Self; 4] = [Self::P256, Self::Secp256k1, Self::Ed25519, Self::Secp256k1Eip191];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "SIGNATURE_SCHEME_TK_API_P256",
            Self::Secp256k1 => "SIGNATURE_SCHEME_TK_API_SECP256K1",
            Self::Ed25519 => "SIGNATURE_SCHEME_TK_API_ED25519",
            Self::Secp256k1Eip191 => "SIGNATURE_SCHEME_TK_API_SECP256K1_EIP191",
        }
    }

    /// The scheme of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// The curve that its keys are of.
    pub const fn curve(self) -> Curve {
        match self {
            Self::P256 => Curve::P256,
            Self::Secp256k1 | Self::Secp256k1Eip191 => Curve::Secp256k1,
            Self::Ed25519 => Curve::Ed25519,
        }
    }
}

/// What stands in `X-Stamp`, read and not yet verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    key: PublicKey,
    scheme: Scheme,
    signature: Vec<u8>,
}

impl Stamp {
    /// Reads the header's value.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] for what is too long, no base64url or no flat JSON object; [`Refusal::Unreadable`] for one in which the key, the
    /// scheme or the signature is missing or is none.
    pub fn parse(header: &str) -> Result<Self, Refusal> {
        let members = wrapped(header, LONGEST).ok_or(Refusal::Malformed)?;
        let scheme = json::text(&members, "scheme").and_then(Scheme::of_name).ok_or(Refusal::Unreadable)?;
        let (key, signature) = signed_by(&members, scheme.curve())?;
        Ok(Self { key, scheme, signature })
    }

    /// Whether the key that it names signed these bytes.
    ///
    /// # Errors
    /// [`Refusal::NotVerified`] if it did not.
    pub fn verify(&self, body: &[u8]) -> Result<(), Refusal> {
        let verified = match self.scheme {
            Scheme::Secp256k1Eip191 => self.key.verify_digest(&wallet_digest(body), &self.signature),
            Scheme::P256 | Scheme::Secp256k1 | Scheme::Ed25519 => self.key.verify(body, &self.signature),
        };
        if verified { Ok(()) } else { Err(Refusal::NotVerified) }
    }

    /// The key that it names.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// How it signed.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The signature as a vote shows it: hexadecimal.
    pub fn signature(&self) -> String {
        hex::encode(&self.signature)
    }

    /// A stamp for the header, of a signature that was made elsewhere.
    pub fn encode(key: &PublicKey, scheme: Scheme, signature: &[u8]) -> String {
        // Every value is of letters, digits and underscores: nothing has to be escaped.
        let (key, signature) = (key.to_hex(), hex::encode(signature));
        let text = format!(r#"{{"publicKey":"{key}","scheme":"{}","signature":"{signature}"}}"#, scheme.name());
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    }
}

/// The stamp of a request. Does not print what stands in it: an attested one brings a token.
#[derive(Clone, PartialEq, Eq)]
pub enum Presented<'a> {
    /// The value of `X-Stamp`.
    Key(&'a str),
    /// The value of `X-Stamp-Webauthn`.
    Webauthn(&'a str),
    /// The value of `X-Stamp-Attested`.
    Attested(&'a str),
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "X-Stamp",
            Self::Webauthn(_) => "X-Stamp-Webauthn",
            Self::Attested(_) => "X-Stamp-Attested",
        })
    }
}

impl<'a> Presented<'a> {
    /// Picks the one stamp out of all that a request brings; each list has the values of the header of that name. `activity` says whether
    /// the request is one, or a query: what is said about a missing stamp differs.
    ///
    /// # Errors
    /// [`Refusal::Missing`] if there is none; [`Refusal::Malformed`] if there are two of whichever kind, since two readers could take either.
    pub fn of(key: &[&'a str], webauthn: &[&'a str], attested: &[&'a str], activity: bool) -> Result<Self, Refusal> {
        match (key, webauthn, attested) {
            ([], [], []) => Err(Refusal::Missing { activity }),
            ([one], [], []) => Ok(Self::Key(one)),
            ([], [one], []) => Ok(Self::Webauthn(one)),
            ([], [], [one]) => Ok(Self::Attested(one)),
            _ => Err(Refusal::Malformed),
        }
    }
}

/// The members of an object in base64url.
fn wrapped(header: &str, most: usize) -> Option<Map<String, Value>> {
    let text = Some(header.trim_ascii()).filter(|text| text.len() <= most)?;
    json::object(&LENIENT.decode(text).ok()?, most, 1)
}

/// The key and the signature of a stamp.
fn signed_by(members: &Map<String, Value>, curve: Curve) -> Result<(PublicKey, Vec<u8>), Refusal> {
    let key = json::text(members, "publicKey").and_then(|text| PublicKey::parse(curve, text));
    let signature = json::text(members, "signature").and_then(|text| hex::decode(text, SIGNATURE_MOST));
    match (key, signature) {
        (Some(key), Some(signature)) if !signature.is_empty() => Ok((key, signature)),
        _ => Err(Refusal::Unreadable),
    }
}

/// What a wallet signs when it is asked to sign these bytes (EIP-191 version `E`): the length is in decimal.
fn wallet_digest(body: &[u8]) -> [u8; 32] {
    let mut digest = sha3::Keccak256::new();
    digest.update(b"\x19Ethereum Signed Message:\n");
    digest.update(body.len().to_string());
    digest.update(body);
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest that wallets and libraries publish for this text.
    #[test]
    fn a_wallets_message_has_the_published_digest() {
        let known = "d9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68";
        assert_eq!(hex::encode(&wallet_digest(b"hello world")), known);
    }

    #[test]
    fn schemes_have_one_name_each() {
        for scheme in Scheme::ALL {
            assert_eq!(Scheme::of_name(scheme.name()), Some(scheme));
        }
        assert_eq!(Scheme::of_name("SIGNATURE_SCHEME_TK_API_RSA"), None);
        assert_eq!(Scheme::of_name("signature_scheme_tk_api_p256"), None);
    }

    #[test]
    fn a_request_has_one_stamp() {
        let of = Presented::of;
        assert_eq!(of(&["a"], &[], &[], true), Ok(Presented::Key("a")));
        assert_eq!(of(&[], &["b"], &[], true), Ok(Presented::Webauthn("b")));
        assert_eq!(of(&[], &[], &["c"], true), Ok(Presented::Attested("c")));
        assert!(!format!("{:?}", of(&[], &[], &["secret"], true)).contains("secret"));
        for activity in [true, false] {
            assert_eq!(of(&[], &[], &[], activity), Err(Refusal::Missing { activity }));
            assert_eq!(of(&["a", "a"], &[], &[], activity), Err(Refusal::Malformed));
            assert_eq!(of(&["a"], &["b"], &[], activity), Err(Refusal::Malformed));
            assert_eq!(of(&["a"], &[], &["c"], activity), Err(Refusal::Malformed));
            assert_eq!(of(&[], &[], &["c", "c"], activity), Err(Refusal::Malformed));
        }
    }
}
