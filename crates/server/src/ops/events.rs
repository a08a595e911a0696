//! What an org did, for its own programs. Refuses another org's.

use doorcode_core::{EventId, OrgId, Result};

use crate::app::App;
use crate::store::events::{self, Event};

/// The newest events of an org before one, or of all.
pub async fn list(app: &App, org: OrgId, before: Option<EventId>, most: i64) -> Result<Vec<Event>> {
    let before = before.unwrap_or(EventId::from_bytes([0xff; 16]));
    app.db.read(move |tx| Box::pin(async move { events::list(tx, &org, &before, most).await })).await
}
