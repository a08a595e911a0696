//! The page on which a person says yes or no to their agents, without a script: who may, what it shows, what changes and what does not.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::time::Duration;

use doorcode::ops::agents::{self, Wanted};
use doorcode::ops::audit::Whose;
use doorcode::ops::relays::{self, Ask, Asking, Handed, Viewer};
use doorcode::ops::{devices, sessions};
use doorcode::store::relays::Relay;
use doorcode_core::relay::{Named as _, State};
use doorcode_core::seal::{Context, PrivateKey};
use doorcode_core::session::Kind;
use doorcode_core::{RelayId, Secret};

use crate::app::{TestApp, minutes, seconds};
use crate::browser::Browser;

pub(crate) const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
pub(crate) const HOME: &str = "198.51.100.10";
pub(crate) const AWAY: &str = "198.51.100.20";

/// Signs in on the way to a page.
pub(crate) async fn person<'a>(app: &'a TestApp, from: &'static str, email: &str, page: &str) -> Browser<'a> {
    let mut browser = Browser::open(app, from, page).await;
    assert!(browser.at.starts_with("/signin"), "{}", browser.at);
    sign_in(app, &mut browser, email).await;
    browser
}

async fn sign_in(app: &TestApp, browser: &mut Browser<'_>, email: &str) {
    browser.ask(email).await;
    app.deliver_due().await;
    browser.send("/signin/code", &[("code", &app.last_code(email))]).await;
    assert_eq!(browser.page.status, 200, "{}", browser.page.text());
}

/// Who is signed in with a browser.
pub(crate) async fn whose(app: &TestApp, browser: &Browser<'_>) -> Whose {
    let live = sessions::read(&app.app, Kind::Cookie, &browser.cookies["door"]).await.unwrap().unwrap();
    Whose { org: live.session.org, owner: live.session.user }
}

pub(crate) async fn agent(app: &TestApp, whose: Whose, name: &str) -> Asking {
    let wanted = Wanted { name: name.to_owned(), description: None, test: false, identity: None };
    Asking { agent: agents::create(&app.app, whose, wanted, None).await.unwrap().agent, test: false }
}

/// Ada before the page, and an agent of hers.
pub(crate) async fn with_bot(app: &TestApp) -> (Browser<'_>, Whose, Asking) {
    let browser = person(app, HOME, ADA, "/approvals").await;
    let owner = whose(app, &browser).await;
    let bot = agent(app, owner, "Bot").await;
    (browser, owner, bot)
}

pub(crate) fn wish(sender: Option<&str>) -> Ask {
    Ask {
        reason: "To sign in".to_owned(),
        public_key: PrivateKey::from_seed(Secret::new([7; 32])).public().unwrap().encode().unwrap(),
        identity: None,
        sources: 2,
        sender: None,
        sender_pattern: sender.map(str::to_owned),
        content_pattern: None,
        received_after: None,
        life: minutes(5),
        origin: "203.0.113.7".to_owned(),
    }
}

pub(crate) async fn ask(app: &TestApp, asking: &Asking, sender: Option<&str>) -> Relay {
    relays::request(&app.app, asking, wish(sender)).await.unwrap()
}

pub(crate) async fn state(app: &TestApp, whose: Whose, id: RelayId) -> State {
    let shown = relays::show(&app.app, Viewer::Owner(&whose.owner), id).await.unwrap();
    shown.relay.standing.at(app.now())
}

/// Sends the form of that action which names this request.
pub(crate) async fn press(browser: &mut Browser<'_>, action: &str, id: RelayId) {
    let named = ("id".to_owned(), id.shown());
    let form = browser.forms().into_iter().find(|form| form.action == action && form.hidden.contains(&named));
    let form = form.unwrap_or_else(|| panic!("no {action} for {}: {}", id.shown(), browser.page.text()));
    browser.send_form(&form, &[]).await;
}

