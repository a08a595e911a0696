//! Signing in for an app through the pages: what the browser brings back, what it is exchanged for, and where nobody is sent; and the link
//! that a program asked for.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use serde_json::{Value, json};

use crate::app::{TestApp, minutes, not, seconds};
use crate::browser::Browser;
use crate::native::{claims, key_of, problem, program};
use crate::pages::{ADA, AWAY, HOME, sign_in};

/// A verifier and its challenge (RFC 7636, appendix B).
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "https://app.example.com/callback";

/// An org with an app: its id.
pub(crate) async fn org_with_app(app: &TestApp) -> String {
    let key = key_of(app, "boss@example.com").await;
    let program = program(app, &key);
    assert_eq!(program.post("/v1/redirects", json!({ "uri": CALLBACK })).await.status, 201);
    program.get("/v1/orgs").await.json()["data"][0]["id"].as_str().unwrap().to_owned()
}

fn authorize(client: &str, uri: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", uri),
        ("state", "s&1"),
        ("nonce", "n1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    format!("/signin?{}", query.finish())
}

/// Signs in for an app; gives the code that the browser brings.
pub(crate) async fn code_for(app: &TestApp, client: &str) -> String {
    let mut browser = Browser::open(app, HOME, &authorize(client, CALLBACK)).await;
    browser.ask(ADA).await;
    assert!(
        browser.page.header("content-security-policy").unwrap().contains("form-action 'self' https://app.example.com;")
    );
    app.deliver_due().await;
    browser.send("/signin/code", &[("code", &app.last_code(ADA))]).await;
    let back = url::Url::parse(&browser.at).unwrap();
    let parameters: std::collections::BTreeMap<String, String> = back.query_pairs().into_owned().collect();
    assert_eq!((back.host_str(), back.path()), (Some("app.example.com"), "/callback"));
    assert_eq!((parameters["state"].as_str(), parameters["iss"].as_str()), ("s&1", app.app.base_url().as_str()));
    browser.go("/account").await;
    assert_eq!(browser.at, "/signin", "the app's sign-in is the app's");
    parameters["code"].clone()
}

pub(crate) async fn exchange(app: &TestApp, fields: &[(&str, &str)]) -> crate::app::Answer {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    app.from(AWAY).send_as("application/x-www-form-urlencoded", "/v1/token", body.finish()).await
}

pub(crate) fn grant<'a>(client: &'a str, code: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("code", code),
        ("code_verifier", VERIFIER),
    ]
}

