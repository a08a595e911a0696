//! One line of what somebody else wrote, to be shown among our own words: a name, an agent's reason. Refuses what would
//! change how its neighbours are read: line ends, controls, marks of direction, characters without a shape.

use crate::glyph::is_format;

/// The text as one line of at most `most` characters; none if nothing is left.
pub fn clean(given: &str, most: usize) -> Option<String> {
    join(given, most, is_format)
}

/// The same, without the characters that `is_dropped` says.
pub(crate) fn join(given: &str, most: usize, is_dropped: impl Fn(char) -> bool) -> Option<String> {
    let kept = |c: &char| c.is_whitespace() || !c.is_control() && !is_dropped(*c);
    let shown: String = given.chars().filter(kept).collect();
    let line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.chars().take(most).collect::<String>().trim_end().to_owned();
    (!line.is_empty()).then_some(line)
}
