//! `webhook_messages`: events on their way to somebody's URL. A row is committed with its event; whoever takes it moves
//! `due_at` ahead by the lease. Refuses to let one receiver's backlog stand before another's message: what is due is
//! looked for receiver by receiver.

use std::time::Duration;

use doorcode_core::{EventId, OrgId, Result, Timestamp, WebhookId, WebhookMessageId};

use super::db::Tx;
use super::events::{self, Event};
use super::sql::{Row, Value, statements};

/// The most webhooks of one org, and so the most messages of one event.
pub const WEBHOOKS: usize = 16;

statements! {
    WHO_WANTS = "SELECT id FROM webhooks WHERE org_id = $1 AND disabled_at IS NULL AND (events = '*' \
        OR replace(' ' || events || ' ', ' ' || $2 || ' ', '') <> ' ' || events || ' ') ORDER BY id LIMIT 16";
    INSERT = "INSERT INTO webhook_messages (id, org_id, webhook_id, event_id, state, due_at, attempts) \
        VALUES ($1, $2, $3, $4, 0, $5, 0)";
    DUE = "WITH RECURSIVE waiting(id) AS ( \
        SELECT * FROM (SELECT webhook_id FROM webhook_messages WHERE state = 0 AND webhook_id > $1 \
            ORDER BY webhook_id LIMIT 1) AS first \
        UNION ALL SELECT (SELECT webhook_id FROM webhook_messages WHERE state = 0 AND webhook_id > waiting.id \
            ORDER BY webhook_id LIMIT 1) FROM waiting WHERE waiting.id IS NOT NULL) \
        SELECT id, (SELECT org_id FROM webhook_messages WHERE webhook_id = waiting.id LIMIT 1) \
        FROM waiting WHERE id IS NOT NULL AND EXISTS (SELECT 1 FROM webhook_messages \
            WHERE state = 0 AND webhook_id = waiting.id AND due_at <= $2) LIMIT $3";
    CLAIM = "UPDATE webhook_messages SET due_at = $3 WHERE id IN ( \
        SELECT id FROM webhook_messages WHERE state = 0 AND webhook_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $4) \
        AND state = 0 AND due_at <= $2 RETURNING id, event_id, attempts";
    DELIVERED = "UPDATE webhook_messages SET state = 1, attempts = attempts + 1, due_at = $2, status = $3, failure = NULL \
        WHERE id = $1 AND state = 0";
    RETRY = "UPDATE webhook_messages SET attempts = attempts + 1, due_at = $2, status = $3, failure = $4 \
        WHERE id = $1 AND state = 0";
    GAVE_UP = "UPDATE webhook_messages SET state = 2, attempts = attempts + 1, due_at = $2, status = $3, failure = $4 \
        WHERE id = $1 AND state = 0";
    DROP = "UPDATE webhook_messages SET state = 3, due_at = $2, failure = $3 WHERE id = $1 AND state = 0";
    DROP_ALL_OF = "UPDATE webhook_messages SET state = 3, due_at = $2, failure = 'nobody wants it' WHERE id IN ( \
        SELECT id FROM webhook_messages WHERE state = 0 AND webhook_id = $1 LIMIT $3) AND state = 0";
    REPLAY = "UPDATE webhook_messages SET state = 0, attempts = 0, due_at = $4, status = NULL, failure = NULL \
        WHERE id = $3 AND org_id = $1 AND webhook_id = $2 AND state <> 0";
    GET = "SELECT m.id, m.event_id, e.kind, m.state, m.due_at, m.attempts, m.status, m.failure \
        FROM webhook_messages m LEFT JOIN events e ON e.id = m.event_id \
        WHERE m.id = $3 AND m.org_id = $1 AND m.webhook_id = $2";
    LIST = "SELECT m.id, m.event_id, e.kind, m.state, m.due_at, m.attempts, m.status, m.failure \
        FROM webhook_messages m LEFT JOIN events e ON e.id = m.event_id \
        WHERE m.webhook_id = $2 AND m.id > $3 AND m.org_id = $1 ORDER BY m.id LIMIT $4";
    FREE = "UPDATE webhook_messages SET due_at = $1 WHERE state = 0 AND due_at > $1 AND due_at <= $2";
    DROP_ALL = "UPDATE webhook_messages SET state = 3, due_at = $1, failure = 'restored' WHERE state = 0";
    SWEEP = "DELETE FROM webhook_messages WHERE id IN (SELECT id FROM webhook_messages WHERE id < $1 ORDER BY id LIMIT $2) \
        AND state <> 0";
}

