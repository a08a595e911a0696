//! E-mail addresses: one spelling each, and nobody else's.

use doorcode_core::{Email, Error};
use proptest::prelude::*;

fn canonical(input: &str) -> String {
    Email::parse(input).unwrap_or_else(|e| panic!("{input}: {e}")).as_str().to_owned()
}

fn refused(input: &str) {
    let result = Email::parse(input);
    assert!(matches!(result, Err(Error::Invalid { field: "email", .. })), "{input:?} gave {result:?}");
}

#[test]
fn takes_ordinary_addresses() {
    for (input, expected) in [
        ("jane@example.com", "jane@example.com"),
        ("Jane.Doe+News@Example.COM", "jane.doe+news@example.com"),
        ("  jane@example.com\r\n", "jane@example.com"),
        ("\tjane@example.com ", "jane@example.com"),
        ("o'brien@example.ie", "o'brien@example.ie"),
        ("!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"),
        ("a@b.co", "a@b.co"),
        ("1@1.museum", "1@1.museum"),
        ("x@r3---sn-foo.example.com", "x@r3---sn-foo.example.com"),
        ("x@sub-domain.example.co.uk", "x@sub-domain.example.co.uk"),
        ("x@example.x1", "x@example.x1"),
    ] {
        let email = Email::parse(input).unwrap();
        assert_eq!(email.as_str(), expected);
        assert_eq!(format!("{}@{}", email.local(), email.domain()), expected);
    }
}

#[test]
fn domains_become_a_labels() {
    for (input, expected) in [
        ("x@münchen.de", "x@xn--mnchen-3ya.de"),
        ("x@MÜNCHEN.de", "x@xn--mnchen-3ya.de"),
        ("x@mu\u{308}nchen.de", "x@xn--mnchen-3ya.de"),
        ("x@xn--mnchen-3ya.de", "x@xn--mnchen-3ya.de"),
        ("x@XN--MNCHEN-3YA.DE", "x@xn--mnchen-3ya.de"),
        // Non-transitional: the sharp s is a letter of its own, and strasse.de somebody else's.
        ("x@straße.de", "x@xn--strae-oqa.de"),
        ("x@βόλος.com", "x@xn--nxasmm1c.com"),
        ("x@例え.jp", "x@xn--r8jz45g.jp"),
        ("x@例え。jp", "x@xn--r8jz45g.jp"),
        ("x@ｅｘａｍｐｌｅ.com", "x@example.com"),
        ("x@пример.рф", "x@xn--e1afmkfd.xn--p1ai"),
        ("x@نامه\u{200c}ای.com", "x@xn--mgba3gch31f060k.com"),
        // Not folded into g-i-thub, which is another domain.
        ("x@gıthub.com", "x@xn--gthub-n4a.com"),
    ] {
        assert_eq!(canonical(input), expected);
    }
}

