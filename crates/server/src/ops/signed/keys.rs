//! Keys of users: given, ended, and made room for. Refuses an eleventh without an end, and a key that is there already; one that was mailed
//! counts for nothing before its first stamp.

use std::sync::Arc;

use doorcode_core::activity::rules::{KeyAge, Room, room, room_for};
use doorcode_core::activity::{NewKey, Parameters};
use doorcode_core::stamp::{AHEAD, KeyKind, Refusal};
use doorcode_core::{CredentialId, Error, Kid, OrgId, Result, Timestamp, UserId};
use serde_json::{Map, Value, json};

use super::caller::Found;
use super::{Ended, Refused, Then};
use crate::app::App;
use crate::ops::{backups, credentials};
use crate::store::Tx;
use crate::store::activities::{self, Activity};
use crate::store::signers::{self, Signer};
use crate::store::stamp_keys::{self, Inert, StampKey};

/// Adds a key to its user's: room is made for one with an end. Gives the keys that are over by it.
pub(super) async fn add(
    tx: &mut Tx<'_>,
    kid: Kid,
    new: &StampKey,
    invalidating: bool,
    now: Timestamp,
) -> Result<Result<Vec<CredentialId>, Refusal>> {
    signers::hold(tx, &new.org, &new.user).await?.ok_or(Error::NotFound)?;
    let (mut over, mut new) = (Vec::new(), new.clone());
    match stamp_keys::find(tx, &new.org, &new.key).await? {
        // Who signs in again with the same key has it for longer.
        Some(same) if same.user == new.user && same.kind == KeyKind::Login && new.kind == KeyKind::Login => {
            stamp_keys::end(tx, &new.org, &same.id, now).await?;
            new.proved |= same.proved;
        }
        Some(_) => {
            return Ok(Err(Refusal::Request { field: "publicKey", why: "is a key of this organization already" }));
        }
        None => {}
    }
    if new.inert.is_none() {
        match make_room(tx, &new, invalidating, now).await? {
            Ok(ended) => over = ended,
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    stamp_keys::insert(tx, &new, kid).await?;
    Ok(Ok(over))
}

/// Ends what a key takes the place of.
async fn make_room(
    tx: &mut Tx<'_>,
    new: &StampKey,
    invalidating: bool,
    now: Timestamp,
) -> Result<Result<Vec<CredentialId>, Refusal>> {
    let mut keys = stamp_keys::of_user(tx, &new.org, &new.user).await?;
    keys.retain(|key| key.id != new.id && key.inert.is_none());
    let goes = |key: &StampKey| invalidating && key.kind == new.kind;
    let mut over: Vec<CredentialId> = keys.iter().filter(|key| goes(key)).map(|key| key.id).collect();
    keys.retain(|key| !goes(key));
    match room(&ages(&keys), new.expires_at.is_some(), now) {
        Ok(Room::Free) => {}
        Ok(Room::After(at)) => over.push(keys[at].id),
        Err(refusal) => return Ok(Err(refusal)),
    }
    for id in &over {
        stamp_keys::end(tx, &new.org, id, now).await?;
    }
    Ok(Ok(over))
}

/// Ends the keys of a user that were mailed and never stamped with, and gives them.
pub(super) async fn end_inert(tx: &mut Tx<'_>, user: &Signer, now: Timestamp) -> Result<Vec<CredentialId>> {
    let mut over = Vec::new();
    for key in stamp_keys::of_user(tx, &user.org, &user.id).await?.into_iter().filter(|key| key.inert.is_some()) {
        stamp_keys::end(tx, &user.org, &key.id, now).await?;
        over.push(key.id);
    }
    Ok(over)
}

/// How old keys are, and when they are over.
pub(super) fn ages(keys: &[StampKey]) -> Vec<KeyAge> {
    keys.iter().map(|key| KeyAge { made_at: key.id.made_at(), expires_at: key.expires_at }).collect()
}

/// A key that was mailed was stamped with for the first time: from now on it counts, and what it takes the place of goes.
pub(super) async fn wake(app: &Arc<App>, key: &StampKey, now: Timestamp) -> Result<(), Refused> {
    let (org, awake) = (key.org, StampKey { inert: None, ..key.clone() });
    let invalidating = key.inert == Some(Inert::Invalidating);
    let woken = app.db.write(move |tx| {
        Box::pin(async move {
            signers::hold(tx, &awake.org, &awake.user).await?.ok_or(Error::NotFound)?;
            if !stamp_keys::wake(tx, &awake.org, &awake.id).await? {
                return Ok(Ok(Vec::new()));
            }
            make_room(tx, &awake, invalidating, now).await
        })
    });
    let over = woken.await??;
    ended(app, over.into_iter().map(|id| (org, id)))?;
    Ok(())
}

/// Keys are over: the file beside the master keys hears of it, so that no restore brings them back. They are over whether it does or not.
pub(super) fn ended(app: &App, keys: impl Iterator<Item = (OrgId, CredentialId)>) -> Result<()> {
    let (mut any, mut heard) = (false, Ok(()));
    for (org, id) in keys {
        heard = heard.and(credentials::note_revocation(app, org, id));
        any = true;
    }
    if any {
        app.recent_signers.forget();
    }
    heard
}

/// The member of a kept result that has the ids of keys that made room.
pub(super) const OVER: &str = "over";

/// An activity that was done before. Its server may have died before the file heard which keys were over by it, or could not write: the file
/// hears it again, and then no more.
pub(super) async fn noted(app: &App, mut activity: Activity) -> Result<Activity> {
    let kept = activity.result.as_deref().and_then(|kept| serde_json::from_str::<Map<String, Value>>(kept).ok());
    let Some(mut kept) = kept else { return Ok(activity) };
    let Some(Value::Array(over)) = kept.remove(OVER) else { return Ok(activity) };
    let over = over.iter().filter_map(|id| id.as_str()?.parse().ok());
    ended(app, over.map(|id| (activity.org, id)))?;
    activity.result = Some(Value::Object(kept).to_string());
    let row = activity.clone();
    let shorter = app.db.write(move |tx| {
        Box::pin(async move {
            activities::end(tx, &row.id, row.status, row.result.as_deref(), row.failure.as_deref()).await
        })
    });
    shorter.await?;
    Ok(activity)
}

/// Keys as they are given, of a user.
pub(super) fn given(
    app: &App,
    (org, user): (OrgId, UserId),
    keys: Vec<NewKey>,
    now: Timestamp,
) -> Result<Vec<StampKey>> {
    let mut ids = app.entropy.ids(now);
    let key = |new: NewKey| {
        let expires_at = new.life.map(|life| now.plus(super::start::seconds(life)));
        let kind = KeyKind::Given(new.key.curve());
        Ok(StampKey {
            org,
            id: ids()?,
            user,
            key: new.key,
            kind,
            name: new.name,
            expires_at,
            inert: None,
            proved: false,
        })
    };
    keys.into_iter().map(key).collect()
}

/// Keys that are given to a user.
#[derive(Clone)]
pub(super) struct Add {
    org: OrgId,
    user: UserId,
    kid: Kid,
    keys: Vec<StampKey>,
}

impl Add {
    pub(super) fn new(app: &App, org: OrgId, parameters: &Parameters<'_>, now: Timestamp) -> Result<Self, Refused> {
        let user = user_id(parameters)?;
        let keys = given(app, (org, user), parameters.api_keys()?, now)?;
        Ok(Self { org, user, kid: app.keys.ring().active().kid, keys })
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Ended> {
        // Nobody goes, and no key comes, before these are theirs.
        if signers::hold(tx, &self.org, &self.user).await?.is_none() {
            return Ok(Ended::refused(nobody()));
        }
        let mut has = stamp_keys::of_user(tx, &self.org, &self.user).await?;
        has.retain(|key| key.inert.is_none());
        if let Err(refusal) = room_for(&ages(&has), &ages(&self.keys), now) {
            return Ok(Ended::refused(refusal));
        }
        for key in &self.keys {
            if stamp_keys::find(tx, &key.org, &key.key).await?.is_some() {
                let why = "is a key of this organization already";
                return Ok(Ended::refused(Refusal::Request { field: "publicKey", why }));
            }
        }
        let mut over = Vec::new();
        for key in &self.keys {
            match add(tx, self.kid, key, false, now).await? {
                Ok(ended) => over.extend(ended),
                // What could be refused was looked at above.
                Err(_) => return Err(Error::unavailable("a user's keys changed meanwhile")),
            }
        }
        let ids: Vec<Value> = self.keys.iter().map(|key| key.id.to_string().into()).collect();
        Ok(Ended::done(json!({ "apiKeyIds": ids })).of(self.org, self.user).over(self.org, over))
    }
}

/// Keys of a user that end.
#[derive(Clone)]
pub(super) struct End {
    org: OrgId,
    user: UserId,
    ids: Vec<CredentialId>,
}

impl End {
    pub(super) fn new(org: OrgId, parameters: &Parameters<'_>) -> Result<Self, Refused> {
        let ids = parameters.get("apiKeyIds").and_then(Value::as_array).into_iter().flatten();
        let mut ids: Vec<CredentialId> = ids.filter_map(|id| id.as_str()?.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(Self { org, user: user_id(parameters)?, ids })
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Ended> {
        // Whatever these keys are about to do is before it or finds them over.
        signers::hold(tx, &self.org, &self.user).await?;
        if !self.are_theirs(tx).await? {
            return Ok(Ended::refused(Refusal::Request { field: "apiKeyIds", why: "names no key of this user" }));
        }
        for id in &self.ids {
            stamp_keys::end(tx, &self.org, id, now).await?;
        }
        let ids: Vec<Value> = self.ids.iter().map(|id| id.to_string().into()).collect();
        let done = Ended::done(json!({ "apiKeyIds": ids })).of(self.org, self.user);
        Ok(Ended { then: Then::Noted, ..done })
    }

    async fn are_theirs(&self, tx: &mut Tx<'_>) -> Result<bool> {
        for id in &self.ids {
            if stamp_keys::get(tx, &self.org, id).await?.is_none_or(|key| key.user != self.user) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The file beside the master keys hears of it before the unit: whatever happens in between, no restore brings them back. Not of what the
    /// unit would refuse, since a key that stands there is over at the next start.
    pub(super) async fn note(&self, app: &App, caller: &Arc<Found>, at: Timestamp) -> Result<()> {
        let (end, caller) = (self.clone(), Arc::clone(caller));
        let look = app.db.read(move |tx| {
            Box::pin(async move {
                let refused = caller.has_ended(tx).await? || backups::may_be_of_before(tx, at, AHEAD).await?;
                Ok(!refused && end.are_theirs(tx).await?)
            })
        });
        if look.await? {
            for id in &self.ids {
                credentials::note_revocation(app, self.org, *id)?;
            }
        }
        Ok(())
    }
}

/// The user that parameters name.
pub(super) fn user_id(parameters: &Parameters<'_>) -> Result<UserId, Refusal> {
    let why = "must be a UUID";
    parameters.text("userId").and_then(|id| id.parse().ok()).ok_or(Refusal::Request { field: "userId", why })
}

/// There is no such user in the organisation.
pub(super) const fn nobody() -> Refusal {
    Refusal::Request { field: "userId", why: "is no user of this organization" }
}
