//! What the tests of pages show, and every page with it.

use axum::response::Html;
use doorcode_core::code::Alphabet;
use doorcode_core::relay::{State, Way};
use doorcode_core::{Secret, Shape, Timestamp};

use super::*;
use crate::deliver::inbox::Inbox;
use crate::deliver::message::Message;
use crate::deliver::render::{CodeMail, code_mail};
use crate::deliver::texts::choose;

pub(super) const BASE: &str = "http://127.0.0.1:8080";
const HIDDEN: &[(&str, &str)] = &[("csrf", "Zm9yZ2VyeQ")];

fn form(action: &str) -> Form<'_> {
    Form { action, hidden: HIDDEN }
}

pub(super) fn frame(language: &str) -> Frame<'static> {
    Frame { texts: of(language), product: "Filecraft" }
}

pub(super) fn six() -> Shape {
    Shape::new(Alphabet::Digits, 6).unwrap()
}

pub(super) fn address(frame: Frame<'_>, typed: &str, problem: Option<AddressProblem>) -> Html<String> {
    sign_in_address(&SignInAddress { frame, form: form("/signin"), typed, problem })
}

pub(super) fn code(frame: Frame<'_>, shape: Shape, problem: Option<CodeProblem>, resend_in: u32) -> Html<String> {
    sign_in_code(&SignInCode {
        frame,
        form: form("/signin/code"),
        masked: "a•••@example.com",
        shape,
        problem,
        resend: form("/signin/resend"),
        resend_in,
        other_address: "/signin",
    })
}

pub(super) fn other(frame: Frame<'_>, shown: &str) -> Html<String> {
    link_other_browser(&LinkOtherBrowser { frame, shown: &Secret::new(shown.to_owned()) })
}

/// The page of an account in which every text that somebody chose is `evil`, or if that is empty, the usual ones.
pub(super) fn an_account(frame: Frame<'_>, evil: &str, new: bool) -> Html<String> {
    let at = |minutes: i64| Timestamp::from_millis(1_795_334_868_123 + minutes * 60_000);
    let or = |text: &'static str| if evil.is_empty() { text.to_owned() } else { evil.to_owned() };
    let (ada, grace, deploy) = (or("Ada Lovelace"), or("Grace Hopper"), or("Deployment"));
    let (team, hint, firefox, safari) =
        (or("Analytical Engines"), or("otx_7k…4b"), or("Firefox on Linux"), or("Safari on iPhone"));
    let (email, other) = (or("ada@example.com"), or("grace@example.com"));
    let key = Secret::new(or("otx_9f2k1m7q3x5z8c4v6b0n2a4s6d8f0g1h3j5k7l9p"));
    let named = |id, name, scopes, last_used, expires| Key {
        id,
        name,
        hint: &hint,
        scopes,
        created: at(0),
        last_used,
        expires,
    };
    account(&Account {
        frame,
        team: &team,
        name: &ada,
        email: &email,
        notice: (!new).then_some(Notice::KeyRevoked),
        members: &[
            Member { name: &ada, email: &email, joined: at(0), me: true },
            Member { name: &grace, email: &other, joined: at(90), me: false },
        ],
        keys: &[named("k1", "", "admin", Some(at(200)), None), named("k2", &deploy, "", None, Some(at(130_000)))],
        revoke_key: form("/account/keys/revoke"),
        create_key: form("/account/keys"),
        scopes: &["", "admin"],
        key_problem: (!new).then_some(KeyProblem::Name(64)),
        new_key: new.then_some(NewKey { name: &deploy, key: &key }),
        sessions: &[
            Session { id: "s1", browser: &firefox, created: at(0), last_seen: at(210), this: true },
            Session { id: "s2", browser: &safari, created: at(60), last_seen: at(70), this: false },
        ],
        end_session: form("/account/sessions/end"),
        end_all: form("/account/sessions/end-all"),
        sign_out: form("/signout"),
    })
}

