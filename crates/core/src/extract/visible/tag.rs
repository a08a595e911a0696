//! A tag of HTML: its name, what it does to the flow of text, whether it hides what is in it.

/// A tag as it stands between `<` and `>`.
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    pub(super) closing: bool,
    attributes: &'a str,
}

/// What an element does to the text around it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    /// A line of its own.
    Block,
    /// A new line.
    Line,
    /// A cell of a table: a space.
    Cell,
    /// A block whose line ends count.
    Preformatted,
    /// Its content is not text.
    Raw,
}

/// The elements that do something, by name.
const EFFECTS: [(&str, Effect); 41] = [
    ("br", Effect::Line),
    ("tr", Effect::Line),
    ("td", Effect::Cell),
    ("th", Effect::Cell),
    ("pre", Effect::Preformatted),
    ("style", Effect::Raw),
    ("script", Effect::Raw),
    ("svg", Effect::Raw),
    ("title", Effect::Raw),
    ("textarea", Effect::Raw),
    ("template", Effect::Raw),
    ("object", Effect::Raw),
    ("noscript", Effect::Raw),
    ("noembed", Effect::Raw),
    ("noframes", Effect::Raw),
    ("iframe", Effect::Raw),
    ("select", Effect::Raw),
    ("p", Effect::Block),
    ("div", Effect::Block),
    ("table", Effect::Block),
    ("ul", Effect::Block),
    ("ol", Effect::Block),
    ("li", Effect::Block),
    ("dl", Effect::Block),
    ("dt", Effect::Block),
    ("dd", Effect::Block),
    ("section", Effect::Block),
    ("article", Effect::Block),
    ("header", Effect::Block),
    ("footer", Effect::Block),
    ("blockquote", Effect::Block),
    ("center", Effect::Block),
    ("form", Effect::Block),
    ("fieldset", Effect::Block),
    ("main", Effect::Block),
    ("nav", Effect::Block),
    ("address", Effect::Block),
    ("figure", Effect::Block),
    ("tbody", Effect::Block),
    ("thead", Effect::Block),
    ("body", Effect::Block),
];

/// Where the tag that `html` begins with ends, just behind its `>`. A `>` inside quotes is none, unless the quote
/// never ends.
pub(super) fn end(html: &str) -> Option<usize> {
    let bytes = html.as_bytes();
    let mut quote = 0;
    let mut first = None;
    // Real tags are short; what goes on for longer has lost a quote.
    for (i, &byte) in bytes.iter().enumerate().take(LONGEST) {
        match byte {
            b'>' if quote == 0 => return Some(i + 1),
            b'>' => first = first.or(Some(i + 1)),
            b'"' | b'\'' if quote == 0 && i > 0 && matches!(bytes[i - 1], b'=' | b' ') => quote = byte,
            _ if byte == quote => quote = 0,
            _ => {}
        }
    }
    first.or_else(|| (bytes.len() > LONGEST).then(|| html.floor_char_boundary(LONGEST)))
}

/// The longest tag that is read as one, in bytes.
const LONGEST: usize = 16 << 10;

impl<'a> Tag<'a> {
    /// Reads what stands from `<` to `>`. `None` for declarations.
    pub(super) fn read(tag: &'a str) -> Option<Self> {
        let inner = tag.trim_start_matches('<').trim_end_matches('>');
        let closing = inner.starts_with('/');
        let inner = inner.trim_start_matches('/');
        let length = inner.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-')).count();
        (length > 0).then(|| Self { name: &inner[..length], closing, attributes: &inner[length..] })
    }

