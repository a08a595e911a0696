//! Mail that this server reads for a person: what is held until they say yes once more, and what nobody vouches for until they let it in.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::sync::Arc;

use axum::http::Method;
use doorcode::app::App;
use doorcode::ops::audit::Whose;
use doorcode::ops::devices;
use doorcode::ops::relays::{self, Incoming, Taken};
use doorcode_core::activity::Kind;
use doorcode_core::extract::{Format, Message};
use doorcode_core::relay::fit::{Came, Sender, Worth};
use doorcode_core::relay::{MAIL, Named as _, State, Way};
use doorcode_core::{Email, RelayId};
use serde_json::{Value, json};

use crate::agentotp_cast::{ADA, CODE, Cast, EVE, REQUEST, device, person, wish_with};
use crate::app::{Answer, TestApp, minutes, seconds};
use crate::approvals::{self, press};
use crate::turnkey_cast::{Key, body, organization, result, send, submit_path};

/// A mail of Acme's comes for somebody; `number` tells it from others.
pub(crate) async fn comes(app: &Arc<App>, whose: Whose, text: &str, worth: Worth, number: u8) -> Taken {
    let from = Email::parse("noreply@acme.com").unwrap();
    let came = Came { source: MAIL, sender: Sender::Mail(&from, None), worth, text, at: app.clock.now() };
    let forms = [Message { subject: None, text, format: Format::Text }];
    let sender = (worth == Worth::Verified).then_some("acme.com");
    let incoming = Incoming {
        whose,
        way: Way::Inbound,
        came,
        forms: &forms,
        sender,
        forwarder: None,
        spf: None,
        digests: vec![[number; 16]],
    };
    relays::take(app, &incoming).await.unwrap()
}

const RESET: &str = "Reset your password with the code 771122";

async fn yes(cast: &Cast, key: &str, id: &str, body: Value) -> Answer {
    cast.by(key).post(&format!("/v1/otp/{id}/approve"), body).await
}

fn id_of(text: &str) -> RelayId {
    RelayId::read(text).unwrap()
}

#[tokio::test]
async fn a_message_about_a_new_device_is_held_and_a_sign_in_is_not() {
    for (number, text) in (0..).zip([
        "New device: 482913 is your login code",
        "482913 is your code. A sign-in from an unrecognized device was tried",
    ]) {
        let cast = Cast::new().await;
        let id = cast.approved().await;
        let taken = comes(&cast.app.app, cast.whose, text, Worth::Verified, number).await;
        assert_eq!(taken, Taken::Held(id_of(&id)), "{text}");
        assert_eq!(cast.status(&id).await["status"], "approved", "{text}");
        assert_eq!(cast.app.folder.text("SELECT held FROM relays"), "device");
        assert_eq!(cast.consume(&id).await.status, 409, "the agent has nothing to read");
        assert_eq!(yes(&cast, &cast.ada, &id, json!({ "about": "device" })).await.status, 200);
        assert_eq!(cast.consume(&id).await.status, 200, "her second yes lets it go");
    }
    let cast = Cast::new().await;
    let id = cast.approved().await;
    let taken = comes(&cast.app.app, cast.whose, "482913 is your login code", Worth::Verified, 9).await;
    assert_eq!(taken, Taken::Given(id_of(&id)));
}

