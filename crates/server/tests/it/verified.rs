//! Who really sent a forwarded mail, from the connection that it came over to the eyes of its reader: each way in which mail is signed, or is
//! not, in the record, in what the API says to the person and to the agent, and on the card while it waits and when it is over.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::time::Duration;

use axum::http::Method;
use doorcode::capture::inbound::Patience;
use doorcode::store::relays;
use doorcode_core::RelayId;
use doorcode_core::relay::Named as _;
use mail_auth::common::headers::HeaderWriter as _;
use mail_auth::hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, AuthenticationResults, MessageAuthenticator, arc};
use serde_json::{Value, json};

use crate::approvals::{HOME, person};
use crate::browser::Browser;
use crate::inbound::{ACME, House, by, house_of, key, mail_date, published};
use crate::waiting::ADA;

const SAW: &str = "dkim=pass header.d=acme.com header.s=ed";
const VERIFIED: &str = "Sender verified: <bdi dir=\"ltr\">acme.com</bdi>";
const NOT_VERIFIED: &str = "Sender not verified";
const BY_FORWARDER: &str = "On the word of the forwarder: <bdi dir=\"ltr\">fwd.com</bdi>";
const AWAY_UNVERIFIED: &str = "A message came whose sender nobody vouches for";
const AWAY_FORGED: &str = "A message came with a false signature";
const EVERYTHING: [&str; 5] = [VERIFIED, NOT_VERIFIED, BY_FORWARDER, AWAY_UNVERIFIED, AWAY_FORGED];

/// A house that believes the seal of one forwarder, and lets an agent ask often.
async fn house() -> House {
    let more = [
        ("DOORCODE_CAPTURE__FORWARDERS", "fwd.com"),
        ("DOORCODE_RELAY__AGENT_MINUTE", "1000"),
        ("DOORCODE_RELAY__OWNER_MINUTE", "1000"),
    ];
    let names = ["other-fwd.com", "evil.com", "mail.acme.com"].map(|domain| format!("ed._domainkey.{domain}"));
    let names: Vec<_> = names.iter().map(|name| (name.as_str(), published())).collect();
    house_of(Patience::default(), &more, &names).await
}

/// What is to be seen of a mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seen {
    Verified,
    Forwarded,
    Unverified,
    Forged,
    /// It is for no request.
    Nothing,
}

impl Seen {
    fn on_the_card(self) -> &'static [&'static str] {
        match self {
            Self::Verified => &[VERIFIED],
            Self::Forwarded => &[VERIFIED, BY_FORWARDER],
            Self::Unverified => &[AWAY_UNVERIFIED],
            Self::Forged => &[AWAY_FORGED],
            Self::Nothing => &[],
        }
    }

    fn came(self) -> bool {
        matches!(self, Self::Verified | Self::Forwarded)
    }
}

/// The message with a forwarder's seal above it, over what it says that it saw.
async fn sealed(house: &House, raw: &str, forwarder: &str, saw: &str) -> String {
    let name = format!("mx.{forwarder}; {saw}");
    let results = AuthenticationResults::new(&name);
    let before = AuthenticatedMessage::parse(raw.as_bytes()).unwrap();
    let at = house.names.at;
    let mut way = ConnectionConfig::udp();
    way.port = at.port();
    let server = NameServerConfig::new(at.ip(), true, vec![way]);
    let resolver = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let chain = MessageAuthenticator::new(resolver, ResolverOpts::default()).unwrap().verify_arc(&before).await;
    let headers = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"];
    let sealer = arc::ArcSealer::from_key(key()).domain(forwarder).selector("ed").headers(headers);
    sealer.seal(&before, &results, &chain).unwrap().to_header() + raw
}

/// A mail of Acme's. Each is another one: by its number.
fn mail(house: &House, number: usize) -> String {
    house.mail("no-reply@acme.com", &format!("Your code is {}.\r\n{}", 482_000 + number, "-".repeat(number)))
}

/// As a forwarder leaves it: with a line at the end that breaks the signature.
fn changed(raw: &str) -> String {
    format!("{raw}-- \r\nforwarded for you\r\n")
}

