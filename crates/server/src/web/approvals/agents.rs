//! `/approvals/agents/{id}`: one agent, and what its owner does to it. Pausing, blocking and removing are done with any session; what
//! gives it more, another name or another identity, needs a young one. Refuses another person's agent like one that never was.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use doorcode_core::relay::Named as _;
use doorcode_core::seal::IdentityKey;
use doorcode_core::{AgentId, Error, Result};

use super::settings::{self, Said};
use super::{is_fresh, rules, signed_in, status_of, whose};
use crate::app::App;
use crate::ops::agents::{self as ops, Step};
use crate::ops::sessions::Live;
use crate::web::forms::{Sent, TOKEN_FIELD, Token};
use crate::web::onward::by_signing_in;
use crate::web::pages::{AgentPage, NAME_FIELD, Note, RuleFields, agent_page};
use crate::web::reply::{Page, frame, refusal};

/// What was typed and can't be kept, to be mended.
#[derive(Default)]
struct Typed {
    rules: Option<RuleFields>,
    /// An identity's key.
    key: Option<String>,
}

fn path(id: AgentId) -> String {
    format!("/approvals/agents/{}", id.shown())
}

pub(super) async fn look(State(app): State<Arc<App>>, Path(text): Path<String>, headers: HeaderMap) -> Response {
    let here = AgentId::read(&text).map_or_else(|| settings::HERE.to_owned(), path);
    let live = match signed_in(&app, &headers, &here).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    show(&app, &headers, &live, &text, (Said::default(), Typed::default())).await
}

async fn show(app: &Arc<App>, headers: &HeaderMap, live: &Live, text: &str, said: (Said, Typed)) -> Response {
    render(app, headers, live, text, said).await.unwrap_or_else(|error| refusal(app, headers, &error))
}

async fn render(
    app: &Arc<App>,
    headers: &HeaderMap,
    live: &Live,
    text: &str,
    (said, typed): (Said, Typed),
) -> Result<Response> {
    let id = AgentId::read(text).ok_or(Error::NotFound)?;
    let agent = ops::show(app, whose(live), id).await?;
    let token = Token::of(app, headers)?;
    let again = by_signing_in(&path(id));
    // What can't be read is shown as it is: whoever compares sees that something is wrong.
    let identity = agent.identity.as_deref();
    let print = identity.map(|key| IdentityKey::parse(key).map_or(key.to_owned(), |key| key.fingerprint().to_string()));
    let html = agent_page(&AgentPage {
        frame: frame(app, headers),
        note: said.note,
        wrong: said.wrong.as_deref(),
        again: (said.note == Some(Note::Stale)).then_some(again.as_str()),
        hidden: &[(TOKEN_FIELD, token.token.as_str())],
        id: text,
        name: &agent.name,
        description: agent.description.as_deref().unwrap_or_default(),
        identity: print.as_deref(),
        key: typed.key.as_deref().or(identity).unwrap_or_default(),
        paused: agent.paused_at.is_some(),
        blocked: agent.blocked_at.is_some(),
        rules: &typed.rules.unwrap_or_else(|| rules::fields(agent.rules.as_deref())),
    });
    let status = if said.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { status_of(said.note) };
    Ok(Page::new(html).status(status).cookie(token.cookie).answer())
}

/// Whether a step takes something from an agent, and gives it nothing.
fn takes(step: &str, form: &Sent) -> bool {
    step == "remove" || matches!(step, "pause" | "block") && form.field("on") == "1"
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path((text, step)): Path<(String, String)>,
    form: Sent,
) -> Response {
    let here = AgentId::read(&text).map_or_else(|| settings::HERE.to_owned(), path);
    let live = match signed_in(&app, &form.headers, &here).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let refused = if !form.is_ours(&app) {
        Some(Note::FormExpired)
    } else {
        (!takes(&step, &form) && !is_fresh(&app, &live)).then_some(Note::Stale)
    };
    if let Some(note) = refused {
        return show(&app, &form.headers, &live, &text, (Said::note(note), Typed::default())).await;
    }
    let done = done(&app, &live, &text, &step, &form).await;
    match Said::of(done) {
        Ok(said) if said.note == Some(Note::Removed) => settings::show(&app, &form.headers, &live, said).await,
        Ok(said) => {
            let wrong = said.wrong.is_some();
            let typed = Typed {
                rules: (wrong && step == "rules").then(|| rules::typed(&form)),
                key: (wrong && step == "identity").then(|| form.field("identity").to_owned()),
            };
            show(&app, &form.headers, &live, &text, (said, typed)).await
        }
        Err(error) => refusal(&app, &form.headers, &error),
    }
}

async fn done(app: &Arc<App>, live: &Live, text: &str, step: &str, form: &Sent) -> Result<Note> {
    let (id, whose, on) = (AgentId::read(text).ok_or(Error::NotFound)?, whose(live), form.field("on") == "1");
    match step {
        "pause" => ops::change(app, whose, id, Step::Pause(on)).await?,
        "block" => ops::change(app, whose, id, Step::Block(on)).await?,
        "rules" => ops::change(app, whose, id, Step::Rules(rules::kept(&rules::typed(form))?)).await?,
        "identity" => ops::change(app, whose, id, Step::identity(form.field("identity"))?).await?,
        "rename" => drop(ops::rename(app, whose, id, Some(form.field(NAME_FIELD).to_owned()), None).await?),
        "remove" => {
            ops::remove(app, whose, id).await?;
            return Ok(Note::Removed);
        }
        _ => return Err(Error::NotFound),
    }
    Ok(Note::Saved)
}
