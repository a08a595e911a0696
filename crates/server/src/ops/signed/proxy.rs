//! The auth proxy: apps whose people have no key yet call without a stamp, for the one organisation that let them. Refuses pages of origins that
//! are not on its list, to say whether anybody has an account before they have proved the address, and at sign-up every key that is not the
//! token's own, and every contact but the token's. What it does in an organisation below is what a parent's key may do there.

use std::sync::Arc;

use doorcode_core::activity::{Kind, Parameters, Status};
use doorcode_core::seal::turnkey::Verification;
use doorcode_core::stamp::authority::{Call, Side};
use doorcode_core::stamp::{Curve, KeyKind, PublicKey, Refusal};
use doorcode_core::{Address, Error, OrgId, Result, Timestamp, UserId, json};
use serde_json::{Map, Value, json};

use super::activity::Deed;
use super::caller::{Found, KEYLESS};
use super::login::Spending;
use super::task::Task;
use super::view::{Looker, View};
use super::{Refused, caller, contacts, features};
use crate::app::App;
use crate::ops::client::Client;
use crate::store::Tx;
use crate::store::activities::Activity;
use crate::store::identities::Known;
use crate::store::orgs::{self, Org};
use crate::store::signers::{self, By, Signer};
use crate::store::stamp_keys::StampKey;

/// What stands for a key in the proxy's activities: nobody's.
const PROXY: &str = "auth-proxy";
/// Sub-organisations of one look for a contact's. There are as many looks as it takes: nobody who only says that it is theirs hides its owner's.
const LOOK: i64 = 20;

/// An organisation whose people's apps call, and where the one is who does.
pub struct Proxy {
    org: Org,
    client: Client,
}

/// The organisation that a configuration is of: it has its id. `origin` is that of the page that calls; programs have none.
pub async fn proxy(app: &App, config: &str, origin: Option<&str>, client: Client) -> Result<Proxy, Refused> {
    let id: OrgId = config.parse().map_err(|_| Refusal::NotAuthorized)?;
    let org = app.db.read(move |tx| Box::pin(async move { orgs::get(tx, &id).await })).await?;
    let org = org.filter(|org| org.proxy.is_some()).ok_or(Refusal::NotAuthorized)?;
    let listed = |origin: &str| org.proxy.iter().flat_map(|list| list.split(' ')).any(|one| one == origin);
    if origin.is_some_and(|origin| !listed(origin)) {
        return Err(Refusal::NotAuthorized.into());
    }
    let client = client.through(id);
    Ok(Proxy { org, client })
}

/// Lets apps call for an organisation from pages of these origins; none: no longer.
pub async fn set_origins(app: &App, org: OrgId, origins: &[String]) -> Result<()> {
    for origin in origins {
        let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let plain = |rest: &str| {
            !rest.is_empty()
                && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:[]".contains(&b))
        };
        if !rest.is_some_and(plain) {
            return Err(Error::Invalid { field: "origin", why: "must be like https://app.example.com" });
        }
    }
    let list = (!origins.is_empty()).then(|| origins.join(" "));
    let set = app.db.write(move |tx| {
        Box::pin(async move {
            orgs::name(tx, &org).await?.ok_or(Error::NotFound)?;
            orgs::set_proxy(tx, &org, list.as_deref()).await
        })
    });
    set.await
}

impl Proxy {
    /// Its organisation.
    pub fn org(&self) -> OrgId {
        self.org.id
    }

    /// Who calls, in an organisation: somebody with the rights of a root user of this one, and below it of its parent's, from where they are.
    fn found(&self, org: Org) -> Result<Found> {
        let user = UserId::from_bytes(*self.org.id.as_bytes());
        // Never compared: nothing that the proxy does is signed.
        let key =
            PublicKey::parse(Curve::P256, GENERATOR).ok_or_else(|| Error::internal("the curve has a generator"))?;
        Ok(Found {
            key: StampKey {
                org: self.org.id,
                id: KEYLESS,
                user,
                key,
                kind: KeyKind::Login,
                name: String::new(),
                expires_at: None,
                inert: None,
                proved: true,
            },
            user: Signer {
                org: self.org.id,
                id: user,
                name: "Auth proxy".to_owned(),
                email: None,
                phone: None,
                root: true,
            },
            side: if org.id == self.org.id { Side::Own } else { Side::Parent },
            org,
            sandbox: features::has_sandbox(&self.org, None),
            client: Some(self.client.clone()),
        })
    }

    /// Does what a call asks, as an activity of this kind, and gives the members of its result.
    async fn submit(
        &self,
        app: &Arc<App>,
        kind: Kind,
        members: Map<String, Value>,
    ) -> Result<Map<String, Value>, Refused> {
        self.submit_in(app, self.org.clone(), kind, members).await
    }

