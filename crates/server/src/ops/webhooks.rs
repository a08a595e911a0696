//! An org's webhooks: made, listed, rotated, tried, removed; and what was sent to them. Refuses URLs that lead inside
//! ([`crate::egress`]), more than a few for each org, and to show anybody another org's.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::time::DAY;
use doorcode_core::{Error, OrgId, Result, Secret, Timestamp, WebhookId, WebhookMessageId, webhook};

use super::idempotency::{self, Once};
use crate::app::App;
use crate::store::webhook_messages::{self as messages, Message, WEBHOOKS};
use crate::store::webhooks::{self as rows, Seed, Webhook};
use crate::store::{Tx, events, orgs};

/// For how long the secret before the present one signs as well.
pub const GRACE: Duration = DAY;

/// Stands for every kind of event.
pub const ALL: &str = "*";

/// The most rows of one look: a page of a hundred, and one that says that there is another.
pub const PAGE: i64 = 101;

/// How many waiting messages leave with their webhook at once; the sender drops the others as they come due.
const DROPPED: i64 = 500;

/// Makes a webhook for these kinds of events, or for `*`, and gives its secret.
///
/// # Errors
/// `Invalid` for `url` and `events`; `Conflict` if the org has as many as it may.
pub async fn create(
    app: &Arc<App>,
    org: OrgId,
    url: &str,
    events: &[String],
    once: Option<Once>,
) -> Result<(Webhook, Secret<String>)> {
    let now = app.clock.now();
    let url = app.egress.check_url(url)?.as_str().to_owned();
    let events = kinds(events)?;
    let event = app.entropy.id(now)?;
    let (id, secret) = (app.entropy.id(now)?, fresh_seed(app)?);
    let new = Webhook { org, id, url, events, secret, old: None, disabled_at: None, failing_since: None };
    let new = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                if let Some(before) = idempotency::replay::<String>(tx, once.as_ref(), now).await? {
                    return existing(tx, &org, &before.parse()?).await;
                }
                orgs::hold(tx, &org).await?;
                // First the event: the new one need not hear of itself.
                self::events::append(tx, &event, &org, events::Kind::WebhookCreated, id.as_bytes()).await?;
                if !rows::insert(tx, &new, WEBHOOKS as i64).await? {
                    return Err(FULL);
                }
                idempotency::keep(tx, once.as_ref(), &id.to_string()).await?;
                Ok(new)
            })
        })
        .await?;
    let secret = derive(app, &new, &new.secret)?;
    Ok((new, secret))
}

const FULL: Error = Error::Conflict("there are 16 webhooks already; delete one first");

/// Up to `most` (at most [`PAGE`]) webhooks of an org, oldest first, behind `after`.
pub async fn list(app: &App, org: OrgId, after: Option<WebhookId>, most: i64) -> Result<Vec<Webhook>> {
    let (after, most) = (after.unwrap_or(WebhookId::from_bytes([0; 16])), most.clamp(1, PAGE));
    app.db.read(move |tx| Box::pin(async move { rows::list(tx, &org, &after, most).await })).await
}

/// One webhook of an org.
///
/// # Errors
/// `NotFound`, also for one of another org.
pub async fn get(app: &App, org: OrgId, id: WebhookId) -> Result<Webhook> {
    app.db.read(move |tx| Box::pin(async move { existing(tx, &org, &id).await })).await
}

/// Its present secret, derived again.
///
/// # Errors
/// `NotFound`; `Gone` if its master key is retired: rotate it.
pub async fn secret(app: &App, org: OrgId, id: WebhookId) -> Result<Secret<String>> {
    let found = get(app, org, id).await?;
    derive(app, &found, &found.secret)
}

