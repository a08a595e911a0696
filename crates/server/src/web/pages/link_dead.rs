//! The page behind a link that has expired or was used: what to do now. It says the same in both cases, and for a link
//! that never was.

use askama::Template;
use axum::response::Html;

use super::{Frame, Head, page};

/// What the page shows.
pub struct LinkDead<'a> {
    /// Language and product.
    pub frame: Frame<'a>,
    /// Where a new code can be asked for, if that is a page of this server.
    pub again: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "link_dead.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a LinkDead<'a>,
}

/// The page of a link that does not work any more.
pub fn link_dead(view: &LinkDead<'_>) -> Html<String> {
    page(&Page { head: Head::of(view.frame), view })
}