/// Every way in which a mail of Acme's is signed or not, and what is to be seen of it.
async fn mails(house: &House) -> Vec<(&'static str, String, Seen)> {
    let mut mails = Vec::new();
    let mut number = 0;
    let mut next = || {
        number += 1;
        mail(house, number)
    };
    let signed = by("acme.com", &next());
    mails.push(("signed by its sender", signed, Seen::Verified));
    let below = house.mail("no-reply@mail.acme.com", "Your code is 482999.");
    mails.push(("signed by the domain above", by("acme.com", &below), Seen::Verified));
    mails.push(("signed by nobody", next(), Seen::Unverified));
    mails.push(("signed by somebody else", by("evil.com", &next()), Seen::Unverified));
    mails.push(("signed by a domain below", by("mail.acme.com", &next()), Seen::Unverified));
    mails.push(("changed on its way", by("acme.com", &next()).replace("Your code is", "Our code is"), Seen::Forged));
    mails.push(("another sender put in", by("acme.com", &next()).replace("no-reply@", "x@"), Seen::Forged));
    let forwarded = changed(&by("acme.com", &next()));
    mails.push(("forwarded without a seal", forwarded, Seen::Forged));
    let forwarded = changed(&by("acme.com", &next()));
    mails.push(("sealed by the trusted one", sealed(house, &forwarded, "fwd.com", SAW).await, Seen::Forwarded));
    let forwarded = sealed(house, &changed(&by("acme.com", &next())), "other-fwd.com", SAW).await;
    mails.push(("the trusted one behind another", sealed(house, &forwarded, "fwd.com", SAW).await, Seen::Forwarded));
    let forwarded = sealed(house, &changed(&by("acme.com", &next())), "other-fwd.com", SAW).await;
    mails.push(("sealed by one that is not trusted", forwarded, Seen::Forged));
    mails.push(("the same without a signature", sealed(house, &next(), "other-fwd.com", SAW).await, Seen::Unverified));
    let first = sealed(house, &next(), "fwd.com", SAW).await;
    mails.push(("the trusted one not last", sealed(house, &first, "other-fwd.com", SAW).await, Seen::Unverified));
    let saw = "dkim=fail header.d=acme.com; spf=pass smtp.mailfrom=acme.com; dmarc=pass header.from=acme.com";
    mails.push(("the trusted one saw no pass", sealed(house, &next(), "fwd.com", saw).await, Seen::Unverified));
    let saw = "dkim=pass header.d=evil.com";
    mails.push(("the trusted one saw another's", sealed(house, &next(), "fwd.com", saw).await, Seen::Unverified));
    let broken = sealed(house, &next(), "fwd.com", SAW).await.replace("Your code is", "Our code is");
    mails.push(("changed behind the seal", broken, Seen::Unverified));
    let elsewhere = by("acme.com", &next().replace(ADA, "eve@evil.com"));
    mails.push(("for somebody else, sent on to her", elsewhere, Seen::Unverified));
    let dated = next();
    let (date, _) = dated.split_once("Date: ").unwrap().1.split_once("\r\n").unwrap();
    let before = mail_date(house.scene.app.now().millis() / 1000 - 3600);
    mails.push(("written before she was asked", by("acme.com", &dated.replace(date, &before)), Seen::Unverified));
    let two = format!("From: Acme <no-reply@acme.com>, Eve <eve@evil.com>\r\n{}", next().split_once("\r\n").unwrap().1);
    mails.push(("of two senders", by("acme.com", &two), Seen::Nothing));
    let listed = sealed(house, &format!("List-Id: <l.fwd.com>\r\n{}", next()), "fwd.com", SAW).await;
    mails.push(("through a mailing list", listed, Seen::Unverified));
    mails
}

/// The card of a request, as it is on the page now.
async fn card(browser: &mut Browser<'_>, id: &str) -> String {
    browser.go("/approvals").await;
    let page = browser.page.text();
    let (_, behind) = page.split_once(&format!("data-card=\"{id}\"")).unwrap_or_else(|| panic!("no card: {page}"));
    behind.split_once("</article>").unwrap().0.to_owned()
}

/// The newest row of what is over.
async fn newest(browser: &mut Browser<'_>) -> String {
    browser.go("/approvals").await;
    let page = browser.page.text();
    let (_, history) = page.split_once("<tbody role=\"rowgroup\">").unwrap();
    history.split_once("</tr>").unwrap().0.to_owned()
}

#[track_caller]
fn shows(name: &str, html: &str, wanted: &[&str]) {
    for text in EVERYTHING {
        assert_eq!(html.contains(text), wanted.contains(&text), "{name}: {text}\n{html}");
    }
}

/// The newest entry of Ada's record about a request.
async fn entry(house: &House, id: &str) -> Value {
    let found = house.scene.ada().get(&format!("/v1/audit?limit=1&requestId={id}")).await.json();
    found["data"][0].clone()
}

