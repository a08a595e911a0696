//! Finding codes, from outside.

mod corpus;
mod languages;
mod limits;
mod shapes;
mod traps;

use doorcode_core::extract::{Format, Message, extract};

/// The code of a text without a subject.
fn text(text: &str) -> Option<String> {
    found(None, text, Format::Text)
}

fn found(subject: Option<&str>, text: &str, format: Format) -> Option<String> {
    extract(&Message { subject, text, format }).map(|found| found.code.expose().clone())
}
