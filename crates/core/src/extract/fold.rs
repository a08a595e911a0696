//! One character of any script, made comparable: lower case, without accents, digits and punctuation as ASCII. What
//! the word lists hold and what a message says go through the same table, so both may be written as people write.
//! Refuses to guess at letters that only look alike: a Cyrillic `о` stays one.

use std::sync::LazyLock;

use icu_normalizer::DecomposingNormalizerBorrowed;

use crate::glyph::{is_bidi, is_dash};

/// What a character is, for finding words and numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A digit of any script.
    Digit,
    /// `a-z` or `A-Z`, full-width as well: what codes are made of.
    Ascii,
    /// A letter of a script that puts spaces between words.
    Letter,
    /// A letter of a script that does not: Han, kana, Thai, Lao, Khmer, Burmese.
    Wide,
    Space,
    Line,
    /// Punctuation and symbols; the folded character is ASCII.
    Mark,
    /// Nobody sees it, or it only changes the letter before it.
    Nothing,
}

/// A character's class, and what stands for it.
#[derive(Clone, Copy)]
pub(super) struct Folded {
    pub(super) class: Class,
    pub(super) c: char,
    /// Whether the original is an upper-case letter of the ASCII alphabet.
    pub(super) upper: bool,
}

/// Below this a table answers; above it are few alphabets and many ideographs.
const TABLE: usize = 0x2100;

static FOLDED: LazyLock<Vec<Folded>> =
    LazyLock::new(|| (0..TABLE as u32).map(|c| work_out(char::from_u32(c).unwrap_or(' '))).collect());

/// The table, once a message: a look at the lock for every character would cost.
pub(super) struct Folder(&'static [Folded]);

impl Folder {
    pub(super) fn new() -> Self {
        Self(&FOLDED)
    }

    pub(super) fn fold(&self, c: char) -> Folded {
        self.0.get(c as usize).copied().unwrap_or_else(|| work_out(c))
    }
}

/// The zeros of the scripts that write numbers with ten digits in a row (Unicode, general category Nd).
const ZEROS: [u32; 64] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0,
    0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60,
    0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950,
];

/// The ASCII digit that `c` stands for.
pub(super) fn digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    ZEROS.iter().find_map(|zero| char::from_digit((c as u32).wrapping_sub(*zero), 10))
}

/// The ASCII letter that `c` is or is the full-width form of, in its own case.
pub(super) fn letter(c: char) -> Option<char> {
    let narrow = match c as u32 {
        wide @ (0xff21..=0xff3a | 0xff41..=0xff5a) => char::from_u32(wide - 0xfee0)?,
        _ => c,
    };
    narrow.is_ascii_alphabetic().then_some(narrow)
}

fn work_out(c: char) -> Folded {
    let of = |class, c| Folded { class, c, upper: false };
    if let Some(digit) = digit(c) {
        return of(Class::Digit, digit);
    }
    if let Some(letter) = letter(c) {
        return Folded { class: Class::Ascii, c: letter.to_ascii_lowercase(), upper: letter.is_ascii_uppercase() };
    }
    match c {
        '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => of(Class::Line, ' '),
        _ if is_nothing(c) => of(Class::Nothing, ' '),
        _ if c.is_whitespace() || c.is_control() || c == '\u{2800}' || c == '\u{3164}' => of(Class::Space, ' '),
        _ if is_dash(c) => of(Class::Mark, '-'),
        _ if is_wide(c) => of(Class::Wide, c),
        _ if c.is_alphabetic() || is_sign(c) => of(Class::Letter, plain(c)),
        _ => of(Class::Mark, mark(c)),
    }
}

/// What is dropped: invisible characters, variation selectors, accents that stand alone, Arabic and Hebrew points.
fn is_nothing(c: char) -> bool {
    is_bidi(c)
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
            | '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c7}'
            | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}'
            | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_wide(c: char) -> bool {
    matches!(c as u32, 0xe01..=0xe4e | 0xe80..=0xecf | 0x1000..=0x103f | 0x1050..=0x108f | 0x1780..=0x17d3
        | 0x3005..=0x3007 | 0x3041..=0x30fa | 0x30fc..=0x312f | 0x3400..=0x9fff | 0xf900..=0xfaff
        | 0xff66..=0xff9d | 0x20000..=0x3ffff)
        && c != '\u{e3f}'
}