/// How far a message has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It waits for its next try, or is on its way.
    Due,
    /// The receiver took it.
    Delivered,
    /// Every try failed.
    GaveUp,
    /// It is not sent: the receiver is gone or disabled, or the event is.
    Dropped,
}

/// A message, as its owner sees it.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id, the same in every try: `webhook-id`.
    pub id: WebhookMessageId,
    /// What happened.
    pub event: EventId,
    /// Of what kind; none if the event is gone by retention.
    pub kind: Option<String>,
    /// How far it has come.
    pub state: State,
    /// While due, when the next try may begin; afterwards, when it ended.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// The status of the last answer, if the last try had one.
    pub status: Option<i64>,
    /// Why the last try failed, in our words.
    pub failure: Option<String>,
}

impl Message {
    fn read(row: &Row<'_>) -> Result<Self> {
        let state = match row.int(3)? {
            0 => State::Due,
            1 => State::Delivered,
            2 => State::GaveUp,
            _ => State::Dropped,
        };
        Ok(Self {
            id: row.id(0)?,
            event: row.id(1)?,
            kind: row.maybe_text(2)?,
            state,
            due_at: row.time(4)?,
            attempts: row.int(5)?,
            status: row.maybe_int(6)?,
            failure: row.maybe_text(7)?,
        })
    }
}

/// A message that somebody has taken, with the event that it tells of.
pub struct Taken {
    /// The message.
    pub id: WebhookMessageId,
    /// How often it has been tried.
    pub attempts: usize,
    /// What happened; none if it is gone.
    pub event: Option<Event>,
}

/// How one try ended.
#[derive(Clone)]
pub enum Outcome {
    /// The receiver took it.
    Delivered {
        /// With this status.
        status: u16,
    },
    /// Not now: again at that time.
    Retry {
        /// When.
        due_at: Timestamp,
        /// The status, if there was an answer.
        status: Option<u16>,
        /// Why, in our words.
        why: &'static str,
    },
    /// That was the last try.
    GaveUp {
        /// The status, if there was an answer.
        status: Option<u16>,
        /// Why, in our words.
        why: &'static str,
    },
    /// It was not tried and never will be.
    Dropped {
        /// Why, in our words.
        why: &'static str,
    },
}

/// Makes a message for every live webhook of the org that wants this kind. Hardly an org has one, so that an event costs what a
/// look costs. Their ids follow from the event's: its order, its random half, and the place of the webhook among them.
pub(super) async fn fan_out(tx: &mut Tx<'_>, org: &OrgId, event: &EventId, kind: &str) -> Result<usize> {
    let wanting: Vec<WebhookId> = tx.all(&WHO_WANTS, &[org.into(), kind.into()], |row| row.id(0)).await?;
    for (place, webhook) in wanting.iter().take(WEBHOOKS).enumerate() {
        let id = message_id(event, place);
        let values = [(&id).into(), org.into(), webhook.into(), event.into(), event.made_at().into()];
        tx.execute(&INSERT, &values).await?;
    }
    Ok(wanting.len())
}

/// Makes a message of an event for one webhook alone.
pub(super) async fn insert(
    tx: &mut Tx<'_>,
    org: &OrgId,
    webhook: &WebhookId,
    event: &EventId,
) -> Result<WebhookMessageId> {
    let id = message_id(event, 0);
    let values = [(&id).into(), org.into(), webhook.into(), event.into(), event.made_at().into()];
    tx.execute(&INSERT, &values).await?;
    Ok(id)
}

/// The id of an event's message to the webhook in this place. Unlike the event's own, and unlike every other's: events
/// differ in the half that is kept.
fn message_id(event: &EventId, place: usize) -> WebhookMessageId {
    let mut bytes = *event.as_bytes();
    // Fewer places than a byte has values; none leaves the byte as it was.
    bytes[15] = bytes[15].wrapping_add(1 + u8::try_from(place).unwrap_or(u8::MAX - 1));
    WebhookMessageId::from_bytes(bytes)
}