#[tokio::test]
async fn a_person_comes_back_to_the_page_and_says_yes_to_one_and_no_to_another() {
    let app = TestApp::new().await;
    let mut browser = person(&app, HOME, ADA, "/approvals").await;
    assert_eq!(browser.at, "/approvals", "back where one came from");
    assert!(browser.sees("Nothing waits for you."));
    let whose = whose(&app, &browser).await;
    let bot = agent(&app, whose, "Travel bot").await;
    let (yes, no) = (ask(&app, &bot, Some("*@acme.com")).await, ask(&app, &bot, Some("*@bank.example")).await);
    browser.go("/approvals").await;
    let key = PrivateKey::from_seed(Secret::new([7; 32])).public().unwrap().fingerprint().unwrap().to_string();
    for seen in [
        "Travel bot",
        "To sign in",
        "*@acme.com",
        "203.0.113.7",
        &*key,
        ">2:00</time>",
        "often sign in to your account",
    ] {
        assert!(browser.sees(seen), "{seen}: {}", browser.page.text());
    }
    let policy = browser.page.header("content-security-policy").unwrap();
    assert!(policy.contains("connect-src 'self'") && !policy.contains("unsafe"), "{policy}");
    press(&mut browser, "/approvals/approve", yes.id).await;
    assert!(browser.page.status == 200 && browser.sees("Approved."), "{}", browser.page.text());
    press(&mut browser, "/approvals/deny", no.id).await;
    assert!(browser.page.status == 200 && browser.sees("Denied."));
    assert_eq!((state(&app, whose, yes.id).await, state(&app, whose, no.id).await), (State::Approved, State::Denied));
    assert_eq!(app.number("SELECT count(*) FROM audit WHERE kind IN ('otp_approve', 'otp_deny')"), 2);
    assert!(
        browser.sees("waiting for the message")
            && browser.forms().iter().all(|form| form.action != "/approvals/approve")
    );
}

#[tokio::test]
async fn the_link_of_an_agent_leads_through_the_sign_in_to_its_card() {
    let app = TestApp::new().await;
    let ada = person(&app, HOME, ADA, "/approvals").await;
    let bot = agent(&app, whose(&app, &ada).await, "Bot").await;
    let relay = ask(&app, &bot, Some("*@acme.com")).await;
    let link = format!("/approvals?request={}", relay.id.shown());
    app.advance(minutes(1));
    let other = person(&app, AWAY, ADA, &link).await;
    assert_eq!(other.at, link);
    assert!(other.sees("class=\"request meant\""));
}

#[tokio::test]
async fn another_persons_request_is_none() {
    let app = TestApp::new().await;
    let ada = person(&app, HOME, ADA, "/approvals").await;
    let owner = whose(&app, &ada).await;
    let bot = agent(&app, owner, "Bot").await;
    let (relay, own) = (ask(&app, &bot, Some("*@acme.com")).await, RelayId::from_bytes([9; 16]));
    let mut bob = person(&app, AWAY, BOB, "/approvals").await;
    bob.go(&format!("/approvals?request={}", relay.id.shown())).await;
    assert_eq!(bob.page.status, 404);
    for (action, id) in
        ["approve", "deny", "choose", "unverified"].into_iter().flat_map(|step| [(step, relay.id), (step, own)])
    {
        bob.go("/approvals").await;
        let mut form = bob.form("/approvals/pause");
        form.action = format!("/approvals/{action}");
        bob.submit(&form, &[("id", &id.shown()), ("sure", "1")], Some("same-origin")).await;
        assert_eq!(bob.page.status, 404, "{action}: {}", bob.page.text());
    }
    for path in [format!("/approvals/agents/{}", bot.agent.id.shown()), "/approvals?request=x".to_owned()] {
        bob.go(&path).await;
        assert_eq!(bob.page.status, 404, "{path}");
    }
    assert_eq!(state(&app, owner, relay.id).await, State::PendingApproval);
}