/// The vowel signs and the like of Indic, Ethiopic and other scripts: parts of words that are not letters by themselves.
fn is_sign(c: char) -> bool {
    matches!(c as u32, 0x900..=0x963 | 0x970..=0x9e3 | 0xa01..=0xa65 | 0xa70..=0xae3 | 0xb01..=0xb65 | 0xb70..=0xbe5
        | 0xc00..=0xc65 | 0xc80..=0xce5 | 0xd00..=0xd65 | 0xd80..=0xde5 | 0xdf2..=0xdf3 | 0xf18..=0xf19
        | 0x135d..=0x135f)
}

/// A letter in lower case, without accents where the script has them as decoration.
fn plain(c: char) -> char {
    let lower = c.to_lowercase().next().unwrap_or(c);
    match lower {
        'ø' => 'o',
        'ł' => 'l',
        'đ' | 'ð' | 'ɗ' => 'd',
        'ı' => 'i',
        'ə' | 'æ' => 'e',
        'ß' => 's',
        'þ' | 'ŧ' => 't',
        'ħ' => 'h',
        'ŋ' => 'n',
        'ɓ' => 'b',
        'ƙ' | 'ĸ' => 'k',
        'œ' => 'o',
        'ς' => 'σ',
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' | 'ئ' => 'ي',
        'ک' => 'ك',
        'ة' | 'ہ' | 'ۀ' => 'ه',
        'ؤ' => 'و',
        _ if (0xc0..0x530).contains(&(lower as u32)) || (0x1e00..0x2000).contains(&(lower as u32)) => {
            DecomposingNormalizerBorrowed::new_nfd().normalize_iter(std::iter::once(lower)).next().unwrap_or(lower)
        }
        _ => lower,
    }
}

/// Punctuation as ASCII: what ends a sentence, brackets, quotes, money. `~` stands for any other symbol.
fn mark(c: char) -> char {
    match c {
        '`' => '\'',
        '!'..='~' => c,
        '。' | '।' | '॥' | '؟' | '！' | '？' | '｡' | '።' | '۔' | '။' | '។' => '!',
        '．' => '.',
        '：' | '៖' | '﹕' | '∶' | '։' | '፡' | '׃' => ':',
        '，' | '、' | '،' | '﹐' | '､' => ',',
        '；' | '؛' => ';',
        '（' | '﹙' => '(',
        '）' | '﹚' => ')',
        '【' | '「' | '『' | '［' | '〔' | '《' | '〈' => '[',
        '】' | '」' | '』' | '］' | '〕' | '》' | '〉' => ']',
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bb}' | '\u{2bc}' | '´' => '\'',
        '\u{201c}'..='\u{201f}' | '«' | '»' | '‹' | '›' | '＂' => '"',
        '…' | '•' | '·' | '∙' | '●' | '×' | '＊' | '✱' => '*',
        '＃' | '№' => '#',
        '＋' => '+',
        '＝' => '=',
        '％' | '٪' => '%',
        '／' | '⁄' | '∕' => '/',
        '＠' => '@',
        '¢'..='¥' | '\u{e3f}' | '\u{20a0}'..='\u{20cf}' | '＄' | '￠' | '￡' | '￥' | '￦' | '\u{60b}' | '\u{fdfc}' => {
            '$'
        }
        '→' | '⇒' | '➡' => '>',
        _ => '~',
    }
}

/// A word or phrase of the lists, folded as [`super::scan`] folds a message.
pub(super) fn phrase(text: &str) -> String {
    let folder = Folder::new();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let folded = folder.fold(c);
        let blank = matches!(folded.class, Class::Space | Class::Line) || folded.c == '-';
        match folded.class {
            Class::Nothing => {}
            _ if blank && out.ends_with(' ') => {}
            _ if blank => out.push(' '),
            _ => out.push(folded.c),
        }
    }
    out
}
