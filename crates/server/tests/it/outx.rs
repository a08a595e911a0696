//! The door `outx` by its published contract: both calls and the team call, every row of the error table and of what we
//! inferred where it is silent (docs/outx.md), and the one hour that its codes live.

use std::fmt::Write as _;

use axum::http::Method;
use doorcode::ops::credentials;
use doorcode_core::OrgId;
use serde_json::{Value, json};

use crate::app::{Answer, HERE, MOMENT, SEND, TestApp, VERIFY, error, hours, minutes, not, seconds, wrong};

const ADA: &str = "ada@example.com";
const BAD_EMAIL: &str = "Missing or invalid 'email'";
const BAD_OTP: &str = "Missing or invalid 'otp'";

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

#[tokio::test]
async fn every_row_of_the_error_table() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    let missing = json!({});
    let mut transcript = String::new();
    let rows: &[(&str, Value, u16, &str)] = &[
        // Published.
        (SEND, missing.clone(), 400, BAD_EMAIL),
        (SEND, json!({"email": null}), 400, BAD_EMAIL),
        (SEND, json!({"email": 7}), 400, BAD_EMAIL),
        (SEND, json!({"email": ["ada@example.com"]}), 400, BAD_EMAIL),
        (SEND, json!({"email": {"a": ADA}}), 400, BAD_EMAIL),
        (SEND, json!({"email": true}), 400, BAD_EMAIL),
        (VERIFY, json!({"otp": "123456"}), 400, BAD_EMAIL),
        (VERIFY, json!({"email": ADA}), 400, BAD_OTP),
        (VERIFY, json!({"email": ADA, "otp": null}), 400, BAD_OTP),
        (VERIFY, json!({"email": ADA, "otp": false}), 400, BAD_OTP),
        (VERIFY, json!({"email": ADA, "otp": ["1"]}), 400, BAD_OTP),
        (VERIFY, json!({"email": ADA, "otp": not(&code)}), 401, "Invalid or expired OTP"),
        // Inferred: a format check, non-empty, one `@`.
        (SEND, json!({"email": ""}), 400, BAD_EMAIL),
        (SEND, json!({"email": "  "}), 400, BAD_EMAIL),
        (SEND, json!({"email": "ada"}), 400, BAD_EMAIL),
        (SEND, json!({"email": "ada@b@example.com"}), 400, BAD_EMAIL),
        (SEND, json!({"email": "ada@localhost"}), 400, BAD_EMAIL),
        // Both bad: the address is looked at first.
        (VERIFY, missing, 400, BAD_EMAIL),
        (VERIFY, json!({"email": 1, "otp": 1}), 400, BAD_EMAIL),
        // A number is no string, even if it is the code.
        (VERIFY, json!({"email": ADA, "otp": code.parse::<u32>().unwrap()}), 400, BAD_OTP),
        (VERIFY, json!({"email": ADA, "otp": ""}), 400, BAD_OTP),
        (VERIFY, json!({"email": ADA, "otp": " "}), 400, BAD_OTP),
        // Another form of text is just wrong.
        (VERIFY, json!({"email": ADA, "otp": "12345"}), 401, "Invalid or expired OTP"),
        (VERIFY, json!({"email": ADA, "otp": "abc"}), 401, "Invalid or expired OTP"),
        // An address that never asked.
        (VERIFY, json!({"email": "nobody@example.com", "otp": "123456"}), 401, "Invalid or expired OTP"),
    ];
    for (path, body, status, text) in rows {
        let answer = app.post(path, body.clone()).await;
        assert_eq!(answer.both(), (*status, error(text)), "{path} {body}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let shown = body.to_string().replace(&not(&code), "<wrong>").replace(code.trim_start_matches('0'), "<right>");
        writeln!(transcript, "{path} {shown}\n  {} {}", answer.status, answer.text()).unwrap();
    }
    snapshot("outx_errors", &transcript);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_a_missing_email() {
    let app = TestApp::new().await;
    for path in [SEND, VERIFY] {
        for body in ["", "x", "{", "[]", "null", "\"ada@example.com\"", "email=ada%40example.com"] {
            let answer = app.from(HERE).send(Method::POST, path, body).await;
            assert_eq!(answer.both(), (400, error(BAD_EMAIL)), "{path} {body}");
        }
    }
}

#[tokio::test]
async fn a_newcomer_gets_user_team_and_key() {
    let app = TestApp::new().await;
    let sent = app.post(SEND, json!({"email": " Ada@EXAMPLE.com ", "full_name": "Ada Lovelace"})).await;
    assert_eq!(sent.both(), (200, r#"{"success":true,"email":"ada@example.com"}"#.to_owned()));
    app.deliver_due().await;
    let code = app.last_code(ADA);
    assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "six digits");
    let answer = app.verify("ADA@example.com", &code).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    let key = body["team"]["api_key"].as_str().unwrap();
    let tail = key.strip_prefix("outx_").unwrap();
    assert!(tail.len() == 24 && tail.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{key}");
    let mut shown = answer.text().replace(key, "<key>");
    for (name, id) in [("<user>", &body["user"]["id"]), ("<team>", &body["team"]["id"])] {
        let id = id.as_str().unwrap();
        assert!(id.parse::<OrgId>().is_ok(), "{id} is a UUID");
        shown = shown.replace(id, name);
    }
    snapshot("outx_signed_in", &format!("{}\n{shown}\n", sent.text()));
}

#[tokio::test]
async fn a_later_sign_in_finds_the_same_user_team_and_key() {
    let app = TestApp::new().await;
    app.post(SEND, json!({"email": ADA, "full_name": "Ada Lovelace"})).await;
    app.deliver_due().await;
    let first = app.verify(ADA, &app.last_code(ADA)).await.json();
    app.advance(hours(40 * 24));
    // From elsewhere, and with another name: that is only for an account that gets made.
    let elsewhere = app.from("203.0.113.9");
    let sent = elsewhere.post(SEND, json!({"email": ADA, "full_name": "Somebody Else"})).await;
    assert_eq!(sent.both(), (200, r#"{"success":true,"email":"ada@example.com"}"#.to_owned()));
    app.deliver_due().await;
    assert_eq!(elsewhere.verify(ADA, &app.last_code(ADA)).await.json(), first);
    assert_eq!(app.number("SELECT count(*) FROM credentials"), 1);
}

#[tokio::test]
async fn the_team_is_named_after_its_first_user() {
    let app = TestApp::new().await;
    let long = "x".repeat(10_000);
    for (n, (given, name)) in [
        (json!("John Doe"), "John Doe"),
        (json!("  John \t Doe\n"), "John Doe"),
        (json!("Zoë O'Neil-李"), "Zoë O'Neil-李"),
        (json!(""), "j0"),
        (json!("   "), "j0"),
        (json!(null), "j0"),
        (json!(7), "j0"),
        (json!(["John"]), "j0"),
        (json!(long), &long[..100]),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("j{n}@example.com");
        let name = if name == "j0" { format!("j{n}") } else { name.to_owned() };
        assert_eq!(app.post(SEND, json!({"email": email, "full_name": given})).await.status, 200);
        app.deliver_due().await;
        let body = app.verify(&email, &app.last_code(&email)).await.json();
        assert_eq!(body["user"]["full_name"], name, "{given}");
        assert_eq!(body["team"]["name"], format!("{name}'s Team"), "{given}");
    }
}

#[tokio::test]
async fn only_the_verifying_clients_own_start_names_the_account() {
    let app = TestApp::new().await;
    let attacker = app.from("203.0.113.66");
    let name = |email: &str, name: &str| json!({"email": email, "full_name": name});
    // Whether the attacker comes first or last.
    attacker.post(SEND, name(ADA, "Evil Corp, call +1 555")).await;
    let body = app.from(HERE).sign_in(ADA).await;
    assert_eq!(body["user"]["full_name"], "ada");
    app.post(SEND, name("bob@example.com", "Bob")).await;
    attacker.post(SEND, name("bob@example.com", "Evil Corp, call +1 555")).await;
    app.deliver_due().await;
    let body = app.verify("bob@example.com", &app.last_code("bob@example.com")).await.json();
    assert!(!body.to_string().contains("Evil"), "{body}");
    // Nor is a name ever in a mail.
    for entry in app.app.inbox.as_ref().unwrap().list(None) {
        assert!(!serde_json::to_string(&entry).unwrap().contains("Evil"));
    }
}

#[tokio::test]
async fn asking_again_without_a_name_does_not_lose_it() {
    let app = TestApp::new().await;
    app.post(SEND, json!({"email": ADA, "full_name": "Ada Lovelace"})).await;
    // A resend button, and somebody else who only knows the address.
    app.start(ADA).await;
    app.from("203.0.113.66").start(ADA).await;
    app.deliver_due().await;
    let body = app.verify(ADA, &app.last_code(ADA)).await.json();
    assert_eq!(body["user"]["full_name"], "Ada Lovelace");
}

#[tokio::test]
async fn a_code_lives_one_hour_to_the_millisecond() {
    let app = TestApp::new().await;
    let (early, late) = ("early@example.com", "late@example.com");
    let codes = [app.code(early).await, app.code(late).await];
    app.advance(hours(1) - MOMENT);
    assert_eq!(app.verify(early, &codes[0]).await.status, 200);
    app.advance(MOMENT);
    assert_eq!(app.verify(late, &codes[1]).await.both(), wrong());
}

#[tokio::test]
async fn a_resend_is_the_same_code_and_does_not_live_longer() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    app.advance(minutes(40));
    assert_eq!(app.code(ADA).await, code);
    assert_eq!(app.messages(ADA), 2);
    app.advance(minutes(20));
    assert_eq!(app.verify(ADA, &code).await.both(), wrong(), "its hour began with the first start");
}

#[tokio::test]
async fn a_code_that_would_die_soon_is_renewed() {
    let app = TestApp::new().await;
    let first = app.code(ADA).await;
    app.advance(minutes(55) - MOMENT);
    assert_eq!(app.code(ADA).await, first, "five minutes and a moment are left");
    app.advance(MOMENT);
    let second = app.code(ADA).await;
    assert_ne!(second, first);
    assert_eq!(app.verify(ADA, &first).await.both(), wrong(), "the newest wins");
    app.advance(hours(1) - MOMENT);
    assert_eq!(app.verify(ADA, &second).await.status, 200, "the new one has an hour of its own");
}

#[tokio::test]
async fn a_code_works_once() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    let first = app.verify(ADA, &code).await;
    assert_eq!(first.status, 200);
    // People paste and press Enter: the same client sees the same success for ten seconds, and nobody else does.
    assert_eq!(app.verify(ADA, &code).await.both(), first.both());
    assert_eq!(app.from("192.0.2.2").verify(ADA, &code).await.both(), wrong());
    app.advance(seconds(10) - MOMENT);
    assert_eq!(app.verify(ADA, &code).await.both(), first.both());
    app.advance(MOMENT);
    assert_eq!(app.verify(ADA, &code).await.both(), wrong());
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'user.signed_in'"), 1);
    assert_ne!(app.code(ADA).await, code, "a used code is never sent again");
}

#[tokio::test]
async fn eight_repeats_and_no_more() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    for n in 0..12 {
        let expected = if n < 9 { 200 } else { 401 };
        assert_eq!(app.verify(ADA, &code).await.status, expected, "answer {n}");
    }
}

/// What it earned may be no more by then. It counts all the same: else a repeat could be tried for ever, and what is counted elsewhere
/// would be taken back with it.
#[tokio::test]
async fn a_repeat_whose_key_was_revoked_meanwhile_is_counted() {
    let app = TestApp::new().await;
    let code = app.code(ADA).await;
    let key = app.verify(ADA, &code).await.json()["team"]["api_key"].as_str().unwrap().to_owned();
    let program = app.from(HERE).saying("authorization", &format!("Bearer {key}"));
    let keys = program.get("/v1/keys").await.json();
    let id = keys["data"][0]["id"].as_str().unwrap();
    assert_eq!(program.send(Method::DELETE, &format!("/v1/keys/{id}"), "").await.status, 204);
    for n in 0..10 {
        assert_eq!(app.verify(ADA, &code).await.both(), wrong(), "answer {n}");
        assert_eq!(app.number("SELECT max(repeats) FROM challenges"), (n + 1).min(8));
    }
}

#[tokio::test]
async fn a_code_is_for_its_address_alone() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.code(ADA).await, app.code("bob@example.com").await);
    assert_ne!(ada, bob);
    assert_eq!(app.verify("bob@example.com", &ada).await.both(), wrong());
    assert_eq!(app.verify("a.da@example.com", &ada).await.both(), wrong(), "dots fold for budgets, not for identity");
    assert_eq!(app.verify("ada+x@example.com", &ada).await.both(), wrong());
    assert_eq!(app.verify(ADA, &ada).await.status, 200);
}

