//! A text cut into words and numbers, in one pass. Each token knows where it stands in the original and in the folded
//! text, and what separates it from the one before: everything that is asked later is asked of tokens, so no message
//! is walked twice per candidate. Refuses to look inside links: what they hold is marked, never offered.

use zeroize::Zeroizing;

use super::fold::{Class, Folder};

/// What a token is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits only.
    Number,
    /// Letters of the ASCII alphabet only.
    Latin,
    /// ASCII letters and digits.
    Mixed,
    /// Letters of a script with spaces, or ASCII letters with accents among them.
    Word,
    /// A run of a script without spaces.
    Wide,
    /// The end of the text: holds what follows the last token.
    End,
}

/// What was seen between two tokens.
pub(super) mod gap {
    pub(in crate::extract) const SPACE: u8 = 1;
    pub(in crate::extract) const LINE: u8 = 2;
    pub(in crate::extract) const PARAGRAPH: u8 = 4;
    pub(in crate::extract) const STOP: u8 = 8;
    pub(in crate::extract) const COLON: u8 = 16;
    pub(in crate::extract) const DOT: u8 = 32;
    pub(in crate::extract) const MONEY: u8 = 64;
}

/// A word or number, and the gap before it.
#[derive(Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Bytes of the original text.
    pub(super) start: u32,
    pub(super) end: u32,
    /// Bytes of the folded text.
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) digits: u16,
    pub(super) letters: u16,
    pub(super) uppers: u16,
    /// The gap before: flags, its first and last character folded, and how many characters it has.
    pub(super) gap: u8,
    pub(super) first: u8,
    pub(super) last: u8,
    /// The one before the last.
    pub(super) prior: u8,
    pub(super) width: u8,
    pub(super) line: u32,
    pub(super) sentence: u32,
    /// Words before it, from the beginning; in scripts without spaces two characters count as a word.
    pub(super) unit: u32,
    /// Numbers of three digits and more before it that are not in links.
    pub(super) numbers: u32,
    /// Unbroken text: no space, bracket or comma between tokens of the same chunk.
    chunk: u32,
    pub(super) link: bool,
}

impl Token {
    /// Digits and letters together.
    pub(super) const fn length(&self) -> u16 {
        self.digits.saturating_add(self.letters)
    }
}

/// A text, ready to be asked.
pub(super) struct Scan {
    pub(super) folded: Zeroizing<Vec<u8>>,
    /// Ends with one of [`Kind::End`].
    pub(super) tokens: Vec<Token>,
}

struct Scanner<'a> {
    text: &'a str,
    folded: Vec<u8>,
    tokens: Vec<Token>,
    next: Token,
    /// Line ends in the current gap.
    lines: u32,
    open: bool,
}

const BLANK: Token = Token {
    kind: Kind::End,
    start: 0,
    end: 0,
    from: 0,
    to: 0,
    digits: 0,
    letters: 0,
    uppers: 0,
    gap: 0,
    first: 0,
    last: 0,
    prior: 0,
    width: 0,
    line: 0,
    sentence: 0,
    unit: 0,
    numbers: 0,
    chunk: 0,
    link: false,
};

/// The most tokens that are looked at: what is behind so many words is not read, and a hostile message takes a few
/// megabytes, not hundreds.
const MOST: usize = 1 << 17;

/// Cuts `text`. One pass over its characters, then one over the tokens.
pub(super) fn scan(text: &str) -> Scan {
    let folder = Folder::new();
    let mut scanner = Scanner {
        text,
        folded: Vec::with_capacity(text.len() + 8),
        tokens: Vec::with_capacity(text.len() / 5 + 2),
        next: BLANK,
        lines: 0,
        open: false,
    };
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).filter(|_| scanner.tokens.len() < MOST) {
        // Most of most messages: letters and single spaces, which need no table.
        if byte.is_ascii_lowercase() && scanner.open && scanner.next.kind == Kind::Latin {
            at = scanner.lower_case(bytes, at);
            continue;
        }
        let (c, width) = if byte.is_ascii() { (*byte as char, 1) } else { first(text, at) };
        let folded = folder.fold(c);
        match folded.class {
            Class::Nothing => {}
            Class::Digit | Class::Ascii | Class::Letter | Class::Wide => {
                scanner.letter(at, width, folded.class, folded.c, folded.upper);
            }
            Class::Space | Class::Line | Class::Mark => scanner.between(folded.class, folded.c),
        }
        at += width;
    }
    scanner.finish()
}

