//! An agent's request for a person's code, from the question to the one read: which state follows which and when it is over by
//! itself, and to which of several requests a message goes. Pure: each step is one conditional statement of the server's, what its
//! answer means is said here. Refuses to let a message serve two requests, and to choose between two agents.

pub mod fit;
pub mod rules;
mod step;
mod way;
mod word;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::id::{AgentId, DeviceId, HookId, Id, MailboxId, RelayId};
use crate::sender::Specificity;
use crate::time::Timestamp;

pub use step::{Past, Step, steps};
pub use way::Way;
pub use word::{SURE_AFTER, Yes};

/// SMS, among the sources of a request.
pub const SMS: i64 = 1;
/// Mail, among them.
pub const MAIL: i64 = 2;
/// `WhatsApp`, among them.
pub const WHATSAPP: i64 = 4;

/// Where a code may come from: the bits of a request's sources, and their words.
pub const SOURCES: [(i64, &str); 3] = [(SMS, "sms"), (MAIL, "email"), (WHATSAPP, "whatsapp")];

/// All of them.
pub fn source_bits() -> i64 {
    SOURCES.iter().map(|(bit, _)| bit).sum()
}

/// How long a person has to say yes or no (AgentOTP, constants).
pub const APPROVAL: Duration = Duration::from_secs(120);
/// How long a sealed code waits to be read (AgentOTP, constants).
pub const KEPT: Duration = Duration::from_secs(60);
/// The life of a request that asks for none (AgentOTP, documentation).
pub const LIFE: Duration = Duration::from_secs(300);
/// The longest life of a request (AgentOTP, documentation).
pub const LIFE_MOST: Duration = Duration::from_secs(3600);
/// How long the agent that read a code may be given the same sealed text again, under the same `Idempotency-Key`.
pub const REPEAT: Duration = Duration::from_secs(30);

/// Where a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// The person has not said anything.
    PendingApproval,
    /// They said yes, and a message is waited for.
    Approved,
    /// A code is there, sealed to the agent's key.
    OtpReceived,
    /// The agent has read it.
    Consumed,
    /// The person said no.
    Denied,
    /// Its time was up.
    Expired,
    /// The agent took it back.
    Cancelled,
}

/// Every state, in the order of the stored numbers.
const STATES: [(State, &str); 7] = [
    (State::PendingApproval, "pending_approval"),
    (State::Approved, "approved"),
    (State::OtpReceived, "otp_received"),
    (State::Consumed, "consumed"),
    (State::Denied, "denied"),
    (State::Expired, "expired"),
    (State::Cancelled, "cancelled"),
];

impl State {
    /// The stored number.
    pub fn to_i64(self) -> i64 {
        STATES.iter().zip(0..).find(|((state, _), _)| *state == self).map_or(0, |(_, number)| number)
    }

    /// The state with that number, if there is one.
    pub fn from_i64(stored: i64) -> Option<Self> {
        STATES.get(usize::try_from(stored).ok()?).map(|(state, _)| *state)
    }

    /// As the AgentOTP door and the records call it.
    pub fn as_str(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    /// Whether nothing follows it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::PendingApproval | Self::Approved | Self::OtpReceived)
    }
}

/// Ids as the AgentOTP door shows them, and as they are in what a code is sealed for: a word and 22 of `A-Za-z0-9_-`.
pub trait Named: Sized {
    /// The word.
    const WORD: &'static str;

    /// The id as text.
    fn shown(&self) -> String;

    /// The id that a text is, if it is one.
    fn read(text: &str) -> Option<Self>;
}

macro_rules! named {
    ($($id:ty = $word:literal),*) => {
        $(impl Named for $id {
            const WORD: &'static str = $word;

            fn shown(&self) -> String {
                show(Self::WORD, self)
            }

            fn read(text: &str) -> Option<Self> {
                let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(Self::WORD).filter(|rest| rest.len() == 22)?);
                bytes.ok()?.try_into().ok().map(Self::from_bytes)
            }
        })*
    };
}

named!(RelayId = "otp_", AgentId = "agent_", DeviceId = "device_", HookId = "hook_", MailboxId = "mailbox_");

fn show<K>(word: &str, id: &Id<K>) -> String {
    format!("{word}{}", URL_SAFE_NO_PAD.encode(id.as_bytes()))
}

/// A request's state as stored, and its clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// As stored: what has run out is written down later.
    pub state: State,
    /// Until when the person may say something.
    pub approve_until: Timestamp,
    /// Until when a message is waited for.
    pub expires_at: Timestamp,
    /// Until when a code that is there may be read.
    pub kept_until: Option<Timestamp>,
}

impl Standing {
    /// When it ends by itself in its present state, if it does.
    pub fn ends_at(&self) -> Option<Timestamp> {
        match self.state {
            State::PendingApproval => Some(self.approve_until.min(self.expires_at)),
            State::Approved => Some(self.expires_at),
            State::OtpReceived => Some(self.kept_until.unwrap_or(self.expires_at)),
            _ => None,
        }
    }

    /// What it is at a moment, whether that was written down or not.
    pub fn at(&self, now: Timestamp) -> State {
        match self.ends_at() {
            Some(end) if end <= now => State::Expired,
            _ => self.state,
        }
    }
}

