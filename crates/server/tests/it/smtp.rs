//! Mail against a real mail server: TLS, sign-in, what counts as a failure of which kind, and what arrives.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::HashSet;
use std::time::Duration;

use doorcode::deliver::failure::{Failure, Kind};
use doorcode::deliver::message::Message;
use doorcode::deliver::render::{CodeMail, code_mail};
use doorcode::deliver::smtp::{Security, Smtp, SmtpSettings};
use doorcode::deliver::texts::choose;
use doorcode_core::Secret;
use mail_parser::{HeaderName, MessageParser, MimeHeaders, PartType};

use crate::smtp_server::{MailServer, PASSWORD, USER};

/// Ten letters, which are in no other place by chance.
const CODE: &str = "KWXJQZPVGT";
const AT_MS: i64 = 1_795_334_868_123;

fn mail_from(product: &str, to: &str) -> Message {
    code_mail(CodeMail {
        to,
        product,
        code: &Secret::new(CODE.to_owned()),
        shown: &Secret::new(CODE.to_owned()),
        link: None,
        minutes: 10,
        texts: choose("en"),
        message_id: "<019ab000-0000-7000-8000-000000000001@example.com>".to_owned(),
        stamp: Some("c3RhbXA".to_owned()),
    })
}

fn mail(to: &str) -> Message {
    mail_from("Example", to)
}

fn smtp(server: &MailServer, change: impl FnOnce(&mut SmtpSettings)) -> Smtp {
    let mut settings = server.settings();
    change(&mut settings);
    Smtp::new(&settings).unwrap()
}

async fn failure(smtp: &Smtp, to: &str) -> Failure {
    let failure = smtp.send(&mail(to), AT_MS).await.unwrap_err();
    assert!(!failure.why.contains('@') && !failure.why.contains(to), "{}", failure.why);
    failure
}

#[tokio::test]
async fn a_mail_arrives_over_tls_signed_in() {
    for server in [MailServer::implicit_tls(), MailServer::starttls()] {
        let smtp = smtp(&server, |_| ());
        smtp.check().await.unwrap();
        assert_eq!(smtp.send(&mail("accept@example.com"), AT_MS).await.unwrap().code, 250);
        smtp.close().await;
        let mails = server.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0]["tls"], true);
        assert_eq!(mails[0]["signed_in"], true);
        assert_eq!(mails[0]["from"], "no-reply@example.com");
        assert_eq!(mails[0]["to"], serde_json::json!(["accept@example.com"]));
    }
}

#[tokio::test]
async fn what_arrives_parses_and_has_the_code_twice() {
    let server = MailServer::implicit_tls();
    let smtp = smtp(&server, |_| ());
    // The second is sent in another transfer encoding, the third in yet another.
    let products = ["Example", "Bücher & Söhne", "二要素認証のための非常に長い名前の製品です"];
    for product in products {
        smtp.send(&mail_from(product, "accept@example.com"), AT_MS).await.unwrap();
    }
    let mails = server.mails();
    assert_eq!(mails.len(), products.len());
    for mail in mails {
        code_is_in_both_parts_only(mail["raw"].as_str().unwrap());
    }
}

