//! `/approvals/settings`: agents, devices, mailboxes, refused senders, told browsers. What takes away is done with any session; what gives needs
//! a young one. Refuses to show a key or a link again.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use doorcode_core::relay::Named as _;
use doorcode_core::relay_deny::{DEFAULTS, Senders};
use doorcode_core::{AgentId, Error, Result, Secret};

use super::{is_fresh, mailboxes, noted, push, signed_in, status_of, whose};
use crate::app::App;
use crate::ops::sessions::Live;
use crate::ops::{agents as agent_ops, devices as device_ops, relays};
use crate::store::agents::Agent;
use crate::store::devices::Device;
use crate::web::forms::{Sent, TOKEN_FIELD, Token};
use crate::web::onward::by_signing_in;
use crate::web::pages::{AgentRow, DeviceRow, NewSecret, Note, Refused, Settings, TypedMailbox, agents};
use crate::web::reply::{Page, frame, refusal};

/// Where it is.
pub(super) const HERE: &str = "/approvals/settings";

/// What the page has to say besides what it always shows.
#[derive(Default)]
pub(super) struct Said {
    pub(super) note: Option<Note>,
    /// What was typed and can't be kept.
    pub(super) wrong: Option<String>,
    /// The domains that were typed, to be mended.
    pub(super) own: Option<String>,
    /// The mailbox that was typed, without its password.
    pub(super) mailbox: Option<TypedMailbox>,
    /// A collector's key.
    pub(super) key: Option<Secret<String>>,
    /// What links a phone.
    pub(super) link: Option<Secret<String>>,
}

impl Said {
    pub(super) fn note(note: Note) -> Self {
        Self { note: Some(note), ..Self::default() }
    }

    /// What came of something that was done.
    pub(super) fn of(done: Result<Note>) -> Result<Self> {
        match done {
            Ok(note) => Ok(Self::note(note)),
            Err(Error::Invalid { field, .. }) => Ok(Self { wrong: Some(field.to_owned()), ..Self::default() }),
            Err(error) => noted(&error).map(Self::note).ok_or(error),
        }
    }
}

pub(super) async fn look(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match signed_in(&app, &headers, HERE).await {
        Ok(live) => show(&app, &headers, &live, Said::default()).await,
        Err(response) => response,
    }
}

/// Who sent a form, if they are signed in and it is ours, and their sign-in young enough where that is asked; else what to answer.
pub(super) async fn sender(app: &Arc<App>, form: &Sent, fresh: bool) -> std::result::Result<Arc<Live>, Response> {
    let live = signed_in(app, &form.headers, HERE).await?;
    if !form.is_ours(app) {
        return Err(show(app, &form.headers, &live, Said::note(Note::FormExpired)).await);
    }
    if fresh && !is_fresh(app, &live) {
        return Err(show(app, &form.headers, &live, Said::note(Note::Stale)).await);
    }
    Ok(live)
}

/// The page, after something that was done or not.
pub(super) async fn after(app: &Arc<App>, form: &Sent, live: &Live, done: Result<Note>) -> Response {
    match Said::of(done) {
        Ok(said) => show(app, &form.headers, live, said).await,
        Err(error) => refusal(app, &form.headers, &error),
    }
}

pub(super) async fn show(app: &Arc<App>, headers: &HeaderMap, live: &Live, said: Said) -> Response {
    render(app, headers, live, said).await.unwrap_or_else(|error| refusal(app, headers, &error))
}

async fn render(app: &Arc<App>, headers: &HeaderMap, live: &Live, said: Said) -> Result<Response> {
    let owner = live.session.user;
    let found = agent_ops::list(app, owner, AgentId::from_bytes([0; 16]), agent_ops::AGENTS_MOST).await?;
    let devices = device_ops::list(app, owner).await?;
    let kept = relays::settings(app, owner).await?.senders;
    let senders = Senders::parse(kept.as_deref()).unwrap_or_default();
    let browsers = push::browsers(app, owner).await?;
    let mailboxes = mailboxes::rows(app, owner).await?;
    let token = Token::of(app, headers)?;
    let again = by_signing_in(HERE);
    let new = said.key.as_ref().map(NewSecret::Key).or(said.link.as_ref().map(NewSecret::Link));
    let listed = DEFAULTS.map(|domain| Refused { domain, on: senders.deny(domain) });
    let html = agents(&Settings {
        frame: frame(app, headers),
        note: said.note,
        wrong: said.wrong.as_deref(),
        again: (said.note == Some(Note::Stale)).then_some(again.as_str()),
        hidden: &[(TOKEN_FIELD, token.token.as_str())],
        new,
        agents: &found.iter().map(row).collect::<Vec<_>>(),
        devices: &devices.iter().map(device_row).collect::<Vec<_>>(),
        mailboxes: &mailboxes,
        may_connect: app.config.capture.mailboxes.are_on(),
        mailbox: &said.mailbox.unwrap_or_default(),
        listed: &listed,
        own: &said.own.unwrap_or_else(|| senders.denied.join("\n")),
        push_key: &push::public_key(app),
        browsers: &browsers,
    });
    let status = if said.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { status_of(said.note) };
    Ok(Page::new(html).status(status).cookie(token.cookie).answer())
}

fn row(agent: &Agent) -> AgentRow {
    AgentRow {
        id: agent.id.shown(),
        name: agent.name.clone(),
        made: agent.id.made_at(),
        paused: agent.paused_at.is_some(),
        blocked: agent.blocked_at.is_some(),
    }
}

fn device_row(device: &Device) -> DeviceRow {
    let said = [&device.reference, &device.model, &device.platform, &device.os_version];
    let said = said.into_iter().flatten().filter(|text| !text.is_empty()).cloned();
    DeviceRow {
        id: device.id.shown(),
        name: device.name.clone(),
        kind: device.kind.clone(),
        described: said.collect::<Vec<_>>().join(" · "),
        made: device.id.made_at(),
        linked: device.linked_at.is_some(),
    }
}

pub(super) async fn senders(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form, true).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let own: Vec<&str> = form.field("own").lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let refused = form.fields("listed");
    let allowed: Vec<&str> = DEFAULTS.into_iter().filter(|domain| !refused.contains(domain)).collect();
    let done = match Senders::of(&own, &allowed) {
        Ok(senders) => relays::set_senders(&app, whose(&live), senders).await.map(|()| Note::Saved),
        Err(error) => Err(error),
    };
    match Said::of(done) {
        Ok(said) => {
            let typed = said.wrong.is_some().then(|| form.field("own").to_owned());
            show(&app, &form.headers, &live, Said { own: typed, ..said }).await
        }
        Err(error) => refusal(&app, &form.headers, &error),
    }
}
