//! The pages, as pure functions from what they show to HTML, one file each. Refuses routes, state and headers: the router
//! has those. Refuses markup in what it is given: everything is text and is escaped.

mod account;
mod agent;
mod agents;
mod approvals;
mod approvals_any;
mod done;
mod failure;
mod inbox;
mod landing;
mod link_confirm;
mod link_dead;
mod link_other_browser;
mod link_same_browser;
mod message;
mod moment;
mod sign_in_address;
mod sign_in_code;

pub use account::{Account, Key, KeyProblem, Member, NewKey, Notice, Session, account};
pub use agent::{AgentPage, RuleFields, agent_page};
pub use agents::{AgentRow, Browser, DeviceRow, MailboxRow, NewSecret, Refused, Settings, TypedMailbox, agents};
pub use approvals::{Approvals, Card, Note, Past, TurnedAway, Vouched, Whom, approvals};
pub use approvals_any::{AnyMessage, approvals_any};
pub use done::done;
pub use failure::{Failure, Kind, failure, failure_of};
pub use inbox::{InboxView, inbox};
pub use landing::{Landing, landing};
pub use link_confirm::{LinkConfirm, link_confirm};
pub use link_dead::{LinkDead, link_dead};
pub use link_other_browser::{LinkOtherBrowser, link_other_browser};
pub use link_same_browser::{LinkSameBrowser, link_same_browser};
pub use message::{MessageView, Shown, mail, message};
pub use sign_in_address::{AddressProblem, SignInAddress, sign_in_address};
pub use sign_in_code::{CodeProblem, SignInCode, sign_in_code};

use askama::Template;
use axum::response::Html;

use super::assets::{APPROVALS, script_href, style_href};
use super::texts::{Texts, fill, of};

/// The name of the field with the address.
pub const EMAIL_FIELD: &str = "email";
/// The name of the field with the code.
pub const CODE_FIELD: &str = "code";
/// The name of the field with the name of a new key.
pub const NAME_FIELD: &str = "name";
/// The name of the field with the rights of a new key.
pub const SCOPES_FIELD: &str = "scopes";
/// The name of the hidden field with the id of what is revoked or signed out.
pub const ID_FIELD: &str = "id";
/// The name of the hidden field with what a held code is about, as it was shown.
pub const ABOUT_FIELD: &str = "about";

/// What every page for people has: its language, and who speaks.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// The texts of the reader's language.
    pub texts: &'static Texts,
    /// The name that people know the operator by.
    pub product: &'a str,
}

/// Where a form goes (always by `POST`), and what goes with it unseen. The token against forged requests is one of those.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// The path, on this server.
    pub action: &'a str,
    /// Names and values.
    pub hidden: &'a [(&'a str, &'a str)],
}

/// What the head of a page and its first lines are made of.
pub(super) struct Head<'a> {
    pub(super) texts: &'static Texts,
    pub(super) brand: &'a str,
    pub(super) style: String,
    pub(super) script: String,
}

impl<'a> Head<'a> {
    fn of(frame: Frame<'a>) -> Self {
        Self { texts: frame.texts, brand: frame.product, style: style_href(), script: script_href() }
    }

    /// Of a page for developers: in English, and of this program's own name.
    pub(super) fn english() -> Self {
        Self::of(Frame { texts: of("en"), product: "Doorcode" })
    }

    /// The address of the script of the pages about agents.
    fn more(&self) -> String {
        APPROVALS.href()
    }

    /// A text with the name of the product in it.
    fn say(&self, text: &str) -> String {
        fill(text, &[("product", self.brand)])
    }

    /// A text with a wait in it.
    fn say_wait(&self, text: &str, minutes: u32) -> String {
        fill(text, &[("wait", &self.texts.wait(minutes))])
    }
}

fn page(template: &impl Template) -> Html<String> {
    Html(template.render().expect("a String takes all that is written, and no value here fails to print"))
}

#[cfg(test)]
mod fixtures;

#[cfg(test)]
mod tests;
