//! A text that a program pushes for a person: its hook is found, the message is taken once, and then it is matched as any other. Refuses
//! this installation's own mail as a text, senders that are never relayed, and a message that was here within thirty days, whether
//! somebody waited for it then or not.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::extract::{Format, Message, extract};
use doorcode_core::fingerprint::fingerprint;
use doorcode_core::hook::Of;
use doorcode_core::relay::fit::{Came, Sender, Worth};
use doorcode_core::{Error, Result, Secret, Timestamp, vault};

use super::{Kind, digest, place, text};
use crate::app::App;
use crate::ops::audit::Whose;
use crate::ops::relays::{self, Incoming, KNOWN, Taken, senders};
use crate::store::hooks::{self as rows, Hook};
use crate::store::meters::{self, Meter};
use crate::store::relay_messages;

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
    /// It was here before.
    Before,
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

/// Takes a text in.
pub async fn arrive(app: &Arc<App>, hook: &Hook, text: &Text<'_>) -> Result<Arrived> {
    let now = app.clock.now();
    if !first(app, hook, text.ids, now).await? {
        return Ok(Arrived::Before);
    }
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
    let incoming = Incoming { whose, way: "webhook", came, forms: &[message], sender: None, digests: Vec::new() };
    relays::take(app, &incoming).await.map(Arrived::Was)
}

/// Takes each id of a message, before anything else is done with it. False: one was here before.
async fn first(app: &App, hook: &Hook, ids: &[&str], now: Timestamp) -> Result<bool> {
    let digests: Vec<[u8; 16]> =
        ids.iter().map(|id| fingerprint("hook message", &[hook.id.as_bytes(), id.as_bytes()])).collect();
    let (org, id) = (hook.org, hook.id);
    let minute = Meter { id: fingerprint("hook minute", &[id.as_bytes()]), span: MINUTE, limit: MINUTE_MOST };
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            if meters::spend(tx, &[minute], now).await?.is_some() {
                let retry_after = meters::retry_after(tx, &minute, now).await?;
                return Err(Error::Limited { rule: "messages of a hook", retry_after });
            }
            let mut new = true;
            for digest in &digests {
                new &= relay_messages::take(tx, digest, now.plus(KNOWN)).await?;
            }
            rows::used(tx, &org, &id, now).await?;
            Ok(new)
        })
    });
    unit.await
}
