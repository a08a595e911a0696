//! `POST /public/v1/query/{query}`: something is looked up.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use super::error::{Answer, StampProblems, no_such_call};
use super::{Raw, presented, shapes};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::signed::{self, Listed};

/// What can be looked up.
const QUERIES: [&str; 9] = [
    "whoami",
    "get_activity",
    "list_activities",
    "get_user",
    "list_users",
    "get_api_key",
    "get_api_keys",
    "list_suborgs",
    "list_verified_suborgs",
];

/// Looks something up for whoever signed the body: `{organizationId, …}`.
#[utoipa::path(post, path = "/public/v1/query/{query}", tag = "turnkey", operation_id = "signed_query", request_body = Object,
    params(("query" = String, Path, description = "As `whoami`"),
        ("X-Stamp" = String, Header, description = "base64url of `{publicKey, scheme, signature}`: the signature of the body")),
    responses(
        (status = 200, description = "What was found", body = Object),
        StampProblems,
    ))]
pub(super) async fn query(
    State(app): State<Arc<App>>,
    Segment(path): Segment,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Answer {
    if !QUERIES.contains(&path.as_str()) {
        return Err(no_such_call());
    }
    let query = signed::ask(&presented(&headers, false)?, &body)?;
    let found = match path.as_str() {
        "whoami" => {
            let who = signed::whoami(&app, &query).await?;
            json!({
                "organizationId": who.org.to_string(),
                "organizationName": who.org_name,
                "userId": who.user.to_string(),
                "username": who.name,
            })
        }
        "get_activity" => json!({ "activity": shapes::activity(signed::activity(&app, &query).await?) }),
        "list_activities" => {
            let found = signed::activities(&app, &query).await?;
            json!({ "activities": found.into_iter().map(shapes::activity).collect::<Vec<_>>() })
        }
        "get_user" => json!({ "user": shapes::person(&signed::user(&app, &query).await?) }),
        "list_users" => json!({ "users": all(&signed::users(&app, &query).await?, shapes::person) }),
        "get_api_key" => json!({ "apiKey": shapes::key(&signed::api_key(&app, &query).await?) }),
        "get_api_keys" => json!({ "apiKeys": all(&signed::api_keys(&app, &query).await?, shapes::key) }),
        verified => {
            let listed = if verified == "list_suborgs" { Listed::All } else { Listed::Verified };
            let found = signed::suborgs(&app, &query, listed).await?;
            json!({ "organizationIds": all(&found, |id| id.to_string().into()) })
        }
    };
    Ok(Json(found).into_response())
}

fn all<T>(found: &[T], shape: impl Fn(&T) -> Value) -> Vec<Value> {
    found.iter().map(shape).collect()
}