    fn is(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn effect(&self) -> Effect {
        let known = |of: &&(&str, Effect)| self.name.eq_ignore_ascii_case(of.0);
        match self.name.len() {
            // `h1` to `h6`, and `hr`.
            2 if self.name.as_bytes()[0] | 32 == b'h' => Effect::Block,
            length => EFFECTS.iter().filter(|of| of.0.len() == length).find(known).map_or(Effect::Nothing, |of| of.1),
        }
    }

    /// Whether it has no content.
    pub(super) fn is_void(&self) -> bool {
        self.attributes.ends_with('/')
            || self.is(&["br", "img", "hr", "input", "meta", "link", "col", "area", "base", "wbr", "source", "embed"])
    }

    /// What its attributes and classes say about whether its content is seen.
    pub(super) fn sight(&self, hiding: &[&str]) -> Sight {
        let named =
            |class: &str| hiding.contains(&class) || PREVIEWS.iter().any(|name| class.eq_ignore_ascii_case(name));
        let mut found = Sight::Inherited;
        let mut rest = self.attributes;
        while let Some((name, value, next)) = attribute(rest) {
            let hidden = match name.len() {
                6 if name.eq_ignore_ascii_case("hidden") => true,
                5 if name.eq_ignore_ascii_case("class") => value.split_ascii_whitespace().any(named),
                5 if name.eq_ignore_ascii_case("style") => {
                    found = sight(value);
                    found == Sight::Hidden
                }
                _ => false,
            };
            if hidden {
                return Sight::Hidden;
            }
            rest = next;
        }
        found
    }

    /// Whether an element of this name that is still open ends where this one begins.
    pub(super) fn ends(&self, open: &str) -> bool {
        let open_is = |name: &str| open.eq_ignore_ascii_case(name);
        match self.effect() {
            Effect::Block if self.is(&["li", "dt", "dd"]) => self.name.eq_ignore_ascii_case(open),
            Effect::Block | Effect::Preformatted => open_is("p"),
            Effect::Cell => open_is("td") || open_is("th"),
            _ => false,
        }
    }
}

/// The first attribute of a list, its value (empty if it has none), and what follows.
fn attribute(list: &str) -> Option<(&str, &str, &str)> {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'/';
    let list = &list[list.bytes().take_while(blank).count()..];
    let length = list.bytes().take_while(|byte| !blank(byte) && *byte != b'=').count();
    let after = list[length..].trim_ascii_start();
    match after.strip_prefix('=') {
        Some(value) => {
            let (value, next) = quoted(value.trim_ascii_start());
            Some((&list[..length], value, next))
        }
        None if length == 0 => None,
        None => Some((&list[..length], "", after)),
    }
}

/// Names that mail templates give to the text which is meant for the list of mails and is hidden in the mail.
const PREVIEWS: [&str; 5] = ["preheader", "preview-text", "previewtext", "preheader-text", "mcnpreviewtext"];

/// A value, with or without quotes, and what follows it.
fn quoted(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    if let Some(quote @ (b'"' | b'\'')) = bytes.first() {
        let inner = &text[1..];
        return match inner.bytes().position(|byte| byte == *quote) {
            Some(end) => (&inner[..end], &inner[end + 1..]),
            None => (inner, ""),
        };
    }
    text.split_at(bytes.iter().take_while(|byte| !byte.is_ascii_whitespace()).count())
}

/// Whether what is in an element is seen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// As around it.
    Inherited,
    /// Not, whatever is inside.
    Hidden,
    /// Letters of no size: not, until something inside has a size.
    Tiny,
    /// Letters of some size.
    Sized,
}

/// What a list of declarations says.
fn sight(style: &str) -> Sight {
    let mut sight = Sight::Inherited;
    for declaration in style.as_bytes().split(|byte| *byte == b';') {
        let declaration = declaration.trim_ascii_start();
        // Most declarations are about looks: one glance at the first letter.
        if !declaration.first().is_some_and(|byte| matches!(byte | 32, b'd' | b'v' | b'm' | b'c' | b'o' | b'f')) {
            continue;
        }
        let Some(colon) = declaration.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (declaration[..colon].trim_ascii_end(), declaration[colon + 1..].trim_ascii());
        let begins =
            |wanted: &str| value.get(..wanted.len()).is_some_and(|value| value.eq_ignore_ascii_case(wanted.as_bytes()));
        let property = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        let hidden = property("display") && begins("none")
            || property("visibility") && (begins("hidden") || begins("collapse"))
            || property("mso-hide") && begins("all")
            || property("color") && begins("transparent")
            || (property("opacity") || property("max-height")) && is_zero(value);
        if hidden {
            return Sight::Hidden;
        }
        if property("font-size") {
            sight = if is_zero(value) { Sight::Tiny } else { Sight::Sized };
        }
    }
    sight
}

/// `0`, `0px`, `0.0`.
fn is_zero(value: &[u8]) -> bool {
    let mut number = value.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.');
    value.first() == Some(&b'0') && number.all(|byte| matches!(byte, b'0' | b'.'))
}

/// The most classes that are remembered.
const MOST_CLASSES: usize = 64;

/// Adds the classes that a style sheet hides by `.name { display: none }` outside of `@media` and the like.
pub(super) fn hidden_classes<'a>(sheet: &'a str, hiding: &mut Vec<&'a str>) {
    let mut depth = 0;
    let mut start = 0;
    let mut selector = "";
    for (i, byte) in sheet.bytes().enumerate() {
        match byte {
            b'{' => {
                if depth == 0 {
                    selector = &sheet[start..i];
                }
                depth += 1;
                start = i + 1;
            }
            b'}' => {
                depth = if depth > 0 { depth - 1 } else { 0 };
                if depth == 0 && !selector.trim_start().starts_with('@') && sight(&sheet[start..i]) == Sight::Hidden {
                    let classes = selector.split(',').filter_map(|one| one.trim().strip_prefix('.'));
                    let simple = classes.filter(|class| !class.contains([' ', '.', ':', '>', '#', '[', '+', '~']));
                    hiding.extend(simple.take(MOST_CLASSES.saturating_sub(hiding.len())));
                }
                start = i + 1;
            }
            b';' if depth == 0 => start = i + 1,
            _ => {}
        }
    }
}
