//! What could be a code by its looks alone: digits in one piece or in groups, letters and digits, letters. Says what
//! each looks like and how much that is worth; refuses what is written as something else: dates, times, amounts,
//! telephone numbers, masked numbers, parts of links.

use super::fold::{digit, letter};
use super::scan::{Kind, Scan, Token, gap};

/// What it is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Digits,
    /// Digits in groups, such as `123-456`.
    Groups,
    Mixed,
    Letters,
    /// Single characters with spaces between.
    Spaced,
}

/// A part of the text that could be a code.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) look: Look,
    /// The tokens that it covers.
    pub(super) first: usize,
    pub(super) last: usize,
    /// Bytes of the original text.
    pub(super) start: u32,
    pub(super) end: u32,
    /// What its looks are worth, out of 34.
    pub(super) worth: i32,
    /// Written with a reference prefix such as `G-`.
    pub(super) prefixed: bool,
}

/// The symbols of a code as people type them: ASCII, without separators, in the case of the message.
pub fn symbols(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(16));
    out.extend(symbols_of(text));
    out
}

/// The same, one by one.
pub(super) fn symbols_of(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter_map(|c| digit(c).or_else(|| letter(c)))
}

/// The most tokens that are tried as one code.
const MOST_PARTS: usize = 10;

/// The most candidates that are weighed. What holds more numbers is a list, and a code stands before it.
const MOST: usize = 4096;

/// Everything that looks like a code, in order.
pub(super) fn find(scan: &Scan, spoken: &str, cells: bool) -> Vec<Candidate> {
    let tokens = &scan.tokens;
    let mut found = Vec::new();
    let mut at = 0;
    while at + 1 < tokens.len() && found.len() < MOST {
        if tokens[at].link {
            at += 1;
            continue;
        }
        let (candidate, used) = at_token(tokens, at, spoken, cells);
        found.extend(candidate);
        at += used.max(1);
    }
    found
}

/// What begins at a token, and how many tokens that takes.
fn at_token(tokens: &[Token], at: usize, text: &str, cells: bool) -> (Option<Candidate>, usize) {
    if let Some((candidate, used)) = spaced(tokens, at, cells) {
        return (candidate, used);
    }
    match tokens[at].kind {
        Kind::Number if !leads_letters(tokens, at) => number(tokens, at),
        Kind::Number | Kind::Mixed | Kind::Latin => match joined(tokens, at) {
            Some((candidate, used)) => (candidate, used),
            None if tokens[at].kind == Kind::Mixed => (mixed(tokens, at, text), 1),
            None if tokens[at].kind == Kind::Number => number(tokens, at),
            None => (letters(tokens, at), 1),
        },
        _ => (None, 1),
    }
}

/// `1234-ABCD`.
fn leads_letters(tokens: &[Token], at: usize) -> bool {
    let next = &tokens[at + 1];
    next.kind == Kind::Latin && next.width == 1 && next.first == b'-' && next.uppers == next.letters
}

const fn candidate(look: Look, tokens: &[Token], first: usize, last: usize, worth: i32) -> Candidate {
    Candidate { look, first, last, start: tokens[first].start, end: tokens[last].end, worth, prefixed: false }
}

/// How many tokens from `at` are joined by one and the same separator, each of a kind that `fits`.
fn run(tokens: &[Token], at: usize, separator: u8, fits: impl Fn(&Token) -> bool) -> usize {
    let joined = |token: &&Token| {
        token.width == 1 && token.first == separator && token.gap & gap::LINE == 0 && !token.link && fits(token)
    };
    1 + tokens[at + 1..].iter().take(MOST_PARTS).take_while(joined).count()
}

/// `4 8 2 9 1 3` and `a u 8 k u f`; in HTML also one character in each cell or block.
fn spaced(tokens: &[Token], at: usize, cells: bool) -> Option<(Option<Candidate>, usize)> {
    let single = |token: &Token| token.length() == 1 && matches!(token.kind, Kind::Number | Kind::Latin) && !token.link;
    if !single(&tokens[at]) {
        return None;
    }
    let next = &tokens[at + 1];
    let separator = next.first;
    let lines = cells && next.kind == Kind::Number && tokens[at].kind == Kind::Number;
    let count = if next.width == 1 && matches!(separator, b' ' | b'-') {
        run(tokens, at, separator, single)
    } else if lines {
        let blank = |token: &&Token| token.first == b' ' && token.last == b' ' && single(token) && token.width <= 3;
        1 + tokens[at + 1..].iter().take(MOST_PARTS).take_while(blank).count()
    } else {
        return None;
    };
    let parts = &tokens[at..at + count];
    let digits = parts.iter().filter(|token| token.kind == Kind::Number).count();
    if !(4..=10).contains(&count) || (digits == 0 && count < 5) {
        return None;
    }
    let worth = if digits == count { 28 } else { 22 };
    Some((Some(candidate(Look::Spaced, tokens, at, at + count - 1, worth)), count))
}

