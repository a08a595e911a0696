//! Splitmix64 (Steele, Lea and Flood, OOPSLA 2014), seeded: the order of a run is random-looking and can be played
//! again. It decides nothing that must be secret.

/// A stream of 64-bit values.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The stream of `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next value.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A value below `bound` (which must not be 0); the bias, below 2⁻³² for the bounds used here, does not matter.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.next()) * bound as u128;
        (wide >> 64) as usize
    }

    /// A uniform shuffle (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// The finaliser alone: spreads neighbouring numbers over the whole range.
pub(super) fn mix(value: u64) -> u64 {
    let a = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    b ^ (b >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_published_stream() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_shuffle_keeps_everything_and_moves_most() {
        let mut items: Vec<usize> = (0..1000).collect();
        Random::new(7).shuffle(&mut items);
        let stayed = items.iter().enumerate().filter(|(place, item)| place == *item).count();
        assert!(stayed < 20, "{stayed} items stayed");
        items.sort_unstable();
        assert!(items.iter().enumerate().all(|(place, item)| place == *item));
    }
}
