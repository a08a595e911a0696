//! The choice of a language: the value of `Accept-Language` (RFC 9110 section 12.5.4), looked up as RFC 4647 section 3.4.
//! Refuses to fail: what nobody serves, and what is no such value at all, gets the first language of the catalogue.

use super::{CATALOGUE, Texts};

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

pub(super) fn pick<'a>(catalogue: &'a [Texts], accept_language: &str) -> &'a Texts {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_served_range_wins() {
        for (header, language) in [
            ("", "en"),
            ("de", "de"),
            ("DE-at", "de"),
            ("de-Latn-DE-1996", "de"),
            ("nl;q=0.9, de;q=0.5, en;q=0.4", "de"),
            ("en;q=0.4,de;q=0.5", "de"),
            ("en;q=0.5,de;q=0.5", "en"),
            ("ar, en", "ar"),
            ("ar-EG", "ar"),
            ("es-419", "es"),
            ("fr-CA,en;q=0.7", "fr"),
            ("ja-JP", "ja"),
            ("pt-PT", "pt-BR"),
            ("zh-Hans-SG", "zh-CN"),
            ("zh-Hant-TW", "zh-CN"),
            ("nl, *;q=0.1", "en"),
            ("de;q=0, pt;q=0.001", "pt-BR"),
            ("de ; q=0.7 , ar ; Q=0.8", "ar"),
            ("xx", "en"),
        ] {
            assert_eq!(choose(header).language, language, "{header}");
        }
    }

    #[test]
    fn nonsense_gets_english() {
        let flood = "xx,".repeat(5000) + "de";
        for header in [",,,", ";q=1", "de;q=2", "de;q=-1", "de;q=0.1234", "de;q=", "de;level=1", "-", "de_DE", &flood] {
            assert_eq!(choose(header).language, "en", "{header:.20}");
        }
    }
}
