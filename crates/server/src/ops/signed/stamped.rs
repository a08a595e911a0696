//! A request of the door `native` that its caller signed, in place of showing a key. It is good once: its nonce is spent in one statement, in
//! the unit in which its key is seen to live. Refuses a parent's key, which does nothing there in an organisation below; and to tell by its answer
//! which step failed.

use std::sync::Arc;

use doorcode_core::stamp::authority::Side;
use doorcode_core::stamp::{REQUEST_WINDOW, Signable, Stamp, moment};
use doorcode_core::{OrgId, Result};

use super::Refused;
use super::caller::{self, Found};
use crate::app::App;
use crate::ops::backups::may_be_of_before;
use crate::ops::client::Client;
use crate::ops::keys as scopes;
use crate::store::credentials::{Credential, Kind};
use crate::store::{About, spent_tokens};

/// What a root user's stamp may besides: have keys made that sign, as by the activities.
pub const MAKE_KEYS: &str = "make-keys";

/// A request as it came, with what its headers say of it.
pub struct Stamped<'a> {
    /// `X-Stamp`.
    pub stamp: &'a str,
    /// `X-Organization-Id`.
    pub org: &'a str,
    /// `X-Timestamp`: milliseconds since 1970.
    pub at: &'a str,
    /// `X-Nonce`.
    pub nonce: &'a str,
    /// The method.
    pub method: &'a str,
    /// The path, with the query.
    pub target: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// The credential of whoever signed a request, if it is good; its scopes are what its user's role gives. From here on the request is
/// spent, if they may anything.
pub async fn recognise(app: &Arc<App>, request: &Stamped<'_>, client: Client) -> Result<Option<Arc<Credential>>> {
    let now = app.clock.now();
    let (Ok(stamp), Ok(org), Ok(at)) = (Stamp::parse(request.stamp), request.org.parse::<OrgId>(), moment(request.at))
    else {
        return Ok(None);
    };
    let Stamped { method, target, nonce, body, .. } = *request;
    let call = Signable { method, target, org, at, nonce, body };
    if !call.has_nonce() || !call.is_timely(now) || stamp.verify(&call.text()).is_err() {
        return Ok(None);
    }
    let found = match caller::find(app, org, stamp.key()).await {
        Ok(found) if found.side == Side::Own => caller::placed(found, client),
        Ok(_) | Err(Refused::Refusal(_)) => return Ok(None),
        Err(Refused::Error(error)) => return Err(error),
    };
    // A user who is no root user has no scope: whatever they ask for is refused, so there is nothing to repeat, and no row to write.
    let spent = !found.user.root || spend(app, &found, &call).await?;
    Ok(spent.then(|| Arc::new(credential(app, &found))))
}

/// Spends the nonce. False: it was spent before, or the key was ended meanwhile, or the request may be of a history that this database does not go
/// on with.
async fn spend(app: &App, found: &Arc<Found>, call: &Signable<'_>) -> Result<bool> {
    let (key, asker) = (found.key.key, found.client(None).asker());
    // Only what the nonce is spent by goes into the unit: the body may be long.
    let (org, at, nonce) = (call.org, call.at, call.nonce.to_owned());
    let about = About::something(*call.spent_id(&key, at).as_bytes(), asker);
    let found = Arc::clone(found);
    let unit = app.db.write_at(about, move |tx| {
        Box::pin(async move {
            let call = Signable { method: "", target: "", org, at, nonce: &nonce, body: b"" };
            Ok(!found.has_ended(tx).await?
                && !may_be_of_before(tx, at, REQUEST_WINDOW).await?
                && spent_tokens::spend_nonce(tx, &call, &key).await?)
        })
    });
    unit.await
}

/// The key as a credential. A root user's has the scopes that a further key has for which none are named, and that for sealed keys; another's has none, since whoever is
/// no root user acts on themselves, and nothing there is about one user.
fn credential(app: &App, found: &Found) -> Credential {
    let scopes = if found.user.root { format!("{} {MAKE_KEYS}", scopes::VERIFY) } else { String::new() };
    Credential {
        org: found.key.org,
        id: found.key.id,
        user: Some(found.user.id),
        kind: Kind::StampKey,
        seed: [0; 32],
        kid: app.keys.ring().active().kid,
        scopes,
        expires_at: found.key.expires_at,
        revoked_at: None,
        name: None,
        last_used_at: None,
        subject: None,
    }
}
