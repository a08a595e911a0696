//! Requests for a code, in any number: one person with a session, a collector and an agent, and what it asks for. Refuses nothing that [`super`]
//! has let through.

use std::sync::Arc;

use doorcode_core::relay::{LIFE_MOST, Named as _, Standing, State};
use doorcode_core::seal::PrivateKey;
use doorcode_core::{OrgId, RelayId, Result, Secret, UserId};

use crate::app::App;
use crate::ops::audit::Whose;
use crate::ops::{agents, devices, sessions};
use crate::store::agents::Agent;
use crate::store::relays::{self as rows, Relay};
use crate::store::{orgs, sessions as session_rows, users};

/// Makes them. Gives the person's access token, the agent's key, the collector's, and the requests.
pub(super) async fn seed(app: &Arc<App>, count: usize, batch: usize) -> Result<Vec<String>> {
    let (whose, token) = person(app).await?;
    let wanted = agents::Wanted { name: "Bench".to_owned(), description: None, test: false, identity: None };
    let made = agents::create(app, whose, wanted, None).await?;
    let collector = devices::create(app, whose, devices::COLLECTOR, "Bench").await?;
    let mut lines = vec![token.expose().clone(), made.key.expose().clone(), collector.key.expose().clone()];
    let public_key = PrivateKey::from_seed(Secret::new(app.entropy.bytes()?)).public()?.encode()?;
    while lines.len() < count + 3 {
        let some = batch.min(count + 3 - lines.len());
        let new = (0..some).map(|_| relay(app, &made.agent, &public_key)).collect::<Result<Vec<_>>>()?;
        lines.extend(new.iter().map(|relay| relay.id.shown()));
        let unit = app.db.write(move |tx| {
            Box::pin(async move {
                for relay in &new {
                    rows::insert(tx, relay).await?;
                }
                Ok(())
            })
        });
        unit.await?;
    }
    Ok(lines)
}

async fn person(app: &Arc<App>) -> Result<(Whose, Secret<String>)> {
    let now = app.clock.now();
    let (org, owner): (OrgId, UserId) = (app.entropy.id(now)?, app.entropy.id(now)?);
    let made = (app.entropy.id(now)?, app.entropy.bytes()?);
    let session = sessions::begin(app, made, (org, owner), None, String::new(), now);
    let token = sessions::access(app, &session, now)?;
    let unit = app.db.write(move |tx| {
        let session = session.clone();
        Box::pin(async move {
            orgs::insert(tx, &org, None, "Somebody's Team").await?;
            users::insert(tx, &org, &owner, "Somebody", None).await?;
            session_rows::insert(tx, &session).await
        })
    });
    unit.await?;
    Ok((Whose { org, owner }, token))
}

fn relay(app: &App, agent: &Agent, public_key: &str) -> Result<Relay> {
    let now = app.clock.now();
    let id: RelayId = app.entropy.id(now)?;
    let standing = Standing {
        state: State::PendingApproval,
        approve_until: now.plus(LIFE_MOST),
        expires_at: now.plus(LIFE_MOST),
        kept_until: None,
    };
    let words = ("bench".to_owned(), public_key.to_owned());
    // Any message would have to be said yes to twice.
    let sender = Some("bench".to_owned());
    Ok(Relay { sender, ..Relay::new(id, (agent.org, agent.id, agent.owner), standing, words) })
}
