//! Randomness as the ciphers ask for it, out of 32 bytes that were handed in. Refuses to be made without them, to run dry
//! and to repeat: what is given is HMAC-SHA-256 under them over a counter.

use std::convert::Infallible;

use rsa::rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use crate::root::{Root, Stream};
use crate::secret::Secret;

/// A generator for one operation.
pub(super) struct Drawn(Stream);

impl Drawn {
    /// From 32 bytes of a cryptographic source, taken by value so that they are not used twice.
    pub(super) fn of(seed: Secret<[u8; 32]>) -> Self {
        let drawn = Self(Root::of_seed(seed.expose()).stream(&[b"doorcode/v1/seal/random"]));
        drop(seed);
        drawn
    }
}

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = Zeroizing::new([0; 4]);
        self.0.fill(bytes.as_mut_slice());
        Ok(u32::from_le_bytes(*bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = Zeroizing::new([0; 8]);
        self.0.fill(bytes.as_mut_slice());
        Ok(u64::from_le_bytes(*bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

/// It is one as long as the seed is: HMAC-SHA-256 is a pseudo-random function.
impl TryCryptoRng for Drawn {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_other_bytes_each_time_and_the_same_for_a_seed() {
        let draw = |seed: u8, sizes: &[usize]| {
            let mut drawn = Drawn::of(Secret::new([seed; 32]));
            let mut all = Vec::new();
            for size in sizes {
                let mut bytes = vec![0; *size];
                drawn.try_fill_bytes(&mut bytes).unwrap();
                all.extend(bytes);
            }
            all
        };
        let all = draw(1, &[256]);
        assert_eq!(all, draw(1, &[1, 31, 33, 191]));
        assert_ne!(all, draw(2, &[256]));
        let blocks: std::collections::HashSet<_> = all.chunks(32).collect();
        assert_eq!(blocks.len(), 8);
        assert!(!blocks.contains([1; 32].as_slice()), "the seed itself is never given");
    }
}
