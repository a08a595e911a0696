//! What signed callers may look up. Refuses other organisations than the caller's own and the one level below it, and everything that opens
//! something: queries carry no time, so whoever recorded one can ask it again.

use std::sync::Arc;

use doorcode_core::activity::{BODY_MOST, Kind, Status};
use doorcode_core::stamp::authority::Call;
use doorcode_core::stamp::{Curve, Presented, PublicKey, Refusal, Stamp};
use doorcode_core::{ActivityId, Address, CredentialId, Email, OrgId, Phone, Result, UserId, json};
use serde_json::{Map, Value};

use super::activity::unknown;
use super::caller::{self, Found};
use super::pages::Pages;
use super::view::{Looker, View};
use super::{Refused, contacts};
use crate::app::App;
use crate::store::activities::{self, Activity};
use crate::store::identities::Known;
use crate::store::signers::{self, By, Signer};
use crate::store::stamp_keys::{self, StampKey};
use crate::store::{Tx, orgs};

/// Objects and lists in each other; the deepest query has two.
const DEPTH: u8 = 4;
/// Users or keys of one answer.
const LIST_MOST: i64 = 1000;
/// Rows of one look at a list that is filtered, and how many looks there are.
const LOOK: i64 = 200;
const LOOKS: usize = 25;

/// A query whose stamp was verified.
pub struct Query {
    key: PublicKey,
    org: OrgId,
    /// Its members.
    pub members: Map<String, Value>,
}

/// Reads a query.
pub fn ask(presented: &Presented<'_>, body: &[u8]) -> Result<Query, Refused> {
    let stamp = match presented {
        Presented::Key(header) => Stamp::parse(header)?,
        // It brings a token, and serves one activity.
        Presented::Attested(_) => return Err(Refusal::NotAuthorized.into()),
        Presented::Webauthn(header) => return Err(unknown(header).into()),
    };
    stamp.verify(body)?;
    let why = "must be an object in JSON, with each member once";
    let members = json::object(body, BODY_MOST, DEPTH).ok_or(Refusal::Request { field: "body", why })?;
    let org = json::text(&members, "organizationId").and_then(|id| id.parse().ok());
    Ok(Query { key: *stamp.key(), org: org.ok_or(Refusal::MalformedOrganization)?, members })
}

impl Query {
    /// A member that names something by its id.
    fn id<T: std::str::FromStr>(&self, field: &'static str) -> Result<T, Refusal> {
        let id = json::text(&self.members, field).and_then(|id| id.parse().ok());
        id.ok_or(Refusal::Request { field, why: "must be a UUID" })
    }

    /// The organisation that it is about.
    pub(super) fn org(&self) -> OrgId {
        self.org
    }

    /// A member that is a text; an empty one is none.
    pub(super) fn text(&self, field: &'static str) -> Result<Option<&str>, Refusal> {
        match self.members.get(field).filter(|value| !value.is_null()) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(Refusal::Request { field, why: "must be a text" }),
        }
    }

    /// Whoever asks, if they may look at this user, or at everything.
    pub(super) async fn caller(&self, app: &Arc<App>, subject: Option<UserId>) -> Result<Arc<Found>, Refused> {
        let found = caller::find(app, self.org, &self.key).await?;
        if found.actor().may(Call::Query, subject) { Ok(found) } else { Err(Refusal::NotAuthorized.into()) }
    }
}

/// Who somebody is.
pub struct WhoAmI {
    /// Their organisation.
    pub org: OrgId,
    /// Its name.
    pub org_name: String,
    /// They themselves.
    pub user: UserId,
    /// Their name.
    pub name: String,
}

