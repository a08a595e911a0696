//! The page at `/`, for whoever set the server up: what this is, that it runs, and how to try it. In English.

use askama::Template;
use axum::response::Html;

use super::{Head, page};

/// What the page at `/` shows.
pub struct Landing<'a> {
    /// The address of this server as others reach it, without a slash at its end.
    pub base_url: &'a str,
    /// Whether it runs with `--dev`, and has a dev inbox.
    pub dev: bool,
    /// The version of this server.
    pub version: &'a str,
}

#[derive(Template)]
#[template(path = "landing.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a Landing<'a>,
}

/// The page at `/`.
pub fn landing(view: &Landing<'_>) -> Html<String> {
    page(&Page { head: Head::english(), view })
}
