//! What was looked up a moment ago by what a caller presented, so that the next look needs no database: whoever presents a key or
//! a session with every request presents the same one again and again. Refuses to outlive an end: whoever ends one in this
//! process has all of them forgotten before they answer, and what another process ends is over within [`KEPT`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doorcode_core::Timestamp;

/// How long a look is good for.
const KEPT: Duration = Duration::from_secs(1);
/// Parts, so that many who look do not wait for each other.
const PARTS: usize = 16;
/// Finds of one part; with one more all of them go.
const ROOM: usize = 2048;

/// What it is found by: an id, or a digest.
type Name = [u8; 16];

type Part<T> = HashMap<Name, (Timestamp, Arc<T>)>;

/// The finds, by name.
pub struct Recent<T> {
    /// Counts endings: what was read before one is not kept after it.
    endings: AtomicU64,
    parts: [Mutex<Part<T>>; PARTS],
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { endings: AtomicU64::new(0), parts: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl<T> Recent<T> {
    /// The find, if it was read a moment ago and none has ended since.
    pub fn get(&self, name: &Name, now: Timestamp) -> Option<Arc<T>> {
        let part = self.part(name);
        let (at, found) = part.get(name)?;
        (now.since(*at) < KEPT).then(|| Arc::clone(found))
    }

    /// To be asked before it is read, and handed to [`Self::keep`].
    pub fn endings(&self) -> u64 {
        self.endings.load(Ordering::SeqCst)
    }

    /// Keeps what was read, unless one has ended meanwhile.
    pub fn keep(&self, name: &Name, found: &Arc<T>, endings: u64, now: Timestamp) {
        let mut part = self.part(name);
        if self.endings() != endings {
            return;
        }
        if part.len() >= ROOM {
            part.clear();
        }
        part.insert(*name, (now, Arc::clone(found)));
    }

    /// One has ended: all are read anew.
    pub fn forget(&self) {
        self.endings.fetch_add(1, Ordering::SeqCst);
        for part in &self.parts {
            part.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn part(&self, name: &Name) -> MutexGuard<'_, Part<T>> {
        // The last byte of an id is random, and so is every byte of a digest.
        let place = usize::from(name[15]) % PARTS;
        self.parts[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const NAME: Name = [7; 16];

    #[test]
    fn a_look_is_good_for_a_second() {
        let recent = Recent::default();
        recent.keep(&NAME, &Arc::new(1), recent.endings(), NOW);
        assert!(recent.get(&NAME, NOW.plus(Duration::from_millis(999))).is_some());
        assert!(recent.get(&NAME, NOW.plus(KEPT)).is_none());
        assert!(recent.get(&[8; 16], NOW).is_none());
    }

    #[test]
    fn what_was_read_before_an_end_is_not_kept_after_it() {
        let recent = Recent::default();
        recent.keep(&NAME, &Arc::new(1), recent.endings(), NOW);
        let read_before = recent.endings();
        recent.forget();
        assert!(recent.get(&NAME, NOW).is_none(), "forgotten");
        recent.keep(&NAME, &Arc::new(1), read_before, NOW);
        assert!(recent.get(&NAME, NOW).is_none(), "it was read before the end");
        recent.keep(&NAME, &Arc::new(2), recent.endings(), NOW);
        assert_eq!(recent.get(&NAME, NOW).as_deref(), Some(&2));
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let recent = Recent::default();
        for n in 0..3 * u32::try_from(ROOM).unwrap() {
            let mut name = [0; 16];
            name[..4].copy_from_slice(&n.to_be_bytes());
            recent.keep(&name, &Arc::new(()), recent.endings(), NOW);
        }
        assert!(recent.parts.iter().all(|part| part.lock().unwrap().len() <= ROOM));
    }
}
