//! Who may be sent to at the same time. Refuses one receiver, and one org, more than its share of the places that there
//! are: whoever never answers keeps its own waiting and nobody else's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use doorcode_core::{OrgId, WebhookId};

/// Tries at the same time: altogether, to one org's webhooks, and to one webhook.
pub(super) const ALL: usize = 64;
const ORG: usize = 8;
const ONE: usize = 4;

/// The places, and who has how many. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Busy(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    all: usize,
    orgs: HashMap<OrgId, usize>,
    webhooks: HashMap<WebhookId, usize>,
}

/// The place of one try. It is free again when this is dropped, however the try ends.
pub(super) struct Seat {
    busy: Busy,
    org: OrgId,
    webhook: WebhookId,
}

impl Busy {
    /// As many places as a webhook may have now, and whether it had none before.
    pub(super) fn take(&self, org: OrgId, webhook: WebhookId) -> (Vec<Seat>, bool) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of_org, of_one) =
            (taken.orgs.get(&org).copied().unwrap_or(0), taken.webhooks.get(&webhook).copied().unwrap_or(0));
        let free = (ALL - taken.all.min(ALL)).min(ORG.saturating_sub(of_org)).min(ONE.saturating_sub(of_one));
        if free > 0 {
            taken.all += free;
            taken.orgs.insert(org, of_org + free);
            taken.webhooks.insert(webhook, of_one + free);
        }
        ((0..free).map(|_| Seat { busy: self.clone(), org, webhook }).collect(), of_one == 0)
    }

    /// Whether there is a place for anybody.
    pub(super) fn has_room(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all < ALL
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.busy.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        let taken = &mut *taken;
        less(&mut taken.orgs, &self.org);
        less(&mut taken.webhooks, &self.webhook);
    }
}

/// One less, and nothing kept of who has none.
fn less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(n: u8) -> (OrgId, WebhookId) {
        (OrgId::from_bytes([n / 16; 16]), WebhookId::from_bytes([n; 16]))
    }

    #[test]
    fn nobody_has_more_than_a_share() {
        let busy = Busy::default();
        let (mine, other, third) = (ids(0x11), ids(0x12), ids(0x13));
        let (first, fresh) = busy.take(mine.0, mine.1);
        assert_eq!((first.len(), fresh), (ONE, true));
        assert_eq!(busy.take(mine.0, mine.1).0.len(), 0);
        assert!(!busy.take(mine.0, mine.1).1, "it has some");
        let second = busy.take(other.0, other.1).0;
        assert_eq!((second.len(), busy.take(third.0, third.1).0.len()), (ORG - ONE, 0), "the org has its share");
        assert_eq!(busy.take(ids(0x21).0, ids(0x21).1).0.len(), ONE, "another org has its own");
        drop(first);
        assert_eq!(busy.take(third.0, third.1).0.len(), ONE);
    }

    #[test]
    fn places_come_back() {
        let busy = Busy::default();
        let mut seats = Vec::new();
        for n in 0..=255 {
            seats.extend(busy.take(ids(n).0, ids(n).1).0);
        }
        assert_eq!(seats.len(), ALL);
        assert!(!busy.has_room());
        drop(seats);
        let taken = busy.0.lock().unwrap();
        assert_eq!((taken.all, taken.orgs.len(), taken.webhooks.len()), (0, 0, 0));
    }
}