fn code_is_in_both_parts_only(raw: &str) {
    let parsed = MessageParser::default().parse(raw.as_bytes()).unwrap();
    let once = [HeaderName::From, HeaderName::To, HeaderName::Subject, HeaderName::Date, HeaderName::MessageId];
    for name in once.into_iter().chain([HeaderName::MimeVersion, HeaderName::ContentType]) {
        assert_eq!(parsed.headers().iter().filter(|header| header.name == name).count(), 1, "{name:?}\n{raw}");
    }
    assert_eq!(parsed.date().unwrap().to_rfc3339(), "2026-11-22T08:07:48Z");
    assert_eq!(parsed.message_id(), Some("019ab000-0000-7000-8000-000000000001@example.com"));
    assert_eq!(parsed.header_raw("Auto-Submitted").map(str::trim), Some("auto-generated"));
    assert_eq!(parsed.header_raw("Content-Language").map(str::trim), Some("en"));
    assert_eq!(parsed.header_raw("X-Doorcode-Stamp").map(str::trim), Some("c3RhbXA"));
    assert!(parsed.header("List-Unsubscribe").is_none() && !parsed.subject().unwrap().contains(CODE));

    let bodies: Vec<_> = parsed.parts.iter().filter(|part| !part.is_multipart()).collect();
    assert_eq!(bodies.len(), 2);
    assert!(matches!(&bodies[0].body, PartType::Text(text) if text.matches(CODE).count() == 1
        && text.lines().any(|line| line == CODE)));
    assert!(matches!(&bodies[1].body, PartType::Html(html) if html.matches(CODE).count() == 1));
    assert_eq!(bodies[1].content_type().unwrap().subtype(), Some("html"));
    // What is left without the bodies: all headers, of the mail and of its parts, and the boundaries.
    let mut rest = raw.to_owned();
    for part in bodies.iter().rev() {
        rest.replace_range(part.offset_body as usize..part.offset_end as usize, "");
    }
    assert!(rest.contains("X-Doorcode-Stamp") && rest.contains("Content-Transfer-Encoding"));
    assert!(!rest.contains(CODE) && !rest.to_lowercase().contains(&CODE.to_lowercase()), "{rest}");
}

