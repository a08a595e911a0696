//! `POST /v1/verifications`: a code to an address. The one that is pending there is sent again.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::{Alphabet, Email, Error, Shape};
use utoipa::ToSchema;

use super::{Verification, with_limits};
use crate::api::native::caller::{Caller, IdempotencyKey, IdempotencyName, Verify, person};
use crate::api::native::created;
use crate::api::native::fields::Fields;
use crate::api::native::problem::{Answer, BodyProblems, KeyProblems, Problem, Unavailable};
use crate::app::App;
use crate::config::SHORTEST_LIFE;
use crate::deliver::texts;
use crate::ops::client::Client;
use crate::ops::verifications::{Ask, Started, Wanted, start};
use crate::store::challenges::Attached;

/// The most bytes of metadata, as compact JSON.
const METADATA_MOST: usize = 4096;

/// What is to be verified, and how.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVerification)]
#[expect(dead_code, reason = "the document is made of it; the members are read one by one, to complain of all at once")]
pub(crate) struct NewVerification {
    /// The address.
    #[schema(example = "ada@example.com", format = "email", max_length = 320)]
    to: String,
    /// How the code goes there: `email`, which is also what an address with an @ means without it.
    #[schema(example = "email", pattern = "^email$")]
    channel: Option<String>,
    /// The language of the message (BCP 47), one of those that there are. Without it: of the request's `Accept-Language`, else English.
    #[schema(example = "en")]
    language: Option<String>,
    /// What the code is made of: `digits`, `letters` or `crockford`.
    #[schema(example = "digits", pattern = "^(digits|letters|crockford)$")]
    alphabet: Option<String>,
    /// How many symbols it has, 4 to 12.
    #[schema(minimum = 4, maximum = 12, example = 6)]
    length: Option<u8>,
    /// How long it lives, in seconds: from 30 to what the server allows, 600 at most.
    #[schema(minimum = 30, maximum = 600, example = 600)]
    ttl: Option<u16>,
    /// Whatever you want to find again. At most 4096 bytes.
    #[schema(value_type = Option<Object>)]
    metadata: Option<String>,
    /// Where the browser goes that opens the link in the mail and presses its button: on the list of `/v1/redirects`, to the byte.
    /// It brings `verification_id` and a `code` that is good for a minute: check it like one that was typed.
    #[schema(example = "https://app.example.com/verified", max_length = 512)]
    redirect: Option<String>,
    /// The address of the person's own device, as your server sees it. With it, somebody who was here before has tries of their
    /// own that strangers can't use up.
    #[schema(example = "203.0.113.7")]
    user_ip: Option<String>,
}

/// Sends a code to an address, or, if one is pending there, the same code again. A code of another shape than is asked for gives
/// way to a new one.
#[utoipa::path(post, path = "/v1/verifications", tag = "verifications", operation_id = "create_verification", request_body = NewVerification,
    params(IdempotencyName), security(("key" = ["verify"])),
    responses(
        (status = 200, description = "One was pending: its code goes out again", body = Verification),
        (status = 201, description = "A code is on its way", body = Verification),
        BodyProblems,
        KeyProblems,
        (status = 409, description = "The same request is being answered", body = Problem),
        (status = 429, description = "Too many messages; `Retry-After` says when", body = Problem),
        Unavailable,
    ))]
pub(in crate::api::native) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Verify>,
    key: IdempotencyKey,
    client: Client,
    mut body: Fields,
) -> Answer {
    let once = key.once(caller.org(), "verifications", body.bytes());
    let to = body.needed("to");
    let to = body.meaning("to", to, Email::parse);
    let who = body.text("user_ip");
    let who = body.meaning("user_ip", who, person);
    let wanted = wanted(&app, &client, &mut body);
    body.end()?;
    let to = to.ok_or(Error::Invalid { field: "to", why: "must be given" })?;
    let ask = Ask { backend: caller.backend(), person: who, once };
    let started = start(&app, ask, to, wanted).await?;
    let Started { verification, resent, left } = started;
    let next = verification.next_send_at;
    let shown = Verification::from(verification);
    let response =
        if resent { Json(shown).into_response() } else { created(&format!("/v1/verifications/{}", shown.id), shown) };
    Ok(with_limits(&app, (left, next), response))
}

/// What the request says of its code, and what the server says where it does not.
fn wanted(app: &App, client: &Client, body: &mut Fields) -> Wanted {
    let native = &app.config.native;
    let channel = body.text("channel");
    body.meaning("channel", channel, |name| match name {
        "email" => Ok(()),
        _ => Err(Error::Invalid { field: "channel", why: "must be email" }),
    });
    let alphabet = body.text("alphabet");
    let alphabet: Option<Alphabet> = body.meaning("alphabet", alphabet, str::parse);
    let length = body.number("length", (4, 12)).and_then(|length| u8::try_from(length).ok());
    let shape =
        Shape { alphabet: alphabet.unwrap_or(native.shape.alphabet), length: length.unwrap_or(native.shape.length) };
    let ttl = body.number("ttl", (SHORTEST_LIFE.as_secs(), native.life.as_secs()));
    let language = body.text("language");
    let language = body.meaning("language", language, language_of);
    let metadata = body.object("metadata", METADATA_MOST);
    let redirect = body.text("redirect");
    Wanted {
        shape,
        life: ttl.map_or(native.life, Duration::from_secs),
        language: language.unwrap_or_else(|| texts::choose(&client.languages).language),
        attached: Attached { metadata, redirect },
    }
}

/// A language that there are texts for.
fn language_of(tag: &str) -> Result<&'static str, Error> {
    texts::serve(tag)
        .map(|texts| texts.language)
        .ok_or(Error::Invalid { field: "language", why: "is none that there are texts for" })
}
