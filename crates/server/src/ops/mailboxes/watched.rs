//! Who watches which mailbox: a server takes those that nobody watches for a while, says that it goes on before that is over, and whatever it
//! says of one counts only until then. Refuses to try a password for the fourth time, and to sign in with what can't be opened.

use std::sync::Arc;

use doorcode_core::mailbox::{Credentials, REFUSALS, Refresh};
use doorcode_core::relay::Named as _;
use doorcode_core::{MailboxId, Result};
use serde_json::json;

use super::{happened, open, seal};
use crate::app::App;
use crate::ops::audit::{self, Whose};
use crate::store::mailboxes::{self as rows, Held, Mailbox};

/// The state in which nobody tries any more.
pub const CREDENTIALS_REFUSED: &str = "credentials_refused";
/// Mailboxes that a server begins to watch at the same time: they all have to be connected to.
const TURN: i64 = 20;
/// Mailboxes whose credentials come under another key in one turn.
const RESEALED: i64 = 20;

/// A mailbox that this server watches from now on.
pub struct Claimed {
    /// Its row.
    pub mailbox: Mailbox,
    /// By which it is spoken of.
    pub held: Held,
    /// By what one signs in. None: that can't be opened.
    pub credentials: Option<Credentials>,
}

impl Claimed {
    /// Whose.
    pub fn whose(&self) -> Whose {
        Whose { org: self.mailbox.org, owner: self.mailbox.owner }
    }
}

/// Takes some that nobody watches, if there are any and `room` for them.
pub async fn claim(app: &App, room: usize) -> Result<Vec<Claimed>> {
    let now = app.clock.now();
    let most = i64::try_from(room).unwrap_or(TURN).min(TURN);
    // Looked for first: nothing is written where there is nothing to take.
    if most == 0 || !app.db.read(move |tx| Box::pin(async move { rows::is_due(tx, now).await })).await? {
        return Ok(Vec::new());
    }
    let (node, until) = (app.node.clone(), now.plus(app.config.capture.mailboxes.lease));
    let unit = app.db.write(move |tx| Box::pin(async move { rows::claim(tx, &node, now, until, most).await }));
    let claimed = unit.await?.into_iter().map(|mailbox| {
        let held = Held { id: mailbox.id, node: app.node.clone(), version: mailbox.version };
        Claimed { credentials: open(app, &mailbox), held, mailbox }
    });
    Ok(claimed.collect())
}

/// Where this server has no room left: lets one go of the org that has the most, if another waits that has fewer. Gives which. Else who comes
/// first keeps every place for good.
pub async fn make_room(app: &App) -> Result<Option<MailboxId>> {
    let (node, now) = (app.node.clone(), app.clock.now());
    let looking = node.clone();
    // Looked for first: nothing is written where nothing is to be let go.
    if app.db.read(move |tx| Box::pin(async move { rows::spare(tx, &looking, now).await })).await?.is_none() {
        return Ok(None);
    }
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let Some((id, version)) = rows::spare(tx, &node, now).await? else { return Ok(None) };
            Ok(rows::release_one(tx, &Held { id, node, version }).await?.then_some(id))
        })
    });
    unit.await
}

/// Goes on with what this server watches. Gives what that is, by the version of its credentials.
pub async fn renew(app: &App) -> Result<Vec<(MailboxId, i64)>> {
    let (node, until) = (app.node.clone(), app.clock.now().plus(app.config.capture.mailboxes.lease));
    app.db.write(move |tx| Box::pin(async move { rows::renew(tx, &node, until).await })).await
}

/// This server watches no more.
pub async fn release(app: &App) -> Result<()> {
    let node = app.node.clone();
    app.db.write(move |tx| Box::pin(async move { rows::release(tx, &node).await })).await.map(drop)
}

/// This server leaves one to whoever is next.
pub async fn release_one(app: &App, id: MailboxId, version: i64) -> Result<()> {
    let held = Held { id, node: app.node.clone(), version };
    app.db.write(move |tx| Box::pin(async move { rows::release_one(tx, &held).await })).await.map(drop)
}

