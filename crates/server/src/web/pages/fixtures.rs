//! What the tests of pages show, and every page with it.

use axum::response::Html;
use doorcode_core::code::Alphabet;
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
