//! `/hooks/whatsapp/{token}`: Meta asks once whether we want its messages (`GET`), then pushes them (`POST`), several at once if it likes.
//! Only what is a text is looked at. Refuses to answer for a push of which something was not taken: Meta repeats it.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse as _;
use doorcode_core::relay::WHATSAPP;
use doorcode_core::{Timestamp, hook};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::error::{Answer, ErrorBody, PushProblems, invalid, too_many, unsigned};
use super::{Raw, lone};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::hooks::{self, Kind, Text};

/// The longest challenge that is said back.
const CHALLENGE_MOST: usize = 200;

/// Texts in one push, each of which is looked for before one is taken. Meta's own have a few hundred bytes each: a body has not room for so many.
const TEXTS_MOST: usize = 1000;

/// Meta's question.
#[derive(Deserialize)]
pub(super) struct Greeting {
    #[serde(rename = "hub.mode")]
    mode: Option<String>,
    #[serde(rename = "hub.verify_token")]
    verify_token: Option<String>,
    #[serde(rename = "hub.challenge")]
    challenge: Option<String>,
}

/// Answers Meta's question whether messages shall come here.
#[utoipa::path(get, path = "/hooks/whatsapp/{token}", tag = "hooks", operation_id = "greet_whatsapp",
    params(("token" = String, Path, description = "What only Meta knows"),
        ("hub.mode" = Option<String>, Query, description = "`subscribe`"),
        ("hub.verify_token" = Option<String>, Query, description = "What the hook was made with"),
        ("hub.challenge" = Option<String>, Query, description = "What is said back")),
    responses(
        (status = 200, description = "The challenge", body = String, content_type = "text/plain"),
        (status = 400, description = "The query can't be read", body = String, content_type = "text/plain"),
        (status = 401, description = "The token is wrong", body = ErrorBody),
        (status = 404, description = "There is no such hook", body = ErrorBody),
        (status = 503, description = "Try again", body = ErrorBody),
    ))]
pub(super) async fn greet(
    State(app): State<Arc<App>>,
    Segment(token): Segment,
    Query(greeting): Query<Greeting>,
) -> Answer {
    let by = hooks::secret_of(&app, Kind::WhatsApp, &token).await?;
    let shown = greeting.verify_token.unwrap_or_default();
    let right: bool = by.verify_token.expose().as_bytes().ct_eq(shown.as_bytes()).into();
    let challenge = greeting.challenge.unwrap_or_default();
    let plain = challenge.len() <= CHALLENGE_MOST && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !right || greeting.mode.as_deref() != Some("subscribe") || !plain {
        return Err(unsigned());
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response())
}

#[derive(Deserialize)]
struct Pushed {
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    value: Changed,
}

#[derive(Deserialize)]
struct Changed {
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    from: String,
    timestamp: Option<String>,
    text: Option<Body>,
}

#[derive(Deserialize)]
struct Body {
    body: String,
}

/// Takes messages from Meta.
#[utoipa::path(post, path = "/hooks/whatsapp/{token}", tag = "hooks", operation_id = "push_whatsapp",
    params(("token" = String, Path, description = "What only Meta knows"),
        ("X-Hub-Signature-256" = String, Header, description = "Meta's")),
    responses(
        (status = 200, description = "They were taken, whatever became of them"),
        PushProblems,
    ))]
pub(super) async fn push(
    State(app): State<Arc<App>>,
    Segment(token): Segment,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Answer {
    let by = hooks::secret_of(&app, Kind::WhatsApp, &token).await?;
    if !hook::is_metas(&by.secret, &body, lone(&headers, "x-hub-signature-256")) {
        return Err(unsigned());
    }
    let pushed: Pushed = serde_json::from_slice(&body).map_err(|_| invalid("This is not what Meta sends"))?;
    let changes = pushed.entry.into_iter().flat_map(|entry| entry.changes);
    let said = changes.flat_map(|change| change.value.messages).filter_map(Said::of).collect::<Vec<_>>();
    if said.len() > TEXTS_MOST {
        return Err(too_many("There are too many messages in this push: 1000 at most"));
    }
    let ids: Vec<[&str; 1]> = said.iter().map(|said| [said.id.as_str()]).collect();
    let texts = said.iter().zip(&ids).map(|(said, ids)| said.text(ids)).collect::<Vec<_>>();
    hooks::arrive_all(&app, &by.hook, &texts).await?;
    Ok(().into_response())
}

/// A message that is a text.
struct Said {
    id: String,
    from: String,
    at: Option<Timestamp>,
    text: String,
}

impl Said {
    fn of(message: Message) -> Option<Self> {
        let at = message.timestamp.as_deref().and_then(moment);
        Some(Self { id: message.id, from: number(&message.from), at, text: message.text?.body })
    }

    fn text<'a>(&'a self, ids: &'a [&'a str]) -> Text<'a> {
        Text { source: WHATSAPP, from: &self.from, text: &self.text, at: self.at, ids }
    }
}

/// A number as patterns have it: Meta leaves the plus away.
fn number(from: &str) -> String {
    let bare = !from.is_empty() && from.bytes().all(|byte| byte.is_ascii_digit());
    if bare { format!("+{from}") } else { from.to_owned() }
}

/// The end of the second that Meta names: within it, the message came.
fn moment(seconds: &str) -> Option<Timestamp> {
    seconds.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(999).map(Timestamp::from_millis)
}
