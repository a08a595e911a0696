//! One call: what it does, what it takes, what it answers, and how it is made. Refuses markup: that is the template's.

use serde_json::Value;

use super::members::{Member, members, resolve};
use super::{Docs, Piece, examples, pieces, text};

/// A call, laid out for its template.
pub(super) struct Operation<'a> {
    /// Its name in the document, which is also its place on the page.
    pub(super) id: &'a str,
    pub(super) method: String,
    pub(super) path: &'a str,
    summary: &'a str,
    more: &'a str,
    /// The scopes that a key needs for it.
    pub(super) scopes: Vec<&'a str>,
    pub(super) parameters: Vec<Member>,
    pub(super) request: Vec<Member>,
    /// Whether there has to be a body.
    pub(super) body_needed: bool,
    pub(super) answers: Vec<Answer<'a>>,
    pub(super) curl: String,
    pub(super) python: String,
}

/// One status that may be answered.
pub(super) struct Answer<'a> {
    pub(super) status: &'a str,
    about: &'a str,
    pub(super) kind: &'a str,
    /// Whether it is a problem, which are explained together.
    pub(super) problem: bool,
    pub(super) members: Vec<Member>,
}

impl<'a> Operation<'a> {
    pub(super) fn of(docs: &'a Docs<'_>, path: &'a str, method: &str, described: &'a Value) -> Self {
        let whole = docs.document;
        let (body, body_needed) = body(whole, described);
        let scopes = described["security"][0]["key"].as_array().into_iter().flatten().map(text).collect();
        let method = method.to_uppercase();
        let call = examples::Call::of(docs, path, &method, described);
        Self {
            id: text(&described["operationId"]),
            path,
            summary: text(&described["summary"]),
            more: text(&described["description"]),
            scopes,
            parameters: parameters(whole, described),
            request: body.map(|schema| members(whole, schema)).unwrap_or_default(),
            body_needed,
            answers: answers(whole, described),
            curl: call.curl(),
            python: call.python(),
            method,
        }
    }

    pub(super) fn summary(&self) -> Vec<Piece<'a>> {
        pieces(self.summary)
    }

    pub(super) fn more(&self) -> Vec<Piece<'a>> {
        pieces(self.more)
    }
}

impl<'a> Answer<'a> {
    pub(super) fn about(&self) -> Vec<Piece<'a>> {
        pieces(self.about)
    }
}

/// The schema of what a call is sent, and whether it must be sent.
pub(super) fn body<'a>(whole: &'a Value, described: &'a Value) -> (Option<&'a Value>, bool) {
    let needed = described["requestBody"]["required"].as_bool().unwrap_or(false);
    let schema = &described["requestBody"]["content"]["application/json"]["schema"];
    ((!schema.is_null()).then(|| resolve(whole, schema)), needed)
}

fn parameters(whole: &Value, described: &Value) -> Vec<Member> {
    let all = described["parameters"].as_array().into_iter().flatten();
    all.map(|parameter| {
        let needed = parameter["required"].as_bool().unwrap_or(false);
        let mut member = Member::of(whole, text(&parameter["name"]), &parameter["schema"], needed);
        member.place = Some(match text(&parameter["in"]) {
            "path" => "in the path",
            "query" => "in the query",
            _ => "a header",
        });
        if let Some(about) = parameter["description"].as_str() {
            about.clone_into(&mut member.about);
        }
        member
    })
    .collect()
}

fn answers<'a>(whole: &'a Value, described: &'a Value) -> Vec<Answer<'a>> {
    let all = described["responses"].as_object().into_iter().flatten();
    all.map(|(status, answer)| {
        let content = answer["content"].as_object().and_then(|content| content.iter().next());
        let kind = content.map_or("", |(kind, _)| kind);
        let problem = kind == "application/problem+json";
        let schema = content.map(|(_, content)| resolve(whole, &content["schema"]));
        let members = schema.filter(|_| !problem).map(|schema| members(whole, schema)).unwrap_or_default();
        Answer { status, about: text(&answer["description"]), kind, problem, members }
    })
    .collect()
}
