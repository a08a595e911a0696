//! `push_subscriptions`: browsers that are told when an agent asks. Refuses another person's: every statement goes by the person.

use doorcode_core::{Kid, OrgId, PushId, Result, Timestamp, UserId};

use super::db::Tx;
use super::sql::{Value, statements};

statements! {
    INSERT = "INSERT INTO push_subscriptions (owner_id, id, org_id, endpoint, p256dh, auth, language, kid, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    LIST = "SELECT owner_id, id, org_id, endpoint, p256dh, auth, language, kid, created_at FROM push_subscriptions \
        WHERE owner_id = $1 ORDER BY id LIMIT $2";
    REMOVE = "DELETE FROM push_subscriptions WHERE owner_id = $1 AND id = $2";
    REPLACE = "DELETE FROM push_subscriptions WHERE owner_id = $1 AND endpoint = $2";
    UNDER = "SELECT count(*) FROM push_subscriptions WHERE kid = $1";
}

/// A row of `push_subscriptions`.
#[derive(Clone)]
pub struct Subscription {
    /// Whose.
    pub owner: UserId,
    /// Its id.
    pub id: PushId,
    /// In which org.
    pub org: OrgId,
    /// The push service, and the browser's place there.
    pub endpoint: String,
    /// The browser's public key.
    pub p256dh: String,
    /// What it shares with us.
    pub auth: String,
    /// In which language it is told.
    pub language: String,
    /// Under which master key's key the service knows us.
    pub kid: Kid,
    /// Since when.
    pub created_at: Timestamp,
}

/// Writes a new one.
pub async fn insert(tx: &mut Tx<'_>, new: &Subscription) -> Result<()> {
    let values: [Value<'_>; 9] = [
        (&new.owner).into(),
        (&new.id).into(),
        (&new.org).into(),
        (&new.endpoint).into(),
        (&new.p256dh).into(),
        (&new.auth).into(),
        (&new.language).into(),
        new.kid.as_str().into(),
        new.created_at.into(),
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// A person's, at most `most`.
pub async fn of_owner(tx: &mut Tx<'_>, owner: &UserId, most: i64) -> Result<Vec<Subscription>> {
    let values = [owner.into(), most.into()];
    let look = tx.all(&LIST, &values, |row| {
        Ok(Subscription {
            owner: row.id(0)?,
            id: row.id(1)?,
            org: row.id(2)?,
            endpoint: row.text(3)?,
            p256dh: row.text(4)?,
            auth: row.text(5)?,
            language: row.text(6)?,
            kid: row.text(7)?.parse()?,
            created_at: row.time(8)?,
        })
    });
    look.await
}

/// Removes one. False: they have none such.
pub async fn remove(tx: &mut Tx<'_>, owner: &UserId, id: &PushId) -> Result<bool> {
    Ok(tx.execute(&REMOVE, &[owner.into(), id.into()]).await? == 1)
}

/// Removes what a person has of the same browser.
pub async fn replace(tx: &mut Tx<'_>, owner: &UserId, endpoint: &str) -> Result<()> {
    tx.execute(&REPLACE, &[owner.into(), endpoint.into()]).await.map(drop)
}

/// How many browsers know us by the key of a master key.
pub async fn under(tx: &mut Tx<'_>, kid: Kid) -> Result<i64> {
    Ok(tx.one(&UNDER, &[kid.as_str().into()], |row| row.int(0)).await?.unwrap_or(0))
}
