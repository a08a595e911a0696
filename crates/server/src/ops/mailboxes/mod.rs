//! Mailboxes that people connect: this server signs in to them and can read them, which is said wherever one is connected. Made, listed, given
//! other credentials and removed by the person; who watches them is in `watched`. Refuses hosts that lead inside ([`crate::egress`]), to
//! show a secret again, and to keep one in the clear.

mod watched;

use std::sync::Arc;

use doorcode_core::line;
use doorcode_core::mailbox::{self, Credentials, Sealed, Security};
use doorcode_core::relay::Named as _;
use doorcode_core::{Error, MailboxId, Result, UserId, vault};
use serde_json::json;

use super::audit::{self, Happened, Whose};
use super::credentials::note_mailbox;
use super::relays::{CHANGES, spend};
use crate::app::App;
use crate::store::mailboxes::{self as rows, Mailbox};
use crate::store::users;

pub use watched::{
    CREDENTIALS_REFUSED, Claimed, claim, free, give_up, goes, is_held, keep, make_room, refused, release, release_one,
    renew, renewed, reseal,
};

/// The longest name.
const NAME_MOST: usize = 64;

/// A mailbox that is to be watched.
pub struct Wanted {
    /// What its owner calls it; empty: as its user and server are.
    pub name: String,
    /// Its server.
    pub host: String,
    /// The port; none: the usual one.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub security: Security,
    /// Who signs in.
    pub login: String,
    /// By what.
    pub credentials: Credentials,
    /// Its addresses; none: the user is one.
    pub addresses: Vec<String>,
    /// Which folder; none: the inbox.
    pub folder: Option<String>,
}

/// Connects one. It is watched within seconds; how that goes is its state.
///
/// # Errors
/// `Invalid` for what can't be; `Conflict` where there are as many as may be.
pub async fn create(app: &Arc<App>, whose: Whose, wanted: Wanted) -> Result<Mailbox> {
    if !app.config.capture.mailboxes.are_on() {
        return Err(Error::Conflict("mailboxes are not connected here: capture.mailboxes is off"));
    }
    let new = draw(app, whose, wanted)?;
    let (now, unit_app, row) = (app.clock.now(), Arc::clone(app), new.clone());
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            // Two that come at once, of whomever, are counted one after the other.
            rows::hold_places(tx).await?;
            users::get(tx, &whose.org, &whose.owner).await?.ok_or(Error::NotFound)?;
            spend(tx, &unit_app, &whose.owner, CHANGES, now).await?;
            let said = json!({ "mailbox": row.id.shown(), "name": row.name, "host": row.host, "kind": row.kind });
            audit::note(tx, &unit_app, whose, happened("mailbox_create", "user", said), now).await?;
            let most = &unit_app.config.capture.mailboxes;
            let own = i64::from(most.per_person);
            if rows::of_owner(tx, &whose.owner, own).await?.len() as i64 >= own {
                return Err(Error::Conflict("a person has only so many mailboxes; remove one"));
            }
            if rows::count_of_org(tx, &whose.org).await? >= i64::from(most.per_org) {
                return Err(Error::Conflict(
                    "your team has as many mailboxes here as one may; ask whoever runs this server",
                ));
            }
            if rows::count(tx).await? >= i64::from(most.most) {
                return Err(Error::Conflict("this server watches as many mailboxes as it may; ask whoever runs it"));
            }
            rows::insert(tx, &row).await
        })
    });
    unit.await?;
    Ok(new)
}

fn draw(app: &App, whose: Whose, wanted: Wanted) -> Result<Mailbox> {
    mailbox::check("user", &wanted.login, mailbox::NAME_MOST)?;
    let folder = wanted.folder.unwrap_or_else(|| "INBOX".to_owned());
    mailbox::check_folder(&folder)?;
    let port = wanted.port.unwrap_or(wanted.security.port());
    let target = app.egress.check_mailbox(&wanted.host, port)?;
    if wanted.security == Security::None && !target.is_this_machine() {
        return Err(Error::Invalid { field: "security", why: "must be tls or starttls, but for this machine" });
    }
    let addresses = mailbox::addresses(&wanted.addresses, &wanted.login)?;
    let credentials = checked(app, wanted.credentials)?;
    let name = line::clean(&wanted.name, NAME_MOST);
    let (now, roots) = (app.clock.now(), app.keys.ring());
    let mut new = Mailbox {
        id: app.entropy.id(now)?,
        org: whose.org,
        owner: whose.owner,
        name: name.or_else(|| line::clean(target.host(), NAME_MOST)).unwrap_or_default(),
        host: target.host().to_owned(),
        port,
        security: wanted.security.as_str().to_owned(),
        login: wanted.login,
        addresses: addresses.iter().map(|email| email.as_str().to_owned()).collect::<Vec<_>>().join("\n"),
        folder,
        kind: credentials.kind().to_owned(),
        kid: roots.active().kid,
        credentials: String::new(),
        version: 0,
        state: CONNECTING.to_owned(),
        trouble: None,
        changed_at: now,
        reached: None,
    };
    new.credentials = seal(app, &new, &credentials)?;
    Ok(new)
}

