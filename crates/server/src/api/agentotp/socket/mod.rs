//! WebSockets: `GET /ws/{id}` tells how one request stands, and `GET /ws` how all of an agent or person do, as it happens
//! (docs/agentotp-sockets.md). Who watches is known by a key in the head of the request, by a ticket in its query, or by the first
//! message: a browser can set no header, and no key belongs into a URL. Cookies are not read, so a page of somebody else's gains
//! nothing. Refuses whoever may not see the request, in the same words as where there is none.

mod handshake;
mod line;
mod messages;
mod talk;
mod ticket;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use doorcode_core::ticket::{Eye, Watcher};
use doorcode_core::{Error, RelayId};
use serde::Deserialize;

use super::caller::{Caller, shown};
use super::error::{self, Answer, Refused};
use super::relay as read;
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::feed::Seat;
use crate::ops::relays::{Topic, redeem, show};
use handshake::Handshake;

pub(in crate::api) use ticket::{__path_ticket_of_all, __path_ticket_of_one, ticket_of_all, ticket_of_one};

/// What stands in the query.
#[derive(Deserialize)]
pub(super) struct Asked {
    ticket: Option<String>,
    after: Option<String>,
}

/// Somebody who may watch, in their place.
struct Seated {
    watcher: Watcher,
    topic: Topic,
    _seat: Seat,
}

/// One request.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    handshake: Handshake,
    Segment(text): Segment,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Answer {
    let id = read(&text)?;
    open(app, handshake, Some(id), asked, &headers).await
}

/// All of an agent, or for a person's codes.
pub(super) async fn all(
    State(app): State<Arc<App>>,
    handshake: Handshake,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Answer {
    open(app, handshake, None, asked, &headers).await
}

async fn open(
    app: Arc<App>,
    handshake: Handshake,
    relay: Option<RelayId>,
    asked: Asked,
    headers: &HeaderMap,
) -> Answer {
    let after = match asked.after.as_deref().filter(|after| !after.is_empty()) {
        None => None,
        Some(text) => {
            Some(text.parse::<u8>().map_err(|_| Refused::from(error::invalid("after must be the seq of a message")))?)
        }
    };
    if app.feed.is_full() {
        return Err(too_many().into());
    }
    let by_header = headers.contains_key("x-api-key") || headers.contains_key("authorization");
    let watcher = match (by_header, asked.ticket) {
        (false, None) => None,
        (false, Some(ticket)) => Some(redeem(&app, &ticket, relay).await?),
        (true, None) => {
            let text = shown(headers).ok_or_else(|| Refused::from(error::unauthenticated()))?;
            Some(Caller::watcher(&app, text).await?)
        }
        // Two at once are none, as two keys are.
        (true, Some(_)) => return Err(Refused::from(error::unauthenticated())),
    };
    let seated = match watcher {
        Some(watcher) => Some(seat(&app, watcher, relay).await?),
        None => None,
    };
    let (answer, connection) = handshake.answer();
    tokio::spawn(talk::talk(app, connection, (relay, after), seated));
    Ok(answer)
}

/// A place for somebody who may see what they ask for.
async fn seat(app: &App, watcher: Watcher, relay: Option<RelayId>) -> Result<Seated, Refused> {
    let who = match watcher.eye {
        Eye::Agent(agent) => *agent.as_bytes(),
        Eye::Owner(owner) => *owner.as_bytes(),
    };
    let seat = app.feed.sit((watcher.org, Some(who))).ok_or_else(too_many)?;
    let topic = match relay {
        Some(id) => {
            show(app, (&watcher.eye).into(), id).await?;
            Topic::One(id)
        }
        None => Topic::All(watcher.eye),
    };
    Ok(Seated { watcher, topic, _seat: seat })
}

/// There is no place for another one.
fn too_many() -> Error {
    Error::Limited { rule: "sockets", retry_after: Duration::from_secs(15) }
}
