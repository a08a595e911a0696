//! What a browser keeps for us and may not change: text under a MAC, with the name of the master key. Refuses to be taken for
//! something else: what it is for is in the MAC.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorcode_core::{Kid, Result};
use subtle::ConstantTimeEq as _;

use crate::app::App;

/// The longest that is read.
const LONGEST: usize = 4096;

/// Seals bytes for a use.
pub(super) fn seal(app: &App, use_: &str, bytes: &[u8]) -> String {
    let ring = app.keys.ring();
    let roots = ring.active();
    let mac = roots.session.mac(&[b"sealed", use_.as_bytes(), bytes]);
    format!("{}.{}.{}", roots.kid, URL_SAFE_NO_PAD.encode(bytes), URL_SAFE_NO_PAD.encode(mac))
}

/// The bytes, if they were sealed here for that use.
pub(super) fn open(app: &App, use_: &str, text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('.');
    let (Some(kid), Some(bytes), Some(mac), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    if text.len() > LONGEST {
        return None;
    }
    let kid: Kid = kid.parse().ok()?;
    let (bytes, mac) = (URL_SAFE_NO_PAD.decode(bytes).ok()?, URL_SAFE_NO_PAD.decode(mac).ok()?);
    let ring = app.keys.ring();
    let made = ring.get(kid)?.session.mac(&[b"sealed", use_.as_bytes(), &bytes]);
    bool::from(made.as_slice().ct_eq(&mac)).then_some(bytes)
}

/// 16 random bytes as text.
pub(super) fn nonce(app: &App) -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(app.entropy.bytes::<16>()?))
}
