//! Who hears how a message ended: the org that asked for a verification by its id, and whoever looks up the mails of signed calls. Refuses to
//! tell anybody of the rest, and to tell a tenant what is between this server and its operator's mail server.

use doorcode_core::activity::Mailed;
use doorcode_core::{ChallengeId, EventId, OrgId, Result};

use crate::app::target_of;
use crate::ops::outbox::Handed;
use crate::ops::{signed, verifications};
use crate::store::deliveries::Outcome;
use crate::store::mail_events::{self, MailEvent};
use crate::store::{Tx, events};

/// What is told.
#[derive(Clone)]
pub(super) enum Told {
    /// An event of a verification.
    Verification {
        /// Its id.
        event: EventId,
        /// What happened.
        kind: events::Kind,
        /// In which org.
        org: OrgId,
        /// To which.
        challenge: ChallengeId,
    },
    /// An event of a mail.
    Mail(MailEvent),
}

impl Told {
    /// Writes it, in the unit that records how the message ended.
    pub(super) async fn append(&self, tx: &mut Tx<'_>) -> Result<()> {
        match self {
            Self::Verification { event, kind, org, challenge } => {
                events::append(tx, event, org, *kind, challenge.as_bytes()).await
            }
            Self::Mail(event) => mail_events::append(tx, event).await,
        }
    }

    /// The verification whose stream may be watched.
    pub(super) fn awaited(&self) -> Option<ChallengeId> {
        match self {
            Self::Verification { challenge, .. } => Some(*challenge),
            Self::Mail(_) => None,
        }
    }
}

/// What there is to tell of how a try of a message ended.
pub(super) fn told(handed: &Handed, outcome: &Outcome, events: &mut impl FnMut() -> Result<EventId>) -> Option<Told> {
    let (challenge, purpose) = (&handed.challenge, handed.challenge.purpose.as_str());
    if purpose == verifications::PURPOSE {
        let kind = match outcome {
            Outcome::Sent => events::Kind::VerificationSent,
            Outcome::GaveUp { .. } => events::Kind::VerificationUndelivered,
            Outcome::Retry { .. } | Outcome::Dropped => return None,
        };
        return Some(Told::Verification { event: events().ok()?, kind, org: challenge.realm, challenge: challenge.id });
    }
    if !signed::mails(purpose) {
        return None;
    }
    let (what, why) = match outcome {
        Outcome::Sent => (Mailed::Sent, None),
        // Once: a key that lives for a month is tried again for as long, and its delay is none that ends.
        Outcome::Retry { why, .. } if handed.attempts == 0 => (Mailed::Delayed, reply(why)),
        Outcome::GaveUp { why, refused: true } => (Mailed::Refused, reply(why)),
        Outcome::GaveUp { why, refused: false } => (Mailed::Lost, reply(why)),
        Outcome::Retry { .. } | Outcome::Dropped => return None,
    };
    let target = target_of(challenge.realm, &challenge.destination);
    let why = why.map(str::to_owned);
    Some(Told::Mail(MailEvent { id: events().ok()?, target, delivery: handed.id, what, why }))
}

/// The codes that the mail server replied with, if it did. The words behind them are for the operator: they name settings.
fn reply(why: &str) -> Option<&str> {
    let (codes, _) = why.split_once(':')?;
    codes.bytes().all(|byte| byte.is_ascii_digit() || b". ".contains(&byte)).then_some(codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_reason_only_codes_are_told() {
        assert_eq!(reply("451 4.7.1: the mail server asks to try again later"), Some("451 4.7.1"));
        assert_eq!(reply("535: the mail server refuses our sign-in: check mail.username"), Some("535"));
        for why in ["no connection to the mail server", "timed out waiting for a free connection: mail.connections", ""]
        {
            assert_eq!(reply(why), None, "{why}");
        }
    }
}
