//! Who calls, and what they may: a handler that needs a scope takes a value that nobody has without it. Refuses more than one
//! `Authorization`, and every way but `Bearer` and a stamp, which was looked at before ([`super::stamped`]).

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use doorcode_core::OrgId;

use super::problem::{self, Refused};
use super::stamped::Signer;
use crate::api::bearer::bearer;
use crate::api::request_name::{NoName, WRONG, request_name};
use crate::app::App;
use crate::ops::idempotency::{HEADER, Once};
use crate::ops::verifications::Backend;
use crate::ops::{credentials, keys, signed};
use crate::store::credentials::Credential;

pub(super) use crate::api::request_name::IdempotencyName;

/// What a key may do.
pub(super) trait Scope {
    /// The word for it; `admin` may do everything.
    const NAME: &'static str;
}

/// Starts and checks verifications.
pub(super) enum Verify {}
/// Reads the org, its users, keys and events.
pub(super) enum Read {}
/// Changes them.
pub(super) enum Admin {}

impl Scope for Verify {
    const NAME: &'static str = keys::VERIFY;
}
impl Scope for Read {
    const NAME: &'static str = keys::READ;
}
impl Scope for Admin {
    const NAME: &'static str = keys::ADMIN;
}

/// A caller with a live key that has the scope.
pub(super) struct Caller<S> {
    pub(super) credential: Arc<Credential>,
    scope: PhantomData<fn() -> S>,
}

impl<S> Caller<S> {
    /// Whose data it is. It comes from the key and from nowhere in the request.
    pub(super) fn org(&self) -> OrgId {
        self.credential.org
    }

    /// Whether they may have keys made that sign.
    pub(super) fn may_make_keys(&self) -> bool {
        self.credential.may(keys::ADMIN) || self.credential.may(signed::MAKE_KEYS)
    }

    /// The program, for what it asks on behalf of people.
    pub(super) fn backend(&self) -> Backend {
        Backend { org: self.credential.org, credential: self.credential.id }
    }
}

impl<S: Scope> FromRequestParts<Arc<App>> for Caller<S> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let signer = parts.extensions.get::<Signer>().map(|signer| Arc::clone(&signer.0));
        let credential = match signer {
            Some(signer) => signer,
            None => {
                let key = bearer(&parts.headers).ok_or_else(problem::unauthenticated)?;
                let found = credentials::recognise_key(app, key).await.map_err(Refused::from)?;
                found.ok_or_else(problem::unauthenticated)?
            }
        };
        if !credential.may(S::NAME) && !credential.may(keys::ADMIN) {
            return Err(problem::lacks(S::NAME).into());
        }
        keys::note_use(app, &credential);
        Ok(Self { credential, scope: PhantomData })
    }
}

/// The name that a request gives itself.
pub(super) struct IdempotencyKey(Option<String>);

impl FromRequestParts<Arc<App>> for IdempotencyKey {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Refused> {
        request_name(&parts.headers).map(Self).map_err(|NoName| problem::wrong(HEADER, WRONG))
    }
}

impl IdempotencyKey {
    /// The request, if it has a name.
    pub(super) fn once(self, org: OrgId, operation: &str, body: &[u8]) -> Option<Once> {
        self.0.map(|key| Once::new(org, operation, &key, body))
    }
}

/// The address of the person for whom a program asks, as it says it.
pub(super) fn person(text: &str) -> Result<IpAddr, doorcode_core::Error> {
    text.trim()
        .parse()
        .map_err(|_| doorcode_core::Error::Invalid { field: "user_ip", why: "must be an IPv4 or IPv6 address" })
}
