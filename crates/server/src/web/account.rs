//! `/account`: the page of somebody who is signed in: team, keys, sessions. Refuses everything to a browser without a session, and
//! a form that another site sent.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use doorcode_core::{Result, Secret, Timestamp, UserId};

use super::forms::{Sent, TOKEN_FIELD, Token};
use super::pages::{
    Account, Form, ID_FIELD, Key, KeyProblem, Member, NAME_FIELD, NewKey, Notice, SCOPES_FIELD, Session, account,
};
use super::reply::{Page, frame, go, refusal};
use super::{browser, cookies, sealed};
use crate::app::App;
use crate::ops::idempotency::Once;
use crate::ops::keys::{self, ADMIN, KeyInfo, VERIFY, Wanted};
use crate::ops::orgs;
use crate::ops::sessions::{self, Live};
use crate::ops::sign_in::{NAME_MOST, clean_name};
use crate::ops::users::{self, UserInfo};
use crate::store::sessions::Session as SessionRow;

/// The most members and keys on the page.
const SHOWN: i64 = 100;
/// The hidden field by which a form that is sent twice makes one key.
const ONCE_FIELD: &str = "once";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/account", get(look))
        .route("/account/keys", post(create_key))
        .route("/account/keys/revoke", post(revoke_key))
        .route("/account/sessions/end", post(end_session))
        .route("/account/sessions/end-all", post(end_all))
        .route("/account/sign-out", post(sign_out))
}

/// What the page has to say besides what it always shows.
#[derive(Default)]
struct Said {
    notice: Option<Notice>,
    key_problem: Option<KeyProblem>,
    new_key: Option<(String, Secret<String>)>,
    status: StatusCode,
}

impl Said {
    fn notice(notice: Notice) -> Self {
        let status = if notice == Notice::FormExpired { StatusCode::FORBIDDEN } else { StatusCode::OK };
        Self { notice: Some(notice), status, ..Self::default() }
    }
}

async fn look(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match browser::session(&app, &headers).await {
        Some(live) => show(&app, &headers, &live, Said::default()).await,
        None => go("/signin", None),
    }
}

async fn show(app: &Arc<App>, headers: &HeaderMap, live: &Live, said: Said) -> Response {
    render(app, headers, live, said).await.unwrap_or_else(|error| refusal(app, headers, &error))
}

async fn render(app: &Arc<App>, headers: &HeaderMap, live: &Live, said: Said) -> Result<Response> {
    let (org, user) = (live.session.org, live.session.user);
    let team = orgs::show(app, org, org).await?.name;
    let people = users::list(app, org, UserId::from_bytes([0; 16]), SHOWN).await?;
    let alive: Vec<(KeyInfo, String)> =
        keys::living(app, org, SHOWN).await?.into_iter().map(|key| (key.clone(), scopes_of(&key))).collect();
    let sessions: Vec<(SessionRow, String)> =
        sessions::list(app, user, None).await?.into_iter().map(|row| (row.clone(), row.id.to_string())).collect();
    let token = Token::of(app, headers)?;
    let once = sealed::nonce(app)?;
    let hidden = [(TOKEN_FIELD, token.token.as_str())];
    let creating = [(TOKEN_FIELD, token.token.as_str()), (ONCE_FIELD, once.as_str())];
    let form = |action| Form { action, hidden: &hidden };
    let html = account(&Account {
        frame: frame(app, headers),
        team: &team,
        name: &live.owner.full_name,
        email: live.owner.email.as_deref().unwrap_or_default(),
        notice: said.notice,
        members: &people.iter().map(|person| member(person, user)).collect::<Vec<_>>(),
        keys: &alive.iter().map(|(key, scopes)| shown_key(key, scopes)).collect::<Vec<_>>(),
        revoke_key: form("/account/keys/revoke"),
        create_key: Form { action: "/account/keys", hidden: &creating },
        scopes: &["", ADMIN],
        key_problem: said.key_problem,
        new_key: said.new_key.as_ref().map(|(name, key)| NewKey { name, key }),
        sessions: &sessions.iter().map(|(row, id)| shown_session(row, id, live)).collect::<Vec<_>>(),
        end_session: form("/account/sessions/end"),
        end_all: form("/account/sessions/end-all"),
        sign_out: form("/account/sign-out"),
    });
    Ok(Page::new(html).status(said.status).cookie(token.cookie).answer())
}

