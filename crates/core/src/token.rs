//! Signed tokens: JWTs by ES256 alone (RFC 7519, RFC 7518 section 3.4), and the public keys that check them (RFC 7517).
//! The signing key is derived from the master key, so it rotates with it and is stored nowhere. Refuses every other
//! algorithm, `none` above all, every header that would change how a token is read, and a token of a key that is not in force.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use ring::rand::SecureRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
    UnparsedPublicKey,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::root::{Kid, Root};
use crate::time::Timestamp;

/// The longest token that is looked at; ours have some 600 characters.
const LONGEST: usize = 4096;

/// The only header that is read. Any other member is a token that was not made here.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

/// What a token is for, in its header, so that one is never taken for the other (RFC 8725 section 3.11).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typ {
    /// Who signed in: the plain `JWT` that libraries expect of an id_token.
    Id,
    /// That somebody has an address: `verification+jwt`.
    Verification,
}

impl Typ {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "JWT",
            Self::Verification => "verification+jwt",
        }
    }
}

/// What a token says. Times are whole seconds since 1970 (RFC 7519 section 2).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed: the server's public URL.
    pub iss: String,
    /// For whom: the id of the org, or of the client. Whoever takes a token checks that it is theirs.
    pub aud: String,
    /// Of whom: the verified address, or a user's id.
    pub sub: String,
    /// The token's own id: that of the challenge, or of the session.
    pub jti: String,
    /// When it was earned.
    pub iat: i64,
    /// When it is over.
    pub exp: i64,
    /// How it was proved (RFC 8176): `otp`.
    pub amr: Vec<String>,
    /// The challenge that was passed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub challenge_id: Option<String>,
    /// The address that was proved, if it was one of e-mail.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email: Option<String>,
    /// Whether it was proved to this server in the org's own realm; never false here, and there for those who read it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email_verified: Option<bool>,
    /// The org of a signed-in user.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub org_id: Option<String>,
    /// The session of a signed-in user.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sid: Option<String>,
    /// What the app sent to recognise its own request (OpenID Connect Core section 2).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nonce: Option<String>,
}

/// The key that signs tokens under one master key.
pub struct SigningKey {
    kid: Kid,
    pair: EcdsaKeyPair,
}

/// A public key as a JWKS lists it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Jwk {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    use_: &'static str,
    kid: String,
    x: String,
    y: String,
}

impl SigningKey {
    /// The key of a master key, from its root of [`crate::Use::Token`]: the first of the derived numbers that is a private key
    /// of P-256 (all but one in 2^32 are).
    ///
    /// # Errors
    /// `Internal` if none of a hundred is one, which does not happen.
    pub fn derive(kid: Kid, root: &Root, random: &dyn SecureRandom) -> Result<Self> {
        Ok(Self { kid, pair: pair(root, random)? })
    }

    /// Whose it is.
    pub fn kid(&self) -> Kid {
        self.kid
    }

    /// A token that says this.
    ///
    /// # Errors
    /// `Unavailable` if there is no randomness.
    pub fn sign(&self, typ: Typ, claims: &Claims, random: &dyn SecureRandom) -> Result<String> {
        let header = Header { alg: "ES256", kid: self.kid.as_str(), typ: typ.as_str() };
        let mut token = encode(&serde_json::to_vec(&header).map_err(Error::internal)?);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims).map_err(Error::internal)?, &mut token);
        let signed = self.pair.sign(random, token.as_bytes()).map_err(|_| Error::unavailable("no randomness"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signed.as_ref(), &mut token);
        Ok(token)
    }

    /// What a token says, if this key signed it and it is not over. Whose key a token names is [`kid_of`]'s.
    pub fn verify(&self, token: &str, now: Timestamp) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (_, claims) = signed.split_once('.')?;
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref());
        public.verify(signed.as_bytes(), &decode(signature)?).ok()?;
        let claims: Claims = serde_json::from_slice(&decode(claims)?).ok()?;
        (now.millis() < claims.exp.saturating_mul(1000)).then_some(claims)
    }

    /// The public half, for whoever checks tokens.
    pub fn jwk(&self) -> Jwk {
        // An uncompressed point: 4, then both coordinates (SEC 1 section 2.3.3).
        let point = self.pair.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
        Jwk {
            kty: "EC",
            crv: "P-256",
            alg: "ES256",
            use_: "sig",
            kid: self.kid.to_string(),
            x: encode(x),
            y: encode(y),
        }
    }
}

/// The pair that a root leads to.
pub(crate) fn pair(root: &Root, random: &dyn SecureRandom) -> Result<EcdsaKeyPair> {
    pair_of(root, &ECDSA_P256_SHA256_FIXED_SIGNING, random)
}

/// The same for signatures of either form.
pub(crate) fn pair_of(
    root: &Root,
    form: &'static EcdsaSigningAlgorithm,
    random: &dyn SecureRandom,
) -> Result<EcdsaKeyPair> {
    let secret = root.p256_key(b"p256")?;
    let (scalar, public) = (Zeroizing::new(secret.to_bytes()), secret.public_key().to_sec1_point(false));
    let pair = EcdsaKeyPair::from_private_key_and_public_key(form, &scalar, public.as_bytes(), random);
    pair.map_err(|error| Error::internal(error.to_string()))
}

/// The master key that a token names, if it is a token of ours at all: ES256 and nothing that was not there when it was made.
pub fn kid_of(token: &str) -> Option<Kid> {
    if token.len() > LONGEST || token.bytes().filter(|byte| *byte == b'.').count() != 2 {
        return None;
    }
    let bytes = decode(token.split_once('.')?.0)?;
    // A list would be read as the members in their order.
    if bytes.first() != Some(&b'{') {
        return None;
    }
    let header: Header<'_> = serde_json::from_slice(&bytes).ok()?;
    let known = [Typ::Id, Typ::Verification].iter().any(|typ| header.typ == typ.as_str());
    if header.alg != "ES256" || !known {
        return None;
    }
    header.kid.parse().ok()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
