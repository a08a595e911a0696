//! What went wrong, as the house says it: what is there already, what may pass, what is a defect. And which of it another try
//! may mend.

use deadpool_postgres::PoolError;
use doorcode_core::Error;
use tokio_postgres::error::SqlState;

/// A statement's failure.
#[expect(clippy::needless_pass_by_value, reason = "it stands behind map_err")]
pub(super) fn failed(error: tokio_postgres::Error) -> Error {
    match error.code() {
        Some(&SqlState::UNIQUE_VIOLATION) => Error::Conflict("it is there already"),
        Some(code) if !passes(code) => Error::internal(said(&error)),
        _ => Error::unavailable(said(&error)),
    }
}

/// What may be logged of an error: the engine's message and its code. Not its details, which show rows.
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} (SQLSTATE {})", error.message(), error.code().code()),
        None => with_causes(error),
    }
}

/// An error and what caused it.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// No connection to be had.
pub(super) fn busy(error: PoolError) -> Error {
    match error {
        // Whatever kept us from connecting may pass: a wrong password too, once it is set right.
        PoolError::Backend(error) => Error::unavailable(said(&error)),
        other => Error::unavailable(other.to_string()),
    }
}

/// By the class of SQLSTATE (PostgreSQL's manual, appendix A): the connection, resources, the operator, the system; a transaction
/// that lost a race; a server that only reads.
fn passes(code: &SqlState) -> bool {
    let class = code.code().get(..2).unwrap_or_default();
    matches!(class, "08" | "40" | "53" | "57" | "58" | "55") || *code == SqlState::READ_ONLY_SQL_TRANSACTION
}

/// Whether the same unit, begun anew, may do better: nothing of it was committed.
pub(super) fn worth_another_try(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => {
            let class = code.code().get(..2).unwrap_or_default();
            matches!(class, "08" | "40")
                || [
                    SqlState::ADMIN_SHUTDOWN,
                    SqlState::CRASH_SHUTDOWN,
                    SqlState::CANNOT_CONNECT_NOW,
                    SqlState::READ_ONLY_SQL_TRANSACTION,
                    SqlState::LOCK_NOT_AVAILABLE,
                ]
                .contains(code)
        }
        None => error.is_closed(),
    }
}

/// Whether the connection is of no use any more: broken, or to a server that only reads.
pub(super) fn spoils_connection(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => matches!(code.code().get(..2), Some("08" | "57")) || *code == SqlState::READ_ONLY_SQL_TRANSACTION,
        None => true,
    }
}

/// Between a half and one. Nobody's secret, but another each time: the seed of a hash is.
pub(super) fn chance() -> f64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    let random = RandomState::new().build_hasher().finish();
    0.5 + (random % 1000) as f64 / 2000.0
}
