//! Patterns of messages: what they mean, and those that are built to hurt.

use doorcode_core::Error;
use doorcode_core::content::{ContentPattern, shown};
use proptest::prelude::*;

fn matches(pattern: &str, message: &str) -> bool {
    ContentPattern::parse(pattern).unwrap().matches(message)
}

fn refused(pattern: &str) -> &'static str {
    match ContentPattern::parse(pattern) {
        Err(Error::Invalid { field: "contentPattern", why }) => why,
        other => panic!("{pattern}: {other:?}"),
    }
}

#[test]
fn is_shown_as_it_matches() {
    assert_eq!(shown(r"(?i)your code is \d{6}"), r"(?i)your code is \d{6}");
    // What turns text round, and what nobody sees, would show another pattern than the one that is asked for.
    assert_eq!(shown("a\u{202e}b\u{200b}|.*\n"), r"a\u{202e}b\u{200b}|.*\u{a}");
    assert_eq!(shown("\u{a0}x"), r"\u{a0}x");
    assert_eq!(shown(&"x".repeat(9000)).len(), 500);
}

#[test]
fn means_what_it_means_in_javascript() {
    for (pattern, message) in [
        (r"\d{6}", "Your code is 847291."),
        (r"\b\d{6}\b", "code 847291, thanks"),
        (r"\b\d{6}\b", "é847291é"),
        (r"(?i)verification code:?\s*\d{6}", "VERIFICATION CODE: 847291"),
        (r"code:\s\d", "code:\u{a0}8"),
        (r"code:\s\d", "code:\u{feff}8"),
        (r"\w{4,8}", "ABCD"),
        (r"[\w.-]+@[\w-]+", "a.b@c-d"),
        (r"[^\d]\d{6}[^\d]", "x847291x"),
        (r"[\D]x", "yx"),
        (r"\S+ \d{3}[- ]?\d{3}", "is 847-291"),
        (r"(?i)(code|otp|pin|passcode|password)[^0-9]{0,40}\d{4,8}", "Your one-time passcode for Acme is 847291"),
        (r"代码[:：]\s*\d{6}", "代码：847291"),
        (r"^Acme", "Acme: 1"),
        (r"https:\/\/acme\.com", "https://acme.com/x"),
        (r"\\d", r"\d"),
        (r"\(\?i\)", "(?i)"),
        (r"(?<code>\d{6})", "847291"),
        (r".", "é"),
        (r"\Bode", "code"),
        (r"\\p", r"\p"),
        (r"\<\d+\>", "<8>"),
    ] {
        assert!(matches(pattern, message), "{pattern} {message}");
    }
    for (pattern, message) in [
        (r"\d{6}", "Your code is 84729"),
        (r"\d{6}", "٨٤٧٢٩١"),
        (r"\w", "é"),
        (r"code", "CODE"),
        (r"^Acme", "From Acme"),
        (r"\bcode\b", "encoded"),
        (r"\\d", "8"),
        (r"\W", "a_1"),
        (r"\s", "\u{200b}\u{85}"),
    ] {
        assert!(!matches(pattern, message), "{pattern} {message}");
    }
}

/// Every one of these is refused, or built and run at once: the test would stand still if one were not.
#[test]
fn what_is_built_to_be_slow_or_large() {
    for pattern in [
        "((a{100}){100}){100}",
        "a{0,100000}",
        ".{0,1000}x",
        "(?:.?){200}x",
        &"(?:a?){99}".repeat(50),
        &format!("{}{}", "(".repeat(250), ")".repeat(250)),
        &"[".repeat(500),
        &"a{99}{99}{99}{99}{99}{99}".repeat(20),
        r"(?=a)b",
        r"(?!a)b",
        r"(?<=a)b",
        r"(?<!a)b",
        r"(a)\1",
        r"(?<x>a)\k<x>",
        r"\p{L}",
        r"[\PN]",
        "(",
        "[a",
        "a{2,1}",
        r"\",
        "*",
        "",
        &"a".repeat(501),
        &"é".repeat(501),
        &"a".repeat(1 << 20),
        // With this flag a class of all characters takes milliseconds, and there is room for many.
        "(?i)é",
        "(?im)[!-\u{10ffff}]",
        r"(?i)[\x{0}-\x{10FFFF}]",
        r"(?i)[\u{0}-\u{10FFFF}]",
        "[!-\u{10ffff}](?i:[!-\u{10ffff}])",
        "(?x)( ?i)[!-\u{10ffff}]",
    ] {
        refused(pattern);
    }
    let text = "a".repeat(1 << 22);
    for pattern in
        ["(a+)+$", "(a|aa)+$", "(a*)*b", "(.*a){20}$", "[ab]*a[ab]{900}c", "(?:a{0,37}){0,20}c", "(?i)[^!]*b"]
    {
        let end = ContentPattern::parse(pattern).unwrap().matches(&format!("{text}!"));
        assert!(!end || pattern == "(.*a){20}$" || pattern.ends_with('$'), "{pattern}");
    }
}

#[test]
fn the_end_of_a_long_message_is_not_looked_at() {
    let long = "é".repeat(4096);
    assert_eq!(long.len(), 8192);
    assert!(matches("847291", &format!("{}847291", &long[..8186])));
    assert!(!matches("847291", &format!("{long}847291")));
    // Cut where a character ends.
    assert!(matches("x", &format!("x{long}")));
    assert_eq!(ContentPattern::parse(r"\d\s").unwrap().as_str(), r"\d\s");
}

#[test]
fn errors_and_debug_do_not_repeat_it() {
    assert!(!refused("847291(").contains("847291"));
    assert_eq!(format!("{:?}", ContentPattern::parse("847291").unwrap()), "ContentPattern");
}

proptest! {
    #[test]
    fn never_panics(pattern in "\\PC{0,40}|[\\\\dwsbSDWB\\[\\](){}?*+|^$.a-c0-9,:i-]{0,60}", message in "\\PC{0,40}") {
        if let Ok(pattern) = ContentPattern::parse(&pattern) {
            pattern.matches(&message);
        }
    }

    /// Digits mean digits, wherever they stand.
    #[test]
    fn digits_are_ascii(c: char) {
        prop_assert_eq!(matches(r"^\d$", &c.to_string()), c.is_ascii_digit());
        prop_assert_eq!(matches(r"^[\d]$", &c.to_string()), c.is_ascii_digit());
        prop_assert_eq!(matches(r"^[^\W]$", &c.to_string()), c.is_ascii_alphanumeric() || c == '_');
    }
}
