//! `webhooks`: the URLs that want to hear of an org's events. Refuses another org's: every statement but the sender's goes
//! by the org, and there is no look-up by id alone.

use std::time::Duration;

use doorcode_core::{Kid, OrgId, Result, Timestamp, WebhookId};

use super::db::Tx;
use super::sql::{Row, Value, statements};

statements! {
    INSERT = "INSERT INTO webhooks (org_id, id, url, events, seed, kid) SELECT $1::bytea, $2::bytea, $3::text, $4::text, $5::bytea, $6::text \
        WHERE (SELECT count(*) FROM webhooks WHERE org_id = $1) < $7";
    GET = "SELECT org_id, id, url, events, seed, kid, old_seed, old_kid, old_until, disabled_at, failing_since \
        FROM webhooks WHERE org_id = $1 AND id = $2";
    LIST = "SELECT org_id, id, url, events, seed, kid, old_seed, old_kid, old_until, disabled_at, failing_since \
        FROM webhooks WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    DELETE = "DELETE FROM webhooks WHERE org_id = $1 AND id = $2";
    ROTATE = "UPDATE webhooks SET old_seed = seed, old_kid = kid, old_until = $5, seed = $3, kid = $4 \
        WHERE org_id = $1 AND id = $2";
    DISABLE = "UPDATE webhooks SET disabled_at = $3 WHERE org_id = $1 AND id = $2 AND disabled_at IS NULL";
    ENABLE = "UPDATE webhooks SET disabled_at = NULL, failing_since = NULL \
        WHERE org_id = $1 AND id = $2 AND disabled_at IS NOT NULL";
    WELL = "UPDATE webhooks SET failing_since = NULL WHERE org_id = $1 AND id = $2 AND failing_since IS NOT NULL";
    FAILING = "UPDATE webhooks SET failing_since = $3 WHERE org_id = $1 AND id = $2 AND failing_since IS NULL";
    DISABLE_DEAD = "UPDATE webhooks SET disabled_at = $3 WHERE org_id = $1 AND id = $2 AND disabled_at IS NULL \
        AND failing_since <= $4";
    UNDER = "SELECT count(*) FROM webhooks WHERE kid = $1";
}

/// A URL that wants to hear of an org's events.
#[derive(Clone)]
pub struct Webhook {
    /// Whose it is.
    pub org: OrgId,
    /// Its id.
    pub id: WebhookId,
    /// Where messages go.
    pub url: String,
    /// `*`, or kinds with a space between.
    pub events: String,
    /// What its secret is derived from.
    pub secret: Seed,
    /// The one before, and until when it signs as well.
    pub old: Option<(Seed, Timestamp)>,
    /// When it was disabled; nothing is sent from then on.
    pub disabled_at: Option<Timestamp>,
    /// Since when every try has failed.
    pub failing_since: Option<Timestamp>,
}

/// What a secret is derived from, besides the ids.
#[derive(Clone)]
pub struct Seed {
    /// Random bytes.
    pub bytes: [u8; 32],
    /// Under which master key.
    pub kid: Kid,
}

impl Webhook {
    fn read(row: &Row<'_>) -> Result<Self> {
        let old = match (row.maybe_bytes(6)?, row.maybe_text(7)?, row.maybe_time(8)?) {
            (Some(bytes), Some(kid), Some(until)) => Some((Seed { bytes, kid: kid.parse()? }, until)),
            _ => None,
        };
        Ok(Self {
            org: row.id(0)?,
            id: row.id(1)?,
            url: row.text(2)?,
            events: row.text(3)?,
            secret: Seed { bytes: row.bytes(4)?, kid: row.text(5)?.parse()? },
            old,
            disabled_at: row.maybe_time(9)?,
            failing_since: row.maybe_time(10)?,
        })
    }
}

/// Writes a new one, unless its org has `most` already. False: it has.
pub async fn insert(tx: &mut Tx<'_>, new: &Webhook, most: i64) -> Result<bool> {
    let values: [Value<'_>; 7] = [
        (&new.org).into(),
        (&new.id).into(),
        (&new.url).into(),
        (&new.events).into(),
        (&new.secret.bytes).into(),
        new.secret.kid.as_str().into(),
        most.into(),
    ];
    Ok(tx.execute(&INSERT, &values).await? == 1)
}

/// One of an org.
pub async fn get(tx: &mut Tx<'_>, org: &OrgId, id: &WebhookId) -> Result<Option<Webhook>> {
    tx.one(&GET, &[org.into(), id.into()], Webhook::read).await
}

/// Up to `most` of an org, oldest first, behind `after`.
pub async fn list(tx: &mut Tx<'_>, org: &OrgId, after: &WebhookId, most: i64) -> Result<Vec<Webhook>> {
    tx.all(&LIST, &[org.into(), after.into(), most.into()], Webhook::read).await
}

/// Removes one. False: there is none such.
pub async fn delete(tx: &mut Tx<'_>, org: &OrgId, id: &WebhookId) -> Result<bool> {
    Ok(tx.execute(&DELETE, &[org.into(), id.into()]).await? == 1)
}

/// Gives it a new secret; the present one signs as well until `old_until`. False: there is none such.
pub async fn rotate(tx: &mut Tx<'_>, org: &OrgId, id: &WebhookId, new: &Seed, old_until: Timestamp) -> Result<bool> {
    let values = [org.into(), id.into(), (&new.bytes).into(), new.kid.as_str().into(), old_until.into()];
    Ok(tx.execute(&ROTATE, &values).await? == 1)
}

/// Sends nothing there any more. False: it was disabled before, or there is none such.
pub async fn disable(tx: &mut Tx<'_>, org: &OrgId, id: &WebhookId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(&DISABLE, &[org.into(), id.into(), now.into()]).await? == 1)
}

/// Sends there again. False: it was not disabled, or there is none such.
pub async fn enable(tx: &mut Tx<'_>, org: &OrgId, id: &WebhookId) -> Result<bool> {
    Ok(tx.execute(&ENABLE, &[org.into(), id.into()]).await? == 1)
}

/// Notes that a try succeeded. Writes nothing where all was well.
pub async fn succeed(tx: &mut Tx<'_>, org: &OrgId, id: &WebhookId) -> Result<()> {
    tx.execute(&WELL, &[org.into(), id.into()]).await.map(drop)
}

/// Notes that a try failed, and disables what has failed for that long. True: it is disabled now.
pub async fn fail(tx: &mut Tx<'_>, org: &OrgId, id: &WebhookId, now: Timestamp, patience: Duration) -> Result<bool> {
    tx.execute(&FAILING, &[org.into(), id.into(), now.into()]).await?;
    let values = [org.into(), id.into(), now.into(), now.minus(patience).into()];
    Ok(tx.execute(&DISABLE_DEAD, &values).await? == 1)
}

/// How many have a secret that is derived under a master key.
pub async fn under(tx: &mut Tx<'_>, kid: Kid) -> Result<i64> {
    Ok(tx.one(&UNDER, &[kid.as_str().into()], |row| row.int(0)).await?.unwrap_or(0))
}
