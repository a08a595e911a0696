//! Signing in through the pages: by code, by link on the same device and on another, for the house and for an app; and everybody
//! who wants in without having asked.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use axum::http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, hours, minutes, not, seconds};
use crate::browser::Browser;
use crate::native::{claims, key_of, problem, program};

const ADA: &str = "ada@example.com";
const HOME: &str = "198.51.100.10";
const AWAY: &str = "198.51.100.20";
const EVIL: &str = "203.0.113.66";

#[tokio::test]
async fn a_person_signs_in_by_code() {
    let app = TestApp::new().await;
    let mut browser = Browser::open(&app, HOME, "/signin").await;
    browser.ask(ADA).await;
    assert!(browser.sees("autocomplete=\"one-time-code\"") && browser.sees("inputmode=\"numeric\""));
    assert!(!browser.sees(ADA), "masked: whoever looks over a shoulder");
    app.deliver_due().await;
    let code = app.last_code(ADA);
    browser.send("/signin/code", &[("code", &not(&code))]).await;
    assert_eq!(browser.page.status, 422);
    browser.send("/signin/code", &[("code", &format!(" {} {} ", &code[..3], &code[3..]))]).await;
    assert_eq!((browser.page.status, browser.at.as_str()), (200, "/account"), "{}", browser.page.text());
    assert!(browser.sees(ADA) && browser.sees("Firefox on Linux"));
    browser.send("/account/sign-out", &[]).await;
    assert_eq!(browser.at, "/signin");
    browser.go("/account").await;
    assert_eq!(browser.at, "/signin", "and out");
}

#[tokio::test]
async fn the_link_finishes_in_the_browser_that_asked_with_one_press() {
    let app = TestApp::new().await;
    let mut browser = Browser::open(&app, HOME, "/signin").await;
    browser.ask(ADA).await;
    app.deliver_due().await;
    let link = app.last_link(ADA);
    for _ in 0..3 {
        browser.go(&link).await;
        assert_eq!((browser.page.status, browser.forms().len()), (200, 1), "looking uses nothing up");
    }
    browser.send(&link.clone(), &[]).await;
    assert_eq!(browser.at, "/account", "{}", browser.page.text());
    browser.go(&link).await;
    assert_eq!(browser.page.status, 410, "used");
}

#[tokio::test]
async fn another_browser_is_shown_the_code_and_nothing_to_press() {
    let app = TestApp::new().await;
    let mut desk = Browser::open(&app, HOME, "/signin").await;
    desk.ask(ADA).await;
    app.deliver_due().await;
    let phone = Browser::open(&app, AWAY, &app.last_link(ADA)).await;
    let code = app.last_code(ADA);
    assert!(phone.sees(&code) && phone.forms().is_empty(), "{}", phone.page.text());
    assert!(
        phone.page.header("referrer-policy") == Some("no-referrer")
            && phone.page.header("cache-control") == Some("no-store")
    );
    desk.send("/signin/code", &[("code", &code)]).await;
    assert_eq!(desk.at, "/account");
}

/// Everything that a link scanner may do: HEAD, GET, follow, press every button, with cookies and without, and send forms that are
/// on no page.
async fn scan(app: &TestApp, link: &str) {
    let mut scanner = Browser::open(app, EVIL, link).await;
    let head = app.from(EVIL).send(Method::HEAD, link, "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for round in 0..3 {
        for form in scanner.forms() {
            scanner.send_form(&form, &[("code", "000000")]).await;
            assert_ne!(scanner.at, "/account", "round {round}");
        }
        // A press that no page offers, with whatever hidden fields it finds anywhere else.
        let mut elsewhere = Browser::open(app, EVIL, "/signin").await;
        let mut form = elsewhere.form("/signin");
        form.action = link.to_owned();
        elsewhere.send_form(&form, &[]).await;
        assert_ne!(elsewhere.at, "/account");
        elsewhere.go("/account").await;
        assert_eq!(elsewhere.at, "/signin");
        scanner.go(link).await;
    }
    scanner.go("/account").await;
    assert_eq!(scanner.at, "/signin", "the scanner never signs in");
}