/// A number, alone or in groups.
fn number(tokens: &[Token], at: usize) -> (Option<Candidate>, usize) {
    let is_number = |token: &Token| token.kind == Kind::Number;
    let next = &tokens[at + 1];
    let count = match next.first {
        separator @ (b'-' | b' ' | b'.' | b'/') if next.width == 1 => run(tokens, at, separator, is_number),
        _ => 1,
    };
    // A tail glued to the last group: `1337-1337ABC`.
    let glued = next.width == 1
        && next.first == b'-'
        && tokens.get(at + count).is_some_and(|tail| tail.first == b'-' && tail.width == 1 && splits(tail).is_some());
    let count = count + usize::from(glued);
    if count > 1
        && let Some(answer) = grouped(tokens, at, count, next.first)
    {
        return answer;
    }
    if is_other(tokens, at, at) {
        return (None, 1);
    }
    let worth = digits_worth(tokens[at].digits);
    ((worth > 0).then(|| candidate(Look::Digits, tokens, at, at, worth)), 1)
}

/// What so many digits in a row are worth.
const fn digits_worth(digits: u16) -> i32 {
    match digits {
        6 => 30,
        5 | 7 | 8 => 25,
        4 => 24,
        9 => 12,
        3 => 8,
        10 => 4,
        _ => 0,
    }
}

/// Digits in groups: a code, something else that takes all of them, or `None`: look at each alone.
fn grouped(tokens: &[Token], at: usize, count: usize, separator: u8) -> Option<(Option<Candidate>, usize)> {
    let parts = &tokens[at..at + count];
    let total: u16 = parts.iter().map(|token| token.digits).sum();
    let last = at + count - 1;
    let length = |i: usize| parts[i].digits;
    let even = parts.iter().all(|token| token.digits == length(0));
    if matches!(separator, b'.' | b'/') {
        // Dates, versions, addresses, amounts.
        return Some((None, count));
    }
    if total > 9 || (count > 2 && total > 8 && !even) {
        // A telephone number, or a list of numbers.
        let phone = separator == b'-' || count > 2;
        return phone.then_some((None, count));
    }
    if is_date(parts) || is_other(tokens, at, last) {
        return (separator == b'-').then_some((None, count));
    }
    let worth = match (count, length(0)) {
        (2, 3) if even => 34,
        (2, 4) if even => 28,
        (2 | 3, 2) | (3, 3) if even => 24,
        _ if separator == b'-' && (4..=8).contains(&total) => 10,
        _ if separator == b'-' => 0,
        _ => return None,
    };
    let spread = if separator == b' ' { 4 } else { 0 };
    let mut found = candidate(Look::Groups, tokens, at, last, worth - spread);
    if let Some(digits) = splits(&tokens[last]) {
        found.end = tokens[last].start + u32::from(digits);
    }
    Some(((worth > 0).then_some(found), count))
}

/// `2024-05-17`, `17-05-24`.
fn is_date(parts: &[Token]) -> bool {
    let [a, b, c] = parts else { return false };
    matches!((a.digits, b.digits, c.digits), (4, 1..=2, 1..=2) | (1..=2, 1..=2, 4))
}

/// How many digits lead a mixed token in which letters follow only at the end.
fn splits(token: &Token) -> Option<u16> {
    (token.kind == Kind::Mixed && token.end - token.start == u32::from(token.length()) && token.digits >= 3)
        .then_some(token.digits)
}

/// Whether what stands around the tokens says that they are a part of something longer.
fn is_other(tokens: &[Token], first: usize, last: usize) -> bool {
    let (before, after) = (&tokens[first], &tokens[last + 1]);
    let previous = first.checked_sub(1).map(|i| &tokens[i]);
    let numeric = |token: &Token| matches!(token.kind, Kind::Number | Kind::Mixed);
    // A number right before or behind, with only this between.
    let glued_before = previous.is_some_and(|token| before.width == 1 && numeric(token));
    let glued_after = after.width == 1 && numeric(after);
    if (glued_before && matches!(before.last, b'.' | b':' | b'/'))
        || (glued_after && matches!(after.first, b'.' | b':' | b'/'))
    {
        return true;
    }
    let thousand = |token: &Token| token.kind == Kind::Number && token.digits == 3;
    let comma_after = glued_after && after.first == b',' && thousand(after) && before.digits <= 3;
    let comma_before = glued_before && before.last == b',' && thousand(before);
    // `+44…`, `(510) 555…`: from either side of the bracket.
    let area =
        before.last == b'(' && after.first == b')' && after.width == 2 && after.digits >= 3 && before.digits <= 4;
    let telephone = before.last == b'+' || (before.first == b')' && previous.is_some_and(numeric)) || area;
    // `**1234`, `...1234`: the end of a longer number.
    let dots = before.last == b'.' && before.prior == b'.';
    let masked = before.last == b'*' && after.first != b'*' || dots;
    let money = before.last == b'$' || after.first == b'$';
    comma_after || comma_before || telephone || masked || money || after.first == b'%' || before.last == b'@'
}