/// An approved request that a message would fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Which.
    pub relay: RelayId,
    /// Whose.
    pub agent: AgentId,
    /// How narrowly it names its sender. Compared within one agent only.
    pub specificity: Specificity,
    /// When the person said yes.
    pub approved_at: Timestamp,
    /// The person was asked which of several agents gets the next message, and chose this one.
    pub chosen: bool,
}

/// To whom a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// To nobody.
    Nobody,
    /// To this one.
    One(RelayId),
    /// Requests of several agents could take it, and the person has not chosen: neither gets it.
    Contested,
}

/// Which request a message goes to: of one agent's, the one that names its sender most narrowly, of those the one that was approved
/// first. How narrow a pattern is says nothing between two agents: the person chooses.
pub fn choose(candidates: &[Candidate]) -> Choice {
    let Some(first) = candidates.first() else { return Choice::Nobody };
    let chosen = candidates.iter().filter(|candidate| candidate.chosen);
    let agent = if candidates.iter().all(|candidate| candidate.agent == first.agent) {
        first.agent
    } else {
        let mut agents = chosen.map(|candidate| candidate.agent);
        match agents.next() {
            Some(agent) if agents.all(|other| other == agent) => agent,
            _ => return Choice::Contested,
        }
    };
    let own = candidates.iter().filter(|candidate| candidate.agent == agent);
    let best = own.min_by_key(|one| (std::cmp::Reverse(one.specificity), one.approved_at, one.relay));
    best.map_or(Choice::Nobody, |best| Choice::One(best.relay))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(NOW.millis() + 1000 * seconds)
    }

    fn standing(state: State) -> Standing {
        Standing { state, approve_until: at(120), expires_at: at(300), kept_until: Some(at(200)) }
    }

    fn candidate(relay: u8, agent: u8, local: usize, approved: i64) -> Candidate {
        Candidate {
            relay: RelayId::from_bytes([relay; 16]),
            agent: AgentId::from_bytes([agent; 16]),
            specificity: crate::sender::SenderPattern::parse(&format!("{}*@acme.com", "a".repeat(local)))
                .unwrap()
                .specificity(),
            approved_at: at(approved),
            chosen: false,
        }
    }

    fn one(relay: u8) -> Choice {
        Choice::One(RelayId::from_bytes([relay; 16]))
    }

    #[test]
    fn numbers_and_names_go_both_ways() {
        for (number, (state, name)) in (0..).zip(STATES) {
            assert_eq!((state.to_i64(), State::from_i64(number), state.as_str()), (number, Some(state), name));
        }
        assert_eq!((State::from_i64(7), State::from_i64(-1)), (None, None));
    }

    #[test]
    fn an_id_is_read_as_it_is_shown_and_no_other() {
        let id = RelayId::from_bytes([0xfb; 16]);
        let text = id.shown();
        assert!(text.len() == 26 && text.starts_with("otp_"), "{text}");
        assert_eq!(RelayId::read(&text), Some(id));
        for other in
            ["", "otp_", &text[4..], &text[..25], &format!("{text}A"), &text.replace("otp_", "agent_"), "otp_ü"]
        {
            assert_eq!(RelayId::read(other), None, "{other}");
        }
    }

    #[test]
    fn each_state_has_its_own_clock_and_what_is_over_stays_so() {
        for (state, end) in [(State::PendingApproval, 120), (State::Approved, 300), (State::OtpReceived, 200)] {
            assert_eq!(standing(state).at(at(end - 1)), state);
            assert_eq!(standing(state).at(at(end)), State::Expired);
        }
        for state in [State::Consumed, State::Denied, State::Expired, State::Cancelled] {
            assert!(state.is_final());
            assert_eq!(standing(state).at(at(10_000)), state);
        }
    }

    #[test]
    fn a_request_that_lives_shorter_than_people_may_think_ends_with_its_life() {
        let short = Standing { expires_at: at(30), ..standing(State::PendingApproval) };
        assert_eq!((short.at(at(29)), short.at(at(30))), (State::PendingApproval, State::Expired));
    }

    #[test]
    fn within_one_agent_the_narrowest_then_the_oldest() {
        assert_eq!(choose(&[]), Choice::Nobody);
        assert_eq!(choose(&[candidate(1, 1, 1, 5), candidate(2, 1, 3, 9), candidate(3, 1, 3, 7)]), one(3));
    }

    #[test]
    fn between_two_agents_the_person_chooses_however_narrow_a_pattern_is() {
        let two = [candidate(1, 1, 9, 1), candidate(2, 2, 1, 5)];
        assert_eq!(choose(&two), Choice::Contested);
        let mut chosen = two;
        chosen[1].chosen = true;
        assert_eq!(choose(&chosen), one(2));
        chosen[0].chosen = true;
        assert_eq!(choose(&chosen), Choice::Contested, "two were chosen: that is no choice");
    }

    #[test]
    fn a_choice_is_for_the_agent_and_its_narrowest_goes_first() {
        let mut some = [candidate(1, 1, 1, 1), candidate(2, 1, 5, 5), candidate(3, 2, 9, 1)];
        some[0].chosen = true;
        assert_eq!(choose(&some), one(2));
    }
}
