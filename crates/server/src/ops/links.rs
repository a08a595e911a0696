//! What a mail's link shows to whoever opens it. Refuses to change anything.

use doorcode_core::{ChallengeId, OrgId, Result, Secret, State, apikey, code};

use super::sign_in::PURPOSE;
use crate::app::App;
use crate::store::challenges;

/// A link that is good.
pub struct Shown {
    /// The challenge that it belongs to.
    pub challenge: ChallengeId,
    /// The code that came with it, in groups if it is long.
    pub code: Secret<String>,
}

/// What a link of a realm's sign-in shows, while its challenge lives. None: it is over, or was never made.
pub async fn shown(app: &App, realm: OrgId, id: ChallengeId, token: &Secret<String>) -> Result<Option<Shown>> {
    let now = app.clock.now();
    let found = app.db.read(move |tx| Box::pin(async move { challenges::get(tx, &id).await })).await?;
    let ring = app.keys.ring();
    let good = found.and_then(|challenge| {
        let roots = ring.get(challenge.kid)?;
        let binding = challenge.binding();
        let live = challenge.state == State::Pending && challenge.expires_at > now;
        let own = challenge.realm == realm && challenge.purpose == PURPOSE;
        (live && own && apikey::link_matches(&roots.link, &binding, token)).then(|| Shown {
            challenge: challenge.id,
            code: code::grouped(&code::derive(&roots.code, &binding), challenge.shape),
        })
    });
    Ok(good)
}