fn a_card(evil: &str, state: State) -> Card {
    let or = |text: &str| if evil.is_empty() { text.to_owned() } else { evil.to_owned() };
    Card {
        id: format!("otp_{}", state.as_str()),
        agent: or("Travel bot"),
        reason: or("Sign in to the airline, to change the seat that you asked for"),
        whom: Whom { pattern: Some(or("*@airline.example")), name: Some(or("Airline")) },
        content: Some(or(r"(?i)your code is \d+")),
        refused: false,
        sources: vec!["email", "sms"],
        origin: or("203.0.113.7"),
        left: 105,
        until: Timestamp::from_millis(1_795_334_868_123),
        fingerprint: "0f3a 99c1 5e7b 20d4 8a61 77f0 c2b3 1d9e".to_owned(),
        state,
        test: false,
        rivals: Vec::new(),
        chosen: false,
        held: None,
        by_mail: true,
        unverified: false,
        meant: false,
        vouched: None,
        turned_away: TurnedAway::default(),
    }
}

fn a_voucher(evil: &str, verified: bool) -> Vouched {
    let or = |text: &str| if evil.is_empty() { text.to_owned() } else { evil.to_owned() };
    let domain = if verified { or("airline.example") } else { String::new() };
    let forwarder = verified.then(|| or("forwarder.example"));
    Vouched { verified, domain, forwarder, spf: Some(or("pass forwarder.example")) }
}

fn a_past(evil: &str, state: State, good: bool) -> Past {
    let or = |text: &str| if evil.is_empty() { text.to_owned() } else { evil.to_owned() };
    Past {
        at: Timestamp::from_millis(1_795_334_868_123),
        agent: or("Travel bot"),
        whom: Whom { pattern: (!good).then(|| or("*@airline.example")), name: good.then(|| or("Airline")) },
        state,
        decided_by: (state != State::Expired).then(|| "user".to_owned()),
        source: good.then(|| "email".to_owned()),
        way: good.then_some(Way::Collector),
        readable: good.then_some(false),
        vouched: good.then(|| a_voucher(evil, true)),
        turned_away: TurnedAway { unverified: state == State::Expired, forged: state == State::Expired },
        test: false,
    }
}

/// The page of requests in which every text that somebody chose is `evil`, or if that is empty, the usual ones.
pub(super) fn some_approvals(frame: Frame<'_>, evil: &str, full: bool) -> Html<String> {
    let any = Card {
        whom: Whom::default(),
        content: None,
        rivals: Vec::new(),
        id: "otp_any".to_owned(),
        meant: true,
        ..a_card(evil, State::PendingApproval)
    };
    let or = |text: &str| if evil.is_empty() { text.to_owned() } else { evil.to_owned() };
    let rival = Card {
        rivals: vec![or("Mail bot")],
        unverified: true,
        turned_away: TurnedAway { unverified: true, forged: true },
        ..a_card(evil, State::Approved)
    };
    let there = Card { vouched: Some(a_voucher(evil, true)), ..a_card(evil, State::OtpReceived) };
    let held = Card {
        held: Some(or("reset")),
        id: "otp_held".to_owned(),
        refused: true,
        vouched: Some(a_voucher(evil, false)),
        ..a_card(evil, State::Approved)
    };
    let cards = [a_card(evil, State::PendingApproval), any, rival, there, held];
    let past =
        [a_past(evil, State::Consumed, true), a_past(evil, State::Denied, false), a_past(evil, State::Expired, false)];
    approvals(&Approvals {
        frame,
        note: full.then_some(Note::Stale),
        again: full.then_some("/signin?next=%2Fapprovals"),
        paused: full,
        hidden: HIDDEN,
        cards: if full { &cards } else { &[] },
        mark: "0f",
        past: if full { &past } else { &[] },
        older: full.then_some("/approvals?before=otp_x#history"),
        is_older: false,
    })
}

