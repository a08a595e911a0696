//! The pages, as pure functions from what they show to HTML. Refuses routes, state and headers: the router has those.

use askama::Template;
use axum::response::Html;
use doorcode_core::Secret;

use super::assets::style_href;
use crate::deliver::inbox::Entry;

/// What the page at `/` shows.
pub struct Landing<'a> {
    /// The address of this server as others reach it, without a slash at its end.
    pub base_url: &'a str,
    /// Whether it runs with `--dev`, and has a dev inbox.
    pub dev: bool,
    /// The version of this server.
    pub version: &'a str,
}

/// What the page at `/dev/inbox` shows.
pub struct InboxView<'a> {
    /// The messages to one address or all of them, newest first. The page shows the first [`InboxView::SHOWN`].
    pub entries: &'a [Entry],
    /// The address that was asked for, as it was typed. Nothing typed is all of them.
    pub to: Option<&'a str>,
    /// The address of this server as others reach it, without a slash at its end.
    pub base_url: &'a str,
}

impl InboxView<'_> {
    /// The most messages on one page.
    pub const SHOWN: usize = 50;
}

/// What a page about a failure shows.
pub struct Failure<'a> {
    /// The HTTP status.
    pub status: u16,
    /// What happened, as a headline: `Page not found`.
    pub what: &'a str,
    /// What to do now, as a sentence.
    pub hint: &'a str,
}

/// The page at `/`: what this is, that it runs, and how to try it.
pub fn landing(view: &Landing<'_>) -> Html<String> {
    page(&LandingPage { style: style_href(), view })
}

/// The page at `/dev/inbox`. Shows codes, and so exists only under `--dev`.
pub fn inbox(view: &InboxView<'_>) -> Html<String> {
    let rows = view.entries.iter().take(InboxView::SHOWN).map(Row::of).collect();
    let to = view.to.filter(|to| !to.is_empty());
    page(&InboxPage { style: style_href(), view, to, rows })
}

/// The HTML of one captured mail, as it was made. Goes out with [`super::headers::mail_headers`] only.
pub fn mail(entry: &Entry) -> Html<String> {
    Html(entry.message().html.expose().clone())
}

/// The page for a failure.
pub fn failure(view: &Failure<'_>) -> Html<String> {
    page(&FailurePage { style: style_href(), view })
}

#[derive(Template)]
#[template(path = "landing.html")]
struct LandingPage<'a> {
    style: String,
    view: &'a Landing<'a>,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage<'a> {
    style: String,
    view: &'a InboxView<'a>,
    to: Option<&'a str>,
    rows: Vec<Row<'a>>,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'a> {
    style: String,
    view: &'a Failure<'a>,
}

/// One message of the inbox, laid out for its template.
struct Row<'a> {
    number: u64,
    subject: &'a str,
    to: &'a str,
    at: &'a str,
    /// The time of day, to the second.
    time: &'a str,
    day: &'a str,
    code: Option<&'a str>,
    link: Option<&'a str>,
    text: &'a str,
    language: &'a str,
}

impl<'a> Row<'a> {
    fn of(entry: &'a Entry) -> Self {
        let (message, at) = (entry.message(), entry.at());
        let plain = |secret: &'a Option<Secret<String>>| secret.as_ref().map(|secret| secret.expose().as_str());
        let (day, time) = at.split_once('T').unwrap_or((at, ""));
        Self {
            number: entry.number(),
            subject: &message.subject,
            to: &message.to,
            at,
            time: time.get(..8).unwrap_or(time),
            day,
            code: plain(&message.code),
            link: plain(&message.link),
            text: message.text.expose(),
            language: message.language,
        }
    }
}

fn page(template: &impl Template) -> Html<String> {
    Html(template.render().expect("a String takes all that is written, and no value here fails to print"))
}

#[cfg(test)]
mod tests {
    use super::super::headers::{mail_headers, page_headers};
    use super::*;
    use crate::deliver::inbox::Inbox;
    use crate::deliver::message::Message;
    use crate::deliver::render::{CodeMail, code_mail};
    use crate::deliver::texts::choose;

    fn message(to: &str, product: &str, code: &str, shown: &str) -> Message {
        code_mail(CodeMail {
            to,
            product,
            code: &Secret::new(code.to_owned()),
            shown: &Secret::new(shown.to_owned()),
            link: None,
            minutes: 10,
            texts: choose("en"),
            message_id: "<1@example.com>".to_owned(),
            stamp: None,
        })
    }

