//! Whose stamp it is: the key in the organisation that the call names, or in its parent. Refuses keys that are over, and to say of which
//! other organisation a key is.

use std::net::IpAddr;
use std::sync::Arc;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::stamp::authority::{Actor, Side, choose};
use doorcode_core::stamp::{PublicKey, Refusal};
use doorcode_core::{CredentialId, OrgId, Result, Timestamp};

use super::{Refused, features, keys, top};
use crate::app::App;
use crate::ops::client::Client;
use crate::store::Tx;
use crate::store::orgs::{self, Org};
use crate::store::signers::{self, Signer};
use crate::store::stamp_keys::{self, StampKey};

/// Stands for the key of who has none here: a token's, or the proxy.
pub(super) const KEYLESS: CredentialId = CredentialId::from_bytes([0; 16]);

/// Somebody whose key was found.
#[derive(Clone)]
pub struct Found {
    /// The organisation that the call names.
    pub org: Org,
    /// Where their key is.
    pub side: Side,
    /// The key.
    pub key: StampKey,
    /// Whose it is.
    pub user: Signer,
    /// Whether the sandbox contacts have their fixed code here, and nothing is sent to them.
    pub sandbox: bool,
    /// Where they are, if they call themselves, and not by somebody's backend.
    pub client: Option<Client>,
}

impl Found {
    /// Who asks, for whatever is counted. `person` is where the one is for whom they ask, if that is known.
    pub(super) fn client(&self, person: Option<IpAddr>) -> Client {
        self.client.clone().unwrap_or_else(|| Client::behind(top(&self.org), self.key.id, person))
    }

    /// Whether a person calls, with a key of their own in an organisation below another one. Not by the proxy, which is nobody's key.
    pub(super) fn is_person(&self) -> bool {
        self.side == Side::Own && self.org.parent.is_some() && self.key.id != KEYLESS
    }

    /// Whether their key was ended since it was found: a moment ago, or by another server. In the unit, so that none is made by one that is over.
    pub(super) async fn has_ended(&self, tx: &mut Tx<'_>) -> Result<bool> {
        if self.side == Side::Parent || self.key.id == KEYLESS {
            return Ok(false);
        }
        Ok(stamp_keys::get(tx, &self.key.org, &self.key.id).await?.is_none())
    }

    /// Whether it is not known yet whose key it is, and a call that names this organization would say so.
    fn may_be_proved(&self) -> bool {
        !self.key.proved && self.side == Side::Own && self.org.parent.is_some()
    }

    /// What they may do.
    pub fn actor(&self) -> Actor {
        Actor { side: self.side, user: self.user.id, root: self.user.root }
    }
}

/// The same, calling from there. Whoever signs in an organisation below another one, or is no root user of theirs, is a person with a device and
/// no program of the tenant's: counted by their own network, as through the proxy, they use nobody else's share up.
pub(super) fn placed(found: Arc<Found>, client: Client) -> Arc<Found> {
    let is_program = found.side == Side::Parent || found.org.parent.is_none() && found.user.root;
    if is_program {
        return found;
    }
    Arc::new(Found { client: Some(client.through(top(&found.org))), ..Found::clone(&found) })
}

/// The organisation below a parent that a key leads to. One in which somebody else has only named it leads nobody away.
pub(super) async fn home(app: &App, parent: OrgId, key: PublicKey) -> Result<Option<OrgId>> {
    let now = app.clock.now();
    app.db.read(move |tx| Box::pin(async move { stamp_keys::home(tx, &parent, &key, now).await })).await
}

/// Whoever signs with a key in an organisation that the signed call names. The stamp was verified before.
pub(super) async fn find(app: &Arc<App>, org: OrgId, key: &PublicKey) -> Result<Arc<Found>, Refused> {
    find_as(app, org, key, true).await
}

/// The same in an organisation that the call did not name, but a key led to: that says nothing of whose the key is.
pub(super) async fn find_unnamed(app: &Arc<App>, org: OrgId, key: &PublicKey) -> Result<Arc<Found>, Refused> {
    find_as(app, org, key, false).await
}

async fn find_as(app: &Arc<App>, org: OrgId, key: &PublicKey, named: bool) -> Result<Arc<Found>, Refused> {
    let (now, key) = (app.clock.now(), *key);
    let name = fingerprint("signer", &[org.as_bytes(), key.curve().name().as_bytes(), &key.to_bytes()]);
    let is_stale = |found: &Arc<Found>| found.key.is_over(now) || named && found.may_be_proved();
    if let Some(found) = app.recent_signers.get(&name, now).filter(|found| !is_stale(found)) {
        return Ok(found);
    }
    let endings = app.recent_signers.endings();
    // What was asked before an ending is no answer to what is asked after it.
    let mut flight = [0; 32];
    flight[..16].copy_from_slice(&name);
    flight[16..24].copy_from_slice(&endings.to_be_bytes());
    flight[24] = u8::from(named);
    let found = app.lookups.once(flight, look_and_wake(app, org, key, named, now)).await?;
    app.recent_signers.keep(&name, &found, endings, now);
    Ok(found)
}

