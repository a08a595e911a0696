//! Messages that other programs push here for a person: what they sign with, and whether it is right. Three forms: Twilio's, Meta's for
//! `WhatsApp`, and our own for programs that forward a phone's SMS. Refuses what is signed wrongly or too long ago; that a message comes
//! once is the caller's to see to.
//!
//! | form | header | over |
//! | --- | --- | --- |
//! | Twilio | `X-Twilio-Signature`: base64 of HMAC-SHA1 | the public URL, then each parameter's name and value, sorted by name |
//! | `WhatsApp` | `X-Hub-Signature-256`: `sha256=` and hex of HMAC-SHA-256 | the body |
//! | ours | `X-Doorcode-Signature`: `t=` seconds since 1970, `,v1=` and hex of HMAC-SHA-256 | `t`, a dot, the body |

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, Key};

use crate::hex;
use crate::id::{HookId, OrgId, UserId};
use crate::root::Root;
use crate::secret::Secret;
use crate::time::Timestamp;

/// How old, or how far ahead, a signature of our form may be.
pub const SKEW: Duration = Duration::from_secs(300);
/// The most signatures of one header that are compared: a program that changes its secret sends two.
const SIGNATURES: usize = 4;

/// What the secrets of one hook are derived from.
#[derive(Clone, Copy)]
pub struct Of<'a> {
    /// In which org.
    pub org: OrgId,
    /// Which.
    pub id: HookId,
    /// 32 random bytes of its row: a leaked root alone yields no secret.
    pub seed: &'a [u8; 32],
}

impl Of<'_> {
    fn mac(&self, root: &Root, what: &str) -> [u8; 32] {
        root.mac(&[what.as_bytes(), self.org.as_bytes(), self.id.as_bytes(), self.seed])
    }

    /// The token in its path: 144 bits. Under the root of [`crate::Use::Hook`], as the others.
    pub fn token(&self, root: &Root) -> Secret<String> {
        Secret::new(URL_SAFE_NO_PAD.encode(&self.mac(root, "token")[..18]))
    }

    /// The secret that our form is signed with.
    pub fn secret(&self, root: &Root) -> Secret<String> {
        Secret::new(format!("dhs_{}", URL_SAFE_NO_PAD.encode(self.mac(root, "secret"))))
    }

    /// What Meta shows when it asks whether we want its messages.
    pub fn verify_token(&self, root: &Root) -> Secret<String> {
        Secret::new(URL_SAFE_NO_PAD.encode(&self.mac(root, "verify")[..24]))
    }
}

/// The part of an address that stands before the @: of one person, 160 bits, in letters that every mail server leaves alone.
pub fn mail_token(root: &Root, org: OrgId, owner: UserId, seed: &[u8; 32]) -> Secret<String> {
    let mac = root.mac(&[b"inbound", org.as_bytes(), owner.as_bytes(), seed]);
    Secret::new(hex::encode(&mac[..20]))
}

/// Whether Twilio signed these parameters for that URL.
pub fn is_twilios(token: &Secret<String>, url: &str, parameters: &[(String, String)], signature: &str) -> bool {
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort();
    let mut signed = url.to_owned();
    for (name, value) in sorted {
        signed.push_str(name);
        signed.push_str(value);
    }
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.expose().as_bytes());
    STANDARD.decode(signature.trim()).is_ok_and(|tag| hmac::verify(&key, signed.as_bytes(), &tag).is_ok())
}

/// Whether Meta signed this body.
pub fn is_metas(secret: &Secret<String>, body: &[u8], signature: &str) -> bool {
    let tag = signature.trim().strip_prefix("sha256=").and_then(unhex);
    tag.is_some_and(|tag| hmac::verify(&Key::new(HMAC_SHA256, secret.expose().as_bytes()), body, &tag).is_ok())
}

/// Whether our form's signature is right, and of these minutes.
pub fn is_ours(secret: &Secret<String>, body: &[u8], signature: &str, now: Timestamp) -> bool {
    let mut seconds = None;
    let mut tags = Vec::new();
    for part in signature.split(',') {
        match part.trim().split_once('=') {
            // Said twice, it says nothing.
            Some(("t", _)) if seconds.is_some() => return false,
            Some(("t", value)) => seconds = Some(value),
            Some(("v1", value)) if tags.len() < SIGNATURES => tags.push(value),
            _ => {}
        }
    }
    let Some(seconds) = seconds else { return false };
    let Some(at) = seconds.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1000)) else { return false };
    if now.millis().abs_diff(at) > SKEW.as_millis() as u64 {
        return false;
    }
    let signed = [seconds.as_bytes(), b".", body].concat();
    let key = Key::new(HMAC_SHA256, secret.expose().as_bytes());
    let right = |tag: Option<Vec<u8>>| tag.is_some_and(|tag| hmac::verify(&key, &signed, &tag).is_ok());
    tags.into_iter().map(unhex).any(right)
}

