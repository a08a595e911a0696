//! The page of one message of the dev inbox, as HTML, as text or by its headers. The tabs are links: they need no script.
//! In English.

use askama::Template;
use axum::response::Html;

use super::inbox::Row;
use super::{Head, page};
use crate::deliver::inbox::Entry;

/// What is shown of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Shown {
    /// The HTML, in a frame of its own.
    #[default]
    Html,
    /// The plain text.
    Text,
    /// The headers that it would have.
    Headers,
}

impl Shown {
    /// From the parameter `view`; what is none of the three is the HTML.
    #[must_use]
    pub fn read(view: &str) -> Self {
        match view {
            "text" => Self::Text,
            "headers" => Self::Headers,
            _ => Self::Html,
        }
    }
}

/// What the page shows.
pub struct MessageView<'a> {
    /// The message.
    pub entry: &'a Entry,
    /// What of it.
    pub shown: Shown,
    /// The headers that it would have, or why it would have none.
    pub headers: &'a str,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Page<'a> {
    head: Head<'a>,
    row: Row<'a>,
    shown: Shown,
    headers: &'a str,
}

/// The page at `/dev/inbox/{number}`.
pub fn message(view: &MessageView<'_>) -> Html<String> {
    let row = Row::of(view.entry);
    page(&Page { head: Head::english(), row, shown: view.shown, headers: view.headers })
}

/// The HTML of one captured mail, as it was made. Goes out with [`crate::web::headers::mail_headers`] only.
pub fn mail(entry: &Entry) -> Html<String> {
    Html(entry.message().html.expose().clone())
}
