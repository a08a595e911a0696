//! Sessions of people who signed in through `/signin` by way of an app: the exchange of codes and refresh tokens (RFC 6749), whether
//! one is good, where else one is signed in, and the end.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use doorcode_core::OrgId;
use doorcode_core::session::Kind;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{self, Answer, NotFound, Problem, Refused, Unavailable};
use super::{id, moment};
use crate::api::bearer::bearer;
use crate::api::segment::Segment;
use crate::app::App;
use crate::body;
use crate::ops::redirects::{Exchange, exchange};
use crate::ops::sessions::{self, Live, Tokens};
use crate::store::sessions::Session as Row;

/// What is exchanged, as a form or as JSON.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one")]
pub(crate) struct TokenRequest {
    /// `authorization_code` or `refresh_token`.
    #[schema(example = "authorization_code", pattern = "^(authorization_code|refresh_token)$")]
    grant_type: String,
    /// The id of your org, as `/signin` was asked with it.
    #[schema(format = "uuid")]
    client_id: String,
    /// With `authorization_code`: what the browser brought.
    code: Option<String>,
    /// With `authorization_code`: where it was brought, to the byte.
    redirect_uri: Option<String>,
    /// With `authorization_code`: the origin of the `code_challenge` (RFC 7636).
    code_verifier: Option<String>,
    /// With `refresh_token`: it. It is good once; one that comes again ends the session.
    refresh_token: Option<String>,
}

/// What it is exchanged for.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenAnswer {
    /// To be shown as `Authorization: Bearer …` at `/v1/session`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// How long the access token is good for, in seconds.
    expires_in: u64,
    /// To be exchanged for the next tokens, once.
    refresh_token: String,
    /// Who signed in: ES256, keys at `/.well-known/jwks.json`; `aud` is your org's id, `sub` the user's.
    id_token: String,
}

impl From<Tokens> for TokenAnswer {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access.expose().clone(),
            token_type: "Bearer",
            expires_in: tokens.access_life.as_secs(),
            refresh_token: tokens.refresh.expose().clone(),
            id_token: tokens.id_token.expose().clone(),
        }
    }
}

/// Exchanges a code from `/signin`, or a refresh token, for tokens. Needs no key: apps on people's own devices have none to keep.
#[utoipa::path(post, operation_id = "exchange_token", path = "/v1/token", tag = "sign-in",
    request_body(content((TokenRequest = "application/x-www-form-urlencoded"), (TokenRequest = "application/json"))),
    responses(
        (status = 200, description = "Tokens", body = TokenAnswer),
        (status = 400, description = "Not good: `error` says why, in the words of RFC 6749 section 5.2", body = Problem),
        (status = 408, description = "The body did not come in time", body = Problem),
        (status = 413, description = "The body is over 64 KiB", body = Problem),
        Unavailable,
    ))]
pub(super) async fn token(State(app): State<Arc<App>>, request: Request) -> Answer {
    let is_json = request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.to_str().is_ok_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/json"))
    });
    let bytes =
        body::read(request.into_body(), &app).await.map_err(|trouble| Refused::from(problem::unread(trouble)))?;
    let asked = Asked::read(&bytes, is_json).ok_or_else(|| problem::oauth("invalid_request"))?;
    let client: OrgId = asked.one("client_id").parse().map_err(|_| Refused::from(problem::oauth("invalid_client")))?;
    let tokens = match asked.one("grant_type") {
        "authorization_code" => {
            let [code, uri, verifier] =
                ["code", "redirect_uri", "code_verifier"].map(|name| asked.one(name).to_owned());
            exchange(&app, Exchange { code, client, uri, verifier }).await?
        }
        "refresh_token" => sessions::refresh(&app, asked.one("refresh_token"), Some(client)).await?,
        _ => return Err(problem::oauth("unsupported_grant_type").into()),
    };
    let tokens = tokens.ok_or_else(|| problem::oauth("invalid_grant"))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(TokenAnswer::from(tokens))).into_response())
}

/// The parameters of a token request.
struct Asked(Vec<(String, String)>);

impl Asked {
    /// Of a form or of JSON. None: it is neither, or names one twice (RFC 6749 section 3.2).
    fn read(bytes: &Bytes, is_json: bool) -> Option<Self> {
        let pairs: Vec<(String, String)> = if is_json {
            let members: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).ok()?;
            let text =
                |value: serde_json::Value| if let serde_json::Value::String(text) = value { Some(text) } else { None };
            members.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()
        } else {
            url::form_urlencoded::parse(bytes).into_owned().collect()
        };
        // Not each against each: of 64 KiB that would be seconds.
        let mut names = HashSet::with_capacity(pairs.len());
        let once = pairs.iter().all(|(name, _)| names.insert(name));
        once.then_some(Self(pairs))
    }

    fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(had, _)| had == name).map_or("", |(_, value)| value)
    }
}

/// Somebody who is signed in by way of an app, by its access token.
pub(super) struct SignedIn(Arc<Live>);

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        Self::of(&parts.headers, app).await
    }
}