#[tokio::test]
async fn a_scanner_neither_uses_a_link_up_nor_signs_anybody_in() {
    let app = TestApp::new().await;
    let mut person = Browser::open(&app, HOME, "/signin").await;
    // A third browser asked for the same address and waits: whatever the scanner presses, it stays signed out.
    let mut third = Browser::open(&app, AWAY, "/signin").await;
    third.ask(ADA).await;
    person.ask(ADA).await;
    app.deliver_due().await;
    let link = app.last_link(ADA);
    scan(&app, &link).await;
    third.go("/account").await;
    assert_eq!(third.at, "/signin");
    third.go("/signin/code").await;
    third.send("/signin/code", &[("code", "000000")]).await;
    assert_eq!(third.page.status, 422, "it waits, and has nothing");
    person.go(&link).await;
    person.send(&link.clone(), &[]).await;
    assert_eq!(person.at, "/account", "the person still signs in");
    third.go("/account").await;
    assert_eq!(third.at, "/signin");
}

#[tokio::test]
async fn a_link_that_is_none_is_dead() {
    let app = TestApp::new().await;
    let mut browser = Browser::open(&app, HOME, "/signin").await;
    browser.ask(ADA).await;
    app.deliver_due().await;
    let link = app.last_link(ADA);
    let (head, token) = link.rsplit_once('/').unwrap();
    let id = head.strip_prefix("/l/").unwrap();
    for bad in [
        format!("{head}/{}", not(token)),
        format!("{head}/x"),
        format!("/l/{}/{token}", id.replace('-', "")),
        format!("/l/00000000-0000-0000-0000-000000000000/{token}"),
        format!("/l/x/{token}"),
        format!("{head}/{}", "é".repeat(20).replace('é', "%C3%A9")),
    ] {
        browser.go(&bad).await;
        assert_eq!(browser.page.status, 410, "{bad}");
    }
    app.advance(minutes(10));
    browser.go(&link).await;
    assert_eq!(browser.page.status, 410, "over");
}

#[tokio::test]
async fn a_form_of_another_site_or_of_another_browser_is_not_ours() {
    let app = TestApp::new().await;
    let mut browser = Browser::open(&app, HOME, "/signin").await;
    let form = browser.form("/signin");
    for site in ["cross-site", "same-site", "none"] {
        browser.submit(&form, &[("email", ADA)], Some(site)).await;
        assert_eq!(browser.page.status, 403, "{site}");
    }
    let mut other = Browser::open(&app, EVIL, "/signin").await;
    other.submit(&form, &[("email", ADA)], Some("same-origin")).await;
    assert_eq!(other.page.status, 403, "a token of another browser");
    let mut bare = form.clone();
    bare.hidden.clear();
    browser.submit(&bare, &[("email", ADA)], Some("same-origin")).await;
    assert_eq!(browser.page.status, 403);
    assert_eq!(app.messages(ADA), 0);
    browser.submit(&form, &[("email", ADA)], None).await;
    assert_eq!(browser.page.status, 303, "a browser that says nothing of sites is held to the token");

    // Signed in: nothing changes without the token.
    app.deliver_due().await;
    browser.go("/signin/code").await;
    browser.send("/signin/code", &[("code", &app.last_code(ADA))]).await;
    let mut phone = Browser::open(&app, AWAY, "/signin").await;
    app.advance(minutes(1));
    sign_in(&app, &mut phone).await;
    let sessions = app.number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL");
    assert_eq!(sessions, 2);
    for action in [
        "/account/keys",
        "/account/keys/revoke",
        "/account/sessions/end",
        "/account/sessions/end-all",
        "/account/sign-out",
    ] {
        browser.go("/account").await;
        let form = browser.form(action);
        browser.submit(&form, &[("name", "x")], Some("cross-site")).await;
        assert_eq!(browser.page.status, 403, "{action}");
        let get = app.from(HOME).get(action).await;
        assert_eq!(get.status, 405, "nothing by GET: {action}");
    }
    assert_eq!(app.number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), sessions);
    assert_eq!(app.number("SELECT count(*) FROM credentials WHERE kind = 'access_key'"), 0);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_does_it_once() {
    let app = TestApp::new().await;
    let mut browser = Browser::open(&app, HOME, "/signin").await;
    browser.ask(ADA).await;
    app.deliver_due().await;
    let (form, code, asked) = (browser.form("/signin/code"), app.last_code(ADA), browser.cookies.clone());
    browser.send_form(&form, &[("code", &code)]).await;
    let first = browser.cookies.clone();
    browser.cookies = asked;
    browser.send_form(&form, &[("code", &code)]).await;
    assert_eq!(browser.at, "/account", "the same again");
    assert_eq!(browser.cookies["door"], first["door"]);
    assert_eq!(app.number("SELECT count(*) FROM sessions"), 1);

    let form = browser.form("/account/keys");
    let mut shown = Vec::new();
    for _ in 0..2 {
        browser.send_form(&form, &[("name", "laptop"), ("scopes", "")]).await;
        let page = browser.page.text();
        let at = page.find("dck_").unwrap_or_else(|| panic!("{page}"));
        shown.push(page[at..at + 36].to_owned());
    }
    assert_eq!(shown[0], shown[1]);
    assert_eq!(app.number("SELECT count(*) FROM credentials WHERE kind = 'access_key'"), 1);
    browser.go("/account").await;
    assert!(!browser.sees(&shown[0]), "shown once");
    let id = browser.forms().into_iter().rfind(|form| form.action == "/account/keys/revoke").unwrap();
    browser.send_form(&id, &[]).await;
    let holder = program(&app, &shown[0]).get("/v1/keys").await;
    assert_eq!(problem(&holder), (401, "unauthenticated".to_owned()));
}

