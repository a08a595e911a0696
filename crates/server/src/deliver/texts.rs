//! The one catalogue of what messages say, one entry per language, and the choice among them (RFC 9110 section
//! 12.5.4, looked up as RFC 4647 section 3.4). Refuses logic in a text: an entry is data with two placeholders,
//! `{product}` and `{minutes}`, and one function that picks the plural form.

use std::fmt;

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
pub struct Texts {
    /// The BCP 47 tag for `lang` and `Content-Language`.
    pub language: &'static str,
    /// The language ranges that this entry answers, in lower case: its own tag and those that nobody serves better.
    pub ranges: &'static [&'static str],
    /// The way that it is written.
    pub direction: Direction,
    /// The subject. No code in it.
    pub subject: &'static str,
    /// The first line.
    pub greeting: &'static str,
    /// What the code is for; the code follows.
    pub intro: &'static str,
    /// The caption beside the code in HTML.
    pub code_label: &'static str,
    /// How long the code lasts: the text for a number of minutes, with the plural form that it needs.
    pub lasts: fn(u32) -> &'static str,
    /// What to do for those who did not ask.
    pub ignore: &'static str,
    /// Why not to pass the code on.
    pub keep: &'static str,
}

/// Every language that there is, the default first.
pub static CATALOGUE: &[Texts] = &[Texts {
    language: "en",
    ranges: &["en"],
    direction: Direction::Ltr,
    subject: "Your {product} code",
    greeting: "Hello,",
    intro: "Enter this code to continue to {product}:",
    code_label: "Your code",
    lasts: |minutes| match minutes {
        1 => "It works once and expires in 1 minute.",
        _ => "It works once and expires in {minutes} minutes.",
    },
    ignore: "If you did not ask for it, you can ignore this mail: nothing happens without the code.",
    keep: "Do not pass it on. {product} will never call or write to ask you for it.",
}];

/// The texts that serve a reader best, from the value of an `Accept-Language` header or from a single language tag.
/// What nobody serves, and what is no such value at all, gets English.
#[must_use]
pub fn choose(accept_language: &str) -> &'static Texts {
    pick(CATALOGUE, accept_language)
}

/// The texts that there are for a language, by its tag; none where nobody has it.
#[must_use]
pub fn serve(tag: &str) -> Option<&'static Texts> {
    look_up(CATALOGUE, tag).filter(|_| tag != "*")
}

/// The ranges of one header that are looked at. Browsers send fewer than ten.
const MAX_RANGES: usize = 32;

fn pick<'a>(catalogue: &'a [Texts], accept_language: &str) -> &'a Texts {
    let mut best = (0, &catalogue[0]);
    for item in accept_language.split(',').take(MAX_RANGES) {
        let mut parts = item.split(';');
        let range = parts.next().unwrap_or_default().trim();
        let weight = parts.next().map_or(Some(1000), quality).unwrap_or(0);
        if weight > best.0
            && let Some(texts) = look_up(catalogue, range)
        {
            best = (weight, texts);
        }
    }
    best.1
}

/// The weight of `q=0.75` in thousandths; `None` for what is not a weight.
fn quality(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value = value.trim();
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = part.bytes().chain(std::iter::repeat(b'0')).take(3);
    let thousandths = digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// RFC 4647 section 3.4: the range as it is, then without its last subtag, and so on.
fn look_up<'a>(catalogue: &'a [Texts], range: &str) -> Option<&'a Texts> {
    if range == "*" {
        return catalogue.first();
    }
    let mut range = range;
    loop {
        let found = catalogue.iter().find(|texts| texts.ranges.iter().any(|known| known.eq_ignore_ascii_case(range)));
        if found.is_some() {
            return found;
        }
        range = range.rsplit_once('-')?.0;
    }
}

/// A text with its placeholders filled in, written straight to where it goes.
#[derive(Clone, Copy)]
pub struct Filled<'a> {
    /// The text, with placeholders.
    pub text: &'static str,
    /// What stands for `{product}`.
    pub product: &'a str,
    /// What stands for `{minutes}`.
    pub minutes: u32,
}

impl fmt::Display for Filled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.text;
        while let Some((before, after)) = rest.split_once('{') {
            f.write_str(before)?;
            let (name, behind) = after.split_once('}').unwrap_or((after, ""));
            match name {
                "product" => f.write_str(self.product)?,
                "minutes" => write!(f, "{}", self.minutes)?,
                _ => return Err(fmt::Error),
            }
            rest = behind;
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry that says nothing, to test the choice among many languages before there are many.
    const fn entry(language: &'static str, ranges: &'static [&'static str]) -> Texts {
        Texts { language, ranges, ..EMPTY }
    }

    const EMPTY: Texts = Texts {
        language: "",
        ranges: &[],
        direction: Direction::Ltr,
        subject: "",
        greeting: "",
        intro: "",
        code_label: "",
        lasts: |_| "",
        ignore: "",
        keep: "",
    };

    const MANY: &[Texts] = &[
        entry("en", &["en"]),
        entry("de", &["de"]),
        entry("pt-BR", &["pt-br", "pt"]),
        entry("zh-CN", &["zh-cn", "zh-hans", "zh"]),
        entry("ar", &["ar"]),
    ];

    #[test]
    fn the_heaviest_served_range_wins() {
        for (header, language) in [
            ("", "en"),
            ("de", "de"),
            ("DE-at", "de"),
            ("de-Latn-DE-1996", "de"),
            ("fr;q=0.9, de;q=0.5, en;q=0.4", "de"),
            ("en;q=0.4,de;q=0.5", "de"),
            ("en;q=0.5,de;q=0.5", "en"),
            ("ar, en", "ar"),
            ("pt-PT", "pt-BR"),
            ("zh-Hans-SG", "zh-CN"),
            ("fr, *;q=0.1", "en"),
            ("de;q=0, pt;q=0.001", "pt-BR"),
            ("de ; q=0.7 , ar ; Q=0.8", "ar"),
            ("xx", "en"),
        ] {
            assert_eq!(pick(MANY, header).language, language, "{header}");
        }
    }

    #[test]
    fn nonsense_gets_english() {
        let flood = "xx,".repeat(5000) + "de";
        for header in [",,,", ";q=1", "de;q=2", "de;q=-1", "de;q=0.1234", "de;q=", "de;level=1", "-", "de_DE", &flood] {
            assert_eq!(pick(MANY, header).language, "en", "{header:.20}");
        }
    }

    #[test]
    fn every_text_of_every_language_can_be_filled() {
        for texts in CATALOGUE {
            assert!(texts.ranges.contains(&texts.language.to_ascii_lowercase().as_str()), "{}", texts.language);
            assert!(std::ptr::eq(choose(texts.language), texts), "{}", texts.language);
            let lasting = [1, 2, 3, 5, 11, 21, 60, 100].map(texts.lasts);
            let plain = [texts.subject, texts.greeting, texts.intro, texts.code_label, texts.ignore, texts.keep];
            for text in plain.into_iter().chain(lasting) {
                let mut filled = String::new();
                fmt::write(&mut filled, format_args!("{}", Filled { text, product: "Example", minutes: 7 })).unwrap();
                assert!(!filled.is_empty() && !filled.contains(['{', '}', '\n']), "{}: {text}", texts.language);
            }
            assert!(plain.iter().all(|text| !text.contains("{minutes}")), "{}", texts.language);
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
