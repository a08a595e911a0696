//! Why nothing came of a request to somebody else's host. Refuses the other end's words: what it says, and what an error
//! of the system quotes, may be an address or a secret, and callers are shown what stands here.

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Our own rules forbid the address.
    Refused,
    /// Nobody there, or no such name.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// TLS could not be set up.
    Tls,
    /// What came was no answer in HTTP, or a head without end.
    Protocol,
    /// The answer sends us somewhere else.
    Redirect,
}

/// A request that failed. Safe to store and to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind.
    pub kind: Kind,
    /// A half sentence for whoever owns the URL.
    pub why: &'static str,
    /// The status, if there was one.
    pub status: Option<u16>,
}

impl Failure {
    pub(super) const fn new(kind: Kind, why: &'static str) -> Self {
        Self { kind, why, status: None }
    }

    pub(super) const fn timed_out() -> Self {
        Self::new(Kind::TimedOut, "no answer in time")
    }

    pub(super) const fn redirect(status: u16) -> Self {
        let why = "the answer is a redirect, and those are not followed";
        Self { kind: Kind::Redirect, why, status: Some(status) }
    }
}
