//! What messages say, one entry per language. Refuses logic in a text: an entry is data with two placeholders,
//! `{product}` and `{minutes}`, and the rule by which its language counts.

mod catalogue;
mod choose;
mod fill;
mod notice;
mod overrides;
mod plural;

pub use catalogue::CATALOGUE;
pub use choose::{choose, serve};
pub use fill::{Filled, Part, parts};
pub use notice::notice;
pub use overrides::Catalogue;
pub use plural::{Form, Plural};

/// The way that a language is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Left to right.
    Ltr,
    /// Right to left.
    Rtl,
}

impl Direction {
    /// The value of HTML's `dir`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ltr => "ltr",
            Self::Rtl => "rtl",
        }
    }
}

/// What messages say in one language. Every text may hold `{product}`; only those of `lasts` hold `{minutes}`.
#[derive(Clone)]
pub struct Texts {
    /// The BCP 47 tag for `lang` and `Content-Language`.
    pub language: &'static str,
    /// The language ranges that this entry answers, in lower case: its own tag and those that nobody serves better.
    pub ranges: &'static [&'static str],
    /// The way that it is written.
    pub direction: Direction,
    /// Which form a number takes (Unicode CLDR, plural rules for cardinals).
    pub form: fn(u32) -> Form,
    /// The subject. No code in it.
    pub subject: &'static str,
    /// The first line.
    pub greeting: &'static str,
    /// What the code is for; the code follows.
    pub intro: &'static str,
    /// The caption beside the code in HTML.
    pub code_label: &'static str,
    /// How long the code lasts: a text for each form that a number of minutes takes.
    pub lasts: Plural,
    /// What the link is for; the link follows.
    pub link_intro: &'static str,
    /// The button that is the link, in HTML.
    pub link_button: &'static str,
    /// What to do for those who did not ask.
    pub ignore: &'static str,
    /// Why not to pass the code on.
    pub keep: &'static str,
}

impl Texts {
    /// How long the code lasts: the text for this number of minutes.
    #[must_use]
    pub fn lasts(&self, minutes: u32) -> &'static str {
        self.lasts.of((self.form)(minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_every_language_can_be_filled() {
        for texts in CATALOGUE {
            assert!(texts.ranges.contains(&texts.language.to_ascii_lowercase().as_str()), "{}", texts.language);
            assert!(std::ptr::eq(choose(texts.language), texts), "{}", texts.language);
            let lasting = [1, 2, 3, 5, 11, 21, 60, 100, 102].map(|minutes| texts.lasts(minutes));
            let plain = [
                texts.subject,
                texts.greeting,
                texts.intro,
                texts.code_label,
                texts.link_intro,
                texts.link_button,
                texts.ignore,
                texts.keep,
            ];
            for text in plain.into_iter().chain(lasting) {
                let filled = Filled { text, product: "Example", minutes: 7 }.to_string();
                assert!(!filled.is_empty() && !filled.contains(['{', '}', '\n']), "{}: {text}", texts.language);
            }
            assert!(plain.iter().all(|text| !text.contains("{minutes}")), "{}", texts.language);
            assert!(texts.keep.contains("{product}") && texts.subject.contains("{product}"), "{}", texts.language);
        }
    }

    #[test]
    fn every_language_has_the_forms_that_it_counts_with_and_no_more() {
        for texts in CATALOGUE {
            let used: Vec<Form> =
                Form::ALL.into_iter().filter(|form| (1..300).any(|n| (texts.form)(n) == *form)).collect();
            let written: Vec<Form> = texts.lasts.written().map(|(form, _)| form).collect();
            assert_eq!(used, written, "{}", texts.language);
            // A form that stands for one number only may say it in words.
            for (form, text) in texts.lasts.written() {
                let numbers = (1..300).filter(|n| (texts.form)(*n) == form).count();
                assert!(numbers == 1 || text.contains("{minutes}"), "{}: {text}", texts.language);
            }
        }
    }

    #[test]
    fn no_two_languages_say_the_same() {
        for (at, texts) in CATALOGUE.iter().enumerate() {
            for other in &CATALOGUE[..at] {
                assert_ne!(texts.intro, other.intro);
                assert_ne!(texts.ignore, other.ignore);
                assert_ne!(texts.link_intro, other.link_intro);
            }
        }
    }

    #[test]
    fn ranges_are_lower_case_and_belong_to_one_language() {
        let ranges: Vec<_> = CATALOGUE.iter().flat_map(|texts| texts.ranges).collect();
        for range in &ranges {
            assert_eq!(ranges.iter().filter(|other| other == &range).count(), 1, "{range}");
            assert_eq!(**range, range.to_ascii_lowercase());
        }
    }
}