/// Up to `most` webhooks behind `after` that have something due, with their orgs.
pub async fn due(tx: &mut Tx<'_>, after: &WebhookId, now: Timestamp, most: i64) -> Result<Vec<(WebhookId, OrgId)>> {
    tx.all(&DUE, &[after.into(), now.into(), most.into()], |row| Ok((row.id(0)?, row.id(1)?))).await
}

/// Takes up to `most` due messages of a webhook until `lease_until`. No row goes to two takers.
pub async fn claim(
    tx: &mut Tx<'_>,
    webhook: &WebhookId,
    now: Timestamp,
    lease_until: Timestamp,
    most: i64,
) -> Result<Vec<Taken>> {
    let values = [webhook.into(), now.into(), lease_until.into(), most.into()];
    let read = |row: &Row<'_>| Ok((row.id(0)?, row.id(1)?, usize::try_from(row.int(2)?).unwrap_or(usize::MAX)));
    let rows: Vec<(WebhookMessageId, EventId, usize)> = tx.all(&CLAIM, &values, read).await?;
    let mut taken = Vec::with_capacity(rows.len());
    for (id, event, attempts) in rows {
        taken.push(Taken { id, attempts, event: events::get(tx, &event).await? });
    }
    Ok(taken)
}

/// Records how a try ended.
pub async fn record(tx: &mut Tx<'_>, id: &WebhookMessageId, outcome: &Outcome, now: Timestamp) -> Result<()> {
    let status = |status: Option<u16>| Value::from(status.map(i64::from));
    match *outcome {
        Outcome::Delivered { status } => {
            tx.execute(&DELIVERED, &[id.into(), now.into(), i64::from(status).into()]).await
        }
        Outcome::Retry { due_at, status: code, why } => {
            tx.execute(&RETRY, &[id.into(), due_at.into(), status(code), why.into()]).await
        }
        Outcome::GaveUp { status: code, why } => {
            tx.execute(&GAVE_UP, &[id.into(), now.into(), status(code), why.into()]).await
        }
        Outcome::Dropped { why } => tx.execute(&DROP, &[id.into(), now.into(), why.into()]).await,
    }
    .map(drop)
}

/// Drops up to `most` messages that wait for a webhook.
pub async fn drop_all_of(tx: &mut Tx<'_>, webhook: &WebhookId, now: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&DROP_ALL_OF, &[webhook.into(), now.into(), most.into()]).await
}

/// Makes a message that ended due again, under the same id. False: it has not ended, or there is none such.
pub async fn replay(
    tx: &mut Tx<'_>,
    org: &OrgId,
    webhook: &WebhookId,
    id: &WebhookMessageId,
    now: Timestamp,
) -> Result<bool> {
    Ok(tx.execute(&REPLAY, &[org.into(), webhook.into(), id.into(), now.into()]).await? == 1)
}

/// One message of a webhook of an org.
pub async fn get(tx: &mut Tx<'_>, org: &OrgId, webhook: &WebhookId, id: &WebhookMessageId) -> Result<Option<Message>> {
    tx.one(&GET, &[org.into(), webhook.into(), id.into()], Message::read).await
}

/// Up to `most` messages of a webhook of an org, oldest first, behind `after`.
pub async fn list(
    tx: &mut Tx<'_>,
    org: &OrgId,
    webhook: &WebhookId,
    after: &WebhookMessageId,
    most: i64,
) -> Result<Vec<Message>> {
    tx.all(&LIST, &[org.into(), webhook.into(), after.into(), most.into()], Message::read).await
}

/// Ends every lease of that length: at the start of the only server there is, each belongs to a dead one. A retry that is
/// further away keeps its time.
pub async fn free_leases(tx: &mut Tx<'_>, now: Timestamp, lease: Duration) -> Result<usize> {
    tx.execute(&FREE, &[now.into(), now.plus(lease).into()]).await
}

/// After a restore: nothing that waited goes out.
pub async fn drop_all(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    tx.execute(&DROP_ALL, &[now.into()]).await
}

/// Removes up to `most` ended messages of events that happened before a time.
pub async fn sweep(tx: &mut Tx<'_>, made_before: Timestamp, most: i64) -> Result<usize> {
    tx.execute(&SWEEP, &[(&WebhookMessageId::floor(made_before)).into(), most.into()]).await
}
