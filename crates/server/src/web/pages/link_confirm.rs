//! The page behind a link that an app had sent: one press confirms the address, and the browser goes on to the app. Refuses to
//! confirm by being looked at.

use askama::Template;
use axum::response::Html;

use super::{Form, Frame, Head, page};

/// What the page shows.
pub struct LinkConfirm<'a> {
    /// Language and product.
    pub frame: Frame<'a>,
    /// Where the press goes.
    pub form: Form<'a>,
}

#[derive(Template)]
#[template(path = "link_confirm.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a LinkConfirm<'a>,
}

/// The page that confirms an address with one press.
pub fn link_confirm(view: &LinkConfirm<'_>) -> Html<String> {
    page(&Page { head: Head::of(view.frame), view })
}
