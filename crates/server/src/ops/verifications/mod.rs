//! Verifications of an org: its program asks whether somebody has an address, and is told by an id of its own. Each is a
//! challenge in the org's own realm. Refuses another org's ids as if there were none, and addresses that are not the org's
//! own until the operator has raised it.

mod cancel;
mod check;
mod events;
mod start;

pub use cancel::cancel;
pub use check::{Entry, Judged, Proof, check};
pub use events::{Seen, Watch, watch};
pub use start::{Ask, Started, Wanted, may_send, resend, start};

use doorcode_core::challenge::REPEAT_WINDOW;
use doorcode_core::{ChallengeId, CredentialId, Error, EventId, OrgId, Result, State, Timestamp};
use serde::{Deserialize, Serialize};

use crate::app::{App, target_of};
use crate::store::challenges::{self, Attached, Challenge};
use crate::store::events::{self as event_rows, Kind};
use crate::store::{About, Asker, Tx, targets};

/// What their challenges are for.
pub const PURPOSE: &str = "verification";

/// The program that asks.
#[derive(Clone, Copy)]
pub struct Backend {
    /// Its org.
    pub org: OrgId,
    /// By what it is known.
    pub credential: CredentialId,
}

/// A verification, as its org may see it. Serialised, it is what is kept of an answer.
#[derive(Clone, Serialize, Deserialize)]
pub struct Verification {
    /// Its id: that of its challenge.
    pub id: String,
    /// Where it stands.
    pub status: Status,
    /// The canonical address.
    pub to: String,
    /// How it goes there.
    pub channel: String,
    /// The language of its messages.
    pub language: String,
    /// What its code is made of.
    pub alphabet: String,
    /// How many of that.
    pub length: u8,
    /// When it was made, in milliseconds.
    pub created_at: i64,
    /// The end of its life; none once it was verified.
    pub expires_at: Option<i64>,
    /// When it was verified.
    pub verified_at: Option<i64>,
    /// When the next message may go out.
    pub next_send_at: Option<i64>,
    /// What its asker attached, as JSON.
    pub metadata: Option<String>,
    /// Where the browser that opens the link goes.
    pub redirect: Option<String>,
}

/// Where a verification stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for its code.
    Pending,
    /// The code came back.
    Verified,
    /// It was withdrawn, or another took its place.
    Canceled,
    /// The code did not come back in time.
    Expired,
}

impl Status {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }

    fn of(challenge: &Challenge, now: Timestamp) -> Self {
        match challenge.state {
            State::Pending if challenge.expires_at > now => Self::Pending,
            State::Pending => Self::Expired,
            State::Consumed => Self::Verified,
            State::Void => Self::Canceled,
        }
    }
}

impl Verification {
    fn of(challenge: &Challenge, attached: Attached, now: Timestamp) -> Self {
        let verified_at = verified_at(challenge);
        Self {
            id: challenge.id.to_string(),
            status: Status::of(challenge, now),
            to: challenge.destination.clone(),
            channel: "email".to_owned(),
            language: challenge.language.clone(),
            alphabet: challenge.shape.alphabet.to_string(),
            length: challenge.shape.length,
            created_at: challenge.id.made_at().millis(),
            expires_at: verified_at.is_none().then(|| challenge.expires_at.millis()),
            verified_at: verified_at.map(Timestamp::millis),
            next_send_at: None,
            metadata: attached.metadata,
            redirect: attached.redirect,
        }
    }
}

/// When a challenge was passed: what is kept of it is the end of the time for a repeat.
fn verified_at(challenge: &Challenge) -> Option<Timestamp> {
    (challenge.state == State::Consumed).then(|| challenge.expires_at.minus(REPEAT_WINDOW))
}

/// A verification of an org.
pub async fn show(app: &App, org: OrgId, id: ChallengeId) -> Result<Verification> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            Box::pin(async move {
                let challenge = own(tx, &org, &id).await?;
                let attached = challenges::attached(tx, &id).await?;
                Ok(Verification::of(&challenge, attached, now))
            })
        })
        .await
}

/// The challenge of that id, if it is a verification of that org.
async fn own(tx: &mut Tx<'_>, org: &OrgId, id: &ChallengeId) -> Result<Challenge> {
    let found = challenges::get(tx, id).await?;
    found.filter(|found| found.realm == *org && found.purpose == PURPOSE).ok_or(Error::NotFound)
}

/// What a unit about a verification is about, as far as it is known before. Where units wait for each other's addresses, that is looked
/// up: many verifications of one address must not each hold a connection while they wait. Elsewhere the look would be for nothing.
async fn about(app: &App, org: OrgId, id: ChallengeId, asker: Asker) -> Result<About> {
    if app.db.sole_owner() {
        return Ok(About::something(*id.as_bytes(), asker));
    }
    let found = app.db.read(move |tx| Box::pin(async move { own(tx, &org, &id).await })).await?;
    Ok(About::address(target(&found), asker).alone())
}

/// Appends what happened to a verification, in the unit in which it happened.
async fn note(tx: &mut Tx<'_>, event: &EventId, org: &OrgId, kind: Kind, id: &ChallengeId) -> Result<()> {
    event_rows::append(tx, event, org, kind, id.as_bytes()).await
}

/// The row in which everything about a challenge's address is counted.
fn target(challenge: &Challenge) -> targets::TargetId {
    target_of(challenge.realm, &challenge.destination)
}