async fn owners_view(house: &House, id: &str) -> Value {
    house.scene.ada().get(&format!("/v1/otp/{id}")).await.json()
}

async fn cancel(house: &House, id: &str) {
    let answer = house.scene.agent().send(Method::DELETE, &format!("/v1/otp/{id}"), "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn each_way_of_signing_shows_in_the_record_the_api_and_on_the_card() {
    let house = house().await;
    let mut browser = person(&house.scene.app, HOME, ADA, "/approvals").await;
    for (name, raw, seen) in mails(&house).await {
        let pattern = if raw.contains("@mail.acme.com>") { "*@mail.acme.com" } else { ACME };
        // Another moment, so that the newest is the newest.
        house.scene.app.advance(Duration::from_millis(5));
        let id = house.scene.waits("email", pattern).await;
        assert!(house.send(&house.to, &raw).await.starts_with("250"), "{name}");
        shows(name, &card(&mut browser, &id).await, seen_of(seen, pattern).as_slice());
        let (record, theirs, agents) =
            (entry(&house, &id).await, owners_view(&house, &id).await, house.scene.status(&id).await);
        let forwarder = if seen == Seen::Forwarded { json!("fwd.com") } else { Value::Null };
        let said = record["details"].to_string();
        assert!(!said.contains("482") && !said.contains("no-reply"), "{name}: nothing of the mail: {said}");
        if seen.came() {
            let domain = pattern.trim_start_matches("*@");
            assert_eq!(
                (&record["eventType"], &record["details"]["verdict"]),
                (&json!("otp_receive"), &json!("verified")),
                "{name}"
            );
            assert_eq!(record["details"]["forwarder"], forwarder, "{name}");
            let metadata = &theirs["metadata"];
            assert_eq!((&metadata["verdict"], &metadata["sender"]), (&json!("verified"), &json!(domain)), "{name}");
            assert_eq!((&metadata["forwarder"], &theirs["turnedAway"]), (&forwarder, &json!([])), "{name}");
            assert_eq!(agents["metadata"]["verdict"], "verified", "{name}");
            house.scene.code(&id, domain).await;
        } else if seen == Seen::Nothing {
            assert_eq!((&theirs["status"], &theirs["turnedAway"]), (&json!("approved"), &json!([])), "{name}");
            cancel(&house, &id).await;
        } else {
            let verdict = if seen == Seen::Forged { "forged" } else { "unverified" };
            assert_eq!(
                (&record["eventType"], &record["details"]["verdict"]),
                (&json!("otp_turn_away"), &json!(verdict)),
                "{name}"
            );
            assert!(record["details"]["why"].as_str().is_some_and(|why| why.len() > 5), "{name}: {record}");
            assert_eq!((&theirs["status"], &theirs["turnedAway"]), (&json!("approved"), &json!([verdict])), "{name}");
            assert_eq!(agents["status"], "approved", "{name}");
            cancel(&house, &id).await;
        }
        // That a mail was turned away, and through whom one came, is its owner's to know.
        for unsaid in ["turnedAway", "fwd.com", "spf", "forwarder"] {
            assert!(!agents.to_string().contains(unsaid), "{name}: {agents}");
        }
        shows(name, &newest(&mut browser).await, seen_of(seen, pattern).as_slice());
    }
}

/// The texts of a card; of a domain below, another name stands there.
fn seen_of(seen: Seen, pattern: &str) -> Vec<&'static str> {
    let below = pattern != ACME;
    seen.on_the_card().iter().copied().filter(|text| !below || *text != VERIFIED).collect()
}

#[tokio::test]
async fn mail_that_nobody_vouches_for_is_taken_where_the_person_says_so_and_shown_as_such() {
    let house = house().await;
    let mut browser = person(&house.scene.app, HOME, ADA, "/approvals").await;
    let id = house.scene.waits("email", ACME).await;
    let (relay, now) = (RelayId::read(&id).unwrap(), house.scene.app.now());
    let unit = house
        .scene
        .app
        .app
        .db
        .write(move |tx| Box::pin(async move { relays::let_unverified(tx, &relay, true, now).await }));
    assert!(unit.await.unwrap());
    let forged = by("acme.com", &mail(&house, 1)).replace("Your code is", "Our code is");
    assert!(house.send(&house.to, &forged).await.starts_with("250"));
    assert_eq!(house.scene.state(&id).await, "approved", "forged mail is no unverified mail");
    shows("forged", &card(&mut browser, &id).await, &[AWAY_FORGED]);
    assert!(house.send(&house.to, &mail(&house, 2)).await.starts_with("250"));
    shows("unverified", &card(&mut browser, &id).await, &[NOT_VERIFIED, AWAY_FORGED]);
    let status = house.scene.status(&id).await;
    assert_eq!((&status["metadata"]["verdict"], &status["metadata"]["sender"]), (&json!("unverified"), &Value::Null));
    assert_eq!(house.scene.code(&id, "").await, "482002");
    shows("over", &newest(&mut browser).await, &[NOT_VERIFIED, AWAY_FORGED]);
}

