//! `/approvals`: where a person says yes or no to their agents, and `/approvals/…`: what they have set for them. Refuses everything to a
//! browser without a session, a yes by one that signed in long ago, a form that another site sent, and to say whether a request of
//! somebody else exists.

mod agents;
mod cards;
mod devices;
mod events;
mod mailboxes;
mod push;
mod rules;
mod settings;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use doorcode_core::relay::Named as _;
use doorcode_core::{Error, RelayId, Result};
use serde::Deserialize;

use super::browser;
use super::forms::{Sent, TOKEN_FIELD, Token};
use super::onward::by_signing_in;
use super::pages::{Approvals, Note, approvals};
use super::reply::{Page, frame, go, minutes, refusal};
use crate::app::App;
use crate::ops::audit::Whose;
use crate::ops::relays::{self, Approver, Shown, Viewer};
use crate::ops::sessions::Live;

/// Requests that are over, on one page.
const PAST: usize = 50;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/approvals", get(look))
        .route("/approvals/events", get(events::events))
        .route("/approvals/approve", post(words::approve))
        .route("/approvals/deny", post(words::deny))
        .route("/approvals/choose", post(words::choose))
        .route("/approvals/unverified", post(words::unverified))
        .route("/approvals/pause", post(words::pause))
        .route("/approvals/settings", get(settings::look))
        .route("/approvals/senders", post(settings::senders))
        .route("/approvals/agents/{id}", get(agents::look))
        .route("/approvals/agents/{id}/{step}", post(agents::change))
        .route("/approvals/devices/remove", post(devices::remove))
        .route("/approvals/devices/collector", post(devices::collector))
        .route("/approvals/devices/link", post(devices::link))
        .route("/approvals/mailboxes/add", post(mailboxes::add))
        .route("/approvals/mailboxes/password", post(mailboxes::password))
        .route("/approvals/mailboxes/remove", post(mailboxes::remove))
        .route("/approvals/push/add", post(push::add))
        .route("/approvals/push/remove", post(push::remove))
        .route("/sw.js", get(push::worker))
}

/// What the address of the page asks for.
#[derive(Deserialize, Default)]
struct Asked {
    /// One request, to be seen first.
    request: Option<String>,
    /// What is over, from before this one on.
    before: Option<String>,
}

/// What the page has to say besides what it always shows.
#[derive(Default)]
struct Said {
    note: Option<Note>,
    /// Where one comes back to after another sign-in.
    next: Option<String>,
}

impl Said {
    fn note(note: Note) -> Self {
        Self { note: Some(note), next: None }
    }

    /// The sign-in is too old; with another one, one comes back here.
    fn stale(next: String) -> Self {
        Self { note: Some(Note::Stale), next: Some(next) }
    }
}

/// The status that goes with what is said.
fn status_of(note: Option<Note>) -> StatusCode {
    match note {
        Some(Note::Stale | Note::FormExpired) => StatusCode::FORBIDDEN,
        Some(Note::TooLate) => StatusCode::CONFLICT,
        Some(Note::TooMany(_)) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::OK,
    }
}

async fn look(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    query: std::result::Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = query else { return Page::refused(&app, &headers) };
    let here = match &asked.request {
        Some(request) => format!("/approvals?request={request}"),
        None => "/approvals".to_owned(),
    };
    match signed_in(&app, &headers, &here).await {
        Ok(live) => show(&app, &headers, &live, &asked, Said::default()).await,
        Err(response) => response,
    }
}

/// Who is signed in; else the way to sign in and come back.
async fn signed_in(app: &Arc<App>, headers: &HeaderMap, here: &str) -> std::result::Result<Arc<Live>, Response> {
    browser::session(app, headers).await.ok_or_else(|| go(&by_signing_in(here), None))
}

fn whose(live: &Live) -> Whose {
    Whose { org: live.session.org, owner: live.session.user }
}

/// Whether the sign-in is young enough for what gives something away.
fn is_fresh(app: &App, live: &Live) -> bool {
    Approver::of_session(app, live).is_ok()
}

/// What `ops` refused, as something that the page says; else the page for it.
fn noted(error: &Error) -> Option<Note> {
    match error {
        Error::Gone | Error::Conflict(_) => Some(Note::TooLate),
        Error::Limited { retry_after, .. } => Some(Note::TooMany(minutes(*retry_after))),
        _ => None,
    }
}

/// The page, after something that was done or not.
async fn after(app: &Arc<App>, form: &Sent, live: &Live, done: Result<Note>) -> Response {
    let note = match done {
        Ok(note) => note,
        Err(error) => match noted(&error) {
            Some(note) => note,
            None => return refusal(app, &form.headers, &error),
        },
    };
    show(app, &form.headers, live, &Asked::default(), Said::note(note)).await
}

async fn show(app: &Arc<App>, headers: &HeaderMap, live: &Live, asked: &Asked, said: Said) -> Response {
    render(app, headers, live, asked, said).await.unwrap_or_else(|error| refusal(app, headers, &error))
}

async fn render(app: &Arc<App>, headers: &HeaderMap, live: &Live, asked: &Asked, said: Said) -> Result<Response> {
    let owner = live.session.user;
    let read = |text: &Option<String>| match text {
        Some(text) => RelayId::read(text).map(Some).ok_or(Error::NotFound),
        None => Ok(None),
    };
    let (meant, before) = (read(&asked.request)?, read(&asked.before)?);
    if let Some(id) = meant {
        relays::show(app, Viewer::Owner(&owner), id).await?;
    }
    let now = app.clock.now();
    let settings = relays::settings(app, owner).await?;
    let waiting = relays::live(app, owner).await?;
    let cards = cards::cards(&waiting, settings.senders.as_deref(), meant, now)?;
    let (past, older) = past(app, live, before, &waiting).await?;
    let past: Vec<_> = past.iter().map(|shown| cards::past(shown, now)).collect();
    let token = Token::of(app, headers)?;
    let again = said.next.as_deref().map(by_signing_in);
    let html = approvals(&Approvals {
        frame: frame(app, headers),
        note: said.note,
        again: again.as_deref(),
        paused: settings.paused_at.is_some(),
        hidden: &[(TOKEN_FIELD, token.token.as_str())],
        cards: &cards,
        mark: &cards::mark(&waiting, now),
        past: &past,
        older: older.as_deref(),
        is_older: before.is_some(),
    });
    Ok(Page::new(html).status(status_of(said.note)).cookie(token.cookie).live().answer())
}

/// What is over, and where those before are. What waits is shown above, however old it is.
async fn past(
    app: &App,
    live: &Live,
    before: Option<RelayId>,
    waiting: &[Shown],
) -> Result<(Vec<Shown>, Option<String>)> {
    let most = i64::try_from(PAST + waiting.len() + 1).unwrap_or(i64::MAX);
    let mut found = relays::history(app, live.session.user, before, most).await?;
    found.retain(|shown| waiting.iter().all(|other| other.relay.id != shown.relay.id));
    let more = found.len() > PAST;
    found.truncate(PAST);
    let last = found.last().filter(|_| more);
    let older = last.map(|shown| format!("/approvals?before={}#history", shown.relay.id.shown()));
    Ok((found, older))
}