#[tokio::test]
async fn the_mail_says_how_long_the_code_lives() {
    let app = TestApp::new().await;
    for (wait, says) in [(0, "in 60 minutes"), (30, "in 30 minutes"), (29, "in 60 minutes")] {
        app.advance(minutes(wait));
        app.code(ADA).await;
        let newest = &app.app.inbox.as_ref().unwrap().list(Some(ADA))[0];
        for text in [&newest.message().text, &newest.message().html] {
            assert!(text.expose().contains(&format!("expires {says}")), "{}", text.expose());
        }
    }
    assert_eq!(app.app.config.outx.life, hours(1));
}

#[tokio::test]
async fn the_team_call_knows_its_key() {
    let app = TestApp::new().await;
    let body = app.from(HERE).sign_in(ADA).await;
    let key = body["team"]["api_key"].as_str().unwrap();
    let team = app.from(HERE).saying("x-api-key", key).get("/api-team").await;
    assert_eq!(team.status, 200);
    snapshot("outx_team", &team.text().replace(body["team"]["id"].as_str().unwrap(), "<team>"));
}

#[tokio::test]
async fn a_bad_key_is_unauthorized_however_it_is_bad() {
    let app = TestApp::new().await;
    let body = app.from(HERE).sign_in(ADA).await;
    let key = body["team"]["api_key"].as_str().unwrap();
    let unauthorized = (401, error("Unauthorized"));
    let long = "x".repeat(10_000);
    for bad in ["", "outx_", "outx_aaaaaaaaaaaaaaaaaaaaaaaa", &key[5..], &key.to_uppercase(), &not(key), &long] {
        assert_eq!(app.from(HERE).saying("x-api-key", bad).get("/api-team").await.both(), unauthorized, "{bad:.40}");
    }
    assert_eq!(app.get("/api-team").await.both(), unauthorized);
    let two = app.from(HERE).saying("x-api-key", key).saying("x-api-key", key);
    assert_eq!(two.get("/api-team").await.both(), unauthorized);
    let prefixed = app.from(HERE).saying("x-api-key", &key.replace("outx_", "dcs_"));
    assert_eq!(prefixed.get("/api-team").await.both(), unauthorized);
    let bearer = app.from(HERE).saying("authorization", &format!("Bearer {key}"));
    assert_eq!(bearer.get("/api-team").await.both(), unauthorized, "there is no bearer form");
    let query = app.get(&format!("/api-team?x-api-key={key}")).await;
    assert_eq!(query.both(), unauthorized);
}

