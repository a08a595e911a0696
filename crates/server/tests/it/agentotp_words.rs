//! Attacks on the owner's word: who may say yes, how often it has to be said, and what it is about (docs/threat-model.md).

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::time::Duration;

use axum::http::Method;
use doorcode::ops::relays::{self, Approver, By, Word, Yes};
use doorcode::ops::{credentials, devices, orgs};
use doorcode_core::relay::Named as _;
use doorcode_core::{Email, Error, RelayId};
use serde_json::{Value, json};

use crate::agentotp_cast::*;
use crate::app::{Answer, HERE, minutes, seconds};

#[tokio::test]
async fn an_agent_does_not_say_yes_to_itself() {
    let cast = Cast::new().await;
    let id = cast.ask().await;
    let path = format!("/v1/otp/{id}/approve");
    assert_eq!(codes(&cast.by(&cast.key).post(&path, json!({})).await), forbidden());
    let other_header = cast.app.from(HERE).saying("x-api-key", &cast.key).post(&path, json!({})).await;
    assert_eq!(codes(&other_header), forbidden());
    let both = cast.by(&cast.key).saying("x-api-key", &cast.ada).post(&path, json!({})).await;
    assert_eq!(both.status, 401, "two keys are none");
    assert_eq!(codes(&cast.by(&cast.collector).post(&path, json!({})).await), forbidden(), "a collector neither");
    let (_, phone) = device(&cast.app, cast.whose, "phone").await;
    assert_eq!(codes(&cast.by(&phone).post(&path, json!({})).await), forbidden(), "nor a phone that is not linked");
    assert_eq!(cast.status(&id).await["status"], "pending_approval");
}

