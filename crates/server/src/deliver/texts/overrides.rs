//! Texts of the operator's own, laid over the catalogue: a directory with a file for each language that says something
//! else (`de.toml`), in it the keys of the texts that differ. Read and checked once, at the start. Refuses to find
//! out at the first mail: what can't be filled in, or would break a header or a line, is a complaint by file and key.

use std::path::Path;

use toml::{Table, Value};

use super::{CATALOGUE, Form, Part, Texts, choose::pick, parts};

/// The most characters of a subject. What is longer is cut off wherever it is shown.
const LONGEST_SUBJECT: usize = 120;
/// The most characters of any other text.
const LONGEST: usize = 400;

/// The texts in force, in every language. Cheap to copy: texts live as long as the process, and are read once.
#[derive(Clone, Copy)]
pub struct Catalogue(&'static [Texts]);

impl Catalogue {
    /// The texts that are compiled in.
    pub const BUILT_IN: Self = Self(CATALOGUE);

    /// The texts that are compiled in, with those of a directory laid over them. The error has a line for each complaint.
    pub fn read(dir: &Path) -> Result<Self, Vec<String>> {
        let mut catalogue = CATALOGUE.to_vec();
        let mut complaints = Vec::new();
        for (name, text) in files(dir).map_err(|error| vec![format!("{}: {error}", dir.display())])? {
            let mut bad = Bad { file: &name, complaints: &mut complaints };
            let stem = name.strip_suffix(".toml");
            match catalogue.iter_mut().find(|texts| Some(texts.language) == stem) {
                Some(texts) => lay_file(texts, &text, &mut bad),
                None => {
                    let names: Vec<String> = CATALOGUE.iter().map(|texts| format!("{}.toml", texts.language)).collect();
                    bad.push("", &format!("is no file for a language that there is: {}", names.join(", ")));
                }
            }
        }
        // For as long as the process lives, as those that are compiled in.
        if complaints.is_empty() { Ok(Self(catalogue.leak())) } else { Err(complaints) }
    }

    /// Whether nothing was laid over what is compiled in.
    #[must_use]
    pub fn is_built_in(self) -> bool {
        std::ptr::eq(self.0, CATALOGUE)
    }

    /// The texts that serve a reader best ([`super::choose`]).
    #[must_use]
    pub fn choose(self, accept_language: &str) -> &'static Texts {
        pick(self.0, accept_language)
    }
}

/// What a directory holds, by name, in order; hidden files are not looked at.
fn files(dir: &Path) -> std::io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            files.push((name, std::fs::read_to_string(entry.path())?));
        }
    }
    files.sort();
    Ok(files)
}

/// Complaints about one file.
struct Bad<'a> {
    file: &'a str,
    complaints: &'a mut Vec<String>,
}

impl Bad<'_> {
    fn push(&mut self, key: &str, why: &str) {
        let place = if key.is_empty() { self.file.to_owned() } else { format!("{}: {key}", self.file) };
        self.complaints.push(format!("{place}: {why}"));
    }
}

fn lay_file(texts: &mut Texts, text: &str, bad: &mut Bad<'_>) {
    let table = match text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            bad.push(&format!("line {}", before.matches('\n').count() + 1), error.message());
            return;
        }
    };
    for (key, value) in table {
        match (key.as_str(), value) {
            ("lasts", Value::Table(forms)) => lay_forms(texts, forms, bad),
            ("lasts", _) => bad.push("lasts", "must be a section with a text for each form, as other = \"…\""),
            (key, Value::String(text)) => match slot(texts, key) {
                Some(slot) => {
                    let longest = if key == "subject" { LONGEST_SUBJECT } else { LONGEST };
                    match wrong(&text, &["product"], longest) {
                        None => *slot = text.leak(),
                        Some(why) => bad.push(key, &why),
                    }
                }
                None => bad.push(key, "there is no such text"),
            },
            (key, _) if slot(texts, key).is_some() => bad.push(key, "must be a text"),
            (key, _) => bad.push(key, "there is no such text"),
        }
    }
}

fn lay_forms(texts: &mut Texts, forms: Table, bad: &mut Bad<'_>) {
    for (word, value) in forms {
        let key = format!("lasts.{word}");
        let form = Form::ALL.into_iter().find(|form| form.as_str() == word);
        let alone = form.is_some_and(|form| stands_for_one_number(texts, form));
        let Some(slot) = form.and_then(|form| texts.lasts.slot(form)) else {
            let words: Vec<&str> = texts.lasts.written().map(|(form, _)| form.as_str()).collect();
            bad.push(&key, &format!("{} has no such form, only {}", texts.language, words.join(", ")));
            continue;
        };
        let Value::String(text) = value else {
            bad.push(&key, "must be a text");
            continue;
        };
        match wrong(&text, &["product", "minutes"], LONGEST) {
            Some(why) => bad.push(&key, &why),
            None if !alone && !parts(&text).any(|part| part == Part::Name("minutes")) => {
                bad.push(&key, "must hold {minutes}");
            }
            None => *slot = text.leak(),
        }
    }
}