/// The character at a byte, and its width.
fn first(text: &str, at: usize) -> (char, usize) {
    let c = text[at..].chars().next().unwrap_or(' ');
    (c, c.len_utf8())
}

impl Scanner<'_> {
    /// Takes the lower-case letters from `at` into the open word, and says where they end.
    fn lower_case(&mut self, bytes: &[u8], at: usize) -> usize {
        let count = bytes[at..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
        self.folded.extend_from_slice(&bytes[at..at + count]);
        self.next.letters = self.next.letters.saturating_add(u16::try_from(count).unwrap_or(u16::MAX));
        self.next.end = (at + count) as u32;
        at + count
    }

    fn letter(&mut self, at: usize, width: usize, class: Class, c: char, upper: bool) {
        if !self.open || !self.continues(class) {
            self.close();
            self.begin(at, class);
        }
        let token = &mut self.next;
        match class {
            Class::Digit => token.digits = token.digits.saturating_add(1),
            _ => token.letters = token.letters.saturating_add(1),
        }
        token.uppers = token.uppers.saturating_add(u16::from(upper));
        token.kind = match (token.kind, class) {
            (Kind::Number, Class::Ascii) | (Kind::Latin | Kind::Mixed, Class::Digit) => Kind::Mixed,
            (Kind::Latin, Class::Letter) => Kind::Word,
            (kind, _) => kind,
        };
        token.end = (at + width) as u32;
        if c.is_ascii() {
            self.folded.push(c as u8);
        } else {
            self.folded.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    /// Whether a character of this class belongs to the open token. Digits never join letters that no code has.
    const fn continues(&self, class: Class) -> bool {
        match self.next.kind {
            Kind::Number => matches!(class, Class::Digit | Class::Ascii),
            Kind::Mixed => matches!(class, Class::Digit | Class::Ascii),
            Kind::Latin => matches!(class, Class::Digit | Class::Ascii | Class::Letter),
            Kind::Word => matches!(class, Class::Ascii | Class::Letter),
            Kind::Wide => matches!(class, Class::Wide),
            Kind::End => false,
        }
    }

    fn begin(&mut self, at: usize, class: Class) {
        let lines = std::mem::take(&mut self.lines);
        let token = &mut self.next;
        token.line += lines;
        if lines > 1 {
            token.gap |= gap::PARAGRAPH;
        }
        // `no. 5` and `Ref. 5` go on; `Your code. 5` does not.
        let short = class == Class::Digit && self.tokens.last().is_some_and(|last| matches!(last.letters, 1..=3));
        let dot = token.gap & gap::DOT != 0 && token.gap & gap::SPACE != 0 && !short;
        if dot || token.gap & (gap::STOP | gap::PARAGRAPH) != 0 {
            token.sentence += 1;
        }
        if class == Class::Wide || self.tokens.last().is_some_and(|last| last.kind == Kind::Wide) {
            token.chunk += 1;
        }
        token.kind = match class {
            Class::Digit => Kind::Number,
            Class::Ascii => Kind::Latin,
            Class::Wide => Kind::Wide,
            _ => Kind::Word,
        };
        token.start = at as u32;
        token.from = self.folded.len() as u32;
        self.open = true;
    }

    fn close(&mut self) {
        if !self.open {
            return;
        }
        self.open = false;
        self.next.to = self.folded.len() as u32;
        self.tokens.push(self.next);
        let Token { kind, letters, line, sentence, unit, chunk, .. } = self.next;
        let words = if kind == Kind::Wide { u32::from(letters).div_ceil(2) } else { 1 };
        self.next = Token { line, sentence, unit: unit + words, chunk, ..BLANK };
    }

    fn between(&mut self, class: Class, c: char) {
        self.close();
        let token = &mut self.next;
        let byte = c as u8;
        if class == Class::Line {
            self.lines += 1;
            token.gap |= gap::LINE | gap::SPACE;
        }
        if token.width == 0 {
            token.first = byte;
        }
        token.prior = token.last;
        token.last = byte;
        token.width = token.width.saturating_add(1);
        match byte {
            b' ' => token.gap |= gap::SPACE,
            b'!' | b'?' => token.gap |= gap::STOP,
            b'.' if token.gap & gap::SPACE == 0 => token.gap |= gap::DOT,
            b':' | b'=' | b'>' => token.gap |= gap::COLON,
            b'$' => token.gap |= gap::MONEY,
            _ => {}
        }
        if matches!(byte, b' ' | b'(' | b')' | b'[' | b']' | b'<' | b'>' | b'"' | b',' | b';') {
            token.chunk += 1;
        }
        let shown = if byte == b'-' { b' ' } else { byte };
        if shown != b' ' || self.folded.last() != Some(&b' ') {
            self.folded.push(shown);
        }
    }

    fn finish(mut self) -> Scan {
        self.close();
        let length = self.text.len() as u32;
        let lines = self.lines + 1;
        let folded = self.folded.len() as u32;
        let last = self.next;
        self.tokens.push(Token {
            start: length,
            end: length,
            from: folded,
            to: folded,
            line: last.line + lines,
            sentence: last.sentence + 1,
            ..last
        });
        mark_links(&mut self.tokens, &self.folded);
        count_numbers(&mut self.tokens);
        Scan { folded: Zeroizing::new(self.folded), tokens: self.tokens }
    }
}

/// Counts the numbers before each token. An amount is none, nor is what follows its point.
fn count_numbers(tokens: &mut [Token]) {
    let (mut numbers, mut after_number) = (0, false);
    for token in tokens {
        token.numbers = numbers;
        let part = after_number && token.width == 1 && matches!(token.first, b'.' | b',' | b':' | b'/');
        numbers += u32::from(token.digits >= 3 && !token.link && !part && token.last != b'$');
        after_number = token.kind == Kind::Number;
    }
}

/// Marks what is part of an address of the web or of mail.
fn mark_links(tokens: &mut [Token], folded: &[u8]) {
    let mut start = 0;
    while start < tokens.len() {
        let chunk = tokens[start].chunk;
        let length = tokens[start..].iter().take_while(|token| token.chunk == chunk).count();
        let run = &mut tokens[start..start + length];
        if let Some(first) = link_start(run, folded) {
            run[first..].iter_mut().for_each(|token| token.link = true);
        }
        start += length;
    }
}

/// Endings that make a name with a dot an address without a path. Others need a path or a scheme.
const ENDINGS: [&str; 24] = [
    "com", "net", "org", "cn", "io", "ru", "uk", "fr", "jp", "kr", "br", "pl", "nl", "tw", "hk", "gov", "edu", "info",
    "biz", "ir", "ua", "eu", "dev", "example",
];

/// The token of a chunk at which a link begins. Looks at each gap once.
fn link_start(run: &[Token], folded: &[u8]) -> Option<usize> {
    let word = |token: &Token| folded.get(token.from as usize..token.to as usize).unwrap_or_default();
    let mut dotted = None;
    let last_dot = run.iter().rposition(|token| token.first == b'.');
    for (i, token) in run.iter().enumerate() {
        let scheme = i > 0 && token.first == b':' && token.width >= 3 && token.last == b'/';
        if scheme {
            return Some(i - 1);
        }
        if token.kind == Kind::Latin && word(token) == b"www" {
            return Some(i);
        }
        if token.last == b'@' && last_dot.is_some_and(|dot| dot > i) {
            return Some(if token.width == 1 || i == 0 { 0 } else { i });
        }
        if i == 0 {
            continue;
        }
        let name = matches!(token.kind, Kind::Latin) && token.letters >= 2;
        if token.first == b'.' && token.width == 1 && name {
            dotted = Some(i);
            if ENDINGS.iter().any(|ending| ending.as_bytes() == word(token)) && token.uppers == 0 {
                return Some(domain_start(run, i));
            }
        } else if dotted.is_some_and(|dot| dot + 1 == i) && matches!(token.first, b'/' | b'?') {
            return Some(domain_start(run, i - 1));
        }
    }
    None
}

/// Goes back over the labels of a domain name that ends at token `at`.
fn domain_start(run: &[Token], at: usize) -> usize {
    let mut first = at;
    while first > 0 && run[first].width == 1 && matches!(run[first].first, b'.' | b'-') {
        first -= 1;
    }
    first
}
