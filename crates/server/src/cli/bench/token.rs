//! Whether a session is good, asked over and over: an access token of one of many sessions at `/v1/session`, and beside it a GET with
//! the same head that looks at nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HOST};
use tokio::task::JoinSet;

use super::client::{Answer, Connection};
use super::failure::{Failure, Outcome};
use super::rig::{Rig, join};
use super::round::Round;
use super::stopwatch::now;
use super::window::{Lane, Window};

/// Sessions that are asked for in turn.
pub(super) const SESSIONS: usize = 1000;

/// What is asked with each token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Whose session it is, if it is good.
    Session,
    /// Nothing.
    Floor,
}

impl Question {
    fn path(self) -> &'static str {
        match self {
            Self::Session => "/v1/session",
            Self::Floor => "/dev/floor",
        }
    }

    fn expect(self, answer: &Answer) -> Outcome<()> {
        let part = match self {
            Self::Session => r#""user_id":""#,
            Self::Floor => r#""success":true"#,
        };
        let found = answer.body.windows(part.len()).any(|bytes| bytes == part.as_bytes());
        if answer.status == 200 && found {
            return Ok(());
        }
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        Err(Failure::new(format!("a token was answered {} {body}", answer.status)))
    }
}

/// One round.
pub(super) async fn round(rig: &Rig, tokens: &Arc<Vec<Box<str>>>, ask: Question, length: Duration) -> Outcome<Round> {
    let connections = rig.connect().await?;
    let window = Arc::new(Window::new(now(), length, rig.connections));
    let mut tasks = JoinSet::new();
    for (place, connection) in connections.into_iter().enumerate() {
        let requests = prepare(rig.server, tokens, ask, place)?;
        let window = Arc::clone(&window);
        tasks.spawn(async move { repeat(connection, &requests, ask, &window).await });
    }
    let lanes = join(tasks).await?;
    Ok(Round::of(&lanes, window.measured()))
}

/// The requests of one connection: a few tokens of its own, so that all of them are asked for.
fn prepare(server: SocketAddr, tokens: &[Box<str>], ask: Question, place: usize) -> Outcome<Vec<Request<Full<Bytes>>>> {
    let own = tokens.iter().skip(place % tokens.len().max(1)).step_by(64).take(16);
    own.map(|token| {
        Request::get(ask.path())
            .header(HOST, server.to_string())
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Full::default())
            .map_err(Failure::during("preparing a request"))
    })
    .collect()
}

async fn repeat(
    mut connection: Connection,
    requests: &[Request<Full<Bytes>>],
    ask: Question,
    window: &Window,
) -> Outcome<Lane> {
    let mut lane = Lane::default();
    for request in requests.iter().cycle() {
        if window.is_over(now()) {
            break;
        }
        let answer = connection.ask_timed(request.clone(), window, &mut lane).await?;
        ask.expect(&answer)?;
    }
    Ok(lane)
}
