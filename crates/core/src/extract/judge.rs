//! Weighs candidates against the words around them. Two questions are answered apart: how much each candidate looks
//! and reads like *the* code, and whether the best one is good enough to say that there *is* one. Refuses what the
//! words next to it name as something else, however much it looks like a code.
//!
//! Points are small integers that add up. A good shape brings up to 34, a name right beside it up to 66, a line of its
//! own up to 42; what speaks against it costs as much. Nothing is learnt from data: every number here can be read.

use super::candidate::{Candidate, Look, symbols_of};
use super::context::{Context, settle, sum_up};
use super::scan::{Kind, Scan, Token};
use super::terms::Hit;
use super::ties::Ties;

/// At this many points a candidate is a code.
pub(super) const ENOUGH: i32 = 50;

/// Another code must be so many points behind the best, else nobody knows which is meant: more than it brings that `is` or a colon stands
/// before one of them.
const AHEAD: i32 = 9;

/// What it brings that somebody is told to type it: a number that looks like a code is one then.
const TOLD: i32 = 22;

/// Words that lead to what a code is for, not to the code.
const FOR: [&str; 12] = ["for", "of", "to", "from", "fur", "para", "pour", "per", "untuk", "voor", "для", "на"];

/// A message cut, searched and summed up.
pub(super) struct Court<'a> {
    pub(super) folded: &'a [u8],
    pub(super) tokens: &'a [Token],
    /// In order of where they begin.
    pub(super) hits: &'a [Hit],
    context: Context,
}

/// Which candidate is the code.
pub(super) enum Choice {
    /// This one, by its place, with its points.
    One(usize, i32),
    /// More than one has enough points, and none is far ahead.
    Several,
    /// None has enough.
    None,
}

/// The best candidate and its points, if it has enough and no other code has about as many. `text` is where they stand.
pub(super) fn choose(scan: &Scan, hits: &mut [Hit], candidates: &[Candidate], text: &str) -> Choice {
    settle(hits, &scan.tokens);
    let context = sum_up(hits, &scan.tokens);
    let court = Court { folded: &scan.folded, tokens: &scan.tokens, hits, context };
    let all = candidates.iter().map(|candidate| court.points(candidate)).enumerate();
    let good: Vec<(usize, i32)> = all.filter(|(_, points)| *points >= ENOUGH).collect();
    // Of equal ones the first.
    let Some((best, most)) = good.iter().copied().rev().max_by_key(|(_, points)| *points) else { return Choice::None };
    let rival =
        |(i, points): &(usize, i32)| points + AHEAD > most && is_another(text, &candidates[*i], &candidates[best]);
    if good.iter().any(rival) { Choice::Several } else { Choice::One(best, most) }
}

/// Whether a candidate is another code than one that is written like it: as many symbols, of digits alone or not. The same code often stands
/// there twice, in the subject and below; what is written otherwise is no second code of that sender.
fn is_another(text: &str, one: &Candidate, other: &Candidate) -> bool {
    let [one, other] = [one, other].map(|code| &text[code.start as usize..code.end as usize]);
    let form = |text| (symbols_of(text).count(), symbols_of(text).all(|c| c.is_ascii_digit()));
    let lower = |text| symbols_of(text).map(|c| c.to_ascii_lowercase());
    form(one) == form(other) && !lower(one).eq(lower(other))
}

