//! The page behind a link, in the browser that asked: one button, which sends the form. Refuses to do it by being
//! looked at: a scanner that fetches the page uses nothing up.

use askama::Template;
use axum::response::Html;

use super::{Form, Frame, Head, page};

/// What the page shows.
pub struct LinkSameBrowser<'a> {
    /// Language and product.
    pub frame: Frame<'a>,
    /// Where the press goes.
    pub form: Form<'a>,
}

#[derive(Template)]
#[template(path = "link_same_browser.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a LinkSameBrowser<'a>,
}

/// The page that finishes a sign-in with one press.
pub fn link_same_browser(view: &LinkSameBrowser<'_>) -> Html<String> {
    page(&Page { head: Head::of(view.frame), view })
}
