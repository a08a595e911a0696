//! The layers of the configuration, laid over each other: defaults, file, environment. The defaults hold every setting,
//! so a name that is not there is a mistake, and a value of another type too. Refuses to stop at the first complaint.

use toml::{Table, Value};

/// The documented defaults, compiled in.
const DEFAULTS: &str = include_str!("../../../../config.default.toml");

/// The settings as tables, and what is wrong with them so far.
pub(super) struct Layers {
    table: Table,
    complaints: Vec<String>,
}

impl Layers {
    /// The defaults alone.
    pub(super) fn new() -> Self {
        match DEFAULTS.parse() {
            Ok(table) => Self { table, complaints: Vec::new() },
            Err(error) => Self { table: Table::new(), complaints: vec![format!("config.default.toml: {error}")] },
        }
    }

    /// Lays the text of a file over what is there.
    pub(super) fn lay_file(&mut self, name: &str, text: &str) {
        match text.parse::<Table>() {
            Ok(over) => {
                let mut complaints = Vec::new();
                lay(&mut self.table, over, "", &mut complaints);
                self.complaints.extend(complaints.into_iter().map(|why| format!("{name}: {why}")));
            }
            Err(error) => {
                // Not the error's own display: that quotes the line, and the line may hold a password.
                let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                self.complaints.push(format!("{name}: line {line}: {}", error.message()));
            }
        }
    }

    /// Lays one variable over what is there, if it is one of ours: `DOORCODE_SECTION__KEY`.
    pub(super) fn lay_variable(&mut self, name: &str, value: &str) {
        let Some(path) = name.strip_prefix("DOORCODE_") else { return };
        let path = path.to_ascii_lowercase();
        let words: Vec<&str> = path.split("__").collect();
        match find(&mut self.table, &words) {
            Some(old) => match like(old, value) {
                Some(new) => *old = new,
                None => self.complaints.push(format!("{name}: must be {}", kind(old))),
            },
            None => {
                self.complaints.push(format!("{name}: there is no such setting; DOORCODE_SECTION__KEY is the form"));
            }
        }
    }

    /// The settings as `T`, or every complaint.
    pub(super) fn read<T: serde::de::DeserializeOwned>(self) -> Result<T, Vec<String>> {
        if !self.complaints.is_empty() {
            return Err(self.complaints);
        }
        Value::Table(self.table).try_into().map_err(|error: toml::de::Error| vec![error.message().to_owned()])
    }
}

fn lay(under: &mut Table, over: Table, path: &str, complaints: &mut Vec<String>) {
    for (name, new) in over {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match (under.get_mut(&name), new) {
            (Some(Value::Table(inner)), Value::Table(new)) => lay(inner, new, &path, complaints),
            (Some(old), new) if old.same_type(&new) => *old = new,
            (Some(old), _) => complaints.push(format!("{path}: must be {}", kind(old))),
            (None, _) => complaints.push(format!("{path}: there is no such setting")),
        }
    }
}

/// The setting at the end of a path of sections.
fn find<'a>(table: &'a mut Table, words: &[&str]) -> Option<&'a mut Value> {
    let (word, rest) = words.split_first()?;
    let value = table.get_mut(*word)?;
    match (value, rest.is_empty()) {
        (Value::Table(inner), false) => find(inner, rest),
        (value, true) => Some(value),
        _ => None,
    }
}

/// The text of a variable as a value of the same type as the default.
fn like(old: &Value, text: &str) -> Option<Value> {
    match old {
        Value::String(_) => Some(Value::String(text.to_owned())),
        Value::Integer(_) => text.trim().parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Array(_) => {
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            Some(Value::Array(words.map(|word| Value::String(word.to_owned())).collect()))
        }
        _ => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use super::Layers;

    #[test]
    fn a_broken_file_is_named_and_not_quoted() {
        let mut layers = Layers::new();
        layers.lay_file("doorcode.toml", "[mail]\nhost = \"mail.example.com\"\npassword = hunter2secret\n");
        let complaints = layers.read::<toml::Table>().err().unwrap_or_default().join("\n");
        assert!(complaints.contains("doorcode.toml: line 3"), "{complaints}");
        assert!(!complaints.contains("hunter2"), "{complaints}");
    }
}
