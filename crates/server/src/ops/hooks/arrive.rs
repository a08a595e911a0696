//! A text that a program pushes for a person: its hook is found, and it is matched as any other message and taken once. Refuses
//! this installation's own mail as a text, senders that are never relayed, and a message that was here within thirty days, whether
//! somebody waited for it then or not. What it is known by is taken in the unit that seals its code, or after nobody was found to give
//! it to: who pushes it again because the server died in between is not told that it was here.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::extract::{Format, Message, extract};
use doorcode_core::fingerprint::fingerprint;
use doorcode_core::hook::Of;
use doorcode_core::relay::Way;
use doorcode_core::relay::fit::{Came, Sender, Worth};
use doorcode_core::{Error, Result, Secret, Timestamp, vault};

use super::{Kind, digest, place, text};
use crate::app::App;
use crate::ops::audit::Whose;
use crate::ops::relays::{self, Incoming, Taken, senders};
use crate::store::hooks::{self as rows, Hook};
use crate::store::meters::{self, Meter};

/// Messages of one hook in a minute: a phone that forwards all that it has got.
const MINUTE_MOST: u32 = 120;
const MINUTE: Duration = Duration::from_secs(60);
/// The longest token that is looked for.
const TOKEN_MOST: usize = 64;
/// The longest text that is looked at, in bytes.
const TEXT_MOST: usize = 16 * 1024;

/// A hook that somebody calls, and what they must sign with.
pub struct By {
    /// It.
    pub hook: Hook,
    /// What is signed with.
    pub secret: Secret<String>,
    /// What Meta must say first.
    pub verify_token: Secret<String>,
}

/// A text as a program pushed it. Its signature was right.
pub struct Text<'a> {
    /// `1` SMS, `4` `WhatsApp`, as a request's sources have it.
    pub source: i64,
    /// Its sender: a number or a name.
    pub from: &'a str,
    /// What it says.
    pub text: &'a str,
    /// When it came to the person, as far as that is said.
    pub at: Option<Timestamp>,
    /// What it is known by. Each is taken once.
    pub ids: &'a [&'a str],
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrived {
    /// This installation sent it.
    Ours,
    /// Its sender is one whose codes are never relayed.
    Denied,
    /// It was matched, or not.
    Was(Taken),
}

/// The hook of that kind whose token this is.
///
/// # Errors
/// `NotFound`, also where what it was derived from is retired.
pub async fn secret_of(app: &App, kind: Kind, token: &str) -> Result<By> {
    if token.len() > TOKEN_MOST {
        return Err(Error::NotFound);
    }
    let digest = digest(kind, token);
    let found = app.db.read(move |tx| Box::pin(async move { rows::find(tx, &digest).await })).await?;
    let hook = found.filter(|hook| hook.kind == kind.as_str()).ok_or(Error::NotFound)?;
    let ring = app.keys.ring();
    let roots = ring.get(hook.kid).ok_or(Error::NotFound)?;
    let of = Of { org: hook.org, id: hook.id, seed: &hook.seed };
    let verify_token = of.verify_token(&roots.hook);
    let secret = match &hook.secret {
        None => of.secret(&roots.hook),
        Some(sealed) => {
            let opened = vault::open(&roots.vault, &place(&hook.org, &hook.owner, &hook.id), sealed);
            opened.ok_or_else(|| Error::internal("the secret of a hook can't be opened"))?
        }
    };
    Ok(By { hook, secret, verify_token })
}

