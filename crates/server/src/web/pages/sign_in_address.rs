//! The page that asks for an address. Refuses to say whether anybody has it.

use askama::Template;
use axum::response::Html;

use super::{EMAIL_FIELD, Form, Frame, Head, page};

/// What the page shows.
pub struct SignInAddress<'a> {
    /// Language and product.
    pub frame: Frame<'a>,
    /// Where the address goes, as the field [`EMAIL_FIELD`].
    pub form: Form<'a>,
    /// What was typed before, to be mended; else empty.
    pub typed: &'a str,
    /// Why it is asked for again.
    pub problem: Option<AddressProblem>,
}

/// Why the address is asked for again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressProblem {
    /// It is none.
    Invalid,
    /// Too often; again in so many minutes.
    TooMany(u32),
    /// The form was older than its token.
    FormExpired,
}

#[derive(Template)]
#[template(path = "sign_in_address.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a SignInAddress<'a>,
    problem: Option<String>,
}

/// The page that asks for an address.
pub fn sign_in_address(view: &SignInAddress<'_>) -> Html<String> {
    let (head, texts) = (Head::of(view.frame), view.frame.texts);
    let problem = view.problem.map(|problem| match problem {
        AddressProblem::Invalid => texts.address.invalid.to_owned(),
        AddressProblem::TooMany(minutes) => head.say_wait(texts.common.too_many, minutes),
        AddressProblem::FormExpired => texts.common.form_expired.to_owned(),
    });
    page(&Page { head, view, problem })
}

impl Page<'_> {
    fn invalid(&self) -> bool {
        self.view.problem == Some(AddressProblem::Invalid)
    }
}
