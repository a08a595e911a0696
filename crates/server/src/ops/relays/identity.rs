//! What an agent's identity says of the key of a request. Refuses a statement that is not about this request, one that is over, and one
//! that was shown before: whoever has only the agent's API key has no other.

use std::time::Duration;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::relay::Named as _;
use doorcode_core::seal::{IdentityKey, PublicKey, Statement};
use doorcode_core::{AgentId, Error, Result, Timestamp};
use serde_json::json;

use super::request::Ask;
use crate::ops::backups::may_be_of_before;
use crate::store::{Tx, relay_messages};

/// How far an agent's clock may be ahead of ours.
const AHEAD: Duration = Duration::from_secs(120);

/// It serves once.
const USED: Error = Error::Invalid { field: "identity.signature", why: "was used before" };

/// What an agent sends beside its key.
#[derive(Clone)]
pub struct Identity {
    /// `ed25519:…`
    pub key: String,
    /// Over the request.
    pub signature: String,
    /// When it signed, as it writes it.
    pub signed_at: Timestamp,
}

/// A statement that is the identity's.
#[derive(Clone)]
pub(super) struct Proved {
    /// The identity, as it is written.
    pub(super) key: String,
    /// All that a collector needs to look at it again, as JSON.
    pub(super) kept: String,
    once: [u8; 16],
    signed_at: Timestamp,
    until: Timestamp,
}

impl Proved {
    /// Looks at what was sent with a request, if anything was.
    pub(super) fn of(ask: &Ask, agent: &AgentId, key: &PublicKey, now: Timestamp) -> Result<Option<Self>> {
        let Some(sent) = &ask.identity else { return Ok(None) };
        let identity = IdentityKey::parse(&sent.key)?;
        let shown = agent.shown();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (sender, pattern, content) = (text(&ask.sender), text(&ask.sender_pattern), text(&ask.content_pattern));
        let statement = Statement {
            agent: &shown,
            expected_sender: &sender,
            sender_pattern: &pattern,
            content_pattern: &content,
            reason: &ask.reason,
            signed_at: sent.signed_at,
            ttl: u32::try_from(ask.life.as_secs()).unwrap_or(u32::MAX),
        };
        identity.verify(&statement, key, &sent.signature)?;
        let until = sent.signed_at.plus(ask.life);
        if until <= now || sent.signed_at > now.plus(AHEAD) {
            return Err(Error::Invalid { field: "identity.signedAt", why: "is not of now" });
        }
        let kept = json!({
            "identityKey": identity.encode(), "signature": sent.signature, "signedAt": sent.signed_at.to_string(),
            "agent": shown, "reason": ask.reason, "ttl": ask.life.as_secs(), "expectedSender": sender,
            "senderPattern": pattern, "contentPattern": content,
        });
        let once = fingerprint("identity statement", &[agent.as_bytes(), sent.signature.as_bytes()]);
        Ok(Some(Self { key: identity.encode(), kept: kept.to_string(), once, signed_at: sent.signed_at, until }))
    }

    /// Whether the request is the pinned identity's. Where one is pinned nothing else will do.
    pub(super) fn judge(pinned: Option<&str>, proved: Option<&Self>) -> Result<bool> {
        if pinned.is_some() && proved.is_none() {
            return Err(Error::Invalid { field: "identity", why: "is required: this agent's identity is pinned" });
        }
        let Some(proved) = proved else { return Ok(false) };
        if pinned.is_some_and(|pinned| pinned != proved.key) {
            return Err(Error::Invalid { field: "identity.identityKey", why: "is not this agent's" });
        }
        Ok(pinned.is_some())
    }

    /// Whether the statement may serve now, before anything is given for it. What is refused is an outcome, so that it stays counted.
    pub(super) async fn is_fresh(&self, tx: &mut Tx<'_>) -> Result<Result<()>> {
        if may_be_of_before(tx, self.signed_at, AHEAD).await? {
            let why = "must be more than two minutes later than when this server was recovered from a copy";
            return Ok(Err(Error::Invalid { field: "identity.signedAt", why }));
        }
        Ok(if relay_messages::is_known(tx, &self.once).await? { Err(USED) } else { Ok(()) })
    }

    /// Uses the statement up: each serves once, for a request that is made.
    pub(super) async fn take(&self, tx: &mut Tx<'_>) -> Result<()> {
        if relay_messages::take(tx, &self.once, self.until).await? { Ok(()) } else { Err(USED) }
    }
}
