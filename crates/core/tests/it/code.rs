//! Codes: derivation and comparison.

use std::collections::HashSet;

use doorcode_core::code::{could_be_long, derive, grouped, matches};
use doorcode_core::{Alphabet, Binding, ChallengeId, MasterKey, OrgId, Secret, Shape, Use};
use proptest::prelude::*;

use crate::{binding, master, shape};

const ALPHABETS: [Alphabet; 3] = [Alphabet::Digits, Alphabet::Letters, Alphabet::Crockford];

fn code_of(binding: &Binding<'_>) -> String {
    derive(&master().root(Use::Code), binding).expose().clone()
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// From a second implementation of the security rules, in Python.
#[test]
fn codes_are_pinned() {
    for (alphabet, length, code) in [
        (Alphabet::Digits, 4, "5689"),
        (Alphabet::Digits, 6, "331155"),
        (Alphabet::Letters, 8, "DLYZCQFF"),
        (Alphabet::Crockford, 13, "BFH453EDV2F54"),
        (Alphabet::Letters, 13, "VJPIYDHBKMQPC"),
        (Alphabet::Digits, 13, "0270552094027"),
    ] {
        assert_eq!(code_of(&binding(shape(alphabet, length))), code);
    }
}

#[test]
fn alphabets_are_what_they_say() {
    for (alphabet, id, size, name) in [
        (Alphabet::Digits, 1, 10, "digits"),
        (Alphabet::Letters, 2, 26, "letters"),
        (Alphabet::Crockford, 3, 32, "crockford"),
    ] {
        assert_eq!(alphabet.id(), id);
        assert_eq!(alphabet.symbols().iter().collect::<HashSet<_>>().len(), size);
        assert_eq!(alphabet.symbols().len(), size);
        assert!(alphabet.symbols().iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));
        assert_eq!(alphabet.to_string(), name);
        assert_eq!(name.parse::<Alphabet>().unwrap(), alphabet);
    }
    for absent in b"ILOU" {
        assert!(!Alphabet::Crockford.symbols().contains(absent));
    }
    for bad in ["", "Digits", "hex"] {
        assert!(bad.parse::<Alphabet>().is_err());
    }
}

#[test]
fn shapes_have_limits() {
    for alphabet in ALPHABETS {
        for length in 0..=255 {
            assert_eq!(Shape::new(alphabet, length).is_ok(), (4..=13).contains(&length));
        }
    }
    assert!((shape(Alphabet::Digits, 6).bits() - 19.93).abs() < 0.01);
    assert!((Shape::LONG.bits() - 65.0).abs() < 1e-9);
    // NIST's line is 64 bits, and the long code is the only shape beyond it.
    for alphabet in ALPHABETS {
        for length in 4..=13 {
            let shape = shape(alphabet, length);
            assert_eq!(shape.is_long(), shape.bits() >= 64.0, "{shape:?}");
        }
    }
}

#[test]
fn a_long_code_is_shown_in_groups() {
    assert_eq!(grouped(&secret("0123456789ABC"), Shape::LONG).expose(), "0123-4567-89ABC");
    assert_eq!(grouped(&secret("331155"), shape(Alphabet::Digits, 6)).expose(), "331155");
    assert_eq!(grouped(&secret("0123456789012"), shape(Alphabet::Digits, 13)).expose(), "0123456789012");
}

#[test]
fn look_alikes_fold_for_crockford_only() {
    let crockford = shape(Alphabet::Crockford, 6);
    for entry in ["01AB01", "O1AB01", "0IAB01", "0LAB01", "OIABOL"] {
        assert!(matches(&secret("01AB01"), crockford, &secret(entry)), "{entry}");
    }
    assert!(!matches(&secret("01AB01"), crockford, &secret("01AB0U")));
    assert!(!matches(&secret("012345"), shape(Alphabet::Digits, 6), &secret("O12345")));
    assert!(!matches(&secret("OIABOL"), shape(Alphabet::Letters, 6), &secret("01AB01")));
    // The code itself is never folded.
    assert!(!matches(&secret("OIABOL"), crockford, &secret("OIABOL")));
}

#[test]
fn lengths_never_mix() {
    let six = shape(Alphabet::Digits, 6);
    for entry in ["", "3", "33115", "3311550", "0000000331155", "3311553311550"] {
        assert!(!matches(&secret("331155"), six, &secret(entry)), "{entry}");
        assert!(!matches(&secret("BFH453EDV2F54"), Shape::LONG, &secret(entry)), "{entry}");
    }
    assert!(!matches(&secret("BFH453EDV2F54"), Shape::LONG, &secret("BFH453")));
    assert!(!matches(&secret("331155"), six, &secret("BFH453EDV2F54")));
    // A code that is not of its shape is nobody's.
    assert!(!matches(&secret("331155"), Shape::LONG, &secret("331155")));
    assert!(!matches(&secret("BFH453EDV2F54"), six, &secret("BFH453EDV2F54")));
    // Not even with a shape that `Shape::new` refuses.
    for length in [0, 14, 255] {
        let odd = Shape { alphabet: Alphabet::Digits, length };
        let same = "1".repeat(usize::from(length));
        assert!(!matches(&secret(&same), odd, &secret(&same)));
    }
}

