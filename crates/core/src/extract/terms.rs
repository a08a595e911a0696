//! Finds the words of the lists in a folded text: one tree over all languages, built once, walked from the beginning
//! of each word (in scripts without spaces, of each letter). Which language a message is in is never asked, since many
//! mix two. Refuses a hit inside another word, unless the list allows it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold::{Class, Folder, phrase};
use super::lexicon::{ENTER, Language, Term, languages};
use super::scan::{Kind, Scan, Token};
use super::trie::Trie;

/// A set of [`Term`].
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Terms(u16);

impl Terms {
    pub(super) const fn of(terms: &[Term]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < terms.len() {
            bits |= 1 << terms[i] as u16;
            i += 1;
        }
        Self(bits)
    }

    /// One bit for each.
    pub(super) const fn bits(self) -> u16 {
        self.0
    }

    pub(super) const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn has(self, term: Term) -> bool {
        self.0 >> term as u16 & 1 == 1
    }

    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// A word that was found.
#[derive(Clone, Copy)]
pub(super) struct Hit {
    pub(super) terms: Terms,
    /// Bytes of the folded text.
    pub(super) from: u32,
    pub(super) to: u32,
    /// The tokens that it begins and ends in.
    pub(super) first: u32,
    pub(super) last: u32,
    /// Words before its beginning and before what follows it.
    pub(super) unit: u32,
    pub(super) unit_end: u32,
    pub(super) sentence: u32,
    /// It stands in a warning: "never share your code".
    pub(super) warned: bool,
}

/// How an entry must stand in the text, and what it means there.
struct Rule {
    terms: Terms,
    /// Only at the beginning of a word.
    left: bool,
    /// No letter may follow.
    right: bool,
    /// The words that follow an inner `*`, each with its leading space.
    rest: Vec<String>,
}

/// Words with what each means.
pub(super) struct Dictionary {
    words: Trie,
    /// Tails of compounds, written backwards.
    tails: Trie,
    /// By word, and by tail.
    rules: Vec<Vec<Rule>>,
    tail_terms: Vec<Terms>,
}

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| {
    let lists = languages().flat_map(Language::lists).chain([(Term::Enter, ENTER)]);
    Dictionary::of(lists.map(|(term, list)| (term as u8, list)))
});

/// Where the scripts begin whose words take prefixes: Hebrew, Arabic, and what is behind them in Unicode.
const LOOSE: char = '\u{590}';
/// Where the scripts begin whose words take suffixes that the lists leave out: Armenian, and what is behind it.
const OPEN: char = '\u{530}';

/// What a dictionary is made of.
#[derive(Default)]
struct Draft {
    words: Index,
    tails: Index,
    rules: Vec<Vec<Rule>>,
    tail_terms: Vec<Terms>,
}

impl Draft {
    fn add(&mut self, entry: &str, terms: Terms) {
        if let Some(tail) = entry.strip_prefix('*') {
            let at = self.tails.place(phrase(tail).into_bytes().into_iter().rev().collect());
            self.tail_terms.resize(self.tails.words.len(), Terms::default());
            self.tail_terms[at] = self.tail_terms[at].union(terms);
            return;
        }
        let (text, rule) = read(entry, terms);
        let at = self.words.place(text.into_bytes());
        self.rules.resize_with(self.words.words.len(), Vec::new);
        add(&mut self.rules[at], rule);
    }
}

impl Dictionary {
    /// Of lists of entries, each with the number of what its entries mean.
    pub(super) fn of(lists: impl Iterator<Item = (u8, &'static str)>) -> Self {
        let mut draft = Draft::default();
        for (term, list) in lists {
            for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
                spellings(entry).for_each(|entry| draft.add(&entry, Terms(1 << term)));
            }
        }
        let Draft { words, tails, rules, tail_terms } = draft;
        Self { words: Trie::new(&words.words), tails: Trie::new(&tails.words), rules, tail_terms }
    }

    /// Every word of it in a text, in order of where it begins.
    pub(super) fn find(&self, scan: &Scan) -> Vec<Hit> {
        let hits = Vec::with_capacity(48);
        let mut search = Search { text: &scan.folded, tokens: &scan.tokens, dictionary: self, hits };
        for (at, token) in scan.tokens.iter().enumerate() {
            match token.kind {
                Kind::Number | Kind::End => {}
                Kind::Latin => search.word(at, token.from, true),
                Kind::Mixed => search.mixed(at),
                Kind::Word | Kind::Wide => search.letters(at),
            }
            if matches!(token.kind, Kind::Latin | Kind::Word) {
                search.tail(at);
            }
        }
        let mut hits = search.hits;
        hits.sort_by_key(|hit| hit.from);
        hits
    }
}

/// An entry, and how it is written where a keyboard or an SMS has no umlauts.
fn spellings(entry: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let pairs = [('ä', "ae"), ('ö', "oe"), ('ü', "ue"), ('ß', "ss"), ('å', "aa"), ('ø', "oe"), ('æ', "ae")];
    let other = entry
        .contains(pairs.map(|(c, _)| c))
        .then(|| Cow::Owned(pairs.iter().fold(entry.to_owned(), |text, (from, to)| text.replace(*from, to))));
    std::iter::once(Cow::Borrowed(entry)).chain(other)
}

/// Words without repeats, in the order in which they came.
#[derive(Default)]
struct Index {
    places: HashMap<Vec<u8>, usize>,
    words: Vec<Vec<u8>>,
}