/// Whether a form may say its number in words. An hour is the longest life by contract, a day by far enough.
fn stands_for_one_number(texts: &Texts, form: Form) -> bool {
    (1..=1440).filter(|minutes| (texts.form)(*minutes) == form).count() == 1
}

/// Where the text of a key stands.
fn slot<'a>(texts: &'a mut Texts, key: &str) -> Option<&'a mut &'static str> {
    Some(match key {
        "subject" => &mut texts.subject,
        "greeting" => &mut texts.greeting,
        "intro" => &mut texts.intro,
        "code_label" => &mut texts.code_label,
        "link_intro" => &mut texts.link_intro,
        "link_button" => &mut texts.link_button,
        "ignore" => &mut texts.ignore,
        "keep" => &mut texts.keep,
        _ => return None,
    })
}

/// What is wrong with a text, if something is.
fn wrong(text: &str, names: &[&str], longest: usize) -> Option<String> {
    if text.trim().is_empty() {
        return Some("must not be empty; leave the line out to keep what is built in".to_owned());
    }
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Some("must be one line, without control characters".to_owned());
    }
    if text.chars().count() > longest {
        return Some(format!("must be at most {longest} characters long"));
    }
    if text.rfind('{') > text.rfind('}') {
        return Some("has a { without its }".to_owned());
    }
    for part in parts(text) {
        match part {
            Part::Name(name) if !names.contains(&name) => {
                let known: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
                return Some(format!("there is no placeholder {name:?} here, only {}", known.join(", ")));
            }
            Part::Plain(plain) if plain.contains('}') => return Some("has a } without its {".to_owned()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lays a file over German and gives it with what was complained about.
    fn german(text: &str) -> (Texts, Vec<String>) {
        let mut texts = Catalogue::BUILT_IN.choose("de").clone();
        let mut complaints = Vec::new();
        lay_file(&mut texts, text, &mut Bad { file: "de.toml", complaints: &mut complaints });
        (texts, complaints)
    }

    #[test]
    fn what_is_written_stands_in_the_place_of_what_is_built_in() {
        let (texts, complaints) = german(
            "subject = \"{product}: Ihr Zugang\"\n[lasts]\none = \"Nur eine Minute.\"\nother = \"Noch {minutes} Minuten.\"",
        );
        assert_eq!(complaints, [""; 0]);
        assert_eq!(
            (texts.subject, texts.lasts(1), texts.lasts(2)),
            ("{product}: Ihr Zugang", "Nur eine Minute.", "Noch {minutes} Minuten.")
        );
        assert_eq!(texts.greeting, Catalogue::BUILT_IN.choose("de").greeting);
    }

    #[test]
    fn each_mistake_is_named_by_its_key_and_all_at_once() {
        let long = "x".repeat(121);
        let (_, complaints) = german(&format!(
            "subject = \"{long}\"\ngreeting = \"Hallo\\nWelt\"\nintro = \"{{code}}:\"\nignore = \"\"\nkeep = 1\nfooter = \"x\"\n\
             code_label = \"{{product\"\nlink_intro = \"a }} b\"\nlink_button = \"{{minutes}}\"\n\
             [lasts]\ntwo = \"x\"\nother = \"bald\"\none = \"{{hours}}\"\nnone = 2\n"
        ));
        let places: Vec<_> = complaints.iter().map(|why| why.split_once(": ").unwrap().1).collect();
        for expected in [
            "code_label: has a { without its }",
            "footer: there is no such text",
            "greeting: must be one line, without control characters",
            "ignore: must not be empty; leave the line out to keep what is built in",
            "intro: there is no placeholder \"code\" here, only {product}",
            "keep: must be a text",
            "lasts.none: de has no such form, only one, other",
            "lasts.one: there is no placeholder \"hours\" here, only {product}, {minutes}",
            "lasts.other: must hold {minutes}",
            "lasts.two: de has no such form, only one, other",
            "link_button: there is no placeholder \"minutes\" here, only {product}",
            "link_intro: has a } without its {",
            "subject: must be at most 120 characters long",
        ] {
            assert!(places.contains(&expected), "{expected}\n{places:#?}");
        }
        assert_eq!(places.len(), 13, "{places:#?}");
        let (_, complaints) = german("lasts = \"x\"");
        assert!(complaints[0].starts_with("de.toml: lasts: must be a section"), "{complaints:?}");
        let (_, complaints) = german("subject = \"a\"\ngreeting = b\n");
        assert!(complaints[0].starts_with("de.toml: line 2: "), "{complaints:?}");
    }

    #[test]
    fn every_text_that_is_built_in_would_be_taken() {
        for texts in CATALOGUE {
            let mut copy = texts.clone();
            for key in ["subject", "greeting", "intro", "code_label", "link_intro", "link_button", "ignore", "keep"] {
                assert_eq!(wrong(slot(&mut copy, key).unwrap(), &["product"], LONGEST), None, "{}", texts.language);
            }
            for (_, text) in texts.lasts.written() {
                assert_eq!(wrong(text, &["product", "minutes"], LONGEST), None, "{}", texts.language);
            }
        }
    }
}
