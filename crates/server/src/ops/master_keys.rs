//! The rotation of master keys, step by step. Refuses a step that would make live codes wrong: a key derives only when
//! the server has seen it, and goes only after the longest life of what it derived.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::activity::rules::{CODE_LIFE_MOST, TOKEN_LIFE_MOST};
use doorcode_core::{Error, Kid, Result, Timestamp};

use crate::app::App;
use crate::keyring;
use crate::store::lock::ServerLock;
use crate::store::master_keys::{self as rows, KeyRow, Stage};
use crate::store::{challenges, credentials, hooks, inbound_addresses, mailboxes, nodes, push_subscriptions, webhooks};

/// A key and what hangs on it.
pub struct KeyUse {
    /// Its row.
    pub row: KeyRow,
    /// Live credentials under it.
    pub credentials: i64,
    /// Webhooks whose secret is derived under it.
    pub webhooks: i64,
    /// Live challenges under it.
    pub challenges: i64,
    /// Connected mailboxes whose credentials are sealed under it.
    pub mailboxes: i64,
    /// Hooks whose address, and whose provider's secret, hang on it.
    pub hooks: i64,
    /// Addresses for forwarded mail that are derived under it.
    pub inbound: i64,
    /// Browsers that are told by its key.
    pub browsers: i64,
}

impl KeyUse {
    /// What ends with the key unless somebody does something: how many, what, and what is to be done.
    pub fn ending(&self) -> Vec<(i64, &'static str, &'static str)> {
        // Dead ones of those stay in their tables.
        let living = |count| if self.row.stage == Stage::Retiring { count } else { 0 };
        let all = [
            (living(self.credentials), "credentials", "each sign-in gives out a new one meanwhile"),
            (living(self.webhooks), "secrets of webhooks", "let their owners rotate them"),
            (
                self.mailboxes,
                "connected mailboxes",
                "a running server seals them anew within minutes; else give them their credentials again",
            ),
            (self.hooks, "hooks", "let their owners make new ones"),
            (self.inbound, "addresses for forwarded mail", "let their owners make new ones"),
            (self.browsers, "browsers that are told", "they have to be turned on again"),
        ];
        all.into_iter().filter(|(count, ..)| *count > 0).collect()
    }
}

/// Every key and what hangs on it.
pub async fn list(app: &App) -> Result<Vec<KeyUse>> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            Box::pin(async move {
                let mut keys = Vec::new();
                for row in rows::list(tx).await? {
                    let credentials = credentials::under(tx, row.kid).await?;
                    let challenges = challenges::live_under(tx, row.kid, now).await?;
                    let webhooks = webhooks::under(tx, row.kid).await?;
                    let mailboxes = mailboxes::under(tx, row.kid).await?;
                    let hooks = hooks::under(tx, row.kid).await?;
                    let inbound = inbound_addresses::under(tx, row.kid).await?;
                    let browsers = push_subscriptions::under(tx, row.kid).await?;
                    keys.push(KeyUse { row, credentials, webhooks, challenges, mailboxes, hooks, inbound, browsers });
                }
                Ok(keys)
            })
        })
        .await
}

/// Makes one more key: its file first, then its row.
pub async fn add(app: &Arc<App>) -> Result<Kid> {
    let key = keyring::create(&app.config.keys, &app.entropy)?;
    let (kid, check_value, now) = (key.kid(), key.check_value(), app.clock.now());
    app.db
        .write(move |tx| Box::pin(async move { rows::insert(tx, kid, &check_value, Stage::Added, now).await }))
        .await?;
    Ok(kid)
}

/// Makes an added or accepted key the one that derives, once every server that runs has its file.
pub async fn activate(app: &Arc<App>, kid: Kid) -> Result<()> {
    let seen = list(app).await?.into_iter().find(|key| key.row.kid == kid).ok_or(Error::NotFound)?.row.seen_at;
    if app.db.sole_owner() {
        if seen.is_none() && !ServerLock::is_free(&app.config.data)? {
            return Err(Error::Conflict(
                "the running server has not seen this key yet; wait some seconds and try again",
            ));
        }
    } else {
        let now = app.clock.now();
        if app.db.read(move |tx| Box::pin(async move { nodes::without(tx, kid, now).await })).await? > 0 {
            return Err(Error::Conflict(
                "not every server that runs has this key's file: copy it to each, wait some seconds and try again; a server \
                 that has died is waited for half a minute",
            ));
        }
    }
    // A refusal takes the demotion of the present one back.
    app.db
        .write(move |tx| {
            Box::pin(async move {
                if rows::activate(tx, kid).await? {
                    Ok(())
                } else {
                    Err(Error::Conflict("only a key that is added or accepted can be activated"))
                }
            })
        })
        .await
}

/// The longest life of what is derived under a key and must not die with it: codes of any door, tokens, of which those of signed calls
/// may be asked for with a life of a day. Sessions may last longer;
/// they end with the key, and their people sign in again.
fn longest_life(app: &App) -> Duration {
    let signed = Duration::from_secs(u64::from(TOKEN_LIFE_MOST + CODE_LIFE_MOST));
    app.config.outx.life.max(app.config.native.life).max(app.config.native.token_life).max(signed)
}

/// Begins a key's retirement; gives its end.
pub async fn retire(app: &Arc<App>, kid: Kid, grace: Duration) -> Result<Timestamp> {
    let at = app.clock.now().plus(grace.max(longest_life(app)));
    let retiring = app.db.write(move |tx| Box::pin(async move { rows::retire(tx, kid, at).await })).await?;
    if retiring {
        Ok(at)
    } else {
        Err(Error::Conflict("only a key that is added or accepted can be retired; activate another one first"))
    }
}