/// The page of settings, the same.
pub(super) fn some_settings(frame: Frame<'_>, evil: &str, full: bool) -> Html<String> {
    let or = |text: &str| if evil.is_empty() { text.to_owned() } else { evil.to_owned() };
    let made = Timestamp::from_millis(1_795_334_868_123);
    let secret = Secret::new(or("dk_9f2k1m7q3x5z8c4v6b0n2a4s6d8f0g1h"));
    let agent = AgentRow { id: "agent_a".to_owned(), name: or("Travel bot"), made, paused: true, blocked: false };
    let device = DeviceRow {
        id: "device_a".to_owned(),
        name: or("Pixel"),
        kind: "phone".to_owned(),
        described: or("Android 16"),
        made,
        linked: true,
    };
    let browser = Browser { id: "b1".to_owned(), host: or("push.example.com"), made };
    let mailbox = |state: &str, trouble: Option<&str>| MailboxRow {
        id: format!("mailbox_{state}"),
        name: or("At home"),
        described: or("ada@example.com · imap.example.com"),
        state: state.to_owned(),
        trouble: trouble.map(&or),
    };
    let mailboxes =
        [mailbox("watching", None), mailbox("away", Some("no connection")), mailbox("credentials_refused", None)];
    let empty = TypedMailbox::default();
    let typed = TypedMailbox { host: or("imap.example.com"), user: or("ada"), ..TypedMailbox::default() };
    let own = or("acme.example");
    agents(&Settings {
        frame,
        note: None,
        wrong: full.then_some("domain"),
        again: None,
        hidden: HIDDEN,
        new: full.then_some(NewSecret::Key(&secret)),
        agents: if full { std::slice::from_ref(&agent) } else { &[] },
        devices: if full { std::slice::from_ref(&device) } else { &[] },
        mailboxes: if full { &mailboxes } else { &[] },
        may_connect: true,
        mailbox: if full { &typed } else { &empty },
        listed: &[Refused { domain: "paypal.com", on: true }, Refused { domain: "wise.com", on: false }],
        own: &own,
        push_key: "BCVxsr7N",
        browsers: if full { std::slice::from_ref(&browser) } else { &[] },
    })
}

/// The page of one agent, the same.
pub(super) fn an_agent(frame: Frame<'_>, evil: &str) -> Html<String> {
    let or = |text: &str| if evil.is_empty() { text.to_owned() } else { evil.to_owned() };
    let (name, description, senders) = (or("Travel bot"), or("Books what I like"), or("*@airline.example"));
    let key = or("ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let rules = RuleFields {
        sources: vec!["email".to_owned()],
        senders: senders.clone(),
        from: or("08:00"),
        to: or("20:00"),
        offset: or("60"),
        auto_senders: senders,
        per_day: or("3"),
    };
    agent_page(&AgentPage {
        frame,
        note: Some(Note::Saved),
        wrong: None,
        again: None,
        hidden: HIDDEN,
        id: "agent_a",
        name: &name,
        description: &description,
        identity: Some("0f3a 99c1 5e7b 20d4"),
        key: &key,
        paused: false,
        blocked: true,
        rules: &rules,
    })
}

pub(super) fn any_message(frame: Frame<'_>, evil: &str) -> Html<String> {
    let or = |text: &'static str| if evil.is_empty() { text.to_owned() } else { evil.to_owned() };
    approvals_any(&AnyMessage {
        frame,
        agent: &or("Travel bot"),
        reason: &or("Sign in somewhere"),
        content: Some(or(r"code is \d+")),
        sure: form("/approvals/approve"),
    })
}

pub(super) fn captured(to: &str, product: &str, code: &str, language: &str, link: Option<&str>) -> Message {
    let link = link.map(|link| Secret::new(link.to_owned()));
    code_mail(CodeMail {
        to,
        product,
        code: &Secret::new(code.to_owned()),
        shown: &Secret::new(code.to_owned()),
        link: link.as_ref(),
        minutes: 10,
        texts: choose(language),
        message_id: "<1@example.com>".to_owned(),
        stamp: None,
    })
}

