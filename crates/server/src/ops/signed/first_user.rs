//! The first user of an organisation that signs: the operator gives their public key on the command line.

use std::sync::Arc;

use doorcode_core::stamp::{KeyKind, PublicKey};
use doorcode_core::{Error, OrgId, Result, UserId};

use crate::app::App;
use crate::store::signers::{self, Signer};
use crate::store::stamp_keys::{self, StampKey};
use crate::store::{events, orgs};

/// Gives an organisation a root user who signs with this key.
pub async fn first_user(app: &Arc<App>, org: OrgId, name: &str, key: PublicKey) -> Result<UserId> {
    let now = app.clock.now();
    let user = Signer { org, id: app.entropy.id(now)?, name: name.to_owned(), email: None, phone: None, root: true };
    let key = StampKey {
        org,
        id: app.entropy.id(now)?,
        user: user.id,
        key,
        kind: KeyKind::Given(key.curve()),
        name: "First key".to_owned(),
        expires_at: None,
        inert: None,
        proved: false,
    };
    let (id, kid, event) = (user.id, app.keys.ring().active().kid, app.entropy.id(now)?);
    let unit = app.db.write(move |tx| {
        Box::pin(async move {
            orgs::name(tx, &org).await?.ok_or(Error::NotFound)?;
            if stamp_keys::find(tx, &org, &key.key).await?.is_some() {
                return Err(Error::Conflict("the key is there already"));
            }
            signers::insert(tx, &user).await?;
            stamp_keys::insert(tx, &key, kid).await?;
            events::append(tx, &event, &org, events::Kind::CredentialCreated, key.id.as_bytes()).await
        })
    });
    unit.await?;
    Ok(id)
}
