//! Phones and collectors on the page of settings: removed, made, linked. Refuses to give a key or a link to whoever signed in long ago.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use doorcode_core::relay::Named as _;
use doorcode_core::{DeviceId, Error};

use super::settings::{Said, after, sender, show};
use super::whose;
use crate::app::App;
use crate::ops::devices as ops;
use crate::web::forms::Sent;
use crate::web::pages::{ID_FIELD, NAME_FIELD, Note};

pub(super) async fn remove(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form, false).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let done = match DeviceId::read(form.field(ID_FIELD)) {
        Some(id) => ops::remove(&app, whose(&live), id).await.map(|()| Note::Removed),
        None => Err(Error::NotFound),
    };
    after(&app, &form, &live, done).await
}

pub(super) async fn collector(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form, true).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    match ops::create(&app, whose(&live), ops::COLLECTOR, form.field(NAME_FIELD)).await {
        Ok(made) => show(&app, &form.headers, &live, Said { key: Some(made.key), ..Said::default() }).await,
        Err(error) => after(&app, &form, &live, Err(error)).await,
    }
}

pub(super) async fn link(State(app): State<Arc<App>>, form: Sent) -> Response {
    let live = match sender(&app, &form, true).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    match ops::offer(&app, whose(&live)).await {
        Ok(link) => show(&app, &form.headers, &live, Said { link: Some(link), ..Said::default() }).await,
        Err(error) => after(&app, &form, &live, Err(error)).await,
    }
}
