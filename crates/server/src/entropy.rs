//! Randomness, as something handed in: the system's, or a seeded one for tests. Refuses to exist anywhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use doorcode_core::id::Id;
use doorcode_core::{Error, MasterKey, Result, Root, Timestamp, Use};

/// Where random bytes and new ids come from.
#[derive(Clone)]
pub struct Entropy {
    source: Source,
    newest: Newest,
}

#[derive(Clone)]
enum Source {
    /// The operating system's generator.
    Real,
    /// The same bytes in every run, for tests.
    Seeded(Arc<Seeded>),
}

/// A counter under a key.
struct Seeded {
    root: Root,
    drawn: AtomicU64,
}

/// The randomness that a signature asks for: always the system's, since no other can be handed to it.
#[expect(clippy::disallowed_methods, reason = "here is where randomness comes from")]
pub fn signing() -> ring::rand::SystemRandom {
    ring::rand::SystemRandom::new()
}

/// The order of the newest id that this process has made, as [`Id::in_order`] takes it.
#[derive(Clone, Default)]
struct Newest(Arc<AtomicU64>);

impl Newest {
    /// A new id, behind all that were made before, also where several are made in a millisecond, or for an earlier one: what
    /// is written together is appended together. Each millisecond begins in the lower half of its counter, at random.
    fn id<K>(&self, now: Timestamp, [low, high, random @ ..]: [u8; 10]) -> Id<K> {
        let begin = u64::try_from(now.millis()).unwrap_or(0) << 12 | u64::from(u16::from_be_bytes([high & 0x07, low]));
        let next = |newest: u64| Some(begin.max(newest + 1));
        let newest = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_default();
        Id::in_order(begin.max(newest + 1), random)
    }
}

impl Entropy {
    /// The operating system's.
    pub fn real() -> Self {
        Self { source: Source::Real, newest: Newest::default() }
    }

    /// From now on new ids come behind this one, which another process made: its clock may have been ahead.
    pub fn behind<K>(&self, id: &Id<K>) {
        self.newest.0.fetch_max(id.order(), Ordering::Relaxed);
    }

    /// What a signature asks for ([`signing`]).
    pub fn signing(&self) -> ring::rand::SystemRandom {
        signing()
    }

    /// The same bytes in every run.
    pub fn seeded(seed: u8) -> Self {
        // Any fixed name does: the key lives in one test.
        let kid = doorcode_core::Kid::pick([0; 8]);
        let root = MasterKey::from_parts(kid, [seed.max(1); 32]).root(Use::Header);
        let source = Source::Seeded(Arc::new(Seeded { root, drawn: AtomicU64::new(0) }));
        Self { source, newest: Newest::default() }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match &self.source {
            Source::Real => getrandom::fill(&mut bytes).map_err(Error::unavailable)?,
            Source::Seeded(seeded) => {
                for chunk in bytes.chunks_mut(32) {
                    let drawn = seeded.drawn.fetch_add(1, Ordering::Relaxed);
                    let block = seeded.root.mac(&[&drawn.to_be_bytes()]);
                    chunk.copy_from_slice(&block[..chunk.len()]);
                }
            }
        }
        Ok(bytes)
    }

    /// `N` random bytes to be dealt out, for an operation that needs several things: one call to the system for all.
    pub fn deal<const N: usize>(&self) -> Result<Deal<N>> {
        Ok(Deal { bytes: self.bytes()?, dealt: 0, newest: self.newest.clone() })
    }

    /// A new id.
    pub fn id<K>(&self, now: Timestamp) -> Result<Id<K>> {
        Ok(self.newest.id(now, self.bytes()?))
    }

    /// New ids without end, for a list of things: one call to the system for some two dozen.
    pub fn ids<K>(&self, now: Timestamp) -> impl FnMut() -> Result<Id<K>> + '_ {
        let mut deal: Option<Deal<240>> = None;
        move || {
            if deal.as_ref().is_none_or(|deal| deal.dealt == deal.bytes.len()) {
                deal = Some(self.deal()?);
            }
            deal.as_mut().ok_or_else(|| Error::internal("nothing was drawn"))?.id(now)
        }
    }
}

/// Random bytes that are given out once each.
pub struct Deal<const N: usize> {
    bytes: [u8; N],
    dealt: usize,
    newest: Newest,
}

impl<const N: usize> Deal<N> {
    /// The next `M` bytes. An error if there are not that many left: bytes are never given out twice.
    pub fn bytes<const M: usize>(&mut self) -> Result<[u8; M]> {
        let end = self.dealt + M;
        let next = self.bytes.get(self.dealt..end).ok_or_else(|| Error::internal("too few random bytes were drawn"))?;
        self.dealt = end;
        next.try_into().map_err(Error::internal)
    }

    /// A new id.
    pub fn id<K>(&mut self, now: Timestamp) -> Result<Id<K>> {
        let random = self.bytes()?;
        Ok(self.newest.id(now, random))
    }
}

impl<const N: usize> Drop for Deal<N> {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_in_the_order_in_which_they_were_made() {
        let (entropy, at) = (Entropy::real(), |n: i64| Timestamp::from_millis(1_700_000_000_000 + n));
        let mut deal = entropy.deal::<10>().unwrap();
        // Many in a millisecond, from clones, and one whose time was read earlier.
        let mut ids: Vec<Id<doorcode_core::id::Event>> =
            (0..5000).map(|_| entropy.clone().id(at(5)).unwrap()).collect();
        ids.push(entropy.id(at(4)).unwrap());
        ids.push(deal.id(at(5)).unwrap());
        ids.push(entropy.id(at(50)).unwrap());
        assert!(ids.is_sorted_by(|a, b| a.halves()[0] < b.halves()[0]));
        assert_eq!((ids[0].made_at(), ids[5002].made_at()), (at(5), at(50)));
        assert!(ids[5001].made_at() <= at(7), "what a millisecond has no room for is of the next");
    }
}
