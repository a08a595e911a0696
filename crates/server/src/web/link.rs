//! The link in a mail. Looking at it uses nothing up. The browser that asked finishes with one press; every other one is shown the
//! code, to type where the person waits. Refuses to complete anything from a browser that did not ask, whatever it presses: a
//! scanner that follows and presses signs nobody in, nor does a victim whose mail somebody else asked for.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use doorcode_core::redirect::with_query;
use doorcode_core::{Result, Secret};

use super::asked::Asked;
use super::forms::{Sent, TOKEN_FIELD, Token};
use super::pages::{
    Form, LinkConfirm, LinkDead, LinkOtherBrowser, LinkSameBrowser, link_confirm, link_dead, link_other_browser,
    link_same_browser,
};
use super::reply::{Page, frame, go, refusal};
use super::sign_in::finish;
use crate::app::App;
use crate::ops::challenges::Entry;
use crate::ops::client::Client;
use crate::ops::links::{self, Leads, Link};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/l/{challenge}/{token}", get(look).post(press))
}

async fn look(State(app): State<Arc<App>>, Path(link): Path<(String, String)>, headers: HeaderMap) -> Response {
    page(&app, &headers, &link).await.unwrap_or_else(|error| refusal(&app, &headers, &error))
}

async fn page(app: &Arc<App>, headers: &HeaderMap, link: &(String, String)) -> Result<Response> {
    let Some(found) = find(app, link).await? else { return Ok(dead(app, headers)) };
    let asked = Asked::of(app, headers).filter(|asked| asked.is_for(found.challenge));
    let made = Token::of(app, headers)?;
    let (action, hidden) = (format!("/l/{}/{}", link.0, link.1), [(TOKEN_FIELD, made.token.as_str())]);
    let (frame, form) = (frame(app, headers), Form { action: &action, hidden: &hidden });
    Ok(match (&found.leads, asked) {
        (Leads::App(uri), _) => {
            let html = link_confirm(&LinkConfirm { frame, form });
            Page::new(html).cookie(made.cookie).towards(Some(uri)).answer()
        }
        (Leads::SignIn(_), Some(asked)) => {
            let towards = asked.request.as_ref().map(|request| request.redirect_uri.as_str());
            Page::new(link_same_browser(&LinkSameBrowser { frame, form })).cookie(made.cookie).towards(towards).answer()
        }
        (Leads::SignIn(shown), None) => Page::new(link_other_browser(&LinkOtherBrowser { frame, shown })).answer(),
    })
}

async fn find(app: &App, (challenge, token): &(String, String)) -> Result<Option<Link>> {
    match challenge.parse() {
        Ok(id) => links::find(app, id, &Secret::new(token.clone())).await,
        Err(_) => Ok(None),
    }
}

fn dead(app: &App, headers: &HeaderMap) -> Response {
    let html = link_dead(&LinkDead { frame: frame(app, headers), again: Some("/signin") });
    Page::new(html).status(StatusCode::GONE).answer()
}

async fn press(
    State(app): State<Arc<App>>,
    Path(link): Path<(String, String)>,
    client: Client,
    form: Sent,
) -> Response {
    pressed(&app, link, client, &form).await.unwrap_or_else(|error| refusal(&app, &form.headers, &error))
}

async fn pressed(app: &Arc<App>, link: (String, String), client: Client, form: &Sent) -> Result<Response> {
    let Some(found) = find(app, &link).await?.filter(|_| form.is_ours(app)) else {
        return page(app, &form.headers, &link).await;
    };
    match (&found.leads, Asked::of(app, &form.headers).filter(|asked| asked.is_for(found.challenge))) {
        (Leads::App(uri), _) => {
            let Some(code) = links::press(app, &found).await? else { return Ok(dead(app, &form.headers)) };
            let (id, base) = (found.challenge.to_string(), app.base_url());
            let parameters = [("verification_id", id.as_str()), ("code", code.expose()), ("iss", base.as_str())];
            Ok(go(&with_query(uri, &parameters), None))
        }
        (Leads::SignIn(_), Some(asked)) => {
            let entry = Entry::Link(found.challenge, Secret::new(link.1));
            Ok(finish(app, client, &form.headers, asked, entry).await)
        }
        // Whoever did not ask sees what looking shows.
        (Leads::SignIn(_), None) => page(app, &form.headers, &link).await,
    }
}