#[tokio::test]
async fn a_revoked_key_is_dead_and_the_next_sign_in_makes_another() {
    let app = TestApp::new().await;
    let first = app.from(HERE).sign_in(ADA).await;
    let key = first["team"]["api_key"].as_str().unwrap();
    let org: OrgId = first["team"]["id"].as_str().unwrap().parse().unwrap();
    let row = credentials::recognise(&app.app, doorcode::store::credentials::Kind::ApiKey, key).await.unwrap().unwrap();
    assert!(credentials::revoke(&app.app, org, row.id).await.unwrap());
    let team = async |key: &str| app.from(HERE).saying("x-api-key", key).get("/api-team").await;
    assert_eq!(team(key).await.both(), (401, error("Unauthorized")));
    let second = app.from(HERE).sign_in(ADA).await;
    let other = second["team"]["api_key"].as_str().unwrap();
    assert_ne!(other, key, "a revoked key never comes back");
    assert_eq!((&second["team"]["id"], &second["user"]), (&first["team"]["id"], &first["user"]));
    assert_eq!(team(other).await.status, 200);
}

#[tokio::test]
async fn a_clients_secret_is_no_api_key() {
    let app = TestApp::new().await;
    let org = doorcode::ops::orgs::create(&app.app, "Example").await.unwrap();
    let team = async |key: &str| app.from(HERE).saying("x-api-key", key).get("/api-team").await.status;
    assert_eq!(team(org.client_secret.expose()).await, 401);
    assert_eq!(team(org.api_key.expose()).await, 200);
}

#[tokio::test]
async fn other_methods_paths_and_sizes_have_the_doors_form() {
    let app = TestApp::new().await;
    let client = app.from(HERE);
    for path in [SEND, VERIFY] {
        for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            assert_eq!(client.send(method, path, "{}").await.both(), (405, error("Method not allowed")), "{path}");
        }
    }
    assert_eq!(client.send(Method::POST, "/api-team", "{}").await.both(), (405, error("Method not allowed")));
    for path in ["/linkedin-agent", "/linkedin-agent/auth-send-otp/", "/LINKEDIN-AGENT/auth-send-otp", "/%00", "/x?y"] {
        assert_eq!(client.send(Method::POST, path, "{}").await.both(), (404, error("Not found")), "{path}");
    }
    let fill = |size: usize| format!("{{\"email\":\"ada@example.com\"{}}}", " ".repeat(size - 27));
    assert_eq!(fill(100).len(), 100);
    assert_eq!(client.send(Method::POST, SEND, fill(65_536)).await.status, 200);
    let too_large: Answer = client.send(Method::POST, SEND, fill(65_537)).await;
    assert_eq!(too_large.both(), (413, error("Request body too large")));
}
