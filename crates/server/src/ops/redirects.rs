//! Sign-ins for apps: where browsers may be sent back to, and the exchange of what they bring for tokens. Refuses an address that
//! is not on the list to the byte, a code without its proof, and a code that comes twice: then the session that it became ends.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::redirect::{check_uri, proves};
use doorcode_core::session::{Claim, Kind, Presented};
use doorcode_core::{Error, OrgId, RedirectId, Result, Secret, Timestamp};
use serde::{Deserialize, Serialize};

use super::idempotency::{self, Once};
use super::sessions::{self, Tokens};
use crate::app::App;
use crate::store::redirects::{self as rows, Code, Redirect};
use crate::store::sessions::Session;
use crate::store::{Tx, events, orgs, sessions as session_rows, users};

/// How long a code is good for.
pub const CODE_LIFE: Duration = Duration::from_secs(60);
/// The most addresses on one org's list.
const MOST: i64 = 50;

/// What an app asks the sign-in page for, as it was checked.
#[derive(Clone, Serialize, Deserialize)]
pub struct AppRequest {
    /// The org whose app it is.
    pub client_id: String,
    /// Where the browser goes afterwards.
    pub redirect_uri: String,
    /// What the app will show the origin of.
    pub code_challenge: String,
    /// What the app wants back in the address.
    pub state: Option<String>,
    /// What the app wants back in the token.
    pub nonce: Option<String>,
}

/// An address on the list, as it is answered.
#[derive(Clone, Serialize, Deserialize)]
pub struct RedirectInfo {
    /// Its id.
    pub id: String,
    /// It, to the byte.
    pub uri: String,
}

impl From<Redirect> for RedirectInfo {
    fn from(row: Redirect) -> Self {
        Self { id: row.id.to_string(), uri: row.uri }
    }
}

/// Puts an address on an org's list.
pub async fn add(app: &Arc<App>, org: OrgId, uri: String, once: Option<Once>) -> Result<RedirectInfo> {
    check_uri(&uri)?;
    let now = app.clock.now();
    let (id, event, dev): (RedirectId, _, _) = (app.entropy.id(now)?, app.entropy.id(now)?, app.config.dev);
    app.db
        .write(move |tx| {
            Box::pin(async move {
                if let Some(before) = idempotency::replay(tx, once.as_ref(), now).await? {
                    return Ok(before);
                }
                // Else whoever signs up could have people sign in for them under this server's name.
                let raised = orgs::hold(tx, &org).await?.ok_or(Error::NotFound)?.raised_at.is_some();
                if !raised && !dev {
                    return Err(Error::Invalid {
                        field: "uri",
                        why: "can be added once the operator has raised this org",
                    });
                }
                if rows::count(tx, &org).await? >= MOST {
                    return Err(Error::Conflict("there are 50 addresses already"));
                }
                rows::insert(tx, &org, &id, &uri).await?;
                events::append(tx, &event, &org, events::Kind::RedirectAdded, id.as_bytes()).await?;
                let info = RedirectInfo { id: id.to_string(), uri };
                idempotency::keep(tx, once.as_ref(), &info).await?;
                Ok(info)
            })
        })
        .await
}

/// An org's list behind `after`.
pub async fn list(app: &App, org: OrgId, after: RedirectId, most: i64) -> Result<Vec<RedirectInfo>> {
    let found = app.db.read(move |tx| Box::pin(async move { rows::list(tx, &org, &after, most).await })).await?;
    Ok(found.into_iter().map(RedirectInfo::from).collect())
}

/// Takes an address off an org's list.
pub async fn remove(app: &Arc<App>, org: OrgId, id: RedirectId) -> Result<()> {
    let now = app.clock.now();
    let event = app.entropy.id(now)?;
    app.db
        .write(move |tx| {
            Box::pin(async move {
                if !rows::delete(tx, &org, &id).await? {
                    return Err(Error::NotFound);
                }
                events::append(tx, &event, &org, events::Kind::RedirectRemoved, id.as_bytes()).await
            })
        })
        .await
}

