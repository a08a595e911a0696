//! Looks for secrets in bytes, however they are spelt: in any case, as hex, as base64 at any place of a longer text; keys also as their bytes,
//! either way round, and as base58. In files, and in the memory of a process. Refuses short ones, which are in any file by chance.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// As much of a spelling as it is found by.
const START: usize = 8;

/// What is looked for.
pub(crate) struct Needles {
    by_start: HashMap<[u8; START], Vec<Needle>>,
    /// Whether anything begins with these two bytes: most places need no closer look.
    begins: Vec<bool>,
}

struct Needle {
    secret: String,
    spelling: Vec<u8>,
}

impl Needles {
    pub(crate) fn of(secrets: &[String]) -> Self {
        assert!(!secrets.is_empty());
        let mut needles = Self { by_start: HashMap::new(), begins: vec![false; 1 << 16] };
        for secret in secrets {
            assert!(secret.len() >= START, "{secret} is too short to look for");
            for case in BTreeSet::from([secret.clone(), secret.to_lowercase(), secret.to_uppercase()]) {
                needles.spell(secret, case.as_bytes());
            }
        }
        needles
    }

    /// The same and a private key besides, which is called `name`.
    pub(crate) fn and_key(mut self, name: &str, key: &[u8; 32]) -> Self {
        let turned: Vec<u8> = key.iter().rev().copied().collect();
        self.spell(name, key);
        // As numbers lie in memory.
        self.spell(name, &turned);
        self.add(name, base58(key).as_bytes());
        self
    }

    fn spell(&mut self, secret: &str, bytes: &[u8]) {
        self.add(secret, bytes);
        self.add(secret, hex(bytes).as_bytes());
        for before in 0..3 {
            let plain = base64(bytes, before);
            self.add(secret, plain.replace('+', "-").replace('/', "_").as_bytes());
            self.add(secret, plain.as_bytes());
        }
    }

    fn add(&mut self, secret: &str, spelling: &[u8]) {
        let spelling = spelling.to_ascii_lowercase();
        let start: [u8; START] = *spelling.first_chunk().unwrap();
        self.begins[usize::from(u16::from_be_bytes([start[0], start[1]]))] = true;
        self.by_start.entry(start).or_default().push(Needle { secret: secret.to_owned(), spelling });
    }

    /// Those that are in some bytes.
    pub(crate) fn in_bytes(&self, bytes: &[u8]) -> Vec<String> {
        let bytes = bytes.to_ascii_lowercase();
        let mut found = BTreeSet::new();
        for (at, window) in bytes.windows(START).enumerate() {
            if !self.begins[usize::from(window[0]) << 8 | usize::from(window[1])] {
                continue;
            }
            for needle in window.first_chunk().and_then(|start| self.by_start.get(start)).into_iter().flatten() {
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

    /// Those that are in what a process can write to: its heap, its stacks, its variables. What a core dump would hold.
    pub(crate) fn in_memory(&self, pid: u32) -> Vec<String> {
        const PIECE: usize = 1 << 20;
        /// As far as a spelling may reach into the next piece.
        const REACH: usize = 128;
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        let mut memory = fs::File::open(format!("/proc/{pid}/mem")).unwrap();
        let mut found = BTreeSet::new();
        for line in maps.lines() {
            let (range, rest) = line.split_once(' ').unwrap();
            if !rest.starts_with("rw") {
                continue;
            }
            let (from, to) = range.split_once('-').unwrap();
            let (mut from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
            let mut piece = Vec::new();
            while from < to {
                let kept = piece.split_off(piece.len().saturating_sub(REACH));
                piece = kept;
                let most = (to - from).min(PIECE as u64);
                memory.seek(SeekFrom::Start(from)).unwrap();
                // What went meanwhile is not there.
                if memory.by_ref().take(most).read_to_end(&mut piece).is_err() {
                    break;
                }
                // Most of what is set aside was never touched.
                if piece.iter().any(|byte| *byte != 0) {
                    found.extend(self.in_bytes(&piece).into_iter().map(|secret| format!("{secret} ({rest})")));
                }
                from += most;
            }
        }
        found.into_iter().collect()
    }
}

/// Bytes as a number of base 58.
fn base58(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let (mut number, mut text) = (bytes.to_vec(), Vec::new());
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0;
        for byte in &mut number {
            let all = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(all / 58).unwrap();
            rest = all % 58;
        }
        text.push(ALPHABET[rest as usize]);
    }
    text.extend(bytes.iter().take_while(|byte| **byte == 0).map(|_| ALPHABET[0]));
    text.reverse();
    String::from_utf8(text).unwrap()
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

#[test]
fn every_spelling_of_a_key_is_found() {
    let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 37 % 251).unwrap() ^ 0x5a);
    let needles = Needles::of(&["KWXJQZPVGT".to_owned()]).and_key("the key", &key);
    let turned: Vec<u8> = key.iter().rev().copied().collect();
    let bundle = [b"x".as_slice(), &key].concat();
    for hay in [
        key.to_vec(),
        [b"..".as_slice(), &turned].concat(),
        hex(&key).into_bytes(),
        hex(&key).to_uppercase().into_bytes(),
        base64(&bundle, 0).into_bytes(),
        base58(&key).into_bytes(),
    ] {
        assert_eq!(needles.in_bytes(&hay), ["the key"], "{hay:?}");
    }
    assert_eq!(needles.in_bytes(&key[1..]), [""; 0]);
    assert_eq!(base58(&[0, 0, 1, 0]), "115R", "two zeros, and 256");
}