#[tokio::test]
async fn looking_changes_nothing_and_nothing_is_done_by_get() {
    let app = TestApp::new().await;
    let mut browser = person(&app, HOME, ADA, "/approvals").await;
    let bot = agent(&app, whose(&app, &browser).await, "Bot").await;
    let relay = ask(&app, &bot, Some("*@acme.com")).await;
    let rows = |app: &TestApp| {
        ["audit", "events", "push_subscriptions", "device_links", "devices"]
            .map(|table| app.number(&format!("SELECT count(*) FROM {table}")))
    };
    let before = rows(&app);
    let id = relay.id.shown();
    let agent = format!("/approvals/agents/{}", bot.agent.id.shown());
    for path in ["/approvals", &format!("/approvals?request={id}"), "/approvals/settings", &agent, "/sw.js"] {
        browser.go(path).await;
        assert_eq!(browser.page.status, 200, "{path}");
    }
    for path in [
        "approve",
        "deny",
        "choose",
        "unverified",
        "pause",
        "senders",
        "devices/link",
        "devices/collector",
        "mailboxes/add",
        "push/add",
    ] {
        browser.go(&format!("/approvals/{path}?id={id}&on=1&sure=1")).await;
        assert_eq!(browser.page.status, 405, "{path}");
    }
    assert_eq!(rows(&app), before);
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let app = TestApp::new().await;
    let (mut browser, owner, bot) = with_bot(&app).await;
    let relay = ask(&app, &bot, Some("*@acme.com")).await;
    browser.go("/approvals").await;
    let form = browser.form("/approvals/pause");
    let id = relay.id.shown();
    let agent = format!("agents/{}", bot.agent.id.shown());
    let agent_steps = ["pause", "block", "rename", "identity", "rules", "remove"].map(|step| format!("{agent}/{step}"));
    let steps = [
        "approve",
        "deny",
        "choose",
        "unverified",
        "pause",
        "senders",
        "devices/link",
        "devices/collector",
        "devices/remove",
        "mailboxes/add",
        "mailboxes/password",
        "mailboxes/remove",
        "push/add",
        "push/remove",
    ];
    let before = app.number("SELECT count(*) FROM audit");
    for step in steps.into_iter().chain(agent_steps.iter().map(String::as_str)) {
        for (site, hidden) in [("cross-site", true), ("same-site", true), ("same-origin", false)] {
            let mut form = form.clone();
            form.action = format!("/approvals/{step}");
            if !hidden {
                form.hidden.clear();
            }
            browser.submit(&form, &[("id", &id), ("sure", "1"), ("name", "x")], Some(site)).await;
            assert_eq!(browser.page.status, 403, "{step} {site}");
        }
    }
    assert_eq!(app.number("SELECT count(*) FROM audit"), before);
    assert_eq!(app.number("SELECT count(*) FROM device_links"), 0);
    assert_eq!(state(&app, owner, relay.id).await, State::PendingApproval);
}

#[tokio::test]
async fn a_yes_needs_a_young_sign_in_and_a_no_does_not() {
    let app = TestApp::new().await;
    let (mut browser, owner, bot) = with_bot(&app).await;
    app.advance(minutes(15) + seconds(1));
    let (yes, no) = (ask(&app, &bot, Some("*@acme.com")).await, ask(&app, &bot, Some("*@other.example")).await);
    browser.go("/approvals").await;
    press(&mut browser, "/approvals/approve", yes.id).await;
    assert!(browser.page.status == 403 && browser.sees("too long ago"), "{}", browser.page.text());
    assert_eq!(state(&app, owner, yes.id).await, State::PendingApproval);
    let again = format!("/signin?next=%2Fapprovals%3Frequest%3D{}", yes.id.shown());
    assert!(browser.sees(&again), "{}", browser.page.text());
    press(&mut browser, "/approvals/deny", no.id).await;
    assert_eq!(state(&app, owner, no.id).await, State::Denied);

    browser.go(&again).await;
    assert!(browser.at.starts_with("/signin") && browser.sees(ADA), "the address is there already");
    sign_in(&app, &mut browser, ADA).await;
    assert_eq!(browser.at, format!("/approvals?request={}", yes.id.shown()), "back at the same card");
    press(&mut browser, "/approvals/approve", yes.id).await;
    assert_eq!(state(&app, owner, yes.id).await, State::Approved);
}

#[tokio::test]
async fn any_message_at_all_needs_a_second_yes() {
    let app = TestApp::new().await;
    let (mut browser, owner, bot) = with_bot(&app).await;
    let relay = ask(&app, &bot, None).await;
    browser.go("/approvals").await;
    assert!(browser.sees("Any message, of any sender"));
    press(&mut browser, "/approvals/approve", relay.id).await;
    assert!(browser.sees("Really any message?"), "{}", browser.page.text());
    assert_eq!(state(&app, owner, relay.id).await, State::PendingApproval, "once is not enough");
    // Again by way of the card, as late as one likes: it is the first word once more.
    app.advance(seconds(30));
    browser.go("/approvals").await;
    press(&mut browser, "/approvals/approve", relay.id).await;
    assert!(browser.sees("Really any message?"));
    assert_eq!(state(&app, owner, relay.id).await, State::PendingApproval);
    press(&mut browser, "/approvals/approve", relay.id).await;
    assert_eq!(state(&app, owner, relay.id).await, State::Approved);
}

