//! `/v1/keys`: the keys of the org. A key is shown once, where it is made.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use doorcode_core::CredentialId;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Admin, Caller, IdempotencyKey, IdempotencyName, Read};
use super::fields::Fields;
use super::page::{Listed, Page, PageQuery};
use super::problem::{Answer, BodyProblems, KeyProblems, NotFound, Problem, Unavailable};
use super::{created, id, moment};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::keys::{self, GRACE_MOST, KeyInfo, NewKey as Made, SCOPES, VERIFY, Wanted};

/// The longest life that may be asked for: ten years.
const LIFE_MOST: u64 = 3650 * 86_400;

/// A key, without the key itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct Key {
    #[schema(format = "uuid")]
    id: String,
    #[schema(example = "checkout")]
    name: Option<String>,
    /// How it begins and ends, to know it again by.
    #[schema(example = "dck_39z1…vf")]
    hint: String,
    /// `api_key`: handed over at sign-in; `access_key`: made here.
    #[schema(example = "access_key")]
    kind: String,
    /// What it may do: `verify`, `read`, `admin`.
    #[schema(example = json!(["verify"]))]
    scopes: Vec<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// To the nearest five minutes.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

impl From<KeyInfo> for Key {
    fn from(info: KeyInfo) -> Self {
        Self {
            id: info.id,
            name: info.name,
            hint: info.hint,
            kind: info.kind,
            scopes: info.scopes,
            created_at: moment(info.created_at),
            last_used_at: info.last_used_at.map(moment),
            expires_at: info.expires_at.map(moment),
            revoked_at: info.revoked_at.map(moment),
        }
    }
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyWithSecret {
    #[serde(flatten)]
    key: Key,
    /// The key itself. It is shown here and nowhere else.
    #[schema(example = "dck_…")]
    api_key: String,
}

impl From<Made> for KeyWithSecret {
    fn from(made: Made) -> Self {
        Self { key: made.info.into(), api_key: made.key.expose().clone() }
    }
}

/// What a key may do.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "the document is made of it")]
enum ScopeName {
    Verify,
    Read,
    Admin,
}

/// The key that is wanted.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct NewKey {
    /// What you call it.
    #[schema(example = "checkout", min_length = 1)]
    name: String,
    /// What it may do: `verify`, `read`, `admin`. Without it: `verify`.
    #[schema(example = json!(["verify"]), min_items = 1)]
    scopes: Option<Vec<ScopeName>>,
    /// How long it lives, in seconds; without it, until it is revoked.
    #[schema(minimum = 60, maximum = 315_360_000)]
    expires_in: Option<u64>,
}

/// How a key is rotated.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct Rotate {
    /// How long the old key lives on, in seconds. Without it: a day.
    #[schema(minimum = 0, maximum = 604_800)]
    grace: Option<u64>,
}

/// Lists the org's keys, oldest first, dead ones too.
#[utoipa::path(get, path = "/v1/keys", tag = "keys", operation_id = "list_keys", params(PageQuery), security(("key" = ["read"])),
    responses(
        (status = 200, description = "A page of keys", body = Listed<Key>),
        KeyProblems,
        (status = 422, description = "A parameter is wrong, or unknown", body = Problem),
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller<Read>, page: Page) -> Answer {
    let org = caller.org();
    let after = page.behind("keys", org)?.unwrap_or(CredentialId::from_bytes([0; 16]));
    let found = keys::list(&app, org, after, page.most()).await?;

    Ok(Json(page.of("keys", org, found, |info| (bytes(&info.id), Key::from(info.clone())))).into_response())
}

fn bytes(id: &str) -> [u8; 16] {
    id.parse::<CredentialId>().map_or([0; 16], |id| *id.as_bytes())
}

/// Makes a key. It is shown once; the same request under the same `Idempotency-Key` shows the same one.
#[utoipa::path(post, path = "/v1/keys", tag = "keys", operation_id = "create_key", request_body = NewKey, params(IdempotencyName), security(("key" = ["admin"])),
    responses(
        (status = 201, description = "The key", body = KeyWithSecret),
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
    let once = key.once(caller.org(), "keys", body.bytes());
    let name = body.needed("name");
    let scopes = body.texts("scopes").unwrap_or_else(|| vec![VERIFY.to_owned()]);
    if scopes.is_empty() || scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        body.complain("scopes", "must be some of verify, read and admin");
    }
    let life = body.number("expires_in", (60, LIFE_MOST)).map(Duration::from_secs);
    body.end()?;
    let name = name.unwrap_or_default();
    let mut scopes = scopes;
    scopes.sort();
    scopes.dedup();
    let made = keys::create(&app, caller.org(), Wanted { name, scopes, life, maker: None }, once).await?;
    Ok(created(&format!("/v1/keys/{}", made.info.id), KeyWithSecret::from(made)))
}

/// A key of the org.
#[utoipa::path(get, path = "/v1/keys/{id}", tag = "keys", operation_id = "show_key", params(("id" = String, Path, format = "uuid")),
    security(("key" = ["read"])),
    responses(
        (status = 200, description = "It, without the key itself", body = Key),
        KeyProblems,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn show(State(app): State<Arc<App>>, caller: Caller<Read>, Segment(text): Segment) -> Answer {
    let id = id(&text)?;
    let info = keys::show(&app, caller.org(), id).await?;
    Ok(Json(Key::from(info)).into_response())
}

/// Makes a key's successor with the same name and scopes. The old one lives on for `grace`, so that programs can change over.
#[utoipa::path(post, path = "/v1/keys/{id}/rotate", tag = "keys", operation_id = "rotate_key", request_body = Option<Rotate>,
    params(("id" = String, Path, format = "uuid"), IdempotencyName), security(("key" = ["admin"])),
    responses(
        (status = 201, description = "The successor", body = KeyWithSecret),
        BodyProblems,
        KeyProblems,
        NotFound,
        (status = 409, description = "The key is dead", body = Problem),
        Unavailable,
    ))]
pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    caller: Caller<Admin>,
    key: IdempotencyKey,
    Segment(text): Segment,
    mut body: Fields,
) -> Answer {
    let id = id(&text)?;
    let once = key.once(caller.org(), &format!("rotate {id}"), body.bytes());
    let grace = body.number("grace", (0, GRACE_MOST.as_secs())).map_or(doorcode_core::time::DAY, Duration::from_secs);
    body.end()?;
    let made = keys::rotate(&app, caller.org(), id, grace, once).await?;
    Ok(created(&format!("/v1/keys/{}", made.info.id), KeyWithSecret::from(made)))
}

/// Revokes a key for good, at once. One that is dead stays so.
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "keys", operation_id = "revoke_key", params(("id" = String, Path, format = "uuid")),
    security(("key" = ["admin"])),
    responses(
        (status = 204, description = "It is dead"),
        KeyProblems,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn revoke(State(app): State<Arc<App>>, caller: Caller<Admin>, Segment(text): Segment) -> Answer {
    let id = id(&text)?;
    keys::revoke(&app, caller.org(), id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
