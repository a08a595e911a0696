//! The page behind a link, in any browser but the one that asked: the code, to type where the person waits. Refuses
//! every form: nobody is signed in from here, neither the reader nor whoever made them open it.

use askama::Template;
use axum::response::Html;
use doorcode_core::Secret;

use super::{Frame, Head, page};

/// What the page shows.
pub struct LinkOtherBrowser<'a> {
    /// Language and product.
    pub frame: Frame<'a>,
    /// The code as it is shown: in groups if it is long.
    pub shown: &'a Secret<String>,
}

#[derive(Template)]
#[template(path = "link_other_browser.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a LinkOtherBrowser<'a>,
}

/// The page that shows the code.
pub fn link_other_browser(view: &LinkOtherBrowser<'_>) -> Html<String> {
    page(&Page { head: Head::of(view.frame), view })
}
