//! Looks for secrets in bytes, however they are spelt: in any case, as hex, as base64 at any place of a longer text.
//! Refuses short ones, which are in any file by chance.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

/// As much of a spelling as it is found by.
const START: usize = 8;

/// What is looked for.
pub(crate) struct Needles(HashMap<[u8; START], Vec<Needle>>);

struct Needle {
    secret: String,
    spelling: Vec<u8>,
}

impl Needles {
    pub(crate) fn of(secrets: &[String]) -> Self {
        assert!(!secrets.is_empty());
        let mut needles = Self(HashMap::new());
        for secret in secrets {
            assert!(secret.len() >= START, "{secret} is too short to look for");
            for case in BTreeSet::from([secret.clone(), secret.to_lowercase(), secret.to_uppercase()]) {
                needles.add(secret, &case);
                needles.add(secret, &hex(case.as_bytes()));
                for before in 0..3 {
                    let plain = base64(case.as_bytes(), before);
                    needles.add(secret, &plain.replace('+', "-").replace('/', "_"));
                    needles.add(secret, &plain);
                }
            }
        }
        needles
    }

    fn add(&mut self, secret: &str, spelling: &str) {
        let spelling = spelling.to_ascii_lowercase().into_bytes();
        let start = *spelling.first_chunk().unwrap();
        self.0.entry(start).or_default().push(Needle { secret: secret.to_owned(), spelling });
    }

    /// Those that are in some bytes.
    pub(crate) fn in_bytes(&self, bytes: &[u8]) -> Vec<String> {
        let bytes = bytes.to_ascii_lowercase();
        let mut found = BTreeSet::new();
        for (at, window) in bytes.windows(START).enumerate() {
            for needle in window.first_chunk().and_then(|start| self.0.get(start)).into_iter().flatten() {
                if bytes[at..].starts_with(&needle.spelling) {
                    found.insert(needle.secret.clone());
                }
            }
        }
        found.into_iter().collect()
    }

    /// Those that are in some file of a folder or the folders in it.
    pub(crate) fn in_folder(&self, folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let here = if path.is_dir() { self.in_folder(&path) } else { self.in_bytes(&fs::read(&path).unwrap()) };
            found.extend(here);
        }
        found
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The characters of base64 that say nothing but `bytes`, when so many bytes stand before them.
fn base64(bytes: &[u8], before: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let padded = [&[0; 3][..before], bytes].concat();
    let bits: Vec<u8> = padded.iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1)).collect();
    let symbols = bits.chunks_exact(6).skip((before * 8).div_ceil(6));
    symbols.map(|six| char::from(ALPHABET[six.iter().fold(0, |n, bit| n << 1 | usize::from(*bit))])).collect()
}

#[test]
fn every_spelling_is_found() {
    let needles = Needles::of(&["KWXJQZPVGT".to_owned(), "outx_never_here".to_owned()]);
    for hay in [
        "codeKWXJQZPVGTcode",
        "kwxjqzpvgt",
        "\0Kwxjqzpvgt\0",
        "4b57584a515a50564754",
        "4B57584A515A50564754",
        "S1dYSlFaUFZHVA==",     // the code
        "IEtXWEpRWlBWR1Q=",     // after one character
        "aXNLV1hKUVpQVkdULg==", // after two, before one
        "a3d4anF6cHZndA==",     // in lower case
    ] {
        assert_eq!(needles.in_bytes(hay.as_bytes()), ["KWXJQZPVGT"], "{hay}");
    }
    for hay in ["", "KWXJQZPVG", "TGVPZQJXWK", "S1dYSlFaUFZH"] {
        assert_eq!(needles.in_bytes(hay.as_bytes()), [""; 0], "{hay}");
    }
}