/// Gives it a new secret. For [`GRACE`] messages are signed with the one before as well.
///
/// # Errors
/// `NotFound`.
pub async fn rotate(app: &Arc<App>, org: OrgId, id: WebhookId) -> Result<Secret<String>> {
    let now = app.clock.now();
    let (event, seed) = (app.entropy.id(now)?, fresh_seed(app)?);
    let found = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                if !rows::rotate(tx, &org, &id, &seed, now.plus(GRACE)).await? {
                    return Err(Error::NotFound);
                }
                events::append(tx, &event, &org, events::Kind::WebhookRotated, id.as_bytes()).await?;
                existing(tx, &org, &id).await
            })
        })
        .await?;
    derive(app, &found, &found.secret)
}

/// Removes it. What still waits for it is not sent.
///
/// # Errors
/// `NotFound`.
pub async fn delete(app: &Arc<App>, org: OrgId, id: WebhookId) -> Result<()> {
    let now = app.clock.now();
    let event = app.entropy.id(now)?;
    app.db
        .write(move |tx| {
            Box::pin(async move {
                if !rows::delete(tx, &org, &id).await? {
                    return Err(Error::NotFound);
                }
                messages::drop_all_of(tx, &id, now, DROPPED).await?;
                events::append(tx, &event, &org, events::Kind::WebhookDeleted, id.as_bytes()).await
            })
        })
        .await
}

/// Sends to it no more (`false`), or again (`true`). Asking for what is so already changes nothing.
///
/// # Errors
/// `NotFound`.
pub async fn set_enabled(app: &Arc<App>, org: OrgId, id: WebhookId, enabled: bool) -> Result<Webhook> {
    let now = app.clock.now();
    let event = app.entropy.id(now)?;
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let (changed, kind) = match enabled {
                    true => (rows::enable(tx, &org, &id).await?, events::Kind::WebhookEnabled),
                    false => (rows::disable(tx, &org, &id, now).await?, events::Kind::WebhookDisabled),
                };
                if changed {
                    events::append(tx, &event, &org, kind, id.as_bytes()).await?;
                }
                existing(tx, &org, &id).await
            })
        })
        .await
}

/// Sends an event of the kind `webhook.test` to it alone, whatever kinds it wants.
///
/// # Errors
/// `NotFound`; `Conflict` if it is disabled.
pub async fn test(app: &Arc<App>, org: OrgId, id: WebhookId) -> Result<WebhookMessageId> {
    let event = app.entropy.id(app.clock.now())?;
    app.db
        .write(move |tx| {
            Box::pin(async move {
                enabled(tx, &org, &id).await?;
                events::append_for(tx, &event, &org, events::Kind::WebhookTest, &id).await
            })
        })
        .await
}

/// Up to `most` (at most [`PAGE`]) messages to it, oldest first, behind `after`.
///
/// # Errors
/// `NotFound` for the webhook.
pub async fn messages(
    app: &App,
    org: OrgId,
    id: WebhookId,
    after: Option<WebhookMessageId>,
    most: i64,
) -> Result<Vec<Message>> {
    let (after, most) = (after.unwrap_or(WebhookMessageId::from_bytes([0; 16])), most.clamp(1, PAGE));
    app.db
        .read(move |tx| {
            Box::pin(async move {
                existing(tx, &org, &id).await?;
                self::messages::list(tx, &org, &id, &after, most).await
            })
        })
        .await
}

/// Sends a message that ended once more, with all its tries, under the same id.
///
/// # Errors
/// `NotFound` for the webhook or the message; `Conflict` if the webhook is disabled or the message still on its way.
pub async fn replay(app: &Arc<App>, org: OrgId, id: WebhookId, message: WebhookMessageId) -> Result<Message> {
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            Box::pin(async move {
                enabled(tx, &org, &id).await?;
                let replayed = self::messages::replay(tx, &org, &id, &message, now).await?;
                match self::messages::get(tx, &org, &id, &message).await? {
                    Some(found) if replayed => Ok(found),
                    Some(_) => Err(Error::Conflict("the message is still on its way")),
                    None => Err(Error::NotFound),
                }
            })
        })
        .await
}