#[tokio::test]
async fn an_app_exchanges_what_the_browser_brings_for_tokens() {
    let app = TestApp::new().await;
    let client = org_with_app(&app).await;
    let code = code_for(&app, &client).await;
    let answer = exchange(&app, &grant(&client, &code)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let tokens = answer.json();
    let said = claims(&tokens["id_token"]);
    assert_eq!(
        (&said["aud"], &said["email"], &said["nonce"], &said["amr"]),
        (&json!(client), &json!(ADA), &json!("n1"), &json!(["otp"]))
    );
    let access = tokens["access_token"].as_str().unwrap();
    let holder = app.from(AWAY).saying("authorization", &format!("Bearer {access}"));
    let session = holder.get("/v1/session").await.json();
    assert_eq!(
        (&session["email"], &session["user_id"], &session["client_id"]),
        (&json!(ADA), &said["sub"], &json!(client))
    );
    assert_eq!(holder.get("/v1/sessions").await.json()["data"].as_array().unwrap().len(), 1);
    // An access token is no key, and no cookie.
    assert_eq!(problem(&holder.get("/v1/keys").await), (401, "unauthenticated".to_owned()));
    app.advance(minutes(15));
    assert_eq!(problem(&holder.get("/v1/session").await), (401, "no-session".to_owned()), "for minutes");
}

#[tokio::test]
async fn a_code_is_good_once_for_its_app_its_address_and_its_proof() {
    let app = TestApp::new().await;
    let client = org_with_app(&app).await;
    let code = code_for(&app, &client).await;
    let other = key_of(&app, "eve@example.com").await;
    let other = program(&app, &other).get("/v1/orgs").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    for (name, value) in [
        ("client_id", other.as_str()),
        ("redirect_uri", "https://app.example.com/callback/"),
        ("code_verifier", "ABCftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        ("code_verifier", ""),
        ("code_verifier", CHALLENGE),
        ("code", &not(&code)),
        ("code", ""),
    ] {
        let mut fields = grant(&client, &code);
        fields.iter_mut().filter(|(had, _)| *had == name).for_each(|field| field.1 = value);
        let refused = exchange(&app, &fields).await;
        assert_eq!((problem(&refused).0, &refused.json()["error"]), (400, &json!("invalid_grant")), "{name}");
    }
    let tokens = exchange(&app, &grant(&client, &code)).await;
    assert_eq!(tokens.status, 200, "wrong tries use nothing up");
    let access = format!("Bearer {}", tokens.json()["access_token"].as_str().unwrap());
    let again = exchange(&app, &grant(&client, &code)).await;
    assert_eq!(again.json()["error"], "invalid_grant");
    let holder = app.from(AWAY).saying("authorization", &access);
    assert_eq!(
        problem(&holder.get("/v1/session").await),
        (401, "no-session".to_owned()),
        "one that comes twice ends what it became"
    );

    app.advance(minutes(20));
    let late = code_for(&app, &client).await;
    app.advance(seconds(60));
    assert_eq!(exchange(&app, &grant(&client, &late)).await.json()["error"], "invalid_grant", "a minute");
}

#[tokio::test]
async fn a_stolen_refresh_token_ends_the_whole_family() {
    let app = TestApp::new().await;
    let client = org_with_app(&app).await;
    let code = code_for(&app, &client).await;
    let first = exchange(&app, &grant(&client, &code)).await.json();
    let refresh = async |token: &Value| {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", client.as_str()),
            ("refresh_token", token.as_str().unwrap()),
        ];
        exchange(&app, &fields).await
    };
    app.advance(minutes(10));
    let second = refresh(&first["refresh_token"]).await.json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let third = refresh(&second["refresh_token"]).await.json();
    let access = format!("Bearer {}", third["access_token"].as_str().unwrap());
    let holder = app.from(AWAY).saying("authorization", &access);
    assert_eq!(holder.get("/v1/session").await.status, 200);
    assert_eq!(refresh(&first["refresh_token"]).await.json()["error"], "invalid_grant", "the thief's");
    assert_eq!(refresh(&third["refresh_token"]).await.json()["error"], "invalid_grant", "and everybody else's");
    assert_eq!(problem(&holder.get("/v1/session").await), (401, "no-session".to_owned()));
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'session.reused'"), 1);
}

#[tokio::test]
async fn of_many_that_refresh_at_once_one_gets_through() {
    let app = TestApp::new().await;
    let client = org_with_app(&app).await;
    let code = code_for(&app, &client).await;
    let first = exchange(&app, &grant(&client, &code)).await.json();
    let token = first["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("client_id", client.as_str()), ("refresh_token", token)];
    let answers = futures_util::future::join_all((0..16).map(|_| exchange(&app, &fields))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let other = [
        ("grant_type", "refresh_token"),
        ("client_id", "00000000-0000-0000-0000-000000000000"),
        ("refresh_token", token),
    ];
    assert_eq!(exchange(&app, &other).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn nobody_is_sent_where_the_list_does_not_say() {
    let app = TestApp::new().await;
    let client = org_with_app(&app).await;
    for uri in [
        "https://evil.example/callback",
        "https://app.example.com/callback/",
        "https://app.example.com/callback?x=1",
        "https://app.example.com:443/callback",
        "HTTPS://app.example.com/callback",
        "https://app.example.com/callback#x",
        "https://app.example.com/call%62ack",
        "javascript:alert(1)",
        "//evil.example",
        "/account",
    ] {
        let browser = Browser::open(&app, HOME, &authorize(&client, uri)).await;
        assert!(browser.page.status == 403 && browser.forms().is_empty(), "{uri}: {}", browser.page.status);
        assert!(browser.page.header("location").is_none(), "an open redirect: {uri}");
    }
    let good = authorize(&client, CALLBACK);
    for (part, other) in [
        ("code_challenge_method=S256", "code_challenge_method=plain"),
        ("code_challenge_method=S256", "x=y"),
        ("response_type=code", "response_type=token"),
        ("nonce=n1", "client_id=x"),
        (CHALLENGE, "short"),
        (client.as_str(), "00000000-0000-0000-0000-000000000000"),
    ] {
        let browser = Browser::open(&app, HOME, &good.replace(part, other)).await;
        assert_eq!(browser.page.status, 403, "{other}");
    }
    // Off the list between the page and the form.
    let mut browser = Browser::open(&app, HOME, &good).await;
    app.tamper("DELETE FROM redirects");
    browser.send("/signin", &[("email", ADA)]).await;
    assert_eq!(browser.page.status, 403);
    // A request that was not sealed here.
    let mut form = Browser::open(&app, HOME, "/signin").await.form("/signin");
    form.hidden.iter_mut().filter(|(name, _)| name == "request").for_each(|field| field.1 = "{}".to_owned());
    browser.send_form(&form, &[("email", ADA)]).await;
    assert_eq!(browser.page.status, 403);
}

#[tokio::test]
async fn an_org_that_was_not_raised_has_no_list() {
    let app = TestApp::in_earnest(|config| config.signup = doorcode::config::Signup::Open).await;
    let key = key_of(&app, "boss@example.com").await;
    let program = program(&app, &key);
    let refused = program.post("/v1/redirects", json!({ "uri": CALLBACK })).await;
    assert_eq!(crate::native::wrong_fields(&refused), ["uri"]);
    for uri in ["http://evil.example/", "javascript:alert(1)", ""] {
        assert_eq!(crate::native::wrong_fields(&program.post("/v1/redirects", json!({ "uri": uri })).await), ["uri"]);
    }
}

#[tokio::test]
async fn a_restore_ends_sessions_and_codes() {
    let app = TestApp::new().await;
    let client = org_with_app(&app).await;
    let code = code_for(&app, &client).await;
    let mut browser = Browser::open(&app, HOME, "/signin").await;
    app.advance(seconds(11));
    sign_in(&app, &mut browser).await;
    doorcode::ops::backups::recover(&app.app).await.unwrap();
    browser.go("/account").await;
    assert_eq!(browser.at, "/signin");
    assert_eq!(exchange(&app, &grant(&client, &code)).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_link_that_a_program_asked_for_brings_the_browser_back_with_a_proof() {
    let app = TestApp::new().await;
    let key = key_of(&app, "boss@example.com").await;
    let program = program(&app, &key);
    program.post("/v1/redirects", json!({ "uri": CALLBACK })).await;
    let refused = program.post("/v1/verifications", json!({ "to": ADA, "redirect": "https://evil.example/" })).await;
    assert_eq!(crate::native::wrong_fields(&refused), ["redirect"]);
    let started = program.post("/v1/verifications", json!({ "to": ADA, "redirect": CALLBACK })).await.json();
    app.deliver_due().await;
    let link = app.last_link(ADA);
    // Looking, and pressing without the page's token, changes nothing.
    let mut browser = Browser::open(&app, AWAY, &link).await;
    assert!(!browser.sees(&app.last_code(ADA)), "the code is for whoever reads the mail");
    let mut bare = browser.form(&link);
    bare.hidden.clear();
    browser.send_form(&bare, &[]).await;
    assert_eq!(browser.page.status, 200);
    let path = format!("/v1/verifications/{}", started["id"].as_str().unwrap());
    assert_eq!(program.get(&path).await.json()["status"], "pending");

    let mut codes = Vec::new();
    for _ in 0..2 {
        browser.go(&link).await;
        browser.send(&link.clone(), &[]).await;
        let back = url::Url::parse(&browser.at).unwrap();
        assert_eq!(back.host_str(), Some("app.example.com"), "{}", browser.at);
        let parameters: std::collections::BTreeMap<String, String> = back.query_pairs().into_owned().collect();
        assert_eq!(parameters["verification_id"], started["id"].as_str().unwrap());
        codes.push(parameters["code"].clone());
    }
    assert_eq!(program.get(&path).await.json()["status"], "pending", "a press alone uses nothing up");
    let check = async |code: &str| program.post(&format!("{path}/check"), json!({ "code": code })).await.json();
    assert_eq!(check(&not(&codes[0])).await["valid"], false);
    let other =
        program.post("/v1/verifications", json!({ "to": "bob@example.com", "redirect": CALLBACK })).await.json();
    let elsewhere = format!("/v1/verifications/{}/check", other["id"].as_str().unwrap());
    assert_eq!(
        program.post(&elsewhere, json!({ "code": codes[0] })).await.json()["valid"],
        false,
        "another verification's"
    );
    let right = check(&codes[0]).await;
    assert_eq!((&right["valid"], &claims(&right["token"])["sub"]), (&json!(true), &json!(ADA)));
    app.advance(seconds(11));
    assert_eq!(check(&codes[1]).await["valid"], false, "once");
    browser.go(&link).await;
    assert_eq!(browser.page.status, 410);

    let later =
        program.post("/v1/verifications", json!({ "to": "carl@example.com", "redirect": CALLBACK })).await.json();
    app.deliver_due().await;
    let link = app.last_link("carl@example.com");
    browser.go(&link).await;
    browser.send(&link.clone(), &[]).await;
    let late =
        url::Url::parse(&browser.at).unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    app.advance(seconds(60));
    let path = format!("/v1/verifications/{}/check", later["id"].as_str().unwrap());
    assert_eq!(program.post(&path, json!({ "code": late })).await.json()["valid"], false, "a minute");
}
