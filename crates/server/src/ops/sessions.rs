//! Sessions: a signed-in browser by its cookie, a signed-in app by an access token of minutes and a refresh token that is good once.
//! A refresh token that comes twice was stolen, from the app or by it: the whole session ends. Refuses to tell apart what is
//! wrong, over, ended or never was.

use std::sync::Arc;
use std::time::Duration;

use doorcode_core::session::{Claim, Kind, Presented};
use doorcode_core::token::{Claims, Typ};
use doorcode_core::{EventId, OrgId, Result, Secret, SessionId, Timestamp, UserId};

use super::tokens;
use crate::app::App;
use crate::store::sessions::{self as rows, Owner, Session};
use crate::store::{Tx, events, users};

/// Sessions of one person that are listed.
const LISTED: i64 = 100;
/// A session that was here this recently is not noted again.
const SEEN_NOTED: Duration = Duration::from_secs(300);

/// A session and whose it is.
pub struct Live {
    /// It.
    pub session: Session,
    /// Its owner.
    pub owner: Owner,
}

/// What an app is given.
pub struct Tokens {
    /// Shown with each request, for minutes.
    pub access: Secret<String>,
    /// How long that is good for.
    pub access_life: Duration,
    /// Exchanged for the next two, once.
    pub refresh: Secret<String>,
    /// Who signed in, for any service to check by itself.
    pub id_token: Secret<String>,
}

/// A new session, before its row is written. Everything that is drawn is handed in.
pub fn begin(
    app: &App,
    (id, seed): (SessionId, [u8; 16]),
    (org, user): (OrgId, UserId),
    client: Option<OrgId>,
    agent: String,
    now: Timestamp,
) -> Session {
    let settings = &app.config.sessions;
    Session {
        id,
        org,
        user,
        client,
        kid: app.keys.ring().active().kid,
        seed,
        generation: 0,
        seen_at: now,
        idle_until: now.plus(settings.idle),
        until: now.plus(settings.absolute),
        revoked_at: None,
        agent,
    }
}

/// What a browser keeps.
pub fn cookie(app: &App, session: &Session) -> Result<Secret<String>> {
    present(app, session, Kind::Cookie, session.until)
}

/// What an app shows with each request, for minutes.
pub fn access(app: &App, session: &Session, now: Timestamp) -> Result<Secret<String>> {
    present(app, session, Kind::Access, now.plus(app.config.sessions.access).min(session.until))
}

fn present(app: &App, session: &Session, kind: Kind, until: Timestamp) -> Result<Secret<String>> {
    let ring = app.keys.ring();
    let roots = ring.get(session.kid).ok_or(doorcode_core::Error::Gone)?;
    let claim = Claim { kind, id: session.id, generation: session.generation, until };
    Ok(claim.encode(&roots.session, &session.seed))
}

/// The session that a cookie or an access token is of, if it is good. Notes that it was here.
pub async fn read(app: &Arc<App>, kind: Kind, text: &str) -> Result<Option<Arc<Live>>> {
    let now = app.clock.now();
    let Some(presented) = Presented::read(kind, text).filter(|presented| presented.claim.until > now) else {
        return Ok(None);
    };
    let id = presented.claim.id;
    let found = match app.recent_sessions.get(id.as_bytes(), now) {
        Some(live) => Some(live),
        None => look(app, id, now).await?,
    };
    Ok(found.filter(|live| is_of(app, &presented, &live.session) && live.session.is_live(now)))
}

/// Reads a session, and keeps it for who asks in the same moment.
async fn look(app: &Arc<App>, id: SessionId, now: Timestamp) -> Result<Option<Arc<Live>>> {
    let endings = app.recent_sessions.endings();
    let found = app.db.read(move |tx| Box::pin(async move { rows::with_owner(tx, &id).await })).await?;
    let Some((session, owner)) = found.filter(|(session, _)| session.is_live(now)) else { return Ok(None) };
    if now.since(session.seen_at) >= SEEN_NOTED {
        note_seen(app, id, now);
    }
    let live = Arc::new(Live { session, owner });
    app.recent_sessions.keep(id.as_bytes(), &live, endings, now);
    Ok(Some(live))
}

fn is_of(app: &App, presented: &Presented, session: &Session) -> bool {
    let ring = app.keys.ring();
    ring.get(session.kid).is_some_and(|roots| presented.is_of(&roots.session, &session.seed))
}

/// Without keeping anybody waiting.
fn note_seen(app: &Arc<App>, id: SessionId, now: Timestamp) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let idle_until = now.plus(app.config.sessions.idle);
        let noted = app.db.write(move |tx| Box::pin(async move { rows::seen(tx, &id, now, idle_until).await }));
        if let Err(error) = noted.await {
            tracing::debug!(error = %crate::chain(&error), "a session that was here was not noted");
        }
    });
}

/// What a refresh token came to.
enum Refreshed {
    /// The next ones.
    Next(Box<Session>),
    /// It came before: the session is ended.
    Stolen,
    /// It is none of ours, or of a session that is over.
    No,
}

