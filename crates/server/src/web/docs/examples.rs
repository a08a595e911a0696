//! How a call is made: with curl, and with Python. Both are made from the document, so that they name what there is. Refuses
//! keys and ids: `KEY` and `ID` stand for the reader's own.

use serde_json::{Map, Value};

use super::members::{example_of, properties, resolve};
use super::operation::body;
use super::{Docs, text};

/// A call as an example makes it.
pub(super) struct Call<'a> {
    base_url: &'a str,
    path: &'a str,
    method: String,
    /// A header with the key: its name, and what stands before the key.
    key: Option<(&'a str, &'static str)>,
    body: Option<Value>,
    /// Whether its answer goes on and on.
    stream: bool,
}

impl<'a> Call<'a> {
    pub(super) fn of(docs: &'a Docs<'_>, path: &'a str, method: &str, described: &'a Value) -> Self {
        let whole = docs.document;
        let api_key = described["parameters"].as_array().into_iter().flatten().map(|one| text(&one["name"]));
        let api_key = api_key.into_iter().find(|name| *name == "x-api-key").map(|name| (name, ""));
        let bearer = (!described["security"].is_null()).then_some(("Authorization", "Bearer "));
        let (schema, _) = body(whole, described);
        Self {
            base_url: docs.base_url,
            path,
            method: method.to_owned(),
            key: bearer.or(api_key),
            body: schema.map(|schema| Value::Object(filled(whole, schema))),
            stream: described["responses"]["200"]["content"].get("text/event-stream").is_some(),
        }
    }

    /// A command of the shell.
    pub(super) fn curl(&self) -> String {
        let mut lines = vec![match self.method.as_str() {
            "GET" if self.stream => "curl -N".to_owned(),
            "GET" => "curl".to_owned(),
            method => format!("curl -X {method}"),
        }];
        lines[0] += &format!(" {}{}", self.base_url, self.path.replace("{id}", "$ID"));
        if let Some((name, before)) = self.key {
            lines.push(format!("-H \"{name}: {before}$KEY\""));
        }
        if let Some(body) = &self.body {
            lines.push("-H 'Content-Type: application/json'".to_owned());
            lines.push(format!("-d '{}'", literal(body, &JSON)));
        }
        lines.join(" \\\n  ")
    }

    /// A script around `requests`.
    pub(super) fn python(&self) -> String {
        let method = self.method.to_lowercase();
        let path = self.path.replace("{id}", "{ID}");
        let f = if path.contains("{ID}") { "f" } else { "" };
        let mut lines = vec![format!("answer = requests.{method}("), format!("    {f}\"{}{path}\",", self.base_url)];
        if let Some((name, before)) = self.key {
            lines.push(format!("    headers={{\"{name}\": f\"{before}{{KEY}}\"}},"));
        }
        if let Some(body) = &self.body {
            lines.push(format!("    json={},", literal(body, &PYTHON)));
        }
        if self.stream {
            lines.push("    stream=True,".to_owned());
        }
        lines.push(")".to_owned());
        lines.push(if self.stream {
            "for line in answer.iter_lines(decode_unicode=True):\n    print(line)".to_owned()
        } else {
            "print(answer.status_code, answer.text)".to_owned()
        });
        format!("import requests\n\n{}", lines.join("\n"))
    }
}

/// What must be in a body, or, where nothing must, what has an example.
fn filled(whole: &Value, schema: &Value) -> Map<String, Value> {
    let (all, needed) = properties(whole, schema);
    let shown = all.iter().filter_map(|(name, schema)| {
        let schema = resolve(whole, schema);
        let example = example_of(schema).cloned();
        let value = if needed.contains(name) {
            Some(example.unwrap_or_else(|| Value::String("…".to_owned())))
        } else {
            example.filter(|_| needed.is_empty())
        };
        value.map(|value| (name.clone(), value))
    });
    shown.collect()
}

/// How a language writes true, false and nothing.
type Words = [&'static str; 3];
const JSON: Words = ["true", "false", "null"];
const PYTHON: Words = ["True", "False", "None"];

/// A value, as a language writes it. Texts, numbers, lists and objects are the same in both.
fn literal(value: &Value, words: &Words) -> String {
    match value {
        Value::Bool(true) => words[0].to_owned(),
        Value::Bool(false) => words[1].to_owned(),
        Value::Null => words[2].to_owned(),
        Value::Array(all) => {
            format!("[{}]", all.iter().map(|one| literal(one, words)).collect::<Vec<_>>().join(", "))
        }
        Value::Object(all) => {
            let pair = |(name, one): (&String, &Value)| format!("\"{name}\": {}", literal(one, words));
            format!("{{{}}}", all.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}