/// At the start of the only server there is: nobody watches any.
pub async fn free(app: &App) -> Result<usize> {
    app.db.write(|tx| Box::pin(rows::free(tx))).await
}

/// Whether this server still watches it, with these credentials.
pub async fn is_held(app: &App, held: &Held) -> Result<bool> {
    let held = held.clone();
    app.db.read(move |tx| Box::pin(async move { rows::is_held(tx, &held).await })).await
}

/// How it goes: it is watched, or it is not and why. False: it is not this server's any more.
pub async fn goes(app: &App, held: &Held, trouble: Option<&'static str>) -> Result<bool> {
    let (held, now) = (held.clone(), app.clock.now());
    let state = if trouble.is_some() { "away" } else { "watching" };
    app.db.write(move |tx| Box::pin(async move { rows::goes(tx, &held, state, trouble, now).await })).await
}

/// Its server would not let us in. Gives whether to try again: the last refusal is in its owner's record.
pub async fn refused(app: &Arc<App>, claimed: &Claimed) -> Result<bool> {
    end(app, claimed, "user or password are refused", REFUSALS).await
}

/// Nobody can sign in with what is there, so nobody tries.
pub async fn give_up(app: &Arc<App>, claimed: &Claimed) -> Result<bool> {
    end(app, claimed, "the master key that the credentials were sealed under is gone", 0).await
}

async fn end(app: &Arc<App>, claimed: &Claimed, trouble: &'static str, most: i64) -> Result<bool> {
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let (held, whose) = (claimed.held.clone(), claimed.whose());
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let state = rows::refused(tx, &held, trouble, most, now).await?;
            if state.as_deref() == Some(CREDENTIALS_REFUSED) {
                let said = json!({ "mailbox": held.id.shown(), "trouble": trouble });
                audit::note(tx, &unit_app, whose, happened("mailbox_refused", "server", said), now).await?;
                rows::release_one(tx, &held).await?;
            }
            Ok(state.is_some_and(|state| state != CREDENTIALS_REFUSED))
        })
    });
    unit.await
}

/// Keeps up to where it was looked at. False: it is not this server's any more.
pub async fn keep(app: &App, held: &Held, reached: &str) -> Result<bool> {
    let (held, reached) = (held.clone(), reached.to_owned());
    app.db.write(move |tx| Box::pin(async move { rows::keep(tx, &held, &reached).await })).await
}

/// Keeps what its provider gave out in the place of the grant before.
pub async fn renewed(app: &App, claimed: &Claimed, refresh: &Refresh) -> Result<bool> {
    let sealed = seal(app, &claimed.mailbox, &Credentials::RefreshToken(refresh.clone()))?;
    let (held, kid) = (claimed.held.clone(), app.keys.ring().active().kid);
    app.db.write(move |tx| Box::pin(async move { rows::renewed(tx, &held, kid, &sealed).await })).await
}

/// Brings some of the credentials that are sealed under an older master key under the active one, so that they outlive it. Gives how many.
pub async fn reseal(app: &App) -> Result<usize> {
    let ring = app.keys.ring();
    let mut moved = 0;
    for kid in ring.iter().map(|roots| roots.kid).filter(|kid| *kid != ring.active().kid) {
        let look = app.db.read(move |tx| Box::pin(async move { rows::sealed_under(tx, kid, RESEALED).await }));
        for row in look.await? {
            let Some(credentials) = open(app, &row) else { continue };
            let (sealed, kid) = (seal(app, &row, &credentials)?, app.keys.ring().active().kid);
            let unit = app.db.write(move |tx| {
                Box::pin(async move { rows::reseal(tx, &row.id, &row.credentials, kid, &sealed).await })
            });
            moved += usize::from(unit.await?);
        }
    }
    Ok(moved)
}
