//! Signed tokens for what was earned, and the public keys that check them. Refuses a token that is over, of a key that is
//! retired, or of another server.

use doorcode_core::token::{Claims, Jwk, Typ, kid_of};
use doorcode_core::{Error, Result};

use crate::app::App;

/// Signs under the active key.
pub fn sign(app: &App, typ: Typ, claims: &Claims) -> Result<String> {
    app.keys.ring().active().token.sign(typ, claims, &app.entropy.signing())
}

/// The public keys: of every master key that is not retired, so that one is known before it signs and for as long as a token
/// under it may live.
pub fn jwks(app: &App) -> Vec<Jwk> {
    app.keys.ring().iter().map(|roots| roots.token.jwk()).collect()
}

/// What a token says, if it is good.
pub fn read(app: &App, token: &str) -> Result<Claims> {
    let good = || {
        let ring = app.keys.ring();
        let claims = ring.get(kid_of(token)?)?.token.verify(token, app.clock.now())?;
        (claims.iss == app.base_url()).then_some(claims)
    };
    good().ok_or(Error::Unauthenticated)
}