/// Who signs. An organisation's own key is looked for first; then, if it is a parent, the sub-organisation that this key
/// leads to.
pub async fn whoami(app: &Arc<App>, query: &Query) -> Result<WhoAmI, Refused> {
    let found = match caller::find(app, query.org, &query.key).await {
        Err(Refused::Refusal(Refusal::UnknownKey)) => {
            let home = caller::home(app, query.org, query.key).await?.ok_or(Refusal::UnknownKey)?;
            caller::find_unnamed(app, home, &query.key).await?
        }
        found => found?,
    };
    if found.key.org == found.org.id {
        return Ok(WhoAmI {
            org: found.org.id,
            org_name: found.org.name.clone(),
            user: found.user.id,
            name: found.user.name.clone(),
        });
    }
    // A parent's key: they are who they are there.
    let org = found.key.org;
    let read = app.db.read(move |tx| Box::pin(async move { orgs::get(tx, &org).await }));
    let org = read.await?.ok_or(Refusal::UnknownOrganization)?;
    Ok(WhoAmI { org: org.id, org_name: org.name, user: found.user.id, name: found.user.name.clone() })
}

/// An activity.
pub async fn activity(app: &Arc<App>, query: &Query) -> Result<View, Refused> {
    let id: ActivityId = query.id("activityId")?;
    let found = caller::find(app, query.org, &query.key).await?;
    let org = query.org;
    let read = app.db.read(move |tx| Box::pin(async move { with_signer(tx, &org, &id).await }));
    let none = Refusal::Request { field: "activityId", why: "is no activity of this organization" };
    let (activity, signer) = read.await?.ok_or(none)?;
    // Who may look at themselves alone sees what they asked for.
    if !found.actor().may(Call::Query, Some(activity.user).filter(|_| activity.signer_org == found.key.org)) {
        return Err(none.into());
    }
    Ok(View::of(app, activity, signer, Looker::ONLOOKER)?)
}

async fn with_signer(tx: &mut Tx<'_>, org: &OrgId, id: &ActivityId) -> Result<Option<(Activity, Option<Signer>)>> {
    let Some(activity) = activities::get(tx, org, id).await? else { return Ok(None) };
    let signer = signers::get(tx, &activity.signer_org, &activity.user).await?;
    Ok(Some((activity, signer)))
}

/// Words of a list that a query filters by; none: all.
fn words(members: &Map<String, Value>, field: &'static str) -> Result<Vec<String>, Refusal> {
    match members.get(field).filter(|value| !value.is_null()) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let read: Option<Vec<String>> = list.iter().map(text).collect();
            read.ok_or(Refusal::Request { field, why: "must be a list of words" })
        }
        Some(_) => Err(Refusal::Request { field, why: "must be a list of words" }),
    }
}

/// Activities of an organisation, the newest first. With `after` alone, those that come next behind it.
pub async fn activities(app: &Arc<App>, query: &Query) -> Result<Vec<View>, Refused> {
    query.caller(app, None).await?;
    let pages = Pages::read(&query.members)?;
    let statuses: Vec<_> =
        words(&query.members, "filterByStatus")?.iter().filter_map(|it| Status::of_name(it)).collect();
    let kinds: Vec<_> = words(&query.members, "filterByType")?.iter().filter_map(|it| Kind::of_name(it)).collect();
    let asked = (has(&query.members, "filterByStatus"), has(&query.members, "filterByType"));
    let fits = move |found: &Activity| {
        (!asked.0 || statuses.contains(&found.status)) && (!asked.1 || kinds.contains(&found.kind))
    };
    let newest = pages.is_newest();
    let mut after = ActivityId::from_bytes(pages.after());
    let mut before = ActivityId::from_bytes(pages.before());
    let (mut chosen, org) = (Vec::new(), query.org);
    for _ in 0..LOOKS {
        let (from, to) = (after, before);
        let look = app.db.read(move |tx| {
            Box::pin(async move {
                let mut found = Vec::new();
                for activity in activities::list(tx, &org, (&from, &to), newest, LOOK).await? {
                    let signer = signers::get(tx, &activity.signer_org, &activity.user).await?;
                    found.push((activity, signer));
                }
                Ok(found)
            })
        });
        let found = look.await?;
        let (Some((last, _)), whole) = (found.last(), found.len() == usize::try_from(LOOK).unwrap_or(0)) else { break };
        if newest {
            before = last.id;
        } else {
            after = last.id;
        }
        chosen.extend(found.into_iter().filter(|(activity, _)| fits(activity)));
        if chosen.len() >= pages.limit || !whole {
            break;
        }
    }
    let chosen = pages.newest_first(chosen);
    let view = |(activity, signer)| View::of(app, activity, signer, Looker::ONLOOKER);
    Ok(chosen.into_iter().map(view).collect::<Result<_>>()?)
}

