//! Requests that their caller signed, in place of showing a key: all of each but its other headers, with `X-Stamp`, `X-Organization-Id`,
//! `X-Timestamp` and `X-Nonce`. Around the door's routes, since the body has to be read before anybody knows who calls. Refuses two stamps, a
//! stamp beside a key, and every kind of stamp but this one; other doors' stamps are theirs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::problem::{self, Refused};
use crate::api::form::Form;
use crate::app::App;
use crate::body;
use crate::ops::client::Client;
use crate::ops::signed::{self, Stamped};
use crate::store::credentials::Credential;

/// Whoever signed the request.
#[derive(Clone)]
pub(super) struct Signer(pub(super) Arc<Credential>);

/// The headers of stamps, the one that is taken here first.
const STAMPS: [&str; 3] = ["x-stamp", "x-stamp-webauthn", "x-stamp-attested"];

/// Looks at the stamp of a request to this door, if it has one.
pub(in crate::api) async fn around(app: Arc<App>, request: Request, next: Next) -> Response {
    let is_stamped = STAMPS.iter().any(|name| request.headers().contains_key(*name));
    if !is_stamped || Form::of(request.uri().path()) != Form::Native {
        return next.run(request).await;
    }
    match verified(&app, request).await {
        Ok(request) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// The same request, with who signed it.
async fn verified(app: &Arc<App>, request: Request) -> Result<Request, Refused> {
    let (mut parts, body) = request.into_parts();
    let Ok(client) = Client::from_request_parts(&mut parts, app).await;
    let headers = parts.headers.clone();
    let said = [STAMPS[0], "x-organization-id", "x-timestamp", "x-nonce"].map(|name| only(&headers, name));
    let others = [STAMPS[1], STAMPS[2], "authorization"];
    let [Some(stamp), Some(org), Some(at), Some(nonce)] = said else { return Err(problem::unstamped().into()) };
    if others.iter().any(|name| headers.contains_key(*name)) {
        return Err(problem::unstamped().into());
    }
    let body = body::read(body, app).await;
    let body = body.map_err(|trouble| Refused::from(problem::unread(trouble)))?;
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let signed = Stamped { stamp, org, at, nonce, method: parts.method.as_str(), target, body: &body };
    let signer = signed::recognise(app, &signed, client).await.map_err(Refused::from)?;
    parts.extensions.insert(Signer(signer.ok_or_else(problem::unstamped)?));
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// The value of a header that stands there once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