    /// Who calls, if they may do this in an organisation: by the rule that signed calls are judged by.
    fn admitted(&self, org: Org, kind: Kind) -> Result<Arc<Found>, Refused> {
        let caller = self.found(org)?;
        if caller.actor().may(Call::Activity(kind), None) {
            Ok(Arc::new(caller))
        } else {
            Err(Refusal::NotAuthorized.into())
        }
    }

    async fn submit_in(
        &self,
        app: &Arc<App>,
        org: Org,
        kind: Kind,
        members: Map<String, Value>,
    ) -> Result<Map<String, Value>, Refused> {
        let now = app.clock.now();
        let caller = self.admitted(org, kind)?;
        let parameters = Parameters::check(kind, &members)?;
        let task = Task::new(app, &caller, None, &parameters, now)?;
        let body = json!({
            "type": kind.name(),
            "timestampMs": now.millis().to_string(),
            "organizationId": caller.org.id.to_string(),
            "parameters": parameters.masked(),
        });
        let claim = Activity {
            id: app.entropy.id(now)?,
            org: caller.org.id,
            print: None,
            kind,
            status: Status::Created,
            signer_org: self.org.id,
            user: caller.user.id,
            public_key: PROXY.to_owned(),
            scheme: PROXY.to_owned(),
            plain: None,
            signature: None,
            body: body.to_string(),
            result: None,
            failure: None,
        };
        let deed = Deed { claim, task, dated: None, now, event: app.entropy.id(now)? };
        let done = deed.perform(app, &caller).await?;
        let view = View::of(app, done, None, Looker { key: Some(PROXY), fingerprint: None, signature: None })?;
        match view.failure {
            Some(failure) => Err(failure.refusal().into()),
            None => Ok(view.result.unwrap_or_default()),
        }
    }

