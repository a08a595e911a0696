//! The page after a proof that leads nowhere else: it is confirmed, and the page may be closed.

use askama::Template;
use axum::response::Html;

use super::{Frame, Head, page};

#[derive(Template)]
#[template(path = "done.html")]
struct Page<'a> {
    head: Head<'a>,
}

/// The page that says that an address is confirmed.
pub fn done(frame: Frame<'_>) -> Html<String> {
    page(&Page { head: Head::of(frame) })
}
