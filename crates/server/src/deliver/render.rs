//! From a code to the mail that carries it. Refuses text that a stranger chose: the only words in a mail are the
//! catalogue's and the product's name, which the operator sets (docs/threat-model.md, no `full_name` in mail).

use std::fmt;

use askama::Template;
use doorcode_core::Secret;
use zeroize::Zeroizing;

use super::message::{Channel, Message};
use super::texts::{Filled, Texts};

/// What a mail with a code is made of.
pub struct CodeMail<'a> {
    /// The canonical address that it goes to.
    pub to: &'a str,
    /// The sender's display name, from the configuration.
    pub product: &'a str,
    /// The code as it is typed, ungrouped.
    pub code: &'a Secret<String>,
    /// The code as it is shown: the same, or in groups if it is long.
    pub shown: &'a Secret<String>,
    /// The link that does as well as the code, if there is one.
    pub link: Option<&'a Secret<String>>,
    /// The life that is left, in whole minutes, rounded down. Nought counts as one.
    pub minutes: u32,
    /// The texts of the reader's language.
    pub texts: &'static Texts,
    /// The Message-ID, in its angle brackets.
    pub message_id: String,
    /// The value of `X-Doorcode-Stamp`, if this installation marks its mail.
    pub stamp: Option<String>,
}

#[derive(Template)]
#[template(path = "mail/code.txt")]
struct CodeText<'a>(&'a CodeMail<'a>);

#[derive(Template)]
#[template(path = "mail/code.html")]
struct CodeHtml<'a>(&'a CodeMail<'a>);

impl CodeMail<'_> {
    fn say(&self, text: &'static str) -> Filled<'_> {
        Filled { text, product: self.product, minutes: self.minutes.max(1) }
    }

    fn lasts(&self) -> Filled<'_> {
        self.say(self.texts.lasts(self.minutes.max(1)))
    }
}

/// The mail for a code, in text and HTML. The code stands once in each, alone, and in no header. A link stands on a line
/// of its own in the text, and in HTML as a button and as what it says.
#[must_use]
pub fn code_mail(mail: CodeMail<'_>) -> Message {
    let text = render(&CodeText(&mail));
    let html = render(&CodeHtml(&mail));
    Message {
        channel: Channel::Email,
        to: mail.to.to_owned(),
        subject: mail.say(mail.texts.subject).to_string(),
        text,
        html,
        code: Some(mail.code.clone()),
        link: mail.link.cloned(),
        message_id: mail.message_id,
        language: mail.texts.language,
        stamp: mail.stamp,
    }
}

/// The bytes that hardly a mail needs more of.
const ROOM: usize = 4096;

/// Takes what there is room for, and counts the rest.
struct Page {
    text: Zeroizing<String>,
    needed: usize,
}

impl fmt::Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.needed += text.len();
        if self.needed <= self.text.capacity() {
            self.text.push_str(text);
        }
        Ok(())
    }
}

/// No half-written copy of a code is left behind by a growing buffer: what was too long is written anew, with room for it.
fn render(template: &impl Template) -> Secret<String> {
    let mut room = ROOM;
    loop {
        let mut page = Page { text: Zeroizing::new(String::with_capacity(room)), needed: 0 };
        template
            .render_into(&mut page)
            .expect("a page takes all that is written, and every text was filled in by a test or by the settings");
        if page.needed <= page.text.capacity() {
            return Secret::new(std::mem::take(&mut *page.text));
        }
        room = page.needed;
    }
}

#[cfg(test)]
mod tests {
    use super::super::texts::{CATALOGUE, choose};
    use super::*;

    fn mail(product: &str, code: &str, shown: &str, minutes: u32) -> Message {
        mail_in(choose("en"), product, code, shown, minutes)
    }

    fn mail_in(texts: &'static Texts, product: &str, code: &str, shown: &str, minutes: u32) -> Message {
        code_mail(CodeMail {
            to: "ada@example.com",
            product,
            code: &Secret::new(code.to_owned()),
            shown: &Secret::new(shown.to_owned()),
            link: None,
            minutes,
            texts,
            message_id: "<1@example.com>".to_owned(),
            stamp: None,
        })
    }

