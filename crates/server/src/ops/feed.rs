//! Who waits to hear of a verification or a relay, in this process. A call says only that there may be news; what it is stands in the
//! database, and whoever misses a call finds it there at the next look. Refuses to hold anything for somebody who does not listen.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use doorcode_core::OrgId;
use tokio::sync::Notify;

/// What is listened to: the id of a verification, of a request for a code, of an agent, of a person.
pub type Name = [u8; 16];

/// The listeners, by what they listen to.
#[derive(Clone, Default)]
pub struct Feed(Arc<Inner>);

#[derive(Default)]
struct Inner {
    listeners: Mutex<HashMap<Name, Arc<Notify>>>,
    open: AtomicUsize,
    of_org: Mutex<HashMap<OrgId, usize>>,
    closed: AtomicBool,
}

/// A place among those who wait, until dropped: what is limited.
pub struct Seat {
    feed: Feed,
    org: OrgId,
}

/// Somebody who listens, until dropped.
pub struct Listener {
    feed: Feed,
    name: Name,
    notify: Arc<Notify>,
    seat: Option<Seat>,
}

impl Feed {
    /// Takes a place.
    pub fn sit(&self, org: OrgId) -> Seat {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        *self.orgs().entry(org).or_default() += 1;
        Seat { feed: self.clone(), org }
    }

    /// Takes a place, and listens from now on.
    pub fn listen(&self, org: OrgId, name: Name) -> Listener {
        let mut listener = self.overhear(name);
        listener.seat = Some(self.sit(org));
        listener
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
        self.0.open.load(Ordering::Relaxed)
    }

    /// How many of an org's have one.
    pub fn open_of(&self, org: &OrgId) -> usize {
        self.orgs().get(org).copied().unwrap_or(0)
    }

    fn orgs(&self) -> std::sync::MutexGuard<'_, HashMap<OrgId, usize>> {
        self.0.of_org.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.feed.0.open.fetch_sub(1, Ordering::Relaxed);
        let mut orgs = self.feed.orgs();
        let left = orgs.get(&self.org).map_or(0, |open| open.saturating_sub(1));
        if left == 0 {
            orgs.remove(&self.org);
        } else {
            orgs.insert(self.org, left);
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
