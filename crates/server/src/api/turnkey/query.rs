//! `POST /public/v1/query/{query}`: something is looked up.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use super::error::{Answer, StampProblems, no_such_call};
use super::{Raw, presented, shapes};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::signed::{self, Listed};

/// What can be looked up.
#[derive(Clone, Copy)]
enum Name {
    WhoAmI,
    Activity,
    Activities,
    User,
    Users,
    ApiKey,
    ApiKeys,
    SubOrgs(Listed),
    MailEvents,
}

impl Name {
    /// The query that is asked at a path, by the last part of it.
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            "whoami" => Self::WhoAmI,
            "get_activity" => Self::Activity,
            "list_activities" => Self::Activities,
            "get_user" => Self::User,
            "list_users" => Self::Users,
            "get_api_key" => Self::ApiKey,
            "get_api_keys" => Self::ApiKeys,
            "list_suborgs" => Self::SubOrgs(Listed::All),
            "list_verified_suborgs" => Self::SubOrgs(Listed::Verified),
            "list_email_events" => Self::MailEvents,
            _ => return None,
        })
    }
}

/// Looks something up for whoever signed the body: `{organizationId, …}`.
#[utoipa::path(post, path = "/public/v1/query/{query}", tag = "turnkey", operation_id = "signed_query", request_body = Object,
    params(("query" = String, Path, description = "As `whoami`"),
        ("X-Stamp" = String, Header, description = "base64url of `{publicKey, scheme, signature}`: the signature of the body")),
    responses(
        (status = 200, description = "What was found", body = Object),
        StampProblems,
    ))]
pub(super) async fn query(State(app): State<Arc<App>>, Segment(path): Segment, Raw { headers, body }: Raw) -> Answer {
    let name = Name::of(&path).ok_or_else(no_such_call)?;
    let query = signed::ask(&presented(&headers, false)?, &body)?;
    let found = match name {
        Name::WhoAmI => {
            let who = signed::whoami(&app, &query).await?;
            json!({
                "organizationId": who.org.to_string(),
                "organizationName": who.org_name,
                "userId": who.user.to_string(),
                "username": who.name,
            })
        }
        Name::Activity => json!({ "activity": shapes::activity(signed::activity(&app, &query).await?) }),
        Name::Activities => {
            let found = signed::activities(&app, &query).await?;
            json!({ "activities": found.into_iter().map(shapes::activity).collect::<Vec<_>>() })
        }
        Name::User => json!({ "user": shapes::person(&signed::user(&app, &query).await?) }),
        Name::Users => json!({ "users": all(&signed::users(&app, &query).await?, shapes::person) }),
        Name::ApiKey => json!({ "apiKey": shapes::key(&signed::api_key(&app, &query).await?) }),
        Name::ApiKeys => json!({ "apiKeys": all(&signed::api_keys(&app, &query).await?, shapes::key) }),
        Name::SubOrgs(listed) => {
            let found = signed::suborgs(&app, &query, listed).await?;
            json!({ "organizationIds": all(&found, |id| id.to_string().into()) })
        }
        Name::MailEvents => {
            let found = signed::mail_events(&app, &query).await?;
            json!({ "emailEvents": all(&found.events, |event| shapes::mail_event(&app.config.mail, &found, event)) })
        }
    };
    Ok(Json(found).into_response())
}

fn all<T>(found: &[T], shape: impl Fn(&T) -> Value) -> Vec<Value> {
    found.iter().map(shape).collect()
}
