//! The auth proxy: `POST /v1/otp_init` and its siblings, unsigned, for the organisation that `X-Auth-Proxy-Config-ID` names. Answers are flat;
//! errors are the door's.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use doorcode_core::activity::Kind;
use doorcode_core::json;
use doorcode_core::stamp::Refusal;
use serde_json::{Map, Value};
use utoipa::IntoParams;

use super::error::{Answered, ProxyProblems};
use super::{Raw, cors};
use crate::app::App;
use crate::body;
use crate::ops::client::Client;
use crate::ops::signed::{self, Proxy, Refused};

/// Objects and lists in each other; the deepest call has five.
const DEPTH: u8 = 8;

/// Where it is called.
pub(in crate::api) const PATHS: [&str; 10] = [
    "/v1/otp_init",
    "/v1/otp_init_v2",
    "/v1/otp_verify",
    "/v1/otp_verify_v2",
    "/v1/otp_login",
    "/v1/otp_login_v2",
    "/v1/account",
    "/v1/signup",
    "/v1/signup_v2",
    "/v1/wallet_kit_config",
];

/// For which organization. Only the document reads it: [`answer`] takes it from the headers.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) struct Named {
    /// The organization's id
    #[param(rename = "X-Auth-Proxy-Config-ID")]
    config: String,
}

/// What is called.
#[derive(Clone, Copy)]
enum Call {
    Start(Kind),
    Verify(Kind),
    Login(Kind),
    Account,
    SignUp(Kind),
    Config,
}

/// Asks for a code.
#[utoipa::path(post, path = "/v1/otp_init", tag = "turnkey", operation_id = "proxy_otp_init", request_body = Object,
    params(Named),
    responses((status = 200, description = "`{otpId}`", body = Object), ProxyProblems))]
pub(super) async fn start(State(app): State<Arc<App>>, client: Client, raw: Raw) -> Response {
    answer(&app, client, raw, Call::Start(Kind::InitOtpV2)).await
}

/// Asks for a code that comes back sealed.
#[utoipa::path(post, path = "/v1/otp_init_v2", tag = "turnkey", operation_id = "proxy_otp_init_v2", request_body = Object,
    params(Named),
    responses((status = 200, description = "`{otpId, otpEncryptionTargetBundle}`", body = Object), ProxyProblems))]
pub(super) async fn start_v2(State(app): State<Arc<App>>, client: Client, raw: Raw) -> Response {
    answer(&app, client, raw, Call::Start(Kind::InitOtpV3)).await
}

/// Checks a code.
#[utoipa::path(post, path = "/v1/otp_verify", tag = "turnkey", operation_id = "proxy_otp_verify", request_body = Object,
    params(Named),
    responses((status = 200, description = "`{verificationToken}`", body = Object), ProxyProblems))]
pub(super) async fn verify(State(app): State<Arc<App>>, client: Client, raw: Raw) -> Response {
    answer(&app, client, raw, Call::Verify(Kind::VerifyOtp)).await
}

/// Checks a sealed code.
#[utoipa::path(post, path = "/v1/otp_verify_v2", tag = "turnkey", operation_id = "proxy_otp_verify_v2", request_body = Object,
    params(Named),
    responses((status = 200, description = "`{verificationToken}`", body = Object), ProxyProblems))]
pub(super) async fn verify_v2(State(app): State<Arc<App>>, client: Client, raw: Raw) -> Response {
    answer(&app, client, raw, Call::Verify(Kind::VerifyOtpV2)).await
}

/// Spends a token on a session.
#[utoipa::path(post, path = "/v1/otp_login", tag = "turnkey", operation_id = "proxy_otp_login", request_body = Object,
    params(Named),
    responses((status = 200, description = "`{session}`", body = Object), ProxyProblems))]
pub(super) async fn login(State(app): State<Arc<App>>, client: Client, raw: Raw) -> Response {
    answer(&app, client, raw, Call::Login(Kind::OtpLogin)).await
}

/// Spends a token on a session, with a signature of the token's key.
#[utoipa::path(post, path = "/v1/otp_login_v2", tag = "turnkey", operation_id = "proxy_otp_login_v2", request_body = Object,
    params(Named),
    responses((status = 200, description = "`{session}`", body = Object), ProxyProblems))]
pub(super) async fn login_v2(State(app): State<Arc<App>>, client: Client, raw: Raw) -> Response {
    answer(&app, client, raw, Call::Login(Kind::OtpLoginV2)).await
}

