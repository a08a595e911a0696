//! What stands next to a candidate: the nearest name of a code, words such as verify, and what would make it something
//! else. Looks at a fixed number of words on each side, so that a long message stays cheap.

use super::candidate::{Candidate, Look};
use super::context::{NAMES, OTHERS, number_between};
use super::judge::Court;
use super::lexicon::Term;
use super::scan::gap;
use super::terms::Hit;

/// How many hits are looked at on each side of a candidate.
const REACH: usize = 24;

/// Further than this, in words, a name and its value do not belong together.
const FAR: u32 = 22;

/// Further than this, in words, `verify` and the like say nothing about a number.
const NEAR: u32 = 6;

/// What a candidate stands next to.
#[derive(Default)]
pub(super) struct Ties {
    /// Points of the best name before or after it.
    pub(super) name: i32,
    /// Points of words such as verify.
    pub(super) auth: i32,
    /// Points against: it is named as something else.
    pub(super) other: i32,
    /// `is`, `use` or the like stands right before it.
    pub(super) joined: bool,
    /// Somebody is told to type it.
    pub(super) entered: bool,
    /// The name is one of a one-time code.
    pub(super) otp: bool,
    /// A name and nothing but `:` or `is` before it.
    pub(super) pointed: bool,
    /// The name says what it is for: `code to approve…`.
    pub(super) purpose: bool,
    /// Points against that hold unless a name comes before: the nearest other name, seen first.
    pending: Option<i32>,
}

impl Ties {
    pub(super) fn of(court: &Court<'_>, candidate: &Candidate) -> Self {
        let mut ties = Self::default();
        ties.look_back(court, candidate);
        ties.look_ahead(court, candidate);
        ties
    }

    fn look_back(&mut self, court: &Court<'_>, candidate: &Candidate) {
        let token = &court.tokens[candidate.first];
        let end = court.at(token.from);
        let mut joined = token.gap & gap::COLON != 0;
        for hit in court.hits[end.saturating_sub(REACH)..end].iter().rev().filter(|hit| hit.to <= token.from) {
            let distance = token.unit.saturating_sub(hit.unit_end);
            if distance > FAR {
                break;
            }
            // Across the end of a sentence only if nothing else stands between: a heading and its value.
            if hit.sentence != token.sentence && (distance > 0 || token.gap & gap::STOP != 0) {
                continue;
            }
            let is = distance == 0 && hit.terms.has(Term::Is);
            // Behind the verb itself: not across a stop or a line.
            self.entered |= distance == 0 && hit.terms.has(Term::Enter) && hit.sentence == token.sentence;
            joined |= is;
            self.joined |= is;
            self.before(court, candidate, hit, distance, joined);
        }
        self.other = self.other.max(self.pending.take().unwrap_or(0));
    }

    /// A hit before the candidate; the nearest comes first.
    fn before(&mut self, court: &Court<'_>, candidate: &Candidate, hit: &Hit, distance: u32, joined: bool) {
        let token = &court.tokens[candidate.first];
        let numbers = number_between(court.tokens, hit.last, candidate.first as u32);
        if hit.terms.any(NAMES) {
            let excused = token.gap & gap::COLON != 0 && !numbers;
            let against = if numbers { 14 } else { 0 } + if hit.warned && !excused { 22 } else { 0 };
            let worth = name_points(court, hit, distance) + if joined { 8 } else { 0 } - against;
            self.name = self.name.max(worth);
            self.otp |= hit.terms.has(Term::Otp);
            self.purpose |= court.leads(&court.tokens[hit.last as usize + 1]);
            self.pointed |= distance <= 1 && joined && !numbers;
            if let Some(points) = self.pending.take() {
                self.other = self.other.max(if joined { points / 3 } else { points });
            }
        } else if hit.terms.has(Term::Auth) && distance <= NEAR && !numbers {
            let worth = 24 - 2 * distance as i32 + if joined { 6 } else { 0 };
            self.auth = self.auth.max(worth);
        }
        if hit.terms.has(Term::Money) && distance == 0 && token.gap & (gap::PARAGRAPH | gap::COLON) == 0 {
            self.other = self.other.max(60);
        }
        let renamed = hit.terms.any(OTHERS) && !hit.terms.any(NAMES) && distance <= 3 && !numbers;
        // `Dear customer, 123456 is …` names nothing.
        let addressed = distance == 0 && token.first == b',';
        // What one is told to type is not the number of what was spoken of before.
        if renamed && !self.entered && self.name == 0 && self.pending.is_none() && !addressed {
            self.pending = Some(52 - 8 * distance as i32);
        }
    }

    fn look_ahead(&mut self, court: &Court<'_>, candidate: &Candidate) {
        let last = &court.tokens[candidate.last];
        let begins = begins_sentence(court, candidate);
        for hit in court.hits[court.at(last.to)..].iter().take(REACH) {
            let distance = hit.unit.saturating_sub(last.unit + 1);
            if distance > FAR || hit.sentence != last.sentence {
                break;
            }
            let numbers = number_between(court.tokens, candidate.last as u32, hit.first);
            if hit.terms.any(NAMES) && !hit.warned {
                let against = if numbers { 14 } else { 0 } + if begins { 0 } else { 8 };
                self.name = self.name.max(name_points(court, hit, distance) - 4 - against);
                self.otp |= hit.terms.has(Term::Otp);
            } else if hit.terms.has(Term::Auth) && distance <= NEAR && !numbers {
                let firm = match (self.joined, begins) {
                    (true, _) => 32,
                    (false, true) => 26,
                    (false, false) => 20,
                };
                self.auth = self.auth.max(firm - 2 * distance as i32);
            }
            if distance == 0 && counts(court, candidate, hit) {
                self.other = self.other.max(60);
            }
        }
    }
}

/// Whether the word right behind a candidate is a currency or what is counted.
fn counts(court: &Court<'_>, candidate: &Candidate, hit: &Hit) -> bool {
    let after = &court.tokens[candidate.last + 1];
    let adjacent = after.gap & (gap::LINE | gap::STOP) == 0 && hit.from <= after.from;
    let small = candidate.look == Look::Digits && court.tokens[candidate.first].digits <= 5;
    adjacent && (hit.terms.has(Term::Money) || (small && hit.terms.has(Term::Unit)))
}

/// Whether only a few words come before it in its sentence or line.
fn begins_sentence(court: &Court<'_>, candidate: &Candidate) -> bool {
    let token = &court.tokens[candidate.first];
    let back = candidate.first.saturating_sub(4);
    candidate.first < 4
        || court.tokens[back].sentence != token.sentence
        || court.tokens[candidate.first - 1].line != token.line
}

/// What a name is worth at a distance.
fn name_points(court: &Court<'_>, hit: &Hit, distance: u32) -> i32 {
    let best = match hit.terms.has(Term::Otp) {
        true => 58,
        false if has_auth(court, hit) => 52,
        false => 44,
    };
    best - 2 * distance as i32
}

/// Whether a name has a word such as verify close to it.
fn has_auth(court: &Court<'_>, hit: &Hit) -> bool {
    let at = court.at(hit.from);
    court.hits[at.saturating_sub(8)..(at + 8).min(court.hits.len())].iter().any(|other| {
        let apart = hit.unit.saturating_sub(other.unit_end).max(other.unit.saturating_sub(hit.unit_end));
        other.terms.has(Term::Auth) && other.sentence == hit.sentence && apart <= 4
    })
}
