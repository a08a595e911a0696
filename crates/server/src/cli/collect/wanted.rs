//! What the server says is waited for, as a collector reads it. Refuses a list that it can't read; a request in it that it can't read is left
//! out and the rest counts.

use doorcode_core::relay::fit::Wanted;
use doorcode_core::relay::{Candidate, MAIL, Named as _};
use doorcode_core::sender::DenyList;
use doorcode_core::{AgentId, RelayId, Timestamp};
use serde::Deserialize;

/// The answer to `GET /v1/otp/pending`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub(super) version: String,
    requests: Vec<serde_json::Value>,
    #[serde(default)]
    own_domains: Vec<String>,
    #[serde(default)]
    denied: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRequest {
    id: String,
    agent_id: String,
    agent_name: String,
    request_reason: String,
    public_key: String,
    expected_sender: Option<String>,
    sender_pattern: Option<String>,
    content_pattern: Option<String>,
    filter: RawFilter,
    created_at: String,
    expires_at: String,
    decided_at: Option<String>,
    #[serde(default)]
    chosen: bool,
    key_signature: Option<Signature>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawFilter {
    received_after: Option<String>,
}

/// What an agent's identity says of a request.
#[derive(Deserialize, Clone)]
#[serde(rename_all = "camelCase")]
pub(super) struct Signature {
    pub(super) identity_key: String,
    pub(super) signature: String,
    pub(super) signed_at: serde_json::Value,
    /// Its words as it signed them; without it, as they are shown.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// An approved request, so the server says.
pub(super) struct Request {
    pub(super) id: RelayId,
    pub(super) agent: AgentId,
    pub(super) agent_name: String,
    pub(super) reason: String,
    pub(super) public_key: String,
    pub(super) sender: Option<String>,
    pub(super) pattern: Option<String>,
    pub(super) content: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) wanted: Wanted,
    pub(super) candidate: Candidate,
    pub(super) signature: Option<Signature>,
}

/// The list.
#[derive(Default)]
pub(super) struct List {
    pub(super) requests: Vec<Request>,
    pub(super) own_domains: Vec<String>,
    pub(super) denied: Vec<DenyList>,
}

impl Answer {
    /// Reads it.
    pub(super) fn read(self) -> List {
        let read = |value| serde_json::from_value::<RawRequest>(value).ok().and_then(RawRequest::read);
        List {
            requests: self.requests.into_iter().filter_map(read).collect(),
            own_domains: self.own_domains,
            // An entry that is no domain denies nothing; the others do.
            denied: self.denied.iter().filter_map(|text| DenyList::of([text.as_str()]).ok()).collect(),
        }
    }
}

impl RawRequest {
    fn read(self) -> Option<Request> {
        let (id, agent) = (RelayId::read(&self.id)?, AgentId::read(&self.agent_id)?);
        let time = |text: &str| text.parse::<Timestamp>().ok();
        let (created_at, expires_at) = (time(&self.created_at)?, time(&self.expires_at)?);
        // Never from before it was made, whatever the server says.
        let after = self.filter.received_after.as_deref().and_then(time).map_or(created_at, |at| at.max(created_at));
        let (pattern, content) = (self.sender_pattern.as_deref(), self.content_pattern.as_deref());
        // That unverified mail is taken is the person's to say, and here only the server says so.
        let wanted = Wanted::read(MAIL, pattern, self.expected_sender.as_deref(), content, (after, false)).ok()?;
        let candidate = Candidate {
            relay: id,
            agent,
            specificity: wanted.specificity(),
            approved_at: self.decided_at.as_deref().and_then(time).unwrap_or(created_at),
            chosen: self.chosen,
        };
        Some(Request {
            id,
            agent,
            agent_name: self.agent_name,
            reason: self.request_reason,
            public_key: self.public_key,
            sender: self.expected_sender,
            pattern: self.sender_pattern,
            content: self.content_pattern,
            created_at,
            expires_at,
            wanted,
            candidate,
            signature: self.key_signature,
        })
    }
}