#[tokio::test]
async fn a_wrong_password_is_the_operators_mistake() {
    for server in [MailServer::implicit_tls(), MailServer::starttls()] {
        let smtp = smtp(&server, |s| s.password = Some(Secret::new("wrong".to_owned())));
        for failure in [failure(&smtp, "accept@example.com").await, smtp.check().await.unwrap_err()] {
            assert_eq!((failure.kind, failure.code), (Kind::Temporary, Some(535)));
            assert!(failure.why.contains("check mail.username and mail.password"), "{}", failure.why);
            assert!(!failure.why.contains("wrong") && !failure.why.contains(PASSWORD) && !failure.why.contains(USER));
        }
        assert!(server.mails().is_empty());
    }
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_for_this_host() {
    for server in [MailServer::implicit_tls(), MailServer::starttls()] {
        let untrusted = smtp(&server, |s| s.ca_file = None);
        let elsewhere = smtp(&server, |s| s.host = "127.0.0.1".to_owned());
        for smtp in [untrusted, elsewhere] {
            let failure = failure(&smtp, "accept@example.com").await;
            assert_eq!((failure.kind, failure.code), (Kind::Temporary, None));
            assert!(failure.why.contains("certificate is not trusted"), "{}", failure.why);
        }
        assert!(server.mails().is_empty());
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_sent() {
    let server = MailServer::start("plain", &[]);
    let smtp = smtp(&server, |s| s.security = Security::StartTls);
    let failure = failure(&smtp, "accept@example.com").await;
    assert_eq!(failure.kind, Kind::Temporary);
    assert!(failure.why.contains("offers no STARTTLS"), "{}", failure.why);
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn a_reply_slipped_in_before_tls_is_not_taken_for_the_servers() {
    let server = MailServer::start("starttls", &["--user", USER, "--password", PASSWORD, "--inject"]);
    let failure = failure(&smtp(&server, |_| ()), "accept@example.com").await;
    assert_eq!((failure.kind, failure.code), (Kind::Temporary, None));
    assert!(failure.why.starts_with("TLS to the mail server failed"), "{}", failure.why);
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn a_server_without_tls_is_none_with_implicit_tls() {
    let server = MailServer::start("plain", &[]);
    let smtp = smtp(&server, |s| s.security = Security::ImplicitTls);
    assert_eq!(failure(&smtp, "accept@example.com").await.kind, Kind::Temporary);
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let server = MailServer::implicit_tls();
    let smtp = smtp(&server, |_| ());
    for (to, kind, code) in [
        ("refuse@example.com", Kind::Refused, Some(550)),
        ("grey@example.com", Kind::Temporary, Some(450)),
        ("busy@example.com", Kind::Temporary, Some(421)),
        ("drop@example.com", Kind::Temporary, None),
        ("spam@example.com", Kind::Permanent, Some(554)),
        ("gone@example.com", Kind::Refused, Some(550)),
        ("lost@example.com", Kind::Temporary, None),
        ("not an address", Kind::Refused, None),
    ] {
        let failure = failure(&smtp, to).await;
        assert_eq!((failure.kind, failure.code), (kind, code), "{to}: {}", failure.why);
        // The connection that is left, or the next one, serves the next mail, and the reply is that mail's own.
        smtp.send(&mail("accept@example.com"), AT_MS).await.unwrap();
    }
    smtp.send(&mail("grey@example.com"), AT_MS).await.unwrap();
    assert_eq!(server.mails().iter().filter(|mail| mail["to"][0] == "accept@example.com").count(), 8);
    let stranger = self::smtp(&server, |s| s.from = "stranger@example.com".to_owned());
    assert_eq!(failure(&stranger, "accept@example.com").await.kind, Kind::Permanent);
}

#[tokio::test]
async fn a_slow_server_is_left_in_time_and_its_late_reply_is_nobodys() {
    let server = MailServer::implicit_tls();
    let smtp = smtp(&server, |s| s.timeout = Duration::from_secs(2));
    smtp.send(&mail("accept@example.com"), AT_MS).await.unwrap();
    let failure = failure(&smtp, "slow@example.com").await;
    assert_eq!((failure.kind, failure.code), (Kind::Temporary, None));
    assert!(failure.why.starts_with("timed out"), "{}", failure.why);
    assert_eq!(self::failure(&smtp, "refuse@example.com").await.code, Some(550));
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn nobody_at_the_port_is_temporary() {
    let server = MailServer::start("plain", &[]);
    let smtp = smtp(&server, |_| ());
    drop(server);
    let failure = failure(&smtp, "accept@example.com").await;
    assert_eq!((failure.kind, failure.why.as_str()), (Kind::Temporary, "no connection to the mail server"));
}

#[tokio::test]
async fn connections_are_few_and_used_again() {
    let server = MailServer::implicit_tls();
    let smtp = smtp(&server, |s| s.pool = 2);
    let sends = (0..20).map(|number| {
        let (smtp, to) = (smtp.clone(), format!("accept{number}@example.com"));
        tokio::spawn(async move { smtp.send(&mail(&to), AT_MS).await })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap().unwrap();
    }
    let peers: HashSet<_> = server.mails().iter().map(|mail| mail["peer"].as_u64().unwrap()).collect();
    assert_eq!(server.mails().len(), 20);
    assert!(peers.len() <= 2, "{peers:?}");
    smtp.send(&mail("accept@example.com"), AT_MS + 3_600_000).await.unwrap();
    let last = server.mails()[20]["peer"].as_u64().unwrap();
    assert!(!peers.contains(&last), "an hour later the old connections are not trusted");
}

#[tokio::test]
async fn a_server_that_hung_up_between_two_mails_costs_nothing() {
    let server = MailServer::implicit_tls();
    let smtp = smtp(&server, |_| ());
    for _ in 0..3 {
        smtp.send(&mail("bye@example.com"), AT_MS).await.unwrap();
    }
    assert_eq!(server.mails().len(), 3);
}

#[tokio::test]
async fn an_address_with_other_letters_arrives_where_it_can() {
    let to = "jürgen@xn--bcher-kva.example";
    let server = MailServer::implicit_tls();
    smtp(&server, |_| ()).send(&mail(to), AT_MS).await.unwrap();
    let mails = server.mails();
    assert_eq!(mails[0]["to"][0], to);
    assert_eq!(mails[0]["options"], serde_json::json!(["SMTPUTF8", "BODY=8BITMIME"]));
    code_is_in_both_parts_only(mails[0]["raw"].as_str().unwrap());

    let ascii_only = MailServer::start("plain", &["--no-utf8"]);
    let smtp = smtp(&ascii_only, |_| ());
    assert_eq!(failure(&smtp, to).await.kind, Kind::Refused);
    smtp.send(&mail("accept@example.com"), AT_MS).await.unwrap();
}