#[tokio::test]
async fn what_an_agent_says_and_is_called_is_text() {
    let app = TestApp::new().await;
    let mut browser = person(&app, HOME, ADA, "/approvals").await;
    let evil = "<script>alert(1)</script>\"><img src=x onerror=alert(1)>";
    let bot = agent(&app, whose(&app, &browser).await, evil).await;
    let mut wanted = wish(Some("*@acme.com"));
    wanted.reason = format!("{evil} {}", "x".repeat(440));
    wanted.sender = Some(evil.to_owned());
    let relay = relays::request(&app.app, &bot, wanted).await.unwrap();
    let pages = [
        "/approvals".to_owned(),
        "/approvals/settings".to_owned(),
        format!("/approvals/agents/{}", bot.agent.id.shown()),
    ];
    for page in pages {
        browser.go(&page).await;
        assert!(browser.sees("&#60;script&#62;") && !browser.sees("<script>") && !browser.sees("<img"), "{page}");
    }
    browser.go("/approvals").await;
    press(&mut browser, "/approvals/deny", relay.id).await;
    assert!(browser.sees("&#60;script&#62;") && !browser.sees("<script>"), "and in the history");
}

#[tokio::test]
async fn of_two_agents_that_wait_for_the_same_message_the_person_chooses_one() {
    let app = TestApp::new().await;
    let mut browser = person(&app, HOME, ADA, "/approvals").await;
    let owner = whose(&app, &browser).await;
    let (one, two) = (agent(&app, owner, "Travel bot").await, agent(&app, owner, "Mail bot").await);
    let (first, second) = (ask(&app, &one, Some("*@acme.com")).await, ask(&app, &two, Some("noreply@acme.com")).await);
    let apart = ask(&app, &two, Some("*@other.example")).await;
    browser.go("/approvals").await;
    assert_eq!(browser.page.text().matches("Another agent waits for the same message").count(), 2);
    for id in [first.id, second.id, apart.id] {
        press(&mut browser, "/approvals/approve", id).await;
    }
    let device = devices::create(&app.app, owner, "collector", "Home").await.unwrap().device;
    let key = PrivateKey::from_seed(Secret::new([7; 32])).public().unwrap();
    let hand = |relay: &Relay, agent: &Asking| {
        let (request, agent) = (relay.id.shown(), agent.agent.id.shown());
        let context =
            Context { request: &request, agent: &agent, sender: "acme.com", expires_at: relay.standing.expires_at };
        let payload =
            key.seal(&Secret::new("482913".to_owned()), &context, Secret::new([3; 32])).unwrap().into_string();
        let verified = Some("acme.com".to_owned());
        Handed { payload, source: "email", messages: vec![request], verified, forwarder: None, about: None }
    };
    assert!(relays::receive(&app.app, &device, first.id, hand(&first, &one)).await.is_err(), "nobody gets it yet");
    press(&mut browser, "/approvals/choose", second.id).await;
    assert!(browser.sees("You chose this agent."), "{}", browser.page.text());
    assert!(relays::receive(&app.app, &device, first.id, hand(&first, &one)).await.is_err());
    relays::receive(&app.app, &device, second.id, hand(&second, &two)).await.unwrap();
    assert_eq!(state(&app, owner, second.id).await, State::OtpReceived);
    // And what came of it is told.
    relays::consume(&app.app, &two, second.id, None).await.unwrap();
    browser.go("/approvals").await;
    for seen in [
        "The agent has read the code",
        "<bdi>E-mail</bdi> · <bdi>Collector</bdi>",
        "Sender verified",
        "acme.com",
        "Sealed before it came to the server",
    ] {
        assert!(browser.sees(seen), "{seen}: {}", browser.page.text());
    }
}

