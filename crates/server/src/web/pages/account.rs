//! The page of somebody who is signed in: who they are, their team, its keys, their sessions. Refuses to change
//! anything but by a form with its token.

use askama::Template;
use axum::response::Html;
use doorcode_core::{Secret, Timestamp};

use super::moment::Moment;
use super::{Form, Frame, Head, ID_FIELD, NAME_FIELD, SCOPES_FIELD, page};
use crate::web::texts::{Texts, fill};

/// What the page shows.
pub struct Account<'a> {
    /// Language and product.
    pub frame: Frame<'a>,
    /// The name of the team.
    pub team: &'a str,
    /// The name of whoever looks; may be empty.
    pub name: &'a str,
    /// Their address.
    pub email: &'a str,
    /// What was just done.
    pub notice: Option<Notice>,
    /// The people of the team.
    pub members: &'a [Member<'a>],
    /// The live keys of the team.
    pub keys: &'a [Key<'a>],
    /// Revokes a key; [`ID_FIELD`] is added.
    pub revoke_key: Form<'a>,
    /// Makes a key, by [`NAME_FIELD`] and [`SCOPES_FIELD`].
    pub create_key: Form<'a>,
    /// The rights that a new key may be given, the usual one first: `""`, `"admin"`. With one there is no choice.
    pub scopes: &'a [&'a str],
    /// Why no key was made.
    pub key_problem: Option<KeyProblem>,
    /// A key that was just made, to be shown this once.
    pub new_key: Option<NewKey<'a>>,
    /// Where this person is signed in.
    pub sessions: &'a [Session<'a>],
    /// Ends another session; [`ID_FIELD`] is added.
    pub end_session: Form<'a>,
    /// Ends all of them, this one too.
    pub end_all: Form<'a>,
    /// Ends this one.
    pub sign_out: Form<'a>,
}

/// Somebody in the team.
pub struct Member<'a> {
    /// The name; may be empty.
    pub name: &'a str,
    /// The address.
    pub email: &'a str,
    /// Since when.
    pub joined: Timestamp,
    /// Whether that is who looks.
    pub me: bool,
}

/// A key, as far as it is shown.
pub struct Key<'a> {
    /// What revokes it.
    pub id: &'a str,
    /// What it was called; may be empty.
    pub name: &'a str,
    /// By which its owner knows it again, as `dck_ab…9f`.
    pub hint: &'a str,
    /// Its rights, separated by spaces; empty: those that every key has.
    pub scopes: &'a str,
    /// When it was made.
    pub created: Timestamp,
    /// When it was used last, if ever.
    pub last_used: Option<Timestamp>,
    /// When it ends, if ever.
    pub expires: Option<Timestamp>,
}

/// A key that was just made.
pub struct NewKey<'a> {
    /// What it was called.
    pub name: &'a str,
    /// The key itself.
    pub key: &'a Secret<String>,
}

/// A browser that is signed in.
pub struct Session<'a> {
    /// What ends it.
    pub id: &'a str,
    /// What it says it is: `Firefox on Linux`.
    pub browser: &'a str,
    /// Since when.
    pub created: Timestamp,
    /// When it was here last.
    pub last_seen: Timestamp,
    /// Whether it is the one that looks.
    pub this: bool,
}

/// What was just done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A key was revoked.
    KeyRevoked,
    /// Another session was ended.
    SessionEnded,
    /// Nothing: the form was older than its token.
    FormExpired,
}

/// Why no key was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyProblem {
    /// The name is empty, or longer than this many characters.
    Name(u32),
    /// Too often; again in so many minutes.
    TooMany(u32),
}

#[derive(Template)]
#[template(path = "account.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a Account<'a>,
    t: &'static Texts,
    notice: Option<&'static str>,
    problem: Option<String>,
}

/// The page of somebody who is signed in.
pub fn account(view: &Account<'_>) -> Html<String> {
    let (head, t) = (Head::of(view.frame), view.frame.texts);
    let notice = view.notice.map(|notice| match notice {
        Notice::KeyRevoked => t.account.key_revoked,
        Notice::SessionEnded => t.account.session_ended,
        Notice::FormExpired => t.common.form_expired,
    });
    let problem = view.key_problem.map(|problem| match problem {
        KeyProblem::Name(most) => fill(t.account.name_invalid, &[("count", &most.to_string())]),
        KeyProblem::TooMany(minutes) => head.say_wait(t.common.too_many, minutes),
    });
    page(&Page { head, view, t, notice, problem })
}

impl Page<'_> {
    /// What a key with these scopes may do, in words if there are some.
    fn rights<'b>(&self, scopes: &'b str) -> &'b str {
        match scopes {
            "" => self.t.account.scope_use,
            "admin" => self.t.account.scope_admin,
            other => other,
        }
    }

    /// A name, or what stands for it.
    fn name<'b>(&self, name: &'b str, stand_in: &'b str) -> &'b str {
        if name.is_empty() { stand_in } else { name }
    }

    fn bad_name(&self) -> bool {
        matches!(self.view.key_problem, Some(KeyProblem::Name(_)))
    }

    fn moment(&self, at: &Timestamp) -> Moment {
        Moment::of(*at)
    }
}