/// A tag, which has at most 64 bytes whatever it is of.
fn unhex(text: &str) -> Option<Vec<u8>> {
    hex::decode(text, 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn signed(key: &str, seconds: &str, body: &str) -> String {
        let key = Key::new(HMAC_SHA256, key.as_bytes());
        format!("t={seconds},v1={}", hex::encode(hmac::sign(&key, format!("{seconds}.{body}").as_bytes()).as_ref()))
    }

    #[test]
    fn twilios_signature_covers_the_url_and_every_parameter_in_order_of_names() {
        // The example of Twilio's documentation of request validation.
        let parameters = |digits: &str| {
            [
                ("CallSid", "CA1234567890ABCDE"),
                ("Caller", "+12349013030"),
                ("Digits", digits),
                ("From", "+12349013030"),
                ("To", "+18005551212"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let mut shuffled = parameters("1234").to_vec();
        shuffled.reverse();
        let signature = "0/KCTR6DLpKmkAf8muzZqo1nDgQ=";
        assert!(is_twilios(&secret("12345"), url, &shuffled, signature));
        assert!(!is_twilios(&secret("12345"), url, &parameters("1235"), signature));
        assert!(!is_twilios(&secret("12346"), url, &shuffled, signature));
        assert!(!is_twilios(&secret("12345"), "https://evil.example/myapp.php?foo=1&bar=2", &shuffled, signature));
        for nonsense in ["", "AAAA", "ü"] {
            assert!(!is_twilios(&secret("12345"), url, &shuffled, nonsense));
        }
    }

    #[test]
    fn metas_signature_covers_the_body() {
        let right = format!("sha256={}", hex::encode(hmac::sign(&Key::new(HMAC_SHA256, b"app"), b"{}").as_ref()));
        assert!(is_metas(&secret("app"), b"{}", &right));
        assert!(!is_metas(&secret("app"), b"{} ", &right) && !is_metas(&secret("apq"), b"{}", &right));
        for nonsense in ["", "sha256=", "sha256=0", "sha256=zz", &right[7..], "sha1=00"] {
            assert!(!is_metas(&secret("app"), b"{}", nonsense), "{nonsense}");
        }
    }

    #[test]
    fn our_signature_is_of_these_minutes() {
        let at = |offset: i64| signed("k", &(NOW.millis() / 1000 + offset).to_string(), "{}");
        for (offset, right) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
            assert_eq!(is_ours(&secret("k"), b"{}", &at(offset), NOW), right, "{offset}");
        }
        assert!(!is_ours(&secret("l"), b"{}", &at(0), NOW) && !is_ours(&secret("k"), b"{}x", &at(0), NOW));
    }

    #[test]
    fn a_time_that_was_not_signed_does_not_count() {
        let old = signed("k", &(NOW.millis() / 1000 - 900).to_string(), "{}");
        let (_, tag) = old.split_once(',').unwrap();
        let seconds = NOW.millis() / 1000;
        assert!(!is_ours(&secret("k"), b"{}", &format!("t={seconds},{tag}"), NOW));
        assert!(!is_ours(&secret("k"), b"{}", &format!("{old},t={seconds}"), NOW));
        for nonsense in ["", "t=", "t=x,v1=00", "v1=00", "t=9223372036854775807,v1=00", &format!("t={seconds}")] {
            assert!(!is_ours(&secret("k"), b"{}", nonsense, NOW), "{nonsense}");
        }
    }

    #[test]
    fn one_of_two_signatures_is_enough() {
        let right = signed("k", "1800000000", "{}");
        let (time, tag) = right.split_once(',').unwrap();
        assert!(is_ours(&secret("k"), b"{}", &format!("{time},v1=00,{tag},v0=x"), NOW));
    }

    #[test]
    fn each_secret_is_its_own() {
        let (root, org, id) = (Root::of_seed(&[1; 32]), OrgId::from_bytes([1; 16]), HookId::from_bytes([2; 16]));
        let of = Of { org, id, seed: &[3; 32] };
        let all = [of.token(&root), of.secret(&root), of.verify_token(&root)].map(|secret| secret.expose().clone());
        assert!(all[0].len() == 24 && all[1].len() == 47 && all[2].len() == 32, "{all:?}");
        let other = Of { seed: &[4; 32], ..of };
        assert_ne!(other.token(&root).expose(), &all[0]);
        let token = mail_token(&root, org, UserId::from_bytes([2; 16]), &[3; 32]);
        assert!(token.expose().len() == 40 && token.expose().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
