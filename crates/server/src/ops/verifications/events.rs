//! What happens to a verification, as it happens. Refuses to be told anything by the listener: where it stands is read from the
//! database each time, so that a missed call costs a moment and no news.

use std::time::Duration;

use doorcode_core::{ChallengeId, Error, EventId, OrgId, Result, State, Timestamp};

use super::own;
use crate::app::App;
use crate::ops::feed::Listener;
use crate::store::events::{self, Event};

/// Events of one look. A verification has a few dozen at most.
const MOST: i64 = 100;
/// When there may be a place for another stream.
const LATER: Duration = Duration::from_secs(15);

/// A verification that is watched.
pub struct Watch {
    /// Calls when there may be news.
    pub listener: Listener,
    id: ChallengeId,
    org: OrgId,
    after: EventId,
}

/// What a look found.
pub struct Seen {
    /// What happened since the last look, oldest first.
    pub events: Vec<Event>,
    /// The end of its life, while it is pending; none: nothing more will happen.
    pub pending_until: Option<Timestamp>,
}

/// Watches a verification of an org, from behind an event on, or from its start.
pub async fn watch(app: &App, org: OrgId, id: ChallengeId, after: Option<EventId>) -> Result<Watch> {
    app.db.read(move |tx| Box::pin(async move { own(tx, &org, &id).await.map(drop) })).await?;
    let after = after.unwrap_or(EventId::from_bytes([0; 16]));
    let listener = app.feed.listen((org, None), *id.as_bytes());
    let listener = listener.ok_or(Error::Limited { rule: "streams", retry_after: LATER })?;
    Ok(Watch { listener, id, org, after })
}

impl Watch {
    /// What happened since the last look.
    pub async fn look(&mut self, app: &App) -> Result<Seen> {
        let (org, id, after) = (self.org, self.id, self.after);
        let (events, challenge) = app
            .db
            .read(move |tx| {
                Box::pin(async move {
                    let challenge = own(tx, &org, &id).await?;
                    Ok((events::of_verification(tx, id.as_bytes(), &after, MOST).await?, challenge))
                })
            })
            .await?;
        if let Some(last) = events.last() {
            self.after = last.id;
        }
        let pending = challenge.state == State::Pending;
        Ok(Seen { events, pending_until: pending.then_some(challenge.expires_at) })
    }
}
