//! Who may say yes in a person's name. And who may make what codes come and go by. Refuses agents and their keys, a session that is not fresh or
//! is an app's, a team's key, a device that was not linked.

use doorcode_core::{DeviceId, Error, Result};

use crate::app::App;
use crate::ops::audit::Whose;
use crate::ops::sessions::Live;
use crate::store::credentials::{Credential, Kind};
use crate::store::devices::Device;
use crate::store::users;

/// By what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// A session.
    Session,
    /// The sign-in key of a team of one.
    Key,
    /// A device that its owner linked.
    Device(DeviceId),
}

impl By {
    /// As the record has it: `session`, `key`, or `device` and its id.
    pub fn noted(&self) -> String {
        match self {
            Self::Session => "session".to_owned(),
            Self::Key => "key".to_owned(),
            Self::Device(id) => format!("device {id}"),
        }
    }
}

/// Somebody who may.
#[derive(Clone, Copy)]
pub struct Approver {
    /// Whose codes they say yes for.
    pub whose: Whose,
    /// By what they do.
    pub by: By,
}

impl Approver {
    /// Somebody who has signed in just now, to this house itself: to its pages, or by them.
    pub fn of_session(app: &App, live: &Live) -> Result<Self> {
        let whose = in_person(live)?;
        let age = app.clock.now().since(live.session.id.made_at());
        if age > app.config.relay.fresh {
            return Err(Error::Forbidden);
        }
        Ok(Self { whose, by: By::Session })
    }

    /// Whoever is signed in, to say no only: that takes nothing from anybody, and must not wait for a code.
    pub fn to_deny(live: &Live) -> Self {
        Self { whose: signed_in(live), by: By::Session }
    }

    /// The only member of a team, by its sign-in key, where that is let.
    pub async fn of_key(app: &App, key: &Credential) -> Result<Self> {
        if !app.config.relay.approve_with_key {
            return Err(Error::Forbidden);
        }
        Ok(Self { whose: only_member(app, key).await?, by: By::Key })
    }

    /// A device that its owner linked, signed in.
    pub fn of_device(device: &Device) -> Result<Self> {
        if device.linked_at.is_none() {
            return Err(Error::Forbidden);
        }
        Ok(Self { whose: Whose { org: device.org, owner: device.owner }, by: By::Device(device.id) })
    }

    /// As the record calls them.
    pub fn actor(&self) -> &'static str {
        match self.by {
            By::Session | By::Key => "user",
            By::Device(_) => "device",
        }
    }
}

/// Whoever is signed in, wherever: to look, and to take away. What is gone opens nothing.
pub fn signed_in(live: &Live) -> Whose {
    Whose { org: live.session.org, owner: live.session.user }
}

/// The same, signed in to this house itself, young or not: to say yes, and to make or replace whatever a code can come or go by, which are
/// keys of agents, hooks, an address for mail. An app's session is in the hands of whoever wrote the app, also of one of their own org: its
/// people have signed in there, and have not given it their codes. Else an app gives itself the next key of an agent whose rules say yes.
pub fn in_person(live: &Live) -> Result<Whose> {
    if live.session.client.is_some() {
        return Err(Error::Forbidden);
    }
    Ok(signed_in(live))
}

/// The only member of the team whose sign-in key this is.
pub async fn only_member(app: &App, key: &Credential) -> Result<Whose> {
    if key.kind != Kind::ApiKey {
        return Err(Error::Forbidden);
    }
    let org = key.org;
    let only = app.db.read(move |tx| Box::pin(async move { users::only_member(tx, &org).await })).await?;
    only.map(|owner| Whose { org, owner }).ok_or(Error::Forbidden)
}
