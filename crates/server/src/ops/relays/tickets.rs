//! Tickets: what an agent's server hands a browser, so that it can watch without a key. Refuses one that was used, that is for another
//! request, and whose maker's key has ended.

use std::time::Duration;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::ticket::{Ticket, Watcher};
use doorcode_core::{Error, RelayId, Result, Secret, Timestamp};

use crate::app::App;
use crate::ops::holds;
use crate::store::relay_messages;

/// How long a ticket is good: from an answer to the socket that its page opens.
pub const LIFE: Duration = Duration::from_secs(60);

/// Makes one, for one request or for all that the watcher may see. Gives its end with it.
pub fn issue(app: &App, watcher: Watcher, relay: Option<RelayId>) -> Result<(Secret<String>, Timestamp)> {
    let until = app.clock.now().plus(LIFE);
    let ticket = Ticket { watcher, relay, until, nonce: app.entropy.bytes()? };
    Ok((ticket.encode(&app.keys.ring().active().ticket), until))
}

/// Uses one up, for what it was made for. Gives who watches.
pub async fn redeem(app: &App, text: &str, relay: Option<RelayId>) -> Result<Watcher> {
    let (now, ring) = (app.clock.now(), app.keys.ring());
    let ticket = Ticket::read(text, ring.iter().map(|roots| &roots.ticket));
    let ticket = ticket.filter(|ticket| ticket.until > now && ticket.relay == relay).ok_or(Error::Unauthenticated)?;
    let (watcher, until) = (ticket.watcher, ticket.until);
    let digest = fingerprint("ticket", &[text.as_bytes()]);
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let good = holds::lives(tx, &watcher.hold, now).await? && relay_messages::take(tx, &digest, until).await?;
            good.then_some(watcher).ok_or(Error::Unauthenticated)
        })
    });
    unit.await
}