#[tokio::test]
async fn a_yes_lets_a_held_code_go_only_by_what_it_is_about() {
    let cast = Cast::new().await;
    let (phone_id, phone) = device(&cast.app, cast.whose, "phone").await;
    let token = devices::offer(&cast.app.app, cast.whose).await.unwrap();
    let link = json!({ "deviceId": phone_id.shown(), "linkToken": token.expose() });
    assert_eq!(cast.by(&phone).post("/v1/devices/link", link).await.status, 200);
    let id = cast.ask().await;
    let early = yes(&cast, &cast.ada, &id, json!({ "about": "reset" })).await;
    assert_eq!((early.status, &early.json()["code"]), (409, &json!("CONFLICT")), "nothing is held: {}", early.text());
    assert_eq!(cast.status(&id).await["status"], "pending_approval");
    assert_eq!(yes(&cast, &phone, &id, json!({})).await.status, 200);
    let none = yes(&cast, &cast.ada, &id, json!({ "about": "reset" })).await;
    assert_eq!((none.status, &none.json()["code"]), (409, &json!("CONFLICT")), "nor now: {}", none.text());
    let taken = comes(&cast.app.app, cast.whose, RESET, Worth::Verified, 1).await;
    assert_eq!(taken, Taken::Held(id_of(&id)));
    for key in [&cast.ada, &phone] {
        for body in [
            json!({}),
            json!({ "confirm": true }),
            json!({ "about": null }),
            json!({ "about": "" }),
            json!({ "about": "device" }),
            json!({ "about": "reset\u{0}" }),
            json!({ "confirm": true, "about": "payment" }),
        ] {
            let again = yes(&cast, key, &id, body.clone()).await;
            let said = again.json();
            let members = ["code", "status", "about", "id"].map(|name| said[name].as_str().unwrap_or_default());
            assert_eq!(again.status, 409, "{body}: {said}");
            assert_eq!(members, ["CONFIRMATION_REQUIRED", "approved", "reset", id.as_str()], "{body}");
            cast.app.advance(seconds(1));
        }
    }
    assert_eq!((cast.consume(&id).await.status, &cast.status(&id).await["status"]), (409, &json!("approved")));
    let gone = yes(&cast, &phone, &id, json!({ "about": "reset" })).await;
    assert_eq!((gone.status, &gone.json()["status"]), (200, &json!("approved")), "{}", gone.text());
    let late = yes(&cast, &cast.ada, &id, json!({ "about": "reset" })).await;
    assert_eq!((late.status, &late.json()["code"], &late.json()["about"]), (409, &json!("CONFLICT"), &Value::Null));
    assert_eq!(cast.consume(&id).await.status, 200);
}

#[tokio::test]
async fn an_agent_is_told_nothing_of_a_code_before_its_owner_let_it_go() {
    const TOLD: [&str; 5] = ["metadata", "source", "sender", "receivedAt", "received_at"];
    let cast = Cast::new().await;
    let owners = async |id: &str| cast.by(&cast.ada).get(&format!("/v1/otp/{id}")).await.json();
    let told = async |id: &str| {
        let seen = cast.status(id).await;
        TOLD.iter().filter(|name| seen.get(**name).is_some()).count()
    };
    let mut ids = Vec::new();
    for number in 0..4 {
        let id = cast.approved().await;
        let waits = (cast.status(&id).await, cast.app.now());
        assert_eq!(comes(&cast.app.app, cast.whose, RESET, Worth::Verified, number).await, Taken::Held(id_of(&id)));
        assert_eq!((&cast.status(&id).await, cast.app.now()), (&waits.0, waits.1), "as if none had come");
        let seen = owners(&id).await;
        assert!(TOLD.iter().all(|name| seen.get(*name).is_some()), "{seen}");
        assert_eq!((&seen["held"], &seen["metadata"]["sender"]), (&json!("reset"), &json!("acme.com")));
        ids.push(id);
    }
    assert_eq!(cast.by(&cast.ada).post(&format!("/v1/otp/{}/deny", ids[0]), json!({})).await.status, 200);
    assert_eq!(cast.by(&cast.key).send(Method::DELETE, &format!("/v1/otp/{}", ids[1]), "").await.status, 200);
    assert_eq!(yes(&cast, &cast.ada, &ids[2], json!({ "about": "reset" })).await.status, 200);
    assert_eq!(told(&ids[2]).await, TOLD.len(), "it is the agent's now");
    cast.app.advance(minutes(6));
    for id in [&ids[0], &ids[1], &ids[3]] {
        let state = cast.status(id).await["status"].clone();
        assert_eq!(told(id).await, 0, "{state}");
        assert_eq!(owners(id).await["metadata"]["sender"], "acme.com", "{state}");
    }
}

