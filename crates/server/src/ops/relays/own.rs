//! Whether a code that was found in a message is one that this installation sent to the same person: by whatever way the message came and
//! however it was changed on the way. Refuses to say by its time which one it is, and to ask what a message says of itself: its mark and its
//! sender are asked before ([`crate::capture`]), and a forwarded text has neither.

use doorcode_core::{OrgId, Result, Secret, State, UserId, code};

use crate::app::{App, target_of};
use crate::ops::audit::Whose;
use crate::store::challenges::{self, Challenge};
use crate::store::{Tx, targets, users};

/// Whether it is a live code of this person: for signing in to this house, or of their own org. Else an agent that was let have it would
/// sign in here as its owner.
pub(super) async fn is_own_code(app: &App, whose: Whose, found: &Secret<String>) -> Result<bool> {
    let Some(entry) = code::normalise(found.expose()) else { return Ok(false) };
    let live = app.db.read(move |tx| Box::pin(async move { live(tx, &whose.org, &whose.owner).await })).await?;
    let (now, ring) = (app.clock.now(), app.keys.ring());
    let mut own = false;
    for challenge in live.iter().filter(|challenge| challenge.state == State::Pending && challenge.expires_at > now) {
        if let Some(roots) = ring.get(challenge.kid) {
            let derived = code::derive(&roots.code, &challenge.binding());
            // All of them, whichever it is.
            own |= code::matches(&derived, challenge.shape, &entry);
        }
    }
    Ok(own)
}

/// The newest challenges at a person's address: with a short code and with a long one, in the house and in their org.
async fn live(tx: &mut Tx<'_>, org: &OrgId, owner: &UserId) -> Result<Vec<Challenge>> {
    let user = users::get(tx, org, owner).await?;
    let Some(email) = user.and_then(|user| user.email) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for realm in [OrgId::HOUSE, *org] {
        let standing = targets::standing(tx, &target_of(realm, &email)).await?;
        for id in [standing.short.id, standing.long.id].into_iter().flatten() {
            found.extend(challenges::get(tx, &id).await?);
        }
    }
    Ok(found)
}
