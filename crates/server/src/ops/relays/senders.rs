//! Whose messages are waited for, and whose are never relayed. Refuses a person's excuse for a sender that is nobody's to excuse: this
//! installation's own and the mailbox's provider's are refused before anything here is asked.

use doorcode_core::relay::fit::Wanted;
use doorcode_core::relay_deny::Senders;
use doorcode_core::{Result, Timestamp, UserId};

use crate::app::App;
use crate::store::relays as rows;

/// The requests that wait for a message of this person from that source, as messages are matched with them.
pub async fn waiting(app: &App, owner: UserId, source: i64, now: Timestamp) -> Result<Vec<Wanted>> {
    let look = app.db.read(move |tx| Box::pin(async move { rows::live(tx, &owner, now, super::LIVE_MOST).await }));
    let live = look.await?;
    live.iter().filter(|relay| relay.waits(now) && relay.sources & source != 0).map(super::wanted).collect()
}

/// When the oldest request was made that waits for a message of this person from that source; none: nothing is waited for.
pub async fn oldest(app: &App, owner: UserId, source: i64, now: Timestamp) -> Result<Option<Timestamp>> {
    Ok(waiting(app, owner, source, now).await?.iter().map(|wanted| wanted.after).min())
}

/// Whether one of these domains is on the list of those that are never relayed to this person's agents.
pub async fn any_denied(app: &App, owner: UserId, domains: &[String]) -> Result<bool> {
    let settings = super::settings(app, owner).await?;
    // Read once: a mail may name very many domains.
    let senders = Senders::parse(settings.senders.as_deref()).unwrap_or_default();
    Ok(domains.iter().any(|domain| senders.deny(domain)))
}

/// Whether an SMS is from one of those: by the domains that were found in it, or by what it and its sender are called.
pub async fn text_denied(app: &App, owner: UserId, (from, text): (&str, &str), domains: &[String]) -> Result<bool> {
    let kept = super::settings(app, owner).await?.senders;
    let senders = Senders::parse(kept.as_deref()).unwrap_or_default();
    Ok(senders.deny_text(from, text) || domains.iter().any(|domain| senders.deny(domain)))
}

/// The domains on that list, for whoever looks at the messages elsewhere.
pub async fn denied(app: &App, owner: UserId) -> Result<Vec<String>> {
    let settings = super::settings(app, owner).await?;
    Ok(Senders::parse(settings.senders.as_deref()).unwrap_or_default().all())
}