impl Court<'_> {
    fn points(&self, candidate: &Candidate) -> i32 {
        let ties = Ties::of(self, candidate);
        let alone = self.is_whole_message(candidate);
        let told = if self.is_told(&ties) { TOLD } else { 0 };
        let mut points = candidate.worth + ties.name.max(ties.auth).max(told);
        points += (ties.name > 0 && ties.auth > 0) as i32 * 6;
        points -= ties.other;
        if alone {
            points += 40;
        } else if ties.name < 45 && self.has_own_line(candidate) {
            points += self.own_line_points() - ties.name.max(ties.auth).min(20);
        }
        points += self.context_points(ties.name + ties.auth);
        points += self.unheard_of(candidate, alone);
        points += i32::from(candidate.prefixed) * 8;
        points - self.doubts(candidate, &ties, alone)
    }

    /// What the looks alone are worth where no word is understood: a short text with `123-456`, six digits on a line.
    fn unheard_of(&self, candidate: &Candidate, alone: bool) -> i32 {
        let context = &self.context;
        let known =
            context.others + context.promos + context.money > 0 || context.otp || context.code || context.warned;
        if alone || known || context.links {
            return 0;
        }
        let token = &self.tokens[candidate.first];
        let six = candidate.look == Look::Digits && token.digits == 6;
        if candidate.look == Look::Groups && candidate.worth > 30 && self.tokens.len() <= 10 {
            18
        } else if six && self.has_own_line(candidate) && !context.auth {
            20
        } else {
            0
        }
    }

    /// What the message as a whole adds.
    fn context_points(&self, tied: i32) -> i32 {
        let context = &self.context;
        let mut points = 0;
        points += if context.otp { 6 } else { 0 };
        points += if context.life { 3 } else { 0 };
        points += if context.keep { 3 } else { 0 };
        points += if context.app { 24 } else { 0 };
        if tied == 0 && context.warned && context.money == 0 && context.others < 3 {
            points += 12;
        }
        points
    }

    /// What a line of its own adds: much if the message speaks of a code, little if only of signing in.
    fn own_line_points(&self) -> i32 {
        let context = &self.context;
        if context.otp {
            42
        } else if context.code || context.warned {
            let best = if context.auth { 40 } else { 34 };
            best - (context.promos.min(3) * 6) as i32
        } else if context.auth {
            20
        } else {
            0
        }
    }

    /// Why it may be none after all.
    fn doubts(&self, candidate: &Candidate, ties: &Ties, alone: bool) -> i32 {
        let token = &self.tokens[candidate.first];
        let mut doubts = 0;
        if token.last == b'#' && !candidate.prefixed {
            doubts += 10;
        }
        if candidate.look == Look::Letters && !alone {
            let word = self.hits.get(self.at(token.from)).is_some_and(|hit| hit.from < token.to);
            doubts += if word || self.context.shouting || !ties.pointed || ties.name < 50 { 60 } else { 0 };
        }
        let letters = !matches!(candidate.look, Look::Digits | Look::Groups);
        if letters && self.context.promos > 0 && !self.context.otp {
            doubts += 20;
        }
        let said = ties.otp || (self.is_told(ties) && ties.auth > 0);
        if !said && !alone {
            doubts += self.unlikely(candidate, ties);
        }
        if self.is_year(candidate) && !ties.pointed {
            doubts += 40;
        }
        if self.is_for_something(candidate) {
            doubts += 20;
        }
        if ties.name == 0 && !alone && !ties.joined {
            doubts += (self.context.money.min(2) * 12) as i32;
        }
        doubts
    }

    /// How much a message that names no one-time code reads like a prize, an offer or a receipt.
    fn unlikely(&self, candidate: &Candidate, ties: &Ties) -> i32 {
        let context = &self.context;
        let prize = context.promos > 0 && (context.money > 0 || context.links) && ties.auth == 0 && !context.otp;
        let offer = context.money > 1 && ties.auth == 0 && !context.otp;
        let receipt = context.others > 5 && context.money > 0 && !context.life && !context.keep;
        // Nothing says how long it lives or that it must be kept: each other number that is spoken of counts.
        let quiet = !context.life && !context.keep;
        let per = if matches!(candidate.look, Look::Digits | Look::Groups) { 3 } else { 10 };
        let bill = if context.money > 0 && context.others > 1 && !ties.purpose && !self.serves_something(candidate) {
            34
        } else {
            0
        };
        let talk = context.others.saturating_sub(1).min(7) as i32 * per + context.promos.min(3) as i32 * 8 + bill;
        (prize || offer) as i32 * 35 + (receipt as i32 * 60).max(quiet as i32 * talk)
    }

    /// Whether somebody is told to type it, and not to win something by it.
    fn is_told(&self, ties: &Ties) -> bool {
        ties.entered && self.context.promos == 0
    }

    /// Whether it says what it is for: `4554 for the transfer`. What a receipt shows does not.
    fn serves_something(&self, candidate: &Candidate) -> bool {
        let after = &self.tokens[candidate.last + 1];
        after.width == 1 && self.leads(after)
    }

    /// Whether it is what a code is for: `code for 4554`.
    fn is_for_something(&self, candidate: &Candidate) -> bool {
        let Some(before) = candidate.first.checked_sub(1).map(|i| &self.tokens[i]) else { return false };
        self.tokens[candidate.first].width == 1 && self.leads(before)
    }

    /// Whether a word leads to a purpose.
    pub(super) fn leads(&self, token: &Token) -> bool {
        let word = self.folded.get(token.from as usize..token.to as usize).unwrap_or_default();
        FOR.iter().any(|one| one.as_bytes() == word)
    }

    /// `26 November 2026`: a year with a day a few words before it.
    fn is_year(&self, candidate: &Candidate) -> bool {
        let token = &self.tokens[candidate.first];
        let word = self.folded.get(token.from as usize..token.to as usize).unwrap_or_default();
        let back = &self.tokens[candidate.first.saturating_sub(4)..candidate.first];
        let day = |token: &Token| token.kind == Kind::Number && token.digits <= 2;
        word.len() == 4 && (word.starts_with(b"19") || word.starts_with(b"20")) && back.iter().any(day)
    }

    /// The first hit at or after a byte of the folded text.
    pub(super) fn at(&self, from: u32) -> usize {
        self.hits.partition_point(|hit| hit.from < from)
    }

    /// Whether the message says nothing else.
    fn is_whole_message(&self, candidate: &Candidate) -> bool {
        let rest = self.tokens.len() - 1 - (candidate.last + 1 - candidate.first);
        rest == 0
    }

    fn has_own_line(&self, candidate: &Candidate) -> bool {
        let first = &self.tokens[candidate.first];
        let after = &self.tokens[candidate.last + 1];
        let before = candidate.first.checked_sub(1).map(|i| &self.tokens[i]);
        before.is_none_or(|token| token.line < first.line) && after.line > self.tokens[candidate.last].line
    }
}
