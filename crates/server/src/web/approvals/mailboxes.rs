//! Mailboxes that this server watches, on the page of settings: connected, given another password, removed. Refuses to connect one for whoever
//! signed in long ago, and to show a password again.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use doorcode_core::mailbox::{Credentials, Security};
use doorcode_core::relay::Named as _;
use doorcode_core::{Error, MailboxId, Result, Secret, UserId};

use super::settings::{Said, after, sender, show};
use super::whose;
use crate::app::App;
use crate::ops::mailboxes::{self as ops, Wanted};
use crate::store::mailboxes::Mailbox;
use crate::web::forms::Sent;
use crate::web::pages::{ID_FIELD, MailboxRow, NAME_FIELD, Note, TypedMailbox};
use crate::web::reply::refusal;

/// A person's, for the list.
pub(super) async fn rows(app: &App, owner: UserId) -> Result<Vec<MailboxRow>> {
    Ok(ops::list(app, owner).await?.iter().map(row).collect())
}

fn row(mailbox: &Mailbox) -> MailboxRow {
    MailboxRow {
        id: mailbox.id.shown(),
        name: mailbox.name.clone(),
        described: format!("{} · {}", mailbox.login, mailbox.host),
        state: mailbox.state.clone(),
        trouble: mailbox.trouble.clone(),
    }
}

fn typed(form: &Sent) -> TypedMailbox {
    let text = |name| form.field(name).trim().to_owned();
    TypedMailbox {
        host: text("host"),
        user: text("user"),
        port: text("port"),
        security: text("security"),
        addresses: text("addresses"),
        folder: text("folder"),
    }
}

fn given(form: &Sent) -> Credentials {
    Credentials::Password(Secret::new(form.field("password").to_owned()))
}

fn wanted(form: &Sent, typed: &TypedMailbox) -> Result<Wanted> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let port = some(&typed.port).map(|text| text.parse().ok().filter(|port| *port > 0));
    if port == Some(None) {
        return Err(Error::Invalid { field: "port", why: "must be a number" });
    }
    Ok(Wanted {
        name: form.field(NAME_FIELD).to_owned(),
        host: typed.host.clone(),
        port: port.flatten(),
        security: some(&typed.security).map_or(Ok(Security::Tls), |text| Security::read(&text))?,
        login: typed.user.clone(),
        credentials: given(form),
        addresses: typed.addresses.split_whitespace().map(str::to_owned).collect(),
        folder: some(&typed.folder),
    })
}

pub(super) async fn add(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form, true).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let typed = typed(&form);
    let done = match wanted(&form, &typed) {
        Ok(wanted) => ops::create(&app, whose(&live), wanted).await.map(|_| Note::Saved),
        Err(error) => Err(error),
    };
    match Said::of(done) {
        Ok(said) => {
            let mailbox = said.wrong.is_some().then_some(typed);
            show(&app, &form.headers, &live, Said { mailbox, ..said }).await
        }
        Err(error) => refusal(&app, &form.headers, &error),
    }
}

pub(super) async fn password(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form, true).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let done = match MailboxId::read(form.field(ID_FIELD)) {
        Some(id) => ops::replace(&app, whose(&live), id, given(&form)).await.map(|_| Note::Saved),
        None => Err(Error::NotFound),
    };
    after(&app, &form, &live, done).await
}

pub(super) async fn remove(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form, false).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let done = match MailboxId::read(form.field(ID_FIELD)) {
        Some(id) => ops::remove(&app, whose(&live), id).await.map(|()| Note::Removed),
        None => Err(Error::NotFound),
    };
    after(&app, &form, &live, done).await
}
