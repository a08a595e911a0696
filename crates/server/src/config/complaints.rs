//! What is wrong with the settings, collected while meaning is made of them, so that all of it is said at once.
//! Refuses to quote a value that may be a secret: a file of one is named by its path.

use std::path::Path;
use std::time::Duration;

use doorcode_core::Secret;

use super::Range;
use crate::deliver::texts::Catalogue;

/// What is wrong so far, a sentence each.
#[derive(Default)]
pub(super) struct Complaints(Vec<String>);

impl Complaints {
    /// One more.
    pub(super) fn push(&mut self, complaint: impl Into<String>) {
        self.0.push(complaint.into());
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// What was meant, unless something is wrong.
    pub(super) fn none_or<T>(self, meant: T) -> Result<T, Vec<String>> {
        if self.0.is_empty() { Ok(meant) } else { Err(self.0) }
    }

    /// The value, or a complaint and a stand-in that nobody will see.
    pub(super) fn take<T>(&mut self, name: &str, value: Option<T>, must: &str, stand_in: T) -> T {
        value.unwrap_or_else(|| {
            self.push(format!("{name}: {must}"));
            stand_in
        })
    }

    /// Networks, as `10.0.0.0/8`.
    pub(super) fn ranges(&mut self, name: &str, texts: &[String]) -> Vec<Range> {
        let mut ranges = Vec::new();
        for text in texts {
            match text.parse::<Range>() {
                Ok(range) => ranges.push(range),
                Err(()) => self.push(format!("{name}: {text} is no address and no range such as 10.0.0.0/8")),
            }
        }
        ranges
    }

    /// A time with its unit, as `10m`.
    pub(super) fn duration(&mut self, name: &str, text: &str) -> Duration {
        self.take(name, duration(text), "must be a duration such as 30s, 10m, 1h or 90d", Duration::ZERO)
    }

    /// A secret that stands in the settings, or is the first line of a file that they name.
    pub(super) fn secret(&mut self, name: &str, here: &str, file: &str) -> Option<Secret<String>> {
        match (here.trim(), file.trim()) {
            ("", "") => None,
            ("", file) => self.secret_file(&format!("{name}_file"), Path::new(file)),
            (here, "") => Some(Secret::new(here.to_owned())),
            _ => {
                self.push(format!("{name} and {name}_file: name one of them"));
                None
            }
        }
    }

    fn secret_file(&mut self, name: &str, file: &Path) -> Option<Secret<String>> {
        match std::fs::read_to_string(file) {
            Ok(text) => Some(Secret::new(text.lines().next().unwrap_or_default().to_owned())),
            Err(error) => {
                self.push(format!("{name}: {}: {error}", file.display()));
                None
            }
        }
    }

    /// The texts of mails: those that are built in, and over them those of a directory.
    pub(super) fn templates(&mut self, name: &str, dir: Option<&Path>) -> Catalogue {
        match dir.map_or(Ok(Catalogue::BUILT_IN), Catalogue::read) {
            Ok(texts) => texts,
            Err(complaints) => {
                self.0.extend(complaints.into_iter().map(|why| format!("{name}: {why}")));
                Catalogue::BUILT_IN
            }
        }
    }
}

/// `30s`, `10m`, `1h`, `90d`, `250ms`.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}