#[tokio::test]
async fn what_is_over_can_not_be_decided_and_says_so() {
    let app = TestApp::new().await;
    let (mut browser, _, bot) = with_bot(&app).await;
    let (late, back) = (ask(&app, &bot, Some("*@acme.com")).await, ask(&app, &bot, Some("*@acme.com")).await);
    browser.go("/approvals").await;
    let open = browser.forms();
    relays::cancel(&app.app, &bot, back.id).await.unwrap();
    let form = |id: RelayId| {
        let named = ("id".to_owned(), id.shown());
        open.iter().find(|form| form.action == "/approvals/approve" && form.hidden.contains(&named)).unwrap().clone()
    };
    browser.send_form(&form(back.id), &[]).await;
    assert!(browser.page.status == 409 && browser.sees("Too late"), "{}", browser.page.text());
    app.advance(minutes(2));
    browser.send_form(&form(late.id), &[]).await;
    assert!(browser.page.status == 409 && browser.sees("Too late"));
    assert!(browser.sees("Expired") && browser.sees("Taken back by the agent"));
}

#[tokio::test]
async fn history_has_pages() {
    let much = ["AGENT_MINUTE", "PROMPTS", "LIVE"].map(|name| (format!("DOORCODE_RELAY__{name}"), "500"));
    let app = TestApp::with(&much.each_ref().map(|(name, number)| (name.as_str(), *number))).await;
    let (mut browser, _, bot) = with_bot(&app).await;
    for number in 0..60 {
        ask(&app, &bot, Some(&format!("n{number}@acme.com"))).await;
        app.advance(Duration::from_millis(5));
    }
    app.advance(minutes(3));
    let waiting = ask(&app, &bot, Some("now@acme.com")).await;
    browser.go("/approvals").await;
    assert!(browser.sees("n59@acme.com") && browser.sees("n10@acme.com") && !browser.sees("n9@acme.com"));
    assert_eq!(browser.page.text().matches("now@acme.com").count(), 1, "what waits is above");
    let older =
        browser.page.text().split("<a href=\"/approvals?before=").nth(1).unwrap().split('#').next().unwrap().to_owned();
    browser.go(&format!("/approvals?before={older}")).await;
    assert!(browser.sees("n9@acme.com") && browser.sees("n0@acme.com") && !browser.sees("n10@acme.com"));
    assert!(browser.sees(&waiting.id.shown()) && !browser.sees("?before="));
}

#[tokio::test]
async fn everything_can_be_paused_by_whoever_is_signed_in_and_resumed_by_who_signed_in_just_now() {
    let app = TestApp::new().await;
    let mut browser = person(&app, HOME, ADA, "/approvals").await;
    let bot = agent(&app, whose(&app, &browser).await, "Bot").await;
    app.advance(minutes(20));
    browser.send("/approvals/pause", &[]).await;
    assert!(browser.sees("Everything is paused"), "{}", browser.page.text());
    assert!(relays::request(&app.app, &bot, wish(Some("*@acme.com"))).await.is_err());
    browser.send("/approvals/pause", &[]).await;
    assert!(browser.page.status == 403 && browser.sees("Everything is paused"), "resuming gives something");
    browser.go("/signin?next=/approvals").await;
    sign_in(&app, &mut browser, ADA).await;
    browser.send("/approvals/pause", &[]).await;
    assert!(!browser.sees("Everything is paused"));
    ask(&app, &bot, Some("*@acme.com")).await;
    assert_eq!(app.number("SELECT count(*) FROM audit WHERE kind = 'owner_update'"), 2);
}

#[tokio::test]
async fn the_page_speaks_every_language() {
    let app = TestApp::new().await;
    let browser = person(&app, HOME, ADA, "/approvals").await;
    for (language, title) in [
        ("en", "Requests for your codes"),
        ("de", "Anfragen nach Ihren Codes"),
        ("es", "Solicitudes de sus códigos"),
        ("fr", "Demandes de vos codes"),
        ("pt-BR", "Pedidos dos seus códigos"),
        ("ja", "コードのリクエスト"),
        ("zh-CN", "对您验证码的请求"),
        ("ar", "طلبات الحصول على رموزك"),
    ] {
        let mut other = Browser::speaking(&app, HOME, language, "/").await;
        other.cookies = browser.cookies.clone();
        other.go("/approvals").await;
        assert!(other.sees(&format!("<h1>{title}</h1>")) && other.sees(&format!("lang=\"{language}\"")), "{language}");
    }
}