/// Exchanges a refresh token for the next tokens. One that was exchanged before ends its session.
pub async fn refresh(app: &Arc<App>, text: &str, client: Option<OrgId>) -> Result<Option<Tokens>> {
    let now = app.clock.now();
    let Some(presented) = Presented::read(Kind::Refresh, text) else { return Ok(None) };
    let (unit_app, event) = (Arc::clone(app), app.entropy.id(now)?);
    let unit =
        app.db.write(move |tx| Box::pin(async move { rotate(tx, &unit_app, &presented, client, &event, now).await }));
    match unit.await? {
        Refreshed::Next(session) => tokens_of(app, &session, None, now).await.map(Some),
        Refreshed::Stolen => {
            app.recent_sessions.forget();
            tracing::warn!("a refresh token came twice; its session is ended");
            Ok(None)
        }
        Refreshed::No => Ok(None),
    }
}

async fn rotate(
    tx: &mut Tx<'_>,
    app: &App,
    presented: &Presented,
    client: Option<OrgId>,
    event: &EventId,
    now: Timestamp,
) -> Result<Refreshed> {
    let claim = &presented.claim;
    let found = rows::get(tx, &claim.id).await?.filter(|session| is_of(app, presented, session));
    let Some(mut session) = found.filter(|session| client.is_none() || session.client == client) else {
        return Ok(Refreshed::No);
    };
    let idle_until = now.plus(app.config.sessions.idle);
    if claim.generation == session.generation && rows::rotate(tx, &claim.id, claim.generation, idle_until, now).await? {
        (session.generation, session.idle_until) = (session.generation + 1, idle_until);
        return Ok(Refreshed::Next(Box::new(session)));
    }
    if claim.generation < session.generation && rows::revoke(tx, &claim.id, now).await? {
        events::append(tx, event, &session.org, events::Kind::SessionReused, claim.id.as_bytes()).await?;
        return Ok(Refreshed::Stolen);
    }
    Ok(Refreshed::No)
}

/// Everything that an app is given for a session.
pub(super) async fn tokens_of(app: &App, session: &Session, nonce: Option<String>, now: Timestamp) -> Result<Tokens> {
    let (org, user) = (session.org, session.user);
    let found = app.db.read(move |tx| Box::pin(async move { users::get(tx, &org, &user).await })).await?;
    let email = found.and_then(|user| user.email);
    let access_life = app.config.sessions.access;
    let access_until = now.plus(access_life).min(session.until);
    Ok(Tokens {
        access: access(app, session, now)?,
        access_life: access_until.since(now),
        refresh: present(app, session, Kind::Refresh, session.until)?,
        id_token: id_token(app, session, email, nonce, now)?,
    })
}

fn id_token(
    app: &App,
    session: &Session,
    email: Option<String>,
    nonce: Option<String>,
    now: Timestamp,
) -> Result<Secret<String>> {
    let at = now.millis().div_euclid(1000);
    let life = i64::try_from(app.config.native.token_life.as_secs()).unwrap_or(i64::MAX);
    let claims = Claims {
        iss: app.base_url(),
        aud: session.client.unwrap_or(session.org).to_string(),
        sub: session.user.to_string(),
        jti: app.entropy.id::<doorcode_core::id::Event>(now)?.to_string(),
        iat: at,
        exp: at.saturating_add(life),
        amr: vec!["otp".to_owned()],
        challenge_id: Some(session.id.to_string()),
        email_verified: email.is_some().then_some(true),
        email,
        org_id: None,
        sid: Some(session.id.to_string()),
        nonce,
    };
    tokens::sign(app, Typ::Id, &claims).map(Secret::new)
}

/// Where somebody is signed in: in browsers, or, for an app, by way of it.
pub async fn list(app: &App, user: UserId, client: Option<OrgId>) -> Result<Vec<Session>> {
    let now = app.clock.now();
    app.db.read(move |tx| Box::pin(async move { rows::of_user(tx, &user, client.as_ref(), now, LISTED).await })).await
}

/// Ends one session of somebody. False: it is none of theirs, or over.
pub async fn revoke(app: &Arc<App>, owner: &Session, id: SessionId) -> Result<bool> {
    let now = app.clock.now();
    let (user, org, client, event) = (owner.user, owner.org, owner.client, app.entropy.id(now)?);
    let revoked = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                let theirs = |session: &Session| session.user == user && (client.is_none() || session.client == client);
                if rows::get(tx, &id).await?.is_none_or(|session| !theirs(&session)) {
                    return Ok(false);
                }
                let revoked = rows::revoke(tx, &id, now).await?;
                if revoked {
                    events::append(tx, &event, &org, events::Kind::SessionEnded, id.as_bytes()).await?;
                }
                Ok(revoked)
            })
        })
        .await?;
    app.recent_sessions.forget();
    Ok(revoked)
}

/// Ends every session of somebody: in browsers and apps, or by way of one org's apps alone.
pub async fn revoke_all(app: &Arc<App>, org: OrgId, user: UserId, client: Option<OrgId>) -> Result<usize> {
    let now = app.clock.now();
    let event = app.entropy.id(now)?;
    let ended = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                let ended = match &client {
                    Some(client) => rows::revoke_of_client(tx, &user, client, now).await?,
                    None => rows::revoke_of_user(tx, &user, now).await?,
                };
                events::append(tx, &event, &org, events::Kind::SessionAllEnded, user.as_bytes()).await?;
                Ok(ended)
            })
        })
        .await?;
    app.recent_sessions.forget();
    Ok(ended)
}
