//! Lists of tags as signatures and their keys have them: `a=1; b=2` (RFC 6376 section 3.2). Refuses what that section forbids and
//! readers forgive: a tag that stands there twice, and one without a name.

/// The tags of a list, in their order. White space around names and values is gone, white space inside a value is not.
pub(super) struct Tags<'a>(Vec<(&'a str, &'a str)>);

/// The most tags of a list. A signature has some fifteen.
const MAX_TAGS: usize = 64;

impl<'a> Tags<'a> {
    /// Reads a list. None: it is none.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let mut tags: Vec<(&str, &str)> = Vec::new();
        for part in text.split(';').map(str::trim_ascii).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            let name = name.trim_ascii();
            let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            // The reader of signatures takes names in either case, so two spellings are one name here.
            let twice = tags.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            if !named || twice || tags.len() == MAX_TAGS {
                return None;
            }
            tags.push((name, value.trim_ascii()));
        }
        (!tags.is_empty()).then_some(Self(tags))
    }

    /// The value of a tag, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// Whether a tag that is a list with colons has this item. A tag that is not there has none.
    pub(super) fn has(&self, name: &str, item: &str) -> bool {
        self.get(name).is_some_and(|list| list.split(':').any(|one| one.trim_ascii().eq_ignore_ascii_case(item)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_once_each() {
        let tags = Tags::read(" v=1; h=From : to:\r\n\tSubject ; b=ab\r\n cd=;").unwrap();
        assert_eq!((tags.get("v"), tags.get("l")), (Some("1"), None));
        assert_eq!(tags.get("b"), Some("ab\r\n cd="));
        assert!(tags.has("h", "from") && tags.has("h", "subject") && !tags.has("h", "date") && !tags.has("x", "y"));
        for bad in ["", ";", "v", "=1", "v=1; d", "v=1; d=a; d=b", "v=1; d=a; D=b", "a b=1"] {
            assert!(Tags::read(bad).is_none(), "{bad}");
        }
    }
}