#[tokio::test]
async fn the_page_lets_a_held_code_go_only_from_a_card_that_showed_what_it_is_about() {
    let app = TestApp::new().await;
    let (mut browser, owner, bot) = approvals::with_bot(&app).await;
    let id = approvals::ask(&app, &bot, Some("*@acme.com")).await.id;
    browser.go("/approvals").await;
    let named = ("id".to_owned(), id.shown());
    let forms = browser.forms();
    let first = forms.iter().find(|form| form.action == "/approvals/approve" && form.hidden.contains(&named)).unwrap();
    browser.send_form(first, &[]).await;
    assert_eq!(comes(&app.app, owner, RESET, Worth::Verified, 1).await, Taken::Held(id));
    for fields in [&[][..], &[("sure", "1")], &[("about", "device")]] {
        browser.send_form(first, fields).await;
        assert!(browser.sees("Approve once more") && !browser.sees("Approved."), "{}", browser.page.text());
        assert_eq!(approvals::state(&app, owner, id).await, State::Approved, "{fields:?}: it was not shown");
    }
    press(&mut browser, "/approvals/approve", id).await;
    assert!(browser.page.status == 200 && browser.sees("Approved."), "{}", browser.page.text());
    assert_eq!(approvals::state(&app, owner, id).await, State::OtpReceived);
}

#[tokio::test]
async fn a_way_is_told_in_the_language_of_the_page() {
    let app = TestApp::new().await;
    let (mut browser, owner, bot) = approvals::with_bot(&app).await;
    let id = approvals::ask(&app, &bot, Some("*@acme.com")).await.id;
    browser.go("/approvals").await;
    press(&mut browser, "/approvals/approve", id).await;
    let text = format!("Your Acme code is {CODE}");
    assert_eq!(comes(&app.app, owner, &text, Worth::Verified, 1).await, Taken::Given(id));
    relays::consume(&app.app, &bot, id, None).await.unwrap();
    browser.language = "de";
    for (capture, seen) in [
        ("inbound", "weitergeleitet"),
        ("webhook", "von einem Programm gemeldet"),
        ("mailbox", "Postfach, das dieser Server liest"),
        ("collector", "Sammler"),
        ("device", "Telefon"),
        ("test", "Test"),
    ] {
        app.tamper(&format!("UPDATE relays SET capture = '{capture}'"));
        browser.go("/approvals").await;
        assert!(browser.sees(&format!("<bdi>E-Mail</bdi> · <bdi>{seen}</bdi>")), "{capture}: {}", browser.page.text());
    }
}

#[tokio::test]
async fn the_card_says_that_nothing_is_passed_on_of_whoever_is_on_the_list_however_they_are_named() {
    let app = TestApp::new().await;
    let (mut browser, _, bot) = approvals::with_bot(&app).await;
    for (pattern, name, refused) in [
        (Some("*@paypal.com"), None, true),
        (None, Some("service@mail.paypal.com"), true),
        (None, Some("paypal.com"), true),
        (None, Some("PayPal"), true),
        (None, Some("Example Air"), false),
        (Some("*@acme.com"), Some("PayPal"), false),
    ] {
        let sender = name.map(str::to_owned);
        let wish = relays::Ask { sender, ..approvals::wish(pattern) };
        let relay = relays::request(&app.app, &bot, wish).await.unwrap();
        browser.go("/approvals").await;
        let said = browser.sees("its messages are never passed on, even if you approve");
        assert_eq!(said, refused, "{pattern:?} {name:?}: {}", browser.page.text());
        relays::cancel(&app.app, &bot, relay.id).await.unwrap();
    }
}

#[tokio::test]
async fn our_own_code_is_ours_whatever_it_says_of_devices() {
    let cast = Cast::new().await;
    let id = cast.approved().await;
    cast.app.advance(minutes(1));
    let own = cast.app.code(ADA).await;
    for (number, text) in (0..).zip([
        format!("New device: {own} is your login code"),
        format!("Reset your password with {own}"),
        format!("{own} is your code"),
    ]) {
        assert_eq!(comes(&cast.app.app, cast.whose, &text, Worth::Verified, number).await, Taken::Ours, "{text}");
    }
    assert_eq!(cast.status(&id).await["status"], "approved");
    assert_eq!(cast.app.number("SELECT count(*) FROM relays WHERE held IS NOT NULL OR payload IS NOT NULL"), 0);
}

