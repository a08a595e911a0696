//! A person's address for forwarded mail: `/v1/inbound`. Our own addition to the contract. Refuses agents and devices, and is not there where
//! no mail is taken in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use doorcode_core::Secret;
use serde_json::json;

use super::answers::{BodyProblems, NoKey, NoMaker, NoPerson, TooManyChanges, Unavailable};
use super::caller::{ByMaker, ByPerson};
use super::error::{Answer, ErrorBody, about, moment};
use super::fields::Fields;
use crate::app::App;
use crate::ops::inbound::{self, Address};

fn view(found: Option<&Address>) -> Response {
    let email = found.and_then(|found| found.email.as_ref()).map(Secret::expose);
    let made_at = found.map(|found| moment(found.made_at));
    Json(json!({ "success": true, "address": email, "createdAt": made_at })).into_response()
}

/// Makes the person's address for forwarded mail, in place of the one that they had.
#[utoipa::path(post, path = "/v1/inbound", tag = "agentotp", operation_id = "create_inbound",
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It", body = Object),
        NoKey,
        NoMaker,
        BodyProblems,
        (status = 409, description = "Mail is not taken in here", body = ErrorBody),
        TooManyChanges,
        Unavailable,
    ))]
pub(super) async fn make(State(app): State<Arc<App>>, ByMaker(whose): ByMaker, _: Fields) -> Answer {
    Ok(view(Some(&inbound::make(&app, whose).await?)))
}

/// The person's address for forwarded mail; null if there is none.
#[utoipa::path(get, path = "/v1/inbound", tag = "agentotp", operation_id = "get_inbound",
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It", body = Object),
        NoKey,
        NoPerson,
        (status = 409, description = "Mail is not taken in here", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn show(State(app): State<Arc<App>>, ByPerson(whose): ByPerson) -> Answer {
    Ok(view(inbound::get(&app, whose.owner).await?.as_ref()))
}

/// Takes the person's address for forwarded mail away.
#[utoipa::path(delete, path = "/v1/inbound", tag = "agentotp", operation_id = "delete_inbound",
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It is gone", body = Object),
        NoKey,
        NoPerson,
        (status = 404, description = "There is none", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn remove(State(app): State<Arc<App>>, ByPerson(whose): ByPerson) -> Answer {
    inbound::remove(&app, whose).await.map_err(about("address"))?;
    Ok(Json(json!({ "success": true })).into_response())
}
