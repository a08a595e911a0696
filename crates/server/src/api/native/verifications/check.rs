//! `POST /v1/verifications/{id}/check`: a code comes back, and becomes a token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::Secret;
use serde::Serialize;
use utoipa::ToSchema;

use super::Verification;
use crate::api::native::caller::{Caller, Verify, person};
use crate::api::native::fields::Fields;
use crate::api::native::id;
use crate::api::native::problem::{Answer, BodyProblems, KeyProblems, NotFound, Unavailable};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::verifications::{self, Entry, Judged};

/// What somebody typed.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Check)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct Check {
    /// The code. Spaces and dashes in it do no harm.
    #[schema(example = "482913")]
    code: String,
    /// The address of the person's own device, as your server sees it.
    #[schema(example = "203.0.113.7")]
    user_ip: Option<String>,
}

/// What it came to.
#[derive(Serialize, ToSchema)]
pub(crate) struct Outcome {
    /// Whether the code was right.
    valid: bool,
    /// Proof for any service (ES256, keys at `/.well-known/jwks.json`): `sub` is the address, `aud` the id of your org. Null if it
    /// was wrong.
    token: Option<String>,
    /// How many more codes are looked at before a new one has to be sent; null for a right one, and for a long code.
    attempts_left: Option<u32>,
    verification: Verification,
}

impl From<Judged> for Outcome {
    fn from(judged: Judged) -> Self {
        Self {
            valid: judged.token.is_some(),
            token: judged.token.map(|token| token.expose().clone()),
            attempts_left: judged.attempts_left,
            verification: judged.verification.into(),
        }
    }
}

/// Checks a code. Right once; the same key may say it again for ten seconds and is given the same token's claims again. Wrong,
/// expired, used and withdrawn are all `valid: false`.
#[utoipa::path(post, path = "/v1/verifications/{id}/check", tag = "verifications", operation_id = "check_verification", request_body = Check,
    params(("id" = String, Path, format = "uuid")), security(("key" = ["verify"])),
    responses(
        (status = 200, description = "Right or wrong: see `valid`", body = Outcome),
        BodyProblems,
        KeyProblems,
        NotFound,
        Unavailable,
    ))]
pub(in crate::api::native) async fn check(
    State(app): State<Arc<App>>,
    caller: Caller<Verify>,
    Segment(text): Segment,
    mut body: Fields,
) -> Answer {
    let id = id(&text)?;
    let code = body.needed("code").map(Secret::new);
    let who = body.text("user_ip");
    let who = body.meaning("user_ip", who, person);
    body.end()?;
    let code = code.unwrap_or_else(|| Secret::new(String::new()));
    let judged = verifications::check(&app, Entry { backend: caller.backend(), person: who, id, code }).await?;
    Ok(Json(Outcome::from(judged)).into_response())
}