#[tokio::test]
async fn a_code_of_another_org_here_is_ours_as_well_at_every_address_of_theirs() {
    let cast = Cast::of(TestApp::in_earnest(|config| config.signup = doorcode::config::Signup::Open).await).await;
    let (eve_key, eve) = person(&cast.app, EVE).await;
    assert!(doorcode::ops::orgs::raise(&cast.app.app, eve.org, true).await.unwrap());
    let id = cast.approved().await;
    let (app, whose) = (&cast.app.app, cast.whose);
    let work = "ada@work.example";
    reads(&cast, work);
    for (number, to) in (1..).zip([ADA, work]) {
        let asked = cast.by(&eve_key).post("/v1/verifications", json!({ "to": to })).await;
        assert!([200, 201].contains(&asked.status), "{}", asked.text());
        cast.app.deliver_due().await;
        let text = format!("{} is your code", cast.app.last_code(to));
        assert_eq!(comes(app, whose, &text, Worth::Verified, number).await, Taken::Ours, "{to}");
    }
    // One that was sent to somebody else is nobody's business here.
    cast.by(&eve_key).post("/v1/verifications", json!({ "to": "carl@example.com" })).await;
    cast.app.deliver_due().await;
    let text = format!("{} is your code", cast.app.last_code("carl@example.com"));
    assert_eq!(comes(app, whose, &text, Worth::Verified, 9).await, Taken::Given(id_of(&id)));
}

/// The attack: whoever is raised sends from a realm below their own, to somebody's address, and has an agent bring the code.
#[tokio::test]
async fn a_code_of_an_org_below_a_raised_one_is_ours() {
    let app = TestApp::in_earnest(|config| config.signup = doorcode::config::Signup::Open).await;
    let cast = Cast::of(app).await;
    let backend = Key::new(1);
    let (parent, _) = organization(&cast.app, "Shop", &backend).await;
    assert!(doorcode::ops::orgs::raise(&cast.app.app, parent.parse().unwrap(), true).await.unwrap());
    let kind = Kind::CreateSubOrganizationV7;
    let user =
        json!({ "userName": "Ada", "userEmail": ADA, "apiKeys": [], "authenticators": [], "oauthProviders": [] });
    let parameters = json!({ "subOrganizationName": "Ada", "rootUsers": [user], "rootQuorumThreshold": 1 });
    let made = body(&cast.app, kind, &parent, parameters);
    let made = result(&send(&cast.app, &backend, &submit_path(kind), &made).await, kind);
    let below = made["subOrganizationId"].as_str().unwrap();
    let id = cast.approved().await;
    let ask = json!({ "otpType": "OTP_TYPE_EMAIL", "contact": ADA, "appName": "Shop", "otpLength": 8, "alphanumeric": false });
    let asked = body(&cast.app, Kind::InitOtpV3, below, ask);
    result(&send(&cast.app, &backend, &submit_path(Kind::InitOtpV3), &asked).await, Kind::InitOtpV3);
    cast.app.deliver_due().await;
    let text = format!("{} is your code", cast.app.last_code(ADA));
    assert_eq!(comes(&cast.app.app, cast.whose, &text, Worth::Verified, 1).await, Taken::Ours);
    assert_eq!(cast.status(&id).await["status"], "approved");
}

/// The attack: an org that was not raised writes to its own people, of whom somebody is that reads the mail here as somebody else.
#[tokio::test]
async fn a_code_of_an_org_that_was_not_raised_is_ours_too() {
    let cast = Cast::of(TestApp::in_earnest(|config| config.signup = doorcode::config::Signup::Open).await).await;
    let (eve_key, _) = person(&cast.app, EVE).await;
    reads(&cast, EVE);
    cast.approved().await;
    let asked = cast.by(&eve_key).post("/v1/verifications", json!({ "to": EVE })).await;
    assert!([200, 201].contains(&asked.status), "{}", asked.text());
    cast.app.deliver_due().await;
    let text = format!("{} is your code", cast.app.last_code(EVE));
    assert_eq!(comes(&cast.app.app, cast.whose, &text, Worth::Verified, 1).await, Taken::Ours);
    // Once it is over it is a number like any other.
    cast.app.advance(minutes(11));
    assert_ne!(comes(&cast.app.app, cast.whose, &text, Worth::Verified, 2).await, Taken::Ours);
}

