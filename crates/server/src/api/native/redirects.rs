//! `/v1/redirects`: where the org's apps may have browsers sent back to after `/signin`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use doorcode_core::RedirectId;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Admin, Caller, IdempotencyKey, IdempotencyName, Read};
use super::fields::Fields;
use super::page::{Listed, Page, PageQuery};
use super::problem::{Answer, BodyProblems, KeyProblems, NotFound, Problem, Unavailable};
use super::{created, id};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::redirects::{self, RedirectInfo};

/// An address on the list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Redirect {
    #[schema(format = "uuid")]
    id: String,
    /// It, to the byte.
    #[schema(example = "https://app.example.com/callback")]
    uri: String,
}

impl From<RedirectInfo> for Redirect {
    fn from(info: RedirectInfo) -> Self {
        Self { id: info.id, uri: info.uri }
    }
}

/// The address that is wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct NewRedirect {
    /// `https://…`, `http://` on the very machine of the browser, or a scheme of your app's own with a dot in it. Without user
    /// name, fragment and backslash. It is compared to the byte.
    #[schema(example = "https://app.example.com/callback", max_length = 512)]
    uri: String,
}

/// Lists the addresses.
#[utoipa::path(get, operation_id = "list_redirects", path = "/v1/redirects", tag = "sign-in", params(PageQuery), security(("key" = ["read"])),
    responses(
        (status = 200, description = "A page of addresses", body = Listed<Redirect>),
        KeyProblems,
        (status = 422, description = "A parameter is wrong, or unknown", body = Problem),
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller<Read>, page: Page) -> Answer {
    let org = caller.org();
    let after = page.behind("redirects", org)?.unwrap_or(RedirectId::from_bytes([0; 16]));
    let found = redirects::list(&app, org, after, page.most()).await?;
    let bytes = |id: &str| id.parse::<RedirectId>().map_or([0; 16], |id| *id.as_bytes());
    Ok(Json(page.of("redirects", org, found, |info| (bytes(&info.id), Redirect::from(info.clone())))).into_response())
}

/// Puts an address on the list: at most 50, and only once the operator has raised the org.
#[utoipa::path(post, operation_id = "add_redirect", path = "/v1/redirects", tag = "sign-in", request_body = NewRedirect, params(IdempotencyName),
    security(("key" = ["admin"])),
    responses(
        (status = 201, description = "It is on the list", body = Redirect),
        BodyProblems,
        KeyProblems,
        (status = 409, description = "It is on the list already, or there are 50", body = Problem),
        Unavailable,
    ))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Admin>,
    key: IdempotencyKey,
    mut body: Fields,
) -> Answer {
    let once = key.once(caller.org(), "redirects", body.bytes());
    let uri = body.needed("uri");
    body.end()?;
    let info = redirects::add(&app, caller.org(), uri.unwrap_or_default(), once).await?;
    Ok(created(&format!("/v1/redirects/{}", info.id), Redirect::from(info)))
}

/// Takes an address off the list. Codes that were brought there are good for their minute.
#[utoipa::path(delete, operation_id = "remove_redirect", path = "/v1/redirects/{id}", tag = "sign-in", params(("id" = String, Path, format = "uuid")),
    security(("key" = ["admin"])),
    responses(
        (status = 204, description = "It is off"),
        KeyProblems,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn remove(State(app): State<Arc<App>>, caller: Caller<Admin>, Segment(text): Segment) -> Answer {
    redirects::remove(&app, caller.org(), id(&text)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