#[tokio::test]
async fn a_code_that_is_held_is_shown_with_its_sender_before_the_person_decides() {
    let house = house().await;
    let mut browser = person(&house.scene.app, HOME, ADA, "/approvals").await;
    let id = house.scene.waits("email", ACME).await;
    let before = browser.page.text();
    let raw = changed(&by("acme.com", &house.mail("no-reply@acme.com", "Use 482913 to reset your password.")));
    assert!(house.send(&house.to, &sealed(&house, &raw, "fwd.com", SAW).await).await.starts_with("250"));
    let card = card(&mut browser, &id).await;
    shows("held", &card, &[VERIFIED, BY_FORWARDER]);
    assert!(card.contains("Approve once more") && card.contains("/approvals/approve"), "{card}");
    let mark = |page: &str| page.split_once("data-mark=\"").unwrap().1.split('"').next().unwrap().to_owned();
    assert_ne!(mark(&before), mark(&browser.page.text()), "who looks at the page is told");
}

#[tokio::test]
async fn a_forwarder_that_is_on_the_list_itself_carries_the_mail_of_others_and_none_of_its_own() {
    let names = ["google.com", "accounts.google.com"].map(|domain| format!("ed._domainkey.{domain}"));
    let names: Vec<_> = names.iter().map(|name| (name.as_str(), published())).collect();
    let house = house_of(Patience::default(), &[("DOORCODE_CAPTURE__FORWARDERS", "google.com")], &names).await;
    let (acme, own) =
        (house.scene.waits("email", ACME).await, house.scene.waits("email", "*@accounts.google.com").await);
    let raw = house.mail("no-reply@accounts.google.com", "G-482914 is your verification code.");
    for raw in [by("accounts.google.com", &raw), sealed(&house, &by("google.com", &raw), "google.com", SAW).await] {
        assert!(house.send(&house.to, &raw).await.starts_with("250"));
        let theirs = owners_view(&house, &own).await;
        assert_eq!((&theirs["status"], &theirs["turnedAway"]), (&json!("approved"), &json!([])), "its own");
    }
    let raw = changed(&by("acme.com", &mail(&house, 1)));
    assert!(house.send(&house.to, &sealed(&house, &raw, "google.com", SAW).await).await.starts_with("250"));
    assert_eq!(owners_view(&house, &acme).await["metadata"]["forwarder"], "google.com");
    assert_eq!(house.scene.code(&acme, "acme.com").await, "482001");
}

#[tokio::test]
async fn a_flood_of_forged_mail_is_noted_once_and_says_so_live() {
    let house = house().await;
    let mut browser = person(&house.scene.app, HOME, ADA, "/approvals").await;
    let (one, other) = (house.scene.waits("email", ACME).await, house.scene.waits("email", "*@else.example").await);
    browser.go("/approvals").await;
    let mark = |browser: &Browser<'_>| browser.page.text().split_once("data-mark=\"").unwrap().1[..32].to_owned();
    let before = mark(&browser);
    let entries = || house.scene.app.number("SELECT count(*) FROM audit");
    let count = entries();
    for number in 0..20 {
        let forged = by("acme.com", &mail(&house, number)).replace("Your code is", "Our code is");
        house.send(&house.to, &forged).await;
        house.send(&house.to, &mail(&house, number)).await;
    }
    assert_eq!(entries(), count + 2, "the first forged and the first unverified one");
    shows("both", &card(&mut browser, &one).await, &[AWAY_UNVERIFIED, AWAY_FORGED]);
    shows("of another sender", &card(&mut browser, &other).await, &[]);
    assert_ne!(mark(&browser), before, "who looks at the page is told");
    assert_eq!(owners_view(&house, &one).await["turnedAway"], json!(["unverified", "forged"]));
    assert_eq!(owners_view(&house, &other).await["turnedAway"], json!([]));
}
