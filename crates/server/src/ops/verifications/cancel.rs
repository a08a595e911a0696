//! A verification is withdrawn. Refuses to give back what it cost: counters stay.

use std::sync::Arc;

use doorcode_core::{ChallengeId, Error, Result};

use super::{Backend, note, own, target};
use crate::app::App;
use crate::ops::client::Client;
use crate::store::events::Kind;
use crate::store::{challenges, targets};

/// Withdraws a pending verification. One that was withdrawn before, or is over, stays as it is; one that was verified can't be.
pub async fn cancel(app: &Arc<App>, Backend { org, credential }: Backend, id: ChallengeId) -> Result<()> {
    let now = app.clock.now();
    let event = app.entropy.id(now)?;
    let about = super::about(app, org, id, Client::behind(org, credential, None).asker()).await?;
    app.db
        .write_at(about, move |tx| {
            Box::pin(async move {
                let challenge = own(tx, &org, &id).await?;
                if super::verified_at(&challenge).is_some() {
                    return Err(Error::Conflict("it is verified already"));
                }
                // The address before the challenge, as everybody takes them.
                targets::standing(tx, &target(&challenge)).await?;
                if challenges::cancel(tx, &id, now).await? {
                    targets::leave(tx, &target(&challenge), &id).await?;
                    note(tx, &event, &org, Kind::VerificationCanceled, &id).await?;
                }
                Ok(())
            })
        })
        .await?;
    app.call(id);
    Ok(())
}
