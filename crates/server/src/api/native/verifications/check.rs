//! `POST /v1/verifications/{id}/check`: a code comes back, and becomes a token, or a key that is sealed to the person's
//! device. Refuses a key to whoever may not make keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::activity::KEY_WORDS;
use doorcode_core::stamp::{Curve, PublicKey};
use doorcode_core::{Error, Secret};
use serde::Serialize;
use utoipa::ToSchema;

use super::Verification;
use crate::api::native::caller::{Caller, Verify, person};
use crate::api::native::fields::Fields;
use crate::api::native::problem::{Answer, BodyProblems, KeyProblems, NotFound, Problem, Unavailable, lacks};
use crate::api::native::{id, moment};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::keys;
use crate::ops::verifications::{self, Entry, Judged, Proof};

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
    /// A public key of P-256 in hexadecimal, made on the person's device: the answer has a key of theirs that is sealed to it, in place of
    /// a token. Needs the scope `admin`, or a stamp of a root user.
    #[schema(example = "04…", pattern = "^([0-9a-fA-F]{66}|[0-9a-fA-F]{130})$")]
    target_public_key: Option<String>,
}

/// What it came to.
#[derive(Serialize, ToSchema)]
pub(crate) struct Outcome {
    /// Whether the code was right.
    valid: bool,
    /// Proof for any service (ES256, keys at `/.well-known/jwks.json`): `sub` is the address, `aud` the id of your org. Null if it
    /// was wrong, and where a key was asked for.
    token: Option<String>,
    /// Where a key was asked for, and the code was right: its private half, sealed to `target_public_key` (base58, as the door `turnkey` seals it).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "kK6ueBJ6PgQ3v2Tz…")]
    credential_bundle: Option<String>,
    /// Whose key it is: the org's user who signs with keys and has this address, who is made if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    user_id: Option<String>,
    /// The key's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    key_id: Option<String>,
    /// When the key is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    key_expires_at: Option<String>,
    /// How many more codes are looked at before a new one has to be sent; null for a right one, and for a long code.
    attempts_left: Option<u32>,
    verification: Verification,
}

impl From<Judged> for Outcome {
    fn from(judged: Judged) -> Self {
        let valid = judged.proof.is_some();
        let (token, key) = match judged.proof {
            Some(Proof::Token(token)) => (Some(token.expose().clone()), None),
            Some(Proof::Key(earned)) => (None, Some(earned)),
            None => (None, None),
        };
        Self {
            valid,
            token,
            key_expires_at: key.as_ref().map(|key| moment(key.expires_at)),
            user_id: key.as_ref().map(|key| key.user.clone()),
            key_id: key.as_ref().map(|key| key.key.clone()),
            credential_bundle: key.map(|key| key.bundle),
            attempts_left: judged.attempts_left,
            verification: judged.verification.into(),
        }
    }
}

/// Checks a code. Right once; the same key may say it again for ten seconds and is given the same token's claims again. Wrong,
/// expired, used and withdrawn are all `valid: false`. With `target_public_key` it becomes a key, sealed to the person's device.
#[utoipa::path(post, path = "/v1/verifications/{id}/check", tag = "verifications", operation_id = "check_verification", request_body = Check,
    params(("id" = String, Path, format = "uuid")), security(("key" = ["verify"])),
    responses(
        (status = 200, description = "Right or wrong: see `valid`", body = Outcome),
        BodyProblems,
        KeyProblems,
        NotFound,
        (status = 409, description = "The code is right, and stays so; but the address earns no key: it is two users', a root user's, or only its user named it", body = Problem),
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
    let target = body.text("target_public_key");
    let target = body.meaning("target_public_key", target, point);
    body.end()?;
    if target.is_some() && !caller.may_make_keys() {
        return Err(lacks(keys::ADMIN).into());
    }
    let code = code.unwrap_or_else(|| Secret::new(String::new()));
    let judged = verifications::check(&app, Entry { backend: caller.backend(), person: who, id, code, target }).await?;
    Ok(Json(Outcome::from(judged)).into_response())
}

/// A point of P-256, of either usual form.
fn point(text: &str) -> Result<PublicKey, Error> {
    PublicKey::parse(Curve::P256, text).ok_or(Error::Invalid { field: "target_public_key", why: KEY_WORDS })
}