#[tokio::test]
async fn a_teams_key_is_nobodys_own_word() {
    let cast = Cast::new().await;
    let id = cast.ask().await;
    let eve = Email::parse(EVE).unwrap();
    orgs::invite(&cast.app.app, &eve, Some(cast.whose.org)).await.unwrap();
    let (shared, other) = person(&cast.app, EVE).await;
    assert_eq!((shared.as_str(), other.org), (cast.ada.as_str(), cast.whose.org), "she is in Ada's team now");
    let approve = format!("/v1/otp/{id}/approve");
    assert_eq!(codes(&cast.by(&shared).post(&approve, json!({})).await), forbidden());
    for path in ["/v1/agents", "/v1/policies", "/v1/audit", "/v1/devices", &format!("/v1/otp/{id}")] {
        assert_eq!(cast.by(&shared).get(path).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn a_sign_in_key_approves_only_where_that_is_let_and_a_further_key_never() {
    let cast = Cast::with(&[("DOORCODE_RELAY__APPROVE_WITH_KEY", "no")]).await;
    let id = cast.ask().await;
    let approve = format!("/v1/otp/{id}/approve");
    assert_eq!(codes(&cast.by(&cast.ada).post(&approve, json!({})).await), forbidden());
    let agent = cast.agent.shown();
    for (method, path, body) in [
        (Method::POST, "/v1/policies".to_owned(), json!({ "agentId": agent, "rules": {} })),
        (Method::PUT, format!("/v1/policies/{agent}"), json!({ "rules": {} })),
        (Method::DELETE, format!("/v1/policies/{agent}"), json!({})),
        (Method::PATCH, format!("/v1/agents/{agent}"), json!({ "identity": "" })),
        (Method::PATCH, format!("/v1/agents/{agent}"), json!({ "paused": false })),
        (Method::PUT, format!("/v1/agents/{agent}"), json!({ "blocked": false })),
    ] {
        let answer = cast.by(&cast.ada).send(method, &path, body.to_string()).await;
        assert_eq!(codes(&answer), forbidden(), "{path} {body}: rules say yes beforehand");
    }
    let session = cast.session(None).await;
    let rules = json!({ "agentId": agent, "rules": { "sources": ["email"] } });
    assert_eq!(cast.by(&session).post("/v1/policies", rules).await.status, 201, "who is signed in may");
    let further = cast.by(&cast.ada).post("/v1/keys", json!({ "name": "x" })).await.json();
    let further = cast.by(further["api_key"].as_str().unwrap());
    assert_eq!(codes(&further.post(&approve, json!({})).await), forbidden());
    assert_eq!(codes(&further.get("/v1/agents").await), forbidden(), "it lacks admin");
}

#[tokio::test]
async fn a_session_that_was_left_open_does_not_approve_nor_does_another_orgs_app() {
    let cast = Cast::new().await;
    let (_, eve) = person(&cast.app, EVE).await;
    let foreign = cast.session(Some(eve.org)).await;
    let fresh = cast.session(None).await;
    let id = cast.ask().await;
    let approve = format!("/v1/otp/{id}/approve");
    for path in ["/v1/agents", "/v1/audit", "/v1/auth/verify"] {
        assert_eq!(codes(&cast.by(&foreign).get(path).await), forbidden(), "{path}");
    }
    assert_eq!(codes(&cast.by(&foreign).post(&approve, json!({})).await), forbidden());
    assert_eq!(cast.by(&fresh).post(&approve, json!({})).await.status, 200);
    // Held for longer than `fresh` lets it, and still a session.
    let old = {
        let config = [("DOORCODE_RELAY__FRESH", "1m")];
        let cast = Cast::with(&config).await;
        let session = cast.session(None).await;
        cast.app.advance(seconds(61));
        let id = cast.ask().await;
        let looked = cast.by(&session).get(&format!("/v1/otp/{id}")).await.status;
        assert_eq!(looked, 200, "it may look");
        cast.by(&session).post(&format!("/v1/otp/{id}/approve"), json!({})).await
    };
    assert_eq!(codes(&old), forbidden());
}

#[tokio::test]
async fn an_app_of_their_own_org_may_look_and_manage_but_never_say_yes_nor_beforehand() {
    let cast = Cast::with(&[("DOORCODE_RELAY__APPROVE_WITH_KEY", "no")]).await;
    let by = cast.session(Some(cast.whose.org)).await;
    let (by, agent, id) = (cast.by(&by), cast.agent.shown(), cast.ask().await);
    assert_eq!(by.get(&format!("/v1/otp/{id}")).await.status, 200, "it may look");
    assert_eq!(by.get("/v1/agents").await.status, 200);
    for (method, path, body) in [
        (Method::POST, format!("/v1/otp/{id}/approve"), json!({})),
        (Method::POST, format!("/v1/otp/{id}/approve"), json!({ "about": "reset" })),
        (Method::POST, format!("/v1/otp/{id}/unverified"), json!({ "accept": true })),
        (Method::POST, "/v1/policies".to_owned(), json!({ "agentId": agent, "rules": {} })),
        (Method::PATCH, format!("/v1/agents/{agent}"), json!({ "identity": "" })),
        (Method::PATCH, format!("/v1/agents/{agent}"), json!({ "paused": false })),
        (Method::PATCH, format!("/v1/agents/{agent}"), json!({ "name": "Your bank" })),
        (Method::PUT, format!("/v1/agents/{agent}"), json!({ "description": "Safe" })),
        (Method::POST, format!("/v1/agents/{agent}/rotate-key"), json!({ "revokeImmediately": true })),
        (Method::POST, "/v1/agents".to_owned(), json!({ "name": "Mine" })),
        (Method::POST, "/v1/hooks".to_owned(), json!({ "kind": "sms" })),
        (Method::POST, "/v1/inbound".to_owned(), json!({})),
        (
            Method::POST,
            "/v1/mailboxes".to_owned(),
            json!({ "host": "imap.example.com", "user": "a@b.c", "password": "x" }),
        ),
    ] {
        let answer = by.send(method, &path, body.to_string()).await;
        assert_eq!(codes(&answer), forbidden(), "{path} {body}");
        assert!(answer.text().contains("An app's session may not"), "{path}: {}", answer.text());
    }
    assert_eq!(cast.status(&id).await["status"], "pending_approval", "and its agent's key is the one that it was");
    for made in ["agents", "hooks", "inbound_addresses", "mailboxes"] {
        let expected = i64::from(made == "agents");
        assert_eq!(cast.app.number(&format!("SELECT count(*) FROM {made}")), expected, "{made}");
    }
    let stops = by.send(Method::PATCH, &format!("/v1/agents/{agent}"), json!({ "paused": true }).to_string()).await;
    assert_eq!(stops.status, 200, "{}", stops.text());
    let page = cast.session(None).await;
    let goes_on = json!({ "paused": false }).to_string();
    let goes_on = cast.by(&page).send(Method::PATCH, &format!("/v1/agents/{agent}"), goes_on).await;
    assert_eq!(goes_on.status, 200, "{}", goes_on.text());
    let hook = cast.by(&page).post("/v1/hooks", json!({ "kind": "sms" })).await;
    assert_eq!(hook.status, 201, "the person, signed in to the house: {}", hook.text());
    let hook = format!("/v1/hooks/{}", hook.json()["hook"]["id"].as_str().unwrap());
    assert_eq!(by.send(Method::DELETE, &hook, "").await.status, 200, "what is gone opens nothing");
    let yes = cast.by(&page).post(&format!("/v1/otp/{id}/approve"), json!({})).await;
    assert_eq!(yes.status, 200, "the person, signed in to the house: {}", yes.text());
}

#[tokio::test]
async fn a_link_is_its_owners_and_good_once_and_for_a_while() {
    let cast = Cast::new().await;
    let (_, eve) = person(&cast.app, EVE).await;
    let (hers, eve_phone) = device(&cast.app, eve, "phone").await;
    let (id, phone) = device(&cast.app, cast.whose, "phone").await;
    let (second, other) = device(&cast.app, cast.whose, "phone").await;
    let token = devices::offer(&cast.app.app, cast.whose).await.unwrap();
    let link = |id: &str| json!({ "deviceId": id, "linkToken": token.expose() });
    let absent = refused(404, "NOT_FOUND", "NOT_FOUND");
    let stolen = cast.by(&eve_phone).post("/v1/devices/link", link(&hers.shown())).await;
    assert_eq!(codes(&stolen), absent, "another person's");
    assert_eq!(codes(&cast.by(&phone).post("/v1/devices/link", link(&second.shown())).await), absent, "another device");
    assert_eq!(cast.by(&phone).post("/v1/devices/link", link(&id.shown())).await.status, 200, "nobody had used it up");
    assert_eq!(codes(&cast.by(&other).post("/v1/devices/link", link(&second.shown())).await), absent, "used");
    let late = devices::offer(&cast.app.app, cast.whose).await.unwrap();
    cast.app.advance(minutes(10));
    let late = json!({ "deviceId": second.shown(), "linkToken": late.expose() });
    assert_eq!(codes(&cast.by(&other).post("/v1/devices/link", late).await), absent, "over");
}

#[tokio::test]
async fn two_agents_do_not_get_one_message_until_its_owner_has_chosen() {
    let cast = Cast::new().await;
    let (_, other) = agent(&cast.app, cast.whose, "Other", false).await;
    let first = cast.approved().await;
    let second = cast.ask_as(&other).await;
    let said = cast.approve(&second).await;
    assert_eq!(said["contested"], json!(["Shopper"]), "she is told");
    let conflict = refused(409, "CONFLICT", "CONFLICT");
    for id in [&first, &second] {
        assert_eq!(codes(&cast.hand_in(id).await), conflict);
    }
    let approver = Approver { whose: cast.whose, by: By::Session };
    relays::choose(&cast.app.app, approver, RelayId::read(&second).unwrap()).await.unwrap();
    assert_eq!(codes(&cast.hand_in(&first).await), conflict);
    assert_eq!(cast.hand_in(&second).await.status, 200);
    let apart = wish_with(json!({ "filter": { "senderPattern": "*@other.example" } }));
    let third = cast.by(&other).post(REQUEST, apart).await.json();
    let third = third["id"].as_str().unwrap();
    assert_eq!(cast.approve(third).await["contested"], json!([]), "other senders, no question");
}

/// A request that takes any message.
async fn any(cast: &Cast) -> String {
    let wish = json!({ "reason": "Whatever comes", "publicKey": public().encode().unwrap(), "filter": { "sources": ["email"] } });
    let answer = cast.by(&cast.key).post(REQUEST, wish).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn yes(cast: &Cast, key: &str, id: &str, body: Value) -> Answer {
    cast.by(key).post(&format!("/v1/otp/{id}/approve"), body).await
}

fn asked_again() -> (u16, String, String) {
    refused(409, "CONFIRMATION_REQUIRED", "CONFIRMATION_REQUIRED")
}

#[tokio::test]
async fn any_message_at_all_is_not_approved_by_one_word() {
    let cast = Cast::new().await;
    for body in [json!({}), json!({ "confirm": true }), json!({ "confirm": false }), json!({ "sure": "1" })] {
        let id = any(&cast).await;
        let first = yes(&cast, &cast.ada, &id, body.clone()).await;
        assert_eq!(codes(&first), asked_again(), "{body}");
        assert_eq!((&first.json()["id"], &first.json()["status"]), (&json!(id), &json!("pending_approval")));
        assert_eq!(cast.status(&id).await["status"], "pending_approval", "{body}");
        assert_eq!(codes(&cast.hand_in(&id).await), refused(409, "CONFLICT", "CONFLICT"), "{body}: nothing is taken");
        cast.app.advance(minutes(2));
    }
}

#[tokio::test]
async fn two_taps_of_one_finger_are_one_word_and_a_program_that_asks_again_too() {
    let cast = Cast::new().await;
    let id = any(&cast).await;
    for _ in 0..4 {
        assert_eq!(codes(&yes(&cast, &cast.ada, &id, json!({})).await), asked_again());
        cast.app.advance(Duration::from_millis(249));
    }
    assert_eq!(cast.status(&id).await["status"], "pending_approval");
    cast.app.advance(Duration::from_millis(4));
    let second = yes(&cast, &cast.ada, &id, json!({})).await;
    assert_eq!(
        (second.status, &second.json()["status"]),
        (200, &json!("approved")),
        "a published client says it again"
    );
    assert_eq!(cast.app.number("SELECT count(*) FROM audit WHERE kind = 'otp_ask_again'"), 1);
    assert_eq!(cast.app.number("SELECT count(*) FROM audit WHERE kind = 'otp_approve'"), 1);
    assert_eq!(codes(&yes(&cast, &cast.ada, &id, json!({})).await), refused(409, "CONFLICT", "CONFLICT"), "once");
}

#[tokio::test]
async fn the_second_word_may_come_at_once_where_it_is_said_as_one_and_by_another_way() {
    let cast = Cast::new().await;
    let id = any(&cast).await;
    let (phone_id, phone) = device(&cast.app, cast.whose, "phone").await;
    let token = devices::offer(&cast.app.app, cast.whose).await.unwrap();
    let link = json!({ "deviceId": phone_id.shown(), "linkToken": token.expose() });
    assert_eq!(cast.by(&phone).post("/v1/devices/link", link).await.status, 200);
    assert_eq!(
        codes(&yes(&cast, &phone, &id, json!({ "confirm": true })).await),
        asked_again(),
        "a phone's is one word"
    );
    let session = cast.session(None).await;
    assert_eq!(yes(&cast, &session, &id, json!({ "confirm": true })).await.status, 200);
    assert_eq!(cast.hand_in(&id).await.status, 200);
}

#[tokio::test]
async fn a_first_word_does_not_count_for_another_request_nor_after_a_no_nor_too_late() {
    let cast = Cast::new().await;
    let (one, other) = (any(&cast).await, any(&cast).await);
    assert_eq!(codes(&yes(&cast, &cast.ada, &one, json!({})).await), asked_again());
    cast.app.advance(seconds(5));
    assert_eq!(codes(&yes(&cast, &cast.ada, &other, json!({ "confirm": true })).await), asked_again());
    assert_eq!(cast.by(&cast.ada).post(&format!("/v1/otp/{one}/deny"), json!({})).await.status, 200, "no takes one");
    assert_eq!(codes(&yes(&cast, &cast.ada, &one, json!({ "confirm": true })).await).0, 409);
    assert_eq!(cast.status(&one).await["status"], "denied");
    cast.app.advance(minutes(2));
    let late = yes(&cast, &cast.ada, &other, json!({ "confirm": true })).await;
    assert_eq!(codes(&late), refused(410, "OTP_EXPIRED", "EXPIRED"));
}

/// Whoever writes the rule into another way in has the statement against them.
#[tokio::test]
async fn no_way_in_skips_the_second_word() {
    let cast = Cast::new().await;
    let id = any(&cast).await;
    let approver = Approver { whose: cast.whose, by: By::Session };
    let relay = RelayId::read(&id).unwrap();
    for yes in [Yes::First, Yes::First, Yes::Plain] {
        let said = relays::decide(&cast.app.app, approver, relay, Word::Yes(yes)).await.unwrap();
        assert!(matches!(said, relays::Decided::AskedAgain(_)));
    }
    let now = cast.app.now();
    let other = RelayId::read(&any(&cast).await).unwrap();
    let written = cast.app.app.db.write(move |tx| {
        Box::pin(async move {
            let row = doorcode::store::relays::get(tx, &other).await?.unwrap();
            doorcode::store::relays::decide(tx, &row, true, ("user", None), (now, now)).await
        })
    });
    assert!(!written.await.unwrap(), "nobody was asked once more");
}

#[tokio::test]
async fn a_request_that_names_somebody_takes_one_word() {
    let cast = Cast::new().await;
    for members in [json!({ "expectedSender": null }), json!({ "filter": null })] {
        let answer = cast.by(&cast.key).post(REQUEST, wish_with(members.clone())).await.json();
        let id = answer["id"].as_str().unwrap();
        assert_eq!(yes(&cast, &cast.ada, id, json!({})).await.status, 200, "{members}");
    }
}

#[tokio::test]
async fn unverified_mail_is_the_persons_in_person_to_let_in() {
    let cast = Cast::new().await;
    let id = cast.approved().await;
    let path = format!("/v1/otp/{id}/unverified");
    let (phone_id, phone) = device(&cast.app, cast.whose, "phone").await;
    let token = devices::offer(&cast.app.app, cast.whose).await.unwrap();
    let link = json!({ "deviceId": phone_id.shown(), "linkToken": token.expose() });
    assert_eq!(cast.by(&phone).post("/v1/devices/link", link).await.status, 200);
    let (eve, _) = person(&cast.app, EVE).await;
    for key in [&cast.key, &cast.collector, &phone] {
        assert_eq!(codes(&cast.by(key).post(&path, json!({ "accept": true })).await), forbidden());
    }
    assert_eq!(codes(&cast.by(&eve).post(&path, json!({ "accept": true })).await), unknown());
    assert_eq!(codes(&cast.by(&cast.ada).post(&path, json!({})).await), invalid());
    assert_eq!(cast.app.number("SELECT max(unverified) FROM relays"), 0);
    for on in [true, false, true] {
        let answer = cast.by(&cast.ada).post(&path, json!({ "accept": on })).await;
        assert_eq!((answer.status, &answer.json()["unverified"]), (200, &json!(on)));
        assert_eq!(cast.by(&cast.collector).get("/v1/otp/pending").await.json()["requests"][0]["unverified"], on);
    }
    assert_eq!(cast.app.number("SELECT count(*) FROM audit WHERE kind = 'otp_unverified'"), 3);
    // Not by the agent's own wish, and not for what takes anybody's.
    let wished =
        cast.by(&cast.key).post(REQUEST, wish_with(json!({ "unverified": true, "acceptUnverified": true }))).await;
    assert_eq!(wished.status, 202);
    assert_eq!(cast.app.number("SELECT count(*) FROM relays WHERE unverified = 1"), 1);
    let conflict = refused(409, "CONFLICT", "CONFLICT");
    for id in [any(&cast).await, by_sms(&cast).await] {
        let answer = cast.by(&cast.ada).post(&format!("/v1/otp/{id}/unverified"), json!({ "accept": true })).await;
        assert_eq!(codes(&answer), conflict);
    }
    assert_eq!(cast.hand_in(&id).await.status, 200);
    assert_eq!(codes(&cast.by(&cast.ada).post(&path, json!({ "accept": true })).await), conflict, "its code is there");
}

async fn by_sms(cast: &Cast) -> String {
    let wish = wish_with(json!({ "filter": { "sources": ["sms"], "senderPattern": "+15551234567" } }));
    cast.by(&cast.key).post(REQUEST, wish).await.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_fills_the_record_is_counted_and_a_pause_and_a_removal_always_go() {
    let environment = [("DOORCODE_RELAY__OWNER_MINUTE", "6"), crate::inbound::TAKEN_IN[0], crate::inbound::TAKEN_IN[1]];
    let cast = Cast::with(&environment).await;
    let ada = cast.by(&cast.ada);
    let entries = || cast.app.number("SELECT count(*) FROM audit");
    // Her agent and her collector were two, and this is the third.
    let (second, other) = agent(&cast.app, cast.whose, "Other", false).await;
    let made = ada.post("/v1/hooks", json!({ "kind": "sms" })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(ada.post("/v1/inbound", json!({})).await.status, 200);
    let address = ada.get("/v1/inbound").await.text();
    relays::pause(&cast.app.app, cast.whose, false).await.unwrap();
    let before = entries();
    let file = cast.app.app.config.keys.join("revocations.log");
    let written = || std::fs::read_to_string(&file).unwrap_or_default();
    let (lines, path) = (written(), format!("/v1/agents/{}", cast.agent.shown()));
    let rules = json!({ "agentId": cast.agent.shown(), "rules": {} });
    for (method, path, body) in [
        (Method::POST, "/v1/hooks".to_owned(), json!({ "kind": "sms" })),
        (Method::POST, "/v1/inbound".to_owned(), json!({})),
        (Method::POST, "/v1/agents".to_owned(), json!({ "name": "x" })),
        (Method::PATCH, path.clone(), json!({ "name": "x" })),
        (Method::PATCH, path.clone(), json!({ "identity": "" })),
        (Method::PATCH, path.clone(), json!({ "paused": false })),
        (Method::PUT, path.clone(), json!({ "blocked": false })),
        (Method::POST, format!("{path}/rotate-key"), json!({})),
        (Method::POST, "/v1/policies".to_owned(), rules),
        (Method::POST, "/v1/mailboxes".to_owned(), json!({ "host": "imap.example.com", "user": ADA, "password": "x" })),
    ] {
        let answer = ada.send(method, &path, body.to_string()).await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (429, Some("60")),
            "{path} {body}: {}",
            answer.text()
        );
    }
    assert_eq!(written(), lines, "nor is anything of it written down beside the keys");
    let limited = relays::pause(&cast.app.app, cast.whose, false).await;
    assert!(matches!(limited, Err(Error::Limited { .. })));
    let id = cast.ask_as(&other).await;
    let approver = Approver { whose: cast.whose, by: By::Session };
    let chosen = relays::choose(&cast.app.app, approver, RelayId::read(&id).unwrap()).await;
    assert!(matches!(chosen, Err(Error::Limited { .. })), "{chosen:?}");
    assert_eq!(entries(), before + 1, "a request");

    assert_eq!(ada.get("/v1/inbound").await.text(), address, "the one that is there stays");
    assert_eq!(credentials::replay_revocations(&cast.app.app, credentials::Replay::Ended).await.unwrap(), 0);
    for _ in 0..3 {
        relays::pause(&cast.app.app, cast.whose, true).await.unwrap();
        for name in ["paused", "blocked"] {
            assert_eq!(ada.send(Method::PATCH, &path, json!({ name: true }).to_string()).await.status, 200);
        }
    }
    assert_eq!(entries(), before + 4, "a stop that is said again is none");
    assert_eq!(written().lines().filter(|line| line.contains("stopped")).count(), 3);
    let gone = ada.send(Method::DELETE, &format!("/v1/agents/{}", second.shown()), "").await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    let hook = format!("/v1/hooks/{}", made.json()["hook"]["id"].as_str().unwrap());
    for path in [hook.as_str(), "/v1/inbound"] {
        assert_eq!(ada.send(Method::DELETE, path, "").await.status, 200, "{path}");
    }
    cast.app.advance(minutes(1));
    relays::pause(&cast.app.app, cast.whose, false).await.unwrap();
}
