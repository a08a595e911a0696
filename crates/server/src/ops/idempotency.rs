//! Requests that are done once, however often they come (the IETF's `Idempotency-Key`). The key is taken in the same unit as
//! the work, so that there is no moment in which one is done without the other: whoever comes meanwhile waits for the same
//! commit and hears the same answer. Refuses a key that comes back with another body, and secrets in what is kept.

use std::time::Duration;

use doorcode_core::fingerprint::fingerprint;
use doorcode_core::time::DAY;
use doorcode_core::{Error, OrgId, Result, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{Tx, idempotency as rows};

/// How long an answer is kept.
pub const KEPT: Duration = DAY;

/// The header, as its caller knows it.
pub const HEADER: &str = "Idempotency-Key";

/// A request that names itself.
#[derive(Clone)]
pub struct Once {
    id: [u8; 16],
    body: [u8; 16],
}

impl Once {
    /// A request of an org to an operation, under its key and with its body.
    pub fn new(org: OrgId, operation: &str, key: &str, body: &[u8]) -> Self {
        let id = fingerprint("once", &[org.as_bytes(), operation.as_bytes(), key.as_bytes()]);
        Self { id, body: fingerprint("once body", &[body]) }
    }
}

/// The answer that a request had before, if it came before. If not, it is this unit's, which ends with [`keep`], with [`release`]
/// or with an error.
pub async fn replay<T: DeserializeOwned>(tx: &mut Tx<'_>, once: Option<&Once>, now: Timestamp) -> Result<Option<T>> {
    let Some(once) = once else { return Ok(None) };
    if rows::claim(tx, (&once.id, &once.body), now.plus(KEPT), now).await? {
        return Ok(None);
    }
    match rows::get(tx, &once.id).await? {
        // Another one has let go of it just now.
        None => Err(Error::Conflict("a request with this Idempotency-Key is being answered")),
        Some((body, _)) if body != once.body => {
            Err(Error::Invalid { field: HEADER, why: "was used with another request" })
        }
        Some((_, answer)) => serde_json::from_str(&answer).map(Some).map_err(Error::internal),
    }
}

/// What is kept of a request, without taking it: nothing; or the answer, which is none where it came with another body.
pub async fn kept<T: DeserializeOwned>(tx: &mut Tx<'_>, once: &Once) -> Result<Option<Option<T>>> {
    Ok(match rows::get(tx, &once.id).await? {
        None => None,
        Some((body, _)) if body != once.body => Some(None),
        Some((_, answer)) => Some(Some(serde_json::from_str(&answer).map_err(Error::internal)?)),
    })
}

/// Whether a request came before, for what has to be done outside of the unit and once as well. What is read to be changed by it has to be
/// read before this is asked: then it is of before the request, or this says so.
pub async fn is_known(tx: &mut Tx<'_>, once: Option<&Once>, now: Timestamp) -> Result<bool> {
    match once {
        Some(once) => rows::is_known(tx, &once.id, now).await,
        None => Ok(false),
    }
}

/// Keeps the answer of a request, in the unit that did it.
pub async fn keep<T: Serialize>(tx: &mut Tx<'_>, once: Option<&Once>, answer: &T) -> Result<()> {
    let Some(once) = once else { return Ok(()) };
    let answer = serde_json::to_string(answer).map_err(Error::internal)?;
    rows::answer(tx, &once.id, &answer).await
}

/// Lets go of a request whose refusal may be another one later.
pub async fn release(tx: &mut Tx<'_>, once: Option<&Once>) -> Result<()> {
    match once {
        Some(once) => rows::release(tx, &once.id).await,
        None => Ok(()),
    }
}