pub(super) fn some_mail() -> Inbox {
    let inbox = Inbox::new(200);
    let link = Some("http://127.0.0.1:8080/l/7tQ-_x9?a=1&b=2");
    inbox.push(captured("ada@example.com", "Example", "482913", "en", None), 1_795_334_868_123);
    inbox.push(captured("grace@example.com", "Example", "771204", "de", link), 1_795_334_999_000);
    inbox.push(captured("layla@example.com", "Example", "7K3QX9M2ZC4TB", "ar", link), 1_795_335_999_000);
    inbox
}

pub(super) fn an_inbox(inbox_of: &Inbox, to: Option<&str>, search: Option<&str>, before: Option<u64>) -> Html<String> {
    let mut entries = inbox_of.list(None);
    entries.retain(|entry| search.is_none_or(|search| InboxView::finds(entry, search)));
    inbox(&InboxView { entries: &entries, to, search, before, base_url: BASE })
}

pub(super) fn a_message(number: u64, shown: Shown) -> Html<String> {
    let entry = some_mail().get(number).unwrap();
    message(&MessageView { entry: &entry, shown, headers: "Subject: Your Example code\nTo: ada@example.com" })
}

/// Every page, by a name for its picture and its snapshot.
pub(super) fn every_page() -> Vec<(String, Html<String>)> {
    let mut pages: Vec<(String, Html<String>)> = Vec::new();
    let mut add = |name: &str, page: Html<String>| pages.push((name.to_owned(), page));
    for texts in crate::web::texts::CATALOGUE {
        let (frame, tag) = (frame(texts.language), texts.language);
        add(&format!("address_{tag}"), address(frame, "", None));
        add(&format!("address_invalid_{tag}"), address(frame, "ada@", Some(AddressProblem::Invalid)));
        add(&format!("address_often_{tag}"), address(frame, "", Some(AddressProblem::TooMany(5))));
        add(&format!("code_{tag}"), code(frame, six(), None, 45));
        add(&format!("code_wrong_{tag}"), code(frame, six(), Some(CodeProblem::Wrong), 0));
        add(&format!("code_often_{tag}"), code(frame, six(), Some(CodeProblem::TooMany(11)), 0));
        add(&format!("code_long_{tag}"), code(frame, Shape::LONG, Some(CodeProblem::Expired), 9));
        add(&format!("link_same_{tag}"), link_same_browser(&LinkSameBrowser { frame, form: form("/l") }));
        add(&format!("link_other_{tag}"), other(frame, "482913"));
        add(&format!("link_other_long_{tag}"), other(frame, "7K3Q-X9M2-ZC4TB"));
        add(&format!("link_dead_{tag}"), link_dead(&LinkDead { frame, again: Some("/signin") }));
        add(&format!("done_{tag}"), done(frame));
        add(&format!("failure_{tag}"), failure_of(frame, Kind::Limited(3)));
        add(&format!("account_{tag}"), an_account(frame, "", false));
        add(&format!("account_new_{tag}"), an_account(frame, "", true));
        add(&format!("approvals_{tag}"), some_approvals(frame, "", true));
        add(&format!("approvals_empty_{tag}"), some_approvals(frame, "", false));
        add(&format!("approvals_any_{tag}"), any_message(frame, ""));
        add(&format!("agents_{tag}"), some_settings(frame, "", true));
        add(&format!("agents_empty_{tag}"), some_settings(frame, "", false));
        add(&format!("agent_{tag}"), an_agent(frame, ""));
    }
    add("landing_dev", landing(&Landing { base_url: BASE, dev: true, version: "0.1.0" }));
    add("landing", landing(&Landing { base_url: "https://door.example.com", dev: false, version: "0.1.0" }));
    add("inbox", an_inbox(&some_mail(), None, None, None));
    add("inbox_empty", an_inbox(&Inbox::new(1), None, None, None));
    add("message_html", a_message(2, Shown::Html));
    add("message_text", a_message(3, Shown::Text));
    add("message_headers", a_message(1, Shown::Headers));
    pages
}
