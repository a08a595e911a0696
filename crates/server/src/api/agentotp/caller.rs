//! Who calls: an agent, a device or a person. By `Authorization: Bearer` or `X-API-Key`, as the contract has it. A handler takes the kind
//! of caller that it is for, so that no agent can be taken for its owner. Refuses two keys at once.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use doorcode_core::session::Kind as SessionKind;
use doorcode_core::ticket::{Eye, Hold, Watcher};
use doorcode_core::{Error, UserId};

use super::error::{self, Refused};
use crate::api::bearer::bearer;
use crate::app::App;
use crate::ops::audit::Whose;
use crate::ops::relays::{Approver, Asking, By, in_person, only_member, signed_in};
use crate::ops::sessions::{self, Live};
use crate::ops::{agents, credentials, devices, keys};
use crate::store::credentials::{Credential, Kind};
use crate::store::devices::Device;

/// Whoever it is.
pub(super) enum Caller {
    /// `ak_live_…` or `ak_test_…`.
    Agent(Box<Asking>),
    /// `dk_…`.
    Device(Box<Device>),
    /// The access token of a session.
    Session(Arc<Live>),
    /// A key of an org.
    Key(Arc<Credential>),
}

/// What was shown, of the two headers that the contract names.
pub(super) fn shown(headers: &HeaderMap) -> Option<&str> {
    let mut own = headers.get_all("x-api-key").iter();
    match (own.next(), own.next()) {
        (None, _) => bearer(headers),
        (Some(key), None) if !headers.contains_key("authorization") => key.to_str().ok().map(str::trim),
        // The same twice is one; two are none.
        (Some(key), None) => bearer(headers).filter(|bearer| key.to_str().is_ok_and(|key| key.trim() == *bearer)),
        _ => None,
    }
}

impl Caller {
    /// Whoever shows this.
    pub(super) async fn of(app: &Arc<App>, text: &str) -> Result<Self, Refused> {
        Self::held(app, text).await.map(|(caller, _)| caller)
    }

    /// Whoever shows this, and what it is that they show.
    pub(super) async fn held(app: &Arc<App>, text: &str) -> Result<(Self, Hold), Refused> {
        let kind = match text {
            _ if text.starts_with("ak_live_") => Kind::AgentKey,
            _ if text.starts_with("ak_test_") => Kind::TestAgentKey,
            _ if text.starts_with("dk_") => Kind::DeviceKey,
            _ if text.starts_with("dck_") => Kind::AccessKey,
            _ if text.starts_with("outx_") => Kind::ApiKey,
            _ => {
                let live = sessions::read(app, SessionKind::Access, text).await?;
                let live = live.ok_or_else(|| Refused::from(error::unauthenticated()))?;
                // Whoever signs in to somebody's app has not given it their codes.
                if live.session.client.is_some_and(|client| client != live.session.org) {
                    return Err(Refused::from(error::forbidden("The session of another org's app may not do that")));
                }
                let hold = Hold::Session(live.session.id);
                return Ok((Self::Session(live), hold));
            }
        };
        let found = credentials::recognise(app, kind, text).await?;
        let key = found.ok_or_else(|| Refused::from(error::unauthenticated()))?;
        keys::note_use(app, &key);
        let hold = Hold::Key(key.org, key.id);
        let caller = match kind {
            Kind::AgentKey | Kind::TestAgentKey => {
                let agent = agents::of_key(app, &key).await?;
                Self::Agent(Box::new(Asking { agent, test: kind == Kind::TestAgentKey }))
            }
            Kind::DeviceKey => Self::Device(Box::new(devices::of_key(app, &key).await?)),
            // Somebody's own only while they are alone: `owner` sees to that.
            _ => return Ok((Self::Key(Arc::clone(&key)), Hold::LoneKey(key.org, key.id))),
        };
        Ok((caller, hold))
    }

    /// Somebody who stays to watch.
    pub(super) async fn watcher(app: &Arc<App>, text: &str) -> Result<Watcher, Refused> {
        let (caller, hold) = Self::held(app, text).await?;
        let eye = match &caller {
            Self::Agent(asking) => Eye::Agent(asking.agent.id),
            _ => Eye::Owner(caller.owner(app).await?),
        };
        let org = match &caller {
            Self::Agent(asking) => asking.agent.org,
            Self::Device(device) => device.org,
            Self::Session(live) => live.session.org,
            Self::Key(key) => key.org,
        };
        Ok(Watcher { eye, org, hold })
    }

    /// Whose codes it is about, for a look.
    pub(super) async fn owner(&self, app: &App) -> Result<UserId, Refused> {
        Ok(match self {
            Self::Agent(asking) => asking.agent.owner,
            Self::Device(device) => device.owner,
            Self::Session(live) => live.session.user,
            Self::Key(key) => only_member(app, key).await?.owner,
        })
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let text = shown(&parts.headers).ok_or_else(|| Refused::from(error::unauthenticated()))?;
        Self::of(app, text).await
    }
}

