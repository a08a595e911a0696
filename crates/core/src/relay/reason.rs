//! An agent's words, as its owner and their devices may be shown them. Refuses what makes a text read otherwise than it is, and links:
//! whoever reads them is about to say yes.

use crate::glyph::is_hidden;

/// What a link becomes.
const LINK: &str = "[link]";

/// The words in one line, without characters that nobody sees or that turn others round, and without links.
pub fn quoted(words: &str) -> String {
    let seen: String = words.chars().filter(|c| c.is_whitespace() || !is_hidden(*c)).collect();
    seen.split_whitespace().map(|word| if is_link(word) { LINK } else { word }).collect::<Vec<_>>().join(" ")
}

/// What a program would make a link of.
fn is_link(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    ["://", "www.", "mailto:", "tel:", "javascript:", "data:"].iter().any(|mark| word.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_and_what_is_hidden_in_them_goes() {
        assert_eq!(quoted("Sign up at acme.com"), "Sign up at acme.com");
        assert_eq!(quoted(" a\u{202e}b\u{200b}c\n\td\u{7} "), "abc d");
        assert_eq!(quoted("see (https://evil.example/x) or WWW.evil.example now"), "see [link] or [link] now");
        assert_eq!(quoted("\u{202e}\u{200b}"), "");
    }
}