    fn captured() -> Inbox {
        let inbox = Inbox::new(200);
        inbox.push(message("ada@example.com", "Example", "482913", "482913"), 1_795_334_868_123);
        inbox.push(message("grace@example.com", "Example", "7K3QX9M2ZC4TB", "7K3Q-X9M2-ZC4TB"), 1_795_334_999_000);
        inbox
    }

    const BASE: &str = "http://127.0.0.1:8080";

    /// A snapshot without the version of the stylesheet, which changes with every rule in it.
    fn snapshot(name: &str, page: &Html<String>) {
        let html = page.0.replace(&style_href(), "/assets/style.css?v=VERSION");
        insta::with_settings!({ snapshot_path => "../../tests/it/snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, html);
        });
    }

    #[test]
    fn the_pages_as_they_are() {
        snapshot("page_landing_dev", &landing(&Landing { base_url: BASE, dev: true, version: "0.1.0" }));
        let view = Landing { base_url: "https://door.example.com", dev: false, version: "0.1.0" };
        snapshot("page_landing", &landing(&view));
        let entries = captured().list(None);
        snapshot("page_inbox", &inbox(&InboxView { entries: &entries, to: None, base_url: BASE }));
        snapshot("page_inbox_empty", &inbox(&InboxView { entries: &[], to: None, base_url: BASE }));
        let view = Failure { status: 404, what: "Page not found", hint: "There is nothing at this address." };
        snapshot("page_failure", &failure(&view));
    }

    #[test]
    fn without_dev_nothing_points_to_the_inbox() {
        let page = landing(&Landing { base_url: BASE, dev: false, version: "0.1.0" }).0;
        assert!(!page.contains("/dev/"));
    }

    #[test]
    fn what_strangers_typed_is_text() {
        let inbox_of_evil = Inbox::new(10);
        inbox_of_evil.push(message("\"<script>\"@x.org", "</pre><script>", "482913", "482913"), 0);
        let evil = "\"><script>alert(1)</script>";
        let page = inbox(&InboxView { entries: &inbox_of_evil.list(None), to: Some(evil), base_url: BASE }).0;
        assert!(!page.contains("<script") && page.contains("value=\"&#34;&#62;"), "{page}");
        let page = failure(&Failure { status: 404, what: evil, hint: evil }).0;
        assert!(!page.contains("<script"));
    }

    #[test]
    fn the_inbox_says_how_many_it_shows() {
        let many = Inbox::new(200);
        for number in 0..60 {
            many.push(message(&format!("a{number}@x.org"), "Example", "482913", "482913"), 0);
        }
        let entries = many.list(None);
        let page = inbox(&InboxView { entries: &entries, to: None, base_url: BASE }).0;
        assert!(page.contains("The newest 50 of 60 messages"));
        assert_eq!(page.matches("<article").count(), 50);
        let page = inbox(&InboxView { entries: &entries[..1], to: Some("a59@x.org"), base_url: BASE }).0;
        assert!(page.contains("1 message to <b>a59@x.org</b>"));
        let page = inbox(&InboxView { entries: &[], to: Some("b@x.org"), base_url: BASE }).0;
        assert!(page.contains("Nothing to <b>b@x.org</b>"));
    }

    #[test]
    fn pages_keep_to_their_policy() {
        let entries = captured().list(None);
        let view = InboxView { entries: &entries, to: None, base_url: BASE };
        for page in [inbox(&view), landing(&Landing { base_url: BASE, dev: true, version: "0" })] {
            for forbidden in ["<script", "style=", "<style", "onclick", "srcdoc", "src=\"http"] {
                assert!(!page.0.contains(forbidden), "{forbidden}");
            }
        }
        assert!(page_headers()[0].1.contains("frame-ancestors 'none'") && !page_headers()[0].1.contains("unsafe"));
        assert!(mail_headers()[0].1.starts_with("sandbox; default-src 'none'"));
    }

    #[test]
    fn a_mail_is_shown_as_it_was_made() {
        let entry = captured().get(1).unwrap();
        assert_eq!(&mail(&entry).0, entry.message().html.expose());
    }
}
