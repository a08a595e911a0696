//! What those hold who stay for long: the key or the session that let them in. One look a second, for all of them together, says which
//! have ended, so that thousands who wait cost no look each. Refuses to take a database that does not answer for an end.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use doorcode_core::ticket::Hold;
use doorcode_core::{Result, Timestamp};
use tokio::sync::watch;

use crate::app::App;
use crate::store::{Tx, credentials, sessions, users};

/// How many are looked at in one turn. With up to this many keys and sessions in use, an end shows within a second; with more of them
/// later, in proportion.
const MOST: usize = 2000;
/// How many in one read.
const PIECE: usize = 100;

type Name = [u8; 16];

/// Everything that is held, by id.
#[derive(Default)]
pub struct Holds(Mutex<BTreeMap<Name, (Hold, watch::Sender<bool>)>>);

/// Something that is held, until dropped.
pub struct Held(watch::Receiver<bool>);

impl Held {
    /// Returns when it has ended.
    pub async fn ended(&mut self) {
        // An error says that nobody looks any more, which is as good as an end.
        drop(self.0.wait_for(|ended| *ended).await);
    }
}

impl Holds {
    /// Holds it.
    pub fn hold(&self, hold: Hold) -> Held {
        let mut all = self.lock();
        let (_, ended) = all.entry(name(&hold)).or_insert_with(|| (hold, watch::channel(false).0));
        Held(ended.subscribe())
    }

    /// Looks at those behind `after`, and from the first on once the last was looked at. Gives where to go on.
    pub async fn look(&self, app: &App, after: Option<Name>) -> Result<Option<Name>> {
        let now = app.clock.now();
        let turn = self.turn(after);
        for piece in turn.chunks(PIECE).map(<[Hold]>::to_vec) {
            let read = app.db.read(move |tx| {
                Box::pin(async move {
                    let mut ended = Vec::new();
                    for hold in piece {
                        if !lives(tx, &hold, now).await? {
                            ended.push(hold);
                        }
                    }
                    Ok(ended)
                })
            });
            for hold in read.await? {
                self.end(&hold);
            }
        }
        Ok((turn.len() == MOST).then(|| turn.last().map(name)).flatten())
    }

    /// The next ones, without those that nobody holds any more.
    fn turn(&self, after: Option<Name>) -> Vec<Hold> {
        let mut all = self.lock();
        all.retain(|_, (_, ended)| ended.receiver_count() > 0);
        let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        all.range::<Name, _>(behind).take(MOST).map(|(_, (hold, _))| *hold).collect()
    }

    fn end(&self, hold: &Hold) {
        if let Some((_, ended)) = self.lock().remove(&name(hold)) {
            ended.send_replace(true);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, (Hold, watch::Sender<bool>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(hold: &Hold) -> Name {
    match hold {
        Hold::Key(_, id) | Hold::LoneKey(_, id) => *id.as_bytes(),
        Hold::Session(id) => *id.as_bytes(),
    }
}

/// Whether it is as good as when it was shown.
pub async fn lives(tx: &mut Tx<'_>, hold: &Hold, now: Timestamp) -> Result<bool> {
    Ok(match hold {
        Hold::Key(org, id) => credentials::lives(tx, org, id, now).await?,
        Hold::LoneKey(org, id) => {
            let alone = users::only_member(tx, org).await?.is_some();
            alone && credentials::lives(tx, org, id, now).await?
        }
        Hold::Session(id) => {
            let found = sessions::with_owner(tx, id).await?;
            found.is_some_and(|(session, _)| session.is_live(now))
        }
    })
}
