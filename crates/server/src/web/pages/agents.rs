//! What a person has set for their agents: the agents themselves, phones and collectors, mailboxes that this server reads, senders that are never passed on, and which
//! browsers are told. Refuses to show a key or a link twice.

use askama::Template;
use axum::response::Html;
use doorcode_core::{Secret, Timestamp};

use super::approvals::Note;
use super::moment::Moment;
use super::{Frame, Head, ID_FIELD, NAME_FIELD, page};
use crate::ops::devices::COLLECTOR;
use crate::web::texts::{Approvals as Said, Texts};

/// What the page shows.
pub struct Settings<'a> {
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
    /// A key or a link, to be shown this once.
    pub new: Option<NewSecret<'a>>,
    /// The agents.
    pub agents: &'a [AgentRow],
    /// Phones and collectors.
    pub devices: &'a [DeviceRow],
    /// Mailboxes that this server watches.
    pub mailboxes: &'a [MailboxRow],
    /// Whether any are connected here.
    pub may_connect: bool,
    /// The one that was typed and can't be connected as it is.
    pub mailbox: &'a TypedMailbox,
    /// Default domains, and whether each is refused.
    pub listed: &'a [Refused],
    /// Domains that the person added, one a line.
    pub own: &'a str,
    /// The public key that browsers are told by.
    pub push_key: &'a str,
    /// Browsers that are told.
    pub browsers: &'a [Browser],
}

/// Something that is shown this once.
pub enum NewSecret<'a> {
    /// A collector's key.
    Key(&'a Secret<String>),
    /// What links a phone.
    Link(&'a Secret<String>),
}

/// An agent, as far as it is listed.
pub struct AgentRow {
    /// Its id, as shown.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
    /// It may not ask for a while.
    pub paused: bool,
    /// It may not ask.
    pub blocked: bool,
}

/// A phone or a collector.
pub struct DeviceRow {
    /// Its id, as shown.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// `phone` or `collector`.
    pub kind: String,
    /// What it says of itself.
    pub described: String,
    /// When it was made.
    pub made: Timestamp,
    /// Whether it may say yes.
    pub linked: bool,
}

/// A mailbox that this server watches.
pub struct MailboxRow {
    /// Its id, as shown.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Who signs in, and where.
    pub described: String,
    /// `connecting`, `watching`, `away` or `credentials_refused`.
    pub state: String,
    /// Why it is not watched.
    pub trouble: Option<String>,
}

impl MailboxRow {
    fn is_refused(&self) -> bool {
        self.state == "credentials_refused"
    }
}

/// A mailbox as it was typed, without its password.
#[derive(Default)]
pub struct TypedMailbox {
    /// Its server.
    pub host: String,
    /// Who signs in.
    pub user: String,
    /// The port.
    pub port: String,
    /// How the connection is protected.
    pub security: String,
    /// Its addresses, one a line.
    pub addresses: String,
    /// Which folder.
    pub folder: String,
}

impl TypedMailbox {
    /// More was typed than is usual.
    fn is_special(&self) -> bool {
        let usual = ["", "tls"].contains(&self.security.as_str());
        !usual || [&self.port, &self.addresses, &self.folder].iter().any(|text| !text.is_empty())
    }
}

/// A domain of the default list.
pub struct Refused {
    /// It.
    pub domain: &'static str,
    /// Whether its messages are refused.
    pub on: bool,
}

/// A browser that is told.
pub struct Browser {
    /// What removes it.
    pub id: String,
    /// Whose service it is told by.
    pub host: String,
    /// Since when.
    pub made: Timestamp,
}

#[derive(Template)]
#[template(path = "agents.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a Settings<'a>,
    t: &'static Texts,
    a: &'static Said,
    note: Option<(String, bool)>,
}

/// The page of settings.
pub fn agents(view: &Settings<'_>) -> Html<String> {
    let (head, t) = (Head::of(view.frame), view.frame.texts);
    let note = view.note.map(|note| (note.say(&head), note.is_good()));
    let wrong = view.wrong.map(|wrong| (format!("{} {wrong}", t.approvals.wrong), false));
    page(&Page { head, view, t, a: &t.approvals, note: wrong.or(note) })
}

impl Page<'_> {
    fn state(&self, agent: &AgentRow) -> &'static str {
        match (agent.blocked, agent.paused) {
            (true, _) => self.a.blocked,
            (false, true) => self.a.paused,
            (false, false) => self.a.active,
        }
    }

    fn kind(&self, device: &DeviceRow) -> &'static str {
        if device.kind == COLLECTOR { self.a.collector } else { self.a.phone }
    }

    fn watched(&self, mailbox: &MailboxRow) -> &'static str {
        match mailbox.state.as_str() {
            "watching" => self.a.mailbox_watching,
            "away" => self.a.mailbox_away,
            "credentials_refused" => self.a.mailbox_refused,
            _ => self.a.mailbox_connecting,
        }
    }

    fn moment(&self, at: &Timestamp) -> Moment {
        Moment::of(*at)
    }
}
