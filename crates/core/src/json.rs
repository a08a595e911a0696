//! JSON that strangers wrote and that something will be decided by. Refuses an object that names a member twice, at any depth: one
//! reader takes the first and another the last, and what was checked is then not what is done. Also refuses more bytes and more
//! depth than whoever reads has use for, and anything behind the value.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads a text of at most `most` bytes. `depth` is how many objects and lists may stand in each other: with 1 the members of an
/// object are texts, numbers and the like. None: it is no JSON, or not such.
pub fn parse(text: &[u8], most: usize, depth: u8) -> Option<Value> {
    if text.len() > most {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict(depth).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(value)
}

/// The same of an object, as its members.
pub fn object(text: &[u8], most: usize, depth: u8) -> Option<Map<String, Value>> {
    match parse(text, most, depth)? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// A member that must be a text; none if there is none, or something else.
pub fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

/// Reads one value, with this much depth left.
struct Strict(u8);

impl Strict {
    fn below<E: serde::de::Error>(&self) -> Result<u8, E> {
        self.0.checked_sub(1).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("no number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Self(below))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut members = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            let value = object.next_value_seed(Self(below))?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(text: &str) -> Option<Value> {
        parse(text.as_bytes(), 100, 3)
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_at_any_depth() {
        assert_eq!(read(r#"{"a":1,"b":{"a":1}}"#), Some(json!({"a":1,"b":{"a":1}})));
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"a":2}}"#,
            r#"[{"a":1,"b":2,"a":null}]"#,
            r#"{"":0,"":1}"#,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn size_depth_and_what_stands_behind_are_limited() {
        assert_eq!(read(" [[[1]]] "), Some(json!([[[1]]])));
        for bad in
            ["[[[[1]]]]", "[[[{}]]]", "{}{}", "{} x", "", "\u{feff}{}", "{a:1}", "[1,]", "01", "\"\\ud800\"", "nul"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(parse(b"{}", 1, 1), None);
        assert_eq!(parse(b"\"x\"", 9, 0), Some(json!("x")));
        assert_eq!(parse(b"[]", 9, 0), None);
        assert_eq!(parse("[".repeat(100_000).as_bytes(), 200_000, 255), None, "no depth uses the stack up");
        assert_eq!(parse(b"\"\xff\"", 9, 1), None);
        assert!(object(b"[]", 9, 9).is_none() && object(b"{}", 9, 9).is_some());
    }

    proptest! {
        /// What is taken means the same to everybody: read again by another reader it is the same value.
        #[test]
        fn whatever_comes_is_refused_or_read_as_others_read_it(text in "[\\[\\]{}:,\"0-9a-c\\\\ u.-]{0,40}") {
            if let Some(value) = parse(text.as_bytes(), 40, 9) {
                prop_assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = parse(&bytes, 60, 3);
        }
    }
}
