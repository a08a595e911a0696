//! What is read of a message, and what is too much to be read.

use doorcode_core::{Secret, Timestamp};

use crate::capture::Unreadable;
use crate::capture::message::{Parsed, parse};

fn read(raw: &str) -> Parsed {
    parse(raw.as_bytes(), Some(Timestamp::from_millis(5))).unwrap()
}

fn text(secret: Option<&Secret<String>>) -> &str {
    secret.map_or("", |secret| secret.expose().trim())
}

#[test]
fn the_headers_that_count_are_read() {
    let parsed = read(
        "From: =?utf-8?q?B=C3=BCcher?= <a@x.org>\r\nSender: s@x.org\r\nReply-To: Us: r@x.org, q@x.org;\r\nTo: t@x.org, u@x.org\r\n\
         Cc: c@x.org\r\nSubject: =?utf-8?b?Q29kZSA0ODI5MTM=?=\r\nDate: Thu, 26 Nov 2026 18:49:21 +0100\r\n\
         Message-ID: <1@x.org>\r\nlist-id: <l.x.org>\r\nSubject: two\r\n\r\nHello\r\n",
    );
    let all = |list: &[crate::capture::message::Mailbox]| {
        list.iter().map(|one| one.address.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(parsed.from[0].name.as_deref(), Some("Bücher"));
    let lists = [&parsed.from, &parsed.sender, &parsed.reply_to, &parsed.to, &parsed.cc].map(|list| all(list));
    assert_eq!(lists, ["a@x.org", "s@x.org", "r@x.org q@x.org", "t@x.org u@x.org", "c@x.org"]);
    assert_eq!(parsed.date.unwrap().to_string(), "2026-11-26T17:49:21.000Z");
    assert_eq!((parsed.message_id.as_deref(), parsed.has_list_id), (Some("1@x.org"), true));
    assert_eq!((parsed.arrived, parsed.repeated.as_slice()), (Some(Timestamp::from_millis(5)), &["Subject"][..]));
    assert_eq!(text(parsed.text.as_ref()), "Hello");
    assert!(["Code 482913", "two"].contains(&text(parsed.subject.as_ref())));
}

#[test]
fn texts_are_decoded_and_attachments_left_alone() {
    let parsed = read(
        "From: a@x.org\r\nContent-Type: multipart/mixed; boundary=\"o o\"\r\n\r\npreamble 111111\r\n--o o\r\n\
         Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\nSchl=FCssel 482=\r\n913\r\n--i\r\nContent-Type: TEXT/HTML; charset=utf-8\r\n\
         Content-Transfer-Encoding: BASE64\r\n\r\nPHA+NDgyOTEz\r\nPC9wPg==\r\n--i--\r\n--o o\r\nContent-Type: text/plain\r\n\
         Content-Disposition: attachment; filename=a.txt\r\n\r\n222222\r\n--o o\r\nContent-Type: message/rfc822\r\n\r\n\
         Subject: inner\r\n\r\n333333\r\n--o o\r\n\r\nSecond 444444\r\n--o o--\r\nepilogue 555555\r\n",
    );
    assert_eq!(text(parsed.text.as_ref()), "Schlüssel 482913\r\n\nSecond 444444");
    assert_eq!(text(parsed.html.as_ref()), "<p>482913</p>");
}

#[test]
fn plain_and_broken_mail_is_read_as_far_as_it_goes() {
    assert_eq!(text(read("Subject: x\r\n\r\n482913").text.as_ref()), "482913");
    assert!(read("Subject: x\r\n").text.is_none() && read("").text.is_none());
    let html = read("Content-Type: text/html\r\n\r\n<b>482913</b>");
    assert!(html.text.is_none() && text(html.html.as_ref()) == "<b>482913</b>");
    let open = read("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n482913\r\n");
    assert_eq!(text(open.text.as_ref()), "482913");
    let digest = read("Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: y\r\n\r\n482913\r\n--b--");
    assert!(digest.text.is_none());
}

#[test]
fn bombs_do_not_go_off() {
    let refused = |raw: &str| parse(raw.as_bytes(), None).err();
    let parts = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\n\r\n".repeat(100_000));
    assert_eq!(refused(&parts), Some(Unreadable::TooManyParts));
    let inner = format!("Content-Type: multipart/mixed; boundary=i\r\n\r\n{}--i--\r\n", "--i\r\n\r\nx\r\n".repeat(10));
    let many = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", format!("--b\r\n{inner}").repeat(10));
    assert_eq!(refused(&many), Some(Unreadable::TooManyParts), "few of each, and too many together");
    let deep: String = (0..10_000)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"))
        .collect();
    assert_eq!(refused(&deep), Some(Unreadable::TooDeep));
    let messages = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
    assert_eq!(refused(&messages), None, "messages in messages are not opened");
    // What the library would look through to its end, at each of thousands of places.
    for name in ["Subject", "From", "To", "X-Other"] {
        let words = |many| format!("{name}: {}\r\n\r\n482913", "=?aa?q?\r\n ".repeat(many));
        assert_eq!(refused(&words(257)), Some(Unreadable::TooManyHeaders), "{name}");
        assert_eq!(refused(&words(256)), None, "{name}");
    }
    let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
    let part = |name: &str, value: &str| format!("{head}{name}: {value}\r\n\r\n482913\r\n--b--");
    assert_eq!(refused(&part("Content-Description", &"=?aa?q?".repeat(33))), Some(Unreadable::TooManyHeaders));
    assert_eq!(refused(&part("Content-Description", &"=?aa?q?".repeat(32))), None);
    let parameters = |many| "text/plain".to_owned() + &"; a*1=b".repeat(many);
    assert_eq!(refused(&part("Content-Type", &parameters(65))), Some(Unreadable::TooManyHeaders));
    assert_eq!(refused(&part("Content-Type", &parameters(64))), None);
    assert_eq!(refused(&format!("DKIM2-Signature: {}\r\n\r\n", "a=b;".repeat(65))), Some(Unreadable::TooManyHeaders));
    assert_eq!(refused(&format!("Subject: {}\r\n\r\n", "x".repeat(33_000))), Some(Unreadable::TooManyHeaders));
    assert_eq!(refused(&"A: b\r\n".repeat(1_000_000)), Some(Unreadable::TooManyHeaders));
    assert_eq!(refused(&"x".repeat(10_000_000)), Some(Unreadable::TooManyHeaders));
    assert_eq!(refused(&format!("{head}{}", "A: b\r\n".repeat(100_000))), Some(Unreadable::TooManyHeaders));
    let long = "x".repeat(600 * 1024);
    assert_eq!(refused(&format!("Subject: x\r\n\r\n{long}")), None);
    assert_eq!(refused(&format!("Subject: x\r\n\r\n{long}{long}")), Some(Unreadable::TooMuchText));
    let two = format!("{head}\r\n{long}\r\n--b\r\nContent-Type: text/html\r\n\r\n{long}");
    assert_eq!(refused(&two), Some(Unreadable::TooMuchText));
    let attached = format!("{head}Content-Type: application/pdf\r\n\r\n{long}{long}{long}{long}{long}{long}{long}");
    assert_eq!(refused(&attached), None);
}

/// Bits of messages, to be put together without sense.
const BITS: &[&str] = &[
    "From: a@x.org",
    "From: <",
    "To: \"",
    "Subject: =?utf-8?b?",
    "Date: 1 Jan",
    "Content-Type: multipart/mixed; boundary=b",
    "Content-Type: text/html; charset=utf-16",
    "Content-Type: message/rfc822",
    "Content-Transfer-Encoding: base64",
    "Content-Transfer-Encoding: quoted-printable",
    "DKIM-Signature: v=1; d=x.org; s=s; h=from; bh=AA==; b=AA==",
    "ARC-Seal: i=1; cv=none; d=x.org; s=s; b=AA==",
    "ARC-Authentication-Results: i=1; mx; dkim=pass header.d=\"",
    "--b",
    "--b--",
    "=4",
    "@x.org #1",
    " folded",
    ":",
    "",
    "\r\n",
    "\r",
    "\n",
    "\0",
    "é",
];

proptest::proptest! {
    #[test]
    fn nothing_that_arrives_breaks_the_reader(
        bits in proptest::collection::vec((0..BITS.len(), proptest::bool::ANY), 0..40),
        noise in proptest::collection::vec(proptest::num::u8::ANY, 0..20),
    ) {
        let mut raw = Vec::new();
        for (bit, ends) in bits {
            raw.extend(BITS[bit].as_bytes());
            raw.extend(if ends { b"\r\n".as_slice() } else { b"" });
        }
        raw.extend(noise);
        if let Ok(parsed) = parse(&raw, None) {
            drop(crate::capture::origin::domains_of(&parsed, &raw, |_| false));
            drop(mail_auth::AuthenticatedMessage::parse(&raw));
        }
    }
}