/// Takes all texts of one push in, in their order. What was taken before is passed over and costs nothing of the hook's minute: so a push that
/// does not fit into it comes further each time that whoever pushes repeats it, and none of it is lost.
///
/// # Errors
/// `Limited` at the first new text that is over the limit; whatever else keeps one from being taken. Those before it are taken.
pub async fn arrive_all(app: &Arc<App>, hook: &Hook, texts: &[Text<'_>]) -> Result<()> {
    let ring = app.keys.ring();
    let each: Vec<_> = texts.iter().map(|text| relays::names(&ring, &hook.owner, &digests(hook, text))).collect();
    let look = app.db.read(move |tx| {
        Box::pin(async move {
            let mut new = Vec::new();
            for (place, names) in each.iter().enumerate() {
                if !relays::any_known(tx, names).await? {
                    new.push(place);
                }
            }
            Ok(new)
        })
    });
    let new = look.await?;
    if new.is_empty() && !texts.is_empty() {
        // To look for them was work as well.
        count(app, hook, app.clock.now()).await?;
    }
    for text in new.into_iter().filter_map(|place| texts.get(place)) {
        arrive(app, hook, text).await?;
    }
    Ok(())
}

/// What a text is known by.
fn digests(hook: &Hook, text: &Text<'_>) -> Vec<[u8; 16]> {
    text.ids.iter().map(|id| fingerprint("hook message", &[hook.id.as_bytes(), id.as_bytes()])).collect()
}

/// Takes a text in.
pub async fn arrive(app: &Arc<App>, hook: &Hook, text: &Text<'_>) -> Result<Arrived> {
    let now = app.clock.now();
    count(app, hook, now).await?;
    let digests = digests(hook, text);
    let arrived = become_of(app, hook, text, &digests, now).await?;
    if !matches!(arrived, Arrived::Was(Taken::Given(_) | Taken::Held(_))) {
        use_up(app, hook, &digests, now).await?;
    }
    Ok(arrived)
}

/// What becomes of it. Where somebody is given its code, what it is known by is taken in the same unit.
async fn become_of(
    app: &Arc<App>,
    hook: &Hook,
    text: &Text<'_>,
    digests: &[[u8; 16]],
    now: Timestamp,
) -> Result<Arrived> {
    let said = &text.text[..text.text.floor_char_boundary(TEXT_MOST)];
    if text::is_ours(app, text.from, said) {
        return Ok(Arrived::Ours);
    }
    let message = Message { subject: None, text: said, format: Format::Text };
    let mut domains = text::domains(text.from, said);
    domains.extend(extract(&message).and_then(|found| found.bound_to));
    if senders::text_denied(app, hook.owner, (text.from, said), &domains).await? {
        return Ok(Arrived::Denied);
    }
    let came = Came {
        source: text.source,
        sender: if text.from.trim().is_empty() { Sender::Unknown } else { Sender::Phone(text.from) },
        // Who sends an SMS may call themselves anything.
        worth: Worth::Unverified,
        text: said,
        at: text.at.unwrap_or(now).min(now),
    };
    let whose = Whose { org: hook.org, owner: hook.owner };
    let incoming = Incoming {
        whose,
        way: Way::Webhook,
        came,
        forms: &[message],
        sender: None,
        forwarder: None,
        spf: None,
        digests: digests.to_vec(),
    };
    relays::take(app, &incoming).await.map(Arrived::Was)
}

/// Counts it, before anything else is done with it.
async fn count(app: &App, hook: &Hook, now: Timestamp) -> Result<()> {
    let (org, id) = (hook.org, hook.id);
    let minute = Meter { id: fingerprint("hook minute", &[id.as_bytes()]), span: MINUTE, limit: MINUTE_MOST };
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            if meters::spend(tx, &[minute], now).await?.is_some() {
                let retry_after = meters::retry_after(tx, &minute, now).await?;
                return Err(Error::Limited { rule: "messages of a hook", retry_after });
            }
            rows::used(tx, &org, &id, now).await
        })
    });
    unit.await.map(drop)
}

/// Nobody was given it, and nobody will be.
async fn use_up(app: &App, hook: &Hook, digests: &[[u8; 16]], now: Timestamp) -> Result<()> {
    let names = relays::names(&app.keys.ring(), &hook.owner, digests);
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            for name in names {
                relays::all_new(tx, &[name], now).await?;
            }
            Ok(())
        })
    });
    unit.await
}
