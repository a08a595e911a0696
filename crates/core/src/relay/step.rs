//! The way of a request, read back from where it stands: through which states it came, in order, and when. What a watcher has not
//! heard yet is known from this alone, so that no list of what happened has to be kept in an order of its own. Refuses to tell of a
//! state that was passed over.

use super::{Standing, State};
use crate::time::Timestamp;

/// The moments of a request, as they are stored.
#[derive(Clone, Copy, Debug)]
pub struct Past {
    /// When it was asked.
    pub made_at: Timestamp,
    /// When somebody, or a rule, said yes or no.
    pub decided_at: Option<Timestamp>,
    /// Whether it was a rule: then nobody was asked.
    pub by_rule: bool,
    /// When a code was there.
    pub received_at: Option<Timestamp>,
    /// When it was read, refused, over or taken back.
    pub ended_at: Option<Timestamp>,
}

/// A state that a request came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// It.
    pub state: State,
    /// When.
    pub at: Timestamp,
}

impl Step {
    /// Its place on the way: 1 asked, 2 allowed, 3 a code is there, 4 over. It grows along every way, and some ways leave one out.
    pub fn number(&self) -> u8 {
        match self.state {
            State::PendingApproval => 1,
            State::Approved => 2,
            State::OtpReceived => 3,
            State::Consumed | State::Denied | State::Expired | State::Cancelled => 4,
        }
    }
}

/// The states that a request came through until now, oldest first. The last one is where it stands.
pub fn steps(standing: &Standing, past: &Past, now: Timestamp) -> Vec<Step> {
    let state = standing.at(now);
    let mut steps = Vec::with_capacity(4);
    if !past.by_rule {
        steps.push(Step { state: State::PendingApproval, at: past.made_at });
    }
    if let Some(at) = past.decided_at.filter(|_| state != State::Denied) {
        steps.push(Step { state: State::Approved, at });
    }
    // What was held and refused was never there for anybody.
    if let Some(at) = past.received_at.filter(|_| state != State::Denied) {
        steps.push(Step { state: State::OtpReceived, at });
    }
    if state.is_final() {
        let over = past.ended_at.or(standing.ends_at()).unwrap_or(standing.expires_at);
        steps.push(Step { state, at: over });
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + 1000 * seconds)
    }

    /// A request of five minutes that may be answered for two; a code may be read for one.
    fn way(state: State, [decided, received, ended]: [Option<i64>; 3], now: i64) -> Vec<(State, i64, u8)> {
        let kept_until = received.map(|received| at(received + 60));
        let standing = Standing { state, approve_until: at(120), expires_at: at(300), kept_until };
        let [decided_at, received_at, ended_at] = [decided, received, ended].map(|seconds| seconds.map(at));
        let past = Past { made_at: at(0), decided_at, by_rule: false, received_at, ended_at };
        let steps = steps(&standing, &past, at(now));
        assert!(steps.windows(2).all(|two| two[0].number() < two[1].number()), "{steps:?}");
        steps.iter().map(|step| (step.state, (step.at.millis() - at(0).millis()) / 1000, step.number())).collect()
    }

    #[test]
    fn every_way_is_told_in_order() {
        use State::{Approved, Cancelled, Consumed, Denied, Expired, OtpReceived, PendingApproval};
        let asked = (PendingApproval, 0, 1);
        assert_eq!(way(PendingApproval, [None; 3], 5), [asked]);
        assert_eq!(way(Approved, [Some(5), None, None], 9), [asked, (Approved, 5, 2)]);
        let there = [asked, (Approved, 5, 2), (OtpReceived, 8, 3)];
        assert_eq!(way(OtpReceived, [Some(5), Some(8), None], 9), there);
        let read = [there[0], there[1], there[2], (Consumed, 9, 4)];
        assert_eq!(way(Consumed, [Some(5), Some(8), Some(9)], 999), read);
        assert_eq!(way(Denied, [Some(5), None, Some(5)], 9), [asked, (Denied, 5, 4)]);
        assert_eq!(way(Denied, [Some(5), Some(8), Some(9)], 9), [asked, (Denied, 9, 4)], "its code was held");
        assert_eq!(way(Cancelled, [None, None, Some(7)], 9), [asked, (Cancelled, 7, 4)]);
        assert_eq!(way(Cancelled, [Some(5), None, Some(7)], 9), [asked, (Approved, 5, 2), (Cancelled, 7, 4)]);
        assert_eq!(way(Expired, [Some(5), None, Some(300)], 400), [asked, (Approved, 5, 2), (Expired, 300, 4)]);
    }

    #[test]
    fn what_is_over_by_itself_is_told_before_it_is_written_down() {
        use State::{Approved, Expired, OtpReceived, PendingApproval};
        assert_eq!(way(PendingApproval, [None; 3], 119), [(PendingApproval, 0, 1)]);
        assert_eq!(way(PendingApproval, [None; 3], 120), [(PendingApproval, 0, 1), (Expired, 120, 4)]);
        let there = [(PendingApproval, 0, 1), (Approved, 5, 2), (OtpReceived, 8, 3), (Expired, 68, 4)];
        assert_eq!(way(OtpReceived, [Some(5), Some(8), None], 68), there);
    }

    #[test]
    fn where_a_rule_said_yes_nobody_was_asked() {
        let standing =
            Standing { state: State::Approved, approve_until: at(120), expires_at: at(300), kept_until: None };
        let past = Past { made_at: at(0), decided_at: Some(at(0)), by_rule: true, received_at: None, ended_at: None };
        assert_eq!(steps(&standing, &past, at(1)), [Step { state: State::Approved, at: at(0) }]);
    }
}