    /// A code, for any contact. What the app says of the mail is ignored.
    pub async fn start(
        &self,
        app: &Arc<App>,
        kind: Kind,
        body: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Refused> {
        let mut members = taken(body, &["otpType", "contact"]);
        members.insert("appName".to_owned(), self.org.name.clone().into());
        self.submit(app, kind, members).await
    }

    /// A code that comes back, in the clear or sealed.
    pub async fn verify(
        &self,
        app: &Arc<App>,
        kind: Kind,
        body: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Refused> {
        self.submit(app, kind, taken(body, &["otpId", "otpCode", "publicKey", "encryptedOtpBundle"])).await
    }

    /// A session, by a token, in the organisation below that is named, or the one that has its contact.
    pub async fn login(
        &self,
        app: &Arc<App>,
        kind: Kind,
        body: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Refused> {
        let token = self.token(app, body)?;
        let org = match json::text(body, "organizationId").filter(|id| !id.is_empty()) {
            Some(id) => Some(id.parse().map_err(|_| Refusal::MalformedOrganization)?),
            None => self.of_contact(app, token.contact).await?,
        };
        let id: OrgId = org.ok_or(Refusal::Token)?;
        let org = app.db.read(move |tx| Box::pin(async move { orgs::get(tx, &id).await })).await?;
        // Never this one: its users are the operator's, who sign.
        let org = org.filter(|org| org.parent == Some(self.org.id)).ok_or(Refusal::Token)?;
        let members = taken(body, &["verificationToken", "publicKey", "invalidateExisting", "clientSignature"]);
        self.submit_in(app, org, kind, members).await
    }

    /// Whose a contact is, for who brings a token for it; or a key. Nobody else hears whether anybody has it.
    pub async fn account(&self, app: &Arc<App>, body: &Map<String, Value>) -> Result<Option<OrgId>, Refused> {
        let text = |name| json::text(body, name).unwrap_or_default();
        match text("filterType") {
            "EMAIL" | "PHONE_NUMBER" => {
                let Ok(token) = self.token(app, body) else { return Ok(None) };
                let same = Address::parse(text("filterValue")).is_ok_and(|address| address == token.contact);
                if same { Ok(self.of_contact(app, token.contact).await?) } else { Ok(None) }
            }
            "PUBLIC_KEY" => {
                let Some(key) = PublicKey::parse(Curve::P256, text("filterValue")) else { return Ok(None) };
                Ok(caller::home(app, self.org.id, key).await?)
            }
            _ => Ok(None),
        }
    }

    /// A sub-organisation of somebody's own: with the contact that their token proves, and the key that it names.
    pub async fn sign_up(
        &self,
        app: &Arc<App>,
        kind: Kind,
        body: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Refused> {
        let token = self.token(app, body)?;
        let other = match token.contact {
            Address::Email(_) => "userPhoneNumber",
            Address::Phone(_) => "userEmail",
        };
        if json::text(body, other).is_some_and(|text| !text.is_empty()) {
            return Err(Refusal::Request { field: other, why: "is not what the token proves" }.into());
        }
        let keys = body.get("apiKeys").and_then(Value::as_array).into_iter().flatten();
        let own = |given: &Value| {
            let key =
                given.get("publicKey").and_then(Value::as_str).and_then(|text| PublicKey::parse(Curve::P256, text));
            key.is_some() && key == token.key
        };
        if !keys.clone().all(own) {
            return Err(Refusal::Request {
                field: "apiKeys",
                why: "has a key that is not the token's: nobody proved to have it",
            }
            .into());
        }
        if self.of_contact(app, token.contact.clone()).await?.is_some() {
            return Err(Refusal::Request { field: "contact", why: "has an account: log in" }.into());
        }
        let mut user = taken(body, &["userEmail", "userPhoneNumber", "apiKeys", "authenticators", "oauthProviders"]);
        let name = |member| json::text(body, member).map(str::trim).filter(|name| !name.is_empty());
        user.insert("userName".to_owned(), name("userName").unwrap_or("User").into());
        let mut members = taken(body, &["verificationToken", "clientSignature", "wallet"]);
        members.insert("subOrganizationName".to_owned(), name("organizationName").unwrap_or("Sub-organization").into());
        members.insert("rootUsers".to_owned(), json!([user]));
        members.insert("rootQuorumThreshold".to_owned(), 1.into());
        let mut made = self.submit(app, kind, members).await?;
        let user = made.get("rootUserIds").and_then(|ids| ids.get(0)).cloned().unwrap_or_default();
        let org = made.remove("subOrganizationId").unwrap_or_default();
        Ok(Map::from_iter([("organizationId".to_owned(), org), ("userId".to_owned(), user)]))
    }

    /// The token of a call, good in this organisation.
    fn token(&self, app: &App, body: &Map<String, Value>) -> Result<Verification, Refusal> {
        Spending::read(app, &self.org, json::text(body, "verificationToken").unwrap_or_default(), app.clock.now())
    }

    /// The organisation that has a contact as one of its users': one where it was proved, before one where it is only said, and in which the
    /// contact's owner would not find somebody else's key.
    async fn of_contact(&self, app: &App, contact: Address) -> Result<Option<OrgId>> {
        let (parent, now) = (self.org.id, app.clock.now());
        let (mut after, mut said) = (OrgId::from_bytes([0; 16]), None);
        loop {
            let (from, of) = (after, contact.clone());
            let look =
                app.db.read(move |tx| Box::pin(async move { look(tx, (&parent, &from), &of, now).await })).await?;
            said = said.or(look.said);
            match (look.proved, look.last) {
                (Some(org), _) => return Ok(Some(org)),
                (None, Some(last)) => after = last,
                (None, None) => return Ok(said),
            }
        }
    }
}

/// What a look for a contact's organisation found.
#[derive(Default)]
struct Look {
    proved: Option<OrgId>,
    said: Option<OrgId>,
    /// Behind this one there may be more.
    last: Option<OrgId>,
}

async fn look(tx: &mut Tx<'_>, (parent, after): (&OrgId, &OrgId), contact: &Address, now: Timestamp) -> Result<Look> {
    let by = if contact.email().is_some() { By::Email } else { By::Phone };
    let orgs = signers::below(tx, parent, (by, contact.as_str()), after, LOOK).await?;
    let whole = orgs.len() == usize::try_from(LOOK).unwrap_or(0);
    let mut look = Look { last: orgs.last().copied().filter(|_| whole), ..Look::default() };
    for org in orgs {
        let Ok(user) = contacts::owner(tx, &org, contact).await? else { continue };
        match contacts::known(tx, &user, contact).await? {
            Known::Proved => return Ok(Look { proved: Some(org), ..look }),
            Known::Vouched if look.said.is_none() && !contacts::has_keys(tx, &user, now).await? => {
                look.said = Some(org);
            }
            Known::Vouched | Known::Nothing => {}
        }
    }
    Ok(look)
}

/// Any point: see [`Proxy::found`].
const GENERATOR: &str = "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";

/// Members that are passed on.
fn taken(body: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), body.get(*name)?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn org(id: u8, parent: Option<u8>) -> Org {
        let id_of = |byte| OrgId::from_bytes([byte; 16]);
        let (name, features) = (String::new(), String::new());
        Org { id: id_of(id), parent: parent.map(id_of), name, raised_at: None, features, proxy: None }
    }

    /// The attack: by a call of the proxy's, which nobody signs, somebody's own organisation is changed.
    #[test]
    fn below_it_does_what_a_parents_key_may_and_no_more() {
        let proxy = Proxy { org: org(1, None), client: Client::at(IpAddr::from([192, 0, 2, 1])) };
        for kind in Kind::all() {
            let below = proxy.admitted(org(2, Some(1)), kind);
            assert_eq!(below.is_ok(), kind.is_open_to_parent(), "{}", kind.name());
            assert!(proxy.admitted(org(1, None), kind).is_ok(), "{}", kind.name());
        }
    }
}
