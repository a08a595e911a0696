//! The life of a socket: who watches, how things stand, then what changes, until all is told or somebody leaves. Refuses to go on when
//! the key or the session that opened it has ended, and with somebody who gives no sign of life.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use doorcode_core::RelayId;
use doorcode_core::relay::Step;
use tokio::time::{sleep, timeout};

use super::handshake::Connection;
use super::line::{Ending, Heard, Line};
use super::messages::{self, Said};
use super::{Seated, seat};
use crate::api::agentotp::caller::Caller;
use crate::api::agentotp::error::Refused;
use crate::app::App;
use crate::clock::Stopwatch;
use crate::ops::relays::{Room, Seen, Topic, redeem};

/// How long somebody may take to say who they are.
const AUTH_WITHIN: Duration = Duration::from_secs(5);
/// Silence after which a sign of life is asked for, and after which as much again is the end.
const SILENCE: Duration = Duration::from_secs(30);

/// Holds the talk until its end, and gives the connection's place back then.
pub(super) async fn talk(
    app: Arc<App>,
    connection: Connection,
    (relay, after): (Option<RelayId>, Option<u8>),
    seated: Option<Seated>,
) {
    let Ok(upgraded) = connection.upgrade.await else { return };
    let mut line = Line::over(upgraded, app.config.server.read_timeout).await;
    let seated = match seated {
        Some(seated) => Ok(seated),
        None => ask(&app, &mut line, relay).await,
    };
    let ending = match seated {
        Ok(seated) => watch(&app, &mut line, seated, after).await,
        Err(ending) => ending,
    };
    line.end(ending).await;
    drop(connection.place);
}

/// Who they are, by their first message.
async fn ask(app: &Arc<App>, line: &mut Line, relay: Option<RelayId>) -> Result<Seated, Ending> {
    let first = async {
        loop {
            if let Heard::Text(text) = line.hear().await? {
                return Ok::<_, Ending>(text);
            }
        }
    };
    let first = timeout(AUTH_WITHIN, first).await.map_err(|_| Ending::policy("nobody said who they are"))??;
    let Said::Auth(token) = Said::read(&first) else {
        return Err(Ending::policy("the first message must be auth"));
    };
    match admit(app, &token, relay).await {
        Ok(seated) => Ok(seated),
        Err(refused) => {
            let (text, ending) = messages::of_refusal(&refused);
            line.say(vec![text]).await?;
            Err(ending)
        }
    }
}

async fn admit(app: &Arc<App>, token: &str, relay: Option<RelayId>) -> Result<Seated, Refused> {
    let watcher = if token.starts_with(doorcode_core::ticket::PREFIX) {
        redeem(app, token, relay).await?
    } else {
        Caller::watcher(app, token).await?
    };
    seat(app, watcher, relay).await
}

/// Tells how things stand and what changes.
async fn watch(app: &Arc<App>, line: &mut Line, seated: Seated, after: Option<u8>) -> Ending {
    let mut room: Room = app.rooms.enter(app, seated.topic);
    let mut held = app.holds.hold(seated.watcher.hold);
    let mut told = Told::new(seated.topic, after);
    let mut silence = pin!(sleep(SILENCE));
    let mut asked = false;
    loop {
        let turn = tokio::select! {
            seen = room.next() => match seen {
                Some(seen) => tell(line, &mut told, &seen).await,
                None => Err(Ending::AWAY),
            },
            () = held.ended() => Err(Ending::policy("the key or session has ended")),
            heard = line.hear() => {
                asked = false;
                silence.as_mut().reset(Stopwatch::start().after(SILENCE).into());
                match heard {
                    Ok(heard) => answer(line, &heard).await,
                    Err(ending) => Err(ending),
                }
            }
            () = silence.as_mut() => {
                silence.as_mut().reset(Stopwatch::start().after(SILENCE).into());
                if std::mem::replace(&mut asked, true) { Err(Ending::GONE) } else { line.ping().await }
            }
        };
        if let Err(ending) = turn {
            return ending;
        }
    }
}

async fn tell(line: &mut Line, told: &mut Told, seen: &Seen) -> Result<(), Ending> {
    let texts = told.news(seen);
    if !texts.is_empty() {
        line.say(texts).await?;
    }
    if told.is_over(seen) { Err(Ending::OVER) } else { Ok(()) }
}

async fn answer(line: &mut Line, heard: &Heard) -> Result<(), Ending> {
    let Heard::Text(text) = heard else { return Ok(()) };
    match Said::read(text) {
        Said::Ping => line.say(vec![messages::PONG.to_owned()]).await,
        Said::Pong => Ok(()),
        Said::Auth(_) => line.say(vec![messages::of_error("ALREADY_AUTHENTICATED", "It is known who you are")]).await,
        Said::Other => line.say(vec![messages::of_error("UNKNOWN_MESSAGE", "Say ping, or nothing")]).await,
    }
}

/// How far each request was told.
struct Told {
    topic: Topic,
    after: Option<u8>,
    begun: bool,
    numbers: HashMap<RelayId, u8>,
}

impl Told {
    fn new(topic: Topic, after: Option<u8>) -> Self {
        Self { topic, after, begun: false, numbers: HashMap::new() }
    }

    /// What was not told yet: first where each stands, or what came behind `after`; later every step of it.
    fn news(&mut self, seen: &Seen) -> Vec<String> {
        let mut texts = Vec::new();
        for relay in &seen.relays {
            let steps = relay.steps(seen.at);
            let last = steps.last().map_or(0, Step::number);
            let before = match self.numbers.get(&relay.id) {
                Some(number) => *number,
                None if self.begun => 0,
                None => self.after.unwrap_or(last.saturating_sub(1)),
            };
            for step in steps.iter().filter(|step| step.number() > before) {
                texts.append(&mut messages::of_step(relay, step));
            }
            self.numbers.insert(relay.id, last.max(before));
        }
        self.begun = true;
        // What is not seen any more has been over for long.
        if self.numbers.len() > seen.relays.len() {
            let there: HashSet<RelayId> = seen.relays.iter().map(|relay| relay.id).collect();
            self.numbers.retain(|id, _| there.contains(id));
        }
        texts
    }

    /// Whether nothing more will happen to what is watched.
    fn is_over(&self, seen: &Seen) -> bool {
        matches!(self.topic, Topic::One(_)) && seen.relays.iter().all(|relay| relay.standing.at(seen.at).is_final())
    }
}
