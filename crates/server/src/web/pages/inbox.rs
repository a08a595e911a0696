//! The page at `/dev/inbox`: the newest messages, each with its code and its link. Shows secrets, and so exists only
//! under `--dev`. In English.

use askama::Template;
use axum::response::Html;
use doorcode_core::Secret;

use super::{Head, page};
use crate::deliver::inbox::Entry;

/// What the page shows.
pub struct InboxView<'a> {
    /// The messages that were asked for, newest first. The page shows the first [`InboxView::SHOWN`] older than `before`.
    pub entries: &'a [Entry],
    /// The address whose messages were asked for, as it was typed. Nothing typed is all of them.
    pub to: Option<&'a str>,
    /// What was searched for, as it was typed.
    pub search: Option<&'a str>,
    /// Only messages with a lower number than this are shown.
    pub before: Option<u64>,
    /// The address of this server as others reach it, without a slash at its end.
    pub base_url: &'a str,
}

impl InboxView<'_> {
    /// The most messages on one page.
    pub const SHOWN: usize = 50;

    /// Whether a message has the words that were searched for, in its address, its subject or its text.
    #[must_use]
    pub fn finds(entry: &Entry, search: &str) -> bool {
        let (message, words) = (entry.message(), search.trim().to_lowercase());
        [&message.to, &message.subject, message.text.expose()].iter().any(|text| text.to_lowercase().contains(&words))
    }
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a InboxView<'a>,
    to: Option<&'a str>,
    search: Option<&'a str>,
    rows: Vec<Row<'a>>,
    /// The number to look before, if there are older ones.
    older: Option<u64>,
}

/// The page at `/dev/inbox`.
pub fn inbox(view: &InboxView<'_>) -> Html<String> {
    let mut left = view.entries.iter().filter(|entry| view.before.is_none_or(|before| entry.number() < before));
    let rows: Vec<Row<'_>> = left.by_ref().take(InboxView::SHOWN).map(Row::of).collect();
    let older = left.next().and_then(|_| rows.last().map(|row| row.number));
    let given = |text: Option<&'_ str>| text.map(str::trim).is_some_and(|text| !text.is_empty());
    let to = view.to.filter(|to| given(Some(to)));
    let search = view.search.filter(|search| given(Some(search)));
    page(&Page { head: Head::english(), view, to, search, rows, older })
}

impl Page<'_> {
    /// How many messages there are, and of which: the sentence goes on with the address.
    fn count(&self) -> String {
        let (shown, all) = (self.rows.len(), self.view.entries.len());
        match (shown, all) {
            (0, _) => "Nothing".to_owned(),
            (1, 1) => "1 message".to_owned(),
            (shown, all) if shown == all => format!("{shown} messages"),
            (shown, all) if self.view.before.is_none() => format!("The newest {shown} of {all} messages"),
            (shown, all) => format!("{shown} older of {all} messages"),
        }
    }

    /// Whether all messages are asked for.
    fn all(&self) -> bool {
        self.to.is_none() && self.search.is_none()
    }
}

/// One message, laid out for the templates of the inbox.
pub(super) struct Row<'a> {
    pub(super) number: u64,
    pub(super) subject: &'a str,
    pub(super) to: &'a str,
    pub(super) at: &'a str,
    /// The time of day, to the second.
    pub(super) time: &'a str,
    pub(super) day: &'a str,
    pub(super) code: Option<&'a str>,
    pub(super) link: Option<&'a str>,
    pub(super) text: &'a str,
    pub(super) language: &'a str,
}

impl<'a> Row<'a> {
    pub(super) fn of(entry: &'a Entry) -> Self {
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
