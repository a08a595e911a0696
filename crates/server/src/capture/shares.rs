//! Room in memory for messages on their way in: so much for all of them, and of that a share at most for those of one person. Refuses to let
//! whoever floods one address, or has a mailbox's server dawdle, wait in the line of all the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use doorcode_core::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The room. Given in pieces, whatever one is.
pub(super) struct Shares {
    all: Arc<Semaphore>,
    each: usize,
    at_once: usize,
    persons: Mutex<HashMap<UserId, Weak<Semaphore>>>,
}

impl Shares {
    /// So many pieces, `each` of them at most for one person, whose messages are `at_once` at most, those that wait for a piece among them.
    pub(super) fn new(pieces: usize, each: usize, at_once: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(pieces)), each, at_once, persons: Mutex::default() }
    }

    /// The first piece for a message of a person, as soon as there is one. None: so many of theirs are here already.
    pub(super) async fn begin(&self, person: UserId) -> Option<Room> {
        let share = self.share(person);
        // Each of them holds it, and so does this one.
        if Arc::strong_count(&share) > self.at_once {
            return None;
        }
        // Theirs first: who has none left is not in the way of others.
        let own = share.acquire_owned().await.ok()?;
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Room { own, all })
    }

    fn share(&self, person: UserId) -> Arc<Semaphore> {
        let mut persons = self.persons.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = persons.get(&person).and_then(Weak::upgrade) {
            return share;
        }
        persons.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.each));
        persons.insert(person, Arc::downgrade(&share));
        share
    }
}

/// The room of a message. Free again when dropped.
pub struct Room {
    own: OwnedSemaphorePermit,
    all: OwnedSemaphorePermit,
}

impl Room {
    /// Takes more, up to so many pieces. False: there are not so many now. It does not wait: two messages that hold some and wait for more would
    /// wait for each other.
    pub(super) fn grow(&mut self, pieces: usize) -> bool {
        let more = pieces.saturating_sub(self.all.num_permits());
        let Ok(more @ 1..) = u32::try_from(more) else { return more == 0 };
        let take = |held: &OwnedSemaphorePermit| Arc::clone(held.semaphore()).try_acquire_many_owned(more).ok();
        let (Some(own), Some(all)) = (take(&self.own), take(&self.all)) else { return false };
        self.own.merge(own);
        self.all.merge(all);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PERSONS: [UserId; 3] =
        [UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]), UserId::from_bytes([3; 16])];

    /// Whether there is a piece at once.
    async fn now(shares: &Shares, person: UserId) -> Option<Room> {
        tokio::time::timeout(Duration::from_millis(20), shares.begin(person)).await.ok().flatten()
    }

    #[tokio::test]
    async fn who_floods_waits_and_the_others_do_not() {
        let [eve, ada, bob] = PERSONS;
        let shares = Arc::new(Shares::new(8, 4, 100));
        let mut flood = Vec::new();
        for _ in 0..4 {
            flood.push(now(&shares, eve).await.unwrap());
        }
        // More of them wait, and not in the others' line.
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let shares = Arc::clone(&shares);
                tokio::spawn(async move { shares.begin(eve).await.map(drop) })
            })
            .collect();
        tokio::task::yield_now().await;
        let mut held = now(&shares, ada).await.unwrap();
        assert!(held.grow(3) && !held.grow(5), "a share is a share");
        assert!(now(&shares, bob).await.is_some());
        drop(held);
        drop(flood);
        for one in waiting {
            assert!(one.await.unwrap().is_some(), "they come when there is room");
        }
        assert_eq!(shares.all.available_permits(), 8);
    }

    #[tokio::test]
    async fn nobody_has_more_at_once_than_is_let() {
        let [eve, ada, _] = PERSONS;
        let shares = Shares::new(8, 1, 2);
        let held = now(&shares, eve).await.unwrap();
        let (waits, refused) = tokio::join!(now(&shares, eve), async {
            tokio::task::yield_now().await;
            shares.begin(eve).await
        });
        assert!(waits.is_none() && refused.is_none(), "the third is refused at once");
        assert!(now(&shares, ada).await.is_some());
        drop(held);
        assert!(now(&shares, eve).await.is_some());
        drop(now(&shares, ada).await);
        assert!(shares.persons.lock().unwrap().len() <= 2, "who has none is forgotten");
    }
}
