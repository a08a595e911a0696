//! What a message says as a whole, before any candidate is looked at: which words keep their meaning, which stand in a
//! warning, and what is spoken of. Refuses to decide anything by itself.

use super::lexicon::Term;
use super::scan::{Kind, Token, gap};
use super::terms::{Hit, Terms};

/// What a code is called.
pub(super) const NAMES: Terms = Terms::of(&[Term::Otp, Term::Code]);
/// What something else is called.
pub(super) const OTHERS: Terms = Terms::of(&[Term::Number, Term::Promo]);

/// What the message says as a whole.
#[derive(Default)]
pub(super) struct Context {
    pub(super) otp: bool,
    pub(super) code: bool,
    pub(super) warned: bool,
    pub(super) auth: bool,
    pub(super) life: bool,
    pub(super) keep: bool,
    pub(super) others: u32,
    pub(super) promos: u32,
    pub(super) money: u32,
    /// Most letters are capitals.
    pub(super) shouting: bool,
    pub(super) links: bool,
    /// The mark of an app that reads its own messages.
    pub(super) app: bool,
}

/// How many hits before and behind a name are its neighbours.
const NEIGHBOURS: usize = 10;

/// Takes their meaning from names that a longer phrase or a neighbour turns into something else, and marks those that
/// stand in a warning.
pub(super) fn settle(hits: &mut [Hit], tokens: &[Token]) {
    for i in 0..hits.len() {
        let hit = hits[i];
        if !hit.terms.any(NAMES) {
            continue;
        }
        let near = &hits[i.saturating_sub(NEIGHBOURS)..(i + NEIGHBOURS).min(hits.len())];
        let around = || near.iter().filter(|other| other.sentence == hit.sentence);
        let warned = around().any(|other| warns(other, &hit, tokens));
        let renamed = around().any(|other| renames(other, &hit));
        hits[i].warned = warned;
        if renamed {
            hits[i].terms = hit.terms.without(NAMES);
        }
    }
}

/// Whether `other` makes a name that of something else: by containing it, or by standing beside it.
fn renames(other: &Hit, name: &Hit) -> bool {
    if other.terms.any(NAMES) || !other.terms.any(OTHERS) {
        return false;
    }
    let otp = name.terms.has(Term::Otp);
    let longer = other.to - other.from > name.to - name.from;
    let covers = other.from <= name.from && other.to >= name.to && (longer || !otp);
    let before = other.to <= name.from && name.unit <= other.unit_end;
    let after = other.from >= name.to && other.unit <= name.unit_end;
    covers || (other.terms.has(Term::Promo) && !otp && (before || after))
}

/// Whether `other` says, right before a name, that it must not be told.
fn warns(other: &Hit, name: &Hit, tokens: &[Token]) -> bool {
    let before = other.to <= name.from && name.unit.saturating_sub(other.unit_end) <= 4;
    other.terms.has(Term::Keep) && before && !number_between(tokens, other.last, name.first)
}

/// Whether a number of three digits or more stands between two tokens.
pub(super) fn number_between(tokens: &[Token], from: u32, to: u32) -> bool {
    let (from, to) = (from as usize + 1, to as usize);
    from < to && tokens[from].numbers < tokens[to].numbers
}

/// Sums up what is said. `hits` are settled.
pub(super) fn sum_up(hits: &[Hit], tokens: &[Token]) -> Context {
    let mut context = Context::default();
    for hit in hits {
        context.otp |= hit.terms.has(Term::Otp) && !hit.warned;
        context.code |= hit.terms.has(Term::Code) && !hit.warned;
        context.warned |= hit.terms.any(NAMES) && hit.warned;
        context.auth |= hit.terms.has(Term::Auth);
        context.life |= hit.terms.has(Term::Life);
        context.keep |= hit.terms.has(Term::Keep);
        context.others += u32::from(hit.terms.has(Term::Number));
        context.promos += u32::from(hit.terms.has(Term::Promo));
        context.money += u32::from(hit.terms.has(Term::Money));
    }
    let (mut upper, mut letters) = (0_u32, 0_u32);
    for token in tokens.iter().filter(|token| token.kind == Kind::Latin) {
        upper += u32::from(token.uppers);
        letters += u32::from(token.letters);
    }
    context.shouting = upper * 2 > letters && letters > 12;
    context.links = tokens.iter().any(|token| token.link);
    context.money += tokens.iter().filter(|token| token.gap & gap::MONEY != 0).count() as u32;
    context.app = is_for_app(tokens);
    context
}

/// `<#>` at the beginning, or a hash of eleven characters at the end (Android SMS Retriever).
fn is_for_app(tokens: &[Token]) -> bool {
    let first = &tokens[0];
    if first.first == b'<' && first.last == b'>' || first.first == b'[' && first.last == b']' && first.width >= 3 {
        return true;
    }
    // The last line: tokens joined by the two signs that base 64 has.
    let all = &tokens[..tokens.len() - 1];
    let joins = |token: &&Token| token.width == 1 && matches!(token.first, b'+' | b'/');
    let from = all.len() - all.iter().rev().take(6).take_while(joins).count();
    let Some(line) = from.checked_sub(1).map(|from| &all[from..]) else { return false };
    let (first, last) = (&line[0], &line[line.len() - 1]);
    let (uppers, letters) = line.iter().fold((0, 0), |sum, token| (sum.0 + token.uppers, sum.1 + token.letters));
    last.end - first.start == 11 && first.gap & gap::LINE != 0 && uppers > 0 && uppers < letters
}
