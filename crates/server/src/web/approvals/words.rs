//! What a person says on the page: yes, no, which of two, that unverified mail is taken, and that nothing may be asked for a while. What
//! gives needs a young sign-in, and a yes to any message at all a second one; one to a held code says what it is about; a no and a pause need neither. Refuses a form that is not ours.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use doorcode_core::content;
use doorcode_core::relay::Named as _;
use doorcode_core::{Error, RelayId, Result};

use super::{Asked, Said, after, is_fresh, show, signed_in, whose};
use crate::app::App;
use crate::ops::relays::{self, Approver, Decided, Shown, Viewer, Word, Yes};
use crate::ops::sessions::Live;
use crate::web::forms::{Sent, TOKEN_FIELD};
use crate::web::pages::{ABOUT_FIELD, AnyMessage, Form, ID_FIELD, Note, approvals_any};
use crate::web::reply::{Page, frame, refusal};

/// The hidden field with which the second yes comes.
const SURE_FIELD: &str = "sure";

/// Who sent a form, if they are signed in and it is ours; else what to answer.
async fn sender(app: &Arc<App>, form: &Sent) -> std::result::Result<Arc<Live>, Response> {
    let live = signed_in(app, &form.headers, "/approvals").await?;
    if form.is_ours(app) {
        return Ok(live);
    }
    Err(show(app, &form.headers, &live, &Asked::default(), Said::note(Note::FormExpired)).await)
}

fn id_of(form: &Sent) -> Result<RelayId> {
    RelayId::read(form.field(ID_FIELD)).ok_or(Error::NotFound)
}

/// The page that says that the sign-in is too old, if the request is theirs at all.
async fn stale(app: &Arc<App>, form: &Sent, live: &Live, id: RelayId) -> Response {
    let next = format!("/approvals?request={}", id.shown());
    let asked = Asked { request: Some(id.shown()), before: None };
    show(app, &form.headers, live, &asked, Said::stale(next)).await
}

pub(super) async fn approve(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    match approved(&app, &form, &live).await {
        Ok(response) => response,
        Err(error) => after(&app, &form, &live, Err(error)).await,
    }
}

async fn approved(app: &Arc<App>, form: &Sent, live: &Live) -> Result<Response> {
    let (id, owner) = (id_of(form)?, live.session.user);
    let shown = relays::show(app, Viewer::Owner(&owner), id).await?;
    let Ok(approver) = Approver::of_session(app, live) else { return Ok(stale(app, form, live, id).await) };
    let word = match (form.field(ABOUT_FIELD), form.field(SURE_FIELD)) {
        ("", "1") => Word::Yes(Yes::Sure),
        ("", _) => Word::Yes(Yes::First),
        (about, _) => Word::About(about.to_owned()),
    };
    match relays::decide(app, approver, id, word).await? {
        Decided::Done(..) => Ok(after(app, form, live, Ok(Note::Approved)).await),
        // The code came, and is held, since they were shown the card: here it is with what it is about.
        Decided::AskedAgain(relay) if relay.held.is_some() => {
            let asked = Asked { request: Some(id.shown()), before: None };
            Ok(show(app, &form.headers, live, &asked, Said::default()).await)
        }
        Decided::AskedAgain(_) => Ok(ask_again(app, form, &shown)),
    }
}

/// The page that asks whether any message of anybody is meant.
fn ask_again(app: &App, form: &Sent, shown: &Shown) -> Response {
    let (token, text) = (form.field(TOKEN_FIELD), shown.relay.id.shown());
    let hidden = [(TOKEN_FIELD, token), (ID_FIELD, text.as_str()), (SURE_FIELD, "1")];
    let view = AnyMessage {
        frame: frame(app, &form.headers),
        agent: &shown.agent_name,
        reason: &shown.relay.reason,
        content: shown.relay.content_pattern.as_deref().map(content::shown),
        sure: Form { action: "/approvals/approve", hidden: &hidden },
    };
    Page::new(approvals_any(&view)).answer()
}

pub(super) async fn deny(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let done = match id_of(&form) {
        Ok(id) => relays::decide(&app, Approver::to_deny(&live), id, Word::No(None)).await,
        Err(error) => Err(error),
    };
    after(&app, &form, &live, done.map(|_| Note::Denied)).await
}

pub(super) async fn choose(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let id = match id_of(&form) {
        Ok(id) => id,
        Err(error) => return refusal(&app, &form.headers, &error),
    };
    let Ok(approver) = Approver::of_session(&app, &live) else { return stale(&app, &form, &live, id).await };
    let done = relays::choose(&app, approver, id).await;
    after(&app, &form, &live, done.map(|()| Note::Saved)).await
}

pub(super) async fn unverified(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let id = match id_of(&form) {
        Ok(id) => id,
        Err(error) => return refusal(&app, &form.headers, &error),
    };
    let on = form.field("on") == "1";
    let approver = if on { Approver::of_session(&app, &live) } else { Ok(Approver::to_deny(&live)) };
    let Ok(approver) = approver else { return stale(&app, &form, &live, id).await };
    let done = relays::let_unverified(&app, approver, id, on).await;
    after(&app, &form, &live, done.map(|_| Note::Saved)).await
}

pub(super) async fn pause(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let on = form.field("on") == "1";
    if !on && !is_fresh(&app, &live) {
        return show(&app, &form.headers, &live, &Asked::default(), Said::stale("/approvals".to_owned())).await;
    }
    let done = relays::pause(&app, whose(&live), on).await;
    after(&app, &form, &live, done.map(|()| Note::Saved)).await
}
