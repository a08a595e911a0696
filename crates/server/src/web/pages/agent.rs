//! One agent: its name, its identity, whether it may ask, the rules for it, and its removal. Refuses to say of an identity that it is right:
//! that is compared out of band, and this page shows what to compare.

use askama::Template;
use axum::response::Html;

use super::approvals::Note;
use super::{Frame, Head, NAME_FIELD, page};
use crate::web::texts::Approvals as Said;

/// What the page shows.
pub struct AgentPage<'a> {
    /// Language and product.
    pub frame: Frame<'a>,
    /// What was just done, or could not be.
    pub note: Option<Note>,
    /// What was typed and can't be kept, by its name.
    pub wrong: Option<&'a str>,
    /// Where to sign in again, for what needs a younger sign-in.
    pub again: Option<&'a str>,
    /// What goes with every form unseen.
    pub hidden: &'a [(&'a str, &'a str)],
    /// Its id, as shown.
    pub id: &'a str,
    /// What it is called.
    pub name: &'a str,
    /// What it is for; may be empty.
    pub description: &'a str,
    /// The fingerprint of its identity; none: no identity is known.
    pub identity: Option<&'a str>,
    /// The key itself, as it is kept or was typed; may be empty.
    pub key: &'a str,
    /// It may not ask for a while.
    pub paused: bool,
    /// It may not ask.
    pub blocked: bool,
    /// The rules, as they were kept or typed.
    pub rules: &'a RuleFields,
}

/// The rules for an agent, as a form has them.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct RuleFields {
    /// Of `sms`, `email`, `whatsapp`; none: all.
    pub sources: Vec<String>,
    /// One a line.
    pub senders: String,
    /// `08:00`, or empty.
    pub from: String,
    /// The same.
    pub to: String,
    /// Minutes ahead of UTC.
    pub offset: String,
    /// One a line.
    pub auto_senders: String,
    /// How many a day.
    pub per_day: String,
}

impl RuleFields {
    fn has(&self, source: &str) -> bool {
        self.sources.iter().any(|one| one == source)
    }
}

#[derive(Template)]
#[template(path = "agent.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a AgentPage<'a>,
    a: &'static Said,
    note: Option<(String, bool)>,
}

/// The page of one agent.
pub fn agent_page(view: &AgentPage<'_>) -> Html<String> {
    let (head, t) = (Head::of(view.frame), view.frame.texts);
    let note = view.note.map(|note| (note.say(&head), note.is_good()));
    let wrong = view.wrong.map(|wrong| (format!("{} {wrong}", t.approvals.wrong), false));
    page(&Page { head, view, a: &t.approvals, note: wrong.or(note) })
}