/// What a message is signed with at `now`: a signature for each secret that is in force, the present one's first.
///
/// # Errors
/// `Gone` if the master key of the present secret is retired.
pub fn sign(app: &App, to: &Webhook, id: WebhookMessageId, now: Timestamp, body: &[u8]) -> Result<String> {
    let mut signatures = webhook::sign(&derive(app, to, &to.secret)?, &id.to_string(), now, body)?;
    // One whose master key is retired has ended before its time.
    if let Some((old, until)) = &to.old
        && now < *until
        && let Ok(secret) = derive(app, to, old)
    {
        signatures.push(' ');
        signatures.push_str(&webhook::sign(&secret, &id.to_string(), now, body)?);
    }
    Ok(signatures)
}

async fn existing(tx: &mut Tx<'_>, org: &OrgId, id: &WebhookId) -> Result<Webhook> {
    rows::get(tx, org, id).await?.ok_or(Error::NotFound)
}

async fn enabled(tx: &mut Tx<'_>, org: &OrgId, id: &WebhookId) -> Result<()> {
    match existing(tx, org, id).await?.disabled_at {
        Some(_) => Err(Error::Conflict("the webhook is disabled; enable it first")),
        None => Ok(()),
    }
}

fn fresh_seed(app: &App) -> Result<Seed> {
    Ok(Seed { bytes: app.entropy.bytes()?, kid: app.keys.ring().active().kid })
}

fn derive(app: &App, of: &Webhook, seed: &Seed) -> Result<Secret<String>> {
    let ring = app.keys.ring();
    let roots = ring.get(seed.kid).ok_or(Error::Gone)?;
    Ok(webhook::derive_secret(&roots.webhook, of.org, of.id, &seed.bytes))
}

/// The kinds as the row has them: each once, in the order of the alphabet, or `*` alone.
fn kinds(named: &[String]) -> Result<String> {
    let bad = |why| Error::Invalid { field: "events", why };
    let mut kinds: Vec<&str> = named.iter().map(String::as_str).collect();
    kinds.sort_unstable();
    kinds.dedup();
    match kinds[..] {
        [] => Err(bad("must name kinds of events, or *")),
        [ALL] => Ok(ALL.to_owned()),
        _ if kinds.iter().all(|kind| events::Kind::named(kind).is_some()) => Ok(kinds.join(" ")),
        _ => Err(bad("must be kinds such as user.signed_in, or * alone")),
    }
}

/// How many names that mean nothing are said to whoever sent them: the answer is not to outgrow the request.
const UNKNOWN_MOST: usize = 10;

/// What of these names is no kind of event, nor stands for all: each once, and the first ten.
pub fn unknown_kinds(named: &[String]) -> Vec<&str> {
    let mut unknown: Vec<&str> = Vec::new();
    for name in named.iter().map(String::as_str).filter(|name| *name != ALL && events::Kind::named(name).is_none()) {
        if unknown.len() == UNKNOWN_MOST {
            break;
        }
        if !unknown.contains(&name) {
            unknown.push(name);
        }
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::{events, kinds, unknown_kinds};

    #[test]
    fn names_that_mean_nothing_are_said_once_and_ten_of_them() {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(unknown_kinds(&named(&["a", "*", "b", "a", "user.removed", "a"])), ["a", "b"]);
        let many: Vec<String> = (0..16_000).map(|number| (number % 500).to_string()).collect();
        assert_eq!(unknown_kinds(&many).len(), 10);
    }

    #[test]
    fn kinds_are_those_that_there_are() {
        let read = |named: &[&str]| kinds(&named.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>()).ok();
        assert_eq!(read(&["*"]).as_deref(), Some("*"));
        assert_eq!(
            read(&["user.signed_in", "org.created", "org.created"]).as_deref(),
            Some("org.created user.signed_in")
        );
        for bad in [
            &[][..],
            &[""],
            &["user"],
            &["user.*"],
            &["user.signd_in"],
            &["User.created"],
            &["user.created org.created"],
            &["*", "org.created"],
            &["org.created", "org.creatd"],
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        assert_eq!(read(&["org.created"; 99]).as_deref(), Some("org.created"), "one kind, however often");
        let all: Vec<&str> = events::Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(read(&all).map(|row| row.split(' ').count()), Some(all.len()));
    }
}
