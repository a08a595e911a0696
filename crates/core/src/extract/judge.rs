//! Weighs candidates against the words around them. Two questions are answered apart: how much each candidate looks
//! and reads like *the* code, and whether the best one is good enough to say that there *is* one. Refuses what the
//! words next to it name as something else, however much it looks like a code.

use super::candidate::{Candidate, Look};
use super::lexicon::Term;
use super::scan::{Kind, Scan, Token, gap};
use super::terms::{Hit, Terms};

/// Words that lead to what a code is for, not to the code.
const FOR: [&str; 12] = ["for", "of", "to", "from", "fur", "para", "pour", "per", "untuk", "voor", "для", "на"];

/// At this many points a candidate is a code.
const ENOUGH: i32 = 50;

/// How many hits are looked at on each side of a candidate, so that a long message stays cheap.
const REACH: usize = 24;

/// Further than this, in words, a name and its value do not belong together.
const FAR: u32 = 22;

const NAMES: Terms = Terms::of(&[Term::Otp, Term::Code]);
const OTHERS: Terms = Terms::of(&[Term::Number, Term::Promo]);

/// What the message says as a whole.
#[derive(Default)]
struct Context {
    otp: bool,
    code: bool,
    warned: bool,
    auth: bool,
    life: bool,
    keep: bool,
    others: u32,
    promos: u32,
    money: u32,
    shouting: bool,
    links: bool,
    /// The mark of an app that reads its own messages.
    app: bool,
}

/// A message cut, searched and summed up.
struct Court<'a> {
    folded: &'a [u8],
    tokens: &'a [Token],
    hits: &'a [Hit],
    context: Context,
}

/// The best candidate and its points, if it has enough.
#[inline(never)]
pub(super) fn choose(scan: &Scan, hits: &mut [Hit], candidates: &[Candidate]) -> Option<(usize, i32)> {
    settle(hits, &scan.tokens);
    let court = Court { folded: &scan.folded, tokens: &scan.tokens, hits, context: sum_up(hits, &scan.tokens) };
    let mut best: Option<(usize, i32)> = None;
    for (i, candidate) in candidates.iter().enumerate() {
        let points = court.points(candidate);
        if best.is_none_or(|(_, most)| points > most) {
            best = Some((i, points));
        }
    }
    best.filter(|(_, points)| *points >= ENOUGH)
}

/// Takes their meaning from words that a longer phrase or a neighbour turns into something else, and finds warnings.
#[inline(never)]
fn settle(hits: &mut [Hit], tokens: &[Token]) {
    for i in 0..hits.len() {
        let hit = hits[i];
        if !hit.terms.any(NAMES) {
            continue;
        }
        let near = i.saturating_sub(10)..(i + 10).min(hits.len());
        let around = || hits[near.clone()].iter().filter(|other| other.sentence == hit.sentence);
        let covers = |other: &&Hit| {
            let more = other.to - other.from > hit.to - hit.from || !hit.terms.has(Term::Otp);
            other.from <= hit.from && other.to >= hit.to && more
        };
        let inside_promo = around().filter(covers).any(|other| other.terms.any(OTHERS) && !other.terms.any(NAMES));
        let beside_promo = around().any(|other| {
            let before = other.to <= hit.from && hit.unit.saturating_sub(other.unit_end) == 0;
            let after = other.from >= hit.to && other.unit.saturating_sub(hit.unit_end) == 0;
            other.terms.has(Term::Promo) && !other.terms.any(NAMES) && (before || after)
        });
        let warning = |other: &Hit| {
            let before = other.to <= hit.from && hit.unit.saturating_sub(other.unit_end) <= 4;
            other.terms.has(Term::Keep) && before && !number_between(tokens, other.last, hit.first)
        };
        hits[i].warned = around().any(warning);
        if inside_promo || (beside_promo && !hit.terms.has(Term::Otp)) {
            hits[i].terms = hit.terms.without(NAMES);
        }
    }
}

