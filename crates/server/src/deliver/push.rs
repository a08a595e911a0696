//! Telling a person's browsers that an agent asks (Web Push, RFC 8030), after its request is committed. Each is told once: a message that
//! is lost is no loss, since the page says the same. Refuses the agent's reason and the sender a place in it, and to wait long for a
//! service that does not answer.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::push::Recipient;
use doorcode_core::relay::{Named as _, State};
use doorcode_core::{RelayId, Result, Secret, Timestamp};
use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::task::JoinSet;

use super::texts::notice;
use crate::app::App;
use crate::ops::push;
use crate::ops::relays::{self, Shown};
use crate::store::push_subscriptions::Subscription;

/// How long a service may take to answer.
const TRY: Duration = Duration::from_secs(10);
/// Requests whose owners are told at the same time.
const AT_ONCE: usize = 16;
/// How long a proof of who sends is good for: it goes to one service with one message (RFC 8292 section 2 lets it a day).
const PROOF: Duration = Duration::from_secs(3600);
/// The longest name of an agent in a message.
const NAME_MOST: usize = 100;

/// Tells of every request as it comes, until nobody makes any.
pub async fn tell_all(app: Arc<App>, mut asked: Receiver<RelayId>) {
    let mut telling = JoinSet::new();
    loop {
        while telling.len() >= AT_ONCE {
            drop(telling.join_next().await);
        }
        match asked.recv().await {
            Ok(id) => {
                let app = Arc::clone(&app);
                telling.spawn(async move {
                    if let Err(error) = tell(&app, id).await {
                        tracing::warn!(error = %crate::chain(&error), "a person's browsers were not told");
                    }
                });
            }
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "more was asked than browsers can be told"),
            Err(RecvError::Closed) => return,
        }
        while telling.try_join_next().is_some() {}
    }
}

/// Tells its owner's browsers of one request, if it still waits for them. Gives how many took it.
pub async fn tell(app: &App, id: RelayId) -> Result<usize> {
    let now = app.clock.now();
    let shown = relays::show(app, relays::Viewer::Server, id).await?;
    if shown.relay.standing.at(now) != State::PendingApproval {
        return Ok(0);
    }
    let mut told = 0;
    for browser in push::list(app, shown.relay.owner).await? {
        told += usize::from(tell_one(app, &browser, &shown, now).await?);
    }
    Ok(told)
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
