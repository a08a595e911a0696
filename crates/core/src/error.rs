//! What can go wrong, said once for every door. It knows no HTTP: each door maps it in one table to its own body.
//! A wrong code is an outcome ([`crate::challenge::Verdict`]), not an error, and no variant carries what a caller
//! sent: an error may be logged.

use std::time::Duration;

/// A cause of any type, kept for the one place that logs the chain.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A refusal or a failure. `Display` is safe to show to the caller; the causes are reached through
/// [`std::error::Error::source`] only, so that they are printed once, where the error is mapped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input can't be taken. `field` is the caller's name for it, `why` a half sentence: "must have one @".
    #[error("{field} {why}")]
    Invalid {
        /// The name of the field.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The caller did not prove who it is.
    #[error("not authenticated")]
    Unauthenticated,
    /// The caller is known and may not.
    #[error("not allowed")]
    Forbidden,
    /// There is no such thing, or none that this caller may know of.
    #[error("not found")]
    NotFound,
    /// The state of the thing forbids it; the text names what is in the way.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// It was here and is over: expired, used or withdrawn.
    #[error("gone")]
    Gone,
    /// A limit is reached.
    #[error("limit {rule} reached, try again in {} s", whole_seconds(*.retry_after))]
    Limited {
        /// The name of the limit.
        rule: &'static str,
        /// When trying again can succeed, from now.
        retry_after: Duration,
    },
    /// Something that we depend on does not answer; trying again may help.
    #[error("temporarily unavailable")]
    Unavailable(#[source] Cause),
    /// A defect of ours.
    #[error("internal error")]
    Internal(#[source] Cause),
}

/// The result of everything that can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Wraps the cause of a failure that may pass.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// Wraps the cause of a failure that is ours.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }
}

/// Rounded up: a caller who waits as long as it was told must not be early (RFC 9110 section 10.2.3 has whole seconds).
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}
