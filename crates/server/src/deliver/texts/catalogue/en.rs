//! English. The meaning that all other languages have.

use crate::deliver::texts::{Direction, Plural, Texts, plural};

pub(super) const TEXTS: Texts = Texts {
    language: "en",
    ranges: &["en"],
    direction: Direction::Ltr,
    form: plural::one_or_other,
    subject: "Your {product} code",
    greeting: "Hello,",
    intro: "Enter this code to continue to {product}:",
    code_label: "Your code",
    lasts: Plural::pair("It works once and expires in 1 minute.", "It works once and expires in {minutes} minutes."),
    link_intro: "Or open this link on the device where you asked:",
    link_button: "Continue to {product}",
    ignore: "If you did not ask for it, you can ignore this mail: nothing happens without the code.",
    keep: "Do not pass it on. {product} will never call or write to ask you for it.",
};
