//! Networks that have no guesses left, as this process has seen. While one stands here no guess from there is compared, even
//! if a refund has made room meanwhile. What it saves is the row that a guess at yet another address would leave behind.
//! Refuses to grow: it forgets all before it holds too many.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use doorcode_core::Timestamp;

use crate::store::meters::MeterId;

/// The most networks that are remembered.
const ROOM: usize = 50_000;

/// Networks, and until when each has nothing left.
#[derive(Default)]
pub struct Exhausted(Mutex<HashMap<MeterId, Timestamp>>);

impl Exhausted {
    /// Whether a network has nothing left.
    pub fn holds(&self, meter: &MeterId, now: Timestamp) -> bool {
        let networks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        networks.get(meter).is_some_and(|until| *until > now)
    }

    /// Remembers that a network has nothing left until then.
    pub fn note(&self, meter: MeterId, until: Timestamp, now: Timestamp) {
        let mut networks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if networks.len() >= ROOM {
            networks.retain(|_, until| *until > now);
        }
        if networks.len() >= ROOM {
            networks.clear();
        }
        networks.insert(meter, until);
    }
}