/// Whether a number of three digits or more stands between two tokens. They are close.
fn number_between(tokens: &[Token], from: u32, to: u32) -> bool {
    let (from, to) = (from as usize + 1, to as usize);
    from < to && tokens[from..to.min(from + 40)].iter().any(|token| token.digits >= 3 && !token.link)
}

fn sum_up(hits: &[Hit], tokens: &[Token]) -> Context {
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

/// What a candidate stands next to.
#[derive(Default)]
struct Ties {
    /// Points of the best name before or after it.
    name: i32,
    /// Points of words such as verify.
    auth: i32,
    /// Points against: it is named as something else.
    other: i32,
    /// How many words lie between it and its name.
    distance: u32,
    /// `is`, `use` or the like stands right before it.
    joined: bool,
    /// The name is one of a one-time code.
    otp: bool,
    /// A name and nothing but `:` or `is` before it.
    pointed: bool,
}

impl Court<'_> {
    fn points(&self, candidate: &Candidate) -> i32 {
        let ties = self.ties(candidate);
        let alone = self.is_whole_message(candidate);
        let mut points = candidate.worth + ties.name.max(ties.auth);
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
        let known = context.others + context.promos + context.money > 0 || context.otp || context.code || context.warned;
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
            34 - (context.promos.min(3) * 6) as i32
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
            let word =
                self.hits.iter().skip(self.at(token.from)).take_while(|hit| hit.from < token.to).next().is_some();
            doubts += if word || self.context.shouting || !ties.pointed || ties.name < 50 { 60 } else { 0 };
        }
        let letters = !matches!(candidate.look, Look::Digits | Look::Groups);
        if letters && self.context.promos > 0 && !self.context.otp {
            doubts += 20;
        }
        if !ties.otp && !alone {
            doubts += self.unlikely(candidate, ties);
        }
        if self.is_for_something(candidate) {
            doubts += 20;
        }
        if ties.name == 0 && !alone {
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
        let bill = if context.money > 0 && context.others > 1 { 34 } else { 0 };
        let talk = context.others.saturating_sub(1).min(7) as i32 * per + context.promos.min(3) as i32 * 8 + bill;
        (prize || offer) as i32 * 35 + (receipt as i32 * 60).max(quiet as i32 * talk)
    }

    /// Whether it is what a code is for: `code for 4554`.
    fn is_for_something(&self, candidate: &Candidate) -> bool {
        let Some(before) = candidate.first.checked_sub(1).map(|i| &self.tokens[i]) else { return false };
        let word = self.folded.get(before.from as usize..before.to as usize).unwrap_or_default();
        self.tokens[candidate.first].width == 1 && FOR.iter().any(|one| one.as_bytes() == word)
    }

    /// The first hit at or after a byte of the folded text.
    fn at(&self, from: u32) -> usize {
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

    fn ties(&self, candidate: &Candidate) -> Ties {
        let mut ties = Ties::default();
        let from = self.tokens[candidate.first].from;
        let to = self.tokens[candidate.last].to;
        self.look_back(candidate, from, &mut ties);
        self.look_ahead(candidate, to, &mut ties);
        ties
    }

    fn look_back(&self, candidate: &Candidate, from: u32, ties: &mut Ties) {
        let token = &self.tokens[candidate.first];
        let end = self.at(from);
        let colon = token.gap & gap::COLON != 0;
        let mut joined = colon;
        let mut named_else: Option<(i32, u32)> = None;
        for hit in self.hits[end.saturating_sub(REACH)..end].iter().rev() {
            if hit.to > from {
                continue;
            }
            let distance = token.unit.saturating_sub(hit.unit_end);
            if distance > FAR {
                break;
            }
            let direct = distance == 0;
            if hit.sentence != token.sentence && !(direct && token.gap & gap::STOP == 0) {
                continue;
            }
            joined |= direct && hit.terms.has(Term::Is);
            let numbers = number_between(self.tokens, hit.last, candidate.first as u32);
            ties.joined |= direct && hit.terms.has(Term::Is);
            if hit.terms.any(NAMES) {
                ties.otp |= hit.terms.has(Term::Otp);
                let worth = name_points(hit, distance, self.has_auth(hit)) + if joined { 8 } else { 0 }
                    - if numbers { 14 } else { 0 }
                    - if hit.warned && !(colon && !numbers) { 22 } else { 0 };
                if worth > ties.name {
                    ties.name = worth;
                    ties.distance = distance;
                }
                ties.pointed |= (direct || distance <= 1) && joined && !numbers;
                if let Some((points, _)) = named_else.take() {
                    named_else = Some((if joined { points / 3 } else { points }, distance));
                    ties.other = ties.other.max(named_else.map_or(0, |(points, _)| points));
                    named_else = None;
                }
            } else if hit.terms.has(Term::Auth) && distance <= 6 && !numbers {
                let worth = 24 - 2 * distance as i32 + if joined { 6 } else { 0 };
                ties.auth = ties.auth.max(worth);
            }
            if hit.terms.has(Term::Money) && direct && token.gap & gap::PARAGRAPH == 0 {
                ties.other = ties.other.max(60);
            }
            if hit.terms.any(OTHERS)
                && !hit.terms.any(NAMES)
                && distance <= 3
                && !numbers
                && ties.name == 0
                && named_else.is_none()
                && !(direct && token.first == b',')
            {
                named_else = Some((52 - 8 * distance as i32, distance));
            }
        }
        if let Some((points, _)) = named_else {
            ties.other = ties.other.max(points);
        }
    }

    fn look_ahead(&self, candidate: &Candidate, to: u32, ties: &mut Ties) {
        let (first, last) = (&self.tokens[candidate.first], &self.tokens[candidate.last]);
        let after = &self.tokens[candidate.last + 1];
        let begins = self.begins_sentence(candidate);
        for hit in self.hits[self.at(to)..].iter().take(REACH) {
            let distance = hit.unit.saturating_sub(last.unit + 1);
            if distance > FAR || hit.sentence != last.sentence {
                break;
            }
            let numbers = number_between(self.tokens, candidate.last as u32, hit.first);
            if hit.terms.any(NAMES) && !hit.warned {
                ties.otp |= hit.terms.has(Term::Otp);
                let worth = name_points(hit, distance, self.has_auth(hit))
                    - 4
                    - if numbers { 14 } else { 0 }
                    - if begins { 0 } else { 8 };
                if worth > ties.name {
                    ties.name = worth;
                    ties.distance = distance;
                }
            } else if hit.terms.has(Term::Auth) && distance <= 6 && !numbers {
                let firm = if ties.joined {
                    32
                } else if begins {
                    26
                } else {
                    20
                };
                ties.auth = ties.auth.max(firm - 2 * distance as i32);
            }
            let adjacent = distance == 0 && after.gap & (gap::LINE | gap::STOP) == 0 && hit.from <= after.from;
            let small = candidate.look == Look::Digits && first.digits <= 5;
            if adjacent && hit.terms.has(Term::Money) || adjacent && small && hit.terms.has(Term::Unit) {
                ties.other = ties.other.max(60);
            }
        }
    }

    /// Whether a name has a word such as verify close to it.
    fn has_auth(&self, hit: &Hit) -> bool {
        let at = self.at(hit.from);
        self.hits[at.saturating_sub(8)..(at + 8).min(self.hits.len())].iter().any(|other| {
            let apart = hit.unit.saturating_sub(other.unit_end).max(other.unit.saturating_sub(hit.unit_end));
            other.terms.has(Term::Auth) && other.sentence == hit.sentence && apart <= 4
        })
    }

    /// Whether only a few words come before it in its sentence or line.
    fn begins_sentence(&self, candidate: &Candidate) -> bool {
        let token = &self.tokens[candidate.first];
        let back = candidate.first.saturating_sub(4);
        candidate.first < 4
            || self.tokens[back].sentence != token.sentence
            || self.tokens[candidate.first - 1].line != token.line
    }
}

/// What a name is worth at a distance.
fn name_points(hit: &Hit, distance: u32, auth: bool) -> i32 {
    let best = if hit.terms.has(Term::Otp) {
        58
    } else if auth {
        52
    } else {
        44
    };
    best - 2 * distance as i32
}