/// The state of one that was connected just now, or given other credentials.
const CONNECTING: &str = "connecting";

/// Credentials that can be used here.
fn checked(app: &App, credentials: Credentials) -> Result<Credentials> {
    if let Credentials::RefreshToken(refresh) = &credentials {
        let asked = app.egress.check_url(&refresh.endpoint);
        asked
            .map_err(|_| Error::Invalid { field: "tokenEndpoint", why: "must be an https:// URL of a public host" })?;
    }
    credentials.checked()
}

/// Credentials as they are kept for a row, under the active master key.
fn seal(app: &App, row: &Mailbox, credentials: &Credentials) -> Result<String> {
    let ring = app.keys.ring();
    let (written, nonce) = (credentials.write()?, app.entropy.bytes()?);
    sealed_for(row)?.place(|place| vault::seal(&ring.active().vault, place, nonce, &written))
}

/// The credentials of a row. None: they are sealed under a key that is gone, or for another row, or for another server.
fn open(app: &App, row: &Mailbox) -> Option<Credentials> {
    let ring = app.keys.ring();
    let roots = ring.get(row.kid)?;
    let opened = sealed_for(row).ok()?.place(|place| vault::open(&roots.vault, place, &row.credentials))?;
    Credentials::read(&opened)
}

fn sealed_for(row: &Mailbox) -> Result<Sealed<'_>> {
    Ok(Sealed {
        org: &row.org,
        owner: &row.owner,
        id: &row.id,
        host: &row.host,
        port: row.port,
        security: Security::read(&row.security)?,
        user: &row.login,
    })
}

/// A person's.
pub async fn list(app: &App, owner: UserId) -> Result<Vec<Mailbox>> {
    // Those that were connected when there might be more of them are shown too.
    app.db.read(move |tx| Box::pin(async move { rows::of_owner(tx, &owner, 1000).await })).await
}

/// One of a person's.
pub async fn show(app: &App, owner: UserId, id: MailboxId) -> Result<Mailbox> {
    let found = app.db.read(move |tx| Box::pin(async move { rows::get(tx, &id, &owner).await })).await?;
    found.ok_or(Error::NotFound)
}

/// Gives one other credentials: whoever watches it signs in with those from now on, and refusals are forgotten.
pub async fn replace(app: &Arc<App>, whose: Whose, id: MailboxId, credentials: Credentials) -> Result<Mailbox> {
    let credentials = checked(app, credentials)?;
    let row = show(app, whose.owner, id).await?;
    let (sealed, kid) = (seal(app, &row, &credentials)?, app.keys.ring().active().kid);
    let (now, unit_app, kind) = (app.clock.now(), Arc::clone(app), credentials.kind());
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            spend(tx, &unit_app, &whose.owner, CHANGES, now).await?;
            if !rows::replace(tx, &id, &whose.owner, kind, (kid, &sealed), now).await? {
                return Err(Error::NotFound);
            }
            let said = json!({ "mailbox": id.shown(), "kind": kind });
            audit::note(tx, &unit_app, whose, happened("mailbox_update", "user", said), now).await
        })
    });
    unit.await?;
    app.call(id);
    show(app, whose.owner, id).await
}

/// Removes one: its credentials are gone, and whoever watches it stops. Written down beside the keys as well, so that no restored database
/// looks into it again.
pub async fn remove(app: &Arc<App>, whose: Whose, id: MailboxId) -> Result<()> {
    show(app, whose.owner, id).await?;
    note_mailbox(app, whose.owner, id)?;
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            if !rows::delete(tx, &id, &whose.owner).await? {
                return Err(Error::NotFound);
            }
            let said = json!({ "mailbox": id.shown() });
            audit::note(tx, &unit_app, whose, happened("mailbox_remove", "user", said), now).await
        })
    });
    unit.await?;
    app.call(id);
    Ok(())
}

fn happened(kind: &'static str, actor: &'static str, details: serde_json::Value) -> Happened {
    Happened { kind, actor, agent: None, relay: None, details }
}