/// The page has words for what every key may, and for everything.
fn scopes_of(key: &KeyInfo) -> String {
    match key.scopes.as_slice() {
        [only] if only == VERIFY => String::new(),
        scopes if scopes.iter().any(|scope| scope == ADMIN) => ADMIN.to_owned(),
        scopes => scopes.join(" "),
    }
}

fn member(person: &UserInfo, me: UserId) -> Member<'_> {
    Member {
        name: &person.full_name,
        email: person.email.as_deref().unwrap_or_default(),
        joined: Timestamp::from_millis(person.created_at),
        me: person.id == me.to_string(),
    }
}

fn shown_key<'a>(key: &'a KeyInfo, scopes: &'a str) -> Key<'a> {
    Key {
        id: &key.id,
        name: key.name.as_deref().unwrap_or_default(),
        hint: &key.hint,
        scopes,
        created: Timestamp::from_millis(key.created_at),
        last_used: key.last_used_at.map(Timestamp::from_millis),
        expires: key.expires_at.map(Timestamp::from_millis),
    }
}

fn shown_session<'a>(row: &'a SessionRow, id: &'a str, live: &Live) -> Session<'a> {
    Session {
        id,
        browser: &row.agent,
        created: row.id.made_at(),
        last_seen: row.seen_at,
        this: row.id == live.session.id,
    }
}

/// Who sent a form, if they are signed in and it is ours; else what to answer.
async fn sender(app: &Arc<App>, form: &Sent) -> std::result::Result<Arc<Live>, Response> {
    let Some(live) = browser::session(app, &form.headers).await else { return Err(go("/signin", None)) };
    if form.is_ours(app) {
        Ok(live)
    } else {
        Err(show(app, &form.headers, &live, Said::notice(Notice::FormExpired)).await)
    }
}

async fn create_key(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let name = form.field(NAME_FIELD);
    if clean_name(name).is_none() || name.chars().count() > NAME_MOST {
        let most = u32::try_from(NAME_MOST).unwrap_or(u32::MAX);
        let said = Said {
            key_problem: Some(KeyProblem::Name(most)),
            status: StatusCode::UNPROCESSABLE_ENTITY,
            ..Said::default()
        };
        return show(&app, &form.headers, &live, said).await;
    }
    let scope = if form.field(SCOPES_FIELD) == ADMIN { ADMIN } else { VERIFY };
    let maker = Some(live.session.user);
    let wanted = Wanted { name: name.to_owned(), scopes: vec![scope.to_owned()], life: None, maker };
    let body = format!("{name} {scope}");
    let once = Once::new(live.session.org, "keys of the page", form.field(ONCE_FIELD), body.as_bytes());
    match keys::create(&app, live.session.org, wanted, Some(once)).await {
        Ok(made) => {
            let new_key = Some((made.info.name.unwrap_or_default(), made.key));
            show(&app, &form.headers, &live, Said { new_key, ..Said::default() }).await
        }
        Err(error) => refusal(&app, &form.headers, &error),
    }
}

async fn revoke_key(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let revoked = match form.field(ID_FIELD).parse() {
        Ok(id) => keys::revoke(&app, live.session.org, id).await,
        Err(error) => Err(error),
    };
    match revoked {
        Ok(()) => show(&app, &form.headers, &live, Said::notice(Notice::KeyRevoked)).await,
        Err(error) => refusal(&app, &form.headers, &error),
    }
}

async fn end_session(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let ended = match form.field(ID_FIELD).parse() {
        Ok(id) => sessions::revoke(&app, &live.session, id).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(_) => show(&app, &form.headers, &live, Said::notice(Notice::SessionEnded)).await,
        Err(error) => refusal(&app, &form.headers, &error),
    }
}

async fn end_all(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    match sessions::revoke_all(&app, live.session.org, live.session.user, None).await {
        Ok(_) => go("/signin", [cookies::end(&app, cookies::SESSION)]),
        Err(error) => refusal(&app, &form.headers, &error),
    }
}

async fn sign_out(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    match sessions::revoke(&app, &live.session, live.session.id).await {
        Ok(_) => go("/signin", [cookies::end(&app, cookies::SESSION)]),
        Err(error) => refusal(&app, &form.headers, &error),
    }
}
