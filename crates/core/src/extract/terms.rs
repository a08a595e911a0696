//! Finds the words of the lists in a folded text: one automaton over all languages, built once. Which language a
//! message is in is never asked, since many mix two. Refuses a hit inside another word.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};

use super::fold::{Class, Folder, phrase};
use super::lexicon::{Term, languages};
use super::scan::{Kind, Scan, Token};

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
    /// No letter may come before, or after.
    left: bool,
    right: bool,
    /// The words that follow an inner `*`, each with its leading space.
    rest: Vec<String>,
}

struct Dictionary {
    words: AhoCorasick,
    /// By pattern of the automaton.
    rules: Vec<Vec<Rule>>,
}

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(build);

fn build() -> Dictionary {
    let mut index: HashMap<String, usize> = HashMap::new();
    let mut texts = Vec::new();
    let mut rules: Vec<Vec<Rule>> = Vec::new();
    for (term, list) in languages().flat_map(|language| language.lists()) {
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (text, rule) = read(entry, term);
            let at = *index.entry(text.clone()).or_insert_with(|| {
                texts.push(text);
                rules.push(Vec::new());
                texts.len() - 1
            });
            add(&mut rules[at], rule);
        }
    }
    let words = AhoCorasickBuilder::new()
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(&texts)
        .expect("the lists are small");
    Dictionary { words, rules }
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
fn read(entry: &str, term: Term) -> (String, Rule) {
    let left = !entry.starts_with('*');
    let right = !entry.ends_with('*');
    let folded = phrase(entry.trim_matches('*'));
    let mut parts = folded.split("* ").map(str::to_owned);
    let text = parts.next().unwrap_or_default();
    let rest: Vec<String> = parts.map(|part| format!(" {part}")).collect();
    // Scripts with prefixes, suffixes or no spaces: anywhere, unless the entry is so short that it is in every word.
    let first = text.chars().next().unwrap_or(' ');
    let loose = first as u32 >= 0x590 && (text.chars().count() >= 3 || Folder::new().fold(first).class == Class::Wide);
    let short_suffix = first as u32 >= 0x900;
    (text, Rule { terms: Terms::of(&[term]), left: left && !loose, right: right && !loose && !short_suffix, rest })
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
    let text = scan.folded.as_bytes();
    let dictionary = &*DICTIONARY;
    let mut hits = Vec::with_capacity(32);
    for found in dictionary.words.find_overlapping_iter(text) {
        for rule in &dictionary.rules[found.pattern().as_usize()] {
            if rule.left && inside_word(text, found.start()) {
                continue;
            }
            let Some(end) = follow(text, found.end(), &rule.rest) else { continue };
            if rule.right && inside_word(text, end) {
                continue;
            }
            hits.push(Hit {
                terms: rule.terms,
                from: found.start() as u32,
                to: end as u32,
                first: 0,
                last: 0,
                unit: 0,
                unit_end: 0,
                sentence: 0,
                warned: false,
            });
        }
    }
    hits.sort_unstable_by_key(|hit| (hit.from, std::cmp::Reverse(hit.to)));
    place(&mut hits, &scan.tokens);
    hits
}

/// Works out which tokens each hit covers.
fn place(hits: &mut [Hit], tokens: &[Token]) {
    let mut at = 0;
    for hit in hits {
        while at + 1 < tokens.len() && tokens[at].to <= hit.from {
            at += 1;
        }
        let mut last = at;
        while last + 1 < tokens.len() && tokens[last].to < hit.to {
            last += 1;
        }
        let (first, end) = (&tokens[at], &tokens[last]);
        hit.first = at as u32;
        hit.last = last as u32;
        hit.sentence = first.sentence;
        hit.unit = first.unit;
        hit.unit_end = end.unit + 1;
        // Two characters of a script without spaces count as a word, and take six bytes.
        if first.kind == Kind::Wide {
            hit.unit += hit.from.saturating_sub(first.from) / 6;
        }
        if end.kind == Kind::Wide {
            hit.unit_end = end.unit + hit.to.saturating_sub(end.from).div_ceil(6);
        }
    }
}
