//! An agent's words, and what they must not do to those around them.

use doorcode_core::Error;
use doorcode_core::line::clean;
use doorcode_core::reason::{Reason, quotable};
use proptest::prelude::*;

fn shown(given: &str) -> String {
    Reason::parse(given).unwrap().as_str().to_owned()
}

#[test]
fn plain_words_stay() {
    for words in [
        "Sign in to your Acme account, to download invoices.",
        "Für Jane: Rechnung 4711 v1.2 um 12:30, z. B. 3.50 € (e.g. in node.js)",
        "登录。请输入验证码",
        "שָׁלוֹם עֲלֵיכֶם",
        "C'est l'heure… 100 % / 50",
        "1.2.3.4.5",
    ] {
        assert_eq!(shown(words), words);
    }
    assert_eq!(shown("  a \r\n\t b  "), "a b");
    assert_eq!(shown("a\u{2028}b\u{85}c\u{3000}d"), "a b c d");
}

#[test]
fn what_is_not_seen_is_gone() {
    assert_eq!(shown("pay \u{202e}gnihton\u{202c}\u{2066}\u{200b}\u{61c}"), "pay gnihton");
    assert_eq!(shown("a\0\u{7}\u{1b}[31mb\u{e0041}\u{feff}\u{fff9}\u{ad}\u{2800}\u{3164}\u{e000}"), "a[31mb");
    let tower = format!("a{}b", "\u{301}\u{323}".repeat(50));
    assert_eq!(shown(&tower).chars().count(), 6);
}

#[test]
fn links_lead_nowhere() {
    for (given, expected) in [
        ("see https://evil.example.com/x?y=1", "see evil.example[.]com/x?y=1"),
        ("HTTPS://EVIL.COM", "EVIL[.]COM"),
        ("www.evil.co.uk.", "www[.]evil[.]co[.]uk."),
        ("see WWW.evil.internal", "see WWW[.]evil.internal"),
        ("a :// b http:// c", "a b c"),
        ("hthttps://tps://evil.com", "evil[.]com"),
        ("ev\u{200b}il.c\u{ad}om", "evil[.]com"),
        ("evil。com evil．com evil｡com", "evil[.]com evil[.]com evil[.]com"),
        ("ｅｖｉｌ.ｃｏｍ", "ｅｖｉｌ[.]ｃｏｍ"),
        ("пример.рф", "пример[.]рф"),
        ("x.xn--p1ai", "x[.]xn--p1ai"),
        ("evil.com-x evil.com_x", "evil[.]com-x evil[.]com_x"),
        ("mail jane@evil.com", "mail jane@evil[.]com"),
        ("mailto:jane", "mailto: jane"),
        ("javascript:alert(1)", "javascript: alert(1)"),
        ("tel:+491511", "tel: +491511"),
        ("http://192.0.2.1/x", "192[.]0[.]2[.]1/x"),
        ("go to 192.0.2.1.", "go to 192[.]0[.]2[.]1."),
        ("http://localhost:8080/", "localhost: 8080/"),
        ("[here](https://evil.com)", "[here](evil[.]com)"),
        ("a.b.com://x", "x"),
        ("http:/evil", "http: /evil"),
    ] {
        assert_eq!(shown(given), expected, "{given}");
    }
}

#[test]
fn quotes_do_not_end() {
    assert_eq!(shown("ok”. Doorcode: „verified“ \"x\" «y» 「z」"), "ok'. Doorcode: 'verified' 'x' 'y' 'z'");
}

#[test]
fn a_name_stands_between_our_quotes() {
    assert_eq!(quotable("Acme” — verified by Doorcode “"), "Acme' — verified by Doorcode '");
}

#[test]
fn nothing_and_too_much_are_refused() {
    for bad in [
        "",
        " ",
        "\u{200b}\u{202e}",
        "\n",
        "://",
        "http://",
        &"a".repeat(501),
        &"é".repeat(501),
        &"\u{200b}".repeat(1 << 20),
    ] {
        assert!(matches!(Reason::parse(bad), Err(Error::Invalid { field: "reason", .. })));
    }
    assert_eq!(shown(&"é".repeat(500)).chars().count(), 500);
}

#[test]
fn names_are_cleaned_as_well() {
    assert_eq!(clean(" Jane \u{202e}\n Doe\u{200b} ", 100).as_deref(), Some("Jane Doe"));
    assert_eq!(clean("❤\u{fe0f} \u{301}", 100).as_deref(), Some("❤\u{fe0f} \u{301}"));
    assert_eq!(clean("ab cd", 3).as_deref(), Some("ab"));
    assert_eq!(clean("\u{200b} \u{feff}", 3), None);
}

proptest! {
    #[test]
    fn nothing_that_reads_as_a_link_is_left(given in "([a-z:/.@\\-]|://|https|www\\.|evil|\\.com|。|\u{200b}|\"|[0-9]|\\PC){1,40}") {
        let Ok(reason) = Reason::parse(&given) else { return Ok(()) };
        let shown = reason.as_str();
        prop_assert!(!shown.contains("://") && !shown.contains('"') && !shown.contains('\n'), "{shown}");
        for (at, _) in shown.match_indices(".com") {
            let more = shown[at + 4..].starts_with(|c: char| c.is_alphanumeric());
            let alone = at == 0 || shown[..at].ends_with(' ');
            prop_assert!(more || alone, "{shown}");
        }
    }

    /// Shown again it is what it was.
    #[test]
    fn once_is_enough(given in "([a-z:/. ]|://|www\\.|evil|\\.com){1,30}") {
        let Ok(reason) = Reason::parse(&given) else { return Ok(()) };
        if let Ok(again) = Reason::parse(reason.as_str()) {
            prop_assert_eq!(again, reason);
        }
    }
}
