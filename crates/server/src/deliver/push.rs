//! Telling a person's browsers that an agent asks (Web Push, RFC 8030), after its request is committed. Each is told once: a message that
//! is lost is no loss, since the page says the same. Refuses the agent's reason and the sender a place in it, to wait long for a service that
//! does not answer, and to let one person's browsers keep those of others waiting.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use doorcode_core::push::Recipient;
use doorcode_core::relay::{Named as _, State};
use doorcode_core::{RelayId, Result, Secret, Timestamp, UserId};
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::task::{Id, JoinSet};
use tokio::time::timeout;

use super::texts::notice;
use crate::app::App;
use crate::ops::push;
use crate::ops::relays::{self, Shown};
use crate::store::push_subscriptions::Subscription;

/// How long all of a person's services may take to answer: they are asked at the same time.
const TRY: Duration = Duration::from_secs(10);
/// Requests whose owners are told at the same time.
const AT_ONCE: usize = 16;
/// Of these, one person's. Whoever has services that never answer would keep everybody waiting else.
const OF_ONE: usize = 2;
/// How long a proof of who sends is good for: it goes to one service with one message (RFC 8292 section 2 lets it a day).
const PROOF: Duration = Duration::from_secs(3600);
/// The longest name of an agent in a message.
const NAME_MOST: usize = 100;

/// Tells of every request as it comes, until nobody makes any.
pub async fn tell_all(app: Arc<App>, mut asked: Receiver<(UserId, RelayId)>) {
    let (mut telling, mut whose) = (JoinSet::new(), HashMap::<Id, UserId>::new());
    loop {
        let next = tokio::select! {
            Some(ended) = telling.join_next_with_id() => {
                whose.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
                continue;
            }
            next = asked.recv(), if whose.len() < AT_ONCE => next,
        };
        match next {
            // Not kept for later: they are being told that somebody asks, and what waits would come before others' requests.
            Ok((owner, _)) if whose.values().filter(|of| **of == owner).count() >= OF_ONE => {}
            Ok((owner, id)) => {
                let app = Arc::clone(&app);
                let task = telling.spawn(async move {
                    if let Err(error) = tell(&app, id).await {
                        tracing::warn!(error = %crate::chain(&error), "a person's browsers were not told");
                    }
                });
                whose.insert(task.id(), owner);
            }
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "more was asked than browsers can be told"),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Tells its owner's browsers of one request, all at once, if it still waits for them. Gives how many took it.
pub async fn tell(app: &App, id: RelayId) -> Result<usize> {
    let now = app.clock.now();
    let shown = relays::show(app, relays::Viewer::Server, id).await?;
    if shown.relay.standing.at(now) != State::PendingApproval {
        return Ok(0);
    }
    let browsers = push::list(app, shown.relay.owner).await?;
    let told = join_all(browsers.iter().map(|browser| tell_in_time(app, browser, &shown, now))).await;
    Ok(told.into_iter().filter(|told| *told).count())
}

/// Whether a browser took it in time. What goes wrong with one keeps no other from hearing of it.
async fn tell_in_time(app: &App, browser: &Subscription, shown: &Shown, now: Timestamp) -> bool {
    match timeout(TRY, tell_one(app, browser, shown, now)).await {
        Ok(Ok(told)) => told,
        Ok(Err(error)) => {
            tracing::warn!(error = %crate::chain(&error), browser = %browser.id, "a browser was not told");
            false
        }
        Err(_) => {
            tracing::warn!(browser = %browser.id, "a push service took too long");
            false
        }
    }
}

async fn tell_one(app: &App, browser: &Subscription, shown: &Shown, now: Timestamp) -> Result<bool> {
    let ring = app.keys.ring();
    let Some(roots) = ring.get(browser.kid) else {
        // Its service knows a key of ours that is gone: it has to be subscribed anew.
        push::forget(app, browser.owner, browser.id).await?;
        return Ok(false);
    };
    let target = app.egress.check_url(&browser.endpoint)?;
    let until = shown.relay.standing.ends_at().unwrap_or(now);
    let (seed, salt) = (Secret::new(app.entropy.bytes()?), app.entropy.bytes()?);
    let body = Recipient::parse(&browser.p256dh, &browser.auth)?.seal(&said(browser, shown), &seed, salt)?;
    let authorization =
        roots.push.authorization(&target.origin(), &app.base_url(), now.plus(PROOF), &app.entropy.signing())?;
    let headers = [
        ("authorization", authorization),
        ("content-encoding", "aes128gcm".to_owned()),
        ("content-type", "application/octet-stream".to_owned()),
        ("ttl", until.since(now).as_secs().max(1).to_string()),
        ("urgency", "high".to_owned()),
    ];
    match app.egress.post(&target, &headers, body, TRY).await {
        Ok(answer) if matches!(answer.status, 404 | 410) => {
            push::forget(app, browser.owner, browser.id).await?;
            Ok(false)
        }
        Ok(answer) if (200..300).contains(&answer.status) => Ok(true),
        Ok(answer) => {
            tracing::warn!(status = answer.status, browser = %browser.id, "a push service did not take a message");
            Ok(false)
        }
        Err(failure) => {
            tracing::warn!(failure = failure.why, browser = %browser.id, "a push service was not reached");
            Ok(false)
        }
    }
}

/// What the browser's worker reads.
fn said(browser: &Subscription, shown: &Shown) -> Vec<u8> {
    let name: String = shown.agent_name.chars().take(NAME_MOST).collect();
    let (title, body) = notice(&browser.language, &name);
    let id = shown.relay.id.shown();
    let url = format!("/approvals?request={id}");
    json!({ "title": title, "body": body, "tag": id, "url": url, "lang": browser.language }).to_string().into_bytes()
}
