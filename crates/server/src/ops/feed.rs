//! Who waits to hear of a verification or a relay, in this process. A call says only that there may be news; what it is stands in the
//! database, and whoever misses a call finds it there at the next look. Refuses to hold anything for somebody who does not listen, and places
//! to whoever has enough: those who wait must not take every connection there is, nor one org all that they may, nor one of its agents all
//! of its org's.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use doorcode_core::OrgId;
use tokio::sync::Notify;

/// What is listened to: the id of a verification, of a request for a code, of an agent, of a person.
pub type Name = [u8; 16];

/// Whose place it is: an org's, and in it of an agent, a device or a person. None: of nobody whose number is counted, for an org's own
/// program waits for many people.
pub type Sitter = (OrgId, Option<Name>);

/// The listeners, by what they listen to.
#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    listeners: Mutex<HashMap<Name, Arc<Notify>>>,
    room: Places,
    taken: Mutex<Taken>,
    closed: AtomicBool,
}

/// How many places there are.
struct Places {
    all: usize,
    of_org: usize,
    of_one: usize,
}

/// How many are taken.
#[derive(Default)]
struct Taken {
    all: usize,
    of_org: HashMap<OrgId, usize>,
    of_one: HashMap<Name, usize>,
}

/// A place among those who wait, until dropped: what is limited.
pub struct Seat {
    feed: Feed,
    sitter: Sitter,
}

/// Somebody who listens, until dropped.
pub struct Listener {
    feed: Feed,
    name: Name,
    notify: Arc<Notify>,
    seat: Option<Seat>,
}

impl Feed {
    /// Where so many connections can be open, and one agent, device or person has so many places: three quarters of the connections in
    /// all, half of them for one org.
    pub fn new(connections: usize, of_one: usize) -> Self {
        let room = Places { all: connections / 4 * 3, of_org: connections / 2, of_one };
        let (listeners, taken, closed) = Default::default();
        Self(Arc::new(Inner { listeners, room, taken, closed }))
    }

    /// Takes a place, if there is one.
    pub fn sit(&self, sitter: Sitter) -> Option<Seat> {
        let (room, mut taken) = (&self.0.room, self.taken());
        let (org, one) = sitter;
        let of_org = taken.of_org.get(&org).copied().unwrap_or(0);
        let of_one = one.and_then(|one| taken.of_one.get(&one).copied()).unwrap_or(0);
        if taken.all >= room.all || of_org >= room.of_org || of_one >= room.of_one {
            return None;
        }
        taken.all += 1;
        taken.of_org.insert(org, of_org + 1);
        if let Some(one) = one {
            taken.of_one.insert(one, of_one + 1);
        }
        Some(Seat { feed: self.clone(), sitter })
    }

    /// Takes a place, if there is one, and listens from now on.
    pub fn listen(&self, sitter: Sitter, name: Name) -> Option<Listener> {
        let seat = self.sit(sitter)?;
        let mut listener = self.overhear(name);
        listener.seat = Some(seat);
        Some(listener)
    }

    /// Listens from now on, for others who have their places.
    pub fn overhear(&self, name: Name) -> Listener {
        let notify = Arc::clone(self.lock().entry(name).or_default());
        Listener { feed: self.clone(), name, notify, seat: None }
    }

    /// Calls everybody who listens.
    pub fn call(&self, name: Name) {
        let notify = self.lock().get(&name).cloned();
        if let Some(notify) = notify {
            notify.notify_waiters();
        }
    }

    /// Calls everybody: something may have been missed.
    pub fn call_all(&self) {
        for notify in self.lock().values() {
            notify.notify_waiters();
        }
    }

    /// How many have a place.
    pub fn open(&self) -> usize {
        self.taken().all
    }

    /// Whether nobody at all finds a place.
    pub fn is_full(&self) -> bool {
        self.open() >= self.0.room.all
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The house closes: everybody is called, and nobody has to wait any more.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        for notify in self.lock().values() {
            notify.notify_waiters();
        }
    }

    /// Whether the house closes.
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Name, Arc<Notify>>> {
        self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    /// Is ready at the next call. Asked for before the look into the database, so that no call falls between.
    pub fn notify(&self) -> Arc<Notify> {
        Arc::clone(&self.notify)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let (mut taken, (org, one)) = (self.feed.taken(), self.sitter);
        taken.all = taken.all.saturating_sub(1);
        leave(&mut taken.of_org, &org);
        if let Some(one) = one {
            leave(&mut taken.of_one, &one);
        }
    }
}

/// One fewer; whoever has none left is forgotten.
fn leave<K: Eq + Hash>(places: &mut HashMap<K, usize>, whose: &K) {
    if let Some(left) = places.get_mut(whose) {
        *left = left.saturating_sub(1);
        if *left == 0 {
            places.remove(whose);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut listeners = self.feed.lock();
        // Ours, and the map's.
        if Arc::strong_count(&self.notify) <= 2 {
            listeners.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The attack: one agent's key opens all that its org may have.
    #[test]
    fn an_agent_has_its_places_an_org_half_and_all_three_quarters() {
        let feed = Feed::new(16, 3);
        let [acme, other, third] = [1, 2, 3].map(|id| OrgId::from_bytes([id; 16]));
        let take = |sitter: Sitter| std::iter::from_fn(|| feed.sit(sitter)).collect::<Vec<_>>();
        let bot = take((acme, Some([1; 16])));
        let own = take((acme, None));
        assert_eq!((bot.len(), own.len()), (3, 5), "what it leaves is the org's");
        let (second, third) = (take((other, Some([2; 16]))), take((third, None)));
        assert_eq!((second.len(), third.len(), feed.is_full()), (3, 1, true));
        drop((bot, own, second, third));
        let taken = feed.taken();
        assert!(taken.all == 0 && taken.of_org.is_empty() && taken.of_one.is_empty(), "nothing is kept of who left");
    }
}