#[tokio::test]
async fn a_sign_in_takes_the_place_of_the_one_before_and_all_can_be_ended() {
    let app = TestApp::new().await;
    let mut desk = Browser::open(&app, HOME, "/signin").await;
    sign_in(&app, &mut desk).await;
    let old = desk.cookies["door"].clone();
    app.advance(minutes(1));
    desk.cookies.remove("door_asked");
    // Signed in already, it signs in once more by way of the page.
    let mut again = Browser::open(&app, HOME, "/signin").await;
    again.cookies.insert("door".to_owned(), old.clone());
    again.send("/signin", &[("email", ADA)]).await;
    app.deliver_due().await;
    again.send("/signin/code", &[("code", &app.last_code(ADA))]).await;
    assert_ne!(again.cookies["door"], old, "rotated at sign-in");
    desk.go("/account").await;
    assert_eq!(desk.at, "/signin", "and the old one is over");

    let mut phone = Browser::open(&app, AWAY, "/signin").await;
    sign_in(&app, &mut phone).await;
    again.go("/account").await;
    again.send("/account/sessions/end-all", &[]).await;
    phone.go("/account").await;
    assert_eq!((again.at.as_str(), phone.at.as_str()), ("/signin", "/signin"));
}

pub(crate) async fn sign_in(app: &TestApp, browser: &mut Browser<'_>) {
    browser.ask(ADA).await;
    app.deliver_due().await;
    browser.send("/signin/code", &[("code", &app.last_code(ADA))]).await;
    assert_eq!(browser.at, "/account", "{}", browser.page.text());
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let app = TestApp::new().await;
    let mut idle = Browser::open(&app, HOME, "/signin").await;
    sign_in(&app, &mut idle).await;
    app.advance(hours(7 * 24));
    idle.go("/account").await;
    assert_eq!(idle.at, "/signin", "not seen for a week");
    let mut busy = Browser::open(&app, HOME, "/signin").await;
    sign_in(&app, &mut busy).await;
    for day in 1..30 {
        app.advance(hours(24));
        busy.go("/account").await;
        app.app.mark_time().await.unwrap();
        assert_eq!(busy.at, "/account", "day {day}");
    }
    app.advance(hours(24));
    busy.go("/account").await;
    assert_eq!(busy.at, "/signin", "thirty days in any case");
}

#[tokio::test]
async fn forged_cookies_open_nothing() {
    let app = TestApp::new().await;
    let mut browser = Browser::open(&app, HOME, "/signin").await;
    sign_in(&app, &mut browser).await;
    let good = browser.cookies["door"].clone();
    for bad in
        [not(&good), good.replacen("dsc_", "dsa_", 1), "x".to_owned(), String::new(), format!("{good}; door={good}")]
    {
        browser.cookies.insert("door".to_owned(), bad.clone());
        browser.go("/account").await;
        assert_eq!(browser.at, "/signin", "{bad}");
    }
    // What a browser asked for can't be made up: it would say which challenge the browser may finish with a click.
    let mut eve = Browser::open(&app, EVIL, "/signin").await;
    eve.ask("eve@example.com").await;
    let cookie = eve.cookies["door_asked"].clone();
    let mut parts: Vec<&str> = cookie.split('.').collect();
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let text = String::from_utf8(engine.decode(parts[1]).unwrap()).unwrap();
    let forged = engine.encode(text.replace("eve@example.com", ADA));
    parts[1] = &forged;
    eve.cookies.insert("door_asked".to_owned(), parts.join("."));
    eve.go("/signin/code").await;
    assert_eq!(eve.at, "/signin");
}

