//! The page that asks once more before any message at all may go to an agent. Refuses to be skipped: it is the answer to the first yes.

use askama::Template;
use axum::response::Html;

use super::{Form, Frame, Head, page};
use crate::web::texts::Approvals as Said;

/// What the page shows.
pub struct AnyMessage<'a> {
    /// Language and product.
    pub frame: Frame<'a>,
    /// What its owner calls the agent.
    pub agent: &'a str,
    /// Why, in the agent's words.
    pub reason: &'a str,
    /// The pattern that the message has to match.
    pub content: Option<String>,
    /// The second yes.
    pub sure: Form<'a>,
}

#[derive(Template)]
#[template(path = "approvals_any.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a AnyMessage<'a>,
    a: &'static Said,
}

/// The page that asks once more.
pub fn approvals_any(view: &AnyMessage<'_>) -> Html<String> {
    page(&Page { head: Head::of(view.frame), view, a: &view.frame.texts.approvals })
}
