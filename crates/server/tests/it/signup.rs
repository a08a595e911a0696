//! Who gets an account (docs/threat-model.md): open, by domain, by invitation; the same answers in all, so that
//! nobody learns who may. And realms: what was proved in one counts in no other.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use doorcode::config::Signup;
use doorcode::ops::challenges::{Attempt, Entry, Live, Start, Terms, start};
use doorcode::ops::client::Client;
use doorcode::ops::{orgs, sign_in};
use doorcode_core::{Email, Error, OrgId, Secret};
use serde_json::Value;

use crate::app::{Answer, HERE, TestApp, hours, minutes, not, wrong};

const ADA: &str = "ada@example.com";

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

async fn house(signup: Signup) -> TestApp {
    TestApp::in_earnest(|config| config.signup = signup).await
}

/// Start, a wrong code, the right one, the right one again: what each was answered.
async fn journey(app: &TestApp, email: &str) -> Vec<Answer> {
    let mut answers = vec![app.start(email).await];
    app.deliver_due().await;
    let code = app.last_code(email);
    answers.push(app.verify(email, &not(&code)).await);
    answers.push(app.verify(email, &code).await);
    answers.push(app.verify(email, &code).await);
    answers
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

#[tokio::test]
async fn the_three_modes_let_in_whom_they_say() {
    let domains = || Signup::Domains(vec!["example.com".to_owned()]);
    for (mode, who, gets_in) in [
        (Signup::Open, "ada@anywhere.org", true),
        (domains(), ADA, true),
        (domains(), "ADA@EXAMPLE.COM", true),
        (domains(), "ada@example.org", false),
        (domains(), "ada@sub.example.com", false),
        (domains(), "ada@notexample.com", false),
        (domains(), "ada@example.com.evil.org", false),
        (domains(), "example.com@evil.org", false),
        (Signup::Domains(Vec::new()), ADA, false),
        (Signup::Invite, ADA, false),
    ] {
        let app = house(mode.clone()).await;
        let who = email(who);
        let right = if gets_in { 200 } else { 401 };
        assert_eq!(statuses(&journey(&app, who.as_str()).await), [200, 401, right, right], "{mode:?} {who:?}");
        assert_eq!(app.number("SELECT count(*) FROM users"), i64::from(gets_in));
        assert_eq!(app.number("SELECT count(*) FROM orgs"), i64::from(gets_in));
    }
}

#[tokio::test]
async fn a_domain_with_other_letters_is_meant_as_it_is_written() {
    let domains = [("DOORCODE_SIGNUP__MODE", "domains"), ("DOORCODE_SIGNUP__DOMAINS", "Bücher.example, EXAMPLE.org")];
    let folder = crate::app::Folder::new();
    let environment = domains.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let given = doorcode::config::Given {
        data: folder.path().to_owned(),
        environment,
        purpose: doorcode::config::Use::Command,
        ..Default::default()
    };
    let config = doorcode::config::Config::read(&given).unwrap();
    let app = house(config.signup).await;
    assert_eq!(journey(&app, email("ada@bücher.example").as_str()).await[2].status, 200);
    assert_eq!(journey(&app, "ada@example.org").await[2].status, 200);
}

#[tokio::test]
async fn nobody_learns_who_may_sign_up_or_who_has() {
    let app = house(Signup::Domains(vec!["example.com".to_owned()])).await;
    app.from(HERE).sign_in(ADA).await;
    app.advance(hours(2));
    let mut seen: Vec<Vec<(u16, String)>> = Vec::new();
    for who in [ADA, "new@example.com", "new@example.org"] {
        let elsewhere = app.from("203.0.113.9");
        let start = elsewhere.start(who).await;
        let wrong = elsewhere.verify(who, "000000").await;
        let mut answers = Vec::new();
        for mut answer in [start, wrong] {
            answer.headers.remove("x-request-id");
            answers.push((answer.status, format!("{:?} {}", answer.headers, answer.text().replace(who, "<who>"))));
        }
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[1], seen[2]);
    // Each got a mail, and the mails are alike.
    app.deliver_due().await;
    assert!(["new@example.com", "new@example.org"].iter().all(|who| app.messages(who) == 1));
}

#[tokio::test]
async fn who_may_not_sign_up_leaves_nothing_behind_but_counters() {
    let app = house(Signup::Invite).await;
    journey(&app, ADA).await;
    for table in ["users", "orgs", "identities", "credentials", "events"] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

#[tokio::test]
async fn an_invitation_is_for_its_address_and_works_once() {
    let app = house(Signup::Invite).await;
    orgs::invite(&app.app, &email("Ada@Example.com"), None).await.unwrap();
    assert_eq!(statuses(&journey(&app, "eve@example.com").await), [200, 401, 401, 401]);
    assert_eq!(statuses(&journey(&app, "ada+1@example.com").await), [200, 401, 401, 401], "not for another spelling");
    let first = journey(&app, ADA).await;
    assert_eq!(statuses(&first), [200, 401, 200, 200]);
    assert_eq!(app.number("SELECT count(*) FROM invites"), 0);
    assert_eq!(first[2].json()["team"]["name"], "ada's Team");
    // The account is there for good; the invitation is not needed again.
    app.advance(hours(1));
    assert_eq!(app.from(HERE).sign_in(ADA).await, first[2].json());
}

#[tokio::test]
async fn an_unverified_address_uses_no_invitation_up() {
    let app = house(Signup::Invite).await;
    orgs::invite(&app.app, &email(ADA), None).await.unwrap();
    let code = app.from("203.0.113.66").code(ADA).await;
    for _ in 0..5 {
        app.from("203.0.113.66").verify(ADA, &not(&code)).await;
    }
    assert_eq!(app.number("SELECT count(*) FROM invites"), 1);
    assert_eq!(app.verify(ADA, &code).await.status, 200);
}

#[tokio::test]
async fn an_invitation_into_an_org_shares_its_team_and_key() {
    let app = house(Signup::Invite).await;
    let org = orgs::create(&app.app, "Example GmbH").await.unwrap();
    for who in [ADA, "bob@example.com"] {
        orgs::invite(&app.app, &email(who), Some(org.id)).await.unwrap();
    }
    let teams: Vec<Value> = [app.from(HERE).sign_in(ADA).await, app.from(HERE).sign_in("bob@example.com").await]
        .into_iter()
        .map(|body| body["team"].clone())
        .collect();
    assert_eq!(teams[0], teams[1]);
    assert_eq!(teams[0]["id"], org.id.to_string());
    assert_eq!(teams[0]["name"], "Example GmbH");
    assert_eq!(teams[0]["api_key"], org.api_key.expose().as_str());
    let overview = orgs::overview(&app.app, org.id).await.unwrap();
    assert_eq!((overview.name.as_str(), overview.members), ("Example GmbH", 2));
    let nowhere = orgs::invite(&app.app, &email("eve@example.com"), Some(OrgId::from_bytes([9; 16]))).await;
    assert!(matches!(nowhere, Err(Error::NotFound)));
}

#[tokio::test]
async fn the_last_invitation_of_an_address_counts() {
    let app = house(Signup::Invite).await;
    let org = orgs::create(&app.app, "Example").await.unwrap();
    orgs::invite(&app.app, &email(ADA), None).await.unwrap();
    orgs::invite(&app.app, &email(ADA), Some(org.id)).await.unwrap();
    assert_eq!(app.from(HERE).sign_in(ADA).await["team"]["id"], org.id.to_string());
}

/// Somebody, as the engine sees them.
fn client() -> Client {
    Client::at("198.51.100.1".parse().unwrap())
}

async fn code_in(app: &TestApp, realm: OrgId) -> String {
    let outx = app.app.config.outx;
    let ask = Start {
        realm,
        purpose: "sign-in",
        to: email(ADA).into(),
        shape: outx.shape,
        life: outx.life,
        renew: outx.renew,
        language: "en".into(),
        full_name: None,
        client: client(),
        live: Live::Resent,
        link: false,
        terms: Terms::default(),
    };
    start(&app.app, ask).await.unwrap();
    app.deliver_due().await;
    app.last_code(ADA)
}

async fn verify_in(app: &TestApp, realm: OrgId, purpose: &'static str, code: &str) -> Option<sign_in::SignedIn> {
    let entry = Entry::Typed(Secret::new(code.to_owned()));
    let attempt = Attempt {
        realm,
        purpose,
        to: email(ADA).into(),
        only: None,
        entry,
        shape: app.app.config.outx.shape,
        client: client(),
        terms: Terms::default(),
    };
    sign_in::verify(&app.app, attempt).await.unwrap()
}

#[tokio::test]
async fn what_was_proved_in_one_realm_counts_in_no_other() {
    let app = TestApp::new().await;
    let tenant = OrgId::from_bytes([7; 16]);
    // A tenant's realm verifies the address first: a pre-hijack, if the house believed it.
    let theirs = code_in(&app, tenant).await;
    assert!(
        verify_in(&app, OrgId::HOUSE, "sign-in", &theirs).await.is_none(),
        "a code of one realm is none in another"
    );
    let hijacker = verify_in(&app, tenant, "sign-in", &theirs).await.unwrap();
    let owner = app.from(HERE).sign_in(ADA).await;
    assert_ne!(owner["user"]["id"], hijacker.user.to_string());
    assert_ne!(owner["team"]["id"], hijacker.org.to_string());
    assert_ne!(owner["team"]["api_key"], hijacker.api_key.expose().as_str());
    assert_eq!(app.number("SELECT count(*) FROM identities"), 2);
}

#[tokio::test]
async fn realms_do_not_share_budgets() {
    let app = TestApp::new().await;
    let tenant = OrgId::from_bytes([7; 16]);
    code_in(&app, tenant).await;
    for n in 0..4 {
        let entry = Secret::new("not it".to_owned());
        let client = Client::at(format!("203.0.113.{n}").parse().unwrap());
        for _ in 0..5 {
            let (to, entry, client) = (email(ADA), Entry::Typed(Secret::new(entry.expose().clone())), client.clone());
            let shape = app.app.config.outx.shape;
            let (to, terms) = (to.into(), Terms::default());
            let attempt = Attempt { realm: tenant, purpose: "sign-in", to, only: None, entry, shape, client, terms };
            assert!(sign_in::verify(&app.app, attempt).await.unwrap().is_none());
        }
    }
    assert_eq!(code_in(&app, tenant).await.len(), 13, "the tenant's pool is empty");
    assert_eq!(app.from("198.51.100.1").code(ADA).await.len(), 6, "the house's is not");
}

#[tokio::test]
async fn a_code_for_one_purpose_is_none_for_another() {
    let app = TestApp::new().await;
    let code = code_in(&app, OrgId::HOUSE).await;
    assert!(verify_in(&app, OrgId::HOUSE, "delete-account", &code).await.is_none());
    app.advance(minutes(1));
    assert!(verify_in(&app, OrgId::HOUSE, "sign-in", &code).await.is_some());
    assert_eq!(app.verify(ADA, &code).await.both(), wrong());
}
