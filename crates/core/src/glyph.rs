//! Characters that nobody sees and that pasting brings along. Refuses nothing itself: codes and phone numbers drop
//! these, addresses are refused for them.

/// White space of any script, zero-width characters and bidirectional marks: what chat programs, address books and
/// right-to-left mails put around a number.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
        || is_bidi(c)
}

/// The `Bidi_Control` property (Unicode PropList): what can make a text read in another order than it is.
pub(crate) const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The `Dash` property (Unicode PropList), as far as keyboards and word processors make them out of `-`.
pub(crate) const fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
}

/// What has no place in a name because it can't be seen or has no meaning that two programs agree on: white space,
/// controls, default-ignorable characters (Unicode DerivedCoreProperties), private use, non-characters.
pub(crate) fn is_hidden(c: char) -> bool {
    is_blank(c)
        || c.is_control()
        || matches!(c,
            '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{2061}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{ffff}' | '\u{fdd0}'..='\u{fdef}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
        || c as u32 & 0xfffe == 0xfffe
}

/// What changes how its neighbours are shown and has no shape of its own. Narrower than [`is_hidden`]: a name may have white
/// space and variants of characters.
pub(crate) fn is_format(c: char) -> bool {
    is_bidi(c)
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