async fn look_and_wake(
    app: &Arc<App>,
    org: OrgId,
    key: PublicKey,
    named: bool,
    now: Timestamp,
) -> Result<Arc<Found>, Refused> {
    let mut found = look(app, org, key, now).await??;
    if found.key.inert.is_some() {
        keys::wake(app, &found.key, now).await?;
        found = look(app, org, key, now).await??;
    }
    // Below a parent, by whose name it may be looked for; and once.
    if named && found.may_be_proved() {
        let id = found.key.id;
        app.db.write(move |tx| Box::pin(async move { stamp_keys::prove(tx, &org, &id, now).await })).await?;
        found.key.proved = true;
    }
    Ok(Arc::new(found))
}

async fn look(app: &App, org: OrgId, key: PublicKey, now: Timestamp) -> Result<Result<Found, Refusal>> {
    app.db.read(move |tx| Box::pin(async move { found(tx, &org, &key, now).await })).await
}

async fn found(tx: &mut Tx<'_>, org: &OrgId, key: &PublicKey, now: Timestamp) -> Result<Result<Found, Refusal>> {
    let Some(org) = orgs::get(tx, org).await? else { return Ok(Err(Refusal::UnknownOrganization)) };
    let above = match &org.parent {
        Some(parent) => orgs::get(tx, parent).await?,
        None => None,
    };
    let sandbox = features::has_sandbox(&org, above.as_ref());
    let own = stamp_keys::find(tx, &org.id, key).await?;
    let parent = match &org.parent {
        Some(parent) => stamp_keys::find(tx, parent, key).await?,
        None => None,
    };
    let known = own.is_some() || parent.is_some();
    let lives = |key: &StampKey| !key.is_over(now);
    let Some((side, key)) = choose(own.filter(lives), parent.filter(lives)) else {
        return Ok(Err(if known { Refusal::ExpiredKey } else { Refusal::UnknownKey }));
    };
    Ok(match signers::get(tx, &key.org, &key.user).await? {
        Some(user) => Ok(Found { org, side, key, user, sandbox, client: None }),
        None => Err(Refusal::UnknownKey),
    })
}

#[cfg(test)]
mod tests {
    use doorcode_core::UserId;
    use doorcode_core::stamp::{Curve, KeyKind};

    use super::*;
    use crate::store::Asker;

    const TENANT: OrgId = OrgId::from_bytes([1; 16]);
    const BELOW: OrgId = OrgId::from_bytes([2; 16]);

    fn found(org: OrgId, side: Side, root: bool) -> Arc<Found> {
        let generator = "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
        let parent = (org == BELOW).then_some(TENANT);
        let user = UserId::from_bytes([3; 16]);
        let key = StampKey {
            org,
            id: CredentialId::from_bytes([4; 16]),
            user,
            key: PublicKey::parse(Curve::P256, generator).unwrap(),
            kind: KeyKind::Given(Curve::P256),
            name: String::new(),
            expires_at: None,
            inert: None,
            proved: true,
        };
        let user = Signer { org, id: user, name: String::new(), email: None, phone: None, root };
        let org = Org { id: org, parent, name: String::new(), raised_at: None, features: String::new(), proxy: None };
        Arc::new(Found { org, side, key, user, sandbox: false, client: None })
    }

    /// Who is waited for when they call from there.
    fn asker(found: Arc<Found>, from: &str) -> Asker {
        placed(found, Client::at(from.parse().unwrap())).client(None).asker()
    }

    /// The attack: people with devices, all at once, have the tenant's own program wait behind them, since it is taken for one of them.
    #[test]
    fn a_person_waits_by_their_network_and_a_program_by_its_org() {
        let of_tenant = *TENANT.as_bytes();
        for (program, side) in [(TENANT, Side::Own), (BELOW, Side::Parent)] {
            for from in ["203.0.113.9", "198.51.100.7"] {
                assert_eq!(asker(found(program, side, true), from).wide, of_tenant, "its own share, wherever it runs");
            }
        }
        for (org, root) in [(BELOW, true), (BELOW, false), (TENANT, false)] {
            let here = asker(found(org, Side::Own, root), "203.0.113.9");
            let there = asker(found(org, Side::Own, root), "198.51.100.7");
            let away = Client::at("203.0.113.9".parse().unwrap()).asker();
            assert_eq!((here.wide, here.exact), (away.wide, away.exact), "as if nobody knew them");
            assert!(here.wide != of_tenant && there.wide != of_tenant && here.wide != there.wide);
        }
    }
}
