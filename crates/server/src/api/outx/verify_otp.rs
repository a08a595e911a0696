//! `POST /linkedin-agent/auth-verify-otp`: a code for an address becomes its user, team and API key.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorcode_core::{Email, OrgId, Secret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Text};
use super::error::{ErrorBody, bad, refusal, wrong_otp};
use crate::app::App;
use crate::ops::challenges::{Attempt, Entry, Terms};
use crate::ops::client::Client;
use crate::ops::sign_in::{PURPOSE, SignedIn, verify};

/// The address and its code.
#[derive(Deserialize, ToSchema)]
pub(crate) struct VerifyOtp {
    /// The address that the code was sent to.
    #[serde(default)]
    #[schema(value_type = String, required = true, format = "email", example = "john@example.com")]
    email: Text,
    /// The code.
    #[serde(default)]
    #[schema(value_type = String, required = true, example = "123456")]
    otp: Text,
}

/// What the code earned.
#[derive(Serialize, ToSchema)]
pub(crate) struct Verified {
    user: User,
    team: Team,
}

/// The person.
#[derive(Serialize, ToSchema)]
struct User {
    #[schema(format = "uuid")]
    id: String,
    full_name: String,
    email: String,
}

/// Their team and its key.
#[derive(Serialize, ToSchema)]
struct Team {
    #[schema(format = "uuid")]
    id: String,
    name: String,
    /// The same at every sign-in. It is shown here because the contract of this door shows it.
    #[schema(example = "outx_a1b2c3d4e5f6g7h8i9j0k1l2")]
    api_key: String,
}

impl From<SignedIn> for Verified {
    fn from(account: SignedIn) -> Self {
        Self {
            user: User {
                id: account.user.to_string(),
                full_name: account.full_name,
                email: account.email.as_str().to_owned(),
            },
            team: Team {
                id: account.org.to_string(),
                name: account.org_name,
                api_key: account.api_key.expose().clone(),
            },
        }
    }
}

/// Checks a code. Right once; the same client may repeat it for ten seconds and is given the same again.
#[utoipa::path(post, path = "/linkedin-agent/auth-verify-otp", tag = "outx", request_body = VerifyOtp, responses(
    (status = 200, description = "User, team and key", body = Verified),
    (status = 400, description = "Missing or invalid 'email' or 'otp'", body = ErrorBody),
    (status = 401, description = "Invalid or expired OTP", body = ErrorBody),
    (status = 408, description = "The body did not come in time", body = ErrorBody),
    (status = 413, description = "The body is over 64 KiB", body = ErrorBody),
    (status = 503, description = "Nothing was written; try again", body = ErrorBody),
))]
pub(super) async fn verify_otp(State(app): State<Arc<App>>, client: Client, Body(ask): Body<VerifyOtp>) -> Response {
    let Some(Ok(email)) = ask.email.given().map(|text| Email::parse(&text)) else { return bad("email") };
    let Some(otp) = ask.otp.given() else { return bad("otp") };
    let shape = app.config.outx.shape;
    let entry = Entry::Typed(Secret::new(otp));
    let (to, terms) = (email.into(), Terms::default());
    let attempt = Attempt { realm: OrgId::HOUSE, purpose: PURPOSE, to, only: None, entry, shape, client, terms };
    match verify(&app, attempt).await {
        Ok(Some(account)) => Json(Verified::from(account)).into_response(),
        Ok(None) => wrong_otp(),
        Err(error) => refusal(&error),
    }
}
