//! `/v1/orgs`: the org of the key, and those that it made.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::{OrgId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Admin, Caller, IdempotencyKey, IdempotencyName, Read};
use super::fields::Fields;
use super::page::{Listed, Page, PageQuery};
use super::problem::{Answer, BodyProblems, KeyProblems, NotFound, Problem, Unavailable};
use super::{created, id, moment};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::orgs;
use crate::store::orgs::Org as Row;

/// An org.
#[derive(Serialize, ToSchema)]
pub(crate) struct Org {
    #[schema(format = "uuid")]
    id: String,
    /// The org that made it.
    #[schema(format = "uuid")]
    parent_id: Option<String>,
    name: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// When the operator let it send to addresses that are not its own members'.
    #[schema(format = DateTime)]
    raised_at: Option<String>,
}

impl From<&Row> for Org {
    fn from(row: &Row) -> Self {
        Self {
            id: row.id.to_string(),
            parent_id: row.parent.map(|parent| parent.to_string()),
            name: row.name.clone(),
            created_at: moment(row.id.made_at().millis()),
            raised_at: row.raised_at.map(Timestamp::millis).map(moment),
        }
    }
}

/// The org that is wanted.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct NewOrg {
    /// Its name.
    #[schema(min_length = 1, example = "Acme")]
    name: String,
}

/// An org that was just made, with what its programs sign in with.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrgWithSecrets {
    #[schema(format = "uuid")]
    id: String,
    /// Its key, with the scope `admin`. It is shown here and nowhere else.
    api_key: String,
    #[schema(format = "uuid")]
    client_id: String,
    /// Shown here and nowhere else.
    client_secret: String,
}

/// Lists the key's org and those that it made.
#[utoipa::path(get, path = "/v1/orgs", tag = "orgs", operation_id = "list_orgs", params(PageQuery), security(("key" = ["read"])),
    responses(
        (status = 200, description = "A page of orgs", body = Listed<Org>),
        KeyProblems,
        (status = 422, description = "A parameter is wrong, or unknown", body = Problem),
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller<Read>, page: Page) -> Answer {
    let org = caller.org();
    let after = page.behind("orgs", org)?.unwrap_or(OrgId::HOUSE);
    let found = orgs::family(&app, org, after, page.most()).await?;
    Ok(Json(page.of("orgs", org, found, |row| (*row.id.as_bytes(), Org::from(row)))).into_response())
}

/// Makes an org below the key's own. It has members, keys and addresses of its own, and may send to its own members only until
/// the operator raises it.
#[utoipa::path(post, path = "/v1/orgs", tag = "orgs", operation_id = "create_org", request_body = NewOrg, params(IdempotencyName), security(("key" = ["admin"])),
    responses(
        (status = 201, description = "The org and its keys", body = OrgWithSecrets),
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
    let once = key.once(caller.org(), "orgs", body.bytes());
    let name = body.needed("name");
    body.end()?;
    let name = name.unwrap_or_default();
    let made = orgs::create_below(&app, Some(caller.org()), &name, once).await?;
    let shown = OrgWithSecrets {
        id: made.id.to_string(),
        api_key: made.api_key.expose().clone(),
        client_id: made.client_id.to_string(),
        client_secret: made.client_secret.expose().clone(),
    };
    Ok(created(&format!("/v1/orgs/{}", made.id), shown))
}

/// The key's org, or one that it made.
#[utoipa::path(get, path = "/v1/orgs/{id}", tag = "orgs", operation_id = "show_org", params(("id" = String, Path, format = "uuid")),
    security(("key" = ["read"])),
    responses(
        (status = 200, description = "It", body = Org),
        KeyProblems,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn show(State(app): State<Arc<App>>, caller: Caller<Read>, Segment(text): Segment) -> Answer {
    let id = id(&text)?;
    let row = orgs::show(&app, caller.org(), id).await?;
    Ok(Json(Org::from(&row)).into_response())
}