fn has(members: &Map<String, Value>, field: &str) -> bool {
    members.get(field).and_then(Value::as_array).is_some_and(|list| !list.is_empty())
}

/// A user and their keys.
pub struct Person {
    /// The user.
    pub user: Signer,
    /// Their keys, also those that are over and were not replaced.
    pub keys: Vec<StampKey>,
}

/// A user.
pub async fn user(app: &Arc<App>, query: &Query) -> Result<Person, Refused> {
    let id: UserId = query.id("userId")?;
    query.caller(app, Some(id)).await?;
    let org = query.org;
    let read = app.db.read(move |tx| {
        Box::pin(async move {
            let Some(user) = signers::get(tx, &org, &id).await? else { return Ok(None) };
            Ok(Some(Person { keys: stamp_keys::of_user(tx, &org, &id).await?, user }))
        })
    });
    Ok(read.await?.ok_or_else(super::keys::nobody)?)
}

/// The users of an organisation.
pub async fn users(app: &Arc<App>, query: &Query) -> Result<Vec<Person>, Refused> {
    query.caller(app, None).await?;
    let org = query.org;
    let read = app.db.read(move |tx| {
        Box::pin(async move {
            let keys = stamp_keys::of_org(tx, &org, LIST_MOST).await?;
            let users = signers::list(tx, &org, LIST_MOST).await?;
            let person = |user: Signer| {
                let keys = keys.iter().filter(|key| key.user == user.id).cloned().collect();
                Person { user, keys }
            };
            Ok(users.into_iter().map(person).collect())
        })
    });
    Ok(read.await?)
}

/// Keys of a user, or, for who may look at everybody, of all.
pub async fn api_keys(app: &Arc<App>, query: &Query) -> Result<Vec<StampKey>, Refused> {
    let named = query.members.get("userId").is_some_and(|value| !value.is_null() && value.as_str() != Some(""));
    let user: Option<UserId> = if named { Some(query.id("userId")?) } else { None };
    query.caller(app, user).await?;
    let org = query.org;
    let read = app.db.read(move |tx| {
        Box::pin(async move {
            match user {
                Some(user) => stamp_keys::of_user(tx, &org, &user).await,
                None => stamp_keys::of_org(tx, &org, LIST_MOST).await,
            }
        })
    });
    Ok(read.await?)
}

/// A key.
pub async fn api_key(app: &Arc<App>, query: &Query) -> Result<StampKey, Refused> {
    let id: CredentialId = query.id("apiKeyId")?;
    let found = caller::find(app, query.org, &query.key).await?;
    let org = query.org;
    let key = app.db.read(move |tx| Box::pin(async move { stamp_keys::get(tx, &org, &id).await })).await?;
    let seen = key.filter(|key| found.actor().may(Call::Query, Some(key.user)));
    Ok(seen.ok_or(Refusal::Request { field: "apiKeyId", why: "is no key of this organization" })?)
}

/// Which sub-organisations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listed {
    /// All that have such a user.
    All,
    /// Those in which the contact was proved.
    Verified,
}

/// Sub-organisations of a parent, in the order in which they were made.
pub async fn suborgs(app: &Arc<App>, query: &Query, listed: Listed) -> Result<Vec<OrgId>, Refused> {
    let found = query.caller(app, None).await?;
    let pages = Pages::read(&query.members)?;
    if found.org.parent.is_some() {
        return Ok(Vec::new());
    }
    let filter = Filter::read(&query.members, listed)?;
    let (parent, limit, after) = (query.org, pages.limit, pages.after());
    let (before, now) = (pages.before(), app.clock.now());
    let read = app.db.read(move |tx| {
        Box::pin(async move {
            let (mut chosen, mut after) = (Vec::new(), OrgId::from_bytes(after));
            for _ in 0..LOOKS {
                let found = filter.below(tx, &parent, &after, now).await?;
                let Some(last) = found.last() else { break };
                after = *last;
                let whole = found.len() == usize::try_from(LOOK).unwrap_or(0);
                for org in found {
                    if *org.as_bytes() < before && filter.takes(tx, &org).await? {
                        chosen.push(org);
                    }
                }
                if chosen.len() >= limit || !whole {
                    break;
                }
            }
            chosen.truncate(limit);
            Ok(chosen)
        })
    });
    Ok(read.await?)
}

