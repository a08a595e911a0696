//! Patterns of senders, and what they must not take in; who vouches for whom; the deny-list.

use doorcode_core::sender::{DenyList, SenderPattern, Specificity, is_aligned, registrable};
use doorcode_core::{Email, Error};
use proptest::prelude::*;

fn pattern(text: &str) -> SenderPattern {
    SenderPattern::parse(text).unwrap()
}

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

fn matches(text: &str, from: &str) -> bool {
    pattern(text).matches_email(&email(from))
}

fn refused(text: &str) {
    match SenderPattern::parse(text) {
        Err(Error::Invalid { field: "senderPattern", .. }) => {}
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn takes_what_it_says() {
    for (text, from) in [
        ("noreply@acme.com", "noreply@acme.com"),
        ("NoReply@ACME.com", "noreply@acme.com"),
        (" *@acme.com ", "a@acme.com"),
        ("*@acme.com", "noreply+otp.x=y@acme.com"),
        ("no*@acme.com", "no@acme.com"),
        ("no*@acme.com", "noreply@acme.com"),
        ("*ply@acme.com", "noreply@acme.com"),
        ("n*r*y@acme.com", "noreply@acme.com"),
        ("n**y@acme.com", "noreply@acme.com"),
        ("noreply-?@acme.com", "noreply-7@acme.com"),
        ("?@acme.com", "é@acme.com"),
        ("*é*@acme.com", "cafe\u{301}s@acme.com"),
        ("*@*.acme.com", "a@mail.acme.com"),
        ("*@*.acme.com", "a@eu.mail.acme.com"),
        ("*@*.mail.acme.com", "a@eu.mail.acme.com"),
        ("*@*.acme.co.uk", "a@mail.acme.co.uk"),
        ("*@münchen.example", "a@xn--mnchen-3ya.example"),
        ("*@MÜNCHEN.example", "a@münchen.example"),
        ("*@*.xn--mnchen-3ya.example", "a@mail.münchen.example"),
        ("a*b*c@acme.com", "abcbc@acme.com"),
        ("*aab@acme.com", "aaaab@acme.com"),
        ("*?b@acme.com", "bb@acme.com"),
    ] {
        assert!(matches(text, from), "{text} {from}");
    }
}

#[test]
fn takes_nothing_else() {
    for (text, from) in [
        ("*@acme.com", "a@mail.acme.com"),
        ("*@acme.com", "a@evilacme.com"),
        ("*@acme.com", "a@acme.com.evil.example"),
        ("*@acme.com", "a@acme.co"),
        ("*@acme.com", "a@xn--acm-dma.com"),
        ("*@*.acme.com", "a@acme.com"),
        ("*@*.acme.com", "a@evilacme.com"),
        ("*@*.acme.com", "a@evil.example"),
        ("*@*.acme.com", "a@acme.com.evil.example"),
        ("no*@acme.com", "on-no@acme.com"),
        ("noreply@acme.com", "noreply@acme.com.example"),
        ("noreply@acme.com", "xnoreply@acme.com"),
        ("noreply@acme.com", "noreplyx@acme.com"),
        ("noreply-?@acme.com", "noreply-@acme.com"),
        ("noreply-?@acme.com", "noreply-77@acme.com"),
        ("??@acme.com", "é@acme.com"),
        ("a*b*c@acme.com", "acb@acme.com"),
        ("*x@acme.com", "noreply@acme.com"),
        // `?` and `*` of the address are no wildcards, and a dot of the pattern is a dot.
        ("a.b@acme.com", "axb@acme.com"),
        ("ab@acme.com", "*@acme.com"),
        ("i@acme.com", "ı@acme.com"),
    ] {
        assert!(!matches(text, from), "{text} {from}");
    }
}

#[test]
fn wildcards_stand_where_one_owner_is() {
    for text in [
        "*",
        "**",
        "?",
        "*@*",
        "*@*.*",
        "*@*.com",
        "*@*.co.uk",
        "*@*.github.io",
        "*@acme.*",
        "*@*acme.com",
        "*@a*.com",
        "*@acme.c?m",
        "*@*.*.acme.com",
        "*@mail.*.acme.com",
        "*@*.",
        "*@.acme.com",
        "*.acme.com",
        "acme.com",
        "@acme.com",
        "*@",
        "*@com",
        "*@localhost",
        "*@*.localhost",
        "*@*.xn--55qx5d.cn",
        "*@*.公司.cn",
        "*@[192.0.2.1]",
        "*@192.0.2.1",
        "Acme <*@acme.com>",
        "a@b@acme.com",
        "*@acme.com,*@evil.example",
        "*@acme.com\n*@evil.example",
        "*@acme.com\0",
        "* @acme.com",
        "*\u{202e}@acme.com",
        "*@ac\u{200b}me.com.",
        "*..@acme.com",
        "\"*\"@acme.com",
        "Acme*",
        "+49*",
        "+4915?12345678",
        "*@*.ck",
    ] {
        refused(text);
    }
}

#[test]
fn lengths_are_bounded() {
    refused("");
    refused(" ");
    refused(&format!("{}@acme.com", "*".repeat(300)));
    refused(&format!("{}@acme.com", "a*".repeat(33)));
    refused(&"*".repeat(1 << 20));
    refused(&format!("*@{}.com", "a".repeat(250)));
    assert!(matches(&format!("{}b@acme.com", "a*".repeat(31)), &format!("{}b@acme.com", "a".repeat(63))));
    assert!(!matches(&format!("{}b@acme.com", "a*".repeat(31)), &format!("{}@acme.com", "a".repeat(64))));
}

#[test]
fn others_are_named_exactly() {
    for (text, from) in [
        ("+4915112345678", "+49 151 1234-5678"),
        ("+49 151 1234-5678", "+4915112345678"),
        ("72345", "72345"),
        ("Acme", "ACME"),
        ("VK-ACMEBK", "vk-acmebk "),
        ("Acme Bank", "acme bank"),
    ] {
        assert!(pattern(text).matches_sms(from), "{text} {from}");
        assert!(pattern(text).is_exact() && pattern(text).domain().is_none());
    }
    for (text, from) in [
        ("+4915112345678", "4915112345678"),
        ("+4915112345678", "+4915112345679"),
        ("72345", "+72345"),
        ("72345", "723456"),
        ("Acme", "Acme1"),
        ("Acme", "Аcme"),
        ("acme@acme.com", "acme@acme.com"),
    ] {
        assert!(!pattern(text).matches_sms(from), "{text} {from}");
    }
    assert!(!pattern("Acme").matches_email(&email("acme@acme.com")));
    for text in [
        "4915112345678",
        "123456789",
        "12",
        "+49",
        "+0151123456",
        "Acme Savings",
        "Acme.com",
        "Acmé",
        "Acme\u{200b}",
        "ACME\nX",
    ] {
        refused(text);
    }
}

#[test]
fn narrower_patterns_rank_higher() {
    let ranked =
        ["*@*.acme.com", "*@*.mail.acme.com", "no*@*.acme.com", "*@acme.com", "no*@acme.com", "noreply*@acme.com"];
    let ranks: Vec<Specificity> = ranked.iter().map(|text| pattern(text).specificity()).collect();
    // What ties says no more than the other.
    assert!(ranks[0] < ranks[2] && ranks[2] < ranks[1] && ranks[1] < ranks[3] && ranks[3..].is_sorted());
    for rank in &ranks {
        assert!(Specificity::ANY < *rank && *rank < pattern("a@b.co").specificity());
    }
    assert_eq!(pattern("*@acme.com").specificity(), pattern("**@ACME.com").specificity());
    assert!(pattern("a@acme.com").is_exact() && !pattern("a*@acme.com").is_exact());
    assert!(!pattern("a@*.acme.com").is_exact() && !pattern("?@acme.com").is_exact());
}

#[test]
fn what_can_be_registered() {
    for (domain, owner) in [
        ("acme.com", Some("acme.com")),
        ("a.b.acme.com", Some("acme.com")),
        ("mail.acme.co.uk", Some("acme.co.uk")),
        ("a.b.github.io", Some("b.github.io")),
        ("bucket.s3.amazonaws.com", Some("bucket.s3.amazonaws.com")),
        ("mail.acme.internal", Some("acme.internal")),
        ("a.xn--mnchen-3ya.de", Some("xn--mnchen-3ya.de")),
        ("a.b.xn--55qx5d.cn", Some("b.xn--55qx5d.cn")),
        ("www.ck", Some("www.ck")),
        ("com", None),
        ("co.uk", None),
        ("github.io", None),
        ("xn--55qx5d.cn", None),
        ("any.ck", None),
        ("", None),
        (".", None),
        (".acme.com", None),
        ("acme.com.", None),
        ("a..com", None),
        ("Acme.com", None),
        ("münchen.de", None),
    ] {
        assert_eq!(registrable(domain), owner, "{domain}");
    }
}

#[test]
fn who_vouches_for_whom() {
    for (from, d) in [
        ("acme.com", "acme.com"),
        ("ACME.com", "acme.COM"),
        ("mail.acme.com", "acme.com"),
        ("eu.mail.acme.com", "mail.acme.com"),
        ("mail.acme.co.uk", "acme.co.uk"),
        ("mail.münchen.de", "xn--mnchen-3ya.de"),
        ("github.io", "github.io"),
    ] {
        assert!(is_aligned(from, d), "{from} {d}");
    }
    for (from, d) in [
        ("acme.com", "mail.acme.com"),
        ("a.acme.com", "b.acme.com"),
        ("acme.com", "evilacme.com"),
        ("evilacme.com", "acme.com"),
        ("acme.com", "com"),
        ("acme.co.uk", "co.uk"),
        ("jane.github.io", "github.io"),
        ("bucket.s3.amazonaws.com", "amazonaws.com"),
        ("acme.com", "sendgrid.net"),
        ("acme.com", ""),
        ("", ""),
        ("acme.com", "."),
        ("acme.com", ".acme.com"),
        ("acme.com", "x@acme.com"),
    ] {
        assert!(!is_aligned(from, d), "{from} {d}");
    }
}

#[test]
fn the_deny_list_covers_what_is_below() {
    let denied = DenyList::of(["bank.example", "Accounts.Google.com", "sparkasse-münchen.de"]).unwrap();
    for domain in [
        "bank.example",
        "BANK.example",
        "login.bank.example",
        "a.b.c.bank.example",
        "bank.example.",
        ".bank.example",
        "_dmarc.bank.example",
        "_x.SPARKASSE-MÜNCHEN.de",
        "_x。bank．example",
        "accounts.google.com",
        "x.accounts.google.com",
        "xn--sparkasse-mnchen-tzb.de",
        "www.SPARKASSE-MÜNCHEN.de",
    ] {
        assert!(denied.covers(domain), "{domain}");
    }
    for domain in ["notbank.example", "bank.example.evil.test", "example", "google.com", "mail.google.com", "", "."] {
        assert!(!denied.covers(domain), "{domain}");
    }
    for bad in ["", "com", "co.uk", "github.io", "*.bank.example", "bank", "a b.example"] {
        assert!(DenyList::of(["bank.example", bad]).is_err(), "{bad}");
    }
    assert!(denied.covers(&"a.".repeat(1 << 20)));
    assert!(!DenyList::default().covers("bank.example"));
}

/// The obvious way to match, which tries everything.
fn slowly(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            slowly(rest, text) || text.split_first().is_some_and(|(_, text)| slowly(pattern, text))
        }
        (Some((b'?', rest)), Some((_, text))) => slowly(rest, text),
        (Some((p, rest)), Some((t, text))) => p == t && slowly(rest, text),
        _ => false,
    }
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,60}|[*?@.a-z+0-9 -]{0,40}", from in "[a-z]{1,5}@[a-z]{1,5}\\.com") {
        if let Ok(pattern) = SenderPattern::parse(&text) {
            pattern.matches_email(&email(&from));
            pattern.matches_sms(&text);
            prop_assert_eq!(SenderPattern::parse(&pattern.text()).unwrap(), pattern);
        }
    }

    #[test]
    fn agrees_with_trying_everything(pattern in "[ab*?]{1,12}", local in "[ab]{1,12}") {
        prop_assert_eq!(
            matches(&format!("{pattern}@acme.com"), &format!("{local}@acme.com")),
            slowly(pattern.as_bytes(), local.as_bytes())
        );
    }

    /// Whatever a pattern takes in belongs to one owner.
    #[test]
    fn never_crosses_owners(
        text in "[a*?]{1,3}@(\\*\\.)?([ab*]\\.)?[ab*]\\.(com|co\\.uk|uk|github\\.io|io|ck|test)",
        from in "[a]{1,3}@([ab]\\.){0,3}(com|co\\.uk|uk|github\\.io|io|ck|test)",
    ) {
        let (Ok(pattern), Ok(from)) = (SenderPattern::parse(&text), Email::parse(&from)) else { return Ok(()) };
        if pattern.matches_email(&from) {
            let named = pattern.domain().unwrap();
            prop_assert!(named == from.domain() || registrable(named).is_some() && registrable(named) == registrable(from.domain()));
        }
    }

    #[test]
    fn only_one_owner_vouches(
        from in "([ab]\\.){1,3}(com|co\\.uk|uk|github\\.io|io|ck|amazonaws\\.com|s3\\.amazonaws\\.com)",
        d in "([ab]\\.){0,3}(com|co\\.uk|uk|github\\.io|io|ck|amazonaws\\.com|s3\\.amazonaws\\.com)",
    ) {
        let below = from.ends_with(&format!(".{d}")) && registrable(&from).is_some() && registrable(&d) == registrable(&from);
        prop_assert_eq!(is_aligned(&from, &d), d.contains('.') && from == d || below);
    }
}
