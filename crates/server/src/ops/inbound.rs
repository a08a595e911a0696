//! A person's address for forwarded mail: made, shown, changed, taken away, and found when mail comes for it. Refuses addresses where
//! no mail is taken in, and to say of any address whether it was somebody's.

use std::sync::Arc;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::{Email, Error, OrgId, Result, Secret, Timestamp, UserId, hook};
use serde_json::json;

use super::audit::{self, Happened, Whose};
use super::credentials::note_inbound;
use super::relays::{CHANGES, spend};
use crate::app::{App, target_of};
use crate::store::inbound_addresses::{self as rows, Inbound};
use crate::store::{identities, users};

/// Letters of what stands before the @.
const TOKEN: usize = 40;

/// An address, and since when it is.
pub struct Address {
    /// All of it. None: its master key is retired, and it is dead.
    pub email: Option<Secret<String>>,
    /// Since when.
    pub made_at: Timestamp,
}

/// Makes a person an address, in place of the one that they had.
pub async fn make(app: &Arc<App>, whose: Whose) -> Result<Address> {
    domain(app)?;
    let (now, unit_app, seed) = (app.clock.now(), Arc::clone(app), app.entropy.bytes()?);
    let (token, kid) = {
        let ring = app.keys.ring();
        let roots = ring.active();
        (hook::mail_token(&roots.hook, whose.org, whose.owner, &seed), roots.kid)
    };
    // Counted first: what is refused must not write down that the old one ended.
    let counted = Arc::clone(app);
    let count = app.db.write(move |tx| {
        Box::pin(async move {
            users::get(tx, &whose.org, &whose.owner).await?.ok_or(Error::NotFound)?;
            spend(tx, &counted, &whose.owner, CHANGES, now).await
        })
    });
    count.await?;
    note_end(app, whose.owner).await?;
    let new = Inbound { owner: whose.owner, org: whose.org, digest: digest(token.expose()), seed, kid, made_at: now };
    let row = new.clone();
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            rows::put(tx, &row).await?;
            audit::note(tx, &unit_app, whose, happened("inbound_create"), now).await
        })
    });
    unit.await?;
    show(app, &new)
}

/// A person's address, if they have one.
pub async fn get(app: &App, owner: UserId) -> Result<Option<Address>> {
    domain(app)?;
    let found = app.db.read(move |tx| Box::pin(async move { rows::of_owner(tx, &owner).await })).await?;
    found.map(|row| show(app, &row)).transpose()
}

/// Takes it away: mail for it is refused from now on.
pub async fn remove(app: &Arc<App>, whose: Whose) -> Result<()> {
    if !note_end(app, whose.owner).await? {
        return Err(Error::NotFound);
    }
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            if !rows::delete(tx, &whose.owner).await? {
                return Err(Error::NotFound);
            }
            audit::note(tx, &unit_app, whose, happened("inbound_remove"), now).await
        })
    });
    unit.await
}

/// Writes down beside the keys that a person's address ends, so that no restored database takes its mail again. False: they have none.
async fn note_end(app: &App, owner: UserId) -> Result<bool> {
    let found = app.db.read(move |tx| Box::pin(async move { rows::of_owner(tx, &owner).await })).await?;
    found.map(|old| note_inbound(app, owner, old.digest)).transpose().map(|noted| noted.is_some())
}

/// Whose address that is, if it is one's. In whatever case it is written.
pub async fn find(app: &App, local: &str, host: &str) -> Result<Option<Whose>> {
    let right = app.config.capture.inbound.as_ref().is_some_and(|inbound| host.eq_ignore_ascii_case(&inbound.domain));
    if !right || local.len() != TOKEN {
        return Ok(None);
    }
    let digest = digest(&local.to_ascii_lowercase());
    let found = app.db.read(move |tx| Box::pin(async move { rows::find(tx, &digest).await })).await?;
    let alive = found.filter(|row| app.keys.ring().get(row.kid).is_some());
    Ok(alive.map(|row| Whose { org: row.org, owner: row.owner }))
}

/// The addresses that mail for a person may name: theirs, if it was verified.
pub async fn addresses(app: &App, whose: Whose) -> Result<Vec<Email>> {
    let look = app.db.read(move |tx| {
        Box::pin(async move {
            let user = users::get(tx, &whose.org, &whose.owner).await?;
            let Some(email) = user.and_then(|user| user.email) else { return Ok(None) };
            let of = identities::verified(tx, &target_of(OrgId::HOUSE, &email)).await?;
            Ok((of == Some((whose.org, whose.owner))).then_some(email))
        })
    });
    Ok(look.await?.and_then(|email| Email::parse(&email).ok()).into_iter().collect())
}

fn show(app: &App, row: &Inbound) -> Result<Address> {
    let domain = domain(app)?;
    let ring = app.keys.ring();
    let token = ring.get(row.kid).map(|roots| hook::mail_token(&roots.hook, row.org, row.owner, &row.seed));
    let email = token.map(|token| Secret::new(format!("{}@{domain}", token.expose())));
    Ok(Address { email, made_at: row.made_at })
}

fn domain(app: &App) -> Result<&str> {
    let inbound = app.config.capture.inbound.as_ref();
    let off = Error::Conflict("mail is not taken in here: capture.inbound is off");
    inbound.map(|inbound| inbound.domain.as_str()).ok_or(off)
}

fn digest(token: &str) -> [u8; 16] {
    fingerprint("inbound address", &[token.as_bytes()])
}

fn happened(kind: &'static str) -> Happened {
    Happened { kind, actor: "user", agent: None, relay: None, details: json!({}) }
}
