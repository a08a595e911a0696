//! Browsers that are told when an agent asks: subscribed and removed by the person whose they are, and by their push service when it
//! knows them no more. Refuses places that the way out would not go to, and more of them than a person has browsers.

use std::sync::Arc;

use doorcode_core::push::Recipient;
use doorcode_core::{Error, PushId, Result, UserId};
use serde_json::json;

use crate::app::App;
use crate::ops::audit::{self, Happened, Whose};
use crate::store::push_subscriptions::{self as rows, Subscription};

/// Browsers of one person.
pub const BROWSERS_MOST: i64 = 20;
/// The longest public key and shared secret, as text.
const TEXT_MOST: usize = 200;

/// What a browser gives.
#[derive(Clone)]
pub struct Offered {
    /// Its push service, and its place there.
    pub endpoint: String,
    /// Its public key.
    pub p256dh: String,
    /// What it shares with us.
    pub auth: String,
    /// The language of whoever sits there.
    pub language: &'static str,
}

/// A browser is told from now on.
pub async fn subscribe(app: &Arc<App>, whose: Whose, offered: Offered) -> Result<()> {
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    if offered.p256dh.len() > TEXT_MOST || offered.auth.len() > TEXT_MOST {
        return Err(Error::Invalid { field: "p256dh", why: "must be a key" });
    }
    Recipient::parse(&offered.p256dh, &offered.auth)?;
    let new = Subscription {
        owner: whose.owner,
        id: app.entropy.id(now)?,
        org: whose.org,
        endpoint: app.egress.check_url(&offered.endpoint)?.as_str().to_owned(),
        p256dh: offered.p256dh,
        auth: offered.auth,
        language: offered.language.to_owned(),
        kid: app.keys.ring().active().kid,
        created_at: now,
    };
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            rows::replace(tx, &whose.owner, &new.endpoint).await?;
            if rows::of_owner(tx, &whose.owner, BROWSERS_MOST).await?.len() as i64 >= BROWSERS_MOST {
                return Err(Error::Conflict("a person has twenty browsers at most; remove one"));
            }
            rows::insert(tx, &new).await?;
            audit::note(tx, &unit_app, whose, happened(json!({ "browser": new.id.to_string() })), now).await
        })
    });
    unit.await
}

/// It is not told any more.
pub async fn unsubscribe(app: &Arc<App>, whose: Whose, id: PushId) -> Result<()> {
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            if !rows::remove(tx, &whose.owner, &id).await? {
                return Err(Error::NotFound);
            }
            let said = json!({ "browser": id.to_string(), "removed": true });
            audit::note(tx, &unit_app, whose, happened(said), now).await
        })
    });
    unit.await
}

/// A person's browsers.
pub async fn list(app: &App, owner: UserId) -> Result<Vec<Subscription>> {
    app.db.read(move |tx| Box::pin(async move { rows::of_owner(tx, &owner, BROWSERS_MOST).await })).await
}

/// Its push service knows it no more.
pub async fn forget(app: &App, owner: UserId, id: PushId) -> Result<()> {
    app.db.write(move |tx| Box::pin(async move { rows::remove(tx, &owner, &id).await.map(drop) })).await
}

fn happened(details: serde_json::Value) -> Happened {
    Happened { kind: "owner_update", actor: "user", agent: None, relay: None, details }
}
