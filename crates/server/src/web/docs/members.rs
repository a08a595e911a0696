//! What is in an object, as rows for people: name, type, limits, an example. Refuses to follow a schema into itself further
//! than anybody reads.

use serde_json::{Map, Value};

use super::{Piece, pieces, text};

/// Objects inside objects that are still opened.
const DEEPEST: usize = 4;

/// A member, or a parameter.
pub(super) struct Member {
    /// With the names of what it stands in: `verification.id`, `data[].id`.
    pub(super) name: String,
    /// The type and its limits in words: `text, 1 to 255 characters`.
    pub(super) type_: String,
    pub(super) needed: bool,
    pub(super) about: String,
    pub(super) example: Option<String>,
    /// Where a parameter stands.
    pub(super) place: Option<&'static str>,
}

impl Member {
    pub(super) fn of(whole: &Value, name: &str, schema: &Value, needed: bool) -> Self {
        let full = resolve(whole, schema);
        let about = schema["description"].as_str().or_else(|| full["description"].as_str()).unwrap_or_default();
        Self {
            name: name.to_owned(),
            type_: type_of(whole, full),
            needed,
            about: about.to_owned(),
            example: example_of(full).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
            place: None,
        }
    }

    pub(super) fn about(&self) -> Vec<Piece<'_>> {
        pieces(&self.about)
    }
}

/// The example that a schema names.
pub(super) fn example_of(schema: &Value) -> Option<&Value> {
    Some(&schema["example"]).filter(|example| !example.is_null())
}

/// The schema that a reference means.
pub(super) fn resolve<'a>(whole: &'a Value, schema: &'a Value) -> &'a Value {
    let named = schema["$ref"].as_str().and_then(|name| whole.pointer(name.strip_prefix('#')?));
    named.unwrap_or(schema)
}

/// Every member of an object and of the objects in it, those first that must be there, else in the order of the names.
pub(super) fn members(whole: &Value, schema: &Value) -> Vec<Member> {
    let mut found = Vec::new();
    gather(whole, schema, "", DEEPEST, &mut found);
    found
}

/// The members themselves, and which are needed; what is put together from parts has those of all parts.
pub(super) fn properties(whole: &Value, schema: &Value) -> (Map<String, Value>, Vec<String>) {
    let schema = resolve(whole, schema);
    let mut all = schema["properties"].as_object().cloned().unwrap_or_default();
    let names = schema["required"].as_array().into_iter().flatten();
    let mut needed: Vec<String> = names.map(|name| text(name).to_owned()).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let (more, more_needed) = properties(whole, part);
        all.extend(more);
        needed.extend(more_needed);
    }
    (all, needed)
}

fn gather(whole: &Value, schema: &Value, within: &str, deeper: usize, found: &mut Vec<Member>) {
    let schema = resolve(whole, schema);
    if !schema["items"].is_null() {
        return gather(whole, &schema["items"], &format!("{within}[]"), deeper, found);
    }
    let (all, needed) = properties(whole, schema);
    let (first, rest): (Vec<_>, Vec<_>) = all.iter().partition(|(name, _)| needed.contains(name));
    for (name, schema) in first.into_iter().chain(rest) {
        let path = if within.is_empty() { name.clone() } else { format!("{within}.{name}") };
        found.push(Member::of(whole, &path, schema, needed.contains(name)));
        if deeper > 0 {
            gather(whole, schema, &path, deeper - 1, found);
        }
    }
}

/// A type and its limits in words.
fn type_of(whole: &Value, schema: &Value) -> String {
    let names: Vec<&str> = match &schema["type"] {
        Value::Array(names) => names.iter().map(text).collect(),
        name => vec![text(name)],
    };
    let null = names.contains(&"null");
    let word = match (names.iter().find(|name| **name != "null").copied(), schema["format"].as_str()) {
        (Some("string"), Some("uuid")) => "UUID".to_owned(),
        (Some("string"), Some("date-time")) => "time (RFC 3339)".to_owned(),
        (Some("string"), Some("email")) => "e-mail address".to_owned(),
        (Some("string"), _) => "text".to_owned(),
        (Some("integer"), _) => "whole number".to_owned(),
        (Some("boolean"), _) => "true or false".to_owned(),
        (Some("array"), _) => format!("list of {}", type_of(whole, resolve(whole, &schema["items"]))),
        _ => "object".to_owned(),
    };
    let limits = limits(schema).map(|limits| format!(", {limits}")).unwrap_or_default();
    format!("{word}{limits}{}", if null { ", or null" } else { "" })
}

fn limits(schema: &Value) -> Option<String> {
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<&str> = words.iter().map(text).collect();
        return Some(format!("one of {}", words.join(", ")));
    }
    let between = |least: &str, most: &str, of: &str| match (schema[least].as_u64(), schema[most].as_u64()) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}{of}")),
        (Some(1), None) => Some(format!("at least one{of}")).filter(|_| !of.is_empty()),
        (None, Some(most)) => Some(format!("at most {most}{of}")),
        _ => None,
    };
    between("minimum", "maximum", "")
        .or_else(|| between("minLength", "maxLength", " characters"))
        .or_else(|| between("minItems", "maxItems", " of them"))
}
