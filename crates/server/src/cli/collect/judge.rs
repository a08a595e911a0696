//! Whether a request that the server calls approved is one. It is, if an agent on the person's own list has signed it, or has a key that the
//! person pinned, and asks for what that agent may have. Refuses the server's word: a key that it put in the place of an agent's, an approval
//! that nobody asked for, and a request that was signed once and is shown as another one.

use std::time::Duration;

use doorcode_core::Timestamp;
use doorcode_core::relay::Named as _;
use doorcode_core::seal::{IdentityKey, PublicKey, Statement};

use super::agents::{Agent, Agents, Known, Pins};
use super::memory::{Memory, Taken};
use super::wanted::{Request, Signature};

/// How far the clocks of an agent and of this machine may be apart.
const SKEW: Duration = Duration::from_secs(120);

/// What a request was found to be.
pub(super) enum Found<'a> {
    /// One to seal to, of this agent on the list; of one with a pinned key only, if it is not on it.
    Good(PublicKey, Option<&'a Agent>),
    /// An agent without an identity, and a key that was not seen before.
    New(PublicKey),
    /// None, for this reason.
    Refused(&'static str),
}

/// Judges a request.
pub(super) fn judge<'a>(
    request: &Request,
    agents: &'a Agents,
    pins: &Pins,
    memory: &Memory,
    now: Timestamp,
) -> Found<'a> {
    let Ok(key) = PublicKey::parse(&request.public_key) else { return Found::Refused("its key is none") };
    if let Some(signature) = &request.signature {
        return signed(request, signature, key, agents, memory, now);
    }
    let Ok(print) = key.fingerprint() else { return Found::Refused("its key is none") };
    let agent = agents.of_id(&request.agent.shown());
    match pins.knows(&request.agent.shown(), &print) {
        Err(_) => Found::Refused("the file of pinned keys can't be read"),
        Ok(Known::Another) => Found::Refused("its key is another one than the one that was pinned"),
        Ok(_) if agent.is_some_and(|agent| !may_ask(agent, request)) => Found::Refused(SENDER),
        Ok(Known::This) => Found::Good(key, agent),
        Ok(Known::None) => Found::New(key),
    }
}

const SENDER: &str = "your list does not let this agent have messages of that sender";

fn signed<'a>(
    request: &Request,
    signature: &Signature,
    key: PublicKey,
    agents: &'a Agents,
    memory: &Memory,
    now: Timestamp,
) -> Found<'a> {
    let Ok(identity) = IdentityKey::parse(&signature.identity_key) else {
        return Found::Refused("its identity is none");
    };
    let Some(agent) = agents.of_identity(&identity.fingerprint()) else {
        return Found::Refused("its identity is not on your list of agents");
    };
    let Some(signed_at) = moment(&signature.signed_at) else { return Found::Refused("it does not say when it signed") };
    let life = request.expires_at.since(request.created_at).as_millis() + 500;
    let ttl = u32::try_from(life / 1000).unwrap_or(u32::MAX);
    let id = request.agent.shown();
    let statement = Statement {
        agent: &id,
        expected_sender: request.sender.as_deref().unwrap_or_default(),
        sender_pattern: request.pattern.as_deref().unwrap_or_default(),
        content_pattern: request.content.as_deref().unwrap_or_default(),
        reason: signature.reason.as_deref().unwrap_or(&request.reason),
        signed_at,
        ttl,
    };
    if identity.verify(&statement, &key, &signature.signature).is_err() {
        return Found::Refused("your agent did not sign this request with this key");
    }
    let over = signed_at.plus(Duration::from_secs(u64::from(ttl)) + SKEW);
    if over <= now || signed_at > now.plus(SKEW) {
        return Found::Refused("its signature is of another time");
    }
    if !may_ask(agent, request) {
        return Found::Refused(SENDER);
    }
    match memory.takes(&signature.signature, request.id, over, now) {
        Taken::Yes => Found::Good(key, Some(agent)),
        Taken::Elsewhere => Found::Refused("its signature belongs to another request"),
        Taken::Unkept => Found::Refused("its signature can't be written down, and is good for one request only"),
    }
}

/// A name is judged by the message: only its sender's address says whose it is.
fn may_ask(agent: &Agent, request: &Request) -> bool {
    request.pattern.is_none() || agent.may_have(request.pattern.as_deref())
}

/// Text as in mails of machines, or milliseconds.
fn moment(value: &serde_json::Value) -> Option<Timestamp> {
    match value {
        serde_json::Value::String(text) => text.parse().ok(),
        other => other.as_i64().map(Timestamp::from_millis),
    }
}
