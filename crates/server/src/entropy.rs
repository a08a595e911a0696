//! Randomness, as something handed in: the system's, or a seeded one for tests. Refuses to exist anywhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use doorcode_core::id::Id;
use doorcode_core::{Error, MasterKey, Result, Root, Timestamp, Use};

/// Where random bytes come from.
#[derive(Clone)]
pub enum Entropy {
    /// The operating system's generator.
    Real,
    /// The same bytes in every run, for tests.
    Seeded(Arc<Seeded>),
}

/// A counter under a key.
pub struct Seeded {
    root: Root,
    drawn: AtomicU64,
}

impl Entropy {
    /// The same bytes in every run.
    pub fn seeded(seed: u8) -> Self {
        // Any fixed name does: the key lives in one test.
        let kid = doorcode_core::Kid::pick([0; 8]);
        let root = MasterKey::from_parts(kid, [seed.max(1); 32]).root(Use::Header);
        Self::Seeded(Arc::new(Seeded { root, drawn: AtomicU64::new(0) }))
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match self {
            Self::Real => getrandom::fill(&mut bytes).map_err(Error::unavailable)?,
            Self::Seeded(seeded) => {
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
        Ok(Deal { bytes: self.bytes()?, dealt: 0 })
    }

    /// A new id.
    pub fn id<K>(&self, now: Timestamp) -> Result<Id<K>> {
        Ok(Id::new(now, self.bytes()?))
    }
}

/// Random bytes that are given out once each.
pub struct Deal<const N: usize> {
    bytes: [u8; N],
    dealt: usize,
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
        Ok(Id::new(now, self.bytes()?))
    }
}

impl<const N: usize> Drop for Deal<N> {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.bytes);
    }
}
