//! Errors: what is shown, and what is not.

use std::error::Error as _;
use std::time::Duration;

use doorcode_core::Error;

#[test]
fn shows_what_a_caller_may_see() {
    for (error, text) in [
        (Error::Invalid { field: "email", why: "must have an @" }, "email must have an @"),
        (Error::Unauthenticated, "not authenticated"),
        (Error::Forbidden, "not allowed"),
        (Error::NotFound, "not found"),
        (Error::Conflict("name is taken"), "conflict: name is taken"),
        (Error::Gone, "gone"),
        (
            Error::Limited { rule: "send", retry_after: Duration::from_millis(59_001) },
            "limit send reached, try again in 60 s",
        ),
        (Error::Limited { rule: "send", retry_after: Duration::from_secs(5) }, "limit send reached, try again in 5 s"),
        (Error::unavailable("postgres://user:secret@host"), "temporarily unavailable"),
        (Error::internal("row 17 of jane@example.com"), "internal error"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn keeps_the_cause_for_the_log() {
    assert_eq!(Error::internal("what happened").source().unwrap().to_string(), "what happened");
    let io = std::io::Error::other("connection refused");
    assert_eq!(Error::unavailable(io).source().unwrap().to_string(), "connection refused");
    assert!(Error::Gone.source().is_none());
}

#[test]
fn crosses_threads() {
    fn travels<T: Send + Sync + 'static>() {}
    travels::<Error>();
}
