//! The page for a failure: what happened, and what to do now. Refuses to say why in more words: those are in the log.

use askama::Template;
use axum::response::Html;

use super::{Frame, Head, page};

/// What a page about a failure shows, in words of its own.
pub struct Failure<'a> {
    /// The HTTP status.
    pub status: u16,
    /// What happened, as a headline: `Page not found`.
    pub what: &'a str,
    /// What to do now, as a sentence.
    pub hint: &'a str,
}

/// The failures that every language has words for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// There is no such page.
    NotFound,
    /// The request is not complete, or comes from elsewhere.
    Refused,
    /// Too often; again in so many minutes.
    Limited(u32),
    /// It is our fault; again later.
    Unavailable,
}

impl Kind {
    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Refused => 403,
            Self::Limited(_) => 429,
            Self::Unavailable => 503,
        }
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a Failure<'a>,
}

/// The page for a failure that has words of its own, in English.
pub fn failure(view: &Failure<'_>) -> Html<String> {
    page(&Page { head: Head::english(), view })
}

/// The page for a failure, in the reader's language.
pub fn failure_of(frame: Frame<'_>, kind: Kind) -> Html<String> {
    let (head, texts) = (Head::of(frame), &frame.texts.failure);
    let ([what, hint], minutes) = match kind {
        Kind::NotFound => (texts.not_found, 0),
        Kind::Refused => (texts.refused, 0),
        Kind::Limited(minutes) => (texts.limited, minutes),
        Kind::Unavailable => (texts.unavailable, 0),
    };
    let hint = head.say_wait(hint, minutes);
    page(&Page { view: &Failure { status: kind.status(), what, hint: &hint }, head })
}
