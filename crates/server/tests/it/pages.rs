//! Signing in to the house through the pages: by code, by link on the same device and on another; and everybody who wants in without having
//! asked.

use axum::http::Method;

use crate::app::{TestApp, hours, minutes, not, seconds};
use crate::browser::Browser;
use crate::native::{problem, program};

pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const HOME: &str = "198.51.100.10";
pub(crate) const AWAY: &str = "198.51.100.20";
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