/// Whether an org's apps may have browsers sent there.
pub async fn is_listed(app: &App, org: OrgId, uri: &str) -> Result<bool> {
    let uri = uri.to_owned();
    app.db.read(move |tx| Box::pin(async move { rows::is_listed(tx, &org, &uri).await })).await
}

/// The code that a browser brings, derived from its row.
pub fn reveal(app: &App, code: &Code) -> Result<Secret<String>> {
    let ring = app.keys.ring();
    let roots = ring.get(code.kid).ok_or(Error::Gone)?;
    Ok(claim(code).encode(&roots.session, &code.seed))
}

fn claim(code: &Code) -> Claim {
    Claim { kind: Kind::Code, id: code.id, generation: 0, until: code.expires_at }
}

/// What an app brings to be exchanged.
#[derive(Clone)]
pub struct Exchange {
    /// The code.
    pub code: String,
    /// For whom it was made.
    pub client: OrgId,
    /// Where it was brought.
    pub uri: String,
    /// The origin of the challenge.
    pub verifier: String,
}

/// Exchanges a code for tokens, once. One that comes again ends the session that it became.
pub async fn exchange(app: &Arc<App>, exchange: Exchange) -> Result<Option<Tokens>> {
    let now = app.clock.now();
    let Some(presented) = Presented::read(Kind::Code, &exchange.code) else { return Ok(None) };
    let (unit_app, event, seed) = (Arc::clone(app), app.entropy.id(now)?, app.entropy.bytes()?);
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            let Some(code) = own_code(tx, &unit_app, &presented, &exchange).await? else { return Ok(Exchanged::No) };
            if !rows::use_code(tx, &code.id, now).await? {
                if code.used_at.is_some() && session_rows::revoke(tx, &code.id, now).await? {
                    events::append(tx, &event, &code.org, events::Kind::SessionReused, code.id.as_bytes()).await?;
                    return Ok(Exchanged::Ended);
                }
                return Ok(Exchanged::No);
            }
            // Whoever was removed in the meantime is nobody's user any more.
            if users::names(tx, &code.org, &code.user).await?.is_none() {
                return Ok(Exchanged::No);
            }
            let (owner, client) = ((code.org, code.user), Some(code.client));
            let session = sessions::begin(&unit_app, (code.id, seed), owner, client, String::new(), now);
            session_rows::insert(tx, &session).await?;
            events::append(tx, &event, &code.org, events::Kind::SessionCreated, code.id.as_bytes()).await?;
            Ok(Exchanged::Session(Box::new(session), code.nonce))
        })
    });
    match unit.await? {
        Exchanged::Session(session, nonce) => sessions::tokens_of(app, &session, nonce, now).await.map(Some),
        Exchanged::Ended => {
            app.recent_sessions.forget();
            Ok(None)
        }
        Exchanged::No => Ok(None),
    }
}

/// What an exchange came to.
enum Exchanged {
    /// A session, and what the app wants to find in its token.
    Session(Box<Session>, Option<String>),
    /// The code came before: the session that it became is ended.
    Ended,
    /// The code is not good.
    No,
}

/// The code's row, if everything about it is right: made here, for this app, brought there, and proved.
async fn own_code(tx: &mut Tx<'_>, app: &App, presented: &Presented, exchange: &Exchange) -> Result<Option<Code>> {
    let Some(code) = rows::code(tx, &presented.claim.id).await? else { return Ok(None) };
    let ring = app.keys.ring();
    let made_here = ring.get(code.kid).is_some_and(|roots| presented.is_of(&roots.session, &code.seed));
    let right = made_here
        && code.client == exchange.client
        && code.uri == exchange.uri
        && proves(&exchange.verifier, &code.code_challenge);
    Ok(Some(code).filter(|_| right))
}

/// The row of a code for whoever just signed in.
pub(super) fn code_for(
    app: &App,
    request: &AppRequest,
    (id, seed): (doorcode_core::SessionId, [u8; 16]),
    (org, user): (OrgId, doorcode_core::UserId),
    now: Timestamp,
) -> Result<Code> {
    Ok(Code {
        id,
        client: request.client_id.parse()?,
        uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        org,
        user,
        kid: app.keys.ring().active().kid,
        seed,
        expires_at: now.plus(CODE_LIFE),
        used_at: None,
    })
}