#[test]
fn local_parts_of_other_scripts_keep_their_letters() {
    for (input, expected) in [
        ("jörg@example.com", "jörg@example.com"),
        ("jo\u{308}rg@example.com", "jörg@example.com"),
        ("JÖRG@example.com", "jÖrg@example.com"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ("अजय@example.com", "अजय@example.com"),
        ("\u{212b}sa@example.com", "Åsa@example.com"),
    ] {
        assert_eq!(canonical(input), expected);
    }
}

#[test]
fn nothing_folds_into_ascii() {
    // `ı` is a letter of its own, and stays.
    assert_eq!(canonical("mıke@example.com"), "mıke@example.com");
    assert_ne!(canonical("mıke@example.com"), canonical("mike@example.com"));
    assert_eq!(canonical("mİke@example.com"), "mİke@example.com");
    // These would become ASCII under NFC or some mail server's NFKC: refused.
    for c in ["\u{212a}", "\u{37e}", "\u{1fef}", "ſ", "ﬁ", "ａ", "＠", "．", "①", "\u{2024}", "ⅰ", "\u{2044}½"]
    {
        refused(&format!("a{c}b@example.com"));
    }
    refused("x@git\u{212a}ub.com");
    refused("\u{212a}@example.com");
}

/// Every character there is: none makes an ASCII local part out of one that was not.
#[test]
fn no_character_folds_into_ascii() {
    let mut taken = 0;
    for c in ('\u{80}'..='\u{3ffff}').chain('\u{e0000}'..='\u{e0fff}') {
        let Ok(email) = Email::parse(&format!("7{c}7@example.com")) else { continue };
        taken += 1;
        let local = email.local();
        assert!(local.starts_with('7') && local.ends_with('7') && !local.is_ascii(), "{c:?} became {local}");
        assert!(local[1..local.len() - 1].chars().all(|c| !c.is_ascii()), "{c:?} became {local}");
        assert_eq!(Email::parse(email.as_str()).unwrap(), email, "{c:?}");
    }
    assert!(taken > 100_000, "{taken}");
}

#[test]
fn refuses_what_is_no_address() {
    for bad in [
        "",
        " ",
        "@",
        "jane",
        "jane@",
        "@example.com",
        "a@b",
        "a@localhost",
        "a@@example.com",
        "a@b@example.com",
        "jane doe@example.com",
        "jane@exam ple.com",
        "jane@example.com, joe@example.com",
        "<jane@example.com>",
        "\"jane\"@example.com",
        "\"jane doe\"@example.com",
        "jane(x)@example.com",
        "a\\b@example.com",
        ".jane@example.com",
        "jane.@example.com",
        "ja..ne@example.com",
        "jane@.example.com",
        "jane@example.com.",
        "jane@example..com",
        "jane@-example.com",
        "jane@example-.com",
        "jane@exa_mple.com",
        "jane@[192.0.2.1]",
        "jane@[IPv6:2001:db8::1]",
        "jane@192.0.2.1",
        "jane@example.123",
        "jane@127.0x1",
        "jane@example.0x",
        "jane@xn--.com",
        "jane@xn--a.com",
        "jane@xn--zz-.com",
        "jane@xn--\u{fc}.de",
        "jane@example.com:25",
        "mailto:jane@example.com?subject=x",
        "jane@example.com\r\nBcc: joe@example.com",
        "jane\n@example.com",
        "jane@exa\nmple.com",
    ] {
        refused(bad);
    }
}

#[test]
fn refuses_controls_and_what_cannot_be_seen() {
    for c in [
        '\0',
        '\u{1}',
        '\t',
        '\n',
        '\u{7f}',
        '\u{85}',
        '\u{9f}',
        '\u{a0}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{115f}',
        '\u{180e}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{2066}',
        '\u{2069}',
        '\u{2800}',
        '\u{3000}',
        '\u{3164}',
        '\u{e000}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{fffd}',
        '\u{ffff}',
        '\u{e0041}',
        '\u{e0100}',
        '\u{f0000}',
        '\u{10ffff}',
    ] {
        refused(&format!("ja{c}ne@example.com"));
    }
    for c in ['\0', '\t', '\n', '\u{7f}', '\u{85}', '\u{200e}', '\u{202e}', '\u{2066}', '\u{e000}', '\u{ffff}'] {
        refused(&format!("jane@exam{c}ple.com"));
        refused(&format!("jane@münc{c}hen.de"));
    }
}

#[test]
fn keeps_the_limits_of_smtp() {
    let of = |n: usize, c: &str| c.repeat(n);
    assert_eq!(canonical(&format!("{}@example.com", of(64, "a"))).len(), 76);
    refused(&format!("{}@example.com", of(65, "a")));
    // Octets, not characters.
    canonical(&format!("{}@example.com", of(32, "é")));
    refused(&format!("{}@example.com", of(33, "é")));
    // 64 octets once composed, 96 before.
    canonical(&format!("{}@example.com", of(32, "e\u{301}")));

    canonical(&format!("a@{}.com", of(63, "b")));
    refused(&format!("a@{}.com", of(64, "b")));
    let domain = |last: usize| format!("{0}.{0}.{0}.{1}", of(63, "b"), of(last, "c"));
    assert_eq!(canonical(&format!("a@{}", domain(60))).len(), 254);
    refused(&format!("a@{}", domain(61)));
    refused(&format!("ab@{}", domain(60)));
    // A label whose A-label is too long.
    refused(&format!("a@{}.com", of(60, "é")));
}

fn why(input: &str) -> &'static str {
    match Email::parse(input) {
        Err(Error::Invalid { why, .. }) => why,
        other => panic!("{input:?} gave {other:?}"),
    }
}

#[test]
fn says_what_is_wrong() {
    assert_eq!(why("jane"), "must have an @");
    assert_eq!(why("jane@example.com, joe@example.com"), "must have only one @");
    assert_eq!(why("jane@localhost"), "must have a domain with a top-level name");
    assert_eq!(why("ja\u{200b}ne@example.com"), "must have no spaces, controls or invisible characters");
    assert_eq!(why("ja\u{212a}ne@example.com"), "must not have characters that stand for others");
}