#[tokio::test]
async fn too_many_and_too_late_are_said() {
    let app = TestApp::new().await;
    let mut browser = Browser::open(&app, HOME, "/signin").await;
    browser.send("/signin", &[("email", "no address")]).await;
    assert_eq!(browser.page.status, 422);
    browser.ask(ADA).await;
    app.deliver_due().await;
    let code = app.last_code(ADA);
    let early = browser.form("/signin/resend");
    browser.send_form(&early, &[]).await;
    assert_eq!((browser.page.status, browser.at.as_str()), (200, "/signin/code"), "too early changes nothing");
    assert_eq!(app.deliver_due().await, 0);
    for status in [422, 422, 422, 422, 429] {
        browser.send("/signin/code", &[("code", &not(&code))]).await;
        assert_eq!(browser.page.status, status);
    }
    app.advance(seconds(30));
    browser.send("/signin/resend", &[]).await;
    app.deliver_due().await;
    let long = app.last_code(ADA);
    assert_eq!(long.len(), 13, "nothing is left to guess with, so the next one is long");
    browser.send("/signin/code", &[("code", &long.to_lowercase())]).await;
    assert_eq!(browser.at, "/account");

    let mut late = Browser::open(&app, AWAY, "/signin").await;
    late.ask("grace@example.com").await;
    app.deliver_due().await;
    app.advance(minutes(10));
    late.send("/signin/code", &[("code", &app.last_code("grace@example.com"))]).await;
    assert!(late.page.status == 422 && late.sees("expired"), "{}", late.page.text());
}

#[tokio::test]
async fn known_and_unknown_addresses_see_the_same() {
    let app = TestApp::in_earnest(|config| config.signup = doorcode::config::Signup::Invite).await;
    doorcode::ops::orgs::invite(&app.app, &doorcode_core::Email::parse(ADA).unwrap(), None).await.unwrap();
    let strip = |page: &str| {
        let mut page = page.to_owned();
        while let Some(at) = page.find("form_token\" value=\"") {
            let end = at + page[at + 19..].find('"').unwrap() + 19;
            page.replace_range(at..end, "");
        }
        page
    };
    let mut seen = Vec::new();
    for email in [ADA, "add@example.com"] {
        let mut browser = Browser::open(&app, HOME, "/signin").await;
        browser.ask(email).await;
        let asked = strip(&browser.page.text());
        browser.send("/signin/code", &[("code", "000000")]).await;
        seen.push((asked, browser.page.status, strip(&browser.page.text())));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn pages_speak_the_readers_language() {
    let app = TestApp::new().await;
    for (language, direction) in [("de", "ltr"), ("ar", "rtl"), ("ja", "ltr"), ("pt-BR", "ltr"), ("zh-CN", "ltr")] {
        let mut browser = Browser::speaking(&app, HOME, language, "/signin").await;
        assert!(
            browser.sees(&format!("lang=\"{language}\"")) && browser.sees(&format!("dir=\"{direction}\"")),
            "{language}"
        );
        let email = format!("{}@example.com", language.to_lowercase());
        browser.ask(&email).await;
        app.deliver_due().await;
        let entries = app.app.inbox.as_ref().unwrap().list(Some(&email));
        assert_eq!(entries[0].message().language, language);
    }
}

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
async fn over_tls_cookies_are_for_this_host_alone() {
    let app = TestApp::in_earnest(|config| config.signup = doorcode::config::Signup::Open).await;
    let mut browser = Browser::open(&app, HOME, "/signin").await;
    sign_in(&app, &mut browser).await;
    let names: Vec<&str> = browser.cookies.keys().map(String::as_str).collect();
    assert_eq!(names, ["__Host-door", "__Host-door_forms"]);
    let answer = app.from(HOME).get("/signin").await;
    assert!(answer.header("set-cookie").unwrap().ends_with("; Secure"));
    let csp = answer.header("content-security-policy").unwrap();
    assert!(csp.starts_with("default-src 'none'; script-src 'self'; style-src 'self'") && !csp.contains("unsafe"));
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