/// By what sub-organisations are looked for.
#[derive(Clone)]
enum Filter {
    All,
    None,
    Name(String),
    User(By, String),
    Key(Vec<PublicKey>),
    Proved(Address),
}

impl Filter {
    fn read(members: &Map<String, Value>, listed: Listed) -> Result<Self, Refusal> {
        let text = |name| json::text(members, name).unwrap_or_default();
        let (kind, value) = (text("filterType"), text("filterValue"));
        let bad = |why| Refusal::Request { field: "filterType", why };
        let email = || Email::parse(value).map(Address::from).map_err(|_| Refusal::Email);
        let phone = || {
            let why = "must be a phone number in E.164";
            Phone::parse(value).map(Address::from).map_err(|_| Refusal::Request { field: "filterValue", why })
        };
        Ok(match (listed, kind) {
            (Listed::Verified, "EMAIL") => Self::Proved(email()?),
            (Listed::Verified, "PHONE_NUMBER") => Self::Proved(phone()?),
            (Listed::Verified, _) => return Err(bad("must be EMAIL or PHONE_NUMBER")),
            (Listed::All, "") => Self::All,
            // No name has any of these, and PostgreSQL would not take them all.
            (Listed::All, "NAME" | "USERNAME") if value.chars().any(char::is_control) => Self::None,
            (Listed::All, "NAME") => Self::Name(value.to_owned()),
            (Listed::All, "USERNAME") => Self::User(By::Name, value.to_owned()),
            (Listed::All, "EMAIL") => Self::User(By::Email, email()?.as_str().to_owned()),
            (Listed::All, "PHONE_NUMBER") => Self::User(By::Phone, phone()?.as_str().to_owned()),
            (Listed::All, "PUBLIC_KEY") => {
                let curves = [Curve::P256, Curve::Secp256k1, Curve::Ed25519];
                Self::Key(curves.into_iter().filter_map(|curve| PublicKey::parse(curve, value)).collect())
            }
            // Nobody has any of these here.
            (Listed::All, "CREDENTIAL_ID" | "OIDC_TOKEN" | "WALLET_ACCOUNT_ADDRESS") => Self::None,
            (Listed::All, _) => return Err(bad("is none of the known values")),
        })
    }

    async fn below(
        &self,
        tx: &mut Tx<'_>,
        parent: &OrgId,
        after: &OrgId,
        now: doorcode_core::Timestamp,
    ) -> Result<Vec<OrgId>> {
        match self {
            Self::None => Ok(Vec::new()),
            Self::All => orgs::below(tx, parent, None, after, LOOK).await,
            Self::Name(name) => orgs::below(tx, parent, Some(name), after, LOOK).await,
            Self::User(by, what) => signers::below(tx, parent, (*by, what), after, LOOK).await,
            Self::Proved(contact @ Address::Email(_)) => {
                signers::below(tx, parent, (By::Email, contact.as_str()), after, LOOK).await
            }
            Self::Proved(contact) => signers::below(tx, parent, (By::Phone, contact.as_str()), after, LOOK).await,
            Self::Key(keys) => {
                let mut found = Vec::new();
                for key in keys {
                    found.extend(stamp_keys::below(tx, parent, key, after, LOOK, now).await?);
                }
                found.sort_unstable();
                found.dedup();
                Ok(found)
            }
        }
    }

    /// Whether one that was found is meant.
    async fn takes(&self, tx: &mut Tx<'_>, org: &OrgId) -> Result<bool> {
        let Self::Proved(contact) = self else { return Ok(true) };
        Ok(match contacts::owner(tx, org, contact).await? {
            Ok(user) => contacts::known(tx, &user, contact).await? == Known::Proved,
            Err(_) => false,
        })
    }
}
