//! `POST /linkedin-agent/auth-send-otp`: a code to an address. The answer is the same for every address.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorcode_core::{Email, OrgId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Text};
use super::error::{ErrorBody, bad, refusal};
use crate::app::App;
use crate::deliver::texts;
use crate::ops::challenges::{Live, Start, Terms, start};
use crate::ops::client::Client;
use crate::ops::sign_in::{PURPOSE, clean_name};

/// Who wants a code.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SendOtp {
    /// The address.
    #[serde(default)]
    #[schema(value_type = String, required = true, format = "email", example = "john@example.com")]
    email: Text,
    /// The name of the account, should one be made by the check that follows.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "John Doe")]
    full_name: Text,
}

/// The code is on its way.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sent {
    /// Always true.
    #[schema(example = true)]
    success: bool,
    /// The address in its canonical form, which is where the code goes.
    #[schema(example = "john@example.com")]
    email: String,
}

/// Sends a code to an address. Asking again sends the same code again while it lives.
#[utoipa::path(post, path = "/linkedin-agent/auth-send-otp", tag = "outx", request_body = SendOtp, responses(
    (status = 200, description = "The code is on its way", body = Sent),
    (status = 400, description = "Missing or invalid 'email'", body = ErrorBody),
    (status = 408, description = "The body did not come in time", body = ErrorBody),
    (status = 413, description = "The body is over 64 KiB", body = ErrorBody),
    (status = 429, description = "Too many messages; `Retry-After` says when", body = ErrorBody),
    (status = 503, description = "Nothing was written; try again", body = ErrorBody),
))]
pub(super) async fn send_otp(State(app): State<Arc<App>>, client: Client, Body(ask): Body<SendOtp>) -> Response {
    let Some(Ok(email)) = ask.email.given().map(|text| Email::parse(&text)) else { return bad("email") };
    let settings = app.config.outx;
    let start = start(
        &app,
        Start {
            realm: OrgId::HOUSE,
            purpose: PURPOSE,
            to: email.clone().into(),
            shape: settings.shape,
            life: settings.life,
            renew: settings.renew,
            language: texts::choose(&client.languages).language.into(),
            full_name: ask.full_name.given().and_then(|name| clean_name(&name)),
            client,
            live: Live::Resent,
            link: false,
            terms: Terms::default(),
        },
    );
    match start.await {
        Ok(_) => Json(Sent { success: true, email: email.as_str().to_owned() }).into_response(),
        Err(error) => refusal(&error),
    }
}
