//! Signed calls: who signs, what they ask for, what it comes to. Each activity is one unit of work, which claims the fingerprint of its
//! body first: the same body is done once, on every node, and hears the same answer. Refuses to make a key, to seal or to sign inside a
//! unit; to keep a code or a token; and to tell codes or tokens apart that are not to be.

mod activity;
mod caller;
mod contacts;
mod earned;
mod features;
mod first_user;
mod keys;
mod login;
mod mail;
mod mail_events;
mod pages;
mod proxy;
mod queries;
mod read_write_session;
mod redeem;
mod sealed_key;
mod stamped;
mod start;
mod suborgs;
mod task;
mod verify;
mod view;

pub use activity::submit;
pub use caller::Found;
pub use earned::{Before, Earned, Earning, earned_before, ended};
pub use features::set_sandbox;
pub use first_user::first_user;
pub use mail_events::{MailEvents, mail_events};
pub use proxy::{Proxy, proxy, set_origins};
pub use queries::{
    Listed, Person, Query, WhoAmI, activities, activity, api_key, api_keys, ask, suborgs, user, users, whoami,
};
pub use stamped::{MAKE_KEYS, Stamped, recognise};
pub use view::{Failure, View};

use doorcode_core::stamp::{PublicKey, Refusal};
use doorcode_core::{CredentialId, Error, OrgId, UserId};
use serde_json::Value;

use crate::app::App;
use crate::ops::challenges::{Begun, Leased};
use crate::store::orgs::Org;

/// Why a signed call is not answered.
#[derive(Debug)]
pub enum Refused {
    /// For a published reason.
    Refusal(Refusal),
    /// As anything may be refused here.
    Error(Error),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// What codes are for whose success is a sealed key.
const KEY_PURPOSE: &str = "otp-auth";
/// What codes are for whose success is a verification token.
const TOKEN_PURPOSE: &str = "otp";
/// What a message is for that brings a sealed key. No code is asked for under it.
const MAIL_PURPOSE: &str = "email-auth";

/// Whether messages of this purpose are of signed calls, or of the proxy's.
pub fn mails(purpose: &str) -> bool {
    [KEY_PURPOSE, TOKEN_PURPOSE, MAIL_PURPOSE].contains(&purpose)
}

/// What an activity came to, in its unit.
struct Ended {
    outcome: Outcome,
    /// In whose record it stands, where it is not that of who signed.
    about: Option<(OrgId, UserId)>,
    /// What is to be done once it is on disk.
    then: Then,
}

/// How an activity ended.
enum Outcome {
    /// It is done: what its result is made of.
    Done(Value),
    /// It was judged, and stays so.
    Failed(Failure),
    /// Not now. Nothing is kept of it: the same body may be asked again.
    Refused(Refusal),
}

/// What follows the commit.
enum Then {
    Nothing,
    /// A message is handed over.
    Mail(Leased, Box<Begun>),
    /// Keys are over: the file beside the master keys hears of it.
    Over(Vec<(OrgId, CredentialId)>),
    /// Keys are over, and it has heard.
    Noted,
}

impl Ended {
    fn done(result: Value) -> Self {
        Self { outcome: Outcome::Done(result), about: None, then: Then::Nothing }
    }

    fn failed(failure: Failure) -> Self {
        Self { outcome: Outcome::Failed(failure), about: None, then: Then::Nothing }
    }

    fn refused(refusal: Refusal) -> Self {
        Self { outcome: Outcome::Refused(refusal), about: None, then: Then::Nothing }
    }

    fn of(self, org: OrgId, user: UserId) -> Self {
        Self { about: Some((org, user)), ..self }
    }

    /// Keys made room for what it gives. They stand in what is kept of it until the file has certainly heard: its server may die first.
    fn over(mut self, org: OrgId, keys: Vec<CredentialId>) -> Self {
        if let (Outcome::Done(Value::Object(kept)), false) = (&mut self.outcome, keys.is_empty()) {
            kept.insert(keys::OVER.to_owned(), keys.iter().map(ToString::to_string).collect());
        }
        Self { then: Then::Over(keys.into_iter().map(|key| (org, key)).collect()), ..self }
    }
}

/// The org that answers for another one: its parent, or itself.
fn top(org: &Org) -> OrgId {
    org.parent.unwrap_or(org.id)
}

/// Public halves that clients pin, one for each master key and use.
pub struct Pinned {
    /// Which master key's.
    pub kid: String,
    /// What it signs.
    pub use_: &'static str,
    /// The uncompressed point, in hexadecimal.
    pub key: String,
}

/// The public halves of all keys in force, the active ones first.
pub fn pinned(app: &App) -> Vec<Pinned> {
    let ring = app.keys.ring();
    let of = |roots: &crate::keyring::Roots| {
        let all = [
            ("verification", &roots.verification),
            ("old_verification", &roots.old_verification),
            ("session", &roots.notary),
        ];
        all.map(|(use_, signer)| Pinned { kid: signer.kid().to_string(), use_, key: signer.pinned() })
    };
    ring.iter().flat_map(of).collect()
}

/// The keys by which verification tokens are read: of today's form, and of the old one.
fn token_keys(app: &App) -> (Vec<PublicKey>, Vec<PublicKey>) {
    let ring = app.keys.ring();
    let bound = ring.iter().map(|roots| *roots.verification.public()).collect();
    (bound, ring.iter().map(|roots| *roots.old_verification.public()).collect())
}
