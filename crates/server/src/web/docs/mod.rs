//! The page about the API, as a pure function from its document (OpenAPI 3.1) to HTML. Refuses words of its own about any call:
//! what is not in the document is not on the page, and what is in it is.

mod examples;
mod members;
mod operation;

use askama::Template;
use axum::response::Html;
use serde_json::Value;

use super::pages::Head;
use operation::Operation;

/// What the page shows.
pub struct Docs<'a> {
    /// The document.
    pub document: &'a Value,
    /// Every kind of problem there is.
    pub problems: Vec<Problem>,
    /// The address of this server as others reach it, without a slash at its end.
    pub base_url: &'a str,
}

/// A kind of problem.
pub struct Problem {
    /// What a client compares.
    pub type_: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The kind in words.
    pub title: &'static str,
    /// What whoever meets it does.
    pub remedy: &'static str,
}

/// The page.
pub fn page(docs: &Docs<'_>) -> Html<String> {
    let title = text(&docs.document["info"]["title"]);
    let template = DocsPage {
        head: Head::english(),
        title,
        about: text(&docs.document["info"]["description"]),
        version: text(&docs.document["info"]["version"]),
        base_url: docs.base_url,
        groups: groups(docs),
        problems: &docs.problems,
    };
    Html(template.render().expect("a String takes all that is written, and no value here fails to print"))
}

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage<'a> {
    head: Head<'a>,
    title: &'a str,
    about: &'a str,
    version: &'a str,
    base_url: &'a str,
    groups: Vec<Group<'a>>,
    problems: &'a [Problem],
}

/// The operations of one tag.
struct Group<'a> {
    name: &'a str,
    about: &'a str,
    operations: Vec<Operation<'a>>,
}

/// The methods, in the order in which a thing is asked for, made, changed and removed.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The tags in the document's order, then those that it does not explain.
fn groups<'a>(docs: &'a Docs<'_>) -> Vec<Group<'a>> {
    let tags = docs.document["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    let explained = tags.iter().map(|tag| (text(&tag["name"]), text(&tag["description"])));
    let mut groups: Vec<Group<'_>> =
        explained.map(|(name, about)| Group { name, about, operations: Vec::new() }).collect();
    for (path, methods) in docs.document["paths"].as_object().into_iter().flatten() {
        let described = METHODS.iter().filter_map(|method| methods.get(method).map(|described| (method, described)));
        for (method, described) in described {
            let tag = text(&described["tags"][0]);
            let operation = Operation::of(docs, path, method, described);
            match groups.iter_mut().find(|group| group.name == tag) {
                Some(group) => group.operations.push(operation),
                None => groups.push(Group { name: tag, about: "", operations: vec![operation] }),
            }
        }
    }
    groups.retain(|group| !group.operations.is_empty());
    groups
}

/// A text of the document; what is none is empty.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A piece of a sentence, of which what stood between backticks is code.
struct Piece<'a> {
    code: bool,
    text: &'a str,
}

/// A sentence in its pieces.
fn pieces(sentence: &str) -> Vec<Piece<'_>> {
    let parts = sentence.split('`').enumerate().map(|(n, text)| Piece { code: n % 2 == 1, text });
    parts.filter(|piece| !piece.text.is_empty()).collect()
}

#[cfg(test)]
mod tests;
