//! `GET /api-team`: whose key this is. The published pages name the parts (identity, plan with expiry, limits with
//! usage) and no shape; this one is ours.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use doorcode_core::Error;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ErrorBody, refusal};
use crate::app::App;
use crate::ops::{credentials, orgs};
use crate::store::credentials::{Credential, Kind};

/// A caller with a live API key: whoever has this value has been let in.
pub(crate) struct Caller(Arc<Credential>);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let mut keys = parts.headers.get_all("x-api-key").iter();
        let (Some(Ok(key)), None) = (keys.next().map(axum::http::HeaderValue::to_str), keys.next()) else {
            return Err(refusal(&Error::Unauthenticated));
        };
        match credentials::recognise(app, Kind::ApiKey, key).await {
            Ok(Some(credential)) => Ok(Self(credential)),
            Ok(None) => Err(refusal(&Error::Unauthenticated)),
            Err(error) => Err(refusal(&error)),
        }
    }
}

/// A team, as its key may see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct TeamOverview {
    #[schema(format = "uuid")]
    id: String,
    name: String,
    /// When the team was made, RFC 3339.
    #[schema(format = DateTime)]
    created_at: String,
    plan: Plan,
    limits: Limits,
}

/// What the team may use, until when.
#[derive(Serialize, ToSchema)]
struct Plan {
    #[schema(example = "self-hosted")]
    name: &'static str,
    /// A self-hosted plan does not expire.
    expires_at: Option<String>,
}

/// Limits with their usage.
#[derive(Serialize, ToSchema)]
struct Limits {
    members: Limit,
}

/// One limit.
#[derive(Serialize, ToSchema)]
struct Limit {
    used: i64,
    /// None: unlimited.
    limit: Option<i64>,
}

/// The team of an API key.
#[utoipa::path(get, path = "/api-team", tag = "outx", params(("x-api-key" = String, Header, description = "The team's key")),
    responses(
        (status = 200, description = "The team", body = TeamOverview),
        (status = 401, description = "Unauthorized", body = ErrorBody),
        (status = 503, description = "The database does not answer; try again", body = ErrorBody),
    ))]
pub(super) async fn team(State(app): State<Arc<App>>, Caller(credential): Caller) -> Response {
    match orgs::overview(&app, credential.org).await {
        Ok(overview) => Json(TeamOverview {
            id: credential.org.to_string(),
            name: overview.name,
            created_at: credential.org.made_at().to_string(),
            plan: Plan { name: "self-hosted", expires_at: None },
            limits: Limits { members: Limit { used: overview.members, limit: None } },
        })
        .into_response(),
        Err(error) => refusal(&error),
    }
}
