//! Where programs push a person's messages to: a phone app that forwards SMS, Twilio, `WhatsApp`. Made, listed and removed by the person;
//! what comes in is in `arrive`. Refuses to keep a provider's secret in the clear, and to show one again.

mod arrive;
mod text;

use std::sync::Arc;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::hook::Of;
use doorcode_core::relay::Named as _;
use doorcode_core::{Error, HookId, OrgId, Result, Secret, UserId, vault};
use serde_json::json;

use super::audit::{self, Happened, Whose};
use super::credentials::note_hook;
use super::relays::{CHANGES, spend};
use super::sign_in::clean_name;
use crate::app::App;
use crate::store::hooks::{self as rows, Hook};
use crate::store::users;

pub use arrive::{Arrived, By, Text, arrive, arrive_all, secret_of};

/// Hooks of one person.
const HOOKS_MOST: i64 = 10;
/// The longest secret of a provider.
const SECRET_MOST: usize = 200;

/// Who pushes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A program that forwards a phone's SMS, in our own form.
    Sms,
    /// Twilio.
    Twilio,
    /// Meta.
    WhatsApp,
}

/// Every kind, as it is stored and as it stands in paths.
const KINDS: [(Kind, &str); 3] = [(Kind::Sms, "sms"), (Kind::Twilio, "twilio"), (Kind::WhatsApp, "whatsapp")];

impl Kind {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The kind of that name.
    pub fn read(name: &str) -> Option<Self> {
        KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// A hook as its owner sees it.
pub struct Shown {
    /// Its row.
    pub hook: Hook,
    /// Where messages go to. None: its master key is retired, and it is dead.
    pub url: Option<Secret<String>>,
    /// What Meta is told, for `whatsapp`.
    pub verify_token: Option<Secret<String>>,
}

/// Makes a hook. `secret` is the provider's; our own form has one of its own, which is given here and nowhere else.
pub async fn create(
    app: &Arc<App>,
    whose: Whose,
    kind: Kind,
    name: &str,
    secret: Option<Secret<String>>,
) -> Result<(Shown, Option<Secret<String>>)> {
    let hook = draw(app, whose, kind, name, secret)?;
    let (now, unit_app, new) = (app.clock.now(), Arc::clone(app), hook.clone());
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            users::get(tx, &whose.org, &whose.owner).await?.ok_or(Error::NotFound)?;
            spend(tx, &unit_app, &whose.owner, CHANGES, now).await?;
            if rows::of_owner(tx, &whose.owner, HOOKS_MOST).await?.len() as i64 >= HOOKS_MOST {
                return Err(Error::Conflict("a person has ten hooks at most; remove one"));
            }
            rows::insert(tx, &new).await?;
            let said = json!({ "hook": new.id.shown(), "kind": new.kind, "name": new.name });
            audit::note(tx, &unit_app, whose, happened("hook_create", said), now).await
        })
    });
    unit.await?;
    let own = (kind == Kind::Sms).then(|| of(&hook).secret(&app.keys.ring().active().hook));
    Ok((show(app, hook), own))
}

fn draw(app: &App, whose: Whose, kind: Kind, name: &str, secret: Option<Secret<String>>) -> Result<Hook> {
    let bad = |why| Error::Invalid { field: "secret", why };
    let secret = match (kind, secret) {
        (Kind::Sms, None) => None,
        (Kind::Sms, Some(_)) => return Err(bad("is made here for this kind")),
        (_, Some(secret)) if (8..=SECRET_MOST).contains(&secret.expose().len()) => Some(secret),
        _ => return Err(bad("must be the provider's: Twilio's auth token or Meta's app secret")),
    };
    let ring = app.keys.ring();
    let roots = ring.active();
    let (id, seed) = (app.entropy.id(app.clock.now())?, app.entropy.bytes()?);
    let token = Of { org: whose.org, id, seed: &seed }.token(&roots.hook);
    let nonce = app.entropy.bytes()?;
    let sealed = secret.map(|secret| vault::seal(&roots.vault, &place(&whose.org, &whose.owner, &id), nonce, &secret));
    Ok(Hook {
        org: whose.org,
        id,
        owner: whose.owner,
        kind: kind.as_str().to_owned(),
        name: clean_name(name).unwrap_or_else(|| kind.as_str().to_owned()),
        digest: digest(kind, token.expose()),
        seed,
        kid: roots.kid,
        secret: sealed.transpose()?,
        used_at: None,
    })
}

/// What a provider's secret is sealed for.
fn place<'a>(org: &'a OrgId, owner: &'a UserId, id: &'a HookId) -> [&'a [u8]; 4] {
    [b"hook", org.as_bytes(), owner.as_bytes(), id.as_bytes()]
}

/// What a hook is found by.
fn digest(kind: Kind, token: &str) -> [u8; 16] {
    fingerprint("hook", &[kind.as_str().as_bytes(), token.as_bytes()])
}

fn of(hook: &Hook) -> Of<'_> {
    Of { org: hook.org, id: hook.id, seed: &hook.seed }
}

fn show(app: &App, hook: Hook) -> Shown {
    let ring = app.keys.ring();
    let root = ring.get(hook.kid).map(|roots| &roots.hook);
    let url = root.map(|root| {
        let token = of(&hook).token(root);
        Secret::new(format!("{}/hooks/{}/{}", app.base_url(), hook.kind, token.expose()))
    });
    let verify_token = root.filter(|_| hook.kind == Kind::WhatsApp.as_str()).map(|root| of(&hook).verify_token(root));
    Shown { url, verify_token, hook }
}

/// A person's hooks.
pub async fn list(app: &App, owner: UserId) -> Result<Vec<Shown>> {
    let found = app.db.read(move |tx| Box::pin(async move { rows::of_owner(tx, &owner, HOOKS_MOST).await })).await?;
    Ok(found.into_iter().map(|hook| show(app, hook)).collect())
}

/// Removes one: what is pushed there from now on goes nowhere. Written down beside the keys as well, so that no restored database takes pushes
/// there again.
pub async fn remove(app: &Arc<App>, whose: Whose, id: HookId) -> Result<()> {
    list(app, whose.owner).await?.iter().find(|shown| shown.hook.id == id).ok_or(Error::NotFound)?;
    note_hook(app, whose, id)?;
    let (now, unit_app) = (app.clock.now(), Arc::clone(app));
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            if !rows::delete(tx, &whose.org, &id, &whose.owner).await? {
                return Err(Error::NotFound);
            }
            audit::note(tx, &unit_app, whose, happened("hook_remove", json!({ "hook": id.shown() })), now).await
        })
    });
    unit.await
}

fn happened(kind: &'static str, details: serde_json::Value) -> Happened {
    Happened { kind, actor: "user", agent: None, relay: None, details }
}
