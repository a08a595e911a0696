//! Phone numbers.

use doorcode_core::{Error, Phone};
use proptest::prelude::*;

#[test]
fn takes_what_people_write() {
    for (input, canonical) in [
        ("+4915112345678", "+4915112345678"),
        (" +49 151 / 123".split('/').next().unwrap(), ""),
        ("+49 151 1234-5678", "+4915112345678"),
        ("+1 (555) 123.4567", "+15551234567"),
        ("\u{202a}+49\u{a0}151\u{202f}12345678\u{202c}\n", "+4915112345678"),
        ("+49\u{2011}151\u{2013}12345678", "+4915112345678"),
        ("+12345678", "+12345678"),
        ("+123456789012345", "+123456789012345"),
    ] {
        match canonical {
            "" => assert!(Phone::parse(input).is_err(), "{input}"),
            _ => assert_eq!(Phone::parse(input).unwrap().as_str(), canonical),
        }
    }
}

#[test]
fn refuses_what_is_not_a_number_for_abroad() {
    for bad in [
        "",
        "+",
        "++4915112345678",
        "4915112345678",
        "004915112345678",
        "+0915112345678",
        "+1234567",
        "+1234567890123456",
        "+49 (0)151 12345678",
        "+49151+12345678",
        "+49151x12345678",
        "+49151;ext=12",
        "tel:+4915112345678",
        "+49151\u{0}12345678",
        "+٤٩١٥١١٢٣٤٥٦٧٨",
        "jane@example.com",
        &format!("+49{}", " ".repeat(100)),
        &"1".repeat(10_000),
    ] {
        let refused = Phone::parse(bad);
        assert!(matches!(refused, Err(Error::Invalid { field: "phone", .. })), "{bad}");
    }
}

#[test]
fn masks_all_but_country_and_two_digits() {
    for (number, mask) in [
        ("+15551234567", "+1***67"),
        ("+79261234567", "+7***67"),
        ("+4915112345678", "+49***78"),
        ("+442071838750", "+44***50"),
        ("+8613812345678", "+86***78"),
        ("+353851234567", "+353***67"),
        ("+420601123456", "+420***56"),
        ("+971501234567", "+971***67"),
        ("+886912345678", "+886***78"),
        ("+99312345678", "+993***78"),
        ("+85512345", "+855***45"),
    ] {
        let phone = Phone::parse(number).unwrap();
        assert_eq!(phone.masked(), mask);
        assert_eq!(format!("{phone:?}"), mask);
    }
}

proptest! {
    #[test]
    fn canonical_stays(number in "\\+[1-9][0-9]{7,14}") {
        let phone = Phone::parse(&number).unwrap();
        prop_assert_eq!(phone.as_str(), &number);
        prop_assert_eq!(Phone::parse(phone.as_str()).unwrap(), phone);
    }

    #[test]
    fn separators_do_not_matter(digits in "[1-9][0-9]{7,14}", gap in "[-. ()\u{a0}]{1,2}", at in 1usize..8) {
        let written = format!("+{}{gap}{}", &digits[..at], &digits[at..]);
        if !written.contains("(0)") {
            let phone = Phone::parse(&written).unwrap();
            prop_assert_eq!(phone.as_str(), format!("+{digits}"));
        }
    }

    #[test]
    fn whatever_comes_is_refused_or_canonical(input in "\\PC{0,40}|[+0-9 ().-]{0,30}") {
        if let Ok(phone) = Phone::parse(&input) {
            let text = phone.as_str();
            prop_assert!(text.starts_with('+') && (9..=16).contains(&text.len()));
            prop_assert!(text[1..].bytes().all(|b| b.is_ascii_digit()) && !text[1..].starts_with('0'));
            let mask = phone.masked();
            // The country code is at most three digits, two more at the end.
            prop_assert!(mask.bytes().filter(u8::is_ascii_digit).count() <= 5);
        }
    }
}
