//! `POST /hooks/sms/{token}`: our own form, for programs that forward the SMS of a phone.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use doorcode_core::relay::SMS;
use doorcode_core::{Timestamp, hook};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{Answer, PushProblems, invalid, unsigned};
use super::{Raw, lone};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::hooks::{self, Kind, Text};

/// The longest id, nonce or sender.
const ID_MOST: usize = 200;

/// What is pushed. Members that nobody knows are passed over.
#[derive(Deserialize)]
struct Pushed {
    id: String,
    from: String,
    text: String,
    received_at: Value,
    nonce: String,
}

/// Takes an SMS: `{id, from, text, received_at, nonce}`, signed in `X-Doorcode-Signature`.
#[utoipa::path(post, path = "/hooks/sms/{token}", tag = "hooks", operation_id = "push_sms",
    params(("token" = String, Path, description = "What only the program that pushes knows"),
        ("X-Doorcode-Signature" = String, Header, description = "`t=` seconds since 1970, `,v1=` hex of HMAC-SHA-256 over t, a dot and the body")),
    responses(
        (status = 200, description = "It was taken, now or before. What became of it is not said", body = Object),
        PushProblems,
    ))]
pub(super) async fn push(
    State(app): State<Arc<App>>,
    Segment(token): Segment,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Answer {
    let by = hooks::secret_of(&app, Kind::Sms, &token).await?;
    if !hook::is_ours(&by.secret, &body, lone(&headers, "x-doorcode-signature"), app.clock.now()) {
        return Err(unsigned());
    }
    let wanted = "The body must be JSON with id, from, text, received_at and nonce";
    let pushed: Pushed = serde_json::from_slice(&body).map_err(|_| invalid(wanted))?;
    let named = [&pushed.id, &pushed.nonce].into_iter().all(|id| (1..=ID_MOST).contains(&id.len()));
    if !named || pushed.from.len() > ID_MOST {
        return Err(invalid("id and nonce must have 1 to 200 bytes, from 200 at most"));
    }
    let at = moment(&pushed.received_at)
        .ok_or_else(|| invalid("received_at must be a time as 2026-11-26T12:00:00Z, or milliseconds since 1970"))?;
    let ids = [format!("id {}", pushed.id), format!("nonce {}", pushed.nonce)];
    let ids = [ids[0].as_str(), ids[1].as_str()];
    let text = Text { source: SMS, from: &pushed.from, text: &pushed.text, at: Some(at), ids: &ids };
    hooks::arrive(&app, &by.hook, &text).await?;
    Ok(Json(json!({ "success": true })).into_response())
}

fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().map(Timestamp::from_millis),
        _ => None,
    }
}
