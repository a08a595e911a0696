//! The page that asks for a code. Refuses to be clever about it: it is one field, which takes what is pasted with spaces
//! and hyphens, and nothing is sent before the person presses the button.

use askama::Template;
use axum::response::Html;
use doorcode_core::Shape;
use doorcode_core::code::Alphabet;

use super::{CODE_FIELD, Form, Frame, Head, page};
use crate::web::texts::fill;

/// What the page shows.
pub struct SignInCode<'a> {
    /// Language and product.
    pub frame: Frame<'a>,
    /// Where the code goes, as the field [`CODE_FIELD`].
    pub form: Form<'a>,
    /// The address, masked.
    pub masked: &'a str,
    /// What the code looks like: [`Shape::LONG`] has no boxes.
    pub shape: Shape,
    /// Why it is asked for again.
    pub problem: Option<CodeProblem>,
    /// Where a press on "send it again" goes.
    pub resend: Form<'a>,
    /// Seconds until the code may be asked for again; nought: now.
    pub resend_in: u32,
    /// The page for another address.
    pub other_address: &'a str,
}

/// Why the code is asked for again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeProblem {
    /// It is not right.
    Wrong,
    /// It does not live any more.
    Expired,
    /// Too many tries or messages; again in so many minutes.
    TooMany(u32),
    /// The form was older than its token.
    FormExpired,
}

/// The longest code that is typed into boxes.
const BOXES: u8 = 8;
/// Room for a pasted code: `code::normalise` looks at no more.
const ROOM: u8 = 64;

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a SignInCode<'a>,
    problem: Option<String>,
}

/// The page that asks for a code.
pub fn sign_in_code(view: &SignInCode<'_>) -> Html<String> {
    let (head, texts) = (Head::of(view.frame), view.frame.texts);
    let problem = view.problem.map(|problem| match problem {
        CodeProblem::Wrong => texts.code.wrong.to_owned(),
        CodeProblem::Expired => texts.code.expired.to_owned(),
        CodeProblem::TooMany(minutes) => head.say_wait(texts.code.too_many, minutes),
        CodeProblem::FormExpired => texts.common.form_expired.to_owned(),
    });
    page(&Page { head, view, problem })
}

impl Page<'_> {
    fn digits(&self) -> bool {
        self.view.shape.alphabet == Alphabet::Digits
    }

    /// How many boxes the field looks like; none if it would not fit.
    fn boxes(&self) -> u8 {
        if self.view.shape.length <= BOXES { self.view.shape.length } else { 0 }
    }

    fn wrong(&self) -> bool {
        matches!(self.view.problem, Some(CodeProblem::Wrong | CodeProblem::Expired))
    }

    /// `0:45`, the same in every language.
    fn clock(&self) -> String {
        format!("{}:{:02}", self.view.resend_in / 60, self.view.resend_in % 60)
    }

    /// When it may be asked for again, or that it may be now.
    fn resend_text(&self) -> String {
        let texts = &self.head.texts.code;
        match self.view.resend_in {
            0 => texts.resend_ready.to_owned(),
            _ => fill(texts.resend_wait, &[("time", &self.clock())]),
        }
    }
}