#[test]
fn refuses_what_is_long_before_reading_it() {
    assert_eq!(why(&format!("jane@example.com{}", " ".repeat(1024))), "is too long");
    for c in ["a", "@", " ", "é", ".", "\u{202e}", "\0"] {
        refused(&c.repeat(10_000));
        refused(&format!("{}@example.com", c.repeat(10_000)));
        refused(&format!("a@{}.com", c.repeat(10_000)));
    }
}

#[test]
fn masks_show_first_characters_only() {
    for (input, mask) in [
        ("jane@example.com", "j***@e***.com"),
        ("j@example.com", "j***@e***.com"),
        ("jane.doe+x@mail.example.co.uk", "j***@m***.uk"),
        ("用户@例え.jp", "用***@x***.jp"),
        ("a@b.co", "a***@b***.co"),
    ] {
        let email = Email::parse(input).unwrap();
        assert_eq!(email.masked(), mask);
        assert_eq!(format!("{email:?}"), mask);
    }
}

#[test]
fn folds_dots_and_tags_for_budgets_only() {
    for (input, folded) in [
        ("jane@example.com", "jane@example.com"),
        ("j.a.n.e@example.com", "jane@example.com"),
        ("jane+one@example.com", "jane@example.com"),
        ("Ja.Ne+on.e+two@example.com", "jane@example.com"),
        ("jane+@example.com", "jane@example.com"),
        ("+tag@example.com", "+tag@example.com"),
        ("jane@sub.example.com", "jane@sub.example.com"),
        ("jane-one@example.com", "jane-one@example.com"),
        ("jö.rg+x@münchen.de", "jörg@xn--mnchen-3ya.de"),
    ] {
        let email = Email::parse(input).unwrap();
        assert_eq!(email.folded(), folded);
        assert_ne!(email.folded(), "");
    }
    assert_ne!(Email::parse("j.ane@example.com").unwrap(), Email::parse("jane@example.com").unwrap());
    assert_ne!(Email::parse("jane+a@example.com").unwrap(), Email::parse("jane@example.com").unwrap());
}

proptest! {
    #[test]
    fn canonical_stays(input in "[a-zA-Z0-9.+éÖßıſk用]{1,20}@[a-zA-Z0-9.üß例-]{1,20}\\.(com|DE|рф)") {
        if let Ok(email) = Email::parse(&input) {
            prop_assert_eq!(&Email::parse(email.as_str()).unwrap(), &email);
            prop_assert_eq!(format!("{}@{}", email.local(), email.domain()), email.as_str());
            prop_assert!(!email.as_str().bytes().any(|b| b.is_ascii_uppercase()));
            prop_assert!(email.domain().is_ascii());
        }
    }

    #[test]
    fn ordinary_addresses_only_lower(local in "[a-zA-Z0-9_-]{1,20}(\\.[a-zA-Z0-9]{1,5})?", domain in "[a-zA-Z0-9]{1,20}\\.[a-zA-Z]{2,9}") {
        let input = format!("{local}@{domain}");
        prop_assert_eq!(canonical(&input), input.to_ascii_lowercase());
    }

    #[test]
    fn whatever_comes_is_refused_or_within_limits(input in "\\PC{0,60}|.{0,30}@.{0,30}\\.com|[^@]{1,9}@[a-z.\\PC]{1,20}") {
        if let Ok(email) = Email::parse(&input) {
            prop_assert!(email.local().len() <= 64 && email.domain().len() <= 253 && email.as_str().len() <= 254);
            prop_assert!(!email.as_str().chars().any(|c| c.is_control() || c.is_whitespace()));
            prop_assert_eq!(&Email::parse(email.as_str()).unwrap(), &email);
            let mask = email.masked();
            let (local, domain) = mask.split_once('@').unwrap();
            prop_assert_eq!(local.chars().count(), 4);
            let top = email.domain().rsplit('.').next().unwrap();
            prop_assert_eq!(domain.len(), 5 + top.len());
            prop_assert!(!email.folded().split('@').next().unwrap().contains('.'));
        }
    }

    /// The short way through ASCII domains answers what UTS 46 answers: the extra A-label forces the long way.
    #[test]
    fn the_short_way_is_the_long_way(domain in "[a-zA-Z0-9_. -]{0,16}\\.[a-z0-9-]{1,6}") {
        let short = Email::parse(&format!("x@{domain}"));
        let long = Email::parse(&format!("x@xn--mnchen-3ya.{domain}"));
        match (short, long) {
            (Ok(short), Ok(long)) => {
                prop_assert_eq!(long.domain().strip_prefix("xn--mnchen-3ya."), Some(short.domain()));
            }
            (short, long) => prop_assert!(short.is_err() && long.is_err(), "{:?} {:?}", short, long),
        }
    }
}
