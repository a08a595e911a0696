//! Where requests are watched: everybody who watches the same is in one room, and one look into the database serves them all. Refuses
//! to hand out news of its own: what is told is how things stand, so whoever missed one look misses nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doorcode_core::relay::LIFE_MOST;
use doorcode_core::ticket::Eye;
use doorcode_core::{RelayId, Result, Timestamp};
use tokio::sync::watch;

use crate::app::App;
use crate::ops::feed::Name;
use crate::store::relays::{self as rows, Relay};

/// Between two looks where nobody called: a call may be lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// After a look that failed.
const AGAIN: Duration = Duration::from_secs(1);
/// For how long a request that is over is still told of where many are watched: whoever was away for a moment hears of it.
const TOLD: Duration = Duration::from_secs(600);
/// Requests that are watched together.
const MOST: i64 = 500;

/// What is watched.
#[derive(Clone, Copy)]
pub enum Topic {
    /// One request.
    One(RelayId),
    /// All of an agent, or for a person's codes.
    All(Eye),
}

impl Topic {
    /// What its news is called by.
    fn name(&self) -> Name {
        match self {
            Self::One(id) => *id.as_bytes(),
            Self::All(Eye::Agent(id)) => *id.as_bytes(),
            Self::All(Eye::Owner(id)) => *id.as_bytes(),
        }
    }
}

/// How things stood at a look.
pub struct Seen {
    /// When it was.
    pub at: Timestamp,
    /// The requests, oldest first: those that are not over, and those that have been for a while only.
    pub relays: Vec<Relay>,
}

type Shared = watch::Sender<Option<Arc<Seen>>>;

/// The rooms, by what is watched in them.
#[derive(Default)]
pub struct Rooms(Mutex<HashMap<Name, Shared>>);

/// A place in a room, until dropped.
pub struct Room(watch::Receiver<Option<Arc<Seen>>>);

impl Room {
    /// The next look; none: the house closes.
    pub async fn next(&mut self) -> Option<Arc<Seen>> {
        loop {
            self.0.changed().await.ok()?;
            let seen = self.0.borrow_and_update().clone();
            if seen.is_some() {
                return seen;
            }
        }
    }
}

impl Rooms {
    /// Goes into the room of a topic. The first news is how things stand.
    pub fn enter(&self, app: &Arc<App>, topic: Topic) -> Room {
        let mut rooms = self.lock();
        let room = rooms.entry(topic.name()).or_insert_with(|| {
            let room = watch::channel(None).0;
            tokio::spawn(keep(Arc::clone(app), topic, room.clone()));
            room
        });
        let mut place = room.subscribe();
        place.mark_changed();
        Room(place)
    }

    /// Closes a room if nobody is in it.
    fn leave(&self, topic: &Topic) -> bool {
        let mut rooms = self.lock();
        let empty = rooms.get(&topic.name()).is_none_or(|room| room.receiver_count() == 0);
        if empty {
            rooms.remove(&topic.name());
        }
        empty
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Shared>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks whenever there may be news, until nobody is in the room or the house closes.
async fn keep(app: Arc<App>, topic: Topic, room: Shared) {
    let listener = app.feed.overhear(topic.name());
    let notify = listener.notify();
    loop {
        // Before the look, so that what happens meanwhile is not missed.
        let called = notify.notified();
        if app.feed.is_closed() {
            break;
        }
        let pause = match look(&app, topic).await {
            Ok(seen) => {
                let pause = pause(&seen, app.clock.now());
                room.send_replace(Some(Arc::new(seen)));
                pause
            }
            Err(error) => {
                tracing::warn!(error = %crate::chain(&error), "requests that are watched could not be read");
                AGAIN
            }
        };
        tokio::select! {
            () = called => {}
            () = tokio::time::sleep(pause) => {}
            () = room.closed() => if app.rooms.leave(&topic) { return },
        }
    }
    // With the last of its senders gone, everybody in the room hears that there will be no more.
    app.rooms.lock().remove(&topic.name());
}

/// Until the first of them is over by itself.
fn pause(seen: &Seen, now: Timestamp) -> Duration {
    let live = seen.relays.iter().filter(|relay| !relay.standing.at(seen.at).is_final());
    let first = live.filter_map(|relay| relay.standing.ends_at()).min();
    first.map_or(PATIENCE, |end| end.since(now).clamp(Duration::from_millis(1), PATIENCE))
}

async fn look(app: &App, topic: Topic) -> Result<Seen> {
    let at = app.clock.now();
    // What is older is over, and has been for long.
    let after = RelayId::floor(at.minus(LIFE_MOST + app.config.relay.keep + TOLD));
    let mut relays = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                match topic {
                    Topic::One(id) => Ok(rows::get(tx, &id).await?.into_iter().collect()),
                    Topic::All(Eye::Agent(agent)) => rows::newest_of_agent(tx, &agent, &after, MOST).await,
                    Topic::All(Eye::Owner(owner)) => rows::newest_of_owner(tx, &owner, &after, MOST).await,
                }
            })
        })
        .await?;
    if matches!(topic, Topic::All(_)) {
        relays.reverse();
        relays.retain(|relay| is_news(relay, at));
    }
    Ok(Seen { at, relays })
}

/// Whether a request is not over, or has been for a while only.
fn is_news(relay: &Relay, now: Timestamp) -> bool {
    let ended = relay.ended_at.or(relay.standing.ends_at()).unwrap_or(relay.standing.expires_at);
    !relay.standing.at(now).is_final() || now.since(ended) < TOLD
}
