//! What people type and paste, and what becomes of it.

use doorcode_core::code::{could_be_long, derive, grouped, matches, normalise};
use doorcode_core::{Alphabet, Binding, Shape, Use};
use proptest::prelude::*;

use crate::{binding, master, shape};

fn read(entry: &str) -> Option<String> {
    normalise(entry).map(|entry| entry.expose().clone())
}

#[test]
fn reads_what_people_type() {
    for (entry, expected) in [
        ("331155", "331155"),
        ("331 155", "331155"),
        ("331-155", "331155"),
        (" 3 3 1 1 5 5 \r\n", "331155"),
        ("331\u{a0}155", "331155"),
        ("331\u{202f}155", "331155"),
        ("331\u{2009}155", "331155"),
        ("331\u{3000}155", "331155"),
        ("\u{feff}331\u{200b}1\u{200c}5\u{200d}5\u{2060}", "331155"),
        ("\u{200e}\u{202a}331155\u{202c}\u{200f}\u{61c}", "331155"),
        ("\u{2066}331155\u{2069}", "331155"),
        ("331\u{2010}1\u{2011}5\u{2013}5\u{2014}", "331155"),
        ("331\u{2212}155\u{ad}", "331155"),
        ("abcXYZ", "ABCXYZ"),
        ("bfh4-53ed-v2f54", "BFH453EDV2F54"),
        ("0", "0"),
    ] {
        assert_eq!(read(entry).as_deref(), Some(expected), "{entry:?}");
    }
}

#[test]
fn reads_the_digits_of_other_scripts() {
    for digits in ["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "০১২৩৪৫৬৭৮৯", "๐๑๒๓๔๕๖๗๘๙", "０１２３４５６７８９"]
    {
        assert_eq!(read(digits).as_deref(), Some("0123456789"), "{digits}");
    }
    // The neighbours of each block are no digits.
    for c in
        ['\u{65f}', '\u{66a}', '\u{6ef}', '\u{6fa}', '\u{965}', '\u{970}', '\u{9e5}', '\u{9f0}', '\u{e4f}', '\u{e5a}']
    {
        assert_eq!(read(&format!("33115{c}")), None, "{c:?}");
    }
    for c in ['\u{ff0f}', '\u{ff1a}'] {
        assert_eq!(read(&format!("33115{c}")), None, "{c:?}");
    }
}

#[test]
fn refuses_anything_else() {
    for entry in [
        "",
        " ",
        "-",
        "\u{200b}",
        "331155.",
        "331_155",
        "331/155",
        "#331155",
        "code: 331155",
        "33115é",
        "33115ı",
        "33115\u{212a}",
        "33115ſ",
        "33115²",
        "33115①",
        "33115五",
        "331155\0",
        "331155\u{1}",
        "331155'--",
        "3311551234567890",
        "1️⃣",
    ] {
        assert_eq!(read(entry), None, "{entry:?}");
    }
}

#[test]
fn has_limits() {
    assert!(read(&"1".repeat(13)).is_some());
    assert_eq!(read(&"1".repeat(14)), None);
    assert!(read(&format!("1{}", " ".repeat(63))).is_some());
    assert_eq!(read(&format!("1{}", " ".repeat(64))), None);
    for c in ["1", " ", "-", "x", "é", "\0"] {
        assert_eq!(read(&c.repeat(10_000)), None);
    }
}

/// A character becomes exactly one ASCII symbol, nothing, or a refusal; only these digits become something else.
#[test]
fn every_character_there_is() {
    let mut digits = 0;
    for c in '\u{80}'..=char::MAX {
        match read(&format!("A{c}")).as_deref() {
            None | Some("A") => {}
            Some(two) => {
                assert!(two.len() == 2 && two.as_bytes()[1].is_ascii_digit(), "{c:?} became {two}");
                digits += 1;
            }
        }
    }
    assert_eq!(digits, 6 * 10);
}

proptest! {
    #[test]
    fn canonical_stays(entry in "[0-9A-Z]{1,13}") {
        prop_assert_eq!(read(&entry), Some(entry));
    }

    #[test]
    fn whatever_comes_is_refused_or_symbols(entry in "\\PC{0,20}|[0-9a-zA-Z \u{200e}-]{0,40}") {
        if let Some(symbols) = read(&entry) {
            prop_assert!((1..=13).contains(&symbols.len()));
            prop_assert!(symbols.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));
            prop_assert_eq!(read(&symbols), Some(symbols));
        }
    }

    /// A code as a message shows it, typed back in either case, is the code.
    #[test]
    fn what_is_shown_can_be_typed(salt: [u8; 16], length in 4u8..=13, which in 0usize..3) {
        let shape = shape([Alphabet::Digits, Alphabet::Letters, Alphabet::Crockford][which], length);
        let code = derive(&master().root(Use::Code), &Binding { salt: &salt, ..binding(shape) });
        let shown = grouped(&code, shape);
        for typed in [shown.expose().clone(), shown.expose().to_lowercase(), format!(" {} ", shown.expose())] {
            let entry = normalise(&typed).unwrap();
            prop_assert_eq!(entry.expose(), code.expose());
            prop_assert!(matches(&code, shape, &entry));
            prop_assert!(!shape.is_long() || could_be_long(&entry));
        }
    }

    #[test]
    fn misread_long_codes_still_match(salt: [u8; 16], with in "[ilIL]", zero in "[oO]") {
        let code = derive(&master().root(Use::Code), &Binding { salt: &salt, ..binding(Shape::LONG) });
        let misread = grouped(&code, Shape::LONG).expose().replace('1', &with).replace('0', &zero);
        let entry = normalise(&misread).unwrap();
        prop_assert!(could_be_long(&entry));
        prop_assert!(matches(&code, Shape::LONG, &entry));
    }
}
