//! The open corpus: messages that nobody here wrote. It is not part of the repository (its texts belong to others), so
//! this test passes, saying so, where it is not found. `DOORCODE_CORPUS` names the file; without it, `shared/corpus` is
//! looked for beside the repository and above.

#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::found;
use doorcode_core::extract::Format;

/// Of messages with a code, so many have the right one found, in thousandths.
const RIGHT: usize = 985;
/// Of messages without a code, at most so many have one claimed, in thousandths.
const FALSE: usize = 10;

#[expect(clippy::disallowed_methods, reason = "a test may be told where its data lies")]
fn path() -> PathBuf {
    if let Some(path) = std::env::var_os("DOORCODE_CORPUS") {
        return PathBuf::from(path);
    }
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let beside = above.map(|folder| folder.join("shared/corpus/otp-messages-open.jsonl"));
    beside.into_iter().find(|path| path.exists()).unwrap_or_default()
}

#[derive(Default)]
struct Tally {
    right: usize,
    with: usize,
    claimed: usize,
    without: usize,
}

impl Tally {
    fn add(&mut self, code: Option<&str>, found: Option<&str>) {
        match code {
            Some(code) => {
                self.with += 1;
                self.right += usize::from(found.is_some_and(|found| found.eq_ignore_ascii_case(code)));
            }
            None => {
                self.without += 1;
                self.claimed += usize::from(found.is_some());
            }
        }
    }

    fn print(&self, name: &str) {
        let rate = |part: usize, of: usize| part as f64 / of.max(1) as f64;
        println!(
            "{name}: right {}/{} ({:.4}), claimed without a code {}/{} ({:.4})",
            self.right,
            self.with,
            rate(self.right, self.with),
            self.claimed,
            self.without,
            rate(self.claimed, self.without)
        );
    }
}

#[test]
fn open_corpus() {
    let Ok(text) = std::fs::read_to_string(path()) else {
        println!("skipped: no corpus (DOORCODE_CORPUS names the file)");
        return;
    };
    let (mut all, mut unfilled) = (Tally::default(), Tally::default());
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let format = if row["format"] == "html" { Format::Html } else { Format::Text };
        let found = found(row["subject"].as_str(), row["text"].as_str().unwrap(), format);
        all.add(row["code"].as_str(), found.as_deref());
        if row["filled"] == false {
            unfilled.add(row["code"].as_str(), found.as_deref());
        }
    }
    all.print("all");
    unfilled.print("filled = false");
    assert!(all.with > 300 && all.without > 300, "a corpus has both kinds");
    assert!(all.right * 1000 >= all.with * RIGHT, "too few right");
    assert!(all.claimed * 1000 <= all.without * FALSE, "too many claimed");
}
