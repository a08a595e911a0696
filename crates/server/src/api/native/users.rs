//! `/v1/users`: the people of the org.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::{Email, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Admin, Caller, IdempotencyKey, IdempotencyName, Read};
use super::fields::Fields;
use super::page::{Listed, Page, PageQuery};
use super::problem::{Answer, BodyProblems, KeyProblems, NotFound, Problem, Unavailable};
use super::{created, id, moment};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::users::{self, UserInfo};

/// A user.
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    #[schema(format = "uuid")]
    id: String,
    full_name: String,
    email: Option<String>,
    /// Whether they signed in with it. An address that a program named is not verified.
    email_verified: bool,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<UserInfo> for User {
    fn from(info: UserInfo) -> Self {
        Self {
            id: info.id,
            full_name: info.full_name,
            email: info.email,
            email_verified: info.email_verified,
            created_at: moment(info.created_at),
        }
    }
}

/// The user that is wanted.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct NewUser {
    /// Their name.
    #[schema(min_length = 1, example = "Grace Hopper")]
    full_name: String,
    /// Their address. It signs nobody in.
    #[schema(format = "email", max_length = 320, example = "grace@example.com")]
    email: Option<String>,
}

/// What the removal of a user took along.
#[derive(Serialize, ToSchema)]
pub(crate) struct Removed {
    /// The org's new key for sign-ins, where the user had been handed the old one: that one is revoked. It is shown once.
    api_key: Option<String>,
}

/// Lists the org's users, in the order in which they were made.
#[utoipa::path(get, path = "/v1/users", tag = "users", operation_id = "list_users", params(PageQuery), security(("key" = ["read"])),
    responses(
        (status = 200, description = "A page of users", body = Listed<User>),
        KeyProblems,
        (status = 422, description = "A parameter is wrong, or unknown", body = Problem),
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller<Read>, page: Page) -> Answer {
    let org = caller.org();
    let after = page.behind("users", org)?.unwrap_or(UserId::from_bytes([0; 16]));
    let found = users::list(&app, org, after, page.most()).await?;

    Ok(Json(page.of("users", org, found, |info| (bytes(&info.id), User::from(info.clone())))).into_response())
}

fn bytes(id: &str) -> [u8; 16] {
    id.parse::<UserId>().map_or([0; 16], |id| *id.as_bytes())
}

/// Makes a user of the org.
#[utoipa::path(post, path = "/v1/users", tag = "users", operation_id = "create_user", request_body = NewUser, params(IdempotencyName), security(("key" = ["admin"])),
    responses(
        (status = 201, description = "The user", body = User),
        BodyProblems,
        KeyProblems,
        (status = 409, description = "The same request is being answered", body = Problem),
        Unavailable,
    ))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Admin>,
    key: IdempotencyKey,
    mut body: Fields,
) -> Answer {
    let once = key.once(caller.org(), "users", body.bytes());
    let name = body.needed("full_name");
    let email = body.text("email");
    let email = body.meaning("email", email, Email::parse);
    body.end()?;
    let name = name.unwrap_or_default();
    let info = users::create(&app, caller.org(), &name, email, once).await?;
    Ok(created(&format!("/v1/users/{}", info.id), User::from(info)))
}

/// A user of the org.
#[utoipa::path(get, path = "/v1/users/{id}", tag = "users", operation_id = "show_user", params(("id" = String, Path, format = "uuid")),
    security(("key" = ["read"])),
    responses(
        (status = 200, description = "They", body = User),
        KeyProblems,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn show(State(app): State<Arc<App>>, caller: Caller<Read>, Segment(text): Segment) -> Answer {
    let id = id(&text)?;
    let info = users::show(&app, caller.org(), id).await?;
    Ok(Json(User::from(info)).into_response())
}

/// Removes a user for good, with their addresses and keys. The key that sign-ins hand over is replaced: whoever goes knew the old one. With a
/// member of the team goes whoever signs under their address.
#[utoipa::path(delete, path = "/v1/users/{id}", tag = "users", operation_id = "remove_user", params(("id" = String, Path, format = "uuid")),
    security(("key" = ["admin"])),
    responses(
        (status = 200, description = "They are gone", body = Removed),
        KeyProblems,
        NotFound,
        (status = 409, description = "They are the last one, or a root user signs under their address", body = Problem),
        Unavailable,
    ))]
pub(super) async fn remove(State(app): State<Arc<App>>, caller: Caller<Admin>, Segment(text): Segment) -> Answer {
    let id = id(&text)?;
    let removed = users::remove(&app, caller.org(), id).await?;
    Ok(Json(Removed { api_key: removed.api_key.map(|key| key.expose().clone()) }).into_response())
}