    #[test]
    fn the_text_has_the_code_on_a_line_of_its_own() {
        let message = mail("Example", "482913", "482913", 10);
        insta::assert_snapshot!(message.text.expose(), @r"
        Hello,

        Enter this code to continue to Example:

        482913

        It works once and expires in 10 minutes.

        If you did not ask for it, you can ignore this mail: nothing happens without the code.

        Do not pass it on. Example will never call or write to ask you for it.
        ");
    }

    #[test]
    fn the_html_has_the_code_in_an_element_of_its_own() {
        let message = mail("Example", "482913", "482913", 10);
        insta::with_settings!({ snapshot_path => "../../tests/it/snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("mail_code_html", message.html.expose());
        });
        assert!(message.html.expose().contains(">482913</p>"));
    }

    #[test]
    fn the_code_is_nowhere_else() {
        let message = mail("Example", "482913", "482913", 10);
        assert_eq!(message.text.expose().matches("482913").count(), 1);
        assert_eq!(message.html.expose().matches("482913").count(), 1);
        assert_eq!(message.subject, "Your Example code");
    }

    #[test]
    fn a_long_code_is_shown_in_groups_and_kept_as_it_is_typed() {
        let message = mail("Example", "7K3QX9M2ZC4TB", "7K3Q-X9M2-ZC4TB", 60);
        assert!(message.text.expose().contains("\n\n7K3Q-X9M2-ZC4TB\n\n"));
        assert!(message.html.expose().contains(">7K3Q-X9M2-ZC4TB</p>"));
        assert!(!message.html.expose().contains("7K3QX9M2ZC4TB"));
        assert_eq!(message.code.unwrap().expose(), "7K3QX9M2ZC4TB");
    }

    #[test]
    fn a_life_of_less_than_a_minute_counts_as_one() {
        for (minutes, words) in [(0, "in 1 minute."), (1, "in 1 minute."), (2, "in 2 minutes."), (60, "in 60 minutes.")]
        {
            assert!(mail("Example", "482913", "482913", minutes).text.expose().contains(words), "{minutes}");
        }
    }

    #[test]
    fn a_product_name_is_escaped_in_html_only() {
        let message = mail("<b>O'Neil & Söhne</b>", "482913", "482913", 10);
        assert!(!message.html.expose().contains("<b>"));
        assert!(message.html.expose().contains("Söhne"));
        assert!(message.text.expose().contains("<b>O'Neil & Söhne</b>"));
    }

    #[test]
    fn nothing_outgrows_its_room_nor_loads_anything() {
        for texts in CATALOGUE {
            let message = mail_in(texts, &"Ö".repeat(60), "7K3QX9M2ZC4TB", "7K3Q-X9M2-ZC4TB", 1440);
            for secret in [&message.text, &message.html] {
                assert!([ROOM, secret.expose().len()].contains(&secret.expose().capacity()), "{}", texts.language);
            }
            for foreign in ["http:", "https:", "//", "src=", "href=", "url(", "<img", "<script", "@import"] {
                assert!(!message.html.expose().contains(foreign), "{}: {foreign}", texts.language);
            }
        }
    }

    const LINK: &str = "https://door.example.com/l/7tQ-_x9?a=1&b=2";

    fn mail_with_link(texts: &'static Texts) -> Message {
        code_mail(CodeMail {
            to: "ada@example.com",
            product: "Example",
            code: &Secret::new("482913".to_owned()),
            shown: &Secret::new("482913".to_owned()),
            link: Some(&Secret::new(LINK.to_owned())),
            minutes: 10,
            texts,
            message_id: "<1@example.com>".to_owned(),
            stamp: None,
        })
    }

    #[test]
    fn a_link_stands_beside_the_code_and_is_the_only_one() {
        for texts in CATALOGUE {
            let message = mail_with_link(texts);
            let (text, html) = (message.text.expose(), message.html.expose());
            assert_eq!(text.lines().filter(|line| *line == LINK).count(), 1, "{text}");
            let escaped = LINK.replace('&', "&#38;");
            assert_eq!((html.matches("href=").count(), html.matches("https:").count()), (1, 2), "{html}");
            assert!(html.contains(&format!("<a href=\"{escaped}\"")), "{html}");
            assert!(html.contains(&format!("dir=\"ltr\" style=\"font-size:14px\">{escaped}</span>")), "{html}");
            let rest = html.replace(&escaped, "");
            for foreign in ["http:", "https:", "//", "src=", "url(", "<img", "<script", "@import"] {
                assert!(!rest.contains(foreign), "{}: {foreign}", texts.language);
            }
            assert_eq!(message.link.as_ref().map(Secret::expose).map(String::as_str), Some(LINK));
            assert!(!message.subject.contains("https"));
        }
    }

    #[test]
    fn a_mail_with_a_link() {
        let message = mail_with_link(choose("en"));
        insta::with_settings!({ snapshot_path => "../../tests/it/snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("mail_link_text", message.text.expose());
            insta::assert_snapshot!("mail_link_html", message.html.expose());
        });
    }

    #[test]
    fn every_language_says_how_it_is_written_and_keeps_the_code_from_left_to_right() {
        for texts in CATALOGUE {
            let message = mail_in(texts, "Example", "482913", "482913", 10);
            let (text, html) = (message.text.expose(), message.html.expose());
            let opening = format!("<html lang=\"{}\" dir=\"{}\">", texts.language, texts.direction.as_str());
            assert!(html.contains(&opening), "{html}");
            assert!(html.contains("<p dir=\"ltr\" translate=\"no\"") && html.contains(">482913</p>"), "{html}");
            assert_eq!(text.lines().filter(|line| *line == "482913").count(), 1, "{text}");
        }
    }

    #[test]
    fn a_mail_from_right_to_left() {
        let message = mail_in(choose("ar"), "Example", "482913", "482913", 3);
        insta::with_settings!({ snapshot_path => "../../tests/it/snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("mail_code_text_ar", message.text.expose());
            insta::assert_snapshot!("mail_code_html_ar", message.html.expose());
        });
    }
}