/// Whose a contact is, for who brings a token for it. Without one the answer is the same, whether anybody has it or not: `{}`.
#[utoipa::path(post, path = "/v1/account", tag = "turnkey", operation_id = "proxy_account", request_body = Object,
    params(Named),
    responses((status = 200, description = "`{organizationId}`, or `{}`", body = Object), ProxyProblems))]
pub(super) async fn account(State(app): State<Arc<App>>, client: Client, raw: Raw) -> Response {
    answer(&app, client, raw, Call::Account).await
}

/// Makes a sub-organization for whoever has a token.
#[utoipa::path(post, path = "/v1/signup", tag = "turnkey", operation_id = "proxy_signup", request_body = Object,
    params(Named),
    responses((status = 200, description = "`{organizationId, userId}`", body = Object), ProxyProblems))]
pub(super) async fn sign_up(State(app): State<Arc<App>>, client: Client, raw: Raw) -> Response {
    answer(&app, client, raw, Call::SignUp(Kind::CreateSubOrganizationV7)).await
}

/// The same, without tokens of the old form.
#[utoipa::path(post, path = "/v1/signup_v2", tag = "turnkey", operation_id = "proxy_signup_v2", request_body = Object,
    params(Named),
    responses((status = 200, description = "`{organizationId, userId}`", body = Object), ProxyProblems))]
pub(super) async fn sign_up_v2(State(app): State<Arc<App>>, client: Client, raw: Raw) -> Response {
    answer(&app, client, raw, Call::SignUp(Kind::CreateSubOrganizationV8)).await
}

/// What apps have to know.
#[utoipa::path(post, path = "/v1/wallet_kit_config", tag = "turnkey", operation_id = "proxy_config", request_body = Object,
    params(Named),
    responses((status = 200, description = "Providers, lives, the shape of codes", body = Object), ProxyProblems))]
pub(super) async fn config(State(app): State<Arc<App>>, client: Client, raw: Raw) -> Response {
    answer(&app, client, raw, Call::Config).await
}

/// Whoever calls is found first, so that an answer is readable by the pages that may call, whatever it says.
async fn answer(app: &Arc<App>, client: Client, Raw { headers, body }: Raw, call: Call) -> Response {
    let config = headers.get("x-auth-proxy-config-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let origin = headers.get(header::ORIGIN);
    // What is no text is on nobody's list.
    let named = origin.map(|value| value.to_str().unwrap_or_default());
    let proxy = match signed::proxy(app, config, named, client).await {
        Ok(proxy) => proxy,
        Err(why) => return Answered::from(why).into_response(),
    };
    let mut answer = match done(app, &proxy, &body, call).await {
        Ok(members) => Json(Value::Object(members)).into_response(),
        Err(why) => Answered::from(why).into_response(),
    };
    if let Some(origin) = origin {
        cors::allow(answer.headers_mut(), origin.clone());
    }
    answer
}

async fn done(app: &Arc<App>, proxy: &Proxy, body: &[u8], call: Call) -> Result<Map<String, Value>, Refused> {
    let why = "must be an object in JSON, with each member once";
    let body = json::object(body, body::MOST, DEPTH).ok_or(Refusal::Request { field: "body", why })?;
    match call {
        Call::Start(kind) => proxy.start(app, kind, &body).await,
        Call::Verify(kind) => proxy.verify(app, kind, &body).await,
        Call::Login(kind) => proxy.login(app, kind, &body).await,
        Call::SignUp(kind) => proxy.sign_up(app, kind, &body).await,
        Call::Account => {
            let found = proxy.account(app, &body).await?;
            Ok(found.map(|org| ("organizationId".to_owned(), org.to_string().into())).into_iter().collect())
        }
        Call::Config => {
            let shown = serde_json::json!({
                "enabledProviders": ["email"],
                "sessionExpirationSeconds": doorcode_core::activity::rules::EARNED_LIFE.to_string(),
                "organizationId": proxy.org().to_string(),
                "otpAlphanumeric": true,
                "otpLength": "9",
            });
            Ok(shown.as_object().cloned().unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_paths_are_those_of_the_routes() {
        let (_, document) = super::super::routes().split_for_parts();
        let routed: BTreeSet<&str> = document.paths.paths.keys().map(String::as_str).collect();
        let ours: BTreeSet<&str> = routed.iter().copied().filter(|path| !path.starts_with("/public/")).collect();
        assert_eq!(ours, BTreeSet::from(PATHS));
    }
}