impl SignedIn {
    async fn of(headers: &HeaderMap, app: &Arc<App>) -> Result<Self, Refused> {
        let token = bearer(headers).ok_or_else(problem::no_session)?;
        let live = sessions::read(app, Kind::Access, token).await?;
        live.map(Self).ok_or_else(|| problem::no_session().into())
    }
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(crate) struct Session {
    #[schema(format = "uuid")]
    id: String,
    #[schema(format = "uuid")]
    user_id: String,
    /// The org whose app it is.
    #[schema(format = "uuid")]
    client_id: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// To the nearest five minutes.
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// Its end: the nearer of the two that it has.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl From<&Row> for Session {
    fn from(row: &Row) -> Self {
        Self {
            id: row.id.to_string(),
            user_id: row.user.to_string(),
            client_id: row.client.map(|client| client.to_string()),
            created_at: moment(row.id.made_at().millis()),
            last_seen_at: row.seen_at.to_string(),
            expires_at: row.until.min(row.idle_until).to_string(),
        }
    }
}

/// Whose access token it is. Not a flattened session: that costs the serializer a detour, and this is asked with every request.
#[derive(Serialize, ToSchema)]
pub(crate) struct CurrentSession {
    #[schema(format = "uuid")]
    id: String,
    #[schema(format = "uuid")]
    user_id: String,
    /// The org whose app it is.
    #[schema(format = "uuid")]
    client_id: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// To the nearest five minutes.
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// Its end: the nearer of the two that it has.
    #[schema(format = DateTime)]
    expires_at: String,
    full_name: String,
    email: Option<String>,
}

/// The sessions of somebody.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sessions {
    /// The newest first.
    data: Vec<Session>,
}

/// Whose access token this is, if it is good: asked here, one that was ended is no longer good.
#[utoipa::path(get, operation_id = "show_session", path = "/v1/session", tag = "sign-in", security(("access_token" = [])),
    responses(
        (status = 200, description = "Good, and whose", body = CurrentSession),
        (status = 401, description = "Not good, or over", body = Problem),
        Unavailable,
    ))]
pub(super) async fn show(SignedIn(live): SignedIn) -> Answer {
    let Session { id, user_id, client_id, created_at, last_seen_at, expires_at } = Session::from(&live.session);
    let (full_name, email) = (live.owner.full_name.clone(), live.owner.email.clone());
    Ok(Json(CurrentSession { id, user_id, client_id, created_at, last_seen_at, expires_at, full_name, email })
        .into_response())
}

/// Ends the session.
#[utoipa::path(delete, operation_id = "end_session", path = "/v1/session", tag = "sign-in", security(("access_token" = [])),
    responses(
        (status = 204, description = "It is over"),
        (status = 401, description = "Not good, or over", body = Problem),
        Unavailable,
    ))]
pub(super) async fn end(State(app): State<Arc<App>>, SignedIn(live): SignedIn) -> Answer {
    sessions::revoke(&app, &live.session, live.session.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Lists where the same person is signed in by way of the same org's apps.
#[utoipa::path(get, operation_id = "list_sessions", path = "/v1/sessions", tag = "sign-in", security(("access_token" = [])),
    responses(
        (status = 200, description = "The newest hundred", body = Sessions),
        (status = 401, description = "Not good, or over", body = Problem),
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, SignedIn(live): SignedIn) -> Answer {
    let found = sessions::list(&app, live.session.user, live.session.client).await?;
    Ok(Json(Sessions { data: found.iter().map(Session::from).collect() }).into_response())
}

/// Ends every session of the same person by way of the same org's apps, this one too.
#[utoipa::path(delete, operation_id = "end_all_sessions", path = "/v1/sessions", tag = "sign-in", security(("access_token" = [])),
    responses(
        (status = 204, description = "All are over"),
        (status = 401, description = "Not good, or over", body = Problem),
        Unavailable,
    ))]
pub(super) async fn end_all(State(app): State<Arc<App>>, SignedIn(live): SignedIn) -> Answer {
    let session = &live.session;
    sessions::revoke_all(&app, session.org, session.user, session.client).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends another session of the same person.
#[utoipa::path(delete, operation_id = "end_other_session", path = "/v1/sessions/{id}", tag = "sign-in", params(("id" = String, Path, format = "uuid")),
    security(("access_token" = [])),
    responses(
        (status = 204, description = "It is over"),
        (status = 401, description = "Not good, or over", body = Problem),
        NotFound,
        Unavailable,
    ))]
pub(super) async fn end_one(State(app): State<Arc<App>>, SignedIn(live): SignedIn, Segment(text): Segment) -> Answer {
    if sessions::revoke(&app, &live.session, id(&text)?).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(problem::not_found().into())
    }
}

/// Where everything is, for libraries that look (RFC 8414).
#[derive(Serialize, ToSchema)]
pub(crate) struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    response_types_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    code_challenge_methods_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
}

/// Where everything is, for libraries that look.
#[utoipa::path(get, operation_id = "server_metadata", path = "/.well-known/oauth-authorization-server", tag = "sign-in",
    responses((status = 200, description = "The addresses", body = Metadata)))]
pub(super) async fn metadata(State(app): State<Arc<App>>) -> Answer {
    let base = app.base_url();
    let body = Metadata {
        authorization_endpoint: format!("{base}/signin"),
        token_endpoint: format!("{base}/v1/token"),
        jwks_uri: format!("{base}/.well-known/jwks.json"),
        issuer: base,
        response_types_supported: ["code"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: ["none"],
        id_token_signing_alg_values_supported: ["ES256"],
        authorization_response_iss_parameter_supported: true,
    };
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], Json(body)).into_response())
}
