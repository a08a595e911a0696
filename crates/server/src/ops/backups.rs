//! Copies of a running database, and the first start on one. A copy brings back what was used and what was revoked since
//! it was made; refuses to serve it before that is dead again, and afterwards what its callers may have shown it before.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use doorcode_core::{Result, Timestamp};

use super::credentials;
use crate::app::App;
use crate::store::meta::Fact;
use crate::store::{Tx, challenges, deliveries, meta, redirects, relays, sessions, targets, webhook_messages};

/// Writes a marked copy to `file`, which must not exist.
pub async fn create(app: &App, file: &Path) -> Result<()> {
    app.db.copy_to(file).await
}

/// What a recovery ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Challenges that were live, or could be repeated.
    pub challenges: usize,
    /// Messages that waited.
    pub deliveries: usize,
    /// Credentials that had been revoked after the copy was made.
    pub credentials: usize,
}

/// If this database is a copy that nobody has served yet: ends what was live, in one transaction, and replays
/// revocations. Must be done before the server listens.
pub async fn recover_if_copy(app: &Arc<App>) -> Result<Option<Recovered>> {
    let mark = app.db.read(|tx| Box::pin(meta::get(tx, Fact::Backup))).await?;
    match mark {
        Some(_) => recover(app).await.map(Some),
        None => Ok(None),
    }
}

/// Ends what was live, whatever the mark says.
pub async fn recover(app: &Arc<App>) -> Result<Recovered> {
    let now = app.clock.now();
    // Revocations first: if we die in between, the mark is still there and all of it is done again.
    let credentials = credentials::replay_revocations(app, credentials::Replay::Restored).await?;
    let recovered = app
        .db
        .overhaul(move |tx| {
            Box::pin(async move {
                let challenges = challenges::void_all(tx).await?;
                targets::forget_codes(tx).await?;
                sessions::revoke_all(tx, now).await?;
                redirects::void_codes(tx, now).await?;
                relays::end_all(tx, now).await?;
                let deliveries = deliveries::drop_all(tx, now).await? + webhook_messages::drop_all(tx, now).await?;
                // Tokens and calls that were signed before are of a history that went on elsewhere.
                meta::put(tx, Fact::Recovered, &now.millis().to_string()).await?;
                meta::remove(tx, Fact::Backup).await?;
                Ok(Recovered { challenges, deliveries, credentials })
            })
        })
        .await?;
    app.recent_sessions.forget();
    app.recent_signers.forget();
    Ok(recovered)
}

/// Whether what callers date, and may date so far ahead, can have been here before the recovery: what was kept of it is lost with the rest of that
/// history, so it would be good once more.
pub(super) async fn may_be_of_before(tx: &mut Tx<'_>, dated: Timestamp, ahead: Duration) -> Result<bool> {
    is_of_before(tx, dated.minus(ahead)).await
}

/// Whether what was made here at that time is from before the recovery: of a history that went on elsewhere.
pub(super) async fn is_of_before(tx: &mut Tx<'_>, at: Timestamp) -> Result<bool> {
    let recovered = meta::get(tx, Fact::Recovered).await?.and_then(|millis| millis.parse().ok());
    Ok(recovered.is_some_and(|millis| at.millis() <= millis))
}
