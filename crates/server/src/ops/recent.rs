//! Sessions that were looked at a moment ago, so that the next look needs no database: whoever verifies one with every request asks
//! for the same ones again and again. Refuses to outlive an end: whoever ends a session in this process has all of them
//! forgotten before they answer, and what another process ends is over within [`KEPT`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doorcode_core::{SessionId, Timestamp};

use super::sessions::Live;

/// How long a look is good for.
const KEPT: Duration = Duration::from_secs(1);
/// Parts, so that many who look do not wait for each other.
const PARTS: usize = 16;
/// Sessions of one part; with one more all of them go.
const ROOM: usize = 2048;

type Part = HashMap<SessionId, (Timestamp, Arc<Live>)>;

/// The sessions, by id.
#[derive(Default)]
pub struct Recent {
    /// Counts endings: what was read before one is not kept after it.
    endings: AtomicU64,
    parts: [Mutex<Part>; PARTS],
}

impl Recent {
    /// The session, if it was read a moment ago and none has ended since.
    pub fn get(&self, id: SessionId, now: Timestamp) -> Option<Arc<Live>> {
        let part = self.part(id);
        let (at, live) = part.get(&id)?;
        (now.since(*at) < KEPT).then(|| Arc::clone(live))
    }

    /// To be asked before a session is read, and handed to [`Self::keep`].
    pub fn endings(&self) -> u64 {
        self.endings.load(Ordering::SeqCst)
    }

    /// Keeps what was read, unless a session has ended meanwhile.
    pub fn keep(&self, live: &Arc<Live>, endings: u64, now: Timestamp) {
        let mut part = self.part(live.session.id);
        if self.endings() != endings {
            return;
        }
        if part.len() >= ROOM {
            part.clear();
        }
        part.insert(live.session.id, (now, Arc::clone(live)));
    }

    /// A session has ended: all are read anew.
    pub fn forget(&self) {
        self.endings.fetch_add(1, Ordering::SeqCst);
        for part in &self.parts {
            part.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn part(&self, id: SessionId) -> MutexGuard<'_, Part> {
        // The last byte is random.
        let place = usize::from(id.as_bytes()[15]) % PARTS;
        self.parts[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sessions::{Owner, Session};
    use doorcode_core::{Kid, OrgId, UserId};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn live(id: u8) -> Arc<Live> {
        let session = Session {
            id: SessionId::from_bytes([id; 16]),
            org: OrgId::HOUSE,
            user: UserId::from_bytes([1; 16]),
            client: None,
            kid: Kid::pick([0; 8]),
            seed: [0; 16],
            generation: 0,
            seen_at: NOW,
            idle_until: NOW,
            until: NOW,
            revoked_at: None,
            agent: String::new(),
        };
        Arc::new(Live { session, owner: Owner { full_name: String::new(), email: None } })
    }

    #[test]
    fn a_look_is_good_for_a_second() {
        let recent = Recent::default();
        let id = SessionId::from_bytes([7; 16]);
        recent.keep(&live(7), recent.endings(), NOW);
        assert!(recent.get(id, NOW.plus(Duration::from_millis(999))).is_some());
        assert!(recent.get(id, NOW.plus(KEPT)).is_none());
        assert!(recent.get(SessionId::from_bytes([8; 16]), NOW).is_none());
    }

    #[test]
    fn what_was_read_before_an_end_is_not_kept_after_it() {
        let recent = Recent::default();
        let id = SessionId::from_bytes([7; 16]);
        recent.keep(&live(7), recent.endings(), NOW);
        let read_before = recent.endings();
        recent.forget();
        assert!(recent.get(id, NOW).is_none(), "forgotten");
        recent.keep(&live(7), read_before, NOW);
        assert!(recent.get(id, NOW).is_none(), "it was read before the end");
        recent.keep(&live(7), recent.endings(), NOW);
        assert!(recent.get(id, NOW).is_some());
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let recent = Recent::default();
        for n in 0..3 * u32::try_from(ROOM).unwrap() {
            let mut session = live(0).session.clone();
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            session.id = SessionId::from_bytes(bytes);
            let owner = Owner { full_name: String::new(), email: None };
            recent.keep(&Arc::new(Live { session, owner }), recent.endings(), NOW);
        }
        assert!(recent.parts.iter().all(|part| part.lock().unwrap().len() <= ROOM));
    }
}
