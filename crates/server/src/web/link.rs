//! The link in a mail. Looking at it uses nothing up. The browser that asked finishes with one press; every other one is shown the
//! code, to type where the person waits. Refuses to complete anything from a browser that did not ask, whatever it presses: a
//! scanner that follows and presses signs nobody in, nor does a victim whose mail somebody else asked for.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use doorcode_core::{ChallengeId, OrgId, Result, Secret};

use super::asked::Asked;
use super::forms::{Sent, TOKEN_FIELD, Token};
use super::pages::{
    Form, LinkDead, LinkOtherBrowser, LinkSameBrowser, link_dead, link_other_browser, link_same_browser,
};
use super::reply::{Page, frame, refusal};
use super::sign_in::finish;
use crate::app::App;
use crate::ops::challenges::Entry;
use crate::ops::client::Client;
use crate::ops::links;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/l/{challenge}/{token}", get(look).post(press))
}

async fn look(State(app): State<Arc<App>>, Path(link): Path<(String, String)>, headers: HeaderMap) -> Response {
    page(&app, &headers, &link).await.unwrap_or_else(|error| refusal(&app, &headers, &error))
}

async fn page(app: &Arc<App>, headers: &HeaderMap, (challenge, token): &(String, String)) -> Result<Response> {
    let token = Secret::new(token.clone());
    let found = match challenge.parse::<ChallengeId>() {
        Ok(id) => links::shown(app, OrgId::HOUSE, id, &token).await?,
        Err(_) => None,
    };
    let Some(found) = found else {
        let html = link_dead(&LinkDead { frame: frame(app, headers), again: Some("/signin") });
        return Ok(Page::new(html).status(StatusCode::GONE).answer());
    };
    match Asked::of(app, headers).filter(|asked| asked.is_for(found.challenge)) {
        Some(asked) => {
            let made = Token::of(app, headers)?;
            let action = format!("/l/{}/{}", found.challenge, token.expose());
            let hidden = [(TOKEN_FIELD, made.token.as_str())];
            let form = Form { action: &action, hidden: &hidden };
            let html = link_same_browser(&LinkSameBrowser { frame: frame(app, headers), form });
            let towards = asked.request.as_ref().map(|request| request.redirect_uri.as_str());
            Ok(Page::new(html).cookie(made.cookie).towards(towards).answer())
        }
        None => {
            let html = link_other_browser(&LinkOtherBrowser { frame: frame(app, headers), shown: &found.code });
            Ok(Page::new(html).answer())
        }
    }
}

async fn press(
    State(app): State<Arc<App>>,
    Path(link): Path<(String, String)>,
    client: Client,
    form: Sent,
) -> Response {
    let id = link.0.parse::<ChallengeId>().ok();
    let asked = Asked::of(&app, &form.headers).filter(|asked| id.is_some_and(|id| asked.is_for(id)));
    match (id, asked) {
        (Some(id), Some(asked)) if form.is_ours(&app) => {
            let entry = Entry::Link(id, Secret::new(link.1));
            finish(&app, client, &form.headers, asked, entry).await
        }
        // Whoever did not ask sees what looking shows.
        _ => page(&app, &form.headers, &link).await.unwrap_or_else(|error| refusal(&app, &form.headers, &error)),
    }
}
