//! Where an activity stands. Refuses a name or a number that is none of these. Of the seven published states three are ways of collecting
//! more votes, and `Pending` is of activities that last; here one vote decides at once, so these four are read and never entered.

/// A state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// Taken in.
    Created,
    /// Being done.
    Pending,
    /// Done.
    Completed,
    /// Judged, and it was not to be: a wrong code.
    Failed,
    /// Waits for more votes.
    ConsensusNeeded,
    /// Voted down.
    Rejected,
    /// Waits for another authenticator of the same person.
    AuthenticatorsNeeded,
}

impl Status {
    /// All of them, in the order of the numbers under which they are stored.
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Pending,
        Self::Completed,
        Self::Failed,
        Self::ConsensusNeeded,
        Self::Rejected,
        Self::AuthenticatorsNeeded,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "ACTIVITY_STATUS_CREATED",
            Self::Pending => "ACTIVITY_STATUS_PENDING",
            Self::Completed => "ACTIVITY_STATUS_COMPLETED",
            Self::Failed => "ACTIVITY_STATUS_FAILED",
            Self::ConsensusNeeded => "ACTIVITY_STATUS_CONSENSUS_NEEDED",
            Self::Rejected => "ACTIVITY_STATUS_REJECTED",
            Self::AuthenticatorsNeeded => "ACTIVITY_STATUS_AUTHENTICATORS_NEEDED",
        }
    }

    /// The state of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The stored number.
    pub const fn to_i64(self) -> i64 {
        self as i64
    }

    /// The state with that number, if there is one.
    pub fn from_i64(stored: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.to_i64() == stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_back() {
        for (number, status) in Status::ALL.into_iter().enumerate() {
            assert_eq!(Status::of_name(status.name()), Some(status));
            assert_eq!(Status::from_i64(number as i64), Some(status));
        }
        assert_eq!((Status::of_name("COMPLETED"), Status::from_i64(7), Status::from_i64(-1)), (None, None, None));
    }
}
