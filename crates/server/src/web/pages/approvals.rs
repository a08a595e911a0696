//! The page on which a person says yes or no to their agents: what is asked, by whom, why and until when; and what came of the requests
//! before. Refuses markup in an agent's words, and to hide what a yes gives away.

use askama::Template;
use axum::response::Html;
use doorcode_core::Timestamp;
use doorcode_core::relay::{State, Way};

use super::moment::Moment;
use super::{ABOUT_FIELD, Frame, Head, ID_FIELD, page};
use crate::web::texts::{Approvals as Said, Texts};

/// What the page shows.
pub struct Approvals<'a> {
    /// Language and product.
    pub frame: Frame<'a>,
    /// What was just done, or could not be.
    pub note: Option<Note>,
    /// Where to sign in again, for what needs a younger sign-in.
    pub again: Option<&'a str>,
    /// Nothing may be asked at the moment.
    pub paused: bool,
    /// What goes with every form unseen.
    pub hidden: &'a [(&'a str, &'a str)],
    /// What waits, oldest first.
    pub cards: &'a [Card],
    /// By which a script tells whether what it shows is still so.
    pub mark: &'a str,
    /// What is over, newest first.
    pub past: &'a [Past],
    /// Where those before are.
    pub older: Option<&'a str>,
    /// This is not the newest of it.
    pub is_older: bool,
}

/// What was just done, or could not be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// They said yes.
    Approved,
    /// They said no.
    Denied,
    /// It was too late for either.
    TooLate,
    /// A setting is kept.
    Saved,
    /// Something is removed.
    Removed,
    /// The sign-in is too old for it.
    Stale,
    /// Too often; again in so many minutes.
    TooMany(u32),
    /// The form was older than its token.
    FormExpired,
}

impl Note {
    /// Whether it was done.
    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::Approved | Self::Denied | Self::Saved | Self::Removed)
    }

    /// In words.
    pub(super) fn say(self, head: &Head<'_>) -> String {
        let t = &head.texts.approvals;
        match self {
            Self::Approved => t.did_approve.to_owned(),
            Self::Denied => t.did_deny.to_owned(),
            Self::TooLate => t.too_late.to_owned(),
            Self::Saved => t.saved.to_owned(),
            Self::Removed => t.removed.to_owned(),
            Self::Stale => t.stale.to_owned(),
            Self::TooMany(minutes) => head.say_wait(head.texts.common.too_many, minutes),
            Self::FormExpired => head.texts.common.form_expired.to_owned(),
        }
    }
}

/// A request that waits for something.
#[derive(Clone)]
pub struct Card {
    /// Its id, as shown.
    pub id: String,
    /// What its owner calls the agent.
    pub agent: String,
    /// Why, in the agent's words.
    pub reason: String,
    /// Whose messages.
    pub whom: Whom,
    /// The pattern that they have to match, with nothing in it that nobody sees.
    pub content: Option<String>,
    /// Messages of that sender are never passed on.
    pub refused: bool,
    /// By which ways the code may come.
    pub sources: Vec<&'static str>,
    /// From where it was asked.
    pub origin: String,
    /// Seconds until it ends by itself.
    pub left: u64,
    /// When that is.
    pub until: Timestamp,
    /// By which the key is known that the code is sealed to.
    pub fingerprint: String,
    /// Where it stands.
    pub state: State,
    /// A test key asked.
    pub test: bool,
    /// Other agents that wait for the same message.
    pub rivals: Vec<String>,
    /// This one was chosen over those.
    pub chosen: bool,
    /// A code is there whose message is about this, and its owner is asked once more.
    pub held: Option<String>,
    /// Mail of somebody may serve it, so that it matters who vouches for that.
    pub by_mail: bool,
    /// Mail that nobody vouches for is taken too.
    pub unverified: bool,
    /// It is the one that was asked for.
    pub meant: bool,
    /// Who sent the message that is there, as far as that is known.
    pub vouched: Option<Vouched>,
    /// Mail for it was not passed on.
    pub turned_away: TurnedAway,
}

/// Whose messages a request is for; neither: anybody's.
#[derive(Clone, Default)]
pub struct Whom {
    /// By this pattern.
    pub pattern: Option<String>,
    /// What the agent calls them: its words, never shown as if we knew.
    pub name: Option<String>,
}

impl Whom {
    fn is_any(&self) -> bool {
        self.pattern.is_none() && self.name.is_none()
    }
}

/// What is known of a message's sender.
#[derive(Clone, Default)]
pub struct Vouched {
    /// Somebody vouches for it.
    pub verified: bool,
    /// As this domain.
    pub domain: String,
    /// A forwarder that is trusted says so, and not the domain itself.
    pub forwarder: Option<String>,
    /// What SPF says of who brought it.
    pub spf: Option<String>,
}

/// Whether mail was not passed on, and why.
#[derive(Clone, Copy, Default)]
pub struct TurnedAway {
    /// Some that nobody vouches for.
    pub unverified: bool,
    /// Some with a false signature.
    pub forged: bool,
}