impl Index {
    fn place(&mut self, word: Vec<u8>) -> usize {
        *self.places.entry(word.clone()).or_insert_with(|| {
            self.words.push(word);
            self.words.len() - 1
        })
    }
}

/// Adds a rule, or its meaning to one that matches the same.
fn add(rules: &mut Vec<Rule>, rule: Rule) {
    let same = |old: &&mut Rule| (old.left, old.right) == (rule.left, rule.right) && old.rest == rule.rest;
    if let Some(old) = rules.iter_mut().find(same) {
        old.terms = old.terms.union(rule.terms);
    } else {
        rules.push(rule);
    }
}

/// An entry of the lists, as text and rule.
fn read(entry: &str, terms: Terms) -> (String, Rule) {
    let folded = phrase(entry.trim_end_matches('*'));
    let mut parts = folded.split("* ").map(str::to_owned);
    let text = parts.next().unwrap_or_default();
    let rest: Vec<String> = parts.map(|part| format!(" {part}")).collect();
    let first = text.chars().next().unwrap_or(' ');
    // Anywhere, unless it is so short that it is in every word.
    let loose = first >= LOOSE && (text.chars().count() >= 3 || Folder::new().fold(first).class == Class::Wide);
    let right =
        !entry.ends_with('*') && !(if first >= '\u{900}' || loose { true } else { first >= OPEN && first < LOOSE });
    (text, Rule { terms, left: !loose, right, rest })
}

/// Whether the character that ends before `at` and the one that begins there are letters of one word.
fn inside_word(text: &[u8], at: usize) -> bool {
    let (Some(before), Some(after)) = (at.checked_sub(1).and_then(|i| text.get(i)), text.get(at)) else {
        return false;
    };
    (before.is_ascii_alphabetic() && after.is_ascii_alphabetic()) || (!before.is_ascii() && !after.is_ascii())
}

/// How far an inflected word may go on, in bytes.
const LONGEST_ENDING: usize = 30;

/// Where the rest of a phrase ends, if it follows at `at`.
fn follow(text: &[u8], mut at: usize, rest: &[String]) -> Option<usize> {
    for part in rest {
        let letters = text[at..].iter().take(LONGEST_ENDING).take_while(|b| b.is_ascii_alphabetic() || !b.is_ascii());
        at += letters.count();
        if !text[at..].starts_with(part.as_bytes()) {
            return None;
        }
        at += part.len();
    }
    Some(at)
}

/// Every word of the lists in a text, in order of where it begins.
pub(super) fn find(scan: &Scan) -> Vec<Hit> {
    DICTIONARY.find(scan)
}

struct Search<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
    dictionary: &'a Dictionary,
    hits: Vec<Hit>,
}

impl Search<'_> {
    /// What begins at a byte of a token; `begins` says whether a word begins there.
    fn word(&mut self, at: usize, from: u32, begins: bool) {
        let Self { text, tokens, dictionary, hits } = self;
        let (text, start) = (*text, from as usize);
        dictionary.words.walk(text[start..].iter().copied(), |word, length| {
            for rule in &dictionary.rules[usize::from(word)] {
                if rule.left && !begins {
                    continue;
                }
                let Some(end) = follow(text, start + length, &rule.rest) else { continue };
                if !(rule.right && inside_word(text, end)) {
                    hits.push(hit(tokens, at, rule.terms, from, end as u32));
                }
            }
        });
    }

    /// Words between the digits of a mixed token.
    fn mixed(&mut self, at: usize) {
        let Token { from, to, .. } = self.tokens[at];
        let mut before = b'0';
        for i in from..to {
            let byte = self.text[i as usize];
            if before.is_ascii_digit() && !byte.is_ascii_digit() {
                self.word(at, i, true);
            }
            before = byte;
        }
    }

    /// Words that begin a token, and those of loose scripts anywhere in it.
    fn letters(&mut self, at: usize) {
        let Token { from, to, .. } = self.tokens[at];
        self.word(at, from, true);
        for i in from + 1..to {
            // The first byte of a letter from Hebrew on.
            if self.text[i as usize] >= 0xd6 {
                self.word(at, i, false);
            }
        }
    }

    /// The tail of a compound.
    fn tail(&mut self, at: usize) {
        let Token { from, to, .. } = self.tokens[at];
        let Self { text, tokens, dictionary, hits } = self;
        let word = text[from as usize..to as usize].iter().rev().copied();
        dictionary.tails.walk(word, |tail, _| {
            hits.push(hit(tokens, at, dictionary.tail_terms[usize::from(tail)], from, to));
        });
    }
}

/// A hit that begins in token `at`.
fn hit(tokens: &[Token], at: usize, terms: Terms, from: u32, to: u32) -> Hit {
    let mut last = at;
    while last + 1 < tokens.len() && tokens[last].to < to {
        last += 1;
    }
    let (first, end) = (&tokens[at], &tokens[last]);
    // Two characters of a script without spaces count as a word, and take six bytes.
    let unit = if first.kind == Kind::Wide { first.unit + (from - first.from) / 6 } else { first.unit };
    let unit_end =
        if end.kind == Kind::Wide { end.unit + to.saturating_sub(end.from).div_ceil(6) } else { end.unit + 1 };
    let (first, last, sentence) = (at as u32, last as u32, first.sentence);
    Hit { terms, from, to, first, last, unit, unit_end, sentence, warned: false }
}
