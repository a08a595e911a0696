//! Whether a code that was found in a message is one that this installation sent to the same person, for whatever org or door: by whatever way
//! the message came and however it was changed on the way. Refuses to say by its time which one it is, and to ask what a message says of
//! itself: its mark and its sender are asked before ([`crate::capture`]), and a forwarded text has neither.

use doorcode_core::{Result, Secret, State, Timestamp, code};

use crate::app::App;
use crate::ops::audit::Whose;
use crate::store::challenges::{self, Challenge};
use crate::store::{Tx, mailboxes, targets, users};

/// Mailboxes of one person that are looked at.
const MAILBOXES: i64 = 1000;

/// Whether it is a live code of this person: for signing in to this house, or anything of any org. Else an agent that was let have it would
/// sign in here as its owner, or pass for them with somebody whose people sign in by codes from here.
pub(super) async fn is_own_code(app: &App, whose: Whose, found: &Secret<String>) -> Result<bool> {
    let Some(entry) = code::normalise(found.expose()) else { return Ok(false) };
    let now = app.clock.now();
    let live = app.db.read(move |tx| Box::pin(async move { live(tx, whose, now).await })).await?;
    let ring = app.keys.ring();
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

/// The challenges that are live at a person's addresses, with a short code or a long one, whoever had them sent: by the address alone. Which
/// orgs might have is more than can be listed: those below a raised one as well, and any of whose people they are.
async fn live(tx: &mut Tx<'_>, whose: Whose, now: Timestamp) -> Result<Vec<Challenge>> {
    let mut found = Vec::new();
    for address in addresses(tx, whose).await? {
        for id in targets::live_codes(tx, &address, now).await? {
            found.extend(challenges::get(tx, &id).await?.filter(|challenge| challenge.destination == address));
        }
    }
    Ok(found)
}

/// A person's own, and those of the mailboxes that they have connected. Not those that a message names: whoever sends themselves one that names
/// somebody else would learn, by what becomes of it, whether a code in it is theirs, and try as many as they like.
async fn addresses(tx: &mut Tx<'_>, whose: Whose) -> Result<Vec<String>> {
    let user = users::get(tx, &whose.org, &whose.owner).await?;
    let mut all: Vec<String> = user.and_then(|user| user.email).into_iter().collect();
    for mailbox in mailboxes::of_owner(tx, &whose.owner, MAILBOXES).await? {
        all.extend(mailbox.addresses.lines().map(str::to_owned));
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}