#[test]
fn what_could_be_long() {
    for entry in ["BFH453EDV2F54", "OIL0000000000", "0123456789012"] {
        assert!(could_be_long(&secret(entry)), "{entry}");
    }
    for entry in ["", "331155", "BFH453EDV2F5", "BFH453EDV2F540", "UUUUUUUUUUUUU", "bfh453edv2f54", "BFH4-53EDV2F5"] {
        assert!(!could_be_long(&secret(entry)), "{entry}");
    }
}

#[test]
fn codes_and_links_share_nothing() {
    let binding = binding(Shape::LONG);
    let under = |use_| derive(&master().root(use_), &binding).expose().clone();
    assert_ne!(under(Use::Code), under(Use::Link));
}

/// Members of a binding that can be owned by a property test.
#[derive(Clone, Debug, PartialEq)]
struct Members {
    org: [u8; 16],
    challenge: [u8; 16],
    generation: u32,
    purpose: String,
    method: String,
    destination: String,
    salt: [u8; 16],
}

impl Members {
    /// A long code, so that two are never the same by chance.
    fn code(&self, master: &MasterKey) -> String {
        let binding = Binding {
            org: OrgId::from_bytes(self.org),
            challenge: ChallengeId::from_bytes(self.challenge),
            generation: self.generation,
            purpose: &self.purpose,
            method: &self.method,
            destination: &self.destination,
            shape: Shape::LONG,
            salt: &self.salt,
        };
        derive(&master.root(Use::Code), &binding).expose().clone()
    }
}

fn members() -> impl Strategy<Value = Members> {
    let bytes = any::<([u8; 16], [u8; 16], u32, [u8; 16])>();
    (bytes, "[a-z]{0,6}", "[a-z]{0,6}", "[a-z@.]{0,12}").prop_map(
        |((org, challenge, generation, salt), purpose, method, destination)| Members {
            org,
            challenge,
            generation,
            purpose,
            method,
            destination,
            salt,
        },
    )
}

proptest! {
    #[test]
    fn every_member_changes_the_code(one in members(), which in 0usize..7, bit in 0usize..128) {
        let mut two = one.clone();
        match which {
            0 => two.org[bit / 8] ^= 1 << (bit % 8),
            1 => two.challenge[bit / 8] ^= 1 << (bit % 8),
            2 => two.generation ^= 1 << (bit % 32),
            3 => two.purpose.push('x'),
            4 => two.method.push('x'),
            5 => two.destination.push('x'),
            _ => two.salt[bit / 8] ^= 1 << (bit % 8),
        }
        prop_assert_eq!(one.code(&master()), one.clone().code(&master()));
        prop_assert_ne!(one.code(&master()), two.code(&master()));
    }

    /// Texts that run into each other read differently: "ab" + "c" is not "a" + "bc".
    #[test]
    fn texts_do_not_run_into_each_other(one in members(), text in "[a-z]{1,12}", x: prop::sample::Index, y: prop::sample::Index) {
        let (x, y) = (x.index(text.len() + 1), y.index(text.len() + 1));
        let cut = |at: usize| Members { purpose: text[..at].into(), method: text[at..].into(), ..one.clone() };
        prop_assert_eq!(cut(x).code(&master()) == cut(y).code(&master()), x == y);
        let cut = |at: usize| Members { method: text[..at].into(), destination: text[at..].into(), ..one.clone() };
        prop_assert_eq!(cut(x).code(&master()) == cut(y).code(&master()), x == y);
    }

    #[test]
    fn another_master_gives_another_code(one in members(), key: [u8; 32]) {
        let other = MasterKey::from_parts("otherkey".parse().unwrap(), key);
        prop_assert_ne!(one.code(&master()), one.code(&other));
    }

    /// Not even the first symbols carry over to another length or alphabet.
    #[test]
    fn a_shape_is_bound(salt: [u8; 16], length in 8u8..=12) {
        let code = |alphabet, length| code_of(&Binding { salt: &salt, ..binding(shape(alphabet, length)) });
        let (longer, shorter) = (code(Alphabet::Letters, length + 1), code(Alphabet::Letters, length));
        prop_assert!(!longer.starts_with(&shorter));
        prop_assert_ne!(code(Alphabet::Crockford, length), shorter);
    }

    #[test]
    fn codes_have_their_shape(salt: [u8; 16], length in 4u8..=13, which in 0usize..3) {
        let alphabet = ALPHABETS[which];
        let code = code_of(&Binding { salt: &salt, ..binding(shape(alphabet, length)) });
        prop_assert_eq!(code.len(), usize::from(length));
        prop_assert!(code.bytes().all(|b| alphabet.symbols().contains(&b)));
    }

    #[test]
    fn a_code_matches_itself_and_no_neighbour(salt: [u8; 16], length in 4u8..=13, which in 0usize..3, at: prop::sample::Index, step in 1usize..10) {
        let shape = shape(ALPHABETS[which], length);
        let code = code_of(&Binding { salt: &salt, ..binding(shape) });
        prop_assert!(matches(&secret(&code), shape, &secret(&code)));
        let (symbols, at) = (shape.alphabet.symbols(), at.index(code.len()));
        let mut near = code.clone().into_bytes();
        let old = symbols.iter().position(|b| *b == near[at]).unwrap();
        near[at] = symbols[(old + step) % symbols.len()];
        prop_assert!(near == code.as_bytes() || !matches(&secret(&code), shape, &secret(&String::from_utf8(near).unwrap())));
    }
}
