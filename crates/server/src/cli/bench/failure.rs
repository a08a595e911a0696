//! Why a benchmark did not finish: one sentence for the person at the terminal, and the exit code. Nothing is
//! retried and nothing is guessed: an answer that the journey does not expect ends the run.

use std::fmt::Display;

/// The result of everything here that can go wrong.
pub(super) type Outcome<T> = Result<T, Failure>;

/// The sentence and the exit code: 1 for a run that failed, 2 for one that could not begin as asked.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) why: String,
    pub(super) code: u8,
}

impl Failure {
    /// A run that failed.
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), code: 1 }
    }

    /// A run that cannot begin as asked: arguments that do not go together, a peer that is not installed.
    pub(super) fn usage(why: impl Into<String>) -> Self {
        Self { why: why.into(), code: 2 }
    }

    /// For `map_err`: what was being done when `error` came up.
    pub(super) fn during<E: Display>(what: &str) -> impl FnOnce(E) -> Self {
        move |error| Self::new(format!("{what}: {error}"))
    }
}