/// An agent.
pub(super) struct ByAgent(pub(super) Asking);

impl FromRequestParts<Arc<App>> for ByAgent {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Agent(asking) => Ok(Self(*asking)),
            _ => Err(Refused::from(error::forbidden("Only an agent's key may do that"))),
        }
    }
}

/// A device or a collector.
pub(super) struct ByDevice(pub(super) Device);

impl FromRequestParts<Arc<App>> for ByDevice {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Device(device) => Ok(Self(*device)),
            _ => Err(Refused::from(error::forbidden("Only a device's key (dk_) may do that"))),
        }
    }
}

/// Somebody who may say yes.
pub(super) struct ByApprover(pub(super) Approver);

/// Why whoever calls may not, in words that are true of the call.
struct Why {
    agent: &'static str,
    device: &'static str,
    app: &'static str,
    session: &'static str,
    key: &'static str,
}

/// Of the owner's word to a request.
const WORD: Why = Why {
    agent: "An agent can not decide for its owner",
    device: "This device was not linked by its owner",
    app: "An app's session may not approve: open the approvals page",
    session: "Approving needs a sign-in of the last minutes: sign in again",
    key: "This key may not approve: open the approvals page",
};

/// Of what is set for all requests to come.
const RULE: Why = Why {
    agent: "An agent may not do that: only its owner may",
    device: "A device may not do that: sign in",
    app: "An app's session may not do that: open the approvals page",
    session: "That needs a sign-in of the last minutes: sign in again",
    key: "This key may not do that: open the approvals page",
};

/// Whoever calls, if they may say yes.
async fn approver(parts: &mut Parts, app: &Arc<App>, why: &Why) -> Result<Approver, Refused> {
    let (approver, why) = match Caller::from_request_parts(parts, app).await? {
        Caller::Agent(_) => (Err(Error::Forbidden), why.agent),
        Caller::Device(device) => (Approver::of_device(&device), why.device),
        Caller::Session(live) => {
            let why = if live.session.client.is_some() { why.app } else { why.session };
            (Approver::of_session(app, &live), why)
        }
        Caller::Key(key) => (Approver::of_key(app, &key).await, why.key),
    };
    approver.map_err(|error| refused(error, why))
}

/// Why somebody may not, in words. That nobody could say so now is another answer.
fn refused(error: Error, why: &str) -> Refused {
    match error {
        Error::Forbidden => error::forbidden(why).into(),
        other => other.into(),
    }
}

impl FromRequestParts<Arc<App>> for ByApprover {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        approver(parts, app, &WORD).await.map(Self)
    }
}

/// Somebody who looks after what is theirs: signed in, or with the sign-in key of a team of one, or a key of theirs with `admin`. To look, to
/// stop, to take away.
pub(super) struct ByPerson(pub(super) Whose);

impl FromRequestParts<Arc<App>> for ByPerson {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        person(parts, app, |live| Ok(signed_in(live))).await.map(Self)
    }
}

/// The same, to make and to replace: no app's session.
pub(super) struct ByMaker(pub(super) Whose);

impl FromRequestParts<Arc<App>> for ByMaker {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        person(parts, app, in_person).await.map(Self)
    }
}

async fn person(
    parts: &mut Parts,
    app: &Arc<App>,
    session: fn(&Live) -> Result<Whose, Error>,
) -> Result<Whose, Refused> {
    match Caller::from_request_parts(parts, app).await? {
        Caller::Session(live) => session(&live).map_err(|error| refused(error, RULE.app)),
        Caller::Key(key) if key.may(keys::ADMIN) => match (key.kind, key.user) {
            // A further key is its maker's.
            (Kind::AccessKey, Some(owner)) => Ok(Whose { org: key.org, owner }),
            _ => only_member(app, &key)
                .await
                .map_err(|error| refused(error, "A team's key is nobody's own: sign in, or make a key of your own")),
        },
        _ => Err(Refused::from(error::forbidden("Only the owner may do that"))),
    }
}

/// Somebody who may say yes in person, and so may say beforehand to what: a fresh session, or the sign-in key of a team of one where that may
/// approve. No device: who holds one is asked each time.
pub(super) struct ByRuler(pub(super) Whose);

impl FromRequestParts<Arc<App>> for ByRuler {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let approver = approver(parts, app, &RULE).await?;
        match approver.by {
            By::Device(_) => Err(Refused::from(error::forbidden(RULE.device))),
            By::Session | By::Key => Ok(Self(approver.whose)),
        }
    }
}
