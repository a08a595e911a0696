//! What makes a webhook believable: its secret, derived for one endpoint, and the signature of one try, as the Standard
//! Webhooks specification has them. Refuses to store a secret: like an API key it comes from its row and a root.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::id::{OrgId, WebhookId};
use crate::root::Root;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// The secret of an endpoint: `whsec_` and the base64 of 32 bytes. Under the root of [`crate::Use::Webhook`]; `seed` is
/// 32 random bytes of the endpoint's row, so that a leaked root alone yields no secret, and a new seed is a new one.
pub fn derive_secret(root: &Root, org: OrgId, id: WebhookId, seed: &[u8; 32]) -> Secret<String> {
    let key = Zeroizing::new(root.mac(&[PREFIX.as_bytes(), org.as_bytes(), id.as_bytes(), seed]));
    let base64 = Zeroizing::new(STANDARD.encode(key.as_slice()));
    Secret::new(format!("{PREFIX}{}", *base64))
}

/// The signature of a message: `v1,` and the base64 of HMAC-SHA-256 over `id.seconds.body`, where `at` is when this try
/// is made.
///
/// # Errors
/// `Invalid` for what is no secret: `whsec_` and the base64 of 24 to 64 bytes.
pub fn sign(secret: &Secret<String>, id: &str, at: Timestamp, body: &[u8]) -> Result<String> {
    const BAD: Error = Error::Invalid { field: "webhook secret", why: "must be whsec_ and 24 to 64 bytes in base64" };
    let base64 = secret.expose().strip_prefix(PREFIX).ok_or(BAD)?;
    let key = Zeroizing::new(STANDARD.decode(base64).map_err(|_| BAD)?);
    if !(24..=64).contains(&key.len()) {
        return Err(BAD);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| BAD)?;
    mac.update(format!("{id}.{}.", seconds(at)).as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// A moment as the headers say it: whole seconds since 1970.
pub const fn seconds(at: Timestamp) -> i64 {
    at.millis().div_euclid(1000)
}
