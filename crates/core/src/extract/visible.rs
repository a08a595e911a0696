//! What a person sees of HTML, as text: blocks on lines of their own, cells apart, entities read. Drops styles,
//! scripts, comments, the head, and elements that are hidden by their own style or by a rule for their class.
//! Refuses to be a browser: attributes such as `alt` and `href` never become text, and it reads each byte once.

mod entity;
mod tag;

use tag::{Effect, Sight, Tag};

/// The text of `html`.
pub(super) fn text(html: &str) -> String {
    let mut page = Page {
        html,
        at: 0,
        out: String::with_capacity(html.len() / 4 + 16),
        blank: Blank::None,
        open: Vec::new(),
        hiding: Vec::new(),
        comments: true,
        closings: true,
        preformatted: 0,
    };
    page.read();
    page.out
}

/// White space that is owed before the next visible character.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blank {
    None,
    Space,
    Line,
    Paragraph,
}

/// An element that has begun.
struct Open<'a> {
    name: &'a str,
    hidden: bool,
    tiny: bool,
}

/// How far back the beginning of an element is looked for. Further back, a tag that ends one is an error.
const DEEPEST: usize = 48;

struct Page<'a> {
    html: &'a str,
    at: usize,
    out: String,
    blank: Blank,
    open: Vec<Open<'a>>,
    /// Classes that a style sheet hides.
    hiding: Vec<&'a str>,
    /// Whether an end of comment, an end of tag may still come: what was looked for in vain is not looked for again.
    comments: bool,
    closings: bool,
    preformatted: u32,
}

impl<'a> Page<'a> {
    fn read(&mut self) {
        while let Some(rest) = self.html.get(self.at..).filter(|rest| !rest.is_empty()) {
            let next = rest.bytes().position(|byte| byte == b'<').unwrap_or(rest.len());
            self.show(&rest[..next]);
            self.at += next;
            if next < rest.len() {
                self.markup();
            }
        }
    }

    /// At a `<`: a comment, a declaration, a tag, or a plain sign.
    fn markup(&mut self) {
        let rest = &self.html[self.at..];
        if rest.starts_with("<!--") && self.comments {
            match rest.find("-->") {
                Some(end) => return self.at += end + 3,
                None => self.comments = false,
            }
        }
        let named = rest.as_bytes().get(1).is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'!' | b'?'));
        let end = if named && self.closings { tag::end(rest) } else { None };
        let Some(end) = end else {
            self.closings &= !named;
            self.show("<");
            self.at += 1;
            return;
        };
        self.at += end;
        if let Some(tag) = Tag::read(&rest[..end]) {
            self.tag(&tag);
        }
    }

    fn tag(&mut self, tag: &Tag<'a>) {
        let effect = tag.effect();
        match effect {
            Effect::Raw if !tag.closing => return self.skip(tag.name),
            Effect::Block => self.owe(Blank::Paragraph),
            Effect::Line => self.owe(Blank::Line),
            Effect::Cell => self.owe(Blank::Space),
            Effect::Preformatted => {
                self.owe(Blank::Paragraph);
                self.preformatted =
                    if tag.closing { self.preformatted.saturating_sub(1) } else { self.preformatted + 1 };
            }
            _ => {}
        }
        if tag.closing {
            self.close(tag);
        } else if !tag.is_void() {
            self.begin(tag);
        }
    }

    fn begin(&mut self, tag: &Tag<'a>) {
        if self.open.last().is_some_and(|last| tag.ends(last.name)) {
            self.open.pop();
        }
        let (hidden, tiny) = self.open.last().map_or((false, false), |last| (last.hidden, last.tiny));
        let (hidden, tiny) = match tag.sight(&self.hiding) {
            Sight::Inherited => (hidden, tiny),
            Sight::Hidden => (true, tiny),
            Sight::Tiny => (hidden, true),
            Sight::Sized => (hidden, false),
        };
        self.open.push(Open { name: tag.name, hidden, tiny });
    }

    fn close(&mut self, tag: &Tag<'a>) {
        let same = |open: &Open<'_>| open.name.eq_ignore_ascii_case(tag.name);
        let from = self.open.len().saturating_sub(DEEPEST);
        if let Some(back) = self.open[from..].iter().rposition(same) {
            self.open.truncate(from + back);
        }
    }

    /// Passes over an element whose content is no HTML; learns from a style sheet what it hides.
    fn skip(&mut self, name: &'a str) {
        let rest = &self.html[self.at..];
        let mut from = 0;
        let end = loop {
            let Some(next) = rest[from..].find("</") else { break rest.len() };
            from += next;
            let close = rest.as_bytes().get(from + 2..from + 2 + name.len());
            if close.is_some_and(|close| close.eq_ignore_ascii_case(name.as_bytes())) {
                break from;
            }
            from += 2;
        };
        if name.eq_ignore_ascii_case("style") {
            tag::hidden_classes(&rest[..end], &mut self.hiding);
        }
        self.at += end;
    }

    fn owe(&mut self, blank: Blank) {
        // A line that follows a line is an empty line.
        self.blank =
            if blank == Blank::Line && self.blank >= Blank::Line { Blank::Paragraph } else { self.blank.max(blank) };
    }

    fn show(&mut self, mut text: &str) {
        if self.open.last().is_some_and(|last| last.hidden || last.tiny) {
            return;
        }
        while !text.is_empty() {
            let plain = text.bytes().position(|byte| byte == b'&').unwrap_or(text.len());
            self.plain(&text[..plain]);
            text = &text[plain..];
            if !text.is_empty() {
                let (c, used) = entity::read(text);
                self.settle();
                self.out.push(c);
                text = &text[used..];
            }
        }
    }

    /// Text without entities: words as they are, white space as it is owed.
    fn plain(&mut self, mut text: &str) {
        while !text.is_empty() {
            let word = text.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(text.len());
            if word > 0 {
                self.settle();
                self.out.push_str(&text[..word]);
            } else {
                let line = text.starts_with('\n') && self.preformatted > 0;
                self.owe(if line { Blank::Line } else { Blank::Space });
            }
            text = &text[word.max(1)..];
        }
    }

    /// Writes the white space that is owed.
    fn settle(&mut self) {
        let blank = std::mem::replace(&mut self.blank, Blank::None);
        if !self.out.is_empty() {
            self.out.push_str(match blank {
                Blank::None => "",
                Blank::Space => " ",
                Blank::Line => "\n",
                Blank::Paragraph => "\n\n",
            });
        }
    }
}
