//! Where programs push a person's messages to: `/v1/hooks`. Our own addition to the contract, which has phones only. Refuses agents and
//! devices, and to show a secret again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use doorcode_core::relay::Named as _;
use doorcode_core::{HookId, Secret};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::answers::{BodyProblems, NoKey, NoMaker, NoPerson, NotFound, TooManyChanges, Unavailable};
use super::caller::{ByMaker, ByPerson};
use super::error::{self, Answer, ErrorBody, Refused, about, moment};
use super::fields::{Fields, wrong};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::hooks::{self, Kind, Shown};

/// The hook that is wanted.
#[derive(ToSchema)]
#[schema(as = OtpHookWanted)]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct HookWanted {
    /// Who pushes: `sms`, `twilio` or `whatsapp`.
    #[schema(pattern = "^(sms|twilio|whatsapp)$", example = "sms")]
    kind: String,
    /// What its owner calls it.
    #[schema(example = "My phone")]
    name: Option<String>,
    /// Twilio's auth token or Meta's app secret. Of kind `sms` there is none to bring: the answer has it.
    #[schema(min_length = 8, max_length = 200, example = json!(null))]
    secret: Option<String>,
}

fn view(shown: &Shown) -> Value {
    let mut body = json!({
        "id": shown.hook.id.shown(),
        "kind": shown.hook.kind,
        "name": shown.hook.name,
        "url": shown.url.as_ref().map(Secret::expose),
        "createdAt": moment(shown.hook.id.made_at()),
        "lastUsedAt": shown.hook.used_at.map(moment),
    });
    if let (Some(token), Some(members)) = (&shown.verify_token, body.as_object_mut()) {
        members.insert("verifyToken".to_owned(), token.expose().as_str().into());
    }
    body
}

/// Makes a hook: `{kind: "sms" | "twilio" | "whatsapp", name?, secret?}`. `secret` is Twilio's auth token or Meta's app secret; of kind `sms`
/// the answer has one, once.
#[utoipa::path(post, path = "/v1/hooks", tag = "agentotp", operation_id = "create_hook", request_body = HookWanted,
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 201, description = "It, with its URL", body = Object),
        NoKey,
        NoMaker,
        BodyProblems,
        (status = 409, description = "There are ten", body = ErrorBody),
        TooManyChanges,
        Unavailable,
    ))]
pub(super) async fn create(State(app): State<Arc<App>>, ByMaker(whose): ByMaker, mut fields: Fields) -> Answer {
    let kind = fields.needed("kind")?;
    let kind = Kind::read(&kind).ok_or_else(|| wrong("kind", "must be sms, twilio or whatsapp"))?;
    let (name, secret) = (fields.text("name")?.unwrap_or_default(), fields.text("secret")?.map(Secret::new));
    let (shown, own) = hooks::create(&app, whose, kind, &name, secret).await?;
    let mut body = json!({ "success": true, "hook": view(&shown) });
    if let Some(own) = own {
        body["secret"] = own.expose().as_str().into();
    }
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// A person's hooks.
#[utoipa::path(get, path = "/v1/hooks", tag = "agentotp", operation_id = "list_hooks",
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "They", body = Object),
        NoKey,
        NoPerson,
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, ByPerson(whose): ByPerson) -> Answer {
    let hooks: Vec<Value> = hooks::list(&app, whose.owner).await?.iter().map(view).collect();
    Ok(Json(json!({ "success": true, "hooks": hooks })).into_response())
}

/// Removes a hook.
#[utoipa::path(delete, path = "/v1/hooks/{id}", tag = "agentotp", operation_id = "delete_hook",
    params(("id" = String, Path, description = "It", pattern = "^hook_")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It is gone", body = Object),
        NoKey,
        NoPerson,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn remove(State(app): State<Arc<App>>, ByPerson(whose): ByPerson, Segment(text): Segment) -> Answer {
    let id = HookId::read(&text).ok_or_else(|| Refused::from(error::absent("hook")))?;
    hooks::remove(&app, whose, id).await.map_err(about("hook"))?;
    Ok(Json(json!({ "success": true })).into_response())
}
