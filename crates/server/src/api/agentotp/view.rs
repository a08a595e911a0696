//! A request as its callers read it: the documentation's flat camelCase, and beside it what the SDK and the phone read otherwise.

use doorcode_core::Timestamp;
use doorcode_core::relay::{Named as _, State, Way};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::ops::relays::{SOURCES, Shown, turned_away};
use crate::store::relays::Relay;

/// The names of a request's sources.
pub(super) fn sources(relay: &Relay) -> Vec<&'static str> {
    SOURCES.iter().filter(|(bit, _)| relay.sources & bit != 0).map(|(_, name)| *name).collect()
}

/// Where its owner says yes or no.
pub(super) fn approval_url(app: &App, relay: &Relay) -> String {
    format!("{}/approvals?request={}", app.base_url(), relay.id.shown())
}

/// Where sockets are.
pub(super) fn sockets_url(app: &App) -> String {
    let base = app.base_url();
    let rest = base.strip_prefix("http").unwrap_or(&base);
    format!("ws{rest}/ws")
}

/// Where its changes are told.
pub(super) fn socket_url(app: &App, relay: &Relay) -> String {
    format!("{}/{}", sockets_url(app), relay.id.shown())
}

/// What is told of a code that is there: where it came from, and the domain that its sender was verified for. Nothing of the message.
pub(super) fn metadata(relay: &Relay) -> Value {
    let mut all = json!({
        "sender": relay.sender_domain,
        "source": relay.source,
        "receivedAt": relay.received_at.map(|at| at.to_string()),
        "received_at": relay.received_at.map(|at| at.to_string()),
        "test": relay.test,
    });
    for (name, value) in way(relay) {
        all[name] = value;
    }
    all
}

/// By which way a code came, whether this server could read its message, and what its sender is worth.
pub(super) fn way(relay: &Relay) -> [(&'static str, Value); 4] {
    [
        ("capture", relay.capture.map(Way::as_str).into()),
        ("verdict", relay.verdict.as_deref().into()),
        ("readableByServer", relay.readable.into()),
        ("readable_by_server", relay.readable.into()),
    ]
}

/// A request as its agent sees it: of a code that its owner has not let go nothing.
pub(super) fn view(app: &App, shown: &Shown, now: Timestamp) -> Map<String, Value> {
    let mut body = told(app, shown, now);
    if is_given(&shown.relay, shown.relay.standing.at(now)) {
        tell_received(&mut body, &shown.relay);
    }
    body
}

/// Whether the code that came was ever the agent's to read. One that its owner said no to was held until then.
fn is_given(relay: &Relay, state: State) -> bool {
    relay.received_at.is_some() && relay.held.is_none() && state != State::Denied
}

fn tell_received(body: &mut Map<String, Value>, relay: &Relay) {
    let at: Value = relay.received_at.map(|at| at.to_string()).into();
    body.insert("metadata".to_owned(), metadata(relay));
    body.insert("source".to_owned(), relay.source.as_deref().into());
    body.insert("sender".to_owned(), relay.sender_domain.as_deref().into());
    body.insert("receivedAt".to_owned(), at.clone());
    body.insert("received_at".to_owned(), at);
    body.extend(way(relay).map(|(name, value)| (name.to_owned(), value)));
}

/// What everybody who may see a request is told of it.
fn told(app: &App, shown: &Shown, now: Timestamp) -> Map<String, Value> {
    let relay = &shown.relay;
    let state = relay.standing.at(now);
    let at = |moment: Option<Timestamp>| moment.map(|at| at.to_string());
    let mut body = Map::new();
    let mut put = |names: &[&str], value: Value| {
        for name in names {
            body.insert((*name).to_owned(), value.clone());
        }
    };
    put(&["id", "requestId"], relay.id.shown().into());
    put(&["status"], state.as_str().into());
    put(&["agentId", "agent_id"], relay.agent.shown().into());
    put(&["agentName", "agent_name"], shown.agent_name.as_str().into());
    put(&["createdAt", "created_at"], relay.id.made_at().to_string().into());
    put(&["expiresAt", "expires_at"], relay.standing.expires_at.to_string().into());
    put(&["approveUntil"], relay.standing.approve_until.to_string().into());
    // The word is used for two things: the SDK reports it as the reason of a refusal.
    let denied = relay.denial.as_deref().filter(|_| state == State::Denied);
    put(&["reason"], denied.unwrap_or(&relay.reason).into());
    put(&["requestReason"], relay.reason.as_str().into());
    put(&["expectedSender", "expected_sender"], relay.sender.as_deref().into());
    put(&["filter"], filter(relay));
    put(&["sources"], sources(relay).into());
    put(&["decidedBy"], decided_by(relay, state).into());
    put(&["decidedAt"], at(relay.decided_at).into());
    put(&["test"], relay.test.into());
    if state == State::PendingApproval {
        put(&["approvalUrl", "approval_url"], approval_url(app, relay).into());
        put(&["webhookUrl", "webhook_url"], socket_url(app, relay).into());
    }
    match state {
        State::Consumed => put(&["consumedAt", "consumed_at"], at(relay.ended_at).into()),
        State::Cancelled => put(&["cancelledAt", "cancelled_at"], at(relay.ended_at).into()),
        State::Expired => put(&["expiredAt", "expired_at"], at(relay.ended_at.or(relay.standing.ends_at())).into()),
        _ => {}
    }
    body
}

/// The same for its owner and their devices. Through whom the message came tells who keeps their mail, and what was turned away is no
/// message of the agent's: both are not its to know.
pub(super) fn owners_view(app: &App, shown: &Shown, now: Timestamp) -> Map<String, Value> {
    let (mut body, relay) = (told(app, shown, now), &shown.relay);
    if relay.received_at.is_some() {
        tell_received(&mut body, relay);
    }
    body.insert("turnedAway".to_owned(), turned_away(relay).into());
    // What a code that waits for another yes is about: whoever says it must be able to know.
    body.insert("held".to_owned(), relay.held.as_deref().into());
    if relay.received_at.is_some() {
        let mut all = metadata(relay);
        all["forwarder"] = relay.forwarder.as_deref().into();
        all["spf"] = relay.spf.as_deref().into();
        body.insert("metadata".to_owned(), all);
    }
    body
}

fn decided_by(relay: &Relay, state: State) -> Option<&str> {
    match (&relay.decided_by, state) {
        (Some(by), _) => Some(by),
        (None, State::Expired) => Some("timeout"),
        _ => None,
    }
}

fn filter(relay: &Relay) -> Value {
    json!({
        "sources": sources(relay),
        "senderPattern": relay.sender_pattern,
        "contentPattern": relay.content_pattern,
        "receivedAfter": relay.received_after.map(|at| at.to_string()),
    })
}

/// A request as whoever hands messages in reads it: in both of their forms.
pub(super) fn for_device(app: &App, shown: &Shown, now: Timestamp) -> Value {
    let mut body = view(app, shown, now);
    let relay = &shown.relay;
    body.insert("publicKey".to_owned(), relay.public_key.as_str().into());
    body.insert("senderPattern".to_owned(), relay.sender_pattern.as_deref().into());
    body.insert("contentPattern".to_owned(), relay.content_pattern.as_deref().into());
    body.insert("chosen".to_owned(), relay.chosen.into());
    body.insert("unverified".to_owned(), relay.unverified.into());
    body.insert("keySignature".to_owned(), signature(relay));
    body.into()
}

/// What an agent's identity said of the key, as it was sent.
fn signature(relay: &Relay) -> Value {
    relay.key_signature.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
