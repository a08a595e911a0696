//! No symbol is favoured. Derivation is deterministic, so these either always pass or never do; the bound is loose
//! enough for chance (six standard deviations) and far below what taking a byte modulo 10, 26 or 36 would give, which
//! the last test shows.

use doorcode_core::apikey::derive_api_key;
use doorcode_core::code::derive;
use doorcode_core::{Alphabet, Binding, CredentialId, OrgId, Use};

use crate::{binding, master, shape};

/// Pearson's statistic of the counts against an even spread.
fn chi_square(counts: &[u64]) -> f64 {
    let mean = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
    counts.iter().map(|count| (*count as f64 - mean).powi(2) / mean).sum()
}

/// The mean of the statistic and six of its standard deviations.
fn bound(cells: usize) -> f64 {
    let freedom = (cells - 1) as f64;
    freedom + 6.0 * (2.0 * freedom).sqrt()
}

fn assert_even(counts: &[u64], what: &str) {
    let chi = chi_square(counts);
    assert!(chi < bound(counts.len()), "{what}: {chi} of {} cells, {counts:?}", counts.len());
}

fn codes(alphabet: Alphabet, length: u8, n: u32) -> impl Iterator<Item = Vec<usize>> {
    let root = master().root(Use::Code);
    (0..n).map(move |i| {
        let code = derive(&root, &Binding { generation: i, ..binding(shape(alphabet, length)) });
        let place = |b| alphabet.symbols().iter().position(|symbol| *symbol == b).unwrap();
        code.expose().bytes().map(place).collect()
    })
}

#[test]
fn symbols_are_even_at_every_place() {
    for (alphabet, length, n) in
        [(Alphabet::Digits, 6, 40_000), (Alphabet::Letters, 10, 25_000), (Alphabet::Crockford, 13, 20_000)]
    {
        let size = alphabet.symbols().len();
        let mut places = vec![vec![0; size]; usize::from(length)];
        for code in codes(alphabet, length, n) {
            for (place, symbol) in code.into_iter().enumerate() {
                places[place][symbol] += 1;
            }
        }
        let all: Vec<u64> = (0..size).map(|symbol| places.iter().map(|place| place[symbol]).sum()).collect();
        assert_even(&all, &format!("{alphabet}"));
        for (place, counts) in places.iter().enumerate() {
            assert_even(counts, &format!("{alphabet} at {place}"));
        }
    }
}

#[test]
fn neighbours_are_independent() {
    for (alphabet, length, n) in [(Alphabet::Digits, 6, 40_000), (Alphabet::Crockford, 13, 20_000)] {
        let size = alphabet.symbols().len();
        let mut pairs = vec![0; size * size];
        for code in codes(alphabet, length, n) {
            for pair in code.windows(2) {
                pairs[pair[0] * size + pair[1]] += 1;
            }
        }
        assert_even(&pairs, &format!("pairs of {alphabet}"));
    }
}

#[test]
fn four_digit_codes_fill_their_space() {
    let mut counts = vec![0; 10_000];
    for code in codes(Alphabet::Digits, 4, 200_000) {
        counts[code.into_iter().fold(0, |number, digit| number * 10 + digit)] += 1;
    }
    assert_even(&counts, "whole codes");
}

#[test]
fn api_keys_are_even() {
    let root = master().root(Use::ApiKey);
    let mut counts = vec![0; 36];
    for i in 0u32..10_000 {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&i.to_be_bytes());
        let key = derive_api_key(&root, OrgId::HOUSE, CredentialId::from_bytes([1; 16]), &seed);
        for b in key.expose()["outx_".len()..].chars() {
            counts[b.to_digit(36).unwrap() as usize] += 1;
        }
    }
    assert_even(&counts, "base 36");
}

/// The test can fail: bytes modulo the alphabet's size, in these numbers, are found out.
#[test]
fn a_biased_draw_would_be_noticed() {
    for (size, n) in [(10usize, 240_000u64), (26, 250_000), (36, 240_000)] {
        let counts: Vec<u64> =
            (0..size).map(|symbol| (0..256).filter(|byte| byte % size == symbol).count() as u64 * n / 256).collect();
        assert!(chi_square(&counts) > 1.5 * bound(size), "{size}: {}", chi_square(&counts));
    }
}
