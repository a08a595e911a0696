//! `events`: what happened, append-only. Ids only; refuses whatever could be a secret by having no column for it. Who wants
//! to hear of it is told in the same unit of work, so that no event is lost on the way and none is told that did not happen.

use doorcode_core::{EventId, OrgId, Result, Timestamp, WebhookId, WebhookMessageId};

use super::db::Tx;
pub use super::event_kinds::Kind;
use super::sql::{Row, statements};
use super::webhook_messages;

statements! {
    APPEND = "INSERT INTO events (id, org_id, kind, subject_id) VALUES ($1, $2, $3, $4)";
    // Newest first. Sign-ins at the OutX door are not indexed by org.
    LIST = "SELECT id, org_id, kind, subject_id FROM events WHERE org_id = $1 AND kind <> 'user.signed_in' AND id < $2 \
        ORDER BY id DESC LIMIT $3";
    // Oldest first.
    OF_VERIFICATION = "SELECT id, org_id, kind, subject_id FROM events WHERE subject_id = $1 AND id > $2 \
        AND kind >= 'verification.' AND kind < 'verification/' ORDER BY id LIMIT $3";
    GET = "SELECT id, org_id, kind, subject_id FROM events WHERE id = $1";
    SWEEP = "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id < $1 ORDER BY id LIMIT $2)";
}

/// Something that happened.
pub struct Event {
    /// Its id, which says when.
    pub id: EventId,
    /// In which org.
    pub org: OrgId,
    /// What, as `user.signed_in`.
    pub kind: String,
    /// To whom or what.
    pub subject: [u8; 16],
}

impl Event {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { id: row.id(0)?, org: row.id(1)?, kind: row.text(2)?, subject: row.bytes(3)? })
    }
}

/// Appends what happened to `subject` in an org, and puts it on its way to every webhook that wants to hear of it.
pub async fn append(tx: &mut Tx<'_>, id: &EventId, org: &OrgId, kind: Kind, subject: &[u8; 16]) -> Result<()> {
    tx.execute(&APPEND, &[id.into(), org.into(), kind.as_str().into(), subject.into()]).await?;
    webhook_messages::fan_out(tx, org, id, kind.as_str()).await.map(drop)
}

/// Appends what is of interest to one webhook alone, which is its subject; gives the message to it.
pub async fn append_for(
    tx: &mut Tx<'_>,
    id: &EventId,
    org: &OrgId,
    kind: Kind,
    webhook: &WebhookId,
) -> Result<WebhookMessageId> {
    tx.execute(&APPEND, &[id.into(), org.into(), kind.as_str().into(), webhook.into()]).await?;
    webhook_messages::insert(tx, org, webhook, id).await
}

/// What happened under this id.
pub async fn get(tx: &mut Tx<'_>, id: &EventId) -> Result<Option<Event>> {
    tx.one(&GET, &[id.into()], Event::read).await
}

/// The newest events of an org before `before`, at most `most`, but for sign-ins at the OutX door.
pub async fn list(tx: &mut Tx<'_>, org: &OrgId, before: &EventId, most: i64) -> Result<Vec<Event>> {
    tx.all(&LIST, &[org.into(), before.into(), most.into()], Event::read).await
}

/// What happened to a verification after `after`, at most `most`.
pub async fn of_verification(tx: &mut Tx<'_>, subject: &[u8; 16], after: &EventId, most: i64) -> Result<Vec<Event>> {
    tx.all(&OF_VERIFICATION, &[subject.into(), after.into(), most.into()], Event::read).await
}

/// Removes up to `most` events older than a time.
pub async fn sweep(tx: &mut Tx<'_>, before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[(&EventId::floor(before)).into(), most.into()]).await
}