/// `ABC-123`, `AB12-CD34`, and numbers behind a reference prefix: `G-123456`.
fn joined(tokens: &[Token], at: usize) -> Option<(Option<Candidate>, usize)> {
    let next = &tokens[at + 1];
    if next.width != 1 || next.first != b'-' || (at > 0 && tokens[at].first == b'-' && tokens[at].width == 1) {
        return None;
    }
    let ascii = |token: &Token| matches!(token.kind, Kind::Number | Kind::Latin | Kind::Mixed);
    let count = run(tokens, at, b'-', ascii);
    if count == 2
        && let Some(found) = prefixed(tokens, at)
    {
        return Some((Some(found), 2));
    }
    let parts = &tokens[at..at + count];
    let total: u16 = parts.iter().map(Token::length).sum();
    let digits: u16 = parts.iter().map(|token| token.digits).sum();
    let part = |token: &Token| (2..=6).contains(&token.length()) && token.uppers == token.letters;
    if !(2..=4).contains(&count) || !(6..=16).contains(&total) || !parts.iter().all(part) || (digits == 0 && total > 10)
    {
        return None;
    }
    let (look, worth) = if digits > 0 { (Look::Mixed, 18) } else { (Look::Letters, 8) };
    Some((Some(candidate(look, tokens, at, at + count - 1, worth)), count))
}

/// A number behind a few capitals and a dash: the capitals are the sender's, the number is the code.
fn prefixed(tokens: &[Token], at: usize) -> Option<Candidate> {
    let (prefix, number) = (&tokens[at], &tokens[at + 1]);
    let short = prefix.kind == Kind::Latin && prefix.letters <= 4 && prefix.uppers == prefix.letters;
    let fits = short && number.kind == Kind::Number && matches!(number.digits, 4..=8);
    (fits && !is_other(tokens, at + 1, at + 1)).then(|| Candidate {
        start: number.start,
        prefixed: true,
        ..candidate(Look::Digits, tokens, at, at + 1, digits_worth(number.digits))
    })
}

/// Names of codes that senders glue to the code. After any other letters, they belong to it: `NOW7291`.
const GLUED: [&str; 8] = ["otp", "code", "pin", "kod", "tan", "tac", "cod", "pwd"];

/// Letters and digits in one piece; a number glued to a word is taken apart.
fn mixed(tokens: &[Token], at: usize, text: &str) -> Option<Candidate> {
    let token = &tokens[at];
    let raw = text.get(token.start as usize..token.end as usize)?;
    if is_other(tokens, at, at) {
        return None;
    }
    if raw.bytes().all(|byte| matches!(byte, b'x' | b'X' | b'0'..=b'9')) {
        // `XX1234`: masked as well.
        return None;
    }
    let leading = raw.chars().take_while(|c| digit(*c).is_some()).count();
    let trailing = raw.chars().rev().take_while(|c| digit(*c).is_some()).count();
    let (digits, letters) = (usize::from(token.digits), usize::from(token.letters));
    let lower = token.uppers == 0;
    let whole = candidate(Look::Digits, tokens, at, at, digits_worth(token.digits) - 4);
    let some = (4..=8).contains(&digits);
    if some && leading == digits && (lower && letters >= 2 || letters >= 3) {
        let width: usize = raw.chars().take(leading).map(char::len_utf8).sum();
        return Some(Candidate { end: token.start + width as u32, ..whole });
    }
    if some && trailing == digits && GLUED.iter().any(|word| raw.to_lowercase().starts_with(word)) {
        let width: usize = raw.chars().rev().take(trailing).map(char::len_utf8).sum();
        return Some(Candidate { start: token.end - width as u32, ..whole });
    }
    let worth = match digits + letters {
        5..=8 if token.uppers == token.letters => 22,
        4 | 9 | 10 if token.uppers == token.letters => 16,
        5..=8 if lower => 16,
        4..=10 => 10,
        _ => return None,
    };
    let ordinal = lower && digits <= 3 && leading == digits && letters <= 3;
    (!ordinal).then(|| candidate(Look::Mixed, tokens, at, at, worth))
}

/// Letters alone: looked at because some codes are such, worth next to nothing by themselves.
fn letters(tokens: &[Token], at: usize) -> Option<Candidate> {
    let token = &tokens[at];
    let fits = token.kind == Kind::Latin && (4..=10).contains(&token.letters) && token.uppers == token.letters;
    fits.then(|| candidate(Look::Letters, tokens, at, at, 2))
}
