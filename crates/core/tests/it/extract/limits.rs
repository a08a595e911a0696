//! What holds of any message at all.

use doorcode_core::extract::{Format, Message, extract, symbols, visible};
use proptest::prelude::*;

use super::found;

/// Pieces of messages and of markup, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "Your code is ",
        "482017",
        "48-20-17",
        "4 8 2 0 ",
        "G-",
        "<p>",
        "</p>",
        "<div style=\"display:none\">",
        "<!--",
        "-->",
        "<",
        ">",
        "&nbsp;",
        "&#",
        "\n",
        "\n\n",
        "验证码",
        "٤٨٢٠١٧",
        "code: ",
        "@shop.example #",
        "https://",
        ".",
        ":",
        "'",
        "\"",
        "<style>.a{display:none}",
        "</style>",
        "AB12",
        "XX",
        "*",
        "$",
        " ",
        "é",
        "\u{200f}",
        "１２３４",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_answered(text in any::<String>(), subject in any::<Option<String>>()) {
        for format in [Format::Text, Format::Html] {
            let _ = extract(&Message { subject: subject.as_deref(), text: &text, format });
        }
    }

    /// No code is made up: it stands in what a person sees.
    #[test]
    fn the_code_is_in_the_message(text in pieces(), html: bool) {
        let format = if html { Format::Html } else { Format::Text };
        let message = Message { subject: None, text: &text, format };
        if let Some(found) = extract(&message) {
            let code = found.code.expose();
            prop_assert!((3..=16).contains(&code.len()), "{code}");
            prop_assert!(code.bytes().all(|b| b.is_ascii_alphanumeric()), "{code}");
            prop_assert!((50..=99).contains(&found.confidence));
            prop_assert!(symbols(&visible(&message)).contains(code.as_str()), "{code} in {text:?}");
        }
    }

    /// Any six digits in a plain message are found, whatever they are.
    #[test]
    fn any_six_digits(code in "[0-9]{6}") {
        prop_assert_eq!(found(None, &format!("Your verification code is {code}"), Format::Text), Some(code));
    }
}

/// What the reader of HTML writes never outgrows what it reads, so nothing behind it works on more than the message.
#[test]
fn what_is_seen_is_no_longer_than_the_message() {
    for piece in ["<p>", "<", "&", "&nbsp;", "<!--", "</", "<a b='", "<br>", "x", "<td>4</td>", "<style>", "é<p>"] {
        let html = piece.repeat((1 << 16) / piece.len());
        let seen = visible(&Message { subject: None, text: &html, format: Format::Html });
        assert!(seen.len() <= html.len(), "{piece}: {} of {}", seen.len(), html.len());
    }
}

/// Much of anything is answered (that the work grows with the length only is counted in `extract.rs`), and the code in front of it is still found.
#[test]
fn a_long_message_is_answered() {
    for piece in [
        "1 ",
        "12-",
        "1234 ",
        "@a",
        "@a.",
        "a.b/",
        "code ",
        "code: ",
        "验证码",
        "otp 1234 ",
        "<p>",
        "<",
        "<a '",
        "<!--",
        "</p",
        "<div><b style='font-size:0'>",
        "&",
        "\n",
        "A1B2 ",
        "never share your code ",
        "www.",
        "://",
        "1,",
        "<style>",
    ] {
        let tail = piece.repeat((1 << 16) / piece.len());
        for format in [Format::Text, Format::Html] {
            let _ = found(None, &format!("{tail}\n\nYour login code is 482017"), format);
            let front = found(None, &format!("Your login code is 482017.\n\n{tail}"), format);
            assert_eq!(front.as_deref(), Some("482017"), "{piece} {format:?}");
        }
    }
}