impl Card {
    fn is_any(&self) -> bool {
        self.whom.is_any()
    }

    fn asks(&self) -> bool {
        self.state == State::PendingApproval || self.held.is_some()
    }

    /// Several agents' requests were said yes to, and the owner has to choose.
    fn may_choose(&self) -> bool {
        self.state == State::Approved && !self.rivals.is_empty() && self.held.is_none()
    }

    /// Its owner may say whether unverified mail serves it.
    fn may_let(&self) -> bool {
        let waits = matches!(self.state, State::PendingApproval | State::Approved);
        waits && self.by_mail && !self.is_any() && self.held.is_none() && !self.test
    }

    /// `1:45`.
    fn clock(&self) -> String {
        format!("{}:{:02}", self.left / 60, self.left % 60)
    }

    /// What tells a script that it looks different now.
    fn look(&self) -> String {
        let TurnedAway { unverified, forged } = self.turned_away;
        let flags = [self.chosen, self.held.is_some(), self.unverified, unverified, forged];
        let flags = flags.map(|on| if on { '1' } else { '0' });
        format!("{}.{}.{}", self.state.as_str(), self.rivals.len(), String::from_iter(flags))
    }
}

/// A request that is over.
#[derive(Clone)]
pub struct Past {
    /// When it was asked.
    pub at: Timestamp,
    /// What its owner calls the agent.
    pub agent: String,
    /// Whose messages.
    pub whom: Whom,
    /// What came of it.
    pub state: State,
    /// `user`, `auto`, or nobody.
    pub decided_by: Option<String>,
    /// What kind of message the code came in; none: none came.
    pub source: Option<String>,
    /// By which way.
    pub way: Option<Way>,
    /// Whether this server could read the message.
    pub readable: Option<bool>,
    /// Who sent the message, as far as that is known.
    pub vouched: Option<Vouched>,
    /// Mail for it was not passed on.
    pub turned_away: TurnedAway,
    /// A test key asked.
    pub test: bool,
}

#[derive(Template)]
#[template(path = "approvals.html")]
struct Page<'a> {
    head: Head<'a>,
    view: &'a Approvals<'a>,
    t: &'static Texts,
    a: &'static Said,
    note: Option<(String, bool)>,
}

/// The page on which a person says yes or no.
pub fn approvals(view: &Approvals<'_>) -> Html<String> {
    let (head, t) = (Head::of(view.frame), view.frame.texts);
    let note = view.note.map(|note| (note.say(&head), note.is_good()));
    page(&Page { head, view, t, a: &t.approvals, note })
}

impl Page<'_> {
    fn state(&self, state: &State) -> &'static str {
        state_of(self.a, *state)
    }

    /// What a code of its sender can do.
    fn gives(&self, card: &Card) -> &'static str {
        match (card.refused, card.is_any()) {
            (true, _) => self.a.can_do_denied,
            (false, true) => self.a.can_do_any,
            (false, false) => self.a.can_do,
        }
    }

    fn source(&self, source: &str) -> &'static str {
        source_of(self.a, source)
    }

    /// A way by which codes come, as people call it.
    fn way(&self, way: &Way) -> &'static str {
        match way {
            Way::Collector => self.a.collector,
            Way::Device => self.a.phone,
            Way::Mailbox => self.a.way_mailbox,
            Way::Inbound => self.a.way_inbound,
            Way::Webhook => self.a.way_webhook,
            Way::Test => self.a.test,
        }
    }

    /// What the button says that approves: the second yes is another one than the first.
    fn yes(&self, card: &Card) -> &'static str {
        if card.held.is_some() { self.a.approve_again } else { self.a.approve }
    }

    /// What the message of a held code is about.
    fn about<'b>(&self, about: &'b str) -> &'b str {
        match about {
            "reset" => self.a.about_reset,
            "payment" => self.a.about_payment,
            "device" => self.a.about_device,
            other => other,
        }
    }

    fn decided(&self, past: &Past) -> &'static str {
        match past.decided_by.as_deref() {
            Some("user") => self.a.by_you,
            Some("auto") => self.a.by_rule,
            _ => self.a.by_nobody,
        }
    }

    fn moment(&self, at: &Timestamp) -> Moment {
        Moment::of(*at)
    }
}

/// A state in words.
pub(super) fn state_of(a: &'static Said, state: State) -> &'static str {
    match state {
        State::PendingApproval => a.waiting,
        State::Approved => a.approved,
        State::OtpReceived => a.received,
        State::Consumed => a.consumed,
        State::Denied => a.denied,
        State::Expired => a.expired,
        State::Cancelled => a.cancelled,
    }
}

/// A kind of message, as people call it.
pub(super) fn source_of(a: &'static Said, source: &str) -> &'static str {
    match source {
        "sms" => "SMS",
        "whatsapp" => "WhatsApp",
        _ => a.email,
    }
}