/// Ada's mailbox is read here, also as this address.
fn reads(cast: &Cast, address: &str) {
    let set = "INSERT INTO mailboxes (id, org_id, owner_id, name, host, port, security, login, addresses, folder, kind, kid, credentials, \
        version, state, changed_at) SELECT owner_id, org_id, owner_id, 'x', 'imap.example', 993, 'tls', 'x', 'x@example.org\n' || 'WORK', \
        'INBOX', 'password', 'k', 'x', 0, 'away', 0 FROM agents";
    cast.app.tamper(&set.replace("WORK", address).replace("'k'", "(SELECT kid FROM master_keys LIMIT 1)"));
}

#[tokio::test]
async fn unverified_mail_serves_a_request_only_where_its_owner_lets_it_and_forged_mail_never() {
    let cast = Cast::new().await;
    let id = cast.approved().await;
    let other = wish_with(json!({ "filter": { "sources": ["email"], "senderPattern": "noreply@acme.com" } }));
    let text = format!("Your Acme code is {CODE}");
    let mail = async |worth, number| comes(&cast.app.app, cast.whose, &text, worth, number).await;
    let let_in = async |id: &str, accept: bool| {
        let path = format!("/v1/otp/{id}/unverified");
        let answer = cast.by(&cast.ada).post(&path, json!({ "accept": accept })).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    assert_eq!(mail(Worth::Unverified, 1).await, Taken::Unverified);
    let_in(&id, true).await;
    let_in(&id, false).await;
    assert_eq!(mail(Worth::Unverified, 1).await, Taken::Unverified, "she thought better of it");
    let_in(&id, true).await;
    assert_eq!(mail(Worth::Forged, 2).await, Taken::Nobody);
    assert_eq!(mail(Worth::Unverified, 1).await, Taken::Given(id_of(&id)));
    let metadata: Value = cast.status(&id).await["metadata"].clone();
    assert_eq!((&metadata["verdict"], &metadata["sender"]), (&json!("unverified"), &json!(null)), "the record says so");
    let next = cast.by(&cast.key).post(REQUEST, other).await.json();
    cast.approve(next["id"].as_str().unwrap()).await;
    assert_eq!(mail(Worth::Unverified, 3).await, Taken::Unverified, "it was for that request alone");
}

#[tokio::test]
async fn the_card_says_what_unverified_mail_is_and_asks_for_a_young_sign_in() {
    let app = TestApp::new().await;
    let (mut browser, _, bot) = approvals::with_bot(&app).await;
    let (named, any) = (approvals::ask(&app, &bot, Some("*@acme.com")).await, approvals::ask(&app, &bot, None).await);
    browser.go("/approvals").await;
    let forms = browser.forms();
    let letting: Vec<_> = forms.iter().filter(|form| form.action == "/approvals/unverified").collect();
    assert_eq!(letting.len(), 1, "not for any message: that takes everybody's");
    assert!(letting[0].hidden.contains(&("id".to_owned(), named.id.shown())) && browser.sees("whose sender is proved"));
    assert!(!browser.sees(&format!("value=\"{}\"><input type=\"hidden\" name=\"on\"", any.id.shown())));
    press(&mut browser, "/approvals/unverified", named.id).await;
    assert!(browser.sees("Saved.") && browser.sees("anybody may have written it"), "{}", browser.page.text());
    let taken = |app: &TestApp| app.number("SELECT count(*) FROM relays WHERE unverified = 1");
    assert_eq!(taken(&app), 1);

    app.advance(minutes(16));
    let late = approvals::ask(&app, &bot, Some("*@acme.com")).await;
    browser.go("/approvals").await;
    press(&mut browser, "/approvals/unverified", late.id).await;
    assert!(browser.page.status == 403 && browser.sees("too long ago"), "{}", browser.page.text());
    assert_eq!(taken(&app), 1);
    app.tamper("UPDATE relays SET unverified = 1 WHERE state = 0");
    browser.go("/approvals").await;
    press(&mut browser, "/approvals/unverified", late.id).await;
    assert!(browser.page.status == 200 && browser.sees("whose sender is proved"), "what takes away needs none");
}
